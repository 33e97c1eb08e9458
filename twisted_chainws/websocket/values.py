"""What goes into and comes out of the WebSocket objects. Pure, frozen, without secrets in ``repr``.

Source: ``ohos-websocket.md`` 1.1 (OpenHarmony ``@ohos.net.webSocket``).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

__all__ = [
    "ClientCert", "ClientConnectionCloseCallback", "CloseResult", "Data", "HttpProxy", "OpenInfo",
    "ProxyConfiguration", "ResponseHeaders", "ServerCert", "WebSocketCloseOptions",
    "WebSocketConnection", "WebSocketMessage",
]  # fmt: skip

Data: TypeAlias = str | bytes | bytearray | memoryview
"""What can be sent: ``str`` as text, the others as binary. What comes in is ``str | bytes``."""


@dataclass(frozen=True, slots=True)
class ClientCert:
    """Who we are, for servers that ask.

    Attributes:
        cert_path: PEM file; its first block is our certificate, the others go along as chain.
        key_path: PEM file with the private key, PKCS#8 or traditional.
        key_password: "" for a key that is not encrypted.
    """

    cert_path: str
    key_path: str
    key_password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class ServerCert:
    """Who a server is.

    Attributes:
        cert_path: PEM file; its first block is the certificate, the others go along as chain.
        key_path: PEM file with the private key, not encrypted.
    """

    cert_path: str
    key_path: str


@dataclass(frozen=True, slots=True)
class HttpProxy:
    """The proxy to go through.

    Attributes:
        host: name or address.
        port: 0 to 65535.
        exclusion_list: targets to reach without it: names, suffixes of names, addresses, a lone
            ``*`` for all.
        username: with ``password`` for Basic credentials; None for none.
        password: see there.
    """

    host: str
    port: int
    exclusion_list: tuple[str, ...] = ()
    username: str | None = None
    password: str | None = field(default=None, repr=False)


ProxyConfiguration: TypeAlias = Literal["system", "no-proxy"] | HttpProxy
"""Which proxy: the system's, none, or this one."""


@dataclass(frozen=True, slots=True)
class WebSocketCloseOptions:
    """How to close.

    Attributes:
        code: one that an application may send, see ``codes.SENDABLE``.
        reason: cut to 123 bytes of UTF-8.
    """

    code: int = 1000
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CloseResult:
    """How a connection ended.

    Attributes:
        code: ours if we closed first, else the peer's; 1005 if it gave none, 1006 without Close.
        reason: that of the same side.
        was_clean: both sides sent Close frames and nobody broke the protocol.
    """

    code: int
    reason: str
    was_clean: bool = True


@dataclass(frozen=True, slots=True)
class OpenInfo:
    """The server's answer to a handshake.

    Attributes:
        status: 101.
        message: the reason phrase of the status line.
        protocol: the subprotocol that the server chose, None for none.
    """

    status: int
    message: str
    protocol: str | None = None


@dataclass(frozen=True, slots=True)
class WebSocketConnection:
    """One client of a server, as a value.

    Attributes:
        client_ip: address, without the ``::ffff:`` of mapped ones.
        client_port: of the client's side.
        serial: tells a client from a later one on the same port; None in a value made by hand,
            which then stands for whoever is connected from there. Does not count for equality.
    """

    client_ip: str
    client_port: int
    serial: int | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class WebSocketMessage:
    """A message to a server.

    Attributes:
        data: ``str`` if it came as text, ``bytes`` if as binary.
        client_connection: who sent it.
    """

    data: str | bytes
    client_connection: WebSocketConnection


ClientConnectionCloseCallback: TypeAlias = Callable[[WebSocketConnection, CloseResult], object]
"""A listener to a server's ``close``."""


class ResponseHeaders(Mapping[str, str | list[str]]):
    """The headers of an HTTP answer, found in any case, listed in lower case.

    A header that came once is a ``str``, one that came several times a ``list[str]``. It is never
    changed after it was made, and its ``repr`` shows names only, for cookies are secrets.
    """

    __slots__ = ("_values",)

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        """Take name and value of each header line, in their order."""
        values: dict[str, str | list[str]] = {}
        for name, value in pairs:
            key = name.lower()
            earlier = values.get(key)
            if earlier is None:
                values[key] = value
            elif isinstance(earlier, list):
                earlier.append(value)
            else:
                values[key] = [earlier, value]
        self._values = values

    def __getitem__(self, name: str) -> str | list[str]:
        return self._values[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"<ResponseHeaders {', '.join(self._values)}>"
