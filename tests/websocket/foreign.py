"""Clients and servers of the packages ``websockets`` and ``aiohttp``, behind one face.

They run on asyncio in a thread of their own, so that only the sockets are shared with what is
tested.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, Protocol

import aiohttp
import websockets
from aiohttp import web
from twisted.internet import reactor as _reactor  # noqa: TID251 - real sockets
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread

reactor: Any = _reactor
LIMIT_S: Final = 20.0

Data = str | bytes


class Peer(Protocol):
    """One end of a connection, whoever made it."""

    @property
    def protocol(self) -> str | None:
        """The subprotocol, None for none."""

    @property
    def compressed(self) -> bool:
        """Whether permessage-deflate was agreed on."""

    async def send(self, data: Data) -> None:
        """Send a message."""

    async def receive(self) -> Data:
        """Return the next message."""

    async def close(self, code: int, reason: str) -> None:
        """Close and wait for the end."""

    async def ended(self) -> tuple[int | None, str]:
        """Wait for the other side to close and return its code and reason."""


Handler = Callable[[Peer], Awaitable[None]]
"""What a server does with a connection; when it returns, the connection is closed."""


@dataclass
class _WebsocketsPeer:
    socket: Any

    @property
    def protocol(self) -> str | None:
        name: str | None = self.socket.subprotocol
        return name

    @property
    def compressed(self) -> bool:
        return [one.name for one in self.socket.protocol.extensions] == ["permessage-deflate"]

    async def send(self, data: Data) -> None:
        await self.socket.send(data)

    async def receive(self) -> Data:
        data: Data = await self.socket.recv()
        return data

    async def close(self, code: int, reason: str) -> None:
        await self.socket.close(code, reason)

    async def ended(self) -> tuple[int | None, str]:
        await self.socket.wait_closed()
        return self.socket.close_code, self.socket.close_reason


@dataclass
class _AiohttpPeer:
    socket: Any

    @property
    def protocol(self) -> str | None:
        at_client = isinstance(self.socket, aiohttp.ClientWebSocketResponse)
        name: str | None = self.socket.protocol if at_client else self.socket.ws_protocol
        return name

    @property
    def compressed(self) -> bool:
        return int(self.socket.compress) > 0

    async def send(self, data: Data) -> None:
        if isinstance(data, str):
            await self.socket.send_str(data)
        else:
            await self.socket.send_bytes(data)

    async def receive(self) -> Data:
        message = await self.socket.receive()
        assert message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY), message
        data: Data = message.data
        return data

    async def close(self, code: int, reason: str) -> None:
        await self.socket.close(code=code, message=reason.encode())

    async def ended(self) -> tuple[int | None, str]:
        message = await self.socket.receive()
        assert message.type is aiohttp.WSMsgType.CLOSE, message
        return self.socket.close_code, message.extra


@dataclass(frozen=True)
class Package:
    """A foreign implementation.

    Attributes:
        connect: (url, subprotocols) -> an open connection of its client.
        serve: (handler, subprotocols) -> its server on a free port of loopback, which it gives.
        refused: the HTTP status in the exception of a connect that was refused.
    """

    connect: Callable[[str, Sequence[str]], AbstractAsyncContextManager[Peer]]
    serve: Callable[[Handler, Sequence[str]], AbstractAsyncContextManager[int]]
    refused: Callable[[Exception], int]


@asynccontextmanager
async def _websockets_connect(url: str, protocols: Sequence[str]) -> AsyncIterator[Peer]:
    async with websockets.connect(url, subprotocols=protocols or None, proxy=None) as socket:  # type: ignore[arg-type]
        yield _WebsocketsPeer(socket)


@asynccontextmanager
async def _websockets_serve(handler: Handler, protocols: Sequence[str]) -> AsyncIterator[int]:
    async def handle(socket: Any) -> None:
        await handler(_WebsocketsPeer(socket))

    serving = websockets.serve(handle, "127.0.0.1", 0, subprotocols=protocols or None)  # type: ignore[arg-type]
    async with serving as server:
        yield next(iter(server.sockets)).getsockname()[1]


def _websockets_refused(error: Exception) -> int:
    assert isinstance(error, websockets.InvalidStatus)
    return error.response.status_code


@asynccontextmanager
async def _aiohttp_connect(url: str, protocols: Sequence[str]) -> AsyncIterator[Peer]:
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(url, protocols=protocols, compress=15) as socket,
    ):
        yield _AiohttpPeer(socket)


@asynccontextmanager
async def _aiohttp_serve(handler: Handler, protocols: Sequence[str]) -> AsyncIterator[int]:
    async def handle(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(protocols=protocols)
        await socket.prepare(request)
        await handler(_AiohttpPeer(socket))
        return socket

    application = web.Application()
    application.router.add_get("/", handle)
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def _aiohttp_refused(error: Exception) -> int:
    assert isinstance(error, aiohttp.WSServerHandshakeError)
    return error.status


PACKAGES: Final = {
    "websockets": Package(_websockets_connect, _websockets_serve, _websockets_refused),
    "aiohttp": Package(_aiohttp_connect, _aiohttp_serve, _aiohttp_refused),
}


async def in_thread(coroutine: Any) -> Any:
    """Run a coroutine on asyncio in a thread and return what it returns."""
    return await deferToThread(asyncio.run, asyncio.wait_for(coroutine, LIMIT_S))


@asynccontextmanager
async def foreign_server(
    package: Package, handler: Handler, protocols: Sequence[str] = ()
) -> AsyncIterator[str]:
    """Run a foreign server in a thread and give its URL."""
    ready: Deferred[tuple[int, Callable[[], object]]] = Deferred()

    async def main() -> None:
        async with package.serve(handler, protocols) as port:
            stop, loop = asyncio.Event(), asyncio.get_running_loop()

            def end() -> None:
                loop.call_soon_threadsafe(stop.set)

            reactor.callFromThread(ready.callback, (port, end))
            await stop.wait()

    running = deferToThread(asyncio.run, main())
    port, end = await ready.addTimeout(LIMIT_S, reactor)
    try:
        yield f"ws://127.0.0.1:{port}/"
    finally:
        end()
        await running
