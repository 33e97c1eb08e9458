"""Zilliqa's Schnorr signatures over secp256k1, which are not those of BIP-340. Sans-I/O.

With the key pair (d, P) and a random k: Q = k·G, r = SHA-256(Q ‖ P ‖ message) mod n with both
points compressed, s = k - r·d mod n; the signature is r ‖ s, 32 bytes each, big-endian. The message
is not hashed before. All work on points is libsecp256k1's.

Source: ``zilliqa.md`` 6.3; RFC 6979 for nonces that need no randomness.
"""

import hashlib
import hmac
from collections.abc import Iterable, Iterator
from typing import Final

from coincurve import PublicKey

SIGNATURE_LENGTH: Final = 64
PUBLIC_KEY_LENGTH: Final = 33
GROUP_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
"""n above: how many multiples of G there are."""

# The accounts of a development chain sign Ethereum transactions with the same keys. Two signatures
# of different schemes with one nonce would give the key away, so ours are drawn apart (RFC 6979,
# 3.6).
_PURPOSE: Final = b"Zilliqa EC-Schnorr"


def public_key_of(secret: bytes) -> bytes:
    """Return the compressed public key, 33 bytes, of a secret key.

    Raises:
        ValueError: the secret is not a number from 1 to n - 1 in 32 bytes.
    """
    return bytes(PublicKey.from_secret(secret).format())


def sign(secret: bytes, message: bytes, nonces: Iterable[bytes] | None = None) -> bytes:
    """Return the signature of a message, 64 bytes.

    Args:
        secret: 32 bytes.
        message: of any length.
        nonces: 32 secret random bytes each, of which the first that fits is used; None derives
            them from key and message, so that equal input gives equal signatures.

    Raises:
        ValueError: the secret is no key, or no nonce fits.
    """
    public_key = public_key_of(secret)
    for nonce in derived_nonces(secret, message) if nonces is None else nonces:
        signature = _attempt(int.from_bytes(secret, "big"), public_key, message, nonce)
        if signature is not None:
            return signature
    raise ValueError("no nonce fits")


def verify(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Tell whether a signature of a message was made with the secret of a compressed key.

    What is no key or no signature at all is simply not right.
    """
    if len(public_key) != PUBLIC_KEY_LENGTH or len(signature) != SIGNATURE_LENGTH:
        return False
    r_bytes, s_bytes = signature[:32], signature[32:]
    if not (_is_scalar(r_bytes) and _is_scalar(s_bytes)):
        return False
    try:
        commitment = PublicKey.combine_keys(
            [PublicKey.from_secret(s_bytes), PublicKey(public_key).multiply(r_bytes)]
        )
    except ValueError:  # not a point, or the sum is the point at infinity
        return False
    return _challenge(commitment, public_key, message) == int.from_bytes(r_bytes, "big")


def derived_nonces(secret: bytes, message: bytes) -> Iterator[bytes]:
    """Yield nonces for a key and a message without end (RFC 6979, 3.2, with SHA-256)."""
    digest = int.from_bytes(hashlib.sha256(message).digest(), "big") % GROUP_ORDER
    seed = secret + digest.to_bytes(32, "big") + _PURPOSE
    key, value = bytes(32), b"\x01" * 32
    for step in (b"\x00", b"\x01"):
        key = _hmac(key, value + step + seed)
        value = _hmac(key, value)
    while True:
        value = _hmac(key, value)
        yield value
        key = _hmac(key, value + b"\x00")
        value = _hmac(key, value)


def _attempt(secret: int, public_key: bytes, message: bytes, nonce: bytes) -> bytes | None:
    if not _is_scalar(nonce):
        return None
    r = _challenge(PublicKey.from_secret(nonce), public_key, message)
    s = (int.from_bytes(nonce, "big") - r * secret) % GROUP_ORDER
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    return signature if r and s else None


def _challenge(commitment: PublicKey, public_key: bytes, message: bytes) -> int:
    digest = hashlib.sha256(commitment.format() + public_key + message).digest()
    return int.from_bytes(digest, "big") % GROUP_ORDER


def _is_scalar(value: bytes) -> bool:
    return 0 < int.from_bytes(value, "big") < GROUP_ORDER


def _hmac(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, "sha256")
