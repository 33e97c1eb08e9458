from typing import Any

import pytest
import pytest_twisted
from twisted.internet.defer import CancelledError, Deferred

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
from twisted_chainws.websocket.client import State, WebSocket
from twisted_chainws.websocket.codes import ConnectFailed, ParameterError, UrlError
from twisted_chainws.websocket.opening import open_web_socket

pytestmark = pytest.mark.integration


class Server:
    """Echoes, remembers how connections were closed, and closes when told ``bye``."""

    def __init__(self) -> None:
        self.closes: list[tuple[int, str]] = []

    async def __call__(self, peer: ServerPeer) -> None:
        await peer.accept(behind=plain(b"welcome"))
        while True:
            opcode, payload = await peer.frame()
            if opcode == 8:
                self.closes.append((int.from_bytes(payload[:2], "big"), payload[2:].decode()))
                peer.send(close_frame(1000))
                break
            if payload == b"bye":
                peer.send(close_frame(1000))
                await peer.close()
                break
            peer.send(plain(payload, opcode))
        peer.hang_up()
        await peer.gone()


def opening(port: int, **more: Any) -> Any:
    """Return an opening of a connection to a port of this machine."""
    return open_web_socket(f"ws://127.0.0.1:{port}/", options(**more), reactor=reactor)


async def enter(port: int, error: BaseException | None = None) -> WebSocket:
    """Enter and leave, by an exception if there is one."""
    async with opening(port) as web_socket:
        assert isinstance(web_socket, WebSocket)
        assert web_socket.state is State.OPEN
        if error is not None:
            raise error
    return web_socket


@pytest_twisted.ensureDeferred
async def test_awaited() -> None:
    """Awaited, it is an opened client, and no message is missed."""
    server = Server()
    async with scripted(server) as port:
        web_socket = await opening(port)
        assert await limit(web_socket.recv()) == "welcome"
        await web_socket.send(b"x")
        assert await limit(web_socket.recv()) == b"x"
        await web_socket.close()
        await limit(web_socket.when_closed())
    assert server.closes == [(1000, "")]


@pytest_twisted.ensureDeferred
async def test_entered() -> None:
    """Left regularly it is closed with 1000, and its end was waited for."""
    server = Server()
    async with scripted(server) as port:
        web_socket = await enter(port)
        assert web_socket.state is State.CLOSED
    assert server.closes == [(1000, "")]


@pytest_twisted.ensureDeferred
async def test_left_by_an_exception() -> None:
    """Left by an exception it is closed with 1011, and the exception goes on."""
    server = Server()
    async with scripted(server) as port:
        with pytest.raises(ZeroDivisionError):
            await enter(port, ZeroDivisionError())
    assert server.closes == [(1011, "")]


@pytest_twisted.ensureDeferred
async def test_iterated() -> None:
    """Inside, messages are iterated over until the server closes."""
    server = Server()
    async with scripted(server) as port, opening(port, max_queue=1) as web_socket:
        for message in ("one", "two", "bye"):
            await web_socket.send(message)
        assert [message async for message in web_socket] == ["welcome", "one", "two"]
    assert server.closes == []


@pytest.mark.parametrize(
    ("url", "more", "kind"),
    [
        ("http://h/", {}, UrlError),
        ("ws://h/", {"ping_interval": -1}, ParameterError),
        ("ws://127.0.0.1:1/", {}, ConnectFailed),
    ],
)
@pytest_twisted.ensureDeferred
async def test_not_opened(url: str, more: dict[str, Any], kind: type[Exception]) -> None:
    """What connect refuses, and what error tells, is raised, awaited or entered."""
    with pytest.raises(kind):
        await open_web_socket(url, options(**more), reactor=reactor)
    with pytest.raises(kind):
        async with open_web_socket(url, options(**more), reactor=reactor):
            pass


@pytest_twisted.ensureDeferred
async def test_cancelled_while_opening() -> None:
    """Who gives up waiting leaves no connection behind."""

    async def mute(peer: ServerPeer) -> None:
        await peer.request()
        await peer.gone()

    async with scripted(mute) as port:

        async def waits() -> WebSocket:
            web_socket: WebSocket = await opening(port)
            return web_socket

        waiting: Deferred[Any] = Deferred.fromCoroutine(waits())
        await pause(0.1)
        waiting.cancel()
        with pytest.raises(CancelledError):
            await waiting
