"""Exact timers in the place of Autobahn's batched ones.

The batched timer cuts deadlines to whole seconds: timeouts come up to a second early, and a ping
interval below a second becomes a flood. It also ignores the reactor it was given.
"""

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IDelayedCall, IReactorTime

__all__ = ["ReactorTimers", "Timer"]


class Timer:
    """One running timer whose ``cancel`` may be called at any time, any number of times."""

    __slots__ = ("_call",)

    def __init__(self, call: IDelayedCall) -> None:
        self._call = call

    def cancel(self) -> None:
        """Stop the timer unless it has fired or was stopped before."""
        if self._call.active():
            self._call.cancel()


class ReactorTimers:
    """Speaks the interface of Autobahn's ``_batched_timer`` on a plain reactor clock."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock

    def call_later(self, delay: float, function: Callable[..., Any], *arguments: Any) -> Timer:
        """Call ``function(*arguments)`` after ``delay`` seconds, not earlier."""
        return Timer(self._clock.callLater(delay, function, *arguments))
