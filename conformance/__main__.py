"""Asks the server what the published tests of the Ethereum API ask: ``python -m conformance``.

The server runs on the published chain, whose 54 blocks it imports first. Every exchange is asked
over HTTP and over WebSocket. Exit status 0: what fails is what ``expected.json`` says, no more and
no less; 1: something else does.
"""

import argparse
import datetime as dt
import platform
import sys
import time
from pathlib import Path
from typing import Any, Final

import orjson

from conformance.exchanges import read_exchanges
from conformance.replay import DATA, TRANSPORTS, replay
from conformance.report import misses, regressions, scores, table, verdicts

EXPECTED: Final = Path(__file__).resolve().parent / "expected.json"
"""Each exchange that is known to fail, and why."""

PAGE: Final = Path(__file__).resolve().parent.parent / "docs" / "ethereum.md"
BEGIN: Final = "<!-- written by python -m conformance --write -->"
END: Final = "<!-- end of results -->"


def main() -> int:
    """Replay, print the figures, and perhaps write them to the documentation."""
    asked = _asked()
    expected: dict[str, str] = orjson.loads(EXPECTED.read_bytes())
    exchanges = [
        exchange for exchange in read_exchanges(DATA / "tests") if asked.only in exchange.name
    ]
    started = time.monotonic()
    answers = {transport: replay(exchanges, transport) for transport in TRANSPORTS}
    judged = verdicts(exchanges, answers)
    figures = scores(judged)
    for score in figures:
        if score.total:
            print(
                f"{score.group:24} {score.passed:4}/{score.total:<4}"
                f" with the same words {score.same_words}"
            )
    known = {name: why for name, why in expected.items() if asked.only in name}
    broken = list(regressions(judged, known))
    print(f"{sum(score.passed for score in figures)} of {len(exchanges)} passed", end=", ")
    print(f"{len(broken)} surprises, {time.monotonic() - started:.0f} s")
    shown = [f"{name}: {reason}" for name, reason in misses(judged).items()]
    print("".join(f"  {line}\n" for line in (shown if asked.misses else broken)), end="")
    if asked.write and not broken and not asked.only:
        _write(table(figures, expected))
    return 1 if broken else 0


def _asked() -> Any:
    parser = argparse.ArgumentParser(prog="python -m conformance", description=__doc__)
    parser.add_argument("only", nargs="?", default="", help="part of a name: method/case")
    parser.add_argument("--misses", action="store_true", help="tell where each miss differs")
    parser.add_argument("--write", action="store_true", help="write the figures to the docs")
    return parser.parse_args()


def _write(results: str) -> None:
    page = PAGE.read_text(encoding="utf-8")
    day = dt.datetime.now(dt.UTC).date()
    note = f"{day}, Python {platform.python_version()}, {platform.system()}."
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    PAGE.write_text(f"{before}{BEGIN}\n{note}\n\n{results}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
