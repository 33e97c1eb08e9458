"""Who watches which topics and addresses, where a block reaches a client as one message.

Sans-I/O. A topic is watched once per owner: watching it again adds addresses. A topic that is left
stays until ``settle``, so that it is delivered one last time; watching it meanwhile keeps it. The
cost of a block grows with what was watched and happened, not with owners times addresses.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from twisted_chainws.chain.types import Address20
from twisted_chainws.errors import TooManyAlternatives, TooManySubscriptions
from twisted_chainws.subscriptions.index import Roster, take_out


@dataclass(frozen=True, slots=True)
class Standing:
    """What an owner gets whatever a block holds; owners of one standing form a group.

    Attributes:
        topics: those it watches, those that it is about to leave included.
        leaving: those that end with the next block.
        cursor: whether its messages carry a cursor.
    """

    topics: frozenset[str] = frozenset()
    leaving: frozenset[str] = frozenset()
    cursor: bool = False


class Watcher:
    """One owner as those see it who deliver to it.

    Attributes:
        owner: usually a session.
        wire_id: empty: gathered messages name no subscription.
        active: False as soon as its owner is gone: lists handed out earlier may still hold it.
        standing: which topics it watches.
        addresses: what it watches of topics that are watched by address.
    """

    __slots__ = ("active", "addresses", "owner", "standing")

    wire_id = b""

    def __init__(self, owner: Any) -> None:
        self.owner = owner
        self.active = True
        self.standing = Standing()
        self.addresses: dict[str, set[Address20]] = {}

    def __repr__(self) -> str:
        return f"<Watcher {sorted(self.standing.topics)} active={self.active}>"


_Place: TypeAlias = tuple[str, Address20]


class Watches:
    """All watchers of a dialect. Owners are told apart by their hash and equality."""

    def __init__(self) -> None:
        self._watchers: dict[Any, Watcher] = {}
        self._groups: dict[Standing, Roster[Watcher]] = {}
        self._by_address: dict[_Place, Roster[Watcher]] = {}

    def __len__(self) -> int:
        return len(self._watchers)

    def watch(
        self,
        owner: Any,
        topic: str,
        addresses: Iterable[Address20],
        *,
        cursor: bool | None = None,
        max_topics: int,
        max_addresses: int,
    ) -> None:
        """Begin to watch a topic, or more of it, and do not leave it.

        Args:
            owner: who; hashable.
            topic: its name.
            addresses: those to watch beside what is watched already; empty for a topic that is not
                watched by address.
            cursor: whether the owner's messages carry a cursor from now on; None as before.
            max_topics: how many topics the owner may watch with this one.
            max_addresses: how many addresses in all its topics.

        Raises:
            TooManySubscriptions: it watches as many topics as it may; nothing has changed.
            TooManyAlternatives: it would watch too many addresses; nothing has changed.
        """
        watcher = self._watchers.get(owner) or Watcher(owner)
        standing = watcher.standing
        if topic not in standing.topics and len(standing.topics) >= max_topics:
            raise TooManySubscriptions(limit=max_topics)
        added = set(addresses) - watcher.addresses.get(topic, set())
        if added:
            if sum(map(len, watcher.addresses.values())) + len(added) > max_addresses:
                raise TooManyAlternatives(limit=max_addresses)
            watcher.addresses.setdefault(topic, set()).update(added)
        self._watchers[owner] = watcher
        for address in added:
            self._by_address.setdefault((topic, address), Roster()).add(watcher)
        wanted = Standing(
            topics=standing.topics | {topic},
            leaving=standing.leaving - {topic},
            cursor=standing.cursor if cursor is None else cursor,
        )
        self._regroup(watcher, wanted)

    def leave(self, owner: Any, topic: str) -> bool:
        """Leave a topic at the next ``settle``; False when the owner does not watch it."""
        watcher = self._watchers.get(owner)
        if watcher is None or topic not in watcher.standing.topics:
            return False
        standing = watcher.standing
        self._regroup(watcher, replace(standing, leaving=standing.leaving | {topic}))
        return True

    def settle(self) -> None:
        """Let every topic go that was left; watchers without one are forgotten."""
        for standing in [standing for standing in self._groups if standing.leaving]:
            left = replace(standing, topics=standing.topics - standing.leaving, leaving=frozenset())
            for watcher in self._groups[standing].listed():
                self._forget(watcher, standing.leaving)
                self._regroup(watcher, left)
                if not watcher.standing.topics:
                    del self._watchers[watcher.owner]

    def drop_owner(self, owner: Any) -> None:
        """Forget an owner at once; nothing is delivered to it any more."""
        watcher = self._watchers.pop(owner, None)
        if watcher is not None:
            watcher.active = False
            self._forget(watcher, watcher.standing.topics)
            self._regroup(watcher, Standing())

    def of_address(self, topic: str, address: Address20) -> Sequence[Watcher]:
        """Return who watches an address under a topic, oldest first."""
        roster = self._by_address.get((topic, address))
        return () if roster is None else roster.listed()

    def groups(self) -> Iterator[tuple[Standing, Sequence[Watcher]]]:
        """Yield every standing that somebody has, and who; later changes do not show."""
        for standing, roster in tuple(self._groups.items()):
            yield standing, roster.listed()

    def of_owner(self, owner: Any) -> Standing:
        """Return what an owner watches."""
        watcher = self._watchers.get(owner)
        return Standing() if watcher is None else watcher.standing

    def _regroup(self, watcher: Watcher, standing: Standing) -> None:
        if standing == watcher.standing:
            return
        if watcher.standing.topics:
            take_out(self._groups, (watcher.standing,), watcher)
        if standing.topics:
            self._groups.setdefault(standing, Roster()).add(watcher)
        watcher.standing = standing

    def _forget(self, watcher: Watcher, topics: Iterable[str]) -> None:
        """Watch no address of these topics any more."""
        for topic in topics:
            places = [(topic, address) for address in watcher.addresses.pop(topic, ())]
            take_out(self._by_address, places, watcher)
