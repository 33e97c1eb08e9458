import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.dialects.ontology.keyring import (
    ALL_KEYS,
    ED25519_KEY,
    ETHEREUM_KEY,
    KEYS,
    SM2_KEY,
    ecdsa_key,
)
from tests.dialects.ontology.vectors import vectors
from twisted_chainws.dialects.ontology.keys import (
    NIST,
    Curve,
    PublicKey,
    decode_public_key,
    decode_wif,
    encode_public_key,
    encode_wif,
    p256_key,
    point_length,
)


@pytest.mark.parametrize("account", vectors("accounts"), ids=lambda it: it["address_base58"])
def test_published_keys(account: dict[str, str]) -> None:
    """The sample secrets have the sample keys."""
    key = p256_key(bytes.fromhex(account["private_key"]))
    assert encode_public_key(key).hex() == account["public_key"]
    assert decode_public_key(bytes.fromhex(account["public_key"])) == key


@pytest.mark.parametrize("account", vectors("accounts"), ids=lambda it: it["address_base58"])
def test_published_secrets(account: dict[str, str]) -> None:
    """The sample secrets have the sample texts."""
    secret = bytes.fromhex(account["private_key"])
    assert encode_wif(secret) == account["wif"]
    assert decode_wif(account["wif"]) == secret


@given(st.binary(min_size=32, max_size=32))
def test_secrets_go_there_and_back(secret: bytes) -> None:
    """Any 32 bytes have a text of 52 letters that is read as them."""
    text = encode_wif(secret)
    assert (len(text), text[0] in "KL") == (52, True)
    assert decode_wif(text) == secret


WIF = vectors("accounts")[0]["wif"]
UNCOMPRESSED = "5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not a private key in WIF"),
        (WIF[:-1], "not a private key in WIF"),
        (WIF[:-1] + ("1" if WIF[-1] != "1" else "2"), "not a private key in WIF"),
        ("1" + WIF[1:], "not a private key in WIF"),
        ("A" + WIF[1:], "not a private key in WIF"),
        (UNCOMPRESSED, "not a private key in WIF"),
        (WIF[:-1] + "0", "a letter that base58 does not have"),
    ],
)
def test_bad_secrets(text: str, reason: str) -> None:
    """A text that is cut, mistyped or of another kind is refused, and not repeated."""
    with pytest.raises(ValueError, match=f"^{reason}$"):
        decode_wif(text)


@pytest.mark.parametrize("secret", [b"", bytes(32), b"\xff" * 32])
def test_no_secret(secret: bytes) -> None:
    """Zero and numbers beyond the curve's order are no secrets."""
    with pytest.raises(ValueError, match=r"private_value|out of range"):
        p256_key(secret)


@pytest.mark.parametrize("key", ALL_KEYS, ids=lambda it: f"{it.algorithm.name} {it.curve.name}")
def test_round_trip(key: PublicKey) -> None:
    """A key of any kind is read as it was written."""
    assert decode_public_key(encode_public_key(key)) == key


FORMS = [
    (ecdsa_key(Curve.P256), "", 33),
    (ecdsa_key(Curve.P224), "1201", 31),
    (ecdsa_key(Curve.P384), "1203", 51),
    (ecdsa_key(Curve.P521), "1204", 69),
    (ecdsa_key(Curve.SECP256K1), "1205", 35),
    (SM2_KEY, "1314", 35),
    (ED25519_KEY, "1419", 34),
    (ETHEREUM_KEY, "1504", 66),
]


@pytest.mark.parametrize(("key", "marks", "length"), FORMS, ids=lambda it: str(it)[:40])
def test_marks(key: PublicKey, marks: str, length: int) -> None:
    """Every kind but P-256 begins with marks of its own."""
    encoded = encode_public_key(key)
    assert encoded.hex().startswith(marks)
    assert len(encoded) == length
    assert (encoded[0] in {2, 3}) is (marks == "")


@pytest.mark.parametrize("curve", [*NIST, Curve.SM2P256V1])
def test_uncompressed(curve: Curve) -> None:
    """An uncompressed point is read, with marks, and for P-256 without."""
    key = SM2_KEY if curve is Curve.SM2P256V1 else ecdsa_key(curve)
    length = point_length(curve)
    point = b"\4" + key.x.to_bytes(length, "big") + key.y.to_bytes(length, "big")
    assert decode_public_key(bytes([key.algorithm, key.curve]) + point) == key
    if curve is Curve.P256:
        assert decode_public_key(point) == key


def test_order() -> None:
    """Keys are ordered by algorithm, curve, x and y."""
    ordered = sorted(ALL_KEYS)
    assert ordered[-3:] == [SM2_KEY, ED25519_KEY, ETHEREUM_KEY]
    assert [key.curve for key in ordered[:-3]] == [1, 2, 2, 2, 3, 4, 5]
    assert [key.x for key in ordered[1:4]] == sorted(key.x for key in ordered[1:4])


def test_both_roots() -> None:
    """The mark of an SM2 point says which of its two y is meant."""
    odd = b"\x13\x14\x03" + SM2_KEY.x.to_bytes(32, "big")
    other = decode_public_key(odd)
    assert other.x == SM2_KEY.x
    assert other.y % 2 == 1
    assert encode_public_key(other) == odd
    assert encode_public_key(SM2_KEY)[2] == 2


P256 = encode_public_key(KEYS[0])
SM2 = encode_public_key(SM2_KEY)
BAD = [
    (b"", "too short for a public key"),
    (P256[:3], "too short for a public key"),
    (P256[:-1], "no point of the curve P256"),
    (P256 + b"\0", "no point of the curve P256"),
    (b"\2" + b"\xff" * 32, "no point of the curve P256"),
    (b"\5" + P256[1:], "a public key of an unknown kind, 0503"),
    (b"\x12\x06" + P256, "a public key of an unknown kind, 1206"),
    (b"\x12\x14" + P256, "a public key of an unknown kind, 1214"),
    (b"\x12\x01" + P256, "no point of the curve P224"),
    (b"\x13\x02" + P256, "a public key of an unknown kind, 1302"),
    (b"\x14\x02" + P256, "a public key of an unknown kind, 1402"),
    (b"\x14\x19" + P256, "an Ed25519 key that has not 32 bytes"),
    (b"\x15" + P256, "an Ethereum key that is not uncompressed"),
    (b"\x15\x04" + bytes(64), "no point of the curve SECP256K1"),
    (SM2[:-1], "an SM2 key of no known form"),
    (SM2 + b"\0", "an SM2 key of no known form"),
    (SM2[:2] + b"\5" + SM2[3:], "an SM2 key of no known form"),
    (SM2[:2] + b"\4" + bytes(64), "no point of the curve SM2P256V1"),
    (SM2[:3] + b"\xff" * 32, "no point of the curve SM2P256V1"),
    (SM2[:3] + bytes(31) + b"\4", "no point of the curve SM2P256V1"),
]


@pytest.mark.parametrize(("encoded", "reason"), BAD)
def test_bad_keys(encoded: bytes, reason: str) -> None:
    """What is no key is refused with the reason."""
    with pytest.raises(ValueError, match=f"^{reason}$"):
        decode_public_key(encoded)
