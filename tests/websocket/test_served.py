import gc
import weakref
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred, gatherResults

from tests.server.peer import BINARY, CLOSE, PING, PONG, Peer, frame, pause, reactor, until
from tests.websocket.certificates import Issued, authority
from tests.websocket.serving import Serving, config, over_tls, refusal, server_cert, serving
from twisted_chainws.websocket.codes import ConnectionClosed, WebSocketError
from twisted_chainws.websocket.server import WebSocketServer
from twisted_chainws.websocket.values import (
    CloseResult,
    WebSocketCloseOptions,
    WebSocketConnection,
)

pytestmark = pytest.mark.integration

CHUNK = bytes(1_000_000)


def served(stand: Serving) -> list[Any]:
    """Return the server's side of the open connections."""
    listener: Any = stand.server._running
    return list(listener._open.values())


async def fill(stand: Serving, client: WebSocketConnection) -> Any:
    """Send to a client that does not read until a send has to wait, and return that send.

    The system takes some megabytes before anything waits for long.
    """
    for _ in range(100):
        outcome = stand.server.send(CHUNK, client)
        if not outcome.called:
            await pause(0.05)
            if not outcome.called:
                return outcome
    raise AssertionError("nothing ever waits")


async def joined(stand: Serving, ca: Issued | None = None) -> tuple[Peer, WebSocketConnection, Any]:
    """Open a WebSocket, over TLS with an authority, and return its two ends and its value."""
    if ca is None:
        peer, client = await stand.joined()
    else:
        peer = await over_tls(stand, ca)
        stand.request(peer)
        assert "101" in await peer.head()
        client = await stand.tell("connect")
    return peer, client, served(stand)[-1]


def secured(folder: Path, ca: Issued | None) -> dict[str, Any]:
    """Return the option of a server that has a certificate, if there is an authority."""
    return {} if ca is None else {"server_cert": server_cert(folder, ca)}


@pytest.mark.parametrize("ca", [None, authority("root")], ids=["tcp", "tls"])
@pytest_twisted.ensureDeferred
async def test_sending_waits_for_a_client_that_does_not_read(
    ca: Issued | None, tmp_path: Path
) -> None:
    """(n) The first send never waits; a later one does until the client has read.

    Meanwhile nobody can fill our queue by pings, and to have read counts as a sign of life.
    """
    unlimited: dict[str, Any] = {"max_unsent_size": 0, "max_send_size": None}
    async with serving(**unlimited, **secured(tmp_path, ca)) as stand:
        peer, client, connection = await joined(stand, ca)
        wire: Any = peer.transport
        wire.pauseProducing()
        assert stand.server.send(CHUNK, client).called
        await fill(stand, client)
        # More than the system would ever take.
        waiting = stand.server.send(bytes(20_000_000), client)
        written = connection._outflow.written
        peer.send(frame(b"?", PING) * 100)
        await pause(0.1)
        assert connection._outflow.written == written
        assert not waiting.called
        heard = connection.pulse.quiet_since
        wire.resumeProducing()
        assert await waiting is True
        assert connection.pulse.quiet_since > heard
        assert stand.server.send(b"x", client).called


@pytest_twisted.ensureDeferred
async def test_sends_fail_that_wait_for_a_client_that_goes() -> None:
    """The Deferred of a send that waits fails with how the connection ended."""
    async with serving(max_unsent_size=0) as stand:
        peer, client = await stand.joined()
        wire: Any = peer.transport
        wire.pauseProducing()
        waiting = await fill(stand, client)
        peer.drop()
        error = await refusal(waiting)
        assert isinstance(error, ConnectionClosed)
        assert error.close_result == CloseResult(1006, "The link is down", was_clean=False)


@pytest.mark.parametrize("who", ["client", "server", "both"])
@pytest_twisted.ensureDeferred
async def test_what_waits_before_a_close_arrives(who: str) -> None:
    """A Close, ours or the echo, cuts nothing off that the client has yet to read."""
    async with serving(max_unsent_size=0) as stand:
        peer, client = await stand.joined()
        wire: Any = peer.transport
        wire.pauseProducing()
        waiting = await fill(stand, client)
        code = (4000).to_bytes(2, "big")
        if who != "client":
            await stand.server.close(client, WebSocketCloseOptions(4000))
        if who != "server":
            peer.send(frame(code, CLOSE))
        await pause(0.1)
        wire.resumeProducing()
        while (got := await peer.frame())[0] != CLOSE:
            assert got == (BINARY, CHUNK)
        assert got == (CLOSE, code)
        if who == "server":
            peer.send(frame(code, CLOSE))
        await peer.gone()
        assert await stand.tell("close") == (client, CloseResult(4000, ""))
        assert stand.told("error") == []
        with suppress(WebSocketError):
            await waiting


@pytest_twisted.ensureDeferred
async def test_a_client_that_closes_and_never_reads_is_cut() -> None:
    """What waits for it, and the echo behind that, is given up after close_timeout."""
    async with serving(max_unsent_size=0, close_timeout=0.3) as stand:
        peer, client = await stand.joined()
        wire: Any = peer.transport
        wire.pauseProducing()
        waiting = await fill(stand, client)
        started = reactor.seconds()
        peer.send(frame((4000).to_bytes(2, "big"), CLOSE))
        assert await stand.tell("close") == (client, CloseResult(4000, ""))
        assert 0.3 <= reactor.seconds() - started < 3
        assert isinstance(await refusal(waiting), ConnectionClosed)
        wire.resumeProducing()
        await peer.gone()


@pytest_twisted.ensureDeferred
async def test_clients_that_read_too_slowly_are_closed() -> None:
    """max_unsent_size: a message with which more would wait is not sent, and the code is 1008."""
    async with serving(max_unsent_size=10_000_000, close_timeout=0.3) as stand:
        peer, client = await stand.joined()
        wire: Any = peer.transport
        wire.pauseProducing()
        waiting = [await fill(stand, client)]
        while (outcome := stand.server.send(CHUNK, client)) and not outcome.called:
            waiting.append(outcome)
        error = await refusal(outcome)
        assert (error.code, error.data) == (2302999, "the client reads too slowly")
        for outcome in waiting:
            assert isinstance(await refusal(outcome), ConnectionClosed)
        told = await stand.tell("close")
        assert told == (client, CloseResult(1008, "reading too slowly", was_clean=False))
        assert stand.told("error") == []
        wire.resumeProducing()


@pytest_twisted.ensureDeferred
async def test_silent_clients_are_pinged_and_then_lost() -> None:
    """ping_interval and pong_timeout: error 200 for the timeout, then close with 1006."""
    async with serving(ping_interval=1, pong_timeout=1) as stand:
        healthy, _ = await stand.joined()
        silent, client = await stand.joined()
        started = reactor.seconds()
        opcode, payload = await healthy.frame()
        assert opcode == PING
        healthy.send(frame(payload, PONG))
        assert await stand.tell("close") == (
            client,
            CloseResult(1006, "The link is down", was_clean=False),
        )
        assert reactor.seconds() - started >= 1.9
        await silent.gone()
        (error,) = stand.told("error")
        assert isinstance(error.__cause__, TimeoutError)
        assert not healthy.lost


@pytest_twisted.ensureDeferred
async def test_a_pong_timeout_of_zero_is_no_deadline() -> None:
    """Pings go out and nobody is lost; with an interval of 0 there are none."""
    async with serving(ping_interval=1, pong_timeout=0) as stand:
        peer, _ = await stand.joined()
        first, second = await peer.frame(), await peer.frame()
        assert first[0] == second[0] == PING
        assert first[1] != second[1]
    async with serving(ping_interval=0) as stand:
        peer, _ = await stand.joined()
        assert [call for call in reactor.getDelayedCalls() if "Heartbeat" in str(call)] == []


@pytest_twisted.ensureDeferred
async def test_who_is_alive_and_who_is_not() -> None:
    """(g) Pings follow the client's silence, and any byte of it is a sign of life. 4.6 item 21.

    A healthy one is pinged once a second, a talkative one not at all; one that answers pings by
    messages, and one whose long message trickles in, are kept; one that only reads is lost, however
    much we send.
    """
    async with serving(ping_interval=1, pong_timeout=1) as stand:
        begun = reactor.seconds()
        talkative, healthy, unponging, slow, reading = [(await stand.joined()) for _ in range(5)]
        pings: dict[str, list[bytes]] = {"talkative": [], "healthy": [], "unponging": []}

        async def watch(name: str, peer: Any, answer: Any) -> None:
            with suppress(ConnectionError):
                while True:
                    opcode, payload = await peer.frame()
                    assert opcode == PING
                    pings[name].append(payload)
                    answer(peer, payload)

        async def feed(peer: Any, *chunks: bytes) -> None:
            for chunk in chunks:
                peer.send(chunk)
                await pause(0.3)

        def pong(peer: Any, payload: bytes) -> None:
            peer.send(frame(payload, PONG))

        def talk(peer: Any, _: bytes) -> None:
            peer.send(frame(b"instead of a pong"))

        watching = [
            Deferred.fromCoroutine(watch(name, peer, answer))
            for name, (peer, _), answer in (
                ("talkative", talkative, pong),
                ("healthy", healthy, pong),
                ("unponging", unponging, talk),
            )
        ]
        long = frame(bytes(100_000))
        chunks = [*(long[at : at + 1] for at in range(11)), long[11:]]
        feeding = [
            Deferred.fromCoroutine(feed(talkative[0], *[frame(b"x")] * 12)),
            Deferred.fromCoroutine(feed(slow[0], *chunks)),
        ]
        while not stand.told("close"):
            assert reactor.seconds() - begun < 5
            await stand.server.send("all the time", reading[1])
            await pause(0.1)
        assert 1.9 <= reactor.seconds() - begun < 3
        lost = (reading[1], CloseResult(1006, "The link is down", was_clean=False))
        assert stand.told("close") == [lost]
        await gatherResults(feeding)
        lasted = reactor.seconds() - begun
        assert lasted > 3.4
        assert len(stand.told("error")) == 1
        assert [
            client for _, client in (talkative, healthy, unponging, slow)
        ] == stand.server.connections
        assert pings["talkative"] == []
        for name in ("healthy", "unponging"):
            assert lasted - 1.5 < len(pings[name]) == len(set(pings[name])) <= lasted
        assert "\0" * 100_000 in [message.data for message in stand.told("messageReceive")]
        for peer in stand.peers:
            peer.drop()
        await gatherResults(watching)


@pytest.mark.parametrize("ca", [None, authority("root")], ids=["tcp", "tls"])
@pytest_twisted.ensureDeferred
async def test_what_piles_up_is_no_sign_of_life(ca: Issued | None, tmp_path: Path) -> None:
    """(g) A client that has stopped reading is lost although our queue for it still grows."""
    options: dict[str, Any] = {"max_unsent_size": 0, "ping_interval": 1, "pong_timeout": 1}
    async with serving(**options, **secured(tmp_path, ca)) as stand:
        peer, client, _ = await joined(stand, ca)
        wire: Any = peer.transport
        wire.pauseProducing()
        waiting = [await fill(stand, client)]
        begun = reactor.seconds()
        while not stand.told("close"):
            assert reactor.seconds() - begun < 5
            waiting.append(stand.server.send(b"x" * 1_000, client))
            await pause(0.05)
        assert stand.told("close")[0][1].code == 1006
        for outcome in waiting:
            with suppress(WebSocketError):
                await outcome


@pytest_twisted.ensureDeferred
async def test_a_client_that_has_read_everything_is_alive() -> None:
    """Who has read all that was sent before a ping shows life by that, before any pong."""
    async with serving(max_unsent_size=0, ping_interval=1) as stand:
        peer, client = await stand.joined()
        wire: Any = peer.transport
        wire.pauseProducing()
        waiting = await fill(stand, client)
        (connection,) = served(stand)
        await until(lambda: connection.pulse.waiting)
        wire.resumeProducing()
        assert await waiting is True
        assert not connection.pulse.waiting


@pytest_twisted.ensureDeferred
async def test_a_client_that_reads_on_is_excused() -> None:
    """A pong may be missing while the client still reads what came before the ping, not else."""
    more = {"max_unsent_size": 0, "max_send_size": None}
    async with serving(ping_interval=1, pong_timeout=1, **more) as stand:
        peer, client = await stand.joined()
        wire: Any = peer.transport
        wire.pauseProducing()
        await fill(stand, client)
        waiting = stand.server.send(bytes(20_000_000), client)
        (connection,) = served(stand)
        await until(lambda: connection.pulse.waiting)
        assert not connection._silence_excused()
        before = connection.waiting_bytes()
        wire.resumeProducing()
        await until(lambda: connection.waiting_bytes() < before)
        wire.pauseProducing()
        assert waiting.called or connection._silence_excused()
        wire.resumeProducing()
        await waiting


@pytest_twisted.ensureDeferred
async def test_messages_of_a_connection_that_we_close_are_dropped() -> None:
    """What arrives between our Close and the client's is told to nobody."""
    async with serving() as stand:
        peer, client = await stand.joined()

        @stand.server.on("messageReceive")
        def first(_: object) -> None:
            stand.server.close(client)

        peer.send(frame(b"one") + frame(b"two", fin=False) + frame(b"three", 0) + frame(b"four"))
        assert await peer.ended() == (1000, "")
        assert [message.data for message in stand.told("messageReceive")] == ["one"]


@pytest_twisted.ensureDeferred
async def test_nothing_of_a_client_is_kept() -> None:
    """When its close was told, no object refers to the connection any longer."""
    async with WebSocketServer(reactor) as server:
        stand = Serving(server)
        await server.start(config())
        peer, _ = await stand.joined()
        listener: Any = server._running
        connection = weakref.ref(served(stand)[0])
        peer.send(frame(b"", CLOSE))
        await peer.gone()
        await until(lambda: not server.connections)
        await pause()
        assert not listener._pending
        assert not listener._latest
        assert not listener._admission._taken
        gc.collect()
        assert connection() is None
