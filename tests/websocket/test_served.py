import gc
import weakref
from typing import Any

import pytest
import pytest_twisted

from tests.server.peer import CLOSE, PING, PONG, frame, pause, reactor, until
from tests.websocket.serving import Serving, config, refusal, serving
from twisted_chainws.websocket.codes import ConnectionClosed
from twisted_chainws.websocket.server import WebSocketServer
from twisted_chainws.websocket.values import CloseResult, WebSocketConnection

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


@pytest_twisted.ensureDeferred
async def test_sending_waits_for_a_client_that_does_not_read() -> None:
    """(n) The first send never waits; a later one does until the client has read."""
    async with serving(max_unsent_size=0) as stand:
        peer, client = await stand.joined()
        wire: Any = peer.transport
        wire.pauseProducing()
        assert stand.server.send(CHUNK, client).called
        waiting = await fill(stand, client)
        await pause(0.05)
        assert not waiting.called
        wire.resumeProducing()
        assert await waiting is True
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
        assert await healthy.frame() == (PING, b"")
        healthy.send(frame(b"", PONG))
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
        assert await peer.frame() == (PING, b"")
        assert await peer.frame() == (PING, b"")
    async with serving(ping_interval=0) as stand:
        peer, _ = await stand.joined()
        assert [call for call in reactor.getDelayedCalls() if "Heartbeat" in str(call)] == []


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
    async with serving(max_unsent_size=0, ping_interval=1, pong_timeout=1) as stand:
        peer, client = await stand.joined()
        wire: Any = peer.transport
        wire.pauseProducing()
        for _ in range(20):
            waiting = await fill(stand, client)
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
