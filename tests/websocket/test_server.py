import errno
import inspect
import socket
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError

from tests.server.peer import BINARY, CLOSE, TEXT, frame, pause, reactor, until
from tests.websocket.certificates import authority, leaf, write
from tests.websocket.serving import Serving, config, refusal, serving
from twisted_chainws.websocket.awaiting import Outcome
from twisted_chainws.websocket.codes import ConnectionNotFound, ErrorCode, NotOpen, ServerEvent
from twisted_chainws.websocket.server import WebSocketServer, bind_error, create_web_socket_server
from twisted_chainws.websocket.values import (
    CloseResult,
    ServerCert,
    WebSocketCloseOptions,
    WebSocketConnection,
    WebSocketMessage,
)

pytestmark = pytest.mark.integration


@pytest_twisted.ensureDeferred
async def test_events_of_one_client_in_their_order() -> None:
    """(o) connect, messageReceive for text and binary, close; the value is the same throughout."""
    async with serving() as stand:
        peer, client = await stand.joined()
        wire: Any = peer.transport
        assert (client.client_ip, client.client_port) == ("127.0.0.1", wire.getHost().port)
        peer.send(frame("ä".encode()) + frame(b"\xff", BINARY) + frame(b"") + frame(b"", BINARY))
        peer.send(frame((4321).to_bytes(2, "big") + b"bye", CLOSE))
        await stand.tell("close")
        assert stand.events == [
            ("connect", client),
            *(
                ("messageReceive", WebSocketMessage(data, client))
                for data in ("ä", b"\xff", "", b"")
            ),
            ("close", client, CloseResult(4321, "bye")),
        ]
        assert await peer.frame() == (CLOSE, (4321).to_bytes(2, "big") + b"bye")


@pytest_twisted.ensureDeferred
async def test_what_is_sent_arrives_as_what_it_is() -> None:
    """(o) Text as text, every kind of bytes as binary, and True each time."""
    async with serving() as stand:
        peer, client = await stand.joined()
        for data in ("ä", b"\xff", bytearray(b"a"), memoryview(b"b"), "", b""):
            assert await stand.server.send(data, client) is True
        expected = [(TEXT, "ä".encode()), (BINARY, b"\xff"), (BINARY, b"a"), (BINARY, b"b")]
        expected += [(TEXT, b""), (BINARY, b"")]
        assert [await peer.frame() for _ in expected] == expected
        wrong: Any
        for wrong in (None, 5, "\ud800", b"x" * (5 * 1024 * 1024 + 1)):
            assert (await refusal(stand.server.send(wrong, client))).code == 401
        for wrong in (None, "127.0.0.1", ("127.0.0.1", 1)):
            assert (await refusal(stand.server.send("x", wrong))).code == 401


@pytest_twisted.ensureDeferred
async def test_max_send_size_is_the_configured_one() -> None:
    """max_send_size counts bytes; None is no limit."""
    async with serving(max_send_size=2) as stand:
        _, client = await stand.joined()
        assert await stand.server.send("ab", client)
        assert (await refusal(stand.server.send("äa", client))).code == 401
    async with serving(max_send_size=None) as stand:
        peer, client = await stand.joined()
        assert await stand.server.send(bytes(6_000_000), client)
        opcode, payload = await peer.frame()
        assert (opcode, len(payload)) == (BINARY, 6_000_000)


@pytest_twisted.ensureDeferred
async def test_closing_one_client() -> None:
    """(o) close sends code and reason, and its event tells ours, whatever the client replies.

    4.6 item 15.
    """
    async with serving() as stand:
        peer, client = await stand.joined()
        options = WebSocketCloseOptions(4000, "ü" * 100)
        assert await stand.server.close(client, options) is True
        assert (await refusal(stand.server.close(client))).code == 2302999
        assert isinstance(await refusal(stand.server.send("x", client)), NotOpen)
        peer.send(frame(b"dropped"))
        opcode, payload = await peer.frame()
        assert (opcode, payload) == (CLOSE, (4000).to_bytes(2, "big") + "ü".encode() * 61)
        peer.send(frame((1000).to_bytes(2, "big"), CLOSE))
        assert await stand.tell("close") == (client, CloseResult(4000, "ü" * 61))
        assert stand.told("messageReceive") == []
        peer, client = await stand.joined()
        await stand.server.close(client)
        assert await peer.ended() == (1000, "")


@pytest_twisted.ensureDeferred
async def test_messages_may_have_sixteen_mebibytes() -> None:
    """By default a message of 16 MiB comes through, and one byte more is 1009 at its header."""
    limit = 16 * 1024 * 1024
    async with serving(close_timeout=0.3) as stand:
        peer, _ = await stand.joined()
        head = b"\x82\xff" + limit.to_bytes(8, "big") + bytes(4)
        peer.send(head + bytes(limit))
        assert len((await stand.tell("messageReceive")).data) == limit
        peer.send(b"\x82\xff" + (limit + 1).to_bytes(8, "big") + bytes(4))
        assert (await peer.ended())[0] == 1009
        assert (await stand.tell("close"))[1].code == 1009


@pytest.mark.parametrize("leaves", ["drops", "stays", "vanishes before"])
@pytest_twisted.ensureDeferred
async def test_a_client_that_does_not_reply_to_our_close(leaves: str) -> None:
    """(o) The code is ours all the same, the end is not clean, and it is no loss."""
    async with serving(close_timeout=0.3) as stand:
        peer, client = await stand.joined()
        if leaves == "vanishes before":
            peer.drop()
        assert await stand.server.close(client, WebSocketCloseOptions(4000, "mine"))
        if leaves == "drops":
            assert (await peer.frame())[0] == CLOSE
            peer.drop()
        ours = CloseResult(4000, "mine", was_clean=False)
        assert await stand.tell("close") == (client, ours)
        assert stand.told("error") == []
        await peer.gone()


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1014, 1015, 2999, 5000, True, "1000"])
@pytest_twisted.ensureDeferred
async def test_codes_that_may_not_be_sent_are_401(code: Any) -> None:
    """(j) The connection stays open. 4.6 item 14."""
    async with serving() as stand:
        _, client = await stand.joined()
        error = await refusal(stand.server.close(client, WebSocketCloseOptions(code)))
        assert error.code == 401
        assert await stand.server.send("still there", client)


@pytest_twisted.ensureDeferred
async def test_each_sendable_code_arrives() -> None:
    """(j) 1000 to 1003, 1007 to 1013, 3000 to 4999. 4.6 item 14."""
    async with serving() as stand:
        for code in (1000, 1001, 1002, 1003, *range(1007, 1014), 3000, 4999):
            peer, client = await stand.joined()
            await stand.server.close(client, WebSocketCloseOptions(code, "why"))
            assert await peer.ended() == (code, "why")


@pytest_twisted.ensureDeferred
async def test_connections_are_listed_from_connect_to_close() -> None:
    """(o) A client is in the list while its first and its last listener run, then no more."""
    async with serving() as stand:
        server, seen = stand.server, []

        @server.on("connect")
        @server.on("close")
        def look(client: WebSocketConnection, *_: object) -> None:
            seen.append(client in server.connections)

        peer, first = await stand.joined()
        _, second = await stand.joined()
        assert await server.list_all_connections() == server.connections == [first, second]
        peer.drop()
        await until(lambda: server.connections == [second])
        assert seen == [True, True, True]


@pytest_twisted.ensureDeferred
async def test_a_client_that_is_lost() -> None:
    """(o) error 200 with its cause, then close with 1006; calls for it fail with 2302006."""
    async with serving() as stand:
        calls: list[Any] = []

        @stand.server.on("close")
        def too_late(client: WebSocketConnection, _: CloseResult) -> None:
            calls.extend((stand.server.send("x", client), stand.server.close(client)))

        peer, client = await stand.joined()
        peer.drop()
        result = await stand.tell("close")
        assert result == (client, CloseResult(1006, "The link is down", was_clean=False))
        assert [event[0] for event in stand.events] == ["connect", "error", "close"]
        (error,) = stand.told("error")
        assert (error.code, error.message) == (200, "Websocket connect failed")
        assert (error.http_status, error.data) == (None, "0")
        assert isinstance(error.__cause__, Exception)
        await until(lambda: not stand.server.connections)
        for outcome in (*calls, stand.server.send("x", client), stand.server.close(client)):
            error = await refusal(outcome)
            assert isinstance(error, ConnectionNotFound)
            assert error.message == "websocket connection does not exist."


@pytest_twisted.ensureDeferred
async def test_a_client_that_closes_without_a_code_disturbs_nobody() -> None:
    """(r) It is told as 1005, and others come and stay. 4.6 item 15."""
    async with serving() as stand:
        other, _ = await stand.joined()
        peer, client = await stand.joined()
        peer.send(frame(b"", CLOSE))
        assert await stand.tell("close") == (client, CloseResult(1005, ""))
        await stand.joined()
        other.send(frame(b"still here"))
        assert (await stand.tell("messageReceive")).data == "still here"
        assert stand.told("error") == []


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (frame(b"x", mask=None), 1002),
        (frame(b"\xff"), 1007),
        (frame(b"x" * 101), 1009),
        (frame(b"x" * 60, fin=False) + frame(b"x" * 60, 0), 1009),
    ],
)
@pytest_twisted.ensureDeferred
async def test_violations_are_closed_with_their_code(data: bytes, code: int) -> None:
    """Protocol, UTF-8 and max_message_size; not clean, but no loss either."""
    async with serving(max_message_size=100) as stand:
        peer, client = await stand.joined()
        peer.send(data)
        assert (await peer.ended())[0] == code
        told, result = await stand.tell("close")
        assert (told, result.code, result.was_clean) == (client, code, False)
        assert result.reason
        assert stand.told("error") == stand.told("messageReceive") == []


@pytest_twisted.ensureDeferred
async def test_values_made_by_hand_and_stale_ones() -> None:
    """A plain value finds the client; one of a former client never addresses its successor."""
    async with serving() as stand:
        server = stand.server
        peer, former = await stand.joined()
        assert await server.send("x", WebSocketConnection("127.0.0.1", former.client_port))
        await server.close(former)
        await peer.ended()
        await stand.tell("close")
        with socket.socket() as probe:
            # The end of TCP lies with whoever closes first, here the server: the port is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", 0))
            free = probe.getsockname()[1]
        clients = []
        for count in (2, 3):
            peer = await stand.tcp(source=("127.0.0.1", free))
            stand.request(peer)
            clients.append(await stand.tell("connect", count))
            if count == 2:
                peer.drop()
                await stand.tell("close", 2)
        old, new = clients
        assert old == new
        assert (await refusal(server.send("x", old))).code == 2302006
        assert (await refusal(server.close(old))).code == 2302006
        assert await server.send("x", new)
        assert await server.send("x", WebSocketConnection("127.0.0.1", free))
        foreign = WebSocketConnection("127.0.0.1", free + 1, new.serial)
        assert (await refusal(server.send("x", foreign))).code == 2302006


@pytest_twisted.ensureDeferred
async def test_calls_in_the_wrong_state() -> None:
    """(o) Before start and after stop everything but start is 2302999; start twice as well."""
    server = create_web_socket_server(reactor)
    client = WebSocketConnection("127.0.0.1", 1)

    async def idle() -> None:
        for outcome in (
            server.send("x", client),
            server.close(client),
            server.list_all_connections(),
            server.stop(),
        ):
            error = await refusal(outcome)
            assert (error.code, error.message) == (2302999, "Internal error.")
        assert server.address is None
        assert server.connections == []
        await server.when_stopped()

    await idle()
    assert await server.start(config()) is True
    error = await refusal(server.start(config()))
    assert (error.code, error.message) == (2302999, "Websocket other unknown error.")
    assert await server.stop() is True
    await server.when_stopped()
    await idle()


@pytest_twisted.ensureDeferred
async def test_a_client_that_is_gone_stays_gone_after_stop() -> None:
    """(o) Its value is 2302006 although the server is stopped; while it still closes, 2302999."""
    async with serving() as stand:
        server = stand.server
        peer, client = await stand.joined()
        await server.stop()
        for outcome in (server.send("x", client), server.close(client)):
            error = await refusal(outcome)
            assert (error.code, error.data) == (2302999, "not started")
        await peer.ended()
        await server.when_stopped()
        for outcome in (server.send("x", client), server.close(client)):
            assert (await refusal(outcome)).code == 2302006
        by_hand = WebSocketConnection(client.client_ip, client.client_port)
        assert (await refusal(server.send("x", by_hand))).code == 2302999


@pytest_twisted.ensureDeferred
async def test_a_client_is_nobody_before_its_connect() -> None:
    """(o) While the handshake is decided on, a value made by hand is 2302006, and nothing listed."""
    deciding: list[Deferred[object]] = []

    def accept(_: object) -> Deferred[object]:
        deciding.append(Deferred())
        return deciding[-1]

    async with serving(accept=accept) as stand:
        peer = await stand.ask()
        await until(lambda: deciding)
        wire: Any = peer.transport
        value = WebSocketConnection("127.0.0.1", wire.getHost().port)
        for outcome in (stand.server.send("x", value), stand.server.close(value)):
            assert (await refusal(outcome)).code == 2302006
        assert await stand.server.list_all_connections() == []
        deciding[0].callback(True)
        assert await stand.tell("connect") == value
        assert await stand.server.send("x", value)


@pytest.mark.parametrize(
    "name", ["start", "send", "close", "stop", "list_all_connections", "when_stopped"]
)
def test_what_returns_a_deferred_says_on_which_thread(name: str) -> None:
    """(o) The row of each method, and the rule for threads in its docstring."""
    method = getattr(WebSocketServer, name)
    assert inspect.signature(method).return_annotation.__origin__ is Outcome
    assert "must be called on the reactor's thread" in method.__doc__


@pytest.mark.parametrize("count", [0, 1, 20])
@pytest_twisted.ensureDeferred
async def test_stopping_closes_every_client(count: int) -> None:
    """(s) Each gets 1001 "server is going away", and each close is told before it is over."""
    async with serving(max_connections_for_one_client=20) as stand:
        peers = [(await stand.joined())[0] for _ in range(count)]
        address = stand.server.address
        assert address is not None
        stopped = stand.server.when_stopped()
        assert await stand.server.stop() is True
        assert bool(count) is not stopped.called
        with socket.socket() as probe:
            assert probe.connect_ex(address) == errno.ECONNREFUSED
        for peer in peers:
            assert await peer.ended() == (1001, "server is going away")
        await stopped
        going = CloseResult(1001, "server is going away")
        assert [result for _, result in stand.told("close")] == [going] * count
        assert stand.server.connections == []


@pytest_twisted.ensureDeferred
async def test_stopping_cuts_who_does_not_answer_and_who_is_not_open() -> None:
    """(s) After close_timeout; connections without a handshake are cut at once."""
    async with serving(close_timeout=0.3, open_timeout=1_000) as stand:
        silent, client = await stand.joined()
        idle = await stand.tcp()
        await pause(0.05)
        started = reactor.seconds()
        await stand.server.stop()
        await idle.gone()
        await stand.server.when_stopped()
        assert 0.3 <= reactor.seconds() - started < 3
        await silent.gone()
        result = CloseResult(1001, "server is going away", was_clean=False)
        assert stand.told("close") == [(client, result)]
        assert stand.told("error") == []


@pytest_twisted.ensureDeferred
async def test_the_same_object_starts_again() -> None:
    """(s) At once after stop, on the same port, while clients of the former run still leave."""
    async with serving() as stand:
        server = stand.server
        assert server.address is not None
        port = server.address.port
        old, former = await stand.joined()
        over = server.when_stopped()
        await server.stop()
        await server.start(config(server_port=port))
        _, client = await stand.joined()
        assert await server.list_all_connections() == [client]
        assert (await refusal(server.send("x", former))).code == 2302006
        assert not over.called
        await old.ended()
        await over
        assert [who for who, _ in stand.told("close")] == [former]
        assert await server.send("x", client)


@pytest_twisted.ensureDeferred
async def test_listeners_may_call_the_server() -> None:
    """(v) Sending, closing and stopping from within a listener; what comes of it waits its turn."""
    async with serving() as stand:
        server, order = stand.server, []

        @server.on("connect")
        async def welcome(client: WebSocketConnection) -> None:
            await server.send("welcome", client)

        @server.on("messageReceive")
        def answer(message: WebSocketMessage) -> None:
            order.append("begin")
            server.close(message.client_connection)
            server.stop()
            order.append("end")

        server.on("close", lambda *_: order.append("close"))
        peer = await stand.ws()
        assert await peer.frame() == (TEXT, b"welcome")
        peer.send(frame(b"one") + frame(b"two"))
        assert await peer.ended() == (1000, "")
        await server.when_stopped()
        assert order == ["begin", "end", "close"]


@pytest_twisted.ensureDeferred
async def test_listeners_that_break_hurt_nobody(capture_log: list[Any]) -> None:
    """(v) An exception or a failed coroutine is logged; the connection and the others go on."""
    async with serving() as stand:

        def breaks(*_: object) -> None:
            raise ZeroDivisionError

        async def fails(*_: object) -> None:
            raise ZeroDivisionError

        for event in ServerEvent:
            stand.server.on(event, breaks)
            stand.server.on(event, fails)
        peer, client = await stand.joined()
        peer.send(frame(b"x"))
        await stand.tell("messageReceive")
        assert await stand.server.send("fine", client)
        peer.drop()
        await stand.tell("close")
        failures = [event for event in capture_log if "log_failure" in event]
        assert [each["log_failure"].type for each in failures] == [ZeroDivisionError] * 8


@pytest_twisted.ensureDeferred
async def test_off_takes_listeners_away() -> None:
    """(o) One, or all of an event, under any of its names; unknown names are 401."""
    server = WebSocketServer(reactor)
    heard: list[str] = []
    one = server.on("messageReceive", lambda _: heard.append("one"))
    server.on("message_receive", lambda _: heard.append("two"))
    server.off(ServerEvent.MESSAGE_RECEIVE, one)
    async with server:
        stand = Serving(server)
        await server.start(config())
        peer, _ = await stand.joined()
        peer.send(frame(b"x"))
        await stand.tell("messageReceive")
        assert heard == ["two"]
        server.off("messageReceive")
        peer.send(frame(b"x"))
        await pause(0.05)
        assert heard == ["two"]
        peer.drop()
        await peer.gone()
    for call in (server.on, server.off):
        with pytest.raises(Exception, match="401"):
            call("open", print)


@pytest.mark.parametrize("spelling", [ServerEvent, lambda name: name.value, lambda name: name.name])
@pytest_twisted.ensureDeferred
async def test_each_event_under_each_name(spelling: Any) -> None:
    """(o) The rows of on and off: as the reference writes it, as Python does, as the enum's."""
    async with serving() as stand:
        heard: list[str] = []
        kept: dict[ServerEvent, Any] = {}
        for event in ServerEvent:
            name = spelling(event)
            name = name.lower() if name == event.name else name
            kept[event] = stand.server.on(name, lambda *_, event=event: heard.append(event.value))

        async def once() -> None:
            count = len(stand.told("close")) + 1
            peer, _ = await stand.joined()
            peer.send(frame(b"x"))
            await stand.tell("messageReceive", count)
            peer.drop()
            await stand.tell("close", count)

        await once()
        assert heard == ["connect", "messageReceive", "error", "close"]
        for event, listener in kept.items():
            stand.server.off(event, listener)
        await once()
        assert len(heard) == 4
        assert len(stand.told("error")) == 2


# Where to listen


@pytest_twisted.ensureDeferred
async def test_a_port_that_is_taken() -> None:
    """(t) 2302005, or 2302007 without strict; the object can be started elsewhere afterwards."""
    async with serving() as stand, WebSocketServer(reactor) as second:
        assert stand.server.address is not None
        port = stand.server.address.port
        error = await refusal(second.start(config(server_port=port)))
        assert (error.code, error.message) == (2302005, "Can't listen on the given Port.")
        error = await refusal(second.start(config(server_port=port, strict=False)))
        assert (error.code, error.message) == (2302007, "Websocket port already occupied")
        assert await second.start(config())


@pytest_twisted.ensureDeferred
async def test_an_address_that_is_not_ours() -> None:
    """(t) 2302004, of either family and also for no address at all."""
    server = WebSocketServer(reactor)
    for ip in ("192.0.2.1", "2001:db8::1", "localhost", "fe80::1%nowhere"):
        error = await refusal(server.start(config(server_ip=ip)))
        assert (error.code, error.message) == (2302004, "Can't listen on the given NIC.")


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.EACCES, 201),
        (errno.EPERM, 201),
        (errno.EADDRINUSE, 2302005),
        (errno.EADDRNOTAVAIL, 2302004),
        (errno.EAFNOSUPPORT, 2302004),
        (errno.EMFILE, 2302999),
    ],
)
def test_what_the_system_says_about_a_port(number: int, code: int) -> None:
    """(t) Every answer of the system has its code, from bind and from listen."""
    cause = OSError(number, "why")
    for error in (cause, CannotListenError("127.0.0.1", 80, cause)):
        assert bind_error(error, strict=True).code == code


@pytest_twisted.ensureDeferred
async def test_codes_of_start_in_their_order() -> None:
    """(d) 401, 201, 2302004, 2302005, limits, files: of several mistakes the first is told."""
    server = WebSocketServer(reactor)
    missing = ServerCert("/nowhere/cert.pem", "/nowhere/key.pem")
    capped = {"max_concurrent_clients_number": 11, "strict_limits": True}
    mistakes: list[tuple[dict[str, Any], int, str]] = [
        ({"protocol": 5}, 401, "Parameter error."),
        ({"permission_check": lambda *_: False}, 201, "Permission denied."),
        ({"server_ip": "localhost"}, 2302004, "Can't listen on the given NIC."),
        ({"server_port": 70_000}, 2302005, "Can't listen on the given Port."),
        (capped, 2302999, "Websocket other unknown error."),
        ({"server_cert": missing}, 2302002, "Websocket certificate file does not exist."),
    ]
    values: dict[str, Any] = {}
    for mistake, code, words in reversed(mistakes):
        values |= mistake
        error = await refusal(server.start(config(**values)))
        assert (error.code, error.message) == (code, words)
    assert (await refusal(server.start({"serverPort": 80}))).code == 401  # type: ignore[arg-type]


@pytest_twisted.ensureDeferred
async def test_the_permission_check() -> None:
    """It sees address and port; one that breaks, or does not decide at once, is 2302999."""
    asked: list[tuple[str, int]] = []

    def allow(ip: str, port: int) -> bool:
        asked.append((ip, port))
        return len(asked) > 1

    def breaks(ip: str, port: int) -> bool:
        raise ZeroDivisionError(ip, port)

    async def undecided(ip: str, port: int) -> bool:
        return (ip, port) != ("127.0.0.1", 0)

    async with WebSocketServer(reactor) as server:
        checks: list[Any] = [breaks, undecided, lambda *_: Deferred(), lambda *_: None]
        for check in checks:
            error = await refusal(server.start(config(permission_check=check)))
            assert (error.code, server.address) == (2302999, None)
        error = await refusal(server.start(config(permission_check=allow)))
        assert (error.code, error.message) == (201, "Permission denied.")
        assert await server.start(config(permission_check=allow))
        assert asked == [("127.0.0.1", 0)] * 2


@pytest_twisted.ensureDeferred
async def test_unusable_certificates_bind_nothing(tmp_path: Path) -> None:
    """A key of another certificate is 2302999, in a server's words."""
    ca = authority("root")
    cert = write(tmp_path, "cert.pem", leaf(ca).pem)
    key = write(tmp_path, "key.pem", leaf(ca).key_pem())
    server = WebSocketServer(reactor)
    error = await refusal(server.start(config(server_cert=ServerCert(cert, key))))
    assert error.code == ErrorCode.INTERNAL_ERROR
    assert error.message == "Websocket other unknown error."
    assert server.address is None


@pytest_twisted.ensureDeferred
async def test_the_usual_reactor_is_found() -> None:
    """Without a reactor the global one is used."""
    async with create_web_socket_server() as server:
        stand = Serving(server)
        await server.start(config())
        await stand.joined()
        stand.peers[0].drop()
        await stand.tell("close")
