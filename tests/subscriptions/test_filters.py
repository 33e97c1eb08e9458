from dataclasses import replace

import pytest
from hypothesis import given

from tests.strategies import (
    ADDRESSES,
    SENDERS,
    TOPICS,
    filters,
    hash32,
    log_filters,
    logs,
    make_block,
    make_log,
    make_native,
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
    alternatives,
    block_in_range,
    log_matches,
    matches,
    matching_positions,
    recipient_of,
)

A, B, C = TOPICS[:3]
TRANSACTIONS = (make_transaction(), make_transaction(nonce=1), make_native())
BLOCK = make_block(None, [(transaction, [make_log(topics=[A])]) for transaction in TRANSACTIONS])
HEAD = HeadAdded(block=BLOCK)
LOG = LogEvent(block=BLOCK, transaction_index=0, log_index=0, log=make_log(), removed=False)
RECEIPTS = ReceiptsAdded(block=BLOCK, positions=(0, 1, 2))
PENDING = TransactionPending(transaction=TRANSACTIONS[0])
MINED = TransactionMined(block=BLOCK, position=0, removed=False)
EVENTS = (HEAD, LOG, RECEIPTS, PENDING, MINED)


def slots(*wanted: Hash32 | list[Hash32] | None) -> LogFilter:
    """A filter of topic slots: a topic, several of them, or None for any."""
    return LogFilter(
        topics=tuple(
            None if slot is None else frozenset(slot if isinstance(slot, list) else [slot])
            for slot in wanted
        )
    )


@pytest.mark.parametrize(
    ("wanted", "topics", "expected"),
    [
        (slots(), [], True),
        (slots(), [A, B], True),
        (slots(A), [A], True),
        (slots(A), [A, B], True),
        (slots(A), [B, A], False),
        (slots(A), [], False),
        (slots(None, B), [A, B], True),
        (slots(None, B), [B], False),
        (slots(A, B), [A, B], True),
        (slots(A, B), [A, C], False),
        (slots([A, B], [A, B]), [B, A], True),
        (slots([A, B], [A, B]), [C, A], False),
        (slots(None), [], False),
        (slots(A, None, None), [A, B], False),
        (slots(A, None, None), [A, B, C], True),
        (slots(None, None, None, None), [A, B, C, A], True),
    ],
)
def test_topics_match_by_position(wanted: LogFilter, topics: list[Hash32], expected: bool) -> None:
    """Each slot wants its position, and every slot, wildcard or not, wants a topic to be there."""
    assert log_matches(wanted, make_log(topics=topics)) is expected


def test_addresses_are_alternatives() -> None:
    """An empty address set is any address, others are choices."""
    log = make_log(ADDRESSES[0])
    assert log_matches(LogFilter(), log)
    assert log_matches(LogFilter(addresses=frozenset(ADDRESSES[:2])), log)
    assert not log_matches(LogFilter(addresses=frozenset(ADDRESSES[1:])), log)


@relaxed
@given(log_filters(), logs())
def test_a_log_matches_as_the_rules_are_written(wanted: LogFilter, log: Log) -> None:
    """The matcher agrees with the three sentences of the specification."""
    address_fits = not wanted.addresses or log.address in wanted.addresses
    long_enough = len(log.topics) >= len(wanted.topics)
    each_fits = long_enough and all(
        slot is None or log.topics[at] in slot for at, slot in enumerate(wanted.topics)
    )
    assert log_matches(wanted, log) == (address_fits and long_enough and each_fits)


@pytest.mark.parametrize(
    ("first", "last", "inside"),
    [
        (None, None, [0, 5, 9]),
        (5, None, [5, 9]),
        (None, 5, [0, 5]),
        (5, 5, [5]),
        (6, 4, []),
    ],
)
def test_block_bounds_are_inclusive(first: int | None, last: int | None, inside: list[int]) -> None:
    """A bound includes its own block, and its absence is no bound."""
    wanted = LogFilter(
        first=None if first is None else BlockNumber(first),
        last=None if last is None else BlockNumber(last),
    )
    assert [at for at in (0, 5, 9) if block_in_range(wanted, BlockNumber(at))] == inside


@pytest.mark.parametrize(
    ("wanted", "event"),
    [
        (HeadFilter(), HEAD),
        (LogFilter(), LOG),
        (LogFilter(first=BlockNumber(0)), LOG),
        (ReceiptFilter(), RECEIPTS),
        (ReceiptFilter(hashes=frozenset([TRANSACTIONS[1].hash])), RECEIPTS),
        (PendingFilter(), PENDING),
        (PendingFilter(senders=frozenset(SENDERS)), PENDING),
        (MinedFilter(), MINED),
        (MinedFilter(parties=frozenset([Parties(sender=SENDERS[0])])), MINED),
    ],
)
def test_each_filter_wants_its_own_kind_of_event(wanted: Filter, event: ChainEvent) -> None:
    """A filter matches events of its kind and no others."""
    assert [other for other in EVENTS if matches(wanted, other)] == [event]


def test_what_does_not_match() -> None:
    """Other blocks, other logs, other transactions and empty blocks are not meant."""
    assert not matches(LogFilter(first=BlockNumber(1)), LOG)
    assert not matches(LogFilter(addresses=frozenset(ADDRESSES[1:])), LOG)
    assert not matches(ReceiptFilter(hashes=frozenset([hash32("other")])), RECEIPTS)
    assert not matches(ReceiptFilter(), ReceiptsAdded(block=make_block(), positions=()))
    assert not any(matches(SilentFilter(), event) for event in EVENTS)


ALICE, BOB = SENDERS
MINT, SHOP = ADDRESSES[:2]
NOBODY: frozenset[Address20] = frozenset()


@pytest.mark.parametrize(
    ("senders", "recipients", "expected"),
    [
        (NOBODY, NOBODY, [True, True, True]),
        ({ALICE}, NOBODY, [True, False, False]),
        (NOBODY, {MINT}, [True, True, False]),
        ({BOB}, {MINT}, [True, True, True]),
        ({BOB}, {SHOP}, [False, True, True]),
        ({MINT}, {ALICE}, [False, False, False]),
    ],
)
def test_pending_filters_join_both_lists(
    senders: set[Address20], recipients: set[Address20], expected: list[bool]
) -> None:
    """Sender or recipient; none at all is everybody; a creation has no recipient."""
    wanted = PendingFilter(senders=frozenset(senders), recipients=frozenset(recipients))
    sent = [(ALICE, MINT), (BOB, MINT), (BOB, None)]
    seen = [replace(make_transaction(sender), to=to) for sender, to in sent]
    assert [matches(wanted, TransactionPending(transaction=each)) for each in seen] == expected


@pytest.mark.parametrize(
    ("parties", "expected"),
    [
        ([], [True, True, True]),
        ([Parties(sender=ALICE)], [True, False, False]),
        ([Parties(recipient=MINT)], [True, True, False]),
        ([Parties(sender=BOB, recipient=MINT)], [False, True, False]),
        ([Parties(sender=ALICE, recipient=SHOP)], [False, False, False]),
        ([Parties(sender=ALICE), Parties(sender=BOB, recipient=MINT)], [True, True, False]),
        ([Parties()], [True, True, True]),
    ],
)
def test_mined_filters_join_inside_and_choose_between(
    parties: list[Parties], expected: list[bool]
) -> None:
    """Inside one pair both must fit, of several pairs one is enough."""
    wanted = MinedFilter(parties=frozenset(parties))
    sent = [(ALICE, MINT), (BOB, MINT), (BOB, None)]
    block = make_block(None, [(replace(make_transaction(one), to=to), []) for one, to in sent])
    seen = [TransactionMined(block=block, position=at, removed=False) for at in range(3)]
    assert [matches(wanted, each) for each in seen] == expected


@pytest.mark.parametrize("include_removed", [True, False])
def test_removed_transactions_are_for_those_who_ask(include_removed: bool) -> None:
    """A transaction that left the chain is wanted only by request."""
    removed = replace(MINED, removed=True)
    assert matches(MinedFilter(include_removed=include_removed), removed) is include_removed
    assert matches(MinedFilter(include_removed=include_removed), MINED)


def test_recipients() -> None:
    """Creations and transactions of other families have none."""
    assert recipient_of(make_transaction()) == MINT
    assert recipient_of(replace(make_transaction(), to=None)) is None
    assert recipient_of(make_native()) is None


def test_a_receipt_filter_names_positions() -> None:
    """Positions are those of the event that were asked for, in order; no hashes ask for all."""
    some = ReceiptFilter(hashes=frozenset([TRANSACTIONS[2].hash, TRANSACTIONS[0].hash]))
    assert matching_positions(ReceiptFilter(), RECEIPTS) == (0, 1, 2)
    assert matching_positions(some, RECEIPTS) == (0, 2)
    narrowed = ReceiptsAdded(block=BLOCK, positions=(0, 1))
    assert matching_positions(some, narrowed) == (0,)
    assert matching_positions(ReceiptFilter(), narrowed) == (0, 1)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (HeadFilter(), 0),
        (PendingFilter(), 0),
        (PendingFilter(senders=frozenset(SENDERS), recipients=frozenset(ADDRESSES)), 5),
        (MinedFilter(), 0),
        (
            MinedFilter(
                parties=frozenset(
                    [
                        Parties(sender=SENDERS[0]),
                        Parties(sender=SENDERS[1], recipient=ADDRESSES[0]),
                        Parties(recipient=ADDRESSES[0]),
                    ]
                )
            ),
            4,
        ),
        (SilentFilter(), 0),
        (LogFilter(), 0),
        (slots(A, None, [A, B]), 3),
        (LogFilter(addresses=frozenset(ADDRESSES), topics=(frozenset([A]),)), 4),
        (ReceiptFilter(hashes=frozenset(TOPICS)), 4),
    ],
)
def test_alternatives_count_what_is_named(wanted: Filter, expected: int) -> None:
    """Addresses, topics and hashes count, wildcards do not."""
    assert alternatives(wanted) == expected


@relaxed
@given(filters(), filters())
def test_filters_are_values(one: Filter, other: Filter) -> None:
    """Filters can be compared and used as keys."""
    assert len({one, other}) == (1 if one == other else 2)
