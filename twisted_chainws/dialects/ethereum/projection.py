"""The chain as an Ethereum ledger: what was made of its blocks, kept for the next who asks.

Sans-I/O. The model's hashes are Ethereum's own and ``ChainView`` finds blocks and transactions by
them, so nothing has to be folded here. Texts and figures are made on demand and kept by block
hash: they can never be stale, an undone block that comes back finds its texts again, and undoing
is exact because there is nothing to undo.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, TypeVar

from twisted_chainws.chain.model import Block
from twisted_chainws.chain.ops import Advance
from twisted_chainws.chain.types import Hash32
from twisted_chainws.dialects.texts import BoundedTexts

Made = TypeVar("Made")

Form = Callable[[Block], bytes]
"""Makes one JSON text of a block; a module-level function, for it is part of the key."""


class EthereumLedger:
    """Bounded stores of what was made of blocks.

    Args:
        max_bytes: of all texts together; the least recently used ones go first.
        max_figures: how many figures are kept.
    """

    __slots__ = ("_figures", "_max_figures", "_texts")

    def __init__(self, *, max_bytes: int = 33_554_432, max_figures: int = 4_096) -> None:
        self._texts = BoundedTexts(max_bytes=max_bytes)
        self._figures: OrderedDict[tuple[Hash32, Callable[[Block], Any]], Any] = OrderedDict()
        self._max_figures = max_figures

    def apply(self, advance: Advance) -> None:
        """Take a transition; what was made of its blocks stays true, so nothing changes."""

    def text(self, block: Block, form: Form) -> bytes:
        """Return ``form(block)``, made once while it is kept."""
        return self._texts.get((block.hash, form), lambda: form(block))

    def figure(self, block: Block, measure: Callable[[Block], Made]) -> Made:
        """Return ``measure(block)``, a small value that is never None, made once while kept."""
        key = (block.hash, measure)
        figure: Made | None = self._figures.get(key)
        if figure is None:
            figure = self._figures[key] = measure(block)
            if len(self._figures) > self._max_figures:
                self._figures.popitem(last=False)
        return figure
