"""What a client program meets: a real server, and hands that move it when the program asks.

A program asks with a line ``{"ask": VERB}`` on its output and waits for ``{"answer": …}`` on its
input, so it knows what has happened without waiting for time to pass.
"""

import json
import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self

from tests.running import Running, free_port

PROGRAM_LIMIT_S: Final = 240.0


def node_modules() -> Path:
    """Return where the npm packages are."""
    here = Path(__file__).parent / "node_modules"
    return Path(os.environ.get("CHAINWS_NODE_MODULES", here)).resolve()


class Stage:
    """A server whose chain outlives it.

    Attributes:
        running: the server of the moment.
    """

    def __init__(self, directory: Path, *options: str) -> None:
        """Start the server.

        Args:
            directory: keeps the chain.
            options: of every server that serves it.
        """
        self._options = (*options, "--data-dir", str(directory))
        self._port = free_port()
        self._faults: list[str] = []
        self.running = self._start(self._port)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._end()

    def away(self) -> str:
        """Kill the server, serve its chain at another port, and return that HTTP URL."""
        self.running.kill()
        self._end()
        self.running = self._start(free_port())
        return self.running.http

    def back(self) -> None:
        """End the server, and serve its chain at the first port again."""
        self._end()
        self.running = self._start(self._port)

    def freeze(self) -> None:
        """Stop the server's process without a word: its sockets stay open and say nothing."""
        self.running.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it run again."""
        self.running.process.send_signal(signal.SIGCONT)

    def answer(self, verb: str) -> str | None:
        """Do what a program asks for."""
        actions: dict[str, Callable[[], str | None]] = {
            "away": self.away,
            "back": self.back,
            "freeze": self.freeze,
            "thaw": self.thaw,
        }
        return actions[verb]()

    def faults(self) -> list[str]:
        """Return what the logs of all servers so far tell of mistakes in the program."""
        return self._faults + self.running.faults()

    def _start(self, port: int) -> Running:
        return Running("--silent", *self._options, port=port).__enter__()

    def _end(self) -> None:
        self._faults += self.running.faults()
        self.running.stop()


def perform(
    command: Sequence[str], stage: Stage, environment: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Run a client program to its end and return the lines of its report.

    Raises:
        RuntimeError: it failed or took too long; the text is what it wrote.
    """
    said: list[str] = []
    report: list[dict[str, Any]] = []
    with subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as program:
        deadline = time.monotonic() + PROGRAM_LIMIT_S
        try:
            lines = _lines(program.stdout)
            while (line := lines.get(timeout=max(0.0, deadline - time.monotonic()))) is not None:
                said.append(line)
                message = _message(line)
                if "ask" in message:
                    answer = {"answer": stage.answer(message["ask"])}
                    print(json.dumps(answer), file=program.stdin, flush=True)
                elif "name" in message:
                    report.append(message)
            program.wait(max(0.0, deadline - time.monotonic()))
        except (queue.Empty, subprocess.TimeoutExpired, BrokenPipeError) as error:
            raise RuntimeError("".join(said)) from error
        finally:
            program.kill()
    if program.returncode != 0:
        raise RuntimeError("".join(said))
    return report


def _lines(source: IO[str] | None) -> "queue.SimpleQueue[str | None]":
    """Read a pipe in a thread of its own, because reading a line knows no time limit."""
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def read() -> None:
        for line in source or ():
            lines.put(line)
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    return lines


def _message(line: str) -> dict[str, Any]:
    """Return what a line says to the tests; libraries write other lines."""
    return json.loads(line) if line.startswith("{") else {}
