"""What a subscription to a Zilliqa node gives. Pure.

Hashes and transaction ids are bare lower-case hex, addresses ``0x`` and lower-case hex, whatever
the server writes; amounts are ints in Qa, 10^-12 ZIL. ``raw`` is what came and does not count for
equality: servers differ in members.

Source: ``zilliqa.md`` 3.3 to 3.5, 5 (transaction object), 7.4, 8.1 and 8.3.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from twisted_chainws.client.errors import BadAnswer
from twisted_chainws.client.heads import Gap, Reset
from twisted_chainws.client.reading import hex_digits, number

__all__ = [
    "ContractEvent", "Event", "Gap", "Reset", "Transfer", "TxBlock", "decode_address",
    "decode_block", "decode_event", "decode_hash", "decode_transfer", "decode_tx_hashes", "number",
]  # fmt: skip

_HASH_DIGITS: Final = 64
_ADDRESS_DIGITS: Final = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class TxBlock:
    """A block of the chain.

    Attributes:
        number: height.
        hash: of the block.
        parent_hash: of the block below.
        header: its members as on the wire.
        body: likewise.
        tx_hashes: transaction ids by shard; None if the server has not told.
    """

    number: int
    hash: str
    parent_hash: str
    header: Mapping[str, Any] = field(compare=False, repr=False)
    body: Mapping[str, Any] = field(compare=False, repr=False)
    tx_hashes: tuple[tuple[str, ...], ...] | None

    @property
    def transactions(self) -> tuple[str, ...]:
        """Transaction ids in order, over all shards."""
        return tuple(one for shard in self.tx_hashes or () for one in shard)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractEvent:
    """A contract has emitted an event.

    Attributes:
        address: of the contract.
        name: of the event.
        params: objects with ``vname``, ``type`` and ``value``, as they came.
        block_number: height; None if the server has not told of the block.
        block_hash: likewise.
    """

    address: str
    name: str
    params: tuple[Any, ...]
    block_number: int | None
    block_hash: str | None
    raw: Any = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """A transaction from or to an address has been taken into the chain.

    Attributes:
        id: of the transaction.
        sender: who signed it.
        to: 40 zeros for a transaction that creates a contract.
        amount_qa: what was sent along.
        success: False if it failed; then nothing but the fee was taken.
        block_number: height; None if the server has not told of the block.
        block_hash: likewise.
    """

    id: str
    sender: str
    to: str
    amount_qa: int
    success: bool
    block_number: int | None
    block_hash: str | None
    raw: Any = field(default=None, compare=False, repr=False)


Event: TypeAlias = TxBlock | ContractEvent | Transfer | Reset[TxBlock] | Gap
"""TxBlock of ``NewBlock``, ContractEvent of ``EventLog``, Transfer of ``TxnLog``; others of all."""


def decode_block(raw: Any, tx_hashes: Any = None) -> TxBlock:
    """Read a Tx block.

    Args:
        raw: the object with ``header`` and ``body``.
        tx_hashes: its transaction ids, None if they did not come along.

    Raises:
        BadAnswer: it is none.
    """
    header, body = (
        (raw.get("header"), raw.get("body")) if isinstance(raw, Mapping) else (None, None)
    )
    if not isinstance(header, Mapping) or not isinstance(body, Mapping):
        raise BadAnswer("not a Tx block")
    return TxBlock(
        number=number(header.get("BlockNum")),
        hash=decode_hash(body.get("BlockHash")),
        parent_hash=decode_hash(header.get("PrevBlockHash")),
        header=header,
        body=body,
        tx_hashes=None if tx_hashes is None else decode_tx_hashes(tx_hashes),
    )


def decode_tx_hashes(raw: Any) -> tuple[tuple[str, ...], ...]:
    """Read transaction ids by shard; a flat list counts as that of one shard.

    Raises:
        BadAnswer: it is neither.
    """
    if not isinstance(raw, list):
        raise BadAnswer("not a list of transaction ids")
    if any(isinstance(one, str) for one in raw):
        return (tuple(decode_hash(one) for one in raw),)
    if not all(isinstance(shard, list) for shard in raw):
        raise BadAnswer("not lists of transaction ids")
    return tuple(tuple(decode_hash(one) for one in shard) for shard in raw)


def decode_event(address: Any, raw: Any, block: TxBlock | None) -> ContractEvent:
    """Read an event of a contract.

    Raises:
        BadAnswer: it is none.
    """
    if not isinstance(raw, Mapping):
        raise BadAnswer("not an event")
    name, params = raw.get("_eventname"), raw.get("params")
    if not isinstance(name, str) or not isinstance(params, list):
        raise BadAnswer("an event without name or params")
    return ContractEvent(
        address=decode_address(address),
        name=name,
        params=tuple(params),
        block_number=None if block is None else block.number,
        block_hash=None if block is None else block.hash,
        raw=raw,
    )


def decode_transfer(raw: Any, block: TxBlock | None) -> Transfer:
    """Read an entry of a TxnLog.

    Raises:
        BadAnswer: it is none.
    """
    if not isinstance(raw, Mapping) or not isinstance(raw.get("success"), bool):
        raise BadAnswer("not an entry of a TxnLog")
    return Transfer(
        id=decode_hash(raw.get("ID")),
        sender=decode_address(raw.get("fromAddr")),
        to=decode_address(raw.get("toAddr")),
        amount_qa=number(raw.get("amount")),
        success=raw["success"],
        block_number=None if block is None else block.number,
        block_hash=None if block is None else block.hash,
        raw=raw,
    )


def decode_hash(value: Any) -> str:
    """Read 32 bytes of hex, with or without prefix.

    Raises:
        BadAnswer: these are none.
    """
    return hex_digits(value, _HASH_DIGITS)


def decode_address(value: Any) -> str:
    """Read 20 bytes of hex, with or without prefix.

    Raises:
        BadAnswer: these are none.
    """
    return "0x" + hex_digits(value, _ADDRESS_DIGITS)
