"""A subscription as its user has it: the same object over all connections.

Source: ``ontology.md`` 5.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from twisted_chainws.client.heads import Gap, Reset
from twisted_chainws.client.ontology.assembling import Contents
from twisted_chainws.client.ontology.values import BlockHashes, Event, Notify
from twisted_chainws.client.subscription import EventFeed
from twisted_chainws.websocket import Outcome

__all__ = ["Subscription", "Wish"]

_REMEMBERED: Final = 1_024
"""Events that are known to have been told: nodes may tell late what was fetched meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody wants to be told.

    Attributes:
        events: whether what transactions do.
        contracts: of which contracts; none for all.
        blocks: whether blocks.
        raw_blocks: whether blocks as nodes exchange them.
        hashes: whether the hashes of a block's transactions.
    """

    events: bool
    contracts: tuple[str, ...]
    blocks: bool
    raw_blocks: bool
    hashes: bool


class Subscription(EventFeed[Event]):
    """Events to iterate over, or to be called with.

    Iteration ends after ``unsubscribe`` or the client's ``close``, and raises what else ends the
    subscription: QueueOverflow, RpcError if the node does not take it any more, GaveUp,
    ChainChanged.

    Attributes:
        wish: what it is about.
        established: whether the node has accepted it, over whatever connection.
    """

    def __init__(
        self,
        *,
        wish: Wish,
        queue_size: int,
        unsubscribe: Callable[["Subscription"], Outcome[bool]],
        overflowed: Callable[["Subscription"], None],
    ) -> None:
        """Prepare; only a client makes subscriptions.

        Args:
            wish: see above.
            queue_size: events that may wait.
            unsubscribe: ends a subscription.
            overflowed: is called when too many wait.
        """
        super().__init__(queue_size=queue_size, overflowed=lambda: overflowed(self))
        self.wish = wish
        self.established = False
        self._contracts = frozenset(wish.contracts)
        self._unsubscribe = unsubscribe
        self._told: dict[tuple[str | None, str], None] = {}

    @property
    def events(self) -> bool:
        """Whether it is about what transactions do."""
        return self.wish.events

    @property
    def raw_blocks(self) -> bool:
        """Whether it is about blocks as nodes exchange them."""
        return self.wish.raw_blocks

    def unsubscribe(self) -> Outcome[bool]:
        """End the subscription at once, and forget what waits.

        Returns:
            Whether the node has agreed.
        """
        return self._unsubscribe(self)

    # For the client

    def deliver(self, event: Event) -> None:
        """Take an event that is in order."""
        if isinstance(event, Reset):
            # Blocks that left may come back.
            self._told.clear()
        super().deliver(event)

    def tell(self, contents: Contents) -> None:
        """Take what there is of a block."""
        for event in self._of(contents):
            self.deliver(event)

    def _of(self, contents: Contents) -> Iterator[Event]:
        """Yield what nodes push, in their order."""
        wish, block = self.wish, contents.block
        if wish.events:
            yield from (event for event in contents.events if self._is_new(event))
            yield from (log for log in contents.logs if self._matches({log.contract}))
        if block is None:
            return
        if wish.raw_blocks:
            # The block alone is no substitute.
            yield contents.raw_block or Gap(block.number, block.number)
        if wish.blocks:
            yield block
        if wish.hashes:
            yield BlockHashes(number=block.number, hash=block.hash, transactions=block.transactions)

    def _is_new(self, event: Notify) -> bool:
        name = (event.block_hash, event.tx_hash)
        if name in self._told or not self._matches(event.contracts):
            return False
        self._told[name] = None
        if len(self._told) > _REMEMBERED:
            del self._told[next(iter(self._told))]
        return True

    def _matches(self, contracts: frozenset[str] | set[str]) -> bool:
        return not self._contracts or not self._contracts.isdisjoint(contracts)
