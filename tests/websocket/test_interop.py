from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import pytest
import pytest_twisted
from twisted.internet import reactor as _reactor  # noqa: TID251 - real sockets
from twisted.internet.defer import Deferred

from tests.server.peer import until
from tests.websocket.foreign import PACKAGES, Peer, foreign_server, in_thread
from twisted_chainws.websocket import (
    CloseResult,
    WebSocket,
    WebSocketCloseOptions,
    WebSocketConnection,
    WebSocketMessage,
    WebSocketRequestOptions,
    WebSocketServer,
    WebSocketServerConfig,
)

pytestmark = [pytest.mark.integration, pytest.mark.parametrize("name", PACKAGES)]
reactor: Any = _reactor

MESSAGES: Final = (
    "text", "", "größer, 한국어, 🎉", "compressible " * 20_000,
    b"", bytes(range(256)), bytes(range(256)) * 300,
)  # fmt: skip
CODES: Final = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1011, 1012, 1013, 3000, 4999)
REASON: Final = "auf Wiedersehen, 안녕"
OPTIONS: Final[dict[str, Any]] = {"proxy": "no-proxy", "open_timeout": 20.0, "close_timeout": 20.0}


class Host:
    """A server of ours, which echoes, and closes as a message ``close CODE`` asks."""

    def __init__(self) -> None:
        self.server = WebSocketServer(reactor)
        self.ended: list[CloseResult] = []
        self.url = ""
        self.server.on("messageReceive", self._heard)
        self.server.on("close", self._closed)

    async def _heard(self, message: WebSocketMessage) -> None:
        if isinstance(message.data, str) and message.data.startswith("close "):
            options = WebSocketCloseOptions(int(message.data[6:]), REASON)
            await self.server.close(message.client_connection, options)
        else:
            await self.server.send(message.data, message.client_connection)

    def _closed(self, _client: WebSocketConnection, result: CloseResult) -> None:
        self.ended.append(result)


@asynccontextmanager
async def hosting(**config: Any) -> AsyncIterator[Host]:
    """Run a server of ours on a free port."""
    host = Host()
    settings: dict[str, Any] = {"server_ip": "127.0.0.1", "server_port": 0}
    await host.server.start(WebSocketServerConfig(**settings | config))
    assert host.server.address is not None
    host.url = f"ws://127.0.0.1:{host.server.address.port}/"
    try:
        yield host
    finally:
        stopped = host.server.when_stopped()
        await host.server.stop()
        await stopped


@asynccontextmanager
async def connected(url: str, **options: Any) -> AsyncIterator[WebSocket]:
    """Open a client of ours, and see to it that it is closed in the end."""
    client = WebSocket(reactor)
    await client.connect(url, WebSocketRequestOptions(**OPTIONS | options))
    await client.when_open()
    ended = client.when_closed()
    try:
        yield client
    finally:
        if not ended.called:
            await client.close()
            await ended


async def echo(peer: Peer) -> None:
    """Send the client's messages back, one for each of ours."""
    for _ in MESSAGES:
        await peer.send(await peer.receive())
    await peer.ended()


@pytest_twisted.ensureDeferred
async def test_foreign_clients_get_their_messages_back(name: str) -> None:
    """(u) Text and binary, empty, long and not ASCII, come back from our server as they were."""

    async def talk(url: str) -> list[Any]:
        async with PACKAGES[name].connect(url, ()) as peer:
            answers = []
            for message in MESSAGES:
                await peer.send(message)
                answers.append(await peer.receive())
            return answers

    async with hosting() as host:
        assert await in_thread(talk(host.url)) == list(MESSAGES)


@pytest_twisted.ensureDeferred
async def test_foreign_servers_send_our_messages_back(name: str) -> None:
    """(u) Text and binary, empty, long and not ASCII, come back to our client as they were."""
    async with foreign_server(PACKAGES[name], echo) as url, connected(url) as client:
        for message in MESSAGES:
            await client.send(message)
            assert await client.recv() == message


@pytest.mark.parametrize("compression", ["deflate", None])
@pytest_twisted.ensureDeferred
async def test_foreign_clients_compress_as_our_server_wants(
    name: str, compression: str | None
) -> None:
    """(u) Foreign clients offer compression; it is agreed on or declined, and all comes back."""

    async def talk(url: str) -> tuple[bool, list[Any]]:
        async with PACKAGES[name].connect(url, ()) as peer:
            answers = []
            for message in MESSAGES:
                await peer.send(message)
                answers.append(await peer.receive())
            return peer.compressed, answers

    async with hosting(compression=compression) as host:
        agreed, answers = await in_thread(talk(host.url))
    assert agreed is (compression is not None)
    assert answers == list(MESSAGES)


@pytest.mark.parametrize("compression", ["deflate", None])
@pytest_twisted.ensureDeferred
async def test_foreign_servers_compress_as_our_client_wants(
    name: str, compression: str | None
) -> None:
    """(u)(m) Foreign servers accept what our client offers, if it does, and all comes back."""
    agreed: list[bool] = []

    async def handle(peer: Peer) -> None:
        agreed.append(peer.compressed)
        await echo(peer)

    serving = foreign_server(PACKAGES[name], handle)
    async with serving as url, connected(url, compression=compression) as client:
        for message in MESSAGES:
            await client.send(message)
            assert await client.recv() == message
    assert agreed == [compression is not None]


@pytest_twisted.ensureDeferred
async def test_our_server_speaks_what_a_foreign_client_prefers(name: str) -> None:
    """(u) Of the subprotocols that both know, the client's first is chosen; without any, none."""

    async def ask(url: str, *offered: str) -> str | None:
        async with PACKAGES[name].connect(url, offered) as peer:
            return peer.protocol

    async with hosting(protocol="a, b") as host:
        assert await in_thread(ask(host.url, "x", "b", "a")) == "b"
        assert await in_thread(ask(host.url)) is None


@pytest_twisted.ensureDeferred
async def test_our_client_speaks_what_a_foreign_server_chooses(name: str) -> None:
    """(u) The subprotocol that the server has chosen is known at both ends."""
    found: list[str | None] = []

    async def note(peer: Peer) -> None:
        found.append(peer.protocol)
        await peer.ended()

    serving = foreign_server(PACKAGES[name], note, ["b"])
    async with serving as url, connected(url, protocol="a, b") as client:
        assert client.protocol == "b"
    assert found == ["b"]


@pytest_twisted.ensureDeferred
async def test_a_foreign_client_too_many_is_told_503(name: str) -> None:
    """(u) Over the limit of one address our server answers with a status that the client reports."""

    async def crowd(url: str) -> int:
        package = PACKAGES[name]
        async with package.connect(url, ()):
            try:
                async with package.connect(url, ()):
                    return 101
            except Exception as error:  # noqa: BLE001 - of each package's own class
                return package.refused(error)

    async with hosting(max_connections_for_one_client=1) as host:
        assert await in_thread(crowd(host.url)) == 503


@pytest_twisted.ensureDeferred
async def test_foreign_clients_learn_our_servers_close(name: str) -> None:
    """(u) Each code that our server sends arrives with its reason."""

    async def provoke(url: str, code: int) -> tuple[int | None, str]:
        async with PACKAGES[name].connect(url, ()) as peer:
            await peer.send(f"close {code}")
            return await peer.ended()

    async with hosting() as host:
        for code in CODES:
            assert await in_thread(provoke(host.url, code)) == (code, REASON)
        await until(lambda: len(host.ended) == len(CODES))
        assert host.ended == [CloseResult(code, REASON) for code in CODES]


@pytest_twisted.ensureDeferred
async def test_our_server_learns_foreign_clients_close(name: str) -> None:
    """(u) Each code that a client sends arrives with its reason."""

    async def leave(url: str, code: int) -> None:
        async with PACKAGES[name].connect(url, ()) as peer:
            await peer.close(code, REASON)

    async with hosting() as host:
        for code in CODES:
            await in_thread(leave(host.url, code))
        await until(lambda: len(host.ended) == len(CODES))
        assert host.ended == [CloseResult(code, REASON) for code in CODES]


@pytest.mark.parametrize("code", CODES)
@pytest_twisted.ensureDeferred
async def test_our_client_learns_foreign_servers_close(name: str, code: int) -> None:
    """(u) Each code that a server sends arrives with its reason."""

    async def leave(peer: Peer) -> None:
        await peer.close(code, REASON)

    async with foreign_server(PACKAGES[name], leave) as url, connected(url) as client:
        assert await client.when_closed() == CloseResult(code, REASON)


@pytest.mark.parametrize("code", CODES)
@pytest_twisted.ensureDeferred
async def test_foreign_servers_learn_our_clients_close(name: str, code: int) -> None:
    """(u) Each code that our client sends arrives with its reason, and is what it reports itself."""
    found: Deferred[tuple[int | None, str]] = Deferred()

    async def note(peer: Peer) -> None:
        reactor.callFromThread(found.callback, await peer.ended())

    async with foreign_server(PACKAGES[name], note) as url, connected(url) as client:
        ended = client.when_closed()
        await client.close(code=code, reason=REASON)
        assert await found == (code, REASON)
        assert await ended == CloseResult(code, REASON)
