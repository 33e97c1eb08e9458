"""The names of all opcodes, as go-ethereum writes them, whatever fork knows them.

Source: go-ethereum core/vm/opcodes.go, 02b73d4e.
"""

from collections.abc import Iterator, Mapping
from typing import Final

_RANGES: Final[Mapping[int, str]] = {
    0x00: "STOP ADD MUL SUB DIV SDIV MOD SMOD ADDMOD MULMOD EXP SIGNEXTEND",
    0x10: "LT GT SLT SGT EQ ISZERO AND OR XOR NOT BYTE SHL SHR SAR CLZ",
    0x20: "KECCAK256",
    0x30: "ADDRESS BALANCE ORIGIN CALLER CALLVALUE CALLDATALOAD CALLDATASIZE CALLDATACOPY CODESIZE"
    " CODECOPY GASPRICE EXTCODESIZE EXTCODECOPY RETURNDATASIZE RETURNDATACOPY EXTCODEHASH",
    0x40: "BLOCKHASH COINBASE TIMESTAMP NUMBER DIFFICULTY GASLIMIT CHAINID SELFBALANCE BASEFEE"
    " BLOBHASH BLOBBASEFEE SLOTNUM",
    0x50: "POP MLOAD MSTORE MSTORE8 SLOAD SSTORE JUMP JUMPI PC MSIZE GAS JUMPDEST TLOAD TSTORE"
    " MCOPY PUSH0",
    0x60: " ".join(f"PUSH{size}" for size in range(1, 33)),
    0x80: " ".join(f"DUP{depth}" for depth in range(1, 17)),
    0x90: " ".join(f"SWAP{depth}" for depth in range(1, 17)),
    0xA0: "LOG0 LOG1 LOG2 LOG3 LOG4",
    0xD0: "DATALOAD DATALOADN DATASIZE DATACOPY",
    0xE0: "RJUMP RJUMPI RJUMPV CALLF RETF JUMPF DUPN SWAPN EXCHANGE",
    0xEC: "EOFCREATE",
    0xEE: "RETURNCONTRACT",
    0xF0: "CREATE CALL CALLCODE RETURN DELEGATECALL CREATE2",
    0xF7: "RETURNDATALOAD EXTCALL EXTDELEGATECALL STATICCALL EXTSTATICCALL",
    0xFD: "REVERT INVALID SELFDESTRUCT",
}


def _names() -> Iterator[str]:
    known = {
        first + offset: name
        for first, names in _RANGES.items()
        for offset, name in enumerate(names.split())
    }
    for opcode in range(256):
        yield known.get(opcode, f"opcode {opcode:#x} not defined")


NAMES: Final = tuple(_names())
"""Name by opcode; ``DIFFICULTY`` also since it returns randomness."""

CODES: Final[Mapping[str, int]] = {name: opcode for opcode, name in enumerate(NAMES)}
"""Opcode by name."""
