"""Questions about the tokens of Ontology, and what a transaction of its family would do.

Amounts are scaled, as quantities; addresses and keys have their internal order.

Source: ``ontology.md`` 4.10, 7.5 and 8.4; the node's ``ledgerstore/ledger_store.go``
(``PreExecuteContractWithParam``), 26b5ad4f.
"""

from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any, Final

from eth._utils.address import generate_contract_address
from eth_typing import Address

from twisted_chainws.chain.model import EvmTransaction, Log, Receipt
from twisted_chainws.chain.types import Address20, Hash32
from twisted_chainws.dialects.ontology.address import ADDRESS_LENGTH
from twisted_chainws.dialects.ontology.binary_codec import encode_neo_integer
from twisted_chainws.dialects.ontology.events import encode_named, notices
from twisted_chainws.dialects.ontology.tokens import (
    ONG_CONTRACT,
    ONT_CONTRACT,
    SCALE,
    TOKENS,
    encode_stored,
)
from twisted_chainws.dialects.ontology.transaction import (
    Transaction,
    decode_sent,
    encode_transaction,
)
from twisted_chainws.dialects.ontology.unbound import GENESIS_TIME, holder_deadline, unbound_ong
from twisted_chainws.errors import ExecutionFailed, PrecheckFailed
from twisted_chainws.sources.devchain.codec import decode_hex, encode_hex
from twisted_chainws.sources.devchain.engine.calls import Outcome, run
from twisted_chainws.sources.devchain.engine.convert import native_receipt
from twisted_chainws.sources.devchain.engine.core import Place
from twisted_chainws.sources.devchain.engine.hub import Hub
from twisted_chainws.sources.devchain.engine.ont_ledger import OntLedger
from twisted_chainws.sources.devchain.engine.ont_transactions import decode_ontology
from twisted_chainws.sources.devchain.engine.requests import CallRequest

Params = Mapping[str, Any]

_SUPPLY: Final = b"totalSupply"
_OFFSET: Final = b"unboundTimeOffset"
_OFFSET_WIDTH: Final = 4


class OntologyReads:
    """The read methods of the family, each from params to a JSON value."""

    def __init__(self, hub: Hub, place: Callable[[Params], Place]) -> None:
        """Answer about the node's chain.

        Args:
            hub: of the node.
            place: tells the block that params ask about.
        """
        self._hub = hub
        self._place = place
        self._deadline = holder_deadline(hub.settings.ontology_network)

    def table(self) -> dict[str, Callable[[Params], Any]]:
        """Return the methods by their words on the pipe."""
        return {
            "ontology_allowance": self.allowance,
            "ontology_balance": self.balance,
            "ontology_execute": self.execute,
            "ontology_grant": self.grant,
            "ontology_storage": self.storage,
        }

    def balance(self, params: Params) -> dict[str, str]:
        """Return what ``address`` has of both tokens ``at`` a block."""
        ledger, account = self._ledger(params), _address(params, "address")
        return {
            "ont": hex(ledger.balance(ONT_CONTRACT, account)),
            "ong": hex(ledger.balance(ONG_CONTRACT, account)),
        }

    def allowance(self, params: Params) -> str:
        """Return what ``spender`` may move of ``owner``'s tokens of ``contract`` ``at`` a block."""
        parties = (_address(params, name) for name in ("contract", "owner", "spender"))
        return hex(self._ledger(params).allowance(*parties))

    def grant(self, params: Params) -> str:
        """Return how much ONG, 10^-9, a move of ONT by ``address`` would release now."""
        ledger, account = self._ledger(params), _address(params, "address")
        whole = ledger.balance(ONT_CONTRACT, account) // SCALE
        now = self._hub.next_timestamp() - GENESIS_TIME
        return hex(unbound_ong(whole, ledger.offset(account), now, deadline=self._deadline))

    def storage(self, params: Params) -> str:
        """Return the bytes that ``contract`` keeps under ``key`` ``at`` a block; ``0x`` if none."""
        contract, key = _address(params, "contract"), decode_hex(params["key"])
        return encode_hex(_stored(self._ledger(params), contract, key))

    def execute(self, params: Params) -> dict[str, Any]:
        """Run the transaction ``raw`` of any type as if it were in the block behind ``at``.

        Returns:
            The answer of pre-execution; an EVM transaction that fails has ``State`` 0.

        Raises:
            UndecodableTransaction: the bytes are none.
            ExecutionFailed: it fails, in the node's words.
            Unsupported: it needs what this chain does not have.
        """
        engine, raw = self._hub.engine, decode_hex(params["raw"])
        transaction = decode_sent(raw, chain_id=engine.chain_id)
        if isinstance(transaction, EvmTransaction):
            return self._execute_evm(transaction, self._place(params))
        return self._execute_native(transaction, self._place(params))

    def _ledger(self, params: Params) -> OntLedger:
        return OntLedger(self._hub.engine.read(self._place(params)).state)

    def _execute_native(self, transaction: Transaction, at: Place) -> dict[str, Any]:
        native = decode_ontology(encode_transaction(transaction), deadline=self._deadline)
        done = native.run_trial(self._hub.engine.trial(at))
        return {
            "State": 1,
            "Gas": done.gas,
            "Result": done.result,
            "Notify": [encode_named(event) for event in done.events] or None,
        }

    def _execute_evm(self, transaction: EvmTransaction, at: Place) -> dict[str, Any]:
        hub = self._hub
        gas = min(transaction.gas_limit, hub.settings.call_gas_cap)
        try:
            outcome = run(hub.engine.call_site(at, None, None), _request(transaction), gas)
        except PrecheckFailed as error:
            raise ExecutionFailed(reason=error.reason) from error
        nonce = hub.engine.read(at).nonce(transaction.sender)
        receipt = _receipt(transaction, outcome, nonce)
        return {
            "State": int(receipt.succeeded),
            "Gas": outcome.gas_used,
            "Result": b64encode(outcome.output).decode() or None,
            "Notify": notices(transaction, receipt) or None,
        }


def _address(params: Params, name: str) -> Address20:
    return Address20(decode_hex(params[name]))


def _stored(ledger: OntLedger, contract: Address20, key: bytes) -> bytes:
    token = TOKENS.get(contract)
    if token is None:
        return b""
    if key == _SUPPLY:
        return encode_stored(token.total_supply)
    if len(key) == ADDRESS_LENGTH:
        return _amount(ledger.balance(contract, Address20(key)))
    if len(key) == 2 * ADDRESS_LENGTH:
        owner, spender = Address20(key[:ADDRESS_LENGTH]), Address20(key[ADDRESS_LENGTH:])
        return _amount(ledger.allowance(contract, owner, spender))
    account = key.removeprefix(_OFFSET)
    if contract != ONT_CONTRACT or key == account or len(account) != ADDRESS_LENGTH:
        return b""
    offset = ledger.offset(Address20(account))
    return offset.to_bytes(_OFFSET_WIDTH, "little") if offset else b""


def _amount(amount: int) -> bytes:
    try:
        return encode_stored(amount)
    except OverflowError:
        # More coin than there can be ONG; only the form of fractions has room for it.
        return encode_neo_integer(amount)


def _request(transaction: EvmTransaction) -> CallRequest:
    return CallRequest(
        sender=transaction.sender,
        to=transaction.to or b"",
        gas=transaction.gas_limit,
        gas_price=transaction.gas_price,
        max_fee=None,
        max_priority_fee=None,
        value=transaction.value,
        data=transaction.data,
        access_list=(),
        max_blob_fee=None,
        blob_hashes=None,
        authorizations=None,
    )


def _receipt(transaction: EvmTransaction, outcome: Outcome, nonce: int) -> Receipt:
    """Return the receipt that an EVM transaction would have, as far as it tells events."""
    created = None
    if transaction.to is None:
        sender = Address(transaction.sender)
        created = Address20(generate_contract_address(sender, nonce))
    entries = () if outcome.computation is None else outcome.computation.get_log_entries()
    return native_receipt(
        succeeded=outcome.error is None,
        gas=outcome.gas_used,
        price=transaction.gas_price or 0,
        contract=created,
        logs=tuple(
            Log(
                address=Address20(address),
                topics=tuple(Hash32(topic.to_bytes(32, "big")) for topic in topics),
                data=data,
            )
            for address, topics, data in entries
        ),
    )
