"""Pings after a silence, and the deadline for a sign of life.

Whose silence counts is the owner's choice, who sets ``quiet_since``: chain listeners count from our
own latest message, the WebSocket objects from the latest that the peer wrote. Bytes count, not ends
of frames, so a long frame that trickles in is no silence. Any byte from the peer, and any byte of
ours that it reads, is a sign of life.

Source: ``ohos-websocket.md`` 4.7; for chain listeners ``ethereum.md`` 1.2 (go-ethereum
``rpc/websocket.go`` pingLoop).
"""

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IDelayedCall

__all__ = ["Heartbeat"]


class Heartbeat:
    """The two timers of one open connection.

    Attributes:
        quiet_since: reactor seconds of the write after which the silence counts; the owner sets it.
        waiting: True from a ping until a sign of life.
    """

    __slots__ = (
        "_clock", "_interval_s", "_lost", "_ping", "_suspended", "_timeout_s", "_timer",
        "quiet_since", "waiting",
    )  # fmt: skip

    def __init__(
        self,
        *,
        clock: Any,
        interval_s: float,
        timeout_s: float,
        ping: Callable[[], None],
        suspended: Callable[[], bool],
        lost: Callable[[], None],
    ) -> None:
        """Prepare; ``start`` starts.

        Args:
            clock: reactor.
            interval_s: silence after which to ping; 0 for never.
            timeout_s: silence of the peer after a ping that ends the connection.
            ping: sends one.
            suspended: whether we ourselves do not read, so that silence proves nothing.
            lost: the peer is gone.
        """
        self._clock = clock
        self._interval_s = interval_s
        self._timeout_s = timeout_s
        self._ping = ping
        self._suspended = suspended
        self._lost = lost
        self._timer: IDelayedCall | None = None
        self.quiet_since = 0.0
        self.waiting = False

    def start(self) -> None:
        """Begin to count."""
        self.quiet_since = self._clock.seconds()
        self._wait(self._interval_s)

    def alive(self) -> None:
        """Take a sign of life; of interest only while ``waiting``."""
        if self.waiting:
            self.stop()
            self._wait(self._interval_s)

    def stop(self) -> None:
        """Stop for good, or until the next ``start``."""
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None
        self.waiting = False

    def _wait(self, delay: float) -> None:
        if self._interval_s > 0:
            self._timer = self._clock.callLater(delay, self._check)

    def _check(self) -> None:
        now = self._clock.seconds()
        rest = self.quiet_since + self._interval_s - now
        if rest > 0:
            self._wait(rest)
            return
        self.quiet_since = now
        self.waiting = True
        self._timer = self._clock.callLater(self._timeout_s, self._silent)
        self._ping()

    def _silent(self) -> None:
        self.waiting = False
        if self._suspended():
            self._wait(self._interval_s)
        else:
            self._lost()
