"""A bounded store of texts that were made of blocks. Sans-I/O, imports nothing of the package."""

from collections import OrderedDict
from collections.abc import Callable, Hashable


class BoundedTexts:
    """Texts by key; over the bound the least recently used ones go first.

    Args:
        max_bytes: of all texts together.
    """

    __slots__ = ("_kept_bytes", "_max_bytes", "_texts")

    def __init__(self, *, max_bytes: int) -> None:
        self._texts: OrderedDict[Hashable, bytes] = OrderedDict()
        self._kept_bytes = 0
        self._max_bytes = max_bytes

    def get(self, key: Hashable, make: Callable[[], bytes]) -> bytes:
        """Return the text of a key, made when it is not kept; it counts as used."""
        text = self._texts.get(key)
        if text is None:
            return self._put(key, make())
        self._texts.move_to_end(key)
        return text

    def _put(self, key: Hashable, text: bytes) -> bytes:
        self._texts[key] = text
        self._kept_bytes += len(text)
        while self._kept_bytes > self._max_bytes:
            _, dropped = self._texts.popitem(last=False)
            self._kept_bytes -= len(dropped)
        return text
