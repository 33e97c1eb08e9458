"""Addresses: from keys, in bech32, in checksum case, of contracts. Sans-I/O.

Source: ``zilliqa.md`` 6.2; BIP-173 for bech32, EIP-55 for the checksum case of Ethereum.
"""

import hashlib
import re
from collections.abc import Callable, Iterable
from typing import Final

from coincurve import PublicKey
from eth_hash.auto import keccak

from twisted_chainws.chain.types import Address20

NULL_ADDRESS: Final = Address20(bytes(20))
"""Stands for the recipient of a transaction that creates a contract."""

BECH32_PREFIX: Final = "zil"

_LENGTH: Final = 20
_PUBLIC_KEY_LENGTH: Final = 33
_HEX_ADDRESS: Final = re.compile(r"(?:0x)?([0-9a-fA-F]{40})")

_ALPHABET: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATORS: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CHECKSUM_LENGTH: Final = 6
_BECH32_LENGTH: Final = len(BECH32_PREFIX) + 1 + 32 + _CHECKSUM_LENGTH
_PREFIX_VALUES: Final = (
    *(ord(letter) >> 5 for letter in BECH32_PREFIX),
    0,
    *(ord(letter) & 31 for letter in BECH32_PREFIX),
)


def native_address(public_key: bytes) -> Address20:
    """Return the address of a compressed public key, 33 bytes; whether it is one is not checked."""
    return Address20(hashlib.sha256(public_key).digest()[-_LENGTH:])


def evm_address(public_key: bytes) -> Address20:
    """Return the Ethereum address of a compressed public key.

    Raises:
        ValueError: it is no point of the curve.
    """
    if len(public_key) != _PUBLIC_KEY_LENGTH:
        raise ValueError("a compressed public key has 33 bytes")
    return Address20(keccak(PublicKey(public_key).format(compressed=False)[1:])[-_LENGTH:])


def contract_address(deployer: Address20, nonce_before: int) -> Address20:
    """Return where a native creation puts its contract.

    Args:
        deployer: the sender.
        nonce_before: of the sender before the transaction, one less than that of the transaction.
    """
    return Address20(hashlib.sha256(deployer + nonce_before.to_bytes(8, "big")).digest()[-_LENGTH:])


def encode_checksum(address: Address20) -> str:
    """Return an address as ``0x`` and hex whose case is Zilliqa's checksum."""
    digest = int.from_bytes(hashlib.sha256(address).digest(), "big")
    return _cased(address, lambda at: bool(digest >> (255 - 6 * at) & 1))


def encode_ethereum_checksum(address: Address20) -> str:
    """Return an address as ``0x`` and hex whose case is Ethereum's checksum."""
    digest = keccak(address.hex().encode()).hex()
    return _cased(address, lambda at: digest[at] >= "8")


def decode_checksum(text: str) -> Address20:
    """Read a hex address whose case is the checksum of Zilliqa or of Ethereum; ``0x`` may lack.

    Raises:
        ValueError: it is no such text.
    """
    found = _HEX_ADDRESS.fullmatch(text)
    if found is None:
        raise ValueError("not a hex address")
    address = Address20(bytes.fromhex(found[1]))
    if "0x" + found[1] not in {encode_checksum(address), encode_ethereum_checksum(address)}:
        raise ValueError("wrong checksum")
    return address


def encode_bech32(address: Address20) -> str:
    """Return an address as ``zil1…``."""
    values = _regroup(address, 8, 5)
    remainder = _polymod((*_PREFIX_VALUES, *values, *([0] * _CHECKSUM_LENGTH))) ^ 1
    checksum = [remainder >> (5 * (5 - at)) & 31 for at in range(_CHECKSUM_LENGTH)]
    return f"{BECH32_PREFIX}1" + "".join(_ALPHABET[value] for value in (*values, *checksum))


def decode_bech32(text: str) -> Address20:
    """Read ``zil1…``, all lower or all upper case.

    Raises:
        ValueError: it is no such text.
    """
    lower = text.lower()
    if text not in {lower, text.upper()}:
        raise ValueError("mixed case")
    if len(lower) != _BECH32_LENGTH or not lower.startswith(f"{BECH32_PREFIX}1"):
        raise ValueError(f"not {BECH32_PREFIX}1 and {_BECH32_LENGTH - 4} letters")
    values = [_ALPHABET.find(letter) for letter in lower[len(BECH32_PREFIX) + 1 :]]
    if -1 in values:
        raise ValueError("a letter that bech32 does not have")
    if _polymod((*_PREFIX_VALUES, *values)) != 1:
        raise ValueError("wrong checksum")
    # 32 letters are 160 bits: nothing is left over that could be anything but zero.
    return Address20(bytes(_regroup(values[:-_CHECKSUM_LENGTH], 5, 8)))


def _cased(address: Address20, is_upper: Callable[[int], bool]) -> str:
    return "0x" + "".join(
        digit.upper() if is_upper(at) else digit for at, digit in enumerate(address.hex())
    )


def _regroup(values: Iterable[int], width: int, new_width: int) -> list[int]:
    """Cut the same bits into groups of another width; 160 bits go into both evenly."""
    bits = "".join(f"{value:0{width}b}" for value in values)
    return [int(bits[at : at + new_width], 2) for at in range(0, len(bits), new_width)]


def _polymod(values: Iterable[int]) -> int:
    """Return the remainder of BIP-173's code."""
    remainder = 1
    for value in values:
        top = remainder >> 25
        remainder = (remainder & 0x1FFFFFF) << 5 ^ value
        for at, generator in enumerate(_GENERATORS):
            if top >> at & 1:
                remainder ^= generator
    return remainder
