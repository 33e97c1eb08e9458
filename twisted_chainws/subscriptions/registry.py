"""The subscriptions of one dialect: who holds which, within which bounds. Sans-I/O."""

from collections.abc import Callable, Sequence
from typing import Any

from twisted_chainws.errors import TooManyAlternatives, TooManySubscriptions
from twisted_chainws.subscriptions.events import ChainEvent
from twisted_chainws.subscriptions.filters import Filter, alternatives
from twisted_chainws.subscriptions.index import Index
from twisted_chainws.subscriptions.interests import Interests
from twisted_chainws.subscriptions.watches import Watches


class Subscription:
    """One client's wish to hear of events.

    Attributes:
        id: as text.
        wire_id: the same as ASCII bytes, without quotes.
        filter: which events; never changes.
        encode: how an item goes out; subscribers with the same one share the encoded text.
        owner: whoever opened it, usually a session.
        cursor: whether each notice carries a cursor.
        active: False as soon as it was closed: lists handed out earlier may still hold it.
    """

    __slots__ = ("active", "cursor", "encode", "filter", "id", "owner", "wire_id")

    def __init__(
        self,
        *,
        subscription_id: str,
        wanted: Filter,
        encode: Callable[..., bytes],
        owner: Any,
        cursor: bool,
    ) -> None:
        self.id = subscription_id
        self.wire_id = subscription_id.encode("ascii")
        self.filter: Filter = wanted
        self.encode = encode
        self.owner = owner
        self.cursor = cursor
        self.active = True

    def __repr__(self) -> str:
        return f"<Subscription {self.id} {self.filter} active={self.active}>"


class _Holding:
    """What one owner has."""

    __slots__ = ("alternatives", "subscriptions")

    def __init__(self) -> None:
        self.subscriptions: dict[str, Subscription] = {}
        self.alternatives = 0


class Registry:
    """All subscriptions of a dialect, indexed. Owners are told apart by their hash and equality.

    Args:
        make_id: returns a new id; an id that is in use is drawn again.

    Attributes:
        watches: what is watched without an id, where a block is one message for each owner.
        interests: what owners are about, where each has one interest instead of subscriptions.
    """

    def __init__(self, *, make_id: Callable[[], str]) -> None:
        self._make_id = make_id
        self._index: Index[Subscription] = Index()
        self._ids: set[str] = set()
        self._holdings: dict[Any, _Holding] = {}
        self.watches = Watches()
        self.interests = Interests()

    def __len__(self) -> int:
        return len(self._ids)

    def add(
        self,
        wanted: Filter,
        encode: Callable[..., bytes],
        owner: Any,
        *,
        cursor: bool,
        max_subscriptions: int,
        max_alternatives: int,
    ) -> Subscription:
        """Open a subscription.

        Args:
            wanted: which events.
            encode: how each goes out.
            owner: who gets them; hashable.
            cursor: whether each notice carries a cursor.
            max_subscriptions: how many the owner may have with this one.
            max_alternatives: how many addresses, topics and hashes all its filters may name.

        Raises:
            TooManySubscriptions: the owner has as many as it may.
            TooManyAlternatives: its filters would name too much.
        """
        holding = self._holdings.get(owner) or _Holding()
        if len(holding.subscriptions) >= max_subscriptions:
            raise TooManySubscriptions(limit=max_subscriptions)
        weight = alternatives(wanted)
        if holding.alternatives + weight > max_alternatives:
            raise TooManyAlternatives(limit=max_alternatives)
        subscription = Subscription(
            subscription_id=self._free_id(),
            wanted=wanted,
            encode=encode,
            owner=owner,
            cursor=cursor,
        )
        self._ids.add(subscription.id)
        self._index.add(subscription)
        self._holdings[owner] = holding
        holding.subscriptions[subscription.id] = subscription
        holding.alternatives += weight
        return subscription

    def remove(self, owner: Any, subscription_id: str) -> Subscription | None:
        """Close a subscription of this owner and return it; None if it has none of this id."""
        holding = self._holdings.get(owner)
        if holding is None:
            return None
        subscription = holding.subscriptions.pop(subscription_id, None)
        if subscription is None:
            return None
        holding.alternatives -= alternatives(subscription.filter)
        if not holding.subscriptions:
            del self._holdings[owner]
        self._close(subscription)
        return subscription

    def drop_owner(self, owner: Any) -> int:
        """Close everything of an owner and return how many subscriptions that were."""
        self.watches.drop_owner(owner)
        self.interests.drop(owner)
        holding = self._holdings.pop(owner, None)
        if holding is None:
            return 0
        for subscription in holding.subscriptions.values():
            self._close(subscription)
        return len(holding.subscriptions)

    def of_owner(self, owner: Any) -> tuple[Subscription, ...]:
        """Return the subscriptions of an owner, oldest first."""
        holding = self._holdings.get(owner)
        return () if holding is None else tuple(holding.subscriptions.values())

    def match(self, event: ChainEvent) -> Sequence[tuple[ChainEvent, Sequence[Subscription]]]:
        """Find who gets an event; see ``Index.match``."""
        return self._index.match(event)

    def _free_id(self) -> str:
        while (made := self._make_id()) in self._ids:
            pass
        return made

    def _close(self, subscription: Subscription) -> None:
        subscription.active = False
        self._ids.remove(subscription.id)
        self._index.remove(subscription)
