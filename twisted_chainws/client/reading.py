"""Reading what servers write, who are given every benefit of the doubt. Pure.

Source: ``zilliqa.md`` 8.1 and 8.3; ``ontology.md`` 1.4, 4.12; ``ethereum.md`` 9.
"""

import re
from typing import Any, Final

from twisted_chainws.client.errors import BadAnswer

__all__ = ["hex_digits", "number", "request_key"]

_HEX: Final = re.compile(r"(?:0[xX])?([0-9a-fA-F]+)")
_MOST_DIGITS: Final = 100
"""Of a number; Python refuses to read thousands of them."""


def number(value: Any) -> int:
    """Read a number, as digits or as one.

    Raises:
        BadAnswer: it is none.
    """
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    if _is_decimal(value):
        return int(value)
    raise BadAnswer("not a number")


def hex_digits(value: Any, count: int) -> str:
    """Read so many digits of hex, with or without ``0x``; returns them bare, in lower case.

    Raises:
        BadAnswer: these are none.
    """
    found = _HEX.fullmatch(value) if isinstance(value, str) else None
    if found is None or len(found[1]) != count:
        raise BadAnswer(f"not {count} digits of hex")
    return found[1].lower()


def request_key(identifier: Any) -> int | None:
    """Read the id of a reply, which is one of ours if it can be read as a whole number."""
    if isinstance(identifier, bool):
        return None
    if isinstance(identifier, int):
        return identifier
    if _is_decimal(identifier):
        return int(identifier)
    if isinstance(identifier, float) and identifier.is_integer():
        return int(identifier)
    return None


def _is_decimal(value: Any) -> bool:
    is_text = isinstance(value, str) and len(value) <= _MOST_DIGITS
    return is_text and value.isascii() and value.isdigit()
