import re
import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Final

import pytest

from twisted_chainws.config.model import Bounds
from twisted_chainws.dialects.limits import Limits

ROOT: Final = Path(__file__).resolve().parent.parent
PACKAGE: Final = ROOT / "twisted_chainws"
TESTS: Final = ROOT / "tests"
LONGEST_MODULE: Final = 400

NO_TWIN: Final = {
    "config/model.py": "values only; test_read.py reads every one of them",
    "dialects/actions.py": "values only; test_session.py sees each of them",
    "dialects/base.py": "values only; every dialect is made of them",
    "dialects/outcomes.py": "values only; test_session.py sees what comes of each of them",
    "dialects/view.py": "values only; every handler reads them",
    "dialects/limits.py": "values only; each bound is tested where it holds",
    "dialects/ethereum/shapes.py": "shapes only; test_encode.py checks each against real values",
    "dialects/ontology/shapes.py": "shapes only; test_encode.py checks each against real values",
    "dialects/zilliqa/shapes.py": "shapes only; test_encode.py checks each against real values",
}
"""Modules without a test module of their own, and why."""

LONG: Final = {"errors.py": "one class after the other, and their family tree on one page"}
"""Modules that are not split, and why."""

DIALECT_FILES: Final = frozenset(
    ("shapes", "projection", "encode", "decode", "methods", "topics", "errors")
)

_WORDS: Final = {
    "a note of work to do": "TO" + "DO|FIX" + "ME|X" + "XX",
    "a path of some machine": r"(?<![\w.])/(?:wor" + r"k|far" + r"m|ho" + r"me|Us" + r"ers)/",
    "a number of some tracker": r"(?i)\bissue" + r"s? #?\d",
    "a hole in the coverage": "pragma: no " + "cover",
    "a stub": "NotImplemented" + "Error",
    "a bare ignore": "# type: " + r"ignore(?!\[)",
}


def _modules() -> list[str]:
    return sorted(
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if path.name != "__init__.py"
    )


def _texts() -> Iterator[tuple[str, str]]:
    """Yield name and text of every file that git knows, as far as it is text."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("this is no git checkout")
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if path.is_file() and path.suffix in {".py", ".md", ".toml", ".yaml", ".mjs", ".c", ""}:
            yield name, path.read_text(encoding="utf-8")


@pytest.mark.parametrize("module", _modules())
def test_each_module_has_a_test_module(module: str) -> None:
    """``a/b.py`` is tested by ``tests/a/test_b.py``, or the list says why not."""
    path = TESTS / module
    twin = path.with_name(f"test_{path.name}")
    assert twin.is_file() is (module not in NO_TWIN)


def test_the_list_of_modules_without_tests_is_true() -> None:
    """Every module that is excused exists."""
    assert set(NO_TWIN) <= set(_modules())


@pytest.mark.parametrize("module", _modules())
def test_no_module_is_long(module: str) -> None:
    """A module is split before it gets long, and says what it is."""
    text = (PACKAGE / module).read_text(encoding="utf-8")
    assert (text.count("\n") > LONGEST_MODULE) is (module in LONG)
    assert text.startswith('"""')


@pytest.mark.parametrize("folder", ["ethereum", "ontology", "zilliqa"])
def test_dialect_folders_hold_the_same_files(folder: str) -> None:
    """Knowing one dialect's folder is knowing all."""
    found = {path.stem for path in (PACKAGE / "dialects" / folder).glob("*.py")}
    assert found >= DIALECT_FILES


@pytest.mark.parametrize("what", _WORDS)
def test_no_file_holds(what: str) -> None:
    """Nothing is left lying about: notes, machines, trackers, stubs."""
    pattern = re.compile(_WORDS[what])
    found = [
        f"{name}:{number}"
        for name, text in _texts()
        if pattern.search(text)
        for number, line in enumerate(text.splitlines(), start=1)
        if pattern.search(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    "name", [entry.name for shape in (Limits, Bounds) for entry in fields(shape)]
)
def test_each_limit_is_tested_by_name(name: str) -> None:
    """Each bound is named by a test that is not about the configuration."""
    word = re.compile(rf"\b(?:{name}|{name.replace('_', '-')})\b")
    files = [path for path in TESTS.rglob("test_*.py") if path.parent.name != "config"]
    assert any(word.search(path.read_text(encoding="utf-8")) for path in files)


def test_every_test_says_what_it_shows() -> None:
    """Each test function has a docstring of one sentence."""
    pattern = re.compile(r'^(?:async )?def (test_\w+)\([^)]*\)[^:]*:\n    (?!r?""")', re.MULTILINE)
    missing = [
        f"{path.relative_to(ROOT)}: {found[1]}"
        for path in sorted(TESTS.rglob("test_*.py"))
        for found in pattern.finditer(path.read_text(encoding="utf-8"))
    ]
    assert missing == []


def test_changelog_fragments_are_named_as_they_must_be() -> None:
    """A fragment that towncrier would overlook is found here."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    kinds = "|".join(kind["directory"] for kind in settings["tool"]["towncrier"]["type"])
    wrong = [
        path.name
        for path in (ROOT / "changes").iterdir()
        if not re.fullmatch(rf"\+[a-z0-9-]+\.(?:{kinds})\.md", path.name)
    ]
    assert wrong == []
