import ast
import re
from collections.abc import Iterator
from pathlib import Path
from string import ascii_lowercase
from typing import Final

import pytest

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
