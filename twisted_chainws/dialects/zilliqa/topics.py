"""What is told of a block, topic by topic, and the one message that it makes. Sans-I/O.

::

    {"type":"Notification","values":[ITEM, ITEM, …]}

    {"query":"NewBlock","value":{"TxBlock":{…},"TxHashes":[["1beb…"]]},"TxHashes":[["1beb…"]]}
    {"query":"EventLog","value":[{"address":"2ce4…","event_logs":[{"_eventname":…,"params":[…]}]}]}
    {"query":"TxnLog","value":[{"address":"eb95…","log":[{"ID":…}]}]}
    {"query":"EventLog"}                                where nothing happened
    {"query":"Unsubscribe","value":["NewBlock"]}        what ends with this message

Where a client asked for cursors, ``"cursor":"…"`` stands before ``type``.

Events are those of successful transactions, told under the contract that emitted them, whichever
was called. What nodes skip besides, EVM logs and whatever deployments and payments did, is shown
here: showing EVM logs is our own mapping, and a contract may emit them in any transaction.

Source: ``zilliqa.md`` 3 and 4 (the node's ``WebsocketServer.cpp``).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from twisted_chainws.chain.model import Block, NamedEvent
from twisted_chainws.chain.types import Address20
from twisted_chainws.dialects.gathering import Found, Gather, GatheredTopic
from twisted_chainws.dialects.zilliqa.encode import NEW_BLOCK_TEXTS, dump, encode_transfer
from twisted_chainws.dialects.zilliqa.events import encode_event, named_events
from twisted_chainws.dialects.zilliqa.listing import Transfer, list_transactions, transfer_of
from twisted_chainws.dialects.zilliqa.options import AddressForm, Options

NEW_BLOCK: Final = "NewBlock"
EVENT_LOG: Final = "EventLog"
TXN_LOG: Final = "TxnLog"

TOPICS: Final = (NEW_BLOCK, EVENT_LOG, TXN_LOG)
"""All of them, in the order of a message."""

_HEAD: Final = b'{"type":"Notification","values":['
_TAIL: Final = b"]}"
_COMMA: Final = b","


def make_gather(options: Options) -> Gather:
    """Return how the message of a block is made."""
    return Gather(topics=_topics(options), find=find, compose=compose)


def find(block: Block) -> Iterator[Found]:
    """Yield events by emitter, and transactions by recipient rather than by sender."""
    for _, transaction, receipt in list_transactions(block):
        if receipt.succeeded:
            for event in named_events(receipt):
                yield Found(topic=EVENT_LOG, addresses=(event.address,), item=event)
        transfer = transfer_of(transaction, receipt)
        parties = (transfer.to, transfer.sender)
        yield Found(topic=TXN_LOG, addresses=parties, item=transfer)


def compose(items: Sequence[bytes], ending: Sequence[str], cursor: str | None) -> list[bytes]:
    """Put items into one message; topics that end are named behind them."""
    parts = [_HEAD if cursor is None else dump({"cursor": cursor})[:-1] + b"," + _HEAD[1:]]
    for item in items:
        parts += (item, _COMMA)
    if ending:
        parts += (dump({"query": "Unsubscribe", "value": list(ending)}), _COMMA)
    parts[-1] = _TAIL
    return parts


def _topics(options: Options) -> Mapping[str, GatheredTopic]:
    prefix = options.event_address.value if options.event_address is AddressForm.PREFIXED else ""
    new_block = NEW_BLOCK_TEXTS[options.tx_hashes]

    def encode_new_block(ledger: Any, block: Block, _entries: Sequence[bytes]) -> bytes:
        return ledger.text(block, new_block)  # type: ignore[no-any-return]

    def encode_events(address: Address20, events: Sequence[NamedEvent]) -> bytes:
        logs = [encode_event(event) for event in events]
        return dump({"address": prefix + address.hex(), "event_logs": logs})

    return {
        NEW_BLOCK: GatheredTopic(encode=encode_new_block),
        EVENT_LOG: GatheredTopic(encode=_list_of(EVENT_LOG), encode_entry=encode_events),
        TXN_LOG: GatheredTopic(encode=_list_of(TXN_LOG), encode_entry=_encode_transfers),
    }


def _encode_transfers(address: Address20, transfers: Sequence[Transfer]) -> bytes:
    log = [encode_transfer(transfer) for transfer in transfers]
    return dump({"address": address.hex(), "log": log})


def _list_of(topic: str) -> Callable[[Any, Block, Sequence[bytes]], bytes]:
    """Make what writes the item of a topic: without a value where nothing happened."""
    head = dump({"query": topic})[:-1]

    def encode(_ledger: Any, _block: Block, entries: Sequence[bytes]) -> bytes:
        if not entries:
            return head + b"}"
        return head + b',"value":[' + _COMMA.join(entries) + b"]}"

    return encode
