"""The canonical chain: one block per height, extended or reorganised, never half of either.

Sans-I/O. It does not decide what is canonical: a source does. It checks that what the source says
hangs together, and says what changed.
"""

from collections.abc import Iterator, Sequence

from twisted_chainws.chain.model import Block
from twisted_chainws.chain.ops import Transition
from twisted_chainws.chain.placements import Placements
from twisted_chainws.chain.types import BlockNumber, Hash32
from twisted_chainws.errors import HistoryPruned, UnknownParent


class CanonicalChain:
    """Blocks by height, by hash and by transaction.

    Args:
        blocks: the chain known so far, oldest first, not empty; it need not begin at genesis.
        history: how many blocks below the head are kept; None keeps all.
        side_blocks: how many undone blocks can still be found by their hash; the one undone
            longest ago goes first.

    Raises:
        UnknownParent: the blocks do not follow each other.
        ValueError: there is no block.
    """

    def __init__(
        self, blocks: Sequence[Block], *, history: int | None = None, side_blocks: int = 1024
    ) -> None:
        if not blocks:
            raise ValueError("a chain needs a first block")
        _check_connected(blocks[0], blocks[1:])
        self._history = history
        self._side_blocks = side_blocks
        self._by_number: dict[int, Block] = {}
        self._by_hash: dict[Hash32, Block] = {}
        self._side: dict[Hash32, Block] = {}
        self._placements = Placements()
        self._head = self._oldest = blocks[0]
        for block in blocks:
            self._push(block)
        self._prune()

    @property
    def head(self) -> Block:
        """The newest block."""
        return self._head

    @property
    def oldest(self) -> Block:
        """The lowest block that is kept."""
        return self._oldest

    @property
    def height(self) -> BlockNumber:
        """Number of the head."""
        return self._head.number

    def extend(self, block: Block) -> Transition:
        """Put a block on top of the head.

        Raises:
            UnknownParent: the block does not follow the head; the chain is as before.
        """
        return self._change(self._head, (block,))

    def reorganise(self, ancestor: Hash32, applied: Sequence[Block]) -> Transition:
        """Take away everything above ``ancestor`` and put ``applied`` there instead.

        Blocks may leave and come back in the same step; the transition then names them twice.

        Args:
            ancestor: hash of a canonical block that stays.
            applied: oldest first, the first one on top of the ancestor; empty is a rollback.

        Raises:
            UnknownParent: the ancestor is not canonical (or its history is pruned), or the blocks
                do not follow it and each other; the chain is as before.
        """
        base = self._by_hash.get(ancestor)
        if base is None:
            raise UnknownParent(parent_hash=ancestor)
        return self._change(base, tuple(applied))

    def at(self, number: int) -> Block | None:
        """Return the canonical block of a height, None when there is none (yet).

        Raises:
            HistoryPruned: the chain was that high but no longer keeps the block.
        """
        if 0 <= number < self._oldest.number:
            raise HistoryPruned(number=number, oldest=self._oldest.number)
        return self._by_number.get(number)

    def block(self, block_hash: Hash32) -> Block | None:
        """Return a block by its hash, canonical or undone not too long ago; else None."""
        return self._by_hash.get(block_hash) or self._side.get(block_hash)

    def is_canonical(self, block_hash: Hash32) -> bool:
        """Tell whether a block of this hash is kept and lies on the canonical chain."""
        return block_hash in self._by_hash

    def find(self, transaction_hash: Hash32) -> tuple[Block, int] | None:
        """Return the canonical block with a transaction and its position in it, else None."""
        return self._placements.find(transaction_hash)

    def blocks(self, first: int, last: int) -> Iterator[Block]:
        """Iterate over the heights from ``first`` to ``last``, both inclusive, ascending.

        Heights above the head are left out. The chain is read step by step: who lets time pass
        between two steps sees the changes.

        Raises:
            HistoryPruned: at once, or later when the block has been pruned meanwhile.
        """
        self.at(first)
        return self._walk(max(first, 0), last)

    def _walk(self, first: int, last: int) -> Iterator[Block]:
        for number in range(first, last + 1):
            block = self.at(number)
            if block is None:
                return
            yield block

    def _change(self, base: Block, applied: tuple[Block, ...]) -> Transition:
        _check_connected(base, applied)
        undone = tuple(self._pop() for _ in range(self._head.number - base.number))
        for block in applied:
            self._side.pop(block.hash, None)
            self._push(block)
        self._prune()
        return Transition(undone=undone, applied=applied)

    def _push(self, block: Block) -> None:
        self._by_number[block.number] = block
        self._by_hash[block.hash] = block
        self._placements.add(block)
        self._head = block

    def _pop(self) -> Block:
        block = self._by_number.pop(self._head.number)
        del self._by_hash[block.hash]
        self._placements.undo(block)
        self._head = self._by_number[block.number - 1]
        self._side[block.hash] = block
        if len(self._side) > self._side_blocks:
            del self._side[next(iter(self._side))]
        return block

    def _prune(self) -> None:
        if self._history is None:
            return
        while self._oldest.number < self._head.number - self._history:
            block = self._by_number.pop(self._oldest.number)
            del self._by_hash[block.hash]
            self._placements.prune(block)
            self._oldest = self._by_number[block.number + 1]


def _check_connected(base: Block, blocks: Sequence[Block]) -> None:
    for block in blocks:
        if block.parent_hash != base.hash or block.number != base.number + 1:
            raise UnknownParent(parent_hash=block.parent_hash)
        base = block
