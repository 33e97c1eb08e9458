"""Runs a transaction of Ontology's: its script, and what is paid for it.

A script does all that it says or nothing. In a block its payer pays either way: for a multiple of
20,000 units of gas, or for as many as there is ONG for. The node would then take the last bit of
the balance too; here what is less than the price of one unit stays, so that a fee is always gas
times price.

Source: ``ontology.md`` 4.10 and 8.1; the node's ``ledgerstore/tx_handler.go`` and, for a trial,
``ledger_store.go``, 26b5ad4f.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from eth.abc import StateAPI

from twisted_chainws.chain.model import NamedEvent
from twisted_chainws.chain.types import Address20
from twisted_chainws.dialects.ontology.script import (
    MINIMUM_GAS,
    NativeCall,
    ScriptFailed,
    code_gas,
    evaluate,
    transaction_gas,
)
from twisted_chainws.dialects.ontology.tokens import (
    GOVERNANCE_CONTRACT,
    ONG_CONTRACT,
    SCALE,
    Transfer,
    transfer_event,
)
from twisted_chainws.dialects.ontology.transaction import Invoke, Transaction, TransactionType
from twisted_chainws.dialects.ontology.values import Value
from twisted_chainws.errors import Unsupported
from twisted_chainws.sources.devchain.engine.ont_contracts import Surroundings, invoke
from twisted_chainws.sources.devchain.engine.ont_ledger import OntLedger

_NOT_HERE: Final = {
    TransactionType.DEPLOY: "contracts of Ontology's own machines cannot be deployed on this chain",
    TransactionType.INVOKE_WASM: "WASM contracts are not on this chain",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """What became of a transaction.

    Attributes:
        succeeded: False when its script failed; then it did nothing but pay.
        gas: units that it took, or would take; in a block those that were paid.
        result: what lay on top of the stack in the end; None when nothing did, or it failed.
            ``values.encode_value`` shows it.
        events: what contracts told, and in a block the payment, if any, behind it.
        reason: why it failed, in the node's words; None when it did not.
    """

    succeeded: bool
    gas: int
    result: Value | None
    events: tuple[NamedEvent, ...]
    reason: str | None


def execute(
    transaction: Transaction,
    state: StateAPI,
    *,
    witnesses: frozenset[Address20],
    timestamp: int,
    deadline: int,
    charge: bool,
) -> Execution:
    """Run a transaction in a state; neither its signatures nor whether it ran before is looked at.

    Args:
        transaction: of type D1.
        state: is changed.
        witnesses: who signed.
        timestamp: of the block it is in, seconds since the Unix epoch.
        deadline: see ``unbound.holder_deadline``.
        charge: whether this is a block, where it pays and its gas limit holds; else it is a
            trial.

    Raises:
        Unsupported: it needs what this chain does not have; the state is as it was.
    """
    if not isinstance(transaction.payload, Invoke) or transaction.type in _NOT_HERE:
        raise Unsupported(reason=_NOT_HERE[transaction.type])
    script = _Script(
        transaction.payload.code,
        state,
        witnesses=witnesses,
        timestamp=timestamp,
        deadline=deadline,
        is_trial=not charge,
    )
    if not charge:
        return script.run(None)
    if not transaction.gas_price:
        return script.run(transaction.gas_limit)
    return _Bill(transaction, script.ledger).settle(script)


Obstacle: TypeAlias = Callable[[int], str | None]
"""Says why a script must not have run after all, if it took so much gas."""


class _Script:
    """The code of a transaction and where it runs."""

    def __init__(self, code: bytes, state: StateAPI, **around: Any) -> None:
        self.code = code
        self.ledger = OntLedger(state)
        self._state = state
        self._around = Surroundings(ledger=self.ledger, **around)

    def run(self, gas_limit: int | None, obstacle: Obstacle = lambda _: None) -> Execution:
        """Run it; what it takes is paid by whoever called.

        Args:
            gas_limit: for its steps; its length is not counted there. None sets none.
            obstacle: is asked when it went well.
        """
        mark = self._state.snapshot()
        try:
            ended = evaluate(self.code, self._invoke, gas_limit=gas_limit)
            gas, reason = ended.gas, obstacle(max(MINIMUM_GAS, code_gas(self.code) + ended.gas))
        except ScriptFailed as failure:
            gas, reason = failure.gas, failure.reason
        except Exception:
            self._state.revert(mark)
            raise
        whole = transaction_gas(self.code, gas)
        if reason is not None:
            self._state.revert(mark)
            return _failure(whole, reason)
        self._state.commit(mark)
        events = tuple(self._around.events)
        return Execution(succeeded=True, gas=whole, result=ended.result, events=events, reason=None)

    def _invoke(self, call: NativeCall) -> bytes:
        return invoke(call, self._around)


class _Bill:
    """Who pays for a transaction, at which price; amounts that are told are 10^-9 ONG."""

    def __init__(self, transaction: Transaction, ledger: OntLedger) -> None:
        self._payer = transaction.payer
        self._price = transaction.gas_price
        self._gas_limit = transaction.gas_limit
        self._ledger = ledger

    def settle(self, script: _Script) -> Execution:
        """Run what can be paid for, and take the fee."""
        found = self._refusal(script.code)
        if found is None:
            limit = min(self._gas_limit, self._affordable()) - code_gas(script.code)
            found = script.run(limit, self._shortage)
        gas = min(found.gas, self._affordable())
        return replace(found, gas=gas, events=(*found.events, *self._pay(gas)))

    def _refusal(self, code: bytes) -> Execution | None:
        """Return why a script does not even begin, for what it costs all the same."""
        balance, needed = self._balance(), code_gas(code)
        if self._affordable() < MINIMUM_GAS:
            least = MINIMUM_GAS * self._price
            return _failure(MINIMUM_GAS, f"balance gas: {balance} less than min gas: {least}")
        if self._affordable() < needed:
            reason = f"balance:{balance} < code length need gas:{needed * self._price}"
            return _failure(needed, f"balance gas insufficient: {reason}")
        if self._gas_limit < needed:
            reason = f"need{self._gas_limit} actual:{needed}"
            return _failure(self._gas_limit, f"invoke transaction gasLimit insufficient: {reason}")
        return None

    def _shortage(self, gas: int) -> str | None:
        """Say that a script moved away what it would have to be paid with."""
        if self._affordable() >= gas:
            return None
        return f"gas insufficient, balance:{self._balance()} < costGas:{gas * self._price}"

    def _balance(self) -> int:
        return self._ledger.balance(ONG_CONTRACT, self._payer) // SCALE

    def _affordable(self) -> int:
        return self._balance() // self._price

    def _pay(self, gas: int) -> tuple[NamedEvent, ...]:
        amount = gas * self._price * SCALE
        if not amount:
            return ()
        self._ledger.change_balance(ONG_CONTRACT, self._payer, -amount)
        self._ledger.change_balance(ONG_CONTRACT, GOVERNANCE_CONTRACT, amount)
        fee = Transfer(source=self._payer, target=GOVERNANCE_CONTRACT, amount=amount)
        return (transfer_event(ONG_CONTRACT, fee),)


def _failure(gas: int, reason: str) -> Execution:
    return Execution(succeeded=False, gas=gas, result=None, events=(), reason=reason)
