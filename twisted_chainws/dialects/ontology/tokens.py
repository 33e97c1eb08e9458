"""ONT and ONG: amounts, what their contracts are asked, what they keep and tell. Sans-I/O.

Amounts here are always *scaled*: 10^-9 ONT and 10^-18 ONG. The first versions of the contracts'
methods count in units that are 10^9 times larger, *whole* ones: 1 ONT and 10^-9 ONG.

Source: ``ontology.md`` 7; the node's ``native/ont`` and ``core/states/native_token_balance.go``,
26b5ad4f.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from twisted_chainws.chain.model import NamedEvent, NamedParam
from twisted_chainws.chain.types import Address20
from twisted_chainws.dialects.ontology.address import ADDRESS_LENGTH
from twisted_chainws.dialects.ontology.binary_codec import (
    Reader,
    decode_neo_integer,
    encode_neo_integer,
)

SCALE: Final = 10**9
"""Scaled units in a whole one."""

TRANSFER: Final = "transfer"
"""Name of the event of a transfer."""

_BALANCE_WIDTH: Final = 8
_MAX_WHOLE: Final = 2**64 - 1


def _native(number: int) -> Address20:
    return Address20(number.to_bytes(ADDRESS_LENGTH, "big"))


ONT_CONTRACT: Final = _native(1)
ONG_CONTRACT: Final = _native(2)
GOVERNANCE_CONTRACT: Final = _native(7)
"""Receives what is paid for gas."""

NATIVE_CONTRACTS: Final[Mapping[str, Address20]] = {
    "ONT": ONT_CONTRACT,
    "ONG": ONG_CONTRACT,
    "ONTID": _native(3),
    "PARAM": _native(4),
    "AUTH": _native(6),
    "GOVERNANCE": GOVERNANCE_CONTRACT,
    "HEADER_SYNC": _native(8),
    "CROSS_CHAIN": _native(9),
    "LOCK_PROXY": _native(10),
    "ONTFS": _native(11),
    "SYSTEM": _native(255),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What does not change about a token.

    Attributes:
        decimals: of whole units; scaled ones have nine more.
        total_supply: scaled.
    """

    contract: Address20
    name: str
    symbol: str
    decimals: int
    total_supply: int


TOKENS: Final[Mapping[Address20, Token]] = {
    ONT_CONTRACT: Token(
        contract=ONT_CONTRACT, name="ONT Token", symbol="ONT", decimals=0, total_supply=10**18
    ),
    ONG_CONTRACT: Token(
        contract=ONG_CONTRACT, name="ONG Token", symbol="ONG", decimals=9, total_supply=10**27
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """One entry of a transfer; the amount is scaled."""

    source: Address20
    target: Address20
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfers:
    """``transfer``: all of them or none."""

    items: tuple[Transfer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """``approve``: what a spender may move from now on; the amount is scaled."""

    owner: Address20
    spender: Address20
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovedTransfer:
    """``transferFrom``: a transfer that a spender makes."""

    spender: Address20
    transfer: Transfer


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountQuery:
    """``balanceOf`` and ``totalAllowance``: a question about an account."""

    account: Address20


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowanceQuery:
    """``allowance``: what a spender may still move."""

    owner: Address20
    spender: Address20


@dataclass(frozen=True, slots=True, kw_only=True)
class ConstantQuery:
    """``name``, ``symbol``, ``decimals`` and ``totalSupply``: a question without arguments."""


Request: TypeAlias = (
    Transfers | Approval | ApprovedTransfer | AccountQuery | AllowanceQuery | ConstantQuery
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A method of both contracts.

    Attributes:
        is_scaled: whether its amounts, in and out, are scaled; else they are whole.
        read: takes the arguments.
    """

    is_scaled: bool
    read: Callable[[Reader, bool], Request]


def decode_request(method: Method, arguments: bytes) -> Request:
    """Read what a contract is asked; what follows the arguments is not looked at.

    Raises:
        ValueError: the arguments are not those of the method; the text says how.
    """
    return method.read(Reader(arguments), method.is_scaled)


def split_amount(amount: int) -> tuple[int, int]:
    """Return the whole units of a scaled amount and the scaled ones that are left."""
    return divmod(amount, SCALE)


def encode_stored(amount: int) -> bytes:
    """Return how a scaled amount is kept, as ``getstorage`` shows it; nothing is kept of zero.

    Raises:
        OverflowError: it has more whole units than 64 bits hold.
    """
    whole, rest = split_amount(amount)
    if rest:
        return encode_neo_integer(amount)
    return whole.to_bytes(_BALANCE_WIDTH, "little") if whole else b""


def encode_answer(method: Method, amount: int) -> bytes:
    """Return what a method that was asked for an amount answers; parts of its units are cut off."""
    return encode_neo_integer(amount if method.is_scaled else amount // SCALE)


def transfer_event(contract: Address20, transfer: Transfer) -> NamedEvent:
    """Return what is told of a transfer; the amount scaled."""
    return NamedEvent(
        address=contract,
        name=TRANSFER,
        params=(
            NamedParam(name="from", type="address", value=transfer.source),
            NamedParam(name="to", type="address", value=transfer.target),
            NamedParam(name="amount", type="uint256", value=transfer.amount),
        ),
    )


def _read_address(reader: Reader) -> Address20:
    written = reader.varbytes()
    if len(written) != ADDRESS_LENGTH:
        raise ValueError("[Common]: AddressParseFromBytes err, len != 20")
    return Address20(written)


def _read_whole(reader: Reader) -> int:
    value = decode_neo_integer(reader.varbytes())
    if not 0 <= value <= _MAX_WHOLE:
        raise ValueError("value not uint64")
    return value


def _read_amount(reader: Reader, is_scaled: bool) -> int:  # noqa: FBT001 - a column of METHODS
    if not is_scaled:
        return _read_whole(reader) * SCALE
    value = decode_neo_integer(reader.varbytes())
    if value < 0:
        raise ValueError("nagative value")
    return value


def _read_transfer(reader: Reader, is_scaled: bool) -> Transfer:  # noqa: FBT001 - as above
    return Transfer(
        source=_read_address(reader),
        target=_read_address(reader),
        amount=_read_amount(reader, is_scaled),
    )


def _transfers(reader: Reader, is_scaled: bool) -> Transfers:  # noqa: FBT001 - as above
    count = _read_whole(reader)
    return Transfers(items=tuple(_read_transfer(reader, is_scaled) for _ in range(count)))


def _approval(reader: Reader, is_scaled: bool) -> Approval:  # noqa: FBT001 - as above
    written = _read_transfer(reader, is_scaled)
    return Approval(owner=written.source, spender=written.target, amount=written.amount)


def _approved(reader: Reader, is_scaled: bool) -> ApprovedTransfer:  # noqa: FBT001 - as above
    return ApprovedTransfer(
        spender=_read_address(reader), transfer=_read_transfer(reader, is_scaled)
    )


def _account(reader: Reader, _is_scaled: bool) -> AccountQuery:  # noqa: FBT001 - as above
    return AccountQuery(account=_read_address(reader))


def _allowance(reader: Reader, _is_scaled: bool) -> AllowanceQuery:  # noqa: FBT001 - as above
    return AllowanceQuery(owner=_read_address(reader), spender=_read_address(reader))


def _constant(_reader: Reader, _is_scaled: bool) -> ConstantQuery:  # noqa: FBT001 - as above
    return ConstantQuery()


_BOTH_VERSIONS: Final[Mapping[str, Callable[[Reader, bool], Request]]] = {
    TRANSFER: _transfers,
    "approve": _approval,
    "transferFrom": _approved,
    "balanceOf": _account,
    "totalAllowance": _account,
    "allowance": _allowance,
    "decimals": _constant,
    "totalSupply": _constant,
}

METHODS: Final[Mapping[str, Method]] = {
    "name": Method(is_scaled=False, read=_constant),
    "symbol": Method(is_scaled=False, read=_constant),
    **{name: Method(is_scaled=False, read=read) for name, read in _BOTH_VERSIONS.items()},
    **{f"{name}V2": Method(is_scaled=True, read=read) for name, read in _BOTH_VERSIONS.items()},
}
"""Name of a method of ONT and ONG -> what it takes; scaled ones end in ``V2``."""
