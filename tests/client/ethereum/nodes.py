"""Nodes to talk to: scripted ones that misbehave as told, and a relay that can be cut."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import Any, Final, Self, TypeVar
from typing import Protocol as Role

import orjson
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from tests.client.ethereum.ledger import Ledger
from tests.client.listening import Listening
from tests.server.peer import reactor, until
from twisted_chainws.client import BACKOFF, WEB_SOCKET, ClientOptions, EthereumClient
from twisted_chainws.websocket import (
    Handshake,
    Refuse,
    WebSocketConnection,
    WebSocketMessage,
)

CHAIN_ID: Final = 31_337
DIRECT: Final = replace(WEB_SOCKET, proxy="no-proxy")
QUICK: Final = replace(BACKOFF, initial_s=0.02, max_s=0.05)


def options(**more: Any) -> ClientOptions:
    """Return options that are quick to connect again."""
    usual: dict[str, Any] = {"web_socket": DIRECT, "backoff": QUICK, "behind_wait_s": 0.3}
    return ClientOptions(**(usual | more))


class Failed(Exception):
    """Raised by an answer: the error object, whatever it may be."""

    def __init__(self, error: Any) -> None:
        super().__init__(error)
        self.error = error


_LATE_S: Final = 0.05
NO_ANSWER: Final = object()
"""What an answer may be, too."""


class Node(Listening):
    """A JSON-RPC server over a ledger.

    Attributes:
        ledger: the chain.
        answers: method -> function of its params, before what the node would answer.
        asked: (method, params) of all requests.
        subscriptions: id -> (client, kind).
        ids: makes the ids of subscriptions.
        refusal: what handshakes are refused with, None for nothing.
        handshakes: requests so far.
        manner: "full" tells of each block and removed log, "geth" of the last head only, "bare"
            of no removed logs.
        late: methods that are done, and answered, behind what is asked a little later: as of nodes
            that do several things at a time.
    """

    def __init__(self, height: int = 5) -> None:
        super().__init__()
        self.ledger = Ledger(height)
        self.answers: dict[str, Callable[..., Any]] = {}
        self.asked: list[tuple[str, list[Any]]] = []
        self.clients: list[WebSocketConnection] = []
        self.subscriptions: dict[Any, tuple[WebSocketConnection, str]] = {}
        self.made = 0
        self.ids: Callable[[int], Any] = lambda number: f"0x{number:032x}"
        self.envelope: Callable[[Any, Any], Any] | None = None
        self.refusal: Refuse | None = None
        self.handshakes: list[Handshake] = []
        self.manner = "full"
        self.late: set[str] = set()

    # What the chain does

    def mine(self, count: int = 1, logs: int = 1) -> None:
        for _ in range(count):
            header = self.ledger.mine(logs)
            self.tell("newHeads", header)
            for log in self.ledger.logs[header["hash"]]:
                self.tell("logs", log)

    def reorganise(self, depth: int, blocks: int, logs: int = 1) -> None:
        gone = self.ledger.reorganise(depth, blocks, logs)
        if self.manner != "bare":
            for header in gone:
                for log in self.ledger.logs[header["hash"]]:
                    self.tell("logs", log | {"removed": True})
        new = self.ledger.chain[len(self.ledger.chain) - blocks :]
        for header in new:
            if self.manner != "geth" or header is new[-1]:
                self.tell("newHeads", header)
            for log in self.ledger.logs[header["hash"]]:
                self.tell("logs", log)

    def tell(self, kind: str, result: Any) -> None:
        """Send an event to all who want it."""
        for name, (client, wanted) in list(self.subscriptions.items()):
            if wanted == kind:
                params = {"subscription": name, "result": result}
                message = {"jsonrpc": "2.0", "method": "eth_subscription", "params": params}
                self.send(message, client)

    def count(self, method: str) -> int:
        """Count the requests of a method."""
        return sum(asked == method for asked, _ in self.asked)

    # Ours

    def _accept(self, handshake: Handshake) -> bool:
        self.handshakes.append(handshake)
        if self.refusal is not None:
            raise self.refusal
        return True

    def _connected(self, client: WebSocketConnection) -> None:
        self.clients.append(client)

    def _gone(self, client: WebSocketConnection) -> None:
        self.clients.remove(client)
        for name, (owner, _) in list(self.subscriptions.items()):
            if owner is client:
                del self.subscriptions[name]

    def _receive(self, message: WebSocketMessage) -> None:
        request = orjson.loads(message.data)
        client = message.client_connection
        if isinstance(request, dict) and request["method"] in self.late:
            reactor.callLater(_LATE_S, self._handle, request, client)
        else:
            self._handle(request, client)

    def _handle(self, request: Any, client: WebSocketConnection) -> None:
        if isinstance(request, list):
            replies = [self._reply(one, client) for one in request]
            replies = [one for one in replies if one is not NO_ANSWER]
            if replies:
                self.send(replies, client)
            return
        reply = self._reply(request, client)
        if reply is not NO_ANSWER:
            self.send(reply, client)

    def _reply(self, request: Any, client: WebSocketConnection) -> Any:
        method, params = request["method"], request["params"]
        self.asked.append((method, params))
        head = {"jsonrpc": "2.0", "id": request["id"]}
        try:
            answer = self.answers.get(method)
            result = answer(*params) if answer is not None else self._answer(method, params, client)
        except Failed as failed:
            return head | {"error": failed.error}
        if result is NO_ANSWER:
            return result
        return result if isinstance(result, Whole) else head | {"result": result}

    def _answer(self, method: str, params: list[Any], client: WebSocketConnection) -> Any:
        ledger = self.ledger
        if method == "eth_subscribe":
            return self.subscribe(params[0], client)
        if method == "eth_unsubscribe":
            return self.subscriptions.pop(params[0], None) is not None
        if method == "eth_getLogs":
            low, high = (int(params[0][name], 16) for name in ("fromBlock", "toBlock"))
            return ledger.logs_of(low, high)
        simple: dict[str, Callable[..., Any]] = {
            "eth_chainId": lambda: hex(CHAIN_ID),
            "net_version": lambda: str(CHAIN_ID),
            "eth_blockNumber": lambda: hex(ledger.height),
            "eth_getBlockByNumber": lambda number, _: ledger.block(int(number, 16)),
            "eth_getBlockByHash": lambda block_hash, _: ledger.by_hash(block_hash),
        }
        if method not in simple:
            raise Failed({"code": -32601, "message": f"the method {method} does not exist"})
        return simple[method](*params)

    def subscribe(self, kind: str, client: WebSocketConnection) -> Any:
        """Make a subscription and return its id."""
        self.made += 1
        name = self.ids(self.made)
        self.subscriptions[name] = (client, kind)
        return name


class Whole(dict[str, Any]):
    """An answer that is the whole message."""


class Startable(Role):
    """A node of any family."""

    async def start(self) -> None:
        """Listen."""

    async def stop(self) -> None:
        """Listen no more, and close what is open."""


N = TypeVar("N", bound=Startable)


@asynccontextmanager
async def started(node: N) -> AsyncIterator[N]:
    """Start a node, and leave nothing behind."""
    await node.start()
    try:
        yield node
    finally:
        await node.stop()


def serving(height: int = 5) -> AbstractAsyncContextManager[Node]:
    """Start a node over a ledger of that height, and leave nothing behind."""
    return started(Node(height))


class Relay:
    """A TCP relay on a port of its own that can be cut, or made to swallow everything.

    Attributes:
        mute: swallow what comes from either side, ends of connections included.
        closed: refuse new connections.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self.mute = False
        self.closed = False
        self.ends: list[_End] = []

    async def __aenter__(self) -> Self:
        factory: Any = Factory()
        factory.noisy = False
        factory.buildProtocol = lambda _: _End(self)
        self._listening = reactor.listenTCP(0, factory, interface="127.0.0.1")
        self.port = self._listening.getHost().port
        return self

    async def __aexit__(self, *_failure: object) -> None:
        await self._listening.stopListening()
        self.cut()
        await until(lambda: not self.ends)

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/"

    def cut(self) -> None:
        """Cut all connections."""
        for end in list(self.ends):
            end.transport.abortConnection()


@asynccontextmanager
async def relayed(node: Node, **more: Any) -> AsyncIterator[tuple[EthereumClient, Relay]]:
    """Open a client that goes through a relay; ``more`` are its options."""
    async with Relay(node.port) as relay, EthereumClient(relay.url, options(**more)) as client:
        yield client, relay


class _End(Protocol):
    """One side of a relayed connection."""

    transport: Any

    def __init__(self, relay: Relay, other: "_End | None" = None) -> None:
        self._relay = relay
        self._other = other
        self._waiting: list[bytes] = []

    def connectionMade(self) -> None:
        self._relay.ends.append(self)
        if self._other is not None:
            return
        if self._relay.closed:
            self.transport.abortConnection()
            return
        endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", self._relay.target)
        joined = connectProtocol(endpoint, _End(self._relay, self))
        joined.addCallbacks(self._joined, lambda _: self.transport.abortConnection())

    def _joined(self, other: "_End") -> None:
        self._other = other
        if self not in self._relay.ends:
            other.transport.abortConnection()
        for data in self._waiting:
            other.transport.write(data)

    def dataReceived(self, data: bytes) -> None:
        if self._relay.mute:
            return
        if self._other is None:
            self._waiting.append(data)
        else:
            self._other.transport.write(data)

    def connectionLost(self, _reason: Failure = connectionDone) -> None:
        self._relay.ends.remove(self)
        if self._other is not None and not self._relay.mute:
            self._other.transport.abortConnection()
