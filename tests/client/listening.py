"""What scripted nodes of all families have in common, and events in short."""

from collections.abc import Callable, Collection
from typing import Any

import orjson

from tests.server.peer import reactor, until
from twisted_chainws.client.heads import Gap, Reset
from twisted_chainws.websocket import (
    Handshake,
    ServerCert,
    WebSocketCloseOptions,
    WebSocketConnection,
    WebSocketMessage,
    WebSocketServer,
    WebSocketServerConfig,
)

__all__ = ["Collecting", "Listening", "heights"]


class Listening:
    """A node that listens on a port of its own, the same one after it was stopped.

    Attributes:
        clients: who is connected.
        render: makes the bytes or text of a message.
        port: 0 for any.
        cert: for TLS, None for none.
    """

    clients: Collection[WebSocketConnection]

    def __init__(self) -> None:
        self.render: Callable[[Any], str | bytes] = lambda message: orjson.dumps(message).decode()
        self.port = 0
        self.cert: ServerCert | None = None
        self.server = WebSocketServer(reactor)
        self.server.on("connect", self._connected)
        self.server.on("messageReceive", self._receive)
        self.server.on("close", lambda client, _: self._gone(client))

    @property
    def url(self) -> str:
        return f"{'ws' if self.cert is None else 'wss'}://127.0.0.1:{self.port}/"

    async def start(self) -> None:
        config = WebSocketServerConfig(
            server_ip="127.0.0.1",
            server_port=self.port,
            server_cert=self.cert,
            accept=self._accept,
            max_send_size=None,
            max_unsent_size=0,
            compression=None,
        )
        await self.server.start(config)
        assert self.server.address is not None
        self.port = self.server.address.port

    async def stop(self) -> None:
        if self.server.address is not None:
            stopped = self.server.when_stopped()
            await self.server.stop()
            await stopped

    def send(self, message: Any, client: WebSocketConnection | None = None) -> None:
        """Send a message, or bytes or text as they are, to one client or to all."""
        data = message if isinstance(message, str | bytes) else self.render(message)
        for one in list(self.clients) if client is None else [client]:
            self.server.send(data, one).addErrback(lambda _: None)

    def drop(self, code: int = 1001, reason: str = "") -> None:
        """Close all connections."""
        for client in list(self.clients):
            closing = self.server.close(client, WebSocketCloseOptions(code, reason))
            closing.addErrback(lambda _: None)

    # What a family does

    def _accept(self, _handshake: Handshake) -> bool:
        return True

    def _connected(self, client: WebSocketConnection) -> None:
        raise AssertionError(client)

    def _receive(self, message: WebSocketMessage) -> None:
        raise AssertionError(message)

    def _gone(self, client: WebSocketConnection) -> None:
        raise AssertionError(client)


class Collecting:
    """Collects the events of a subscription."""

    def __init__(self) -> None:
        self.events: list[Any] = []

    async def sees(self, count: int) -> list[Any]:
        """Wait for so many events."""
        await until(lambda: len(self.events) >= count)
        return self.events


def heights(events: list[Any]) -> list[Any]:
    """Return what is worth comparing: heights, (gaps), [resets]."""
    short: list[Any] = []
    for one in events:
        if isinstance(one, Gap):
            short.append((one.first, one.last))
        elif isinstance(one, Reset):
            short.append([block.number for block in one.removed])
        else:
            short.append(one.number if hasattr(one, "number") else one.block_number)
    return short
