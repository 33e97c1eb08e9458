"""Subscription names: which events each stands for and how they are written. Sans-I/O.

A topic is a function ``make(view, options)`` of the JSON value that follows the name (None when
there is none). Encoders are module-level functions, because subscribers with the same encoder
share one text.

Beside what Ethereum nodes know, an options object may hold ``"cursor": true``, which adds a cursor
to each notice, and ``"resumeFrom"``, which is refused for now.

Source: ``ethereum.md`` 2.1 to 2.6 (go-ethereum ``eth/filters/api.go``; the Alchemy and Tokenview
pages for what they allow beyond it).
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

import orjson

from twisted_chainws.chain.model import Block
from twisted_chainws.chain.types import BlockNumber, Hash32
from twisted_chainws.dialects.ethereum import criteria, decode, encode
from twisted_chainws.dialects.ethereum.arguments import InvalidArgument, refuse
from twisted_chainws.dialects.ethereum.criteria import LogQuery
from twisted_chainws.dialects.ethereum.decode import BlockRef
from twisted_chainws.dialects.outcomes import Encoder, Subscribe
from twisted_chainws.dialects.view import Profile, View
from twisted_chainws.subscriptions.events import (
    HeadAdded,
    LogEvent,
    ReceiptsAdded,
    TransactionPending,
)
from twisted_chainws.subscriptions.filters import (
    HeadFilter,
    LogFilter,
    PendingFilter,
    ReceiptFilter,
    SilentFilter,
)

MAX_RECEIPT_HASHES: Final = 200

HEADER_MEMBERS: Final = (
    "parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot",
    "logsBloom", "difficulty", "number", "gasLimit", "gasUsed", "timestamp", "extraData",
    "mixHash", "nonce", "baseFeePerGas", "withdrawalsRoot", "blobGasUsed", "excessBlobGas",
    "parentBeaconBlockRoot", "requestsHash", "blockAccessListHash", "slotNumber", "hash",
)  # fmt: skip
"""Of a header in ``newHeads`` of go-ethereum, whatever forks are active (``ethereum.md`` 2.2)."""

Topic: TypeAlias = Callable[[View, Any], Subscribe]


def header_text(block: Block) -> bytes:
    """Write the header of a block as ``newHeads`` does."""
    return orjson.dumps(encode.encode_header(block.extras.header, block.hash))


def receipts_text(block: Block) -> bytes:
    """Write the receipts of a block as an array."""
    return orjson.dumps(encode.encode_receipts(block))


def encode_head(view: View, event: HeadAdded) -> bytes:
    """Write a head as its header."""
    text: bytes = view.ledger.text(event.block, header_text)
    return text


def full_header_text(block: Block) -> bytes:
    """Write the header of a block with null for every field of a fork that is not active."""
    header = encode.encode_header(block.extras.header, block.hash)
    return orjson.dumps({name: header.get(name) for name in HEADER_MEMBERS})


def encode_full_head(view: View, event: HeadAdded) -> bytes:
    """Write a head as go-ethereum does: with all members it knows."""
    text: bytes = view.ledger.text(event.block, full_header_text)
    return text


def encode_head_hash(_view: View, event: HeadAdded) -> bytes:
    """Write a head as the hash of its block."""
    return b'"0x%b"' % event.block.hash.hex().encode("ascii")


def encode_log(_view: View, event: LogEvent) -> bytes:
    """Write a log that joined or left the chain."""
    return orjson.dumps(
        encode.encode_log(
            event.block,
            event.transaction_index,
            event.log_index,
            event.log,
            removed=event.removed,
        )
    )


def encode_pending_hash(_view: View, event: TransactionPending) -> bytes:
    """Write a pending transaction as its hash."""
    return b'"0x%b"' % event.transaction.hash.hex().encode("ascii")


def encode_pending(_view: View, event: TransactionPending) -> bytes:
    """Write a pending transaction as the full object."""
    return orjson.dumps(encode.encode_transaction(event.transaction))


def encode_receipts(view: View, event: ReceiptsAdded) -> bytes:
    """Write the receipts that were asked for as an array."""
    if len(event.positions) == len(encode.evm_transactions(event.block)):
        text: bytes = view.ledger.text(event.block, receipts_text)
        return text
    return orjson.dumps([encode.encode_receipt(event.block, at) for at in event.positions])


def encode_syncing(_view: View, *, syncing: bool) -> bytes:
    """Write whether the node is synchronising."""
    return orjson.dumps(syncing)


def make_new_heads(encoder: Encoder) -> Topic:
    """Make the topic of new heads, written by ``encoder``."""

    def new_heads(_view: View, options: Any) -> Subscribe:
        members = _object(options)
        if members is None:
            refuse("too many arguments, want at most 1")
        cursor = wants_cursor(members)
        if members.get("fromBlock") is not None:
            refuse("not supported yet")
        if members.keys() - {"cursor", "fromBlock", "resumeFrom"}:
            refuse("too many arguments, want at most 1")
        return Subscribe(filter=HeadFilter(), encode=encoder, cursor=cursor)

    return new_heads


def logs(view: View, options: Any) -> Subscribe:
    """Subscribe to logs; without a filter object to all of them."""
    cursor = wants_cursor(options)
    query = decode_option(criteria.log_query, {} if options is None else options)
    return Subscribe(filter=log_filter(view, query), encode=encode_log, cursor=cursor)


def new_pending_transactions(_view: View, options: Any) -> Subscribe:
    """Subscribe to pending transactions: hashes, or full objects when ``options`` is true."""
    if isinstance(options, dict) and options.keys() & {"cursor", "resumeFrom"}:
        cursor, full = wants_cursor(options), False
    else:
        cursor, full = False, options is not None and decode_option(decode.boolean, options)
    encoder = encode_pending if full else encode_pending_hash
    return Subscribe(filter=PendingFilter(), encode=encoder, cursor=cursor)


def new_pending_hashes(view: View, options: Any) -> Subscribe:
    """Subscribe to the hashes of pending transactions, where full objects have another name."""
    if options is True:
        refuse("invalid argument 1: only hashes are sent, subscribe to full transactions by name")
    return new_pending_transactions(view, options)


def syncing(_view: View, options: Any) -> Subscribe:
    """Subscribe to the synchronisation state: one ``false``, for there is nothing to sync."""
    members = _object(options)
    if members is None:
        refuse("too many arguments, want at most 1")
    return Subscribe(
        filter=SilentFilter(),
        encode=_encode_syncing_item,
        initial=(False,),
        cursor=wants_cursor(members),
    )


def transaction_receipts(_view: View, options: Any) -> Subscribe:
    """Subscribe to receipts, of all transactions or of those named; one array per block."""
    members = _object(options)
    if members is None:
        refuse("invalid argument 1: want an object with transactionHashes")
    hashes = decode_option(_hashes, members.get("transactionHashes"))
    return Subscribe(
        filter=ReceiptFilter(hashes=hashes),
        encode=encode_receipts,
        cursor=wants_cursor(members),
    )


def _encode_syncing_item(view: View, item: Any) -> bytes:
    return encode_syncing(view, syncing=item)


def wants_cursor(options: Any) -> bool:
    """Read ``cursor`` of an options object; anything that is no object has none.

    Raises:
        Refused: it is not a boolean, or ``resumeFrom`` is given.
    """
    if not isinstance(options, dict):
        return False
    if options.get("resumeFrom") is not None:
        refuse("not supported yet")
    cursor = options.get("cursor")
    return cursor is not None and decode_option(decode.boolean, cursor)


def decode_option(decoder: Callable[[Any], Any], value: Any) -> Any:
    """Decode the value after the name of a subscription.

    Raises:
        Refused: -32602 ``invalid argument 1: …``.
    """
    try:
        return decoder(value)
    except InvalidArgument as problem:
        refuse(f"invalid argument 1: {problem.text}")


def log_filter(view: View, query: LogQuery) -> LogFilter:
    """Turn a log query into a filter for future blocks.

    Raises:
        Refused: the query is too wide, or its bounds make no sense for the future.

    Source: go-ethereum ``eth/filters/filter_system.go`` ``SubscribeLogs``; ``earliest`` is taken
    as 0.
    """
    criteria.refuse_wide(query, view.settings.query_alternatives)
    first, last = _bound(query.first), _bound(query.last)
    if last is not None and first is None:
        refuse("invalid block range params")
    return LogFilter(addresses=query.addresses, topics=query.topics, first=first, last=last)


def _bound(ref: BlockRef | None) -> BlockNumber | None:
    """Read one bound: None for the head, whatever it is by then."""
    if ref is None or ref.tag == "latest":
        return None
    if ref.tag == "earliest":
        return BlockNumber(0)
    if ref.number is None:
        refuse("invalid block range params")
    return BlockNumber(ref.number)


def _object(options: Any) -> dict[str, Any] | None:
    """Return the members of an options object, none for null; None for anything else."""
    if options is None:
        return {}
    return options if isinstance(options, dict) else None


def _hashes(value: Any) -> frozenset[Hash32]:
    if value is None:
        return frozenset()
    if not isinstance(value, list):
        raise decode.not_a(value, "[]common.Hash")
    if len(value) > MAX_RECEIPT_HASHES:
        refuse(
            "exceed max number of transaction hashes allowed per transactionReceipts subscription",
            code=-32000,
        )
    return frozenset(decode.hash32(item) for item in value)


TOPICS: Final[Mapping[str, Topic]] = {
    "newHeads": make_new_heads(encode_head),
    "logs": logs,
    "newPendingTransactions": new_pending_transactions,
    "syncing": syncing,
    "transactionReceipts": transaction_receipts,
}

VENDOR_TOPICS: Final[Mapping[str, Topic]] = {
    "newHeads": TOPICS["newHeads"],
    "logs": logs,
    "newPendingTransactions": new_pending_hashes,
}
"""What vendors that add names of their own serve of Ethereum's."""

PROFILE_TOPICS: Final[Mapping[Profile, Mapping[str, Topic]]] = {
    Profile.GETH: {**TOPICS, "newHeads": make_new_heads(encode_full_head)},
    Profile.ALCHEMY: VENDOR_TOPICS,
    Profile.TOKENVIEW: VENDOR_TOPICS,
}
"""Tables of the profiles that do not serve everything as it is (``ethereum.md`` 2.9)."""

NO_ARGUMENTS: Final = frozenset({"newHeads", "syncing"})
"""Names that take no argument in go-ethereum; the options object behind them is ours."""
