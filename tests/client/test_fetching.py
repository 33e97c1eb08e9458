from collections.abc import Generator
from itertools import pairwise
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from tests.client.test_promise import ends
from twisted_chainws.client.errors import RpcError
from twisted_chainws.client.fetching import Fetcher, TookTooLong
from twisted_chainws.client.heads import Ask, ByNumber, Found
from twisted_chainws.client.options import ClientOptions
from twisted_chainws.client.promise import promise


class Doubler(Fetcher):
    """Knows of each number its double."""

    async def answer(self, ask: Ask) -> Found:
        assert isinstance(ask, ByNumber)
        return [2 * number for number in ask.numbers]


def made() -> tuple[Doubler, Clock]:
    """Return a fetcher and its clock."""
    clock = Clock()
    return Doubler(clock=clock, options=ClientOptions()), clock


def test_a_plan_gets_what_it_asks_for() -> None:
    """The answers go to the plan, and what it returns is the result."""
    fetcher, _ = made()

    def plan() -> Generator[Ask, Found, list[Any]]:
        first = yield ByNumber((1, 2))
        second = yield ByNumber(tuple(first))
        return [first, second]

    assert ends(promise(fetcher.run(plan()))) == [[[2, 4], [4, 8]]]


def test_tries() -> None:
    """It is tried five times, at once and after 1, 2 and 4 seconds, and then it fails."""
    fetcher, clock = made()
    times: list[float] = []

    async def attempt() -> None:
        times.append(clock.seconds())
        raise RpcError(-32000, "no")

    found = ends(promise(fetcher.tries(attempt)))
    for _ in range(100):
        clock.advance(0.1)
    waits = [after - before for before, after in pairwise(times)]
    assert waits == pytest.approx([0, 1, 2, 4], abs=0.15)
    assert found == [RpcError]
    assert clock.getDelayedCalls() == []


def test_tries_end_in_time() -> None:
    """After a minute it fails, whatever is being waited for."""
    fetcher, clock = made()
    cancelled: list[int] = []

    async def attempt() -> None:
        await Deferred(lambda _: cancelled.append(1))

    found = ends(promise(fetcher.tries(attempt)))
    clock.advance(59)
    assert found == []
    clock.advance(1)
    assert found == [TookTooLong]
    assert cancelled == [1]
    assert clock.getDelayedCalls() == []
