"""The contracts that foreign clients deploy."""

import json
from pathlib import Path

import pytest

from tests import contract
from tests.assembler import deployment
from tests.token_contract import TOKEN

pytestmark = pytest.mark.interop


def test_javascript_clients_deploy_the_assembled_contracts() -> None:
    """The file that the JavaScript clients read holds what the assembler makes of the sources."""
    kept = json.loads((Path(__file__).parent / "contract.json").read_text())
    token = "0x" + deployment(TOKEN).hex()
    assert kept == {"abi": contract.ABI, "bytecode": contract.BYTECODE, "token": token}
