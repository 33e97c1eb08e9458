"""Public keys of every kind that Ontology knows, and secrets as wallets write them. Sans-I/O.

A P-256 key is its compressed point alone. Others have a byte for the algorithm before them and,
except for Ethereum's, one for the curve. Points are checked to lie on their curve, which the node
does not do for uncompressed ones: such a key could not sign anything.

Source: ``ontology.md`` 6.3, 11 for the form of secrets; ontology-crypto's ``keypair/key.go`` and
``keypair/publist.go``, c3f327f5; GB/T 32918.5 for SM2's curve.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from twisted_chainws.dialects.ontology.address import decode_checked, encode_checked


class Algorithm(IntEnum):
    """What a key signs with; the value is the first byte of most keys."""

    ECDSA = 0x12
    SM2 = 0x13
    EDDSA = 0x14
    ETHEREUM = 0x15


class Curve(IntEnum):
    """The curve of a key; the value is the second byte of most keys."""

    P224 = 1
    P256 = 2
    P384 = 3
    P521 = 4
    SECP256K1 = 5
    SM2P256V1 = 20
    ED25519 = 25


@dataclass(frozen=True, slots=True, order=True)
class PublicKey:
    """A public key; keys are ordered as multi-signature programs list them.

    Attributes:
        x: of the point; of an Ed25519 key its 32 bytes as a big-endian number.
        y: of the point; 0 of an Ed25519 key.
    """

    algorithm: Algorithm
    curve: Curve
    x: int
    y: int


NIST: Final[Mapping[Curve, ec.EllipticCurve]] = {
    Curve.P224: ec.SECP224R1(),
    Curve.P256: ec.SECP256R1(),
    Curve.P384: ec.SECP384R1(),
    Curve.P521: ec.SECP521R1(),
    Curve.SECP256K1: ec.SECP256K1(),
}
"""Curves of ECDSA keys -> what computes on them."""

_COMPRESSED: Final = frozenset({2, 3})
_UNCOMPRESSED: Final = 4
_ED25519_LENGTH: Final = 32
_P256_MARKS: Final = frozenset({*_COMPRESSED, _UNCOMPRESSED})

_SM2_P: Final = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
_SM2_B: Final = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
_SM2_LENGTH: Final = 32

_SECRET_LENGTH: Final = 32
_SECRET_VERSION: Final = b"\x80"
_COMPRESSED_KEY: Final = b"\x01"
_WIF_LENGTH: Final = 52


def p256_key(secret: bytes) -> PublicKey:
    """Return the public key of a P-256 secret.

    Raises:
        ValueError: the secret is not a number from 1 to n - 1.
    """
    private = ec.derive_private_key(int.from_bytes(secret, "big"), NIST[Curve.P256])
    numbers = private.public_key().public_numbers()
    return PublicKey(Algorithm.ECDSA, Curve.P256, numbers.x, numbers.y)


def encode_wif(secret: bytes) -> str:
    """Return a P-256 secret, 32 bytes, as wallets import it: ``K…`` or ``L…``, 52 letters."""
    return encode_checked(_SECRET_VERSION + secret + _COMPRESSED_KEY)


def decode_wif(text: str) -> bytes:
    """Read a secret; exactly what ``encode_wif`` writes.

    Raises:
        ValueError: it is no such text; the reason does not repeat it.
    """
    marked = decode_checked(text, 2 + _SECRET_LENGTH) if len(text) == _WIF_LENGTH else None
    if marked is None or encode_wif(secret := marked[1:-1]) != text:
        raise ValueError("not a private key in WIF")
    return secret


def encode_public_key(key: PublicKey) -> bytes:
    """Write a key; a P-256 one without marks."""
    if key.algorithm is Algorithm.ETHEREUM:
        return bytes([key.algorithm, _UNCOMPRESSED]) + _word(key.x, 32) + _word(key.y, 32)
    if key.algorithm is Algorithm.EDDSA:
        point = _word(key.x, _ED25519_LENGTH)
    else:
        point = bytes([2 + key.y % 2]) + _word(key.x, point_length(key.curve))
    if (key.algorithm, key.curve) == (Algorithm.ECDSA, Curve.P256):
        return point
    return bytes([key.algorithm, key.curve]) + point


def decode_public_key(encoded: bytes) -> PublicKey:
    """Read a key; a P-256 one may have marks, and any EC point may be uncompressed.

    Raises:
        ValueError: it is no key of a kind that Ontology knows.
    """
    if len(encoded) < 4:  # noqa: PLR2004 - as the node
        raise ValueError("too short for a public key")
    if encoded[0] in _P256_MARKS:
        return _ecdsa(Curve.P256, encoded)
    if encoded[0] == Algorithm.ETHEREUM:
        return _ethereum(encoded[1:])
    curve, point = encoded[1], encoded[2:]
    if encoded[0] == Algorithm.ECDSA and curve in NIST:
        return _ecdsa(Curve(curve), point)
    if encoded[0] == Algorithm.SM2 and curve == Curve.SM2P256V1:
        return _sm2(point)
    if encoded[0] == Algorithm.EDDSA and curve == Curve.ED25519:
        return _ed25519(point)
    raise ValueError(f"a public key of an unknown kind, {encoded[:2].hex()}")


def point_length(curve: Curve) -> int:
    """Return how many bytes a coordinate on a curve has; of all curves but Ed25519."""
    return _SM2_LENGTH if curve is Curve.SM2P256V1 else (NIST[curve].key_size + 7) // 8


def _ecdsa(curve: Curve, point: bytes) -> PublicKey:
    numbers = _point(curve, point)
    return PublicKey(Algorithm.ECDSA, curve, numbers.x, numbers.y)


def _ethereum(point: bytes) -> PublicKey:
    if point[0] != _UNCOMPRESSED:
        raise ValueError("an Ethereum key that is not uncompressed")
    numbers = _point(Curve.SECP256K1, point)
    return PublicKey(Algorithm.ETHEREUM, Curve.SECP256K1, numbers.x, numbers.y)


def _point(curve: Curve, point: bytes) -> ec.EllipticCurvePublicNumbers:
    try:
        key = ec.EllipticCurvePublicKey.from_encoded_point(NIST[curve], point)
    except ValueError:
        raise ValueError(f"no point of the curve {curve.name}") from None
    return key.public_numbers()


def _ed25519(point: bytes) -> PublicKey:
    if len(point) != _ED25519_LENGTH:
        raise ValueError("an Ed25519 key that has not 32 bytes")
    return PublicKey(Algorithm.EDDSA, Curve.ED25519, int.from_bytes(point, "big"), 0)


def _sm2(point: bytes) -> PublicKey:
    mark, x = point[:1], int.from_bytes(point[1 : 1 + _SM2_LENGTH], "big")
    square = (pow(x, 3, _SM2_P) - 3 * x + _SM2_B) % _SM2_P
    if len(point) == 1 + _SM2_LENGTH and mark[0] in _COMPRESSED:
        root = pow(square, (_SM2_P + 1) // 4, _SM2_P)  # p is 3 modulo 4
        y = root if root % 2 == mark[0] % 2 else _SM2_P - root
    elif len(point) == 1 + 2 * _SM2_LENGTH and mark[0] == _UNCOMPRESSED:
        y = int.from_bytes(point[1 + _SM2_LENGTH :], "big")
    else:
        raise ValueError("an SM2 key of no known form")
    if y * y % _SM2_P != square or max(x, y) >= _SM2_P:
        raise ValueError("no point of the curve SM2P256V1")
    return PublicKey(Algorithm.SM2, Curve.SM2P256V1, x, y)


def _word(value: int, length: int) -> bytes:
    return value.to_bytes(length, "big")
