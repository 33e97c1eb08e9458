"""A chain, a ledger and clients of the dialect, without any socket; a table is the source."""

from collections.abc import Sequence
from typing import Any, Final

import orjson

from tests.dialects.ontology.ledgers import ledger_of, mixed_block
from tests.dialects.ontology.test_eip155 import CHAIN_ID
from tests.strategies import make_block
from twisted_chainws.chain.canonical import CanonicalChain
from twisted_chainws.chain.confirmations import Confirmations
from twisted_chainws.chain.model import Block, Log, Transaction
from twisted_chainws.chain.ops import Advance, Transition
from twisted_chainws.chain.pool import PendingPool
from twisted_chainws.chain.types import Seq
from twisted_chainws.chain.view import ChainView
from twisted_chainws.dialects.actions import Forwarded
from twisted_chainws.dialects.ontology import DEFAULTS, Options, make
from twisted_chainws.dialects.ontology.errors import DESCRIPTIONS
from twisted_chainws.dialects.outcomes import Query, Submit
from twisted_chainws.dialects.pushing import Pusher
from twisted_chainws.dialects.session import Session
from twisted_chainws.dialects.view import Profile, Settings, View
from twisted_chainws.subscriptions.ids import id_maker
from twisted_chainws.subscriptions.polled import PolledFilters
from twisted_chainws.subscriptions.registry import Registry

GENESIS: Final = make_block()
MIXED: Final = mixed_block(GENESIS)
EMPTY: Final = make_block(MIXED)
BLOCKS: Final = (GENESIS, MIXED, EMPTY)


class Stand:
    """One chain for any number of clients.

    Attributes:
        answers: what the source says, by the word of the question; exceptions are failures.
        sending: what it says to what is sent.
        asked: all questions so far.
        sent: all transactions so far.
        meanwhile: called when a transaction is sent, before the answer.
    """

    def __init__(
        self,
        blocks: Sequence[Block] = BLOCKS,
        *,
        options: Options = DEFAULTS,
        pending: Sequence[Transaction] = (),
        queued: Sequence[Transaction] = (),
        history: int | None = None,
        depth: int = 0,
    ) -> None:
        self.answers: dict[str, Any] = {}
        self.sending: Any = "0x" + 64 * "f"
        self.asked: list[Query] = []
        self.sent: list[Submit] = []
        self.meanwhile: list[Block] = []
        self.dialect = make(options)
        self.chain = CanonicalChain(blocks, history=history)
        self.ledger = ledger_of(blocks)
        pool = PendingPool()
        for transaction in pending:
            pool.pending(transaction)
        for transaction in queued:
            pool.queued(transaction)
        self.view = View(
            chain=ChainView(chain=self.chain, pool=pool, chain_id=CHAIN_ID),
            ledger=self.ledger,
            settings=Settings(
                profile=Profile.SUPERSET,
                client_version="anvil/v1.2.3/chainws",
                network_id=1,
                development=True,
            ),
        )
        make_id = id_maker(bytes)
        self.registry = Registry(make_id=make_id)
        self.polled = PolledFilters(make_id=make_id)
        assert self.dialect.push is not None
        self.pusher = Pusher(
            push=self.dialect.push,
            interests=self.registry.interests,
            ledger=self.ledger,
            confirmations=Confirmations(blocks, depth=depth),
            render=self.dialect.envelope.render_notice,
            broken=self._broken,
        )

    def _broken(self) -> None:
        raise  # noqa: PLE0704 - called while the exception is handled

    def client(self) -> "Client":
        """Connect."""
        return Client(self)

    def mine(self, *contents: tuple[Transaction, Sequence[Log]], salt: object = "") -> Block:
        """Put a block on the head."""
        return self.publish(make_block(self.chain.head, contents, salt=salt))

    def publish(self, block: Block) -> Block:
        """Put a ready block on the head."""
        self.advance(self.chain.extend(block))
        return block

    def advance(self, transition: Transition) -> None:
        """Tell the clients of a change of the chain."""
        advance = Advance(seq=Seq(1), undone=transition.undone, applied=transition.applied)
        self.ledger.apply(advance)
        for notice, followers in self.pusher.take(advance, lambda index: f"1:1:{index}"):
            for follower in followers:
                follower.owner.deliver(follower, notice, follower.owner.owner.out)


class Client:
    """One connection; questions to the source are answered at once.

    Attributes:
        out: what the session wants.
    """

    def __init__(self, stand: Stand) -> None:
        self.stand = stand
        self.out: list[Any] = []
        self.session = Session(
            dialect=stand.dialect,
            view=stand.view,
            registry=stand.registry,
            polled=stand.polled,
            owner=self,
            limits=stand.dialect.limits,
        )

    def say(self, data: bytes) -> list[bytes]:
        """Send a message and return what came out since the last call."""
        self.session.receive(data, 0.0, self.out)
        while forwarded := [each for each in self.out if isinstance(each, Forwarded)]:
            (action,) = forwarded
            self.out.remove(action)
            self.session.resolve(action.ticket, self._answer(action.call), 0.0, self.out)
        return self.take()

    def take(self) -> list[bytes]:
        """Return what came out since the last call."""
        taken, self.out[:] = list(self.out), []
        assert all(isinstance(each, bytes) for each in taken), taken
        return taken

    def pushes(self) -> list[tuple[str, Any]]:
        """Return actions and results of the pushes that came since the last call."""
        return [pushed(text) for text in self.take()]

    def ask(self, action: str, **members: Any) -> Any:
        """Return the reply to a request, which is all that came, its envelope checked."""
        (text,) = self.say(orjson.dumps({"Action": action, "Id": 7} | members))
        reply = orjson.loads(text)
        assert list(reply) == ["Action", "Desc", "Error", "Id", "Result", "Version"]
        assert (reply["Action"], reply["Id"], reply["Version"]) == (action, 7, "1.0.0")
        assert reply["Desc"] == DESCRIPTIONS.get(reply["Error"], "")
        return reply

    def result(self, action: str, **members: Any) -> Any:
        """Return the result of an action that succeeds."""
        reply = self.ask(action, **members)
        assert reply["Error"] == 0, reply
        return reply["Result"]

    def refusal(self, action: str, **members: Any) -> tuple[int, Any]:
        """Return code and result of an action that is refused."""
        reply = self.ask(action, **members)
        assert reply["Error"] != 0, reply
        return reply["Error"], reply["Result"]

    def _answer(self, call: Any) -> Any:
        stand = self.stand
        if isinstance(call, Query):
            assert call.params["at"] == "0x" + stand.chain.head.hash.hex()
            stand.asked.append(call)
            return stand.answers[call.method]
        assert isinstance(call, Submit)
        stand.sent.append(call)
        for block in stand.meanwhile:
            stand.publish(block)
        return stand.sending


def pushed(text: bytes) -> tuple[str, Any]:
    """Return action and result of a push, its envelope checked."""
    push = orjson.loads(text)
    assert list(push) == ["Action", "Desc", "Error", "Result", "Version"]
    assert (push["Desc"], push["Error"], push["Version"]) == ("SUCCESS", 0, "1.0.0")
    return push["Action"], push["Result"]
