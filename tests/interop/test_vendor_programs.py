"""The programs of the vendors' pages, wscat and web3.js, unmodified, with another host."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

from tests.interop.stage import node_modules
from tests.running import Running
from tests.wire import call_http

pytestmark = pytest.mark.interop

LIMIT_S: Final = 60.0
EXAMPLE: Final = (
    '{"jsonrpc":"2.0", "id": 1, "method": "eth_unsubscribe", '
    '"params": ["0x9cef478923ff08bf67fde6c64013158d"]}'
)
PROGRAM: Final = """
import { createRequire } from "node:module";
const { Web3 } = createRequire(process.argv[2])("web3");
const web3 = new Web3(process.argv[3]);

web3.eth.getBlockNumber().then(console.log).then(() => process.exit(0));
"""
"""The two lines of Alchemy's guide, and an end: web3.js asks on, about the network."""


def package(name: str) -> Path:
    """Return the directory of an npm package, or skip."""
    found = node_modules() / name
    if shutil.which("node") is None or not found.is_dir():
        pytest.skip(f"the npm package {name} is not installed: npm ci in tests/interop")
    return found


def run(*command: str) -> str:
    """Run a program of Node to its end and return what it printed."""
    with subprocess.Popen(
        ["node", *command],
        # wscat leaves as soon as its input ends.
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as program:
        assert program.stdout is not None
        try:
            program.wait(LIMIT_S)
        finally:
            program.kill()
        return program.stdout.read()


def wscat(url: str, text: str) -> str:
    """Let wscat send a text once it is connected, and return what it shows."""
    return run(str(package("wscat") / "bin" / "wscat"), "-c", url, "-w", "1", "-x", text)


def test_wscat_asks_for_the_gas_price() -> None:
    """The request of Alchemy's guide is answered with its id."""
    package("wscat")
    with Running("--silent") as server:
        said = wscat(
            f"{server.ws}ws/demo", '{"jsonrpc":  "2.0", "id": 0, "method":  "eth_gasPrice"}'
        )
        assert server.faults() == []
    assert json.loads(said) == {"jsonrpc": "2.0", "result": "0x77359400", "id": 0}


@pytest.mark.parametrize("network", ["eth", "etc", "bsc", "kcc"])
def test_wscat_executes_the_example_of_tokenview(network: str) -> None:
    """The command of the page, on each network: nobody has this id here."""
    package("wscat")
    with Running("--silent") as server:
        said = wscat(f"{server.ws}vipapi/websocket/node/{network}/apikey", EXAMPLE)
        assert server.faults() == []
    assert json.loads(said) == {"id": 1, "jsonrpc": "2.0", "result": False}


def test_web3js_asks_for_the_height(tmp_path: Path) -> None:
    """The program of Alchemy's guide prints the number of the newest block."""
    program = tmp_path / "guide.mjs"
    program.write_text(PROGRAM, encoding="utf-8")
    anchor = str(package("web3") / "package.json")
    with Running("--silent") as server:
        call_http(server.port, "anvil_mine", 3)
        assert run(str(program), anchor, f"{server.ws}ws/your-api-key") == "3n\n"
        assert server.faults() == []
