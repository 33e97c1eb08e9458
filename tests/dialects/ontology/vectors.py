"""The published and derived samples of the protocol."""

from functools import cache
from pathlib import Path
from typing import Any, Final

import orjson

DATA: Final = Path(__file__).parents[2] / "data" / "ontology" / "vectors.json"


@cache
def vectors(section: str) -> Any:
    """Return one section of the file; do not change it."""
    return orjson.loads(DATA.read_bytes())[section]


def named_transaction(name: str) -> Any:
    """Return one of the transactions."""
    return next(item for item in vectors("transactions") if item["name"] == name)
