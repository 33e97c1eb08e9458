"""Handlers that ask the source for state and execution. Sans-I/O.

Source: ``ethereum.md`` 5.4 and 5.9; go-ethereum internal/ethapi/api.go, 02b73d4e.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from twisted_chainws.dialects.ethereum import calls, decode
from twisted_chainws.dialects.ethereum.arguments import refuse, takes
from twisted_chainws.dialects.ethereum.decode import BlockRef, StorageKey
from twisted_chainws.dialects.ethereum.encode import encode_data, encode_quantity
from twisted_chainws.dialects.outcomes import Forward, Handler, Json, Query
from twisted_chainws.dialects.view import View

MAX_SLOTS: Final = 1_024
TOO_MANY_SLOTS: Final = -38026
_FULL_WORD: Final = 32


def as_it_is(answer: Json) -> Json:
    """Reply with what the source answered."""
    return answer


def ask(method: str, params: Mapping[str, Any], then: Callable[[Any], Json] = as_it_is) -> Forward:
    """Pass a question on to the source."""
    return Forward(call=Query(method=method, params=params), then=then)


@takes(decode.address, decode.block, required=1)
def get_balance(view: View, address: bytes, ref: BlockRef | None) -> Json:
    """Answer ``eth_getBalance``."""
    return _ask_account(view, "balance", address, ref)


@takes(decode.address, decode.block, required=1)
def get_transaction_count(view: View, address: bytes, ref: BlockRef | None) -> Json:
    """Answer ``eth_getTransactionCount``; the source counts pooled ones for ``pending``."""
    return _ask_account(view, "nonce", address, ref)


@takes(decode.address, decode.block, required=1)
def get_code(view: View, address: bytes, ref: BlockRef | None) -> Json:
    """Answer ``eth_getCode``."""
    return _ask_account(view, "code", address, ref)


def _ask_account(view: View, method: str, address: bytes, ref: BlockRef | None) -> Forward:
    return ask(method, {"address": encode_data(address), "at": decode.position(view, ref)})


@takes(decode.address, decode.storage_key, decode.block, required=2)
def get_storage_at(view: View, address: bytes, key: StorageKey, ref: BlockRef | None) -> Json:
    """Answer ``eth_getStorageAt``, always 32 bytes."""
    params = {
        "address": encode_data(address),
        "slot": encode_data(key.word),
        "at": decode.position(view, ref),
    }
    return ask("storage", params)


_slots_by_address: Final = calls.mapped(
    decode.address,
    calls.listed(decode.hash32, "[]common.Hash"),
    "map[common.Address][]common.Hash",
)


@takes(_slots_by_address, decode.block, required=1)
def get_storage_values(view: View, wanted: dict[bytes, list[bytes]], ref: BlockRef | None) -> Json:
    """Answer ``eth_getStorageValues``: address -> words in the order of its slots."""
    count = sum(len(slots) for slots in wanted.values())
    if count > MAX_SLOTS:
        refuse(f"too many slots (max {MAX_SLOTS})", code=TOO_MANY_SLOTS)
    if not count:
        refuse("empty request")
    params = {"slots": calls.encode(wanted), "at": decode.position(view, ref)}
    return ask("storage_values", params)


@takes(decode.address, calls.listed(decode.storage_key, "[]string"), decode.block, required=2)
def get_proof(view: View, address: bytes, keys: list[StorageKey], ref: BlockRef | None) -> Json:
    """Answer ``eth_getProof``; each key comes back in the form in which it was given."""
    if len(keys) > MAX_SLOTS:
        refuse(f"too many slots (max {MAX_SLOTS})")
    params = {
        "address": encode_data(address),
        "slots": [encode_data(key.word) for key in keys],
        "at": decode.position(view, ref),
    }
    return ask("proof", params, lambda answer: _echo_keys(answer, keys))


def _echo_keys(answer: dict[str, Any], keys: list[StorageKey]) -> Json:
    proofs = zip(keys, answer["storageProof"], strict=True)
    return answer | {"storageProof": [proof | {"key": _echo(key)} for key, proof in proofs]}


def _echo(key: StorageKey) -> str:
    if key.given_length == _FULL_WORD:
        return encode_data(key.word)
    return encode_quantity(int.from_bytes(key.word, "big"))


def _run(method: str) -> Callable[..., Json]:
    def run(
        view: View,
        call: dict[str, Any],
        ref: BlockRef | None,
        accounts: dict[str, Any] | None,
        block: dict[str, Any] | None = None,
    ) -> Json:
        calls.refuse_foreign_chain(view, call)
        params: dict[str, Any] = {"call": call, "at": decode.position(view, ref)}
        if accounts:
            params["state_overrides"] = accounts
        if block:
            params["block_overrides"] = block
        return ask(method, params)

    return run


_overridable: Final = takes(
    calls.call, decode.block, calls.state_overrides, calls.block_overrides, required=1
)

STATE: Final[Mapping[str, Handler]] = {
    "eth_getBalance": get_balance,
    "eth_getTransactionCount": get_transaction_count,
    "eth_getCode": get_code,
    "eth_getStorageAt": get_storage_at,
    "eth_getStorageValues": get_storage_values,
    "eth_getProof": get_proof,
    "eth_call": _overridable(_run("call")),
    "eth_estimateGas": _overridable(_run("estimate")),
    "eth_createAccessList": takes(calls.call, decode.block, calls.state_overrides, required=1)(
        _run("access_list")
    ),
}
"""Methods that read state or execute code."""
