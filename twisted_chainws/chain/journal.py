"""The append-only record of what happened to the chain, and its keeper in memory. Sans-I/O.

Folding the journal from any place gives the canonical chain of any later place: ``fold`` is that
sentence as code.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Protocol

from twisted_chainws.chain.model import Block
from twisted_chainws.chain.ops import Advance, Cursor, Finalise, Op, Transition
from twisted_chainws.chain.types import BlockNumber, Seq
from twisted_chainws.errors import (
    CursorAhead,
    CursorExpired,
    CursorForeign,
    CursorMalformed,
    NotCanonical,
    UnknownParent,
)


class Journal(Protocol):
    """What every keeper of a journal offers."""

    @property
    def epoch(self) -> int:
        """The random 64-bit number drawn when the journal began."""

    @property
    def head(self) -> Seq:
        """Place of the newest operation; 0 while there is none."""

    @property
    def floor(self) -> Seq:
        """The smallest place after which everything is still kept."""

    def advance(self, transition: Transition) -> Advance:
        """Write a transition down and give it its place."""

    def finalise(self, number: BlockNumber) -> Finalise:
        """Write down that blocks up to and including ``number`` stay."""

    def read(self, after: Seq, limit: int) -> tuple[Op, ...]:
        """Return at most ``limit`` operations after a place, oldest first.

        Raises:
            CursorExpired: the place lies below the floor.
            CursorAhead: it lies beyond the head.
        """

    def cursor(self, seq: Seq, index: int | None = None) -> Cursor:
        """Name a place of this journal."""

    def resume(self, cursor: Cursor, limit: int) -> tuple[Op, ...]:
        """Return at most ``limit`` operations of which the cursor's holder misses something.

        With an ``index`` the cursor's own operation comes first: its holder has received only that
        many items of it.

        Raises:
            CursorForeign: another journal wrote it.
            CursorExpired: what follows is no longer all kept.
            CursorAhead: it lies beyond the head.
            CursorMalformed: it counts items of place 0, where there is no operation.
        """


class MemoryJournal:
    """A journal in a ring: the newest ``capacity`` operations, gone with the process."""

    def __init__(self, *, epoch: int, capacity: int = 1024) -> None:
        self.epoch = epoch
        self._ops: deque[Op] = deque(maxlen=capacity)
        self._head = 0

    @property
    def head(self) -> Seq:
        """Place of the newest operation; 0 while there is none."""
        return Seq(self._head)

    @property
    def floor(self) -> Seq:
        """The smallest place after which everything is still kept."""
        return Seq(self._head - len(self._ops))

    def advance(self, transition: Transition) -> Advance:
        """Write a transition down; see ``Journal``."""
        op = Advance(seq=Seq(self._head + 1), undone=transition.undone, applied=transition.applied)
        self._append(op)
        return op

    def finalise(self, number: BlockNumber) -> Finalise:
        """Write down what is final; see ``Journal``."""
        op = Finalise(seq=Seq(self._head + 1), number=number)
        self._append(op)
        return op

    def read(self, after: Seq, limit: int) -> tuple[Op, ...]:
        """Return operations after a place; see ``Journal``."""
        if after < self.floor:
            raise CursorExpired(oldest=self._oldest_text(), head=self._head_text())
        if after > self.head:
            raise CursorAhead(oldest=self._oldest_text(), head=self._head_text())
        start = after - self.floor
        return tuple(islice(self._ops, start, start + limit))

    def cursor(self, seq: Seq, index: int | None = None) -> Cursor:
        """Name a place of this journal."""
        return Cursor(epoch=self.epoch, seq=seq, index=index)

    def resume(self, cursor: Cursor, limit: int) -> tuple[Op, ...]:
        """Return what the cursor's holder misses; see ``Journal``."""
        if cursor.epoch != self.epoch:
            raise CursorForeign(oldest=self._oldest_text(), head=self._head_text())
        if cursor.index is None:
            return self.read(cursor.seq, limit)
        if cursor.seq == 0:
            raise CursorMalformed(text=str(cursor))
        if cursor.seq > self.head:
            raise CursorAhead(oldest=self._oldest_text(), head=self._head_text())
        return self.read(Seq(cursor.seq - 1), limit)

    def _append(self, op: Op) -> None:
        self._ops.append(op)
        self._head += 1

    def _oldest_text(self) -> str:
        return str(self.cursor(self.floor))

    def _head_text(self) -> str:
        return str(self.cursor(self.head))


def fold(ops: Iterable[Op], base: Sequence[Block]) -> tuple[Block, ...]:
    """Apply operations to the chain as it was before the first of them.

    Args:
        ops: in the order of the journal.
        base: blocks oldest first, at least as deep as the operations undo; empty before genesis.

    Returns:
        The chain after the last operation, oldest first.

    Raises:
        NotCanonical: an operation undoes a block that is not the head.
        UnknownParent: an operation applies a block that does not follow the head.
    """
    chain = list(base)
    for op in ops:
        if isinstance(op, Advance):
            _fold_advance(op, chain)
    return tuple(chain)


def _fold_advance(op: Advance, chain: list[Block]) -> None:
    for block in op.undone:
        if not chain or chain[-1].hash != block.hash:
            raise NotCanonical(block_hash=block.hash)
        chain.pop()
    for block in op.applied:
        if chain and chain[-1].hash != block.parent_hash:
            raise UnknownParent(parent_hash=block.parent_hash)
        chain.append(block)
