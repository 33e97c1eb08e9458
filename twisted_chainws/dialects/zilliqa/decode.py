"""Members of a query to model values. Sans-I/O; pure.

Source: ``zilliqa.md`` 2.4, 2.5 and 2.8.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from twisted_chainws.chain.types import Address20
from twisted_chainws.dialects.outcomes import Fault, Refused
from twisted_chainws.dialects.zilliqa import errors
from twisted_chainws.dialects.zilliqa.options import ErrorForm

ADDRESSES: Final = "addresses"
TYPE: Final = "type"
CURSOR: Final = "cursor"
RESUME_FROM: Final = "resumeFrom"

_LENGTH: Final = 42
_PREFIX: Final = "0x"
_ADDRESS: Final = re.compile(r"0x[0-9a-fA-F]{40}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """What is said of a list of addresses, and whether it is read behind a mistake.

    Attributes:
        stops: whether the list ends with the first malformed entry, those before it being taken.
        malformed: an entry that is no ``0x`` and 40 characters.
        unreadable: an entry whose characters are no hex digits, or that is no text at all.
        nothing: no entry is left.
    """

    stops: bool
    malformed: Fault
    unreadable: Fault
    nothing: Fault


EVENT_WORDING: Final = {
    ErrorForm.JSON: Wording(
        stops=False,
        malformed=errors.INVALID_HEX_ADDRESS,
        unreadable=errors.INVALID_HEX_ADDRESS,
        nothing=errors.NO_CONTRACT_FOUND,
    ),
    ErrorForm.BARE: Wording(
        stops=True,
        malformed=errors.INVALID_HEX_ADDRESS_OF_EVENTS,
        unreadable=errors.UNREADABLE_ADDRESS,
        nothing=errors.NO_CONTRACT_FOUND,
    ),
}

PAYMENT_WORDING: Final = {
    ErrorForm.JSON: Wording(
        stops=False,
        malformed=errors.INVALID_HEX_ADDRESS,
        unreadable=errors.INVALID_HEX_ADDRESS,
        nothing=errors.NO_ADDRESS_FOUND,
    ),
    ErrorForm.BARE: Wording(
        stops=True,
        malformed=errors.INVALID_HEX_ADDRESS,
        unreadable=errors.UNREADABLE_ADDRESS,
        nothing=errors.NO_ADDRESS_FOUND_BARE,
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressList:
    """A list of addresses as far as it could be read.

    Attributes:
        addresses: in order, each once.
        mistake: what was wrong with one of the others; None when all could be read.
    """

    addresses: Sequence[Address20]
    mistake: Fault | None


def decode_addresses(query: Any, wording: Wording) -> AddressList:
    """Read the addresses of a query.

    Raises:
        Refused: there is no list, or it is empty.
    """
    entries = query.get(ADDRESSES)
    if not isinstance(entries, list) or not entries:
        raise Refused(errors.INVALID_ADDRESSES_FIELD)
    found: dict[Address20, None] = {}
    mistake: Fault | None = None
    for entry in entries:
        wrong = _mistake(entry, wording)
        if wrong is None:
            found[Address20(bytes.fromhex(entry[2:]))] = None
            continue
        mistake = wrong
        if wording.stops:
            break
    return AddressList(addresses=tuple(found), mistake=mistake)


def decode_cursor(query: Any) -> bool | None:
    """Read whether a query asks for cursors; None when it says nothing.

    Raises:
        Refused: it says something else than true or false, or wants to go on from a cursor.
    """
    if query.get(RESUME_FROM) is not None:
        raise Refused(errors.NO_RESUMING)
    cursor = query.get(CURSOR)
    if cursor is not None and not isinstance(cursor, bool):
        raise Refused(errors.INVALID_CURSOR_FIELD)
    return cursor


def decode_type(query: Any, known: Sequence[str]) -> str:
    """Read which topic an Unsubscribe means.

    Raises:
        Refused: none of those known.
    """
    wanted = query.get(TYPE)
    if not isinstance(wanted, str) or wanted not in known:
        raise Refused(errors.INVALID_TYPE_FIELD)
    return wanted


def _mistake(entry: Any, wording: Wording) -> Fault | None:
    """Tell what is wrong with an entry; the text of a number or a word is never an address."""
    if isinstance(entry, list | dict):
        return wording.unreadable
    if not isinstance(entry, str) or len(entry) != _LENGTH or not entry.startswith(_PREFIX):
        return wording.malformed
    return None if _ADDRESS.fullmatch(entry) else wording.unreadable
