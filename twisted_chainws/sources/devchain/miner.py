"""The timer of interval mining. It lives in the parent, whose clock can be a fake."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from twisted_chainws.errors import ChainwsError

__all__ = ["IntervalMiner"]

_log: Final = Logger()


class IntervalMiner:
    """Asks for a block every so many seconds; a block that takes longer delays the next."""

    def __init__(self, *, clock: IReactorTime, mine: Callable[[], Awaitable[Any]]) -> None:
        self._clock = clock
        self._mine = mine
        self._loop: LoopingCall | None = None

    def set_interval(self, seconds: float | None) -> None:
        """Mine every ``seconds``, the first time after that long; None or 0 stops."""
        if self._loop is not None:
            self._loop.stop()
            self._loop = None
        if seconds:
            self._loop = LoopingCall(self._tick)
            self._loop.clock = self._clock
            self._loop.start(seconds, now=False).addErrback(
                lambda failure: _log.failure("interval mining stopped", failure=failure)
            )

    def _tick(self) -> "Deferred[None]":
        return ensureDeferred(self._mine_one())

    async def _mine_one(self) -> None:
        try:
            await self._mine()
        except ChainwsError as error:
            # The engine was restarted or is gone: the next tick tries again.
            _log.warn("no block was mined: {error}", error=error)
