"""What an opening handshake asks for, and how it is refused. Pure values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

__all__ = ["Handshake", "Refuse", "reason_phrase"]


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
        status: HTTP status code.
        body: text or JSON, as bytes.
        content_type: of the body.
        headers: more header lines.
    """

    status: int
    body: bytes
    content_type: str = "text/plain; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = field(default=())

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
