"""Runs a foreign client once per transport and hands its report to the tests."""

import functools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from tests.running import Running

HERE: Final = Path(__file__).resolve().parent
CLIENT_LIMIT_S: Final = 240

Report = dict[str, dict[str, Any]]
Reporter = Callable[[str, str], Report]


@pytest.fixture(scope="session")
def report() -> Reporter:
    """Give a function from client and transport (``ws`` or ``http``) to the client's report."""

    @functools.cache
    def run(client: str, transport: str) -> Report:
        command = _command(client)
        with Running() as server:
            url = server.ws if transport == "ws" else server.http
            done = subprocess.run(
                [*command, url],
                capture_output=True,
                check=False,
                env=os.environ | {"CHAINWS_NODE_MODULES": str(_node_modules())},
                text=True,
                timeout=CLIENT_LIMIT_S,
            )
            faults = server.faults()
        assert done.returncode == 0, done.stdout + done.stderr
        assert faults == []
        lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        return {line["name"]: line for line in lines}

    return run


def _command(client: str) -> list[str]:
    if client == "web3":
        pytest.importorskip("web3", reason="web3.py is not installed")
        return [sys.executable, str(HERE / "client_web3.py")]
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not installed")
    if not (_node_modules() / client).is_dir():
        pytest.skip(f"the npm package {client} is not installed: npm ci in tests/interop")
    return [node, str(HERE / f"client_{client}.mjs")]


def _node_modules() -> Path:
    return Path(os.environ.get("CHAINWS_NODE_MODULES", HERE / "node_modules")).resolve()
