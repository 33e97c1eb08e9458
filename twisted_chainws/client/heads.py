"""What is remembered of heads, and how a new one is joined to them. Pure.

The rule: whatever is told, each head stands on the head told before it, after the removals that
come first. ``follow`` asks for the blocks that are missing: it yields an Ask, is sent the answer,
and returns a Step. It believes only in blocks that hang together, for the chain may change while
it asks.

A head is of whatever chain: all that is asked of it is to be ``Linked``.

Source: ``ethereum.md`` 3.3, 6.1 (with its defects (a) to (c) avoided), 6.3 points 4 and 6;
``zilliqa.md`` 5.1 point 4.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, Protocol, TypeAlias, TypeVar

__all__ = [
    "BLOCKS_AT_ONCE", "RETAINED_HEADS", "Ask", "ByHash", "ByNumber", "Found", "Gap", "HeadMemory",
    "Linked", "Reset", "Step", "Unreachable", "follow", "is_news",
]  # fmt: skip

RETAINED_HEADS: Final = 256
"""Heads that are remembered, and with them the depth of a reorganisation that is reported."""

BLOCKS_AT_ONCE: Final = 10
"""Blocks that are asked for at a time."""


class Linked(Protocol):
    """A block of a chain.

    Attributes:
        number: height.
        hash: by which it is known.
        parent_hash: of the block below.
    """

    @property
    def number(self) -> int:
        """See above."""

    @property
    def hash(self) -> str:
        """See above."""

    @property
    def parent_hash(self) -> str:
        """See above."""


H = TypeVar("H", bound=Linked)


@dataclass(frozen=True, slots=True)
class Gap:
    """Blocks whose events could not be fetched after an outage.

    Attributes:
        first: the lowest of them, None if it is not known.
        last: the highest, None if it is not known: up to where events go on.
    """

    first: int | None
    last: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reset(Generic[H]):
    """Blocks have left the chain, and what was told of them is void: heights are told again.

    Attributes:
        first: the lowest height that is known to have changed.
        removed: the blocks that were told and have left, newest first, as far as remembered.
    """

    first: int
    removed: tuple[H, ...]


class Unreachable(Exception):
    """The server has not got a block that it has just told of."""


@dataclass(frozen=True, slots=True)
class ByNumber:
    """Ask for the canonical blocks of some numbers, in this order."""

    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ByHash:
    """Ask for the block of a hash.

    Attributes:
        hash: of the block.
        number: its height, for servers that know blocks by that only.
    """

    hash: str
    number: int


Ask: TypeAlias = ByNumber | ByHash
Found: TypeAlias = Sequence[Any]
"""The answer to an Ask: as many as were asked for, None for what the server has not got."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step(Generic[H]):
    """How the chain has changed.

    Attributes:
        removed: heads that have left, newest first.
        gap: None if nothing is missing.
        added: heads that have joined, oldest first.
    """

    removed: tuple[H, ...] = ()
    gap: Gap | None = None
    added: tuple[H, ...] = ()


@dataclass(slots=True)
class HeadMemory(Generic[H]):
    """The heads that were told and stand, as a chain without holes.

    Attributes:
        retained: how many there may be.
    """

    retained: int = RETAINED_HEADS
    _heads: dict[int, H] = field(default_factory=dict)

    @property
    def tip(self) -> H | None:
        """The newest, None if there is none."""
        return next(reversed(self._heads.values()), None)

    @property
    def oldest(self) -> H | None:
        """The oldest, None if there is none."""
        return next(iter(self._heads.values()), None)

    def knows(self, number: int, block_hash: str) -> bool:
        """Tell whether a block is one of them."""
        head = self._heads.get(number)
        return head is not None and head.hash == block_hash

    def above(self, number: int) -> tuple[H, ...]:
        """Return those above a height, newest first."""
        return tuple(head for head in reversed(self._heads.values()) if head.number > number)

    def up_to(self, number: int) -> tuple[H, ...]:
        """Return those at a height and below, newest first."""
        return tuple(head for head in reversed(self._heads.values()) if head.number <= number)

    def apply(self, step: Step[H]) -> None:
        """Remember a step; a gap makes what was before worth nothing."""
        for head in step.removed:
            del self._heads[head.number]
        if step.gap is not None:
            self._heads.clear()
        for head in step.added:
            self._heads[head.number] = head
        while len(self._heads) > self.retained:
            del self._heads[next(iter(self._heads))]

    def forget(self) -> None:
        """Begin anew."""
        self._heads.clear()


def follow(
    memory: HeadMemory[H], target: H, *, after: int | None, bound: int, behind: int
) -> Generator[Ask, Found, Step[H]]:
    """Find the way from what is remembered to a head.

    Args:
        memory: is not changed.
        target: the head.
        after: if nothing is remembered, the height above which heads are wanted; None for only
            the target.
        bound: the most heads to add.
        behind: how far below the oldest that is remembered a head is taken for one of a server
            that lags, not for a new chain.

    Raises:
        Unreachable: a block on the way is not to be had.
    """
    if not is_news(memory, target, behind=behind):
        return Step()
    branch = [target]
    fetched: dict[int, H] = {}
    while not _is_joined(memory, branch[-1], after):
        if len(branch) >= bound:
            return (yield from _with_gap(memory, branch, after))
        low = branch[-1]
        wanted = _missing_below(memory, low, after, min(BLOCKS_AT_ONCE, bound - len(branch)))
        if len(wanted) > 1 and low.number - 1 not in fetched:
            fetched = {head.number: head for head in (yield ByNumber(wanted)) if head is not None}
        parent = fetched.get(low.number - 1)
        if parent is None or parent.hash != low.parent_hash:
            parent = (yield ByHash(low.parent_hash, low.number - 1))[0]
        if parent is None or (parent.hash, parent.number) != (low.parent_hash, low.number - 1):
            raise Unreachable(f"block {low.number - 1}")
        branch.append(parent)
    return Step(removed=memory.above(branch[-1].number - 1), added=tuple(reversed(branch)))


def is_news(memory: HeadMemory[H], target: H, *, behind: int) -> bool:
    """Tell whether a head is neither one that was told nor one of a server that lags.

    Args:
        memory: what was told.
        target: the head.
        behind: as of ``follow``.
    """
    return not (memory.knows(target.number, target.hash) or _lags(memory, target, behind))


def _lags(memory: HeadMemory[H], target: H, behind: int) -> bool:
    oldest = memory.oldest
    if oldest is None or target.number >= oldest.number:
        return False
    if target.number == oldest.number - 1:
        return target.hash == oldest.parent_hash
    return target.number >= oldest.number - behind


def _is_joined(memory: HeadMemory[H], low: H, after: int | None) -> bool:
    """Tell whether nothing that is wanted lies below."""
    oldest = memory.oldest
    if oldest is None:
        return after is None or low.number <= after + 1
    return low.number <= oldest.number or memory.knows(low.number - 1, low.parent_hash)


def _missing_below(memory: HeadMemory[H], low: H, after: int | None, most: int) -> tuple[int, ...]:
    """Return numbers below ``low`` that were never told, which may be asked for at a time.

    Where something was told already, a reorganisation is as a rule short, and its blocks are asked
    for one by one.
    """
    tip = memory.tip
    floor = after or 0 if tip is None else tip.number
    return tuple(range(low.number - 1, max(floor, low.number - 1 - most), -1))


def _with_gap(
    memory: HeadMemory[H], branch: list[H], after: int | None
) -> Generator[Ask, Found, Step[H]]:
    """Give up reaching down to what is remembered, but find out what of it stands."""
    low = branch[-1]
    removed = list(memory.above(low.number - 1))
    below = memory.up_to(low.number - 1)
    oldest = memory.oldest
    first = (after or 0) + 1 if oldest is None else oldest.number
    for start in range(0, len(below), BLOCKS_AT_ONCE):
        some = below[start : start + BLOCKS_AT_ONCE]
        there = yield ByNumber(tuple(head.number for head in some))
        for head, now in zip(some, there, strict=True):
            if now is not None and now.hash == head.hash:
                if head.number == low.number - 1:
                    # It does not hang together with ``low``: the chain has changed meanwhile.
                    raise Unreachable(f"block {head.number}")
                gap = Gap(head.number + 1, low.number - 1)
                return Step(removed=tuple(removed), gap=gap, added=tuple(reversed(branch)))
            removed.append(head)
    gap = Gap(first, low.number - 1)
    return Step(removed=tuple(removed), gap=gap, added=tuple(reversed(branch)))
