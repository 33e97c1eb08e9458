"""A subscription as its user has it: the same object and id over all connections.

Source: ``ethereum.md`` 4 (last paragraph), 6.3 point 4.
"""

from collections.abc import Callable
from typing import Any

from twisted_chainws.client.ethereum.streams import Stream
from twisted_chainws.client.ethereum.values import Event
from twisted_chainws.client.subscription import EventFeed
from twisted_chainws.websocket import Outcome

__all__ = ["Subscription"]


class Subscription(EventFeed[Event]):
    """Events to iterate over, or to be called with.

    Iteration ends after ``unsubscribe`` or the client's ``close``, and raises what else ends the
    subscription: QueueOverflow, RpcError if the server does not take it any more, GaveUp,
    ChainChanged.

    Attributes:
        id: the server's first id for it; it stays when connections change.
        kind: ``newHeads``, ``logs`` and so on.
        options: as given, None for none.
    """

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
        super().__init__(queue_size=queue_size, overflowed=lambda: overflowed(self))
        self._stream = make_stream(self)

    @property
    def depth(self) -> int:
        """Events that wait, including those that wait for what comes before them."""
        return super().depth + self._stream.waiting

    def unsubscribe(self) -> Outcome[bool]:
        """End the subscription; events that wait are forgotten.

        Returns:
            Whether the server still knew of it.
        """
        return self._unsubscribe(self)

    # For the client

    @property
    def stream(self) -> Stream:
        """What is between the server and here."""
        return self._stream

    def _interrupt(self) -> None:
        self._stream.interrupt()
