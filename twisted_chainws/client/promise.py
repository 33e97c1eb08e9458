"""Outcomes of coroutines: awaited by Twisted and asyncio alike, and cancelled at any time.

A coroutine that Twisted drives cannot be cancelled while it runs. But it may call somebody who
closes the client, which cancels it. Here such a coroutine goes on to its next ``await``, and is
cancelled there.
"""

from collections.abc import Coroutine, Generator, Iterable
from types import coroutine as generator_coroutine
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, FirstError, gatherResults
from twisted.internet.interfaces import IDelayedCall

from twisted_chainws.websocket import Outcome

__all__ = ["promise", "sleep", "together"]

T = TypeVar("T")


class _Run:
    """A coroutine on its way.

    Attributes:
        running: whether it is, and does not wait.
        stopped: whether it is to be cancelled where it waits next.
    """

    def __init__(self) -> None:
        self.running = False
        self.stopped = False

    @generator_coroutine
    def drive(
        self, coroutine: Coroutine[Deferred[Any], Any, T]
    ) -> Generator[Deferred[Any], Any, T]:
        """Hand on what the coroutine waits for, and what comes of it."""
        value: Any = None
        error: BaseException | None = None
        while True:
            self.running = True
            try:
                awaited = coroutine.send(value) if error is None else coroutine.throw(error)
            except StopIteration as done:
                result: T = done.value
                return result
            finally:
                self.running = False
            if self.stopped:
                awaited.cancel()
            value = error = None
            try:
                value = yield awaited
            except GeneratorExit:
                # Nobody waits any more, and all is being thrown away.
                coroutine.close()
                raise
            except BaseException as thrown:  # noqa: BLE001 - it is the coroutine's
                error = thrown


def promise(coroutine: Coroutine[Deferred[Any], Any, T]) -> Outcome[T]:
    """Run a coroutine of Twisted; cancelling what is returned cancels it."""
    run = _Run()
    inner = Deferred.fromCoroutine(run.drive(coroutine))

    def cancel(_outcome: object) -> None:
        run.stopped = True
        if not run.running:
            inner.cancel()

    outcome: Outcome[T] = Outcome(cancel)

    def finish(end: Any) -> None:
        if not outcome.called:
            outcome.callback(end)

    inner.addBoth(finish)
    return outcome


async def together(coroutines: Iterable[Coroutine[Deferred[Any], Any, T]]) -> list[T]:
    """Run several at a time and return their results in order; the first error ends all."""
    try:
        results = await gatherResults([promise(one) for one in coroutines], consumeErrors=True)
    except FirstError as first:
        error = first.subFailure.value or first
        raise error from None
    return list(results)


def sleep(clock: Any, seconds: float) -> Deferred[None]:
    """Return what fires after some seconds; cancelling leaves no timer behind."""
    timer: IDelayedCall
    slept: Deferred[None] = Deferred(lambda _: timer.cancel())
    timer = clock.callLater(seconds, slept.callback, None)
    return slept
