"""Call objects and overrides: what is checked and normalised before an engine sees it.

Sans-I/O. The results are JSON shapes: addresses, data and
words are lower-case ``0x`` strings, quantities ``0x`` quantity strings, absent members are absent.

Source: ``ethereum.md`` 5.4; go-ethereum internal/ethapi TransactionArgs, override, 02b73d4e.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn

from twisted_chainws.dialects.ethereum import decode
from twisted_chainws.dialects.ethereum.arguments import Decoder, InvalidArgument, refuse
from twisted_chainws.dialects.ethereum.pool import encode_checksummed
from twisted_chainws.dialects.view import View
from twisted_chainws.errors import InvalidOverride

SERVER_ERROR: Final = -32000


def encode(value: Any) -> Any:
    """Turn decoded values into the JSON that engines take; see the module's first lines."""
    if isinstance(value, bytes):
        return f"0x{value.hex()}"
    if isinstance(value, int) and not isinstance(value, bool):
        return hex(value)
    if isinstance(value, list):
        return [encode(item) for item in value]
    if isinstance(value, dict):
        return {encode(key): encode(item) for key, item in value.items()}
    return value


def listed(decoder: Decoder, go_type: str) -> Decoder:
    """Make the decoder of a list from that of its items."""

    def decode_list(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise decode.not_a(value, go_type)
        return [decoder(item) for item in value]

    return decode_list


def mapped(key: Decoder, item: Decoder, go_type: str) -> Decoder:
    """Make the decoder of an object with free names from those of its names and values."""

    def decode_map(value: Any) -> dict[Any, Any]:
        if not isinstance(value, dict):
            raise decode.not_a(value, go_type)
        return {key(name): item(member) for name, member in value.items()}

    return decode_map


def members(
    table: Mapping[str, Decoder], go_type: str, *, required: frozenset[str] = frozenset()
) -> Decoder:
    """Make the decoder of an object with known members; others and nulls are left out."""

    def decode_members(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise decode.not_a(value, go_type)
        found = {}
        for name, decoder in table.items():
            given = value.get(name)
            if given is not None:
                found[name] = _member(go_type, name, decoder, given)
            elif name in required:
                raise InvalidArgument(f"missing required field '{name}' for {go_type}")
        return found

    return decode_members


def _member(go_type: str, name: str, decoder: Decoder, value: Any) -> Any:
    """Decode a member; its error says which one it was, as Go's decoder does."""
    try:
        return decoder(value)
    except InvalidArgument as problem:
        field = f"Go struct field {go_type.rpartition('.')[2]}.{name}"
        plain = not problem.text.startswith(("json: ", "hex string has length", "missing "))
        text = problem.text.replace("Go value", field)
        raise InvalidArgument(
            f"json: cannot unmarshal {text} into {field}" if plain else text
        ) from None


ACCESS_LIST: Final = listed(
    members(
        {
            "address": decode.address,
            "storageKeys": listed(decode.hash32, "[]common.Hash"),
        },
        "types.AccessTuple",
        required=frozenset({"address"}),
    ),
    "types.AccessList",
)

_AUTHORIZATION: Final[Mapping[str, Decoder]] = {
    "chainId": decode.quantity256,
    "address": decode.address,
    "nonce": decode.quantity,
    "yParity": decode.quantity,
    "r": decode.quantity256,
    "s": decode.quantity256,
}


def _type(value: Any) -> int:
    """Read a transaction type; web3.py writes it as a JSON number, and geth ignores it."""
    return value if type(value) is int and value >= 0 else decode.quantity(value)


_CALL: Final = members(
    {
        "from": decode.address,
        "to": decode.address,
        "gas": decode.quantity,
        "gasPrice": decode.quantity256,
        "maxFeePerGas": decode.quantity256,
        "maxPriorityFeePerGas": decode.quantity256,
        "value": decode.quantity256,
        "nonce": decode.quantity,
        "data": decode.data,
        "input": decode.data,
        "accessList": ACCESS_LIST,
        "chainId": decode.quantity256,
        "maxFeePerBlobGas": decode.quantity256,
        "blobVersionedHashes": listed(decode.hash32, "[]common.Hash"),
        "type": _type,
        "authorizationList": listed(
            members(
                _AUTHORIZATION,
                "types.SetCodeAuthorization",
                required=frozenset(_AUTHORIZATION),
            ),
            "[]types.SetCodeAuthorization",
        ),
    },
    "ethapi.TransactionArgs",
)


def call(value: Any) -> dict[str, Any]:
    """Read a call or transaction object; ``input`` ends up in ``data``.

    Raises:
        Refused: members contradict each other (-32000, as in geth).
    """
    found = _CALL(value)
    shape = _complete(found)
    _refuse_tip(found)
    return shape


def simulated_call(value: Any) -> dict[str, Any]:
    """Read a call of a simulation, where the tip is compared with the cap in its turn.

    Raises:
        Refused: members contradict each other (-32000, as in geth).
    """
    return _complete(_CALL(value))


def _complete(found: dict[str, Any]) -> dict[str, Any]:
    _merge_input(found)
    _refuse_fees(found)
    for entry in found.get("accessList", ()):
        entry.setdefault("storageKeys", [])
    shape: dict[str, Any] = encode(found)
    return shape


def _merge_input(found: dict[str, Any]) -> None:
    if "input" not in found:
        return
    given = found.pop("input")
    if found.setdefault("data", given) != given:
        refuse(
            'both "data" and "input" are set and not equal. '
            'Please use "input" to pass transaction call data',
            code=SERVER_ERROR,
        )


def _refuse_fees(found: Mapping[str, Any]) -> None:
    cap, tip = found.get("maxFeePerGas"), found.get("maxPriorityFeePerGas")
    if "gasPrice" in found and (cap is not None or tip is not None):
        refuse(
            "both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified",
            code=SERVER_ERROR,
        )


def _refuse_tip(found: Mapping[str, Any]) -> None:
    cap, tip = found.get("maxFeePerGas"), found.get("maxPriorityFeePerGas")
    if cap is not None and tip is not None and cap < tip:
        refuse(f"maxFeePerGas ({cap}) < maxPriorityFeePerGas ({tip})", code=SERVER_ERROR)


def refuse_foreign_chain(view: View, given: Mapping[str, Any]) -> None:
    """Refuse a call that names another chain id than ours."""
    have = int(given.get("chainId", hex(view.chain.chain_id)), 16)
    if have != view.chain.chain_id:
        refuse(
            f"chainId does not match node's (have={have}, want={view.chain.chain_id})",
            code=SERVER_ERROR,
        )


_WORDS: Final = mapped(decode.hash32, decode.hash32, "map[common.Hash]common.Hash")

_STATE_OVERRIDES: Final = mapped(
    decode.address,
    members(
        {
            "balance": decode.quantity256,
            "nonce": decode.quantity,
            "code": decode.data,
            "state": _WORDS,
            "stateDiff": _WORDS,
            "movePrecompileToAddress": decode.address,
        },
        "override.OverrideAccount",
    ),
    "override.StateOverride",
)


def state_overrides(value: Any) -> dict[str, Any]:
    """Read state overrides: address -> members.

    Raises:
        InvalidOverride: an account has both ``state`` and ``stateDiff``.
    """
    found = _STATE_OVERRIDES(value)
    for address, account in found.items():
        if "state" in account and "stateDiff" in account:
            name = encode_checksummed(address)
            raise InvalidOverride(reason=f"account {name} has both 'state' and 'stateDiff'")
    shape: dict[str, Any] = encode(found)
    return shape


def _refused(name: str) -> Callable[[Any], NoReturn]:
    def decoder(_value: Any) -> NoReturn:
        raise InvalidOverride(reason=f'block override "{name}" is not supported for this RPC')

    return decoder


WITHDRAWALS: Final = listed(
    members(
        {
            "index": decode.quantity,
            "validatorIndex": decode.quantity,
            "address": decode.address,
            "amount": decode.quantity,
        },
        "types.Withdrawal",
    ),
    "types.Withdrawals",
)

BLOCK_OVERRIDES: Final = "override.BlockOverrides"
"""What Go calls an object of block overrides."""

BLOCK_FIELDS: Final[Mapping[str, Decoder]] = {
    "number": decode.quantity256,
    "difficulty": decode.quantity256,
    "time": decode.quantity,
    "gasLimit": decode.quantity,
    "feeRecipient": decode.address,
    "prevRandao": decode.hash32,
    "baseFeePerGas": decode.quantity256,
    "blobBaseFee": decode.quantity256,
}
"""What can be overridden in the block of a call."""

_BLOCK_OVERRIDES: Final = members(
    {
        **BLOCK_FIELDS,
        "beaconRoot": _refused("beaconRoot"),
        "withdrawals": _refused("withdrawals"),
    },
    BLOCK_OVERRIDES,
)


def block_overrides(value: Any) -> dict[str, Any]:
    """Read block overrides.

    Raises:
        InvalidOverride: a member that a call cannot have.
    """
    shape: dict[str, Any] = encode(_BLOCK_OVERRIDES(value))
    return shape
