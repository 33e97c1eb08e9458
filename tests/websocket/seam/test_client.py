import os
import zlib
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransportWithDisconnection

from tests.server.peer import PING, PONG
from tests.websocket.scripted import (
    BINARY,
    CLOSE,
    TEXT,
    Client,
    ServerPeer,
    accepting,
    close_frame,
    limit,
    options,
    pause,
    plain,
    scripted,
    unreading,
    until,
)
from twisted_chainws.websocket.codes import ConnectionClosed
from twisted_chainws.websocket.seam.client_factory import ClientFactory
from twisted_chainws.websocket.url import parse_url
from twisted_chainws.websocket.values import CloseResult

pytestmark = pytest.mark.integration


def deflated(data: bytes) -> bytes:
    """Return a message as permessage-deflate has it on the wire."""
    squeeze = zlib.compressobj(wbits=-15)
    return (squeeze.compress(data) + squeeze.flush(zlib.Z_SYNC_FLUSH))[:-4]


def compressed_frame(payload: bytes, opcode: int = TEXT) -> bytes:
    """Return a frame with the bit of compression."""
    whole = plain(payload, opcode)
    return bytes([whole[0] | 0x40]) + whole[1:]


@pytest_twisted.ensureDeferred
async def test_answer_and_two_frames_in_one_segment() -> None:
    """(b) The 101 answer and frames behind it are told in order, and exceptions of listeners stay.

    An exception in this place would be an unhandled error of a Deferred: 4.6 item 17.
    """

    async def script(peer: ServerPeer) -> None:
        await peer.accept(behind=plain(b"one") + plain(b"two", BINARY))
        assert await peer.close() == (1000, "")
        peer.send(close_frame(1000))
        peer.hang_up()

    async with scripted(script) as port:
        client = Client()

        @client.on("message")
        def breaks(_: Any) -> None:
            raise ZeroDivisionError

        await client.opened(port)
        await until(lambda: client.names.count("dataEnd") == 2)
        await client.close()
        await limit(client.when_closed())
    assert client.names == [
        "headerReceive", "open", "message", "dataEnd", "message", "dataEnd", "close",
    ]  # fmt: skip
    assert client.told("message") == ["one", b"two"]


@pytest_twisted.ensureDeferred
async def test_fragments_and_empty_messages() -> None:
    """(b) Fragments are joined, also with a ping between them; empty messages are messages."""
    euro = "\u20ac".encode()

    async def script(peer: ServerPeer) -> None:
        await peer.accept()
        peer.send(plain(euro[:1], fin=False) + plain(b"hi", PING) + plain(euro[1:], 0))
        peer.send(plain(b"", BINARY) + plain(b"") + plain(b"x", BINARY, fin=False) + plain(b"", 0))
        assert await peer.frame() == (PONG, b"hi")
        peer.send(close_frame(4001, "bye"))
        assert await peer.close() == (4001, "bye")
        peer.hang_up()

    async with scripted(script) as port:
        client = Client()
        await client.opened(port)
        result = await limit(client.when_closed())
    assert client.told("message") == ["\u20ac", b"", "", b"x"]
    assert result == CloseResult(4001, "bye")
    assert "error" not in client.names


@pytest_twisted.ensureDeferred
async def test_frames_on_the_wire() -> None:
    """Text, binary of every kind, and a message longer than the limit of incoming ones go out."""
    received: list[Any] = []

    async def script(peer: ServerPeer) -> None:
        await peer.accept()
        received.extend([await peer.frame() for _ in range(5)])

    async with scripted(script) as port:
        client = Client()
        await client.opened(port, max_message_size=100)
        for data in ("\u20ac", b"\xff", bytearray(b"ba"), memoryview(b"mv"), "x" * 70_000):
            await client.send(data)
        await until(lambda: len(received) == 5)
        assert client.buffered_amount == 0
        client.close()
    assert received == [
        (TEXT, "\u20ac".encode()), (BINARY, b"\xff"), (BINARY, b"ba"), (BINARY, b"mv"),
        (TEXT, b"x" * 70_000),
    ]  # fmt: skip
    await client.gone()


@pytest.mark.parametrize("ours", [False, True])
@pytest_twisted.ensureDeferred
async def test_server_says_close_and_stays(ours: bool) -> None:
    """(h) A server that sends Close and keeps TCP open is hung up on in time. 4.6 item 2."""

    async def script(peer: ServerPeer) -> None:
        await peer.accept()
        if ours:
            assert await peer.close() == (4999, "x")
        peer.send(close_frame(4001, "bye"))
        if not ours:
            assert await peer.close() == (4001, "bye")
        await peer.gone()

    async with scripted(script) as port:
        client = Client()
        await client.opened(port, close_timeout=0.2)
        if ours:
            await client.close(code=4999, reason="x")
        result = await limit(client.when_closed())
    assert result == (CloseResult(4999, "x") if ours else CloseResult(4001, "bye"))


@pytest_twisted.ensureDeferred
async def test_server_never_answers_close() -> None:
    """A Close that is not answered ends with TCP cut, in time, and our code. 4.6 item 15."""

    async def script(peer: ServerPeer) -> None:
        await peer.accept()
        await peer.gone()

    async with scripted(script) as port:
        client = Client()
        await client.opened(port, close_timeout=0.2)
        await client.close(code=4999, reason="x")
        result = await limit(client.when_closed())
    assert result == CloseResult(4999, "x", was_clean=False)
    assert client.names == ["headerReceive", "open", "close"]


@pytest_twisted.ensureDeferred
async def test_messages_behind_our_close() -> None:
    """What arrives after our Close is dropped, until the server's Close."""

    async def script(peer: ServerPeer) -> None:
        await peer.accept()
        peer.send(plain(b"one") + plain(b"two") + plain(b"three"))
        await peer.close()
        peer.send(plain(b"four") + close_frame(1000))
        peer.hang_up()

    async with scripted(script) as port:
        client = Client()
        client.on("message", lambda _: client.close())
        await client.opened(port)
        await limit(client.when_closed())
    assert client.told("message") == ["one"]
    assert client.names[-2:] == ["dataEnd", "close"]


VIOLATIONS = {
    "text that is not UTF-8": (plain(b"\xff"), 1007),
    "a reserved opcode": (plain(b"", 5), 1002),
    "a masked frame": (plain(b"")[:1] + b"\x80\0\0\0\0", 1002),
    "a Close with a forbidden code": (close_frame(1005), 1002),
    "a Close with half a code": (plain(b"\x03", CLOSE), 1002),
    "too long a message": (plain(b"x" * 2_000), 1009),
    "too long in fragments": (plain(b"x" * 600, fin=False) + plain(b"x" * 600, 0), 1009),
    "a compressed frame that nobody agreed on": (compressed_frame(b"x"), 1002),
}


@pytest.mark.parametrize("name", VIOLATIONS)
@pytest_twisted.ensureDeferred
async def test_violations(name: str) -> None:
    """A server that breaks the protocol is told so with the right code, and it was not clean."""
    wrong, code = VIOLATIONS[name]

    async def script(peer: ServerPeer) -> None:
        await peer.accept()
        peer.send(wrong + plain(b"too late"))
        assert (await peer.close())[0] == code
        peer.send(close_frame(code))
        peer.hang_up()

    async with scripted(script) as port:
        client = Client()
        await client.opened(port, max_message_size=1_000, compression=None)
        result = await limit(client.when_closed())
    assert (result.code, result.was_clean) == (code, False)
    # The words are ours, for the server's echo had none.
    assert result.reason
    assert client.names == ["headerReceive", "open", "close"]


@pytest_twisted.ensureDeferred
async def test_compression_is_agreed_on() -> None:
    """(m) permessage-deflate is offered, used for longer messages, and inflated."""
    sent: list[tuple[int, int]] = []

    async def script(peer: ServerPeer) -> None:
        headers = await peer.accept("Sec-WebSocket-Extensions: permessage-deflate")
        assert headers["sec-websocket-extensions"].startswith("permessage-deflate")
        peer.send(compressed_frame(deflated(b"a" * 50_000)) + plain(b"b"))
        for _ in range(2):
            while len(peer.buffer) < 2:
                await peer.more()
            first = peer.buffer[0]
            peer.buffer[0] &= ~0x40
            _, payload = await peer.frame()
            sent.append((first & 0x40, len(payload)))

    async with scripted(script) as port:
        client = Client()
        await client.opened(port)
        await client.send("short")
        await client.send("long" * 1_000)
        await until(lambda: len(sent) == 2)
        client.close()
    assert client.told("message") == ["a" * 50_000, "b"]
    assert sent[0] == (0, 5)
    assert sent[1][0] == 0x40
    assert sent[1][1] < 100
    await client.gone()


@pytest_twisted.ensureDeferred
async def test_compression_not_wanted() -> None:
    """(m) Without compression it is not offered, and a server that insists is refused."""

    async def script(peer: ServerPeer) -> None:
        headers = await peer.accept("Sec-WebSocket-Extensions: permessage-deflate")
        assert "sec-websocket-extensions" not in headers
        await peer.gone()

    async with scripted(script) as port:
        client = Client()
        await client.connect(f"ws://127.0.0.1:{port}/", options(compression=None))
        await client.gone()
    assert client.names == ["headerReceive", "error"]


@pytest_twisted.ensureDeferred
async def test_small_bomb() -> None:
    """(m) A message that is small on the wire and beyond the limit inflated ends with 1009."""

    async def script(peer: ServerPeer) -> None:
        await peer.accept("Sec-WebSocket-Extensions: permessage-deflate")
        bomb = deflated(b"a" * 10_000_000)
        assert len(bomb) < 20_000
        peer.send(compressed_frame(bomb))
        assert (await peer.close())[0] == 1009
        peer.send(close_frame(1009))
        peer.hang_up()

    async with scripted(script) as port:
        client = Client()
        await client.opened(port, max_message_size=1_000_000)
        result = await limit(client.when_closed())
    assert (result.code, result.was_clean) == (1009, False)
    assert client.told("message") == []


@pytest_twisted.ensureDeferred
async def test_rotten_compression(capture_log: list[Any]) -> None:
    """What cannot be inflated ends the connection with 1007 and no exception in the reactor."""

    async def script(peer: ServerPeer) -> None:
        await peer.accept("Sec-WebSocket-Extensions: permessage-deflate")
        peer.send(compressed_frame(b"\xff\xff\xff\xff"))
        assert (await peer.close())[0] == 1007
        await peer.gone()

    async with scripted(script) as port:
        client = Client()
        await client.opened(port, close_timeout=0.2)
        result = await limit(client.when_closed())
    assert (result.code, result.was_clean) == (1007, False)
    assert not any("log_failure" in event for event in capture_log)


HEADS = {
    "garbage": b"SSH-2.0-OpenSSH\r\n",
    "garbage that begins well": b"HTTP garbage",
    "another version": b"HTTP/2 101 x\r\n\r\n",
    "HTTP/1.0": b"HTTP/1.0 101 Switching Protocols\r\n\r\n",
    "no end": b"HTTP/1.1 101 x\r\nX: " + b"a" * 70_000,
    "no status": b"HTTP/1.1 abc x\r\n\r\n",
    "no upgrade": b"HTTP/1.1 101 x\r\nConnection: Upgrade\r\n\r\n",
    "a key of its own": b"HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: x\r\n\r\n",
    "nothing": b"",
}


@pytest.mark.parametrize("name", HEADS)
@pytest_twisted.ensureDeferred
async def test_bad_answers(name: str) -> None:
    """(k) What is no answer to a handshake is an error 200, without close, and TCP is cut.

    4.6 item 3.
    """

    async def script(peer: ServerPeer) -> None:
        await peer.request()
        peer.send(HEADS[name])
        if not HEADS[name]:
            peer.hang_up()
        await peer.gone()

    async with scripted(script) as port:
        client = Client()
        await client.connect(f"ws://127.0.0.1:{port}/", options())
        await client.gone()
    (error,) = client.told("error")
    assert error.code == 200
    assert isinstance(error.__cause__, ConnectionError)
    assert "close" not in client.names
    assert "open" not in client.names


@pytest_twisted.ensureDeferred
async def test_header_that_is_no_utf8() -> None:
    """(k) A header with a byte that is no UTF-8 is an error 200 with its cause. 4.6 item 13."""

    async def script(peer: ServerPeer) -> None:
        _, headers = await peer.request()
        peer.send(accepting(headers, "X-Name: caf\xe9"))
        await peer.gone()

    async with scripted(script) as port:
        client = Client()
        await client.connect(f"ws://127.0.0.1:{port}/", options())
        await client.gone()
    assert client.names == ["headerReceive", "error"]
    assert client.told("headerReceive")[0]["x-name"] == "caf\u00e9"
    assert isinstance(client.told("error")[0].__cause__, UnicodeDecodeError)


@pytest_twisted.ensureDeferred
async def test_lost_without_close() -> None:
    """TCP that ends without Close is an error 200 and then close 1006."""

    async def script(peer: ServerPeer) -> None:
        await peer.accept()
        assert (await peer.frame())[0] == PING
        peer.drop()

    async with scripted(script) as port:
        client = Client()
        await client.opened(port)
        ping = client.ping()
        result = await limit(client.when_closed())
        with pytest.raises(ConnectionClosed):
            await limit(ping)
    assert result == CloseResult(1006, "The link is down", was_clean=False)
    assert client.names == ["headerReceive", "open", "error", "close"]
    (error,) = client.told("error")
    assert (error.code, error.data, error.http_status) == (200, "0", None)


@pytest_twisted.ensureDeferred
async def test_pings_in_both_directions() -> None:
    """A ping of ours is measured by its own pong; pongs nobody asked for are ignored."""

    async def script(peer: ServerPeer) -> None:
        await peer.accept()
        peer.send(plain(b"unasked", PONG))
        first, second = await peer.frame(), await peer.frame()
        assert first[0] == second[0] == PING
        assert first[1] != second[1]
        peer.send(plain(b"x" * 125, PING))
        assert await peer.frame() == (PONG, b"x" * 125)
        peer.send(plain(second[1], PONG) + plain(first[1], PONG))

    async with scripted(script) as port:
        client = Client()
        await client.opened(port)
        first, second = client.ping(), client.ping()
        assert 0 <= await limit(second) < 20
        assert 0 <= await limit(first) < 20
        client.close()
    await client.gone()


@pytest_twisted.ensureDeferred
async def test_reading_is_held_between_messages() -> None:
    """A full queue stops in the middle of a read, and loses nothing when it goes on."""
    total = 500

    async def script(peer: ServerPeer) -> None:
        await peer.accept()
        peer.send(b"".join(plain(b"%d" % number) for number in range(total)) + close_frame(1000))
        await peer.close()
        peer.hang_up()

    async with scripted(script) as port:
        client = Client()
        client.keep_messages()
        await client.opened(port, max_queue=4)
        await until(lambda: client.names.count("message") == 4)
        await pause(0.05)
        assert client.names.count("message") == 4
        got = [message async for message in client]
    assert got == [str(number) for number in range(total)]


@pytest_twisted.ensureDeferred
async def test_close_while_held() -> None:
    """Closing while reading is on hold still sees the server's Close."""

    async def script(peer: ServerPeer) -> None:
        await peer.accept()
        peer.send(plain(b"x") * 100)
        assert await peer.close() == (1000, "")
        peer.send(close_frame(1000))
        peer.hang_up()

    async with scripted(script) as port:
        client = Client()
        client.keep_messages()
        await client.opened(port, max_queue=1)
        await until(lambda: "message" in client.names)
        await client.close()
        assert await limit(client.when_closed()) == CloseResult(1000, "")
    assert client.names.count("message") == 1


@pytest_twisted.ensureDeferred
async def test_send_waits_for_the_server_to_read() -> None:
    """(n) The first long message does not wait, the next does until the queue is empty."""
    chunk = os.urandom(1 << 20)
    sizes: list[int] = []

    async def script(peer: ServerPeer) -> None:
        await peer.accept()
        peer.transport.pauseProducing()  # type: ignore[union-attr]
        await pause(0.3)
        assert sizes == [0]
        peer.transport.resumeProducing()  # type: ignore[union-attr]
        assert [await peer.skip() for _ in range(8)] == [len(chunk)] * 8

    async with scripted(script) as port:
        client = Client()
        await client.opened(port, compression=None)
        # More than the sockets of both sides hold.
        first = [client.send(chunk) for _ in range(8)]
        assert first[0].called
        assert not first[-1].called
        assert client.buffered_amount > 1 << 20
        sizes.append(0)
        await limit(first[-1])
        sizes.append(1)
        client.close(code=1000)
    await client.gone()


@pytest_twisted.ensureDeferred
async def test_send_fails_with_the_connection() -> None:
    """(n) A send that still waits fails when the connection dies first."""
    async with scripted(unreading) as port:
        client = Client()
        await client.opened(port, compression=None)
        sent = [client.send(b"x" * (1 << 20)) for _ in range(5)]
        assert not sent[-1].called
        ends = [await limit(one.addErrback(lambda failure: failure.value)) for one in sent]
        assert isinstance(ends[-1], ConnectionClosed)
        assert ends[-1].close_result.code == 1006
        await client.gone()


class Quiet:
    """An owner that remembers how a connection ended."""

    def __init__(self) -> None:
        self.ends: list[Any] = []
        self.messages: list[Any] = []
        self.told: list[str] = []
        self.wants = True

    def made(self, connection: Any) -> bool:  # noqa: ARG002
        return self.wants

    def answered(self, answer: Any) -> None:
        pass

    def opened(self, info: Any) -> None:  # noqa: ARG002
        self.told.append("open")

    def message(self, data: Any) -> None:
        self.messages.append(data)
        self.told.append("message")

    def closing(self) -> None:
        pass

    def failed(self, cause: Any, answer: Any) -> None:  # noqa: ARG002
        self.ends.append(cause)

    def closed(self, end: Any) -> None:
        self.ends.append(end)


class Wire(StringTransportWithDisconnection):
    """A transport in memory whose producer may be taken away at any time, as with the real one."""

    def unregisterProducer(self) -> None:  # noqa: N802
        self.producer = None


class Virtual:
    """An open connection on a virtual clock."""

    def __init__(self, **more: Any) -> None:
        self.clock = Clock()
        self.owner = Quiet()
        factory = ClientFactory(
            reactor=self.clock,
            owner=self.owner,
            target=parse_url("ws://h/", longest=99),
            options=options(**more),
        )
        self.connection = factory.buildProtocol(None)
        self.wire = Wire()
        self.wire.protocol = self.connection
        self.connection.makeConnection(self.wire)
        lines = self.wire.value().decode().split("\r\n")[1:]
        headers = {name.lower(): value for name, _, value in (x.partition(": ") for x in lines)}
        self.connection.dataReceived(accepting(headers))
        self.wire.clear()
        self.pinged: list[float] = []

    def run(self, seconds: float, *, answer: bool = False, chat: bytes = b"") -> None:
        """Let time pass in steps of an eighth of a second, which add up exactly."""
        for _ in range(round(seconds * 8)):
            self.clock.advance(0.125)
            written = self.wire.value()
            self.wire.clear()
            if written[:1] == b"\x89":
                self.pinged.append(self.clock.seconds())
                if answer:
                    mask, masked = written[2:6], written[6:14]
                    payload = bytes(one ^ mask[at % 4] for at, one in enumerate(masked))
                    self.connection.dataReceived(plain(payload, PONG))
            if chat and not self.owner.ends:
                self.connection.dataReceived(chat)

    @property
    def lost(self) -> bool:
        """Whether the connection was given up."""
        return bool(self.owner.ends)


def test_open_is_told_before_the_next_read() -> None:
    """(b) A Deferred in Autobahn's callback would let the message come first. 4.6 item 10."""
    virtual = Virtual()
    virtual.connection.dataReceived(plain(b"x"))
    assert virtual.owner.told == ["open", "message"]


def test_silent_server_is_dropped_in_time() -> None:
    """(g) One ping after the interval, and the end after the timeout; no sooner."""
    virtual = Virtual(ping_interval=20, pong_timeout=10)
    virtual.run(29.75)
    assert not virtual.lost
    virtual.run(0.25)
    (end,) = virtual.owner.ends
    assert end.lost
    assert end.result == CloseResult(1006, "The link is down", was_clean=False)
    assert isinstance(end.cause, TimeoutError)
    assert virtual.pinged == [20]


def test_the_interval_counts_from_the_last_sign_of_life() -> None:
    """(g) Data postpones the ping, and the end comes interval and timeout after it (4.7)."""
    virtual = Virtual(ping_interval=2, pong_timeout=1)
    virtual.run(1)
    virtual.connection.dataReceived(plain(b"x"))
    virtual.run(2.875)
    assert (virtual.pinged, virtual.lost) == ([3], False)
    virtual.run(0.125)
    assert virtual.lost


def test_healthy_server_gets_one_ping_an_interval() -> None:
    """(g) At an interval of a second there is one ping a second, not a flood. 4.6 item 1."""
    virtual = Virtual(ping_interval=1)
    virtual.run(10.5, answer=True)
    assert not virtual.lost
    assert virtual.pinged == list(range(1, 11))


def test_chatty_server_without_pongs_is_kept() -> None:
    """(g) A server that talks but never pongs is alive, and need not be pinged. 4.6 item 21."""
    virtual = Virtual(ping_interval=2, pong_timeout=1)
    virtual.run(20, chat=plain(b"x"))
    assert not virtual.lost
    assert len(virtual.owner.messages) == 160
    assert virtual.pinged == []


def test_rarely_chatty_server_without_pongs_is_kept() -> None:
    """(g) What it says after a ping is as good as a pong; when it says nothing more it is lost."""
    virtual = Virtual(ping_interval=2, pong_timeout=1)
    for _ in range(5):
        virtual.run(2.5)
        virtual.connection.dataReceived(plain(b"x"))
    assert not virtual.lost
    assert virtual.pinged == [2, 4.5, 7, 9.5, 12]
    virtual.run(3)
    assert virtual.lost


def test_slow_long_frame_is_kept() -> None:
    """(g) Bytes of a frame in progress are signs of life. 4.6 item 21."""
    virtual = Virtual(ping_interval=2, pong_timeout=1)
    virtual.connection.dataReceived(plain(b"x" * 1_000_000)[:10])
    virtual.run(20, chat=b"x")
    assert (virtual.lost, virtual.owner.messages) == (False, [])


@pytest.mark.parametrize("more", [{"ping_interval": 0}, {"ping_interval": 5, "pong_timeout": 0}])
def test_no_deadline(more: dict[str, int]) -> None:
    """(g) An interval of 0 sends no pings, a timeout of 0 sends them and does not wait for pongs.

    4.6 item 21.
    """
    virtual = Virtual(**more)
    virtual.run(100)
    assert not virtual.lost
    assert virtual.pinged == (list(range(5, 101, 5)) if more["ping_interval"] else [])


def test_held_reading_excuses_silence() -> None:
    """While we do not read, a missing pong proves nothing."""
    virtual = Virtual(ping_interval=2, pong_timeout=1)
    virtual.connection.hold()
    virtual.run(20)
    assert not virtual.lost
    virtual.connection.release()
    virtual.run(5)
    assert virtual.lost


def test_no_timer_is_left() -> None:
    """(w) Whatever ends a connection, none of its timers outlives it."""
    for end in ("lost", "closed", "dropped"):
        virtual = Virtual()
        if end == "closed":
            virtual.connection.close(1000, "")
        elif end == "dropped":
            virtual.connection.dataReceived(close_frame(1000))
        virtual.wire.loseConnection()
        assert virtual.clock.getDelayedCalls() == []
        assert virtual.lost


def test_close_timeout_is_exact_and_on_the_given_clock() -> None:
    """Autobahn's own timer obeys our clock and is not early by a second. 4.6 items 1 and 24."""
    for start in (0.05, 0.5, 0.95):
        virtual = Virtual(close_timeout=1)
        virtual.clock.advance(start)
        virtual.connection.close(4000, "mine")
        virtual.clock.advance(0.99)
        assert not virtual.lost
        virtual.clock.advance(0.02)
        (end,) = virtual.owner.ends
        assert end.result == CloseResult(4000, "mine", was_clean=False)


@pytest.mark.parametrize("head", [b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 403 No\r\n\r\n"])
def test_dropping_takes_no_producer_away_that_was_never_there(head: bytes) -> None:
    """A strict transport, as those of Twisted's tests are, is dropped as well. 4.6 item 24."""
    owner = Quiet()
    connection = ClientFactory(
        reactor=Clock(), owner=owner, target=parse_url("ws://h/", longest=99), options=options()
    ).buildProtocol(None)
    wire = StringTransportWithDisconnection()
    wire.protocol = connection
    connection.makeConnection(wire)
    connection.dataReceived(head)
    assert len(owner.ends) == 1
    assert not wire.connected


def test_exception_in_a_read(capture_log: list[Any]) -> None:
    """An exception inside Autobahn closes with 1011 and reaches nobody else. 4.6 item 17."""
    virtual = Virtual()
    virtual.owner.message = None  # type: ignore[assignment, method-assign]
    virtual.connection.dataReceived(plain(b"x"))
    (end,) = virtual.owner.ends
    assert (end.result.code, end.result.was_clean) == (1011, False)
    assert [event["log_failure"].type for event in capture_log] == [TypeError]


def test_unwanted_transport_is_cut() -> None:
    """A transport that comes when nobody wants it any more is cut and says nothing."""
    virtual = Virtual()
    virtual.owner.wants = False
    late = virtual.connection.factory.buildProtocol(None)
    wire = Wire()
    wire.protocol = late
    late.makeConnection(wire)
    late.dataReceived(b"HTTP/1.1 101 x")
    assert (wire.value(), wire.connected) == (b"", False)
    assert virtual.owner.ends == []
