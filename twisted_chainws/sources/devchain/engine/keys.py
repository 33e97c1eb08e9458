"""The keys of the development accounts, and what can be signed with them."""

import hashlib
import hmac
from typing import Any, Final

from coincurve import PrivateKey as CurveKey
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from eth.abc import SignedTransactionAPI
from eth_keys.datatypes import PrivateKey
from eth_utils import keccak

from twisted_chainws.errors import InvalidControl, UnknownAccount
from twisted_chainws.sources.devchain.accounts import (
    WELL_KNOWN_ACCOUNTS,
    WELL_KNOWN_MNEMONIC,
    DevAccount,
)
from twisted_chainws.sources.devchain.codec import encode_hex
from twisted_chainws.sources.devchain.engine.vm import TransactionFields, signed

_P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_HARDENED: Final = 1 << 31
_PERSONAL: Final = b"\x19Ethereum Signed Message:\n"


class Keyring:
    """The accounts of one mnemonic."""

    def __init__(self, accounts: tuple[DevAccount, ...]) -> None:
        self.accounts = accounts
        self._keys = {account.address: account.key for account in accounts}

    def __contains__(self, address: bytes) -> bool:
        """Tell whether the key of this address is here."""
        return address in self._keys

    def sign(self, fields: TransactionFields, sender: bytes) -> SignedTransactionAPI:
        """Return a signed transaction.

        Raises:
            UnknownAccount: the key of ``sender`` is not here.
        """
        return signed(fields, self._key(sender))

    def sign_message(self, address: bytes, message: bytes) -> bytes:
        """Return the 65-byte signature (r, s, v 27 or 28) of a personal message (EIP-191).

        Raises:
            UnknownAccount: the key of ``address`` is not here.
        """
        digest = keccak(_PERSONAL + str(len(message)).encode() + message)
        return _sign_digest(self._key(address), digest)

    def sign_typed_data(self, address: bytes, data: dict[str, Any]) -> bytes:
        """Return the 65-byte signature (r, s, v 27 or 28) of typed data (EIP-712).

        Raises:
            UnknownAccount: the key of ``address`` is not here.
            InvalidControl: the data does not follow its own types.
        """
        key = self._key(address)
        # Half a second of imports that only this method needs.
        from eth_account.messages import encode_typed_data  # noqa: PLC0415

        try:
            message = encode_typed_data(full_message=data)
        except Exception as error:
            # The encoder raises whatever its parts raise: ABI, key, type and value errors.
            raise InvalidControl(reason=f"invalid typed data: {error}") from error
        return _sign_digest(key, keccak(b"\x19" + message.version + message.header + message.body))

    def _key(self, address: bytes) -> bytes:
        key = self._keys.get(address)
        if key is None:
            raise UnknownAccount(address=encode_hex(address))
        return key


def _sign_digest(key: bytes, digest: bytes) -> bytes:
    signature = PrivateKey(key).sign_msg_hash(digest)
    return bytes(signature.to_bytes()[:64]) + bytes([27 + signature.v])


def open_keyring(mnemonic: str, count: int) -> Keyring:
    """Return the first ``count`` accounts of a mnemonic.

    Raises:
        ValueError: the mnemonic is no BIP-39 mnemonic.
    """
    if mnemonic == WELL_KNOWN_MNEMONIC and count <= len(WELL_KNOWN_ACCOUNTS):
        return Keyring(WELL_KNOWN_ACCOUNTS[:count])
    return Keyring(derive_accounts(mnemonic, count))


def derive_accounts(mnemonic: str, count: int) -> tuple[DevAccount, ...]:
    """Derive the accounts of a mnemonic in all three families.

    Raises:
        ValueError: the mnemonic is no BIP-39 mnemonic.
    """
    # Half a second of imports that the well-known accounts do not need.
    from eth_account.hdaccount import HDPath, seed_from_mnemonic  # noqa: PLC0415
    from eth_utils import ValidationError  # noqa: PLC0415

    try:
        seed = seed_from_mnemonic(mnemonic, "")
    except ValidationError as error:
        raise ValueError(f"mnemonic: {error}") from error
    return tuple(
        _account(HDPath(f"m/44'/60'/0'/0/{index}").derive(seed), _slip10(seed, index))
        for index in range(count)
    )


def _account(key: bytes, ontology_key: bytes) -> DevAccount:
    public = CurveKey(key).public_key
    script = b"\x21" + _p256_public(ontology_key) + b"\xac"
    return DevAccount(
        address=keccak(public.format(compressed=False)[1:])[-20:],
        key=key,
        zilliqa_address=hashlib.sha256(public.format(compressed=True)).digest()[-20:],
        ontology_address=_ripemd160(hashlib.sha256(script).digest()),
        ontology_key=ontology_key,
    )


def _slip10(seed: bytes, index: int) -> bytes:
    """Return the NIST P-256 key at ``m/44'/1024'/0'/0/index`` (SLIP-0010)."""
    digest = hmac.digest(b"Nist256p1 seed", seed, "sha512")
    for step in (44 | _HARDENED, 1024 | _HARDENED, _HARDENED, 0, index):
        key, chain = digest[:32], digest[32:]
        front = b"\0" + key if step & _HARDENED else _p256_public(key)
        digest = hmac.digest(chain, front + step.to_bytes(4, "big"), "sha512")
        child = (int.from_bytes(digest[:32], "big") + int.from_bytes(key, "big")) % _P256_ORDER
        digest = child.to_bytes(32, "big") + digest[32:]
    return digest[:32]


def _p256_public(key: bytes) -> bytes:
    private = ec.derive_private_key(int.from_bytes(key, "big"), ec.SECP256R1())
    return private.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)


def _ripemd160(data: bytes) -> bytes:
    # OpenSSL builds without legacy digests know no RIPEMD-160.
    from Crypto.Hash import RIPEMD160  # noqa: PLC0415

    return bytes(RIPEMD160.new(data).digest())
