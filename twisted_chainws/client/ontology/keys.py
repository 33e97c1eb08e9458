"""Keys, addresses and assets as callers write them. Pure.

Source: ``ontology.md`` 6.2, 6.3, 7.1.
"""

import re
from typing import Final

from twisted_chainws.chain.types import Address20
from twisted_chainws.client.errors import Misuse
from twisted_chainws.dialects.ontology.address import (
    ADDRESS_LENGTH,
    decode_address,
    encode_base58,
    encode_reversed,
    program_address,
)
from twisted_chainws.dialects.ontology.keys import decode_wif, encode_public_key, p256_key
from twisted_chainws.dialects.ontology.program import Witness, single_program
from twisted_chainws.dialects.ontology.tokens import TOKENS, Token
from twisted_chainws.dialects.ontology.transaction import Transaction, sign_transaction

__all__ = [
    "Key", "account_address", "address_of", "contract_address", "hash_of", "key_of", "token_of",
]  # fmt: skip

SECRET_LENGTH: Final = 32

_SYMBOLS: Final = {token.symbol: token for token in TOKENS.values()}
_HASH: Final = re.compile(r"[0-9a-fA-F]{64}")


class Key:
    """A P-256 key that signs; it is never shown.

    Attributes:
        address: of the account that it alone unlocks, ``A…``.
        public_key: compressed, 33 bytes.
    """

    __slots__ = ("_secret", "address", "public_key")

    def __init__(self, secret: bytes) -> None:
        """Take a secret of 32 bytes. Raises Misuse if it is none."""
        wrong = Misuse("secret: not 32 bytes of a key")
        if not isinstance(secret, bytes) or len(secret) != SECRET_LENGTH:
            raise wrong
        try:
            key = p256_key(secret)
        except ValueError:
            raise wrong from None
        self._secret = secret
        self.public_key = encode_public_key(key)
        self.address = encode_base58(program_address(single_program(key)))

    @classmethod
    def from_wif(cls, text: str) -> "Key":
        """Take a secret as wallets export it. Raises Misuse if it is none."""
        try:
            return cls(decode_wif(text))
        except (TypeError, ValueError):
            # Not a word of the text: it may be nearly a key.
            raise Misuse("wif: not a key as wallets export it") from None

    def __repr__(self) -> str:
        """Name the account."""
        return f"Key({self.address})"

    def sign(self, transaction: Transaction) -> Witness:
        """Return the witness of this key alone."""
        return sign_transaction(transaction, self._secret)


def key_of(key: Key | bytes) -> Key:
    """Return a key that is given as such or as a secret. Raises Misuse if it is neither."""
    return key if isinstance(key, Key) else Key(key)


def address_of(address: str | bytes) -> Address20:
    """Return an address that is given as ``A…``, as hex that nodes show, or as 20 bytes.

    Raises:
        Misuse: it is none of these.
    """
    if isinstance(address, bytes) and len(address) == ADDRESS_LENGTH:
        return Address20(address)
    if not isinstance(address, str):
        raise Misuse("address: neither a text nor 20 bytes")
    try:
        return decode_address(address)
    except ValueError as problem:
        raise Misuse(f"address {address[:50]!r}: {problem}") from None


def account_address(address: str | bytes) -> str:
    """Return the address of an account as all actions take it. Raises Misuse if it is none."""
    return encode_base58(address_of(address))


def contract_address(address: str | bytes) -> str:
    """Return the address of a contract as events have it. Raises Misuse if it is none."""
    return encode_reversed(address_of(address))


def token_of(asset: str) -> Token:
    """Return ONT or ONG, in whatever case. Raises Misuse if it is neither."""
    token = _SYMBOLS.get(asset.upper()) if isinstance(asset, str) else None
    if token is None:
        raise Misuse(f"asset {str(asset)[:50]!r}: neither ont nor ong")
    return token


def hash_of(name: str) -> str:
    """Return a hash as nodes show it. Raises Misuse if it is none."""
    if not isinstance(name, str) or _HASH.fullmatch(name) is None:
        raise Misuse("hash: not 64 digits of hex")
    return name.lower()
