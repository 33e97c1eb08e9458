"""A server that says what a test wants, byte by byte, and a client that remembers what it hears."""

import base64
import hashlib
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory
from twisted.protocols.tls import TLSMemoryBIOFactory

from tests.server.peer import BINARY, CLOSE, LIMIT_S, TEXT, Peer, frame, pause, reactor, until
from twisted_chainws.websocket.client import State, WebSocket
from twisted_chainws.websocket.codes import ClientEvent
from twisted_chainws.websocket.options import WebSocketRequestOptions

__all__ = [
    "BINARY", "CLOSE", "TEXT", "Client", "Script", "ServerPeer", "accepting", "close_frame", "limit",
    "options", "pause", "plain", "reactor", "scripted", "unreading", "until",
]  # fmt: skip

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class ServerPeer(Peer):
    """The server's end of a connection; it reads masked frames."""

    async def request(self) -> tuple[str, dict[str, str]]:
        """Return request line and headers of the handshake, names in lower case."""
        first, *lines = (await self.head()).split("\r\n")
        return first, {
            name.lower(): value for name, _, value in (line.partition(": ") for line in lines)
        }

    async def accept(self, *more: str, behind: bytes = b"") -> dict[str, str]:
        """Take the handshake, answer 101, and return the request's headers.

        ``behind`` goes out in the same segment.
        """
        _, headers = await self.request()
        self.send(accepting(headers, *more) + behind)
        return headers

    async def frame(self) -> tuple[int, bytes]:
        """Return opcode and payload of the next frame, which must be whole and masked."""
        first, size = await self.take(2)
        assert first & 0x80
        assert size & 0x80
        size &= 0x7F
        if size == 126:
            (size,) = struct.unpack("!H", await self.take(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", await self.take(8))
        mask = await self.take(4)
        payload = await self.take(size)
        return first & 0x0F, bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))

    async def skip(self) -> int:
        """Skip a long frame, which is slow to unmask here; return the size of its payload."""
        _, size = await self.take(2)
        assert size == 0xFF
        (size,) = struct.unpack("!Q", await self.take(8))
        await self.take(4 + size)
        return int(size)

    async def close(self) -> tuple[int, str]:
        """Skip to the Close frame and return its code and reason, 1005 without a code."""
        while True:
            opcode, payload = await self.frame()
            if opcode == CLOSE:
                code = int.from_bytes(payload[:2], "big") if payload else 1005
                return code, payload[2:].decode()

    def hang_up(self) -> None:
        """Close TCP in the regular way."""
        self.transport.loseConnection()  # type: ignore[union-attr]


def accepting(headers: dict[str, str], *more: str) -> bytes:
    """Return the answer 101 to a request with ``headers``."""
    key = headers["sec-websocket-key"].encode()
    accept = base64.b64encode(hashlib.sha1(key + _GUID).digest()).decode()  # noqa: S324 - RFC 6455
    lines = [
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Accept: {accept}",
        *more,
    ]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def plain(payload: bytes, opcode: int = TEXT, *, fin: bool = True) -> bytes:
    """Return a server's frame."""
    return frame(payload, opcode, fin=fin, mask=None)


def close_frame(code: int, reason: str = "") -> bytes:
    """Return a server's Close frame."""
    return plain(code.to_bytes(2, "big") + reason.encode(), CLOSE)


Script = Callable[[ServerPeer], Awaitable[object]]


async def unreading(peer: ServerPeer) -> None:
    """Accept, read nothing of what comes, and cut the connection a moment later."""
    await peer.accept()
    peer.transport.pauseProducing()  # type: ignore[union-attr]
    await pause(0.1)
    peer.drop()


@asynccontextmanager
async def scripted(script: Script, context: Any = None) -> AsyncIterator[int]:
    """Run a script for each connection; give the port. What a script raises fails the test."""
    peers: list[ServerPeer] = []
    running: list[Deferred[Any]] = []

    class Server(Factory):
        noisy = False

        def buildProtocol(self, addr: Any) -> Any:  # noqa: ARG002
            peer = ServerPeer()
            peers.append(peer)

            async def run() -> None:
                await script(peer)

            # Not before there is a transport.
            reactor.callLater(0, lambda: running.append(Deferred.fromCoroutine(run())))
            return peer

    factory: Any = Server()
    if context is not None:
        factory = TLSMemoryBIOFactory(context, False, factory)
        factory.noisy = False
    port = reactor.listenTCP(0, factory, interface="127.0.0.1")
    try:
        yield port.getHost().port
        await until(lambda: len(running) == len(peers))
        for one in running:
            await limit(one)
    finally:
        await port.stopListening()
        for peer in peers:
            if not peer.lost:
                peer.drop()
        await until(lambda: all(peer.lost for peer in peers))
        for one in running:
            one.addErrback(lambda _: None)


def limit(waiting: Deferred[Any]) -> Deferred[Any]:
    """Fail a test that waits too long."""
    return waiting.addTimeout(LIMIT_S, reactor)


def options(**more: Any) -> WebSocketRequestOptions:
    """Return options that do not look at the system's proxy."""
    return WebSocketRequestOptions(**({"proxy": "no-proxy"} | more))


class Client(WebSocket):
    """A client whose events are remembered as (name, values…), with the state they came in."""

    def __init__(self) -> None:
        super().__init__(reactor)
        self.events: list[tuple[Any, ...]] = []
        self.states: list[State] = []
        for event in ClientEvent:
            self.on(event, lambda *values, event=event: self._note(event, values))

    def _note(self, event: ClientEvent, values: tuple[Any, ...]) -> None:
        self.events.append((event.value, *values))
        self.states.append(self.state)

    @property
    def names(self) -> list[str]:
        """The names of the events so far."""
        return [name for name, *_ in self.events]

    def told(self, name: str) -> list[Any]:
        """The values that came with an event."""
        return [values[0] if values else None for event, *values in self.events if event == name]

    async def opened(self, port: int, path: str = "/", **more: Any) -> None:
        """Connect to a port of this machine and wait until open."""
        await self.connect(f"ws://127.0.0.1:{port}{path}", options(**more))
        await limit(self.when_open())

    async def gone(self) -> None:
        """Wait for the end, of whatever kind."""
        await until(lambda: self.state in (State.CLOSED, State.IDLE))
