"""Every exception of the model, for dialects that must have words for each."""

import inspect
from dataclasses import fields
from typing import Any, Final

from twisted_chainws import errors
from twisted_chainws.errors import ChainwsError

CLASSES: Final = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, ChainwsError)
]

_FACTS: Final[dict[Any, Any]] = {int: 7, int | str: 7, float: 5.0, str: "why", bytes: b"\1"}


def make_error(kind: type[ChainwsError]) -> ChainwsError:
    """Make an exception with a value of the right type for every fact."""
    return kind(**{item.name: _FACTS[item.type] for item in fields(kind)})
