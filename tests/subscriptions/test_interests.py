"""Interests and expectations, against a model that looks at everybody every time."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.strategies import hash32
from twisted_chainws.chain.types import Hash32
from twisted_chainws.errors import TooManyAlternatives, TooManySubscriptions
from twisted_chainws.subscriptions.interests import Follower, Interest, Interests

ONE, TWO, THREE = (hash32(number) for number in range(3))
LIFETIME_S = 60.0


def follow(
    interests: Interests, owner: object, *topics: str, keys: tuple[str, ...] | None = None
) -> None:
    """Set an interest, within bounds that do not matter."""
    interests.set(owner, Interest(topics=frozenset(topics), keys=keys), max_keys=100)


def expect(
    interests: Interests, owner: object, wanted: Hash32, now: float = 0.0, most: int = 100
) -> None:
    """Expect a transaction."""
    interests.expect(owner, wanted, now, lifetime_s=LIFETIME_S, most=most)


def owners(found: Any) -> list[Any]:
    """Return the owners of followers."""
    return [follower.owner for follower in found]


def consumed(interests: Interests, wanted: Hash32) -> object:
    """Return the owner that is told of a transaction, None for nobody."""
    follower = interests.consume(wanted)
    return None if follower is None else follower.owner


def test_nobody_is_interested_in_anything_at_first() -> None:
    """An interest begins without topics and without having named keys."""
    interests = Interests()
    assert interests.get("me") == Interest(topics=frozenset(), keys=None, cursor=False)
    assert owners(interests.interested("a", None)) == []
    assert owners(interests.interested("a", frozenset({"k"}))) == []
    interests.set("me", Interest(), max_keys=0)
    assert len(interests) == 0


def test_an_interest_takes_the_place_of_the_one_before() -> None:
    """What was wanted and is not wanted any more is not found any more."""
    interests = Interests()
    follow(interests, "me", "a", "b", keys=("k", "l"))
    follow(interests, "me", "b", "c", keys=("l", "m"))
    assert interests.get("me") == Interest(topics=frozenset({"b", "c"}), keys=("l", "m"))
    found = {
        (topic, key): owners(interests.interested(topic, [key])) for topic in "abc" for key in "klm"
    }
    assert {place for place, some in found.items() if some == ["me"]} == {
        ("b", "l"), ("b", "m"), ("c", "l"), ("c", "m"),
    }  # fmt: skip
    assert [owners(interests.interested(topic, None)) for topic in "abc"] == [[], ["me"], ["me"]]
    follow(interests, "me", keys=("l",))
    assert interests.get("me").keys == ("l",)
    assert owners(interests.interested("b", ["l"])) == []


@pytest.mark.parametrize(
    ("narrowed", "keys", "told"),
    [
        (None, [], True), (None, ["k"], True), ((), ["k"], True), ((), [], True),
        (("k",), [], False), (("k",), ["l"], False), (("k", "l"), ["l", "k"], True),
        (("k", "k"), ["k"], True), (("k",), None, True),
    ],
)  # fmt: skip
def test_a_narrowed_interest_wants_one_of_its_keys(
    narrowed: tuple[str, ...] | None, keys: list[str] | None, told: bool
) -> None:
    """Without keys it wants everything; a message that has no keys is never narrowed."""
    interests = Interests()
    follow(interests, "me", "a", keys=narrowed)
    (follower,) = interests.interested("a", None)
    assert owners(interests.interested("a", keys)) == ["me"] * told
    assert follower.wants("a", None if keys is None else frozenset(keys)) is told
    assert not follower.wants("b", None)


def test_only_those_are_looked_at_who_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many follow other keys, whoever gets a message is found without asking them."""
    interests = Interests()
    for number in range(1_000):
        follow(interests, number, "a", keys=(f"k{number}",))
    monkeypatch.setattr(Follower, "wants", lambda *_: pytest.fail("somebody was asked"))
    assert owners(interests.interested("a", ["k7", "k9", "x"])) == [7, 9]
    follow(interests, "all", "a")
    assert interests.interested("a", ["x"]) is interests.interested("a", ["y"])


def test_a_cursor_is_wished_without_changing_places() -> None:
    """Whoever only changes its mind about cursors stays where it is."""
    interests = Interests()
    for owner in ("me", "you"):
        follow(interests, owner, "a")
    interests.set("me", replace(interests.get("me"), cursor=True), max_keys=1)
    found = interests.interested("a", None)
    assert [(each.owner, each.interest.cursor) for each in found] == [("me", True), ("you", False)]


def test_the_number_of_keys_is_bounded() -> None:
    """Too many are refused, and what was before stays."""
    interests = Interests()
    follow(interests, "me", "a", keys=("k",))
    with pytest.raises(TooManyAlternatives) as refusal:
        interests.set("me", Interest(keys=("k", "l", "m")), max_keys=2)
    assert refusal.value.limit == 2
    assert interests.get("me") == Interest(topics=frozenset({"a"}), keys=("k",))


def test_a_transaction_is_expected_by_the_first_only() -> None:
    """Whoever comes later changes nothing, by taking back neither; it is consumed once."""
    interests = Interests()
    expect(interests, "me", ONE)
    expect(interests, "you", ONE)
    interests.disregard("you", ONE)
    assert consumed(interests, ONE) == "me"
    assert consumed(interests, ONE) is None
    interests.disregard("me", ONE)
    interests.disregard("nobody", ONE)


def test_expecting_twice_and_taking_back_once_is_expecting() -> None:
    """Sending again what is under way fails, and must not cost the word of its confirmation."""
    interests = Interests()
    expect(interests, "me", ONE)
    expect(interests, "me", ONE)
    interests.disregard("me", ONE)
    assert consumed(interests, ONE) == "me"
    expect(interests, "me", TWO)
    interests.disregard("me", TWO)
    assert consumed(interests, TWO) is None


def test_what_was_long_expected_ends_with_the_next_expectation() -> None:
    """Nothing happens by time alone; others and what is expected again are left alone."""
    interests = Interests()
    expect(interests, "me", ONE, 0.0)
    expect(interests, "you", TWO, 0.0)
    expect(interests, "me", THREE, 60.0)
    expect(interests, "me", ONE, 60.5)
    assert consumed(interests, ONE) == "me"
    expect(interests, "me", ONE, 61.0)
    expect(interests, "me", hash32("x"), 120.5)
    assert [consumed(interests, each) for each in (ONE, TWO, THREE)] == ["me", "you", None]


def test_the_number_of_expectations_is_bounded() -> None:
    """One more is refused; those that are over do not count, nor does the same once more."""
    interests = Interests()
    expect(interests, "me", ONE, 0.0, 1)
    expect(interests, "me", ONE, 1.0, 1)
    with pytest.raises(TooManySubscriptions) as refusal:
        expect(interests, "me", TWO, 1.0, 1)
    assert refusal.value.limit == 1
    assert consumed(interests, TWO) is None
    expect(interests, "me", TWO, 61.0, 1)
    assert [consumed(interests, each) for each in (ONE, TWO)] == [None, "me"]


def test_a_dropped_owner_gets_nothing_more() -> None:
    """Lists handed out before still hold it, inactive; dropping twice is no error."""
    interests = Interests()
    follow(interests, "me", "a", keys=("k",))
    expect(interests, "me", ONE)
    (follower,) = interests.interested("a", None)
    assert follower.active
    assert repr(follower) == "<Follower ['a'] active=True>"
    interests.drop("me")
    interests.drop("me")
    assert not follower.active
    assert len(interests) == 0
    assert owners(interests.interested("a", None)) == []
    assert owners(interests.interested("a", ["k"])) == []
    assert consumed(interests, ONE) is None
    assert interests.get("me") == Interest()


OWNERS = st.sampled_from(["one", "two", "three"])
TOPICS = st.sampled_from(["a", "b"])
KEYS = st.sampled_from(["k", "l", "m"])
HASHES = st.sampled_from([ONE, TWO, THREE])


class Naive:
    """What one owner wants, kept without any index."""

    def __init__(self) -> None:
        self.interest = Interest()
        self.expected: dict[Hash32, list[float]] = {}


class Against(RuleBasedStateMachine):
    """Every change is made in both; whoever is found must be the same."""

    def __init__(self) -> None:
        super().__init__()
        self.interests = Interests()
        self.naive: dict[str, Naive] = {}
        self.now = 0.0

    @rule(
        owner=OWNERS,
        topics=st.frozensets(TOPICS),
        keys=st.none() | st.lists(KEYS, max_size=4).map(tuple),
        cursor=st.booleans(),
    )
    def set(
        self, owner: str, topics: frozenset[str], keys: tuple[str, ...] | None, cursor: bool
    ) -> None:
        """Set an interest, within the bound or not."""
        interest = Interest(topics=topics, keys=keys, cursor=cursor)
        known = self.naive.setdefault(owner, Naive())
        if interest != known.interest and len(keys or ()) > 3:
            with pytest.raises(TooManyAlternatives):
                self.interests.set(owner, interest, max_keys=3)
        else:
            self.interests.set(owner, interest, max_keys=3)
            known.interest = interest

    @rule(owner=OWNERS, wanted=HASHES, wait_s=st.sampled_from([0.0, 40.0]))
    def expect(self, owner: str, wanted: Hash32, wait_s: float) -> None:
        """Expect a transaction, after a while."""
        self.now += wait_s
        mine = self.naive.setdefault(owner, Naive()).expected
        for old in [each for each, times in mine.items() if self.now - times[0] > LIFETIME_S]:
            if old != wanted:
                del mine[old]
        others = [name for name, known in self.naive.items() if wanted in known.expected]
        if others in ([], [owner]):
            if wanted not in mine and len(mine) >= 2:
                with pytest.raises(TooManySubscriptions):
                    expect(self.interests, owner, wanted, self.now, 2)
                return
            mine.setdefault(wanted, []).append(self.now)
        expect(self.interests, owner, wanted, self.now, 2)

    @rule(owner=OWNERS, wanted=HASHES)
    def disregard(self, owner: str, wanted: Hash32) -> None:
        """Take an expectation back."""
        self.interests.disregard(owner, wanted)
        mine = self.naive.setdefault(owner, Naive()).expected
        if wanted in mine:
            mine[wanted].pop()
            if not mine[wanted]:
                del mine[wanted]

    @rule(wanted=HASHES)
    def consume(self, wanted: Hash32) -> None:
        """Let a transaction come."""
        found = [name for name, known in self.naive.items() if known.expected.pop(wanted, None)]
        assert consumed(self.interests, wanted) == (found[0] if found else None)
        assert len(found) <= 1

    @rule(owner=OWNERS)
    def drop(self, owner: str) -> None:
        """Forget an owner."""
        self.interests.drop(owner)
        self.naive.pop(owner, None)

    @invariant()
    def same_interests(self) -> None:
        """Everybody wants what was said last."""
        for owner, known in self.naive.items():
            assert self.interests.get(owner) == known.interest

    @invariant()
    def same_recipients(self) -> None:
        """Nobody is found twice, forgotten or too many."""
        for topic in ("a", "b"):
            for keys in (None, frozenset[str](), {"k"}, {"k", "l"}, {"k", "l", "m"}):
                wanted = {
                    owner
                    for owner, known in self.naive.items()
                    if topic in known.interest.topics
                    and (
                        keys is None
                        or not known.interest.keys
                        or set(known.interest.keys).intersection(keys)
                    )
                }
                found = self.interests.interested(topic, keys)
                assert sorted(owners(found)) == sorted(wanted)
                assert all(follower.active for follower in found)


TestAgainst = Against.TestCase
TestAgainst.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
