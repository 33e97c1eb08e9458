"""Dataclasses out of plain mappings, under Python's or the reference's names. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, TypeVar

from twisted_chainws.websocket.codes import ErrorCode, WebSocketError

__all__ = ["camel", "from_mapping", "refuse"]

T = TypeVar("T")


def refuse(detail: str) -> WebSocketError:
    """Return the error for a wrong argument; ``detail`` must not quote secrets."""
    return WebSocketError(ErrorCode.PARAMETER_ERROR, data=detail)


def camel(name: str) -> str:
    """Return the reference's spelling: ``ca_path`` is ``caPath``, ``server_ip`` is ``serverIP``."""
    first, *rest = name.split("_")
    return first + "".join("IP" if word == "ip" else word.capitalize() for word in rest)


def from_mapping(
    kind: type[T],
    given: object,
    convert: Mapping[str, Callable[[Any], Any]] | None = None,
    *,
    also: Mapping[str, str] | None = None,
) -> T:
    """Make a value of a dataclass from a mapping, such as parsed JSON.

    Args:
        kind: a dataclass.
        given: values by field name, ``ca_path`` or ``caPath``.
        convert: by field name, what makes the field's value of the given one.
        also: spellings of the reference that do not follow from the field's name, with that.

    Raises:
        WebSocketError: 401; no mapping, an unknown or doubled name, or one is missing.
    """
    if not isinstance(given, Mapping):
        raise refuse(f"{kind.__name__}: not a mapping")
    names = {spelling: field.name for field in fields(kind)  # type: ignore[arg-type]
             for spelling in (field.name, camel(field.name))} | dict(also or {})  # fmt: skip
    values: dict[str, Any] = {}
    for spelling, value in given.items():
        name = names.get(spelling)
        if name is None or name in values:
            raise refuse(f"{kind.__name__}: {spelling!r} is unknown or there twice")
        values[name] = value if convert is None or name not in convert else convert[name](value)
    try:
        return kind(**values)
    except TypeError:
        raise refuse(f"{kind.__name__}: a field is missing") from None
