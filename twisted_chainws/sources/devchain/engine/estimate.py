"""Gas estimates and access lists: calls that are run several times."""

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from eth_typing import Address

from twisted_chainws.errors import (
    EstimateFailed,
    ExecutionError,
    ExecutionFailed,
    ExecutionReverted,
    GasAllowanceExceeded,
    PrecheckFailed,
)
from twisted_chainws.sources.devchain.engine.calls import (
    CallSite,
    Outcome,
    execute,
    run,
)
from twisted_chainws.sources.devchain.engine.checks import MAX_TRANSACTION_GAS
from twisted_chainws.sources.devchain.engine.prechecks import FLOOR_GAS, INTRINSIC_GAS
from twisted_chainws.sources.devchain.engine.requests import CallRequest
from twisted_chainws.sources.devchain.engine.vm import DevState

_GAS_TRANSACTION = 21_000
_GAS_STIPEND = 2_300
_TOLERANCE = 0.015
_MAX_ROUNDS = 8
_OUT_OF_GAS = frozenset({"out of gas", "contract creation code storage out of gas"})

AccessList = tuple[tuple[Address, tuple[int, ...]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessListResult:
    """The access list of a call.

    Attributes:
        entries: addresses and their slots, both ascending.
        gas_used: of the call with that list.
        error: how the call failed; None when it succeeded.
    """

    entries: AccessList
    gas_used: int
    error: ExecutionError | None


def estimate(site: CallSite, request: CallRequest, cap: int) -> int:
    """Return a gas limit with which the call succeeds, at most 1.5 % above the least one.

    Args:
        site: where to run.
        request: what to run.
        cap: the highest limit to try.

    Raises:
        ExecutionReverted: it reverts even at the highest limit.
        ExecutionFailed: it fails there for another reason than gas, or its sender has no more
            than the value.
        GasAllowanceExceeded: no limit that the caller may use or can pay is enough.
        EstimateFailed: refused before the first opcode.

    Source: go-ethereum eth/gasestimator/gasestimator.go.
    """
    high = _highest(site, request, cap)
    if _is_plain_transfer(site, request) and high >= _GAS_TRANSACTION:
        # What is wrong is told with the highest limit, below.
        with suppress(EstimateFailed):
            if _succeeds(site, request, _GAS_TRANSACTION):
                return _GAS_TRANSACTION
    outcome = _try(site, request, high)
    if outcome is None or _ran_out(outcome.error):
        raise GasAllowanceExceeded(cap=high)
    if outcome.error is not None:
        raise outcome.error
    return _search(site, request, outcome, high)


def _search(site: CallSite, request: CallRequest, outcome: Outcome, high: int) -> int:
    low = outcome.gas_used - 1
    guess = (outcome.gas_peak + _GAS_STIPEND) * 64 // 63
    if guess < high:
        if _succeeds(site, request, guess):
            high = guess
        else:
            low = guess
    while low + 1 < high and (high - low) / high >= _TOLERANCE:
        # Most calls need little more than the lower bound.
        middle = min((high + low) // 2, low * 2)
        if _succeeds(site, request, middle):
            high = middle
        else:
            low = middle
    return high


def _highest(site: CallSite, request: CallRequest, cap: int) -> int:
    if site.chain.fork(site.header).has("osaka"):
        cap = min(cap, MAX_TRANSACTION_GAS)
    wanted = request.gas or 0
    high = min(wanted if wanted >= _GAS_TRANSACTION else site.gas_limit, cap)
    if not request.fee_cap:
        return high
    balance = site.state(request).get_balance(Address(request.sender))
    if balance <= request.value:
        raise ExecutionFailed(reason="insufficient funds for transfer")
    payable: int = (balance - request.value) // request.fee_cap
    return min(high, payable)


def _is_plain_transfer(site: CallSite, request: CallRequest) -> bool:
    if request.data or not request.to or request.access_list or request.authorizations:
        return False
    return not site.state(request).get_code(Address(request.to))


def _try(site: CallSite, request: CallRequest, gas: int) -> Outcome | None:
    try:
        return run(site, request, gas)
    except PrecheckFailed as error:
        if error.reason.startswith((INTRINSIC_GAS, FLOOR_GAS)):
            return None
        raise EstimateFailed(gas=gas, reason=error.reason) from error


def _succeeds(site: CallSite, request: CallRequest, gas: int) -> bool:
    outcome = _try(site, request, gas)
    return outcome is not None and outcome.error is None


def _ran_out(error: ExecutionError | None) -> bool:
    return isinstance(error, ExecutionFailed) and error.reason in _OUT_OF_GAS


def access_list(site: CallSite, request: CallRequest, gas: int) -> AccessListResult:
    """Return the accounts and slots a call touches, iterated until the list is stable.

    Raises:
        PrecheckFailed: refused before the first opcode.

    Source: EIP-2930; go-ethereum eth_createAccessList (what is left out).
    """
    for _ in range(_MAX_ROUNDS):
        state = site.state(request)
        _forget_accesses(state)
        outcome = execute(state, request, gas)
        found = _touched(state, outcome, request)
        stable = found == request.access_list
        request = replace(request, access_list=found)
        if stable:
            break
    return AccessListResult(
        entries=request.access_list, gas_used=outcome.gas_used, error=outcome.error
    )


def _forget_accesses(state: DevState) -> None:
    # Overrides count as accesses; a cached account would not be noticed again.
    accounts: Any = state._account_db  # noqa: SLF001
    accounts._account_cache.clear()  # noqa: SLF001
    accounts._accessed_accounts.clear()  # noqa: SLF001
    for store in accounts._account_stores.values():  # noqa: SLF001
        store._accessed_slots.clear()  # noqa: SLF001


def _touched(state: DevState, outcome: Outcome, request: CallRequest) -> AccessList:
    accounts: Any = state._account_db  # noqa: SLF001
    computation: Any = outcome.computation
    free = {request.sender, request.to, state.coinbase}
    free.update(state.computation_class.get_precompiles())
    if computation is not None:
        free.add(computation.msg.storage_address)
        free.update(getattr(computation, "contracts_created", ()))
    found: dict[Address, tuple[int, ...]] = {}
    for address in accounts._accessed_accounts:  # noqa: SLF001
        store = accounts._account_stores.get(address)  # noqa: SLF001
        slots = tuple(sorted(store.get_accessed_slots())) if store is not None else ()
        if slots or address not in free:
            found[address] = slots
    return tuple(sorted(found.items()))


def describe_error(error: ExecutionError) -> str:
    """Word the failure of an access list's call as geth does, without revert data."""
    if isinstance(error, ExecutionReverted):
        return "execution reverted"
    return error.reason if isinstance(error, ExecutionFailed) else str(error)
