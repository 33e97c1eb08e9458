"""Taking transactions: signed ones, requests to sign, and those that only name their sender."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from eth.abc import SignedTransactionAPI

from twisted_chainws.chain.model import EvmTransaction, Kind
from twisted_chainws.chain.types import Hash32
from twisted_chainws.errors import FeeAboveLimit, InvalidSignature, Underpriced, UnknownAccount
from twisted_chainws.sources.devchain.codec import (
    decode_hex,
    decode_quantity,
    encode_hex,
    encode_transaction,
)
from twisted_chainws.sources.devchain.engine.building import Builder
from twisted_chainws.sources.devchain.engine.checks import (
    check_bounds,
    check_stateful,
    check_stateless,
    is_marked,
)
from twisted_chainws.sources.devchain.engine.convert import convert_transaction
from twisted_chainws.sources.devchain.engine.filling import Defaults, complete, request_sender
from twisted_chainws.sources.devchain.engine.hub import Hub
from twisted_chainws.sources.devchain.engine.jobs import Command, read_job
from twisted_chainws.sources.devchain.engine.natives import Executable
from twisted_chainws.sources.devchain.engine.vm import TransactionFields, blank, unsigned

Request = Mapping[str, Any]


class Submission:
    """The commands that take or make transactions."""

    def __init__(self, hub: Hub, builder: Builder) -> None:
        self._hub = hub
        self._builder = builder

    def send_raw(self, params: Mapping[str, Any]) -> Command:
        """Take a signed transaction and, with automine, mine it.

        Raises:
            TransactionRejected: the subclass that names the rule.
        """
        native = self._hub.engine.decode(decode_hex(params["raw"]))
        if is_marked(native):
            raise InvalidSignature
        self._check(native)
        tip, minimum = native.max_priority_fee_per_gas, self._hub.settings.minimum_tip_wei
        if tip < minimum:
            raise Underpriced(tip=tip, minimum=minimum)
        return (yield from self._take(native))

    def send_native(self, params: Mapping[str, Any]) -> Command:
        """Take a signed transaction of another family and, with automine, mine it.

        Args:
            params: ``kind``, and the bytes as ``raw``.

        Raises:
            TransactionRejected: the subclass that names the rule.
            ExecutionError: a trial of it failed.
            Unsupported: this chain does not run such transactions.
        """
        hub = self._hub
        native = hub.natives.decode(Kind(params["kind"]), decode_hex(params["raw"]))
        next_nonce = hub.pool.next_nonce(native.record.sender)

        def check() -> None:
            with hub.scratch() as state:
                native.check_new(
                    state,
                    admit=hub.pool.check_loose,
                    next_nonce=next_nonce,
                    gas_limit=hub.control.gas_limit,
                )

        # A script that is short may take long.
        yield read_job(check, timeout_s=hub.settings.call_timeout_s)
        return (yield from self._take(native))

    def send(self, params: Mapping[str, Any]) -> Command:
        """Complete a request, sign it or mark it as impersonated, and take it.

        Raises:
            UnknownAccount: neither a key of the sender nor leave to impersonate it.
            TransactionRejected: the subclass that names the rule.
            ExecutionError: no gas was given and the estimate failed.
        """
        request = params["transaction"]
        sender = request_sender(request)
        if sender not in self._hub.keyring and not self._hub.may_impersonate(sender):
            raise UnknownAccount(address=encode_hex(sender))
        fields = yield from self._fill(request, sender)
        native = self.authorise(fields, sender)
        self._check(native)
        return (yield from self._take(native))

    def send_unsigned(self, params: Mapping[str, Any]) -> Command:
        """Complete a request and take it in the name of its sender, whoever that is.

        Raises:
            TransactionRejected: the subclass that names the rule.
            ExecutionError: no gas was given and the estimate failed.
        """
        request = params["transaction"]
        sender = request_sender(request)
        fields = yield from self._fill(request, sender)
        native = unsigned(fields, sender)
        self._check(native)
        return (yield from self._take(native))

    def authorise(self, fields: TransactionFields, sender: bytes) -> SignedTransactionAPI:
        """Sign with the sender's key or, where that is allowed, without.

        Raises:
            UnknownAccount: neither is possible.
        """
        if sender in self._hub.keyring:
            return self._hub.keyring.sign(fields, sender)
        if not self._hub.may_impersonate(sender):
            raise UnknownAccount(address=encode_hex(sender))
        return unsigned(fields, sender)

    def fill(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Complete a request; the transaction returned is not signed by anybody.

        Raises:
            ExecutionError: no gas was given and the estimate failed.
        """
        request = params["transaction"]
        sender = request_sender(request)
        gas = self._gas(request)
        fields = complete(request, self._defaults(sender, gas))
        bare = blank(fields)
        transaction = replace(
            convert_transaction(unsigned(fields, sender)),
            hash=Hash32(bare.hash),
            raw=bare.encode(),
            v=0,
            r=0,
            s=0,
        )
        return _show(transaction)

    def sign_transaction(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Complete and sign a request without taking it.

        Raises:
            UnknownAccount: the key of the sender is not here.
            ExecutionError: no gas was given and the estimate failed.
        """
        request = params["transaction"]
        sender = request_sender(request)
        if sender not in self._hub.keyring:
            raise UnknownAccount(address=encode_hex(sender))
        fields = complete(request, self._defaults(sender, self._gas(request)))
        return _show(convert_transaction(self._hub.keyring.sign(fields, sender)))

    def _check(self, native: SignedTransactionAPI) -> None:
        hub = self._hub
        chain_id, gas_limit = hub.engine.chain_id, hub.control.gas_limit
        check_bounds(native, hub.next_fork())
        check_stateless(native, chain_id=chain_id, gas_limit=gas_limit)
        cap, fee = hub.settings.fee_cap_wei, native.gas * native.max_fee_per_gas
        if cap is not None and fee > cap:
            raise FeeAboveLimit(fee=fee, cap=cap)
        check_stateful(native, hub.reader().state)

    def _take(self, native: Executable) -> Command:
        hub = self._hub
        hub.pool.add(hub.entry(native))
        if hub.control.automine and hub.pool.standing(native.hash) == "pending":
            yield from self._builder.mine(empty=False)
        hub.commit()
        return encode_hex(native.hash)

    def _fill(self, request: Request, sender: bytes) -> Command:
        gas = 0
        if request.get("gas") is None:
            timeout_s = self._hub.settings.call_timeout_s
            gas = yield read_job(lambda: self._gas(request), timeout_s=timeout_s)
        return complete(request, self._defaults(sender, gas))

    def _gas(self, request: Request) -> int:
        """Return the gas of a request, by estimate at the head when it names none."""
        hub = self._hub
        if request.get("gas") is not None:
            return decode_quantity(request["gas"])
        # Whether the sender can pay is the pool's question; an offer above its means is not
        # a reason for an estimate to fail.
        fees = ("gasPrice", "maxFeePerGas", "maxPriorityFeePerGas", "maxFeePerBlobGas")
        call = {name: value for name, value in request.items() if name not in fees}
        cap = min(hub.settings.call_gas_cap, hub.control.gas_limit)
        return hub.engine.estimate(call, hub.engine.head_hash, gas_cap=cap)

    def _defaults(self, sender: bytes, gas: int) -> Defaults:
        return Defaults(
            chain_id=self._hub.engine.chain_id,
            nonce=self._hub.pool.next_nonce(sender),
            gas=gas,
            base_fee=self._builder.next_base_fee(),
            blob_base_fee=self._builder.next_blob_base_fee(),
        )


def _show(transaction: EvmTransaction) -> dict[str, Any]:
    return {"raw": encode_hex(transaction.raw), "transaction": encode_transaction(transaction)}
