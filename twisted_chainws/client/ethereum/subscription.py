"""A subscription as its user has it: the same object and id over all connections.

Source: ``ethereum.md`` 4 (last paragraph), 6.3 point 4.
"""

import inspect
from collections.abc import Callable
from typing import Any, cast

from twisted.logger import Logger
from twisted.python.failure import Failure

from twisted_chainws.client.errors import ClientError, QueueOverflow
from twisted_chainws.client.ethereum.streams import Stream
from twisted_chainws.client.ethereum.values import Event
from twisted_chainws.client.feed import Feed, FeedEnded
from twisted_chainws.client.promise import promise
from twisted_chainws.websocket import Outcome
from twisted_chainws.websocket.awaiting import Waiting, failed, succeeded

__all__ = ["Subscription"]


class Subscription:
    """Events to iterate over, or to be called with.

    Iteration ends after ``unsubscribe`` or the client's ``close``, and raises what else ends the
    subscription: QueueOverflow, RpcError if the server does not take it any more, GaveUp,
    ChainChanged.

    Attributes:
        id: the server's first id for it; it stays when connections change.
        kind: ``newHeads``, ``logs`` and so on.
        options: as given, None for none.
    """

    _log = Logger()

    def __init__(
        self,
        *,
        identifier: str,
        kind: str,
        options: Any,
        queue_size: int,
        unsubscribe: Callable[["Subscription"], Outcome[bool]],
        overflowed: Callable[["Subscription"], None],
        make_stream: Callable[["Subscription"], Stream],
    ) -> None:
        """Prepare; only a client makes subscriptions.

        Args:
            identifier: first id.
            kind: of events.
            options: of the subscription.
            queue_size: events that may wait.
            unsubscribe: ends a subscription.
            overflowed: is called when too many wait.
            make_stream: makes what is between the server and here.
        """
        self.id = identifier
        self.kind = kind
        self.options = options
        self._unsubscribe = unsubscribe
        self._feed: Feed[Event] = Feed(queue_size, lambda _: overflowed(self))
        self._error: ClientError | None = None
        self._enders: Waiting[None] = Waiting()
        self._stream = make_stream(self)

    @property
    def active(self) -> bool:
        """Whether more events may come."""
        return not self._feed.ended

    @property
    def depth(self) -> int:
        """Events that wait, including those that wait for what comes before them."""
        return len(self._feed) + self._stream.waiting

    def next(self) -> Outcome[Event]:
        """Wait for the next event; must be called on the reactor's thread.

        Returns:
            It. Fails with what has ended the subscription, ClientClosed if nothing is wrong, when
            there are no more.
        """
        return self._feed.take()

    def unsubscribe(self) -> Outcome[bool]:
        """End the subscription; events that wait are forgotten.

        Returns:
            Whether the server still knew of it.
        """
        return self._unsubscribe(self)

    def when_ended(self) -> Outcome[None]:
        """Wait for the end; fails with what has gone wrong."""
        if self.active:
            return self._enders.wait()
        return succeeded(None) if self._error is None else failed(cast("Any", self._error))

    def __aiter__(self) -> "Subscription":
        """Iterate over events, as by ``next``."""
        return self

    async def __anext__(self) -> Event:
        """Return the next event; ends with the subscription, or raises what has ended it."""
        try:
            return await self.next()
        except FeedEnded:
            raise StopAsyncIteration from None

    # For the client

    @property
    def stream(self) -> Stream:
        """What is between the server and here."""
        return self._stream

    def deliver(self, event: Event) -> None:
        """Take an event that is in order."""
        self._feed.put(event)

    def overflow(self) -> None:
        """End because too much waits."""
        self._feed.overflow()

    def end(self, error: ClientError | None = None, *, clear: bool = False) -> None:
        """End, the first time; see ``Feed.end``."""
        if self._feed.ended:
            return
        self._stream.interrupt()
        self._feed.end(error, clear=clear)
        self._ended(error)

    def overflowed(self, limit: int) -> None:
        """Tell those who wait for the end that it was for too many events."""
        self._stream.interrupt()
        self._ended(QueueOverflow(limit))

    def pump(self, callback: Callable[[Event], object]) -> None:
        """Call a function with each event, one after the other."""
        promise(self._pump(callback)).addErrback(
            lambda failure: self._log.failure("a subscription's pump broke", failure=failure)
        )

    async def _pump(self, callback: Callable[[Event], object]) -> None:
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
            self._enders.fail(cast("Any", error))
