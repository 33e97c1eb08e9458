"""From notifications to blocks that hang together, and what they bring.

All subscriptions of a client go by the same blocks. A notification whose block stands on the one
before is told at once. Otherwise it is found out what happened, from what is remembered and, if
there is somebody to ask, by asking: blocks were missed, or the chain was reset. While that takes
its time other notifications wait.

Source: ``zilliqa.md`` 3.1, 5.1 points 2 to 4, 7.4; ``ontology.md`` 5.3.
"""

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, Protocol, TypeVar

from twisted.internet.defer import Deferred

from twisted_chainws.client.fetching import FETCH_FAILURES, Fetcher
from twisted_chainws.client.heads import ByNumber, Gap, HeadMemory, Linked, Reset, Step, follow
from twisted_chainws.client.options import ClientOptions
from twisted_chainws.client.stream import OrderedStream

__all__ = ["BlockSource", "Contents", "Follower", "FollowerHooks", "Listener", "Notification"]

B = TypeVar("B", bound=Linked)
B_co = TypeVar("B_co", bound=Linked, covariant=True)


class Contents(Protocol[B_co]):
    """What there is to tell of a block; a family's own says what that is.

    Attributes:
        block: None if the server has not told of it.
    """

    @property
    def block(self) -> B_co | None:
        """See above."""


C = TypeVar("C", bound=Contents[Any])
C_co = TypeVar("C_co", bound=Contents[Any], covariant=True)
C_contra = TypeVar("C_contra", bound=Contents[Any], contravariant=True)


class Notification(Protocol[C_co]):
    """A block has been taken into the chain.

    Attributes:
        contents: as far as one has subscribed.
    """

    @property
    def contents(self) -> C_co:
        """See above."""


class Listener(Protocol[C_contra]):
    """Who is told: a subscription."""

    def deliver(self, event: Any) -> None:
        """Take a Reset or a Gap."""

    def tell(self, contents: C_contra) -> None:
        """Take what there is of a block."""


L = TypeVar("L", bound=Listener[Any])
N = TypeVar("N", bound=Notification[Any])


class BlockSource(Fetcher, Generic[B, C, L]):
    """Fetches blocks, and what there is to tell of them."""

    @property
    def can_fetch(self) -> bool:
        """Whether there is somebody to ask."""
        return True

    @abstractmethod
    async def latest(self) -> B:
        """Return the head."""

    @abstractmethod
    async def contents(self, block: B, audience: Sequence[L]) -> C:
        """Fetch what a notification of a block would have told.

        Args:
            block: which may lack what only notifications have.
            audience: who will be told.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowerHooks(Generic[L, N]):
    """Whom a follower tells.

    Attributes:
        audience: the present subscriptions, in order.
        gap: hears of a Gap, as often as subscriptions do.
        told: a notification was told.
        overflow: too many notifications wait.
    """

    audience: Callable[[], Sequence[L]]
    gap: Callable[[L, Gap], None]
    told: Callable[[N], None]
    overflow: Callable[[], None]


@dataclass(frozen=True, slots=True)
class _Way(Generic[B, C]):
    """How to get to a block.

    Attributes:
        step: of the chain.
        fetched: height -> what there is of a block, for those that were not notified.
    """

    step: Step[B]
    fetched: Mapping[int, C]


class Follower(OrderedStream[N], Generic[B, C, L, N]):
    """The blocks of one client."""

    def __init__(
        self,
        *,
        reader: BlockSource[B, C, L],
        options: ClientOptions,
        hooks: FollowerHooks[L, N],
    ) -> None:
        """Prepare.

        Args:
            reader: fetches.
            options: of the client.
            hooks: hear what happens.
        """
        super().__init__(queue_size=options.queue_size, overflow=hooks.overflow)
        self._reader = reader
        self._options = options
        self._hooks = hooks
        self._memory: HeadMemory[B] = HeadMemory()
        # Known, so that what follows can be joined to it, but nobody was told of it.
        self._untold: B | None = None

    @property
    def reached(self) -> int | None:
        """Height of the latest block that is known; None if there is none."""
        tip = self._memory.tip
        return None if tip is None else tip.number

    def begin(self, block: B) -> None:
        """Start behind a block, unless one has started already; it is told if it is notified."""
        if self._memory.tip is None:
            self._memory.apply(Step(added=(block,)))
            self._untold = block

    def forget(self) -> None:
        """Start anew with whatever is notified next."""
        self.interrupt()
        self._memory.forget()
        self._untold = None

    def recover(self) -> Deferred[None]:
        """Find out what was missed, tell it, and go live.

        Returns:
            Fires when that is done, whether it went well or not.
        """
        return self._start(self._recover())

    # Ours

    async def _recover(self) -> None:
        if self._memory.tip is None:
            await self._recover_nothing()
        elif self._reader.can_fetch:
            audience = tuple(self._hooks.audience())
            try:
                way = await self._reader.tries(lambda: self._way_to_latest(audience))
            except FETCH_FAILURES as failure:
                # The next notification shows what is missing.
                self._log.warn("the head is not to be had: {failure}", failure=str(failure))
            else:
                self._tell(way, audience)

    async def _recover_nothing(self) -> None:
        """Tell that something may be missing, when it is not known where one has started."""
        latest = None
        if self._reader.can_fetch:
            try:
                latest = await self._reader.tries(self._reader.latest)
            except FETCH_FAILURES as failure:
                self._log.warn("the head is not to be had: {failure}", failure=str(failure))
        gap = Gap(None, None if latest is None else latest.number)
        self._tell_gap(gap, self._hooks.audience())
        if latest is not None:
            self.begin(latest)

    def _process(self, raw: N) -> None:
        block, tip = raw.contents.block, self._memory.tip
        if block is None:
            self._tell_contents(raw.contents, self._hooks.audience())
        elif tip is not None and tip == self._untold and block.hash == tip.hash:
            self._untold = None
            self._tell_contents(raw.contents, self._hooks.audience())
        elif tip is None or _joins(tip, block):
            self._tell_last(Step(added=(block,)), raw.contents)
        elif not self._memory.knows(block.number, block.hash):
            self._start(self._catch_up(raw, block))
            return
        self._hooks.told(raw)

    async def _catch_up(self, notification: N, block: B) -> None:
        audience = tuple(self._hooks.audience())
        try:
            way = await self._reader.tries(lambda: self._way_to(block, audience, last=False))
        except FETCH_FAILURES as failure:
            self._log.warn("blocks are missing: {failure}", failure=str(failure))
            way = _Way(self._without_asking(block), {})
        self._tell_before(way, audience)
        self._tell_last(way.step, notification.contents)
        self._hooks.told(notification)

    async def _way_to_latest(self, audience: Sequence[L]) -> _Way[B, C]:
        latest = await self._reader.latest()
        if self._memory.knows(latest.number, latest.hash):
            return _Way(Step(), {})
        return await self._way_to(latest, audience, last=True)

    async def _way_to(self, block: B, audience: Sequence[L], *, last: bool) -> _Way[B, C]:
        """Find the way to a block, and fetch what lies on it.

        Args:
            block: where to.
            audience: who will be told.
            last: whether what there is of the block itself has to be fetched, too.
        """
        if await self._is_told_late(block):
            return _Way(Step(), {})
        plan = follow(
            self._memory, block, after=None, bound=self._options.backfill_blocks, behind=0
        )
        step = await self._reader.run(plan)
        missing = step.added if last else step.added[:-1]
        # One after the other: a node that is asked too much refuses everything.
        fetched = {one.number: await self._reader.contents(one, audience) for one in missing}
        # Remembered as told: with their transactions.
        whole = [fetched[one.number].block or one for one in missing]
        added = (*whole, *step.added[len(missing) :])
        return _Way(replace(step, added=added), fetched)

    async def _is_told_late(self, block: B) -> bool:
        """Tell whether a block lies below where one has begun, on the same chain.

        Servers that wait for confirmations tell of blocks long after they have become the head.
        """
        oldest = self._memory.oldest
        if oldest is None or block.number >= oldest.number or not self._reader.can_fetch:
            return False
        (found,) = await self._reader.answer(ByNumber((oldest.number,)))
        return found is not None and found.hash == oldest.hash

    def _without_asking(self, block: B) -> Step[B]:
        """Return what can be said about a block whose parent is not to be had."""
        tip = self._memory.tip
        if tip is None or block.number > tip.number + 1:
            first = None if tip is None else tip.number + 1
            return Step(gap=Gap(first, block.number - 1), added=(block,))
        # The block below is another one than was told; how many more are is not known.
        removed = self._memory.above(block.number - 2)
        return Step(removed=removed, gap=Gap(None, block.number - 1), added=(block,))

    def _tell(self, way: _Way[B, C], audience: Sequence[L]) -> None:
        self._tell_before(way, audience)
        if way.step.added:
            self._tell_last(way.step, way.fetched[way.step.added[-1].number])

    def _tell_before(self, way: _Way[B, C], audience: Sequence[L]) -> None:
        """Tell all of a step but its last block, to those who were there when it was fetched."""
        present = self._hooks.audience()
        there = [one for one in audience if any(one is each for each in present)]
        removed = tuple(one for one in way.step.removed if one != self._untold)
        if removed:
            reset = Reset(first=removed[-1].number, removed=removed)
            for one in present:
                one.deliver(reset)
        if way.step.gap is not None:
            self._tell_gap(way.step.gap, there)
        for block in way.step.added[:-1]:
            self._tell_contents(way.fetched[block.number], there)

    def _tell_last(self, step: Step[B], contents: C) -> None:
        if step.added:
            self._tell_contents(contents, self._hooks.audience())
        self._memory.apply(step)

    def _tell_gap(self, gap: Gap, audience: Sequence[L]) -> None:
        for one in audience:
            one.deliver(gap)
            self._hooks.gap(one, gap)

    def _tell_contents(self, contents: C, audience: Sequence[L]) -> None:
        for one in audience:
            one.tell(contents)


def _joins(tip: Linked, block: Linked) -> bool:
    return block.number == tip.number + 1 and block.parent_hash == tip.hash
