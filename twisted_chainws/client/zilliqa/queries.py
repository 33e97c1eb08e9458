"""What is asked over the WebSocket: the four queries, addresses as servers want them. Pure.

Source: ``zilliqa.md`` 1 (inbound size), 2.3 to 2.6, 7.4.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import orjson

from twisted_chainws.chain.types import Address20
from twisted_chainws.client.errors import Misuse
from twisted_chainws.dialects.zilliqa.address import BECH32_PREFIX, decode_bech32

__all__ = [
    "EVENT_LOG", "LONGEST_QUERY", "NEW_BLOCK", "TOPICS", "TXN_LOG", "UNSUBSCRIBE", "Query", "leave",
    "plain_address", "subscribing",
]  # fmt: skip

NEW_BLOCK: Final = "NewBlock"
EVENT_LOG: Final = "EventLog"
TXN_LOG: Final = "TxnLog"
UNSUBSCRIBE: Final = "Unsubscribe"
TOPICS: Final = (NEW_BLOCK, EVENT_LOG, TXN_LOG)
"""What can be subscribed to, in the order in which notifications have it."""

LONGEST_QUERY: Final = 2048
"""Bytes of a message; nodes close the connection over one that is longer."""

_HEX_ADDRESS: Final = re.compile(r"(?:0[xX])?([0-9a-fA-F]{40})")
_LENGTH: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One message to the server.

    Attributes:
        kind: one of ``TOPICS``, or ``UNSUBSCRIBE``.
        addresses: ``0x`` and lower-case hex; none but for EventLog and TxnLog.
        topic: which to leave; None for the others.
    """

    kind: str
    addresses: tuple[str, ...] = ()
    topic: str | None = None

    def render(self) -> str:
        """Write it."""
        message: dict[str, object] = {"query": self.kind}
        if self.addresses:
            message["addresses"] = self.addresses
        if self.topic is not None:
            message["type"] = self.topic
        return orjson.dumps(message).decode()


def subscribing(topic: str, addresses: Iterable[str] = ()) -> list[Query]:
    """Return the queries that subscribe: a second one adds its addresses to those of the first.

    Args:
        topic: one of ``TOPICS``.
        addresses: as ``plain_address`` returns them; no query without any, but for NewBlock.
    """
    if topic == NEW_BLOCK:
        return [Query(kind=topic)]
    wanted = tuple(addresses)
    return [
        Query(kind=topic, addresses=wanted[at : at + _AT_ONCE])
        for at in range(0, len(wanted), _AT_ONCE)
    ]


def leave(topic: str) -> Query:
    """Return the query that ends a subscription."""
    return Query(kind=UNSUBSCRIBE, topic=topic)


def plain_address(address: str | bytes) -> str:
    """Return an address as servers want it: ``0x`` and lower-case hex.

    Args:
        address: in bech32, in hex of whatever case with or without ``0x``, or 20 bytes.

    Raises:
        Misuse: it is none of these.
    """
    if isinstance(address, bytes) and len(address) == _LENGTH:
        return "0x" + address.hex()
    if not isinstance(address, str):
        raise Misuse("address: neither a text nor 20 bytes")
    found = _HEX_ADDRESS.fullmatch(address)
    if found is not None:
        return "0x" + found[1].lower()
    if not address.lower().startswith(f"{BECH32_PREFIX}1"):
        raise Misuse(f"address {address[:50]!r}: neither hex nor bech32")
    try:
        return "0x" + Address20(decode_bech32(address)).hex()
    except ValueError as problem:
        raise Misuse(f"address {address[:50]!r}: {problem}") from None


def _fitting() -> int:
    """Return how many addresses fit into a query of the longer name, commas included."""
    one = "0x" + "0" * 2 * _LENGTH
    empty = len(Query(kind=EVENT_LOG, addresses=(one,)).render()) - len(one)
    each = len(one) + len('"",')
    return (LONGEST_QUERY - empty + len('"",')) // each


_AT_ONCE: Final = _fitting()
