"""Events that wait for one who takes them, in a bounded queue. No I/O."""

from collections import deque
from collections.abc import Callable, Generator
from typing import Any, Generic, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from twisted_chainws.client.errors import ClientClosed, ClientError, Misuse, QueueOverflow
from twisted_chainws.websocket import Outcome
from twisted_chainws.websocket.awaiting import failed

__all__ = ["Feed", "FeedEnded"]

T = TypeVar("T")


class FeedEnded(ClientClosed):
    """There will be no more events, and nothing went wrong."""


class _Taking(Outcome[T]):
    """A taker's outcome, from which no event gets lost.

    A task of asyncio may be cancelled after its event has come and before it runs again: then the
    event goes back.
    """

    def __init__(self, forget: Callable[[object], None], back: Callable[[T], None]) -> None:
        super().__init__(forget)
        self._back = back
        self._given: list[T] = []

    def give(self, event: T) -> None:
        """Fire."""
        self._given.append(event)
        self.callback(event)

    def __await__(self) -> Generator[Deferred[Any], Any, T]:
        """Wait for the event, whoever drives."""
        try:
            return (yield from super().__await__())
        except BaseException:
            if self._given:
                self._back(self._given.pop())
            raise


class Feed(Generic[T]):
    """A queue with one taker.

    Attributes:
        ended: whether nothing more is put.
    """

    def __init__(self, limit: int, overflowed: Callable[[QueueOverflow], None]) -> None:
        """Prepare.

        Args:
            limit: events that may wait; one more ends the feed.
            overflowed: is called then, after the end.
        """
        self.ended = False
        self._limit = limit
        self._overflowed = overflowed
        self._events: deque[T] = deque()
        self._waiter: _Taking[T] | None = None
        self._error: ClientError = FeedEnded("no more events")

    def __len__(self) -> int:
        """Count the events that wait."""
        return len(self._events)

    def put(self, event: T) -> None:
        """Give an event to the waiter, or keep it; nothing after the end."""
        if self.ended:
            return
        waiter, self._waiter = self._waiter, None
        if waiter is not None:
            waiter.give(event)
        elif len(self._events) < self._limit:
            self._events.append(event)
        else:
            self.overflow()

    def overflow(self) -> None:
        """End because too many events wait, here or on the way to here."""
        error = QueueOverflow(self._limit)
        self.end(error)
        self._overflowed(error)

    def take(self) -> Outcome[T]:
        """Return the next event.

        It fails with the error of the end, or FeedEnded, when there are none left; with Misuse if
        somebody waits already.
        """
        if self._waiter is not None:
            return failed(Misuse("somebody waits for an event already"))
        if self._events:
            outcome: Outcome[T] = Outcome()
            outcome.callback(self._events.popleft())
            return outcome
        if self.ended:
            return failed(self._error)
        self._waiter = waiter = _Taking(self._forget, self._events.appendleft)
        return waiter

    def end(self, error: ClientError | None = None, *, clear: bool = False) -> None:
        """Tell that no event will follow, the first time.

        Args:
            error: for whoever takes after the last event; None for none.
            clear: forget the events that wait.
        """
        if self.ended:
            return
        self.ended = True
        if clear:
            self._events.clear()
        if error is not None:
            self._error = error
        waiter, self._waiter = self._waiter, None
        if waiter is not None:
            waiter.errback(Failure(self._error))

    def _forget(self, _cancelled: object) -> None:
        self._waiter = None
