"""Merkle trees: of a block's transactions, and of all blocks. Sans-I/O.

The tree of blocks has the transactions root of every block as a leaf, that of genesis first, and
the shape of RFC 6962, but leaves are taken as they are. Only what proofs of kept leaves need is
kept.

Source: ``ontology.md`` 6.6 and 6.7; the node's ``common/merkle_tree.go`` and
``merkle/merkle_tree.go``, 26b5ad4f.
"""

import hashlib
from collections.abc import Sequence
from typing import Final

from twisted_chainws.chain.types import Hash32
from twisted_chainws.dialects.ontology.address import sha256d

ZERO_HASH: Final = Hash32(bytes(32))

_NODE: Final = b"\1"


def transactions_root(hashes: Sequence[Hash32]) -> Hash32:
    """Return the root of a block's transactions, hashes not reversed; zero without any."""
    level = list(hashes)
    if not level:
        return ZERO_HASH
    while len(level) > 1:
        if len(level) % 2:
            level.append(level[-1])
        level = [sha256d(left + right) for left, right in zip(level[::2], level[1::2], strict=True)]
    return level[0]


def hash_node(left: Hash32, right: Hash32) -> Hash32:
    """Hash an inner node of the tree of blocks."""
    return Hash32(hashlib.sha256(_NODE + left + right).digest())


def verify_proof(
    leaf: Hash32, index: int, last: int, proof: Sequence[Hash32], root: Hash32
) -> bool:
    """Tell whether a proof leads from a leaf to a root.

    Args:
        leaf: what is proved.
        index: of the leaf, from 0.
        last: index of the last leaf under the root.
        proof: hashes from the leaf to the root.
        root: of all leaves up to the last.
    """
    if index > last:
        return False
    left, found = iter(proof), leaf
    try:
        while last:
            if index % 2:
                found = hash_node(next(left), found)
            elif index < last:
                found = hash_node(found, next(left))
            index, last = index >> 1, last >> 1
    except StopIteration:
        return False
    return found == root and next(left, None) is None


class BlockTree:
    """The tree of blocks; leaves are appended and taken away at its end.

    Args:
        size: how many leaves there are below the first that will be appended. What they were is
            not known: they stand as zero, like those of blocks without transactions.
    """

    __slots__ = ("_levels", "size")

    def __init__(self, size: int = 0) -> None:
        # Level by level, place in the level -> hash: leaves below, and only whole subtrees.
        self._levels: list[dict[int, Hash32]] = []
        self.size = size
        zero = ZERO_HASH
        for level in range(size.bit_length()):
            nodes = {(size >> level) - 1: zero} if size >> level & 1 else {}
            self._levels.append(nodes)
            zero = hash_node(zero, zero)

    def append(self, leaf: Hash32) -> None:
        """Add a leaf and the subtrees that it completes."""
        level, index, node = 0, self.size, leaf
        self._put(level, index, node)
        while index & 1:
            node = hash_node(self._levels[level][index - 1], node)
            level, index = level + 1, index >> 1
            self._put(level, index, node)
        self.size += 1

    def pop(self) -> None:
        """Take the last leaf away again, and the subtrees that it completed."""
        self.size -= 1
        level, index = 0, self.size
        del self._levels[level][index]
        while index & 1:
            level, index = level + 1, index >> 1
            del self._levels[level][index]
        while self._levels and not self._levels[-1]:
            self._levels.pop()

    def prune(self, oldest: int) -> None:
        """Forget what only proofs of the leaf below the oldest kept one need.

        To be called for each leaf in turn: what is forgotten are the subtrees whose parent ends
        right before ``oldest``.
        """
        index = oldest - 1
        for nodes in self._levels:
            if not index & 1:
                return
            nodes.pop(index, None)
            nodes.pop(index - 1, None)
            index >>= 1

    def root(self) -> Hash32:
        """Return the root of all leaves; zero without any."""
        return self._root(0, self.size)

    def proof(self, index: int) -> tuple[Hash32, ...]:
        """Return the hashes from a kept leaf to the root.

        Raises:
            KeyError: the leaf is not kept.
        """
        if not 0 <= index < self.size:
            raise KeyError(index)
        proof, low, high = [], 0, self.size
        while high - low > 1:
            middle = low + _largest_power_below(high - low)
            if index < middle:
                proof.append(self._root(middle, high))
                high = middle
            else:
                proof.append(self._root(low, middle))
                low = middle
        return tuple(reversed(proof))

    def nodes(self) -> list[dict[int, Hash32]]:
        """Return a copy of all that is kept."""
        return [dict(nodes) for nodes in self._levels]

    def _put(self, level: int, index: int, node: Hash32) -> None:
        if level == len(self._levels):
            self._levels.append({})
        self._levels[level][index] = node

    def _root(self, low: int, high: int) -> Hash32:
        """Fold the whole subtrees of which a range that begins at the edge of one consists."""
        parts = []
        while low < high:
            level = (high - low).bit_length() - 1
            parts.append(self._levels[level][low >> level])
            low += 1 << level
        if not parts:
            return ZERO_HASH
        found = parts.pop()
        while parts:
            found = hash_node(parts.pop(), found)
        return found


def _largest_power_below(count: int) -> int:
    return 1 << (count - 1).bit_length() - 1
