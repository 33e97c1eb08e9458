"""The rules of Prague as a development chain needs them, on top of py-evm.

Differences from `PragueVM`: headers may keep their parent's time, any gas limit and any base fee;
a transaction may carry a *marked* signature that names its sender (impersonation); the gas of a
receipt is what the sender paid (EIP-7623 with refunds); deposits are looked for in the receipts at
hand.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from eth.abc import (
    BlockAPI,
    BlockHeaderAPI,
    ComputationAPI,
    ReceiptAPI,
    SignedTransactionAPI,
)
from eth.consensus.noproof import NoProofConsensus
from eth.rlp.transactions import SignedTransactionMethods
from eth.vm.forks.berlin.transactions import AccessListTransaction
from eth.vm.forks.cancun.transactions import BlobTransaction
from eth.vm.forks.london.transactions import DynamicFeeTransaction
from eth.vm.forks.prague import PragueVM
from eth.vm.forks.prague.blocks import PragueBlock, PragueBlockHeader
from eth.vm.forks.prague.constants import (
    DEPOSIT_EVENT_SIGNATURE_HASH,
    DEPOSIT_REQUEST_TYPE,
)
from eth.vm.forks.prague.state import PragueState
from eth.vm.forks.prague.transactions import (
    Authorization,
    PragueLegacyTransaction,
    PragueTransactionBuilder,
    PragueTypedTransaction,
    SetCodeTransaction,
)
from eth.vm.forks.shanghai.withdrawals import Withdrawal
from eth_keys.datatypes import PrivateKey
from eth_typing import Address
from eth_utils import ValidationError
from rlp.sedes import CountableList

from twisted_chainws.chain.forks import (
    DEPOSIT_CONTRACT,
    DEVELOPMENT,
    PRAGUE_BLOBS,
    BlobParameters,
    Fork,
)
from twisted_chainws.sources.devchain.engine.preimages import NamingAccountDB

MARK = int.from_bytes(b"impersonated", "big")
"""The ``s`` of a marked signature: far below half the curve order, so every rule accepts it."""

_MAX_EXTRA_DATA = 32
_ADDRESS_BITS = 160
_LEGACY_V = 27
_EIP155_OFFSET = 35


class _Unsigned(SignedTransactionMethods):
    """A transaction that may name its sender (``r``) instead of proving it."""

    @property
    def is_unsigned(self) -> bool:
        """Whether the signature is a mark."""
        return bool(self.s == MARK and self.r < 1 << _ADDRESS_BITS)

    def get_sender(self) -> Address:
        if self.is_unsigned:
            return Address(self.r.to_bytes(20, "big"))
        return super().get_sender()

    def check_signature_validity(self) -> None:
        if not self.is_unsigned:
            super().check_signature_validity()

    def validate(self) -> None:
        # A mark fails the range rules for r (address zero) and, typed, the inner signature check.
        if not self.is_unsigned:
            super().validate()


class DevLegacy(_Unsigned, PragueLegacyTransaction):
    """A legacy transaction, possibly marked."""


class DevTyped(_Unsigned, PragueTypedTransaction):
    """A typed transaction, possibly marked."""


class DevBuilder(PragueTransactionBuilder):
    """Decodes into our classes."""

    legacy_signed = DevLegacy
    typed_transaction = DevTyped


class DevBlock(PragueBlock):
    """A Prague block of our transactions."""

    transaction_builder = DevBuilder
    fields: ClassVar[list[tuple[str, Any]]] = [
        ("header", PragueBlockHeader),
        ("transactions", CountableList(DevBuilder)),
        ("uncles", CountableList(None, max_length=0)),
        ("withdrawals", CountableList(Withdrawal)),
    ]


class DevState(PragueState):
    """Prague state; the system contracts come from genesis, so nothing is installed here.

    Attributes:
        fork: whose rules the state is under.
    """

    fork: ClassVar[Fork] = DEVELOPMENT.forks[0]
    account_db_class = NamingAccountDB
    blob_base_fee_override: int | None = None

    def set_system_contracts(self) -> None:
        """Do nothing: py-evm would rewrite the predeploys into every fresh state."""

    @property
    def blob_base_fee(self) -> int:
        """Price of blob gas, wei; a call may override it."""
        if self.blob_base_fee_override is not None:
            return self.blob_base_fee_override
        blobs = self.fork.blobs
        return 0 if blobs is None else blobs.fee(self.execution_context.excess_blob_gas)


class DevVM(PragueVM):
    """Rules of Prague, headers of a development chain."""

    block_class = DevBlock
    consensus_class = NoProofConsensus
    _state_class = DevState
    blobs: ClassVar[BlobParameters] = PRAGUE_BLOBS
    deposit_contract: ClassVar[bytes] = DEPOSIT_CONTRACT
    _receipts: Sequence[ReceiptAPI] | None = None

    @classmethod
    def validate_header(cls, header: BlockHeaderAPI, parent_header: BlockHeaderAPI) -> None:
        """Accept equal timestamps, any gas limit and any base fee."""
        if (
            header.block_number != parent_header.block_number + 1
            or header.timestamp < parent_header.timestamp
            or len(header.extra_data) > _MAX_EXTRA_DATA
        ):
            message = "header does not follow its parent"
            raise ValidationError(message)

    @classmethod
    def finalize_gas_used(
        cls, transaction: SignedTransactionAPI, computation: ComputationAPI
    ) -> int:
        """Return what the sender paid for.

        py-evm caps the refund by a share of the gas *including* the floor of EIP-7623, so with
        large call data and large refunds its receipt shows less than what was charged.
        """
        spent = transaction.gas - computation.get_gas_remaining()
        refund = min(computation.get_gas_refund(), spent // 5)
        return int(spent - refund + computation.data_floor_gas)

    def look_for_deposits_in(self, receipts: Sequence[ReceiptAPI]) -> None:
        """Take the receipts from here instead of reading them back from the trie."""
        self._receipts = receipts

    def process_deposit_request_data(self, block: BlockAPI) -> None:
        """Collect the deposit requests of EIP-6110, from the receipts at hand if there are any."""
        receipts = self._receipts
        if receipts is None:
            receipts = block.get_receipts(self.chaindb)
        logs = (log for receipt in receipts for log in receipt.logs)
        requests = [_deposit(log.data) for log in logs if self._is_deposit(log)]
        block.block_requests.append(DEPOSIT_REQUEST_TYPE + b"".join(requests))

    @classmethod
    def _is_deposit(cls, log: Any) -> bool:
        topic = int.from_bytes(DEPOSIT_EVENT_SIGNATURE_HASH, "big")
        return bool(log.address == cls.deposit_contract and log.topics and log.topics[0] == topic)


def _deposit(data: bytes) -> bytes:
    """Return key, credentials, amount, signature and index of a deposit event (EIP-6110)."""
    return data[192:240] + data[288:320] + data[352:360] + data[416:512] + data[544:552]


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionFields:
    """A transaction before it is signed.

    Attributes:
        type: 0 to 4.
        to: empty bytes create a contract.
        gas_price: types 0 and 1; the other types use the two fees below it.
        access_list: pairs of address and slots as integers; types 1 to 4.
        authorization_list: type 4 only.
    """

    type: int
    chain_id: int
    nonce: int
    gas: int
    to: bytes
    value: int
    data: bytes
    gas_price: int = 0
    max_fee_per_gas: int = 0
    max_priority_fee_per_gas: int = 0
    access_list: Sequence[tuple[bytes, Sequence[int]]] = ()
    max_fee_per_blob_gas: int = 0
    blob_versioned_hashes: Sequence[bytes] = ()
    authorization_list: Sequence[Authorization] = ()


_INNER: Mapping[int, type] = {
    1: AccessListTransaction,
    2: DynamicFeeTransaction,
    3: BlobTransaction,
    4: SetCodeTransaction,
}
_INNER_FIELDS: Mapping[int, tuple[str, ...]] = {
    1: ("gas_price",),
    2: ("max_priority_fee_per_gas", "max_fee_per_gas"),
    3: (
        "max_priority_fee_per_gas",
        "max_fee_per_gas",
        "max_fee_per_blob_gas",
        "blob_versioned_hashes",
    ),
    4: ("max_priority_fee_per_gas", "max_fee_per_gas", "authorization_list"),
}
_SHARED_FIELDS = ("nonce", "gas", "to", "value", "data")


def _assemble(fields: TransactionFields, parity: int, r: int, s: int, v: int) -> Any:
    values = {name: getattr(fields, name) for name in _SHARED_FIELDS}
    if fields.type == 0:
        return DevLegacy(**values, gas_price=fields.gas_price, v=v, r=r, s=s)
    values |= {name: getattr(fields, name) for name in _INNER_FIELDS[fields.type]}
    inner = _INNER[fields.type](
        **values,
        chain_id=fields.chain_id,
        access_list=fields.access_list,
        y_parity=parity,
        r=r,
        s=s,
    )
    return DevTyped(fields.type, inner)


def unsigned(fields: TransactionFields, sender: bytes) -> SignedTransactionAPI:
    """Make a transaction that names ``sender`` (20 bytes) without proof."""
    made: SignedTransactionAPI = _assemble(
        fields, 0, int.from_bytes(sender, "big"), MARK, _LEGACY_V
    )
    return made


def blank(fields: TransactionFields) -> SignedTransactionAPI:
    """Make a transaction whose signature is zero: nobody sends it."""
    made: SignedTransactionAPI = _assemble(fields, 0, 0, 0, 0)
    return made


def signed(fields: TransactionFields, key: bytes) -> SignedTransactionAPI:
    """Sign with the 32-byte secp256k1 ``key``; legacy transactions are bound to the chain."""
    bound_v = fields.chain_id * 2 + _EIP155_OFFSET
    blank = _assemble(fields, 0, 0, 0, bound_v)
    signature = PrivateKey(key).sign_msg(blank.get_message_for_signing())
    parity, r, s = signature.vrs
    made: SignedTransactionAPI = _assemble(fields, parity, r, s, bound_v + parity)
    return made
