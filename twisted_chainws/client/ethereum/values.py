"""What a subscription to an Ethereum node gives. Pure.

Hashes and addresses are lower-case ``0x`` texts, as the wire has them; numbers are ints. ``raw`` is
what the server sent and does not count for equality: servers differ in members.

Source: ``ethereum.md`` 2.2, 2.3.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias

from twisted_chainws.client.errors import BadAnswer
from twisted_chainws.client.heads import Gap

__all__ = ["Event", "Gap", "Head", "HeadRemoved", "Log", "decode_head", "decode_log", "quantity"]

_ONLY_IN_BLOCKS: Final = frozenset(
    {"transactions", "uncles", "withdrawals", "size", "totalDifficulty", "author", "sealFields"}
)
_HASH_LENGTH: Final = 66
_QUANTITY: Final = re.compile(r"0[xX][0-9a-fA-F]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A block has become the head of the chain, or was on the way to a new head.

    Attributes:
        number: height.
        hash: of the block.
        parent_hash: of the block below.
        header: the members of the header as on the wire, whether it came as a header or was cut
            out of a block; without those that are null.
        raw: what came.
    """

    number: int
    hash: str
    parent_hash: str
    header: Mapping[str, Any] = field(repr=False)
    raw: Any = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadRemoved:
    """A block that was told as a head has left the chain; the newest of several comes first.

    Attributes:
        head: as it was told.
    """

    head: Head


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """A log has joined the chain, or left it.

    Attributes:
        address: of the contract.
        topics: 0 to 4 words.
        data: the rest, ``0x`` for nothing.
        block_number: height.
        block_hash: with ``log_index`` what the log is known by.
        transaction_hash: of the transaction that logged.
        transaction_index: of it in the block.
        log_index: counts over the block.
        removed: whether it has left the chain.
        raw: what came; of a removed log that the server has said nothing about, what came before.
    """

    address: str
    topics: tuple[str, ...]
    data: str
    block_number: int
    block_hash: str
    transaction_hash: str
    transaction_index: int
    log_index: int
    removed: bool
    raw: Any = field(default=None, compare=False, repr=False)

    @property
    def key(self) -> tuple[str, int]:
        """What tells it from all other logs."""
        return self.block_hash, self.log_index

    def as_removed(self) -> "Log":
        """Return the same log as it leaves the chain."""
        return replace(self, removed=True)


Event: TypeAlias = Any
"""Head, HeadRemoved or Gap of ``newHeads``, Log or Gap of ``logs``, else a result as it came."""


def decode_head(raw: Any) -> Head:
    """Read a header, or a block that is taken for one.

    Raises:
        BadAnswer: it is neither.
    """
    if not isinstance(raw, Mapping):
        raise BadAnswer("not a header")
    header = {
        name: value
        for name, value in raw.items()
        if value is not None and name not in _ONLY_IN_BLOCKS
    }
    if "receiptRoot" in header:
        # Printed so in a provider's guide.
        header.setdefault("receiptsRoot", header["receiptRoot"])
        del header["receiptRoot"]
    return Head(
        number=quantity(raw.get("number")),
        hash=_hash(raw.get("hash")),
        parent_hash=_hash(raw.get("parentHash")),
        header=header,
        raw=raw,
    )


def decode_log(raw: Any) -> Log:
    """Read a log of the chain; one without ``removed`` has not left it.

    Raises:
        BadAnswer: it is none, or one of a pending block.
    """
    if not isinstance(raw, Mapping):
        raise BadAnswer("not a log")
    topics = raw.get("topics")
    if not isinstance(topics, list):
        raise BadAnswer("a log without topics")
    return Log(
        address=_text(raw.get("address")),
        topics=tuple(_text(topic) for topic in topics),
        data=_text(raw.get("data")),
        block_number=quantity(raw.get("blockNumber")),
        block_hash=_hash(raw.get("blockHash")),
        transaction_hash=_text(raw.get("transactionHash")),
        transaction_index=quantity(raw.get("transactionIndex")),
        log_index=quantity(raw.get("logIndex")),
        removed=raw.get("removed") is True,
        raw=raw,
    )


def quantity(value: Any) -> int:
    """Read a number, hexadecimal or not.

    Raises:
        BadAnswer: it is none.
    """
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    if isinstance(value, str) and _QUANTITY.fullmatch(value):
        return int(value, 0)
    raise BadAnswer("not a quantity")


def _hash(value: Any) -> str:
    if not isinstance(value, str) or len(value) != _HASH_LENGTH:
        raise BadAnswer("not a hash")
    return value.lower()


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise BadAnswer("not a text")
    return value.lower()
