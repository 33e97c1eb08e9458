"""Runs the Autobahn testsuite against our server and our client: ``python -m compliance``.

Exit status 0: everything passed, or the testsuite cannot run here, which is said; 1: a case failed.
"""

import argparse
import datetime as dt
import importlib.metadata
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from compliance.cases import Cases, judge, selected, table
from compliance.suite import AGENT, Unavailable, find_python, fuzz_server, fuzzing, install, outcome

ROOT: Final = Path(__file__).resolve().parent.parent
PAGE: Final = ROOT / "docs" / "compliance.md"
BEGIN: Final = "<!-- written by python -m compliance --write -->"
END: Final = "<!-- end of results -->"
STOP_LIMIT_S: Final = 15.0
SHOWN: Final = 20


def run_server_cases(wstest: str, cases: Sequence[str], folder: Path, limit_s: float) -> None:
    """Start our echo server in a process of its own and let the testsuite at it."""
    with (folder / "echo.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "compliance.echo_server"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=log,
        )
        try:
            port = int((process.stdout or sys.stdin.buffer).readline())
            fuzz_server(wstest, f"ws://127.0.0.1:{port}", cases, folder, limit_s=limit_s)
        finally:
            process.terminate()
            process.communicate(timeout=STOP_LIMIT_S)


def run_client_cases(wstest: str, cases: Sequence[str], folder: Path, limit_s: float) -> None:
    """Let our echo client go through the testsuite's server."""
    with fuzzing(wstest, cases, folder) as url, (folder / "echo.log").open("wb") as log:
        subprocess.run(
            [sys.executable, "-m", "compliance.echo_client", url, AGENT],
            cwd=ROOT,
            stdout=log,
            stderr=log,
            check=True,
            timeout=limit_s,
        )


DIRECTIONS: Final[Mapping[str, Callable[[str, Sequence[str], Path, float], None]]] = {
    "server": run_server_cases,
    "client": run_client_cases,
}


def main() -> int:
    """Install what is needed, run what is asked for, print and perhaps write the results."""
    asked = _asked()
    try:
        python = find_python(os.environ)
        wstest = install(python, asked.folder)
    except Unavailable as why:
        print(f"SKIPPED: {why}. The Autobahn testsuite has never been ported to Python 3.")
        return 0
    cases, size = selected(asked.cases)
    results: dict[str, Cases] = {}
    passed = True
    for direction in asked.directions:
        started = time.monotonic()
        results[direction] = _run(direction, wstest, cases, asked)
        verdict = judge(results[direction], size)
        passed = passed and verdict.passed
        took = f"{time.monotonic() - started:.0f} s"
        print(f"{direction}: {verdict.run} of {size} cases, {len(verdict.failed)} failed, {took}")
        print("".join(f"  {line}\n" for line in verdict.failed[:SHOWN]), end="", flush=True)
    if asked.write and passed:
        _write(table(results))
    return 0 if passed else 1


def _run(direction: str, wstest: str, cases: Sequence[str], asked: Any) -> Cases:
    folder = asked.folder / direction
    folder.mkdir(parents=True, exist_ok=True)
    try:
        DIRECTIONS[direction](wstest, cases, folder, asked.limit)
    except (subprocess.SubprocessError, RuntimeError, ValueError) as why:
        print(f"{direction}: {why}")
        for log in ("echo.log", "wstest.log"):
            with suppress(OSError):
                print((folder / log).read_text(errors="replace")[-4000:])
    return outcome(folder)


def _asked() -> Any:
    parser = argparse.ArgumentParser(prog="python -m compliance", description=__doc__)
    parser.add_argument(
        "cases", nargs="?", default="sample", type=_known, help="sample (default), all, or 1,2,7"
    )
    parser.add_argument(
        "--direction",
        dest="directions",
        action="append",
        choices=list(DIRECTIONS),
        help="default: both",
    )
    parser.add_argument(
        "--folder", type=Path, default=ROOT / ".wstest", help="of the testsuite and its reports"
    )
    parser.add_argument("--limit", type=float, default=3600.0, help="seconds for each direction")
    parser.add_argument(
        "--write", action="store_true", help="write the results to docs/compliance.md"
    )
    asked = parser.parse_args()
    asked.directions = asked.directions or list(DIRECTIONS)
    asked.folder = asked.folder.resolve()
    return asked


def _known(what: str) -> str:
    selected(what)
    return what


def _write(results: str) -> None:
    page = PAGE.read_text(encoding="utf-8")
    versions = ", ".join(
        f"{name} {importlib.metadata.version(name)}" for name in ("twisted", "autobahn")
    )
    day = dt.datetime.now(dt.UTC).date()
    note = f"{day}, Python {platform.python_version()}, {versions}, {platform.system()}."
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    PAGE.write_text(f"{before}{BEGIN}\n{note}\n\n{results}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
