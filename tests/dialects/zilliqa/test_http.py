"""The table of the HTTP face, and what it tells of the network."""

from dataclasses import replace

import pytest

from tests.dialects.zilliqa.caller import Caller
from tests.dialects.zilliqa.ledgers import mixed_block
from tests.strategies import make_block, make_chain, make_transaction
from twisted_chainws import __version__
from twisted_chainws.chain.types import Timestamp
from twisted_chainws.dialects.zilliqa import DIALECT, errors
from twisted_chainws.dialects.zilliqa.http import FACE, METHODS, status

NAMES = [
    "CreateTransaction",
    "GetBalance",
    "GetBlockchainInfo",
    "GetContractAddressFromTransactionID",
    "GetCurrentMiniEpoch",
    "GetLatestTxBlock",
    "GetMinimumGasPrice",
    "GetNetworkId",
    "GetNumTxBlocks",
    "GetRecentTransactions",
    "GetSmartContractCode",
    "GetSmartContractInit",
    "GetTransaction",
    "GetTransactionsForTxBlock",
    "GetTransactionsForTxBlockEx",
    "GetTxBlock",
    "GetTxnBodiesForTxBlock",
    "GetTxnBodiesForTxBlockEx",
    "GetVersion",
    "TxBlockListing",
]


def test_the_table() -> None:
    """Just these methods are served, over HTTP only."""
    assert sorted(METHODS) == NAMES
    assert DIALECT.http is FACE
    assert not METHODS.keys() & DIALECT.methods.keys()


def test_constants() -> None:
    """The network is an isolated one."""
    caller = Caller(make_chain(1))
    assert caller.ask("GetNetworkId", "") == "222"
    assert caller.ask("GetMinimumGasPrice") == "2000000000"
    assert caller.ask("GetVersion") == {"Commit": "", "Version": f"chainws/v{__version__}"}


@pytest.mark.parametrize(
    ("fault", "expected"), [(errors.METHOD_MISSING, 400), (errors.WRONG_PARAMS, 200)]
)
def test_status(fault: object, expected: int) -> None:
    """Errors come with 200, but for a body that asks for nothing."""
    assert status(fault) == expected  # type: ignore[arg-type]


def test_info_of_a_young_chain() -> None:
    """With genesis alone there are no rates."""
    assert Caller(make_chain(1)).ask("GetBlockchainInfo") == {
        "CurrentDSEpoch": "1",
        "CurrentMiniEpoch": "1",
        "DSBlockRate": 0.0,
        "NumDSBlocks": "2",
        "NumPeers": 0,
        "NumTransactions": "0",
        "NumTxBlocks": "1",
        "NumTxnsDSEpoch": "0",
        "NumTxnsTxEpoch": "0",
        "ShardingStructure": {"NumPeers": [0]},
        "TransactionRate": 0.0,
        "TxBlockRate": 0.0,
    }


def test_info() -> None:
    """Transactions are counted by chain, DS epoch and block; a block takes a second here."""
    blocks = make_chain(1)
    for nonce in range(150):
        blocks.append(make_block(blocks[-1], [(make_transaction(nonce=nonce), ())]))
    blocks.append(mixed_block(blocks[-1]))
    info = Caller(blocks).ask("GetBlockchainInfo")
    assert info["NumTransactions"] == "152"
    assert info["NumTxnsDSEpoch"] == "53"
    assert info["NumTxnsTxEpoch"] == "2"
    assert (info["CurrentDSEpoch"], info["NumDSBlocks"]) == ("2", "3")
    assert info["TxBlockRate"] == 1.0
    assert info["DSBlockRate"] == 1 / 151
    assert info["TransactionRate"] == 1.1


def test_info_of_a_bounded_history() -> None:
    """An epoch whose beginning is no longer kept counts what is known of it."""
    blocks = make_chain(1)
    for nonce in range(90):
        blocks.append(make_block(blocks[-1], [(make_transaction(nonce=nonce), ())]))
    info = Caller(blocks, history=64).ask("GetBlockchainInfo")
    assert info["NumTransactions"] == info["NumTxnsDSEpoch"] == "90"


def test_rates_of_blocks_at_one_time() -> None:
    """Blocks of the same second have no rate."""
    blocks = make_chain(3)
    still = [replace(block, timestamp=Timestamp(5)) for block in blocks]
    assert Caller(still).ask("GetBlockchainInfo")["TxBlockRate"] == 0.0
