"""Blocks and logs fetched from the server.

Source: ``ethereum.md`` 6.1, 6.3 points 5 and 7.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from twisted_chainws.client.errors import BadAnswer, RpcError
from twisted_chainws.client.ethereum.ranges import LogRanges
from twisted_chainws.client.ethereum.values import Head, Log, decode_head, decode_log, quantity
from twisted_chainws.client.fetching import Fetcher
from twisted_chainws.client.heads import Ask, ByHash, Found
from twisted_chainws.client.options import ClientOptions
from twisted_chainws.client.promise import sleep, together

__all__ = ["Reader"]

_NO_TRANSACTIONS = False
_NOT_OF_THE_RANGE = frozenset({"fromBlock", "toBlock", "blockHash", "cursor", "resumeFrom"})


class Reader(Fetcher):
    """Asks over the present connection; whoever asks is cancelled when it ends."""

    def __init__(
        self, call: Callable[..., Awaitable[Any]], *, clock: Any, options: ClientOptions
    ) -> None:
        """Prepare.

        Args:
            call: asks: method, then params.
            clock: reactor.
            options: of the client.
        """
        super().__init__(clock=clock, options=options)
        self._call = call

    async def height(self) -> int:
        """Return the number of the server's head."""
        return quantity(await self._call("eth_blockNumber"))

    async def answer(self, ask: Ask) -> Found:
        """Fetch what a plan asks for."""
        if isinstance(ask, ByHash):
            return [_block(await self._call("eth_getBlockByHash", ask.hash, _NO_TRANSACTIONS))]
        return await together(self._numbered(number) for number in ask.numbers)

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
