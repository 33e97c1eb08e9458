"""Ontology's transactions: what is hashed, what is signed, what is sent. Sans-I/O.

``NativeTransaction.raw`` of kind ``ontology`` is what is sent: types D0 to D2 with their signature
section. Type D3 carries an EVM transaction and is written from the model's. The model's hashes are
the internal ones, which the API shows reversed.

Source: ``ontology.md`` 6.4 and 6.5; the node's ``core/types/transaction.go`` and
``core/payload/deploy_code.go``, 26b5ad4f.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final, TypeAlias

from twisted_chainws.chain.model import EvmTransaction
from twisted_chainws.chain.types import Address20, Hash32
from twisted_chainws.dialects.ontology.address import program_address, sha256d
from twisted_chainws.dialects.ontology.binary_codec import (
    Reader,
    encode_varbytes,
    encode_varuint,
)
from twisted_chainws.dialects.ontology.eip155 import decode_eip155
from twisted_chainws.dialects.ontology.keys import PublicKey, p256_key
from twisted_chainws.dialects.ontology.program import Condition, Witness, make_witness, signer
from twisted_chainws.dialects.ontology.signature import sign
from twisted_chainws.errors import InvalidSignature, UndecodableTransaction

MAX_WITNESSES: Final = 16
MAX_TRANSACTION_BYTES: Final = 1_048_576
MINIMUM_GAS_PRICE: Final = 0
"""10^-9 ONG, what a node of one's own asks for."""

_VERSION: Final = 0
_NONCE_WIDTH: Final = 4
_GAS_WIDTH: Final = 8
_LONGEST_FIELD: Final = 252
_LONGEST_DESCRIPTION: Final = 65_536


class TransactionType(IntEnum):
    """What a transaction is for; the value is its second byte."""

    DEPLOY = 0xD0
    INVOKE_NEO = 0xD1
    INVOKE_WASM = 0xD2
    EIP155 = 0xD3


class VmType(IntEnum):
    """The machine that a deployed contract is written for, as the API shows it."""

    NEO = 1
    WASM = 3


_VM_TYPES: Final = {0: VmType.NEO, 1: VmType.NEO, 3: VmType.WASM}
_LONGEST_CODE: Final = {VmType.NEO: 1_048_576, VmType.WASM: 524_288}


@dataclass(frozen=True, slots=True, kw_only=True)
class Deploy:
    """A contract to deploy; the texts are bytes that should be UTF-8.

    Attributes:
        vm_flags: 0 or 1 for NeoVM, 3 for WASM.

    Raises:
        ValueError: a part is longer than it may be, or the flags are none.
    """

    code: bytes
    vm_flags: int
    name: bytes
    version: bytes
    author: bytes
    email: bytes
    description: bytes

    def __post_init__(self) -> None:
        if self.vm_flags not in _VM_TYPES:
            raise ValueError(f"vm flags {self.vm_flags}")
        if len(self.code) > _LONGEST_CODE[self.vm_type]:
            raise ValueError("the code is too long")
        for part in ("name", "version", "author", "email"):
            if len(getattr(self, part)) > _LONGEST_FIELD:
                raise ValueError(f"the {part} is too long")
        if len(self.description) > _LONGEST_DESCRIPTION:
            raise ValueError("the description is too long")

    @property
    def vm_type(self) -> VmType:
        """The machine that runs the code."""
        return _VM_TYPES[self.vm_flags]

    @property
    def address(self) -> Address20:
        """Where the contract will be."""
        return program_address(self.code)


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoke:
    """Code to run."""

    code: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """A transaction of types D0 to D2.

    Attributes:
        nonce: 32 bits; only makes the transaction another one.
        gas_price: 64 bits, 10^-9 ONG.
        gas_limit: 64 bits.
        payer: who pays for the gas; has to be among the signers.
        witnesses: at most 16; whether they are right is another question, see ``signers``.

    Raises:
        ValueError: type and payload do not go together, or there are too many witnesses.
    """

    type: TransactionType
    nonce: int
    gas_price: int
    gas_limit: int
    payer: Address20
    payload: Deploy | Invoke
    witnesses: tuple[Witness, ...]

    def __post_init__(self) -> None:
        if (self.type is TransactionType.DEPLOY) is not isinstance(self.payload, Deploy):
            raise ValueError("type and payload do not go together")
        if self.type is TransactionType.EIP155:
            raise ValueError("an EVM transaction is not written so")
        if len(self.witnesses) > MAX_WITNESSES:
            raise ValueError(f"{len(self.witnesses)} signature entries")

    @property
    def hash(self) -> Hash32:
        """What it is called and what is signed; its witnesses are no part of it."""
        return sha256d(encode_unsigned(self))


AnyTransaction: TypeAlias = Transaction | EvmTransaction


def encode_deploy(payload: Deploy) -> bytes:
    """Write a contract to deploy, as transactions and ``getcontract`` have it."""
    texts = (payload.name, payload.version, payload.author, payload.email, payload.description)
    flags = bytes([payload.vm_flags])
    return encode_varbytes(payload.code) + flags + b"".join(map(encode_varbytes, texts))


def read_deploy(reader: Reader) -> Deploy:
    """Take a contract to deploy.

    Raises:
        ValueError: it is none.
    """
    return Deploy(
        code=reader.varbytes(),
        vm_flags=reader.number(1),
        name=reader.varbytes(),
        version=reader.varbytes(),
        author=reader.varbytes(),
        email=reader.varbytes(),
        description=reader.varbytes(),
    )


def encode_unsigned(transaction: Transaction) -> bytes:
    """Write what is hashed and signed."""
    payload = transaction.payload
    parts = [
        bytes([_VERSION, transaction.type]),
        transaction.nonce.to_bytes(_NONCE_WIDTH, "little"),
        transaction.gas_price.to_bytes(_GAS_WIDTH, "little"),
        transaction.gas_limit.to_bytes(_GAS_WIDTH, "little"),
        transaction.payer,
        encode_deploy(payload) if isinstance(payload, Deploy) else encode_varbytes(payload.code),
        encode_varuint(0),  # attributes
    ]
    return b"".join(parts)


def encode_transaction(transaction: AnyTransaction) -> bytes:
    """Write a transaction as it is sent; an EVM one of whatever type as D3."""
    if isinstance(transaction, EvmTransaction):
        head = bytes([_VERSION, TransactionType.EIP155])
        return head + encode_varbytes(transaction.raw)
    section = b"".join(
        encode_varbytes(witness.invocation) + encode_varbytes(witness.verification)
        for witness in transaction.witnesses
    )
    return encode_unsigned(transaction) + encode_varuint(len(transaction.witnesses)) + section


def decode_transaction(raw: bytes) -> Transaction:
    """Read a transaction of types D0 to D2 that nothing follows.

    Raises:
        UndecodableTransaction: the bytes are no such transaction.
    """
    try:
        return _whole(raw)
    except ValueError as error:
        raise UndecodableTransaction(reason=f"transaction: {error}") from None


def _whole(raw: bytes) -> Transaction:
    reader = Reader(raw)
    transaction = read_transaction(reader)
    reader.finish()
    if isinstance(transaction, EvmTransaction):
        raise ValueError("an EVM transaction")  # noqa: TRY004 - of the input
    return transaction


def decode_sent(data: bytes, *, chain_id: int) -> AnyTransaction:
    """Read a transaction of any type as a client sends it; what follows it is not looked at.

    Args:
        data: the transaction and whatever.
        chain_id: which EVM transactions have to be signed for.

    Raises:
        UndecodableTransaction: the bytes are no transaction.
    """
    try:
        return read_transaction(Reader(data), chain_id=chain_id)
    except ValueError as error:
        raise UndecodableTransaction(reason=f"transaction: {error}") from None


def read_transaction(reader: Reader, *, chain_id: int | None = None) -> AnyTransaction:
    """Take a transaction of any type; no signature but an EVM one's is verified.

    Args:
        reader: stands where the transaction begins.
        chain_id: which EVM transactions have to be signed for; None takes any.

    Raises:
        ValueError: there is no transaction.
        UndecodableTransaction: there is an EVM transaction that cannot be one of Ontology.
    """
    start = reader.position
    version, kind = reader.take(2)
    if version != _VERSION:
        raise ValueError(f"version {version}")
    if kind == TransactionType.EIP155:
        transaction: AnyTransaction = decode_eip155(reader.varbytes(), chain_id=chain_id)
    else:
        transaction = _read_native(reader, kind)
    if len(reader.since(start)) > MAX_TRANSACTION_BYTES:
        raise ValueError(f"over {MAX_TRANSACTION_BYTES} bytes")
    return transaction


def _read_native(reader: Reader, kind: int) -> Transaction:
    if kind not in {*TransactionType}:
        raise ValueError(f"type {kind:#04x}")
    nonce, gas_price, gas_limit = (
        reader.number(_NONCE_WIDTH),
        reader.number(_GAS_WIDTH),
        reader.number(_GAS_WIDTH),
    )
    payer = reader.address()
    is_deploy = kind == TransactionType.DEPLOY
    payload = read_deploy(reader) if is_deploy else Invoke(code=reader.varbytes())
    if reader.varuint():
        raise ValueError("attributes")
    count = reader.varuint()
    if count > MAX_WITNESSES:
        raise ValueError(f"{count} signature entries")
    witnesses = tuple(
        Witness(invocation=reader.varbytes(), verification=reader.varbytes()) for _ in range(count)
    )
    return Transaction(
        type=TransactionType(kind),
        nonce=nonce,
        gas_price=gas_price,
        gas_limit=gas_limit,
        payer=payer,
        payload=payload,
        witnesses=witnesses,
    )


def sign_transaction(transaction: Transaction, secret: bytes) -> Witness:
    """Return the witness of the one P-256 key that a secret has.

    Raises:
        ValueError: it is no secret.
    """
    keys: tuple[PublicKey, ...] = (p256_key(secret),)
    return make_witness(Condition(needed=1, keys=keys), [sign(secret, transaction.hash)])


def signers(transaction: Transaction) -> frozenset[Address20]:
    """Return whose witnesses a transaction has, all of them right.

    Raises:
        InvalidSignature: one is not right, or the payer is not among them.
        Unsupported: a signature is of SM2.
    """
    try:
        found = frozenset(signer(item, transaction.hash) for item in transaction.witnesses)
    except ValueError:
        raise InvalidSignature from None
    if transaction.payer not in found:
        raise InvalidSignature
    return found


def claimed_signers(transaction: Transaction) -> frozenset[Address20]:
    """Return the addresses of all witnesses, unverified, which is what pre-execution goes by."""
    return frozenset(program_address(item.verification) for item in transaction.witnesses)
