"""Methods about blocks and transactions."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from tests.dialects.zilliqa.caller import Caller
from tests.dialects.zilliqa.ledgers import ledger_of, mixed_block, payment
from tests.strategies import ADDRESSES, make_block, make_chain, make_native, make_transaction
from twisted_chainws.chain.model import Block, Kind
from twisted_chainws.dialects.zilliqa.encode import encode_transaction, encode_tx_block
from twisted_chainws.dialects.zilliqa.http_blocks import BLOCKS


def chain() -> list[Block]:
    """Make three blocks, of which the last holds an EVM, an Ontology and a native transaction."""
    blocks = make_chain(2)
    return [*blocks, mixed_block(blocks[-1])]


def crowd(count: int) -> list[Block]:
    """Make a block of so many EVM transactions on genesis."""
    (genesis,) = make_chain(1)
    contents = [(make_transaction(nonce=at), ()) for at in range(count)]
    return [genesis, make_block(genesis, contents)]


def test_blocks() -> None:
    """A block is shown as in notifications, by number or as the newest."""
    blocks = chain()
    caller, ledger = Caller(blocks), ledger_of(blocks)
    shown = [encode_tx_block(ledger.tx_block(block)) for block in blocks]
    assert [caller.ask("GetTxBlock", str(number)) for number in range(3)] == shown
    assert caller.ask("GetLatestTxBlock", "") == shown[-1]
    assert shown[-1]["header"]["NumTxns"] == 2
    assert caller.ask("GetNumTxBlocks") == caller.ask("GetCurrentMiniEpoch") == "3"


def test_a_block_that_is_not_there_yet() -> None:
    """Nodes answer one whose numbers say that there is none."""
    header = Caller(chain()).ask("GetTxBlock", "3")["header"]
    assert header["BlockNum"] == header["DSBlockNum"] == "18446744073709551615"
    assert header["NumTxns"] == 0


def test_ids() -> None:
    """Ids stand in one array per shard; other families are left out."""
    blocks = chain()
    evm, _, native = (item.hash.hex() for item in blocks[-1].transactions)
    caller = Caller(blocks)
    assert caller.ask("GetTransactionsForTxBlock", "2") == [[evm, native]]
    assert caller.ask("GetTransactionsForTxBlockEx", "2", "0") == {
        "CurrPage": 0,
        "NumPages": 1,
        "Transactions": [[evm, native]],
    }


@pytest.mark.parametrize(
    "method",
    [
        "GetTransactionsForTxBlock",
        "GetTransactionsForTxBlockEx",
        "GetTxnBodiesForTxBlock",
        "GetTxnBodiesForTxBlockEx",
    ],
)
def test_blocks_without_transactions(method: str) -> None:
    """A block without any, one that is not there and a page behind the last are refused."""
    more = ["0"] if method.endswith("Ex") else []
    (genesis,) = make_chain(1)
    caller = Caller([genesis, make_block(genesis, [(make_native(Kind.ONTOLOGY), [])])])
    for number in "01":
        assert caller.refused(method, number, *more) == (-1, "TxBlock has no transactions")
    assert caller.refused(method, "2", *more) == (-32602, "Tx Block does not exist")
    assert caller.refused(method, "x", *more) == (-32602, "Invalid argument")
    if more:
        last = Caller(chain()).refused(method, "2", "1")
        assert last == (-1, "TxBlock has no transactions")
        assert Caller(chain()).refused(method, "2", "y") == (-32602, "Invalid argument")


def test_pages() -> None:
    """A page holds 2,500 transactions."""
    blocks = crowd(2_501)
    caller = Caller(blocks)
    first = caller.ask("GetTransactionsForTxBlockEx", "1", "0")
    second = caller.ask("GetTransactionsForTxBlockEx", "1", "1")
    assert (first["NumPages"], second["CurrPage"]) == (2, 1)
    assert [len(page["Transactions"][0]) for page in (first, second)] == [2_500, 1]
    assert second["Transactions"] == [[blocks[1].transactions[-1].hash.hex()]]
    bodies = caller.ask("GetTxnBodiesForTxBlockEx", "1", "1")
    assert bodies["Transactions"] == [encode_transaction(blocks[1], 2_500, chain_id=222)]
    assert (bodies["CurrPage"], bodies["NumPages"]) == (1, 2)


def test_bodies() -> None:
    """Bodies are what ``GetTransaction`` answers, in the order of the block."""
    caller, blocks = Caller(chain()), chain()
    bodies = caller.ask("GetTxnBodiesForTxBlock", "2")
    assert bodies == [caller.ask("GetTransaction", body["ID"]) for body in bodies]
    assert bodies == [encode_transaction(blocks[2], at, chain_id=222) for at in (0, 2)]
    assert caller.turns == 0


def test_many_bodies_let_others_in_between() -> None:
    """A large block is encoded step by step."""
    caller = Caller(crowd(120))
    assert len(caller.ask("GetTxnBodiesForTxBlock", "1")) == 120
    assert caller.turns == 2


@pytest.mark.parametrize("method", ["GetTransaction", "GetContractAddressFromTransactionID"])
def test_unknown_transactions(method: str) -> None:
    """What is not there, or of another family, is not present."""
    blocks = chain()
    code = -20 if method == "GetTransaction" else -5
    for text in ("00" * 32, "zz" * 32, blocks[2].transactions[1].hash.hex()):
        assert Caller(blocks).refused(method, text) == (code, "Txn Hash not Present")


def test_ids_of_another_size() -> None:
    """An id that is too short has a word of its own."""
    caller = Caller(chain())
    assert caller.refused("GetTransaction", "ab") == (-32602, "Size not appropriate")
    short = caller.refused("GetContractAddressFromTransactionID", "0xab")
    assert short == (-8, "Address size not appropriate")


def test_contract_addresses() -> None:
    """The address is the one that the receipt names; payments create nothing."""
    (genesis,) = make_chain(1)
    block = make_block(genesis, [(make_transaction(), ()), (payment(), ())])
    created = replace(block.receipts[0], contract_address=ADDRESSES[1])
    block = replace(block, receipts=(created, block.receipts[1]))
    caller = Caller([genesis, block])
    method = "GetContractAddressFromTransactionID"
    creation, paid = ("0x" + item.hash.hex() for item in block.transactions)
    assert caller.ask(method, creation) == ADDRESSES[1].hex()
    assert caller.refused(method, paid) == (-5, "ID is not a contract txn")


def test_recent_transactions() -> None:
    """The newest hundred, newest first."""
    blocks = chain()
    evm, _, native = (item.hash.hex() for item in blocks[-1].transactions)
    answer = {"TxnHashes": [native, evm], "number": 2}
    assert Caller(blocks).ask("GetRecentTransactions") == answer
    many = crowd(130)
    ids = [item.hash.hex() for item in many[1].transactions]
    found = Caller(many).ask("GetRecentTransactions")
    assert found == {"TxnHashes": ids[:29:-1], "number": 100}


def test_recent_transactions_of_a_long_chain() -> None:
    """A chain of empty blocks is walked step by step."""
    caller = Caller(make_chain(2_500))
    assert caller.ask("GetRecentTransactions") == {"TxnHashes": [], "number": 0}
    assert caller.turns == 2


def test_a_chain_that_shrinks_while_it_is_walked() -> None:
    """Blocks that left between two steps are passed over."""
    blocks = make_chain(1_005)
    caller = Caller(blocks)
    walk = _walk(caller)
    next(walk)
    caller.chain.reorganise(blocks[2].hash, [])
    with pytest.raises(StopIteration) as end:
        next(walk)
    assert end.value.value == []


def _walk(caller: Caller) -> Any:
    forward = BLOCKS["GetRecentTransactions"](caller.view, [])
    return forward.call.steps


def _numbers(listing: Any) -> Sequence[int]:
    return [entry["BlockNum"] for entry in listing["data"]]


def test_listing() -> None:
    """Ten blocks on a page, newest first, with their hashes; pages count from 1."""
    blocks = make_chain(25)
    caller, ledger = Caller(blocks), ledger_of(blocks)
    pages = [caller.ask("TxBlockListing", page) for page in (1, 2, 3)]
    assert [page["maxPages"] for page in pages] == [3, 3, 3]
    assert [number for page in pages for number in _numbers(page)] == list(range(24, -1, -1))
    assert pages[0]["data"][0]["Hash"] == ledger.block_hash(blocks[24]).hex()
    for page in (0, 4, -1):
        assert caller.refused("TxBlockListing", page) == (-8, "Pages out of limit")
    assert caller.refused("TxBlockListing", "1")[0] == -32602


def test_listing_of_a_bounded_history() -> None:
    """A page shows what is kept of it; one of which nothing is kept is refused."""
    caller = Caller(make_chain(40), history=25)
    assert _numbers(caller.ask("TxBlockListing", 3)) == list(range(19, 13, -1))
    assert caller.refused("TxBlockListing", 4) == (-20, "blocks below 14 are no longer kept")
    assert caller.refused("GetTxBlock", "2")[0] == -20
