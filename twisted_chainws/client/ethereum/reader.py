"""Blocks and logs fetched from the server, and trying again when that fails.

Source: ``ethereum.md`` 6.1, 6.3 points 5 and 7.
"""

from collections.abc import Awaitable, Callable, Coroutine, Generator, Mapping
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as TookTooLong
from twisted.logger import Logger

from twisted_chainws.client.errors import BadAnswer, ClientError, RpcError
from twisted_chainws.client.ethereum.heads import Ask, ByHash, Found, Unreachable
from twisted_chainws.client.ethereum.ranges import LogRanges
from twisted_chainws.client.ethereum.values import Head, Log, decode_head, decode_log, quantity
from twisted_chainws.client.options import ClientOptions
from twisted_chainws.client.promise import promise, sleep, together

__all__ = ["FETCH_FAILURES", "Reader", "TookTooLong"]

T = TypeVar("T")
FETCH_FAILURES = (ClientError, Unreachable, TookTooLong)
"""What fetching may fail with, after all tries."""

_LONGEST_WAIT_S = 30.0
_NO_TRANSACTIONS = False
_NOT_OF_THE_RANGE = frozenset({"fromBlock", "toBlock", "blockHash", "cursor", "resumeFrom"})


class Reader:
    """Asks over the present connection; whoever asks is cancelled when it ends."""

    _log = Logger()

    def __init__(
        self, call: Callable[..., Awaitable[Any]], *, clock: Any, options: ClientOptions
    ) -> None:
        """Prepare.

        Args:
            call: asks: method, then params.
            clock: reactor.
            options: of the client.
        """
        self._call = call
        self._clock = clock
        self._options = options

    async def height(self) -> int:
        """Return the number of the server's head."""
        return quantity(await self._call("eth_blockNumber"))

    async def answer(self, ask: Ask) -> Found:
        """Fetch what a plan asks for."""
        if isinstance(ask, ByHash):
            return [_block(await self._call("eth_getBlockByHash", ask.hash, _NO_TRANSACTIONS))]
        return await together(self._numbered(number) for number in ask.numbers)

    async def run(self, plan: Generator[Ask, Found, T]) -> T:
        """Give a plan all it asks for, and return what it makes of it."""
        try:
            ask = next(plan)
            while True:
                ask = plan.send(await self.answer(ask))
        except StopIteration as done:
            result: T = done.value
            return result

    async def logs(self, options: Any, first: int, last: int) -> list[Log]:
        """Fetch logs, in their order, in as many pieces as the server wants.

        Args:
            options: of the subscription, None for all logs; bounds in there hold as well.
            first: lowest block.
            last: highest block, included.
        """
        criteria = dict(options) if isinstance(options, Mapping) else {}
        first = max(first, _bound(criteria.get("fromBlock"), first))
        last = min(last, _bound(criteria.get("toBlock"), last))
        for name in _NOT_OF_THE_RANGE:
            criteria.pop(name, None)
        ranges = LogRanges(first, last, self._options.log_range_blocks)
        logs: list[Log] = []
        while (piece := ranges.next()) is not None:
            low, high = piece
            criteria |= {"fromBlock": hex(low), "toBlock": hex(high)}
            try:
                found = await self._call("eth_getLogs", dict(criteria))
            except RpcError as error:
                if not ranges.refused(error):
                    raise
                continue
            if not isinstance(found, list):
                raise BadAnswer("eth_getLogs: not an array")
            logs += map(decode_log, found)
            ranges.done()
        return sorted(logs, key=lambda log: (log.block_number, log.log_index))

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

    async def settled_height(self, highest: int) -> int:
        """Return the number of the head once the server has caught up with what was seen before.

        A server that is behind may be another one of many, or its chain may have become shorter:
        after a while it is believed.

        Args:
            highest: the highest that was seen.
        """
        number = await self.tries(self.height)
        far = number < highest - self._options.behind_blocks
        patience = self._options.behind_wait_s * (1.0 if far else _SHARE_WHEN_NEAR)
        deadline = self._clock.seconds() + patience
        while number < highest and self._clock.seconds() < deadline:
            await sleep(self._clock, min(1.0, patience))
            number = await self.tries(self.height)
        return number

    async def _numbered(self, number: int) -> Head | None:
        return _block(await self._call("eth_getBlockByNumber", hex(number), _NO_TRANSACTIONS))


_SHARE_WHEN_NEAR = 1 / 12
"""Of the time to wait for a server: for one that is just a few blocks behind."""


def _block(raw: Any) -> Head | None:
    return None if raw is None else decode_head(raw)


def _bound(value: Any, otherwise: int) -> int:
    """Read a bound of a subscription; tags say nothing about a range that has been chosen."""
    try:
        return quantity(value)
    except BadAnswer:
        return otherwise
