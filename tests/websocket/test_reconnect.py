import random
from dataclasses import replace
from typing import Any, cast

import pytest
import pytest_twisted
from twisted.application.service import IService
from twisted.internet.task import Clock
from zope.interface.verify import verifyObject

from tests.websocket.scripted import (
    ServerPeer,
    close_frame,
    limit,
    options,
    pause,
    plain,
    reactor,
    scripted,
)
from twisted_chainws.websocket.awaiting import Outcome, Waiting, failed, succeeded
from twisted_chainws.websocket.client import State
from twisted_chainws.websocket.codes import ConnectFailed, NotOpen, ParameterError, WebSocketError
from twisted_chainws.websocket.reconnect import ReconnectingWebSocket, reconnecting_web_socket
from twisted_chainws.websocket.retrying import Backoff, is_worth_retrying
from twisted_chainws.websocket.values import CloseResult, OpenInfo, ResponseHeaders

URL = "ws://h/"


class Fake:
    """A client whose ends are given by the test, and that is as strict about its states."""

    def __init__(self) -> None:
        self.state = State.IDLE
        self.closed_here = False
        self.response_headers = ResponseHeaders()
        self.dials = 0
        self._open: Waiting[Any] = Waiting()
        self._close: Waiting[Any] = Waiting()

    def connect(self, _url: str, given: Any) -> Outcome[bool]:
        assert self.state in (State.IDLE, State.CLOSED)
        if given == "wrong":
            return failed(ParameterError(401))
        self.dials += 1
        self.state = State.CONNECTING
        self.closed_here = False
        return succeeded(value=True)

    def when_open(self) -> Outcome[Any]:
        return self._open.wait()

    def when_closed(self) -> Outcome[Any]:
        return self._close.wait()

    def close(self) -> Outcome[bool]:
        assert self.state in (State.CONNECTING, State.OPEN)
        self.state, self.closed_here = State.CLOSING, True
        return succeeded(value=True)

    def opens(self) -> None:
        self.state = State.OPEN
        self._open.succeed(OpenInfo(101, ""))

    def fails(self, status: int | None = None, **headers: str) -> None:
        self.state = State.CLOSED
        pairs = [(name.replace("_", "-"), value) for name, value in headers.items()]
        self.response_headers = ResponseHeaders(pairs)
        self._open.fail(WebSocketError(200, http_status=status))

    def ends(self, code: int) -> None:
        self.state = State.CLOSED
        self._close.succeed(CloseResult(code, ""))


class Stand:
    """A service on a virtual clock that always waits as long as it may."""

    def __init__(self, given: Any = None, retry: Any = is_worth_retrying, **waits: Any) -> None:
        self.clock = Clock()
        self.dialled: list[float] = []
        self.client = Fake()
        self.asked: list[tuple[float, float]] = []
        self.service = ReconnectingWebSocket(
            URL,
            given,
            web_socket=cast("Any", self.client),
            clock=self.clock,
            uniform=self._longest,
            backoff=replace(
                Backoff(initial_s=1, factor=2, max_s=5, reset_after_s=30, longest_demand_s=100),
                **waits,
            ),
            retry=retry,
            dialling=lambda: self.dialled.append(self.clock.seconds()),
        )

    def _longest(self, least: float, most: float) -> float:
        self.asked.append((least, most))
        return most

    @property
    def finished(self) -> list[Any]:
        """The end that was not worth another attempt, if it has come."""
        ends: list[Any] = []
        waiting = self.service.when_finished()
        waiting.addCallback(ends.append)
        if not ends:
            waiting.addErrback(lambda _: None)
            waiting.cancel()
        return ends


def test_it_is_a_service() -> None:
    """It starts and stops as services do, once."""
    stand = Stand()
    assert verifyObject(IService, stand.service)
    stand.service.startService()
    stand.service.startService()
    assert stand.client.dials == 1


def test_waits_grow() -> None:
    """Waits are random between 0 and a limit that grows from failure to failure."""
    stand = Stand()
    stand.service.startService()
    for wait in (1, 2, 4, 5, 5):
        stand.client.fails()
        dials = stand.client.dials
        stand.clock.advance(wait - 0.1)
        assert stand.client.dials == dials
        stand.clock.advance(0.2)
        assert stand.client.dials == dials + 1
    assert stand.asked == [(0, 1), (0, 2), (0, 4), (0, 5), (0, 5)]


@pytest.mark.parametrize(("seconds", "wait"), [(29, 4), (31, 1)])
def test_long_connections_count_as_success(seconds: int, wait: int) -> None:
    """After a connection that was open for long the waits begin anew; after a short one not."""
    stand = Stand()
    stand.service.startService()
    for _ in range(2):
        stand.client.fails()
        stand.clock.advance(10)
    stand.client.opens()
    stand.clock.advance(seconds)
    stand.client.ends(1006)
    assert stand.asked[-1] == (0, wait)


@pytest.mark.parametrize(("demand", "wait"), [("30", 30), ("1", 2), ("100000", 100)])
def test_retry_after(demand: str, wait: int) -> None:
    """A server's Retry-After is waited for, within reason, and never shortens a wait."""
    stand = Stand()
    stand.service.startService()
    stand.client.fails()
    stand.clock.advance(1)
    stand.client.fails(503, Retry_After=demand)
    stand.clock.advance(wait - 0.1)
    assert stand.client.dials == 2
    stand.clock.advance(0.2)
    assert stand.client.dials == 3


def test_refused_for_good() -> None:
    """A refusal that will stay is the end, and is told."""
    stand = Stand()
    stand.service.startService()
    assert stand.finished == []
    stand.client.fails(403)
    (end,) = stand.finished
    assert end.http_status == 403
    assert stand.clock.getDelayedCalls() == []


def test_spread_and_number_of_attempts() -> None:
    """Waits lie in the wanted part of the longest, and after enough failures it gives up."""
    stand = Stand(spread=(0.8, 1.2), max_attempts=3)
    stand.service.startService()
    for _ in range(3):
        assert stand.finished == []
        stand.client.fails()
        stand.clock.advance(3)
    assert stand.asked == [(0.8, 1.2), (1.6, 2.4)]
    assert stand.dialled == [0, 3, 6]
    assert [type(end) for end in stand.finished] == [ConnectFailed]
    assert stand.clock.getDelayedCalls() == []


@pytest.mark.parametrize("attempt", [1, 2])
def test_stopped_when_an_attempt_begins(attempt: int, capture_log: list[Any]) -> None:
    """Whoever hears of an attempt may stop the service: then there is none."""
    stand = Stand()
    service = stand.service
    service._dialling = lambda: len(stand.asked) == attempt - 1 and service.stopService()
    service.startService()
    for _ in range(attempt - 1):
        stand.client.fails()
    stand.clock.advance(10)
    assert stand.client.dials == attempt - 1
    assert stand.clock.getDelayedCalls() == []
    assert capture_log == []


def test_own_opinion_of_ends() -> None:
    """Whoever wants to comes back after a regular close, too."""
    stand = Stand(retry=lambda end: end == CloseResult(1000, ""))
    stand.service.startService()
    stand.client.opens()
    stand.client.ends(1000)
    stand.clock.advance(1)
    assert stand.client.dials == 2
    stand.client.fails()
    assert [type(end) for end in stand.finished] == [ConnectFailed]


def test_wrong_options() -> None:
    """What connect refuses is the end at once."""
    stand = Stand("wrong")
    stand.service.startService()
    assert [type(end) for end in stand.finished] == [ParameterError]


@pytest.mark.parametrize("code", [1000, 1006])
def test_closed_by_ourselves(code: int) -> None:
    """A close of our own is the end, however it went."""
    stand = Stand()
    stand.service.startService()
    stand.client.opens()
    stand.client.close()
    stand.client.ends(code)
    assert stand.finished == [CloseResult(code, "")]
    assert stand.clock.getDelayedCalls() == []


def test_stopped_while_waiting() -> None:
    """Stopping cancels a wait; starting again begins anew."""
    stand = Stand()
    stand.service.startService()
    stand.client.fails()
    assert stand.service.stopService().called
    assert stand.clock.getDelayedCalls() == []
    stand.clock.advance(10)
    assert stand.client.dials == 1
    stand.service.startService()
    assert stand.client.dials == 2
    assert stand.finished == []


@pytest.mark.parametrize("opened", [False, True])
def test_stopped_while_connected(opened: bool) -> None:
    """Stopping closes the connection or gives up the dial, and waits for the end."""
    stand = Stand()
    stand.service.startService()
    if opened:
        stand.client.opens()
    gone = stand.service.stopService()
    assert not gone.called
    stand.client.ends(1000)
    assert gone.called
    stand.clock.advance(100)
    assert stand.client.dials == 1


def test_a_bug_is_logged(capture_log: list[Any]) -> None:
    """Should the client break, it is logged and not retried."""
    stand = Stand()
    stand.client.state = State.OPEN
    stand.service.startService()
    assert [event["log_failure"].type for event in capture_log] == [AssertionError]


@pytest.mark.integration
@pytest_twisted.ensureDeferred
async def test_over_real_sockets() -> None:
    """Listeners hear each connection, a 503 and a lost connection are survived, 1000 ends it."""
    number = 0

    async def script(peer: ServerPeer) -> None:
        nonlocal number
        number += 1
        if number == 1:
            await peer.request()
            peer.send(b"HTTP/1.1 503 Full\r\nRetry-After: 0\r\n\r\n")
            await peer.gone()
            return
        await peer.accept()
        peer.send(plain(b"%d" % number))
        if number == 2:
            assert (await peer.frame())[1] == b"heard"
            peer.drop()
            return
        await peer.frame()
        peer.send(close_frame(1000))
        await peer.close()
        peer.hang_up()

    async with scripted(script) as port:
        service = reconnecting_web_socket(
            f"ws://127.0.0.1:{port}/",
            options(),
            reactor=reactor,
            uniform=random.Random(1).uniform,
            backoff=Backoff(initial_s=0.05),
        )
        heard: list[Any] = []
        service.web_socket.on("message", heard.append)
        service.web_socket.on("data_end", lambda: service.web_socket.send("heard"))
        service.startService()
        end = await limit(service.when_finished())
        await service.stopService()
    assert heard == ["2", "3"]
    assert end == CloseResult(1000, "")


@pytest.mark.integration
@pytest_twisted.ensureDeferred
async def test_stopped_with_real_sockets() -> None:
    """Stopping leaves nothing behind, while dialling and while open."""

    async def script(peer: ServerPeer) -> None:
        await peer.accept()
        if not peer.lost:
            await peer.close()
            peer.send(close_frame(1000))
            peer.hang_up()

    async with scripted(script) as port:
        service = reconnecting_web_socket(f"ws://127.0.0.1:{port}/", options())
        service.startService()
        await service.stopService()
        assert service.web_socket.state is State.CLOSED
        service.startService()
        await limit(service.web_socket.when_open())
        await service.stopService()
        await pause(0.05)
        with pytest.raises(NotOpen):
            await service.web_socket.send("x")
