"""The accounts of a mnemonic in all families, and what they own when the chain begins.

The parent prints them and finds a mistake in the words before anything starts; the worker makes
the chain of them. The libraries are imported late: the well-known mnemonic does not need them.
"""

import hmac
from collections.abc import Iterable
from typing import Final

from coincurve import PrivateKey
from eth_hash.auto import keccak

from twisted_chainws.chain.types import Address20
from twisted_chainws.dialects.ontology.address import program_address
from twisted_chainws.dialects.ontology.keys import encode_public_key, p256_key
from twisted_chainws.dialects.ontology.program import single_program
from twisted_chainws.dialects.ontology.tokens import ONT_CONTRACT, SCALE, TOKENS
from twisted_chainws.dialects.zilliqa.address import native_address
from twisted_chainws.sources.devchain.accounts import (
    WELL_KNOWN_ACCOUNTS,
    WELL_KNOWN_MNEMONIC,
    DevAccount,
)

__all__ = ["accounts_of", "derive_p256", "ont_shares"]

_P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_P256_SEED: Final = b"Nist256p1 seed"
_HARDENED: Final = 1 << 31
_ONTOLOGY_PATH: Final = (44 | _HARDENED, 1024 | _HARDENED, _HARDENED, 0)


def accounts_of(mnemonic: str, count: int) -> tuple[DevAccount, ...]:
    """Return the first ``count`` accounts of a mnemonic (BIP-39) without passphrase.

    Raises:
        ValueError: the words are no mnemonic; the text names the setting.
    """
    if mnemonic == WELL_KNOWN_MNEMONIC and count <= len(WELL_KNOWN_ACCOUNTS):
        return WELL_KNOWN_ACCOUNTS[:count]
    # Half a second of imports that the well-known accounts do not need.
    from eth_account.hdaccount import HDPath, seed_from_mnemonic  # noqa: PLC0415
    from eth_utils import ValidationError  # noqa: PLC0415

    try:
        seed = seed_from_mnemonic(mnemonic, "")
    except ValidationError:
        raise ValueError("mnemonic: expected the words of a BIP-39 mnemonic") from None
    return tuple(
        _account(
            HDPath(f"m/44'/60'/0'/0/{index}").derive(seed),
            derive_p256(seed, (*_ONTOLOGY_PATH, index)),
        )
        for index in range(count)
    )


def ont_shares(count: int) -> tuple[int, ...]:
    """Return how many whole ONT each of ``count`` accounts owns at genesis.

    All there are belong to them in equal parts; what cannot be shared goes to the first.
    """
    if not count:
        return ()
    share, rest = divmod(TOKENS[ONT_CONTRACT].total_supply // SCALE, count)
    return (share + rest, *[share] * (count - 1))


def _account(key: bytes, ontology_key: bytes) -> DevAccount:
    public = PrivateKey(key).public_key
    return DevAccount(
        address=Address20(keccak(public.format(compressed=False)[1:])[-20:]),
        key=key,
        zilliqa_address=native_address(public.format(compressed=True)),
        ontology_address=program_address(single_program(p256_key(ontology_key))),
        ontology_key=ontology_key,
    )


def derive_p256(seed: bytes, path: Iterable[int]) -> bytes:
    """Return the NIST P-256 key at a path below a seed.

    Args:
        seed: of the mnemonic.
        path: child numbers; hardened ones have the highest of 32 bits set.

    Source: SLIP-0010.
    """
    digest = hmac.digest(_P256_SEED, seed, "sha512")
    while not 0 < int.from_bytes(digest[:32], "big") < _P256_ORDER:
        digest = hmac.digest(_P256_SEED, digest, "sha512")
    for child in path:
        digest = _p256_child(digest[:32], digest[32:], child)
    return digest[:32]


def _p256_child(key: bytes, chain: bytes, child: int) -> bytes:
    """Return key and chain code of a child."""
    front = b"\0" + key if child & _HARDENED else encode_public_key(p256_key(key))
    while True:
        digest = hmac.digest(chain, front + child.to_bytes(4, "big"), "sha512")
        tweak = int.from_bytes(digest[:32], "big")
        number = (tweak + int.from_bytes(key, "big")) % _P256_ORDER
        if tweak < _P256_ORDER and number:
            return number.to_bytes(32, "big") + digest[32:]
        front = b"\1" + digest[32:]
