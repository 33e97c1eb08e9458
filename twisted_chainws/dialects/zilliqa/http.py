"""JSON-RPC over plain HTTP: methods about the network, the whole table, the face. Sans-I/O.

There are no peers, no shards but one and no directory service; what is said of them says so.

Source: ``zilliqa.md`` 5 (the node's ``LookupServer.cpp``).
"""

from collections.abc import Mapping
from typing import Final

from twisted_chainws.chain.model import Block
from twisted_chainws.dialects.base import HttpFace
from twisted_chainws.dialects.outcomes import Fault, Handler, Json
from twisted_chainws.dialects.view import SERVER, View
from twisted_chainws.dialects.zilliqa.arguments import takes
from twisted_chainws.dialects.zilliqa.errors import METHOD_MISSING
from twisted_chainws.dialects.zilliqa.http_accounts import ACCOUNTS
from twisted_chainws.dialects.zilliqa.http_blocks import BLOCKS
from twisted_chainws.dialects.zilliqa.http_envelope import ENVELOPE
from twisted_chainws.dialects.zilliqa.projection import BLOCKS_PER_DS_EPOCH, ZilliqaLedger
from twisted_chainws.dialects.zilliqa.transaction import CHAIN_ID, MINIMUM_GAS_PRICE_QA

CONTENT_TYPES: Final = frozenset(
    {"application/json", "application/json-rpc", "application/jsonrequest"}
)

RATE_BLOCKS: Final = 10
"""Over how many of the newest blocks the rate of transactions is measured."""

_BAD_REQUEST: Final = 400
_OK: Final = 200


@takes()
def get_network_id(_view: View) -> Json:
    """Answer ``GetNetworkId``."""
    return str(CHAIN_ID)


@takes()
def get_minimum_gas_price(_view: View) -> Json:
    """Answer ``GetMinimumGasPrice``, Qa."""
    return str(MINIMUM_GAS_PRICE_QA)


@takes()
def get_version(_view: View) -> Json:
    """Answer ``GetVersion``: of this server, which is built from no commit of the node."""
    return {"Commit": "", "Version": SERVER}


@takes()
def get_blockchain_info(view: View) -> Json:
    """Answer ``GetBlockchainInfo``; rates are per second, over the blocks that are kept."""
    head, oldest = view.chain.head, view.chain.oldest
    ds_epoch = _ds_epoch(head.number)
    return {
        "CurrentDSEpoch": str(ds_epoch),
        "CurrentMiniEpoch": str(head.number + 1),
        "DSBlockRate": _rate(ds_epoch - _ds_epoch(oldest.number), oldest, head),
        "NumDSBlocks": str(ds_epoch + 1),
        "NumPeers": 0,
        "NumTransactions": str(_transactions(view, None, head)),
        "NumTxBlocks": str(head.number + 1),
        "NumTxnsDSEpoch": str(_transactions(view, (ds_epoch - 1) * BLOCKS_PER_DS_EPOCH, head)),
        "NumTxnsTxEpoch": str(_transactions(view, head.number, head)),
        "ShardingStructure": {"NumPeers": [0]},
        "TransactionRate": _transaction_rate(view),
        "TxBlockRate": _rate(head.number - oldest.number, oldest, head),
    }


def _ds_epoch(number: int) -> int:
    return 1 + number // BLOCKS_PER_DS_EPOCH


def _transactions(view: View, first: int | None, last: Block) -> int:
    """Count the transactions from a height on; None, and heights no longer kept, mean all."""
    ledger: ZilliqaLedger = view.ledger
    total = ledger.transactions_up_to(last)
    if first is None or first <= view.chain.oldest.number:
        return total
    before = view.chain.at(first - 1)
    return total - (ledger.transactions_up_to(before) if before else 0)


def _transaction_rate(view: View) -> float:
    head = view.chain.head
    first = view.chain.at(max(head.number - RATE_BLOCKS, view.chain.oldest.number))
    return _rate(_transactions(view, first.number + 1, head), first, head) if first else 0.0


def _rate(count: int, first: Block, last: Block) -> float:
    seconds = last.timestamp - first.timestamp
    return count / seconds if seconds > 0 else 0.0


def status(fault: Fault) -> int:
    """Answer errors with 200, except for a body that asks for nothing."""
    return _BAD_REQUEST if fault == METHOD_MISSING else _OK


METHODS: Final[Mapping[str, Handler]] = {
    **ACCOUNTS,
    **BLOCKS,
    "GetBlockchainInfo": get_blockchain_info,
    "GetMinimumGasPrice": get_minimum_gas_price,
    "GetNetworkId": get_network_id,
    "GetVersion": get_version,
}

FACE: Final = HttpFace(
    methods=METHODS, content_types=CONTENT_TYPES, status=status, envelope=ENVELOPE
)
