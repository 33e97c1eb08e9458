"""The contract that foreign clients deploy."""

import json
from pathlib import Path

import pytest

from tests import contract

pytestmark = pytest.mark.interop


def test_javascript_clients_deploy_the_assembled_contract() -> None:
    """The file that the JavaScript clients read holds what the assembler makes of the source."""
    kept = json.loads((Path(__file__).parent / "contract.json").read_text())
    assert kept == {"abi": contract.ABI, "bytecode": contract.BYTECODE}
