import socket
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import deferLater

from tests.server.peer import BINARY, CLOSE, TEXT, UPGRADE, frame, pause, reactor, until
from tests.websocket.certificates import authority, write
from tests.websocket.serving import Serving, config, over_tls, refusal, server_cert, serving
from twisted_chainws.websocket.handshake import Handshake, Refuse
from twisted_chainws.websocket.server import WebSocketServer
from twisted_chainws.websocket.values import CloseResult, WebSocketConnection

pytestmark = pytest.mark.integration

SECOND = "127.0.0.2"
HALF_A_HELLO = bytes.fromhex("16030100c8010000c40303")
"""The beginning of a TLS handshake."""


async def refused(stand: Serving, **more: Any) -> tuple[int, bytes]:
    """Ask for a WebSocket, which must be refused; return status and body."""
    count = len(stand.told("error"))
    peer = await stand.ask(**more)
    status, headers, body = await peer.answer()
    assert headers["connection"] == "close"
    await peer.gone()
    error = await stand.tell("error", count + 1)
    assert (error.code, error.http_status, error.data) == (200, status, str(status))
    return status, body


@pytest_twisted.ensureDeferred
async def test_clients_are_addresses() -> None:
    """(p) max_concurrent_clients_number counts them, whatever connections each has."""
    async with serving(max_concurrent_clients_number=1) as stand:
        peer = await stand.ws()
        await stand.ws()
        assert await refused(stand, source=SECOND) == (503, b"too many clients")
        assert [event[0] for event in stand.events] == ["connect", "connect", "error"]
        for one in (peer, stand.peers[1]):
            one.send(frame(b"", CLOSE))
            await one.gone()
        await until(lambda: not stand.server.connections)
        await stand.ws(source=SECOND)


@pytest.mark.parametrize("end", ["close", "drop", "refused", "aborted"])
@pytest_twisted.ensureDeferred
async def test_slots_are_given_back(end: str) -> None:
    """(p) After a normal end, a lost connection, a refusal and an abort during the handshake."""

    def accept(request: Handshake) -> object:
        if request.path == "/refuse":
            return False
        return Deferred() if request.path == "/wait" else None

    async with serving(max_connections_for_one_client=1, accept=accept) as stand:
        for _ in range(3):
            if end == "refused":
                assert await refused(stand, path="/refuse") == (403, b"forbidden")
                continue
            peer = await stand.ask("/wait" if end == "aborted" else "/")
            if end == "aborted":
                await pause(0.02)
            else:
                assert "101" in await peer.head()
                text = b"too many connections from this address"
                assert await refused(stand) == (503, text)
            if end == "close":
                peer.send(frame(b"", CLOSE))
            else:
                peer.drop()
            await peer.gone()
            await pause(0.02)
        await stand.ws()


@pytest_twisted.ensureDeferred
async def test_simultaneous_handshakes_share_the_slots() -> None:
    """(p) Of three at once against a limit of one exactly one succeeds."""
    async with serving(max_connections_for_one_client=1) as stand:
        peers = [await stand.tcp() for _ in range(3)]
        for peer in peers:
            stand.request(peer)
        heads = [await peer.head() for peer in peers]
        assert sorted(head.split(" ")[1] for head in heads) == ["101", "503", "503"]


@pytest_twisted.ensureDeferred
async def test_idle_connections_take_no_slot() -> None:
    """(p) Silent TCP connections keep nobody out. 4.6 item 19."""
    async with serving(max_connections_for_one_client=1, max_concurrent_clients_number=1) as stand:
        idle = [await stand.tcp() for _ in range(5)]
        await pause(0.05)
        await stand.joined()
        assert [event[0] for event in stand.events] == ["connect"]
        assert not any(peer.lost for peer in idle)


@pytest_twisted.ensureDeferred
async def test_hasty_clients_are_banned() -> None:
    """(p) max_handshakes_per_minute: one too many is 429 with Retry-After, for ban_seconds."""
    async with serving(max_handshakes_per_minute=2, ban_seconds=0.3) as stand:
        await stand.ws()
        await stand.ws()
        peer = await stand.ask()
        status, headers, body = await peer.answer()
        assert (status, headers["retry-after"], body) == (429, "1", b"too many handshakes")
        await stand.ws(source=SECOND)
        await pause(0.35)
        await stand.ws()


@pytest.mark.parametrize("tls", [False, True])
@pytest_twisted.ensureDeferred
async def test_pending_handshakes_are_limited(tls: bool, tmp_path: Path) -> None:
    """max_pending_handshakes: further connections are cut, until one is open or gone."""
    ca = authority("root")
    more = {"server_cert": server_cert(tmp_path, ca)} if tls else {}
    async with serving(max_pending_handshakes=2, **more) as stand:
        first, second = [await stand.tcp() for _ in range(2)]
        await pause(0.05)
        third = await stand.tcp()
        await third.gone()
        assert not first.lost
        first.drop()
        if tls:
            second.drop()
            peer = await over_tls(stand, ca)
        else:
            await pause(0.05)
            peer = await stand.tcp()
        stand.request(peer)
        assert "101" in await peer.head()


@pytest.mark.parametrize("tls", [False, True])
@pytest_twisted.ensureDeferred
async def test_silent_connections_end_at_the_open_timeout(tls: bool, tmp_path: Path) -> None:
    """open_timeout: TLS and handshake together; TCP ends, and nothing is told. 4.6 item 1."""
    ca = authority("root")
    more = {"server_cert": server_cert(tmp_path, ca)} if tls else {}
    async with serving(open_timeout=0.3, **more) as stand:
        started = reactor.seconds()
        peers = [await stand.tcp() for _ in range(2)]
        peers[1].send(HALF_A_HELLO if tls else b"GET / HTTP/1.1\r\n")
        if tls:
            peers.append(await over_tls(stand, ca))
        for peer in peers:
            await peer.gone()
        assert 0.3 <= reactor.seconds() - started < 3
        assert stand.events == []


@pytest_twisted.ensureDeferred
async def test_decisions_are_bounded_by_the_open_timeout() -> None:
    """One that does not come is cancelled; its client is cut, told to nobody, and has no slot.

    4.6 item 22.
    """
    waiting: list[Deferred[Any]] = []

    def accept(request: Handshake) -> Any:
        if request.path == "/":
            return True
        waiting.append(Deferred())
        return waiting[-1]

    async with serving(open_timeout=0.3, accept=accept, max_connections_for_one_client=1) as stand:
        started = reactor.seconds()
        peer = await stand.ask("/wait")
        await peer.gone()
        assert 0.3 <= reactor.seconds() - started < 3
        assert (bytes(peer.buffer), stand.events) == (b"", [])
        assert waiting[0].called
        await stand.ws()


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\n", 426),
        (b"GET / HTTP/1.1\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\n", 405),
        (b"GET / HTTP/1.0\r\nHost: a\r\n", 505),
        (b"nonsense\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: \xe9\r\n", 426),
    ],
)
@pytest_twisted.ensureDeferred
async def test_what_is_no_handshake(request_line: bytes, status: int) -> None:
    """It gets a whole HTTP answer, takes no slot, and is told to nobody. 4.6 item 20."""
    async with serving(max_concurrent_clients_number=1) as stand:
        peer = await stand.tcp()
        peer.send(request_line + b"\r\n")
        answer = await peer.answer()
        assert (answer[0], answer[1]["connection"]) == (status, "close")
        assert len(answer[2]) == int(answer[1]["content-length"]) > 0
        await peer.gone()
        assert stand.events == []
        await stand.ws(source=SECOND)


@pytest.mark.parametrize("later", [False, True])
@pytest_twisted.ensureDeferred
async def test_what_comes_with_the_handshake_comes_after_connect(later: bool) -> None:
    """Frames in the same segment as the request wait for the decision, and keep their order.

    4.6 items 10 and 17.
    """

    async def accept(_: Handshake) -> bool:
        await pause(0.02)
        return True

    async with serving(accept=accept if later else None) as stand:

        @stand.server.on("messageReceive")
        def breaks(_: object) -> None:
            raise ZeroDivisionError

        peer = await stand.tcp()
        stand.request(
            peer,
            behind=frame(b"a") + frame(b"b", fin=False) + frame(b"c", 0) + frame(b"", CLOSE),
        )
        await stand.tell("close")
        assert [name for name, *_ in stand.events] == [
            "connect",
            "messageReceive",
            "messageReceive",
            "close",
        ]
        assert [message.data for message in stand.told("messageReceive")] == ["a", "bc"]


@pytest_twisted.ensureDeferred
async def test_headers_need_not_be_utf8() -> None:
    """A request with other bytes in a header or its path is a request. 4.6 item 13."""
    requests: list[Handshake] = []
    async with serving(accept=requests.append) as stand:
        await stand.ws("/caf\xe9?x=\xff", X_Name="\xe9", Cookie="a=\xff")
        await stand.tell("connect")
    (request,) = requests
    assert request.path == "/caf\xe9"
    assert (request.headers["x-name"], request.headers["cookie"]) == ("\xe9", "a=\xff")


@pytest_twisted.ensureDeferred
async def test_a_client_is_who_the_socket_says() -> None:
    """(p) Headers of proxies name nobody, so nobody can choose whose slots to take."""
    async with serving(max_connections_for_one_client=1) as stand:
        await stand.ws(X_Forwarded_For="192.0.2.1", Forwarded="for=192.0.2.1")
        assert (await stand.tell("connect")).client_ip == "127.0.0.1"
        status, _ = await refused(stand, X_Forwarded_For="192.0.2.2")
        assert status == 503


@pytest.mark.parametrize("path", ["/in", "/out", "/breaks", "/later"])
@pytest_twisted.ensureDeferred
async def test_requests_leave_no_secret(path: str, capture_log: list[Any]) -> None:
    """(x) Keys in the path's query and in headers are in no log, event or repr."""

    def accept(request: Handshake) -> Any:
        if request.path == "/breaks":
            raise LookupError(request)
        if request.path == "/later":
            return deferLater(reactor, 0.01, lambda: 1 // 0)
        return request.path == "/in"

    async with serving(accept=accept) as stand:
        peer = await stand.ask(
            f"{path}?key=s3cret", Authorization="Basic s3cret", Cookie="session=s3cret"
        )
        await peer.head()
        await until(lambda: stand.events)
        peer.drop()
        await until(lambda: path != "/in" or stand.told("close"))
        told = [str(stand.events), repr(stand.server), repr(stand.server.__dict__)]
        for event in capture_log:
            told.append(repr(event))
            if "log_failure" in event:
                told.append(event["log_failure"].getTraceback())
        assert [text for text in told if "s3cret" in text] == []
        assert bool([one for one in capture_log if "log_failure" in one]) is (
            path in ("/breaks", "/later")
        )


# Who comes in


@pytest_twisted.ensureDeferred
async def test_subprotocols_by_the_clients_preference() -> None:
    """The first one offered that the server knows; none in common is no error."""
    async with serving(protocol="a, b") as stand:
        for offered, chosen in (("c, b, a", "b"), ("a", "a"), ("c", None), ("", None)):
            more = {"Sec_WebSocket_Protocol": offered} if offered else {}
            peer = await stand.ask(**more)
            head = await peer.head()
            assert head.startswith("HTTP/1.1 101")
            lines = [line for line in head.split("\r\n") if line.startswith("Sec-WebSocket-Prot")]
            assert lines == ([f"Sec-WebSocket-Protocol: {chosen}"] if chosen else [])


@pytest_twisted.ensureDeferred
async def test_origins() -> None:
    """allowed_origins: listed ones in any case, and clients without one; * and None are all."""
    async with serving(allowed_origins=("https://App.example/",)) as stand:
        for origin in ("https://app.example", "HTTPS://APP.EXAMPLE"):
            await stand.ws(Origin=origin)
        await stand.ws()
        for origin in ("http://app.example", "https://app.example.evil", "null"):
            assert await refused(stand, Origin=origin) == (403, b"origin not allowed")
    for everyone in (None, ("*",)):
        async with serving(allowed_origins=everyone) as stand:
            await stand.ws(Origin="null")
            await stand.ws(Origin="https://any.example")


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (None, 101),
        (True, 101),
        ("b", 101),
        ("unoffered", 101),
        (False, 403),
        (Refuse(status=401, body=b"who?"), 401),
        (5, 500),
        (ZeroDivisionError(), 500),
    ],
)
@pytest.mark.parametrize("kind", ["plain", "coroutine", "deferred"])
@pytest_twisted.ensureDeferred
async def test_accept_decides(answer: Any, status: int, kind: str) -> None:
    """It sees the request and answers now or later; refusals are told as error 200. 4.6 item 11."""
    seen: list[Handshake] = []

    def plain(request: Handshake) -> Any:
        seen.append(request)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def coroutine(request: Handshake) -> Any:
        await pause()
        return plain(request)

    def deferred(request: Handshake) -> Any:
        return deferLater(reactor, 0.01, plain, request)

    hook = {"plain": plain, "coroutine": coroutine, "deferred": deferred}[kind]
    async with serving(accept=hook, protocol="a") as stand:
        peer = await stand.ask("/chat?token=s%26cret", Sec_WebSocket_Protocol="a, b")
        head = await peer.head()
        assert head.startswith(f"HTTP/1.1 {status} ")
        (request,) = seen
        assert (request.path, request.query) == ("/chat", {"token": ["s&cret"]})
        assert "cret" not in repr(request)
        chosen = {"b": "b", "unoffered": None}.get(answer, "a") if status == 101 else None
        assert (f"Sec-WebSocket-Protocol: {chosen}" in head) is bool(chosen)
        if status != 101:
            assert (await stand.tell("error")).http_status == status
            assert stand.told("connect") == []


@pytest.mark.parametrize("later", [False, True])
@pytest.mark.parametrize("value", ["1\r\nX-Smuggled: yes", "\u65e5"])
@pytest_twisted.ensureDeferred
async def test_a_refusal_that_cannot_be_sent_is_a_whole_500(value: str, later: bool) -> None:
    """Whatever ``accept`` puts into its headers, the client gets one honest answer.

    4.6 item 18.
    """

    def refuse(_: Handshake) -> None:
        raise Refuse(status=401, body=b"who?", headers=(("X-Why", value),))

    async def hook(request: Handshake) -> None:
        await pause()
        refuse(request)

    async with serving(accept=hook if later else refuse) as stand:
        peer = await stand.ask()
        status, headers, body = await peer.answer()
        assert (status, body) == (500, b"Internal Server Error")
        assert not {"x-why", "x-smuggled"} & set(headers)
        await peer.gone()
        assert (await stand.tell("error")).http_status == 500


@pytest_twisted.ensureDeferred
async def test_a_client_that_vanishes_while_accept_decides_leaves_no_entry() -> None:
    """(q) No connect, no error, no slot, whatever is decided afterwards."""
    waiting: list[Deferred[Any]] = []

    def accept(_: Handshake) -> Any:
        inner: Deferred[Any] = Deferred()
        waiting.append(inner)
        outer: Deferred[Any] = Deferred()
        inner.addCallback(lambda value: None if outer.called else outer.callback(value))
        return outer

    async with serving(accept=accept, max_connections_for_one_client=1) as stand:
        for count in (1, 2):
            peer = await stand.ask()
            await until(lambda: len(waiting) == count)  # noqa: B023 - at once
            peer.drop()
            await pause(0.05)
            waiting[-1].callback(True)
        await pause(0.05)
        assert stand.events == []
        assert stand.server.connections == []
        peer = await stand.ask()
        await until(lambda: len(waiting) == 3)
        waiting[-1].callback(True)
        assert "101" in await peer.head()
        await stand.tell("connect")


@pytest_twisted.ensureDeferred
async def test_stopping_while_accept_decides() -> None:
    """(s) The connection is cut and the decision cancelled."""
    waiting: list[Deferred[Any]] = []

    def accept(_: Handshake) -> Any:
        waiting.append(Deferred())
        return waiting[-1]

    async with serving(accept=accept) as stand:
        peer = await stand.ask()
        await until(lambda: waiting)
        await stand.server.stop()
        await peer.gone()
        await stand.server.when_stopped()
        assert waiting[0].called
        assert stand.events == []


@pytest.mark.parametrize("kind", ["within", "after"])
@pytest_twisted.ensureDeferred
async def test_a_decision_that_comes_with_the_stop_is_too_late(kind: str) -> None:
    """(s) Who is let in while, or right after, the server stops is not let in any more."""
    waiting: list[Deferred[Any]] = []

    async with serving() as stand:
        server = stand.server
        await server.stop()

        def accept(_: Handshake) -> Any:
            if kind == "within":
                server.stop()
                return True
            waiting.append(Deferred())
            return waiting[-1]

        await server.start(config(accept=accept))
        peer = await stand.ask()
        if kind == "after":
            await until(lambda: waiting)
            server.stop()
            waiting[0].callback(True)
        await peer.gone()
        await server.when_stopped()
        assert stand.events == []
        assert server.connections == []


# TLS and addresses


@pytest_twisted.ensureDeferred
async def test_a_wss_server(tmp_path: Path) -> None:
    """server_cert: messages both ways over TLS, close, a lost client, stop."""
    ca = authority("root")
    async with serving(server_cert=server_cert(tmp_path, ca)) as stand:
        peer = await over_tls(stand, ca)
        stand.request(peer)
        assert "101" in await peer.head()
        client = await stand.tell("connect")
        peer.send(frame(b"text") + frame(b"binary", BINARY))
        await stand.tell("messageReceive", 2)
        assert [message.data for message in stand.told("messageReceive")] == ["text", b"binary"]
        assert await stand.server.send("back", client)
        assert await peer.frame() == (TEXT, b"back")
        peer.drop()
        assert (await stand.tell("close"))[1].code == 1006
        peer = await over_tls(stand, ca)
        stand.request(peer)
        assert "101" in await peer.head()
        await stand.tell("connect", 2)
        await stand.server.stop()
        assert await peer.ended() == (1001, "server is going away")
        await stand.server.when_stopped()
        assert stand.told("close")[1][1] == CloseResult(1001, "server is going away")


@pytest_twisted.ensureDeferred
async def test_stopping_in_the_middle_of_tls(tmp_path: Path) -> None:
    """(s) Connections before, within and after the TLS handshake are cut at once."""
    ca = authority("root")
    async with serving(server_cert=server_cert(tmp_path, ca), open_timeout=1_000) as stand:
        silent, half = await stand.tcp(), await stand.tcp()
        half.send(HALF_A_HELLO)
        whole = await over_tls(stand, ca)
        await pause(0.05)
        await stand.server.stop()
        for peer in (silent, half, whole):
            await peer.gone()
        await stand.server.when_stopped()
        assert stand.events == []


@pytest_twisted.ensureDeferred
async def test_who_does_not_speak_tls_is_cut(tmp_path: Path) -> None:
    """Plain HTTP to a wss port tells nothing and leaves nothing."""
    async with serving(server_cert=server_cert(tmp_path, authority("root"))) as stand:
        peer = await stand.ask()
        await peer.gone()
        assert stand.events == []
        await stand.server.stop()
        await stand.server.when_stopped()


@pytest_twisted.ensureDeferred
async def test_clients_without_a_certificate_are_cut(tmp_path: Path) -> None:
    """client_ca_path: without a certificate from there nobody gets to the handshake."""
    ca = authority("root")
    roots = write(tmp_path, "ca.pem", ca.pem)
    async with serving(server_cert=server_cert(tmp_path, ca), client_ca_path=roots) as stand:
        peer = await over_tls(stand, ca)
        stand.request(peer)
        await peer.gone()
        assert stand.events == []


@pytest_twisted.ensureDeferred
async def test_ipv6() -> None:
    """An IPv6 address serves IPv6 clients; on the wildcard IPv4 ones appear as IPv4."""
    async with WebSocketServer(reactor) as server:
        stand = Serving(server)
        try:
            await server.start(config(server_ip="::"))
        except Exception:  # noqa: BLE001 - whatever this machine says
            pytest.skip("no IPv6 here")
        assert server.address is not None
        assert server.address.host == "::"
        peers = [await stand.tcp(host=host) for host in ("::1", "127.0.0.1")]
        clients = []
        for count, peer in enumerate(peers, 1):
            stand.request(peer)
            clients.append((await stand.tell("connect", count)).client_ip)
        assert clients == ["::1", "127.0.0.1"]
        for peer in peers:
            peer.drop()
            await peer.gone()


@pytest_twisted.ensureDeferred
async def test_two_connections_of_one_port() -> None:
    """A port may talk to two addresses of ours: made by hand, the value means the later one."""
    async with serving(server_ip="0.0.0.0") as stand, AsyncExitStack() as stack:  # noqa: S104
        assert stand.server.address is not None
        sockets = []
        port = 0
        for count, host in enumerate(("127.0.0.1", SECOND), 1):
            one = stack.enter_context(socket.socket())
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.bind(("127.0.0.1", port))
            port = one.getsockname()[1]
            one.connect((host, stand.server.address.port))
            lines = [f"{name}: {value}" for name, value in UPGRADE.items()]
            one.sendall("\r\n".join(["GET / HTTP/1.1", *lines, "", ""]).encode())
            await stand.tell("connect", count)
            sockets.append(one)
        first, second = stand.server.connections
        assert first == second
        sockets[0].close()
        await stand.tell("close")
        by_hand = WebSocketConnection("127.0.0.1", port)
        assert await stand.server.send("to the later one", by_hand)
        assert (await refusal(stand.server.send("x", first))).code == 2302006
        sockets[1].close()
        await stand.tell("close", 2)
        assert (await refusal(stand.server.send("x", by_hand))).code == 2302006


@pytest_twisted.ensureDeferred
async def test_many_clients_at_once() -> None:
    """A hundred clients each get their own messages, and only those."""
    async with serving(max_connections_for_one_client=100) as stand:

        @stand.server.on("messageReceive")
        def echo(message: Any) -> None:
            stand.server.send(message.data, message.client_connection)

        peers = [await stand.ws() for _ in range(100)]
        for number, peer in enumerate(peers):
            peer.send(frame(b"%d" % number))
        for number, peer in enumerate(peers):
            assert await peer.frame() == (TEXT, b"%d" % number)
        assert len({client.client_port for client in stand.server.connections}) == 100
        await gatherResults([stand.server.close(client) for client in stand.server.connections])


@pytest_twisted.ensureDeferred
async def test_compression_is_the_configured_one() -> None:
    """compression: accepted by default, declined with None; short messages stay as they are."""
    offer = {"Sec_WebSocket_Extensions": "permessage-deflate"}
    async with serving() as stand:
        peer = await stand.ask(**offer)
        assert "permessage-deflate" in await peer.head()
        client: WebSocketConnection = await stand.tell("connect")
        await stand.server.send("x" * 63, client)
        assert (await peer.take(65))[:2] == b"\x81\x3f"
        await stand.server.send("x" * 64, client)
        assert (await peer.take(1)) == b"\xc1"
    async with serving(compression=None) as stand:
        peer = await stand.ask(**offer)
        assert "permessage-deflate" not in await peer.head()
    error = await refusal(WebSocketServer(reactor).start(config(compression="zip")))
    assert error.code == 401
