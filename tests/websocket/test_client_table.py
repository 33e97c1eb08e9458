"""The client against the tables of its specification, row by row, over real sockets."""

import gc
import inspect
import re
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_twisted
import websockets
from twisted.internet.defer import Deferred

from tests.server.peer import PING
from tests.websocket.foreign import in_thread
from tests.websocket.scripted import (
    BINARY,
    CLOSE,
    Client,
    ServerPeer,
    accepting,
    close_frame,
    limit,
    options,
    pause,
    plain,
    reactor,
    scripted,
    until,
)
from tests.websocket.serving import serving
from twisted_chainws import websocket as package
from twisted_chainws.websocket import (
    ClientCert,
    ClientEvent,
    CloseResult,
    ConnectFailed,
    ConnectionClosed,
    OpenInfo,
    Outcome,
    ReconnectingWebSocket,
    ResponseHeaders,
    State,
    WebSocket,
    WebSocketCloseOptions,
    WebSocketError,
    WebSocketServer,
    create_web_socket,
)

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin without proxies in the environment: some of these calls look at it."""
    for name in ("ws", "wss", "socks", "all", "https", "http", "no"):
        monkeypatch.delenv(f"{name}_proxy", raising=False)
        monkeypatch.delenv(f"{name}_PROXY".upper(), raising=False)


async def polite(peer: ServerPeer) -> None:
    """Accept, answer what comes with ``heard``, and answer a Close."""
    await peer.accept()
    while True:
        opcode, payload = await peer.frame()
        if opcode == 8:
            peer.send(plain(payload, 8))
            peer.hang_up()
            await peer.gone()
            return
        peer.send(plain(b"heard"))


def told(ends: list[Any]) -> Callable[[Any, Any], object]:
    """Return a callback that notes what it gets."""
    return lambda error, value: ends.append((error, value))


Call = Callable[[WebSocket, str, Any], Deferred[bool]]

CONNECTS: Final[dict[str, Call]] = {
    "connect(url)": lambda ws, url, _: ws.connect(url),
    "connect(url, options)": lambda ws, url, _: ws.connect(url, options()),
    "connect(url, options=options)": lambda ws, url, _: ws.connect(url, options=options()),
    "connect(url, callback)": lambda ws, url, cb: ws.connect(url, cb),
    "connect(url, callback=callback)": lambda ws, url, cb: ws.connect(url, callback=cb),
    "connect(url, None, callback)": lambda ws, url, cb: ws.connect(url, None, cb),
    "connect(url, options, callback)": lambda ws, url, cb: ws.connect(url, options(), cb),
}
SENDS: Final[dict[str, Call]] = {
    "send(str)": lambda ws, _, __: ws.send("x"),
    "send(bytes)": lambda ws, _, __: ws.send(b"x"),
    "send(bytearray)": lambda ws, _, __: ws.send(bytearray(b"x")),
    "send(memoryview)": lambda ws, _, __: ws.send(memoryview(b"x")),
    "send(data, callback)": lambda ws, _, cb: ws.send("x", cb),
    "send(data, callback=callback)": lambda ws, _, cb: ws.send("x", callback=cb),
}
CLOSES: Final[dict[str, tuple[Call, CloseResult]]] = {
    "close()": (lambda ws, _, __: ws.close(), CloseResult(1000, "")),
    "close(callback)": (lambda ws, _, cb: ws.close(cb), CloseResult(1000, "")),
    "close(callback=callback)": (lambda ws, _, cb: ws.close(callback=cb), CloseResult(1000, "")),
    "close(options)": (
        lambda ws, _, __: ws.close(WebSocketCloseOptions(4000, "x")),
        CloseResult(4000, "x"),
    ),
    "close(options, callback)": (
        lambda ws, _, cb: ws.close(WebSocketCloseOptions(4000, "x"), cb),
        CloseResult(4000, "x"),
    ),
    "close(code, reason)": (
        lambda ws, _, __: ws.close(code=4000, reason="x"),
        CloseResult(4000, "x"),
    ),
    "close(options, code)": (
        lambda ws, _, __: ws.close(WebSocketCloseOptions(4000, "x"), code=4001),
        CloseResult(4001, "x"),
    ),
    "close(options, reason)": (
        lambda ws, _, __: ws.close(WebSocketCloseOptions(4000, "x"), reason="y"),
        CloseResult(4000, "y"),
    ),
}


async def _succeeds(name: str, call: Call, ws: WebSocket, url: str) -> None:
    """Make a call, which must say True, to its callback as well if it takes one."""
    ends: list[Any] = []
    outcome = call(ws, url, told(ends))
    assert isinstance(outcome, Outcome)
    assert await limit(outcome) is True
    assert ends == ([(None, True)] if "callback" in name else [])


@pytest.mark.parametrize("name", CONNECTS)
@pytest_twisted.ensureDeferred
async def test_each_way_to_connect(name: str) -> None:
    """(a) Every overload of connect, by Deferred and by callback, opens a connection."""
    async with scripted(polite) as port:
        ws = create_web_socket(reactor)
        await _succeeds(name, CONNECTS[name], ws, f"ws://127.0.0.1:{port}/")
        assert await limit(ws.when_open()) == OpenInfo(101, "Switching Protocols")
        await ws.close()
        await limit(ws.when_closed())


@pytest.mark.parametrize("name", SENDS)
@pytest_twisted.ensureDeferred
async def test_each_way_to_send(name: str) -> None:
    """(a) Every overload of send, by Deferred and by callback, sends one message."""
    received: list[tuple[int, bytes]] = []

    async def script(peer: ServerPeer) -> None:
        await peer.accept()
        received.append(await peer.frame())
        await peer.close()

    async with scripted(script) as port:
        client = Client()
        await client.opened(port)
        await _succeeds(name, SENDS[name], client, "")
        await client.close()
    await client.gone()
    binary = name in {"send(bytes)", "send(bytearray)", "send(memoryview)"}
    assert received == [(BINARY if binary else 1, b"x")]


@pytest.mark.parametrize("name", CLOSES)
@pytest_twisted.ensureDeferred
async def test_each_way_to_close(name: str) -> None:
    """(a) Every overload of close, by Deferred and by callback, closes with code and reason."""
    call, result = CLOSES[name]
    received: list[tuple[int, str]] = []

    async def script(peer: ServerPeer) -> None:
        await peer.accept()
        received.append(await peer.close())
        peer.send(close_frame(1000))
        peer.hang_up()

    async with scripted(script) as port:
        client = Client()
        await client.opened(port)
        await _succeeds(name, call, client, "")
        assert await limit(client.when_closed()) == result
    assert received == [(result.code, result.reason)]


EVENTS: Final[dict[ClientEvent, Callable[[Any], bool]]] = {
    ClientEvent.OPEN: lambda given: given == (OpenInfo(101, "Switching Protocols"),),
    ClientEvent.MESSAGE: lambda given: given in {("text",), (b"\xff",)},
    ClientEvent.CLOSE: lambda given: given == (CloseResult(1006, "The link is down", False),),
    ClientEvent.ERROR: lambda given: len(given) == 1 and isinstance(given[0], ConnectFailed),
    ClientEvent.DATA_END: lambda given: given == (),
    ClientEvent.HEADER_RECEIVE: lambda given: (
        len(given) == 1
        and isinstance(given[0], ResponseHeaders)
        and given[0]["X-Twice"] == ["1", "2"]
        and given[0]["x-once"] == "1, 2"
    ),
}


async def eventful(peer: ServerPeer) -> None:
    """Let every event happen, the end by hanging up without a word."""
    twice = ("X-Twice: 1", "x-twice: 2", "X-Once: 1, 2")
    await peer.accept(*twice, behind=plain(b"text") + plain(b"\xff", BINARY))
    peer.hang_up()
    await peer.gone()


@pytest.mark.parametrize("event", ClientEvent)
@pytest_twisted.ensureDeferred
async def test_on_and_off(event: ClientEvent) -> None:
    """(a) Each event tells what its row says, and nothing more after off, of one or of all."""
    given: list[Any] = []

    def listener(*values: Any) -> None:
        given.append(values)

    async with scripted(eventful) as port:
        client = Client()

        async def life() -> int:
            before = len(given)
            await client.opened(port, compression=None)
            await client.gone()
            return len(given) - before

        times = 2 if event in {ClientEvent.MESSAGE, ClientEvent.DATA_END} else 1
        assert client.on(event.value, listener) is listener
        assert await life() == times
        client.off(event.value, listener)
        assert await life() == 0
        client.on(event, listener)
        assert await life() == times
        client.off(event)
        assert await life() == 0
    assert all(EVENTS[event](values) for values in given)
    # What was not taken away has gone on: off is about one event.
    others = set(client.names) - {event.value}
    assert all(client.names.count(name) >= 4 for name in others)


MISSING: Final = "/nowhere/at/all.pem"
ERRORS: Final[dict[str, tuple[int, str, Call]]] = {
    "type": (401, "Parameter error.", lambda ws, _, __: ws.connect(5)),  # type: ignore[arg-type]
    "permission": (
        201,
        "Permission denied.",
        lambda ws, url, _: ws.connect(url, options(permission_check=lambda _: False)),
    ),
    "domain": (
        2302998,
        "It is not allowed to access this domain.",
        lambda ws, url, _: ws.connect(url, options(allowed_hosts=["elsewhere.example"])),
    ),
    "CA": (
        2302002,
        "Websocket certificate file does not exist.",
        lambda ws, url, _: ws.connect(url, options(ca_path=MISSING)),
    ),
    "certificate": (
        2302002,
        "Websocket certificate file does not exist.",
        lambda ws, url, _: ws.connect(url, options(client_cert=ClientCert(MISSING, MISSING))),
    ),
    "unfit certificate": (
        2302999,
        "Internal error.",
        lambda ws, url, unfit: ws.connect(url, options(ca_path=unfit)),
    ),
    "URL": (2302001, "Websocket url error.", lambda ws, _, __: ws.connect("http://h/")),
    "send before open": (2302999, "Internal error.", lambda ws, _, __: ws.send("x")),
    "close before connect": (2302999, "Internal error.", lambda ws, _, __: ws.close()),
    "data": (401, "Parameter error.", lambda ws, _, __: ws.send(5)),  # type: ignore[arg-type]
    "code": (401, "Parameter error.", lambda ws, _, __: ws.close(code=1006)),
}


@pytest.mark.parametrize("name", ERRORS)
@pytest_twisted.ensureDeferred
async def test_each_error_of_a_call(name: str, tmp_path: Path) -> None:
    """(d) Code and words are those of the document; nothing is dialled and no event tells."""
    number, words, call = ERRORS[name]
    unfit = tmp_path / "unfit.pem"
    unfit.write_bytes(b"-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n")
    client = Client()
    with pytest.raises(WebSocketError) as caught:
        await call(client, "ws://127.0.0.1:1/", str(unfit))
    assert (int(caught.value.code), caught.value.message) == (number, words)
    await pause(0)
    assert (client.events, client.state) == ([], State.IDLE)


@pytest_twisted.ensureDeferred
async def test_connected_already_and_refused() -> None:
    """(d) 2302003 while connected, 2302002 before it in the order; 200 only as an event."""
    async with scripted(polite) as port:
        client = Client()
        await client.opened(port)
        with pytest.raises(WebSocketError) as caught:
            await client.connect("ws://h/", options())
        assert (int(caught.value.code), caught.value.message) == (
            2302003,
            "Websocket connection already exists.",
        )
        with pytest.raises(WebSocketError) as caught:
            await client.connect("ws://h/", options(ca_path=MISSING))
        assert int(caught.value.code) == 2302002
        await client.close()
        await limit(client.when_closed())
    assert await client.connect("ws://127.0.0.1:1/", options()) is True
    await client.gone()
    (error,) = client.told("error")
    assert (int(error.code), error.message) == (200, "Websocket connect failed")
    with pytest.raises(ConnectFailed) as failed:
        await client.when_open()
    assert failed.value is error


REQUESTS: Final[list[tuple[str, dict[str, Any], str, dict[str, str | None]]]] = [
    ("ws://127.0.0.1:{port}", {}, "/", {"host": "127.0.0.1:{port}"}),
    ("WS://127.0.0.1:{port}?a=b", {}, "/?a=b", {}),
    ("ws://127.0.0.1:{port}/\u00fc?\u20ac", {}, "/%C3%BC?%E2%82%AC", {}),
    ("ws://me:p%77@127.0.0.1:{port}/x", {}, "/x", {"authorization": "Basic bWU6cHc="}),
    ("ws://me:pw@127.0.0.1:{port}/", {"header": {"authorization": "B"}}, "/",
     {"authorization": "B"}),
    ("ws://127.0.0.1:{port}/", {}, "/",
     {"authorization": None, "sec-websocket-protocol": None, "origin": None}),
    ("ws://127.0.0.1:{port}/", {"protocol": " a , b"}, "/", {"sec-websocket-protocol": "a,b"}),
    ("ws://127.0.0.1:{port}/", {"origin": "http://o:8"}, "/", {"origin": "http://o:8"}),
    ("ws://127.0.0.1:{port}/", {"header": {"Origin": "http://h", "User-Agent": "u", "X": "\u00fc"}},
     "/", {"origin": "http://h", "user-agent": "u", "x": "\u00fc"}),
    ("ws://127.0.0.1:{port}/", {"compression": None}, "/", {"sec-websocket-extensions": None}),
]  # fmt: skip


@pytest.mark.parametrize(("url", "more", "resource", "expected"), REQUESTS)
@pytest_twisted.ensureDeferred
async def test_requests_on_the_wire(
    url: str, more: dict[str, Any], resource: str, expected: dict[str, str | None]
) -> None:
    """(e)(l) What of the URL and the options goes out, each header once; the open answers it."""
    seen: list[tuple[str, list[str]]] = []

    async def script(peer: ServerPeer) -> None:
        first, *lines = (await peer.head()).split("\r\n")
        seen.append((first, lines))
        headers = {name.lower(): value for name, _, value in (x.partition(": ") for x in lines)}
        peer.send(accepting(headers))
        await peer.close()

    async with scripted(script) as port:
        client = Client()
        await client.connect(url.format(port=port), options(**more))
        await limit(client.when_open())
        await client.close()
    await client.gone()
    ((first, lines),) = seen
    assert first == f"GET {resource} HTTP/1.1"
    names = [line.partition(":")[0].lower() for line in lines]
    assert len(set(names)) == len(names)
    headers = dict(zip(names, (line.partition(": ")[2] for line in lines), strict=True))
    found = {name: headers.get(name) for name in expected}
    assert found == {
        name: None if value is None else value.format(port=port) for name, value in expected.items()
    }


@pytest_twisted.ensureDeferred
async def test_the_longest_url_is_connected_to() -> None:
    """(e) 2048 characters arrive, 2049 are 2302001, unless the limit is another."""
    lengths: list[int] = []

    async def script(peer: ServerPeer) -> None:
        first, headers = await peer.request()
        lengths.append(len(first.split()[1]))
        peer.send(accepting(headers))
        await peer.close()
        peer.send(close_frame(1000))
        peer.hang_up()

    async with scripted(script) as port:
        base = f"ws://127.0.0.1:{port}/"
        client = Client()
        for size, more in ((2048, {}), (2049, {"max_url_length": 2049})):
            await client.connect(base.ljust(size, "a"), options(**more))
            await limit(client.when_open())
            await client.close()
            await limit(client.when_closed())
        for size, more in ((2049, {}), (1025, {"max_url_length": 1024})):
            with pytest.raises(package.UrlError):
                await client.connect(base.ljust(size, "a"), options(**more))
    assert lengths == [2048 - len(base) + 1, 2049 - len(base) + 1]


@pytest_twisted.ensureDeferred
async def test_open_has_the_words_of_the_status_line() -> None:
    """``open`` tells status and reason phrase as the server writes them (3.1)."""

    async def script(peer: ServerPeer) -> None:
        _, headers = await peer.request()
        peer.send(accepting(headers).replace(b"Switching Protocols", b"Welcome, stranger"))
        await peer.close()

    async with scripted(script) as port:
        client = Client()
        await client.opened(port)
        assert client.told("open") == [OpenInfo(101, "Welcome, stranger")]
        await client.close()
    await client.gone()


@pytest_twisted.ensureDeferred
async def test_data_end_follows_in_the_same_turn_listened_to_or_not() -> None:
    """(b) ``dataEnd`` comes after each message, before anything else, with no other listener."""
    heard: list[str] = []
    async with scripted(polite) as port:
        ws = WebSocket(reactor)
        ws.on("dataEnd", lambda: heard.append("dataEnd"))
        await ws.connect(f"ws://127.0.0.1:{port}/", options())
        await limit(ws.when_open())
        await ws.send("x")
        await until(lambda: heard == ["dataEnd"])

        @ws.on("message")
        def listener(_: Any) -> None:
            heard.append("message")
            reactor.callLater(0, heard.append, "next turn")

        await ws.send("x")
        await until(lambda: "next turn" in heard)
        assert heard == ["dataEnd", "message", "dataEnd", "next turn"]
        await ws.close()
        await limit(ws.when_closed())


@pytest_twisted.ensureDeferred
async def test_sizes_without_options() -> None:
    """5 MiB go out and a byte more does not; 16 MiB and a byte are refused with 1009 (2.3)."""
    size = 16 << 20

    async def script(peer: ServerPeer) -> None:
        await peer.accept()
        assert await peer.skip() == 5 << 20
        # The header is enough: what is announced is too long.
        peer.send(plain(b"")[:1] + b"\x7f" + (size + 1).to_bytes(8, "big"))
        assert (await peer.close())[0] == 1009
        peer.send(close_frame(1009))
        peer.hang_up()

    async with scripted(script) as port:
        client = Client()
        await client.opened(port, compression=None)
        with pytest.raises(package.ParameterError):
            await client.send(bytes((5 << 20) + 1))
        await client.send(bytes(5 << 20))
        result = await limit(client.when_closed())
    assert (result.code, result.was_clean) == (1009, False)
    assert result.reason
    assert client.told("message") == []


@pytest_twisted.ensureDeferred
async def test_sizes_without_limits() -> None:
    """Told so, there is no limit in either direction (2.3)."""
    size = (16 << 20) + 1

    async def script(peer: ServerPeer) -> None:
        await peer.accept()
        assert await peer.skip() == size
        peer.send(plain(bytes(size), BINARY))
        await peer.close()

    async with scripted(script) as port:
        client = Client()
        await client.opened(port, compression=None, max_message_size=0, max_send_size=None)
        await client.send(bytes(size))
        await until(lambda: "dataEnd" in client.names)
        await client.close()
    await client.gone()
    assert [len(data) for data in client.told("message")] == [size]


@pytest_twisted.ensureDeferred
async def test_a_silent_server_is_lost() -> None:
    """(g) In real time: one ping after a second, ``error`` 200 and 1006 after another (3.3)."""
    pings: list[bytes] = []

    async def script(peer: ServerPeer) -> None:
        await peer.accept()
        opcode, payload = await peer.frame()
        assert opcode == PING
        pings.append(payload)
        await peer.gone()

    async with scripted(script) as port:
        client = Client()
        await client.opened(port, ping_interval=1, pong_timeout=1)
        begin = reactor.seconds()
        result = await limit(client.when_closed())
        assert 1.8 < reactor.seconds() - begin < 4
    assert result == CloseResult(1006, "The link is down", was_clean=False)
    assert client.names == ["headerReceive", "open", "error", "close"]
    (error,) = client.told("error")
    assert (int(error.code), error.message) == (200, "Websocket connect failed")
    assert isinstance(error.__cause__, TimeoutError)
    assert len(pings) == 1


@pytest_twisted.ensureDeferred
async def test_a_full_server_refuses_with_503() -> None:
    """Over the limit of our own server the client hears ``error`` 200 with status 503 (2.7)."""
    async with serving(max_connections_for_one_client=1) as stand:
        assert stand.server.address is not None
        first, second = Client(), Client()
        await first.opened(stand.server.address.port)
        url = f"ws://127.0.0.1:{stand.server.address.port}/"
        assert await second.connect(url, options()) is True
        await second.gone()
        assert second.names == ["headerReceive", "error"]
        (error,) = second.told("error")
        assert (int(error.code), error.http_status, error.data) == (200, 503, "503")
        await first.close()
        await limit(first.when_closed())
        # The failed one is as good as new, and there is room now.
        await stand.tell("close")
        await second.opened(stand.server.address.port)
        await second.close()
        await limit(second.when_closed())


@pytest_twisted.ensureDeferred
async def test_closed_before_anything_was_dialled() -> None:
    """(c) A close in the turn of the connect gives it up: one ``close``, and nothing is dialled."""
    peers: list[ServerPeer] = []

    async def script(peer: ServerPeer) -> None:
        peers.append(peer)
        await polite(peer)

    async with scripted(script) as port:
        client = Client()
        client.connect(f"ws://127.0.0.1:{port}/", options())
        assert await client.close(code=4000, reason="no") is True
        result = CloseResult(4000, "no", was_clean=False)
        assert await limit(client.when_closed()) == result
        await pause(0.05)
        assert client.events == [("close", result)]
        assert peers == []
        await client.opened(port)
        await client.close()
        await limit(client.when_closed())


@pytest_twisted.ensureDeferred
async def test_nobody_holds_the_client() -> None:
    """(c) Dropping the last reference closes nothing: listeners hear on, and end it themselves."""
    heard: list[Any] = []

    async def script(peer: ServerPeer) -> None:
        await peer.accept()
        await pause(0.05)
        gc.collect()
        peer.send(plain(b"still there"))
        assert await peer.close() == (4000, "")
        peer.send(close_frame(4000))
        peer.hang_up()

    def begin(port: int) -> weakref.ref[WebSocket]:
        ws = WebSocket(reactor)
        known = weakref.ref(ws)

        @ws.on("message")
        def listener(data: Any) -> None:
            heard.append(data)
            found = known()
            assert found is not None
            found.close(code=4000)

        ws.on("close", heard.append)
        ws.connect(f"ws://127.0.0.1:{port}/", options())
        return known

    async with scripted(script) as port:
        known = begin(port)
        await until(lambda: len(heard) == 2)
    assert heard == ["still there", CloseResult(4000, "")]
    await pause(0)
    gc.collect()
    assert known() is None


ENDS: Final = {
    "1005": plain(b"", CLOSE),
    "1006": b"",
    **{
        str(code): close_frame(code, "x")
        for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 3000, 4000)
    },
}


@pytest.mark.parametrize("name", ENDS)
@pytest_twisted.ensureDeferred
async def test_iteration_ends_as_that_of_websockets(name: str) -> None:
    """Where the package ``websockets`` ends a loop quietly we do, and where it raises we do (5)."""

    async def script(peer: ServerPeer) -> None:
        await peer.accept(behind=plain(b"one") + ENDS[name])
        if ENDS[name]:
            await peer.close()
        peer.hang_up()

    async def theirs(url: str) -> bool:
        async with websockets.connect(url, proxy=None) as socket:
            try:
                assert [message async for message in socket] == ["one"]
            except websockets.ConnectionClosedError:
                return False
        return True

    async def ours(url: str) -> bool:
        client = Client()
        client.keep_messages()
        await client.connect(url, options())
        try:
            assert [message async for message in client] == ["one"]
        except ConnectionClosed:
            return False
        finally:
            assert client.told("close")[0].code == int(name)
        return True

    async with scripted(script) as port:
        url = f"ws://127.0.0.1:{port}/"
        quiet = await in_thread(theirs(url))
        assert await limit(Deferred.fromCoroutine(ours(url))) is quiet
    assert quiet is (name in {"1000", "1001", "1005"})


@pytest_twisted.ensureDeferred
async def test_short_messages_are_not_compressed() -> None:
    """(m) From 64 bytes on a message is compressed, below that it is not worth it."""
    bits: list[int] = []

    async def script(peer: ServerPeer) -> None:
        await peer.accept("Sec-WebSocket-Extensions: permessage-deflate")
        for _ in range(2):
            while not peer.buffer:
                await peer.more()
            bits.append(peer.buffer[0] & 0x40)
            peer.buffer[0] &= ~0x40
            await peer.frame()
        await peer.close()

    async with scripted(script) as port:
        client = Client()
        await client.opened(port)
        await client.send("x" * 63)
        await client.send("x" * 64)
        await until(lambda: len(bits) == 2)
        await client.close()
    await client.gone()
    assert bits == [0, 0x40]


@pytest.mark.parametrize("kind", [WebSocket, WebSocketServer, ReconnectingWebSocket])
def test_the_thread_is_said_where_something_is_waited_for(kind: type[Any]) -> None:
    """Whatever returns a Deferred says in its docstring on which thread it may be called (5)."""
    waiting = {
        name: inspect.getdoc(method) or ""
        for name, method in inspect.getmembers(kind, inspect.isfunction)
        if not name.startswith("_")
        and re.search(r"Outcome|Deferred", str(inspect.signature(method).return_annotation))
    }
    assert len(waiting) >= 2
    assert [name for name, words in waiting.items() if "reactor's thread" not in words] == []
