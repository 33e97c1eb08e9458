"""Running calls on throw-away states, with overrides."""

from dataclasses import dataclass
from typing import Any

from eth._utils.transactions import calculate_intrinsic_gas
from eth.abc import BlockHeaderAPI, ComputationAPI
from eth.exceptions import Revert, VMError
from eth.vm.forks.berlin.transactions import calculate_txn_intrinsic_gas_berlin
from eth.vm.forks.frontier.transactions import FRONTIER_TX_GAS_SCHEDULE
from eth.vm.forks.homestead.transactions import HOMESTEAD_TX_GAS_SCHEDULE
from eth.vm.forks.istanbul.transactions import ISTANBUL_TX_GAS_SCHEDULE
from eth_typing import Address
from eth_utils import ValidationError

from twisted_chainws.chain.forks import DEVELOPMENT, Fork
from twisted_chainws.errors import (
    ExecutionError,
    ExecutionFailed,
    ExecutionReverted,
    PrecheckFailed,
)
from twisted_chainws.sources.devchain.engine.checks import MAX_NONCE
from twisted_chainws.sources.devchain.engine.head import DevChain
from twisted_chainws.sources.devchain.engine.overrides import (
    override_accounts,
    override_precompiles,
)
from twisted_chainws.sources.devchain.engine.prechecks import precheck
from twisted_chainws.sources.devchain.engine.reasons import describe
from twisted_chainws.sources.devchain.engine.requests import (
    AccountOverride,
    BlockOverrides,
    CallRequest,
)
from twisted_chainws.sources.devchain.engine.state import state_at
from twisted_chainws.sources.devchain.engine.vm import DevState

_BLOB_TYPE, _SET_CODE_TYPE = 3, 4
_GAS_PER_AUTHORIZATION = 25_000
_INTRINSIC_GAS = {
    "istanbul": ISTANBUL_TX_GAS_SCHEDULE,
    "homestead": HOMESTEAD_TX_GAS_SCHEDULE,
    "frontier": FRONTIER_TX_GAS_SCHEDULE,
}
"""What a transaction costs before it runs, by the rules it began with, newest first."""


class CallTransaction:
    """The members py-evm's executor asks a transaction for."""

    def __init__(self, request: CallRequest, gas: int, fork: Fork = DEVELOPMENT.forks[0]) -> None:
        """Dress ``request`` up as a transaction with a gas limit of ``gas``, priced by a fork."""
        self.sender = Address(request.sender)
        self.to = Address(request.to)
        self.gas = gas
        self.value = request.value
        self.data = request.data
        self.nonce = 0
        self.gas_price = self.max_fee_per_gas = request.fee_cap
        self.max_priority_fee_per_gas = request.tip
        self.access_list = request.access_list
        self.blob_versioned_hashes = request.blob_hashes or ()
        self.max_fee_per_blob_gas = request.max_blob_fee or 0
        self.authorization_list = request.authorizations or ()
        # The machines of old forks want to log a signature.
        self.r = self.s = self.y_parity = 0
        self.type_id = 2
        if request.blob_hashes is not None:
            self.type_id = _BLOB_TYPE
        elif request.authorizations is not None:
            self.type_id = _SET_CODE_TYPE
        self.intrinsic_gas = _intrinsic_gas(self, fork) + (
            _GAS_PER_AUTHORIZATION * len(self.authorization_list)
        )


def _intrinsic_gas(transaction: CallTransaction, fork: Fork) -> int:
    if fork.has("berlin"):
        return int(calculate_txn_intrinsic_gas_berlin(transaction))
    schedule = next(gas for rules, gas in _INTRINSIC_GAS.items() if fork.has(rules))
    return int(calculate_intrinsic_gas(schedule, transaction))


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
        of_header = getattr(self.header, "base_fee_per_gas", 0)
        return int(self.block.header.get("base_fee_per_gas", of_header))

    def state(self, request: CallRequest) -> DevState:
        """Make a fresh state for one run of ``request``.

        Raises:
            InvalidOverride: a precompile is moved from where there is none.
        """
        env: dict[str, Any] = dict(self.block.header)
        # As in geth: a call that offers no price sees base fee 0, so that nobody needs funds.
        env["base_fee_per_gas"] = self.base_fee if request.fee_cap else 0
        known = self.header._meta.field_names  # noqa: SLF001 - those of the fork of the block
        env = {name: value for name, value in env.items() if name in known}
        state = state_at(
            self.chain,
            self.header,
            self.root,
            env=env,
            state_class=_state_class(
                self.chain.get_vm(self.header).get_state_class(), self.accounts
            ),
        )
        if request.blob_hashes is not None and not request.max_blob_fee:
            state.blob_base_fee_override = 0
        elif self.block.blob_base_fee is not None:
            state.blob_base_fee_override = self.block.blob_base_fee
        override_accounts(state, self.accounts)
        return state


def _state_class(base: Any, accounts: tuple[AccountOverride, ...]) -> type[DevState]:
    """Return the state class of a fork, with precompiles moved as the overrides say."""
    known = base.computation_class.get_precompiles()
    precompiles = override_precompiles(known, accounts)
    if precompiles == known:
        return base  # type: ignore[no-any-return]
    computation = type("MovedComputation", (base.computation_class,), {"_precompiles": precompiles})
    return type("MovedState", (base,), {"computation_class": computation})


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
    transaction: Any = CallTransaction(request, gas, state.fork)
    precheck(request, transaction, state)
    if state.get_nonce(transaction.sender) == MAX_NONCE:
        # go-ethereum (state_transition.go, evm.go) lets calls wrap around and creations fail;
        # py-evm would refuse both. No code can read the nonce of the sender.
        if not request.to:
            return _never_started("nonce uint64 overflow", gas)
        state.set_nonce(transaction.sender, MAX_NONCE - 1)
    executor: Any = state.get_transaction_executor()
    try:
        message = executor.build_evm_message(transaction)
        computation = executor.finalize_computation(
            transaction, executor.build_computation(message, transaction)
        )
    except VMError as error:
        # Raised instead of recorded when the outermost frame never starts.
        return _never_started(describe(error, None), gas)
    except ValidationError as error:
        raise PrecheckFailed(reason=str(error), gas=gas) from error
    return _outcome(transaction, computation)


def _never_started(reason: str, gas: int) -> Outcome:
    failed = ExecutionFailed(reason=reason)
    return Outcome(error=failed, output=b"", gas_used=gas, gas_peak=gas, computation=None)


def _outcome(transaction: Any, computation: Any) -> Outcome:
    spent = transaction.gas - computation.get_gas_remaining()
    share = 5 if computation.state.fork.has("london") else 2
    refund = min(computation.get_gas_refund(), spent // share)
    used = spent - refund + getattr(computation, "data_floor_gas", 0)
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
