"""A node of Ontology's that is as odd as told."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Final

import orjson

from tests.client.ethereum.nodes import options, started
from tests.client.listening import Collecting, Listening
from tests.client.ontology.ledger import Ledger, Mined, Mining
from twisted_chainws.client.ontology import OntologyClient, Subscription, shown_hash
from twisted_chainws.dialects.ontology.binary_codec import Reader
from twisted_chainws.dialects.ontology.errors import (
    DESCRIPTIONS,
    DUPLICATE_INPUT,
    DUPLICATED_TX,
    INTERNAL_ERROR,
    INVALID_METHOD,
    INVALID_PARAMS,
    UNKNOWN_BLOCK,
    UNKNOWN_TRANSACTION,
)
from twisted_chainws.dialects.ontology.transaction import read_transaction
from twisted_chainws.websocket import WebSocketConnection, WebSocketMessage

__all__ = ["NO_ANSWER", "Collector", "Failed", "Node", "client_of", "options", "serving"]

NO_ANSWER: Final = object()
NOT_HERE: Final = object()
FLAGS: Final = (
    "SubscribeEvent",
    "SubscribeJsonBlock",
    "SubscribeRawBlock",
    "SubscribeBlockTxHashs",
)


class Failed(Exception):
    """Raised by an answer: code and, maybe, Result."""


class Connection:
    """What a node knows of one client."""

    def __init__(self) -> None:
        self.topics: dict[str, Any] = {"ContractsFilter": None} | dict.fromkeys(FLAGS, False)
        self.sent: set[str] = set()


class Node(Listening):
    """A node over a ledger.

    Attributes:
        ledger: the chain.
        requests: what was asked.
        answers: action -> function of the request, returns what the node should answer, NO_ANSWER,
            or NOT_HERE for what it would answer anyway.
        pool: transactions that wait, by hash.
        late: send Notify after the block.
    """

    def __init__(self, height: int) -> None:
        super().__init__()
        self.ledger = Ledger(height)
        self.requests: list[dict[str, Any]] = []
        self.answers: dict[str, Callable[[dict[str, Any]], Any]] = {}
        self.pool: dict[str, Mined] = {}
        self.late = False
        self.network = 3
        self.clients: dict[WebSocketConnection, Connection] = {}

    # What the chain does

    def mine(self, *mined: Mined) -> Mining:
        """Add a block and tell of it."""
        for one in mined:
            self.pool.pop(one.hash, None)
        block = self.ledger.mine(*mined)
        self.tell(block)
        return block

    def mine_pool(self) -> Mining:
        """Add a block of what waits, and tell of it."""
        return self.mine(*self.pool.values())

    def reorganise(self, depth: int, *blocks: list[Mined]) -> None:
        """Replace blocks, and tell of the new ones."""
        for block in self.ledger.reorganise(depth, *blocks):
            self.tell(block)

    def tell(self, block: Mining) -> None:
        """Push a block to whom it may concern."""
        for client, state in list(self.clients.items()):
            if not self.late:
                self._notify(client, state, block)
            for flag, action, result in (
                ("SubscribeRawBlock", "sendrawblock", block.raw),
                ("SubscribeJsonBlock", "sendjsonblock", block.json),
                ("SubscribeBlockTxHashs", "sendblocktxhashs", block.hashes),
            ):
                if state.topics[flag]:
                    self.push(action, result, client)
            if self.late:
                self._notify(client, state, block)

    def push(self, action: str, result: Any, client: WebSocketConnection | None = None) -> None:
        """Push something to one client or to all."""
        message = {"Action": action, "Desc": "SUCCESS", "Error": 0, "Result": result}
        self.send(message | {"Version": "1.0.0"}, client)

    def refuse(self, code: int) -> None:
        """Send a refusal that names no request."""
        refusal = {"Action": "", "Desc": DESCRIPTIONS[code], "Error": code, "Result": ""}
        self.send(refusal | {"Version": "1.0.0"})

    @property
    def topics(self) -> dict[str, Any]:
        """What the only client has subscribed to."""
        (state,) = self.clients.values()
        return state.topics

    def asked(self, action: str) -> list[dict[str, Any]]:
        """Return the requests of an action."""
        return [one for one in self.requests if one["Action"] == action]

    # Ours

    def _connected(self, client: WebSocketConnection) -> None:
        self.clients[client] = Connection()

    def _gone(self, client: WebSocketConnection) -> None:
        self.clients.pop(client, None)

    def _notify(self, client: WebSocketConnection, state: Connection, block: Mining) -> None:
        wanted = state.topics["ContractsFilter"] or []
        for event in block.events:
            told = {one["ContractAddress"] for one in event["Notify"] or ()}
            interested = state.topics["SubscribeEvent"] and (
                not wanted or not told.isdisjoint(wanted)
            )
            if interested or event["TxHash"] in state.sent:
                self.push("Notify", event, client)
            state.sent.discard(event["TxHash"])

    def _receive(self, message: WebSocketMessage) -> None:
        client = message.client_connection
        request = orjson.loads(message.data)
        self.requests.append(request)
        reply = {"Action": request["Action"], "Error": 0, "Id": request["Id"], "Version": "1.0.0"}
        try:
            result = self._answer(request, client)
        except Failed as failed:
            code, *more = failed.args
            reply |= {"Error": code, "Desc": DESCRIPTIONS.get(code, "")}
            result = more[0] if more else ""
        if result is not NO_ANSWER:
            self.send({"Desc": "SUCCESS", "Result": result} | reply, client)

    def _answer(self, request: dict[str, Any], client: WebSocketConnection) -> Any:
        answer = self.answers.get(request["Action"])
        given = NOT_HERE if answer is None else answer(request)
        if given is not NOT_HERE:
            return given
        state = self.clients[client]
        simple: dict[str, Callable[[], Any]] = {
            "heartbeat": lambda: state.topics,
            "subscribe": lambda: self._subscribe(request, state),
            "getnetworkid": lambda: self.network,
            "getblockheight": lambda: self.ledger.height,
            "getblockbyheight": lambda: self._block(request),
            "getblockbyhash": lambda: self._block(request),
            "getgasprice": lambda: {"gasprice": 2_500, "height": self.ledger.height},
            "getunboundong": lambda: "77",
            "getmerkleproof": lambda: self.ledger.proof(self._of(request, INVALID_PARAMS)),
            "getblockheightbytxhash": lambda: self._of(request, INTERNAL_ERROR).header.height,
            "getsmartcodeeventbyheight": lambda: self._block(request | {"Raw": None}, events=True),
            "getsmartcodeeventbyhash": lambda: self._event(request["Hash"]),
            "sendrawtransaction": lambda: self._send(request["Data"], state),
        }
        if request["Action"] not in simple:
            raise Failed(INVALID_METHOD)
        return simple[request["Action"]]()

    @staticmethod
    def _subscribe(request: dict[str, Any], state: Connection) -> Any:
        for name in state.topics:
            if name in request:
                state.topics[name] = request[name]
        return state.topics

    def _block(self, request: dict[str, Any], *, events: bool = False) -> Any:
        chain = self.ledger.chain
        block = (
            self.ledger.known.get(request["Hash"])
            if "Hash" in request
            else next((one for one in chain if one.header.height == request["Height"]), None)
        )
        if block is None:
            raise Failed(UNKNOWN_BLOCK)
        if events:
            return block.events or ""
        return block.raw if request.get("Raw") == "1" else block.json

    def _of(self, request: dict[str, Any], code: int = UNKNOWN_TRANSACTION) -> Mining:
        block = self.ledger.block_of(request["Hash"])
        if block is None:
            raise Failed(code)
        return block

    def _event(self, tx_hash: str) -> Any:
        block = self.ledger.block_of(tx_hash)
        if block is None:
            return ""
        return next(one for one in block.events if one["TxHash"] == tx_hash)

    def _send(self, data: str, state: Connection) -> str:
        transaction: Any = read_transaction(Reader(bytes.fromhex(data)))
        name = shown_hash(transaction)
        if name in self.pool:
            raise Failed(DUPLICATE_INPUT, "duplicated transaction input detected")
        if self.ledger.block_of(name) is not None:
            raise Failed(DUPLICATED_TX, "duplicated transaction detected")
        self.pool[name] = Mined(transaction=transaction)
        state.sent.add(name)
        return name


def serving(height: int = 5) -> AbstractAsyncContextManager[Node]:
    """Start a node over a ledger of that height, and leave nothing behind."""
    return started(Node(height))


def client_of(node: Node, url: str | None = None, **more: Any) -> OntologyClient:
    """Return a client of a node, to be opened."""
    return OntologyClient(url or node.url, options(**more))


class Collector(Collecting):
    """Collects the events of a subscription."""

    subscription: Subscription

    @classmethod
    async def of(cls, client: OntologyClient, **wish: Any) -> "Collector":
        collector = cls()
        collector.subscription = await client.subscribe(**wish, callback=collector.events.append)
        return collector
