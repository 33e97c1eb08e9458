"""Addresses: of programs, in base58, in reversed hex. Sans-I/O.

Source: ``ontology.md`` 6.1, 6.2 and 7.1; the node's ``common/address.go``, 26b5ad4f.
"""

import hashlib
import re
from typing import Final

from Crypto.Hash import RIPEMD160

from twisted_chainws.chain.types import Address20, Hash32

ADDRESS_LENGTH: Final = 20

_VERSION: Final = 23
_CHECKSUM_LENGTH: Final = 4
_LONGEST_BASE58: Final = 2048
_HEX: Final = re.compile(r"[0-9a-fA-F]*")
_ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_DIGITS: Final = {letter: value for value, letter in enumerate(_ALPHABET)}


def sha256d(data: bytes) -> Hash32:
    """Hash twice: what transactions and blocks are called, their bytes not reversed."""
    return Hash32(hashlib.sha256(hashlib.sha256(data).digest()).digest())


def program_address(program: bytes) -> Address20:
    """Return the address of a verification program, or of a contract from its code."""
    # Not of hashlib: OpenSSL may be built without it.
    return Address20(RIPEMD160.new(hashlib.sha256(program).digest()).digest())


def encode_reversed(value: bytes) -> str:
    """Return an address or a hash as the API shows it: hex of the reversed bytes."""
    return value[::-1].hex()


def decode_reversed(text: str, length: int) -> bytes:
    """Read reversed hex of so many bytes, in any case and without ``0x``.

    Raises:
        ValueError: it is no such text.
    """
    if len(text) != 2 * length or _HEX.fullmatch(text) is None:
        raise ValueError(f"not {2 * length} hex digits")
    return bytes.fromhex(text)[::-1]


def decode_hash(text: str) -> Hash32:
    """Read a hash as the API shows it.

    Raises:
        ValueError: it is no such text.
    """
    return Hash32(decode_reversed(text, 32))


def encode_base58(address: Address20) -> str:
    """Return an address as ``A…``, 34 letters."""
    return encode_checked(bytes([_VERSION]) + address)


def decode_base58(text: str) -> Address20:
    """Read ``A…``; exactly what ``encode_base58`` writes.

    Raises:
        ValueError: it is no such text.
    """
    if not 0 < len(text) <= _LONGEST_BASE58:
        raise ValueError("not a base58 address")
    versioned = decode_checked(text, 1 + ADDRESS_LENGTH)
    if versioned is None or versioned[0] != _VERSION:
        raise ValueError("not a base58 address")
    address = Address20(versioned[1:])
    if encode_base58(address) != text:
        raise ValueError("wrong checksum")
    return address


def encode_checked(data: bytes) -> str:
    """Write bytes and their checksum in base58.

    Args:
        data: begins with a version that is not 0: no leading zero is ever lost then.
    """
    number = int.from_bytes(data + sha256d(data)[:_CHECKSUM_LENGTH], "big")
    letters = []
    while number:
        number, digit = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[digit])
    return "".join(reversed(letters))


def decode_checked(text: str, length: int) -> bytes | None:
    """Read so many bytes before a checksum that is not looked at; None where there are others.

    Raises:
        ValueError: it is not base58.
    """
    number = 0
    for letter in text:
        digit = _DIGITS.get(letter)
        if digit is None:
            raise ValueError("a letter that base58 does not have")
        number = number * len(_ALPHABET) + digit
    decoded = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return decoded[:length] if len(decoded) == length + _CHECKSUM_LENGTH else None


def decode_address(text: str) -> Address20:
    """Read either form: 40 characters are reversed hex, all else is base58.

    Raises:
        ValueError: it is no such text.
    """
    if len(text) == 2 * ADDRESS_LENGTH:
        return Address20(decode_reversed(text, ADDRESS_LENGTH))
    return decode_base58(text)
