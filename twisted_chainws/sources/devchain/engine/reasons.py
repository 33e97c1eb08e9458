"""EVM failures in geth's words.

Source: go-ethereum core/vm/errors.go.
"""

from collections.abc import Mapping
from typing import Any

from eth.exceptions import (
    ContractCreationCollision,
    FullStack,
    InsufficientFunds,
    InsufficientStack,
    InvalidInstruction,
    InvalidJumpDestination,
    OutOfBoundsRead,
    OutOfGas,
    ReservedBytesInCode,
    StackDepthLimit,
    VMError,
    WriteProtection,
)

_DESIGNATED_INVALID = 0xFE

_REASONS: Mapping[type[VMError], str] = {
    InvalidJumpDestination: "invalid jump destination",
    WriteProtection: "write protection",
    StackDepthLimit: "max call depth exceeded",
    InsufficientFunds: "insufficient balance for transfer",
    OutOfBoundsRead: "return data out of bounds",
    ReservedBytesInCode: "invalid code: must not begin with 0xef",
    ContractCreationCollision: "contract address collision",
    FullStack: "stack limit reached 1024 (1023)",
}


def describe(error: VMError, computation: Any) -> str:
    """Word a failure as geth does.

    Source: go-ethereum core/vm/errors.go.
    """
    text = str(error)
    if isinstance(error, OutOfGas):
        return _describe_out_of_gas(text)
    if isinstance(error, InvalidInstruction):
        return _describe_invalid(text)
    if isinstance(error, InsufficientStack):
        return _describe_underflow(text, computation)
    for kind, reason in _REASONS.items():
        if isinstance(error, kind):
            return reason
    return text or "execution failed"


def _describe_out_of_gas(text: str) -> str:
    if "EIP170" in text:
        return "max code size exceeded"
    if "EIP-3860" in text:
        return "max initcode size exceeded"
    if "Write contract code" in text:
        return "contract creation code storage out of gas"
    return "out of gas"


def _describe_invalid(text: str) -> str:
    if not text.startswith("Invalid opcode 0x"):
        # A jump into the data of a push.
        return "invalid jump destination"
    opcode = int(text.split()[2], 16)
    name = "INVALID" if opcode == _DESIGNATED_INVALID else f"opcode {opcode:#x} not defined"
    return f"invalid opcode: {name}"


def _describe_underflow(text: str, computation: Any) -> str:
    have = len(computation._stack.values) if computation is not None else 0  # noqa: SLF001
    words = text.split()
    last = words[-1]
    if last.startswith("SWAP"):
        need = int(last[4:]) + 1
    elif last.startswith("DUP"):
        need = int(last[3:])
    else:
        need = int(words[1])
    return f"stack underflow ({have} <=> {need})"
