"""Measures, prints what it does, and writes docs/performance.md between its markers.

Contestants are interleaved: each round asks everyone, so that a slow minute of the machine hits
all of them; the numbers are medians of the rounds.
"""

import contextlib
import datetime as dt
import importlib.metadata
import os
import platform
import re
import statistics
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from benchmarks.contestants import NAMES, OURS, Load, build_load, processor_s, requests, started
from tests.contract import ENDLESS, HASH_20M_GAS
from tests.running import ROOT, Running
from tests.signing import signed
from tests.wire import RpcError, Wire, call_http

ROUNDS: Final = 5
REQUEST_MS: Final = 1000
SHAPES: Final = ((50, 1), (50, 16), (500, 1))
CROWDS: Final = (1000, 5000)
EVENTS: Final = 10
IDLE: Final = 10_000
PAGE: Final = ROOT / "docs" / "performance.md"
BEGIN: Final = "<!-- measured by benchmarks/run -->"
END: Final = "<!-- end of measurements -->"

Table = dict[str, dict[str, float]]
"""Column title -> contestant -> median."""

Samples = dict[str, dict[str, list[float]]]
"""Column title -> contestant -> one number for each round."""


def measure_requests(program: Path) -> tuple[Table, Table]:
    """Answers per second to ``eth_blockNumber`` and what each costs the server, microseconds."""
    found: Samples = {}
    costs: Samples = {}
    with contest() as ports:
        for _ in range(ROUNDS):
            for shape in SHAPES:
                title = f"{shape[0]} × {shape[1]}"
                for name, (port, pid) in ports.items():
                    rate, cost = requests(program, port, pid, shape, REQUEST_MS)
                    note(found, title, name, rate)
                    note(costs, title, name, cost * 1e6)
    return medians(found), medians(costs)


def measure_fanout(program: Path) -> tuple[Table, Table]:
    """Heads delivered per second and what each costs the server, microseconds."""
    found: Samples = {}
    costs: Samples = {}
    for crowd in CROWDS:
        with contest() as ports, ExitStack() as loads:
            running = {}
            for name, (port, _pid) in ports.items():
                running[name] = Load(program, port, "fanout", str(crowd))
                loads.callback(running[name].stop)
                running[name].ready()
            title = f"{crowd:,} subscribers"
            for _ in range(ROUNDS):
                for name, load in running.items():
                    before = processor_s(ports[name][1])
                    rates = load.ask(str(EVENTS))
                    spent = processor_s(ports[name][1]) - before
                    note(found, title, name, median(rates))
                    note(costs, title, name, spent * 1e6 / (EVENTS * crowd))
    return medians(found), medians(costs)


def measure_idle(program: Path) -> Table:
    """KiB of the server's resident memory per idle connection."""
    column = {}
    for name in NAMES:
        with started(name) as (port, pid):
            time.sleep(1)
            before = resident_kib(pid)
            load = Load(program, port, "idle", str(IDLE))
            try:
                load.ready()
                time.sleep(1)
                column[name] = (resident_kib(pid) - before) / IDLE
            finally:
                load.stop()
    return {f"KiB per connection at {IDLE:,}": column}


def measure_busy() -> dict[str, str]:
    """Latencies of reads and submissions while two long calls run; nothing is pinned."""
    reads: list[float] = []
    sends: list[float] = []
    nonces = iter(range(10_000))
    burner, spinner = "0x" + "b1" * 20, "0x" + "b2" * 20
    with Running("--silent") as server, Wire(server.port) as light, Wire(server.port) as heavy:
        light.call("anvil_setCode", burner, "0x" + HASH_20M_GAS.hex())
        light.call("anvil_setCode", spinner, "0x" + ENDLESS.hex())
        for _ in range(3):
            burning = heavy.start("eth_call", {"to": burner, "gas": "0x1312d00"}, "latest")
            spinning = heavy.start("eth_call", {"to": spinner}, "latest")
            time.sleep(0.05)
            reads += [clocked(light, "eth_blockNumber") for _ in range(3000)]
            sends += [
                clocked(light, "eth_sendRawTransaction", signed(0, next(nonces))) for _ in range(20)
            ]
            for asked in (burning, spinning):
                with contextlib.suppress(RpcError):
                    heavy.finish(asked)
    return {
        "`eth_blockNumber` while a 20 Mgas call and an endless one run, p50": milliseconds(
            statistics.median(reads)
        ),
        "the same, p99": milliseconds(statistics.quantiles(reads, n=100)[98]),
        "`eth_sendRawTransaction` meanwhile, slowest of 60": milliseconds(max(sends)),
    }


def measure_block() -> dict[str, str]:
    """How long 500 waiting transfers take to become an announced block."""
    taken = []
    with Running("--silent") as server, Wire(server.port) as wire:
        wire.call("evm_setAutomine", False)  # noqa: FBT003
        heads = wire.call("eth_subscribe", "newHeads")
        for round_ in range(3):
            raws = [signed(index % 10, round_ * 50 + index // 10) for index in range(500)]
            wire.batch([("eth_sendRawTransaction", raw) for raw in raws])
            start = time.perf_counter()
            asked = wire.start("evm_mine")
            head = wire.notice(heads)
            taken.append(time.perf_counter() - start)
            wire.finish(asked)
            count = wire.call("eth_getBlockTransactionCountByHash", head["hash"])
            if count != "0x1f4":
                raise RuntimeError(f"the block holds {count} transactions")
    return {"block of 500 transfers, from `evm_mine` to its head": milliseconds(median(taken))}


def measure_start() -> dict[str, str]:
    """How long a start takes, from the spawning of the process to an answer."""
    taken = []
    for _ in range(ROUNDS):
        with Running("--silent") as server:
            call_http(server.port, "eth_blockNumber")
            taken.append(time.monotonic() - server.started_at)
    return {"start of the process to its first answer": milliseconds(median(taken))}


@contextmanager
def contest() -> Iterator[Mapping[str, tuple[int, int]]]:
    """Run all contestants and give their ports and process ids by name."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(started(name)) for name in NAMES}


def clocked(wire: Wire, method: str, *params: object) -> float:
    """Return how long one request takes, in seconds."""
    start = time.perf_counter()
    wire.call(method, *params)
    return time.perf_counter() - start


def resident_kib(pid: int) -> int:
    """Return the resident memory of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


def note(samples: Samples, title: str, name: str, value: float) -> None:
    """Keep one measurement."""
    samples.setdefault(title, {}).setdefault(name, []).append(value)


def medians(found: Samples) -> Table:
    """Return the median of each cell."""
    return {
        title: {name: median(values) for name, values in column.items()}
        for title, column in found.items()
    }


def median(values: Sequence[float]) -> float:
    """Return the middle value."""
    return statistics.median(values)


def milliseconds(seconds: float) -> str:
    """Return a duration for people."""
    return f"{seconds * 1000:.2f} ms" if seconds < 0.1 else f"{seconds * 1000:.0f} ms"


def pair(what: str, rates: Table, costs: Table) -> str:
    """Return the tables of how many there are in a second and of what one costs."""
    tables = (
        table(f"thousand {what}/s", rates, unit=1000),
        table(f"µs of server processor per one of the {what}", costs),
    )
    return "\n\n".join(tables)


def table(title: str, columns: Table, *, unit: float = 1) -> str:
    """Return a Markdown table with each number and its ratio to ours."""
    lines = [f"| {title} | " + " | ".join(columns) + " |", "|--" * (len(columns) + 1) + "|"]
    for name in NAMES:
        cells = []
        for column in columns.values():
            value = f"{column[name] / unit:.1f}"
            cells.append(value if name == OURS else f"{value} ({column[name] / column[OURS]:.2f})")
        lines.append(f"| {f'**{name}**' if name == OURS else name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def rows(found: Mapping[str, str]) -> str:
    """Return a Markdown table of single numbers."""
    return "\n".join(
        ["| what | measured |", "|--|--|", *(f"| {k} | {v} |" for k, v in found.items())]
    )


def surroundings() -> str:
    """Return one line on the machine, the date and the versions."""
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    versions = [
        f"{name} {importlib.metadata.version(name)}"
        for name in ("twisted", "autobahn", "websockets", "orjson", "py-evm")
    ]
    processor = model[1].strip() if model else platform.machine()
    cores = len(re.findall(r"^processor", Path("/proc/cpuinfo").read_text(), re.MULTILINE))
    today = dt.datetime.now(tz=dt.UTC).date().isoformat()
    return (
        f"{today}, {cores} cores of {processor}, Linux {platform.release()}, "
        f"Python {platform.python_version()}, {', '.join(versions)}. "
        f"Load average before the run: {os.getloadavg()[0]:.1f}."
    )


def main() -> None:
    """Measure all, print it, and put it into the page."""
    program = build_load()
    parts = [surroundings()]
    for say, make in (
        ("requests", lambda: pair("answers", *measure_requests(program))),
        ("fan-out", lambda: pair("heads", *measure_fanout(program))),
        ("idle connections", lambda: table("memory", measure_idle(program))),
        ("single numbers", lambda: rows(measure_start() | measure_block() | measure_busy())),
    ):
        sys.stderr.write(f"measuring {say} …\n")
        parts.append(make())
        print(parts[-1] + "\n", flush=True)
    text = PAGE.read_text()
    head, _, rest = text.partition(BEGIN)
    tail = rest.partition(END)[2]
    PAGE.write_text(f"{head}{BEGIN}\n\n" + "\n\n".join(parts) + f"\n\n{END}{tail}")


if __name__ == "__main__":
    main()
