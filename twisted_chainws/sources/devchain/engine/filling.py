"""Transaction requests, completed with what they leave out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from twisted_chainws.errors import InvalidControl
from twisted_chainws.sources.devchain.codec import decode_hex, decode_quantity
from twisted_chainws.sources.devchain.engine.requests import (
    parse_access_list,
    parse_authorizations,
)
from twisted_chainws.sources.devchain.engine.vm import TransactionFields

DEFAULT_TIP: Final = 10**9
"""What a request offers that names no tip, wei."""
_LEGACY, _ACCESS_LIST, _DYNAMIC, _BLOB, _SET_CODE = range(5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """What the node fills in; fees in wei."""

    chain_id: int
    nonce: int
    gas: int
    base_fee: int
    blob_base_fee: int


def request_sender(request: Mapping[str, Any]) -> bytes:
    """Return the ``from`` of a request, 20 bytes.

    Raises:
        InvalidControl: it has none.
    """
    sender = request.get("from")
    if sender is None:
        raise InvalidControl(reason="missing from address")
    return decode_hex(sender)


def request_type(request: Mapping[str, Any]) -> int:
    """Return the type of a request: the one it names, else the one its members imply."""
    if request.get("type") is not None:
        return decode_quantity(request["type"])
    if request.get("authorizationList") is not None:
        return _SET_CODE
    if request.get("blobVersionedHashes") is not None:
        return _BLOB
    if request.get("gasPrice") is not None:
        return _LEGACY if request.get("accessList") is None else _ACCESS_LIST
    return _DYNAMIC


def complete(request: Mapping[str, Any], defaults: Defaults) -> TransactionFields:
    """Return the transaction that a request describes.

    Args:
        request: members as of a call object, quantities as ``0x`` strings or integers.
        defaults: for what the request leaves out.

    Raises:
        InvalidControl: the type is unknown.
    """
    kind = request_type(request)
    if kind not in range(5):
        raise InvalidControl(reason="transaction type not supported")
    fields: dict[str, Any] = {
        "type": kind,
        "chain_id": _number(request, "chainId", defaults.chain_id),
        "nonce": _number(request, "nonce", defaults.nonce),
        "gas": _number(request, "gas", defaults.gas),
        "to": decode_hex(request["to"]) if request.get("to") else b"",
        "value": _number(request, "value", 0),
        "data": decode_hex(request.get("data") or request.get("input") or "0x"),
    }
    fields |= _fees(request, kind, defaults)
    if kind != _LEGACY:
        fields["access_list"] = parse_access_list(request.get("accessList") or ())
    if kind == _BLOB:
        price = 2 * defaults.blob_base_fee
        fields["max_fee_per_blob_gas"] = _number(request, "maxFeePerBlobGas", price)
        hashes = request.get("blobVersionedHashes") or ()
        fields["blob_versioned_hashes"] = tuple(decode_hex(item) for item in hashes)
    if kind == _SET_CODE:
        fields["authorization_list"] = parse_authorizations(request.get("authorizationList")) or ()
    return TransactionFields(**fields)


def _fees(request: Mapping[str, Any], kind: int, defaults: Defaults) -> dict[str, int]:
    price = request.get("gasPrice")
    if kind in {_LEGACY, _ACCESS_LIST}:
        return {"gas_price": _number(request, "gasPrice", defaults.base_fee + DEFAULT_TIP)}
    if price is not None:
        both = decode_quantity(price)
        return {"max_fee_per_gas": both, "max_priority_fee_per_gas": both}
    cap = request.get("maxFeePerGas")
    # A cap below the usual tip means that little is offered, not that the request is wrong.
    usual = DEFAULT_TIP if cap is None else min(DEFAULT_TIP, decode_quantity(cap))
    tip = _number(request, "maxPriorityFeePerGas", usual)
    return {
        "max_fee_per_gas": _number(request, "maxFeePerGas", 2 * defaults.base_fee + tip),
        "max_priority_fee_per_gas": tip,
    }


def _number(request: Mapping[str, Any], name: str, default: int) -> int:
    value = request.get(name)
    return default if value is None else decode_quantity(value)
