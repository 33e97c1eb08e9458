"""What dialects may ask about the chain and the pool: questions only, no clock. Sans-I/O."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from twisted_chainws.chain.canonical import CanonicalChain
from twisted_chainws.chain.forks import DEVELOPMENT, ForkSchedule
from twisted_chainws.chain.model import Block, EvmTransaction, Transaction
from twisted_chainws.chain.pool import PendingPool, PoolCounts
from twisted_chainws.chain.types import Address20, BlockNumber, Hash32


@dataclass(frozen=True, slots=True, kw_only=True)
class Depths:
    """How many blocks lie between the head and what counts as settled: one epoch and two."""

    safe: int = 32
    finalized: int = 64


DEFAULT_DEPTHS: Final = Depths()


class ChainView:
    """The read-only face of the model.

    Attributes:
        chain_id: EIP-155; a development command may change it.
        forks: which rules count when.
    """

    def __init__(
        self,
        *,
        chain: CanonicalChain,
        pool: PendingPool,
        chain_id: int,
        forks: ForkSchedule = DEVELOPMENT,
        depths: Depths = DEFAULT_DEPTHS,
    ) -> None:
        self._chain = chain
        self._pool = pool
        self._depths = depths
        self.chain_id = chain_id
        self.forks = forks

    @property
    def head(self) -> Block:
        """The newest block."""
        return self._chain.head

    @property
    def oldest(self) -> Block:
        """The lowest block that is kept."""
        return self._chain.oldest

    @property
    def height(self) -> BlockNumber:
        """Number of the head."""
        return self._chain.height

    @property
    def safe(self) -> Block | None:
        """The block so deep below the head, genesis on a shorter chain; None when not kept."""
        return self._below(self._depths.safe)

    @property
    def finalized(self) -> Block | None:
        """The block so deep below the head, genesis on a shorter chain; None when not kept."""
        return self._below(self._depths.finalized)

    def at(self, number: int) -> Block | None:
        """Return the canonical block of a height; see ``CanonicalChain.at``.

        Raises:
            HistoryPruned: it is no longer kept.
        """
        return self._chain.at(number)

    def block(self, block_hash: Hash32) -> Block | None:
        """Return a block by its hash, also one of a side branch; else None."""
        return self._chain.block(block_hash)

    def is_canonical(self, block_hash: Hash32) -> bool:
        """Tell whether a block of this hash lies on the canonical chain."""
        return self._chain.is_canonical(block_hash)

    def find(self, transaction_hash: Hash32) -> tuple[Block, int] | None:
        """Return the canonical block with a transaction and its position in it, else None."""
        return self._chain.find(transaction_hash)

    def blocks(self, first: int, last: int) -> Iterator[Block]:
        """Iterate over heights, both ends inclusive, ascending; see ``CanonicalChain.blocks``.

        Raises:
            HistoryPruned: ``first`` is no longer kept.
        """
        return self._chain.blocks(first, last)

    def pooled(self, transaction_hash: Hash32) -> Transaction | None:
        """Return a transaction of the pool, pending or queued; else None."""
        return self._pool.get(transaction_hash)

    def is_pending(self, transaction_hash: Hash32) -> bool:
        """Tell whether a transaction is in the pool and executable."""
        return self._pool.is_pending(transaction_hash)

    def pending_transactions(self) -> tuple[Transaction, ...]:
        """Return the executable transactions of every kind, in the order of their arrival."""
        return self._pool.pending_transactions()

    def queued_transactions(self) -> tuple[Transaction, ...]:
        """Return the waiting transactions, in the order of their arrival."""
        return self._pool.queued_transactions()

    def pending_by_sender(self) -> dict[Address20, dict[int, EvmTransaction]]:
        """Return the executable transactions: sender -> nonce (ascending) -> transaction."""
        return self._pool.pending_by_sender()

    def queued_by_sender(self) -> dict[Address20, dict[int, EvmTransaction]]:
        """Return the waiting transactions: sender -> nonce (ascending) -> transaction."""
        return self._pool.queued_by_sender()

    def next_nonce(self, sender: Address20) -> int | None:
        """Return the nonce after the sender's last executable transaction, None without any."""
        return self._pool.next_nonce(sender)

    @property
    def counts(self) -> PoolCounts:
        """How many EVM transactions of the pool are pending and queued."""
        return self._pool.counts

    def _below(self, depth: int) -> Block | None:
        number = max(self.height - depth, 0)
        return self.at(number) if number >= self.oldest.number else None
