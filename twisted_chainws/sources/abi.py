"""Names of events: the ABIs of contracts, and blocks whose logs are decoded by them.

A source keeps one `EventNames` and passes every block through it on its way to the sink. What was
published before an ABI was registered stays as it was.

Source: Solidity documentation, "Contract ABI Specification" (events, JSON).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, TypeAlias

import orjson
from eth_hash.auto import keccak

from twisted_chainws.chain.model import Block, Log, NamedEvent, NamedParam, NamedValue, Receipt
from twisted_chainws.chain.types import Address20
from twisted_chainws.dialects.zilliqa.events import raw_event
from twisted_chainws.errors import InvalidAbi
from twisted_chainws.sources.abi_types import AbiType, decode_values, objects, parse_type

MOST_CONTRACTS: Final = 10_000
"""Contracts whose ABIs are kept."""

MOST_EVENTS: Final = 1_000
"""Events of one contract."""

_HASHED: Final = parse_type({"type": "bytes32"})
"""Of an indexed value that does not fit a topic: only its hash is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Param:
    name: str
    type: AbiType
    indexed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Event:
    name: str
    params: tuple[_Param, ...]


_Key: TypeAlias = tuple[bytes, int]
"""First topic, and how many there are: of one signature, standards index different parameters."""


class EventNames:
    """The ABIs that are registered for contracts."""

    def __init__(self) -> None:
        self._contracts: dict[Address20, Mapping[_Key, _Event]] = {}

    def register(self, address: Address20, abi: Any) -> None:
        """Decode the logs of a contract from now on; its former ABI counts no more.

        Args:
            address: of the contract, which need not exist yet.
            abi: the JSON list, an object that holds it as ``abi``, or the text of one of them.

        Raises:
            InvalidAbi: it is none, or there are too many.
        """
        events = _parse_abi(abi)
        if address not in self._contracts and len(self._contracts) >= MOST_CONTRACTS:
            raise InvalidAbi(reason=f"abi: expected at most {MOST_CONTRACTS} contracts")
        self._contracts[address] = events

    def name(self, block: Block) -> Block:
        """Return the block with events where logs are of known contracts."""
        if not self._contracts:
            return block
        receipts = tuple(self._name(receipt) for receipt in block.receipts)
        return block if receipts == block.receipts else replace(block, receipts=receipts)

    def _name(self, receipt: Receipt) -> Receipt:
        """Name all events of a receipt in order once one of them is known."""
        if receipt.events:
            return receipt
        named = [self._decode(log) for log in receipt.logs]
        if not any(named):
            return receipt
        events = (event or raw_event(log) for event, log in zip(named, receipt.logs, strict=True))
        return replace(receipt, events=tuple(events))

    def _decode(self, log: Log) -> NamedEvent | None:
        known = self._contracts.get(log.address)
        if known is None or not log.topics:
            return None
        event = known.get((log.topics[0], len(log.topics)))
        if event is None:
            return None
        try:
            values = _values(event, log)
        except ValueError:
            return None
        params = (
            NamedParam(name=param.name, type=_shown(param).text, value=value)
            for param, value in zip(event.params, values, strict=True)
        )
        return NamedEvent(address=log.address, name=event.name, params=tuple(params))


def read_abi_files(files: Iterable[tuple[Address20, str]]) -> EventNames:
    """Register contracts by the files of their ABIs.

    Raises:
        ValueError: one line that names the file and what was expected.
    """
    names = EventNames()
    for address, file_name in files:
        try:
            names.register(address, Path(file_name).read_bytes())
        except OSError as error:
            raise ValueError(f"abi {file_name}: cannot read it: {error.strerror}") from None
        except InvalidAbi as mistake:
            raise ValueError(f"abi {file_name}: {mistake.reason.removeprefix('abi: ')}") from None
    return names


def _values(event: _Event, log: Log) -> Sequence[NamedValue]:
    """Return the values of an event in the order of its parameters.

    Raises:
        ValueError: the log holds others.
    """
    indexed = [_shown(param) for param in event.params if param.indexed]
    others = [param.type for param in event.params if not param.indexed]
    in_topics = iter(decode_values(indexed, b"".join(log.topics[1:])))
    in_data = iter(decode_values(others, log.data))
    return [next(in_topics if param.indexed else in_data) for param in event.params]


def _shown(param: _Param) -> AbiType:
    """Return the type under which a parameter is shown."""
    return _HASHED if param.indexed and _is_hashed(param.type) else param.type


def _is_hashed(kind: AbiType) -> bool:
    return kind.is_dynamic or kind.text.endswith(("]", ")"))


def _parse_abi(abi: Any) -> Mapping[_Key, _Event]:
    """Read the events of an ABI; anonymous ones have no first topic to know them by.

    Raises:
        InvalidAbi: it is no ABI; the reason says where.
    """
    entries = _entries(abi)
    events: dict[_Key, _Event] = {}
    for position, entry in enumerate(entries):
        if not isinstance(entry, dict):
            raise InvalidAbi(reason=f"abi: entry {position}: expected an object")
        if entry.get("type") != "event" or entry.get("anonymous"):
            continue
        try:
            event = _parse_event(entry)
        except ValueError as mistake:
            raise InvalidAbi(reason=f"abi: entry {position}: {mistake}") from None
        signature = f"{event.name}({','.join(param.type.text for param in event.params)})"
        topics = 1 + sum(param.indexed for param in event.params)
        events[keccak(signature.encode()), topics] = event
        if len(events) > MOST_EVENTS:
            raise InvalidAbi(reason=f"abi: expected at most {MOST_EVENTS} events")
    return events


def _entries(abi: Any) -> Sequence[Any]:
    if isinstance(abi, str | bytes):
        try:
            abi = orjson.loads(abi)
        except orjson.JSONDecodeError:
            raise InvalidAbi(reason="abi: expected JSON") from None
    if isinstance(abi, dict):
        abi = abi.get("abi")
    if not isinstance(abi, list):
        raise InvalidAbi(reason="abi: expected a list of functions and events")
    return abi


def _parse_event(entry: Mapping[str, Any]) -> _Event:
    name, inputs = entry.get("name"), objects(entry, "inputs")
    if not isinstance(name, str) or not name:
        raise ValueError("expected a name")
    return _Event(
        name=name,
        params=tuple(
            _Param(
                name=_name_of(each, position),
                type=parse_type(each),
                indexed=each.get("indexed") is True,
            )
            for position, each in enumerate(inputs)
        ),
    )


def _name_of(entry: Mapping[str, Any], position: int) -> str:
    """Return the name of a parameter; one without is called by its position."""
    name = entry.get("name") or f"arg{position}"
    if not isinstance(name, str):
        raise ValueError("expected the name of an input as a text")  # noqa: TRY004 - of the ABI
    return name
