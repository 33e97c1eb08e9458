"""The published and derived samples of the protocol."""

from functools import cache
from pathlib import Path
from typing import Any, Final

import orjson

FOLDER: Final = Path(__file__).parents[2] / "data" / "ontology"


@cache
def vectors(section: str) -> Any:
    """Return one section of the file; do not change it."""
    return orjson.loads((FOLDER / "vectors.json").read_bytes())[section]


def named_transaction(name: str) -> Any:
    """Return one of the transactions."""
    return next(item for item in vectors("transactions") if item["name"] == name)


@cache
def more_transactions() -> Any:
    """Return what an SDK wrote of the other kinds, by name; do not change it."""
    return orjson.loads((FOLDER / "more_transactions.json").read_bytes())
