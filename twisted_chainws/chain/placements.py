"""Where each transaction of the canonical chain stands. Sans-I/O."""

from twisted_chainws.chain.model import Block
from twisted_chainws.chain.types import Hash32


class Placements:
    """Transaction hash -> block and position, the latest one first.

    A hash can stand twice in a chain: a development chain lets one set a nonce back and send the
    same bytes again. The later place hides the earlier one, until it is undone.
    """

    def __init__(self) -> None:
        self._latest: dict[Hash32, tuple[Block, int]] = {}
        self._hidden: dict[Hash32, list[tuple[Block, int]]] = {}

    def find(self, transaction_hash: Hash32) -> tuple[Block, int] | None:
        """Return the latest block with the transaction and its position in it, or None."""
        return self._latest.get(transaction_hash)

    def add(self, block: Block) -> None:
        """Take in the new head."""
        for position, transaction in enumerate(block.transactions):
            earlier = self._latest.get(transaction.hash)
            if earlier is not None:
                self._hidden.setdefault(transaction.hash, []).append(earlier)
            self._latest[transaction.hash] = (block, position)

    def undo(self, block: Block) -> None:
        """Take the head away again."""
        for transaction in reversed(block.transactions):
            hidden = self._hidden.get(transaction.hash)
            if hidden is None:
                del self._latest[transaction.hash]
            else:
                self._latest[transaction.hash] = hidden.pop()
                self._tidy(transaction.hash, hidden)

    def prune(self, block: Block) -> None:
        """Forget the oldest block."""
        for transaction in block.transactions:
            hidden = self._hidden.get(transaction.hash)
            if hidden is None:
                del self._latest[transaction.hash]
            else:
                hidden.pop(0)
                self._tidy(transaction.hash, hidden)

    def _tidy(self, transaction_hash: Hash32, hidden: list[tuple[Block, int]]) -> None:
        if not hidden:
            del self._hidden[transaction_hash]
