"""The chain as an Ontology ledger: blocks that follow each other, and the tree of them. Sans-I/O.

Applying a block computes its transactions root, a leaf of the tree, and its hash, which the next
one holds; everything else that a block has is a function of it and of these, made on demand. Texts
are kept. Undoing takes the leaf and the hash away, which is exact. Transactions are found by the
chain itself, whose hashes are Ontology's.

There is no consensus: one development key that everybody may know seals all blocks but genesis.
A chain that begins later than at genesis has zero for the leaves that it does not know, so that
proofs count from the right place.

Source: ``ontology.md`` 6.6, 6.7, 8.3 and 8.5.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from twisted_chainws.chain.model import Block
from twisted_chainws.chain.ops import Advance
from twisted_chainws.chain.types import Hash32
from twisted_chainws.dialects.links import Links
from twisted_chainws.dialects.ontology.address import program_address
from twisted_chainws.dialects.ontology.block import GENESIS_CONSENSUS_DATA, Header
from twisted_chainws.dialects.ontology.keys import p256_key
from twisted_chainws.dialects.ontology.listing import list_transactions
from twisted_chainws.dialects.ontology.merkle import ZERO_HASH, BlockTree, transactions_root
from twisted_chainws.dialects.ontology.program import single_program
from twisted_chainws.dialects.ontology.signature import sign
from twisted_chainws.dialects.texts import BoundedTexts

DEVELOPMENT_SECRET: Final = hashlib.sha256(b"chainws Ontology development header key").digest()
"""Seals blocks. Known to all: a signature of it says that this is a development chain."""

_HEADER_VERSION: Final = 0
_MAX_U32: Final = 2**32 - 1
_DATA_LENGTH: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class OntologyBlock:
    """A block as Ontology sees it.

    Attributes:
        hash: of the header.
        source: the block of the model.
    """

    header: Header
    hash: Hash32
    source: Block


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """That a block belongs to the chain.

    Attributes:
        transactions_root: of the block: the leaf.
        height: of the block.
        root: what the header of the newest block says of the tree; zero in genesis.
        last_height: of the newest block.
        hashes: from the leaf to the root.
    """

    transactions_root: Hash32
    height: int
    root: Hash32
    last_height: int
    hashes: tuple[Hash32, ...]


@dataclass(frozen=True, slots=True)
class _Link:
    """What was computed of a block: its hash, that of the block before it, and two roots."""

    previous: Hash32
    own: Hash32
    transactions_root: Hash32
    block_root: Hash32


Form: TypeAlias = Callable[[OntologyBlock], bytes]
"""Makes one JSON text of a block; a module-level function, for it is part of the key."""


class OntologyLedger:
    """Hashes of the canonical blocks, their tree, and texts that were made of them.

    Args:
        secret: of the P-256 key that seals blocks, 32 bytes.
        history: how many blocks below the head are kept; None keeps all. Not below what the
            chain itself keeps, or blocks cannot be undone.
        max_bytes: of all texts together; the least recently used ones go first.
    """

    __slots__ = (
        "_found",
        "_links",
        "_secret",
        "_texts",
        "_tree",
        "bookkeeper",
        "public_key",
    )

    def __init__(
        self,
        *,
        secret: bytes = DEVELOPMENT_SECRET,
        history: int | None = None,
        max_bytes: int = 33_554_432,
    ) -> None:
        self._links: Links[_Link] = Links(history=history)
        self._found: dict[Hash32, Hash32] = {}
        self._tree = BlockTree()
        self._secret = secret
        self.public_key = p256_key(secret)
        self.bookkeeper = program_address(single_program(self.public_key))
        self._texts = BoundedTexts(max_bytes=max_bytes)

    def apply(self, advance: Advance) -> None:
        """Forget what was computed of undone blocks, compute it of applied ones."""
        for block in advance.undone:
            del self._found[self._links.pop(block).own]
            self._tree.pop()
        for block in advance.applied:
            self._push(block)

    def find(self, ontology_hash: Hash32) -> Hash32 | None:
        """Return what the model calls the canonical block that Ontology calls so, or None."""
        return self._found.get(ontology_hash)

    def block_hash(self, block: Block) -> Hash32:
        """Return what Ontology calls a canonical block.

        Raises:
            UnknownBlockHash: it is not canonical, or no longer kept.
        """
        return self._links.of(block).own

    def block(self, block: Block) -> OntologyBlock:
        """Return a canonical block as Ontology sees it, sealed.

        Raises:
            UnknownBlockHash: it is not canonical, or no longer kept.
        """
        link = self._links.of(block)
        header = self._header(block, link, (sign(self._secret, link.own),))
        return OntologyBlock(header=header, hash=link.own, source=block)

    def text(self, block: Block, form: Form) -> bytes:
        """Return ``form`` of a block, made once while it is kept.

        Raises:
            UnknownBlockHash: the block is not canonical, or no longer kept.
        """
        self._links.of(block)
        return self._texts.get((block.hash, form), lambda: form(self.block(block)))

    def proof(self, block: Block) -> Proof:
        """Return the proof that a canonical block belongs to the chain as it is now.

        Raises:
            UnknownBlockHash: it is not canonical, or no longer kept.
        """
        link = self._links.of(block)
        newest = self._links.newest()
        return Proof(
            transactions_root=link.transactions_root,
            height=block.number,
            root=newest.block_root,
            last_height=self._tree.size - 1,
            hashes=self._tree.proof(block.number),
        )

    def _push(self, block: Block) -> None:
        if not self._links:
            self._tree = BlockTree(block.number)
        parent = self._links.below(block)
        leaf = transactions_root([item.hash for _, item, _ in list_transactions(block)])
        self._tree.append(leaf)
        link = _Link(
            # The first block has nothing below: genesis names zero, another what the source says.
            previous=block.parent_hash if parent is None else parent.own,
            own=ZERO_HASH,
            transactions_root=leaf,
            block_root=self._tree.root() if block.number else ZERO_HASH,
        )
        own = self._header(block, link, ()).hash
        forgotten = self._links.push(block, _Link(link.previous, own, leaf, link.block_root))
        self._found[own] = block.hash
        if forgotten is not None:
            del self._found[forgotten.own]
            self._tree.prune(block.number + 1 - len(self._links))

    def _header(self, block: Block, link: _Link, signatures: tuple[bytes, ...]) -> Header:
        is_genesis = not block.number
        return Header(
            version=_HEADER_VERSION,
            previous_hash=link.previous,
            transactions_root=link.transactions_root,
            block_root=link.block_root,
            timestamp=min(block.timestamp, _MAX_U32),
            height=min(block.number, _MAX_U32),
            consensus_data=GENESIS_CONSENSUS_DATA if is_genesis else _consensus_data(block),
            consensus_payload=b"",
            next_bookkeeper=self.bookkeeper,
            bookkeepers=() if is_genesis else (self.public_key,),
            signatures=() if is_genesis else signatures,
        )


def _consensus_data(block: Block) -> int:
    """Return what a node would draw at random; here siblings differ by it, as their hashes do."""
    return int.from_bytes(block.hash[:_DATA_LENGTH], "little")
