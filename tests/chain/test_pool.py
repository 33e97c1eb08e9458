from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.strategies import (
    SENDERS,
    any_transactions,
    hash32,
    make_block,
    make_native,
    make_transaction,
    relaxed,
    transactions,
)
from twisted_chainws.chain.model import EvmTransaction, Kind, Transaction
from twisted_chainws.chain.ops import Transition
from twisted_chainws.chain.pool import PendingPool


def mined(*held: Transaction) -> Transition:
    """The transition of one block with these transactions."""
    return Transition(undone=(), applied=(make_block(None, [(tx, ()) for tx in held]),))


def test_a_transaction_is_new_once() -> None:
    """Only the first announcement as executable is news."""
    pool, transaction = PendingPool(), make_transaction()
    assert pool.pending(transaction)
    assert not pool.pending(transaction)
    assert pool.get(transaction.hash) == transaction
    assert pool.is_pending(transaction.hash)
    assert pool.counts == (1, 0)


def test_a_waiting_transaction_becomes_executable() -> None:
    """A queued transaction is known but not pending; its promotion is news."""
    pool, transaction = PendingPool(), make_transaction(nonce=3)
    pool.queued(transaction)
    assert pool.get(transaction.hash) == transaction
    assert not pool.is_pending(transaction.hash)
    assert pool.counts == (0, 1)
    assert pool.next_nonce(transaction.sender) is None
    assert pool.pending(transaction)
    assert pool.counts == (1, 0)
    pool.queued(transaction)
    assert pool.counts == (0, 1)


def test_a_replacement_takes_the_place() -> None:
    """Of two transactions with one sender and nonce the older is gone, wherever it stood."""
    pool = PendingPool()
    first, second, third = (make_transaction(salt=salt) for salt in "abc")
    pool.pending(first)
    assert pool.pending(second)
    assert pool.get(first.hash) is None
    pool.queued(third)
    assert pool.get(second.hash) is None
    assert pool.counts == (0, 1)


def test_listings_are_sorted_by_nonce() -> None:
    """Listings go by sender and ascending nonce, and are copies."""
    pool = PendingPool()
    held = [make_transaction(nonce=nonce) for nonce in (2, 0, 1)]
    other = make_transaction(SENDERS[1], 9)
    for transaction in held:
        pool.pending(transaction)
    pool.queued(other)
    listed = pool.pending_by_sender()
    assert list(listed[SENDERS[0]]) == [0, 1, 2]
    assert listed[SENDERS[0]][2] == held[0]
    assert pool.queued_by_sender() == {SENDERS[1]: {9: other}}
    assert pool.next_nonce(SENDERS[0]) == 3
    listed.clear()
    assert pool.pending_by_sender()


def test_mined_transactions_leave_with_their_rivals() -> None:
    """A block takes its transactions out and those that lost their nonce to one of them."""
    pool = PendingPool()
    taken, rival, other = (
        make_transaction(),
        make_transaction(salt="rival"),
        make_transaction(nonce=1),
    )
    pool.pending(rival)
    pool.pending(other)
    pool.apply(mined(taken, make_native()))
    assert pool.get(rival.hash) is None
    assert pool.get(other.hash) == other


def test_native_transactions_have_no_nonce() -> None:
    """A native transaction is known by its hash until it is dropped, and not counted."""
    pool, native = PendingPool(), make_native()
    assert pool.pending(native)
    assert pool.pending_by_sender() == {}
    assert pool.counts == (0, 0)
    assert pool.get(native.hash) == native
    assert pool.dropped(native.hash)
    assert pool.get(native.hash) is None


def test_dropping_what_is_not_there() -> None:
    """Dropping tells whether there was anything."""
    pool, transaction = PendingPool(), make_transaction()
    pool.queued(transaction)
    assert not pool.dropped(hash32("nobody"))
    assert pool.dropped(transaction.hash)
    assert pool.queued_by_sender() == {}


class PoolMachine(RuleBasedStateMachine):
    """Random announcements, compared with two plain dictionaries."""

    def __init__(self) -> None:
        super().__init__()
        self.pool = PendingPool()
        self.model: dict[bytes, tuple[Transaction, bool]] = {}

    def _vacate(self, transaction: Transaction) -> None:
        for tx_hash, (held, _) in list(self.model.items()):
            if tx_hash == transaction.hash or (
                isinstance(held, EvmTransaction)
                and isinstance(transaction, EvmTransaction)
                and (held.sender, held.nonce) == (transaction.sender, transaction.nonce)
            ):
                del self.model[tx_hash]

    @rule(transaction=any_transactions())
    def pending(self, transaction: Transaction) -> None:
        """Announce as executable."""
        known = self.model.get(transaction.hash)
        assert self.pool.pending(transaction) == (known is None or not known[1])
        self._vacate(transaction)
        self.model[transaction.hash] = (transaction, True)

    @rule(transaction=any_transactions())
    def queued(self, transaction: Transaction) -> None:
        """Announce as waiting."""
        self.pool.queued(transaction)
        self._vacate(transaction)
        self.model[transaction.hash] = (transaction, False)

    @rule(transaction=any_transactions())
    def dropped(self, transaction: Transaction) -> None:
        """Announce as gone."""
        known = self.model.pop(transaction.hash, None)
        assert self.pool.dropped(transaction.hash) == (known is not None)

    @rule(held=st.lists(any_transactions(), max_size=3))
    def mine(self, held: list[Transaction]) -> None:
        """Mine a block."""
        self.pool.apply(mined(*held))
        for transaction in held:
            self._vacate(transaction)

    @invariant()
    def agrees(self) -> None:
        """Listings, look-ups and counts say the same as the model."""
        executable = [held for held, is_pending in self.model.values() if is_pending]
        known = [is_pending for held, is_pending in self.model.values() if held.kind is Kind.EVM]
        assert self.pool.counts == (sum(known), len(known) - sum(known))
        for tx_hash, (held, is_pending) in self.model.items():
            assert self.pool.get(held.hash) == held
            assert self.pool.is_pending(held.hash) == is_pending
            assert tx_hash == held.hash
        listed = {
            (sender, nonce): tx
            for sender, nonces in self.pool.pending_by_sender().items()
            for nonce, tx in nonces.items()
        }
        expected = {
            (tx.sender, tx.nonce): tx for tx in executable if isinstance(tx, EvmTransaction)
        }
        assert listed == expected


PoolMachine.TestCase.settings = relaxed
TestPool = PoolMachine.TestCase


@relaxed
@given(st.lists(transactions(), min_size=1))
def test_the_next_nonce_follows_the_highest_pending_one(held: list[EvmTransaction]) -> None:
    """The next nonce of a sender is one more than its highest executable one."""
    pool = PendingPool()
    for transaction in held:
        pool.pending(transaction)
    for sender in SENDERS:
        nonces = [tx.nonce for tx in held if tx.sender == sender]
        assert pool.next_nonce(sender) == (max(nonces) + 1 if nonces else None)


def test_all_kinds_in_the_order_of_their_arrival() -> None:
    """Those that may be mined and those that wait are listed apart, as copies."""
    pool = PendingPool()
    native, first, second = make_native(), make_transaction(), make_transaction(nonce=7)
    for transaction in (first, native):
        pool.pending(transaction)
    pool.queued(second)
    pending, queued = pool.pending_transactions(), pool.queued_transactions()
    assert (pending, queued) == ((first, native), (second,))
    pool.dropped(first.hash)
    assert (pending, pool.pending_transactions()) == ((first, native), (native,))
