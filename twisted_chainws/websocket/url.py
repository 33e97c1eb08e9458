"""Where a URL leads to. Pure.

Stricter than ``urllib``, which deletes line breaks silently, and than Autobahn, which sends what is
left as it is, takes "" for the local host and gives the host ``unix`` a meaning of its own.

Source: ``ohos-websocket.md`` 2.1.
"""

import re
from base64 import b64encode
from dataclasses import dataclass, field
from ipaddress import IPv6Address
from typing import Final
from urllib.parse import SplitResult, quote, unquote_to_bytes, urlsplit

import idna

from twisted_chainws.websocket.codes import ErrorCode, WebSocketError

__all__ = ["Target", "parse_url"]

_PORTS: Final = {"ws": 80, "wss": 443}
_UNPRINTABLE: Final = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029]")
_NAME: Final = re.compile(r"(?=.{1,253}\.?\Z)([a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}\.?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What to connect to and what to ask for there.

    Attributes:
        secure: over TLS.
        host: a name in A-labels or an address, IPv6 without brackets.
        port: 1 to 65535.
        resource: path and query, ASCII, beginning with a slash.
        authorization: the header for the user in the URL, None without one; a secret, and so may
            be the resource.
    """

    secure: bool
    host: str
    port: int
    resource: str = field(repr=False)
    authorization: str | None = field(default=None, repr=False)

    @property
    def bracketed(self) -> str:
        """The host as a Host header writes it."""
        return f"[{self.host}]" if ":" in self.host else self.host


def parse_url(url: str, *, longest: int) -> Target:
    """Take a URL apart.

    Args:
        url: ``ws://host:port/path?query`` or ``wss://…``.
        longest: most characters.

    Raises:
        WebSocketError: 2302001; the detail does not quote the URL.
    """
    if not url or len(url) > longest:
        raise _error("empty or too long")
    if _UNPRINTABLE.search(url):
        raise _error("space or control characters")
    if "#" in url:
        raise _error("a fragment")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _error("host or port") from None
    scheme = parts.scheme.lower()
    if scheme not in _PORTS:
        raise _error("neither ws nor wss")
    if port == 0 or parts.netloc.lower().rpartition("@")[2] == "unix:":
        raise _error("host or port")
    return Target(
        secure=scheme == "wss",
        host=_host(parts.hostname or ""),
        port=_PORTS[scheme] if port is None else port,
        resource=_resource(parts),
        authorization=_authorization(parts),
    )


def _error(detail: str) -> WebSocketError:
    return WebSocketError(ErrorCode.URL_ERROR, data=detail)


def _host(name: str) -> str:
    try:
        if ":" in name:
            # A zone is of this machine only, and has no place in a Host header.
            return str(IPv6Address(name.replace("%", " ")))
        known = name if name.isascii() else idna.encode(name, uts46=True).decode("ascii")
    except ValueError:
        # An IDNAError is one as well.
        raise _error("host") from None
    if not _NAME.fullmatch(known):
        raise _error("host")
    return known


def _resource(parts: SplitResult) -> str:
    resource = parts.path or "/"
    if parts.query:
        resource += f"?{parts.query}"
    try:
        return "".join(one if one.isascii() else quote(one) for one in resource)
    except UnicodeEncodeError:
        raise _error("half a surrogate pair") from None


def _authorization(parts: SplitResult) -> str | None:
    if parts.username is None:
        return None
    try:
        user = unquote_to_bytes(parts.username) + b":" + unquote_to_bytes(parts.password or "")
    except UnicodeEncodeError:
        raise _error("half a surrogate pair") from None
    return "Basic " + b64encode(user).decode("ascii")
