"""Members of a request to model values. Sans-I/O; pure.

Numbers came to the node as doubles; heights are 32 bits of whatever was written, so that -1 is the
highest there can be. What does not fit in 64 bits is refused here, also where a node would take
what its processor makes of it.

Source: ``ontology.md`` 1.2, 1.3, 4 and 12; the node's ``http/base/rest/interfaces.go``, 26b5ad4f.
"""

import re
from collections.abc import Mapping
from typing import Any, Final, TypeAlias, TypeGuard

from twisted_chainws.chain.types import Address20, Hash32
from twisted_chainws.dialects.ontology import address
from twisted_chainws.dialects.ontology.errors import INVALID_PARAMS, fault
from twisted_chainws.dialects.ontology.tokens import ONG_CONTRACT, ONT_CONTRACT
from twisted_chainws.dialects.outcomes import Refused

Message: TypeAlias = Mapping[str, Any]
"""A request, whole."""

_LOWEST: Final = -(2**63)
_HIGHEST: Final = 2**63 - 1
_HEIGHT_MASK: Final = 2**32 - 1
_YES: Final = "1"
_INTEGER: Final = re.compile(r"[+-]?0*[0-9]{1,19}")
_HEX: Final = re.compile(r"(?:[0-9a-fA-F]{2})*")
_ASSETS: Final = {"ont": ONT_CONTRACT, "ong": ONG_CONTRACT}


def invalid() -> Refused:
    """Return the refusal of a parameter: missing, of a wrong type, or nothing it could be."""
    return Refused(fault(INVALID_PARAMS))


def decode_height(message: Message) -> int:
    """Read ``Height``: a number, cut to an integer, or its digits; 32 bits of it.

    Raises:
        Refused: there is none, or it does not fit in 64 bits.
    """
    given = message.get("Height")
    if _is_number(given):
        height = int(float(given))
    elif isinstance(given, str) and _INTEGER.fullmatch(given):
        height = int(given)
    else:
        raise invalid()
    if not _LOWEST <= height <= _HIGHEST:
        raise invalid()
    return height & _HEIGHT_MASK


def wants_raw(message: Message) -> bool:
    """Tell whether ``Raw`` asks for bytes: ``"1"``, or a number that is 1 when it is cut."""
    given = message.get("Raw")
    return int(given) == 1 if _is_number(given) else given == _YES


def wants_pre_execution(message: Message) -> bool:
    """Tell whether ``PreExec`` asks for it: ``"1"``, and here also 1 and true."""
    return message.get("PreExec") in (_YES, 1)


def decode_hash(message: Message) -> Hash32:
    """Read ``Hash`` of a block or a transaction.

    Raises:
        Refused: there is none.
    """
    try:
        return address.decode_hash(decode_text(message, "Hash"))
    except ValueError:
        raise invalid() from None


def decode_address(message: Message, member: str) -> Address20:
    """Read an address in either form.

    Raises:
        Refused: there is none.
    """
    try:
        return address.decode_address(decode_text(message, member))
    except ValueError:
        raise invalid() from None


def decode_account(message: Message) -> Address20:
    """Read ``Addr`` where only base58 is taken.

    Raises:
        Refused: there is none.
    """
    try:
        return address.decode_base58(decode_text(message, "Addr"))
    except ValueError:
        raise invalid() from None


def decode_asset(message: Message) -> Address20:
    """Read ``Asset`` and return its contract.

    Raises:
        Refused: it is neither ONT nor ONG.
    """
    contract = _ASSETS.get(decode_text(message, "Asset").lower())
    if contract is None:
        raise invalid()
    return contract


def decode_hex(message: Message, member: str) -> bytes:
    """Read bytes, maybe none.

    Raises:
        Refused: it is no hex.
    """
    text = decode_text(message, member)
    if not _HEX.fullmatch(text):
        raise invalid()
    return bytes.fromhex(text)


def decode_text(message: Message, member: str) -> str:
    """Read a text.

    Raises:
        Refused: there is none.
    """
    text = message.get(member)
    if not isinstance(text, str):
        raise invalid()
    return text


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
