"""Blocks and events fetched from the node.

Source: ``ontology.md`` 4.5 to 4.7, 4.14; 5.3.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from twisted_chainws.client.errors import RpcError
from twisted_chainws.client.follower import BlockSource
from twisted_chainws.client.heads import Ask, ByHash, Found, Unreachable
from twisted_chainws.client.ontology.answers import decode_events
from twisted_chainws.client.ontology.assembling import Contents
from twisted_chainws.client.ontology.subscription import Subscription
from twisted_chainws.client.ontology.values import (
    Block,
    Notify,
    RawBlock,
    decode_block,
    decode_notify,
    decode_raw_block,
)
from twisted_chainws.client.options import ClientOptions
from twisted_chainws.client.promise import together
from twisted_chainws.client.reading import number
from twisted_chainws.dialects.ontology.errors import UNKNOWN_BLOCK

__all__ = ["Reader"]


class Reader(BlockSource[Block, Contents, Subscription]):
    """Asks over the present connection; whoever asks is cancelled when it ends."""

    def __init__(
        self, call: Callable[..., Awaitable[Any]], *, clock: Any, options: ClientOptions
    ) -> None:
        """Prepare.

        Args:
            call: asks: action, then its members by name.
            clock: reactor.
            options: of the client.
        """
        super().__init__(clock=clock, options=options)
        self._call = call

    async def latest(self) -> Block:
        """Return the head."""
        height = number(await self._call("getblockheight"))
        block = await self._block("getblockbyheight", Height=height)
        if block is None:
            raise Unreachable(f"block {height}")
        return block

    async def answer(self, ask: Ask) -> Found:
        """Fetch what a plan asks for."""
        if isinstance(ask, ByHash):
            return [await self._block("getblockbyhash", Hash=ask.hash)]
        return await together(
            self._block("getblockbyheight", Height=height) for height in ask.numbers
        )

    async def contents(self, block: Block, audience: Sequence[Subscription]) -> Contents:
        """Fetch what pushes would have told of a block.

        Raises:
            RpcError, BadAnswer: the node does not answer as it should.
            Unreachable: it has another block at that height by now, or no events of this one.
        """
        events = any(one.events for one in audience)
        raw = any(one.raw_blocks for one in audience)
        return Contents(
            block=block,
            events=await self._events(block) if events and block.transactions else (),
            raw_block=await self._raw_block(block) if raw else None,
        )

    async def _block(self, action: str, **members: Any) -> Block | None:
        try:
            return decode_block(await self._call(action, **members))
        except RpcError as error:
            if error.code != UNKNOWN_BLOCK:
                raise
            return None

    async def _events(self, block: Block) -> tuple[Notify, ...]:
        raw = await self._call("getsmartcodeeventbyheight", Height=block.number)
        events = {event.tx_hash: event.raw for event in decode_events(raw)}
        if set(events) != set(block.transactions):
            raise Unreachable(f"events of block {block.number}")
        return tuple(decode_notify(events[name], block) for name in block.transactions)

    async def _raw_block(self, block: Block) -> RawBlock:
        found = decode_raw_block(await self._call("getblockbyhash", Hash=block.hash, Raw="1"))
        if found.hash != block.hash:
            raise Unreachable(f"bytes of block {block.number}")
        return found
