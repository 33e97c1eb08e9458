"""Topics watched by address, against a model that looks at everybody every time."""

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.strategies import ADDRESSES, address20
from twisted_chainws.chain.types import Address20
from twisted_chainws.errors import TooManyAlternatives, TooManySubscriptions
from twisted_chainws.subscriptions.watches import Standing, Watches

A, B, C = ADDRESSES
TOPICS = ("plain", "events", "payments")


def watch(
    watches: Watches, owner: object, topic: str, *addresses: Address20, most: int = 100
) -> None:
    """Watch, within bounds that do not matter."""
    watches.watch(owner, topic, addresses, max_topics=most, max_addresses=most)


def owners(found: Any) -> list[Any]:
    """Return the owners of watchers."""
    return [watcher.owner for watcher in found]


def test_watching_again_adds_addresses() -> None:
    """A topic is one thing per owner; each of its addresses leads to it once."""
    watches = Watches()
    watch(watches, "me", "events", A)
    watch(watches, "me", "events", A, B)
    assert owners(watches.of_address("events", A)) == ["me"]
    assert owners(watches.of_address("events", B)) == ["me"]
    assert owners(watches.of_address("payments", A)) == []
    assert len(watches) == 1


def test_owners_of_one_standing_form_a_group() -> None:
    """Whoever watches the same topics, whatever addresses, is in the same group."""
    watches = Watches()
    watch(watches, "me", "events", A)
    watch(watches, "you", "events", B)
    watch(watches, "he", "plain")
    found = {standing.topics: owners(some) for standing, some in watches.groups()}
    assert found == {frozenset({"events"}): ["me", "you"], frozenset({"plain"}): ["he"]}


def test_what_is_left_stays_until_the_end_of_the_block() -> None:
    """Leaving is seen in the standing; ``settle`` carries it out and forgets the addresses."""
    watches = Watches()
    watch(watches, "me", "events", A)
    watch(watches, "me", "plain")
    assert watches.leave("me", "events")
    assert watches.of_owner("me") == Standing(frozenset(TOPICS[:2]), frozenset({"events"}))
    assert owners(watches.of_address("events", A)) == ["me"]
    watches.settle()
    assert watches.of_owner("me") == Standing(frozenset({"plain"}))
    assert owners(watches.of_address("events", A)) == []
    watch(watches, "me", "events", B)
    assert owners(watches.of_address("events", A)) == []


def test_watching_again_cancels_leaving() -> None:
    """The topic stays, with the addresses that it had."""
    watches = Watches()
    watch(watches, "me", "events", A)
    watches.leave("me", "events")
    watch(watches, "me", "events", B)
    watches.settle()
    assert owners(watches.of_address("events", A)) == ["me"]
    assert watches.of_owner("me") == Standing(frozenset({"events"}))


def test_leaving_what_is_not_watched_changes_nothing() -> None:
    """An unknown owner and an unknown topic are no error."""
    watches = Watches()
    assert not watches.leave("me", "plain")
    watch(watches, "me", "plain")
    assert not watches.leave("me", "events")
    assert watches.of_owner("me") == Standing(frozenset({"plain"}))


def test_the_last_word_about_cursors_counts() -> None:
    """Who says nothing keeps what was said; it survives leaving a topic, not leaving all."""
    watches = Watches()
    for topic, cursor, expected in (
        ("plain", True, True), ("events", None, True), ("events", False, False),
        ("plain", None, False), ("plain", True, True),
    ):  # fmt: skip
        watches.watch("me", topic, (), cursor=cursor, max_topics=9, max_addresses=9)
        assert watches.of_owner("me").cursor is expected
    watches.leave("me", "plain")
    watches.settle()
    assert watches.of_owner("me") == Standing(frozenset({"events"}), cursor=True)
    watches.leave("me", "events")
    watches.settle()
    watch(watches, "me", "plain")
    assert watches.of_owner("me").cursor is False


def test_an_owner_without_topics_is_forgotten_but_may_still_be_served() -> None:
    """Its last message may be on the way: only the end of the owner makes it inactive."""
    watches = Watches()
    watch(watches, "me", "plain")
    ((_, (watcher,)),) = watches.groups()
    watches.leave("me", "plain")
    watches.settle()
    assert len(watches) == 0
    assert watcher.active


def test_a_dropped_owner_gets_nothing_more() -> None:
    """Lists handed out before still hold it, inactive; dropping twice is no error."""
    watches = Watches()
    watch(watches, "me", "events", A)
    ((_, found),) = watches.groups()
    watches.drop_owner("me")
    watches.drop_owner("me")
    assert [watcher.active for watcher in found] == [False]
    assert list(watches.groups()) == []
    assert owners(watches.of_address("events", A)) == []
    assert len(watches) == 0


def test_topics_are_bounded() -> None:
    """One too many is refused; what is watched already may be watched again."""
    watches = Watches()
    watch(watches, "me", "plain", most=1)
    watch(watches, "me", "plain", most=1)
    with pytest.raises(TooManySubscriptions):
        watch(watches, "me", "events", A, most=1)
    assert watches.of_owner("me") == Standing(frozenset({"plain"}))


def test_addresses_are_bounded_over_all_topics() -> None:
    """Addresses that are watched already do not count twice; a refusal changes nothing."""
    watches = Watches()
    watch(watches, "me", "events", A, B, most=3)
    watch(watches, "me", "events", A, B, most=3)
    watch(watches, "me", "payments", A, most=3)
    with pytest.raises(TooManyAlternatives):
        watch(watches, "me", "payments", C, most=3)
    assert owners(watches.of_address("payments", C)) == []
    with pytest.raises(TooManyAlternatives):
        watch(watches, "you", "payments", *map(address20, range(4)), most=3)
    assert len(watches) == 1


def test_a_watcher_says_what_it_watches() -> None:
    """Its repr is fit for a debugger."""
    watches = Watches()
    watch(watches, "me", "plain")
    ((_, (watcher,)),) = watches.groups()
    assert repr(watcher) == "<Watcher ['plain'] active=True>"
    assert watcher.wire_id == b""


class Model(RuleBasedStateMachine):
    """Random owners and topics; the model keeps plain sets."""

    OWNERS = st.sampled_from("xyz")
    NAMES = st.sampled_from(TOPICS)

    def __init__(self) -> None:
        super().__init__()
        self.watches = Watches()
        self.topics: dict[str, dict[str, set[Address20]]] = {}
        self.leaving: set[tuple[str, str]] = set()

    @rule(owner=OWNERS, topic=NAMES, addresses=st.sets(st.sampled_from(ADDRESSES)))
    def watch(self, owner: str, topic: str, addresses: set[Address20]) -> None:
        """Watch more."""
        watch(self.watches, owner, topic, *addresses)
        self.topics.setdefault(owner, {}).setdefault(topic, set()).update(addresses)
        self.leaving.discard((owner, topic))

    @rule(owner=OWNERS, topic=NAMES)
    def leave(self, owner: str, topic: str) -> None:
        """Leave, if it is watched."""
        known = topic in self.topics.get(owner, {})
        assert self.watches.leave(owner, topic) is known
        if known:
            self.leaving.add((owner, topic))

    @rule()
    def settle(self) -> None:
        """End a block."""
        self.watches.settle()
        for owner, topic in self.leaving:
            del self.topics[owner][topic]
        self.leaving.clear()

    @rule(owner=OWNERS)
    def drop(self, owner: str) -> None:
        """End an owner."""
        self.watches.drop_owner(owner)
        self.topics.pop(owner, None)
        self.leaving = {entry for entry in self.leaving if entry[0] != owner}

    @invariant()
    def agrees(self) -> None:
        """Groups and addresses lead to exactly those of the model."""
        wanted = {owner for owner, topics in self.topics.items() if topics}
        grouped = {
            watcher.owner: standing
            for standing, found in self.watches.groups()
            for watcher in found
        }
        assert grouped.keys() == wanted
        assert len(self.watches) == len(wanted)
        for owner, standing in grouped.items():
            assert standing == self.watches.of_owner(owner)
            assert standing.topics == self.topics[owner].keys()
            assert {(owner, topic) for topic in standing.leaving} == {
                entry for entry in self.leaving if entry[0] == owner
            }
        for topic in TOPICS:
            for address in ADDRESSES:
                assert set(owners(self.watches.of_address(topic, address))) == {
                    owner
                    for owner, topics in self.topics.items()
                    if address in topics.get(topic, ())
                }


TestModel = Model.TestCase
TestModel.settings = settings(deadline=None, max_examples=60)
