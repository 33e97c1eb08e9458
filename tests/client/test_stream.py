from typing import Any

from twisted.internet.defer import Deferred

from tests.client.test_promise import ends
from twisted_chainws.client.stream import OrderedStream


class Numbers(OrderedStream[int]):
    """Negative numbers have to be looked into."""

    def __init__(self, queue_size: int = 10) -> None:
        super().__init__(queue_size=queue_size, overflow=lambda: self.told.append("overflow"))
        self.told: list[Any] = []
        self.looks: list[Deferred[None]] = []

    def look(self) -> Deferred[None]:
        return self._start(self._look(0))

    def _process(self, raw: int) -> None:
        if raw < 0:
            self._start(self._look(raw))
        else:
            self.told.append(raw)

    async def _look(self, number: int) -> None:
        self.looks.append(Deferred())
        await self.looks[-1]
        self.told.append(number)


def test_what_comes_waits() -> None:
    """What comes while something is looked into is told after it, in order."""
    stream = Numbers()
    for number in (1, -2, 3, -4, 5):
        stream.take(number)
    assert (stream.told, stream.waiting) == ([1], 3)
    stream.looks[0].callback(None)
    assert (stream.told, stream.waiting) == ([1, -2, 3], 1)
    stream.looks[1].callback(None)
    assert stream.told == [1, -2, 3, -4, 5]


def test_too_much_waits() -> None:
    """Beyond the bound it is told, each time, and what comes is not kept."""
    stream = Numbers(queue_size=2)
    stream.hold()
    for number in range(4):
        stream.take(number)
    assert stream.told == ["overflow", "overflow"]
    ended = ends(stream.look())
    stream.looks[0].callback(None)
    assert stream.told[2:] == [0, 0, 1]
    assert ended == [None]


def test_an_interruption() -> None:
    """What is being looked into and what waits is forgotten."""
    stream = Numbers()
    stream.take(-1)
    stream.take(2)
    stream.interrupt()
    assert stream.waiting == 0
    stream.take(3)
    assert stream.told == [3]


def test_an_interruption_by_something_else_to_look_into() -> None:
    """What was looked into before does not make it live again."""
    stream = Numbers()
    stream.take(-1)
    stream.hold()
    stream.look()
    stream.take(5)
    assert stream.told == []
    stream.looks[1].callback(None)
    assert stream.told == [0, 5]


def test_a_bug_does_not_stop_it(capture_log: list[Any]) -> None:
    """If looking into something breaks, that is logged and the rest goes on."""
    stream = Numbers()
    stream.take(-1)
    stream.take(2)
    stream.looks[0].errback(ZeroDivisionError())
    assert stream.told == [2]
    assert any("log_failure" in event for event in capture_log)
