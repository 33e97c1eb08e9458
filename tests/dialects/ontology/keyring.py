"""Keys of every kind, with what signs for them."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Final

from coincurve import PrivateKey
from Crypto.Hash import RIPEMD160
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature

from tests.dialects.ontology.vectors import vectors
from twisted_chainws.dialects.ontology.keys import NIST, Algorithm, Curve, PublicKey, p256_key
from twisted_chainws.dialects.ontology.signature import Scheme

SECRETS: Final = tuple(bytes.fromhex(item["private_key"]) for item in vectors("accounts"))
KEYS: Final = tuple(p256_key(secret) for secret in SECRETS)

PREHASHED: Final[Mapping[int, hashes.HashAlgorithm]] = {
    20: hashes.SHA1(),  # noqa: S303 - for its length
    28: hashes.SHA224(),
    32: hashes.SHA256(),
    48: hashes.SHA384(),
    64: hashes.SHA512(),
}
DIGESTS: Final[Mapping[Scheme, Callable[[bytes], bytes]]] = {
    Scheme.SHA224_ECDSA: lambda it: hashlib.sha224(it).digest(),
    Scheme.SHA256_ECDSA: lambda it: hashlib.sha256(it).digest(),
    Scheme.SHA384_ECDSA: lambda it: hashlib.sha384(it).digest(),
    Scheme.SHA512_ECDSA: lambda it: hashlib.sha512(it).digest(),
    Scheme.SHA3_224_ECDSA: lambda it: hashlib.sha3_224(it).digest(),
    Scheme.SHA3_256_ECDSA: lambda it: hashlib.sha3_256(it).digest(),
    Scheme.SHA3_384_ECDSA: lambda it: hashlib.sha3_384(it).digest(),
    Scheme.SHA3_512_ECDSA: lambda it: hashlib.sha3_512(it).digest(),
    Scheme.RIPEMD160_ECDSA: lambda it: RIPEMD160.new(it).digest(),
}

ED25519: Final = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
ED25519_KEY: Final = PublicKey(
    Algorithm.EDDSA,
    Curve.ED25519,
    int.from_bytes(ED25519.public_key().public_bytes_raw(), "big"),
    0,
)
SM2_KEY: Final = PublicKey(
    Algorithm.SM2,
    Curve.SM2P256V1,
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)
"""The base point of SM2's curve, as the standard publishes it."""

ETHEREUM: Final = PrivateKey(bytes(31) + b"\7")
ETHEREUM_KEY: Final = PublicKey(Algorithm.ETHEREUM, Curve.SECP256K1, *ETHEREUM.public_key.point())


def ecdsa_secret(curve: Curve) -> ec.EllipticCurvePrivateKey:
    """Return the secret of a key on a curve."""
    return ec.derive_private_key(123_456_789, NIST[curve])


def ecdsa_key(curve: Curve) -> PublicKey:
    """Return the key of ``ecdsa_secret``."""
    numbers = ecdsa_secret(curve).public_key().public_numbers()
    return PublicKey(Algorithm.ECDSA, curve, numbers.x, numbers.y)


def ecdsa_sign(curve: Curve, digest: bytes) -> tuple[int, int]:
    """Return r and s of a digest."""
    scheme = ec.ECDSA(Prehashed(PREHASHED[len(digest)]))
    return decode_dss_signature(ecdsa_secret(curve).sign(digest, scheme))


ALL_KEYS: Final = (
    *KEYS,
    *(ecdsa_key(curve) for curve in NIST),
    ED25519_KEY,
    SM2_KEY,
    ETHEREUM_KEY,
)
