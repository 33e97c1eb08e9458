"""The server that is tested: ``WebSocketServer``, which sends every message back as it came.

It prints its port and runs until it is terminated.
"""

import sys
from typing import Any

from twisted.internet import task
from twisted.logger import globalLogBeginner, textFileLogObserver

from twisted_chainws.websocket import WebSocketMessage, WebSocketServer, WebSocketServerConfig


async def serve(reactor: Any) -> None:
    """Listen on a free port of loopback."""
    server = WebSocketServer(reactor)

    @server.on("messageReceive")
    def echo(message: WebSocketMessage) -> None:
        # A case may have closed its connection before it reads the answer.
        server.send(message.data, message.client_connection).addErrback(lambda _failure: None)

    await server.start(
        WebSocketServerConfig(
            server_ip="127.0.0.1", server_port=0, max_send_size=None, max_unsent_size=0
        )
    )
    if server.address is not None:
        print(server.address.port, flush=True)
    await server.when_stopped()


def main() -> None:
    """Run until SIGTERM."""
    globalLogBeginner.beginLoggingTo([textFileLogObserver(sys.stderr)], redirectStandardIO=False)
    task.react(serve)


if __name__ == "__main__":
    main()
