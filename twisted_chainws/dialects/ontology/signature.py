"""Signatures of every scheme that Ontology knows, made and verified. Sans-I/O.

A signature is a byte for the scheme and its data. 64 bytes alone are SHA256withECDSA, which may be
written both ways. Of SM2 the form is read, but nothing here computes with it: verifying says so.

What is signed of a transaction is its hash; ECDSA hashes that once more, Ethereum's scheme does
not.

Source: ``ontology.md`` 6.3; ontology-crypto's ``signature/signature.go``, c3f327f5.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from coincurve import PublicKey as Secp256k1Key
from Crypto.Hash import RIPEMD160
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import (
    Prehashed,
    decode_dss_signature,
    encode_dss_signature,
)
from eth_hash.auto import keccak

from twisted_chainws.dialects.ontology.keys import NIST, Algorithm, Curve, PublicKey
from twisted_chainws.errors import Unsupported


class Scheme(IntEnum):
    """How a signature is made; the value is its first byte."""

    SHA224_ECDSA = 0
    SHA256_ECDSA = 1
    SHA384_ECDSA = 2
    SHA512_ECDSA = 3
    SHA3_224_ECDSA = 4
    SHA3_256_ECDSA = 5
    SHA3_384_ECDSA = 6
    SHA3_512_ECDSA = 7
    RIPEMD160_ECDSA = 8
    SM3_SM2 = 9
    SHA512_EDDSA = 10
    KECCAK256_ECDSA = 11


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """A signature taken apart.

    Attributes:
        data: of ECDSA r and s, big-endian and of equal length, or 65 bytes with the point to
            recover before them; of SM2 the signer's name, a zero byte, r and s.
    """

    scheme: Scheme
    data: bytes


PLAIN_LENGTH: Final = 64
"""Of a signature without a byte for the scheme."""

_RECOVERABLE_LENGTH: Final = 65
_RECOVERY_BASE: Final = 27
_DIGEST_LENGTH: Final = 32
_SCALAR_LENGTH: Final = 32
_SHORTEST: Final = 2
_SECP256K1_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def _ripemd160(message: bytes) -> bytes:
    return RIPEMD160.new(message).digest()


def _named(name: str) -> Callable[[bytes], bytes]:
    return lambda message: hashlib.new(name, message).digest()


_DIGESTS: Final[Mapping[Scheme, Callable[[bytes], bytes]]] = {
    Scheme.SHA224_ECDSA: _named("sha224"),
    Scheme.SHA256_ECDSA: _named("sha256"),
    Scheme.SHA384_ECDSA: _named("sha384"),
    Scheme.SHA512_ECDSA: _named("sha512"),
    Scheme.SHA3_224_ECDSA: _named("sha3_224"),
    Scheme.SHA3_256_ECDSA: _named("sha3_256"),
    Scheme.SHA3_384_ECDSA: _named("sha3_384"),
    Scheme.SHA3_512_ECDSA: _named("sha3_512"),
    Scheme.RIPEMD160_ECDSA: _ripemd160,
}
_LENGTHS: Final[Mapping[int, hashes.HashAlgorithm]] = {
    item.digest_size: item
    for item in (
        hashes.SHA1(),  # noqa: S303 - only says that a digest has 20 bytes, those of RIPEMD-160
        hashes.SHA224(),
        hashes.SHA256(),
        hashes.SHA384(),
        hashes.SHA512(),
    )
}
"""Length of a digest -> an algorithm that tells how long it is."""


def encode_signature(signature: Signature) -> bytes:
    """Write a signature; of SHA256withECDSA the 64 bytes alone, as the node does."""
    if signature.scheme is Scheme.SHA256_ECDSA and len(signature.data) == PLAIN_LENGTH:
        return signature.data
    return bytes([signature.scheme]) + signature.data


def decode_signature(encoded: bytes) -> Signature:
    """Read a signature; whether it is right is another question.

    Raises:
        ValueError: it is none of a scheme that Ontology knows.
    """
    if len(encoded) < _SHORTEST:
        raise ValueError("too short for a signature")
    if len(encoded) == PLAIN_LENGTH:
        return Signature(scheme=Scheme.SHA256_ECDSA, data=encoded)
    try:
        scheme = Scheme(encoded[0])
    except ValueError:
        raise ValueError(f"a signature of an unknown scheme, {encoded[0]}") from None
    data = encoded[1:]
    if scheme in _DIGESTS and len(data) % 2 and len(data) != _RECOVERABLE_LENGTH:
        raise ValueError("r and s have not the same length")
    if scheme is Scheme.SM3_SM2:
        _name, zero, scalars = data.partition(b"\0")
        if not zero or len(scalars) % 2:
            raise ValueError("an SM2 signature of no known form")
    return Signature(scheme=scheme, data=data)


def sign(secret: bytes, message: bytes) -> bytes:
    """Return the 64 bytes of SHA256withECDSA over P-256; equal input gives equal signatures.

    Args:
        secret: of a P-256 key, big-endian.
        message: of any length; of a transaction its hash.

    Raises:
        ValueError: the secret is not a number from 1 to n - 1.
    """
    private = ec.derive_private_key(int.from_bytes(secret, "big"), NIST[Curve.P256])
    scheme = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
    r, s = decode_dss_signature(private.sign(message, scheme))
    return r.to_bytes(_SCALAR_LENGTH, "big") + s.to_bytes(_SCALAR_LENGTH, "big")


def verify(key: PublicKey, message: bytes, encoded: bytes) -> bool:
    """Tell whether a signature of a message was made with a key.

    What is no signature at all, or one of a scheme that the key does not have, is not right.

    Raises:
        Unsupported: both are SM2, which is not computed here.
    """
    try:
        signature = decode_signature(encoded)
    except ValueError:
        return False
    if signature.scheme in _DIGESTS and key.algorithm is Algorithm.ECDSA:
        return _verify_ecdsa(key, _DIGESTS[signature.scheme](message), signature.data)
    kinds = (key.algorithm, signature.scheme)
    if kinds == (Algorithm.SM2, Scheme.SM3_SM2):
        raise Unsupported(reason="signatures of SM2 are not verified")
    if kinds == (Algorithm.EDDSA, Scheme.SHA512_EDDSA):
        return _verify_ed25519(key, message, signature.data)
    if kinds == (Algorithm.ETHEREUM, Scheme.KECCAK256_ECDSA):
        digest = message if len(message) == _DIGEST_LENGTH else keccak(message)
        return _verify_ethereum(key, digest, signature.data)
    return False


def verify_all(
    keys: Sequence[PublicKey], needed: int, message: bytes, signatures: Iterable[bytes]
) -> bool:
    """Tell whether the first ``needed`` signatures are right and of different keys.

    Raises:
        Unsupported: as ``verify``.
    """
    tried = list(signatures)[:needed]
    left = list(keys)
    for signature in tried:
        signer = next((key for key in left if verify(key, message, signature)), None)
        if signer is None:
            return False
        left.remove(signer)
    return len(tried) == needed


def _verify_ecdsa(key: PublicKey, digest: bytes, data: bytes) -> bool:
    if len(data) == _RECOVERABLE_LENGTH:
        return _verify_recoverable(key, digest, data)
    half = len(data) // 2
    r, s = int.from_bytes(data[:half], "big"), int.from_bytes(data[half:], "big")
    return _verify_scalars(key, digest, r, s)


def _verify_scalars(key: PublicKey, digest: bytes, r: int, s: int) -> bool:
    point = ec.EllipticCurvePublicNumbers(key.x, key.y, NIST[key.curve]).public_key()
    scheme = ec.ECDSA(Prehashed(_LENGTHS[len(digest)]))
    try:
        point.verify(encode_dss_signature(r, s), digest, scheme)
    except InvalidSignature:
        return False
    return True


def _verify_recoverable(key: PublicKey, digest: bytes, data: bytes) -> bool:
    """Recover the key, as the node does for secp256k1 and for no other curve."""
    # Digests are cut or filled to the length of the curve's order.
    message = digest[:_DIGEST_LENGTH].rjust(_DIGEST_LENGTH, b"\0")
    recovery = (data[0] - _RECOVERY_BASE) & ~4 & 0xFF
    try:
        found = Secp256k1Key.from_signature_and_message(
            data[1:] + bytes([recovery]), message, hasher=None
        )
    except ValueError:
        return False
    return key.curve is Curve.SECP256K1 and found.point() == (key.x, key.y)


def _verify_ed25519(key: PublicKey, message: bytes, data: bytes) -> bool:
    point = Ed25519PublicKey.from_public_bytes(key.x.to_bytes(32, "big"))
    try:
        point.verify(data, message)
    except InvalidSignature:
        return False
    return True


def _verify_ethereum(key: PublicKey, digest: bytes, data: bytes) -> bool:
    """Check r and s; what follows them is not looked at, and a high s is refused."""
    if len(data) < PLAIN_LENGTH:
        return False
    r, s = (int.from_bytes(part, "big") for part in (data[:32], data[32:PLAIN_LENGTH]))
    return s <= _SECP256K1_ORDER // 2 and _verify_scalars(key, digest, r, s)
