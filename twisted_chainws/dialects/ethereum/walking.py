"""Looking at many blocks in steps, so that others are not kept waiting. Sans-I/O."""

from collections.abc import Callable, Generator
from typing import Final

from twisted_chainws.chain.model import Block
from twisted_chainws.dialects.view import View

WORK_PER_STEP: Final = 5_000
"""Blocks, transactions and logs that one step looks at, about; a block counts as ten."""

_WORK_PER_BLOCK: Final = 10


def walk(
    view: View,
    first: int,
    last: int,
    visit: Callable[[Block], bool],
    restart: Callable[[], None],
) -> Generator[None, None, None]:
    """Visit canonical blocks one by one; yield after each piece of work.

    Args:
        view: of the chain.
        first: where to begin.
        last: where to end, inclusive; below ``first`` the way goes down.
        visit: takes a block; True ends the walk.
        restart: called when a block that was visited has left the chain meanwhile; all of them are
            visited again then.

    Raises:
        HistoryPruned: a block is no longer kept.
    """
    direction = 1 if first <= last else -1
    number, work = first, 0
    highest: Block | None = None
    while (last - number) * direction >= 0:
        block = view.chain.at(number)
        number += direction
        if block is None:  # a rollback made the chain shorter
            continue
        if highest is None or block.number > highest.number:
            highest = block
        if visit(block):
            return
        work += _WORK_PER_BLOCK + len(block.transactions)
        work += sum(len(receipt.logs) for receipt in block.receipts)
        if work < WORK_PER_STEP:
            continue
        yield
        work = 0
        if not view.chain.is_canonical(highest.hash):
            restart()
            number, highest = first, None
