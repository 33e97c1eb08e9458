"""@zilliqa-js/subscriptions, unmodified, follows blocks, events and payments."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest

from tests.interop.stage import PROGRAM_LIMIT_S, node_modules
from tests.running import Running, free_port

pytestmark = pytest.mark.interop

PROGRAM: Final = Path(__file__).resolve().with_name("client_zilliqa.mjs")
CHECKS: Final = (
    "follows blocks and stops",
    "follows the events of a contract",
    "follows payments with a small subclass",
)


@pytest.fixture(scope="module", name="lines")
def _lines() -> dict[str, Any]:
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not installed")
    if not (node_modules() / "@zilliqa-js" / "subscriptions").is_dir():
        pytest.skip("@zilliqa-js/subscriptions is not installed: npm ci in tests/interop")
    port = free_port()
    with Running("--silent", "--listen", f"zilliqa=tcp:{port}") as server:
        done = subprocess.run(
            [node, str(PROGRAM), f"ws://127.0.0.1:{port}/", server.http],
            env=os.environ | {"CHAINWS_NODE_MODULES": str(node_modules())},
            capture_output=True,
            text=True,
            timeout=PROGRAM_LIMIT_S,
            check=False,
        )
        assert server.faults() == []
    assert done.returncode == 0, done.stderr
    return {line["name"]: line for line in map(json.loads, done.stdout.splitlines())}


@pytest.mark.parametrize("name", CHECKS)
def test_zilliqa_js(lines: dict[str, Any], name: str) -> None:
    """The library does what the sentence says."""
    assert lines[name]["ok"], lines[name].get("detail")
