"""A chain, a ledger and clients of the dialect, without any socket or source."""

from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from tests.strategies import make_block, make_chain
from twisted_chainws.chain.canonical import CanonicalChain
from twisted_chainws.chain.confirmations import Confirmations
from twisted_chainws.chain.model import Block, Log, Transaction
from twisted_chainws.chain.ops import Advance, Transition
from twisted_chainws.chain.pool import PendingPool
from twisted_chainws.chain.types import Seq
from twisted_chainws.chain.view import ChainView
from twisted_chainws.dialects.actions import Forwarded
from twisted_chainws.dialects.gathering import Gatherer
from twisted_chainws.dialects.limits import Limits
from twisted_chainws.dialects.outcomes import QueryAll
from twisted_chainws.dialects.session import Session
from twisted_chainws.dialects.view import Profile, Settings, View
from twisted_chainws.dialects.zilliqa import DEFAULTS, Options, make
from twisted_chainws.errors import ChainwsError
from twisted_chainws.subscriptions.ids import id_maker
from twisted_chainws.subscriptions.polled import PolledFilters
from twisted_chainws.subscriptions.registry import Registry


class Stand:
    """One chain for any number of clients.

    Attributes:
        contracts: addresses with code, as ``0x`` and lower-case hex.
        failures: what the next questions to the source fail with.
        asked: every question so far: the addresses.
    """

    def __init__(
        self,
        options: Options = DEFAULTS,
        *,
        contracts: Iterable[str] = (),
        limits: Limits | None = None,
        depth: int = 0,
    ) -> None:
        self.dialect = make(options)
        self.contracts = set(contracts)
        self.failures: list[ChainwsError] = []
        self.asked: list[list[str]] = []
        self.limits = limits or self.dialect.limits
        blocks = make_chain(1)
        self.chain = CanonicalChain(blocks)
        self.ledger = self.dialect.projection()
        self.ledger.apply(Advance(seq=Seq(0), undone=(), applied=tuple(blocks)))
        self.view = View(
            chain=ChainView(chain=self.chain, pool=PendingPool(), chain_id=31337),
            ledger=self.ledger,
            settings=Settings(
                profile=Profile.SUPERSET, client_version="", network_id=1, development=True
            ),
        )
        numbers = iter(range(1, 1_000))
        make_id = id_maker(lambda size: next(numbers).to_bytes(size, "big"))
        self.registry = Registry(make_id=make_id)
        self.polled = PolledFilters(make_id=make_id)
        assert self.dialect.gather is not None
        self.gatherer = Gatherer(
            gather=self.dialect.gather,
            watches=self.registry.watches,
            ledger=self.ledger,
            confirmations=Confirmations(blocks, depth=depth),
            broken=self._broken,
        )

    def _broken(self) -> None:
        raise  # noqa: PLE0704 - called while the exception is handled

    def client(self) -> "Client":
        """Connect."""
        return Client(self)

    def mine(self, *contents: tuple[Transaction, Sequence[Log]], salt: object = "") -> Block:
        """Put a block on the head."""
        block = make_block(self.chain.head, contents, salt=salt)
        return self.publish(block)

    def publish(self, block: Block) -> Block:
        """Put a ready block on the head."""
        self.advance(self.chain.extend(block))
        return block

    def advance(self, transition: Transition) -> None:
        """Tell the clients of a change of the chain."""
        advance = Advance(seq=Seq(1), undone=transition.undone, applied=transition.applied)
        self.ledger.apply(advance)
        for notice, watchers in self.gatherer.take(advance, lambda index: f"cursor {index}"):
            for watcher in watchers:
                watcher.owner.deliver(watcher, notice, watcher.owner.owner.out)


class Client:
    """One connection; questions to the source are answered at once unless it is told to wait."""

    def __init__(self, stand: Stand) -> None:
        self.stand = stand
        self.out: list[Any] = []
        self.waiting: list[Forwarded] = []
        self.wait = False
        self.session = Session(
            dialect=stand.dialect,
            view=stand.view,
            registry=stand.registry,
            polled=stand.polled,
            owner=self,
            limits=stand.limits,
        )

    def say(self, text: str | bytes) -> list[bytes]:
        """Send a message and return what came out since the last call, as it is."""
        data = text.encode() if isinstance(text, str) else text
        self.session.receive(data, 0.0, self.out)
        self._forward()
        return self.take()

    def ask(self, query: str, **members: Any) -> Any:
        """Send a query and return its reply, parsed."""
        (reply,) = self.say(orjson.dumps({"query": query} | members))
        return orjson.loads(reply)

    def go_on(self) -> list[bytes]:
        """Answer what waits."""
        waiting, self.waiting = self.waiting, []
        for action in waiting:
            self._answer(action)
        self._forward()
        return self.take()

    def take(self) -> list[bytes]:
        """Return what came out since the last call."""
        taken, self.out[:] = list(self.out), []
        return taken

    def notifications(self) -> list[list[Any]]:
        """Return the values of the notifications that came since the last call."""
        messages = [orjson.loads(text) for text in self.take()]
        assert all(
            message.keys() == {"type", "values"} and message["type"] == "Notification"
            for message in messages
        )
        return [message["values"] for message in messages]

    def notification(self) -> list[Any]:
        """Return the values of the only one that came."""
        (values,) = self.notifications()
        return values

    def topics(self) -> set[str]:
        """Return what it watches."""
        return set(self.stand.registry.watches.of_owner(self.session).topics)

    def _forward(self) -> None:
        while self.out and isinstance(self.out[-1], Forwarded):
            action = self.out.pop()
            if self.wait:
                self.waiting.append(action)
                return
            self._answer(action)

    def _answer(self, action: Forwarded) -> None:
        stand, call = self.stand, action.call
        assert isinstance(call, QueryAll)
        addresses = [query.params["address"] for query in call.queries]
        assert {query.method for query in call.queries} == {"code"}
        assert {query.params["at"] for query in call.queries} == {
            "0x" + stand.chain.head.hash.hex()
        }
        stand.asked.append(addresses)
        answer: object = ["0x60" if each in stand.contracts else "0x" for each in addresses]
        if stand.failures:
            answer = stand.failures.pop(0)
        self.session.resolve(action.ticket, answer, 0.0, self.out)
