"""The servers that are compared, each started the same way and pinned to the same core."""

import atexit
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from tests.running import ROOT, Running, free_port

SERVER_CORE: Final = "0"
LOAD_CORE: Final = "1"
OURS: Final = "chainws"
STOCK: Final = {"stock Autobahn": "stock_autobahn", "websockets": "stock_websockets"}
NAMES: Final = (OURS, *STOCK)


@contextlib.contextmanager
def started(name: str) -> Iterator[tuple[int, int]]:
    """Run a contestant on the server's core and give its port and process id."""
    if name == OURS:
        with Running("--silent", prefix=pinned(SERVER_CORE)) as running:
            yield running.port, running.process.pid
        return
    with started_module(STOCK[name]) as found:
        yield found


@contextlib.contextmanager
def started_module(name: str) -> Iterator[tuple[int, int]]:
    """Run a server of this folder on the server's core and give its port and process id."""
    port = free_port()
    command = [*pinned(SERVER_CORE), sys.executable, "-m", f"benchmarks.{name}", str(port)]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        _await_port(port)
        yield port, process.pid
    finally:
        process.kill()
        process.wait()


def pinned(core: str) -> list[str]:
    """Return the words that put a command on one core, where that is possible."""
    return ["taskset", "-c", core] if shutil.which("taskset") else []


def build_load() -> Path:
    """Compile the load generator and return its path.

    Raises:
        SystemExit: there is no C compiler.
    """
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise SystemExit("a C compiler is needed: the load generator must cost next to nothing")
    folder = tempfile.mkdtemp(prefix="chainws-load-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    target = Path(folder) / "load"
    source = str(ROOT / "benchmarks" / "load.c")
    subprocess.run([compiler, "-O2", "-o", str(target), source], check=True)
    return target


class Load:
    """One running load generator."""

    def __init__(self, program: Path, port: int, *words: str, core: str = LOAD_CORE) -> None:
        command = [*pinned(core), str(program), str(port), *words]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def line(self) -> str:
        """Return its next line.

        Raises:
            RuntimeError: it ended; what it complained about is on the terminal.
        """
        text = self._process.stdout.readline() if self._process.stdout else ""
        if not text:
            raise RuntimeError("the load generator failed")
        return text.strip()

    def ready(self) -> None:
        """Wait until all its connections are open.

        Raises:
            RuntimeError: they could not be opened.
        """
        if self.line() != "ready":
            raise RuntimeError("the load generator is not ready")

    def ask(self, text: str) -> Any:
        """Send a line and return the JSON of the answer."""
        if self._process.stdin:
            self._process.stdin.write(text + "\n")
            self._process.stdin.flush()
        return json.loads(self.line())

    def stop(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()


def requests(
    program: Path, port: int, pid: int, shape: Sequence[int], milliseconds: int
) -> tuple[float, float]:
    """Measure one shape (connections, pipeline).

    Returns:
        Answers per second, and seconds of processor time that the server spent on each.
    """
    load = Load(program, port, "requests", *map(str, shape), str(milliseconds))
    try:
        load.ready()
        before = processor_s(pid)
        found = json.loads(load.line())
        return found["per_second"], (processor_s(pid) - before) / found["answers"]
    finally:
        load.stop()


def processor_s(pid: int) -> float:
    """Return the processor time that a process has used, user and kernel, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _await_port(port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        time.sleep(0.02)
    raise RuntimeError("a contestant did not start")
