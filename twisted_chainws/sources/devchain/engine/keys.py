"""The keys of the development accounts, and what can be signed with them."""

from typing import Any, Final

from eth.abc import SignedTransactionAPI
from eth_keys.datatypes import PrivateKey
from eth_utils import keccak

from twisted_chainws.errors import InvalidControl, UnknownAccount
from twisted_chainws.sources.devchain.accounts import DevAccount
from twisted_chainws.sources.devchain.codec import encode_hex
from twisted_chainws.sources.devchain.engine.vm import TransactionFields, signed
from twisted_chainws.sources.devchain.wallet import accounts_of

_PERSONAL: Final = b"\x19Ethereum Signed Message:\n"


class Keyring:
    """The accounts of one mnemonic."""

    def __init__(self, accounts: tuple[DevAccount, ...]) -> None:
        self.accounts = accounts
        self._keys: dict[bytes, bytes] = {each.address: each.key for each in accounts}

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
    return Keyring(accounts_of(mnemonic, count))
