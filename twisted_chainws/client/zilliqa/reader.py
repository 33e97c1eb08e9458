"""Blocks and transactions fetched over HTTP, from nodes of either generation.

Source: ``zilliqa.md`` 5 (what the node, "NODE", and Zilliqa 2, "ZQ2", answer) and 5.1.
"""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final, TypeVar

from twisted.internet.defer import Deferred

from twisted_chainws.client.errors import BadAnswer, RpcError
from twisted_chainws.client.follower import BlockSource
from twisted_chainws.client.heads import Ask, ByHash, Found, Unreachable
from twisted_chainws.client.options import ClientOptions
from twisted_chainws.client.promise import together
from twisted_chainws.client.zilliqa.bodies import contents_of
from twisted_chainws.client.zilliqa.envelope import Contents
from twisted_chainws.client.zilliqa.queries import NEW_BLOCK
from twisted_chainws.client.zilliqa.rpc import Rpc
from twisted_chainws.client.zilliqa.subscription import Subscription
from twisted_chainws.client.zilliqa.values import (
    TxBlock,
    decode_block,
    decode_tx_hashes,
    number,
)
from twisted_chainws.dialects.zilliqa.errors import (
    INTERNAL_ERROR,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    NO_TRANSACTIONS,
)

__all__ = ["Reader"]

T = TypeVar("T")
_NO_BLOCK: Final = 2**64 - 1
"""Number of the block that nodes answer with for one that is not there yet."""

_NOT_FINAL: Final = "block not finalized"
_PAGE: Final = 2500
"""Transactions of a page."""

_NOT_OFFERED: Final = frozenset({INVALID_REQUEST, METHOD_NOT_FOUND})
_AT_ONCE: Final = 10
"""Transactions that are asked for at a time."""


class Reader(BlockSource[TxBlock, Contents, Subscription]):
    """Fetches from one node, or from none: then nothing is to be had, and nothing tried twice."""

    def __init__(self, rpc: Rpc | None, *, clock: Any, options: ClientOptions) -> None:
        """Prepare.

        Args:
            rpc: asks; None if there is nobody to ask.
            clock: reactor.
            options: of the client.
        """
        super().__init__(clock=clock, options=options)
        self._rpc = rpc

    @property
    def can_fetch(self) -> bool:
        """Whether there is somebody to ask."""
        return self._rpc is not None

    async def network_id(self) -> int:
        """Return the chain id."""
        return number(await self._ask("GetNetworkId"))

    async def latest(self) -> TxBlock:
        """Return the head."""
        return decode_block(await self._ask("GetLatestTxBlock"))

    async def answer(self, ask: Ask) -> Found:
        """Fetch what a plan asks for; nodes know blocks by their number only."""
        if isinstance(ask, ByHash):
            block = await self._block(ask.number)
            return [block if block is not None and block.hash == ask.hash else None]
        return await together(self._block(number) for number in ask.numbers)

    async def tries(self, attempt: Callable[[], Coroutine[Deferred[Any], Any, T]]) -> T:
        """Do something until it succeeds; see ``Fetcher.tries``."""
        return await (super().tries(attempt) if self.can_fetch else attempt())

    async def contents(self, block: TxBlock, audience: Sequence[Subscription]) -> Contents:
        """Fetch what a notification of a block would have told.

        Args:
            block: without its transactions.
            audience: who will be told, and wants events and transfers or not.

        Raises:
            RpcError, BadAnswer: the node does not answer as it should.
            Unreachable: it has another number of transactions than the block.
        """
        pages, count = _pages(block), number(block.header.get("NumTxns", 0))
        hashes = await self._tx_hashes(block.number, pages) if count else ()
        whole = TxBlock(
            number=block.number,
            hash=block.hash,
            parent_hash=block.parent_hash,
            header=block.header,
            body=block.body,
            tx_hashes=hashes,
        )
        if len(whole.transactions) != count:
            # Of another block of that height, for instance.
            raise Unreachable(f"transactions of block {block.number}")
        if not count or all(one.kind == NEW_BLOCK for one in audience):
            return Contents(block=whole)
        contents = contents_of(whole, await self._bodies(whole, pages))
        if sorted(one.id for one in contents.transfers) != sorted(whole.transactions):
            raise Unreachable(f"bodies of block {block.number}")
        return contents

    # Ours

    async def _ask(self, method: str, *params: Any) -> Any:
        if self._rpc is None:
            raise Unreachable(method)
        return await self._rpc.call(method, *params)

    async def _block(self, height: int) -> TxBlock | None:
        if self._rpc is None:
            return None
        try:
            raw = await self._ask("GetTxBlock", str(height))
        except RpcError as error:
            if error.code == INTERNAL_ERROR and _NOT_FINAL in error.message.lower():
                return None
            raise
        if raw is None:
            return None
        if isinstance(raw, dict) and _number_of(raw) == _NO_BLOCK:
            return None
        return decode_block(raw)

    async def _tx_hashes(self, height: int, pages: int) -> tuple[tuple[str, ...], ...]:
        if pages > 1:
            paged = await self._paged("GetTransactionsForTxBlockEx", height, pages)
            if paged is not None:
                return _joined([decode_tx_hashes(page) for page in paged])
        found = await self._or_empty("GetTransactionsForTxBlock", str(height))
        return decode_tx_hashes(found)

    async def _bodies(self, block: TxBlock, pages: int) -> list[Any]:
        if pages > 1:
            paged = await self._paged("GetTxnBodiesForTxBlockEx", block.number, pages)
            if paged is not None:
                return [one for page in paged for one in page]
        try:
            found = await self._or_empty("GetTxnBodiesForTxBlock", str(block.number))
        except RpcError as error:
            if error.code not in _NOT_OFFERED:
                raise
            return await self._one_by_one(block.transactions)
        if not isinstance(found, list):
            raise BadAnswer("GetTxnBodiesForTxBlock: not an array")
        return found

    async def _paged(self, method: str, height: int, pages: int) -> list[list[Any]] | None:
        """Return the pages, None if the node does not offer them."""
        found = []
        for page in range(pages):
            try:
                answer = await self._or_empty(method, str(height), str(page))
            except RpcError as error:
                if error.code not in _NOT_OFFERED:
                    raise
                return None
            part = answer.get("Transactions") if isinstance(answer, dict) else answer
            if not isinstance(part, list):
                raise BadAnswer(f"{method}: not a page")
            found.append(part)
        return found

    async def _one_by_one(self, hashes: tuple[str, ...]) -> list[Any]:
        found: list[Any] = []
        for start in range(0, len(hashes), _AT_ONCE):
            some = hashes[start : start + _AT_ONCE]
            found += await together(self._ask("GetTransaction", one) for one in some)
        return found

    async def _or_empty(self, method: str, *params: Any) -> Any:
        try:
            return await self._ask(method, *params)
        except RpcError as error:
            if error.message == NO_TRANSACTIONS.message:
                return []
            raise


def _pages(block: TxBlock) -> int:
    """Return how many pages the transactions have; nodes count one too many at times."""
    given = block.header.get("NumPages")
    count = number(block.header.get("NumTxns", 0))
    return -(-count // _PAGE) if given is None else number(given)


def _joined(pages: list[tuple[tuple[str, ...], ...]]) -> tuple[tuple[str, ...], ...]:
    """Put pages together: shards keep their places over all of them."""
    width = max(map(len, pages))
    return tuple(
        tuple(one for page in pages if len(page) > shard for one in page[shard])
        for shard in range(width)
    )


def _number_of(raw: dict[str, Any]) -> int | None:
    header = raw.get("header")
    return number(header.get("BlockNum")) if isinstance(header, dict) else None
