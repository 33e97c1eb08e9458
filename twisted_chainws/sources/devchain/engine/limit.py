"""A time limit for interruptible work."""

import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import TypeVar

T = TypeVar("T")


class TimeUp(BaseException):
    """The time of `within` is over.

    A BaseException, because py-evm swallows every Exception while it reads authorizations.
    """


class _Alarm:
    armed = False


def _ring(_signal: int, _frame: FrameType | None) -> None:
    if _Alarm.armed:
        raise TimeUp


def forget_lost_alarms() -> None:
    """Let no word be printed of an alarm that fell into a ``__del__``; the next one works."""
    report = sys.unraisablehook

    def hook(unraisable: "sys.UnraisableHookArgs") -> None:
        if unraisable.exc_type is not TimeUp:
            report(unraisable)

    sys.unraisablehook = hook


def within(seconds: float, job: Callable[[], T]) -> T:
    """Run ``job`` in the main thread and give up after ``seconds``.

    The job may stop at any point, so whatever states and drafts it was working on must be dropped.
    Code that writes (sealing, editing, committing) never runs in here.

    Raises:
        TimeUp: the time is over.
    """
    signal.signal(signal.SIGALRM, _ring)
    try:
        try:
            _Alarm.armed = True
            # Repeating: an alarm that falls into a __del__ is printed and lost.
            signal.setitimer(signal.ITIMER_REAL, seconds, seconds)
            return job()
        finally:
            # First thing, before any call: another alarm may already be on its way.
            _Alarm.armed = False
            signal.setitimer(signal.ITIMER_REAL, 0)
    except TimeUp:
        _Alarm.armed = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        raise
