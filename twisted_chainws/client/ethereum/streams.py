"""From what a server sends for a subscription to events that hang together.

What happened is found out after an outage, and because a head does not stand on the one before.

Source: ``ethereum.md`` 3.3, 6.1, 6.3 points 4, 6 and 7.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import Deferred

from twisted_chainws.client.errors import BadAnswer
from twisted_chainws.client.ethereum.logs import LogMemory, LogPlan, net, plan_logs
from twisted_chainws.client.ethereum.reader import Reader
from twisted_chainws.client.ethereum.values import (
    Event,
    Gap,
    Head,
    HeadRemoved,
    Log,
    decode_head,
    decode_log,
)
from twisted_chainws.client.fetching import FETCH_FAILURES
from twisted_chainws.client.heads import (
    ByNumber,
    HeadMemory,
    Step,
    Unreachable,
    follow,
    is_news,
)
from twisted_chainws.client.options import ClientOptions
from twisted_chainws.client.status import Counters
from twisted_chainws.client.stream import OrderedStream

__all__ = ["HeadStream", "Height", "LogStream", "RawStream", "Stream", "StreamHooks"]


@dataclass(slots=True)
class Height:
    """How high the chain is as far as a client knows.

    Attributes:
        live: up to where subscriptions are known to work.
        highest: the highest head that was seen.
    """

    live: int = 0
    highest: int = 0

    def works(self, number: int) -> None:
        """Take note of a number that came by a subscription, or while all was well."""
        self.live = max(self.live, number)
        self.highest = max(self.highest, number)

    def believe(self, number: int) -> None:
        """Take note of the head after an outage or a reorganisation, lower than before perhaps."""
        self.live = self.highest = number


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamHooks:
    """Whom a stream tells.

    Attributes:
        event: takes the next event.
        gap: hears of a Gap.
        overflow: too much waits.
        removed: hears of heads that have left the chain, before events tell of it.
    """

    event: Callable[[Event], None]
    gap: Callable[[Gap], None]
    overflow: Callable[[], None]
    removed: Callable[[tuple[Head, ...]], None]


class Stream(OrderedStream[Any]):
    """The events of one subscription as they are on the wire; what was missed is lost.

    Attributes:
        heard_at: reactor seconds of the latest message.
        start: height of the head when the subscription was made; None if it is not known.
    """

    fills = False
    """Whether what was missed is fetched."""

    def __init__(
        self,
        *,
        reader: Reader,
        options: ClientOptions,
        height: Height,
        counters: Counters,
        hooks: StreamHooks,
    ) -> None:
        """Prepare.

        Args:
            reader: fetches.
            options: of the client.
            height: of the client.
            counters: of the client.
            hooks: hear of events.
        """
        super().__init__(queue_size=options.queue_size, overflow=hooks.overflow)
        self.heard_at = 0.0
        self.start: int | None = None
        self._reader = reader
        self._options = options
        self._height = height
        self._counters = counters
        self._hooks = hooks

    def recover(self, to: int | None, covered: int) -> Deferred[None]:
        """Find out what was missed, tell it, and go live.

        Args:
            to: height of the head; None if it is not to be had.
            covered: height up to which the subscription had worked.

        Returns:
            Fires when that is done, whether it went well or not.
        """
        return self._start(self._recover(to, covered))

    async def _recover(self, to: int | None, covered: int) -> None:  # noqa: ARG002 - of no use here
        self._hooks.gap(Gap(None, None))

    def _process(self, raw: Any) -> None:
        self._hooks.event(raw)

    def _tell_gap(self, gap: Gap) -> None:
        self._counters.gaps += 1
        self._hooks.event(gap)
        self._hooks.gap(gap)


class RawStream(Stream):
    """Events as they come."""


class HeadStream(Stream):
    """Heads, each standing on the one before."""

    fills = True

    def __init__(self, **collaborators: Any) -> None:
        super().__init__(**collaborators)
        self._memory: HeadMemory[Head] = HeadMemory()

    @property
    def reached(self) -> int | None:
        """The height of the latest head, or where the subscription began; None if unknown."""
        tip = self._memory.tip
        return self.start if tip is None else tip.number

    async def has_missed(self, number: int) -> bool:
        """Tell whether the server's head should have been told.

        Args:
            number: its height, which is no higher than what was told if the chain is another.
        """
        reached = self.reached
        if reached is None or number > reached or self._memory.tip is None:
            return reached is not None and number > reached
        head = (await self._reader.answer(ByNumber((number,))))[0]
        return head is not None and is_news(self._memory, head, behind=self._options.behind_blocks)

    def _process(self, raw: Any) -> None:
        try:
            head = decode_head(raw)
        except BadAnswer:
            self._counters.strays += 1
            return
        tip = self._memory.tip
        if tip is None or (head.number == tip.number + 1 and head.parent_hash == tip.hash):
            self._tell(Step(added=(head,)))
        elif not self._memory.knows(head.number, head.hash):
            self._start(self._catch_up(head))

    async def _catch_up(self, head: Head) -> None:
        try:
            step = await self._reader.tries(lambda: self._way_to_told(head))
        except FETCH_FAILURES as failure:
            self._log.warn("heads are missing: {failure}", failure=str(failure))
            tip = self._memory.tip
            jumped = tip is not None and head.number > tip.number + 1
            first = tip.number + 1 if tip is not None and jumped else None
            step = Step(
                removed=self._memory.above(head.number - 1),
                gap=Gap(first, head.number - 1),
                added=(head,),
            )
        self._tell(step)

    async def _recover(self, to: int | None, covered: int) -> None:  # noqa: ARG002 - heads tell
        if self.reached is None:
            self.start = to
            self._tell_gap(Gap(None, to))
            return
        try:
            if to is None:
                raise Unreachable("the head")
            step = await self._reader.tries(lambda: self._way_to_number(to))
        except FETCH_FAILURES as failure:
            self._log.warn("heads are missing: {failure}", failure=str(failure))
            step = Step(gap=Gap(self.reached + 1, to))
        self._tell(step)

    async def _way_to_told(self, head: Head) -> Step[Head]:
        there = (await self._reader.answer(ByNumber((head.number,))))[0]
        if there is not None and there.hash != head.hash:
            # The chain is another by now. Its heads are on their way, or were fetched before.
            return Step()
        return await self._way_to(head, None)

    async def _way_to_number(self, number: int) -> Step[Head]:
        head = (await self._reader.answer(ByNumber((number,))))[0]
        if head is None:
            raise Unreachable(f"block {number}")
        if self._memory.tip is None and self.start is not None and number <= self.start:
            return Step()
        return await self._way_to(head, self.start)

    async def _way_to(self, head: Head, after: int | None) -> Step[Head]:
        options = self._options
        return await self._reader.run(
            follow(
                self._memory,
                head,
                after=after,
                bound=options.backfill_blocks,
                behind=options.behind_blocks,
            )
        )

    def _tell(self, step: Step[Head]) -> None:
        self._memory.apply(step)
        if step.gap is not None and not step.added:
            # Nothing to stand on: what comes next is taken as it is.
            self.start = step.gap.last
        if step.removed:
            self._hooks.removed(step.removed)
            self._height.believe(step.removed[-1].number - 1)
        for head in step.removed:
            self._hooks.event(HeadRemoved(head=head))
        if step.gap is not None:
            self._tell_gap(step.gap)
        for head in step.added:
            self._hooks.event(head)
        if step.added:
            self._height.works(step.added[-1].number)


class LogStream(Stream):
    """Logs, each once, and its removal, before what replaces it."""

    fills = True

    def __init__(self, *, criteria: Any, **collaborators: Any) -> None:
        """Prepare; ``criteria`` are the options of the subscription."""
        super().__init__(**collaborators)
        self._criteria = criteria
        self._memory = LogMemory()
        self._doubted: set[tuple[int, str]] = set()

    def doubt(self, heads: tuple[Head, ...]) -> None:
        """Find out whether logs of blocks that have left are gone: a server may forget to say so.

        They may stand as well: what heads tell may be older than what is known of logs.
        """
        self._doubted.update((head.number, head.hash) for head in heads)
        if not self._busy and self._doubts():
            self._start(self._ask())

    def _doubts(self) -> bool:
        self._doubted.intersection_update(self._memory.blocks())
        return bool(self._doubted)

    def _live(self, number: int) -> None:
        if self._runs == number and self._doubts():
            self._start(self._ask())
        else:
            super()._live(number)

    async def _ask(self) -> None:
        """Take back the logs of doubted blocks that are not of the chain."""
        blocks = sorted(self._doubted)
        ask = ByNumber(tuple(number for number, _ in blocks))
        try:
            there = await self._reader.tries(lambda: self._reader.answer(ask))
        except FETCH_FAILURES as failure:
            self._log.warn("blocks are missing: {failure}", failure=str(failure))
            there = [None] * len(blocks)
        self._doubted.difference_update(blocks)
        hashes = (None if block is None else block.hash for block in there)
        gone = [block for block, now in zip(blocks, hashes, strict=True) if block[1] != now]
        for log in self._memory.remove(gone):
            self._hooks.event(log)

    def _process(self, raw: Any) -> None:
        try:
            log = decode_log(raw)
        except BadAnswer:
            self._counters.strays += 1
            return
        self._tell(log)

    def _tell(self, log: Log) -> None:
        if not log.removed:
            self._height.works(log.block_number)
        for event in self._memory.take(log):
            self._hooks.event(event)

    def _sifted(self, backlog: deque[Any]) -> deque[Any]:
        logs = []
        for raw in backlog:
            try:
                logs.append(decode_log(raw))
            except BadAnswer:
                self._counters.strays += 1
        return deque(log.raw for log in net(logs))

    async def _recover(self, to: int | None, covered: int) -> None:
        blocks = self._memory.blocks()
        after = blocks[-1][0] - 1 if self.start is None and blocks else self.start
        if after is None:
            self.start = to
            self._tell_gap(Gap(None, to))
            return
        try:
            if to is None:
                raise Unreachable("the head")
            plan, logs = await self._reader.tries(lambda: self._missed(to, after, covered))
        except FETCH_FAILURES as failure:
            self._log.warn("logs are missing: {failure}", failure=str(failure))
            self._tell_gap(Gap(max(after, covered) + 1, to))
            return
        for gone in self._memory.remove(plan.gone):
            self._hooks.event(gone)
        if plan.gap is not None:
            self._tell_gap(plan.gap)
        for log in logs:
            self._tell(log)

    async def _missed(self, to: int, after: int, covered: int) -> tuple[LogPlan, list[Log]]:
        plan = await self._reader.run(
            plan_logs(
                self._memory.blocks(),
                to=to,
                after=after,
                covered=covered,
                bound=self._options.backfill_blocks,
            )
        )
        return plan, await self._reader.logs(self._criteria, plan.first, plan.last)
