"""A reactor whose sockets are real and whose time is not."""

from collections.abc import Callable
from typing import Any

from twisted.internet.task import Clock

from tests.server.peer import pause, reactor


class Warp:
    """The reactor with another clock; everything else is the reactor's."""

    def __init__(self) -> None:
        self._clock = Clock()
        self._clock.rightNow = 1_000.0

    def __getattr__(self, name: str) -> Any:
        return getattr(reactor, name)

    def callLater(self, delay: float, function: Callable[..., Any], *args: Any, **more: Any) -> Any:
        return self._clock.callLater(delay, function, *args, **more)

    def seconds(self) -> float:
        return self._clock.seconds()

    @property
    def calls(self) -> list[Any]:
        """The delayed calls that there are."""
        return list(self._clock.getDelayedCalls())

    async def until(self, condition: Callable[[], bool], most_s: float = 0.0) -> float:
        """Let time pass until something holds, and return how much; sockets get their turns."""
        began = self.seconds()
        turns = 0
        while not condition():
            turns += 1
            assert turns < 5_000, f"after {self.seconds() - began} s"
            await pause(0.001)
            # Time stands still for as long as sockets may have something to say.
            if turns % 5 == 0 and self.seconds() - began < most_s:
                self._clock.advance(0.5)
            else:
                self._clock.advance(0)
        return self.seconds() - began
