import hashlib
from itertools import islice

import pytest
from coincurve import PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from tests.dialects.zilliqa.vectors import derivation
from tests.strategies import relaxed
from twisted_chainws.dialects.zilliqa import schnorr
from twisted_chainws.dialects.zilliqa.schnorr import GROUP_ORDER, public_key_of, sign, verify

SECRET = bytes.fromhex(derivation("keys")[1]["privateKey"])
PUBLIC_KEY = public_key_of(SECRET)
MESSAGE = b"a message"

secrets = st.integers(1, GROUP_ORDER - 1).map(lambda number: number.to_bytes(32, "big"))


def number(value: int) -> bytes:
    """Write a scalar."""
    return value.to_bytes(32, "big")


def test_published_signature() -> None:
    """The signature of the sample payment is right, and wrong for any other message."""
    sample = derivation("payment_tx")
    signature = bytes.fromhex(sample["signature_example"])
    message = bytes.fromhex(sample["core_info_protobuf_hex"])
    assert verify(PUBLIC_KEY, message, signature)
    assert not verify(PUBLIC_KEY, message + b"\0", signature)


def test_signature_by_the_definition() -> None:
    """With a nonce of one the commitment is the generator, and both halves can be computed."""
    generator = bytes.fromhex(derivation("keys")[0]["publicKey"])
    signature = sign(SECRET, MESSAGE, [number(1)])
    digest = hashlib.sha256(generator + PUBLIC_KEY + MESSAGE).digest()
    r = int.from_bytes(digest, "big") % GROUP_ORDER
    s = (1 - r * int.from_bytes(SECRET, "big")) % GROUP_ORDER
    assert signature == number(r) + number(s)


@relaxed
@given(secrets, st.binary(max_size=100))
def test_what_was_signed_verifies(secret: bytes, message: bytes) -> None:
    """Any key signs any message, the same way each time."""
    signature = sign(secret, message)
    assert signature == sign(secret, message)
    assert verify(public_key_of(secret), message, signature)


@given(st.integers(0, 511))
def test_a_changed_bit_is_found(bit: int) -> None:
    """A signature with any bit changed is wrong."""
    signature = bytearray(sign(SECRET, MESSAGE))
    signature[bit // 8] ^= 1 << bit % 8
    assert not verify(PUBLIC_KEY, MESSAGE, bytes(signature))


def test_nonces_that_do_not_fit_are_passed_over() -> None:
    """Zero and the group's order are no nonces; the next one is taken."""
    unfit = [number(0), number(GROUP_ORDER), b"\xff" * 32]
    assert sign(SECRET, MESSAGE, [*unfit, number(7)]) == sign(SECRET, MESSAGE, [number(7)])
    with pytest.raises(ValueError, match="no nonce fits"):
        sign(SECRET, MESSAGE, unfit)


def test_derived_nonces_differ() -> None:
    """Nonces of other messages, other keys and further tries are all different."""
    found = [
        nonce
        for secret in (SECRET, number(1))
        for message in (b"", MESSAGE)
        for nonce in islice(schnorr.derived_nonces(secret, message), 3)
    ]
    assert len(set(found)) == len(found) == 12
    assert {len(nonce) for nonce in found} == {32}


def commitment(nonce: bytes) -> bytes:
    """Return the x coordinate of a nonce's point."""
    return public_key_of(nonce)[1:]


@relaxed
@given(secrets, st.binary(max_size=100))
def test_nonces_follow_rfc_6979(secret: bytes, message: bytes) -> None:
    """Nonces are those of libsecp256k1's ECDSA but for the purpose, which keeps them apart."""
    ecdsa = PrivateKey(secret).sign_recoverable(message)[:32]
    assert commitment(next(schnorr.derived_nonces(secret, message))) != ecdsa
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(schnorr, "_PURPOSE", b"")
        assert commitment(next(schnorr.derived_nonces(secret, message))) == ecdsa


@pytest.mark.parametrize("secret", [bytes(32), number(GROUP_ORDER), b"\xff" * 32])
def test_no_secret(secret: bytes) -> None:
    """A number outside the group has no public key and signs nothing."""
    with pytest.raises(ValueError, match="greater than 0"):
        public_key_of(secret)
    with pytest.raises(ValueError, match="greater than 0"):
        sign(secret, MESSAGE)


GOOD = sign(SECRET, MESSAGE)

BAD = {
    "no key": (b"", GOOD),
    "an uncompressed key": (b"\4" + bytes(64), GOOD),
    "a key that is no point": (b"\2" + b"\xff" * 32, GOOD),
    "the key of somebody else": (public_key_of(number(1)), GOOD),
    "no signature": (PUBLIC_KEY, b""),
    "a longer signature": (PUBLIC_KEY, GOOD + b"\0"),
    "r of zero": (PUBLIC_KEY, bytes(32) + GOOD[32:]),
    "s of zero": (PUBLIC_KEY, GOOD[:32] + bytes(32)),
    "r outside the group": (PUBLIC_KEY, number(GROUP_ORDER) + GOOD[32:]),
    "s outside the group": (PUBLIC_KEY, GOOD[:32] + number(GROUP_ORDER)),
    "a sum at infinity": (
        PUBLIC_KEY,
        number(1) + number(GROUP_ORDER - int.from_bytes(SECRET, "big")),
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_what_does_not_verify(case: str) -> None:
    """Nothing but the right key with the right signature verifies, and nothing raises."""
    public_key, signature = BAD[case]
    assert verify(PUBLIC_KEY, MESSAGE, GOOD)
    assert not verify(public_key, MESSAGE, signature)
