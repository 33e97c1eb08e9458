"""ontology-ts-sdk, unmodified, asks everything it can, pays and follows the chain."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest

from tests.interop.stage import PROGRAM_LIMIT_S, node_modules
from tests.running import Running, free_port
from twisted_chainws.sources.devchain.accounts import WELL_KNOWN_ACCOUNTS

pytestmark = pytest.mark.interop

PROGRAM: Final = Path(__file__).resolve().with_name("client_ontology.mjs")
CHECKS: Final = (
    "answers with one connection for each request",
    "pays with ONT V1 and waits for the notice",
    "pays with ONG V1 and waits for the notice",
    "pays with ONT V2 and waits for the notice",
    "pays with ONG V2 and waits for the notice",
    "waits for notices again and again",
    "sends without waiting, and asks everything of it",
    "reads accounts, contracts and the network",
    "finds a transaction that waits",
    "has its transactions executed without sending them",
    "lets a friend spend",
    "pays several at once at another's expense",
    "pays from an account of two keys",
    "verifies the proof of a payment",
    "follows everything",
    "offers nothing that was not used",
)


def interpreter() -> tuple[str, str]:
    """Return Node and the folder of its packages, or skip when it or the library is missing."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not installed")
    if not (node_modules() / "ontology-ts-sdk").is_dir():
        pytest.skip("ontology-ts-sdk is not installed: npm ci in tests/interop")
    return node, str(node_modules())


@pytest.fixture(scope="module", name="lines")
def _lines() -> dict[str, Any]:
    (node, packages), port = interpreter(), free_port()
    keys = [account.ontology_key.hex() for account in WELL_KNOWN_ACCOUNTS[:2]]
    with Running("--silent", "--listen", f"ontology=tcp:{port}") as server:
        server.wait(port)
        done = subprocess.run(
            [node, str(PROGRAM), f"ws://127.0.0.1:{port}", server.http, *keys],
            env=os.environ | {"CHAINWS_NODE_MODULES": packages},
            capture_output=True,
            text=True,
            timeout=PROGRAM_LIMIT_S,
            check=False,
        )
        assert server.faults() == []
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith('{"name":')]
    return {line["name"]: line for line in map(json.loads, lines)}


@pytest.mark.parametrize("name", CHECKS)
def test_ontology_js(lines: dict[str, Any], name: str) -> None:
    """The library does what the sentence says."""
    assert lines[name]["ok"], lines[name].get("detail")


def test_the_report_is_complete(lines: dict[str, Any]) -> None:
    """The client ran exactly the checks listed here."""
    assert tuple(lines) == (*CHECKS, "version")
