from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock

from tests.client.ethereum.ledger import Ledger
from tests.client.test_promise import ends
from twisted_chainws.client.errors import BadAnswer, RpcError
from twisted_chainws.client.ethereum.reader import Reader
from twisted_chainws.client.options import ClientOptions
from twisted_chainws.client.promise import promise


class Stand:
    """A reader of a ledger on a virtual clock."""

    def __init__(self, **more: Any) -> None:
        self.clock = Clock()
        self.ledger = Ledger(10)
        self.asked: list[tuple[Any, ...]] = []
        self.answers: dict[str, Callable[..., Any]] = {
            "eth_blockNumber": lambda: hex(self.ledger.height),
            "eth_getLogs": lambda criteria: self.ledger.logs_of(
                int(criteria["fromBlock"], 16), int(criteria["toBlock"], 16)
            ),
        }
        self.reader = Reader(self._call, clock=self.clock, options=ClientOptions(**more))

    def _call(self, method: str, *params: Any) -> Deferred[Any]:
        self.asked.append((method, *params))
        try:
            return succeed(self.answers[method](*params))
        except RpcError as error:
            return fail(error)

    def logs(self, options: Any, first: int, last: int) -> list[Any]:
        return ends(promise(self.reader.logs(options, first, last)))


def test_logs_go_by_the_options_and_the_range() -> None:
    """Addresses and topics go along; the options' own bounds hold as well; tags mean nothing."""
    stand = Stand()
    criteria = {"address": "0x01", "fromBlock": "0x4", "toBlock": "latest", "cursor": True}
    (found,) = stand.logs(criteria, 2, 6)
    assert [log.block_number for log in found] == [4, 5, 6]
    assert stand.asked == [
        ("eth_getLogs", {"address": "0x01", "fromBlock": "0x4", "toBlock": "0x6"})
    ]
    assert criteria["cursor"] is True
    assert stand.logs({"toBlock": "0x1"}, 2, 6) == [[]]
    assert stand.logs(None, 7, 6) == [[]]
    assert len(stand.asked) == 1


def test_logs_in_pieces() -> None:
    """No more blocks are asked for at a time than the options allow; logs are in order."""
    stand = Stand(log_range_blocks=4)
    plain = stand.answers["eth_getLogs"]
    stand.answers["eth_getLogs"] = lambda criteria: plain(criteria)[::-1]
    (found,) = stand.logs({}, 1, 10)
    assert [log.block_number for log in found] == list(range(1, 11))
    assert [int(each[1]["fromBlock"], 16) for each in stand.asked] == [1, 5, 9]


def test_logs_that_are_none() -> None:
    """An answer that is no array is a BadAnswer, another error is itself."""
    stand = Stand()
    stand.answers["eth_getLogs"] = lambda _: None
    assert stand.logs(None, 1, 2) == [BadAnswer]

    def refuse(_: Any) -> None:
        raise RpcError(-32601, "no")

    stand.answers["eth_getLogs"] = refuse
    assert stand.logs(None, 1, 2) == [RpcError]


def test_settled_height() -> None:
    """A server that is far behind is waited for a minute, one that is near for some seconds."""
    for height, waits in ((10, 0), (8, 5), (0, 60)):
        stand = Stand()
        stand.answers["eth_blockNumber"] = lambda height=height: hex(height)
        found = ends(promise(stand.reader.settled_height(10 if height else 11)))
        while not found:
            stand.clock.advance(0.5)
        assert waits <= stand.clock.seconds() <= waits + 1
        assert found == [height]


def test_settled_height_of_one_that_catches_up() -> None:
    """As soon as it has caught up the waiting ends."""
    stand = Stand()
    heights = iter([1, 5, 30, 31])
    stand.answers["eth_blockNumber"] = lambda: hex(next(heights))
    found = ends(promise(stand.reader.settled_height(30)))
    for _ in range(5):
        stand.clock.advance(1)
    assert found == [30]
