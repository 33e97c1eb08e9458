from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.defer import CancelledError, Deferred

from tests.client.ethereum.nodes import Relay, options, serving
from tests.client.warp import Warp
from tests.websocket.scripted import limit, until
from twisted_chainws.client import ChainChanged, ClientClosed, ClientError, GaveUp, State
from twisted_chainws.client.base import ChainClient
from twisted_chainws.client.options import BACKOFF
from twisted_chainws.client.promise import sleep
from twisted_chainws.websocket import Refuse

pytestmark = pytest.mark.integration


class Plain(ChainClient):
    """Says nothing, and tells what it is told."""

    def __init__(self, url: str, *, reactor: Any = None, **more: Any) -> None:
        super().__init__(url, options(**more), reactor=reactor, uniform=lambda low, _: low)
        self.told: list[Any] = []
        self.checking: Deferred[None] | None = None
        self.hangs = False
        self.speaks_for: int | Exception | None = None

    async def _ask_chain_id(self) -> int | None:
        if isinstance(self.speaks_for, Exception):
            raise self.speaks_for
        return self.speaks_for

    async def _restore(self) -> None:
        self.told.append("restore")
        if self.hangs:
            try:
                await sleep(self._clock, 1000)
            except CancelledError:
                self.told.append("cancelled")
                raise
        self._opened()

    def _heard(self, data: str | bytes) -> None:
        self.told.append(data)

    def _down(self) -> None:
        self.told.append("down")

    def _beat(self) -> None:
        self._line.send("?")

    def _check(self) -> Coroutine[Deferred[Any], Any, None]:
        async def check() -> None:
            self.told.append("check")

        return check()

    def _stop(self, error: ClientError, *, wanted: bool) -> None:
        self.told.append((str(error), wanted))

    def _depth(self) -> int:
        return 7


@pytest_twisted.ensureDeferred
async def test_a_life() -> None:
    """It opens, hears, is restored after an outage, and closes."""
    async with serving() as node, Relay(node.port) as relay:
        client = Plain(relay.url)
        states: list[State] = []
        client.on("state", lambda status: states.append(status.state))
        async with client:
            await limit(client.open())
            node.send("hello")
            await until(lambda: "hello" in client.told)
            relay.cut()
            await until(lambda: client.counters.reconnects == 1 and client.state is State.OPEN)
        assert client.told == ["restore", "hello", "down", "restore", ("closed", True), "down"]
        assert states == [
            *(State.CONNECTING, State.OPEN, State.DOWN, State.CONNECTING, State.OPEN, State.CLOSED)
        ]
        assert client.counters.queue_depth == 7
        with pytest.raises(ClientClosed):
            await client.open()


@pytest_twisted.ensureDeferred
async def test_restoring_ends_with_the_connection() -> None:
    """What is being restored over a connection that ends is cancelled."""
    async with serving() as node, Relay(node.port) as relay:
        client = Plain(relay.url)
        client.hangs = True
        opening = client.open()
        await until(lambda: client.told == ["restore"])
        client.hangs = False
        relay.cut()
        await limit(opening)
        assert client.told == ["restore", "cancelled", "down", "restore"]
        await client.close()


@pytest_twisted.ensureDeferred
async def test_the_chain_is_the_one_that_it_was() -> None:
    """The first chain that is told is kept; who speaks for another one ends the client."""
    async with serving() as node, Relay(node.port) as relay:
        client = Plain(relay.url)
        await limit(client.open())
        assert client.chain_id is None
        for reconnects, told in enumerate((7, None, 7), 1):
            client.speaks_for = told
            relay.cut()
            await until(lambda count=reconnects: client.counters.reconnects == count)
            await until(lambda: client.state is State.OPEN)
            assert client.chain_id == 7
        client.told.clear()
        client.speaks_for = 8
        relay.cut()
        await until(lambda: client.state is State.CLOSED)
        await client.close()
        assert client.told == ["down", ("chain 8 instead of 7", False), "down"]
        with pytest.raises(ChainChanged) as caught:
            await client.open()
        assert (caught.value.expected, caught.value.actual) == (7, 8)


@pytest_twisted.ensureDeferred
async def test_a_server_that_does_not_say_its_chain_is_left() -> None:
    """Nothing is restored over a connection without an answer; the next one may have it."""
    async with serving() as node:
        client = Plain(node.url, chain_id=7)
        client.speaks_for = ClientError("no answer")
        reasons: list[str] = []
        client.on("state", lambda status: reasons.append(status.reason))
        opening = client.open()
        await until(lambda: len(node.handshakes) == 2)
        assert "restore" not in client.told
        assert "no chain id: no answer" in reasons
        client.speaks_for = 7
        await limit(opening)
        assert client.told[-1] == "restore"
        await client.close()


@pytest_twisted.ensureDeferred
async def test_giving_up() -> None:
    """A refusal that will stay ends it, and whoever waits hears why."""
    async with serving() as node:
        node.refusal = Refuse(status=403, body=b"no")
        client = Plain(node.url)
        with pytest.raises(GaveUp) as caught:
            await limit(client.open())
        assert caught.value.http_status == 403
        assert client.told == [(str(caught.value), False)]
        await client.close()


@pytest_twisted.ensureDeferred
async def test_giving_up_what_we_have_ended() -> None:
    """Where the last connection was dropped by the client, it says what for."""
    async with serving() as node:
        client = Plain(node.url, chain_id=7, backoff=replace(BACKOFF, initial_s=0, max_attempts=2))
        client.speaks_for = ClientError("no answer")
        with pytest.raises(GaveUp, match=r"^gave up: closed: 1006 no chain id: no answer$"):
            await limit(client.open())
        await client.close()


@pytest_twisted.ensureDeferred
async def test_looking_whether_all_is_well() -> None:
    """While it is open it looks four times per ``stall_s``, and not at other times."""
    warp = Warp()
    async with serving() as node, Relay(node.port) as relay:
        client = Plain(relay.url, reactor=warp, stall_s=4)
        opening = client.open()
        await warp.until(lambda: opening.called)
        assert client.told == ["restore"]
        assert await warp.until(lambda: client.told.count("check") == 4, 8) == 4
        relay.closed = True
        relay.cut()
        await warp.until(lambda: client.state is not State.OPEN)
        client.told.clear()
        later = warp.seconds() + 4
        await warp.until(lambda: warp.seconds() >= later, 4)
        assert "check" not in client.told
        closing = client.close()
        await warp.until(lambda: closing.called)


@pytest_twisted.ensureDeferred
async def test_beats() -> None:
    """After silence it asks, and any answer will do."""
    async with serving() as node:
        heard: list[Any] = []

        def answer(message: Any) -> None:
            heard.append(message.data)
            node.send("!", message.client_connection)

        node.server.off("messageReceive")
        node.server.on("messageReceive", answer)
        async with Plain(node.url, heartbeat_s=0.02, heartbeat_answer_s=1) as client:
            await until(lambda: client.told.count("!") >= 2)
            assert set(heard) == {"?"}
            assert client.counters.heartbeats >= 2
