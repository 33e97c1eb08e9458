"""What is remembered of logs, what is new about one, and what to fetch after an outage. Pure.

A log is known by block hash and index. At one height there is one block, so a log of another block
says that those remembered there are gone, whether or not the server will say so, too.

Source: ``ethereum.md`` 3.3, 6.1 (with its defects avoided), 6.3 points 4 and 6.
"""

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from twisted_chainws.client.ethereum.values import Gap, Log
from twisted_chainws.client.heads import BLOCKS_AT_ONCE, Ask, ByNumber, Found, Unreachable

__all__ = ["RETAINED_BLOCKS", "RETAINED_LOGS", "LogMemory", "LogPlan", "net", "plan_logs"]

RETAINED_BLOCKS: Final = 256
"""How far below the newest a log is remembered, in blocks."""

RETAINED_LOGS: Final = 100_000
"""How many logs are remembered."""


class LogMemory:
    """The logs that were told and stand."""

    def __init__(self, blocks: int = RETAINED_BLOCKS, logs: int = RETAINED_LOGS) -> None:
        self._most_blocks = blocks
        self._most_logs = logs
        self._by_block: dict[tuple[int, str], dict[int, Log]] = {}
        self._hash_at: dict[int, str] = {}
        self._count = 0
        self._newest = 0

    def __len__(self) -> int:
        """Count the logs."""
        return self._count

    def blocks(self) -> list[tuple[int, str]]:
        """Return number and hash of the blocks with logs, newest first."""
        return sorted(self._by_block, reverse=True)

    def take(self, log: Log) -> list[Log]:
        """Take in what a server tells, and return what is new to subscribers, in order.

        A log that is known is not new, nor is the removal of one that is not known. Others are
        removed before the log that contradicts them.
        """
        block = (log.block_number, log.block_hash)
        if log.removed:
            return self._remove(block, log)
        if log.log_index in self._by_block.get(block, ()):
            return []
        there = self._hash_at.get(log.block_number)
        gone = [] if there in (None, log.block_hash) else self._remove_from(log.block_number)
        self._by_block.setdefault(block, {})[log.log_index] = log
        self._hash_at[log.block_number] = log.block_hash
        self._count += 1
        self._newest = max(self._newest, log.block_number)
        self._shrink()
        return [*gone, log]

    def remove(self, blocks: Iterable[tuple[int, str]]) -> list[Log]:
        """Remove all logs of some blocks, and return them as removed, oldest first."""
        gone: list[Log] = []
        for block in sorted(blocks):
            logs = self._drop(block)
            gone += [logs[index].as_removed() for index in sorted(logs)]
        if gone:
            self._newest = max((number for number, _ in self._by_block), default=0)
        return gone

    def _remove(self, block: tuple[int, str], log: Log) -> list[Log]:
        logs = self._by_block.get(block, {})
        if logs.pop(log.log_index, None) is None:
            return []
        self._count -= 1
        if not logs:
            self._drop(block)
        return [log]

    def _remove_from(self, number: int) -> list[Log]:
        return self.remove([block for block in self._by_block if block[0] >= number])

    def _drop(self, block: tuple[int, str]) -> dict[int, Log]:
        logs = self._by_block.pop(block)
        self._count -= len(logs)
        del self._hash_at[block[0]]
        return logs

    def _shrink(self) -> None:
        """Forget the oldest blocks, not the newest, when there are too many."""
        while len(self._by_block) > 1:
            oldest = min(self._by_block)
            if oldest[0] >= self._newest - self._most_blocks and self._count <= self._most_logs:
                return
            self._drop(oldest)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPlan:
    """What to do after an outage.

    Attributes:
        gone: number and hash of blocks whose logs have left the chain.
        gap: blocks that are not asked for, None for none.
        first: the lowest block to ask for logs of.
        last: the highest; nothing is to be asked for if it is lower.
    """

    gone: tuple[tuple[int, str], ...]
    gap: Gap | None
    first: int
    last: int


def plan_logs(
    blocks: Sequence[tuple[int, str]], *, to: int, after: int, covered: int, bound: int
) -> Generator[Ask, Found, LogPlan]:
    """Find what stands of the logs that are remembered, and what to fetch.

    Args:
        blocks: number and hash of blocks with logs, newest first.
        to: the head.
        after: the height above which logs are wanted at all.
        covered: the height up to which the subscription is known to have worked.
        bound: the most blocks to fetch logs of.

    Raises:
        Unreachable: the server does not know a block below its head.
    """
    gone: list[tuple[int, str]] = []
    first = after + 1
    for start in range(0, len(blocks), BLOCKS_AT_ONCE):
        some = blocks[start : start + BLOCKS_AT_ONCE]
        there = yield ByNumber(tuple(number for number, _ in some))
        standing = None
        for (number, block_hash), now in zip(some, there, strict=True):
            if now is None and number <= to:
                raise Unreachable(f"block {number}")
            if now is not None and now.hash == block_hash:
                standing = number
                break
            gone.append((number, block_hash))
        if standing is not None:
            # Of this block, too: the connection may have ended in the middle of its logs.
            first = standing
            break
    # If nothing stands, the chain may have changed below all that is remembered, where the old
    # blocks had no logs and the new ones have: then everything is asked for, as far as it goes.
    lowest = max(to - bound + 1, 0)
    gap = None
    if first < lowest:
        missing = max(first, covered + 1)
        gap = Gap(missing, lowest - 1) if missing < lowest else None
        first = lowest
    return LogPlan(gone=tuple(gone), gap=gap, first=first, last=to)


def net(logs: Sequence[Log]) -> list[Log]:
    """Leave out the logs that are removed later in the same sequence.

    Their removals stay: the logs may be known from elsewhere.
    """
    kept: list[Log] = []
    removed: set[tuple[str, int]] = set()
    for log in reversed(logs):
        if log.removed:
            removed.add(log.key)
        elif log.key in removed:
            continue
        kept.append(log)
    return kept[::-1]
