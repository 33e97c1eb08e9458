"""Programs that unlock accounts: pushes of keys and of signatures. Sans-I/O.

Source: ``ontology.md`` 6.4; the node's ``core/program/program.go`` and
``core/validation/transaction_validator.go``, 26b5ad4f.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from twisted_chainws.chain.types import Address20
from twisted_chainws.dialects.ontology.address import program_address
from twisted_chainws.dialects.ontology.binary_codec import Reader
from twisted_chainws.dialects.ontology.keys import (
    PublicKey,
    decode_public_key,
    encode_public_key,
)
from twisted_chainws.dialects.ontology.signature import verify_all

MAX_KEYS: Final = 16
"""Of one multi-signature program."""

_LONGEST_DIRECT: Final = 75
_WIDTHS: Final = {0x4C: 1, 0x4D: 2, 0x4E: 4}
"""Opcode of a long push -> how many bytes its length has."""

_PUSH_NUMBER: Final = 0x50
_CHECKSIG: Final = 0xAC
_CHECKMULTISIG: Final = 0xAE


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What a verification program demands.

    Attributes:
        needed: how many of the keys have to sign.
        keys: in the order of the program.
    """

    needed: int
    keys: tuple[PublicKey, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """One entry of a transaction's signature section, as it is written.

    Attributes:
        invocation: pushes the signatures.
        verification: names the keys.
    """

    invocation: bytes
    verification: bytes


def encode_push(data: bytes) -> bytes:
    """Write the push of bytes that are not empty."""
    if len(data) <= _LONGEST_DIRECT:
        return bytes([len(data)]) + data
    opcode, width = next(
        (opcode, width) for opcode, width in _WIDTHS.items() if len(data) < 1 << 8 * width
    )
    return bytes([opcode]) + len(data).to_bytes(width, "little") + data


def read_push(reader: Reader) -> bytes:
    """Take a push of bytes.

    Raises:
        ValueError: something else stands there.
    """
    opcode = reader.number(1)
    if 0 < opcode <= _LONGEST_DIRECT:
        return reader.take(opcode)
    width = _WIDTHS.get(opcode)
    if width is None:
        raise ValueError(f"opcode {opcode:#04x} where bytes are pushed")
    return reader.take(reader.number(width))


def single_program(key: PublicKey) -> bytes:
    """Return the program of an account with one key."""
    return encode_push(encode_public_key(key)) + bytes([_CHECKSIG])


def multi_program(needed: int, keys: Iterable[PublicKey]) -> bytes:
    """Return the program of an account of which some keys together sign.

    Args:
        needed: how many, from 1 to all.
        keys: 2 to 16 in any order; the program has them in theirs.

    Raises:
        ValueError: the numbers are not so.
    """
    ordered = sorted(keys)
    _check_numbers(needed, len(ordered))
    pushes = b"".join(encode_push(encode_public_key(key)) for key in ordered)
    count = bytes([_PUSH_NUMBER + len(ordered), _CHECKMULTISIG])
    return bytes([_PUSH_NUMBER + needed]) + pushes + count


def condition_program(condition: Condition) -> bytes:
    """Return the program of a condition as the node would write it.

    Raises:
        ValueError: no program can demand this.
    """
    if len(condition.keys) == 1 == condition.needed:
        return single_program(condition.keys[0])
    return multi_program(condition.needed, condition.keys)


def decode_condition(program: bytes) -> Condition:
    """Read a verification program; the keys of a multi-signature one may be in any order.

    Raises:
        ValueError: it is neither kind of program.
    """
    end, reader = program[-1:], Reader(program[:-1])
    if end == bytes([_CHECKSIG]):
        keys, needed = [decode_public_key(read_push(reader))], 1
    elif end == bytes([_CHECKMULTISIG]):
        needed = _read_number(reader)
        keys = []
        # One too many is enough to know: a point takes long to find.
        while reader.remaining > 1 and len(keys) <= MAX_KEYS:
            keys.append(decode_public_key(read_push(reader)))
        _check_numbers(needed, len(keys))
        if _read_number(reader) != len(keys):
            raise ValueError("another number of keys than the program says")
    else:
        raise ValueError("a program that is no check of signatures")
    reader.finish()
    return Condition(needed=needed, keys=tuple(keys))


def encode_signatures(signatures: Iterable[bytes]) -> bytes:
    """Write an invocation program."""
    return b"".join(encode_push(signature) for signature in signatures)


def decode_signatures(program: bytes) -> tuple[bytes, ...]:
    """Read an invocation program.

    Raises:
        ValueError: it holds something else than pushes of bytes.
    """
    reader, signatures = Reader(program), []
    while reader.remaining:
        signatures.append(read_push(reader))
    return tuple(signatures)


def make_witness(condition: Condition, signatures: Sequence[bytes]) -> Witness:
    """Put an entry of the signature section together.

    Raises:
        ValueError: as ``condition_program``.
    """
    return Witness(
        invocation=encode_signatures(signatures), verification=condition_program(condition)
    )


def signer(witness: Witness, message: bytes) -> Address20:
    """Return whose signatures a witness holds: the address of its condition.

    Args:
        witness: keys and signatures.
        message: what was signed; of a transaction its hash.

    Raises:
        ValueError: the programs are not as they have to be, or a signature is not right.
        Unsupported: a signature is of SM2.
    """
    condition = decode_condition(witness.verification)
    signatures = decode_signatures(witness.invocation)
    if not verify_all(condition.keys, condition.needed, message, signatures):
        raise ValueError("a signature is missing or not right")
    return program_address(condition_program(condition))


def _check_numbers(needed: int, count: int) -> None:
    if not (1 <= needed <= count and 1 < count <= MAX_KEYS):
        raise ValueError(f"{needed} of {count} keys")


def _read_number(reader: Reader) -> int:
    number = reader.number(1) - _PUSH_NUMBER
    if not 1 <= number <= MAX_KEYS:
        raise ValueError("no number of keys")
    return number
