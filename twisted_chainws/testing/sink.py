"""A sink that remembers, and is as strict as the service."""

from collections.abc import Iterable, Sequence

from twisted_chainws.chain.model import Block, Transaction
from twisted_chainws.chain.types import Hash32


class RecordingSink:
    """A sink that keeps the chain it is told of, and is as strict as the service.

    Attributes:
        chain: hashes of the canonical chain, oldest first.
        undone: blocks that left, in the order in which they left.
        transactions: pending ones by hash.
        waiting: queued ones by hash.
        complaints: reasons given to ``unhealthy``.
    """

    def __init__(self, blocks: Iterable[Block] = ()) -> None:
        self.chain: list[Block] = list(blocks)
        self.undone: list[Block] = []
        self.transactions: dict[Hash32, Transaction] = {}
        self.announced: list[Hash32] = []
        self.waiting: dict[Hash32, Transaction] = {}
        self.complaints: list[str] = []

    def publish(self, block: Block) -> None:
        """Extend the chain."""
        if self.chain and block.parent_hash != self.chain[-1].hash:
            raise AssertionError(f"block {block.number} does not follow the head")
        self.chain.append(block)
        self._mined(block)

    def reorganise(self, ancestor: Hash32, applied: Sequence[Block]) -> None:
        """Replace what stands above the ancestor."""
        while self.chain and self.chain[-1].hash != ancestor:
            self.undone.append(self.chain.pop())
        if not self.chain:
            raise AssertionError("the ancestor is not canonical")
        for block in applied:
            self.publish(block)

    def pending(self, transaction: Transaction) -> None:
        """Keep an executable transaction."""
        self.waiting.pop(transaction.hash, None)
        self.transactions[transaction.hash] = transaction
        self.announced.append(transaction.hash)

    def queued(self, transaction: Transaction) -> None:
        """Keep a waiting transaction."""
        self.waiting[transaction.hash] = transaction

    def dropped(self, transaction_hash: Hash32) -> None:
        """Forget a transaction."""
        self.transactions.pop(transaction_hash, None)
        self.waiting.pop(transaction_hash, None)

    def unhealthy(self, reason: str) -> None:
        """Keep the reason."""
        self.complaints.append(reason)

    def _mined(self, block: Block) -> None:
        for transaction in block.transactions:
            self.dropped(transaction.hash)
