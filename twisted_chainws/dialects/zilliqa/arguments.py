"""Arguments of the JSON-RPC methods, and what their texts mean. Sans-I/O; pure.

Methods without arguments do not look at what they are given; the others want exactly theirs.

Source: ``zilliqa.md`` 5; libjson-rpc-cpp's ``procedure.cpp``; the node's ``LookupServer.cpp``.
"""

import re
from collections.abc import Callable
from typing import Any, Final

from twisted_chainws.chain.types import Address20, Hash32
from twisted_chainws.dialects.outcomes import Handler, Refused
from twisted_chainws.dialects.view import View
from twisted_chainws.dialects.zilliqa import errors
from twisted_chainws.dialects.zilliqa.address import BECH32_PREFIX, decode_bech32

_PREFIX: Final = "0x"
_HEX_LENGTH: Final = 40
_HASH_LENGTH: Final = 64
_MAX_UINT64: Final = 2**64 - 1
_HEX: Final = re.compile("[0-9a-fA-F]+")
_DIGITS: Final = re.compile("[0-9]+")


def takes(*types: type) -> Callable[[Callable[..., Any]], Handler]:
    """Turn a function of a view and arguments of these types into a handler.

    The handler raises Refused (-32602) when it is not given just that many of just those.
    """

    def decorate(function: Callable[..., Any]) -> Handler:
        def handler(view: View, params: Any) -> Any:
            if not types:
                return function(view)
            if not isinstance(params, list) or len(params) != len(types):
                raise Refused(errors.WRONG_PARAMS)
            for value, kind in zip(params, types, strict=True):
                if not isinstance(value, kind) or isinstance(value, bool):
                    raise Refused(errors.WRONG_PARAMS)
            return function(view, *params)

        return handler

    return decorate


def decode_number(text: str) -> int:
    """Read the height of a block, or the number of a page.

    Raises:
        Refused: it is no decimal number of 64 bits.
    """
    if not _DIGITS.fullmatch(text):
        starts = _DIGITS.match(text)
        raise Refused(errors.NOT_NUMERIC if starts else errors.INVALID_ARGUMENT)
    # Measured before it is read: long texts take long.
    if len(text) > len(str(_MAX_UINT64)) or int(text) > _MAX_UINT64:
        raise Refused(errors.OUT_OF_RANGE)
    return int(text)


def decode_hash(text: str) -> Hash32 | None:
    """Read a transaction id, with or without ``0x``; None when it cannot be one by its length."""
    digits = text.removeprefix(_PREFIX)
    if len(digits) != _HASH_LENGTH:
        return None
    # What is no hex is the id of nothing.
    return Hash32(bytes.fromhex(digits)) if _HEX.fullmatch(digits) else Hash32(bytes(32))


def decode_address(text: str) -> Address20:
    """Read an address: hex of any case, with or without ``0x``, or bech32.

    Raises:
        Refused: it is none.
    """
    if text.startswith(f"{BECH32_PREFIX}1"):
        try:
            return decode_bech32(text)
        except ValueError:
            raise Refused(errors.INVALID_BECH32) from None
    digits = text.removeprefix(_PREFIX)
    if len(digits) != _HEX_LENGTH:
        raise Refused(errors.ADDRESS_SIZE)
    if not _HEX.fullmatch(digits):
        raise Refused(errors.INVALID_ADDRESS)
    return Address20(bytes.fromhex(digits))
