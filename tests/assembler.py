"""A very small EVM assembler, so that the contracts of the tests are readable text.

A program is a list of words: mnemonics, ``0x`` literals (pushed with the shortest ``PUSHn``),
``:name`` (a label, which places a ``JUMPDEST``) and ``@name`` (pushes a label as two bytes).
"""

from collections.abc import Sequence
from typing import Final

OPCODES: Final = {
    "STOP": 0x00, "ADD": 0x01, "MUL": 0x02, "SUB": 0x03, "LT": 0x10, "GT": 0x11, "EQ": 0x14,
    "ISZERO": 0x15, "SHL": 0x1B, "SHR": 0x1C, "KECCAK256": 0x20, "ADDRESS": 0x30, "BALANCE": 0x31,
    "CALLER": 0x33, "CALLVALUE": 0x34, "CALLDATALOAD": 0x35, "CALLDATASIZE": 0x36,
    "CODECOPY": 0x39, "EXTCODESIZE": 0x3B, "RETURNDATASIZE": 0x3D, "RETURNDATACOPY": 0x3E,
    "EXTCODEHASH": 0x3F, "BLOBHASH": 0x49, "POP": 0x50, "MLOAD": 0x51, "MSTORE": 0x52,
    "SLOAD": 0x54, "SSTORE": 0x55, "JUMP": 0x56, "JUMPI": 0x57, "GAS": 0x5A, "PUSH0": 0x5F,
    "DUP1": 0x80, "DUP2": 0x81, "SWAP1": 0x90, "LOG0": 0xA0, "LOG1": 0xA1, "LOG2": 0xA2,
    "LOG3": 0xA3,
    "CREATE": 0xF0, "CALL": 0xF1, "CALLCODE": 0xF2, "RETURN": 0xF3, "DELEGATECALL": 0xF4,
    "CREATE2": 0xF5, "STATICCALL": 0xFA, "REVERT": 0xFD, "INVALID": 0xFE, "SELFDESTRUCT": 0xFF,
}  # fmt: skip


def assemble(source: str) -> bytes:
    """Translate the words of ``source``; everything after ``;`` on a line is a comment.

    Raises:
        KeyError: a mnemonic or label is unknown.
    """
    words = [word for line in source.splitlines() for word in line.split(";")[0].split()]
    labels = _place(words)
    return b"".join(_encode(word, labels) for word in words)


def deployment(runtime: bytes) -> bytes:
    """Return init code that stores nothing and returns ``runtime`` (at most 65,535 bytes)."""
    size = len(runtime)
    head = bytes.fromhex(f"61{size:04x}80600a5f395ff3".replace(" ", ""))
    return head + b"\x00" * (10 - len(head)) + runtime


def _place(words: Sequence[str]) -> dict[str, int]:
    labels: dict[str, int] = {}
    position = 0
    for word in words:
        if word.startswith(":"):
            labels[word[1:]] = position
        position += _size(word)
    return labels


def _size(word: str) -> int:
    if word.startswith("@"):
        return 3
    if word.startswith("0x"):
        return 1 + len(_literal(word))
    return 1


def _encode(word: str, labels: dict[str, int]) -> bytes:
    if word.startswith(":"):
        return b"\x5b"
    if word.startswith("@"):
        return b"\x61" + labels[word[1:]].to_bytes(2, "big")
    if word.startswith("0x"):
        literal = _literal(word)
        return bytes((0x5F + len(literal),)) + literal
    return bytes((OPCODES[word],))


def _literal(word: str) -> bytes:
    digits = word[2:]
    return bytes.fromhex(digits.zfill(len(digits) + len(digits) % 2))
