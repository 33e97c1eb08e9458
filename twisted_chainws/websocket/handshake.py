"""What an opening handshake asks for, and how it is refused. Pure values."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

__all__ = ["Handshake", "Refuse", "reason_phrase"]

_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_LOWEST_STATUS: Final = 300
_HIGHEST_STATUS: Final = 599


@dataclass(frozen=True, slots=True, kw_only=True)
class Handshake:
    """One valid request to upgrade.

    Attributes:
        path: without the query.
        headers: names in lower case; repeated ones are joined by commas.
        protocols: offered subprotocols, best first.
        peer: for logs, ``tcp4:127.0.0.1:50000``.
        query: the query's names and values, decoded; not in ``repr``, for it may hold secrets.
    """

    path: str
    headers: Mapping[str, str] = field(repr=False)
    protocols: tuple[str, ...]
    peer: str
    query: Mapping[str, list[str]] = field(default_factory=dict, repr=False)


@dataclass(eq=False, kw_only=True)
class Refuse(Exception):
    """The server does not want this connection; answered as plain HTTP before the upgrade.

    Attributes:
        status: HTTP status code, 300 to 599.
        body: text or JSON, as bytes.
        content_type: of the body.
        headers: more header lines; names are tokens, values Latin-1 on one line.

    Raises:
        ValueError: one of them cannot be sent so.

    Source: RFC 9110, sections 5.1 and 5.5.
    """

    status: int
    body: bytes
    content_type: str = "text/plain; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = field(default=())

    def __post_init__(self) -> None:
        # Here, where whoever wrote it can see it: later there would be no answer at all, or one
        # with lines that a client has smuggled in.
        if type(self.status) is not int or not _LOWEST_STATUS <= self.status <= _HIGHEST_STATUS:
            raise ValueError("status: not a whole number from 300 to 599")
        if not isinstance(self.body, bytes):
            raise ValueError("body: not bytes")  # noqa: TRY004 - one class for all of them
        for name, value in (("Content-Type", self.content_type), *self.headers):
            if not (isinstance(name, str) and _NAME.fullmatch(name)):
                raise ValueError(f"headers: {name!r} is no token")
            if not (isinstance(value, str) and _VALUE.fullmatch(value)):
                raise ValueError(f"headers: the value of {name} is not one line of Latin-1")

    def render(self) -> bytes:
        """Return the whole HTTP/1.1 answer, with its length, after which the server hangs up."""
        lines = [
            f"HTTP/1.1 {self.status} {reason_phrase(self.status)}",
            f"Content-Type: {self.content_type}",
            f"Content-Length: {len(self.body)}",
            "Connection: close",
            *(f"{name}: {value}" for name, value in self.headers),
        ]
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + self.body


def reason_phrase(status: int) -> str:
    """Return the standard words for a status code."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"
