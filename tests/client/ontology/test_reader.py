from types import SimpleNamespace
from typing import Any

import pytest
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock

from tests.client.ontology.ledger import Ledger, did
from twisted_chainws.client.errors import RpcError
from twisted_chainws.client.heads import ByHash, ByNumber, Unreachable
from twisted_chainws.client.ontology.reader import Reader
from twisted_chainws.client.ontology.values import decode_block
from twisted_chainws.client.options import ClientOptions
from twisted_chainws.client.promise import promise


class Stand:
    """A reader of a ledger that answers at once.

    Attributes:
        ahead: a reorganisation that happens before events or bytes are asked for.
    """

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.ledger.mine(did(1), did(2))
        self.asked: list[str] = []
        self.error: RpcError | None = None
        self.ahead = lambda: None
        self.reader = Reader(self.call, clock=Clock(), options=ClientOptions())

    def call(self, action: str, **members: Any) -> Deferred[Any]:
        self.asked.append(action)
        if self.error is not None:
            return fail(self.error)
        if action == "getblockheight":
            return succeed(self.ledger.height)
        if action == "getblockbyhash":
            block = self.ledger.known.get(members["Hash"])
        else:
            chain = self.ledger.chain
            block = chain[members["Height"]] if members["Height"] < len(chain) else None
        if block is None:
            return fail(RpcError(44003, "UNKNOWN BLOCK", ""))
        if action == "getsmartcodeeventbyheight":
            return succeed(block.events or "")
        return succeed(block.raw if members.get("Raw") == "1" else block.json)

    def end(self, coroutine: Any) -> Any:
        """Return what a coroutine that needs no time ends with."""
        ends: list[Any] = []
        promise(coroutine).addBoth(lambda end: ends.append(getattr(end, "value", end)))
        (end,) = ends
        return end

    def contents(self, *, events: bool = False, raw: bool = False) -> Any:
        block = decode_block(self.ledger.chain[-1].json)
        self.ahead()
        audience: Any = SimpleNamespace(events=events, raw_blocks=raw)
        other: Any = SimpleNamespace(events=False, raw_blocks=False)
        return self.end(self.reader.contents(block, [other, audience]))


def test_blocks() -> None:
    """They are found by height, by hash, and as the head; None for what is not there."""
    stand = Stand()
    blocks = [decode_block(one.json) for one in stand.ledger.chain]
    assert stand.end(stand.reader.latest()) == blocks[-1]
    assert stand.end(stand.reader.answer(ByNumber((3, 2, 7)))) == [blocks[3], blocks[2], None]
    assert stand.end(stand.reader.answer(ByHash(blocks[4].hash, 4))) == [blocks[4]]
    assert stand.end(stand.reader.answer(ByHash("11" * 32, 4))) == [None]


def test_errors() -> None:
    """Other refusals than that of an unknown block are errors."""
    stand = Stand()
    stand.error = RpcError(45001, "INTERNAL ERROR", "")
    assert stand.end(stand.reader.answer(ByNumber((3,)))) is stand.error
    stand.error = RpcError(44003, "UNKNOWN BLOCK", "")
    assert stand.end(stand.reader.answer(ByNumber((3,)))) == [None]


def test_a_head_that_goes() -> None:
    """A head that is not there any more when it is asked for has to be asked for again."""
    stand = Stand()
    usual = stand.call

    def gone(action: str, **members: Any) -> Deferred[Any]:
        return succeed(99) if action == "getblockheight" else usual(action, **members)

    reader = Reader(gone, clock=Clock(), options=ClientOptions())
    assert isinstance(stand.end(reader.latest()), Unreachable)


def test_contents() -> None:
    """Nothing is fetched but what somebody wants."""
    stand = Stand()
    block = stand.ledger.chain[-1]
    assert stand.contents().events == ()
    assert stand.asked == []
    found = stand.contents(events=True)
    assert [one.tx_hash for one in found.events] == [one.hash for one in block.mined]
    assert {(one.block_number, one.block_hash) for one in found.events} == {(6, block.hash)}
    assert found.raw_block is None
    assert stand.contents(raw=True).raw_block.data.hex() == block.raw
    assert stand.asked == ["getsmartcodeeventbyheight", "getblockbyhash"]


def test_blocks_without_transactions() -> None:
    """There is nothing to ask for."""
    stand = Stand()
    stand.ledger.mine()
    assert stand.contents(events=True).events == ()
    assert stand.asked == []


@pytest.mark.parametrize("transactions", [[], [did(7), did(8)], [did(1)]])
def test_events_of_another_block(transactions: Any) -> None:
    """What another block at that height did is not taken for what this one did."""
    stand = Stand()
    stand.ahead = lambda: stand.ledger.reorganise(1, transactions)  # type: ignore[assignment]
    assert isinstance(stand.contents(events=True), Unreachable)


def test_bytes_of_another_block() -> None:
    """Bytes with another hash are not taken either."""
    stand = Stand()
    usual = stand.call

    def other(action: str, **members: Any) -> Deferred[Any]:
        return usual(action, **(members | {"Hash": stand.ledger.chain[0].hash}))

    stand.reader = Reader(other, clock=Clock(), options=ClientOptions())
    assert isinstance(stand.contents(raw=True), Unreachable)
