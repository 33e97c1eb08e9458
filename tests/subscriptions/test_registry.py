from collections.abc import Callable, Iterator
from itertools import count

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.strategies import ADDRESSES, filters, make_block, relaxed
from twisted_chainws.errors import TooManyAlternatives, TooManySubscriptions
from twisted_chainws.subscriptions.events import HeadAdded
from twisted_chainws.subscriptions.filters import Filter, HeadFilter, LogFilter, alternatives
from twisted_chainws.subscriptions.registry import Registry, Subscription

EVENT = HeadAdded(block=make_block())


def numbered() -> Callable[[], str]:
    """A maker of the ids 0x1, 0x2 and so on."""
    numbers: Iterator[int] = count(1)
    return lambda: hex(next(numbers))


def encode() -> bytes:
    """An encoder that is only handed around."""
    return b""


def add(
    registry: Registry,
    owner: object,
    wanted: Filter | None = None,
    *,
    max_subscriptions: int = 10,
    max_alternatives: int = 10,
) -> Subscription:
    """Open a subscription with small limits."""
    return registry.add(
        wanted or HeadFilter(),
        encode,
        owner,
        cursor=False,
        max_subscriptions=max_subscriptions,
        max_alternatives=max_alternatives,
    )


def test_a_subscription_carries_what_delivery_needs() -> None:
    """Id in both forms, filter, encoder, owner and the wish for cursors."""
    registry, owner = Registry(make_id=numbered()), object()
    opened = registry.add(
        HeadFilter(), encode, owner, cursor=True, max_subscriptions=1, max_alternatives=0
    )
    assert (opened.id, opened.wire_id) == ("0x1", b"0x1")
    assert opened.filter == HeadFilter()
    assert opened.encode is encode
    assert opened.owner is owner
    assert opened.cursor
    assert opened.active
    assert "0x1" in repr(opened)


def test_matching_finds_the_subscribers_in_order() -> None:
    """An event comes with everybody who wants it, oldest subscription first."""
    registry = Registry(make_id=numbered())
    first, _, third = add(registry, 1), add(registry, 1, LogFilter()), add(registry, 2)
    assert [(item, list(who)) for item, who in registry.match(EVENT)] == [(EVENT, [first, third])]
    assert len(registry) == 3


def test_removing_is_the_owners_right() -> None:
    """Only the owner closes a subscription, once; it is then inactive and hears nothing."""
    registry = Registry(make_id=numbered())
    opened, other = add(registry, "a"), add(registry, "b")
    kept = registry.match(EVENT)[0][1]
    assert registry.remove("b", opened.id) is None
    assert registry.remove("nobody", opened.id) is None
    assert registry.remove("a", opened.id) is opened
    assert registry.remove("a", opened.id) is None
    assert not opened.active
    assert list(kept) == [opened, other]
    assert list(registry.match(EVENT)[0][1]) == [other]


def test_a_closed_connection_takes_all_its_subscriptions_along() -> None:
    """Dropping an owner closes what it has and nothing else."""
    registry = Registry(make_id=numbered())
    mine = [add(registry, "a"), add(registry, "a", LogFilter())]
    other = add(registry, "b")
    assert registry.of_owner("a") == tuple(mine)
    assert registry.drop_owner("a") == 2
    assert registry.drop_owner("a") == 0
    assert registry.of_owner("a") == ()
    assert [one.active for one in (*mine, other)] == [False, False, True]
    assert len(registry) == 1


def test_an_owner_has_a_limited_number_of_subscriptions() -> None:
    """The limit is per owner, and closing makes room."""
    registry = Registry(make_id=numbered())
    first = add(registry, "a", max_subscriptions=2)
    add(registry, "a", max_subscriptions=2)
    with pytest.raises(TooManySubscriptions) as caught:
        add(registry, "a", max_subscriptions=2)
    assert caught.value.limit == 2
    add(registry, "b", max_subscriptions=2)
    registry.remove("a", first.id)
    add(registry, "a", max_subscriptions=2)
    assert len(registry) == 3


def test_an_owner_may_name_a_limited_number_of_alternatives() -> None:
    """Addresses and topics of all filters of an owner count together."""
    registry = Registry(make_id=numbered())
    two = LogFilter(addresses=frozenset(ADDRESSES[:2]))
    first = add(registry, "a", two, max_alternatives=3)
    with pytest.raises(TooManyAlternatives) as caught:
        add(registry, "a", two, max_alternatives=3)
    assert caught.value.limit == 3
    assert registry.of_owner("a") == (first,)
    add(registry, "a", max_alternatives=3)
    registry.remove("a", first.id)
    add(registry, "a", two, max_alternatives=3)


def test_a_refused_first_subscription_leaves_nothing_behind() -> None:
    """An owner that got nothing is not remembered."""
    registry = Registry(make_id=numbered())
    with pytest.raises(TooManySubscriptions):
        add(registry, "a", max_subscriptions=0)
    assert registry.of_owner("a") == ()
    assert registry.drop_owner("a") == 0


def test_an_id_in_use_is_drawn_again() -> None:
    """Two open subscriptions never share an id."""
    drawn = iter(["0x1", "0x1", "0x1", "0x2"])
    registry = Registry(make_id=lambda: next(drawn))
    assert [add(registry, "a").id, add(registry, "b").id] == ["0x1", "0x2"]


class RegistryMachine(RuleBasedStateMachine):
    """Random opening and closing, compared with a plain dictionary of lists."""

    OWNERS = st.sampled_from("ab")

    def __init__(self) -> None:
        super().__init__()
        self.registry = Registry(make_id=numbered())
        self.model: dict[str, list[Subscription]] = {"a": [], "b": []}

    @rule(owner=OWNERS, wanted=filters())
    def subscribe(self, owner: str, wanted: Filter) -> None:
        """Open one within the limits."""
        held = self.model[owner]
        named = sum(alternatives(one.filter) for one in held)
        try:
            opened = add(self.registry, owner, wanted, max_subscriptions=4, max_alternatives=8)
        except TooManySubscriptions:
            assert len(held) == 4
        except TooManyAlternatives:
            assert named + alternatives(wanted) > 8
        else:
            assert len(held) < 4
            assert named + alternatives(wanted) <= 8
            held.append(opened)

    @rule(owner=OWNERS, at=st.integers(0, 4))
    def unsubscribe(self, owner: str, at: int) -> None:
        """Close one that there is or is not."""
        if at < len(self.model[owner]):
            closed = self.model[owner].pop(at)
            assert self.registry.remove(owner, closed.id) is closed
            assert not closed.active
        else:
            assert self.registry.remove(owner, "0x0") is None

    @rule(owner=OWNERS)
    def leave(self, owner: str) -> None:
        """Close the connection."""
        assert self.registry.drop_owner(owner) == len(self.model[owner])
        self.model[owner] = []

    @invariant()
    def agrees(self) -> None:
        """Holdings, size and audience are those of the model."""
        assert len(self.registry) == sum(len(held) for held in self.model.values())
        for owner, held in self.model.items():
            assert self.registry.of_owner(owner) == tuple(held)
        everyone = [one for held in self.model.values() for one in held]
        audience = {one.id for one in everyone if one.filter == HeadFilter()}
        assert {one.id for _, who in self.registry.match(EVENT) for one in who} == audience


RegistryMachine.TestCase.settings = relaxed
TestRegistry = RegistryMachine.TestCase
