"""Call objects and overrides as they come through the pipe, turned into values.

Quantities are ``0x`` hex strings or integers, addresses and data ``0x`` hex strings. Shapes are
checked by the dialect; what a shape cannot say (contradicting overrides) is checked here.

Source: go-ethereum internal/ethapi (TransactionArgs, override.StateOverride, BlockOverrides).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from eth.constants import ZERO_ADDRESS
from eth.vm.forks.prague.transactions import Authorization
from eth.vm.forks.shanghai.withdrawals import Withdrawal
from eth_typing import Address

from twisted_chainws.errors import InvalidOverride

_HEADER_FIELDS = {
    "number": "block_number",
    "difficulty": "difficulty",
    "time": "timestamp",
    "gasLimit": "gas_limit",
    "feeRecipient": "coinbase",
    "prevRandao": "mix_hash",
    "baseFeePerGas": "base_fee_per_gas",
}
_BYTES_FIELDS = frozenset({"coinbase", "mix_hash"})
_REFUSED_BLOCK_OVERRIDES = ("beaconRoot", "withdrawals")


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRequest:
    """What to run.

    Attributes:
        to: empty bytes create a contract.
        gas: None for as much as is allowed.
        gas_price: wei; None when not given, like the two fees after it.
        access_list: pairs of address and slots as integers.
        blob_hashes: None unless the call is a blob transaction.
        authorizations: None unless the call is a set-code transaction.
    """

    sender: bytes
    to: bytes
    gas: int | None
    gas_price: int | None
    max_fee: int | None
    max_priority_fee: int | None
    value: int
    data: bytes
    access_list: tuple[tuple[Address, tuple[int, ...]], ...]
    max_blob_fee: int | None
    blob_hashes: tuple[bytes, ...] | None
    authorizations: tuple[Authorization, ...] | None

    @property
    def fee_cap(self) -> int:
        """The highest price per gas the caller pays, wei; 0 when the call is free."""
        return self.gas_price if self.gas_price is not None else self.max_fee or 0

    @property
    def tip(self) -> int:
        """The highest tip per gas, wei."""
        return self.gas_price if self.gas_price is not None else self.max_priority_fee or 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountOverride:
    """What an account looks like for one call; None leaves a property as it is.

    Attributes:
        state: replaces the whole storage, slots and words as integers.
        state_diff: changes single slots.
        move_precompile_to: where the precompile of this address answers instead.
    """

    address: bytes
    balance: int | None
    nonce: int | None
    code: bytes | None
    state: Mapping[int, int] | None
    state_diff: Mapping[int, int] | None
    move_precompile_to: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockOverrides:
    """The environment of one call; ``header`` holds py-evm header fields to replace."""

    header: Mapping[str, Any]
    blob_base_fee: int | None


def parse_call(call: Mapping[str, Any]) -> CallRequest:
    """Read a normalised call object."""
    return CallRequest(
        sender=_data(call.get("from")) or ZERO_ADDRESS,
        to=_data(call.get("to")) or b"",
        gas=_quantity(call.get("gas")),
        gas_price=_quantity(call.get("gasPrice")),
        max_fee=_quantity(call.get("maxFeePerGas")),
        max_priority_fee=_quantity(call.get("maxPriorityFeePerGas")),
        value=_quantity(call.get("value")) or 0,
        data=_data(call.get("data")) or b"",
        access_list=parse_access_list(call.get("accessList") or ()),
        max_blob_fee=_quantity(call.get("maxFeePerBlobGas")),
        blob_hashes=_hashes(call.get("blobVersionedHashes")),
        authorizations=parse_authorizations(call.get("authorizationList")),
    )


def parse_access_list(
    entries: Any,
) -> tuple[tuple[Address, tuple[int, ...]], ...]:
    """Read an EIP-2930 access list."""
    return tuple(
        (
            Address(bytes.fromhex(entry["address"][2:])),
            tuple(int(key, 16) for key in entry.get("storageKeys") or ()),
        )
        for entry in entries
    )


def parse_authorizations(
    items: Any,
) -> tuple[Authorization, ...] | None:
    """Read EIP-7702 authorizations; None stays None."""
    if items is None:
        return None
    return tuple(
        Authorization(
            chain_id=_quantity(item["chainId"]),
            address=bytes.fromhex(item["address"][2:]),
            nonce=_quantity(item["nonce"]),
            y_parity=_quantity(item.get("yParity", item.get("v", 0))),
            r=_quantity(item["r"]),
            s=_quantity(item["s"]),
        )
        for item in items
    )


def parse_withdrawals(items: Iterable[Mapping[str, Any]]) -> tuple[Withdrawal, ...]:
    """Read withdrawals; what is left out is zero."""
    return tuple(
        Withdrawal(
            index=_quantity(item.get("index", 0)),
            validator_index=_quantity(item.get("validatorIndex", 0)),
            address=Address(_data(item.get("address")) or ZERO_ADDRESS),
            amount=_quantity(item.get("amount", 0)),
        )
        for item in items
    )


def parse_state_overrides(overrides: Mapping[str, Any] | None) -> tuple[AccountOverride, ...]:
    """Read state overrides.

    Raises:
        InvalidOverride: an account has both ``state`` and ``stateDiff``.
    """
    return tuple(_account_override(key, value) for key, value in (overrides or {}).items())


def parse_block_overrides(overrides: Mapping[str, Any] | None) -> BlockOverrides:
    """Read block overrides.

    Raises:
        InvalidOverride: a member that a call cannot have, as in geth.
    """
    given = {key: value for key, value in (overrides or {}).items() if value is not None}
    for name in _REFUSED_BLOCK_OVERRIDES:
        if name in given:
            raise InvalidOverride(reason=f'block override "{name}" is not supported for this RPC')
    header: dict[str, Any] = {}
    for name, field in _HEADER_FIELDS.items():
        if name in given:
            reader = _data if field in _BYTES_FIELDS else _quantity
            header[field] = reader(given[name])
    return BlockOverrides(header=header, blob_base_fee=_quantity(given.get("blobBaseFee")))


def _account_override(address: str, given: Mapping[str, Any]) -> AccountOverride:
    state, diff = given.get("state"), given.get("stateDiff")
    if state is not None and diff is not None:
        raise InvalidOverride(reason=f"account {address} has both 'state' and 'stateDiff'")
    return AccountOverride(
        address=bytes.fromhex(address[2:]),
        balance=_quantity(given.get("balance")),
        nonce=_quantity(given.get("nonce")),
        code=_data(given.get("code")),
        state=_words(state),
        state_diff=_words(diff),
        move_precompile_to=_data(given.get("movePrecompileToAddress")),
    )


def _words(words: Mapping[str, str] | None) -> dict[int, int] | None:
    if words is None:
        return None
    return {int(slot, 16): int(word, 16) for slot, word in words.items()}


def _quantity(value: str | int | None) -> int | None:
    return int(value, 16) if isinstance(value, str) else value


def _data(value: str | None) -> bytes | None:
    return None if value is None else bytes.fromhex(value[2:])


def _hashes(values: Any) -> tuple[bytes, ...] | None:
    return None if values is None else tuple(bytes.fromhex(value[2:]) for value in values)
