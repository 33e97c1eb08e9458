from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol

from tests.server.peer import (
    BINARY,
    CLOSE,
    TEXT,
    UPGRADE,
    Peer,
    frame,
    pause,
    reactor,
    until,
)
from twisted_chainws.websocket.handshake import Handshake, Refuse
from twisted_chainws.websocket.intake import MESSAGES_PER_TURN
from twisted_chainws.websocket.seam import ConnectionOptions, ServerConnection, ServerFactory
from twisted_chainws.websocket.timers import ReactorTimers

pytestmark = pytest.mark.integration


class Echo(ServerConnection):
    """Writes every message back and notes what happens."""

    events: list[Any] = []  # noqa: RUF012 - shared on purpose, emptied per test
    accept: Any = None

    def handshake(self, request: Handshake) -> str | None:
        self.events.append(request)
        if request.path == "/refuse":
            raise Refuse(status=503, body=b"full", headers=(("Retry-After", "9"),))
        if request.path == "/broken":
            raise ZeroDivisionError
        return "unoffered" if request.path == "/wrong" else None

    def opened(self) -> None:
        self.events.append("opened")
        if self.accept == "broken":
            raise ZeroDivisionError

    def message(self, payload: bytes) -> None:
        self.events.append(payload)
        if payload == b"break":
            raise ZeroDivisionError
        if payload == b"close":
            self.close(4001, "ü" * 100)
        elif payload == b"hold":
            self.hold()
        else:
            self.sendMessage(payload, False)

    def closed(self, code: int, reason: str) -> None:
        self.events.append(("closed", code, reason))

    def lost(self) -> None:
        self.events.append("lost")


class Stand:
    """A listener without a site, and its peers."""

    def __init__(self, **options: Any) -> None:
        Echo.events = []
        self.events = Echo.events
        self.factory = ServerFactory(
            reactor=reactor,
            connection=Echo,
            options=ConnectionOptions(**{"message_bytes": 100_000} | options),
        )
        self.built: list[Any] = []
        build = self.factory.buildProtocol

        def remember(address: Any) -> Any:
            self.built.append(build(address))
            return self.built[-1]

        self.factory.buildProtocol = remember

    async def tcp(self) -> Peer:
        peer = Peer()
        await connectProtocol(TCP4ClientEndpoint(reactor, "127.0.0.1", self.port), peer)
        self.peers.append(peer)
        return peer

    async def upgrade(self, path: str = "/", **more: str) -> Peer:
        peer = await self.tcp()
        headers = UPGRADE | {name.replace("_", "-"): value for name, value in more.items()}
        lines = [f"{name}: {value}" for name, value in headers.items()]
        peer.send("\r\n".join([f"GET {path} HTTP/1.1", *lines, "", ""]).encode())
        return peer

    async def ws(self, path: str = "/", **more: str) -> Peer:
        peer = await self.upgrade(path, **more)
        assert "101" in await peer.head()
        return peer

    port = 0
    peers: list[Peer]


@asynccontextmanager
async def standing(**options: Any) -> AsyncIterator[Stand]:
    """Listen on a free port and clean up."""
    stand = Stand(**options)
    stand.peers = []
    port = reactor.listenTCP(0, stand.factory, interface="127.0.0.1")
    stand.port = port.getHost().port
    try:
        yield stand
    finally:
        await port.stopListening()
        for peer in stand.peers:
            if not peer.lost:
                peer.drop()
                await peer.gone()
        await until(lambda: stand.events.count("lost") == len(stand.built))


@pytest_twisted.ensureDeferred
async def test_hooks_in_their_order() -> None:
    """A connection is asked for, opened, heard, closed and lost, once each."""
    async with standing() as stand:
        peer = await stand.ws("/a?b=c", X_Extra="1")
        peer.send(frame(b"one") + frame(b"two", BINARY))
        assert await peer.frame() == (TEXT, b"one")
        assert await peer.frame() == (TEXT, b"two")
        peer.send(frame(b"", CLOSE))
        assert await peer.frame() == (CLOSE, b"")
        await peer.gone()
        await until(lambda: "lost" in stand.events)
        request, *rest = stand.events
        assert (request.path, request.headers["x-extra"]) == ("/a", "1")
        assert request.protocols == ()
        assert rest == ["opened", b"one", b"two", ("closed", 1005, ""), "lost"]


@pytest_twisted.ensureDeferred
async def test_refusals_of_the_hook() -> None:
    """A refusal, and a broken hook, are whole HTTP answers; nothing was opened."""
    async with standing() as stand:
        peer = await stand.upgrade("/refuse")
        status, headers, body = await peer.answer()
        assert (status, headers["retry-after"], body) == (503, "9", b"full")
        await peer.gone()
        peer = await stand.upgrade("/broken")
        assert (await peer.answer())[0] == 500
        await until(lambda: stand.events.count("lost") == 2)
        assert "opened" not in stand.events


@pytest_twisted.ensureDeferred
async def test_subprotocol_that_was_not_offered_is_none() -> None:
    """A hook that answers with something else selects nothing, instead of hanging the client."""
    async with standing() as stand:
        peer = await stand.upgrade("/wrong", Sec_WebSocket_Protocol="a, b")
        head = await peer.head()
        assert head.startswith("HTTP/1.1 101")
        assert "Sec-WebSocket-Protocol" not in head
        assert stand.events[0].protocols == ("a", "b")


@pytest_twisted.ensureDeferred
async def test_null_origin_is_the_sites_business() -> None:
    """Autobahn's own origin check lets everything through that the site admits."""
    async with standing() as stand:
        for origin in ("null", "http://other.example", "file://"):
            await stand.ws("/", Origin=origin)


@pytest_twisted.ensureDeferred
async def test_own_close_is_reported_as_ours() -> None:
    """The code and the cut reason are ours, whatever the peer replies."""
    async with standing() as stand:
        peer = await stand.ws()
        peer.send(frame(b"close") + frame(b"ignored"))
        opcode, payload = await peer.frame()
        assert (opcode, payload) == (CLOSE, (4001).to_bytes(2, "big") + "ü".encode() * 61)
        peer.send(frame((1000).to_bytes(2, "big"), CLOSE))
        await peer.gone()
        await until(lambda: "lost" in stand.events)
        assert ("closed", 4001, "ü" * 61) in stand.events
        assert b"ignored" not in stand.events


@pytest_twisted.ensureDeferred
async def test_peer_that_ignores_our_close_is_cut() -> None:
    """Without the peer's Close, TCP ends after the timeout, which is exact."""
    async with standing(close_timeout_s=0.3) as stand:
        peer = await stand.ws()
        started = reactor.seconds()
        peer.send(frame(b"close"))
        await peer.gone()
        assert reactor.seconds() - started >= 0.3
        await until(lambda: "lost" in stand.events)
        assert stand.events[-2][:2] == ("closed", 1006)


@pytest.mark.parametrize("fragmented", [False, True])
@pytest_twisted.ensureDeferred
async def test_broken_hooks_close_with_1011(fragmented: bool) -> None:
    """An exception in a hook never reaches Autobahn: it is a Close with 1011."""
    async with standing() as stand:
        peer = await stand.ws()
        data = frame(b"br", fin=False) + frame(b"eak", 0) if fragmented else frame(b"break")
        peer.send(data)
        assert await peer.ended() == (1011, "internal error")
        Echo.accept = "broken"
        try:
            peer = await stand.ws()
            assert await peer.ended() == (1011, "internal error")
        finally:
            Echo.accept = None


@pytest_twisted.ensureDeferred
async def test_silent_client_is_cut_at_the_open_timeout() -> None:
    """A connection without a handshake ends after the timeout, not earlier."""
    async with standing(open_timeout_s=0.3) as stand:
        peer = await stand.tcp()
        started = reactor.seconds()
        peer.send(b"GET / HTTP/1.1\r\n")
        await peer.gone()
        assert reactor.seconds() - started >= 0.3


@pytest_twisted.ensureDeferred
async def test_codes_that_may_not_be_sent() -> None:
    """Reserved codes are refused where they are asked for; all others go out."""
    async with standing() as stand:
        for code in (1000, 1001, 1008, 1009, 1011, 1012, 1013, 3000, 4999):
            peer = await stand.ws()
            connection = stand.built[-1]
            for bad in (999, 1004, 1005, 1006, 1015, 2000, 5000):
                with pytest.raises(ValueError, match="may not be sent"):
                    connection.close(bad)
            connection.close(code, "why")
            assert await peer.ended() == (code, "why")


@pytest_twisted.ensureDeferred
async def test_hold_keeps_what_was_read() -> None:
    """On hold nothing is handed on, whole or in fragments; released, everything comes in order."""
    async with standing() as stand:
        peer = await stand.ws()
        peer.send(frame(b"hold") + frame(b"1") + frame(b"2", fin=False) + frame(b"3", 0))
        await until(lambda: b"hold" in stand.events)
        peer.send(frame(b"4"))
        await pause(0.05)
        assert stand.events[-1] == b"hold"
        connection = stand.built[-1]
        connection.release()
        connection.release()
        for text in (b"1", b"23", b"4"):
            assert await peer.frame() == (TEXT, text)
        peer.send(frame(b"hold") + frame(b"5") + frame(b"6")[:3])
        await until(lambda: connection.holding)
        connection.close(1001)
        assert (await peer.frame())[0] == CLOSE
        assert b"5" not in stand.events


@pytest_twisted.ensureDeferred
async def test_one_turn_handles_so_many_messages() -> None:
    """A read full of messages is handled in turns, completely and in order."""
    async with standing() as stand:
        peer = await stand.ws()
        total = 3 * MESSAGES_PER_TURN
        peer.send(b"".join(frame(b"%d" % i) for i in range(total)))
        for i in range(total):
            assert await peer.frame() == (TEXT, b"%d" % i)


@pytest_twisted.ensureDeferred
async def test_compressed_messages_and_their_limit() -> None:
    """Deflate is accepted on request; the limit holds for what comes out of it."""
    import zlib

    def deflated(payload: bytes) -> bytes:
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        data = packer.compress(payload) + packer.flush(zlib.Z_SYNC_FLUSH)
        whole = bytearray(frame(data[:-4]))
        whole[0] |= 0x40
        return bytes(whole)

    async with standing(compression=True) as stand:
        peer = await stand.upgrade(Sec_WebSocket_Extensions="permessage-deflate")
        assert "permessage-deflate" in await peer.head()
        peer.send(deflated(b"x" * 5_000))
        await until(lambda: b"x" * 5_000 in stand.events)
        peer.buffer.clear()
        peer.send(deflated(b"x" * 100_001))
        while True:
            opcode, payload = await peer.frame()
            if opcode == CLOSE:
                break
        assert int.from_bytes(payload[:2], "big") == 1009
    async with standing() as stand:
        peer = await stand.upgrade(Sec_WebSocket_Extensions="permessage-deflate")
        assert "permessage-deflate" not in await peer.head()


@pytest_twisted.ensureDeferred
async def test_what_the_handshake_left_is_dropped() -> None:
    """An open connection keeps no request line, where a key may stand, and no copied options."""
    async with standing() as stand:
        await stand.ws("/v2/secret-key")
        await until(lambda: "opened" in stand.events)
        own = stand.built[-1].__dict__
        assert "secret-key" not in repr(own)
        assert not {"maxMessagePayloadSize", "versions", "http_headers"} & set(own)


def test_autobahn_still_uses_the_timers_we_replace() -> None:
    """Should the attribute disappear from Autobahn, its inexact timers would be back."""
    from autobahn.websocket.protocol import WebSocketServerFactory

    assert hasattr(WebSocketServerFactory(), "_batched_timer")
    factory = ServerFactory(
        reactor=reactor, connection=Echo, options=ConnectionOptions(message_bytes=1)
    )
    assert isinstance(factory._batched_timer, ReactorTimers)
