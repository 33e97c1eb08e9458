import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.dialects.ontology.keyring import ALL_KEYS, KEYS, SECRETS
from tests.dialects.ontology.vectors import vectors
from tests.strategies import relaxed
from twisted_chainws.dialects.ontology.address import decode_base58, program_address
from twisted_chainws.dialects.ontology.binary_codec import Reader
from twisted_chainws.dialects.ontology.keys import PublicKey, encode_public_key
from twisted_chainws.dialects.ontology.program import (
    Condition,
    Witness,
    condition_program,
    decode_condition,
    decode_signatures,
    encode_push,
    encode_signatures,
    make_witness,
    multi_program,
    read_push,
    signer,
    single_program,
)
from twisted_chainws.dialects.ontology.signature import sign

MESSAGE = bytes(range(32))
MULTI = vectors("multisig")
SINGLE = bytes.fromhex(vectors("accounts")[0]["verification_program"])

PUSHES = [
    (1, "01"),
    (75, "4b"),
    (76, "4c4c"),
    (255, "4cff"),
    (256, "4d0001"),
    (65536, "4e00000100"),
]


@pytest.mark.parametrize(("length", "head"), PUSHES)
def test_pushes(length: int, head: str) -> None:
    """The longer the bytes, the wider their length."""
    encoded = encode_push(bytes(length))
    assert encoded[:-length].hex() == head
    assert read_push(Reader(encoded)) == bytes(length)


def test_single() -> None:
    """A program of one key is its push and the check."""
    assert single_program(KEYS[0]) == SINGLE
    assert decode_condition(SINGLE) == Condition(needed=1, keys=KEYS[:1])


def test_multi() -> None:
    """The sample of a multi-signature account is made whatever the order of its keys."""
    program = bytes.fromhex(MULTI["program"])
    assert multi_program(MULTI["m"], KEYS) == multi_program(MULTI["m"], KEYS[::-1]) == program
    assert decode_condition(program) == Condition(needed=2, keys=KEYS)
    assert program_address(program) == decode_base58(MULTI["address_base58"])


@given(st.data(), st.lists(st.sampled_from(ALL_KEYS), min_size=1, max_size=16))
def test_round_trip(data: st.DataObject, keys: list[PublicKey]) -> None:
    """A condition is read as it was written, its keys in order."""
    needed = data.draw(st.integers(1, len(keys)))
    condition = Condition(needed=needed, keys=tuple(sorted(keys)))
    assert decode_condition(condition_program(condition)) == condition


@pytest.mark.parametrize(("needed", "count"), [(0, 2), (3, 2), (1, 17), (2, 1), (0, 0)])
def test_wrong_numbers(needed: int, count: int) -> None:
    """A program needs from one to all of 2 to 16 keys."""
    with pytest.raises(ValueError, match=f"^{needed} of {count} keys$"):
        condition_program(Condition(needed=needed, keys=KEYS[:1] * count))


PUSH = encode_push(encode_public_key(KEYS[0]))
BAD = [
    (b"", "a program that is no check of signatures"),
    (PUSH, "a program that is no check of signatures"),
    (b"\xac", "unexpected EOF"),
    (PUSH + PUSH + b"\xac", "34 bytes too many"),
    (b"\x51\xac", "opcode 0x51 where bytes are pushed"),
    (b"\x05\1\1\1\1\1\xac", "a public key of an unknown kind, 0101"),
    (b"\xae", "unexpected EOF"),
    (b"\x50" + PUSH * 2 + b"\x52\xae", "no number of keys"),
    (b"\x61" + PUSH * 2 + b"\x52\xae", "no number of keys"),
    (b"\x51" + PUSH * 2 + b"\x53\xae", "another number of keys than the program says"),
    (b"\x51" + PUSH * 2 + b"\x61\xae", "no number of keys"),
    (b"\x51" + PUSH + b"\x51\xae", "1 of 1 keys"),
    (b"\x53" + PUSH * 2 + b"\x52\xae", "3 of 2 keys"),
    (b"\x51" + PUSH * 2 + b"\xae", "unexpected EOF"),
    # What is behind one key too many is not read.
    (b"\x51" + PUSH * 17 + b"\x05\1\1\1\1\1\x60\xae", "1 of 17 keys"),
]


@pytest.mark.parametrize(("program", "reason"), BAD)
def test_bad_programs(program: bytes, reason: str) -> None:
    """What is no program of an account is refused with the reason."""
    with pytest.raises(ValueError, match=f"^{reason}$"):
        decode_condition(program)


def test_other_pushes() -> None:
    """A program that is written in another way belongs to the same account."""
    key = encode_public_key(KEYS[0])
    odd = b"\x4c" + bytes([len(key)]) + key + b"\xac"
    witness = Witness(invocation=encode_push(sign(SECRETS[0], MESSAGE)), verification=odd)
    assert signer(witness, MESSAGE) == program_address(SINGLE) != program_address(odd)


@given(st.lists(st.binary(min_size=1, max_size=300), max_size=4))
def test_signatures(signatures: list[bytes]) -> None:
    """Signatures are read as they were pushed."""
    assert list(decode_signatures(encode_signatures(signatures))) == signatures


def test_no_signatures() -> None:
    """An invocation program pushes bytes and does nothing else."""
    with pytest.raises(ValueError, match="opcode 0x51 where bytes are pushed"):
        decode_signatures(encode_push(b"\1") + b"\x51")


@relaxed
@given(st.permutations(range(2)), st.integers(1, 2))
def test_signers(order: list[int], needed: int) -> None:
    """Whoever signs first, the signer is the account of the condition."""
    condition = Condition(needed=needed, keys=KEYS)
    signatures = [sign(SECRETS[at], MESSAGE) for at in order]
    witness = make_witness(condition, signatures)
    assert signer(witness, MESSAGE) == program_address(multi_program(needed, KEYS))
    with pytest.raises(ValueError, match="a signature is missing or not right"):
        signer(make_witness(condition, signatures[: needed - 1]), MESSAGE)
    with pytest.raises(ValueError, match="a signature is missing or not right"):
        signer(witness, bytes(32))
