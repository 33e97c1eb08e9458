import gc
from collections.abc import Callable
from typing import Any

import pytest
import pytest_twisted
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionRefusedError as Refused
from twisted.logger import LogLevel

from tests.websocket.certificates import authority, leaf, write
from tests.websocket.scripted import (
    BINARY,
    TEXT,
    Client,
    ServerPeer,
    close_frame,
    limit,
    options,
    pause,
    plain,
    reactor,
    scripted,
    unreading,
    until,
)
from twisted_chainws.websocket.client import State, WebSocket, create_web_socket
from twisted_chainws.websocket.codes import (
    SENDABLE,
    ConnectFailed,
    ConnectionClosed,
    NotOpen,
    WebSocketError,
)
from twisted_chainws.websocket.server_options import WebSocketServerConfig
from twisted_chainws.websocket.tls import server_context
from twisted_chainws.websocket.values import (
    CloseResult,
    OpenInfo,
    ServerCert,
    WebSocketCloseOptions,
)

pytestmark = pytest.mark.integration


async def polite(peer: ServerPeer) -> None:
    """Accept, wait for a Close, answer it and hang up."""
    await peer.accept()
    code, reason = await peer.close()
    peer.send(close_frame(code, reason))
    peer.hang_up()
    await peer.gone()


async def mute(peer: ServerPeer) -> None:
    """Take the request and never answer."""
    await peer.request()
    await peer.gone()


async def refusing(peer: ServerPeer) -> None:
    """Answer with a refusal."""
    await peer.request()
    peer.send(
        b"HTTP/1.1 403 Forbidden\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 0\r\n\r\n"
    )
    await peer.gone()


async def code(outcome: Any) -> int:
    """Return the code that a call fails with."""
    with pytest.raises(WebSocketError) as caught:
        await limit(outcome)
    return int(caught.value.code)


class Calls:
    """A callback that remembers."""

    def __init__(self) -> None:
        self.ends: list[tuple[Any, Any]] = []

    def __call__(self, error: Any, value: Any) -> None:
        self.ends.append((None if error is None else int(error.code), value))


@pytest_twisted.ensureDeferred
async def test_each_call_with_and_without_callback() -> None:
    """(a) Every overload of connect, send and close, by Deferred and by callback."""
    received: list[Any] = []

    async def script(peer: ServerPeer) -> None:
        await peer.accept()
        received.extend([await peer.frame() for _ in range(2)])
        received.append(await peer.close())
        peer.send(close_frame(1000))
        peer.hang_up()

    async with scripted(script) as port:
        url = f"ws://127.0.0.1:{port}/"
        connects: list[Callable[[Client, Calls], Any]] = [
            lambda client, calls: client.connect(url, calls),
            lambda client, calls: client.connect(url, callback=calls),
            lambda client, calls: client.connect(url, options(), calls),
            lambda client, calls: client.connect(url, options(), callback=calls),
        ]
        closes: list[Callable[[Client, Calls], Any]] = [
            lambda client, calls: client.close(calls),
            lambda client, calls: client.close(callback=calls),
            lambda client, calls: client.close(WebSocketCloseOptions(4000, "x"), calls),
            lambda client, calls: client.close(code=4000, reason="x", callback=calls),
        ]
        for connect, close in zip(connects, closes, strict=True):
            client, calls = Client(), Calls()
            assert await connect(client, calls) is True
            assert calls.ends == [(None, True)]
            await limit(client.when_open())
            assert await client.send("text") is True
            assert await client.send(b"binary", calls) is True
            assert await close(client, calls) is True
            assert calls.ends == [(None, True)] * 3
            await limit(client.when_closed())
    sent = [(TEXT, b"text"), (BINARY, b"binary")]
    assert received == 2 * [*sent, (1000, "")] + 2 * [*sent, (4000, "x")]


@pytest_twisted.ensureDeferred
async def test_errors_by_callback() -> None:
    """(a) With a callback an error goes there, and the Deferred counts it as handled."""
    client, calls = Client(), Calls()
    assert await client.connect("http://h/", calls) is False
    assert await client.send("x", calls) is False
    assert await client.close(calls) is False
    assert calls.ends == [(2302001, None), (2302999, None), (2302999, None)]
    wrong: Any = 5
    assert await code(client.send("x", wrong)) == 401
    assert await code(client.connect("ws://h/", None, wrong)) == 401
    assert client.state is State.IDLE


@pytest_twisted.ensureDeferred
async def test_true_comes_before_any_event() -> None:
    """Connect says True before anything is told, also when the dial fails at once."""
    client = Client()
    outcome = client.connect("ws://127.0.0.1:1/", options())
    assert (outcome.called, client.events, client.state) == (True, [], State.CONNECTING)
    await outcome
    await client.gone()
    assert client.names == ["error"]
    (error,) = client.told("error")
    assert (error.code, error.message) == (200, "Websocket connect failed")
    assert isinstance(error.__cause__, Refused)
    assert await code(client.when_open()) == 200
    assert await code(client.when_closed()) == 200


@pytest_twisted.ensureDeferred
async def test_idle_and_closed() -> None:
    """(c) Before connect and after the end there is nothing to send with or to close."""
    async with scripted(polite) as port:
        client = Client()
        opened, closed = client.when_open(), client.when_closed()
        for _ in range(2):
            assert await code(client.send("x")) == 2302999
            assert await code(client.close()) == 2302999
            assert await code(client.ping()) == 2302999
            assert await code(client.recv()) == 2302999
            assert (client.buffered_amount, client.peer) == (0, None)
            if client.state is State.IDLE:
                await client.opened(port)
                await client.close()
                await limit(client.when_closed())
        info = await limit(opened)
        assert info == OpenInfo(101, "Switching Protocols") == await limit(client.when_open())
        assert await limit(closed) == CloseResult(1000, "") == await limit(client.when_closed())


@pytest_twisted.ensureDeferred
async def test_connecting() -> None:
    """(c) While connecting only close is possible: it gives up, tells close, and nothing else.

    4.6 item 16.
    """
    async with scripted(mute) as port:
        client = Client()
        url = f"ws://127.0.0.1:{port}/"
        await client.connect(url, options())
        opened = client.when_open()
        await pause(0.05)
        assert await code(client.connect(url, options())) == 2302003
        assert await code(client.send("x")) == 2302999
        assert await client.close(code=4000, reason="never mind") is True
        assert (client.events, client.state) == ([], State.CLOSING)
        assert await code(client.connect(url, options())) == 2302003
        assert await code(client.close()) == 2302999
        assert await code(client.when_open()) == 2302999
        result = await limit(client.when_closed())
        with pytest.raises(ConnectionClosed):
            await opened
    assert result == CloseResult(4000, "never mind", was_clean=False)
    assert client.events == [("close", result)]
    assert client.states == [State.CLOSED]


@pytest_twisted.ensureDeferred
async def test_open() -> None:
    """(c) While open everything is possible but another connect."""
    async with scripted(polite) as port:
        client = Client()
        await client.opened(port)
        assert client.state is State.OPEN
        assert client.peer == f"tcp4:127.0.0.1:{port}"
        assert await code(client.connect("ws://h/", options())) == 2302003
        assert await limit(client.when_open()) == OpenInfo(101, "Switching Protocols")
        assert await client.send("x") is True
        closing = client.when_closed()
        assert not closing.called
        await client.close()
        await limit(closing)
    assert client.states == [State.CONNECTING, State.OPEN, State.CLOSED]


@pytest_twisted.ensureDeferred
async def test_closing() -> None:
    """(c) While closing nothing is possible but to wait for the end."""
    async with scripted(polite) as port:
        client = Client()
        await client.opened(port)
        await client.close(code=4000, reason="mine")
        assert client.state is State.CLOSING
        assert await code(client.connect("ws://h/", options())) == 2302003
        assert await code(client.send("x")) == 2302999
        assert await code(client.close()) == 2302999
        assert await code(client.when_open()) == 2302999
        assert await limit(client.when_closed()) == CloseResult(4000, "mine")


@pytest_twisted.ensureDeferred
async def test_refused_handshake() -> None:
    """(k) A refusal tells its headers, then an error 200 with the status, and no close.

    4.6 item 3.
    """
    async with scripted(refusing) as port:
        client = Client()
        await client.connect(f"ws://127.0.0.1:{port}/", options())
        await client.gone()
    assert client.names == ["headerReceive", "error"]
    (error,) = client.told("error")
    assert (error.code, error.data, error.http_status) == (200, "403", 403)
    assert client.response_headers["Set-Cookie"] == ["a=1", "b=2"]
    assert client.states[-1] is State.CLOSED


@pytest_twisted.ensureDeferred
async def test_open_timeout() -> None:
    """A server that never answers is given up after the open timeout."""
    async with scripted(mute) as port:
        client = Client()
        await client.connect(f"ws://127.0.0.1:{port}/", options(open_timeout=0.2))
        await client.gone()
    (error,) = client.told("error")
    assert isinstance(error.__cause__, TimeoutError)
    assert client.names == ["error"]


@pytest_twisted.ensureDeferred
async def test_redirect_is_not_followed() -> None:
    """(k) A redirect is an error with its status; where to is in the headers."""

    async def script(peer: ServerPeer) -> None:
        await peer.request()
        peer.send(b"HTTP/1.1 302 Found\r\nLocation: ws://elsewhere/\r\n\r\n")
        await peer.gone()

    async with scripted(script) as port:
        client = Client()
        await client.connect(f"ws://127.0.0.1:{port}/", options())
        await client.gone()
    assert client.told("error")[0].http_status == 302
    assert client.response_headers["location"] == "ws://elsewhere/"


@pytest_twisted.ensureDeferred
async def test_subprotocol() -> None:
    """The server's choice of the subprotocols is told; a choice of its own is refused."""

    async def script(peer: ServerPeer) -> None:
        headers = await peer.accept("Sec-WebSocket-Protocol: b")
        assert headers["sec-websocket-protocol"] in {"a,b", "c"}
        peer.drop() if "c" in headers["sec-websocket-protocol"] else await peer.close()

    async with scripted(script) as port:
        client = Client()
        await client.opened(port, protocol="a, b")
        assert client.protocol == "b"
        assert client.told("open") == [OpenInfo(101, "Switching Protocols", "b")]
        await client.close()
        other = Client()
        await other.connect(f"ws://127.0.0.1:{port}/", options(protocol="c"))
        await other.gone()
    await client.gone()
    assert "open" not in other.names
    assert other.protocol is None


@pytest_twisted.ensureDeferred
async def test_each_sendable_close_code_arrives() -> None:
    """(j) Each code that may be sent arrives, with its reason cut between two letters.

    4.6 items 14 and 15.
    """
    arrived: list[tuple[int, str]] = []

    async def script(peer: ServerPeer) -> None:
        await peer.accept()
        arrived.append(await peer.close())
        peer.send(close_frame(1000))
        peer.hang_up()

    codes = [*range(1000, 1004), *range(1007, 1014), 3000, 4999]
    async with scripted(script) as port:
        client = Client()
        for each in codes:
            await client.opened(port)
            await client.close(code=each, reason="\u00fc" * 100)
            result = await limit(client.when_closed())
            # Ours, although the server answered with another one.
            assert result == CloseResult(each, "\u00fc" * 61)
    assert arrived == [(each, "\u00fc" * 61) for each in codes]


@pytest_twisted.ensureDeferred
async def test_forbidden_close_codes() -> None:
    """(j) Codes that must not be sent, and what is no code, are a 401 and close nothing."""
    async with scripted(polite) as port:
        client = Client()
        await client.opened(port)
        wrong: list[Any] = [
            0,
            -1,
            999,
            1004,
            1005,
            1006,
            1014,
            1015,
            1016,
            2999,
            5000,
            True,
            "1000",
        ]
        assert SENDABLE.isdisjoint(wrong[:11])
        for each in wrong:
            assert await code(client.close(code=each)) == 401
        bad: Any = b"reason"
        assert await code(client.close(reason=bad)) == 401
        assert await code(client.close(WebSocketCloseOptions(1005))) == 401
        options_of_no_kind: Any = {"code": 1000}
        assert await code(client.close(options_of_no_kind)) == 401
        assert client.state is State.OPEN
        await client.close()
        await limit(client.when_closed())


@pytest.mark.parametrize(
    ("frame", "result"),
    [
        (close_frame(4001, "bye"), CloseResult(4001, "bye")),
        (plain(b"", 8), CloseResult(1005, "")),
        (close_frame(1001), CloseResult(1001, "")),
    ],
)
@pytest_twisted.ensureDeferred
async def test_server_closes(frame: bytes, result: CloseResult) -> None:
    """A server's Close is told with its code and reason, 1005 without one (3.3)."""

    async def script(peer: ServerPeer) -> None:
        await peer.accept(behind=frame)
        await peer.close()
        peer.hang_up()

    async with scripted(script) as port:
        client = Client()
        await client.connect(f"ws://127.0.0.1:{port}/", options())
        assert await limit(client.when_closed()) == result
    assert client.names == ["headerReceive", "open", "close"]


@pytest_twisted.ensureDeferred
async def test_closing_by_the_server() -> None:
    """(c) After the server's Close nothing is sent any more, although TCP is still there."""

    async def script(peer: ServerPeer) -> None:
        await peer.accept(behind=close_frame(4001))
        await peer.close()
        await pause(0.1)
        assert peer.buffer == b""
        peer.hang_up()

    async with scripted(script) as port:
        client = Client()
        await client.connect(f"ws://127.0.0.1:{port}/", options())
        await until(lambda: client.state is State.CLOSING)
        assert await code(client.send("x")) == 2302999
        assert await code(client.ping()) == 2302999
        assert await code(client.close()) == 2302999
        assert await limit(client.when_closed()) == CloseResult(4001, "")


@pytest_twisted.ensureDeferred
async def test_wrong_data() -> None:
    """What is neither text nor bytes, no text at all, or too long is a 401 and is not sent."""
    async with scripted(polite) as port:
        client = Client()
        await client.opened(port, max_send_size=4)
        wrong: list[Any] = [5, None, ["x"], "\ud800", "12345", b"12345", "\u20ac\u20ac"]
        for each in wrong:
            assert await code(client.send(each)) == 401
        assert await client.send("1234") is True
        await client.close()
        await limit(client.when_closed())


@pytest_twisted.ensureDeferred
async def test_connect_again_from_listeners() -> None:
    """(v) From within close and from within error the object can connect again."""

    async def script(peer: ServerPeer) -> None:
        await peer.accept()
        assert (await peer.frame())[1] == b"x"
        peer.drop()

    async with scripted(script) as port:
        client = Client()
        url = f"ws://127.0.0.1:{port}/"

        def again(*opens: int) -> None:
            if client.names.count("open") in opens:
                client.connect(url, options())

        client.on("open", lambda _: client.send("x"))
        client.on("close", lambda _: again(1))
        client.on("error", lambda _: again(2, 3))
        await client.connect(url, options())
        await until(lambda: client.names.count("close") == 4)
    life = ["headerReceive", "open", "error", "close"]
    assert client.names == 4 * life


@pytest_twisted.ensureDeferred
async def test_close_from_within_each_event() -> None:
    """(v) Closing from within headerReceive, open, message and dataEnd ends with one close."""

    async def script(peer: ServerPeer) -> None:
        await peer.accept(behind=plain(b"x"))
        if not peer.lost:
            await peer.gone()

    async with scripted(script) as port:
        for event in ("headerReceive", "open", "message", "dataEnd"):
            client = Client()
            client.on(event, lambda *_, client=client: client.close(code=4000))
            await client.connect(f"ws://127.0.0.1:{port}/", options(close_timeout=0.1))
            result = await limit(client.when_closed())
            assert result.code == 4000
            assert client.names.count("close") == 1
            assert "error" not in client.names
            assert ("open" in client.names) is (event != "headerReceive")


@pytest_twisted.ensureDeferred
async def test_abort() -> None:
    """Cutting ends the connection at once, as if it had been lost; without one nothing happens."""

    async def script(peer: ServerPeer) -> None:
        await peer.accept()
        await peer.gone()

    client = Client()
    client.abort()
    async with scripted(script) as port:
        await client.opened(port)
        client.abort()
        await client.gone()
        client.abort()
    assert client.told("close") == [CloseResult(1006, "The link is down", was_clean=False)]
    assert not client.closed_here


@pytest_twisted.ensureDeferred
async def test_bytes_received() -> None:
    """Bytes count as they come, whole messages or not."""

    async def script(peer: ServerPeer) -> None:
        await peer.accept()
        await peer.frame()
        peer.send(plain(b"abc")[:4])
        await peer.frame()
        peer.send(plain(b"abc")[4:])
        await peer.gone()

    client = Client()
    assert client.bytes_received == 0
    async with scripted(script) as port:
        await client.opened(port)
        await client.send("begin")
        await until(lambda: client.bytes_received == 4)
        assert client.told("message") == []
        await client.send("more")
        await until(lambda: client.told("message"))
        assert client.bytes_received == 5
        client.abort()
        await client.gone()
    assert client.bytes_received == 0


@pytest_twisted.ensureDeferred
async def test_iteration() -> None:
    """Iteration gives the messages and ends quietly with a regular close; recv raises then."""

    async def script(peer: ServerPeer) -> None:
        await peer.accept(behind=plain(b"one") + plain(b"two", BINARY) + close_frame(1001))
        await peer.close()
        peer.hang_up()

    async with scripted(script) as port:
        client = Client()
        client.keep_messages()
        await client.connect(f"ws://127.0.0.1:{port}/", options())
        assert [message async for message in client] == ["one", b"two"]
        assert [message async for message in client] == []
        assert await code(client.recv()) == 2302999


IRREGULAR_ENDS = {
    "an error of the server": (close_frame(1011, "bug"), None),
    "a code of the application": (close_frame(4000), None),
    "our own code of the application": (b"", 4000),
    "our own refusal": (b"", 1008),
    "text that is not UTF-8": (plain(b"\xff"), None),
    "an unanswered close": (b"", 1000),
}


@pytest.mark.parametrize("name", IRREGULAR_ENDS)
@pytest_twisted.ensureDeferred
async def test_iteration_over_an_irregular_end(name: str) -> None:
    """Iteration raises after any other end, who closed and how, with the result."""
    sent, ours = IRREGULAR_ENDS[name]

    async def script(peer: ServerPeer) -> None:
        await peer.accept(behind=plain(b"one") + sent)
        answer, reason = await peer.close()
        if name == "an unanswered close":
            await peer.gone()
            return
        peer.send(close_frame(answer, reason))
        peer.hang_up()

    async with scripted(script) as port:
        client = Client()
        client.keep_messages()
        await client.opened(port, close_timeout=0.2 if name == "an unanswered close" else 20.0)
        got: list[Any] = []

        async def iterate() -> None:
            async for message in client:
                got.append(message)
                if ours is not None:
                    await client.close(code=ours)

        with pytest.raises(ConnectionClosed) as caught:
            await limit(Deferred.fromCoroutine(iterate()))
        assert got == ["one"]
        assert client.told("close") == [caught.value.close_result]


@pytest_twisted.ensureDeferred
async def test_iteration_over_no_connection() -> None:
    """Iteration raises what kept the connection from being made, and NotOpen before connect."""
    client = Client()

    async def iterate() -> None:
        async for message in client:
            raise AssertionError(message)

    with pytest.raises(NotOpen):
        await iterate()
    await client.connect("ws://127.0.0.1:1/", options())
    with pytest.raises(ConnectFailed):
        await limit(Deferred.fromCoroutine(iterate()))


@pytest_twisted.ensureDeferred
async def test_nobody_looks_at_a_failed_send(capture_log: list[Any]) -> None:
    """Who ignores what send returns hears of the lost connection by events, and the log is quiet.

    Who awaits it gets the exception.
    """
    async with scripted(unreading) as port:
        client = Client()
        await client.opened(port, compression=None)
        for _ in range(8):
            client.send(b"x" * (1 << 20))
        client.ping()
        client.recv()
        awaited = client.send(b"x")
        assert not awaited.called
        client.when_closed()
        await client.gone()
        client.send("x")
        client.close()
        client.ping()
        client.recv()
        with pytest.raises(ConnectionClosed):
            await awaited
        with pytest.raises(NotOpen):
            await client.send("x")
        gc.collect()
    assert client.names == ["headerReceive", "open", "error", "close"]
    assert [one for one in capture_log if one.get("log_level", LogLevel.info) > LogLevel.info] == []


@pytest_twisted.ensureDeferred
async def test_what_piles_up_is_no_sign_of_life() -> None:
    """(g) A server that has stopped reading is lost although our queue for it still grows."""

    async def script(peer: ServerPeer) -> None:
        await peer.accept()
        peer.transport.pauseProducing()  # type: ignore[union-attr]

    async with scripted(script) as port:
        client = Client()
        await client.opened(port, compression=None, ping_interval=1, pong_timeout=1)
        begun = reactor.seconds()
        for _ in range(8):
            client.send(b"x" * (1 << 20))
        while "close" not in client.names:
            assert reactor.seconds() - begun < 5
            client.send(b"x" * 1_000)
            await pause(0.05)
    assert client.names == ["headerReceive", "open", "error", "close"]


@pytest_twisted.ensureDeferred
async def test_iteration_over_a_lost_connection() -> None:
    """Iteration raises when the connection is lost, after the messages that came."""

    async def script(peer: ServerPeer) -> None:
        await peer.accept()
        peer.send(plain(b"one"))
        assert (await peer.frame())[1] == b"x"
        peer.drop()

    async with scripted(script) as port:
        client = Client()
        client.keep_messages()
        await client.opened(port)
        got: list[Any] = []

        async def iterate() -> None:
            async for message in client:
                got.append(message)
                await client.send("x")

        with pytest.raises(ConnectionClosed) as caught:
            await iterate()
        assert got == ["one"]
        assert caught.value.close_result.code == 1006


@pytest_twisted.ensureDeferred
async def test_recv_without_keeping() -> None:
    """The first recv begins to keep messages; those before it were for listeners only."""

    async def script(peer: ServerPeer) -> None:
        await peer.accept()
        peer.send(plain(b"lost"))
        await peer.frame()
        peer.send(plain(b"got"))
        await peer.close()

    async with scripted(script) as port:
        client = Client()
        await client.opened(port)
        await until(lambda: "dataEnd" in client.names)
        waiting = client.recv()
        with pytest.raises(NotOpen):
            await client.recv()
        await client.send("x")
        assert await limit(waiting) == "got"
        await client.close()
    await client.gone()


@pytest_twisted.ensureDeferred
async def test_cancelled_waits() -> None:
    """Whoever gives up waiting disturbs neither the connection nor the others."""
    async with scripted(polite) as port:
        client = Client()
        waits: list[Any] = [client.when_open(), client.when_open(), client.when_closed()]
        waits[0].cancel()
        waits[2].cancel()
        await client.opened(port)
        assert (await limit(waits[1])).status == 101
        for each in (waits[0], waits[2]):
            each.addErrback(lambda _: None)
        await client.close()
        await limit(client.when_closed())


@pytest_twisted.ensureDeferred
async def test_over_tls(tmp_path: Any) -> None:
    """(f)(n) Over TLS: the name is checked, send waits for a paused reader, the end is clean."""
    root = authority("root")
    ours = leaf(root, dns=["localhost"], addresses=["127.0.0.1"])
    cert = ServerCert(
        write(tmp_path, "cert.pem", ours.pem), write(tmp_path, "key.pem", ours.key_pem())
    )
    context = server_context(WebSocketServerConfig(server_port=0, server_cert=cert))
    ca_path = write(tmp_path, "ca.pem", root.pem)
    chunk = b"x" * (1 << 20)

    async def script(peer: ServerPeer) -> None:
        await peer.accept()
        peer.transport.pauseProducing()  # type: ignore[union-attr]
        await pause(0.2)
        peer.transport.resumeProducing()  # type: ignore[union-attr]
        assert [await peer.skip() for _ in range(8)] == [len(chunk)] * 8
        peer.send(close_frame(4001))
        await peer.close()
        peer.hang_up()

    async with scripted(script, context) as port:
        client = Client()
        await client.connect(f"wss://127.0.0.1:{port}/", options(ca_path=ca_path, compression=None))
        await limit(client.when_open())
        sent = [client.send(chunk) for _ in range(8)]
        assert sent[0].called
        assert not sent[-1].called
        assert client.buffered_amount > len(chunk)
        await limit(sent[-1])
        assert await limit(client.when_closed()) == CloseResult(4001, "")


@pytest_twisted.ensureDeferred
async def test_wrong_name_in_the_certificate(tmp_path: Any) -> None:
    """(f) A certificate for another name is an error 200 that says so, unlike skipped.

    4.6 item 8.
    """
    root = authority("root")
    ours = leaf(root, dns=["elsewhere.example"])
    cert = ServerCert(
        write(tmp_path, "cert.pem", ours.pem), write(tmp_path, "key.pem", ours.key_pem())
    )
    context = server_context(WebSocketServerConfig(server_port=0, server_cert=cert))
    ca_path = write(tmp_path, "ca.pem", root.pem)

    async def script(peer: ServerPeer) -> None:
        while not peer.lost and b"\r\n\r\n" not in peer.buffer:
            await peer.more()
        if not peer.lost:
            await polite(peer)

    async with scripted(script, context) as port:
        client = Client()
        url = f"wss://127.0.0.1:{port}/"
        await client.connect(url, options(ca_path=ca_path))
        await client.gone()
        (error,) = client.told("error")
        assert error.code == 200
        assert "VerificationError" in repr(error.__cause__)
        await client.connect(url, options(skip_server_cert_verification=True))
        await limit(client.when_open())
        await client.close()
        await limit(client.when_closed())


@pytest_twisted.ensureDeferred
async def test_secrets_stay_out_of_logs(capture_log: list[Any]) -> None:
    """(x) Credentials of URL and headers, queries and cookies are in no log and in no error."""

    async def script(peer: ServerPeer) -> None:
        _, headers = await peer.request()
        assert "hunter2" in headers["x-key"]
        peer.send(b"HTTP/1.1 401 No\r\nSet-Cookie: hunter2\r\n\r\n")
        await peer.gone()

    async with scripted(script) as port:
        client = Client()
        url = f"ws://me:hunter2@127.0.0.1:{port}/?key=hunter2"
        await client.connect(url, options(header={"X-Key": "hunter2"}))
        await client.gone()
        await code(client.connect(f"{url}#", options(header={"X-Key": "hunter2"})))
    assert "hunter2" not in repr((client.events, client.told("error")[0].__cause__))
    assert "hunter2" not in repr(capture_log)


@pytest_twisted.ensureDeferred
async def test_listeners_of_the_object() -> None:
    """Listeners stay over connections, and off takes them away."""
    async with scripted(polite) as port:
        client = Client()
        heard: list[int] = []

        @client.on("open")
        def listener(info: OpenInfo) -> None:
            heard.append(info.status)

        for _ in range(2):
            await client.opened(port)
            await client.close()
            await limit(client.when_closed())
        client.off("open", listener)
        await client.opened(port)
        await client.close()
        await limit(client.when_closed())
    assert heard == [101, 101]
    with pytest.raises(WebSocketError):
        client.on("opened", print)


def test_reactor_by_default() -> None:
    """Without a reactor the installed one is used."""
    for client in (create_web_socket(), WebSocket()):
        assert client.state is State.IDLE
        assert client._reactor is reactor


@settings(max_examples=20)
@given(st.lists(st.text() | st.binary(), max_size=20))
@pytest_twisted.ensureDeferred
async def test_data_comes_back_as_it_was(messages: list[str | bytes]) -> None:
    """What is sent comes back equal and of the same type, whatever it is."""

    async def echo(peer: ServerPeer) -> None:
        await peer.accept()
        for _ in messages:
            opcode, payload = await peer.frame()
            peer.send(plain(payload, opcode))
        await peer.close()

    async with scripted(echo) as port:
        client = Client()
        client.keep_messages()
        await client.opened(port, compression=None)
        for message in messages:
            await client.send(message)
        back = [await limit(client.recv()) for _ in messages]
        await client.close()
    await client.gone()
    assert back == messages
