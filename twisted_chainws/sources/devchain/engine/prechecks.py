"""What geth refuses before the first opcode of a call.

Source: go-ethereum core/state_transition.go (preCheck, buyGas, execute).
"""

from typing import Any

from eth_typing import Address
from eth_utils import to_checksum_address

from twisted_chainws.errors import PrecheckFailed
from twisted_chainws.sources.devchain.engine.checks import (
    MAX_INIT_CODE_BYTES,
    floor_gas,
    init_code_gas,
)
from twisted_chainws.sources.devchain.engine.requests import CallRequest
from twisted_chainws.sources.devchain.engine.vm import DevState

_GAS_PER_BLOB = 131_072

INTRINSIC_GAS = "intrinsic gas too low"
FLOOR_GAS = "insufficient gas for floor data gas cost"
INIT_CODE = "max initcode size exceeded"


def precheck(request: CallRequest, transaction: Any, state: DevState) -> None:
    """Refuse what geth refuses before the first opcode.

    Raises:
        PrecheckFailed: with geth's words; source: go-ethereum core/state_transition.go.
    """
    for check in (_check_fees, _check_envelope, _check_funds, _check_gas):
        reason = check(request, transaction, state)
        if reason is not None:
            raise PrecheckFailed(reason=reason, gas=transaction.gas)


def _check_fees(request: CallRequest, _transaction: Any, state: DevState) -> str | None:
    who, cap, tip = to_checksum_address(request.sender), request.fee_cap, request.tip
    if cap < tip:
        return (
            f"max priority fee per gas higher than max fee per gas: address {who}, "
            f"maxPriorityFeePerGas: {tip}, maxFeePerGas: {cap}"
        )
    if cap and cap < state.base_fee:
        return (
            f"max fee per gas less than block base fee: address {who}, "
            f"maxFeePerGas: {cap}, baseFee: {state.base_fee}"
        )
    return None


def _check_envelope(request: CallRequest, _transaction: Any, state: DevState) -> str | None:
    who = to_checksum_address(request.sender)
    if request.blob_hashes is not None:
        if not request.to:
            return "blob transaction of type create"
        if not request.blob_hashes:
            return "blob transaction missing blob hashes"
        cap = request.max_blob_fee or 0
        if cap < state.blob_base_fee:
            return (
                f"max fee per blob gas less than block blob gas fee: address {who} "
                f"blobGasFeeCap: {cap}, blobBaseFee: {state.blob_base_fee}"
            )
    if request.authorizations is not None:
        if not request.to:
            return f"EIP-7702 transaction cannot be used to create contract (sender {who})"
        if not request.authorizations:
            return f"EIP-7702 transaction with empty auth list (sender {who})"
    return None


def _check_funds(request: CallRequest, transaction: Any, state: DevState) -> str | None:
    blobs = len(request.blob_hashes or ()) * _GAS_PER_BLOB * (request.max_blob_fee or 0)
    want = transaction.gas * request.fee_cap + blobs + request.value
    have = state.get_balance(Address(request.sender))
    if have >= want:
        return None
    who = to_checksum_address(request.sender)
    return f"insufficient funds for gas * price + value: address {who} have {have} want {want}"


def _check_gas(request: CallRequest, transaction: Any, state: DevState) -> str | None:
    need = transaction.intrinsic_gas
    if state.fork.has("shanghai"):
        need += init_code_gas(request.to, request.data)
    if transaction.gas < need:
        return f"{INTRINSIC_GAS}: have {transaction.gas}, want {need}"
    floor = floor_gas(request.data) if state.fork.has("prague") else 0
    if transaction.gas < floor:
        return f"{FLOOR_GAS}: have {transaction.gas}, want {floor}"
    large = not request.to and len(request.data) > MAX_INIT_CODE_BYTES
    if large and state.fork.has("shanghai"):
        return f"{INIT_CODE}: code size {len(request.data)} limit {MAX_INIT_CODE_BYTES}"
    return None
