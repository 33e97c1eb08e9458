"""What connections of a push protocol are about: one interest each, and what each one expects.

Sans-I/O. An owner's interest says of which topics it is told, and to which keys it narrows those
that have keys. Beside it an owner may expect single transactions, whatever its interest: such an
expectation is consumed by what it was for. The cost of a message grows with who gets it, not with
all owners.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final, TypeAlias

from twisted_chainws.chain.types import Hash32
from twisted_chainws.errors import TooManyAlternatives, TooManySubscriptions
from twisted_chainws.subscriptions.index import Roster, take_out


@dataclass(frozen=True, slots=True, kw_only=True)
class Interest:
    """What one connection wants to be told of.

    Attributes:
        topics: names of the topics.
        keys: what keyed topics are narrowed to, as the client wrote it; empty for everything, None
            when it never said.
        cursor: whether each push carries a cursor.
    """

    topics: frozenset[str] = frozenset()
    keys: tuple[str, ...] | None = None
    cursor: bool = False


NO_INTEREST: Final = Interest()
"""With which everybody begins."""


class _Expected:
    """A transaction that an owner expects: since when, and how often it said so."""

    __slots__ = ("since", "times")

    def __init__(self, since: float) -> None:
        self.since = since
        self.times = 1


class Follower:
    """One owner as those see it who deliver to it.

    Attributes:
        owner: usually a session.
        wire_id: empty: pushes name no subscription.
        active: False as soon as its owner is gone: lists handed out earlier may still hold it.
        interest: what it wants to be told of.
        expected: the transactions it expects, oldest first.
    """

    __slots__ = ("active", "expected", "interest", "owner")

    wire_id = b""

    def __init__(self, owner: Any) -> None:
        self.owner = owner
        self.active = True
        self.interest = NO_INTEREST
        self.expected: dict[Hash32, _Expected] = {}

    def __repr__(self) -> str:
        return f"<Follower {sorted(self.interest.topics)} active={self.active}>"

    def wants(self, topic: str, keys: frozenset[str] | None) -> bool:
        """Tell whether its interest covers a message; keys are None where there are none."""
        interest = self.interest
        if topic not in interest.topics:
            return False
        return keys is None or not interest.keys or not keys.isdisjoint(interest.keys)


_Place: TypeAlias = tuple[str, str | None]
"""A topic, and a key of those who narrowed it; None for those who did not."""


class Interests:
    """All interests of a dialect. Owners are told apart by their hash and equality."""

    def __init__(self) -> None:
        self._followers: dict[Any, Follower] = {}
        self._by_topic: dict[str, Roster[Follower]] = {}
        self._by_place: dict[_Place, Roster[Follower]] = {}
        self._expecting: dict[Hash32, Follower] = {}

    def __len__(self) -> int:
        """Count the owners that have said something; without any, nothing is told to anybody."""
        return len(self._followers)

    def get(self, owner: Any) -> Interest:
        """Return what an owner wants to be told of."""
        follower = self._followers.get(owner)
        return NO_INTEREST if follower is None else follower.interest

    def set(self, owner: Any, interest: Interest, *, max_keys: int) -> None:
        """Put another interest in the place of the owner's.

        Args:
            owner: who; hashable.
            interest: what it is from now on.
            max_keys: to how many keys it may be narrowed.

        Raises:
            TooManyAlternatives: there are more; nothing has changed.
        """
        before = self.get(owner)
        if interest == before:
            return
        if len(interest.keys or ()) > max_keys:
            raise TooManyAlternatives(limit=max_keys)
        follower = self._follower(owner)
        if (interest.topics, interest.keys) != (before.topics, before.keys):
            self._take_out(follower)
            follower.interest = interest
            for topic in interest.topics:
                self._by_topic.setdefault(topic, Roster()).add(follower)
            for place in _places(interest):
                self._by_place.setdefault(place, Roster()).add(follower)
        follower.interest = interest

    def interested(self, topic: str, keys: Iterable[str] | None) -> Sequence[Follower]:
        """Return whose interest covers a message, nobody twice.

        Args:
            topic: of the message.
            keys: its keys; None where a topic has none, so that nobody narrows it.
        """
        if keys is None:
            return _listed(self._by_topic.get(topic))
        everyone = _listed(self._by_place.get((topic, None)))
        narrowed = [place for key in keys if (place := self._by_place.get((topic, key)))]
        return tuple(dict.fromkeys(chain(everyone, *narrowed))) if narrowed else everyone

    def expect(
        self, owner: Any, transaction_hash: Hash32, now: float, *, lifetime_s: float, most: int
    ) -> None:
        """Expect a transaction; somebody else who expects it already stays the only one.

        What the owner has expected for longer than ``lifetime_s`` is expected no longer, and only
        now: as long as it expects nothing further, it may wait.

        Raises:
            TooManySubscriptions: it expects as many as it may.
        """
        holder = self._expecting.get(transaction_hash)
        follower = self._follower(owner)
        for old in [
            each for each, seen in follower.expected.items() if now - seen.since > lifetime_s
        ]:
            if old != transaction_hash:
                self._forget(follower, old)
        if holder is follower:
            follower.expected[transaction_hash].times += 1
        elif holder is None:
            if len(follower.expected) >= most:
                raise TooManySubscriptions(limit=most)
            follower.expected[transaction_hash] = _Expected(now)
            self._expecting[transaction_hash] = follower

    def disregard(self, owner: Any, transaction_hash: Hash32) -> None:
        """Take back one ``expect`` of this owner; it expects on if it said so more often."""
        follower = self._expecting.get(transaction_hash)
        if follower is None or follower is not self._followers.get(owner):
            return
        expected = follower.expected[transaction_hash]
        expected.times -= 1
        if not expected.times:
            self._forget(follower, transaction_hash)

    def consume(self, transaction_hash: Hash32) -> Follower | None:
        """Return who expects a transaction, who then expects it no longer."""
        follower = self._expecting.get(transaction_hash)
        if follower is not None:
            self._forget(follower, transaction_hash)
        return follower

    def drop(self, owner: Any) -> None:
        """Forget an owner at once; nothing is delivered to it any more."""
        follower = self._followers.pop(owner, None)
        if follower is not None:
            follower.active = False
            self._take_out(follower)
            for transaction_hash in tuple(follower.expected):
                self._forget(follower, transaction_hash)

    def _follower(self, owner: Any) -> Follower:
        return self._followers.get(owner) or self._followers.setdefault(owner, Follower(owner))

    def _take_out(self, follower: Follower) -> None:
        take_out(self._by_topic, follower.interest.topics, follower)
        take_out(self._by_place, _places(follower.interest), follower)

    def _forget(self, follower: Follower, transaction_hash: Hash32) -> None:
        del follower.expected[transaction_hash]
        del self._expecting[transaction_hash]


def _places(interest: Interest) -> list[_Place]:
    keys: Iterable[str | None] = dict.fromkeys(interest.keys or (None,))
    return [(topic, key) for key in keys for topic in interest.topics]


def _listed(roster: Roster[Follower] | None) -> Sequence[Follower]:
    return () if roster is None else roster.listed()
