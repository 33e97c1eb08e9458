"""Which blocks may be told of where a block told of cannot be taken back. Sans-I/O."""

from collections import deque
from collections.abc import Sequence

from twisted_chainws.chain.model import Block
from twisted_chainws.chain.ops import Advance


class Confirmations:
    """Lets blocks through once so many others stand on them.

    A reorganisation below that lets blocks of heights through that were let through before; a
    rollback lets nothing through.

    Args:
        blocks: the chain known so far, oldest first.
        depth: how many blocks; 0 lets every block through as it comes.
    """

    def __init__(self, blocks: Sequence[Block], *, depth: int) -> None:
        self._depth = depth
        self._waiting = deque(blocks[-depth:] if depth else ())

    def confirmed(self, advance: Advance) -> list[Block]:
        """Take a change of the chain; return the blocks that are deep enough now, oldest first."""
        undone, applied = advance.undone, advance.applied
        # What left and came back is nothing new.
        stayed = 0
        for before, after in zip(reversed(undone), applied, strict=False):
            if before.hash != after.hash:
                break
            stayed += 1
        for _ in undone[: len(undone) - stayed]:
            if self._waiting:
                self._waiting.pop()
        self._waiting.extend(applied[stayed:])
        excess = len(self._waiting) - self._depth
        return [self._waiting.popleft() for _ in range(excess)]
