"""A subscription as its user has it: the same object over all connections.

Source: ``zilliqa.md`` 2.6, 3, 7.4.
"""

from collections.abc import Callable, Iterator

from twisted_chainws.client.subscription import EventFeed
from twisted_chainws.client.zilliqa.envelope import Contents, Notification
from twisted_chainws.client.zilliqa.queries import EVENT_LOG, NEW_BLOCK
from twisted_chainws.client.zilliqa.values import Event
from twisted_chainws.websocket import Outcome

__all__ = ["Subscription"]


class Subscription(EventFeed[Event]):
    """Events to iterate over, or to be called with.

    Iteration ends after the last block of ``unsubscribe`` or the client's ``close``, and raises
    what else ends the subscription: QueueOverflow, RpcError if the server does not take it any
    more, GaveUp, ChainChanged.

    Attributes:
        kind: ``NewBlock``, ``EventLog`` or ``TxnLog``.
        addresses: that it is about, ``0x`` and lower-case hex; none for ``NewBlock``.
        established: whether the server has accepted it, over whatever connection.
        leaving: whether it is to end.
        confirmed: whether the server has agreed to that.
        last: what is told before the end; None if that has not come yet.
    """

    def __init__(
        self,
        *,
        kind: str,
        addresses: tuple[str, ...],
        queue_size: int,
        unsubscribe: Callable[["Subscription"], Outcome[bool]],
        overflowed: Callable[["Subscription"], None],
    ) -> None:
        """Prepare; only a client makes subscriptions.

        Args:
            kind: of events.
            addresses: see above.
            queue_size: events that may wait.
            unsubscribe: ends a subscription.
            overflowed: is called when too many wait.
        """
        super().__init__(queue_size=queue_size, overflowed=lambda: overflowed(self))
        self.kind = kind
        self.addresses = addresses
        self.established = False
        self.leaving = False
        self.confirmed = False
        self.last: Notification | None = None
        self._wanted = frozenset(addresses)
        self._unsubscribe = unsubscribe

    def unsubscribe(self) -> Outcome[bool]:
        """End the subscription: what the next block brings is still told, and then it ends.

        Returns:
            Whether the server has agreed. Without a connection it ends at once.
        """
        return self._unsubscribe(self)

    # For the client

    def tell(self, contents: Contents) -> None:
        """Take what there is of a block."""
        for event in self._of(contents):
            self.deliver(event)

    def _of(self, contents: Contents) -> Iterator[Event]:
        if self.kind == NEW_BLOCK:
            if contents.block is not None:
                yield contents.block
        elif self.kind == EVENT_LOG:
            yield from (one for one in contents.events if one.address in self._wanted)
        else:
            yield from (
                one
                for one in contents.transfers
                if not self._wanted.isdisjoint((one.to, one.sender))
            )
