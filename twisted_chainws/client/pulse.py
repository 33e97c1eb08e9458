"""Questions after silence, and the deadline for any message.

Unlike ``websocket.heartbeat`` it goes by messages: a proxy may answer pings for a server that is
long gone.

Source: ``ethereum.md`` 6.3 point 2.
"""

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IDelayedCall

__all__ = ["Pulse"]


class Pulse:
    """The timer of one open connection."""

    def __init__(
        self,
        *,
        clock: Any,
        silence_s: float,
        answer_s: float,
        ask: Callable[[], None],
        received: Callable[[], int],
        dead: Callable[[], None],
    ) -> None:
        """Prepare; ``start`` starts.

        Args:
            clock: reactor.
            silence_s: seconds without a message after which to ask; 0 for never.
            answer_s: seconds after which the other end counts as dead.
            ask: sends a question.
            received: bytes that came so far: a long message may need more than ``answer_s``.
            dead: nothing came.
        """
        self._clock = clock
        self._silence_s = silence_s
        self._answer_s = answer_s
        self._ask = ask
        self._received = received
        self._dead = dead
        self._timer: IDelayedCall | None = None
        self._heard = 0.0
        self._asked_at = 0.0
        self._bytes = 0

    def start(self) -> None:
        """Begin to count."""
        self.heard()
        if self._silence_s:
            self._timer = self._clock.callLater(self._silence_s, self._check)

    def heard(self) -> None:
        """Take note of a message."""
        self._heard = self._clock.seconds()

    def stop(self) -> None:
        """Stop, until the next ``start``."""
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None

    def _check(self) -> None:
        rest = self._heard + self._silence_s - self._clock.seconds()
        if rest > 0:
            self._timer = self._clock.callLater(rest, self._check)
            return
        self._asked_at = self._clock.seconds()
        self._bytes = self._received()
        self._timer = self._clock.callLater(self._answer_s, self._judge)
        self._ask()

    def _judge(self) -> None:
        received = self._received()
        if self._heard < self._asked_at and received - self._bytes <= _OF_NO_WEIGHT:
            self._timer = None
            self._dead()
            return
        self._bytes = received
        if self._heard < self._asked_at:
            self._timer = self._clock.callLater(self._answer_s, self._judge)
            return
        self._check()


_OF_NO_WEIGHT = 1024
"""Bytes that prove nothing: pongs, which others may send for the server."""
