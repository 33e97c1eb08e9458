"""From an event to those who asked for it, at a cost that grows with the matches.

Sans-I/O. Heads and those who want all logs, all transactions or all receipts have one flat list
each. Every other log filter is filed under exactly one of its criteria (its addresses, or one of
its topic slots): a log has one address and one topic per position, so a filter is met at most once
per log. A filter for transactions is filed under each sender and recipient it names, of a pair that
must both fit under one. Only the final check against the whole filter remains.
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
    recipient_of,
)


class Interested(Protocol):
    """Whoever has a filter; hashed by identity."""

    @property
    def filter(self) -> Filter:
        """What it asks for; must not change while it is indexed."""


T = TypeVar("T", bound=Interested)
M = TypeVar("M")
K = TypeVar("K")

_Key: TypeAlias = tuple[int, bytes]
"""A criterion: a topic position and a topic, or one of the following numbers and an address."""

_ADDRESS = -1
_PENDING_FROM = -2
_PENDING_TO = -3
_MINED_FROM = -4
_MINED_TO = -5

_NOBODY = b""
"""The recipient of a contract creation; nobody files under it."""

_ANY_LOG = LogFilter()


class Roster(Generic[M]):
    """A set in insertion order whose members are handed out as a tuple, copied on write."""

    __slots__ = ("_listed", "_members")

    def __init__(self) -> None:
        self._members: dict[M, None] = {}
        self._listed: tuple[M, ...] | None = ()

    def add(self, member: M) -> None:
        """Put a member at the end."""
        self._members[member] = None
        self._listed = None

    def remove(self, member: M) -> None:
        """Take a member out; a tuple handed out earlier keeps it."""
        del self._members[member]
        self._listed = None

    def listed(self) -> tuple[M, ...]:
        """Return the members; the same tuple until the next change."""
        if self._listed is None:
            self._listed = tuple(self._members)
        return self._listed

    def __len__(self) -> int:
        return len(self._members)

    def __iter__(self) -> Iterator[M]:
        return iter(self._members)


class Index(Generic[T]):
    """An inverted index over filters. Members of each answer stand in the order of their adding."""

    def __init__(self) -> None:
        self._order: dict[T, int] = {}
        self._added = 0
        self._heads: Roster[T] = Roster()
        self._pending: Roster[T] = Roster()
        self._all_mined: Roster[T] = Roster()
        self._all_undone: Roster[T] = Roster()
        self._all_logs: Roster[T] = Roster()
        self._all_receipts: Roster[T] = Roster()
        self._loose: Roster[T] = Roster()
        self._plain: dict[type[Filter], Roster[T]] = {
            HeadFilter: self._heads,
            PendingFilter: self._pending,
            MinedFilter: self._all_mined,
            ReceiptFilter: self._all_receipts,
            SilentFilter: Roster(),
        }
        self._filed: dict[_Key, Roster[T]] = {}
        self._places: dict[T, tuple[_Key, ...]] = {}
        self._by_hash: dict[Hash32, Roster[T]] = {}

    def __len__(self) -> int:
        return len(self._order)

    def add(self, member: T) -> None:
        """Begin to match a member; it must not be indexed already."""
        self._order[member] = self._added
        self._added += 1
        wanted = member.filter
        if keys := self._keys(wanted):
            self._places[member] = keys
            for key in keys:
                self._filed.setdefault(key, Roster()).add(member)
        elif isinstance(wanted, ReceiptFilter) and wanted.hashes:
            for tx_hash in wanted.hashes:
                self._by_hash.setdefault(tx_hash, Roster()).add(member)
        else:
            for roster in self._flat(wanted):
                roster.add(member)

    def remove(self, member: T) -> None:
        """Stop matching a member; answers given earlier stay as they are."""
        del self._order[member]
        keys = self._places.pop(member, None)
        wanted = member.filter
        if keys is not None:
            take_out(self._filed, keys, member)
        elif isinstance(wanted, ReceiptFilter) and wanted.hashes:
            take_out(self._by_hash, wanted.hashes, member)
        else:
            for roster in self._flat(wanted):
                roster.remove(member)

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
                members = self._pending_members(event)
            case TransactionMined():
                members = self._mined_members(event)
            case _:
                return self._receipt_groups(event)
        return ((event, members),) if members else ()

    def _flat(self, wanted: Filter) -> tuple[Roster[T], ...]:
        """Return the lists on which a filter without criteria stands."""
        match wanted:
            case LogFilter():
                return (self._all_logs if wanted == _ANY_LOG else self._loose,)
            case MinedFilter(include_removed=True):
                return (self._all_mined, self._all_undone)
            case _:
                return (self._plain[type(wanted)],)

    def _keys(self, wanted: Filter) -> tuple[_Key, ...]:
        """Return the criteria under which a filter is filed, () for one that has none."""
        match wanted:
            case LogFilter():
                return self._best_keys(wanted)
            case PendingFilter():
                return (
                    *((_PENDING_FROM, sender) for sender in wanted.senders),
                    *((_PENDING_TO, recipient) for recipient in wanted.recipients),
                )
            case MinedFilter():
                return tuple({self._party_key(party) for party in wanted.parties})
            case _:
                return ()

    def _party_key(self, party: Parties) -> _Key:
        """Choose sender or recipient, of both the one whom fewer have named so far."""
        sender = (_MINED_FROM, party.sender or _NOBODY)
        recipient = (_MINED_TO, party.recipient or _NOBODY)
        if party.sender is None:
            return recipient
        if party.recipient is None:
            return sender
        return min(sender, recipient, key=lambda key: len(self._filed.get(key, ())))

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
        log = event.log
        keys = [(_ADDRESS, log.address), *enumerate(log.topics)]
        return self._joined(event, self._all_logs.listed(), self._loose, keys)

    def _pending_members(self, event: TransactionPending) -> Sequence[T]:
        everyone, transaction = self._pending.listed(), event.transaction
        keys = [(_PENDING_FROM, transaction.sender), (_PENDING_TO, transaction.to or _NOBODY)]
        return self._joined(event, everyone, (), keys)

    def _mined_members(self, event: TransactionMined) -> Sequence[T]:
        everyone = (self._all_undone if event.removed else self._all_mined).listed()
        transaction = event.transaction
        keys = [
            (_MINED_FROM, transaction.sender),
            (_MINED_TO, recipient_of(transaction) or _NOBODY),
        ]
        return self._joined(event, everyone, (), keys)

    def _joined(
        self,
        event: ChainEvent,
        everyone: Sequence[T],
        loose: Iterable[T],
        keys: Iterable[tuple[int, bytes]],
    ) -> Sequence[T]:
        """Put those who want everything and those of these criteria whose filter fits in order."""
        places = [place for key in keys if (place := self._filed.get(key)) is not None]
        met = dict.fromkeys(chain(loose, *places))
        some = [member for member in met if matches(member.filter, event)]
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


def take_out(places: dict[K, Roster[M]], keys: Iterable[K], member: M) -> None:
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
