"""Native transactions: what is signed, what is hashed, what is kept. Sans-I/O.

``NativeTransaction.raw`` of kind ``zilliqa`` is the node's own ``ProtoTransaction``: transaction
id, core and signature. Amounts and prices are in Qa, 10^-12 ZIL; on a chain that holds its coin in
wei a Qa is 10^6 wei.

Source: ``zilliqa.md`` 6.1 and 6.3; the node's ``ZilliqaMessage.proto``, f0bcbb01.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

from twisted_chainws.chain.types import Address20, Hash32
from twisted_chainws.dialects.zilliqa import schnorr
from twisted_chainws.dialects.zilliqa.address import native_address
from twisted_chainws.dialects.zilliqa.protobuf_codec import (
    Reader,
    encode_byte_array,
    encode_bytes,
    encode_number,
)
from twisted_chainws.errors import UndecodableTransaction

CHAIN_ID: Final = 222
"""Of development chains: that of the node's isolated server."""

NATIVE_VERSION: Final = 1
"""Version of native messages; EVM ones have 2 more than their Ethereum type."""

WEI_PER_QA: Final = 10**6

_ETHEREUM_OFFSET: Final = 0x8000

PAYMENT_GAS: Final = 50
"""What a payment needs and uses, in Zilliqa's own units of gas."""

MINIMUM_GAS_PRICE_QA: Final = 2_000_000_000
"""What a development chain demands per gas, as the networks do."""

MAX_CODE_BYTES: Final = 76_800
"""Of a contract; what is larger is refused as such even where nothing runs contracts."""

_AMOUNT_LENGTH: Final = 16
_ADDRESS_LENGTH: Final = 20
_ID_LENGTH: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreInfo:
    """What a sender signs.

    Attributes:
        version: chain id and message version, 32 bits; see ``pack_version``.
        nonce: of the sender before the transaction plus 1, 64 bits.
        to: 20 zero bytes create a contract.
        public_key: of the sender, compressed, 33 bytes.
        amount_qa: 128 bits.
        gas_price_qa: 128 bits.
        gas_limit: 64 bits.
        code: empty unless a contract is created.
        data: empty for a payment; else JSON text.

    Raises:
        ValueError: a value does not fit.
    """

    version: int
    nonce: int
    to: Address20
    public_key: bytes
    amount_qa: int
    gas_price_qa: int
    gas_limit: int
    code: bytes
    data: bytes

    def __post_init__(self) -> None:
        for name, bits in _BITS.items():
            if not 0 <= getattr(self, name) < 1 << bits:
                raise ValueError(f"{name} does not fit in {bits} bits")
        for name, length in _LENGTHS.items():
            if len(getattr(self, name)) != length:
                raise ValueError(f"{name} must have {length} bytes")

    @property
    def sender(self) -> Address20:
        """The native address of the signer."""
        return native_address(self.public_key)


_BITS: Final = {
    "version": 32,
    "nonce": 64,
    "amount_qa": 128,
    "gas_price_qa": 128,
    "gas_limit": 64,
}
_LENGTHS: Final = {"to": _ADDRESS_LENGTH, "public_key": schnorr.PUBLIC_KEY_LENGTH}


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedTransaction:
    """A transaction as it is sent.

    Attributes:
        signature: 64 bytes; whether it is right is another question, see ``is_authentic``.

    Raises:
        ValueError: the signature has another length.
    """

    core: CoreInfo
    signature: bytes

    def __post_init__(self) -> None:
        if len(self.signature) != schnorr.SIGNATURE_LENGTH:
            raise ValueError(f"signature must have {schnorr.SIGNATURE_LENGTH} bytes")

    @property
    def id(self) -> Hash32:
        """What it is called; the signature is no part of it."""
        return transaction_id(self.core)


def pack_version(chain_id: int, message_version: int = NATIVE_VERSION) -> int:
    """Return the version word of a transaction."""
    return chain_id << 16 | message_version


def unpack_version(version: int) -> tuple[int, int]:
    """Return chain id and message version."""
    return version >> 16, version & 0xFFFF


def ethereum_chain_id(chain_id: int) -> int:
    """Return the chain id that Ethereum's tools know a network of Zilliqa by.

    It holds for the public networks; a development chain has two ids of its own choice.

    Source: ``zilliqa.md`` 6.8.
    """
    return chain_id + _ETHEREUM_OFFSET


def encode_core_info(core: CoreInfo) -> bytes:
    """Write what is signed; parts that are zero or empty are left out, except for the nonce."""
    parts = [
        encode_number(1, core.version) if core.version else b"",
        encode_number(2, core.nonce),
        encode_bytes(3, core.to),
        encode_byte_array(4, core.public_key),
        encode_byte_array(5, core.amount_qa.to_bytes(_AMOUNT_LENGTH, "big")),
        encode_byte_array(6, core.gas_price_qa.to_bytes(_AMOUNT_LENGTH, "big")),
        encode_number(7, core.gas_limit) if core.gas_limit else b"",
        encode_bytes(8, core.code) if core.code else b"",
        encode_bytes(9, core.data) if core.data else b"",
    ]
    return b"".join(parts)


def decode_core_info(encoded: bytes) -> CoreInfo:
    """Read what is signed.

    Raises:
        UndecodableTransaction: these are not the bytes that ``encode_core_info`` writes.
    """
    try:
        return _core_info(encoded)
    except ValueError as error:
        raise UndecodableTransaction(reason=f"core info: {error}") from None


def _core_info(encoded: bytes) -> CoreInfo:
    fields = Reader(encoded)
    core = CoreInfo(
        version=fields.number(1, default=0),
        nonce=fields.number(2),
        to=Address20(fields.data(3, length=_ADDRESS_LENGTH)),
        public_key=fields.byte_array(4, length=schnorr.PUBLIC_KEY_LENGTH),
        amount_qa=int.from_bytes(fields.byte_array(5, length=_AMOUNT_LENGTH), "big"),
        gas_price_qa=int.from_bytes(fields.byte_array(6, length=_AMOUNT_LENGTH), "big"),
        gas_limit=fields.number(7, default=0),
        code=fields.data(8, default=b""),
        data=fields.data(9, default=b""),
    )
    fields.finish()
    if encode_core_info(core) != encoded:
        raise ValueError("a field that is zero or empty is written out")
    return core


def transaction_id(core: CoreInfo) -> Hash32:
    """Return what a transaction is called."""
    return Hash32(hashlib.sha256(encode_core_info(core)).digest())


def sign_transaction(core: CoreInfo, secret: bytes) -> SignedTransaction:
    """Sign with the secret of the key that the core names.

    Raises:
        ValueError: it is the secret of another key.
    """
    if schnorr.public_key_of(secret) != core.public_key:
        raise ValueError("this is the secret of another key")
    return SignedTransaction(core=core, signature=schnorr.sign(secret, encode_core_info(core)))


def is_authentic(transaction: SignedTransaction) -> bool:
    """Tell whether the signature is that of the key which the core names."""
    core = transaction.core
    return schnorr.verify(core.public_key, encode_core_info(core), transaction.signature)


def encode_transaction(transaction: SignedTransaction) -> bytes:
    """Write a transaction as the node keeps it."""
    return (
        encode_bytes(1, transaction.id)
        + encode_bytes(2, encode_core_info(transaction.core))
        + encode_byte_array(3, transaction.signature)
    )


def decode_transaction(raw: bytes) -> SignedTransaction:
    """Read a transaction; its signature is not verified.

    Raises:
        UndecodableTransaction: the bytes are no transaction, or their id is that of another one.
    """
    try:
        fields = Reader(raw)
        named = fields.data(1, length=_ID_LENGTH)
        core = decode_core_info(fields.data(2))
        signature = fields.byte_array(3, length=schnorr.SIGNATURE_LENGTH)
        fields.finish()
    except ValueError as error:
        raise UndecodableTransaction(reason=f"transaction: {error}") from None
    transaction = SignedTransaction(core=core, signature=signature)
    if transaction.id != named:
        raise UndecodableTransaction(reason="transaction: the id is that of another one")
    return transaction
