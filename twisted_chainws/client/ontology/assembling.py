"""From single pushes to what there is of a block.

Nodes push what each transaction did, and the block in as many forms as one wants, one after the
other. Blocks in JSON are always asked for: they name their parent and their transactions, by which
all else finds its block. What a transaction did comes before the block as a rule, but nodes do not
promise that.

Source: ``ontology.md`` 5.2, 5.3.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from twisted_chainws.client.errors import BadAnswer
from twisted_chainws.client.ontology.envelope import JSON_BLOCK, LOG, NOTIFY, RAW_BLOCK, Push
from twisted_chainws.client.ontology.values import (
    Block,
    Log,
    Notify,
    RawBlock,
    decode_block,
    decode_log,
    decode_notify,
    decode_raw_block,
)

__all__ = ["Assembler", "Contents", "Notification"]

_RECENT_BLOCKS: Final = 8
"""Blocks whose transactions may still tell what they did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What there is to tell of a block.

    Attributes:
        block: None for what belongs to a block that was told before, or to none.
        events: what its transactions did, in order.
        raw_block: None if it did not come.
        logs: lines of the log.
    """

    block: Block | None
    events: tuple[Notify, ...] = ()
    raw_block: RawBlock | None = None
    logs: tuple[Log, ...] = ()


@dataclass(frozen=True, slots=True)
class Notification:
    """Something has happened.

    Attributes:
        contents: what.
    """

    contents: Contents


class Assembler:
    """What has come over one connection and waits for its block."""

    def __init__(self, *, limit: int, stray: Callable[[], None]) -> None:
        """Prepare.

        Args:
            limit: how many events may wait.
            stray: something cannot be read, or waits no longer.
        """
        self._limit = limit
        self._stray = stray
        self._events: dict[str, Notify] = {}
        self._raw_block: RawBlock | None = None
        self._open: deque[tuple[Block, set[str]]] = deque(maxlen=_RECENT_BLOCKS)

    def take(self, push: Push) -> Notification | None:
        """Take a push; return what has become whole by it."""
        take = {
            NOTIFY: self._notify,
            LOG: self._log,
            RAW_BLOCK: self._raw,
            JSON_BLOCK: self._block,
        }.get(push.action)
        try:
            contents = None if take is None else take(push.result)
        except BadAnswer:
            self._stray()
            return None
        return None if contents is None else Notification(contents)

    def forget(self) -> None:
        """Forget all: the connection has ended, or nobody wants blocks any more."""
        self._events.clear()
        self._raw_block = None
        self._open.clear()

    def _notify(self, raw: Any) -> Contents | None:
        event = decode_notify(raw)
        for block, missing in self._open:
            if event.tx_hash in missing:
                missing.discard(event.tx_hash)
                return Contents(block=None, events=(_in(block, event),))
        self._events[event.tx_hash] = event
        if len(self._events) > self._limit:
            del self._events[next(iter(self._events))]
            self._stray()
        return None

    def _log(self, raw: Any) -> Contents:
        return Contents(block=None, logs=(decode_log(raw),))

    def _raw(self, raw: Any) -> None:
        self._raw_block = decode_raw_block(raw)

    def _block(self, raw: Any) -> Contents:
        block = decode_block(raw)
        raw_block, self._raw_block = self._raw_block, None
        found = [self._events.pop(name, None) for name in block.transactions]
        events = tuple(_in(block, event) for event in found if event is not None)
        missing = set(block.transactions).difference(event.tx_hash for event in events)
        if missing:
            self._open.append((block, missing))
        same = raw_block is not None and raw_block.hash == block.hash
        return Contents(block=block, events=events, raw_block=raw_block if same else None)


def _in(block: Block, event: Notify) -> Notify:
    return replace(event, block_number=block.number, block_hash=block.hash)
