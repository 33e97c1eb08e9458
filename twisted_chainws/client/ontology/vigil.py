"""Questions that keep a session alive.

Nodes end the connection of who asks nothing for 300 seconds, however much they push to it.

Source: ``ontology.md`` 3.
"""

from collections.abc import Callable
from typing import Any, Final

from twisted.internet.interfaces import IDelayedCall

__all__ = ["SILENCE_S", "Vigil"]

SILENCE_S: Final = 60.0
"""Seconds without a request after which one is made."""


class Vigil:
    """The timer of one open connection."""

    def __init__(
        self, *, clock: Any, asked_at: Callable[[], float], ask: Callable[[], object]
    ) -> None:
        """Prepare.

        Args:
            clock: reactor.
            asked_at: when the last request went out, in seconds of the clock.
            ask: asks something.
        """
        self._clock = clock
        self._asked_at = asked_at
        self._ask = ask
        self._timer: IDelayedCall | None = None

    def start(self) -> None:
        """Begin to count."""
        self._timer = self._clock.callLater(SILENCE_S, self._check)

    def stop(self) -> None:
        """Stop, until the next ``start``."""
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None

    def _check(self) -> None:
        silence = self._clock.seconds() - self._asked_at()
        if silence >= SILENCE_S:
            silence = 0.0
            self._ask()
        self._timer = self._clock.callLater(SILENCE_S - silence, self._check)
