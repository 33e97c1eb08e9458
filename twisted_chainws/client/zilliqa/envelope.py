"""What comes over the WebSocket: echoes, refusals and notifications. Pure.

Servers are given every benefit of the doubt: text or binary, errors as objects or bare texts,
``TxHashes`` inside or beside ``value``, addresses with or without prefix, ``value`` missing, null
or empty, kinds of items that nobody knows.

Source: ``zilliqa.md`` 2.2, 3, 7.4, 8.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import orjson

from twisted_chainws.client.errors import BadAnswer, RpcError
from twisted_chainws.client.zilliqa.queries import (
    EVENT_LOG,
    NEW_BLOCK,
    TOPICS,
    TXN_LOG,
    UNSUBSCRIBE,
    Query,
)
from twisted_chainws.client.zilliqa.values import (
    ContractEvent,
    Transfer,
    TxBlock,
    decode_block,
    decode_event,
    decode_transfer,
)

__all__ = ["Contents", "Echo", "Incoming", "Notification", "Refusal", "Stray", "parse"]


@dataclass(frozen=True, slots=True)
class Echo:
    """A query was accepted.

    Attributes:
        kind: of the query.
        topic: of an ``Unsubscribe``, None if it did not say or is another one.
    """

    kind: str
    topic: str | None

    def answers(self, query: Query) -> bool:
        """Tell whether a query may be the one."""
        return self.kind == query.kind and (self.topic is None or self.topic == query.topic)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A query was not accepted.

    Attributes:
        error: without a code.
    """

    error: RpcError


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What there is to tell of a block.

    Attributes:
        block: None if the server has not told of it, or so that it cannot be read.
        events: of contracts, in order.
        transfers: each once, in order.
    """

    block: TxBlock | None
    events: tuple[ContractEvent, ...] = ()
    transfers: tuple[Transfer, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """A block has been taken into the chain.

    Attributes:
        contents: as far as one has subscribed.
        ended: topics that end with it.
        strays: parts that cannot be read.
    """

    contents: Contents
    ended: frozenset[str]
    strays: int


@dataclass(frozen=True, slots=True)
class Stray:
    """Something that belongs to nothing.

    Attributes:
        reason: why.
    """

    reason: str


Incoming: TypeAlias = Echo | Refusal | Notification | Stray


def parse(data: str | bytes) -> Incoming | None:
    """Read a message; None for an empty one."""
    if not data.strip():
        return None
    try:
        message = orjson.loads(data)
    except orjson.JSONDecodeError:
        message = data if isinstance(data, str) else data.decode(errors="replace")
    if isinstance(message, str):
        return Refusal(RpcError(None, message.strip()))
    return _read(message) if isinstance(message, dict) else Stray("not an object")


def _read(message: dict[str, Any]) -> Incoming:
    if message.get("type") == "Notification":
        return _notification(message.get("values"))
    if "error" in message:
        error = RpcError.of(message["error"])
        return Refusal(RpcError(error.code, error.message, message))
    kind, topic = message.get("query"), message.get("type")
    if kind not in (*TOPICS, UNSUBSCRIBE):
        return Stray("neither an echo nor a notification")
    return Echo(kind, topic if kind == UNSUBSCRIBE and topic in TOPICS else None)


def _notification(values: Any) -> Notification:
    reading = _Reading()
    items = [one for one in values if isinstance(one, Mapping)] if isinstance(values, list) else []
    # Events say nothing of their block: it has to be known before.
    for item in sorted(items, key=lambda one: one.get("query") != NEW_BLOCK):
        reading.item(item)
    return Notification(
        contents=Contents(
            block=reading.block,
            events=tuple(reading.events),
            transfers=tuple(reading.transfers.values()),
        ),
        ended=frozenset(reading.ended),
        strays=reading.strays,
    )


class _Reading:
    """The items of one notification."""

    def __init__(self) -> None:
        self.block: TxBlock | None = None
        self.events: list[ContractEvent] = []
        self.transfers: dict[str, Transfer] = {}
        self.ended: set[str] = set()
        self.strays = 0

    def item(self, item: Mapping[str, Any]) -> None:
        """Read one item; what cannot be read is counted."""
        kind, value = item.get("query"), item.get("value")
        if kind == NEW_BLOCK:
            self._block(item, value)
        elif kind == EVENT_LOG:
            for entry in self._entries(value):
                self._events(entry)
        elif kind == TXN_LOG:
            for entry in self._entries(value):
                self._transfers(entry)
        elif kind == UNSUBSCRIBE:
            topics = value if isinstance(value, list) else [value]
            self.ended |= {topic for topic in topics if topic in TOPICS}
        else:
            self.strays += 1

    def _entries(self, value: Any) -> Iterator[Mapping[str, Any]]:
        """Yield the entries of an item; nothing, null and an empty list are all the same."""
        entries = [] if value is None else value
        if not isinstance(entries, list):
            entries = [entries]
        for entry in entries:
            if isinstance(entry, Mapping):
                yield entry
            else:
                self.strays += 1

    def _block(self, item: Mapping[str, Any], value: Any) -> None:
        value = value if isinstance(value, Mapping) else {}
        hashes = value.get("TxHashes")
        try:
            self.block = decode_block(
                value.get("TxBlock"), item.get("TxHashes") if hashes is None else hashes
            )
        except BadAnswer:
            self.strays += 1

    def _events(self, entry: Mapping[str, Any]) -> None:
        for raw in self._entries(entry.get("event_logs")):
            try:
                self.events.append(decode_event(entry.get("address"), raw, self.block))
            except BadAnswer:
                self.strays += 1

    def _transfers(self, entry: Mapping[str, Any]) -> None:
        for raw in self._entries(entry.get("log")):
            try:
                transfer = decode_transfer(raw, self.block)
            except BadAnswer:
                self.strays += 1
            else:
                self.transfers.setdefault(transfer.id, transfer)
