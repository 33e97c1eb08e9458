"""Payments of the Zilliqa family: what the node's isolated server checks and does.

The native address of a key is an account like any other: its nonce is the one below that of its
next transaction, and its coin is counted in wei here and in Qa there. The fee is for the coinbase.
There is no Scilla: contracts are neither created nor called by native transactions.

Source: ``zilliqa.md`` 5 and 6.1 to 6.3; the node's ``LookupServer.cpp`` (``ValidateTxn``) and
``IsolatedServer.cpp`` (``CreateTransaction``) for the order of the checks.
"""

from collections.abc import Callable
from dataclasses import dataclass

from eth.abc import StateAPI
from eth_typing import Address

from twisted_chainws.chain.model import Kind, NativeTransaction, Receipt
from twisted_chainws.dialects.zilliqa.address import NULL_ADDRESS
from twisted_chainws.dialects.zilliqa.transaction import (
    CHAIN_ID,
    MAX_CODE_BYTES,
    MINIMUM_GAS_PRICE_QA,
    NATIVE_VERSION,
    PAYMENT_GAS,
    WEI_PER_QA,
    CoreInfo,
    SignedTransaction,
    decode_transaction,
    is_authentic,
    unpack_version,
)
from twisted_chainws.errors import (
    BlockGasLimitExceeded,
    InitCodeTooLarge,
    InsufficientFunds,
    IntrinsicGasTooLow,
    InvalidSignature,
    NonceTooHigh,
    NonceTooLow,
    RecipientIsContract,
    RecipientMissing,
    SenderUnknown,
    Underpriced,
    Unsupported,
    WrongChainId,
    WrongMessageVersion,
)
from twisted_chainws.sources.devchain.engine.convert import native_receipt
from twisted_chainws.sources.devchain.engine.draft import NativeOperation


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """A native transaction; implements ``natives.Native``.

    Attributes:
        record: what the block lists.
    """

    record: NativeTransaction
    signed: SignedTransaction

    @property
    def _core(self) -> CoreInfo:
        return self.signed.core

    @property
    def hash(self) -> bytes:
        """Its id."""
        return self.record.hash

    @property
    def nonce(self) -> int:
        """The nonce of the sender's account that it uses, one below its own."""
        return self._core.nonce - 1

    @property
    def gas(self) -> int:
        """The most gas that it may use; a payment uses ``PAYMENT_GAS`` whatever this is."""
        return self._core.gas_limit

    @property
    def price(self) -> int:
        """What it pays per gas, wei."""
        return self._core.gas_price_qa * WEI_PER_QA

    @property
    def cost(self) -> int:
        """The most it can take from its sender, wei."""
        return self._core.amount_qa * WEI_PER_QA + self.gas * self.price

    def check_new(
        self,
        state: StateAPI,
        *,
        admit: Callable[[bytes], None],  # noqa: ARG002 - its nonce tells
        next_nonce: int,
        gas_limit: int,
    ) -> None:
        """Check one that is just sent: see ``natives.Native``."""
        self._check_alone()
        sender = Address(self.record.sender)
        if not _exists(state, sender):
            raise SenderUnknown
        if self._is_payment and self.gas < PAYMENT_GAS:
            raise IntrinsicGasTooLow(gas=self.gas, minimum=PAYMENT_GAS)
        if self.nonce < next_nonce:
            raise NonceTooLow(next_nonce=next_nonce + 1, nonce=self._core.nonce)
        self._check_funds(state)
        if self.gas > gas_limit:
            raise BlockGasLimitExceeded(gas=self.gas, limit=gas_limit)
        if self.nonce > next_nonce:
            raise NonceTooHigh(next_nonce=next_nonce + 1, nonce=self._core.nonce)
        self._check_purpose(state)

    def check(self, state: StateAPI) -> None:
        """Check it against a state: see ``natives.Native``."""
        next_nonce = state.get_nonce(Address(self.record.sender))
        if self.nonce < next_nonce:
            raise NonceTooLow(next_nonce=next_nonce + 1, nonce=self._core.nonce)
        self._check_funds(state)
        self._check_purpose(state)

    def operation(self) -> NativeOperation:
        """Return what it does in a block."""
        return NativeOperation(transaction=self.record, gas=self.gas, apply=self._apply)

    @property
    def _is_payment(self) -> bool:
        core = self._core
        return core.to != NULL_ADDRESS and not core.code and not core.data

    def _check_alone(self) -> None:
        core = self._core
        chain_id, version = unpack_version(core.version)
        if chain_id != CHAIN_ID:
            raise WrongChainId(have=chain_id, want=CHAIN_ID)
        if version != NATIVE_VERSION:
            raise WrongMessageVersion(have=version, want=NATIVE_VERSION)
        if len(core.code) > MAX_CODE_BYTES:
            raise InitCodeTooLarge(size=len(core.code), limit=MAX_CODE_BYTES)
        minimum = MINIMUM_GAS_PRICE_QA * WEI_PER_QA
        if self.price < minimum:
            raise Underpriced(tip=self.price, minimum=minimum)
        if not is_authentic(self.signed):
            raise InvalidSignature

    def _check_funds(self, state: StateAPI) -> None:
        balance = state.get_balance(Address(self.record.sender))
        if balance < self.cost:
            raise InsufficientFunds(balance=balance, cost=self.cost)

    def _check_purpose(self, state: StateAPI) -> None:
        core = self._core
        if core.code or core.data:
            raise Unsupported(reason="this chain runs no Scilla: native transactions only pay")
        if core.to == NULL_ADDRESS:
            raise RecipientMissing
        if state.get_code(Address(core.to)):
            raise RecipientIsContract

    def _apply(self, state: StateAPI) -> Receipt:
        """Move the coin, take the fee, count the nonce up.

        Raises:
            TransactionRejected: it cannot run in this state.
        """
        self.check(state)
        core, sender = self._core, Address(self.record.sender)
        next_nonce = state.get_nonce(sender)
        if self.nonce > next_nonce:
            raise NonceTooHigh(next_nonce=next_nonce + 1, nonce=core.nonce)
        amount, fee = core.amount_qa * WEI_PER_QA, PAYMENT_GAS * self.price
        state.delta_balance(sender, -amount - fee)
        state.set_nonce(sender, next_nonce + 1)
        # An account that gets nothing must not come into being (EIP-161).
        for receiver, share in ((Address(core.to), amount), (state.coinbase, fee)):
            if share:
                state.delta_balance(receiver, share)
        return native_receipt(gas=PAYMENT_GAS, price=self.price)


def decode_payment(raw: bytes) -> Payment:
    """Decode what ``NativeTransaction.raw`` of this family is; the signature is not verified.

    Raises:
        UndecodableTransaction: the bytes are none.
    """
    signed = decode_transaction(raw)
    record = NativeTransaction(
        kind=Kind.ZILLIQA, hash=signed.id, sender=signed.core.sender, raw=raw
    )
    return Payment(record=record, signed=signed)


def _exists(state: StateAPI, address: Address) -> bool:
    return bool(state.get_balance(address) or state.has_code_or_nonce(address))
