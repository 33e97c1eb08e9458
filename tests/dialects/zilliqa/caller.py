"""A chain and a client of the HTTP face, without any socket; a table stands for the source."""

from collections.abc import Sequence
from typing import Any

import orjson

from tests.dialects.zilliqa.ledgers import ledger_of
from twisted_chainws.chain.canonical import CanonicalChain
from twisted_chainws.chain.model import Block
from twisted_chainws.chain.pool import PendingPool
from twisted_chainws.chain.view import ChainView
from twisted_chainws.dialects.actions import Forwarded
from twisted_chainws.dialects.outcomes import Query, QueryAll, Scan, Submit
from twisted_chainws.dialects.session import Session
from twisted_chainws.dialects.view import Profile, Settings, View
from twisted_chainws.dialects.zilliqa import DIALECT
from twisted_chainws.errors import ChainwsError
from twisted_chainws.subscriptions.ids import id_maker
from twisted_chainws.subscriptions.polled import PolledFilters
from twisted_chainws.subscriptions.registry import Registry


class Caller:
    """Calls methods.

    Attributes:
        chain: what is called about.
        view: what handlers read.
        accounts: address as ``0x`` hex -> balance in wei, nonce, code.
        submitted: what was sent to the source.
        refusal: what the source says to that; None takes it.
        turns: how often a scan paused.
    """

    def __init__(self, blocks: Sequence[Block], *, history: int | None = None) -> None:
        self.accounts: dict[str, tuple[int, int, str]] = {}
        self.submitted: list[Submit] = []
        self.refusal: ChainwsError | None = None
        self.turns = 0
        self.chain = CanonicalChain(blocks, history=history)
        self.view = View(
            chain=ChainView(chain=self.chain, pool=PendingPool(), chain_id=31337),
            ledger=ledger_of(blocks),
            settings=Settings(
                profile=Profile.SUPERSET,
                client_version="anvil/v1.2.3/chainws",
                network_id=1,
                development=True,
            ),
        )
        make_id = id_maker(bytes)
        self._session = Session(
            dialect=DIALECT,
            view=self.view,
            registry=Registry(make_id=make_id),
            polled=PolledFilters(make_id=make_id),
            owner=self,
            limits=DIALECT.limits,
            notifications=False,
            http=True,
        )

    def post(self, body: bytes) -> bytes:
        """Return the answer to a body; empty when there is none."""
        out: list[Any] = []
        self._session.receive(body, 0.0, out)
        reply = b""
        while out:
            entry = out.pop(0)
            if isinstance(entry, Forwarded):
                self._session.resolve(entry.ticket, self._answer(entry.call), 0.0, out)
            else:
                assert isinstance(entry, bytes), entry
                reply += entry
        return reply

    def ask(self, method: str, *params: Any) -> Any:
        """Return the result of a method."""
        answer = self._ask(method, params)
        assert "error" not in answer, answer
        return answer["result"]

    def refused(self, method: str, *params: Any) -> tuple[int, str]:
        """Return code and message of the error that a method ends with."""
        error = self._ask(method, params)["error"]
        assert error["data"] is None
        return error["code"], error["message"]

    def _ask(self, method: str, params: Sequence[Any]) -> Any:
        body = {"id": "1", "jsonrpc": "2.0", "method": method, "params": list(params)}
        answer = orjson.loads(self.post(orjson.dumps(body)))
        assert (answer["id"], answer["jsonrpc"]) == ("1", "2.0")
        return answer

    def _answer(self, call: Any) -> Any:
        if isinstance(call, QueryAll):
            return [self._read(query) for query in call.queries]
        if isinstance(call, Scan):
            while True:
                try:
                    next(call.steps)
                except StopIteration as end:
                    return end.value
                self.turns += 1
        assert isinstance(call, Submit)
        self.submitted.append(call)
        return self.refusal or "0x" + "ab" * 32

    def _read(self, query: Query) -> str:
        assert query.params["at"] == "0x" + self.chain.head.hash.hex()
        balance, nonce, code = self.accounts.get(query.params["address"], (0, 0, "0x"))
        return {"balance": hex(balance), "nonce": hex(nonce), "code": code}[query.method]
