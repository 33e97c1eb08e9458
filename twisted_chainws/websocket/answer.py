"""The head of a server's answer to our handshake, for what Autobahn does not tell. Pure."""

import re
from dataclasses import dataclass
from typing import Final, Self

from twisted_chainws.websocket.values import ResponseHeaders

__all__ = ["LONGEST_HEAD", "Answer"]

LONGEST_HEAD: Final = 65_536
"""Bytes after which an answer without an end of its head is given up."""

_STATUS: Final = re.compile(rb"HTTP/1\.[01] ([1-9][0-9]{2})(?: (.*))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Status line and headers.

    Attributes:
        status: of HTTP.
        message: the reason phrase, "" for none.
        headers: all lines; bytes that are no ASCII are taken for Latin-1.
    """

    status: int
    message: str
    headers: ResponseHeaders

    @classmethod
    def parse(cls, head: bytes) -> Self | None:
        """Parse the bytes up to the empty line; None if they are not HTTP."""
        first, *lines = head.split(b"\r\n")
        found = _STATUS.fullmatch(first)
        if found is None:
            return None
        pairs = [line.decode("latin-1").partition(":")[::2] for line in lines if b":" in line]
        return cls(
            status=int(found[1]),
            message=(found[2] or b"").decode("latin-1").strip(),
            headers=ResponseHeaders((name.strip(), value.strip()) for name, value in pairs),
        )
