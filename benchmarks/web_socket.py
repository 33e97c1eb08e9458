"""Measures ``WebSocketServer`` with many idle connections, and writes it to docs/performance.md."""

import contextlib
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks.contestants import STOCK, Load, build_load, processor_s, started_module
from benchmarks.measure import IDLE, PAGE, milliseconds, resident_kib, rows, surroundings
from tests.wire import Wire

OURS: Final = "WebSocketServer"
SERVERS: Final = {OURS: "web_socket_echo", **STOCK}
BEGIN: Final = "<!-- measured by python -m benchmarks.web_socket -->"
END: Final = "<!-- end of the WebSocket objects -->"
CALM_S: Final = 10.0
ECHOES: Final = 2000


@contextlib.contextmanager
def crowded(program: Path, name: str) -> Iterator[tuple[int, int, float, float]]:
    """Run a server with idle connections.

    Gives:
        Its port, its process id, KiB of resident memory per connection, and how many seconds it
        took to open them all.
    """
    with started_module(SERVERS[name]) as (port, pid):
        time.sleep(1)
        before = resident_kib(pid)
        begun = time.monotonic()
        load = Load(program, port, "idle", str(IDLE))
        try:
            load.ready()
            taken = time.monotonic() - begun
            time.sleep(1)
            yield port, pid, (resident_kib(pid) - before) / IDLE, taken
        finally:
            load.stop()


def measure_memory(program: Path) -> str:
    """Return a table of what an idle connection takes, ours and others'."""
    lines = ["| memory | KiB per connection |", "|--|--|"]
    ours = 0.0
    for name in SERVERS:
        with crowded(program, name) as (_, _, kib, _):
            ours = ours or kib
            cells = (
                (f"**{name}**", f"{kib:.1f}")
                if name == OURS
                else (name, f"{kib:.1f} ({kib / ours:.2f})")
            )
        lines.append(f"| {cells[0]} | {cells[1]} |")
    return "\n".join(lines)


def measure_crowd(program: Path) -> str:
    """Return a table of how our server does with a crowd that says nothing."""
    with crowded(program, OURS) as (port, pid, _, taken), Wire(port) as wire:
        spent = processor_s(pid)
        time.sleep(CALM_S)
        spent = processor_s(pid) - spent
        trips = []
        for _ in range(ECHOES):
            begun = time.perf_counter()
            wire.send(b"echo")
            wire.receive()
            trips.append(time.perf_counter() - begun)
    return rows(
        {
            f"opening {IDLE:,} connections one after the other": milliseconds(taken),
            "processor time of the server while nobody speaks": f"{spent / CALM_S:.1%}",
            "echo of one client meanwhile, p50": milliseconds(statistics.median(trips)),
            "the same, p99": milliseconds(statistics.quantiles(trips, n=100)[98]),
        }
    )


def main() -> None:
    """Measure, print it, and put it into the page."""
    program = build_load()
    parts = [surroundings(), measure_memory(program), measure_crowd(program)]
    sys.stdout.write("\n\n".join(parts) + "\n")
    text = PAGE.read_text()
    head, _, rest = text.partition(BEGIN)
    tail = rest.partition(END)[2]
    PAGE.write_text(f"{head}{BEGIN}\n\n" + "\n\n".join(parts) + f"\n\n{END}{tail}")


if __name__ == "__main__":
    main()
