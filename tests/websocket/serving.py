"""A real ``WebSocketServer`` on a free port, what it tells, and bare TCP peers to talk to it."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import (
    TCP4ClientEndpoint,
    TCP6ClientEndpoint,
    connectProtocol,
    wrapClientTLS,
)
from twisted.internet.ssl import Certificate, optionsForClientTLS, trustRootFromCertificates

from tests.server.peer import UPGRADE, Peer, reactor, until
from tests.websocket.certificates import Issued, leaf, write
from twisted_chainws.websocket.codes import ServerEvent, WebSocketError
from twisted_chainws.websocket.server import WebSocketServer
from twisted_chainws.websocket.server_options import WebSocketServerConfig
from twisted_chainws.websocket.values import ServerCert, WebSocketConnection

__all__ = ["Serving", "config", "over_tls", "refusal", "server_cert", "serving"]


class Serving:
    """A server, its events in order, and its peers.

    Attributes:
        events: the name of each event with its values.
    """

    def __init__(self, server: WebSocketServer) -> None:
        self.server = server
        self.events: list[tuple[Any, ...]] = []
        self.peers: list[Peer] = []
        for event in ServerEvent:
            server.on(event, self._recorder(event.value))

    def _recorder(self, name: str) -> Callable[..., None]:
        return lambda *values: self.events.append((name, *values))

    def told(self, name: str) -> list[Any]:
        """Return the values of all events of that name."""
        return [
            event[1] if len(event) == 2 else event[1:] for event in self.events if event[0] == name
        ]

    async def tell(self, name: str, count: int = 1) -> Any:
        """Wait until there are so many events of that name, and return the last one's values."""
        await until(lambda: len(self.told(name)) >= count)
        return self.told(name)[-1]

    async def tcp(self, *, host: str = "127.0.0.1", source: tuple[str, int] | None = None) -> Peer:
        """Connect without a word."""
        assert self.server.address is not None
        kind: Any = TCP6ClientEndpoint if ":" in host else TCP4ClientEndpoint
        peer = Peer()
        endpoint = kind(reactor, host, self.server.address.port, bindAddress=source)
        await connectProtocol(endpoint, peer)
        self.peers.append(peer)
        return peer

    async def ask(self, path: str = "/", *, source: str | None = None, **more: str) -> Peer:
        """Ask for a WebSocket; underscores in names of headers stand for dashes."""
        peer = await self.tcp(source=None if source is None else (source, 0))
        self.request(peer, path, b"", **more)
        return peer

    def request(self, peer: Peer, path: str = "/", behind: bytes = b"", **more: str) -> None:
        """Send a handshake over a connection, and what is behind it in the same segment."""
        headers = UPGRADE | {name.replace("_", "-"): value for name, value in more.items()}
        lines = [f"{name}: {value}" for name, value in headers.items()]
        head = "\r\n".join([f"GET {path} HTTP/1.1", *lines, "", ""])
        peer.send(head.encode("latin-1") + behind)

    async def ws(self, path: str = "/", *, source: str | None = None, **more: str) -> Peer:
        """Open a WebSocket."""
        peer = await self.ask(path, source=source, **more)
        head = await peer.head()
        assert head.startswith("HTTP/1.1 101 "), head
        return peer

    async def joined(self) -> tuple[Peer, WebSocketConnection]:
        """Open a WebSocket and return it with its value."""
        count = len(self.told("connect"))
        peer = await self.ws()
        return peer, await self.tell("connect", count + 1)


def config(**values: Any) -> WebSocketServerConfig:
    """Return a configuration for a free port of loopback."""
    usual: dict[str, Any] = {"server_ip": "127.0.0.1", "server_port": 0}
    return WebSocketServerConfig(**(usual | values))


@asynccontextmanager
async def serving(**values: Any) -> AsyncIterator[Serving]:
    """Start a server, and leave nothing behind."""
    async with WebSocketServer(reactor) as server:
        stand = Serving(server)
        assert await server.start(config(**values)) is True
        try:
            yield stand
        finally:
            for peer in stand.peers:
                if not peer.lost:
                    peer.drop()
                    await peer.gone()


async def refusal(outcome: Deferred[Any]) -> WebSocketError:
    """Return the error of a call, which must fail."""
    try:
        value = await outcome
    except WebSocketError as error:
        return error
    raise AssertionError(f"it succeeded with {value!r}")


def server_cert(folder: Path, ca: Issued) -> ServerCert:
    """Issue a certificate for localhost and write it down."""
    ours = leaf(ca)
    return ServerCert(
        write(folder, "cert.pem", ours.chain), write(folder, "key.pem", ours.key_pem())
    )


async def over_tls(stand: Serving, ca: Issued) -> Peer:
    """Connect over TLS without a word."""
    assert stand.server.address is not None
    trust = trustRootFromCertificates([Certificate.loadPEM(ca.pem)])
    plain = TCP4ClientEndpoint(reactor, "127.0.0.1", stand.server.address.port)
    peer = Peer()
    await connectProtocol(wrapClientTLS(optionsForClientTLS("localhost", trust), plain), peer)
    stand.peers.append(peer)
    return peer
