"""Blocks and their headers as nodes write them. Sans-I/O.

Source: ``ontology.md`` 6.6 and 8.5; the node's ``core/types/header.go`` and
``core/types/block.go``, 26b5ad4f.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from twisted_chainws.chain.types import Address20, Hash32
from twisted_chainws.dialects.ontology.address import sha256d
from twisted_chainws.dialects.ontology.binary_codec import (
    Reader,
    encode_varbytes,
    encode_varuint,
)
from twisted_chainws.dialects.ontology.keys import (
    PublicKey,
    decode_public_key,
    encode_public_key,
)
from twisted_chainws.dialects.ontology.merkle import transactions_root
from twisted_chainws.dialects.ontology.transaction import AnyTransaction, read_transaction
from twisted_chainws.errors import UndecodableTransaction

GENESIS_CONSENSUS_DATA: Final = 2_083_236_893

_WORD: Final = 4
_LONG_WORD: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """A header; all hashes are internal ones.

    Attributes:
        block_root: of the tree of blocks with this one; zero in genesis.
        timestamp: seconds, 32 bits.
        height: 32 bits.
        consensus_data: 64 bits.
        next_bookkeeper: the address of the key or keys that seal the next block.
        bookkeepers: the keys that sealed this block; none in genesis.
        signatures: theirs, of the block's hash.
    """

    version: int
    previous_hash: Hash32
    transactions_root: Hash32
    block_root: Hash32
    timestamp: int
    height: int
    consensus_data: int
    consensus_payload: bytes
    next_bookkeeper: Address20
    bookkeepers: tuple[PublicKey, ...]
    signatures: tuple[bytes, ...]

    @property
    def hash(self) -> Hash32:
        """What the block is called and what is signed."""
        return sha256d(encode_unsigned_header(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class RawBlock:
    """A block taken apart."""

    header: Header
    transactions: tuple[AnyTransaction, ...]


def encode_unsigned_header(header: Header) -> bytes:
    """Write what is hashed of a header."""
    parts = [
        header.version.to_bytes(_WORD, "little"),
        header.previous_hash,
        header.transactions_root,
        header.block_root,
        header.timestamp.to_bytes(_WORD, "little"),
        header.height.to_bytes(_WORD, "little"),
        header.consensus_data.to_bytes(_LONG_WORD, "little"),
        encode_varbytes(header.consensus_payload),
        header.next_bookkeeper,
    ]
    return b"".join(parts)


def encode_header(header: Header) -> bytes:
    """Write a header with its signatures."""
    keys = [encode_public_key(key) for key in header.bookkeepers]
    return encode_unsigned_header(header) + _encode_list(keys) + _encode_list(header.signatures)


def encode_block(header: Header, transactions: Iterable[bytes]) -> bytes:
    """Write a block.

    Args:
        header: whose transactions root is that of the transactions.
        transactions: each as it is sent.
    """
    raws = list(transactions)
    return encode_header(header) + len(raws).to_bytes(_WORD, "little") + b"".join(raws)


def decode_block(raw: bytes) -> RawBlock:
    """Read a block; its signatures are not verified, nor those of its native transactions.

    Raises:
        ValueError: the bytes are no block, a transaction stands twice in it, or the root is not
            that of its transactions.
    """
    reader = Reader(raw)
    header = read_header(reader)
    transactions = [_read_transaction(reader) for _ in range(reader.number(_WORD))]
    reader.finish()
    hashes = [transaction.hash for transaction in transactions]
    if len(set(hashes)) != len(hashes):
        raise ValueError("a transaction stands twice in the block")
    if transactions_root(hashes) != header.transactions_root:
        raise ValueError("another transactions root than the header says")
    return RawBlock(header=header, transactions=tuple(transactions))


def read_header(reader: Reader) -> Header:
    """Take a header.

    Raises:
        ValueError: there is none.
    """
    return Header(
        version=reader.number(_WORD),
        previous_hash=reader.hash32(),
        transactions_root=reader.hash32(),
        block_root=reader.hash32(),
        timestamp=reader.number(_WORD),
        height=reader.number(_WORD),
        consensus_data=reader.number(_LONG_WORD),
        consensus_payload=reader.varbytes(),
        next_bookkeeper=reader.address(),
        bookkeepers=tuple(map(decode_public_key, _read_list(reader))),
        signatures=tuple(_read_list(reader)),
    )


def _encode_list(items: Iterable[bytes]) -> bytes:
    encoded = [encode_varbytes(item) for item in items]
    return encode_varuint(len(encoded)) + b"".join(encoded)


def _read_list(reader: Reader) -> list[bytes]:
    return [reader.varbytes() for _ in range(reader.varuint())]


def _read_transaction(reader: Reader) -> AnyTransaction:
    try:
        return read_transaction(reader)
    except UndecodableTransaction as error:
        raise ValueError(error.reason) from None
