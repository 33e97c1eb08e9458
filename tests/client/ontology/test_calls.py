from typing import Any

import orjson
import pytest
from twisted.internet.task import Clock

from tests.client.test_sending import Line
from twisted_chainws.client.errors import BadAnswer, ConnectionLost, RpcError
from twisted_chainws.client.ontology.calls import Caller
from twisted_chainws.client.ontology.envelope import Nameless, Reply
from twisted_chainws.client.options import ClientOptions
from twisted_chainws.client.status import ClientEvent, Condition

REFUSAL = Nameless(RpcError(42001, "INVALID METHOD", ""))


class Stand:
    """A caller, and how its requests end."""

    def __init__(self) -> None:
        self.line, self.condition, self.clock = Line(), Condition(), Clock()
        line: Any = self.line
        self.caller = Caller(
            clock=self.clock, options=ClientOptions(), condition=self.condition, line=line
        )
        self.caller.flow()
        self.ends: dict[str, Any] = {}
        self.strays: list[Any] = []
        self.condition.on(ClientEvent.STRAY, self.strays.append)

    def call(self, action: str, **members: Any) -> None:
        self.caller.call(action, members).addBoth(
            lambda end: self.ends.update({action: getattr(end, "value", end)})
        )


def test_requests() -> None:
    """Ids count up; members are those of the call."""
    stand = Stand()
    stand.call("getblockheight")
    stand.call("getblockhash", Height=7)
    assert [orjson.loads(one) for one in stand.line.sent] == [
        {"Action": "getblockheight", "Version": "1.0.0", "Id": 1},
        {"Action": "getblockhash", "Version": "1.0.0", "Id": 2, "Height": 7},
    ]


def test_replies() -> None:
    """Each reply goes to its request, whatever the order; others belong to nothing."""
    stand = Stand()
    for action in "abc":
        stand.call(action)
    stand.caller.reply(Reply(2, "two", None))
    stand.caller.reply(Reply(1, None, BadAnswer("x")))
    stand.caller.reply(Reply(3, None, RpcError(1, "y")))
    assert stand.ends["b"] == "two"
    assert [type(stand.ends[name]) for name in "ac"] == [BadAnswer, RpcError]
    stand.caller.reply(Reply(2, "again", None))
    assert stand.condition.counters.strays == 1


def test_refusals_without_a_name() -> None:
    """They are of the oldest request without an answer."""
    stand = Stand()
    for action in "abc":
        stand.call(action)
    stand.caller.reply(Reply(1, "one", None))
    stand.caller.nameless(REFUSAL)
    stand.caller.reply(Reply(3, "three", None))
    assert stand.ends == {"a": "one", "b": REFUSAL.error, "c": "three"}
    stand.caller.nameless(REFUSAL)
    assert stand.strays == [REFUSAL.error]


def test_refusals_of_what_nobody_waits_for() -> None:
    """A request that was given up still has its place."""
    stand = Stand()
    stand.call("a")
    stand.clock.advance(20)
    stand.call("b")
    stand.clock.advance(15)
    assert set(stand.ends) == {"a"}
    stand.caller.nameless(REFUSAL)
    assert stand.strays == [REFUSAL.error]
    stand.caller.nameless(REFUSAL)
    assert stand.ends["b"] is REFUSAL.error


def test_another_connection() -> None:
    """What was asked over one connection is not refused over the next."""
    stand = Stand()
    stand.call("sendrawtransaction", Data="00")
    stand.caller.down()
    assert isinstance(stand.ends["sendrawtransaction"], ConnectionLost)
    stand.caller.nameless(REFUSAL)
    assert stand.strays == [REFUSAL.error]


@pytest.mark.parametrize(
    ("action", "members", "again"),
    [
        ("getblockheight", {}, True),
        ("subscribe", {"SubscribeEvent": True}, True),
        ("sendrawtransaction", {"Data": "00", "PreExec": "1"}, True),
        ("sendrawtransaction", {"Data": "00", "PreExec": "0"}, False),
        ("sendrawtransaction", {"Data": "00", "PreExec": 1}, False),
        ("sendrawtransaction", {"Data": "00"}, False),
    ],
)
def test_what_is_asked_again(action: str, members: Any, again: bool) -> None:
    """All but what really sends a transaction is asked again over another connection."""
    stand = Stand()
    stand.call(action, **members)
    stand.caller.down()
    stand.caller.flow()
    assert len(stand.line.sent) == 1 + again
    assert (action not in stand.ends) is again


def test_when_something_was_asked() -> None:
    """The time of the last request is known; what cannot go does not count."""
    stand = Stand()
    stand.clock.advance(5)
    stand.call("a")
    stand.clock.advance(5)
    stand.line.is_up = False
    stand.call("b")
    assert stand.caller.sent_at == 5.0
    stand.line.is_up = True
    stand.caller.flow()
    assert stand.caller.sent_at == 10.0
