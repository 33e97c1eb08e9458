"""A bare TCP peer on the reactor, frames by hand, and a listener to talk to."""

import os
import struct
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Self

import orjson
from twisted.internet import reactor as _reactor  # noqa: TID251 - real sockets
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.protocol import Protocol
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from twisted_chainws.dialects.base import Dialect
from twisted_chainws.dialects.catalog import DIALECTS, make_dialects
from twisted_chainws.dialects.view import Profile, Settings
from twisted_chainws.server.factory import ServerSettings
from twisted_chainws.server.site import ChainSite, make_site
from twisted_chainws.service import ChainService
from twisted_chainws.testing import FakeSource

reactor: Any = _reactor
LIMIT_S = 20.0
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
MASK = b"\x11\x22\x33\x44"
UPGRADE = {
    "Host": "127.0.0.1",
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
}


def frame(
    payload: bytes, opcode: int = TEXT, *, fin: bool = True, mask: bytes | None = MASK
) -> bytes:
    """Write a client frame byte by byte, so that nothing is shared with what is tested."""
    size = len(payload)
    masked = 0x80 if mask is not None else 0
    head = bytes([(0x80 if fin else 0) | opcode])
    if size < 126:
        head += bytes([masked | size])
    elif size < 65_536:
        head += struct.pack("!BH", masked | 126, size)
    else:
        head += struct.pack("!BQ", masked | 127, size)
    if mask is None:
        return head + payload
    return head + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))


def request(number: Any, method: str, *params: Any) -> bytes:
    """Write a JSON-RPC request."""
    return orjson.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params})


class Peer(Protocol):
    """One TCP connection whose reads are awaited."""

    def __init__(self) -> None:
        self.buffer = bytearray()
        self.lost = False
        self._waiting: Deferred[None] | None = None

    def dataReceived(self, data: bytes) -> None:
        self.buffer += data
        self._wake()

    def connectionLost(self, _reason: Failure = Failure(ConnectionError())) -> None:  # noqa: B008
        self.lost = True
        self._wake()

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.callback(None)

    async def more(self) -> None:
        """Wait for more bytes or the end."""
        if not self.lost:
            self._waiting = Deferred()
            await self._waiting.addTimeout(LIMIT_S, reactor)

    def send(self, data: bytes) -> None:
        self.transport.write(data)  # type: ignore[union-attr]

    async def take(self, size: int) -> bytes:
        while len(self.buffer) < size:
            if self.lost:
                raise ConnectionError(f"closed; left: {bytes(self.buffer)!r}")
            await self.more()
        data = bytes(self.buffer[:size])
        del self.buffer[:size]
        return data

    async def head(self) -> str:
        """Return the head of an HTTP answer."""
        while b"\r\n\r\n" not in self.buffer:
            if self.lost:
                raise ConnectionError(f"closed; left: {bytes(self.buffer)!r}")
            await self.more()
        head, _, rest = bytes(self.buffer).partition(b"\r\n\r\n")
        self.buffer[:] = rest
        return head.decode()

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers (lower case) and body of an HTTP answer."""
        first, *lines = (await self.head()).split("\r\n")
        headers = {}
        for line in lines:
            name, _, value = line.partition(": ")
            headers[name.lower()] = value
        body = await self.take(int(headers.get("content-length", "0")))
        return int(first.split(" ")[1]), headers, body

    async def frame(self) -> tuple[int, bytes]:
        """Return opcode and payload of the next frame, which must be whole and unmasked."""
        first, size = await self.take(2)
        assert first & 0x80
        if size == 126:
            (size,) = struct.unpack("!H", await self.take(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", await self.take(8))
        return first & 0x0F, await self.take(size)

    async def json(self) -> Any:
        """Return the next message, which must be text."""
        opcode, payload = await self.frame()
        assert opcode == TEXT, (opcode, payload)
        return orjson.loads(payload)

    async def ended(self) -> tuple[int, str]:
        """Skip to the Close frame, wait for the end of TCP, and return code and reason."""
        while True:
            opcode, payload = await self.frame()
            if opcode == CLOSE:
                break
        self.send(frame(payload[:2], CLOSE))
        await self.gone()
        return int.from_bytes(payload[:2], "big"), payload[2:].decode()

    async def gone(self) -> None:
        """Wait for the end of TCP."""
        while not self.lost:
            await self.more()

    async def call(self, method: str, *params: Any) -> Any:
        """Ask and return the result; nothing else may come in between."""
        self.send(frame(request(1, method, *params)))
        answer = await self.json()
        assert "result" in answer, answer
        return answer["result"]

    def drop(self) -> None:
        """Cut TCP."""
        self.transport.abortConnection()  # type: ignore[union-attr]


class Stand:
    """A real service and a real listener on a port of its own; ``async with`` starts and stops."""

    def __init__(
        self,
        settings: ServerSettings | None = None,
        *,
        dialect: Dialect | None = DIALECTS[0],
        limits: Mapping[str, Any] | None = None,
        profile: Profile = Profile.SUPERSET,
        dialects: tuple[Dialect, ...] = DIALECTS,
        confirmations: int = 0,
    ) -> None:
        self.source = FakeSource()
        self._dialects = dialects
        if profile is not Profile.SUPERSET:
            self._dialects = make_dialects(profile)
            dialect = self._dialects[0]
        self.service: Any = ChainService(
            source=self.source,
            dialects=self._dialects,
            settings=Settings(
                profile=profile,
                client_version="test/1",
                network_id=31_337,
                development=True,
            ),
            clock=reactor,
            random=os.urandom,
            confirmations=confirmations,
        )
        if settings is None:
            defaults = self._dialects[0].limits
            settings = ServerSettings(limits=replace(defaults, **(limits or {})))
        self._dialect = dialect
        self._settings = settings
        self._peers: list[Peer] = []
        self.site: ChainSite

    async def __aenter__(self) -> Self:
        self.service.startService()
        await self.service.when_ready()
        self.site = make_site(
            reactor=reactor,
            dialect=self._dialect,
            catalog=self._dialects,
            services={"devchain": self.service},
            settings=self._settings,
        )
        self._port = reactor.listenTCP(0, self.site, interface="127.0.0.1")
        self.port = self._port.getHost().port
        return self

    async def __aexit__(self, *_failure: object) -> None:
        await self._port.stopListening()
        for peer in self._peers:
            if not peer.lost:
                peer.drop()
                await peer.gone()
        await self.site.close_all()
        await self.service.stopService()
        await deferLater(reactor, 0.01)

    async def tcp(self) -> Peer:
        """Connect without a word."""
        peer = Peer()
        endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", self.port)
        await connectProtocol(endpoint, peer)
        self._peers.append(peer)
        return peer

    async def upgrade(self, path: str = "/", **headers: str) -> tuple[Peer, str]:
        """Ask for a WebSocket; underscores in names stand for dashes, None leaves one out."""
        peer = await self.tcp()
        merged = UPGRADE | {name.replace("_", "-"): value for name, value in headers.items()}
        lines = [f"{name}: {value}" for name, value in merged.items() if value]
        peer.send("\r\n".join([f"GET {path} HTTP/1.1", *lines, "", ""]).encode())
        return peer, ""

    async def ws(self, path: str = "/", **headers: str) -> Peer:
        """Open a WebSocket."""
        peer, _ = await self.upgrade(path, **headers)
        head = await peer.head()
        assert head.startswith("HTTP/1.1 101 "), head
        return peer

    async def http(
        self, method: str, path: str = "/", body: bytes = b"", **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """Send one HTTP request and return status, headers and body."""
        peer = await self.tcp()
        merged = {"Host": "127.0.0.1"} | {k.replace("_", "-"): v for k, v in headers.items()}
        if body:
            merged.setdefault("Content-Length", str(len(body)))
        lines = [f"{name}: {value}" for name, value in merged.items() if value]
        peer.send("\r\n".join([f"{method} {path} HTTP/1.1", *lines, "", ""]).encode() + body)
        answer = await peer.answer()
        peer.drop()
        return answer

    async def post(
        self, body: bytes, path: str = "/", **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """Send one POST of JSON."""
        headers.setdefault("Content_Type", "application/json")
        return await self.http("POST", path, body, **headers)


async def pause(seconds: float = 0.0) -> None:
    """Let the reactor turn."""
    await deferLater(reactor, seconds)


async def until(condition: Any) -> None:
    """Wait until ``condition()`` holds, for at most the limit."""
    started = reactor.seconds()
    while not condition():
        assert reactor.seconds() - started < LIMIT_S
        await pause(0.005)
