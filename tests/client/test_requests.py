from typing import Any

from twisted.internet.task import Clock

from twisted_chainws.client.errors import (
    BadAnswer,
    ClientClosed,
    ConnectionLost,
    Misuse,
    RequestTimeout,
)
from twisted_chainws.client.requests import Group, Request, RequestTable
from twisted_chainws.client.status import Counters


class Stand:
    """A table on a virtual clock, and how its requests ended."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.counters = Counters()
        self.table = RequestTable(self.clock, self.counters)
        self.ends: dict[int, Any] = {}

    def add(self, key: int, *, repeatable: bool = True, sent: bool = True, **more: Any) -> Request:
        request = Request(key, "m", [], repeatable=repeatable, **more)
        self.table.add(request, 30)
        request.sent = sent
        request.outcome.addCallbacks(
            lambda result: self.ends.update({key: result}),
            lambda failure: self.ends.update({key: failure.value}),
        )
        return request


def test_answers() -> None:
    """Each request gets its own end, once, and leaves no timer."""
    stand = Stand()
    first, second = stand.add(1), stand.add(2)
    assert len(stand.table) == 2
    assert stand.table.get(1) is first
    stand.table.succeed(first, "result")
    stand.table.fail(second, BadAnswer("x"))
    stand.table.succeed(second, "late")
    stand.table.fail(first, Misuse("late"))
    assert stand.ends[1] == "result"
    assert type(stand.ends[2]) is BadAnswer
    assert stand.table.get(1) is None
    assert stand.clock.getDelayedCalls() == []


def test_deadlines() -> None:
    """Time runs from the call on, whatever happens in between."""
    stand = Stand()
    stand.add(1)
    stand.add(2, sent=False)
    third = stand.add(3)
    stand.clock.advance(29)
    stand.table.lost()
    stand.table.hold_back(third, 100, lambda: None)
    stand.clock.advance(1)
    assert [type(stand.ends[key]) for key in (1, 2, 3)] == [RequestTimeout] * 3
    assert [stand.ends[key].maybe_sent for key in (1, 2, 3)] == [True, False, True]
    assert stand.counters.timeouts == 3
    assert stand.clock.getDelayedCalls() == []


def test_lost_connections() -> None:
    """What may be repeated waits, once; the rest fails; what was not sent is not concerned."""
    stand = Stand()
    group = Group()
    read = stand.add(1, group=group)
    stand.add(2, repeatable=False)
    unsent = stand.add(3, repeatable=False, sent=False)
    assert group.keys == [1]
    stand.table.lost()
    assert type(stand.ends[2]) is ConnectionLost
    assert stand.ends[2].maybe_sent
    assert stand.table.waiting() == [read, unsent]
    assert read.group is None
    read.sent = True
    assert stand.table.under_way() == [read]
    stand.table.lost()
    assert type(stand.ends[1]) is ConnectionLost
    assert stand.table.waiting() == [unsent]


def test_held_back() -> None:
    """What is held back does not wait with the others until its time has come."""
    stand = Stand()
    request = stand.add(1, group=Group())
    called: list[int] = []
    stand.table.hold_back(request, 1, lambda: called.append(1))
    assert stand.table.waiting() == stand.table.under_way() == []
    stand.clock.advance(1)
    assert called == [1]
    assert stand.table.waiting() == [request]


def test_cancelled_and_closed() -> None:
    """Who cancels is forgotten; in the end everybody fails."""
    stand = Stand()
    first = stand.add(1)
    stand.add(2)
    first.outcome.cancel()
    assert stand.table.take(1) is None
    stand.table.fail_all(ClientClosed("x"))
    assert type(stand.ends[2]) is ClientClosed
    assert len(stand.table) == 0
    assert stand.clock.getDelayedCalls() == []
