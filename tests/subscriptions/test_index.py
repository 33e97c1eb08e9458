from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import (
    ADDRESSES,
    SENDERS,
    TOPICS,
    address20,
    events,
    filters,
    hash32,
    make_block,
    make_log,
    make_transaction,
    relaxed,
)
from twisted_chainws.chain.model import Log
from twisted_chainws.chain.types import Address20, BlockNumber, Hash32
from twisted_chainws.subscriptions.events import (
    ChainEvent,
    HeadAdded,
    LogEvent,
    ReceiptsAdded,
    TransactionMined,
    TransactionPending,
)
from twisted_chainws.subscriptions.filters import (
    Filter,
    HeadFilter,
    LogFilter,
    MinedFilter,
    Parties,
    PendingFilter,
    ReceiptFilter,
    SilentFilter,
    matches,
    matching_positions,
)
from twisted_chainws.subscriptions.index import Index, Roster


@dataclass(frozen=True, eq=False)
class Member:
    """Somebody with a filter."""

    filter: Filter


Pairs = list[tuple[ChainEvent, list[Member]]]


def naive(members: Sequence[Member], event: ChainEvent) -> Pairs:
    """Ask every member one after the other, in the order of adding."""
    groups: dict[ChainEvent, list[Member]] = {}
    for member in members:
        if not matches(member.filter, event):
            continue
        item = event
        if isinstance(event, ReceiptsAdded) and isinstance(member.filter, ReceiptFilter):
            item = ReceiptsAdded(
                block=event.block, positions=matching_positions(member.filter, event)
            )
        groups.setdefault(item, []).append(member)
    return list(groups.items())


def answered(index: Index[Member], event: ChainEvent) -> Pairs:
    """What the index says, as plain lists."""
    return [(item, list(members)) for item, members in index.match(event)]


def log_event(log: Log, number: int = 0) -> LogEvent:
    """The event of a log in a block of its own."""
    block = make_block(None, [(make_transaction(), [log])], number=number)
    return LogEvent(block=block, transaction_index=0, log_index=0, log=log, removed=False)


def mined_event(to: Address20 | None = ADDRESSES[0], *, removed: bool = False) -> TransactionMined:
    """The event of a transaction in a block of its own."""
    block = make_block(None, [(replace(make_transaction(), to=to), ())])
    return TransactionMined(block=block, position=0, removed=removed)


def receipts_event(*nonces: int) -> ReceiptsAdded:
    """The event of a block with these transactions."""
    block = make_block(None, [(make_transaction(nonce=nonce), ()) for nonce in nonces])
    return ReceiptsAdded(block=block, positions=tuple(range(len(nonces))))


def wants(*nonces: int) -> Member:
    """A member that waits for the receipts of these transactions."""
    hashes = frozenset(make_transaction(nonce=nonce).hash for nonce in nonces)
    return Member(ReceiptFilter(hashes=hashes))


@relaxed
@given(
    st.lists(st.tuples(filters(), st.booleans()), max_size=12),
    st.lists(events(), min_size=1, max_size=4),
)
def test_the_index_agrees_with_asking_everybody(
    added: list[tuple[Filter, bool]], seen: list[ChainEvent]
) -> None:
    """Same items, same members, same order, also after some have left."""
    index: Index[Member] = Index()
    members = [Member(wanted) for wanted, _ in added]
    for member in members:
        index.add(member)
    for event in seen:
        assert answered(index, event) == naive(members, event)
    staying = [member for member, (_, stays) in zip(members, added, strict=True) if stays]
    for member in members:
        if member not in staying:
            index.remove(member)
    assert len(index) == len(staying)
    for event in seen:
        assert answered(index, event) == naive(staying, event)


@relaxed
@given(st.lists(filters(), max_size=8), events())
def test_an_emptied_index_is_as_new(wanted: list[Filter], event: ChainEvent) -> None:
    """Nothing stays behind of members that have left."""
    index: Index[Member] = Index()
    members = [Member(one) for one in wanted]
    for member in members:
        index.add(member)
    for member in members:
        index.remove(member)
    assert len(index) == 0
    assert not index.match(event)
    assert not index._filed
    assert not index._places
    assert not index._by_hash


@pytest.mark.parametrize(
    ("wanted", "event"),
    [
        (HeadFilter(), HeadAdded(block=make_block())),
        (PendingFilter(), TransactionPending(transaction=make_transaction())),
        (MinedFilter(), mined_event()),
        (MinedFilter(include_removed=True), mined_event(removed=True)),
        (LogFilter(), log_event(make_log())),
        (ReceiptFilter(), receipts_event(0)),
    ],
)
def test_flat_lists_are_kept_until_somebody_comes_or_goes(
    wanted: Filter, event: ChainEvent
) -> None:
    """Thousands who want everything cost nothing per event, and old answers never change."""
    index: Index[Member] = Index()
    first, second = Member(wanted), Member(wanted)
    index.add(first)
    before = index.match(event)[0][1]
    assert index.match(event)[0][1] is before
    index.add(second)
    assert list(before) == [first]
    assert list(index.match(event)[0][1]) == [first, second]
    index.remove(first)
    assert list(index.match(event)[0][1]) == [second]


def test_members_of_equal_positions_share_an_item() -> None:
    """Receipts are cut once per set of positions; whoever gets all of them shares the event."""
    event = receipts_event(0, 1, 2)
    index: Index[Member] = Index()
    one, same, everything, all_named, other = (
        wants(0, 2),
        wants(2, 0, 9),
        Member(ReceiptFilter()),
        wants(0, 1, 2),
        wants(7),
    )
    for member in (one, same, everything, all_named, other):
        index.add(member)
    groups = index.match(event)
    assert [list(members) for _, members in groups] == [[one, same], [everything, all_named]]
    assert groups[0][0] == ReceiptsAdded(block=event.block, positions=(0, 2))
    assert groups[1][0] is event


def test_empty_blocks_have_no_receipts_to_tell() -> None:
    """A block without transactions is silent even for those who want all receipts."""
    index: Index[Member] = Index()
    index.add(Member(ReceiptFilter()))
    assert not index.match(receipts_event())


def test_waiting_for_a_receipt_of_another_block() -> None:
    """A hash that is not in the block gives no answer."""
    index: Index[Member] = Index()
    index.add(wants(5))
    assert not index.match(receipts_event(0))


def test_bounds_alone_are_looked_at() -> None:
    """A filter that names only blocks or only wildcards is checked as a whole."""
    index: Index[Member] = Index()
    bounded = Member(LogFilter(first=BlockNumber(5)))
    long = Member(LogFilter(topics=(None, None)))
    index.add(bounded)
    index.add(long)
    assert answered(index, log_event(make_log(), number=4)) == []
    high = log_event(make_log(topics=TOPICS[:2]), number=5)
    assert answered(index, high) == [(high, [bounded, long])]


class CountedTopics(frozenset[Hash32]):
    """Topics of a filter that count how often a log was compared with them."""

    looks = 0

    def __contains__(self, topic: object) -> bool:
        type(self).looks += 1
        return super().__contains__(topic)


@pytest.mark.parametrize("shared", ["address", "topic"])
def test_the_cost_grows_with_the_matches(shared: str) -> None:
    """Of a thousand filters that share one criterion a log only meets those that it may match."""
    index: Index[Member] = Index()
    CountedTopics.looks = 0
    for at in range(1_000):
        if shared == "address":
            topics = (CountedTopics([TOPICS[0]]), CountedTopics([hash32(at)]))
            index.add(Member(LogFilter(addresses=frozenset(ADDRESSES[:1]), topics=topics)))
        else:
            addresses = frozenset([address20(at)])
            topics_of_one = (CountedTopics([TOPICS[0]]),)
            index.add(Member(LogFilter(addresses=addresses, topics=topics_of_one)))
    address = ADDRESSES[0] if shared == "address" else address20(500)
    event = log_event(make_log(address, [TOPICS[0], hash32(500)]))
    assert len(index.match(event)[0][1]) == 1
    assert CountedTopics.looks <= 10


class CountedParties(frozenset[Parties]):
    """Pairs of a filter that count how often a transaction was compared with them."""

    looks = 0

    def __iter__(self) -> Iterator[Parties]:
        type(self).looks += 1
        return super().__iter__()


class CountedAddresses(frozenset[Address20]):
    """Addresses of a filter that count how often a transaction was compared with them."""

    looks = 0

    def __contains__(self, address: object) -> bool:
        type(self).looks += 1
        return super().__contains__(address)


@pytest.mark.parametrize("shared", ["sender", "recipient", None])
def test_a_transaction_meets_only_filters_that_name_its_parties(shared: str | None) -> None:
    """Of a thousand filters for pairs, a popular sender or recipient costs nothing."""
    sender, index = SENDERS[0], Index[Member]()
    CountedParties.looks = 0
    for at in range(1_000):
        pair = Parties(
            sender=None if shared is None else sender if shared == "sender" else address20(at),
            recipient=ADDRESSES[0] if shared == "recipient" else address20(at),
        )
        index.add(Member(MinedFilter(parties=CountedParties([pair]))))
    wanted = Member(MinedFilter(parties=frozenset([Parties(sender=sender)])))
    index.add(wanted)
    CountedParties.looks = 0
    event = mined_event(to=address20(500))
    matched = [member for _, members in index.match(event) for member in members]
    assert matched[-1] is wanted
    assert len(matched) == (1 if shared == "recipient" else 2)
    assert CountedParties.looks <= 2


def test_a_pending_transaction_meets_only_filters_that_name_its_parties() -> None:
    """Of a thousand filters for recipients only that of this one is asked."""
    index = Index[Member]()
    CountedAddresses.looks = 0
    for at in range(1_000):
        index.add(Member(PendingFilter(recipients=CountedAddresses([address20(at)]))))
    transaction = replace(make_transaction(), to=address20(500))
    assert len(index.match(TransactionPending(transaction=transaction))[0][1]) == 1
    assert CountedAddresses.looks == 1


def test_a_member_met_twice_is_told_once() -> None:
    """Sender and recipient may both be named by one filter; one notice is enough."""
    index = Index[Member]()
    both = frozenset([*SENDERS, *ADDRESSES])
    pending = Member(PendingFilter(senders=both, recipients=both))
    pairs = [Parties(sender=SENDERS[0]), Parties(recipient=ADDRESSES[0])]
    mined = Member(MinedFilter(parties=frozenset(pairs)))
    index.add(pending)
    index.add(mined)
    event = mined_event()
    assert answered(index, event) == [(event, [mined])]
    seen = TransactionPending(transaction=make_transaction())
    assert answered(index, seen) == [(seen, [pending])]


def test_a_creation_has_no_recipient_to_ask_for() -> None:
    """Only its sender and those who want everything hear of a contract creation."""
    index = Index[Member]()
    sender, recipient, everybody = (
        Member(MinedFilter(parties=frozenset([Parties(sender=SENDERS[0])]))),
        Member(MinedFilter(parties=frozenset([Parties(recipient=ADDRESSES[0])]))),
        Member(MinedFilter()),
    )
    for member in (sender, recipient, everybody):
        index.add(member)
    event = mined_event(to=None)
    assert answered(index, event) == [(event, [sender, everybody])]


def test_silent_members_hear_nothing() -> None:
    """A silent filter is kept, counted and never matched."""
    index: Index[Member] = Index()
    index.add(Member(SilentFilter()))
    assert len(index) == 1
    assert not index.match(HeadAdded(block=make_block()))


def test_a_roster_keeps_order_and_handed_out_lists() -> None:
    """Members stand in the order of adding, and a list handed out does not change."""
    roster: Roster[Member] = Roster()
    first, second = Member(HeadFilter()), Member(HeadFilter())
    roster.add(first)
    roster.add(second)
    listed = roster.listed()
    roster.remove(first)
    assert listed == (first, second)
    assert roster.listed() == (second,) == tuple(roster)
    assert len(roster) == 1
