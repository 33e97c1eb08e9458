"""What all subscriptions have in common: events to iterate over, or to be called with."""

import inspect
from collections.abc import Callable
from typing import Generic, Self, TypeVar

from twisted.logger import Logger
from twisted.python.failure import Failure

from twisted_chainws.client.errors import ClientError, QueueOverflow
from twisted_chainws.client.feed import Feed, FeedEnded
from twisted_chainws.client.promise import promise
from twisted_chainws.websocket import Outcome
from twisted_chainws.websocket.awaiting import Waiting, failed, succeeded

__all__ = ["EventFeed"]

T = TypeVar("T")


class EventFeed(Generic[T]):
    """The end of a subscription that its user holds."""

    _log = Logger()

    def __init__(self, *, queue_size: int, overflowed: Callable[[], None]) -> None:
        """Prepare.

        Args:
            queue_size: events that may wait.
            overflowed: is called when too many wait.
        """
        self._queue_size = queue_size
        self._feed: Feed[T] = Feed(queue_size, lambda _: overflowed())
        self._error: ClientError | None = None
        self._enders: Waiting[None] = Waiting()

    @property
    def active(self) -> bool:
        """Whether more events may come."""
        return not self._feed.ended

    @property
    def depth(self) -> int:
        """Events that wait."""
        return len(self._feed)

    def next(self) -> Outcome[T]:
        """Wait for the next event; must be called on the reactor's thread.

        Returns:
            It. Fails with what has ended the subscription, ClientClosed if nothing is wrong, when
            there are no more.
        """
        return self._feed.take()

    def when_ended(self) -> Outcome[None]:
        """Wait for the end; fails with what has gone wrong."""
        if self.active:
            return self._enders.wait()
        return succeeded(None) if self._error is None else failed(self._error)

    def __aiter__(self) -> Self:
        """Iterate over events, as by ``next``."""
        return self

    async def __anext__(self) -> T:
        """Return the next event; ends with the subscription, or raises what has ended it."""
        try:
            return await self.next()
        except FeedEnded:
            raise StopAsyncIteration from None

    # For the client

    def deliver(self, event: T) -> None:
        """Take an event that is in order."""
        self._feed.put(event)

    def overflow(self) -> None:
        """End because too much waits."""
        self._feed.overflow()

    def end(self, error: ClientError | None = None, *, clear: bool = False) -> None:
        """End, the first time; see ``Feed.end``."""
        if self._feed.ended:
            return
        self._interrupt()
        self._feed.end(error, clear=clear)
        self._ended(error)

    def overflowed(self) -> None:
        """Tell those who wait for the end that it was for too many events."""
        self._interrupt()
        self._ended(QueueOverflow(self._queue_size))

    def _interrupt(self) -> None:
        """Stop what brings events."""

    def pump(self, callback: Callable[[T], object]) -> None:
        """Call a function with each event, one after the other."""
        promise(self._pump(callback)).addErrback(
            lambda failure: self._log.failure("a subscription's pump broke", failure=failure)
        )

    async def _pump(self, callback: Callable[[T], object]) -> None:
        while True:
            try:
                event = await self._feed.take()
            except ClientError:
                return
            try:
                result = callback(event)
                if inspect.isawaitable(result):
                    await result
            except Exception:  # noqa: BLE001 - a listener's bug ends nothing
                self._log.failure("a subscription's callback broke", failure=Failure())

    def _ended(self, error: ClientError | None) -> None:
        self._error = error
        if error is None:
            self._enders.succeed(None)
        else:
            self._enders.fail(error)
