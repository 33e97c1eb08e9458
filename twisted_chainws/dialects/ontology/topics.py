"""What connections are told of a block, one message for each thing. Sans-I/O.

::

    {"Action":"Notify","Desc":"SUCCESS","Error":0,"Result":{"TxHash":"da97…",…},"Version":"1.0.0"}
    {"Action":"sendrawblock",…,"Result":"0000…",…}
    {"Action":"sendjsonblock",…,"Result":{"Hash":"4c51…",…},…}
    {"Action":"sendblocktxhashs",…,"Result":{"Hash":"4c51…","Height":43,"Transactions":["da97…"]},…}

What transactions did comes first, in the order of the block, then the block itself. Where a client
asked for cursors, ``"Cursor":"…"`` stands behind the action. ``Log`` is not sent: only contracts of
NeoVM write logs, and there is no NeoVM.

Source: ``ontology.md`` 5.2 to 5.4.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Final

from twisted_chainws.chain.model import Block
from twisted_chainws.dialects.ontology import encode
from twisted_chainws.dialects.ontology.envelope import render_push
from twisted_chainws.dialects.ontology.events import contracts_of
from twisted_chainws.dialects.ontology.listing import list_transactions
from twisted_chainws.dialects.ontology.projection import Form, OntologyLedger
from twisted_chainws.dialects.pushing import Push

EVENT: Final = "SubscribeEvent"
RAW_BLOCK: Final = "SubscribeRawBlock"
JSON_BLOCK: Final = "SubscribeJsonBlock"
TX_HASHES: Final = "SubscribeBlockTxHashs"

TOPICS: Final[Mapping[str, str]] = {
    EVENT: "Notify",
    RAW_BLOCK: "sendrawblock",
    JSON_BLOCK: "sendjsonblock",
    TX_HASHES: "sendblocktxhashs",
}
"""The member of ``subscribe`` -> the action of what it brings, in the order of the wire."""

_FORMS: Final[Mapping[str, Form]] = {
    RAW_BLOCK: encode.raw_block_text,
    JSON_BLOCK: encode.json_block_text,
    TX_HASHES: encode.hashes_text,
}


def push(ledger: OntologyLedger, block: Block) -> Iterator[Push]:
    """Yield what a block brings."""
    for index, (position, transaction, receipt) in enumerate(list_transactions(block)):
        yield Push(
            topic=EVENT,
            keys=contracts_of(transaction, receipt),
            transaction_hash=transaction.hash,
            encode=partial(_event, block, position, index),
        )
    for topic, form in _FORMS.items():
        yield Push(
            topic=topic,
            keys=None,
            transaction_hash=None,
            encode=partial(_block, ledger, block, topic, form),
        )


def _event(block: Block, position: int, index: int) -> bytes:
    return render_push(TOPICS[EVENT], encode.dump(encode.encode_event(block, position, index)))


def _block(ledger: OntologyLedger, block: Block, topic: str, form: Form) -> bytes:
    return render_push(TOPICS[topic], ledger.text(block, form))
