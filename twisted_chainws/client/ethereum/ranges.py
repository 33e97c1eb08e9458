"""Ranges of blocks for ``eth_getLogs``, as wide as a server takes them. Pure.

Source: ``ethereum.md`` 5.3 (limits of providers and their words), 6.3 point 5.
"""

import re
from typing import Final

from twisted_chainws.client.errors import RpcError

__all__ = ["LogRanges", "narrower"]

_SUGGESTION: Final = re.compile(r"\[\s*(0x[0-9a-fA-F]{1,16})\s*,\s*(0x[0-9a-fA-F]{1,16})\s*\]")
_TOO_MUCH: Final = re.compile(
    r"response size|block range|blocks? range|range .*(?:exceed|limit|too)|exceed\w* .*range"
    r"|more than \d+ (?:results|logs|blocks)|too many (?:results|logs|blocks)|query timeout"
    r"|limit exceeded|exceed\w* (?:the )?(?:maximum|max|limit)|response too large|timed? ?out",
    re.IGNORECASE,
)
_CODES: Final = frozenset({-32005, -32003})
"""Limit exceeded, response too large."""


class LogRanges:
    """What is left of a range, lowest first."""

    def __init__(self, first: int, last: int, widest: int) -> None:
        """Cut a range.

        Args:
            first: lowest block.
            last: highest block, included; nothing is left if it is below.
            widest: the most blocks of a piece.
        """
        self._left = [(low, min(low + widest - 1, last)) for low in range(first, last + 1, widest)]
        self._left.reverse()

    def next(self) -> tuple[int, int] | None:
        """Return the piece to ask for, None when all is done."""
        return self._left[-1] if self._left else None

    def done(self) -> None:
        """Take note that the piece was answered."""
        self._left.pop()

    def refused(self, error: RpcError) -> bool:
        """Cut the piece that was refused; False if it is not about its width, or cannot be cut."""
        first, last = self._left[-1]
        piece = narrower(error, first, last)
        if piece is None:
            return False
        self._left[-1:] = [(piece + 1, last), (first, piece)]
        return True


def narrower(error: RpcError, first: int, last: int) -> int | None:
    """Return the last block of a smaller range that begins at ``first``.

    None if the error is not about the width, or there is just one block.
    """
    if first >= last or not _is_about_width(error):
        return None
    suggested = _SUGGESTION.search(error.message)
    if suggested is not None:
        low, high = int(suggested[1], 16), int(suggested[2], 16)
        if low <= first <= high < last:
            return high
    return (first + last) // 2


def _is_about_width(error: RpcError) -> bool:
    return error.code in _CODES or _TOO_MUCH.search(error.message) is not None
