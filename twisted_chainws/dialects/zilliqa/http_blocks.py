"""Methods about blocks and transactions. Sans-I/O.

Source: ``zilliqa.md`` 5 (the node's ``LookupServer.cpp`` and ``IsolatedServer.cpp``).
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Final

import orjson

from twisted_chainws.chain.model import Block
from twisted_chainws.chain.types import Gas
from twisted_chainws.dialects.outcomes import Forward, Handler, Json, Refused, Scan
from twisted_chainws.dialects.view import View
from twisted_chainws.dialects.zilliqa import errors
from twisted_chainws.dialects.zilliqa.arguments import decode_hash, decode_number, takes
from twisted_chainws.dialects.zilliqa.encode import (
    TRANSACTIONS_PER_PAGE,
    encode_transaction,
    encode_tx_block,
    hashes_text,
    tx_block_text,
)
from twisted_chainws.dialects.zilliqa.listing import is_listed, list_transactions
from twisted_chainws.dialects.zilliqa.projection import ZilliqaLedger
from twisted_chainws.dialects.zilliqa.transaction import CHAIN_ID
from twisted_chainws.dialects.zilliqa.tx_block import ZERO_HASH, TxBlock, TxBlockHeader

RECENT_TRANSACTIONS: Final = 100
BLOCKS_PER_PAGE: Final = 10

_NO_NUMBER: Final = 2**64 - 1
_BODIES_PER_STEP: Final = 50
_BLOCKS_PER_STEP: Final = 1_000

NO_BLOCK: Final = encode_tx_block(
    TxBlock(
        header=TxBlockHeader(
            version=0,
            committee_hash=ZERO_HASH,
            previous_hash=ZERO_HASH,
            gas_limit=Gas(0),
            gas_used=Gas(0),
            fees_qa=0,
            number=_NO_NUMBER,
            state_root=ZERO_HASH,
            state_delta_hash=ZERO_HASH,
            micro_blocks_hash=ZERO_HASH,
            transaction_count=0,
            miner_public_key=bytes(33),
            ds_block_number=_NO_NUMBER,
        ),
        hash=ZERO_HASH,
        timestamp_us=0,
        micro_blocks=(),
        transaction_ids=(),
        signature=bytes(64),
    )
)
"""What nodes answer instead of a block that is not there yet: one whose numbers are all ones."""


@takes()
def get_latest_tx_block(view: View) -> Json:
    """Answer ``GetLatestTxBlock``."""
    return _tx_block(view, view.chain.head)


@takes(str)
def get_tx_block(view: View, number: str) -> Json:
    """Answer ``GetTxBlock``; above the head ``NO_BLOCK``."""
    block = view.chain.at(decode_number(number))
    return NO_BLOCK if block is None else _tx_block(view, block)


@takes()
def get_num_tx_blocks(view: View) -> Json:
    """Answer ``GetNumTxBlocks``, and ``GetCurrentMiniEpoch``: the block being worked on."""
    return str(view.chain.height + 1)


@takes(str)
def get_transactions(view: View, number: str) -> Json:
    """Answer ``GetTransactionsForTxBlock``: all ids."""
    block, _ = _with_transactions(view, number)
    ledger: ZilliqaLedger = view.ledger
    return orjson.Fragment(ledger.text(block, hashes_text))


@takes(str, str)
def get_transactions_page(view: View, number: str, page: str) -> Json:
    """Answer ``GetTransactionsForTxBlockEx``: a page of ids."""
    block, positions = _with_transactions(view, number)
    ids = [block.transactions[at].hash.hex() for at in _page(positions, page)]
    return _paged(positions, page, [ids])


@takes(str)
def get_bodies(view: View, number: str) -> Json:
    """Answer ``GetTxnBodiesForTxBlock``: all transactions, whole."""
    block, positions = _with_transactions(view, number)
    return _bodies(block, positions, lambda bodies: bodies)


@takes(str, str)
def get_bodies_page(view: View, number: str, page: str) -> Json:
    """Answer ``GetTxnBodiesForTxBlockEx``: a page of transactions, whole."""
    block, positions = _with_transactions(view, number)
    return _bodies(block, _page(positions, page), lambda bodies: _paged(positions, page, bodies))


@takes(str)
def get_transaction(view: View, text: str) -> Json:
    """Answer ``GetTransaction``; one that still waits is as unknown as any other."""
    transaction_hash = decode_hash(text)
    if transaction_hash is None:
        raise Refused(errors.HASH_SIZE)
    found = view.chain.find(transaction_hash)
    if found is None or not is_listed(found[0].transactions[found[1]]):
        raise Refused(errors.NO_SUCH_TRANSACTION)
    return encode_transaction(*found, chain_id=CHAIN_ID)


@takes(str)
def get_contract_address(view: View, text: str) -> Json:
    """Answer ``GetContractAddressFromTransactionID``; only EVM transactions create contracts."""
    transaction_hash = decode_hash(text)
    if transaction_hash is None:
        raise Refused(errors.ADDRESS_SIZE)
    found = view.chain.find(transaction_hash)
    if found is None or not is_listed(found[0].transactions[found[1]]):
        raise Refused(errors.NO_SUCH_CREATION)
    block, position = found
    created = block.receipts[position].contract_address
    if created is None:
        raise Refused(errors.NOT_A_CREATION)
    return created.hex()


@takes()
def get_recent_transactions(view: View) -> Json:
    """Answer ``GetRecentTransactions``: the ids of the newest ones, newest first."""

    def show(ids: list[str]) -> Json:
        return {"TxnHashes": ids, "number": len(ids)}

    return Forward(call=Scan(steps=_recent(view)), then=show)


@takes(int)
def list_blocks(view: View, page: int) -> Json:
    """Answer ``TxBlockListing``: numbers and hashes, newest first; pages count from 1.

    Raises:
        HistoryPruned: no block of the page is kept any more.
    """
    height, ledger = view.chain.height, view.ledger
    pages = height // BLOCKS_PER_PAGE + 1
    if not 1 <= page <= pages:
        raise Refused(errors.PAGES_OUT_OF_LIMIT)
    last = height - (page - 1) * BLOCKS_PER_PAGE
    oldest = view.chain.oldest.number
    first = max(last - BLOCKS_PER_PAGE + 1, min(oldest, last))
    data = [
        {"BlockNum": block.number, "Hash": ledger.block_hash(block).hex()}
        for block in reversed(list(view.chain.blocks(first, last)))
    ]
    return {"data": data, "maxPages": pages}


def _tx_block(view: View, block: Block) -> Json:
    ledger: ZilliqaLedger = view.ledger
    return orjson.Fragment(ledger.text(block, tx_block_text))


def _with_transactions(view: View, number: str) -> tuple[Block, Sequence[int]]:
    """Return a block and where in it the transactions stand that Zilliqa sees.

    Raises:
        Refused: there is no such block, or it has none.
    """
    block = view.chain.at(decode_number(number))
    if block is None:
        raise Refused(errors.NO_SUCH_BLOCK)
    positions = [position for position, _, _ in list_transactions(block)]
    if not positions:
        raise Refused(errors.NO_TRANSACTIONS)
    return block, positions


def _page(positions: Sequence[int], page: str) -> Sequence[int]:
    start = decode_number(page) * TRANSACTIONS_PER_PAGE
    found = positions[start : start + TRANSACTIONS_PER_PAGE]
    if not found:
        raise Refused(errors.NO_TRANSACTIONS)
    return found


def _paged(positions: Sequence[int], page: str, transactions: Json) -> Json:
    return {
        "CurrPage": decode_number(page),
        "NumPages": -(-len(positions) // TRANSACTIONS_PER_PAGE),
        "Transactions": transactions,
    }


def _bodies(block: Block, positions: Sequence[int], then: Callable[[Json], Json]) -> Forward:
    """Encode transactions step by step: keys of EVM senders are recovered for it."""

    def steps() -> Generator[None, None, list[Json]]:
        bodies: list[Json] = []
        for position in positions:
            bodies.append(encode_transaction(block, position, chain_id=CHAIN_ID))
            if len(bodies) % _BODIES_PER_STEP == 0:
                yield
        return bodies

    return Forward(call=Scan(steps=steps()), then=then)


def _recent(view: View) -> Generator[None, None, list[str]]:
    """Walk down from the head; the chain may change between two steps."""
    ids: list[str] = []
    for walked, number in enumerate(range(view.chain.height, view.chain.oldest.number - 1, -1)):
        if walked % _BLOCKS_PER_STEP == _BLOCKS_PER_STEP - 1:
            yield
        block = view.chain.at(number) if number >= view.chain.oldest.number else None
        if block is None:
            continue
        listed = [transaction.hash.hex() for _, transaction, _ in list_transactions(block)]
        ids += reversed(listed)
        if len(ids) >= RECENT_TRANSACTIONS:
            break
    return ids[:RECENT_TRANSACTIONS]


BLOCKS: Final[Mapping[str, Handler]] = {
    "GetContractAddressFromTransactionID": get_contract_address,
    "GetCurrentMiniEpoch": get_num_tx_blocks,
    "GetLatestTxBlock": get_latest_tx_block,
    "GetNumTxBlocks": get_num_tx_blocks,
    "GetRecentTransactions": get_recent_transactions,
    "GetTransaction": get_transaction,
    "GetTransactionsForTxBlock": get_transactions,
    "GetTransactionsForTxBlockEx": get_transactions_page,
    "GetTxBlock": get_tx_block,
    "GetTxnBodiesForTxBlock": get_bodies,
    "GetTxnBodiesForTxBlockEx": get_bodies_page,
    "TxBlockListing": list_blocks,
}
"""Methods about blocks and transactions."""
