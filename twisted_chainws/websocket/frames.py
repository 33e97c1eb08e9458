"""The WebSocket frame as bytes: headers of outgoing messages, masks of incoming ones. Pure.

Source: RFC 6455, sections 5.2 and 5.3.
"""

from collections.abc import Callable
from enum import Enum
from typing import Any, Final

__all__ = ["CLOSE_CODES", "Rest", "header", "message", "take", "truncate", "unmask"]

_TEXT: Final = 0x81
_BINARY: Final = 0x82
_SHORT: Final = 126
_MEDIUM: Final = 65_536
_MASKED: Final = 128
_XOR_LIMIT: Final = 1_024
_SHORTEST: Final = 6
_SHORT_HEADERS: Final = tuple(bytes((_TEXT, size)) for size in range(_SHORT))

LARGEST_KEPT: Final = 65_536
"""An incomplete frame up to this size waits for its rest; a longer one is Autobahn's at once,
because joining it read by read would take quadratic time."""

CLOSE_CODES: Final = frozenset({1000, 1001, 1002, 1003, *range(1007, 1014), *range(3000, 5000)})
"""Codes that may stand in a Close frame. Source: RFC 6455 7.4 and the IANA registry."""


def header(size: int) -> bytes:
    """Return the header of a whole, unmasked text message of ``size`` bytes."""
    if size < _SHORT:
        return _SHORT_HEADERS[size]
    if size < _MEDIUM:
        return b"\x81\x7e" + size.to_bytes(2, "big")
    return b"\x81\x7f" + size.to_bytes(8, "big")


def message(payload: bytes) -> bytes:
    """Return the frame of a whole, unmasked text message."""
    return header(len(payload)) + payload


def unmask(mask: bytes, masked: bytes) -> bytes:
    """Apply a mask of 4 bytes by one XOR of big integers; best below about 1 KiB."""
    size = len(masked)
    key = (mask * ((size + 3) >> 2))[:size]
    plain = int.from_bytes(masked, "little") ^ int.from_bytes(key, "little")
    return plain.to_bytes(size, "little")


def truncate(reason: str, limit: int = 123) -> bytes:
    """Encode a close reason, cut to ``limit`` bytes at a character boundary."""
    encoded = reason.encode("utf-8", "replace")
    return encoded[:limit].decode("utf-8", "ignore").encode("utf-8")


class Rest(Enum):
    """What to do with the bytes behind the frames that were taken."""

    FOREIGN = "not a whole plain frame: for the full protocol implementation, if there are any"
    KEEP = "the beginning of a plain frame: join with the next read"
    INVALID = "the last text frame was not UTF-8"


def take(  # noqa: C901 - one loop, for speed
    data: bytes,
    limit: int,
    unmask_long: Callable[[bytes, bytes], bytes],
    decode: bool = False,  # noqa: FBT001, FBT002 - keywords cost in the hot path
) -> tuple[list[Any], int, Rest]:
    """Take whole, masked, unfragmented, minimally encoded data frames off the front of ``data``.

    Args:
        data: as read, beginning at a frame boundary outside any fragmented message.
        limit: a longer payload is left alone.
        unmask_long: (mask, payload) -> payload, for 1 KiB and more.
        decode: return text as ``str``, to tell it from binary; otherwise all are ``bytes``.

    Returns:
        The unmasked payloads in order, how many bytes they took, and what the rest is.
    """
    payloads: list[Any] = []
    position = 0
    size = len(data)
    while size - position >= _SHORTEST:
        opcode = data[position]
        length = data[position + 1] - _MASKED
        body = position + 6
        if (opcode != _TEXT and opcode != _BINARY) or length < 0:  # noqa: PLR1714 - faster
            break
        if length >= _SHORT:
            width = 2 if length == _SHORT else 8
            body += width
            least = _SHORT if length == _SHORT else _MEDIUM
            length = int.from_bytes(data[position + 2 : position + 2 + width], "big")
            if length < least:
                break
        end = body + length
        if length > limit or body > size:
            break
        if end > size:
            return payloads, position, Rest.KEEP if length <= LARGEST_KEPT else Rest.FOREIGN
        mask, masked = data[body - 4 : body], data[body:end]
        payload = unmask(mask, masked) if length < _XOR_LIMIT else unmask_long(mask, masked)
        position = end
        if opcode == _TEXT:
            if decode:
                try:
                    payloads.append(payload.decode())
                except UnicodeDecodeError:
                    return payloads, position, Rest.INVALID
                continue
            if not payload.isascii() and not _is_utf8(payload):
                return payloads, position, Rest.INVALID
        payloads.append(payload)
    return payloads, position, Rest.FOREIGN


def _is_utf8(payload: bytes) -> bool:
    try:
        payload.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
