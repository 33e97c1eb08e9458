"""Actions about blocks, transactions and what they did. Sans-I/O.

Source: ``ontology.md`` 4.4 to 4.9, 4.14 to 4.17 and 4.19; the node's
``http/base/rest/interfaces.go`` and ``http/base/common/common.go``, 26b5ad4f.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson

from twisted_chainws.chain.model import Block
from twisted_chainws.chain.types import Hash32
from twisted_chainws.dialects.ontology import encode, shapes
from twisted_chainws.dialects.ontology.address import encode_reversed
from twisted_chainws.dialects.ontology.decode import (
    Message,
    decode_hash,
    decode_height,
    invalid,
    wants_raw,
)
from twisted_chainws.dialects.ontology.errors import (
    INTERNAL_ERROR,
    UNKNOWN_BLOCK,
    UNKNOWN_TRANSACTION,
    fault,
)
from twisted_chainws.dialects.ontology.listing import (
    gas_price_of,
    is_listed,
    list_transactions,
    raw_transaction,
)
from twisted_chainws.dialects.ontology.projection import Form, OntologyLedger
from twisted_chainws.dialects.ontology.transaction import MINIMUM_GAS_PRICE
from twisted_chainws.dialects.outcomes import Fault, Json, Refused
from twisted_chainws.dialects.view import View
from twisted_chainws.errors import HistoryPruned

SEARCHED_BLOCKS: Final = 100
"""How far below the newest block ``getgasprice`` looks for a transaction."""

NOTHING: Final = ""
"""The result of a question that nothing answers, where that is no error."""

NO_SUCH_HASH: Final = Fault(code=UNKNOWN_BLOCK, message=fault(UNKNOWN_BLOCK).message, data=None)


def get_block_height(view: View, _message: Message) -> int:
    """Answer ``getblockheight``."""
    return view.chain.height


def get_block_hash(view: View, message: Message) -> str:
    """Answer ``getblockhash``."""
    ledger: OntologyLedger = view.ledger
    return encode_reversed(ledger.block_hash(_at(view, message, fault(UNKNOWN_BLOCK))))


def get_block_by_height(view: View, message: Message) -> Json:
    """Answer ``getblockbyheight``."""
    return _show(view, _at(view, message, fault(UNKNOWN_BLOCK)), message)


def get_block_by_hash(view: View, message: Message) -> Json:
    """Answer ``getblockbyhash``; a block that was undone is no longer known by it."""
    ledger: OntologyLedger = view.ledger
    found = ledger.find(decode_hash(message))
    block = None if found is None else view.chain.block(found)
    if block is None:
        raise Refused(NO_SUCH_HASH)
    return _show(view, block, message)


def get_block_hashes(view: View, message: Message) -> Json:
    """Answer ``getblocktxsbyheight``; a height that is not reached is a wrong parameter."""
    return _text(view, _at(view, message, invalid().fault), encode.hashes_text)


def get_events_of_block(view: View, message: Message) -> Json:
    """Answer ``getsmartcodeeventbyheight``; nothing where nothing happened or nothing is known."""
    try:
        block = view.chain.at(decode_height(message))
    except HistoryPruned:
        return NOTHING
    return NOTHING if block is None else _text(view, block, encode.events_text)


def get_transaction(view: View, message: Message) -> Json:
    """Answer ``gettransaction``; one that waits is as unknown as any other."""
    block, position = _find(view, decode_hash(message), fault(UNKNOWN_TRANSACTION))
    if wants_raw(message):
        return raw_transaction(block.transactions[position]).hex()
    return encode.encode_transaction(block, position)


def get_height_of_transaction(view: View, message: Message) -> int:
    """Answer ``getblockheightbytxhash``."""
    block, _ = _find(view, decode_hash(message), fault(INTERNAL_ERROR))
    return block.number


def get_events_of_transaction(view: View, message: Message) -> shapes.Event | str:
    """Answer ``getsmartcodeeventbyhash``; nothing for a transaction that nobody knows."""
    found = view.chain.find(decode_hash(message))
    if found is None or not is_listed(found[0].transactions[found[1]]):
        return NOTHING
    return encode.encode_event(*found)


def get_merkle_proof(view: View, message: Message) -> shapes.MerkleProof:
    """Answer ``getmerkleproof``: of the block that holds a transaction."""
    block, _ = _find(view, decode_hash(message), invalid().fault)
    ledger: OntologyLedger = view.ledger
    return encode.encode_proof(ledger.proof(block))


def get_gas_price(view: View, _message: Message) -> shapes.GasPrice:
    """Answer ``getgasprice``: the average of the newest block that holds a transaction."""
    chain = view.chain
    lowest = max(chain.height - SEARCHED_BLOCKS, chain.oldest.number)
    for block in reversed(list(chain.blocks(lowest, chain.height))):
        prices = [gas_price_of(receipt) for _, _, receipt in list_transactions(block)]
        if prices:
            average = sum(prices) // len(prices)
            return {"gasprice": average or MINIMUM_GAS_PRICE, "height": block.number}
    return {"gasprice": MINIMUM_GAS_PRICE, "height": 0}


def _at(view: View, message: Message, unknown: Fault) -> Block:
    block = view.chain.at(decode_height(message))
    if block is None:
        raise Refused(unknown)
    return block


def _find(view: View, transaction_hash: Hash32, unknown: Fault) -> tuple[Block, int]:
    """Find a transaction in the chain, none of the Zilliqa family."""
    found = view.chain.find(transaction_hash)
    if found is None or not is_listed(found[0].transactions[found[1]]):
        raise Refused(unknown)
    return found


def _show(view: View, block: Block, message: Message) -> Json:
    return _text(
        view, block, encode.raw_block_text if wants_raw(message) else encode.json_block_text
    )


def _text(view: View, block: Block, form: Form) -> Json:
    ledger: OntologyLedger = view.ledger
    return orjson.Fragment(ledger.text(block, form))


BLOCKS: Final[Mapping[str, Callable[[View, Any], Json]]] = {
    "getblockbyhash": get_block_by_hash,
    "getblockbyheight": get_block_by_height,
    "getblockhash": get_block_hash,
    "getblockheight": get_block_height,
    "getblockheightbytxhash": get_height_of_transaction,
    "getblocktxsbyheight": get_block_hashes,
    "getgasprice": get_gas_price,
    "getmerkleproof": get_merkle_proof,
    "getsmartcodeeventbyhash": get_events_of_transaction,
    "getsmartcodeeventbyheight": get_events_of_block,
    "gettransaction": get_transaction,
}
"""Actions about blocks and transactions."""
