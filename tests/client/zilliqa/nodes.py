"""A node of Zilliqa's over WebSocket and HTTP that is as odd as told."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Final

import orjson
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Site

from tests.client.ethereum.nodes import options, started
from tests.client.listening import Collecting, Listening
from tests.client.zilliqa.ledger import NOBODY, PUBLIC_KEYS, Ledger
from tests.server.peer import reactor
from twisted_chainws.client.zilliqa import Subscription, ZilliqaClient
from twisted_chainws.dialects.zilliqa.address import native_address
from twisted_chainws.websocket import WebSocketConnection, WebSocketMessage

__all__ = ["NO_ANSWER", "Collector", "Failed", "Node", "client_of", "options", "serving"]

NO_ANSWER: Final = object()
NO_BLOCK: Final = str(2**64 - 1)


class Failed(Exception):
    """Raised by an answer over HTTP: code and message."""


class Connection:
    """What a node knows of one client."""

    def __init__(self) -> None:
        self.topics: dict[str, set[str]] = {}
        self.leaving: list[str] = []


class Node(Listening):
    """A node over a ledger.

    Attributes:
        ledger: the chain.
        queries: what was asked over WebSocket.
        calls: (method, params) of what was asked over HTTP.
        replies: query kind -> function of the query, returns text, or NO_ANSWER.
        answers: HTTP method -> function of its params; before what the node would answer.
        forgets: resubscribing does not keep a topic that is leaving, as real nodes.
    """

    def __init__(self, height: int) -> None:
        super().__init__()
        self.ledger = Ledger(height)
        self.queries: list[Any] = []
        self.sizes: list[int] = []
        self.calls: list[tuple[str, list[Any]]] = []
        self.replies: dict[str, Callable[[Any], Any]] = {}
        self.answers: dict[str, Callable[..., Any]] = {}
        self.forgets = False
        self.clients: dict[WebSocketConnection, Connection] = {}
        self.http_port = 0
        self.status = 200

    @property
    def http_url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}/"

    async def start(self) -> None:
        await super().start()
        self._http = reactor.listenTCP(self.http_port, Site(_Rpc(self)), interface="127.0.0.1")
        self.http_port = self._http.getHost().port

    async def stop(self) -> None:
        await self._http.stopListening()
        await super().stop()

    # What the chain does

    def mine(self, *transactions: Any) -> Any:
        """Add a block and tell of it."""
        block = self.ledger.mine(*transactions)
        self.tell(block)
        return block

    def tell(self, block: Any) -> None:
        """Send the notification of a block to whom it may concern."""
        for client, state in list(self.clients.items()):
            if state.topics:
                self.send(self.notification(block, state), client)
            for topic in state.leaving:
                del state.topics[topic]
            state.leaving.clear()

    def notification(self, block: Any, state: Connection) -> Any:
        """Return the notification of a block for one client."""
        values: list[Any] = []
        transactions = self.ledger.of(block)
        if "NewBlock" in state.topics:
            value = {"TxBlock": block, "TxHashes": self.ledger.hashes(block)}
            values.append({"query": "NewBlock", "value": value})
        if "EventLog" in state.topics:
            values.append(_item("EventLog", _events(transactions, state.topics["EventLog"])))
        if "TxnLog" in state.topics:
            values.append(_item("TxnLog", _transfers(transactions, state.topics["TxnLog"])))
        if state.leaving:
            values.append({"query": "Unsubscribe", "value": list(state.leaving)})
        return {"type": "Notification", "values": values}

    @property
    def topics(self) -> dict[str, set[str]]:
        """The topics of the only client."""
        (state,) = self.clients.values()
        return state.topics

    def asked(self, kind: str) -> list[Any]:
        """Return the queries of a kind."""
        return [query for query in self.queries if query["query"] == kind]

    def called(self, method: str) -> list[Any]:
        """Return the params of the calls of a method."""
        return [params for name, params in self.calls if name == method]

    # Ours

    def _connected(self, client: WebSocketConnection) -> None:
        self.clients[client] = Connection()

    def _gone(self, client: WebSocketConnection) -> None:
        self.clients.pop(client, None)

    def _receive(self, message: WebSocketMessage) -> None:
        client = message.client_connection
        query = orjson.loads(message.data)
        self.queries.append(query)
        self.sizes.append(len(message.data))
        reply = self.replies.get(query["query"])
        if reply is not None:
            answer = reply(query)
            if answer is not None:
                if answer is not NO_ANSWER:
                    self.send(answer, client)
                return
        state = self.clients[client]
        kind = query["query"]
        if kind == "Unsubscribe":
            if query["type"] in state.topics and query["type"] not in state.leaving:
                state.leaving.append(query["type"])
        else:
            state.topics.setdefault(kind, set()).update(query.get("addresses", ()))
            if kind in state.leaving and not self.forgets:
                state.leaving.remove(kind)
        self.send(message.data, client)

    def rpc(self, method: str, params: list[Any]) -> Any:
        """Answer over HTTP."""
        self.calls.append((method, params))
        answer = self.answers.get(method)
        if answer is not None:
            given = answer(*params)
            if given is not NO_ANSWER:
                return given
        ledger = self.ledger
        block = ledger.chain[-1]
        if params and isinstance(params[0], str) and params[0].isdigit() and "Block" in method:
            height = int(params[0])
            if height > ledger.height:
                return {"header": {"BlockNum": NO_BLOCK}, "body": {}}
            block = ledger.chain[height]
        if method in ("GetTransactionsForTxBlock", "GetTxnBodiesForTxBlock") and not ledger.of(
            block
        ):
            raise Failed(-1, "TxBlock has no transactions")
        simple: dict[str, Callable[..., Any]] = {
            "GetNetworkId": lambda: "222",
            "GetLatestTxBlock": lambda: block,
            "GetTxBlock": lambda _: block,
            "GetTransactionsForTxBlock": lambda _: ledger.hashes(block),
            "GetTxnBodiesForTxBlock": lambda _: ledger.of(block),
            "GetTransaction": self._transaction,
        }
        if method not in simple:
            raise Failed(-32601, "METHOD_NOT_FOUND: The method being requested is not available")
        return simple[method](*params)

    def _transaction(self, name: str) -> Any:
        for transactions in self.ledger.transactions.values():
            for one in transactions:
                if one["ID"] == name:
                    return one
        raise Failed(-20, "Txn Hash not Present")


class _Rpc(Resource):
    isLeaf = True

    def __init__(self, node: Node) -> None:
        super().__init__()
        self._node = node

    def render_POST(self, request: Any) -> Any:  # noqa: N802 - as twisted.web has it
        asked = orjson.loads(request.content.read())
        answer = {"id": asked["id"], "jsonrpc": "2.0"}
        request.setResponseCode(self._node.status)
        try:
            result = self._node.rpc(asked["method"], asked["params"])
        except Failed as failed:
            code, message = failed.args
            error = {"code": code, "data": None, "message": message}
            return orjson.dumps(answer | {"error": error})
        if result is NOT_DONE_YET:
            return NOT_DONE_YET
        return result if isinstance(result, bytes) else orjson.dumps(answer | {"result": result})


def _item(topic: str, entries: list[Any]) -> Any:
    return {"query": topic, "value": entries} if entries else {"query": topic}


def _events(transactions: list[Any], watched: set[str]) -> list[Any]:
    found: dict[str, list[Any]] = {}
    for one in transactions:
        if one["receipt"]["success"] and one.get("data") and one["toAddr"] != NOBODY[2:]:
            for log in one["receipt"].get("event_logs", ()):
                if log.get("_eventname") and log["address"] in watched:
                    entry = {"_eventname": log["_eventname"], "params": log["params"]}
                    found.setdefault(log["address"], []).append(entry)
    return [{"address": address[2:], "event_logs": logs} for address, logs in found.items()]


def _transfers(transactions: list[Any], watched: set[str]) -> list[Any]:
    found: dict[str, list[Any]] = {}
    sender = native_address(PUBLIC_KEYS[0]).hex()
    for one in transactions:
        for address in (one["toAddr"], sender):
            if "0x" + address in watched:
                entry = {
                    "ID": one["ID"],
                    "amount": one["amount"],
                    "fromAddr": sender,
                    "success": one["receipt"]["success"],
                    "toAddr": one["toAddr"],
                }
                found.setdefault(address, []).append(entry)
                break
    return [{"address": address, "log": log} for address, log in found.items()]


def serving(height: int = 5) -> AbstractAsyncContextManager[Node]:
    """Start a node over a ledger of that height, and leave nothing behind."""
    return started(Node(height))


def client_of(
    node: Node, url: str | None = None, *, http: bool = True, **more: Any
) -> ZilliqaClient:
    """Return a client of a node, to be opened."""
    http_url = node.http_url if http else None
    return ZilliqaClient(url or node.url, options(**more), http_url=http_url)


class Collector(Collecting):
    """Collects the events of a subscription."""

    subscription: Subscription

    @classmethod
    async def of(cls, client: ZilliqaClient, kind: str, addresses: Any = ()) -> "Collector":
        collector = cls()
        collector.subscription = await client.subscribe(kind, addresses, collector.events.append)
        return collector
