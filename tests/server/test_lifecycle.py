import gc
import os
import signal
from typing import Any, NoReturn

import pytest
import pytest_twisted
from twisted.application.service import Service
from twisted.internet import reactor  # noqa: TID251 - these tests listen for real
from twisted.internet.defer import Deferred, succeed
from twisted.internet.protocol import Factory
from twisted.internet.task import Clock, deferLater
from twisted.internet.threads import deferToThread
from twisted.logger import capturedLogs, formatEvent
from twisted.protocols.wire import Echo
from twisted.python.failure import Failure

from tests.sockets import connect, echo
from twisted_chainws.server.lifecycle import CLIENTS_LIMIT_S, SOURCES_LIMIT_S, Lifecycle
from twisted_chainws.server.listening import ListenerService

pytestmark = pytest.mark.integration


class _Chain(Service):
    """A chain that gets ready, fails or stops when the test says so."""

    def __init__(self, story: list[str]) -> None:
        self.ready: Deferred[None] = Deferred()
        self.stopped: Deferred[None] = Deferred()
        self._story = story

    def when_ready(self) -> "Deferred[None]":
        return self.ready

    def startService(self) -> None:
        super().startService()
        self._story.append("chain started")

    def stopService(self) -> "Deferred[None]":
        super().stopService()
        self._story.append("chain stopping")
        return self.stopped


class _Clocked(Clock):
    """Time that the test moves, and callFromThread at once."""

    def callFromThread(self, function: Any) -> None:  # noqa: N802
        function()


class _World:
    """A lifecycle with everything it touches."""

    def __init__(self, *, endpoint: str = "tcp:0:interface=127.0.0.1") -> None:
        self.story: list[str] = []
        self.clock = _Clocked()
        self.chain = _Chain(self.story)
        self.clients: Deferred[None] = succeed(None)
        self.failures: list[Failure] = []
        self.listeners = ListenerService(
            reactor=reactor, endpoints=[(endpoint, Factory.forProtocol(Echo))]
        )
        self.lifecycle = Lifecycle(
            reactor=self.clock,
            listeners=self.listeners,
            chains=[self.chain],  # type: ignore[list-item]
            close_clients=self._close_clients,
            ready=lambda: self.story.append("ready"),
            give_up=self._give_up,
            failed=self.failures.append,
        )

    def _close_clients(self) -> "Deferred[None]":
        self.story.append("clients closing")
        return self.clients

    def _give_up(self, text: str) -> NoReturn:
        raise SystemExit(text)

    @property
    def port(self) -> int:
        address: Any = self.listeners.addresses()[0]
        port: int = address.port
        return port


@pytest_twisted.ensureDeferred
async def test_ports_are_bound_first_and_clients_admitted_last() -> None:
    """A client that connects before the chain is ready is served once it is."""
    world = _World()
    world.lifecycle.privilegedStartService()
    assert world.story == []
    with await deferToThread(connect, world.port) as early:
        world.lifecycle.startService()
        assert world.story == ["chain started"]
        answer = deferToThread(echo, early, b"early")
        world.chain.ready.callback(None)
        assert world.story == ["chain started", "ready"]
        assert await answer == b"early"
    world.chain.stopped.callback(None)
    await world.lifecycle.stopService()
    assert world.story[2:] == ["clients closing", "chain stopping"]
    assert world.listeners.addresses() == []


@pytest_twisted.ensureDeferred
async def test_a_taken_port_gives_up_before_the_chain_starts() -> None:
    """The line names the option, and nothing has been started."""
    first = _World()
    first.listeners.bind()
    second = _World(endpoint=f"tcp:{first.port}:interface=127.0.0.1")
    with pytest.raises(SystemExit, match="choose another endpoint with --listen"):
        second.lifecycle.startService()
    assert second.story == []
    await first.listeners.close()


@pytest_twisted.ensureDeferred
async def test_a_chain_that_cannot_start_is_reported_and_nobody_admitted() -> None:
    """The reason reaches whoever ends the program."""
    world = _World()
    world.lifecycle.startService()
    world.chain.ready.errback(RuntimeError("no engine"))
    assert [failure.getErrorMessage() for failure in world.failures] == ["no engine"]
    assert world.story == ["chain started"]
    world.chain.stopped.callback(None)
    await world.lifecycle.stopService()


@pytest_twisted.ensureDeferred
async def test_stopping_before_the_chain_is_ready_admits_nobody() -> None:
    """A chain that gets ready while everything stops changes nothing."""
    world = _World()
    world.lifecycle.startService()
    world.chain.stopped.callback(None)
    await world.lifecycle.stopService()
    world.chain.ready.callback(None)
    assert "ready" not in world.story


@pytest_twisted.ensureDeferred
async def test_what_hangs_delays_the_end_only_so_long() -> None:
    """Clients and sources that do not end are left behind after their time."""
    world = _World()
    world.clients = Deferred()
    world.lifecycle.startService()
    world.chain.ready.callback(None)
    stopped = world.lifecycle.stopService()
    for limit_s in (CLIENTS_LIMIT_S, SOURCES_LIMIT_S):
        await deferLater(reactor, 0.05, lambda: None)
        assert not stopped.called
        world.clock.advance(limit_s)
    await stopped
    assert world.story[2:] == ["clients closing", "chain stopping"]


@pytest_twisted.ensureDeferred
async def test_what_hangs_is_told_of_once_and_leaves_no_error_behind() -> None:
    """A client that does not go is no warning, a source is one; nothing fails unattended."""
    with capturedLogs() as events:
        world = _World()
        world.clients = Deferred()
        world.lifecycle.startService()
        world.chain.ready.callback(None)
        stopped = world.lifecycle.stopService()
        for limit_s in (CLIENTS_LIMIT_S, SOURCES_LIMIT_S):
            await deferLater(reactor, 0.05, lambda: None)
            world.clock.advance(limit_s)
        await stopped
        world.clients.errback(RuntimeError("late"))
        del world, stopped
        gc.collect()
    texts = [(event["log_level"].name, formatEvent(event)) for event in events]
    assert [entry for entry in texts if entry[0] != "info"] == [
        ("warn", "stopping sources took more than 2.5 s"),
        ("warn", "closing clients did not end well: RuntimeError('late')"),
    ]
    assert ("info", "closing clients took more than 2 s") in texts


@pytest_twisted.ensureDeferred
async def test_hanging_up_reloads_until_the_end() -> None:
    """SIGHUP reloads certificates while the server runs; afterwards the old handler is back."""
    before = signal.getsignal(signal.SIGHUP)
    world = _World()
    reloads: list[None] = []
    world.listeners.reload = lambda: reloads.append(None)  # type: ignore[method-assign]
    world.lifecycle.startService()
    os.kill(os.getpid(), signal.SIGHUP)
    assert len(reloads) == 1
    world.chain.stopped.callback(None)
    await world.lifecycle.stopService()
    assert signal.getsignal(signal.SIGHUP) is before
