"""Handlers that send and sign. Sans-I/O.

Answers of ``fill`` and ``sign_transaction`` carry ``raw`` and a model transaction.

Source: ``ethereum.md`` 5.4; go-ethereum internal/ethapi/api.go TransactionAPI, 02b73d4e.
"""

from collections.abc import Mapping
from typing import Any, Final

import orjson

from twisted_chainws.chain.model import EvmTransaction, Kind
from twisted_chainws.chain.types import Address20, Hash32
from twisted_chainws.dialects.ethereum import calls, decode
from twisted_chainws.dialects.ethereum.arguments import InvalidArgument, refuse, takes
from twisted_chainws.dialects.ethereum.encode import (
    encode_data,
    encode_receipt,
    encode_transaction,
)
from twisted_chainws.dialects.ethereum.state import as_it_is, ask
from twisted_chainws.dialects.outcomes import AwaitMined, Forward, Handler, Json, Submit
from twisted_chainws.dialects.view import Profile, View
from twisted_chainws.errors import UnknownAccount

SYNC_TIMEOUT_S: Final = 20.0
SYNC_TIMEOUT_MOST_S: Final = 60.0
_NOBODY: Final = f"0x{'0' * 40}"


@takes(decode.data)
def send_raw_transaction(_view: View, raw: bytes) -> Json:
    """Answer ``eth_sendRawTransaction``: the hash."""
    return Forward(call=Submit(kind=Kind.EVM, raw=raw), then=as_it_is)


@takes(decode.data, decode.loose_number64, required=1)
def send_raw_transaction_sync(_view: View, raw: bytes, timeout_ms: int | None) -> Json:
    """Answer ``eth_sendRawTransactionSync``: the receipt, once there is one."""
    timeout_s = min(timeout_ms / 1_000, SYNC_TIMEOUT_MOST_S) if timeout_ms else SYNC_TIMEOUT_S

    def wait(transaction_hash: str) -> Json:
        awaited = Hash32(bytes.fromhex(transaction_hash[2:]))
        return Forward(
            call=AwaitMined(transaction_hash=awaited, timeout_s=timeout_s),
            then=lambda place: encode_receipt(*place),
        )

    return Forward(call=Submit(kind=Kind.EVM, raw=raw), then=wait)


def _checked(view: View, given: dict[str, Any]) -> dict[str, Any]:
    """Return a transaction object that an engine can complete.

    Raises:
        Refused: it is for another chain, or creates a contract from nothing.
        UnknownAccount: nobody sends it.
    """
    calls.refuse_foreign_chain(view, given)
    if "from" not in given:
        raise UnknownAccount(address=_NOBODY)
    if "to" not in given and given.get("data", "0x") == "0x":
        refuse("contract creation without any data provided", code=calls.SERVER_ERROR)
    return given


@takes(calls.call)
def send_transaction(view: View, given: dict[str, Any]) -> Json:
    """Answer ``eth_sendTransaction``: the hash."""
    return ask("send", {"transaction": _checked(view, given)})


@takes(calls.call)
def send_unsigned_transaction(view: View, given: dict[str, Any]) -> Json:
    """Answer ``eth_sendUnsignedTransaction``: the hash."""
    return ask("send_unsigned", {"transaction": _checked(view, given)})


@takes(calls.call)
def fill_transaction(view: View, given: dict[str, Any]) -> Json:
    """Answer ``eth_fillTransaction``: the completed transaction, not signed."""
    return ask("fill", {"transaction": _checked(view, given)}, _raw_and_transaction)


@takes(calls.call)
def sign_transaction(view: View, given: dict[str, Any]) -> Json:
    """Answer ``eth_signTransaction``: bytes and object as geth does, only bytes as anvil does."""
    short = view.settings.profile is Profile.ANVIL
    return ask(
        "sign_transaction",
        {"transaction": _checked(view, given)},
        (lambda answer: answer["raw"]) if short else _raw_and_transaction,
    )


_PLACE: Final = frozenset(
    {"blockHash", "blockNumber", "blockTimestamp", "transactionIndex", "from"}
)


def _raw_and_transaction(answer: Mapping[str, Any]) -> Json:
    """Show a transaction as such: it stands in no block and its sender goes without saying."""
    shape = encode_transaction(answer["transaction"])
    return {
        "raw": answer["raw"],
        "tx": {name: value for name, value in shape.items() if name not in _PLACE},
    }


@takes(decode.address, decode.data)
def sign(_view: View, address: bytes, message: bytes) -> Json:
    """Answer ``eth_sign``: the signature of a personal message (EIP-191)."""
    return ask("sign", {"address": encode_data(address), "message": encode_data(message)})


@takes(decode.data, decode.address, decode.text, required=2)
def personal_sign(_view: View, message: bytes, address: bytes, _password: str | None) -> Json:
    """Answer ``personal_sign``: ``eth_sign`` with its arguments the other way round."""
    return ask("sign", {"address": encode_data(address), "message": encode_data(message)})


_TYPED_DATA: Final[Mapping[str, type]] = {
    "types": dict,
    "primaryType": str,
    "domain": dict,
    "message": dict,
}


def typed_data(value: Any) -> dict[str, Any]:
    """Read EIP-712 typed data, an object or its JSON text."""
    if isinstance(value, str):
        try:
            value = orjson.loads(value)
        except ValueError:  # orjson.JSONDecodeError, also for a lone surrogate
            raise InvalidArgument("typed data is no JSON") from None
    if not isinstance(value, dict):
        raise decode.not_a(value, "apitypes.TypedData")
    for name, kind in _TYPED_DATA.items():
        if not isinstance(value.get(name), kind):
            raise InvalidArgument(f"typed data has no valid '{name}'")
    return value


@takes(decode.address, typed_data)
def sign_typed_data(_view: View, address: bytes, data: dict[str, Any]) -> Json:
    """Answer ``eth_signTypedData_v4``: the signature of typed data (EIP-712)."""
    return ask("sign_typed_data", {"address": encode_data(address), "data": data})


@takes()
def accounts(view: View) -> Json:
    """Answer ``eth_accounts``: the addresses whose keys the node holds."""
    return ask("accounts", {}) if view.settings.development else []


@takes()
def pending_transactions(view: View) -> Json:
    """Answer ``eth_pendingTransactions``: what our own accounts have in the pool."""

    def select(addresses: list[str]) -> Json:
        pool = view.chain.pending_by_sender()
        ours = (Address20(bytes.fromhex(address[2:])) for address in addresses)
        return [encode_transaction(tx) for sender in ours for tx in pool.get(sender, {}).values()]

    return ask("accounts", {}, select) if view.settings.development else []


@takes(calls.call, decode.quantity256, decode.quantity, required=1)
def resend(view: View, given: dict[str, Any], price: int | None, gas: int | None) -> Json:
    """Answer ``eth_resend``: send a pooled transaction again at another price."""
    if "nonce" not in given:
        refuse("missing transaction nonce in transaction spec", code=calls.SERVER_ERROR)
    found = _pooled(view, _checked(view, given))
    if found is None:
        refuse("transaction not found", code=calls.SERVER_ERROR)
    changed = dict(given)
    if price:
        for name in ("maxFeePerGas", "maxPriorityFeePerGas"):
            changed.pop(name, None)
        changed["gasPrice"] = hex(price)
    changed["gas"] = hex(gas or found.gas_limit)
    return ask("send", {"transaction": changed})


def _pooled(view: View, given: Mapping[str, Any]) -> EvmTransaction | None:
    """Find the pooled transaction of the same sender and nonce that does the same."""
    sender = Address20(bytes.fromhex(given["from"][2:]))
    nonce = int(given["nonce"], 16)
    found = view.chain.pending_by_sender().get(sender, {}).get(nonce)
    if found is None:
        found = view.chain.queued_by_sender().get(sender, {}).get(nonce)
    if found is None:
        return None
    wanted = given.get("to"), given.get("value", "0x0"), given.get("data", "0x")
    to = None if found.to is None else encode_data(found.to)
    return found if (to, hex(found.value), encode_data(found.data)) == wanted else None


SUBMIT: Final[Mapping[str, Handler]] = {
    "eth_sendRawTransaction": send_raw_transaction,
    "eth_sendRawTransactionSync": send_raw_transaction_sync,
    "eth_sendTransaction": send_transaction,
    "eth_sendUnsignedTransaction": send_unsigned_transaction,
    "eth_fillTransaction": fill_transaction,
    "eth_signTransaction": sign_transaction,
    "eth_sign": sign,
    "personal_sign": personal_sign,
    "eth_signTypedData_v4": sign_typed_data,
    "eth_accounts": accounts,
    "eth_pendingTransactions": pending_transactions,
    "eth_resend": resend,
}
"""Methods that send and sign."""
