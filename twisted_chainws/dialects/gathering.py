"""What one block brings to one connection, as one message. Sans-I/O.

Imports only notice and the layers below. Theory of operation. What happened in a block is looked
up once per account concerned, not once per watcher: watchers of the same standing to whom the same
things happened get the same message, which is written once and goes out as one notice. Most share
the one where nothing they watch by address happened. Texts are made when the block comes, for it
may be gone from the ledger when the message leaves; they are joined when it leaves.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from twisted_chainws.chain.confirmations import Confirmations
from twisted_chainws.chain.model import Block
from twisted_chainws.chain.ops import Advance
from twisted_chainws.chain.types import Address20
from twisted_chainws.dialects.notice import JoinedNotice
from twisted_chainws.subscriptions.watches import Standing, Watcher, Watches


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Something that happened in a block to accounts.

    Attributes:
        topic: under which it is told.
        addresses: of the accounts; a watcher is told once, under the first of these it watches.
        item: what happened; the topic's encoder knows it.
    """

    topic: str
    addresses: tuple[Address20, ...]
    item: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class GatheredTopic:
    """How a topic is written.

    Attributes:
        encode: (ledger, block, entries) -> the topic's part of the message; entries, one per
            address to which something happened, in the order of what happened first.
        encode_entry: (address, items) -> entry, items in the order of the block; None for a topic
            that is not watched by address.
    """

    encode: Callable[[Any, Block, Sequence[bytes]], bytes]
    encode_entry: Callable[[Address20, Sequence[Any]], bytes] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gather:
    """How a dialect makes one message of a block.

    Attributes:
        topics: in the order of the message.
        find: a block -> what happened in it to accounts, in its order.
        compose: (written topics, names of the topics that end, cursor if wanted) -> parts of the
            message.
    """

    topics: Mapping[str, GatheredTopic]
    find: Callable[[Block], Iterable[Found]]
    compose: Callable[[Sequence[bytes], Sequence[str], str | None], Sequence[bytes]]


Gathered: TypeAlias = tuple[JoinedNotice, Sequence[Watcher]]
"""A message and who gets it."""

_Place: TypeAlias = tuple[str, Address20, tuple[Address20, ...]]
"""Topic, address, and the addresses under which a watcher would be told rather."""

_Places: TypeAlias = tuple[int, ...]
"""Which places of a block a watcher is told of under one topic, ascending."""

_Told: TypeAlias = tuple[_Places, ...]
"""The places for each topic of a standing, in the order of the message."""

_Telling: TypeAlias = Mapping[str, Mapping[Watcher, list[int]]]
"""Topic -> watcher -> its places under this topic; who has none is left out."""


class Gatherer:
    """Gathers for all watchers of one dialect.

    Args:
        gather: how.
        watches: for whom.
        ledger: the dialect's projection.
        confirmations: which blocks are told of, and when.
        broken: called while the exception is handled when a message cannot be written; the others
            are written.
    """

    def __init__(
        self,
        *,
        gather: Gather,
        watches: Watches,
        ledger: Any,
        confirmations: Confirmations,
        broken: Callable[[], None],
    ) -> None:
        self._gather = gather
        self._watches = watches
        self._ledger = ledger
        self._confirmations = confirmations
        self._broken = broken

    def take(self, advance: Advance, cursor_at: Callable[[int], str]) -> list[Gathered]:
        """Return the messages of a change of the chain, in order.

        Topics that were left before it are told of in the first of its blocks that is told of.

        Args:
            advance: the change.
            cursor_at: how many blocks of it were told of -> the cursor that says so.
        """
        messages: list[Gathered] = []
        for index, block in enumerate(self._confirmations.confirmed(advance), start=1):
            if len(self._watches):
                messages += self._of_block(block, cursor_at(index))
                self._watches.settle()
        return messages

    def _of_block(self, block: Block, cursor: str) -> list[Gathered]:
        try:
            writer = _Writer(self._gather, self._ledger, block, cursor)
        except Exception:  # noqa: BLE001 - the chain must go on
            self._broken()
            return []
        return self._messages(writer)

    def _messages(self, writer: "_Writer") -> list[Gathered]:
        telling = self._telling(writer.places)
        messages: list[Gathered] = []
        for standing, watchers in self._watches.groups():
            names = [name for name in self._gather.topics if name in standing.topics]
            for told, alike in _alike([telling[name] for name in names], watchers).items():
                try:
                    parts = writer.message(standing, names, told)
                    messages.append((JoinedNotice(parts), alike))
                except Exception:  # noqa: BLE001 - a message that breaks costs only itself
                    self._broken()
        return messages

    def _telling(self, places: Iterable[_Place]) -> _Telling:
        """Find out of which places each watcher is told."""
        telling: dict[str, defaultdict[Watcher, list[int]]] = {
            name: defaultdict(list) for name in self._gather.topics
        }
        for number, (topic, address, rather) in enumerate(places):
            for watcher in self._watches.of_address(topic, address):
                if not (rather and watcher.addresses[topic].intersection(rather)):
                    telling[topic][watcher].append(number)
        return telling


def _alike(
    tellings: Sequence[Mapping[Watcher, list[int]]], watchers: Sequence[Watcher]
) -> Mapping[_Told, Sequence[Watcher]]:
    """Sort watchers of one standing by what they are told, topic by topic."""
    if not any(tellings):
        return {((),) * len(tellings): watchers}
    alike: dict[_Told, list[Watcher]] = {}
    for watcher in watchers:
        told = tuple([tuple(telling.get(watcher, ())) for telling in tellings])
        alike.setdefault(told, []).append(watcher)
    return alike


class _Writer:
    """Writes about one block, everything once.

    Attributes:
        places: where something happened.
    """

    def __init__(self, gather: Gather, ledger: Any, block: Block, cursor: str) -> None:
        self._gather = gather
        self._ledger = ledger
        self._cursor = cursor
        self._block = block
        self._found = list(gather.find(block))
        self._at = _numbers_by_place(self._found)
        self.places: list[_Place] = list(self._at)
        self._topics: dict[tuple[str, _Places], bytes] = {}
        self._entries: dict[_Places, bytes] = {}

    def message(self, standing: Standing, names: Sequence[str], told: _Told) -> Sequence[bytes]:
        """Return the parts of the message for a standing.

        Args:
            standing: whose.
            names: of its topics, in the order of the message.
            told: for each of them, the places that it tells of.
        """
        texts = [self._topic(name, some) for name, some in zip(names, told, strict=True)]
        ending = [name for name in names if name in standing.leaving]
        return self._gather.compose(texts, ending, self._cursor if standing.cursor else None)

    def _topic(self, name: str, told: _Places) -> bytes:
        text = self._topics.get((name, told))
        if text is None:
            entries = self._entries_of(told)
            text = self._gather.topics[name].encode(self._ledger, self._block, entries)
            self._topics[name, told] = text
        return text

    def _entries_of(self, told: _Places) -> list[bytes]:
        """Return the entries in the order of what happened first, which is that of the places."""
        by_address: dict[Address20, _Places] = {}
        for place in told:
            address = self.places[place][1]
            by_address[address] = (*by_address.get(address, ()), place)
        written = self._entries
        return [written.get(some) or self._entry(some) for some in by_address.values()]

    def _entry(self, told: _Places) -> bytes:
        """Write what happened at places of one topic and address."""
        name, address, _ = self.places[told[0]]
        encode = self._gather.topics[name].encode_entry
        if encode is None:
            raise TypeError(f"{name} is not watched by address")
        numbers = sorted(number for place in told for number in self._at[self.places[place]])
        text = encode(address, [self._found[number].item for number in numbers])
        self._entries[told] = text
        return text


def _numbers_by_place(found: Iterable[Found]) -> dict[_Place, list[int]]:
    """Sort what happened by where, each by its number in the block."""
    at: dict[_Place, list[int]] = {}
    for number, each in enumerate(found):
        rather: tuple[Address20, ...] = ()
        for address in each.addresses:
            if address not in rather:
                at.setdefault((each.topic, address, rather), []).append(number)
                rather = (*rather, address)
    return at
