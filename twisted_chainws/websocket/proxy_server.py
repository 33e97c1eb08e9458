"""A proxy: where it is, how it is spoken to, and who we are to it. Pure."""

from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias, cast
from urllib.parse import SplitResult, unquote, urlsplit

from twisted_chainws.websocket.fields import refuse

__all__ = ["ProxyScheme", "ProxyServer", "parse_proxy"]

ProxyScheme: TypeAlias = Literal["http", "https", "socks5", "socks5h"]

_DEFAULT_PORTS: Final[dict[str, int]] = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
_LONGEST_SOCKS: Final = 255
_NO_HOST: Final = frozenset(" /\\@\t\r\n\0")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyServer:
    """One proxy.

    Attributes:
        scheme: ``http`` and ``https`` take CONNECT, the latter over TLS; the names are looked up by
            the proxy with both kinds of SOCKS.
        host: name or address, without brackets.
        port: 0 to 65535.
        username: None for no credentials.
        password: None for no credentials, "" for an empty one.

    Raises:
        WebSocketError: 401; no host, or credentials that this kind of proxy cannot be told.
    """

    scheme: ProxyScheme
    host: str
    port: int
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Take the brackets off an address and check what can be sent."""
        object.__setattr__(self, "host", self.host.removeprefix("[").removesuffix("]"))
        if not self.host or _NO_HOST & set(self.host):
            raise refuse("proxy: no host")
        if self.credentials is None:
            return
        try:
            encoded = [each.encode() for each in self.credentials]
        except UnicodeEncodeError:
            raise refuse("proxy: the credentials are no text") from None
        if self.is_socks:
            if not all(0 < len(each) <= _LONGEST_SOCKS for each in encoded):
                raise refuse("proxy: SOCKS credentials have 1 to 255 bytes each")
        elif b":" in encoded[0] or any(byte < ord(" ") for each in encoded for byte in each):
            raise refuse("proxy: a colon in the user's name, or control bytes in the credentials")

    @property
    def is_socks(self) -> bool:
        """Whether it speaks SOCKS 5."""
        return self.scheme.startswith("socks")

    @property
    def credentials(self) -> tuple[str, str] | None:
        """User and password; None unless there are both."""
        if self.username is None or self.password is None:
            return None
        return self.username, self.password


def parse_proxy(url: str) -> ProxyServer:
    """Return the proxy that a URL names; one without a scheme is an HTTP proxy.

    Raises:
        WebSocketError: 401, which never quotes the URL: it may hold a password.
    """
    parts = _split(url.strip() if "://" in url else f"http://{url.strip()}")
    if parts.scheme not in _DEFAULT_PORTS:
        raise refuse("proxy: the scheme of its URL is none of http, https, socks5, socks5h")
    try:
        port = _DEFAULT_PORTS[parts.scheme] if parts.port is None else parts.port
    except ValueError:
        raise refuse("proxy: the port in its URL") from None
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise refuse("proxy: its URL has more than a host and a port")
    named = parts.username is not None
    return ProxyServer(
        scheme=cast("ProxyScheme", parts.scheme),
        host=parts.hostname or "",
        port=port,
        username=unquote(parts.username or "") if named else None,
        password=unquote(parts.password or "") if named else None,
    )


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        raise refuse("proxy: its URL") from None
