from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import CancelledError

from twisted_chainws.websocket.codes import ConnectionClosed, NotOpen, WebSocketError
from twisted_chainws.websocket.mailbox import Mailbox
from twisted_chainws.websocket.values import CloseResult


class Box:
    """A mailbox, whether reading is on hold, and what takers got."""

    def __init__(self, size: int = 4, *, keeping: bool = True) -> None:
        self.held = False
        self.got: list[Any] = []
        self.mailbox = Mailbox(
            size=size, keeping=keeping, hold=lambda: self._hold(True), release=self._release
        )

    def _hold(self, held: bool) -> None:
        self.held = held

    def _release(self) -> None:
        self.held = False

    def take(self) -> Any:
        return self.mailbox.take().addBoth(lambda end: self.got.append(getattr(end, "value", end)))


def test_kept_messages_come_in_order() -> None:
    """Messages wait in their order, empty ones too."""
    box = Box()
    for message in ("a", b"", ""):
        box.mailbox.put(message)
    for _ in range(3):
        box.take()
    assert box.got == ["a", b"", ""]


def test_a_waiter_gets_the_next_message() -> None:
    """Who waits gets the next message, and it is not kept."""
    box = Box()
    box.take()
    box.mailbox.put("a")
    box.mailbox.put("b")
    assert box.got == ["a"]
    box.take()
    assert box.got == ["a", "b"]


def test_nobody_asked() -> None:
    """Before anybody asks for a message none is kept, and reading goes on."""
    box = Box(keeping=False)
    for _ in range(10):
        box.mailbox.put("lost")
    assert not box.held
    box.take()
    box.mailbox.put("kept")
    box.mailbox.put("too")
    box.take()
    assert box.got == ["kept", "too"]


@pytest.mark.parametrize(("size", "rest"), [(4, 2), (1, 0), (3, 1)])
def test_full_box_holds_reading(size: int, rest: int) -> None:
    """Reading stops at the size and goes on when half of it is taken."""
    box = Box(size)
    for number in range(size):
        assert not box.held
        box.mailbox.put(str(number))
    for left in range(size - 1, -1, -1):
        assert box.held
        box.take()
        if left == rest:
            break
    assert not box.held


def test_end_after_the_kept_messages() -> None:
    """What was kept can be taken after the end; then comes ConnectionClosed, each time."""
    box = Box()
    box.mailbox.put("a")
    box.mailbox.end(CloseResult(4000, "over"))
    for _ in range(3):
        box.take()
    assert box.got[0] == "a"
    assert [type(one) for one in box.got[1:]] == [ConnectionClosed, ConnectionClosed]
    assert box.got[1].close_result == CloseResult(4000, "over")


def test_end_and_failure_reach_a_waiter() -> None:
    """Who waits learns that there will be no message, and why."""
    ended, broken = Box(), Box()
    ended.take()
    ended.mailbox.end(CloseResult(1000, ""))
    error = WebSocketError(200)
    broken.take()
    broken.mailbox.fail(error)
    assert isinstance(ended.got[0], ConnectionClosed)
    assert broken.got == [error]


def test_two_waiters() -> None:
    """There is one waiter at a time."""
    box = Box()
    box.take()
    box.take()
    assert isinstance(box.got[0], NotOpen)
    box.mailbox.put("a")
    assert box.got[1] == "a"


def test_cancelled_waiter_loses_nothing() -> None:
    """A waiter that gave up does not take the next message along."""
    box = Box()
    waiting = box.take()
    waiting.cancel()
    box.mailbox.put("a")
    box.take()
    assert isinstance(box.got[0], CancelledError)
    assert box.got[1] == "a"


@given(st.lists(st.booleans()))
def test_nothing_is_lost_or_turned_around(steps: list[bool]) -> None:
    """Whatever the order of putting and taking, what is taken is what was put."""
    box = Box()
    put = taken = 0
    for puts in steps:
        if puts:
            box.mailbox.put(str(put))
            put += 1
        elif taken <= put:
            box.take()
            taken += 1
    assert box.got == [str(number) for number in range(min(put, taken))]
