"""The published and derived samples of the protocol."""

from functools import cache
from pathlib import Path
from typing import Any, Final

import orjson

DATA: Final = Path(__file__).parents[2] / "data" / "zilliqa" / "vectors.json"


@cache
def vectors(section: str) -> Any:
    """Return one section of the file; do not change it."""
    return orjson.loads(DATA.read_bytes())[section]


def derivation(name: str) -> Any:
    """Return one of the derivations."""
    return vectors("derivations")[name]
