from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransportWithDisconnection

from tests.server.peer import (
    BINARY,
    CLOSE,
    PING,
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
from twisted_chainws.websocket.seam.server import LONGEST_REQUEST
from twisted_chainws.websocket.values import CloseResult

pytestmark = pytest.mark.integration


class Echo(ServerConnection):
    """Writes every message back and notes what happens."""

    events: list[Any] = []  # noqa: RUF012 - shared on purpose, emptied per test
    accept: Any = None

    def handshake(self, request: Handshake) -> str | Deferred[str | None] | None:
        self.events.append(request)
        if request.path == "/refuse":
            raise Refuse(status=503, body=b"full", headers=(("Retry-After", "9"),))
        if request.path == "/broken":
            raise ZeroDivisionError
        if request.path.startswith("/later"):
            waiting: Deferred[str | None] = Deferred()
            self.events.append(waiting)
            if request.path == "/later-stubborn":
                waiting.addErrback(lambda failure: failure.trap(CancelledError) and None)
            return waiting
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


class Typed(Echo):
    """Tells text from binary, and echoes each as what it was."""

    decode = True

    def message(self, payload: str | bytes) -> None:
        self.events.append(payload)
        binary = isinstance(payload, bytes)
        self.transmit(payload if isinstance(payload, bytes) else payload.encode(), binary=binary)

    def closed(self, *_: object) -> None:
        self.events.append(self.ending)


class Stand:
    """A listener without a site, and its peers."""

    def __init__(self, connection: type[Echo] = Echo, **options: Any) -> None:
        Echo.events = []
        self.events = Echo.events
        self.factory = ServerFactory(
            reactor=reactor,
            connection=connection,
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
        lines = [f"{name}: {value}" for name, value in headers.items() if value]
        peer.send("\r\n".join([f"GET {path} HTTP/1.1", *lines, "", ""]).encode())
        return peer

    async def ws(self, path: str = "/", **more: str) -> Peer:
        peer = await self.upgrade(path, **more)
        assert "101" in await peer.head()
        return peer

    port = 0
    peers: list[Peer]


@asynccontextmanager
async def standing(connection: type[Echo] = Echo, **options: Any) -> AsyncIterator[Stand]:
    """Listen on a free port and clean up."""
    stand = Stand(connection, **options)
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
    """A refusal, and a broken hook, are whole HTTP answers; nothing was opened. 4.6 item 20."""
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
    """A hook that answers with something else selects nothing, instead of hanging the client.

    4.6 item 11.
    """
    async with standing() as stand:
        peer = await stand.upgrade("/wrong", Sec_WebSocket_Protocol="a, b")
        head = await peer.head()
        assert head.startswith("HTTP/1.1 101")
        assert "Sec-WebSocket-Protocol" not in head
        assert stand.events[0].protocols == ("a", "b")


@pytest_twisted.ensureDeferred
async def test_null_origin_is_the_sites_business() -> None:
    """Autobahn's own origin check lets everything through that the site admits. 4.6 item 12."""
    origins = ["null", "http://other.example", "file://"]
    async with standing() as stand:
        for origin in origins:
            await stand.ws("/", Origin=origin)
        asked = [event for event in stand.events if isinstance(event, Handshake)]
        assert [request.headers["origin"] for request in asked] == origins
        assert stand.events.count("opened") == 3


@pytest_twisted.ensureDeferred
async def test_own_close_is_reported_as_ours() -> None:
    """The code and the cut reason are ours, whatever the peer replies. 4.6 item 15."""
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
async def test_the_clients_close_is_repeated() -> None:
    """The reply to a Close has its code and reason, an empty one has none. 4.6 item 15."""
    async with standing() as stand:
        for payload in ((4001).to_bytes(2, "big") + b"bye", (1000).to_bytes(2, "big"), b""):
            peer = await stand.ws()
            peer.send(frame(payload, CLOSE))
            assert await peer.frame() == (CLOSE, payload)
            await peer.gone()


@pytest_twisted.ensureDeferred
async def test_peer_that_ignores_our_close_is_cut() -> None:
    """Without the peer's Close, TCP ends after the timeout, and the code is ours. 4.6 item 1."""
    async with standing(close_timeout_s=0.3) as stand:
        peer = await stand.ws()
        started = reactor.seconds()
        peer.send(frame(b"close"))
        await peer.gone()
        assert 0.3 <= reactor.seconds() - started < 3
        await until(lambda: "lost" in stand.events)
        assert stand.events[-2] == ("closed", 4001, "ü" * 61)


@pytest.mark.parametrize("fragmented", [False, True])
@pytest_twisted.ensureDeferred
async def test_broken_hooks_close_with_1011(fragmented: bool) -> None:
    """An exception in a hook never reaches Autobahn: it is a Close with 1011. 4.6 item 17."""
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
        started = reactor.seconds()
        peer = await stand.tcp()
        peer.send(b"GET / HTTP/1.1\r\n")
        await peer.gone()
        assert 0.3 <= reactor.seconds() - started < 3


@pytest_twisted.ensureDeferred
async def test_codes_that_may_not_be_sent() -> None:
    """Reserved codes are refused where they are asked for; all others go out. 4.6 item 14."""
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


@pytest_twisted.ensureDeferred
async def test_text_is_told_from_binary() -> None:
    """With ``decode``, text is str and binary bytes: whole, in fragments, compressed or empty."""
    messages: list[tuple[bytes, int]] = [
        ("ä".encode(), TEXT),
        (b"\xff", BINARY),
        (b"", TEXT),
        (b"", BINARY),
    ]
    for extensions in ("", "permessage-deflate"):
        async with standing(Typed, compression=bool(extensions)) as stand:
            peer = await stand.ws("/", Sec_WebSocket_Extensions=extensions)
            for payload, opcode in messages:
                peer.send(frame(payload, opcode))
                assert await peer.frame() == (opcode, payload)
                peer.send(frame(payload[:1], opcode, fin=False) + frame(payload[1:], 0))
                assert await peer.frame() == (opcode, payload)
            received = [event for event in stand.events if isinstance(event, str | bytes)]
            assert received[1:] == ["ä", "ä", b"\xff", b"\xff", "", "", b"", b""]


@pytest_twisted.ensureDeferred
async def test_typed_text_on_hold_stays_text() -> None:
    """Messages that wait keep their kind; invalid UTF-8 closes with 1007."""
    async with standing(Typed) as stand:
        peer = await stand.ws()
        connection = stand.built[-1]
        await until(lambda: "opened" in stand.events)
        connection.hold()
        peer.send(frame(b"a") + frame(b"b", BINARY) + frame(b"c", fin=False) + frame(b"d", 0))
        await pause(0.05)
        connection.release()
        assert [await peer.frame() for _ in range(3)] == [
            (TEXT, b"a"),
            (BINARY, b"b"),
            (TEXT, b"cd"),
        ]
        peer.send(frame(b"\xff"))
        assert (await peer.ended())[0] == 1007


@pytest_twisted.ensureDeferred
async def test_what_is_sent_may_exceed_the_limit_of_what_is_received() -> None:
    """The limit is for incoming messages only, with and without compression."""
    for extensions in ("", "permessage-deflate"):
        async with standing(Typed, message_bytes=10, compression=bool(extensions)) as stand:
            peer = await stand.ws("/", Sec_WebSocket_Extensions=extensions)
            await until(lambda: "opened" in stand.events)
            stand.built[-1].transmit(bytes(range(256)) * 4, binary=True)
            stand.built[-1].transmit(b"short", binary=False)
            first, size = await peer.take(2)
            assert first == (0xC2 if extensions else 0x82)
            size = int.from_bytes(await peer.take(2), "big") if size == 126 else size
            assert size > 10
            await peer.take(size)
            assert await peer.frame() == (TEXT, b"short")


@pytest_twisted.ensureDeferred
async def test_a_handshake_may_be_decided_later() -> None:
    """The answer waits for the decision; what the client sends meanwhile is no second request."""
    async with standing() as stand:
        peer = await stand.upgrade("/later", Sec_WebSocket_Protocol="a, b")
        await until(lambda: len(stand.events) == 2)
        peer.send(frame(b"\r\n\r\n", mask=bytes(4)))
        await pause(0.05)
        assert len(stand.events) == 2
        stand.events[1].callback("b")
        assert "Sec-WebSocket-Protocol: b" in await peer.head()
        assert await peer.frame() == (TEXT, b"\r\n\r\n")
        for error, status in ((Refuse(status=403, body=b"no"), 403), (ZeroDivisionError(), 500)):
            peer = await stand.upgrade("/later")
            await until(lambda: stand.events and isinstance(stand.events[-1], Deferred))
            stand.events[-1].errback(error)
            assert (await peer.answer())[0] == status
            await peer.gone()


@pytest.mark.parametrize("fragmented", [False, True])
@pytest_twisted.ensureDeferred
async def test_a_hook_that_breaks_on_what_came_with_the_handshake(fragmented: bool) -> None:
    """Behind a decision there is no read that could catch it: still a Close with 1011.

    4.6 item 17.
    """
    async with standing() as stand:
        peer = await stand.upgrade("/later")
        data = frame(b"br", fin=False) + frame(b"eak", 0) if fragmented else frame(b"break")
        peer.send(data)
        await until(lambda: len(stand.events) == 2 and data in stand.built[-1].data)
        stand.events[1].callback(None)
        assert "101" in await peer.head()
        assert await peer.ended() == (1011, "internal error")


@pytest.mark.parametrize(("seconds", "head"), [(59.9, b"HTTP/1.1 101 "), (60.1, b"")])
def test_a_decision_may_take_as_long_as_the_open_timeout(seconds: float, head: bytes) -> None:
    """The time for it is the configured one, and exact. 4.6 items 22 and 24."""
    clock = Clock()
    Echo.events = []
    factory: Any = ServerFactory(
        reactor=clock,
        connection=Echo,
        options=ConnectionOptions(message_bytes=1, open_timeout_s=60.0),
    )
    connection = factory.buildProtocol(None)
    wire = StringTransportWithDisconnection()
    wire.protocol = connection
    connection.makeConnection(wire)
    lines = [f"{name}: {value}" for name, value in UPGRADE.items()]
    connection.dataReceived("\r\n".join(["GET /later HTTP/1.1", *lines, "", ""]).encode())
    _, waiting = Echo.events
    clock.advance(seconds)
    assert waiting.called is not bool(head)
    if head:
        waiting.callback(None)
    assert wire.value()[:13] == head
    assert wire.connected is bool(head)


@pytest_twisted.ensureDeferred
async def test_a_client_that_vanishes_while_it_is_decided_on_is_never_open() -> None:
    """The decision is cancelled; one that comes all the same does not revive the connection."""
    async with standing(open_timeout_s=0.3) as stand:
        for drop in (True, False):
            peer = await stand.upgrade("/later")
            await until(lambda: stand.events and isinstance(stand.events[-1], Deferred))
            waiting = stand.events[-1]
            if drop:
                peer.drop()
            await peer.gone()
            await until(lambda: stand.events[-1] == "lost")
            assert waiting.called
        assert "opened" not in stand.events
        assert {connection.state for connection in stand.built} == {0}


@pytest_twisted.ensureDeferred
async def test_decisions_that_ignore_their_cancelling_come_too_late() -> None:
    """A decision that is made after the client vanished opens nothing. 4.6 item 9."""
    async with standing() as stand:
        peer = await stand.upgrade("/later-stubborn")
        await until(lambda: stand.events and isinstance(stand.events[-1], Deferred))
        peer.drop()
        await until(lambda: stand.events[-1] == "lost")
        assert stand.built[-1].state == 0
        assert "opened" not in stand.events


@pytest_twisted.ensureDeferred
async def test_a_request_without_end_is_cut() -> None:
    """The head of a request, and what comes while it is decided on, has a limit."""
    async with standing() as stand:
        peer = await stand.tcp()
        peer.send(b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * (LONGEST_REQUEST // 6 + 1))
        await peer.gone()
        assert stand.events == ["lost"]
        peer = await stand.upgrade("/later")
        peer.send(bytes(LONGEST_REQUEST + 1))
        await peer.gone()
        assert "opened" not in stand.events
        peer = await stand.tcp()
        lines = [f"{name}: {value}" for name, value in UPGRADE.items()]
        begun = "\r\n".join(["GET / HTTP/1.1", *lines, "X: "]).encode()
        peer.send(begun + b"y" * (LONGEST_REQUEST - len(begun)))
        await pause(0.05)
        peer.send(b"\r\n\r\n")
        assert "101" in await peer.head()


@pytest_twisted.ensureDeferred
async def test_how_it_ended() -> None:
    """``ending`` tells who closed, and a loss with its cause."""
    async with standing(Typed, close_timeout_s=0.2) as stand:

        async def end(act: Any) -> Any:
            peer = await stand.ws()
            await until(lambda: stand.events[-1] == "opened")
            act(peer, stand.built[-1])
            await peer.gone()
            await until(lambda: stand.events[-1] == "lost")
            return stand.events[-2]

        ended = await end(lambda peer, _: peer.send(frame((4999).to_bytes(2, "big") + b"x", CLOSE)))
        assert (ended.result, ended.lost) == (CloseResult(4999, "x"), False)
        ended = await end(lambda peer, _: peer.send(frame(b"x", mask=None)))
        assert (ended.result.code, ended.result.was_clean, ended.lost) == (1002, False, False)
        ended = await end(lambda _, connection: connection.close(4000, "mine"))
        assert ended.result == CloseResult(4000, "mine", was_clean=False)
        ended = await end(lambda peer, _: peer.drop())
        assert (ended.result.code, ended.lost) == (1006, True)
        assert isinstance(ended.cause, Exception)


@pytest_twisted.ensureDeferred
async def test_pings_without_deadline() -> None:
    """With a timeout of 0 pings are sent and a missing pong is no loss."""
    async with standing(ping_interval_s=0.05, ping_timeout_s=0) as stand:
        peer = await stand.ws()
        for _ in range(3):
            assert await peer.frame() == (PING, b"")
        assert not peer.lost
    async with standing(Typed, ping_interval_s=0.05, ping_timeout_s=0.05) as stand:
        peer = await stand.ws()
        await peer.gone()
        await until(lambda: stand.events[-1] == "lost")
        assert isinstance(stand.events[-2].cause, TimeoutError)


@pytest_twisted.ensureDeferred
async def test_no_timer_outlives_a_connection_that_vanishes_after_our_close() -> None:
    """Without the peer's Close, the end of TCP ends the wait for it."""
    async with standing(close_timeout_s=1_000) as stand:
        peer = await stand.ws()
        peer.send(frame(b"close"))
        assert (await peer.frame())[0] == CLOSE
        peer.drop()
        await until(lambda: stand.events[-1] == "lost")
        assert [
            call for call in reactor.getDelayedCalls() if call.getTime() - reactor.seconds() > 900
        ] == []
