"""From an event to those who asked for it, at a cost that grows with the matches.

Sans-I/O. Heads, pending transactions, all logs and all receipts have one flat list each. Every
other log filter is filed under exactly one of its criteria (its addresses, or one of its topic
slots): a log has one address and one topic per position, so a filter is met at most once per log
and only the final check against the whole filter remains.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Generic, Protocol, TypeAlias, TypeVar

from twisted_chainws.chain.types import Hash32
from twisted_chainws.subscriptions.events import (
    ChainEvent,
    HeadAdded,
    LogEvent,
    ReceiptsAdded,
    TransactionPending,
)
from twisted_chainws.subscriptions.filters import (
    Filter,
    HeadFilter,
    LogFilter,
    PendingFilter,
    ReceiptFilter,
    matches,
)


class Interested(Protocol):
    """Whoever has a filter; hashed by identity."""

    @property
    def filter(self) -> Filter:
        """What it asks for; must not change while it is indexed."""


T = TypeVar("T", bound=Interested)
K = TypeVar("K")

_Key: TypeAlias = tuple[int, bytes]
"""A criterion: -1 and an address, or a topic position and a topic."""

_ADDRESS = -1
_ANY_LOG = LogFilter()


class Roster(Generic[T]):
    """A set in insertion order whose members are handed out as a tuple, copied on write."""

    __slots__ = ("_listed", "_members")

    def __init__(self) -> None:
        self._members: dict[T, None] = {}
        self._listed: tuple[T, ...] | None = ()

    def add(self, member: T) -> None:
        """Put a member at the end."""
        self._members[member] = None
        self._listed = None

    def remove(self, member: T) -> None:
        """Take a member out; a tuple handed out earlier keeps it."""
        del self._members[member]
        self._listed = None

    def listed(self) -> tuple[T, ...]:
        """Return the members; the same tuple until the next change."""
        if self._listed is None:
            self._listed = tuple(self._members)
        return self._listed

    def __len__(self) -> int:
        return len(self._members)

    def __iter__(self) -> Iterator[T]:
        return iter(self._members)


class Index(Generic[T]):
    """An inverted index over filters. Members of each answer stand in the order of their adding."""

    def __init__(self) -> None:
        self._order: dict[T, int] = {}
        self._added = 0
        self._heads: Roster[T] = Roster()
        self._pending: Roster[T] = Roster()
        self._silent: Roster[T] = Roster()
        self._all_logs: Roster[T] = Roster()
        self._all_receipts: Roster[T] = Roster()
        self._loose: Roster[T] = Roster()
        self._filed: dict[_Key, Roster[T]] = {}
        self._places: dict[T, tuple[_Key, ...]] = {}
        self._by_hash: dict[Hash32, Roster[T]] = {}

    def __len__(self) -> int:
        return len(self._order)

    def add(self, member: T) -> None:
        """Begin to match a member; it must not be indexed already."""
        self._order[member] = self._added
        self._added += 1
        match member.filter:
            case LogFilter() as wanted if keys := self._best_keys(wanted):
                self._places[member] = keys
                for key in keys:
                    self._filed.setdefault(key, Roster()).add(member)
            case ReceiptFilter(hashes=hashes) if hashes:
                for tx_hash in hashes:
                    self._by_hash.setdefault(tx_hash, Roster()).add(member)
            case wanted:
                self._flat(wanted).add(member)

    def remove(self, member: T) -> None:
        """Stop matching a member; answers given earlier stay as they are."""
        del self._order[member]
        keys = self._places.pop(member, None)
        match member.filter:
            case LogFilter() if keys is not None:
                _take_out(self._filed, keys, member)
            case ReceiptFilter(hashes=hashes) if hashes:
                _take_out(self._by_hash, hashes, member)
            case wanted:
                self._flat(wanted).remove(member)

    def match(self, event: ChainEvent) -> Sequence[tuple[ChainEvent, Sequence[T]]]:
        """Find who asked for an event, and for what of it.

        Returns:
            Pairs of an item and those who get it, nobody twice and never an empty list. The item is
            the event itself, or ``ReceiptsAdded`` narrowed to the positions asked for (those who
            asked for the same positions share one item). The caller may keep the lists but not
            change them; later changes of the index do not show in them.
        """
        match event:
            case HeadAdded():
                members: Sequence[T] = self._heads.listed()
            case LogEvent():
                members = self._log_members(event)
            case TransactionPending():
                members = self._pending.listed()
            case _:
                return self._receipt_groups(event)
        return ((event, members),) if members else ()

    def _flat(self, wanted: Filter) -> Roster[T]:
        match wanted:
            case HeadFilter():
                return self._heads
            case PendingFilter():
                return self._pending
            case ReceiptFilter():
                return self._all_receipts
            case LogFilter():
                return self._all_logs if wanted == _ANY_LOG else self._loose
            case _:
                return self._silent

    def _best_keys(self, wanted: LogFilter) -> tuple[_Key, ...]:
        """Choose the criterion with the emptiest places, () if all are wildcards.

        Ties go to fewer keys, then to indexed arguments (topics 1 to 3), which say more than the
        address, and last to topic 0, which many contracts share.
        """
        slots = [
            tuple((at, topic) for topic in slot or ()) for at, slot in enumerate(wanted.topics)
        ]
        addresses = tuple((_ADDRESS, address) for address in wanted.addresses)
        choices = [keys for keys in (*slots[1:], addresses, *slots[:1]) if keys]
        return min(choices, key=self._crowding, default=())

    def _crowding(self, keys: tuple[_Key, ...]) -> tuple[int, int]:
        return max(len(self._filed.get(key, ())) for key in keys), len(keys)

    def _log_members(self, event: LogEvent) -> Sequence[T]:
        everyone = self._all_logs.listed()
        log = event.log
        keys: list[_Key] = [(_ADDRESS, log.address), *enumerate(log.topics)]
        places = [place for key in keys if (place := self._filed.get(key)) is not None]
        some = [member for member in chain(self._loose, *places) if matches(member.filter, event)]
        return self._sorted(chain(everyone, some)) if some else everyone

    def _receipt_groups(self, event: ReceiptsAdded) -> Sequence[tuple[ChainEvent, Sequence[T]]]:
        if not event.positions:
            return ()
        everyone = self._all_receipts.listed()
        some = self._receipt_members(event)
        if not some:
            return ((event, everyone),) if everyone else ()
        groups: dict[tuple[int, ...], list[T]] = {}
        for member in self._sorted(chain(everyone, some)):
            groups.setdefault(some.get(member, event.positions), []).append(member)
        return [(_narrowed(event, positions), members) for positions, members in groups.items()]

    def _receipt_members(self, event: ReceiptsAdded) -> dict[T, tuple[int, ...]]:
        """Map those who named a transaction of the event to the positions they asked for."""
        found: dict[T, tuple[int, ...]] = {}
        if self._by_hash:
            for position in event.positions:
                tx_hash = event.block.transactions[position].hash
                for member in self._by_hash.get(tx_hash, ()):
                    found[member] = (*found.get(member, ()), position)
        return found

    def _sorted(self, members: Iterable[T]) -> list[T]:
        return sorted(members, key=self._order.__getitem__)


def _take_out(places: dict[K, Roster[T]], keys: Iterable[K], member: T) -> None:
    """Remove a member from its places and forget places that became empty."""
    for key in keys:
        place = places[key]
        place.remove(member)
        if not place:
            del places[key]


def _narrowed(event: ReceiptsAdded, positions: tuple[int, ...]) -> ReceiptsAdded:
    if positions == event.positions:
        return event
    return ReceiptsAdded(block=event.block, positions=positions)
