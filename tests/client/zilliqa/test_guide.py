"""The part of ``docs/client.md`` about Zilliqa: its program runs, its names are there."""

import os
import subprocess
import sys
from typing import Final

import pytest

from tests.client.test_guide import LIMIT_S, part, program
from tests.running import ROOT, Running, free_port
from twisted_chainws.client import zilliqa
from twisted_chainws.client.zilliqa.queries import TOPICS

UTILITIES: Final = {"Event", "Subscription", "sender_of"}
"""Names that are told of elsewhere, or by their docstring."""


@pytest.mark.integration
def test_the_program() -> None:
    """It runs against a development chain, and prints what it should."""
    kept = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    port = free_port()
    with Running("--silent", "--listen", f"zilliqa=tcp:{port}") as server:
        server.wait(port)
        done = subprocess.run(
            [sys.executable, "-c", program("Zilliqa").replace("4401", str(port))],
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
            "chain 222",
            "paid 5000000000000 in block 1 True",
            "balance 5000000000000",
            "block 1 with 1",
        ],
        0,
    )


def test_all_names_are_in_the_guide() -> None:
    """Whatever the package exports is mentioned there, and so are the topics."""
    text = part("Zilliqa")
    names = set(zilliqa.__all__) - UTILITIES | set(TOPICS)
    assert [name for name in sorted(names) if name not in text] == []
