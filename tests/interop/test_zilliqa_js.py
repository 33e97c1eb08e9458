"""@zilliqa-js/subscriptions, unmodified, follows blocks, events and payments."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest

from tests.interop.stage import PROGRAM_LIMIT_S, node_modules
from tests.pages import blocks, read_page
from tests.running import Running, free_port
from tests.wire import call_http

pytestmark = pytest.mark.interop

PROGRAM: Final = Path(__file__).resolve().with_name("client_zilliqa.mjs")
CHECKS: Final = (
    "follows blocks and stops",
    "follows the events of a contract",
    "follows payments with a small subclass",
)


def _node() -> str:
    """Return the interpreter, or skip when it or the library is missing."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not installed")
    if not (node_modules() / "@zilliqa-js" / "subscriptions").is_dir():
        pytest.skip("@zilliqa-js/subscriptions is not installed: npm ci in tests/interop")
    return node


@pytest.fixture(scope="module", name="lines")
def _lines() -> dict[str, Any]:
    node = _node()
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


def test_the_program_of_the_guide() -> None:
    """The page's program, in a file of its own, prints each block."""
    node = _node()
    (program,) = blocks(read_page("zilliqa.md"), "js")
    port = free_port()
    with Running("--silent", "--listen", f"zilliqa=tcp:{port}") as server:
        server.wait(port)
        with subprocess.Popen(
            [node, "-e", program.replace("4401", str(port))],
            env=os.environ | {"NODE_PATH": str(node_modules())},
            stdout=subprocess.PIPE,
            text=True,
        ) as running:
            try:
                assert running.stdout is not None
                assert running.stdout.readline() == "subscribed\n"
                call_http(server.port, "evm_mine")
                assert running.stdout.readline() == "block 1 with 0 transactions\n"
            finally:
                running.kill()
        assert server.faults() == []
