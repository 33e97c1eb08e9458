from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import events, filters, make_block, make_chain, relaxed
from twisted_chainws.errors import FilterNotFound, TooManyFilters
from twisted_chainws.subscriptions.events import ChainEvent, HeadAdded
from twisted_chainws.subscriptions.filters import Filter, HeadFilter, LogFilter, matches
from twisted_chainws.subscriptions.polled import PolledFilters

HEADS = [HeadAdded(block=block) for block in make_chain(4)]


def encode() -> bytes:
    """An encoder that is only handed around."""
    return b""


def small(*, max_filters: int = 3, max_items: int = 3, lifetime_s: float = 300) -> PolledFilters:
    """Polled filters with small bounds and the ids 0x1, 0x2 and so on."""
    numbers = count(1)
    return PolledFilters(
        make_id=lambda: hex(next(numbers)),
        max_filters=max_filters,
        max_items=max_items,
        lifetime_s=lifetime_s,
    )


def test_a_poll_returns_what_has_come_since_the_last_one() -> None:
    """Items come out once, oldest first, each with the encoder of the filter."""
    polled = small()
    polled.feed(HEADS[0])
    filter_id = polled.install(HeadFilter(), encode, 0)
    assert polled.poll(filter_id, 1) == []
    polled.feed(HEADS[1])
    polled.feed(HEADS[2])
    assert polled.poll(filter_id, 2) == [(encode, HEADS[1]), (encode, HEADS[2])]
    assert polled.poll(filter_id, 3) == []


def test_filters_can_be_looked_up_and_uninstalled() -> None:
    """A filter answers with itself until it is uninstalled, once."""
    polled = small()
    filter_id = polled.install(LogFilter(), encode, 0)
    assert polled.inspect(filter_id) == LogFilter()
    assert len(polled) == 1
    assert polled.uninstall(filter_id)
    assert not polled.uninstall(filter_id)
    with pytest.raises(FilterNotFound) as caught:
        polled.inspect(filter_id)
    assert caught.value.filter_id == filter_id
    with pytest.raises(FilterNotFound):
        polled.poll(filter_id, 0)


def test_a_filter_nobody_polls_expires() -> None:
    """A poll prolongs the life of a filter, an inspection does not."""
    polled = small()
    silent, asked = polled.install(HeadFilter(), encode, 0), polled.install(HeadFilter(), encode, 0)
    polled.poll(asked, 200)
    polled.inspect(silent)
    assert polled.expire(299) == 0
    assert polled.expire(300) == 1
    with pytest.raises(FilterNotFound):
        polled.inspect(silent)
    assert polled.expire(499) == 0
    assert polled.expire(500) == 1
    assert len(polled) == 0


def test_an_expired_filter_is_gone_before_anybody_cleaned_up() -> None:
    """Polling too late finds nothing, even if expiry has not been run."""
    polled = small()
    filter_id = polled.install(HeadFilter(), encode, 0)
    with pytest.raises(FilterNotFound):
        polled.poll(filter_id, 300)
    assert len(polled) == 0


def test_the_number_of_filters_is_bounded() -> None:
    """Beyond the limit a new filter is refused, unless an old one has expired."""
    polled = small(max_filters=2)
    polled.install(HeadFilter(), encode, 0)
    polled.install(HeadFilter(), encode, 100)
    with pytest.raises(TooManyFilters) as caught:
        polled.install(HeadFilter(), encode, 299)
    assert caught.value.limit == 2
    polled.install(HeadFilter(), encode, 300)
    assert len(polled) == 2


def test_a_filter_that_overflows_is_removed() -> None:
    """A gap is never hidden: who collects too much finds the filter gone; others go on."""
    polled = small(max_items=3)
    full = polled.install(HeadFilter(), encode, 0)
    for head in HEADS[:3]:
        polled.feed(head)
    late = polled.install(HeadFilter(), encode, 0)
    polled.feed(HEADS[3])
    with pytest.raises(FilterNotFound):
        polled.poll(full, 1)
    assert polled.poll(late, 1) == [(encode, HEADS[3])]


def test_an_id_in_use_is_drawn_again() -> None:
    """Two living filters never share an id."""
    drawn = iter(["0x1", "0x1", "0x2"])
    polled = PolledFilters(make_id=lambda: next(drawn))
    first = polled.install(HeadFilter(), encode, 0)
    assert (first, polled.install(HeadFilter(), encode, 0)) == ("0x1", "0x2")


@relaxed
@given(st.lists(filters(), max_size=5), st.lists(st.tuples(events(), st.booleans()), max_size=6))
def test_filters_collect_what_they_match(
    wanted: list[Filter], fed: list[tuple[ChainEvent, bool]]
) -> None:
    """Polls anywhere between events give each matching event exactly once."""
    polled = small(max_filters=10, max_items=100)
    ids = [polled.install(one, encode, 0) for one in wanted]
    collected: list[list[type[ChainEvent]]] = [[] for _ in wanted]
    for now, (event, ask) in enumerate(fed):
        polled.feed(event)
        for at, filter_id in enumerate(ids if ask else ()):
            collected[at] += [type(item) for _, item in polled.poll(filter_id, now)]
    for at, filter_id in enumerate(ids):
        collected[at] += [type(item) for _, item in polled.poll(filter_id, 99)]
        assert collected[at] == [type(event) for event, _ in fed if matches(wanted[at], event)]


def test_defaults_are_those_of_a_public_node() -> None:
    """Without other wishes a filter lives five minutes."""
    polled = PolledFilters(make_id=lambda: "0x1")
    filter_id = polled.install(HeadFilter(), encode, 0)
    polled.feed(HeadAdded(block=make_block()))
    assert len(polled.poll(filter_id, 299)) == 1
