"""Fetching what was missed: plans that ask, and trying again when that fails.

Source: ``ethereum.md`` 6.1, 6.3 points 5 and 7; ``zilliqa.md`` 5.1 point 3.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Generator
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as TookTooLong
from twisted.logger import Logger

from twisted_chainws.client.errors import ClientError
from twisted_chainws.client.heads import Ask, Found, Unreachable
from twisted_chainws.client.options import ClientOptions
from twisted_chainws.client.promise import promise, sleep

__all__ = ["FETCH_FAILURES", "Fetcher", "TookTooLong"]

T = TypeVar("T")
FETCH_FAILURES = (ClientError, Unreachable, TookTooLong)
"""What fetching may fail with, after all tries."""

_LONGEST_WAIT_S = 30.0


class Fetcher(ABC):
    """Fetches from one server; a subclass knows how it is asked."""

    _log = Logger()

    def __init__(self, *, clock: Any, options: ClientOptions) -> None:
        """Prepare.

        Args:
            clock: reactor.
            options: of the client.
        """
        self._clock = clock
        self._options = options

    @abstractmethod
    async def answer(self, ask: Ask) -> Found:
        """Fetch what a plan asks for."""

    async def run(self, plan: Generator[Ask, Found, T]) -> T:
        """Give a plan all it asks for, and return what it makes of it."""
        try:
            ask = next(plan)
            while True:
                ask = plan.send(await self.answer(ask))
        except StopIteration as done:
            result: T = done.value
            return result

    async def tries(self, attempt: Callable[[], Coroutine[Deferred[Any], Any, T]]) -> T:
        """Do something until it succeeds, as often and as long as the options allow.

        Raises:
            ClientError: the last failure; Unreachable, or TookTooLong.
        """
        trying = promise(self._tries(attempt))
        return await trying.addTimeout(self._options.backfill_timeout_s, self._clock)

    async def _tries(self, attempt: Callable[[], Coroutine[Deferred[Any], Any, T]]) -> T:
        number = 0
        while True:
            try:
                return await attempt()
            except FETCH_FAILURES as failure:
                number += 1
                if number >= self._options.backfill_tries:
                    raise
                self._log.debug("fetching failed: {failure}", failure=str(failure))
            # At once first, then after 1, 2, 4 … seconds.
            wait = 0.0 if number == 1 else min(_LONGEST_WAIT_S, 2.0 ** (number - 2))
            await sleep(self._clock, wait)
