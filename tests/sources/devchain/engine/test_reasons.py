"""Texts for failures that hardly any test contract reaches."""

import pytest
from eth.exceptions import (
    ContractCreationCollision,
    InsufficientFunds,
    InsufficientStack,
    OutOfGas,
    StackDepthLimit,
    VMError,
    WriteProtection,
)

from twisted_chainws.sources.devchain.engine.reasons import describe


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (WriteProtection("x"), "write protection"),
        (StackDepthLimit("x"), "max call depth exceeded"),
        (InsufficientFunds("x"), "insufficient balance for transfer"),
        (ContractCreationCollision("x"), "contract address collision"),
        (OutOfGas("Contract code size exceeds EIP-3860 limit"), "max initcode size exceeded"),
        (InsufficientStack("Wanted 1 stack item, had none"), "stack underflow (0 <=> 1)"),
        (VMError("Invalid ECADD parameters"), "Invalid ECADD parameters"),
        (VMError(), "execution failed"),
    ],
)
def test_each_failure_has_geths_text(error: VMError, reason: str) -> None:
    """A class decides the text; unknown failures of precompiles keep their own."""
    assert describe(error, None) == reason
