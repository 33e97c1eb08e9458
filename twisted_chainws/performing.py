"""Answers to what sessions forward: questions to the source, long reads, waiting for blocks."""

from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final, NoReturn

from twisted.internet.defer import (
    Deferred,
    DeferredSemaphore,
    FirstError,
    gatherResults,
    maybeDeferred,
    succeed,
)
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

from twisted_chainws.chain.canonical import CanonicalChain
from twisted_chainws.chain.model import Block
from twisted_chainws.chain.ops import Advance
from twisted_chainws.chain.ports import Source
from twisted_chainws.chain.types import Hash32
from twisted_chainws.dialects.outcomes import AwaitMined, Call, Query, QueryAll, Scan, Submit
from twisted_chainws.errors import MinedWaitTimeout, SourceUnavailable

QUERIES_AT_A_TIME: Final = 16
"""Of one call with several questions."""


class Performer:
    """Performs calls until it is closed.

    Args:
        source: answers what the model does not hold.
        chain: returns the chain; asked only once the source has started.
        clock: for turns of the reactor and time limits.
    """

    def __init__(
        self, *, source: Source, chain: Callable[[], CanonicalChain], clock: IReactorTime
    ) -> None:
        self._source = source
        self._chain = chain
        self._clock = clock
        self._waiters: dict[Hash32, list[Deferred[tuple[Block, int]]]] = {}
        self._open: set[Deferred[Any]] = set()
        self._closed = True

    def open(self) -> None:
        """Begin to answer."""
        self._closed = False

    def close(self) -> None:
        """End everything that waits; whatever is asked now is answered with a failure."""
        self._closed = True
        for deferred in tuple(self._open):
            deferred.cancel()
        self._waiters.clear()

    def perform(self, call: Call) -> "Deferred[Any]":
        """Answer a call; cancel it to stop caring.

        The Deferred fails with a ChainwsError, or with whatever broke.
        """
        deferred = self._perform(call)
        self._open.add(deferred)

        def settled(result: Any) -> Any:
            self._open.discard(deferred)
            return result

        return deferred.addBoth(settled)

    def wake(self, advance: Advance) -> None:
        """Tell those who wait for a transaction of these blocks."""
        if not self._waiters:
            return
        for block in advance.applied:
            for position, transaction in enumerate(block.transactions):
                for waiter in self._waiters.pop(transaction.hash, ()):
                    waiter.callback((block, position))

    def _perform(self, call: Call) -> "Deferred[Any]":
        if self._closed:
            unavailable = SourceUnavailable(reason="the server is shutting down")
            return maybeDeferred(_raise, unavailable)
        if isinstance(call, Query):
            return _deferred(self._source.query, call.method, call.params)
        if isinstance(call, QueryAll):
            return self._query_all(call)
        if isinstance(call, Submit):
            return _deferred(self._source.submit, call.kind, call.raw)
        if isinstance(call, Scan):
            return self._scan(call.steps)
        return self._await_mined(call)

    def _query_all(self, call: QueryAll) -> "Deferred[list[Any]]":
        """Ask some at a time; the first failure ends the others."""
        some = DeferredSemaphore(QUERIES_AT_A_TIME)
        answers = [
            some.run(_deferred, self._source.query, query.method, query.params)
            for query in call.queries
        ]
        together = gatherResults(answers, consumeErrors=True)

        def failed(failure: Failure) -> Failure:
            # Last ones first: those that are asked let others have their turn when they end.
            for answer in reversed(answers):
                answer.cancel()
            # The one that ended it, out of the wrapping; when cancelled there is none.
            error = failure.value
            return error.subFailure if isinstance(error, FirstError) else failure

        return together.addErrback(failed)

    def _scan(self, steps: Iterator[Any]) -> "Deferred[Any]":
        """Take one step per reactor turn."""
        pending: list[IDelayedCall] = []
        done: Deferred[Any] = Deferred(lambda _: pending[0].cancel() if pending else None)

        def step() -> None:
            pending.clear()
            try:
                next(steps)
            except StopIteration as end:
                done.callback(end.value)
            except Exception:  # noqa: BLE001 - the failure goes to whoever waits
                done.errback(Failure())
            else:
                pending.append(self._clock.callLater(0, step))

        step()
        return done

    def _await_mined(self, call: AwaitMined) -> "Deferred[tuple[Block, int]]":
        found = self._chain().find(call.transaction_hash)
        if found is not None:
            return succeed(found)
        waiter: Deferred[tuple[Block, int]] = Deferred()
        self._waiters.setdefault(call.transaction_hash, []).append(waiter)

        def late(_result: object, _timeout: float) -> NoReturn:
            raise MinedWaitTimeout(transaction_hash=call.transaction_hash, timeout_s=call.timeout_s)

        def over(result: Any) -> Any:
            waiting = self._waiters.get(call.transaction_hash, [])
            if waiter in waiting:
                waiting.remove(waiter)
                if not waiting:
                    del self._waiters[call.transaction_hash]
            return result

        waiter.addBoth(over)
        return waiter.addTimeout(call.timeout_s, self._clock, late)


def _raise(error: Exception) -> NoReturn:
    raise error


def _deferred(function: Callable[..., Awaitable[Any]], *arguments: Any) -> "Deferred[Any]":
    """Call something that returns a coroutine or a Deferred."""

    async def waiting() -> Any:
        return await function(*arguments)

    return Deferred.fromCoroutine(waiting())
