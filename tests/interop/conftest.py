"""Runs a foreign client once per transport and hands its report to the tests."""

import functools
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from tests.interop.stage import Stage, node_modules, perform

HERE: Final = Path(__file__).resolve().parent

Report = dict[str, dict[str, Any]]
Reporter = Callable[..., Report]


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> Reporter:
    """Give a function from client, transport and server options to the client's report.

    The transport is ``ws`` or ``http``.
    """

    @functools.cache
    def run(client: str, transport: str, *options: str) -> Report | str:
        command = _command(client)
        environment = os.environ | {"CHAINWS_NODE_MODULES": str(node_modules())}
        with Stage(tmp_path_factory.mktemp("chain"), *options) as stage:
            url = stage.running.ws if transport == "ws" else stage.running.http
            try:
                lines = perform([*command, url], stage, environment)
            except RuntimeError as error:
                return str(error)
            faults = stage.faults()
        return {line["name"]: line for line in lines} if not faults else "\n".join(faults)

    def give(client: str, transport: str, *options: str) -> Report:
        found = run(client, transport, *options)
        # A program that failed is not run anew for each of its checks.
        if isinstance(found, str):
            pytest.fail(found, pytrace=False)
        return found

    return give


def _command(client: str) -> list[str]:
    if client == "web3":
        pytest.importorskip("web3", reason="web3.py is not installed")
        return [sys.executable, str(HERE / "client_web3.py")]
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not installed")
    if not (node_modules() / client).is_dir():
        pytest.skip(f"the npm package {client} is not installed: npm ci in tests/interop")
    return [node, str(HERE / f"client_{client}.mjs")]
