"""The Ethereum accounts of a mnemonic, for the banner.

The worker derives the same accounts for the chain; here a mistake in the words is found before
anything starts. The libraries are imported late: the well-known mnemonic does not need them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from coincurve import PrivateKey
from eth_hash.auto import keccak

from twisted_chainws.sources.devchain.accounts import (
    WELL_KNOWN_ACCOUNTS,
    WELL_KNOWN_MNEMONIC,
    Account,
)

__all__ = ["Wallet", "accounts_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wallet:
    """One account.

    Attributes:
        address: 20 bytes.
        key: 32 bytes, secp256k1.
    """

    address: bytes
    key: bytes = field(repr=False)


def accounts_of(mnemonic: str, count: int) -> Sequence[Account]:
    """Return the first ``count`` accounts at ``m/44'/60'/0'/0/i`` (BIP-44), without passphrase.

    Raises:
        ValueError: the words are no BIP-39 mnemonic.
    """
    if mnemonic == WELL_KNOWN_MNEMONIC and count <= len(WELL_KNOWN_ACCOUNTS):
        return WELL_KNOWN_ACCOUNTS[:count]
    from eth_account.hdaccount import HDPath, seed_from_mnemonic  # noqa: PLC0415
    from eth_utils import ValidationError  # noqa: PLC0415

    try:
        seed = seed_from_mnemonic(mnemonic, "")
    except ValidationError:
        raise ValueError("expected the words of a BIP-39 mnemonic") from None
    return tuple(_wallet(HDPath(f"m/44'/60'/0'/0/{i}").derive(seed)) for i in range(count))


def _wallet(key: bytes) -> Wallet:
    public = PrivateKey(key).public_key.format(compressed=False)
    return Wallet(address=keccak(public[1:])[12:], key=key)
