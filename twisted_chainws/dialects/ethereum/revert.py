"""What a revert says: the texts that nodes make of the data a contract returned. Sans-I/O.

Source: ``ethereum.md`` 1.5; Solidity's ``Error(string)`` and ``Panic(uint256)``; go-ethereum
``accounts/abi/error_handling.go``; Go's ``time.Duration.String``.
"""

from collections.abc import Mapping
from typing import Final

_ERROR_SELECTOR: Final = bytes.fromhex("08c379a0")
_PANIC_SELECTOR: Final = bytes.fromhex("4e487b71")
_WORD: Final = 32

PANICS: Final[Mapping[int, str]] = {
    0x00: "generic panic",
    0x01: "assert(false)",
    0x11: "arithmetic underflow or overflow",
    0x12: "division or modulo by zero",
    0x21: "enum overflow",
    0x22: "invalid encoded storage byte array accessed",
    0x31: "out-of-bounds array access; popping on an empty array",
    0x32: "out-of-bounds access of an array or bytesN",
    0x41: "out of memory",
    0x51: "uninitialized function",
}


def encode_revert_message(data: bytes) -> str:
    """Say ``execution reverted``, with the reason when ``data`` holds one."""
    reason = revert_reason(data)
    return "execution reverted" if reason is None else f"execution reverted: {reason}"


def revert_reason(data: bytes) -> str | None:
    """Read the reason of a revert; None when the data is neither an error string nor a panic."""
    selector, body = data[:4], data[4:]
    if selector == _ERROR_SELECTOR:
        return _error_string(body)
    if selector == _PANIC_SELECTOR and len(body) >= _WORD:
        code = int.from_bytes(body[:_WORD], "big")
        return PANICS.get(code, f"unknown panic code: {code:#x}")
    return None


def _error_string(body: bytes) -> str | None:
    offset = int.from_bytes(body[:_WORD], "big")
    start = offset + _WORD
    if len(body) < _WORD or start > len(body):
        return None
    size = int.from_bytes(body[offset:start], "big")
    if start + size > len(body):
        return None
    return body[start : start + size].decode("utf-8", "replace")


def go_duration(seconds: float) -> str:
    """Write a duration as Go does: ``20s``, ``1m0s``, ``1.5s``, ``500ms``."""
    milliseconds = round(seconds * 1000)
    if milliseconds < 1000:  # noqa: PLR2004 - below a second Go changes the unit
        return f"{milliseconds}ms" if milliseconds else "0s"
    minutes, rest = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    text = f"{rest / 1000:.3f}".rstrip("0").rstrip(".") + "s"
    if hours:
        return f"{hours}h{minutes}m{text}"
    return f"{minutes}m{text}" if minutes else text
