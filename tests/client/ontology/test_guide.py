"""The part of ``docs/client.md`` about Ontology: its program runs, its names are there."""

import inspect
import os
import re
import subprocess
import sys
from typing import Final

import pytest

from tests.client.test_guide import LIMIT_S, part, program
from tests.running import ROOT, Running, free_port
from twisted_chainws.client import ontology
from twisted_chainws.client.ontology import OntologyClient
from twisted_chainws.client.ontology.actions import Actions
from twisted_chainws.client.ontology.spending import Spending

UTILITIES: Final = {"Event"}
"""Names that are told of by their docstring."""


@pytest.mark.integration
@pytest.mark.parametrize("price", ["", ", gas_price=2500"])
def test_the_program(price: str) -> None:
    """It runs against a development chain, also where gas has its price, and prints what it should."""
    text = program("Ontology").replace("5 * 10**9)", f"5 * 10**9{price})")
    kept = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    port = free_port()
    with Running("--silent", "--listen", f"ontology=tcp:{port}") as server:
        server.wait(port)
        done = subprocess.run(
            [sys.executable, "-c", text.replace("20335", str(port))],
            cwd=ROOT,
            env=kept,
            capture_output=True,
            text=True,
            check=False,
            timeout=LIMIT_S,
        )
    assert (done.stderr, done.stdout.splitlines(), done.returncode) == (
        "",
        [
            "network 3",
            "moved 5.0 ONG in block 1",
            "block 1 has it True",
            "would succeed True",
            "has succeeded True",
            "balance 7 ONT and 5000000000 of 10^-9 ONG",
            "proved True",
        ],
        0,
    )


def test_all_names_are_in_the_guide() -> None:
    """Whatever the package exports is mentioned there, and so is every method."""
    text = part("Ontology")
    methods = {
        name
        for kind in (Actions, Spending)
        for name in vars(kind)
        if not name.startswith("_") and inspect.isfunction(getattr(kind, name))
    }
    names = (set(ontology.__all__) | methods | {"subscribe"}) - UTILITIES
    assert [name for name in sorted(names) if not re.search(rf"\b{name}\b", text)] == []


def test_what_can_be_wanted() -> None:
    """The table of topics names what ``subscribe`` takes."""
    taken = inspect.signature(OntologyClient.subscribe).parameters
    rows = re.findall(r"^\| `(\w+)` \| `\w+`: ", part("Ontology"), re.MULTILINE)
    assert rows == ["events", "blocks", "raw_blocks", "hashes"]
    assert set(taken) == {"self", "contracts", "callback", *rows}
