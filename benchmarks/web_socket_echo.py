"""A ``WebSocketServer`` that sends back what it hears: the port is the argument."""

import resource
import sys
from typing import Any

from twisted.internet import task

from twisted_chainws.websocket import WebSocketMessage, WebSocketServer, WebSocketServerConfig


async def main(reactor: Any) -> None:
    """Serve until killed."""
    server = WebSocketServer(reactor)

    @server.on("messageReceive")
    async def echo(message: WebSocketMessage) -> None:
        await server.send(message.data, message.client_connection)

    await server.start(
        WebSocketServerConfig(
            server_ip="127.0.0.1",
            server_port=int(sys.argv[1]),
            max_connections_for_one_client=100_000,
        )
    )
    await server.when_stopped()


if __name__ == "__main__":
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    task.react(main)
