"""What comes in order, and waits while something has to be found out first."""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from twisted_chainws.client.promise import promise

__all__ = ["OrderedStream"]

T = TypeVar("T")


class OrderedStream(ABC, Generic[T]):
    """A stream is live, or it is busy finding out what happened; then what comes in waits."""

    _log = Logger()

    def __init__(self, *, queue_size: int, overflow: Callable[[], None]) -> None:
        """Prepare.

        Args:
            queue_size: how much may wait.
            overflow: too much waits.
        """
        self._queue_size = queue_size
        self._overflow = overflow
        self._backlog: deque[T] = deque()
        self._busy = False
        self._run: Deferred[None] | None = None
        self._runs = 0

    @property
    def waiting(self) -> int:
        """How much waits."""
        return len(self._backlog)

    def take(self, raw: T) -> None:
        """Take what the server has sent."""
        if not self._busy:
            self._process(raw)
        elif len(self._backlog) < self._queue_size:
            self._backlog.append(raw)
        else:
            self._overflow()

    def hold(self) -> None:
        """Be busy from now on: ``recover`` follows."""
        self.interrupt()
        self._busy = True

    def interrupt(self) -> None:
        """Forget what is being done and what waits: the connection has ended."""
        run, self._run = self._run, None
        self._runs += 1
        self._backlog.clear()
        self._busy = False
        if run is not None:
            run.cancel()

    @abstractmethod
    def _process(self, raw: T) -> None:
        """Take what is next, now."""

    def _start(self, coroutine: Coroutine[Deferred[Any], Any, None]) -> Deferred[None]:
        self._busy = True
        self._runs += 1
        number = self._runs
        self._run = run = promise(coroutine)
        run.addCallbacks(lambda _: self._live(number), lambda why: self._ended(why, number))
        run.addErrback(self._broke)
        return run

    def _live(self, number: int) -> None:
        """Go live, unless somebody else is busy by now."""
        if self._runs != number:
            return
        self._run = None
        self._busy = False
        backlog, self._backlog = self._sifted(self._backlog), deque()
        while backlog:
            self.take(backlog.popleft())

    def _sifted(self, backlog: deque[T]) -> deque[T]:
        return backlog

    def _ended(self, failure: Failure, number: int) -> None:
        # Cancelled, the connection is lost: what waits must be forgotten, and not be told.
        if not failure.check(CancelledError):
            self._broke(failure)
            self._live(number)

    def _broke(self, failure: Failure) -> None:
        self._log.failure("a stream broke", failure=failure)
