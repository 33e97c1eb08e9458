from collections.abc import Sequence
from typing import Any

import pytest
from twisted.internet.task import Clock

from twisted_chainws.client.errors import ClientClosed, ConnectionLost, Misuse
from twisted_chainws.client.options import ClientOptions
from twisted_chainws.client.requests import Request
from twisted_chainws.client.sending import RequestSender
from twisted_chainws.client.status import Condition
from twisted_chainws.websocket import ErrorCode, WebSocketError


class Line:
    """A line that writes down what goes over it."""

    def __init__(self) -> None:
        self.is_up = True
        self.sent: list[str] = []

    def send(self, text: str) -> None:
        assert self.is_up
        if len(text) > 100:
            raise WebSocketError(ErrorCode.PARAMETER_ERROR, data="too long")
        self.sent.append(text)


class Sender(RequestSender):
    """Writes requests as keys and names; what begins with ``get`` may be asked twice."""

    def _is_repeatable(self, method: str, params: Any) -> bool:
        return method.startswith("get") and params is None

    def _render(self, requests: Sequence[Request]) -> str:
        if any(one.method == "bad" for one in requests):
            raise Misuse("bad")
        return " ".join(f"{one.key}{one.method}" for one in requests)


class Stand:
    """A sender, and how what it sends ends."""

    def __init__(self) -> None:
        self.line, self.condition = Line(), Condition()
        line: Any = self.line
        self.sender = Sender(
            clock=Clock(), options=ClientOptions(), condition=self.condition, line=line
        )
        self.sender.flow()
        self.ends: dict[str, Any] = {}

    def call(self, method: str, params: Any = None, **more: Any) -> None:
        self.sender.call(method, params, **more).addBoth(
            lambda end: self.ends.update({method: getattr(end, "value", end)})
        )


def test_what_may_go() -> None:
    """Until requests flow only urgent ones go; without a line none, and then all in their order."""
    stand = Stand()
    stand.sender.flowing = False
    stand.call("get1")
    stand.call("get2", urgent=True)
    assert stand.line.sent == ["2get2"]
    stand.line.is_up = False
    stand.sender.flow()
    stand.call("get3")
    assert stand.line.sent == ["2get2"]
    stand.line.is_up = True
    stand.sender.flow()
    assert stand.line.sent == ["2get2", "1get1", "3get3"]


def test_lost_connections() -> None:
    """What may be asked twice is, the rest fails; the caller's word goes above the method's."""
    stand = Stand()
    for method, params, repeatable in (
        ("get1", None, None),
        ("get2", "x", None),
        ("set3", None, None),
        ("set4", None, True),
        ("get5", None, False),
    ):
        stand.call(method, params, repeatable=repeatable)
    stand.line.sent.clear()
    stand.sender.down()
    assert {name: type(end) for name, end in stand.ends.items()} == dict.fromkeys(
        ("get2", "set3", "get5"), ConnectionLost
    )
    assert stand.condition.counters.resent == 2
    stand.sender.flow()
    assert stand.line.sent == ["1get1", "4set4"]
    stand.sender.down()
    assert isinstance(stand.ends["get1"], ConnectionLost)
    assert stand.condition.counters.resent == 2


@pytest.mark.parametrize(("method", "message"), [("bad", "bad"), ("x" * 101, "params: ")])
def test_what_cannot_be_sent(method: str, message: str) -> None:
    """What cannot be written, or is too long, fails at once, and nothing else does."""
    stand = Stand()
    stand.call(method)
    stand.call("get")
    assert isinstance(stand.ends.pop(method), Misuse)
    assert (stand.ends, stand.line.sent) == ({}, ["2get"])
    stand = Stand()
    stand.sender.call(method, None).addErrback(
        lambda failure: stand.ends.update({method: str(failure.value)})
    )
    assert stand.ends[method].startswith(message)


def test_the_end() -> None:
    """All that has no answer fails with the reason of the end."""
    stand = Stand()
    stand.call("get1")
    stand.sender.end(ClientClosed("closed"))
    assert isinstance(stand.ends["get1"], ClientClosed)
