import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import fields
from itertools import product
from pathlib import Path
from string import ascii_lowercase
from typing import Any, Final

import pytest

from tests import traceability
from tests.running import ROOT
from tests.websocket import acceptance
from tests.websocket.acceptance_server import SERVER_TABLES
from twisted_chainws.websocket import ClientEvent, ErrorCode, State, WebSocketRequestOptions

TESTS: Final = Path(__file__).resolve().parent.parent
FOLDERS: Final = ("websocket", "server")
ITEMS: Final = range(1, 25)
LETTERS: Final = ascii_lowercase[: ascii_lowercase.index("x") + 1]

_ITEMS: Final = re.compile(r"4\.6 items? (\d+(?:(?:, | and )\d+)*)")
_LETTERS: Final = re.compile(r"(?<!\w)\(([a-z])\)")


def _docstrings() -> Iterator[str]:
    """Yield the docstring of every test of the WebSocket objects and of the server on them."""
    for folder in FOLDERS:
        for path in (TESTS / folder).rglob("test_*.py"):
            if path == Path(__file__).resolve():
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    yield (ast.get_docstring(node) or "") if node.name.startswith("test_") else ""


@pytest.fixture(scope="module")
def docstrings() -> list[str]:
    """Return them all."""
    return list(_docstrings())


def test_every_gap_of_autobahn_is_named_by_a_test(docstrings: list[str]) -> None:
    """Each numbered item of the specification's section 4.6 is shown, and no other is named."""
    lists = [found for text in docstrings for found in _ITEMS.findall(text)]
    assert {int(number) for each in lists for number in re.findall(r"\d+", each)} == set(ITEMS)


def test_every_letter_of_the_acceptance_list_is_named_by_a_test(docstrings: list[str]) -> None:
    """Each letter of the specification's section 7 is shown, and no other is named."""
    assert {found for text in docstrings for found in _LETTERS.findall(text)} == set(LETTERS)


def missing(names: Iterable[str]) -> list[str]:
    """Return those names of tests of the WebSocket objects that are of none."""
    return traceability.missing(names, TESTS / "websocket")


TABLES: Final[dict[str, dict[Any, tuple[str, ...]]]] = {
    "1.3": acceptance.CALLS,
    "1.4": acceptance.SERVER_CALLS,
    "2.2": acceptance.OPTIONS,
    "3.1": dict(acceptance.EVENTS),
    "3.5": dict(acceptance.ERRORS),
    "3.6": dict(acceptance.STATES),
    **acceptance.TABLES,
    **SERVER_TABLES,
    **{f"7 ({letter})": rows for letter, rows in acceptance.ACCEPTANCE.items()},
}


@pytest.mark.parametrize("table", TABLES)
def test_every_row_has_its_tests(table: str) -> None:
    """Each row and sub-clause names at least one test, and all that it names are there."""
    rows = TABLES[table]
    assert rows
    assert [row for row, names in rows.items() if not names] == []
    assert {row: missing(names) for row, names in rows.items() if missing(names)} == {}


@pytest.mark.parametrize(
    "name",
    [
        "test_client.py::test_that_was_deleted",
        "test_deleted.py::test_open",
        "test_client_table.py::test_each_way_to_send[send(number)]",
    ],
)
def test_a_deleted_test_would_be_missed(name: str) -> None:
    """A name without a test, without a module, and without the row is found out."""
    assert missing([name, "test_client.py::test_open"]) == [name]


def _guides(*sections: str) -> list[str]:
    """Return what the guide's tables of these sections have from the reference, without quotes."""
    guide = (ROOT / "docs" / "websocket.md").read_text(encoding="utf-8")
    found: list[str] = []
    for section in sections:
        text = re.split(
            r"^##+ ", guide.split(f"# {section}\n", 1)[1], maxsplit=1, flags=re.MULTILINE
        )
        rows = re.findall(r"^\| (`.+?) \| +\d+ \|", text[0], re.MULTILINE)
        found += [row.replace("`", "") for row in rows]
    return found


def test_no_row_is_left_out() -> None:
    """The tables of tests have the rows of the guide and of the code, all of them and no other."""
    general = _guides("From the reference to Python")
    makers = [row for row in general if row.startswith("webSocket.create")]
    assert list(acceptance.CALLS) == [makers[0], *_guides("`WebSocket`")]
    assert list(acceptance.SERVER_CALLS) == [makers[1], *_guides("`WebSocketServer`")]
    assert set(acceptance.OPTIONS) == {one.name for one in fields(WebSocketRequestOptions)}
    assert set(acceptance.EVENTS) == set(ClientEvent)
    assert set(acceptance.ERRORS) == set(ErrorCode)
    calls = ("connect", "send", "close", "when_open")
    assert set(acceptance.STATES) == set(product(calls, State))
    assert "".join(acceptance.ACCEPTANCE) == LETTERS
