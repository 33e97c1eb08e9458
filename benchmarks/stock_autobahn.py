"""The smallest JSON-RPC server on Autobahn's own protocol class: the port is the argument."""

import sys

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from twisted.internet import reactor

from benchmarks.stock_rpc import answer, notice

SUBSCRIBERS: list["Stock"] = []


class Stock(WebSocketServerProtocol):  # type: ignore[misc]
    """Answers in place and broadcasts with ``sendMessage``."""

    def onMessage(self, payload: bytes, isBinary: bool) -> None:  # noqa: ARG002, FBT001
        """Answer one request."""
        method, reply = answer(payload)
        self.sendMessage(reply)
        if method == "eth_subscribe":
            SUBSCRIBERS.append(self)
        elif method == "evm_mine":
            head = notice()
            for subscriber in SUBSCRIBERS:
                subscriber.sendMessage(head)


if __name__ == "__main__":
    factory = WebSocketServerFactory()
    factory.protocol = Stock
    factory.setProtocolOptions(tcpNoDelay=True)
    reactor.listenTCP(int(sys.argv[1]), factory, backlog=1024, interface="127.0.0.1")
    reactor.run()
