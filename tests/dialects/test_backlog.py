"""Notices that wait, without a session around them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_chainws.dialects.backlog import Backlog, text_of
from twisted_chainws.dialects.limits import Limits
from twisted_chainws.dialects.notice import Notice
from twisted_chainws.subscriptions.filters import HeadFilter
from twisted_chainws.subscriptions.registry import Subscription


def subscription(name: str) -> Subscription:
    """Make a subscription; only its id counts here."""
    return Subscription(
        subscription_id=name, wanted=HeadFilter(), encode=bytes, owner=None, cursor=False
    )


A, B = subscription("a"), subscription("b")
NOTICE = Notice(b"<", b">")


def drained(backlog: Backlog, budget: int = 1_000) -> list[Any]:
    """Take what may leave."""
    out: list[Any] = []
    backlog.relieve(out, budget)
    return out


def test_nothing_waits_while_the_way_is_free() -> None:
    """A notice passes when nothing waits before it."""
    backlog = Backlog()
    assert backlog.free
    assert not backlog.keep(A, NOTICE)
    assert (backlog.size, backlog.high_water, backlog.dropped) == (0, 0, 0)


def test_queued_notices_leave_in_order_within_the_budget() -> None:
    """Each relief takes about as many bytes as it may; later notices wait behind the rest."""
    backlog = Backlog()
    backlog.congest()
    assert all(backlog.keep(each, NOTICE) for each in (A, B, A))
    assert drained(backlog, 1) == [b"<a>"]
    assert not backlog.free
    assert backlog.keep(B, NOTICE)
    assert drained(backlog) == [b"<b>", b"<a>", b"<b>"]
    assert backlog.free
    assert (backlog.size, backlog.high_water, backlog.dropped) == (0, 3, 0)


def test_held_notices_wait_for_their_release_only() -> None:
    """Another subscription is not held back; what was held is returned and no longer counts."""
    backlog = Backlog()
    backlog.hold(A)
    assert not backlog.free
    assert backlog.keep(A, NOTICE)
    assert not backlog.keep(B, NOTICE)
    assert drained(backlog) == []
    assert backlog.release(A) == [NOTICE]
    assert backlog.release(A) == []
    assert backlog.free
    assert (backlog.size, backlog.high_water) == (0, 1)


@pytest.mark.parametrize("limits", [Limits(queued_notices=2), Limits(queued_bytes=4)])
def test_the_bounds_are_reached_not_passed(limits: Limits) -> None:
    """As many notices or bytes as the limit are too many, held ones included."""
    backlog = Backlog()
    backlog.hold(A)
    backlog.congest()
    backlog.keep(A, NOTICE)
    assert not backlog.full(limits)
    backlog.keep(B, NOTICE)
    assert backlog.full(limits)


def test_what_is_thrown_away_is_counted() -> None:
    """The end of a connection drops what waits; an unsubscribed notice is no loss."""
    backlog = Backlog()
    backlog.hold(B)
    backlog.congest()
    for each in (A, B, A, B):
        backlog.keep(each, NOTICE)
    backlog.forget(B)
    assert (backlog.size, backlog.dropped) == (2, 0)
    backlog.drop()
    assert (backlog.size, backlog.high_water, backlog.dropped) == (0, 4, 2)
    assert drained(backlog) == []


def test_a_stall_is_waiting_without_progress() -> None:
    """The time counts from the first look with something queued, and begins anew after relief."""
    backlog = Backlog()
    assert not backlog.stalled(0.0, 5.0)
    backlog.congest()
    assert not backlog.stalled(1.0, 5.0)
    backlog.keep(A, NOTICE)
    assert [backlog.stalled(now, 5.0) for now in (2.0, 6.9, 7.0)] == [False, False, True]
    drained(backlog, 0)
    backlog.congest()
    assert [backlog.stalled(now, 5.0) for now in (8.0, 13.0)] == [False, True]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["keep", "congest", "relieve", "hold", "release", "forget"]),
        st.sampled_from([A, B]),
    )
)


@given(STEPS)
def test_figures_are_right_whatever_happens(steps: list[tuple[str, Subscription]]) -> None:
    """The count is what is there, and never leaves zero behind."""
    backlog = Backlog()
    seen = 0
    for step, each in steps:
        if step == "keep":
            backlog.keep(each, NOTICE)
        elif step == "relieve":
            drained(backlog, 3)
        elif step == "congest":
            backlog.congest()
        else:
            getattr(backlog, step)(each)
        held = sum(len(notices) for notices in backlog._held.values())
        assert backlog.size == held + len(backlog._queue)
        assert backlog._bytes == backlog.size * NOTICE.size
        seen = max(seen, backlog.size)
    assert backlog.high_water == seen
    assert text_of(A, NOTICE) == b"<a>"


def test_blocked_notices_leave_at_once_behind_the_reply() -> None:
    """All that waited goes, in order, and then the way is free again."""
    backlog = Backlog()
    backlog.block()
    assert not backlog.free
    assert backlog.keep(A, NOTICE)
    assert backlog.keep(B, NOTICE)
    assert not backlog.relievable
    assert drained(backlog) == []
    out: list[Any] = []
    backlog.unblock(out)
    assert out == [b"<a>", b"<b>"]
    assert backlog.free
    assert backlog.size == 0


def test_notices_without_a_text_leave_like_others() -> None:
    """However little they weigh, none stays behind."""
    backlog = Backlog()
    backlog.block()
    empty = Notice(b"", b"")
    assert all(backlog.keep(A, empty) for _ in range(3))
    out: list[Any] = []
    backlog.unblock(out)
    assert out == [b"a"] * 3


def test_a_full_outlet_keeps_what_a_reply_let_go() -> None:
    """Both reasons to wait must be over, whichever ends first."""
    backlog = Backlog()
    backlog.congest()
    backlog.block()
    assert backlog.keep(A, NOTICE)
    out: list[Any] = []
    backlog.unblock(out)
    assert out == []
    assert not backlog.relievable
    assert drained(backlog, 1) == [b"<a>"]
    backlog.congest()
    assert backlog.keep(A, NOTICE)
    assert backlog.keep(B, NOTICE)
    assert drained(backlog, 1) == [b"<a>"]
    assert backlog.relievable
    backlog.block()
    assert not backlog.relievable
    backlog.unblock(out)
    assert out == [b"<b>"]
