"""The pool: replacement, promotion, order."""

import dataclasses
import itertools
from collections import defaultdict
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import strategies
from twisted_chainws.chain.model import Kind
from twisted_chainws.chain.types import Address20
from twisted_chainws.errors import (
    AlreadyKnown,
    NonceTooLow,
    PoolFull,
    ReplacementUnderpriced,
    TransactionRejected,
)
from twisted_chainws.sources.devchain.engine.mempool import Entry, Mempool

_ALICE, _BOB = strategies.SENDERS
_count = itertools.count()


def _entry(
    sender: Address20 = _ALICE,
    nonce: int = 0,
    *,
    tip: int = 100,
    cap: int = 1000,
    cost: int = 1,
    blob: int | None = None,
) -> Entry:
    arrival = next(_count)
    kind = 2 if blob is None else 3
    transaction = strategies.make_transaction(sender, nonce, salt=arrival, type_=kind)
    return Entry(
        transaction=transaction,
        native=None,
        nonce=nonce,
        gas=21_000,
        cost=cost,
        fee_cap=cap,
        tip_cap=tip,
        blob_fee_cap=blob,
        arrival=arrival,
    )


def _loose(sender: Address20 = _ALICE, *, tip: int = 100, cost: int = 1) -> Entry:
    arrival = next(_count)
    record = strategies.make_native(salt=arrival)
    return dataclasses.replace(
        _entry(sender, tip=tip, cap=tip, cost=cost),
        transaction=dataclasses.replace(record, sender=sender),
        nonce=None,
        arrival=arrival,
    )


def _pool(nonces: dict[bytes, int] | None = None, *, limit: int = 100) -> Mempool:
    known = defaultdict(int, nonces or {})
    return Mempool(limit=limit, nonce_of=lambda address: known[address])


def _told(pool: Mempool) -> list[tuple[str, bytes]]:
    return [(name, entry.hash) for name, entry in pool.take_changes()]


def _order(pool: Mempool, base_fee: int = 0) -> list[bytes]:
    selection = pool.select(base_fee=base_fee, blob_base_fee=1)
    order = []
    while selection:
        order.append(selection.peek().hash)
        selection.take()
    return order


def test_gaps_wait_and_are_promoted() -> None:
    """An entry behind a hole is queued until the hole is filled, and again when it reopens."""
    pool, second, first = _pool(), _entry(nonce=1), _entry(nonce=0)
    pool.add(second)
    assert _told(pool) == [("queued", second.hash)]
    pool.add(first)
    assert _told(pool) == [("pending", first.hash), ("pending", second.hash)]
    assert pool.next_nonce(_ALICE) == 2
    assert pool.remove(first.hash)
    assert _told(pool) == [("dropped", first.hash), ("queued", second.hash)]
    assert not pool.remove(first.hash)


@pytest.mark.parametrize(
    ("tip", "cap", "replaces"),
    [(110, 1100, True), (109, 1100, False), (110, 1099, False), (500, 1000, False)],
)
def test_replacement_needs_a_tenth_more_on_both_fees(tip: int, cap: int, *, replaces: bool) -> None:
    """Tip and cap each have to rise by ten percent."""
    pool, old, new = _pool(), _entry(), _entry(tip=tip, cap=cap)
    pool.add(old)
    pool.take_changes()
    if not replaces:
        with pytest.raises(ReplacementUnderpriced):
            pool.add(new)
        return
    pool.add(new)
    assert _told(pool) == [("dropped", old.hash), ("pending", new.hash)]


@pytest.mark.parametrize(("factor", "replaces"), [(199, False), (200, True)])
def test_blobs_are_replaced_for_twice_the_price(factor: int, *, replaces: bool) -> None:
    """All three fees of a blob transaction have to double."""
    pool = _pool()
    pool.add(_entry(blob=100))
    new = _entry(tip=factor, cap=10 * factor, blob=factor)
    if replaces:
        pool.add(new)
    else:
        with pytest.raises(ReplacementUnderpriced):
            pool.add(new)
    with pytest.raises(ReplacementUnderpriced):
        pool.add(_entry(tip=10**6, cap=10**6))


def test_refusals() -> None:
    """Known, used and superfluous transactions are refused."""
    pool, entry = _pool({_BOB: 3}, limit=2), _entry()
    pool.add(entry)
    with pytest.raises(AlreadyKnown):
        pool.add(entry)
    with pytest.raises(NonceTooLow):
        pool.add(_entry(_BOB, 2))
    pool.add(_entry(_BOB, 3))
    with pytest.raises(PoolFull):
        pool.add(_entry(_BOB, 4))


def test_mined_leave_silently_and_stale_ones_are_dropped() -> None:
    """A block takes entries without an event; rivals of what it mined are dropped."""
    nonces: dict[bytes, int] = {_ALICE: 0, _BOB: 0}
    pool = Mempool(limit=10, nonce_of=nonces.__getitem__)
    mined, stale, poor, next_one = _entry(), _entry(_BOB), _entry(_BOB, 1, cost=50), _entry(nonce=1)
    for entry in (mined, stale, poor, next_one):
        pool.add(entry)
    pool.take_changes()
    nonces[_ALICE], nonces[_BOB] = 1, 1
    pool.mined([mined.hash, b"unknown"])
    pool.refresh(None, lambda _: 10)
    assert _told(pool) == [("dropped", stale.hash), ("dropped", poor.hash)]
    assert [entry.hash for entry in pool] == [next_one.hash]
    assert pool.take_touched() == {mined.hash, stale.hash, poor.hash, next_one.hash}


def test_too_high_base_fee_holds_a_sender_back() -> None:
    """What cannot pay the base fee or the blob fee is left out with all that follows it."""
    pool = _pool()
    cheap, follower, blob = _entry(cap=5, tip=5), _entry(nonce=1), _entry(_BOB, blob=0)
    for entry in (cheap, follower, blob):
        pool.add(entry)
    assert _order(pool, base_fee=6) == []
    assert _order(pool, base_fee=5) == [cheap.hash, follower.hash]


def test_dropping_by_sender_and_all() -> None:
    """Every dropped entry is told."""
    pool, first, second = _pool(), _entry(), _entry(_BOB)
    pool.add(first)
    pool.add(second)
    pool.remove_sender(_ALICE)
    pool.clear()
    assert _told(pool)[2:] == [("dropped", first.hash), ("dropped", second.hash)]
    assert len(pool) == 0


@given(
    st.lists(
        st.tuples(st.sampled_from([_ALICE, _BOB]), st.integers(0, 4), st.integers(1, 5)),
        max_size=12,
    )
)
def test_selection_agrees_with_a_naive_one(drawn: list[tuple[Address20, int, int]]) -> None:
    """Again and again the best tip, then the earliest, among the senders' next nonces."""
    pool, taken = _pool(), {}
    for sender, nonce, tip in drawn:
        if (sender, nonce) not in taken:
            taken[sender, nonce] = _entry(sender, nonce, tip=tip)
            pool.add(taken[sender, nonce])
    nonces, expected = {_ALICE: 0, _BOB: 0}, []
    while heads := [taken[key] for key in nonces.items() if key in taken]:
        best = min(heads, key=lambda entry: (-entry.tip_cap, entry.arrival))
        expected.append(best.hash)
        nonces[best.sender] += 1  # type: ignore[index]
    assert _order(pool) == expected


def test_effective_tip() -> None:
    """The tip is what the cap leaves above the base fee."""
    entry = dataclasses.replace(_entry(), tip_cap=3, fee_cap=10)
    assert [entry.effective_tip(fee) for fee in (0, 8, 11)] == [3, 2, -1]


def test_loose_entries_are_pending_whatever_else_waits() -> None:
    """Without a nonce nothing is in the way, neither of it nor of what has one."""
    pool, behind, loose = _pool(), _entry(nonce=1), [_loose(), _loose(tip=200)]
    pool.add(behind)
    for entry in loose:
        pool.add(entry)
    assert _told(pool) == [
        ("queued", behind.hash),
        ("pending", loose[0].hash),
        ("pending", loose[1].hash),
    ]
    assert [pool.standing(entry.hash) for entry in loose] == ["pending", "pending"]
    assert pool.next_nonce(_ALICE) == 0
    assert _order(pool, base_fee=10**9) == [loose[1].hash, loose[0].hash]
    assert pool.remove(loose[1].hash)
    assert _told(pool) == [("dropped", loose[1].hash)]
    pool.remove_sender(_ALICE)
    assert {hash_ for _, hash_ in _told(pool)} == {behind.hash, loose[0].hash}
    assert len(pool) == 0


def test_loose_entries_are_refused_like_others() -> None:
    """One that waits already and one too many; ``check_loose`` tells before."""
    pool, entry = _pool(limit=1), _loose()
    pool.check_loose(entry.hash)
    pool.add(entry)
    for refusal, again in ((AlreadyKnown, entry), (PoolFull, _loose())):
        with pytest.raises(refusal):
            pool.check_loose(again.hash)
        with pytest.raises(refusal):
            pool.add(again)


def test_loose_entries_go_when_they_cannot_be_paid_or_are_mined() -> None:
    """A used nonce means nothing to them."""
    nonces: dict[bytes, int] = {_ALICE: 0, _BOB: 0}
    pool = Mempool(limit=10, nonce_of=nonces.__getitem__)
    mined, poor, rich = _loose(), _loose(_BOB, cost=50), _loose(_BOB)
    for entry in (mined, poor, rich):
        pool.add(entry)
    pool.take_changes()
    nonces[_ALICE] = nonces[_BOB] = 7
    pool.mined([mined.hash])
    pool.refresh([_BOB, _ALICE], lambda _: 10)
    assert _told(pool) == [("dropped", poor.hash)]
    assert [entry.hash for entry in pool] == [rich.hash]


class _Naive:
    """The pool's rules over a plain list, without any index."""

    def __init__(self, limit: int) -> None:
        self.entries: list[Entry] = []
        self.nonces: dict[bytes, int] = {_ALICE: 0, _BOB: 0}
        self._limit = limit

    def add(self, entry: Entry) -> bool:
        rival = next((item for item in self.entries if _same_place(item, entry)), None)
        if entry.nonce is not None and entry.nonce < self.nonces[entry.sender]:
            return False
        if rival is None and len(self.entries) >= self._limit:
            return False
        if rival is not None:
            if entry.tip_cap * 100 < rival.tip_cap * 110 or entry.is_foreign != rival.is_foreign:
                return False
            self.entries.remove(rival)
        self.entries.append(entry)
        return True

    def refresh(self, balances: dict[bytes, int]) -> None:
        self.entries = [
            entry
            for entry in self.entries
            if entry.cost <= balances[entry.sender]
            and (entry.nonce is None or entry.nonce >= self.nonces[entry.sender])
        ]

    def pending(self) -> set[bytes]:
        found = {entry.hash for entry in self.entries if entry.nonce is None}
        for sender, first in self.nonces.items():
            for nonce in itertools.count(first):
                at = [e for e in self.entries if (e.sender, e.nonce) == (sender, nonce)]
                if not at:
                    break
                found |= {entry.hash for entry in at}
        return found

    def order(self) -> list[bytes]:
        nonces, left, order = dict(self.nonces), list(self.entries), []
        while ready := [e for e in left if e.nonce is None or e.nonce == nonces[e.sender]]:
            best = min(ready, key=lambda entry: (-entry.tip_cap, entry.arrival))
            left.remove(best)
            order.append(best.hash)
            if best.nonce is not None:
                nonces[best.sender] += 1
        return order


def _same_place(one: Entry, other: Entry) -> bool:
    return one.nonce is not None and (one.sender, one.nonce) == (other.sender, other.nonce)


def _sorts(draw: st.DrawFn, sender: Address20) -> Entry:
    tip, cost = draw(st.integers(1, 12)), draw(st.integers(1, 5))
    sort = draw(st.sampled_from(["evm", "foreign", "loose"]))
    if sort == "loose":
        return _loose(sender, tip=tip, cost=cost)
    entry = _entry(sender, draw(st.integers(0, 3)), tip=tip, cap=tip, cost=cost)
    if sort == "evm":
        return entry
    record = strategies.make_native(Kind.ZILLIQA, salt=entry.arrival)
    return dataclasses.replace(entry, transaction=dataclasses.replace(record, sender=sender))


def _refuses(pool: Mempool, entry: Entry) -> bool:
    try:
        pool.add(entry)
    except TransactionRejected:
        return True
    return False


def _follow(told: dict[bytes, str], changes: Iterable[tuple[str, Entry]]) -> None:
    for name, entry in changes:
        assert told.get(entry.hash) != name
        told[entry.hash] = name


@given(st.data())
def test_all_sorts_together_agree_with_a_naive_pool(data: st.DataObject) -> None:
    """Standing, order, news and what is left, over random histories of three sorts of entries."""
    naive = _Naive(limit=8)
    pool = Mempool(limit=8, nonce_of=naive.nonces.__getitem__)
    told: dict[bytes, str] = {}
    mined: set[bytes] = set()
    for step in data.draw(st.lists(st.sampled_from("aaaaarmfs"), max_size=25)):
        sender = data.draw(st.sampled_from([_ALICE, _BOB]))
        if step == "a":
            entry = data.draw(st.composite(_sorts)(sender))
            assert _refuses(pool, entry) is not naive.add(entry)
        elif step == "r" and naive.entries:
            gone = data.draw(st.sampled_from(naive.entries))
            naive.entries.remove(gone)
            assert pool.remove(gone.hash)
        elif step == "m":
            order = naive.order()
            block = order[: data.draw(st.integers(0, len(order)))]
            for entry in [entry for entry in naive.entries if entry.hash in block]:
                naive.entries.remove(entry)
                naive.nonces[entry.sender] += entry.nonce is not None
            mined |= set(block)
            pool.mined(block)
        elif step == "f":
            balances: dict[bytes, int] = {
                address: data.draw(st.integers(0, 6)) for address in (_ALICE, _BOB)
            }
            naive.refresh(balances)
            pool.refresh(None, balances.__getitem__)
        elif step == "s":
            naive.entries = [entry for entry in naive.entries if entry.sender != sender]
            pool.remove_sender(sender)
        _follow(told, pool.take_changes())
        waiting = {entry.hash for entry in naive.entries}
        assert {entry.hash for entry in pool} == waiting
        assert {item for item in waiting if pool.standing(item) == "pending"} == naive.pending()
        live = {item: name for item, name in told.items() if item not in mined}
        assert {item for item, name in live.items() if name != "dropped"} == waiting
        assert {item for item, name in live.items() if name == "pending"} == naive.pending()
        assert _order(pool) == naive.order()
