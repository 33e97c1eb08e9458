from typing import Any

import pytest

from twisted_chainws.client.status import ClientEvent, Condition, State, Status
from twisted_chainws.websocket import WebSocketError


def test_changes_are_told_once() -> None:
    """A change is told, the same again is not, and after the end nothing is."""
    condition = Condition()
    seen: list[Any] = []
    assert condition.on("state", seen.append) == seen.append
    condition.change(State.CONNECTING)
    condition.change(State.CONNECTING)
    condition.change(State.DOWN, "lost", 1006)
    condition.change(State.DOWN, "lost", 1001)
    condition.change(State.CLOSED)
    condition.change(State.OPEN)
    assert seen == [
        Status(State.CONNECTING),
        Status(State.DOWN, "lost", 1006),
        Status(State.DOWN, "lost", 1001),
        Status(State.CLOSED),
    ]
    assert condition.state is State.CLOSED


def test_listeners() -> None:
    """Listeners come and go; there are no other events."""
    condition = Condition()
    seen: list[Any] = []

    @condition.on(ClientEvent.STRAY)
    def listen(value: Any) -> None:
        seen.append(value)

    condition.tell(ClientEvent.STRAY, 1)
    condition.off("stray", listen)
    condition.tell(ClientEvent.STRAY, 2)
    assert seen == [1]
    with pytest.raises(WebSocketError):
        condition.on("nothing", listen)
