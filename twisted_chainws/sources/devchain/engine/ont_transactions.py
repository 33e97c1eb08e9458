"""Transactions of the Ontology family: what its node checks and does.

Their nonce only makes them differ, so they wait independently of each other and are found out by
the ledger when they come again. Accounts pay in ONG, the coin, to governance.

Two rules are ours: more gas than a block has is refused, and what waits leaves the pool when its
payer owns less than the least fee, where the node would mine it and take what there is.

Source: ``ontology.md`` 4.10 and 8.2; the node's ``txnpool/proc/txnpool_actor.go``
(``handleTransaction``) for the order of the checks, 26b5ad4f.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from eth.abc import StateAPI
from eth_typing import Address

from twisted_chainws.chain.model import Kind, NamedEvent, NativeTransaction, Receipt
from twisted_chainws.chain.types import Address20
from twisted_chainws.dialects.ontology.eip155 import WEI_PER_GWEI
from twisted_chainws.dialects.ontology.script import MINIMUM_GAS, highest_gas, transaction_gas
from twisted_chainws.dialects.ontology.transaction import (
    MINIMUM_GAS_PRICE,
    Transaction,
    claimed_signers,
    decode_transaction,
    signers,
)
from twisted_chainws.dialects.ontology.values import encode_value
from twisted_chainws.errors import (
    AlreadyMined,
    BlockGasLimitExceeded,
    ExecutionFailed,
    FeeAboveBalance,
    FeeOverflow,
    GasBelowUse,
    InsufficientFunds,
    OfferTooLow,
)
from twisted_chainws.sources.devchain.engine.convert import native_receipt
from twisted_chainws.sources.devchain.engine.draft import NativeOperation
from twisted_chainws.sources.devchain.engine.ont_execution import execute
from twisted_chainws.sources.devchain.engine.ont_ledger import OntLedger

_MAX_FEE: Final = 2**64 - 1
"""10^-9 ONG."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What a transaction would do in the next block.

    Attributes:
        gas: units that it would take.
        result: as pre-execution shows it, see ``values.encode_value``; None for nothing.
        events: without the payment.
    """

    gas: int
    result: Any
    events: tuple[NamedEvent, ...]


# No slots: what is computed is kept in the dictionary.
@dataclass(frozen=True, kw_only=True)
class OntologyTransaction:
    """A transaction of types D0 to D2; implements ``natives.Native``.

    Attributes:
        record: what the block lists; its sender is the payer.
        deadline: see ``unbound.holder_deadline``.
    """

    record: NativeTransaction
    decoded: Transaction
    deadline: int

    @property
    def hash(self) -> bytes:
        """What it is called, in the internal order."""
        return self.record.hash

    @property
    def nonce(self) -> None:
        """None: it stands in a line of its own."""

    @cached_property
    def gas(self) -> int:
        """The most gas that it may use; no script uses more than its length allows."""
        return min(self.decoded.gas_limit, highest_gas(self._code))

    @property
    def price(self) -> int:
        """What it pays per gas, wei."""
        return self.decoded.gas_price * WEI_PER_GWEI

    @cached_property
    def cost(self) -> int:
        """The least that it takes from its payer, wei."""
        return transaction_gas(self._code, 0) * self.price

    @cached_property
    def witnesses(self) -> frozenset[Address20]:
        """Who signed.

        Raises:
            InvalidSignature: a signature is not right, or the payer's is missing.
            Unsupported: a signature is of SM2.
        """
        return signers(self.decoded)

    def check_new(
        self,
        state: StateAPI,
        *,
        admit: Callable[[bytes], None],
        next_nonce: int,  # noqa: ARG002 - it has none
        gas_limit: int,
    ) -> None:
        """Check one that is just sent: see ``natives.Native``."""
        mark = state.snapshot()
        needed = self.run_trial(state).gas
        state.revert(mark)
        admit(self.hash)
        self._check_offer()
        if self.decoded.gas_limit < needed:
            raise GasBelowUse(gas=self.decoded.gas_limit, needed=needed)
        if self.gas > gas_limit:
            raise BlockGasLimitExceeded(gas=self.gas, limit=gas_limit)
        fee = needed * self.price
        if state.get_balance(Address(self.record.sender)) < fee:
            raise FeeAboveBalance(payer=self.record.sender, fee=fee)
        self.witnesses  # noqa: B018 - verifies and keeps them
        self._check_fresh(state)

    def check(self, state: StateAPI) -> None:
        """Check it against a state: see ``natives.Native``."""
        self._check_fresh(state)
        balance = state.get_balance(Address(self.record.sender))
        if balance < self.cost:
            raise InsufficientFunds(balance=balance, cost=self.cost)

    def operation(self) -> NativeOperation:
        """Return what it does in a block."""
        return NativeOperation(transaction=self.record, gas=self.gas, apply=self._apply)

    def run_trial(self, state: StateAPI) -> Trial:
        """Run it as pre-execution does: signatures unverified, nothing paid.

        Args:
            state: of the block it might be in; is spoiled.

        Raises:
            ExecutionFailed: it fails, in the node's words.
            Unsupported: it needs what this chain does not have.
        """
        done = execute(
            self.decoded,
            state,
            witnesses=claimed_signers(self.decoded),
            timestamp=state.timestamp,
            deadline=self.deadline,
            charge=False,
        )
        if not done.succeeded:
            raise ExecutionFailed(reason=done.reason or "")
        shown = None if done.result is None else encode_value(done.result)
        return Trial(gas=done.gas, result=shown, events=done.events)

    @property
    def _code(self) -> bytes:
        return self.decoded.payload.code

    def _check_offer(self) -> None:
        gas, price = self.decoded.gas_limit, self.decoded.gas_price
        if gas * price > _MAX_FEE:
            raise FeeOverflow(gas=gas, price=self.price)
        if gas < MINIMUM_GAS or price < MINIMUM_GAS_PRICE:
            floor = MINIMUM_GAS_PRICE * WEI_PER_GWEI
            raise OfferTooLow(minimum_gas=MINIMUM_GAS, minimum_price=floor)

    def _check_fresh(self, state: StateAPI) -> None:
        if OntLedger(state).is_mined(self.record.hash):
            raise AlreadyMined

    def _apply(self, state: StateAPI) -> Receipt:
        """Run its script, take the fee, remember it.

        Raises:
            TransactionRejected: it cannot run in this state.
        """
        self.check(state)
        done = execute(
            self.decoded,
            state,
            witnesses=self.witnesses,
            timestamp=state.timestamp,
            deadline=self.deadline,
            charge=True,
        )
        OntLedger(state).mark_mined(self.record.hash)
        return native_receipt(
            succeeded=done.succeeded, gas=done.gas, price=self.price, events=done.events
        )


def decode_ontology(raw: bytes, *, deadline: int) -> OntologyTransaction:
    """Decode what ``NativeTransaction.raw`` of this family is; no signature is verified.

    Args:
        raw: of types D0 to D2.
        deadline: see ``unbound.holder_deadline``.

    Raises:
        UndecodableTransaction: the bytes are none.
    """
    decoded = decode_transaction(raw)
    record = NativeTransaction(kind=Kind.ONTOLOGY, hash=decoded.hash, sender=decoded.payer, raw=raw)
    return OntologyTransaction(record=record, decoded=decoded, deadline=deadline)
