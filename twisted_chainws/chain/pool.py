"""Transactions that wait for a block, as a source tells of them. Sans-I/O.

The pool holds no rules: the source decided what is executable, what waits and what was dropped.
Here it only stays consistent: one transaction per sender and nonce, none that was mined.
"""

from typing import NamedTuple

from twisted_chainws.chain.model import EvmTransaction, Transaction
from twisted_chainws.chain.ops import Transition
from twisted_chainws.chain.types import Address20, Hash32


class PoolCounts(NamedTuple):
    """How many EVM transactions are executable and how many wait for an earlier nonce."""

    pending: int
    queued: int


class PendingPool:
    """Executable (pending) and waiting (queued) transactions, in the order of their arrival.

    Native transactions have no nonce here: they are found by hash, nothing more.
    """

    def __init__(self) -> None:
        self._pending: dict[Hash32, Transaction] = {}
        self._queued: dict[Hash32, Transaction] = {}
        self._pending_slots: dict[Address20, dict[int, EvmTransaction]] = {}
        self._queued_slots: dict[Address20, dict[int, EvmTransaction]] = {}

    @property
    def counts(self) -> PoolCounts:
        """How many EVM transactions there are of each sort."""
        return PoolCounts(pending=_count(self._pending_slots), queued=_count(self._queued_slots))

    def pending(self, transaction: Transaction) -> bool:
        """Note that a transaction is executable; whatever had its sender and nonce is gone.

        Returns:
            True when it was not pending before: that is what subscribers want to hear of.
        """
        if transaction.hash in self._pending:
            return False
        self._vacate(transaction)
        self._pending[transaction.hash] = transaction
        _occupy(self._pending_slots, transaction)
        return True

    def queued(self, transaction: Transaction) -> None:
        """Note that a transaction waits for an earlier nonce, even if it was executable before."""
        self._vacate(transaction)
        self._queued[transaction.hash] = transaction
        _occupy(self._queued_slots, transaction)

    def dropped(self, transaction_hash: Hash32) -> bool:
        """Forget a transaction; False when it was not here."""
        for kept, slots in (
            (self._pending, self._pending_slots),
            (self._queued, self._queued_slots),
        ):
            transaction = kept.pop(transaction_hash, None)
            if transaction is not None:
                _free(slots, transaction)
                return True
        return False

    def apply(self, transition: Transition) -> None:
        """Forget what was mined, and what lost its nonce to a mined one.

        Transactions that a reorg took out of the chain do not return by themselves: the source
        announces those that are executable again.
        """
        for block in transition.applied:
            for transaction in block.transactions:
                self._vacate(transaction)

    def get(self, transaction_hash: Hash32) -> Transaction | None:
        """Return a transaction, pending or queued; else None."""
        return self._pending.get(transaction_hash) or self._queued.get(transaction_hash)

    def is_pending(self, transaction_hash: Hash32) -> bool:
        """Tell whether a transaction is here and executable."""
        return transaction_hash in self._pending

    def pending_transactions(self) -> tuple[Transaction, ...]:
        """Copy the executable transactions of every kind, in the order of their arrival."""
        return tuple(self._pending.values())

    def queued_transactions(self) -> tuple[Transaction, ...]:
        """Copy the waiting transactions, in the order of their arrival."""
        return tuple(self._queued.values())

    def pending_by_sender(self) -> dict[Address20, dict[int, EvmTransaction]]:
        """Copy the executable EVM transactions: sender -> nonce (ascending) -> transaction."""
        return _sorted_slots(self._pending_slots)

    def queued_by_sender(self) -> dict[Address20, dict[int, EvmTransaction]]:
        """Copy the waiting EVM transactions: sender -> nonce (ascending) -> transaction."""
        return _sorted_slots(self._queued_slots)

    def next_nonce(self, sender: Address20) -> int | None:
        """Return the nonce after the sender's last executable transaction, None without any."""
        nonces = self._pending_slots.get(sender)
        return max(nonces) + 1 if nonces else None

    def _vacate(self, transaction: Transaction) -> None:
        """Forget a transaction and any other with its sender and nonce."""
        self.dropped(transaction.hash)
        if isinstance(transaction, EvmTransaction):
            for slots in (self._pending_slots, self._queued_slots):
                rival = slots.get(transaction.sender, {}).get(transaction.nonce)
                if rival is not None:
                    self.dropped(rival.hash)


def _occupy(slots: dict[Address20, dict[int, EvmTransaction]], transaction: Transaction) -> None:
    if isinstance(transaction, EvmTransaction):
        slots.setdefault(transaction.sender, {})[transaction.nonce] = transaction


def _free(slots: dict[Address20, dict[int, EvmTransaction]], transaction: Transaction) -> None:
    if isinstance(transaction, EvmTransaction):
        nonces = slots[transaction.sender]
        del nonces[transaction.nonce]
        if not nonces:
            del slots[transaction.sender]


def _count(slots: dict[Address20, dict[int, EvmTransaction]]) -> int:
    return sum(len(nonces) for nonces in slots.values())


def _sorted_slots(
    slots: dict[Address20, dict[int, EvmTransaction]],
) -> dict[Address20, dict[int, EvmTransaction]]:
    return {sender: dict(sorted(nonces.items())) for sender, nonces in slots.items()}
