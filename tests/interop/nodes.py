"""Ethereum nodes of others, unmodified, in processes of their own.

Each mines a block for each transaction, has the accounts of the mnemonic ``test … junk``, and
listens on a loopback port.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

import pytest

from tests.interop.stage import node_modules
from tests.running import START_LIMIT_S, STOP_LIMIT_S, free_port
from tests.wire import RpcError, call_http

HERE: Final = Path(__file__).resolve().parent
CHAIN_ID: Final = 31_337
MNEMONIC: Final = "test test test test test test test test test test test junk"
ANVIL: Final = "@foundry-rs/anvil-linux-amd64"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A program that is a node.

    Attributes:
        package: of npm.
        program: file of the package; JavaScript, unless it is ``native``.
        arguments: from port, chain id and directory to those of the command line.
        native: whether the program runs without Node.
        keeps: whether its chain outlives ``stop``.
        outlives: whether its chain outlives ``kill``, too.
    """

    package: str
    program: str
    arguments: Callable[[int, int, Path], list[str]]
    native: bool = False
    keeps: bool = False
    outlives: bool = False


def _anvil(port: int, chain_id: int, directory: Path) -> list[str]:
    state = ["--state", str(directory / f"anvil-{chain_id}.json")]
    return ["--port", str(port), "--chain-id", str(chain_id), *state, "--silent"]


def _hardhat(port: int, _chain_id: int, _directory: Path) -> list[str]:
    config = ["--config", str(HERE / "hardhat.config.cjs")]
    return [*config, "node", "--hostname", "127.0.0.1", "--port", str(port)]


def _ganache(port: int, chain_id: int, directory: Path) -> list[str]:
    return [
        *("--server.host", "127.0.0.1", "--server.port", str(port), "--logging.quiet"),
        *("--wallet.mnemonic", MNEMONIC, "--chain.chainId", str(chain_id)),
        *("--database.dbPath", str(directory / f"ganache-{chain_id}")),
    ]


KINDS: Final[dict[str, Kind]] = {
    "anvil": Kind(package=ANVIL, program="bin/anvil", arguments=_anvil, native=True, keeps=True),
    "hardhat": Kind(package="hardhat", program="internal/cli/bootstrap.js", arguments=_hardhat),
    "ganache": Kind(
        package="ganache",
        program="dist/node/cli.js",
        arguments=_ganache,
        keeps=True,
        outlives=True,
    ),
}


class Foreign:
    """A node that may be ended and started again; all methods block.

    Attributes:
        kind: of node.
        port: where it listens, HTTP and WebSocket alike.
    """

    def __init__(self, name: str, directory: Path) -> None:
        """Prepare, or skip the test if the node is not installed.

        Args:
            name: of the kind.
            directory: keeps the chain.
        """
        self.kind = kind = KINDS[name]
        self.port = free_port()
        self._directory = directory
        program = node_modules() / kind.package / kind.program
        if not program.is_file():
            pytest.skip(f"the npm package {kind.package} is not installed: npm ci in tests/interop")
        node = shutil.which("node")
        if node is None:
            pytest.skip("Node is not installed")
        self._command = [str(program)] if kind.native else [node, str(program)]
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed in __exit__
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start."""
        try:
            self.start()
        except BaseException:
            self.kill()
            self._log.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End for good."""
        self.kill()
        self._log.close()

    @property
    def url(self) -> str:
        """The WebSocket URL."""
        return f"ws://127.0.0.1:{self.port}/"

    def start(self, chain_id: int = CHAIN_ID) -> None:
        """Start, and return when it answers.

        Args:
            chain_id: a chain for each.

        Raises:
            RuntimeError: it ended or took too long; the text is its log.
        """
        self._process = subprocess.Popen(
            [*self._command, *self.kind.arguments(self.port, chain_id, self._directory)],
            # hardhat wants to be found from where it runs.
            cwd=node_modules().parent,
            env=os.environ
            | {"HARDHAT_DISABLE_TELEMETRY_PROMPT": "true", "CHAIN_ID": str(chain_id)},
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
        )
        deadline = time.monotonic() + START_LIMIT_S
        while time.monotonic() < deadline and self._process.poll() is None:
            with contextlib.suppress(OSError, RpcError):
                call_http(self.port, "eth_chainId")
                return
            time.sleep(0.02)
        self._log.seek(0)
        raise RuntimeError(f"the node did not start:\n{self._log.read().decode(errors='replace')}")

    def stop(self) -> None:
        """End it as from a terminal: it may write down its chain."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """End it without warning."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(how)
        try:
            process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
