"""``docs/client.md``: its programs run as they are printed, its tables are those of the code."""

import os
import re
import subprocess
import sys
from dataclasses import fields
from typing import Any, Final

import pytest

from tests.running import ROOT, Running
from twisted_chainws import client
from twisted_chainws.client import BACKOFF, WEB_SOCKET, ClientOptions, State
from twisted_chainws.client import errors as errors_module

GUIDE: Final = (ROOT / "docs" / "client.md").read_text(encoding="utf-8")
LIMIT_S: Final = 60.0


def part(section: str) -> str:
    """Return the text of a section."""
    return re.split(
        r"^## ", GUIDE.split(f"\n## {section}\n", 1)[1], maxsplit=1, flags=re.MULTILINE
    )[0]


def program(section: str) -> str:
    """Return the only program of a section."""
    (text,) = re.findall(r"^```python\n(.*?)^```$", part(section), re.MULTILINE | re.DOTALL)
    return str(text)


def table(section: str) -> list[list[str]]:
    """Return the cells of the lines of a section's only table."""
    lines = re.findall(r"^\| (.*) \|$", part(section), re.MULTILINE)
    return [[cell.strip() for cell in line.split("|")] for line in lines[1:] if "--" not in line]


@pytest.mark.integration
@pytest.mark.parametrize(
    ("section", "printed"),
    [
        (
            "With Twisted",
            ["chain 31337", "block 1", "block 2", "height 0x2 balance 0x0", "error -32601"],
        ),
        ("With asyncio", ["Head 0x7a69 31337"]),
        ("With callbacks", ["connecting", "open", "seen it True", "closed"]),
    ],
)
def test_the_programs(section: str, printed: list[str]) -> None:
    """Each program runs against a development chain, and prints what it should."""
    kept = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    with Running("--silent") as server:
        done = subprocess.run(
            [sys.executable, "-c", program(section).replace("8545", str(server.port))],
            cwd=ROOT,
            env=kept,
            capture_output=True,
            text=True,
            check=False,
            timeout=LIMIT_S,
        )
    assert (done.stderr, done.stdout.splitlines(), done.returncode) == ("", printed, 0)


def test_every_option_is_documented_with_its_default() -> None:
    """The table names all options, each once, with the defaults of the code."""
    names: dict[Any, str] = {id(WEB_SOCKET): "WEB_SOCKET", id(BACKOFF): "BACKOFF"}
    assert [row[:2] for row in table("Options")] == [
        [f"`{one.name}`", f"`{names.get(id(one.default), repr(one.default))}`"]
        for one in fields(ClientOptions)
    ]


def test_every_error_and_state_is_documented() -> None:
    """The tables have all errors but their root, and all states."""
    errors = [row[0].strip("`") for row in table("Calls")]
    assert sorted(errors) == sorted(set(errors_module.__all__) - {"ClientError"})
    assert [row[0] for row in table("States")] == [f"`{state.value}`" for state in State]


def test_all_public_names_are_in_the_guide() -> None:
    """Whatever the package exports is mentioned."""
    assert [name for name in client.__all__ if name not in GUIDE] == []


def test_all_public_names_exist() -> None:
    """What the package says that it exports is there."""
    assert all(hasattr(client, name) for name in client.__all__)
