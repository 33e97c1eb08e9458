"""What a ledger computes of each block and the next one stands on. Sans-I/O."""

from collections import OrderedDict
from typing import Generic, TypeVar

from twisted_chainws.chain.model import Block
from twisted_chainws.chain.types import Hash32
from twisted_chainws.errors import UnknownBlockHash

L = TypeVar("L")


class Links(Generic[L]):
    """One link per canonical block, oldest first.

    Args:
        history: how many blocks below the head are kept; None keeps all. Not below what the
            chain itself keeps, or blocks cannot be undone.
    """

    __slots__ = ("_history", "_links")

    def __init__(self, *, history: int | None) -> None:
        self._history = history
        self._links: OrderedDict[Hash32, L] = OrderedDict()

    def __len__(self) -> int:
        """Count the blocks that are kept."""
        return len(self._links)

    def of(self, block: Block) -> L:
        """Return the link of a canonical block.

        Raises:
            UnknownBlockHash: it is not canonical, or no longer kept.
        """
        link = self._links.get(block.hash)
        if link is None:
            raise UnknownBlockHash(block_hash=block.hash)
        return link

    def below(self, block: Block) -> L | None:
        """Return the link of the block before, None when it is not kept."""
        return self._links.get(block.parent_hash)

    def newest(self) -> L:
        """Return the link of the newest block; there is one."""
        return next(reversed(self._links.values()))

    def push(self, block: Block, link: L) -> L | None:
        """Put the link of a block on top, and return that of the one forgotten for it, if any."""
        self._links[block.hash] = link
        if self._history is not None and len(self._links) > self._history + 1:
            return self._links.popitem(last=False)[1]
        return None

    def pop(self, block: Block) -> L:
        """Take the link of an undone block away."""
        return self._links.pop(block.hash)
