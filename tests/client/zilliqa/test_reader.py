from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock

from tests.client.test_promise import ends
from tests.client.zilliqa.ledger import BOB, Ledger, call, event, payment
from twisted_chainws.client.errors import BadAnswer, RpcError
from twisted_chainws.client.heads import ByHash, ByNumber, Unreachable
from twisted_chainws.client.options import ClientOptions
from twisted_chainws.client.promise import promise
from twisted_chainws.client.zilliqa.reader import Reader
from twisted_chainws.client.zilliqa.values import decode_block


def refusing(code: int, message: str) -> Callable[..., Any]:
    """Return an answer that is an error."""

    def answer(*_: Any) -> Any:
        raise RpcError(code, message)

    return answer


class Stand:
    """A reader of a ledger that answers at once."""

    def __init__(self, height: int = 5) -> None:
        self.ledger = Ledger(height)
        self.asked: list[tuple[Any, ...]] = []
        self.answers: dict[str, Callable[..., Any]] = {
            "GetLatestTxBlock": lambda: self.ledger.chain[-1],
            "GetTxBlock": lambda number: self.ledger.chain[int(number)],
            "GetTransactionsForTxBlock": lambda n: self.ledger.hashes(self.ledger.chain[int(n)]),
            "GetTxnBodiesForTxBlock": lambda n: self.ledger.of(self.ledger.chain[int(n)]),
        }
        rpc: Any = self
        self.reader = Reader(rpc, clock=Clock(), options=ClientOptions())

    def call(self, method: str, *params: Any) -> Deferred[Any]:
        self.asked.append((method, *params))
        try:
            return succeed(self.answers.get(method, refusing(-32601, "no"))(*params))
        except RpcError as error:
            return fail(error)

    def contents(self, *, bodies: bool = True) -> Any:
        block = decode_block(self.ledger.chain[-1])
        audience: Any = SimpleNamespace(kind="TxnLog" if bodies else "NewBlock")
        (found,) = ends(promise(self.reader.contents(block, [audience])))
        return found

    def methods(self) -> Iterator[str]:
        return (method for method, *_ in self.asked)


@pytest.mark.parametrize(
    "answer",
    [
        lambda _: None,
        lambda _: {"header": {"BlockNum": str(2**64 - 1)}},
        refusing(-32603, "Block not finalized"),
    ],
)
def test_blocks_that_are_not_there(answer: Any) -> None:
    """Each generation of nodes says so in another way."""
    stand = Stand()
    stand.answers["GetTxBlock"] = answer
    assert ends(promise(stand.reader.answer(ByNumber((5, 6))))) == [[None, None]]
    assert stand.asked == [("GetTxBlock", "5"), ("GetTxBlock", "6")]


def test_blocks_by_hash() -> None:
    """The block of that height, if it is the one."""
    stand = Stand()
    block = decode_block(stand.ledger.chain[3])
    assert ends(promise(stand.reader.answer(ByHash(block.hash, 3)))) == [[block]]
    assert ends(promise(stand.reader.answer(ByHash(block.hash, 4)))) == [[None]]


def test_other_errors_are_told() -> None:
    """What may be over soon is an error, to be tried again."""
    stand = Stand()
    stand.answers["GetTxBlock"] = refusing(-32603, "busy")
    assert ends(promise(stand.reader.answer(ByNumber((5,))))) == [RpcError]


def test_nobody_to_ask() -> None:
    """Without HTTP nothing is to be had, at once."""
    reader = Reader(None, clock=Clock(), options=ClientOptions())
    assert not reader.can_fetch
    assert ends(promise(reader.answer(ByNumber((1, 2))))) == [[None, None]]
    assert ends(promise(reader.tries(reader.latest))) == [Unreachable]


def test_empty_blocks_are_not_asked_about() -> None:
    """A block without transactions has no hashes and no bodies."""
    stand = Stand()
    assert stand.contents().block.tx_hashes == ()
    assert stand.asked == []


def test_hashes_only() -> None:
    """Bodies are fetched only for those who want them."""
    stand = Stand()
    stand.ledger.mine(payment("a", BOB))
    assert len(stand.contents(bodies=False).block.transactions) == 1
    assert stand.asked == [("GetTransactionsForTxBlock", "6")]


def test_bodies() -> None:
    """Events and transfers come with the hashes."""
    stand = Stand()
    stand.ledger.mine(call("a", event("x")), payment("b", BOB))
    found = stand.contents()
    assert [one.name for one in found.events] == ["x"]
    assert tuple(one.id for one in found.transfers) == found.block.transactions


@pytest.mark.parametrize("code", [-32600, -32601])
def test_bodies_one_by_one(code: int) -> None:
    """Where a node does not offer bodies by block, it is asked for each transaction."""
    stand = Stand()
    transactions = [payment(f"{number}", BOB) for number in range(25)]
    stand.ledger.mine(*transactions)
    stand.answers["GetTxnBodiesForTxBlock"] = refusing(code, "not enabled")
    stand.answers["GetTransaction"] = lambda name: next(t for t in transactions if t["ID"] == name)
    assert tuple(one.id for one in stand.contents().transfers) == tuple(
        one["ID"] for one in transactions
    )


@pytest.mark.parametrize("code", [-1, -32603])
def test_no_transactions_after_all(code: int) -> None:
    """A node that says there are none contradicts the block: it is not believed."""
    stand = Stand()
    stand.ledger.mine(payment("a", BOB))
    stand.answers["GetTransactionsForTxBlock"] = refusing(code, "TxBlock has no transactions")
    assert stand.contents() is Unreachable


@pytest.mark.parametrize("flat", [True, False])
def test_pages(flat: bool) -> None:
    """Long lists come in pages; shards keep their places, or there is one shard in a flat list."""
    stand = Stand()
    transactions = [payment(f"{number}", BOB) for number in range(5002)]
    stand.ledger.mine(*transactions)
    names = [one["ID"] for one in transactions]

    def cut(page: str) -> slice:
        return slice(2500 * int(page), 2500 * int(page) + 2500)

    def hashes(_number: str, page: str) -> Any:
        part = names[cut(page)]
        return {"Transactions": part if flat else [part[::2], part[1::2]]}

    stand.answers["GetTransactionsForTxBlockEx"] = hashes
    stand.answers["GetTxnBodiesForTxBlockEx"] = lambda _, page: {
        "Transactions": transactions[cut(page)]
    }
    found = stand.contents()
    assert [len(shard) for shard in found.block.tx_hashes] == ([5002] if flat else [2501, 2501])
    assert [one.id for one in found.transfers] == names
    assert list(stand.methods()) == [
        *["GetTransactionsForTxBlockEx"] * 3,
        *["GetTxnBodiesForTxBlockEx"] * 3,
    ]


def test_a_page_too_many() -> None:
    """Where a node counts one page too many, the last one is empty."""
    stand = Stand()
    stand.ledger.mine(*[payment(f"{number}", BOB) for number in range(2500)])
    stand.ledger.chain[-1]["header"]["NumPages"] = 2
    names = stand.ledger.hashes(stand.ledger.chain[-1])[0]
    stand.answers["GetTransactionsForTxBlockEx"] = lambda _, page: {
        "Transactions": [] if int(page) else names
    }
    assert stand.contents(bodies=False).block.tx_hashes == (tuple(names),)


def test_nodes_without_pages() -> None:
    """Where pages are not offered, everything is asked for at once."""
    stand = Stand()
    stand.ledger.mine(*[payment(f"{number}", BOB) for number in range(2501)])
    del stand.ledger.chain[-1]["header"]["NumPages"]
    assert len(stand.contents().transfers) == 2501
    assert list(stand.methods()) == [
        *("GetTransactionsForTxBlockEx", "GetTransactionsForTxBlock"),
        *("GetTxnBodiesForTxBlockEx", "GetTxnBodiesForTxBlock"),
    ]


def test_what_does_not_belong_together() -> None:
    """Hashes or bodies of another block are not taken for those of this one."""
    stand = Stand()
    stand.ledger.mine(payment("a", BOB))
    stand.answers["GetTxnBodiesForTxBlock"] = lambda _: [payment("b", BOB)]
    assert stand.contents() is Unreachable
    stand.answers["GetTransactionsForTxBlock"] = lambda _: [[], []]
    assert stand.contents() is Unreachable


@pytest.mark.parametrize("method", ["GetTransactionsForTxBlock", "GetTxnBodiesForTxBlock"])
def test_answers_that_are_none(method: str) -> None:
    """What is no list is a BadAnswer; what may be over soon, an error."""
    stand = Stand()
    stand.ledger.mine(payment("a", BOB))
    stand.answers[method] = lambda _: {"x": 1}
    assert stand.contents() is BadAnswer
    stand.answers[method] = refusing(-20, "Failed to get Microblock")
    assert stand.contents() is RpcError
    stand.ledger.chain[-1]["header"]["NumPages"] = 2
    stand.answers[f"{method}Ex"] = lambda *_: {"Transactions": None}
    assert stand.contents() is BadAnswer
    stand.answers[f"{method}Ex"] = refusing(-20, "Failed to get Microblock")
    assert stand.contents() is RpcError
