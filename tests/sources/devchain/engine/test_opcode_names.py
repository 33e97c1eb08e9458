"""Names as go-ethereum writes them."""

import pytest
from eth.vm import opcode_values

from twisted_chainws.sources.devchain.engine.opcode_names import CODES, NAMES


def test_py_evm_has_the_same_numbers() -> None:
    """Every opcode of py-evm has its name here, but for two that geth calls otherwise."""
    otherwise = {"SHA3": "KECCAK256", "PREVRANDAO": "DIFFICULTY"}
    known = {
        otherwise.get(name, name): value
        for name, value in vars(opcode_values).items()
        if name.isupper() and isinstance(value, int)
    }
    assert len(known) > 140
    assert known.items() <= CODES.items()


@pytest.mark.parametrize(
    ("opcode", "name"),
    [
        (0x0C, "opcode 0xc not defined"),
        (0x1E, "CLZ"),
        (0x44, "DIFFICULTY"),
        (0xEE, "RETURNCONTRACT"),
        (0xF9, "EXTDELEGATECALL"),
        (0xFE, "INVALID"),
        (0xFF, "SELFDESTRUCT"),
    ],
)
def test_names(opcode: int, name: str) -> None:
    """Also opcodes without a meaning have one."""
    assert NAMES[opcode] == name
