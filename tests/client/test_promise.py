from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from twisted_chainws.client.errors import BadAnswer
from twisted_chainws.client.promise import promise, sleep, together


def ends(waiting: Deferred[Any]) -> list[Any]:
    """Note what comes of it; errors by type."""
    found: list[Any] = []
    waiting.addCallbacks(found.append, lambda failure: found.append(failure.type))
    return found


def test_results_and_errors() -> None:
    """What the coroutine returns or raises is the end."""

    async def run(first: Deferred[int]) -> int:
        return await first + 1

    first: Deferred[int] = Deferred()
    found = ends(promise(run(first)))
    assert found == []
    first.callback(1)
    assert found == [2]
    failing: Deferred[int] = Deferred()
    found = ends(promise(run(failing)))
    failing.errback(Failure(BadAnswer("x")))
    assert found == [BadAnswer]


def test_cancelled_while_it_waits() -> None:
    """What it waits for is cancelled, and it may still put things in order."""
    steps: list[str] = []

    async def run(first: Deferred[None]) -> None:
        try:
            await first
        except CancelledError:
            steps.append("cancelled")
            raise

    first: Deferred[None] = Deferred(lambda _: steps.append("asked"))
    waiting = promise(run(first))
    found = ends(waiting)
    waiting.cancel()
    assert found == [CancelledError]
    assert steps == ["asked", "cancelled"]


def test_cancelled_while_it_runs() -> None:
    """From within, cancelling takes effect where it waits next; nothing is left."""
    steps: list[str] = []
    again: Deferred[None] = Deferred(lambda _: steps.append("asked"))

    async def run() -> None:
        await first
        waiting.cancel()
        steps.append("goes on")
        try:
            await again
        finally:
            steps.append("ends")

    first: Deferred[None] = Deferred()
    waiting = promise(run())
    found = ends(waiting)
    first.callback(None)
    assert steps == ["goes on", "asked", "ends"]
    assert found == [CancelledError]


def test_cancelled_while_it_runs_to_its_end() -> None:
    """If it waits for nothing any more, it ends as it likes, and that is no error."""

    async def run() -> int:
        await first
        waiting.cancel()
        return 1

    first: Deferred[None] = Deferred()
    waiting = promise(run())
    found = ends(waiting)
    first.callback(None)
    assert found == [CancelledError]


def test_together() -> None:
    """Results are in order; the first error is that of all, and ends the others."""

    async def run(each: Deferred[int]) -> int:
        return await each

    several: list[Deferred[int]] = [Deferred() for _ in range(3)]
    found = ends(promise(together(run(each) for each in several)))
    for number in (2, 0, 1):
        several[number].callback(number)
    assert found == [[0, 1, 2]]
    cancelled: list[int] = []
    several = [Deferred(lambda _, n=n: cancelled.append(n)) for n in range(2)]  # type: ignore[misc]
    waiting = promise(together(run(each) for each in several))
    found = ends(waiting)
    several[1].errback(Failure(BadAnswer("x")))
    assert found == [BadAnswer]
    ends(several[0])
    several = [Deferred(lambda _, n=n: cancelled.append(n)) for n in range(2)]  # type: ignore[misc]
    waiting = promise(together(run(each) for each in several))
    found = ends(waiting)
    waiting.cancel()
    assert found == [CancelledError]
    assert cancelled[-2:] == [0, 1]


def test_sleep() -> None:
    """It fires in time, or leaves no timer behind."""
    clock = Clock()
    found = ends(sleep(clock, 2))
    clock.advance(1.9)
    assert found == []
    clock.advance(0.2)
    assert found == [None]
    waiting = sleep(clock, 2)
    found = ends(waiting)
    waiting.cancel()
    assert found == [CancelledError]
    assert clock.getDelayedCalls() == []
