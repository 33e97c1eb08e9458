"""What a subscription to an Ontology node gives. Pure.

Hashes and the addresses of contracts are lower-case hex as nodes show them, accounts are ``A…``.
Fees are 10^-9 ONG. ``raw`` is what came and does not count for equality.

Source: ``ontology.md`` 4.4, 4.5, 4.14, 5.2, 6.8, 7.4.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from twisted_chainws.client.errors import BadAnswer
from twisted_chainws.client.heads import Gap, Reset
from twisted_chainws.client.reading import hex_digits, number
from twisted_chainws.dialects.ontology.address import encode_reversed
from twisted_chainws.dialects.ontology.binary_codec import Reader
from twisted_chainws.dialects.ontology.block import read_header
from twisted_chainws.dialects.ontology.tokens import SCALE, TOKENS, TRANSFER

__all__ = [
    "Block", "BlockHashes", "Event", "Gap", "Log", "Notice", "Notify", "RawBlock", "Reset",
    "TokenTransfer", "decode_block", "decode_contract", "decode_hash", "decode_hashes",
    "decode_log", "decode_notices", "decode_notify", "decode_raw_block", "hex_bytes", "members_of",
]  # fmt: skip

_HASH_DIGITS: Final = 64
_ADDRESS_DIGITS: Final = 40
_NO_CONTRACT: Final = "0" * _ADDRESS_DIGITS
_ASSETS: Final = {encode_reversed(one.contract): one.symbol for one in TOKENS.values()}
_TRANSFER_STATES: Final = (4, 5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A block of the chain.

    Attributes:
        number: height.
        hash: of the block.
        parent_hash: of the block below.
        timestamp: seconds since the epoch.
        transactions_root: over the hashes of its transactions.
        block_root: of the tree of blocks, with this one; zero in genesis.
        transactions: hashes of its transactions, in order.
    """

    number: int
    hash: str
    parent_hash: str
    timestamp: int
    transactions_root: str
    block_root: str
    transactions: tuple[str, ...]
    raw: Mapping[str, Any] = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RawBlock:
    """A block as nodes exchange it.

    Attributes:
        number: height.
        hash: of the block, computed from the bytes.
        parent_hash: of the block below.
        data: its bytes.
    """

    number: int
    hash: str
    parent_hash: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockHashes:
    """The transactions of a block.

    Attributes:
        number: height.
        hash: of the block.
        transactions: hashes of its transactions, in order.
    """

    number: int
    hash: str
    transactions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenTransfer:
    """ONT or ONG has moved.

    Attributes:
        asset: ``ONT`` or ``ONG``.
        source: whose it was.
        target: whose it is.
        amount: scaled, 10^-9 ONT or 10^-18 ONG.
    """

    asset: str
    source: str
    target: str
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What a contract told.

    Attributes:
        contract: its address.
        states: a list of a native or NeoVM contract, ``0x`` and hex of one of the EVM.
        is_evm: which of these.
    """

    contract: str
    states: Any
    is_evm: bool

    @property
    def transfer(self) -> TokenTransfer | None:
        """The transfer of ONT or ONG that this is, None if it is something else."""
        asset, states = _ASSETS.get(self.contract), self.states
        if self.is_evm or asset is None or not isinstance(states, Sequence):
            return None
        if len(states) not in _TRANSFER_STATES or states[0] != TRANSFER:
            return None
        _, source, target, whole, *rest = states
        try:
            amount = number(whole) * SCALE + sum(map(number, rest))
        except BadAnswer:
            return None
        return TokenTransfer(asset=asset, source=source, target=target, amount=amount)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notify:
    """What a transaction did that has been taken into the chain.

    Attributes:
        tx_hash: of the transaction.
        succeeded: False if it failed; then nothing but the fee was taken.
        fee: what was paid for gas, 10^-9 ONG.
        gas_used: units of gas; 0 where the price was 0, since nodes compute it from the fee.
        index: place in the block.
        created_contract: its address, None if there is none.
        notices: what contracts told, in order; the fee is the last one.
        block_number: height; None if it is not known.
        block_hash: likewise.
    """

    tx_hash: str
    succeeded: bool
    fee: int
    gas_used: int
    index: int
    created_contract: str | None
    notices: tuple[Notice, ...]
    block_number: int | None = None
    block_hash: str | None = None
    raw: Any = field(default=None, compare=False, repr=False)

    @property
    def contracts(self) -> frozenset[str]:
        """The contracts that told something."""
        return frozenset(one.contract for one in self.notices)

    @property
    def transfers(self) -> tuple[TokenTransfer, ...]:
        """The transfers of ONT and ONG that native contracts told of, the fee included."""
        found = (one.transfer for one in self.notices)
        return tuple(one for one in found if one is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """A contract has written to the log, maybe only in an attempt.

    Attributes:
        tx_hash: of the transaction.
        contract: address of the contract.
        message: its words.
    """

    tx_hash: str
    contract: str
    message: str


Event: TypeAlias = Block | RawBlock | BlockHashes | Notify | Log | Reset[Block] | Gap
"""What subscriptions give; Reset and Gap come with all of them."""


def decode_block(raw: Any) -> Block:
    """Read a block. Raises BadAnswer if it is none."""
    header, transactions = members_of(raw, "Header", "Transactions")
    (height, parent, timestamp, root, block_root) = members_of(
        header, "Height", "PrevBlockHash", "Timestamp", "TransactionsRoot", "BlockRoot"
    )
    return Block(
        number=number(height),
        hash=decode_hash(raw.get("Hash")),
        parent_hash=decode_hash(parent),
        timestamp=number(timestamp),
        transactions_root=decode_hash(root),
        block_root=decode_hash(block_root),
        transactions=tuple(decode_hash(*members_of(one, "Hash")) for one in _list(transactions)),
        raw=raw,
    )


def decode_raw_block(raw: Any) -> RawBlock:
    """Read a block in hex. Raises BadAnswer if it is none."""
    data = hex_bytes(raw)
    try:
        header = read_header(Reader(data))
    except ValueError as problem:
        raise BadAnswer(f"not a block: {problem}") from None
    return RawBlock(
        number=header.height,
        hash=encode_reversed(header.hash),
        parent_hash=encode_reversed(header.previous_hash),
        data=data,
    )


def decode_hashes(raw: Any) -> BlockHashes:
    """Read the hashes of a block's transactions. Raises BadAnswer if these are none."""
    block_hash, height, transactions = members_of(raw, "Hash", "Height", "Transactions")
    return BlockHashes(
        number=number(height),
        hash=decode_hash(block_hash),
        transactions=tuple(map(decode_hash, _list(transactions))),
    )


def decode_notify(raw: Any, block: Block | None = None) -> Notify:
    """Read what a transaction did.

    Args:
        raw: the event object.
        block: where it stands, None if that is not known.

    Raises:
        BadAnswer: it is none.
    """
    tx_hash, state, notices = members_of(raw, "TxHash", "State", "Notify")
    created = raw.get("CreatedContract", _NO_CONTRACT)
    return Notify(
        tx_hash=decode_hash(tx_hash),
        succeeded=number(state) == 1,
        fee=number(raw.get("GasConsumed", 0)),
        gas_used=number(raw.get("GasStepUsed", 0)),
        index=number(raw.get("TxIndex", 0)),
        created_contract=None if created == _NO_CONTRACT else decode_contract(created),
        notices=decode_notices(notices),
        block_number=None if block is None else block.number,
        block_hash=None if block is None else block.hash,
        raw=raw,
    )


def decode_notices(raw: Any) -> tuple[Notice, ...]:
    """Read what contracts told, null for nothing. Raises BadAnswer if that cannot be."""
    return tuple(map(_decode_notice, _list(raw)))


def decode_log(raw: Any) -> Log:
    """Read a line of the log. Raises BadAnswer if it is none."""
    tx_hash, contract, message = members_of(raw, "TxHash", "ContractAddress", "Message")
    if not isinstance(message, str):
        raise BadAnswer("a log without message")
    return Log(tx_hash=decode_hash(tx_hash), contract=decode_contract(contract), message=message)


def decode_hash(value: Any) -> str:
    """Read a hash. Raises BadAnswer if it is none."""
    return hex_digits(value, _HASH_DIGITS)


def decode_contract(value: Any) -> str:
    """Read the address of a contract. Raises BadAnswer if it is none."""
    return hex_digits(value, _ADDRESS_DIGITS)


def hex_bytes(value: Any) -> bytes:
    """Read bytes in hex. Raises BadAnswer if these are none."""
    try:
        return bytes.fromhex(value)
    except (TypeError, ValueError):
        raise BadAnswer("not hex") from None


def members_of(raw: Any, *names: str) -> tuple[Any, ...]:
    """Return members that an object has to have. Raises BadAnswer if it has them not."""
    if not isinstance(raw, Mapping):
        raise BadAnswer("not an object")
    missing = [name for name in names if name not in raw]
    if missing:
        raise BadAnswer(f"no {missing[0]}")
    return tuple(raw[name] for name in names)


def _decode_notice(raw: Any) -> Notice:
    contract, states = members_of(raw, "ContractAddress", "States")
    return Notice(
        contract=decode_contract(contract), states=states, is_evm=raw.get("IsEvm") is True
    )


def _list(raw: Any) -> Sequence[Any]:
    if raw is None:
        return ()
    if not isinstance(raw, list):
        raise BadAnswer("not a list")
    return raw
