"""A Deferred that can be awaited by Twisted's coroutines and by tasks of asyncio alike.

A task of asyncio that awaits a plain Deferred dies of ``Task got bad yield``, for it wants to see
a future. So what ``await`` hands to whoever drives the coroutine is an object that is both: Twisted
sees a Deferred, asyncio's task sees the few methods of a future that it calls. Who drives cannot be
known beforehand: inside a task, ``Deferred.fromCoroutine`` drives coroutines as well.

asyncio tasks run on the reactor's thread only with the asyncio reactor; with any other reactor its
loop would have to be another thread's.
"""

import asyncio
from asyncio import AbstractEventLoop
from collections.abc import Callable, Generator
from contextvars import Context
from typing import Any, Final, Generic, NoReturn, TypeAlias, TypeVar

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from twisted_chainws.websocket.codes import (
    ConnectFailed,
    ConnectionClosed,
    ConnectionNotFound,
    ErrorCode,
    NotOpen,
    WebSocketError,
)

__all__ = ["Callback", "Outcome", "Waiting", "attempt", "failed", "succeeded"]

T = TypeVar("T")
_log = Logger()

Callback: TypeAlias = Callable[[WebSocketError | None, Any], object]
"""``(None, value)`` or ``(error, None)``, as the reference's AsyncCallback."""

_TOLD_BY_EVENTS: Final = (
    CancelledError,
    ConnectFailed,
    ConnectionClosed,
    ConnectionNotFound,
    NotOpen,
)
"""Failures that come of how a connection goes, which ``error`` and ``close`` tell as well."""


class _Awaited(Deferred[Any]):
    """What an ``await`` yields: a Deferred for Twisted, and a future as far as tasks use it.

    It stands for an outcome: takes its end and, cancelled, cancels it.

    Attributes:
        end: the value of the outcome, for a task; Twisted's driver sends it in itself.
        for_task: whether a task of asyncio waits.
    """

    _asyncio_future_blocking = True

    def __init__(self, outcome: Deferred[Any]) -> None:
        super().__init__(lambda _: outcome.cancel())
        self.end: Any = None
        self.for_task = False
        outcome.addBoth(self._finish)

    def _finish(self, end: Any) -> None:
        self.end = end
        if not self.called:
            self.callback(end)

    def get_loop(self) -> AbstractEventLoop:
        """Return the loop of the task that asks."""
        return asyncio.get_running_loop()

    def add_done_callback(
        self, wake: Callable[[Any], object], *, context: Context | None = None
    ) -> None:
        """Wake a task when this fires, by a future of its own kind."""
        self.for_task = True
        future = asyncio.get_running_loop().create_future()
        future.add_done_callback(wake, context=context)
        self.addCallbacks(future.set_result, lambda failure: future.set_exception(failure.value))

    def cancel(self, msg: object = None) -> bool:  # type: ignore[override]  # noqa: ARG002
        """Cancel the outcome; False makes a task remember by itself that it was cancelled."""
        super().cancel()
        return False


class Outcome(Deferred[T]):
    """A Deferred that tasks of asyncio may await as well, and that may be ignored.

    Twisted logs failures that nobody looks at. Here it does so only for mistakes of the caller,
    such as wrong arguments; that the connection is not open, could not be made or has ended is
    told by events, and who listens to these need not look at each outcome, too.
    """

    def errback(self, fail: Failure | BaseException | None = None) -> None:
        """Fail; see ``Deferred.errback``."""
        ignored = not self._callbacks
        super().errback(fail)
        info = self._debugInfo
        failure = None if info is None else info.failResult
        if info is not None and failure is not None and ignored:
            # For the log only: whoever looks later gets the failure all the same.
            info.failResult = None if failure.check(*_TOLD_BY_EVENTS) else failure

    def __await__(self) -> Generator[Deferred[Any], Any, T]:
        """Wait for the end, whoever drives."""
        if self.called and not self.paused:
            return (yield from super().__iter__())
        awaited = _Awaited(self)
        sent = yield awaited
        return awaited.end if awaited.for_task else sent  # type: ignore[no-any-return]


def succeeded(value: T) -> Outcome[T]:
    """Return an outcome that is there already."""
    outcome: Outcome[T] = Outcome()
    outcome.callback(value)
    return outcome


def failed(error: Exception) -> Outcome[Any]:
    """Return an outcome that has failed already."""
    outcome: Outcome[Any] = Outcome()
    outcome.errback(Failure(error))
    return outcome


def attempt(
    action: Callable[[], Deferred[bool] | None], callback: Callback | None
) -> Outcome[bool]:
    """Do something for a caller who wants a Deferred, and perhaps a call back.

    Args:
        action: raises WebSocketError, or returns what to wait for, None for nothing.
        callback: gets the end; its own exceptions are the Deferred's. None for none.

    Returns:
        True or a WebSocketError, never an exception right away: 2302999 stands for a bug. With a
        callback a failure counts as handled, and the Deferred fires with False after it.
    """
    outcome: Outcome[bool] = Outcome()
    try:
        waiting = action() if callback is None or callable(callback) else _not_callable()
    except WebSocketError as error:
        outcome.errback(Failure(error))
    except Exception as bug:  # noqa: BLE001 - the caller was promised an outcome
        unexpected = WebSocketError(ErrorCode.INTERNAL_ERROR, data=type(bug).__name__)
        unexpected.__cause__ = bug
        outcome.errback(Failure(unexpected))
    else:
        (waiting or succeed(result=True)).addCallbacks(outcome.callback, outcome.errback)
    if callable(callback):
        _call_back(outcome, callback)
    return outcome


def _not_callable() -> NoReturn:
    raise WebSocketError(ErrorCode.PARAMETER_ERROR, data="callback: not callable")


def _call_back(outcome: Outcome[bool], callback: Callback) -> None:
    def done(value: bool) -> bool:  # noqa: FBT001 - a result
        callback(None, value)
        return value

    def broke(failure: Failure) -> bool:
        callback(failure.value, None)  # type: ignore[arg-type]
        return False

    outcome.addCallbacks(done, broke)
    outcome.addErrback(lambda failure: _log.failure("a callback broke", failure=failure))


class Waiting(Generic[T]):
    """Those who wait for the same thing; whoever is cancelled waits no longer."""

    def __init__(self) -> None:
        self._outcomes: list[Outcome[T]] = []

    def wait(self) -> Outcome[T]:
        """Return an outcome of one's own."""
        outcome: Outcome[T] = Outcome(self._forget)
        self._outcomes.append(outcome)
        return outcome

    def succeed(self, value: T) -> None:
        """Give everybody the value, in the order of their coming."""
        outcomes, self._outcomes = self._outcomes, []
        for outcome in outcomes:
            if not outcome.called:
                outcome.callback(value)

    def fail(self, error: Exception) -> None:
        """Give everybody the error."""
        outcomes, self._outcomes = self._outcomes, []
        for outcome in outcomes:
            if not outcome.called:
                outcome.errback(Failure(error))

    def _forget(self, cancelled: Deferred[T]) -> None:
        self._outcomes = [one for one in self._outcomes if one is not cancelled]
