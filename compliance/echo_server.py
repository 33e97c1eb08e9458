"""The server that is tested: ``WebSocketServer``, which sends every message back as it came.

It prints its port and runs until it is terminated.
"""

import sys
from typing import Any

from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.logger import globalLogBeginner, textFileLogObserver

from twisted_chainws.websocket import WebSocketMessage, WebSocketServer, WebSocketServerConfig

reactor: Any = _reactor


async def serve() -> None:
    """Listen on a free port of loopback."""
    server = WebSocketServer(reactor)

    @server.on("messageReceive")
    def echo(message: WebSocketMessage) -> None:
        # A case may have closed its connection before it reads the answer.
        server.send(message.data, message.client_connection).addErrback(lambda _failure: None)

    await server.start(WebSocketServerConfig(server_ip="127.0.0.1", server_port=0))
    print(server.address.port, flush=True)


def main() -> None:
    """Run until SIGTERM."""
    globalLogBeginner.beginLoggingTo([textFileLogObserver(sys.stderr)], redirectStandardIO=False)
    started = Deferred.fromCoroutine(serve())
    started.addErrback(lambda failure: (failure.printTraceback(), reactor.stop()))
    reactor.run()


if __name__ == "__main__":
    main()
