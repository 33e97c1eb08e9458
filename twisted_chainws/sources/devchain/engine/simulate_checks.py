"""What a simulated call is refused for before its first opcode.

Whether the sender has code is never asked. Without validation nonces are free, and who offers no
price pays none.

Source: go-ethereum core/state_transition.go (preCheck, buyGas, execute) and
internal/ethapi/errors.go (txValidationError), 02b73d4e.
"""

from collections.abc import Iterator
from typing import Any

from eth_typing import Address
from eth_utils import to_checksum_address

from twisted_chainws.errors import (
    SimulatedFeeCapTooLow,
    SimulatedFundsTooLow,
    SimulatedGasTooLow,
    SimulatedInitCodeTooLarge,
    SimulatedNonceTooHigh,
    SimulatedNonceTooLow,
    SimulatedTipAboveFeeCap,
    SimulationRefused,
)
from twisted_chainws.sources.devchain.engine.checks import (
    MAX_INIT_CODE_BYTES,
    MAX_NONCE,
    MAX_TRANSACTION_BLOBS,
    floor_gas,
    init_code_gas,
)
from twisted_chainws.sources.devchain.engine.prechecks import FLOOR_GAS, INIT_CODE, INTRINSIC_GAS
from twisted_chainws.sources.devchain.engine.requests import CallRequest

_GAS_PER_BLOB = 131_072
_BLOB_HASH_VERSION = b"\x01"

_Refusal = tuple[type[SimulationRefused], str]


def check_simulated(
    request: CallRequest, transaction: Any, state: Any, *, validation: bool
) -> None:
    """Refuse what cannot be part of a block.

    Args:
        request: the call.
        transaction: the call as the executor sees it, with nonce and gas.
        state: before the call.
        validation: whether nonces and fees are checked as in a real block.

    Raises:
        SimulationRefused: its subclass that names the rule, or itself.
    """
    for refusal in _refusals(request, transaction, state, validation=validation):
        kind, reason = refusal
        raise kind(reason=f"err: {reason} (supplied gas {transaction.gas})")


def _refusals(
    request: CallRequest, transaction: Any, state: Any, *, validation: bool
) -> Iterator[_Refusal]:
    if validation:
        yield from _nonce(request, transaction, state)
    if validation or request.fee_cap or request.tip:
        yield from _fees(request, state)
    yield from _blobs(request, state, validation=validation)
    yield from _authorizations(request)
    if not request.to and len(request.data) > MAX_INIT_CODE_BYTES:
        reason = f"{INIT_CODE}: code size {len(request.data)} limit {MAX_INIT_CODE_BYTES}"
        yield SimulatedInitCodeTooLarge, reason
    yield from _funds(request, transaction, state)
    yield from _gas(request, transaction)


def _nonce(request: CallRequest, transaction: Any, state: Any) -> Iterator[_Refusal]:
    who, nonce = to_checksum_address(request.sender), transaction.nonce
    have = state.get_nonce(Address(request.sender))
    if nonce > have:
        yield SimulatedNonceTooHigh, f"nonce too high: address {who}, tx: {nonce} state: {have}"
    elif nonce < have:
        yield SimulatedNonceTooLow, f"nonce too low: address {who}, tx: {nonce} state: {have}"
    elif nonce == MAX_NONCE:
        yield SimulationRefused, f"nonce has max value: address {who}, nonce: {nonce}"


def _fees(request: CallRequest, state: Any) -> Iterator[_Refusal]:
    who, cap, tip = to_checksum_address(request.sender), request.fee_cap, request.tip
    if cap < tip:
        reason = f"address {who}, maxPriorityFeePerGas: {tip}, maxFeePerGas: {cap}"
        yield (
            SimulatedTipAboveFeeCap,
            f"max priority fee per gas higher than max fee per gas: {reason}",
        )
    if cap < state.base_fee:
        reason = f"address {who}, maxFeePerGas: {cap}, baseFee: {state.base_fee}"
        yield SimulatedFeeCapTooLow, f"max fee per gas less than block base fee: {reason}"


def _blobs(request: CallRequest, state: Any, *, validation: bool) -> Iterator[_Refusal]:
    if request.blob_hashes is None:
        return
    if not request.to:
        yield SimulationRefused, "blob transaction of type create"
    if not request.blob_hashes:
        yield SimulationRefused, "blob transaction missing blob hashes"
    if len(request.blob_hashes) > MAX_TRANSACTION_BLOBS and state.fork.has("osaka"):
        yield SimulationRefused, "blob transaction has too many blobs"
    for index, blob_hash in enumerate(request.blob_hashes):
        if blob_hash[:1] != _BLOB_HASH_VERSION:
            yield SimulationRefused, f"blob {index} has invalid hash version"
    cap, price = request.max_blob_fee or 0, state.blob_base_fee
    if (validation or cap) and cap < price:
        who = to_checksum_address(request.sender)
        reason = f"address {who} blobGasFeeCap: {cap}, blobBaseFee: {price}"
        yield SimulationRefused, f"max fee per blob gas less than block blob gas fee: {reason}"


def _authorizations(request: CallRequest) -> Iterator[_Refusal]:
    if request.authorizations is None:
        return
    who = to_checksum_address(request.sender)
    if not request.to:
        reason = "EIP-7702 transaction cannot be used to create contract"
        yield SimulationRefused, f"{reason} (sender {who})"
    if not request.authorizations:
        yield SimulationRefused, f"EIP-7702 transaction with empty auth list (sender {who})"


def _funds(request: CallRequest, transaction: Any, state: Any) -> Iterator[_Refusal]:
    blob_gas = len(request.blob_hashes or ()) * _GAS_PER_BLOB
    # A free offer passes the price check; what a blob costs has to be there all the same.
    blob_price = max(request.max_blob_fee or 0, state.blob_base_fee) if blob_gas else 0
    want = transaction.gas * request.fee_cap + blob_gas * blob_price + request.value
    have = state.get_balance(Address(request.sender))
    if have < want:
        who = to_checksum_address(request.sender)
        reason = f"address {who} have {have} want {want}"
        yield SimulatedFundsTooLow, f"insufficient funds for gas * price + value: {reason}"


def _gas(request: CallRequest, transaction: Any) -> Iterator[_Refusal]:
    have = transaction.gas
    need = transaction.intrinsic_gas + init_code_gas(request.to, request.data)
    if have < need:
        yield SimulatedGasTooLow, f"{INTRINSIC_GAS}: have {have}, want {need}"
    floor = floor_gas(request.data)
    if have < floor:
        yield SimulationRefused, f"{FLOOR_GAS}: have {have}, want {floor}"
