from typing import Any

import pytest
from coincurve import PrivateKey
from eth_hash.auto import keccak
from hypothesis import given
from hypothesis import strategies as st

from tests.dialects.ontology.keyring import (
    DIGESTS,
    ED25519,
    ED25519_KEY,
    ETHEREUM,
    ETHEREUM_KEY,
    KEYS,
    SECRETS,
    SM2_KEY,
    ecdsa_key,
    ecdsa_sign,
)
from tests.dialects.ontology.vectors import vectors
from tests.strategies import relaxed
from twisted_chainws.dialects.ontology.keys import NIST, Curve, decode_public_key, point_length
from twisted_chainws.dialects.ontology.signature import (
    Scheme,
    Signature,
    decode_signature,
    encode_signature,
    sign,
    verify,
    verify_all,
)
from twisted_chainws.errors import Unsupported

MESSAGE = bytes(range(32))
SIGNED = [
    (item["name"], item["signed_message"], entry)
    for item in vectors("transactions")
    for entry in item.get("sigs", [])
]


@pytest.mark.parametrize(("name", "message", "entry"), SIGNED, ids=lambda it: str(it)[:30])
def test_published_signatures(name: str, message: str, entry: dict[str, str]) -> None:
    """What SDKs signed is right in both forms; of anything else it is not."""
    key = decode_public_key(bytes.fromhex(entry["public_key"]))
    signature = bytes.fromhex(entry["signature"])
    assert verify(key, bytes.fromhex(message), signature), name
    assert verify(key, bytes.fromhex(message), b"\1" + signature[-64:])
    assert not verify(key, MESSAGE, signature)


@relaxed
@given(st.binary(max_size=100))
def test_signing(message: bytes) -> None:
    """A signature is right for its key and message and is the same each time."""
    signature = sign(SECRETS[0], message)
    assert len(signature) == 64
    assert signature == sign(SECRETS[0], message)
    assert verify(KEYS[0], message, signature)
    assert not verify(KEYS[1], message, signature)
    assert not verify(KEYS[0], message + b"\0", signature)


def test_high_s() -> None:
    """The other of the two s that fit is accepted too."""
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    signature = sign(SECRETS[0], MESSAGE)
    other = (order - int.from_bytes(signature[32:], "big")).to_bytes(32, "big")
    assert verify(KEYS[0], MESSAGE, signature[:32] + other)


@pytest.mark.parametrize("scheme", DIGESTS, ids=lambda it: it.name)
@pytest.mark.parametrize("curve", NIST, ids=lambda it: it.name)
def test_ecdsa(scheme: Scheme, curve: Curve) -> None:
    """Every digest goes with every curve."""
    length = point_length(curve)
    r, s = ecdsa_sign(curve, DIGESTS[scheme](MESSAGE))
    data = r.to_bytes(length, "big") + s.to_bytes(length, "big")
    encoded = bytes([scheme]) + data
    assert verify(ecdsa_key(curve), MESSAGE, encoded)
    assert not verify(ecdsa_key(curve), MESSAGE[1:], encoded)
    assert not verify(ED25519_KEY, MESSAGE, encoded)


@pytest.mark.parametrize("scheme", DIGESTS, ids=lambda it: it.name)
def test_recoverable(scheme: Scheme) -> None:
    """Signatures that the point is recovered from are right on secp256k1 alone."""
    secret = PrivateKey((123_456_789).to_bytes(32, "big"))
    digest = DIGESTS[scheme](MESSAGE)
    whole = secret.sign_recoverable(digest[:32].rjust(32, b"\0"), hasher=None)
    encoded = bytes([scheme, 27 + whole[64]]) + whole[:64]
    key = ecdsa_key(Curve.SECP256K1)
    assert verify(key, MESSAGE, encoded)
    assert verify(key, MESSAGE, bytes([scheme, 31 + whole[64]]) + whole[:64])
    assert not verify(key, MESSAGE, bytes([scheme, 28 - whole[64]]) + whole[:64])
    assert not verify(key, MESSAGE, bytes([scheme, 27]) + bytes(64))
    assert not verify(key, MESSAGE, bytes([scheme, 0]) + whole[:64])
    assert not verify(KEYS[0], MESSAGE, encoded)


def test_ed25519() -> None:
    """Ed25519 signs the message itself."""
    signature = ED25519.sign(MESSAGE)
    assert verify(ED25519_KEY, MESSAGE, b"\x0a" + signature)
    assert not verify(ED25519_KEY, MESSAGE, b"\x0a" + signature[:-1])
    assert not verify(ED25519_KEY, MESSAGE[1:], b"\x0a" + signature)
    assert not verify(KEYS[0], MESSAGE, b"\x0a" + signature)


def test_ethereum() -> None:
    """Ethereum's scheme signs 32 bytes as they are and hashes all else."""
    signature = ETHEREUM.sign_recoverable(MESSAGE, hasher=None)
    assert verify(ETHEREUM_KEY, MESSAGE, b"\x0b" + signature)
    assert verify(ETHEREUM_KEY, MESSAGE, b"\x0b" + signature[:64])
    assert not verify(ETHEREUM_KEY, MESSAGE, b"\x0b" + signature[:62])
    assert not verify(ETHEREUM_KEY, bytes(32), b"\x0b" + signature)
    other = ETHEREUM.sign_recoverable(keccak(b"a text"), hasher=None)
    assert verify(ETHEREUM_KEY, b"a text", b"\x0b" + other)
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    high = (order - int.from_bytes(signature[32:64], "big")).to_bytes(32, "big")
    assert not verify(ETHEREUM_KEY, MESSAGE, b"\x0b" + signature[:32] + high)


def test_sm2_is_not_computed() -> None:
    """A signature of SM2 is neither right nor wrong here."""
    with pytest.raises(Unsupported, match="SM2"):
        verify(SM2_KEY, MESSAGE, b"\x09\0" + bytes(64))
    assert not verify(KEYS[0], MESSAGE, b"\x09\0" + bytes(64))
    assert not verify(SM2_KEY, MESSAGE, bytes(64))


@given(st.sampled_from(Scheme), st.integers(1, 70), st.data())
def test_round_trip(scheme: Scheme, half: int, data: Any) -> None:
    """A signature of any scheme is read as it was written."""
    content = data.draw(st.binary(min_size=2 * half, max_size=2 * half))
    if scheme is Scheme.SM3_SM2:
        content = b"name\0" + content
    signature = Signature(scheme=scheme, data=content)
    encoded = encode_signature(signature)
    if len(encoded) != 64:
        assert decode_signature(encoded) == signature


def test_short_form() -> None:
    """64 bytes alone are SHA256withECDSA, and are written alone."""
    signature = Signature(scheme=Scheme.SHA256_ECDSA, data=bytes(64))
    assert encode_signature(signature) == bytes(64)
    assert decode_signature(bytes(64)) == decode_signature(b"\1" + bytes(64)) == signature
    assert encode_signature(Signature(scheme=Scheme.SHA3_256_ECDSA, data=bytes(64)))[0] == 5


BAD = [
    (b"", "too short for a signature"),
    (b"\1", "too short for a signature"),
    (b"\x0c" + bytes(64), "a signature of an unknown scheme, 12"),
    (b"\1" + bytes(63), None),
    (b"\2" + bytes(97), "r and s have not the same length"),
    (b"\x09" + b"\1" * 64, "an SM2 signature of no known form"),
    (b"\x09\1\0" + bytes(63), "an SM2 signature of no known form"),
]


@pytest.mark.parametrize(("encoded", "reason"), BAD)
def test_bad_signatures(encoded: bytes, reason: str | None) -> None:
    """What is no signature is refused with the reason and never right."""
    if reason is not None:
        with pytest.raises(ValueError, match=f"^{reason}$"):
            decode_signature(encoded)
    assert not verify(KEYS[0], MESSAGE, encoded)


def test_many_signatures() -> None:
    """As many keys have to sign as are needed, none of them twice; further ones are not seen."""
    one, two = (sign(secret, MESSAGE) for secret in SECRETS)
    assert verify_all(KEYS, 2, MESSAGE, [one, two])
    assert verify_all(KEYS, 2, MESSAGE, [two, one, b"anything"])
    assert verify_all(KEYS, 1, MESSAGE, [two])
    assert not verify_all(KEYS, 2, MESSAGE, [one, one])
    assert not verify_all(KEYS, 2, MESSAGE, [one])
    assert not verify_all(KEYS, 1, MESSAGE, [b"anything", one])
