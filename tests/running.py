"""A real server in a process of its own, for tests and benchmarks that look from outside."""

import contextlib
import os
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

ROOT: Final = Path(__file__).resolve().parent.parent
START_LIMIT_S: Final = 30.0
STOP_LIMIT_S: Final = 15.0
_FAULT: Final = re.compile(
    r"""Traceback|Unhandled|log_failure|#(error|critical)|"(error|critical)\""""
)


class Running:
    """``chainws`` with one Ethereum listener on a free loopback port.

    Attributes:
        port: where it listens, HTTP and WebSocket alike.
    """

    def __init__(
        self,
        *options: str,
        prefix: Sequence[str] = (),
        port: int | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.port = free_port() if port is None else port
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed in stop()
        command = [
            *prefix,
            *(sys.executable, "-m", "twisted", "chainws"),
            *("--listen", f"ethereum=tcp:{self.port}"),
            *options,
        ]
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
        )
        self._engine = 0

    def __enter__(self) -> Self:
        try:
            self.wait()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def ws(self) -> str:
        """The WebSocket URL."""
        return f"ws://127.0.0.1:{self.port}/"

    @property
    def http(self) -> str:
        """The HTTP URL."""
        return f"http://127.0.0.1:{self.port}/"

    def wait(self, port: int | None = None) -> None:
        """Return as soon as a port accepts connections.

        Args:
            port: of a further listener; None for the usual one.

        Raises:
            RuntimeError: the process ended or took too long; the text is its log.
        """
        port = self.port if port is None else port
        deadline = time.monotonic() + START_LIMIT_S
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            time.sleep(0.005)
        raise RuntimeError(f"the server did not start:\n{self.log()}")

    def stop(self) -> None:
        """End the process, politely first."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._log.close()

    def log(self) -> str:
        """Return everything that the server has printed so far."""
        # pread leaves alone the offset that the server's own descriptors share with this one.
        descriptor = self._log.fileno()
        return os.pread(descriptor, os.fstat(descriptor).st_size, 0).decode(errors="replace")

    def faults(self) -> list[str]:
        """Return the lines of the log that tell of a mistake in the program, in either format."""
        return [line for line in self.log().splitlines() if _FAULT.search(line)]

    def engine(self) -> int:
        """Return the process id of the engine.

        Raises:
            LookupError: there is none at the moment.
        """
        for child in _children(self.process.pid):
            if b"devchain" in _command_line(child):
                return child
        raise LookupError("no engine process")

    def kill(self) -> None:
        """Kill the server and its engine as ``kill -9`` does; return when both are gone (Linux)."""
        engine = os.pidfd_open(self.engine())
        try:
            self.process.kill()
            self.process.wait()
            signal.pidfd_send_signal(engine, signal.SIGKILL)
            # The engine is no child of ours; its descriptor is readable when it has ended.
            select.select([engine], [], [], STOP_LIMIT_S)
        finally:
            os.close(engine)

    def kill_engine(self) -> None:
        """Kill the engine as ``kill -9`` does."""
        os.kill(self.engine(), signal.SIGKILL)

    def memory_mb(self, field: str = "VmRSS") -> float:
        """Return the resident memory of the server process without its engine (Linux).

        Args:
            field: ``VmRSS`` for now, ``VmHWM`` for the peak.
        """
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1]) / 1024
        raise LookupError(field)


def free_port() -> int:
    """Return a TCP port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _children(parent: int) -> Iterator[int]:
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            facts = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            if int(facts[1]) == parent and facts[0] != "Z":
                yield int(entry.name)


def _command_line(process: int) -> bytes:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{process}/cmdline").read_bytes()
    return b""
