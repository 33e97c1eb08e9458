"""Running calls on throw-away states: outcomes in geth's words, overrides, time limits."""

import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import FrameType
from typing import Any, TypeVar

from eth.abc import BlockHeaderAPI, ComputationAPI
from eth.exceptions import (
    ContractCreationCollision,
    FullStack,
    InsufficientFunds,
    InsufficientStack,
    InvalidInstruction,
    InvalidJumpDestination,
    OutOfBoundsRead,
    OutOfGas,
    ReservedBytesInCode,
    Revert,
    StackDepthLimit,
    VMError,
    WriteProtection,
)
from eth.vm.forks.berlin.transactions import calculate_txn_intrinsic_gas_berlin
from eth.vm.forks.prague.computation import PragueComputation
from eth_typing import Address
from eth_utils import ValidationError, to_checksum_address

from twisted_chainws.errors import (
    ExecutionError,
    ExecutionFailed,
    ExecutionReverted,
    InvalidOverride,
    PrecheckFailed,
)
from twisted_chainws.sources.devchain.engine.checks import (
    MAX_INIT_CODE_BYTES,
    floor_gas,
    init_code_gas,
)
from twisted_chainws.sources.devchain.engine.head import DevChain
from twisted_chainws.sources.devchain.engine.requests import (
    AccountOverride,
    BlockOverrides,
    CallRequest,
)
from twisted_chainws.sources.devchain.engine.state import state_at
from twisted_chainws.sources.devchain.engine.vm import DevState

T = TypeVar("T")

_BLOB_TYPE, _SET_CODE_TYPE = 3, 4
_GAS_PER_AUTHORIZATION = 25_000
_GAS_PER_BLOB = 131_072
_PUSH1, _PUSH32, _DUP1, _SWAP1, _LOG0 = 0x60, 0x7F, 0x80, 0x90, 0xA0
_DESIGNATED_INVALID = 0xFE


class TimeUp(BaseException):
    """The time of `within` is over.

    A BaseException, because py-evm swallows every Exception while it reads authorizations.
    """


class _Alarm:
    armed = False


def _ring(_signal: int, _frame: FrameType | None) -> None:
    if _Alarm.armed:
        raise TimeUp


def within(seconds: float, job: Callable[[], T]) -> T:
    """Run ``job`` in the main thread and give up after ``seconds``.

    The job may stop at any point, so whatever states and drafts it was working on must be dropped.
    Code that writes (sealing, editing, committing) never runs in here.

    Raises:
        TimeUp: the time is over.
    """
    signal.signal(signal.SIGALRM, _ring)
    try:
        try:
            _Alarm.armed = True
            # Repeating: an alarm that falls into a __del__ is printed and lost.
            signal.setitimer(signal.ITIMER_REAL, seconds, seconds)
            return job()
        finally:
            # First thing, before any call: another alarm may already be on its way.
            _Alarm.armed = False
            signal.setitimer(signal.ITIMER_REAL, 0)
    except TimeUp:
        _Alarm.armed = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        raise


class CallTransaction:
    """The members py-evm's executor asks a transaction for."""

    def __init__(self, request: CallRequest, gas: int) -> None:
        """Dress ``request`` up as a transaction with a gas limit of ``gas``."""
        self.sender = Address(request.sender)
        self.to = Address(request.to)
        self.gas = gas
        self.value = request.value
        self.data = request.data
        self.nonce = 0
        self.max_fee_per_gas = request.fee_cap
        self.max_priority_fee_per_gas = request.tip
        self.access_list = request.access_list
        self.blob_versioned_hashes = request.blob_hashes or ()
        self.max_fee_per_blob_gas = request.max_blob_fee or 0
        self.authorization_list = request.authorizations or ()
        self.type_id = 2
        if request.blob_hashes is not None:
            self.type_id = _BLOB_TYPE
        elif request.authorizations is not None:
            self.type_id = _SET_CODE_TYPE
        self.intrinsic_gas = calculate_txn_intrinsic_gas_berlin(
            self  # type: ignore[arg-type]
        ) + _GAS_PER_AUTHORIZATION * len(self.authorization_list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a call ended.

    Attributes:
        error: None when it succeeded.
        output: return data, or the runtime code of a creation.
        gas_used: what the caller pays for, refunds taken off.
        gas_peak: before refunds: what the limit must at least be.
    """

    error: ExecutionError | None
    output: bytes
    gas_used: int
    gas_peak: int
    computation: ComputationAPI | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSite:
    """Where calls run: a block, a state root, and what is replaced in both.

    Attributes:
        root: the state root to start from.
        accounts: state overrides.
        block: block overrides.
    """

    chain: DevChain
    header: BlockHeaderAPI
    root: bytes
    accounts: tuple[AccountOverride, ...]
    block: BlockOverrides

    @property
    def gas_limit(self) -> int:
        """Gas limit of the block the call believes to be in."""
        return int(self.block.header.get("gas_limit", self.header.gas_limit))

    @property
    def base_fee(self) -> int:
        """Base fee of that block, wei."""
        return int(self.block.header.get("base_fee_per_gas", self.header.base_fee_per_gas))

    def state(self, request: CallRequest) -> DevState:
        """Make a fresh state for one run of ``request``.

        Raises:
            InvalidOverride: a precompile is moved from where there is none.
        """
        env: dict[str, Any] = dict(self.block.header)
        # As in geth: a call that offers no price sees base fee 0, so that nobody needs funds.
        env["base_fee_per_gas"] = self.base_fee if request.fee_cap else 0
        state = state_at(
            self.chain,
            self.header,
            self.root,
            env=env,
            state_class=_state_class(self.accounts),
        )
        if request.blob_hashes is not None and not request.max_blob_fee:
            state.blob_base_fee_override = 0
        elif self.block.blob_base_fee is not None:
            state.blob_base_fee_override = self.block.blob_base_fee
        for account in self.accounts:
            _override_account(state, account)
        state.lock_changes()
        return state


def _state_class(accounts: tuple[AccountOverride, ...]) -> type[DevState]:
    moves = {
        account.address: account.move_precompile_to
        for account in accounts
        if account.move_precompile_to is not None
    }
    overridden = {account.address for account in accounts}
    known = PragueComputation.get_precompiles()
    precompiles: dict[Any, Any] = dict(known)
    for source, target in moves.items():
        if source not in known:
            text = to_checksum_address(source)
            raise InvalidOverride(reason=f"account {text} is not a precompile")
        if target in overridden:
            text = to_checksum_address(target)
            raise InvalidOverride(reason=f"account {text} is already overridden")
        precompiles.pop(source, None)
        precompiles[target] = known[Address(source)]
    # An overridden precompile runs its new code instead, as in geth.
    for account in accounts:
        if account.code is not None:
            precompiles.pop(account.address, None)
    if precompiles == known:
        return DevState
    computation = type("MovedComputation", (PragueComputation,), {"_precompiles": precompiles})
    return type("MovedState", (DevState,), {"computation_class": computation})


def _override_account(state: DevState, given: AccountOverride) -> None:
    address = Address(given.address)
    if given.nonce is not None:
        state.set_nonce(address, given.nonce)
    if given.code is not None:
        state.set_code(address, given.code)
    if given.balance is not None:
        state.set_balance(address, given.balance)
    if given.state is not None:
        state.delete_storage(address)
    for slot, word in (given.state or given.state_diff or {}).items():
        state.set_storage(address, slot, word)


def run(site: CallSite, request: CallRequest, gas: int) -> Outcome:
    """Run a call with a gas limit of ``gas`` on a fresh state.

    Raises:
        PrecheckFailed: refused before the first opcode.
        InvalidOverride: the overrides contradict each other.
    """
    return execute(site.state(request), request, gas)


def execute(state: DevState, request: CallRequest, gas: int) -> Outcome:
    """Run a call on ``state``, which is spoiled by it.

    Raises:
        PrecheckFailed: refused before the first opcode.
    """
    transaction: Any = CallTransaction(request, gas)
    precheck(request, transaction, state)
    executor: Any = state.get_transaction_executor()
    try:
        message = executor.build_evm_message(transaction)
        computation = executor.finalize_computation(
            transaction, executor.build_computation(message, transaction)
        )
    except VMError as error:
        # Raised instead of recorded when the outermost frame never starts.
        failed = ExecutionFailed(reason=describe(error, None))
        return Outcome(error=failed, output=b"", gas_used=gas, gas_peak=gas, computation=None)
    except ValidationError as error:
        raise PrecheckFailed(reason=str(error), gas=gas) from error
    return _outcome(transaction, computation)


def _outcome(transaction: Any, computation: Any) -> Outcome:  # noqa: ANN401 - py-evm objects
    spent = transaction.gas - computation.get_gas_remaining()
    refund = min(computation.get_gas_refund(), spent // 5)
    used = spent - refund + computation.data_floor_gas
    return Outcome(
        error=failure(computation),
        output=bytes(computation.output),
        gas_used=used,
        gas_peak=max(spent, used),
        computation=computation,
    )


def failure(computation: ComputationAPI) -> ExecutionError | None:
    """Say how a computation failed; None when it did not."""
    if computation.is_success:
        return None
    error = computation.error
    if isinstance(error, Revert):
        return ExecutionReverted(data=bytes(computation.output))
    return ExecutionFailed(reason=describe(error, computation))


_REASONS: Mapping[type[VMError], str] = {
    InvalidJumpDestination: "invalid jump destination",
    WriteProtection: "write protection",
    StackDepthLimit: "max call depth exceeded",
    InsufficientFunds: "insufficient balance for transfer",
    OutOfBoundsRead: "return data out of bounds",
    ReservedBytesInCode: "invalid code: must not begin with 0xef",
    ContractCreationCollision: "contract address collision",
    FullStack: "stack limit reached 1024 (1023)",
}


def describe(error: VMError, computation: Any) -> str:  # noqa: ANN401 - a py-evm computation
    """Word a failure as geth does.

    Source: go-ethereum core/vm/errors.go.
    """
    text = str(error)
    if isinstance(error, OutOfGas):
        return _describe_out_of_gas(text)
    if isinstance(error, InvalidInstruction):
        return _describe_invalid(text)
    if isinstance(error, InsufficientStack):
        return _describe_underflow(text, computation)
    for kind, reason in _REASONS.items():
        if isinstance(error, kind):
            return reason
    return text or "execution failed"


def _describe_out_of_gas(text: str) -> str:
    if "EIP170" in text:
        return "max code size exceeded"
    if "EIP-3860" in text:
        return "max initcode size exceeded"
    if "Write contract code" in text:
        return "contract creation code storage out of gas"
    return "out of gas"


def _describe_invalid(text: str) -> str:
    if not text.startswith("Invalid opcode 0x"):
        # A jump into the data of a push.
        return "invalid jump destination"
    opcode = int(text.split()[2], 16)
    name = "INVALID" if opcode == _DESIGNATED_INVALID else f"opcode {opcode:#x} not defined"
    return f"invalid opcode: {name}"


def _describe_underflow(text: str, computation: Any) -> str:  # noqa: ANN401
    have = len(computation._stack.values) if computation is not None else 0  # noqa: SLF001
    words = text.split()
    last = words[-1]
    if last.startswith("SWAP"):
        need = int(last[4:]) + 1
    elif last.startswith("DUP"):
        need = int(last[3:])
    else:
        need = int(words[1])
    return f"stack underflow ({have} <=> {need})"


def precheck(request: CallRequest, transaction: CallTransaction, state: DevState) -> None:
    """Refuse what geth refuses before the first opcode.

    Raises:
        PrecheckFailed: with geth's words; source: go-ethereum core/state_transition.go.
    """
    for check in (_check_fees, _check_envelope, _check_funds, _check_gas):
        reason = check(request, transaction, state)
        if reason is not None:
            raise PrecheckFailed(reason=reason, gas=transaction.gas)


def _check_fees(
    request: CallRequest, _transaction: CallTransaction, state: DevState
) -> str | None:
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


def _check_envelope(
    request: CallRequest, _transaction: CallTransaction, state: DevState
) -> str | None:
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


def _check_funds(
    request: CallRequest, transaction: CallTransaction, state: DevState
) -> str | None:
    blobs = len(request.blob_hashes or ()) * _GAS_PER_BLOB * (request.max_blob_fee or 0)
    want = transaction.gas * request.fee_cap + blobs + request.value
    have = state.get_balance(Address(request.sender))
    if have >= want:
        return None
    who = to_checksum_address(request.sender)
    return f"insufficient funds for gas * price + value: address {who} have {have} want {want}"


def _check_gas(
    request: CallRequest, transaction: CallTransaction, _state: DevState
) -> str | None:
    need = transaction.intrinsic_gas + init_code_gas(request.to, request.data)
    if transaction.gas < need:
        return f"{INTRINSIC_GAS}: have {transaction.gas}, want {need}"
    floor = floor_gas(request.data)
    if transaction.gas < floor:
        return f"{FLOOR_GAS}: have {transaction.gas}, want {floor}"
    if not request.to and len(request.data) > MAX_INIT_CODE_BYTES:
        return f"{INIT_CODE}: code size {len(request.data)} limit {MAX_INIT_CODE_BYTES}"
    return None


INTRINSIC_GAS = "intrinsic gas too low"
FLOOR_GAS = "insufficient gas for floor data gas cost"
INIT_CODE = "max initcode size exceeded"

