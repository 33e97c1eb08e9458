"""Log filters: the options of ``eth_subscribe`` logs, ``eth_getLogs`` and ``eth_newFilter``.

Sans-I/O. Imports chain, arguments and decode.
"""

from dataclasses import dataclass
from typing import Any, Final

from twisted_chainws.chain.types import Address20, Hash32
from twisted_chainws.dialects.ethereum.arguments import InvalidArgument, refuse
from twisted_chainws.dialects.ethereum.decode import (
    PENDING,
    BlockRef,
    block_number,
    hash32,
    hex_bytes,
    not_a,
)

MAX_TOPIC_SLOTS: Final = 4
MAX_TOPIC_ALTERNATIVES: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LogQuery:
    """A log filter as it was asked for.

    Attributes:
        addresses: empty means any.
        topics: one per slot; None is a wildcard. Trailing wildcards count.
        first: ``fromBlock``, inclusive; never ``pending``, never a hash.
        last: ``toBlock``, inclusive; the same.
        block_hash: excludes ``first`` and ``last``.
    """

    addresses: frozenset[Address20] = frozenset()
    topics: tuple[frozenset[Hash32] | None, ...] = ()
    first: BlockRef | None = None
    last: BlockRef | None = None
    block_hash: Hash32 | None = None


def log_query(value: Any) -> LogQuery:
    """Read a log filter object; unknown members are ignored.

    Raises:
        Refused: ``pending`` as a bound, or bounds in the wrong order.

    Source: go-ethereum eth/filters/api.go FilterCriteria.UnmarshalJSON, 02b73d4e.
    """
    if not isinstance(value, dict):
        raise not_a(value, "filters.input")
    block_hash = value.get("blockHash")
    first, last = _bound(value, "fromBlock"), _bound(value, "toBlock")
    if block_hash is not None and (first or last):
        raise InvalidArgument(
            "cannot specify both BlockHash and FromBlock/ToBlock, choose one or the other"
        )
    query = LogQuery(
        addresses=addresses(value.get("address")),
        topics=_topics(value.get("topics")),
        first=first,
        last=last,
        block_hash=None if block_hash is None else hash32(block_hash),
    )
    _refuse_bounds(first, last)
    return query


def refuse_wide(query: LogQuery, limit: int) -> None:
    """Refuse more than ``limit`` addresses, or alternatives in one topic slot."""
    slots = (slot for slot in query.topics if slot is not None)
    if len(query.addresses) > limit or any(len(slot) > limit for slot in slots):
        refuse("exceed max addresses or topics per search position", code=-32000)


def _bound(value: dict[str, Any], name: str) -> BlockRef | None:
    found = value.get(name)
    return None if found is None else block_number(found)


def _refuse_bounds(first: BlockRef | None, last: BlockRef | None) -> None:
    if PENDING in {bound.tag for bound in (first, last) if bound}:
        refuse("pending logs are not supported")
    low = first.number if first else None
    high = last.number if last else None
    if low is not None and high is not None and low > high:
        refuse("invalid block range params")


def addresses(value: Any) -> frozenset[Address20]:
    """Read an address or several; null is none."""
    if value is None:
        return frozenset()
    if isinstance(value, str):
        return frozenset([_filter_address(value, "")])
    if not isinstance(value, list):
        raise InvalidArgument("invalid addresses in query")
    for index, item in enumerate(value):
        if not isinstance(item, str):
            raise InvalidArgument(f"non-string address at index {index}")
    return frozenset(
        _filter_address(item, f" at index {index}") for index, item in enumerate(value)
    )


def _filter_address(value: str, where: str) -> Address20:
    try:
        return Address20(_sized(value, 20, "address"))
    except InvalidArgument as problem:
        raise InvalidArgument(f"invalid address{where}: {problem.text}") from None


def _sized(value: str, size: int, what: str) -> bytes:
    found = hex_bytes(value)
    if len(found) != size:
        raise InvalidArgument(
            f"hex has invalid length {len(found)} after decoding; expected {size} for {what}"
        )
    return found


def _topics(value: Any) -> tuple[frozenset[Hash32] | None, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise not_a(value, "[]interface {}")
    if len(value) > MAX_TOPIC_SLOTS:
        raise InvalidArgument("exceed max topics")
    return tuple(_topic_slot(slot) for slot in value)


def _topic_slot(value: Any) -> frozenset[Hash32] | None:
    if value is None:
        return None
    if isinstance(value, str):
        return frozenset([_topic(value)])
    if not isinstance(value, list):
        raise InvalidArgument("invalid topic(s)")
    if len(value) > MAX_TOPIC_ALTERNATIVES:
        raise InvalidArgument("exceed max topics")
    found = set()
    for item in value:
        if item is None:  # a null among alternatives makes the slot a wildcard; the rest is unread
            return None
        found.add(_topic(item))
    return frozenset(found) or None


def _topic(value: Any) -> Hash32:
    if not isinstance(value, str):
        raise InvalidArgument("invalid topic(s)")
    return Hash32(_sized(value, 32, "topic"))
