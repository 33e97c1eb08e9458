"""The connection's state machine, driven without any socket.

A toy dialect with the real JSON-RPC envelope stands for all: the session asks nothing else of one.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson
import pytest

from tests.dialects import pushes
from tests.strategies import address20
from twisted_chainws.dialects.actions import Close, Crashed, Forwarded
from twisted_chainws.dialects.base import Dialect, Faults, HttpFace
from twisted_chainws.dialects.jsonrpc import ENVELOPE, claims
from twisted_chainws.dialects.limits import Costs, Limits
from twisted_chainws.dialects.notice import JoinedNotice
from twisted_chainws.dialects.outcomes import (
    Fault,
    Forward,
    Inspect,
    Install,
    Leave,
    Outcome,
    Poll,
    Query,
    Refused,
    Subscribe,
    Uninstall,
    Unsubscribe,
    Watch,
)
from twisted_chainws.dialects.session import Session
from twisted_chainws.dialects.view import View
from twisted_chainws.errors import (
    ChainwsError,
    FilterNotFound,
    TooManyAlternatives,
    TooManySubscriptions,
)
from twisted_chainws.subscriptions.filters import HeadFilter
from twisted_chainws.subscriptions.ids import id_maker
from twisted_chainws.subscriptions.polled import PolledFilters
from twisted_chainws.subscriptions.registry import Registry
from twisted_chainws.subscriptions.watches import Standing


class Unperformable(Outcome):
    """An outcome that no session knows."""


def ask(name: str) -> Callable[[View, Any], Forward]:
    """Make a handler that forwards and wraps the answer."""
    return lambda _view, params: Forward(
        call=Query(method=name, params={"p": params}), then=lambda answer: ["got", answer]
    )


def refuse(_view: View, _params: Any) -> None:
    """Refuse every request."""
    raise Refused(Fault(code=-32602, message="no"))


def crash(_view: View, _params: Any) -> None:
    """Break."""
    raise RuntimeError("secret internals")


def encode(_view: View, item: Any) -> bytes:
    """Encode an item as its text."""
    return orjson.dumps(str(item))


METHODS: dict[str, Callable[[View, Any], Any]] = {
    "t_echo": lambda _view, params: params,
    "t_big": lambda _view, params: "x" * params[0],
    "t_ask": ask("ask"),
    "t_twice": lambda _view, _params: Forward(
        call=Query(method="one", params={}),
        then=lambda first: Forward(
            call=Query(method="two", params={"first": first}), then=lambda second: second
        ),
    ),
    "t_rescued": lambda _view, params: Forward(
        call=Query(method="ask", params={}),
        then=lambda answer: answer,
        rescue=lambda error: f"{type(error).__name__} {params[0] / 1}",
    ),
    "t_then_breaks": lambda _view, _params: Forward(
        call=Query(method="x", params={}), then=lambda answer: answer["missing"]
    ),
    "t_refuse": refuse,
    "t_crash": crash,
    "t_unserialisable": lambda _view, _params: {1, 2},
    "t_unperformable": lambda _view, _params: Unperformable(),
    "t_subscribe": lambda _view, params: Subscribe(
        filter=HeadFilter(), encode=encode, initial=tuple(params or ())
    ),
    "t_unsubscribe": lambda _view, params: Unsubscribe(
        subscription_id=params[0], then=lambda removed: removed
    ),
    "t_watch": lambda _view, params: Watch(
        topic=params[0], addresses=frozenset({address20(each) for each in params[1:]})
    ),
    "t_watch_and_refuse": lambda _view, params: Watch(
        topic=params[0], reply=Fault(code=-32000, message="partly")
    ),
    "t_leave": lambda _view, params: Leave(topic=params[0]),
    "t_install": lambda _view, _params: Install(filter=HeadFilter(), encode=encode),
    "t_poll": lambda _view, params: Poll(filter_id=params[0]),
    "t_inspect": lambda _view, params: Inspect(
        filter_id=params[0], then=lambda found: type(found).__name__
    ),
    "t_uninstall": lambda _view, params: Uninstall(filter_id=params[0]),
}


def fault_of(error: ChainwsError) -> Fault:
    """Word the few errors of the toy dialect."""
    if isinstance(error, Refused):
        return error.fault
    if isinstance(error, TooManySubscriptions | TooManyAlternatives | FilterNotFound):
        return Fault(code=-32000, message=type(error).__name__)
    return Fault(code=-32000, message="other")


DIALECT = Dialect(
    name="toy",
    title="Toy",
    default_port=1,
    envelope=ENVELOPE,
    methods=METHODS,
    topics={},
    faults=Faults(
        of=fault_of,
        unknown_method=lambda name: Fault(code=-32601, message=f"unknown {name}"),
        response_too_large=Fault(code=-32003, message="response too large"),
        internal=Fault(code=-32603, message="internal error"),
        notifications_unsupported=Fault(code=-32601, message="notifications not supported"),
        too_many_requests=Fault(code=429, message="too many requests"),
        throughput_exceeded=Fault(code=429, message="throughput exceeded"),
        timed_out=Fault(code=-32002, message="timed out"),
    ),
    projection=lambda: pytest.fail("no ledger is needed here"),
    announce=lambda _advance: (),
    http=HttpFace(methods=METHODS, content_types=frozenset()),
    limits=Limits(),
    claims=claims,
)


class Wire:
    """A session with what it stands on, and helpers that speak JSON to it."""

    def __init__(
        self, limits: Limits | None = None, dialect: Dialect = DIALECT, **options: Any
    ) -> None:
        """Make the session; ids count up."""
        numbers = iter(range(1, 1_000_000))
        make = id_maker(lambda size: next(numbers).to_bytes(size, "big"))
        self.registry = Registry(make_id=make)
        self.polled = PolledFilters(make_id=make)
        self.view = View(chain=None, ledger=None, settings=None)  # type: ignore[arg-type]
        self.out: list[Any] = []
        self.session = Session(
            dialect=dialect,
            view=self.view,
            registry=self.registry,
            polled=self.polled,
            owner=self,
            limits=limits or Limits(),
            **options,
        )

    def take(self) -> list[Any]:
        """Return what came out since the last call, messages parsed."""
        taken, self.out[:] = list(self.out), []
        return [orjson.loads(item) if isinstance(item, bytes) else item for item in taken]

    def say(self, message: Any, now: float = 0.0) -> list[Any]:
        """Send a message and return what comes out."""
        self.session.receive(orjson.dumps(message), now, self.out)
        return self.take()

    def call(self, method: str, *params: Any) -> Any:
        """Call a method that answers at once."""
        (answer,) = self.say(request(method, *params))
        return answer.get("result", answer.get("error"))

    def resolve(self, ticket: int, answer: object) -> list[Any]:
        """Answer a forwarded call."""
        self.session.resolve(ticket, answer, 0.0, self.out)
        return self.take()

    def notify(self, text: str) -> list[Any]:
        """Deliver an event to all subscriptions of the session, as the server would."""
        notice = ENVELOPE.render_notice(orjson.dumps(text), None)
        for subscription in self.registry.of_owner(self.session):
            self.session.deliver(subscription, notice, self.out)
        return self.take()


def request(method: str, *params: Any, request_id: Any = 1) -> dict[str, Any]:
    """Build a call."""
    return {"jsonrpc": "2.0", "id": request_id, "method": method, "params": list(params)}


def results(messages: list[Any]) -> list[Any]:
    """Return the results of notices."""
    return [message["params"]["result"] for message in messages]


def test_plain_call_is_answered_in_one_pass() -> None:
    """A result comes back under its id, in order."""
    wire = Wire()
    assert wire.say(request("t_echo", 5, request_id="a")) == [
        {"jsonrpc": "2.0", "id": "a", "result": [5]}
    ]
    assert wire.session.idle


def test_unknown_method_and_refusal_keep_the_connection() -> None:
    """Faults are answers."""
    wire = Wire()
    assert wire.call("t_none") == {"code": -32601, "message": "unknown t_none"}
    assert wire.call("t_refuse") == {"code": -32602, "message": "no"}
    assert wire.call("t_echo", 1) == [1]


def test_notification_is_executed_and_never_answered() -> None:
    """Without an id nothing comes back, not even an error."""
    wire = Wire()
    for method in ("t_echo", "t_none", "t_refuse"):
        assert wire.say({"jsonrpc": "2.0", "method": method}) == []
    assert wire.say({"jsonrpc": "2.0", "method": "t_subscribe"}) == []
    assert len(wire.registry.of_owner(wire.session)) == 1


@pytest.mark.parametrize("method", ["t_crash", "t_unserialisable", "t_unperformable"])
def test_our_own_bug_is_logged_and_leaks_nothing(method: str) -> None:
    """The operator gets the exception, the peer an internal error."""
    crashed, answer = Wire().say(request(method))
    assert isinstance(crashed, Crashed)
    assert answer["error"] == {"code": -32603, "message": "internal error"}


def test_forward_is_answered_when_it_resolves() -> None:
    """A forwarded call opens a ticket; its answer goes through ``then``."""
    wire = Wire()
    (forwarded,) = wire.say(request("t_ask", 7))
    assert forwarded == Forwarded(1, Query(method="ask", params={"p": [7]}))
    assert not wire.session.idle
    assert wire.call("t_echo") == []
    assert wire.resolve(1, "A") == [{"jsonrpc": "2.0", "id": 1, "result": ["got", "A"]}]
    assert wire.resolve(1, "again") == []


def test_forward_can_lead_to_another() -> None:
    """``then`` may forward again."""
    wire = Wire()
    wire.say(request("t_twice"))
    (second,) = wire.resolve(1, "first")
    assert second.call.params == {"first": "first"}
    assert wire.resolve(second.ticket, "end")[0]["result"] == "end"


def test_forward_that_fails_is_a_fault() -> None:
    """Model errors are worded, other exceptions are ours."""
    wire = Wire()
    wire.say(request("t_ask"))
    (answer,) = wire.resolve(1, Refused(Fault(code=3, message="reverted", data="0x")))
    assert answer["error"] == {"code": 3, "message": "reverted", "data": "0x"}
    wire.say(request("t_ask"))
    crashed, answer = wire.resolve(2, RuntimeError("secret"))
    assert isinstance(crashed, Crashed)
    assert answer["error"]["message"] == "internal error"
    wire.say(request("t_then_breaks"))
    crashed, answer = wire.resolve(3, {})
    assert isinstance(crashed, Crashed)
    assert answer["error"]["message"] == "internal error"


def test_forward_may_rescue_model_errors() -> None:
    """A failure can lead on instead of being the reply; what is our own bug cannot."""
    wire = Wire()
    wire.say(request("t_rescued", 1))
    assert wire.resolve(1, Refused(Fault(code=3, message="x")))[0]["result"] == "Refused 1.0"
    wire.say(request("t_rescued", 1))
    assert wire.resolve(2, "fine")[0]["result"] == "fine"
    wire.say(request("t_rescued", 1))
    crashed, answer = wire.resolve(3, RuntimeError("secret"))
    assert isinstance(crashed, Crashed)
    assert answer["error"]["message"] == "internal error"
    wire.say(request("t_rescued", "broken"))
    crashed, answer = wire.resolve(4, Refused(Fault(code=3, message="x")))
    assert isinstance(crashed, Crashed)


def test_busy_bounds_open_forwards() -> None:
    """The session is busy while the limit of open forwards is reached."""
    wire = Wire(Limits(open_forwards=2))
    wire.say(request("t_ask"))
    assert not wire.session.busy
    wire.say(request("t_ask"))
    assert wire.session.busy
    wire.resolve(1, 0)
    assert not wire.session.busy


def test_dialect_with_ordered_replies_takes_one_at_a_time() -> None:
    """Where replies keep the order of requests, one open forward makes it busy."""
    wire = Wire(dialect=replace(DIALECT, replies_in_order=True))
    wire.say(request("t_ask"))
    assert wire.session.busy


def test_batch_is_answered_in_order_without_notifications() -> None:
    """Replies stand in request order; notifications leave no trace."""
    answer = Wire().say(
        [
            request("t_echo", request_id=1),
            {"jsonrpc": "2.0", "method": "t_echo"},
            7,
            request("t_none", request_id=2),
        ]
    )
    assert [reply["id"] for reply in answer[0]] == [1, None, 2]
    assert Wire().say([{"jsonrpc": "2.0", "method": "t_echo"}]) == []


def test_batch_waits_for_each_forward() -> None:
    """Members run one after the other; the batch is one message."""
    wire = Wire()
    (first,) = wire.say([request("t_ask", request_id=1), request("t_ask", request_id=2)])
    (second,) = wire.resolve(first.ticket, "A")
    assert isinstance(second, Forwarded)
    assert wire.resolve(second.ticket, "B") == [
        [
            {"jsonrpc": "2.0", "id": 1, "result": ["got", "A"]},
            {"jsonrpc": "2.0", "id": 2, "result": ["got", "B"]},
        ]
    ]


def test_batch_answer_is_bounded() -> None:
    """The call that crosses the limit is still answered, later ones are refused."""
    wire = Wire(Limits(batch_response_bytes=100))
    (answer,) = wire.say([request("t_big", 200), request("t_echo"), request("t_echo")])
    assert len(answer[0]["result"]) == 200
    assert [reply["error"]["code"] for reply in answer[1:]] == [-32003, -32003]


def test_subscription_reply_leaves_before_its_first_notice() -> None:
    """Initial items follow the id."""
    reply, notice = Wire().say(request("t_subscribe", "now"))
    assert notice["params"] == {"subscription": reply["result"], "result": "now"}


def test_batch_holds_notices_until_its_answer() -> None:
    """A subscription opened in a batch stays silent until the batch is answered."""
    wire = Wire()
    (forwarded,) = wire.say([request("t_subscribe", "initial"), request("t_ask")])
    assert wire.session.direct is False
    assert wire.notify("early") == []
    assert wire.session.backlog.size == 2
    answer, *notices = wire.resolve(forwarded.ticket, 0)
    assert isinstance(answer, list)
    assert results(notices) == ["initial", "early"]
    assert wire.session.direct is True
    assert wire.session.backlog.size == 0


def test_unsubscribing_inside_the_batch_drops_what_was_held() -> None:
    """Held notices of a subscription that is closed again never leave."""
    wire = Wire()
    (forwarded,) = wire.say([request("t_subscribe", "initial"), request("t_ask")])
    (subscription,) = wire.registry.of_owner(wire.session)
    assert wire.call("t_unsubscribe", subscription.id) is True
    assert wire.session.backlog.size == 0
    (answer,) = wire.resolve(forwarded.ticket, 0)
    assert isinstance(answer, list)


def test_silence_after_unsubscribe() -> None:
    """After the reply nothing of that subscription leaves, queued notices included."""
    wire = Wire()
    gone, kept = wire.call("t_subscribe"), wire.call("t_subscribe")
    wire.session.congest()
    wire.notify("one")
    assert wire.session.backlog.size == 2
    assert wire.call("t_unsubscribe", gone) is True
    assert wire.call("t_unsubscribe", gone) is False
    assert wire.session.backlog.size == 1
    wire.session.relieve(wire.out, 1_000_000)
    assert [message["params"]["subscription"] for message in wire.take()] == [kept]
    assert wire.session.direct is True


def test_subscription_of_another_connection_is_unknown() -> None:
    """An id belongs to its connection."""
    wire = Wire()
    other = Session(
        dialect=DIALECT,
        view=wire.view,
        registry=wire.registry,
        polled=wire.polled,
        owner=None,
        limits=Limits(),
    )
    identifier = wire.call("t_subscribe")
    out: list[Any] = []
    other.receive(orjson.dumps(request("t_unsubscribe", identifier)), 0.0, out)
    assert orjson.loads(out[0])["result"] is False


def test_congested_outlet_queues_in_order() -> None:
    """Notices wait while the outlet is full and leave in order, within the budget."""
    wire = Wire()
    wire.call("t_subscribe")
    wire.session.congest()
    for text in ("a", "b", "c"):
        assert wire.notify(text) == []
    wire.session.relieve(wire.out, 1)
    assert results(wire.take()) == ["a"]
    assert wire.session.direct is False
    assert wire.notify("d") == []
    wire.session.relieve(wire.out, 1_000_000)
    assert results(wire.take()) == ["b", "c", "d"]
    assert wire.session.direct is True
    assert results(wire.notify("e")) == ["e"]


@pytest.mark.parametrize("limits", [Limits(queued_notices=3), Limits(queued_bytes=250)])
def test_reaching_a_queue_limit_closes(limits: Limits) -> None:
    """Reaching the bound drops everything and closes with 1008."""
    wire = Wire(limits)
    wire.call("t_subscribe")
    wire.session.congest()
    assert wire.notify("a") == []
    assert wire.notify("b") == []
    assert wire.notify("c") == [Close(1008, "notification buffer overflow")]
    assert wire.session.closed
    assert len(wire.registry.of_owner(wire.session)) == 0
    assert wire.say(request("t_echo")) == []


def test_stalled_reader_is_closed_by_the_clock() -> None:
    """A reader with waiting notices that takes nothing for the limit is closed."""
    wire = Wire(Limits(stalled_s=10))
    wire.call("t_subscribe")
    wire.session.tick(0.0, wire.out)
    wire.session.congest()
    wire.notify("a")
    wire.session.tick(1.0, wire.out)
    wire.session.tick(10.5, wire.out)
    assert wire.take() == []
    wire.session.relieve(wire.out, 1_000)
    wire.take()
    wire.session.congest()
    wire.notify("b")
    wire.session.tick(20.0, wire.out)
    wire.session.tick(30.0, wire.out)
    assert wire.take() == [Close(1008, "nothing read for 10 s")]


def test_subscription_limit_is_a_fault() -> None:
    """One too many is refused, the others stay."""
    wire = Wire(Limits(subscriptions=1))
    wire.call("t_subscribe")
    assert wire.call("t_subscribe") == {"code": -32000, "message": "TooManySubscriptions"}


def test_polled_filter_goes_through_its_life() -> None:
    """Install, inspect, poll, uninstall."""
    wire = Wire()
    identifier = wire.call("t_install")
    assert wire.call("t_inspect", identifier) == "HeadFilter"
    assert wire.call("t_poll", identifier) == []
    assert wire.call("t_uninstall", identifier) is True
    assert wire.call("t_uninstall", identifier) is False
    assert wire.call("t_poll", identifier)["message"] == "FilterNotFound"
    assert wire.call("t_inspect", identifier)["message"] == "FilterNotFound"


def test_http_face_refuses_notifications() -> None:
    """Over plain HTTP nothing can be delivered, and malformed JSON has its own text."""
    wire = Wire(notifications=False, http=True)
    assert wire.call("t_subscribe") == {"code": -32601, "message": "notifications not supported"}
    assert wire.call("t_unsubscribe", "0x1") is False
    wire.session.receive(b"{", 0.0, wire.out)
    assert wire.take()[0]["error"]["message"] == "parse error"


def test_response_shaped_message_is_ignored() -> None:
    """An answer to nothing gets no answer."""
    assert Wire().say({"jsonrpc": "2.0", "id": 1, "result": 1}) == []


class Purse:
    """An account with a fixed sum; nobody else belongs to it but ``others``."""

    def __init__(self, units: int, *others: Session) -> None:
        self.units = units
        self.others = others

    def spend(self, cost: int, now: float) -> bool:
        """Take from the sum; ``now`` is what the request came with."""
        assert now == 7.0
        if cost > self.units:
            return False
        self.units -= cost
        return True

    def unsubscribe(self, subscription_id: str) -> bool:
        """Ask the others."""
        return any(other.unsubscribe(subscription_id) for other in self.others)


COSTLY = replace(DIALECT, costs=Costs(methods={"t_ask": 5, "t_free": 0}, default=2))


def test_requests_are_paid_for() -> None:
    """Each one costs what its method costs, unknown ones the default; without means it is 429."""
    wire = Wire(dialect=COSTLY, account=Purse(9))
    short = {"code": 429, "message": "throughput exceeded"}
    answers = [
        wire.say(request(method, request_id=method), now=7.0)
        for method in ("t_ask", "t_echo", "t_none", "t_echo", "t_free")
    ]
    assert isinstance(answers[0][0], Forwarded)
    assert [answer[0].get("error") for answer in answers[1:]] == [
        None,
        {"code": -32601, "message": "unknown t_none"},
        short,
        {"code": -32601, "message": "unknown t_free"},
    ]
    assert answers[3][0]["id"] == "t_echo"
    wire.session.receive(b'{"jsonrpc":"2.0","method":"t_subscribe"}', 7.0, wire.out)
    assert wire.take() == []
    assert len(wire.registry) == 0


def test_members_of_a_batch_are_paid_for_one_by_one() -> None:
    """What the account can pay is answered, the rest is refused in its place."""
    wire = Wire(dialect=COSTLY, account=Purse(4))
    (answer,) = wire.say([request("t_echo", request_id=number) for number in (1, 2, 3)], now=7.0)
    assert [(reply["id"], "error" in reply) for reply in answer] == [
        (1, False), (2, False), (3, True),
    ]  # fmt: skip


def test_concurrent_requests_are_bounded() -> None:
    """While the limit is unanswered, further requests are refused under their ids, batches too."""
    wire = Wire(Limits(concurrent_requests=2))
    first, second = (wire.say(request("t_ask"))[0] for _ in range(2))
    excess = {"code": 429, "message": "too many requests"}
    assert wire.say(request("t_echo", request_id="x")) == [
        {"jsonrpc": "2.0", "id": "x", "error": excess}
    ]
    (answer,) = wire.say([request("t_echo"), request("t_ask")])
    assert [reply["error"] for reply in answer] == [excess, excess]
    wire.resolve(first.ticket, 0)
    assert wire.call("t_echo", 1) == [1]
    (third,) = wire.say([request("t_ask"), request("t_ask")])
    assert wire.call("t_echo")["code"] == 429
    (fourth,) = wire.resolve(third.ticket, 0)
    wire.resolve(second.ticket, 0)
    assert [reply["result"] for reply in wire.resolve(fourth.ticket, 0)[0]] == [["got", 0]] * 2


def test_malformed_message_may_be_fatal() -> None:
    """A dialect that gives up after bad JSON closes with 1000 behind its answer; others do not."""
    strict = Wire(dialect=replace(DIALECT, fatal=frozenset({-32700})))
    assert strict.say([])[0]["error"]["code"] == -32600
    strict.session.receive(b"{", 0.0, strict.out)
    answer, close = strict.take()
    assert answer["error"]["code"] == -32700
    assert close == Close(1000, "")
    assert strict.say(request("t_echo")) == []
    wire = Wire()
    wire.session.receive(b"{", 0.0, wire.out)
    assert [answer["error"]["code"] for answer in wire.take()] == [-32700]
    assert wire.call("t_echo", 1) == [1]


def test_the_fault_of_a_whole_reply_is_remembered() -> None:
    """Whoever maps faults to statuses finds the last one; batches leave none."""
    wire = Wire()
    wire.say([request("t_refuse")])
    wire.call("t_echo")
    assert wire.session.fault is None
    for message, code in (
        (b"{", -32700),
        (orjson.dumps(request("t_refuse")), -32602),
        (orjson.dumps(request("t_unserialisable")), -32603),
    ):
        wire.session.receive(message, 0.0, wire.out)
        assert wire.session.fault is not None
        assert wire.session.fault.code == code


def test_over_http_the_subscriptions_of_the_account_can_be_closed() -> None:
    """An id of any connection of the same key is known there; of others it is not."""
    wire = Wire()
    identifier = wire.call("t_subscribe")
    wire.session.congest()
    wire.notify("waiting")
    wire.session.relieve([], 0)
    face: dict[str, Any] = {"notifications": False, "http": True, "dialect": COSTLY}
    stranger, friend = (
        Wire(account=Purse(99), **face),
        Wire(account=Purse(99, wire.session), **face),
    )
    for other, expected in ((stranger, False), (friend, True), (friend, False)):
        assert other.say(request("t_unsubscribe", identifier), now=7.0)[0]["result"] is expected
    assert wire.session.backlog.size == 0
    assert wire.session.direct
    assert wire.call("t_unsubscribe", identifier) is False


def test_closed_session_is_silent() -> None:
    """After ``close`` nothing comes out and nobody listens."""
    wire = Wire()
    wire.call("t_subscribe")
    (subscription,) = wire.registry.of_owner(wire.session)
    wire.say(request("t_ask"))
    wire.session.close()
    assert wire.resolve(1, 0) == []
    wire.session.deliver(subscription, ENVELOPE.render_notice(b"1", None), wire.out)
    assert wire.take() == []
    assert not subscription.active


def test_topics_are_watched_and_left() -> None:
    """The reply is plain; leaving is marked, for the last message is still to come."""
    wire = Wire()
    watches = wire.registry.watches
    assert wire.call("t_watch", "events", "A") is None
    assert wire.call("t_leave", "events") is None
    assert watches.of_owner(wire.session) == Standing(frozenset({"events"}), frozenset({"events"}))
    wire.session.close()
    assert len(watches) == 0


def test_a_refusal_may_watch_all_the_same() -> None:
    """Some nodes say that something was wrong and take the rest."""
    wire = Wire()
    assert wire.call("t_watch_and_refuse", "events") == {"code": -32000, "message": "partly"}
    assert wire.registry.watches.of_owner(wire.session) == Standing(frozenset({"events"}))


def test_watching_is_bounded() -> None:
    """Topics count as subscriptions, addresses as alternatives."""
    wire = Wire(Limits(subscriptions=1, alternatives=1))
    wire.call("t_watch", "events", "A")
    assert wire.call("t_watch", "events", "B") == {"code": -32000, "message": "TooManyAlternatives"}
    assert wire.call("t_watch", "heads") == {"code": -32000, "message": "TooManySubscriptions"}


def test_nothing_is_watched_where_nothing_can_be_delivered() -> None:
    """Over HTTP there are no blocks to hear of."""
    wire = Wire(notifications=False)
    for method in ("t_watch", "t_leave"):
        assert wire.call(method, "events") == {
            "code": -32601, "message": "notifications not supported",
        }  # fmt: skip
    assert len(wire.registry.watches) == 0


def test_a_message_of_a_block_waits_like_any_notice() -> None:
    """In order while the outlet is congested, also when nothing is watched any more by then."""
    wire = Wire()
    wire.call("t_watch", "events")
    ((_, (watcher,)),) = wire.registry.watches.groups()
    wire.session.deliver(watcher, JoinedNotice([b"[", b"1]"]), wire.out)
    assert wire.take() == [[1]]
    wire.session.congest()
    wire.session.deliver(watcher, JoinedNotice([b"[2", b"]"]), wire.out)
    wire.call("t_leave", "events")
    wire.registry.watches.settle()
    assert wire.session.backlog.size == 1
    wire.session.relieve(wire.out, 100)
    assert wire.take() == [[2]]


def test_notices_wait_for_the_reply_where_the_dialect_says_so() -> None:
    """While a request is unanswered they wait; then they leave behind its reply, in order."""
    wire = Wire(dialect=replace(DIALECT, notices_wait=True))
    wire.call("t_subscribe")
    assert wire.session.direct is True
    wire.say(request("t_ask", request_id=8))
    wire.say(request("t_ask", request_id=9))
    assert wire.session.direct is False
    assert wire.notify("one") == []
    (first,) = wire.resolve(1, 0)
    assert first["id"] == 8
    assert wire.notify("two") == []
    reply, *notices = wire.resolve(2, 0)
    assert reply["id"] == 9
    assert results(notices) == ["one", "two"]
    assert wire.session.direct is True


def test_notices_wait_for_each_step_of_a_request() -> None:
    """A call that leads to another is not answered in between, nor is a batch."""
    wire = Wire(dialect=replace(DIALECT, notices_wait=True))
    wire.call("t_subscribe")
    wire.say(request("t_twice"))
    (second,) = wire.resolve(1, 0)
    assert wire.notify("one") == []
    _, *notices = wire.resolve(second.ticket, 0)
    assert results(notices) == ["one"]
    wire.say([request("t_ask"), request("t_ask"), request("t_subscribe")])
    wire.resolve(3, 0)
    assert wire.notify("two") == []
    replies, *notices = wire.resolve(4, 0)
    assert len(replies) == 3
    assert results(notices) == ["two"]
    assert results(wire.notify("three")) == ["three", "three"]


def test_notices_that_wait_for_a_reply_are_bounded() -> None:
    """An answer that never comes does not fill the memory."""
    wire = Wire(Limits(queued_notices=2), replace(DIALECT, notices_wait=True))
    wire.call("t_subscribe")
    wire.say(request("t_ask"))
    assert wire.notify("one") == []
    assert wire.notify("two") == [Close(1008, "notification buffer overflow")]
    assert wire.resolve(1, 0) == []


def test_a_full_outlet_and_an_open_request_are_both_waited_for() -> None:
    """The reply leaves first, whatever the outlet does meanwhile."""
    wire = Wire(dialect=replace(DIALECT, notices_wait=True))
    wire.call("t_subscribe")
    wire.say(request("t_ask"))
    wire.session.congest()
    assert wire.notify("one") == []
    wire.session.relieve(wire.out, 1_000)
    assert wire.take() == []
    wire.session.congest()
    (reply,) = wire.resolve(1, 0)
    assert reply["result"] == ["got", 0]
    wire.session.relieve(wire.out, 1_000)
    assert results(wire.take()) == ["one"]


def ticked(wire: Wire, now: float) -> list[Any]:
    """Tell the session what time it is and return what comes out."""
    wire.session.tick(now, wire.out)
    return wire.take()


EXPIRING = replace(
    DIALECT,
    envelope=pushes.DIALECT.envelope,
    faults=replace(DIALECT.faults, expired=pushes.EXPIRED),
)


@pytest.mark.parametrize(
    ("message", "counts"),
    [
        (request("t_echo"), True),
        (request("t_none"), True),
        (request("t_refuse"), True),
        ([request("t_echo")], True),
        ({"jsonrpc": "1.0", "id": 1}, False),
        ([7], False),
        ([], False),
    ],
)
def test_who_asks_for_nothing_is_told_and_closed(message: Any, counts: bool) -> None:
    """``idle_s`` runs from the last message that names a method, whatever became of it."""
    wire = Wire(Limits(idle_s=300.0), EXPIRING, now=1_000.0)
    wire.say(message, now=1_290.0)
    assert ticked(wire, 1_300.0) == []
    over = [
        {"jsonrpc": "2.0", "id": None, "error": {"code": -32000, "message": "expired"}},
        Close(1000, "nothing asked for 300 s"),
    ]
    if counts:
        assert ticked(wire, 1_590.0) == []
        assert ticked(wire, 1_590.1) == over
    else:
        assert ticked(wire, 1_300.1) == over
    assert wire.session.closed
    assert ticked(wire, 5_000.0) == []


def test_a_request_with_a_fault_in_it_still_counts() -> None:
    """Where the language knows the method of a message that it refuses, somebody asked."""
    parse = ENVELOPE.parse

    def faulty(data: bytes, limits: Limits) -> Any:
        token, method, params, _ = parse(data, limits)  # type: ignore[misc]
        return token, method, params, Fault(code=7, message="bad")

    envelope = replace(ENVELOPE, parse=faulty)
    wire = Wire(Limits(idle_s=10.0), replace(DIALECT, envelope=envelope))
    wire.say(request("t_echo"), now=5.0)
    assert ticked(wire, 15.0) == []
    assert ticked(wire, 15.1) == [Close(1000, "nothing asked for 10 s")]


def test_notices_do_not_keep_a_connection() -> None:
    """Whoever only listens is closed, too."""
    wire = Wire(Limits(idle_s=10.0))
    wire.call("t_subscribe")
    assert len(wire.notify("news")) == 1
    assert ticked(wire, 10.5) == [Close(1000, "nothing asked for 10 s")]
    assert len(wire.registry) == 0


def test_without_a_bound_nobody_is_idle() -> None:
    """As long as it may be."""
    assert ticked(Wire(), 1e9) == []


def test_sessions_count_themselves() -> None:
    """Those with notifications, until they are closed, once."""
    wire = Wire()
    assert wire.view.sessions == 1
    for notifications in (True, False):
        other = Session(
            dialect=DIALECT,
            view=wire.view,
            registry=wire.registry,
            polled=wire.polled,
            owner=None,
            limits=Limits(),
            notifications=notifications,
        )
        assert wire.view.sessions == 1 + notifications
        other.close()
        other.close()
        assert wire.view.sessions == 1
