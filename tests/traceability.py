"""Whether tests that a table names are there and are run."""

import ast
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Final

TESTS: Final = Path(__file__).resolve().parent

_OFF: Final = ("pytest.mark.skip", "pytest.mark.xfail")
_NAME: Final = re.compile(r"([\w/]+\.py)::(\w+)(?:\[(.+)\])?")


@cache
def _module(path: Path) -> tuple[frozenset[str], frozenset[object]]:
    """Return the functions of a test module that are not switched off, and its constants."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = frozenset(
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and not any(ast.unparse(one).startswith(_OFF) for one in node.decorator_list)
    )
    constants = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    return functions, frozenset(one for one in constants if isinstance(one, str))


def missing(names: Iterable[str], folder: Path = TESTS) -> list[str]:
    """Return those names that are of no test, or of one without that row.

    Args:
        names: ``path.py::function``, maybe with ``[row]`` behind.
        folder: what the paths are relative to.
    """
    lost = []
    for name in names:
        found = _NAME.fullmatch(name)
        assert found is not None, name
        path, function, row = found.groups()
        if not (folder / path).is_file():
            lost.append(name)
            continue
        functions, constants = _module(folder / path)
        if function not in functions or (row is not None and row not in constants):
            lost.append(name)
    return lost
