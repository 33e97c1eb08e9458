"""The kept blocks, the canonical chain and the control state, over one SQLite file.

Everything that changes the file waits for `BlockStore.commit`. Never interrupt `set_head`, `edit`
or `commit`.
"""

import pickle
from collections import OrderedDict
from collections.abc import Sequence
from typing import Self

import orjson
import rlp
from eth.abc import BlockAPI, BlockHeaderAPI, ReceiptAPI, SignedTransactionAPI
from eth.exceptions import HeaderNotFound, TransactionNotFound
from eth_typing import BlockNumber, Hash32
from eth_utils import ValidationError
from trie import HexaryTrie

from twisted_chainws.chain.forks import DEVELOPMENT, ForkSchedule
from twisted_chainws.chain.model import Block, Kind, NativeTransaction
from twisted_chainws.errors import UnknownBlock, UnknownBlockHash
from twisted_chainws.sources.devchain.engine import convert
from twisted_chainws.sources.devchain.engine.database import BlockRecord, Fresh, SqliteDB
from twisted_chainws.sources.devchain.engine.head import (
    DevChain,
    create_chain,
    next_excess,
    open_chain,
    set_head,
)
from twisted_chainws.sources.devchain.engine.state import Change, ReaderCache, edit_state
from twisted_chainws.sources.devchain.engine.vm import DevBuilder
from twisted_chainws.sources.devchain.genesis import Genesis, decode_forks, encode_forks

_CHAIN_ID = "engine.chain_id"
_FORKS = "engine.forks"
_KEPT_BLOCKS = 128


class BlockStore:
    """Blocks by hash, one canonical chain through them, edits and control values."""

    def __init__(self, db: SqliteDB, chain: DevChain) -> None:
        """Use `open`."""
        self._db = db
        self._chain = chain
        self._readers = ReaderCache()
        self._blocks: OrderedDict[bytes, Block] = OrderedDict()
        self._head: BlockHeaderAPI = chain.get_canonical_head()

    @classmethod
    def open(cls, path: str, genesis: Genesis) -> Self:
        """Reopen the chain in the file ``path``, or create it from ``genesis`` and commit it.

        A file that holds a chain keeps its own genesis, chain id and forks.
        """
        db = SqliteDB(path)
        stored, forks = db.control(_CHAIN_ID), db.control(_FORKS)
        if stored is not None:
            schedule = decode_forks(orjson.loads(forks)) if forks else DEVELOPMENT
            return cls(db, open_chain(db, int(stored), schedule))
        chain = create_chain(db, genesis)
        header = chain.get_canonical_head()
        record = BlockRecord(base_root=header.state_root, edited_root=None, natives=b"")
        db.put_record(header.hash, record)
        db.put_control(_CHAIN_ID, b"%d" % genesis.chain_id)
        if genesis.forks != DEVELOPMENT:
            db.put_control(_FORKS, orjson.dumps(encode_forks(genesis.forks)))
        db.commit()
        return cls(db, chain)

    def close(self) -> None:
        """Close the file; what was not committed is lost."""
        self._db.close()
        _release_tries()

    def reopen_read_only(self) -> None:
        """Make the engine usable in a forked child: reads only, uncommitted writes visible."""
        self._db.reopen_read_only()

    # Chain

    @property
    def chain(self) -> DevChain:
        """The chain under the store."""
        return self._chain

    @property
    def chain_id(self) -> int:
        """What transactions must be signed for."""
        return int(self._chain.chain_id)

    def set_chain_id(self, chain_id: int) -> None:
        """Change the chain id from the next transaction on."""
        self._chain.chain_id = chain_id
        self._db.put_control(_CHAIN_ID, b"%d" % chain_id)
        self._readers.clear()

    # Forks and fees

    @property
    def forks(self) -> ForkSchedule:
        """Which rules count when."""
        return self._chain.forks

    def blob_base_fee(self, header: BlockHeaderAPI) -> int:
        """Return the price of blob gas in the block of ``header``, wei; 0 before Cancun."""
        blobs = self._chain.fork(header).blobs
        return 0 if blobs is None else blobs.fee(header.excess_blob_gas)

    def next_blob_base_fee(self, header: BlockHeaderAPI) -> int:
        """Return the price of blob gas in a child of ``header``, wei; 0 before Cancun."""
        fork = self.forks.at(header.block_number + 1, header.timestamp)
        return 0 if fork.blobs is None else fork.blobs.fee(next_excess(fork, header))

    # Blocks

    @property
    def head(self) -> BlockHeaderAPI:
        """Header of the head (a py-evm object)."""
        return self._head

    @property
    def head_hash(self) -> bytes:
        """Hash of the head."""
        return bytes(self._head.hash)

    @property
    def height(self) -> int:
        """Number of the head."""
        return int(self._head.block_number)

    def header(self, block_hash: bytes) -> BlockHeaderAPI:
        """Return the header of any kept block, canonical or not.

        Raises:
            UnknownBlockHash: there is no such block.
        """
        if block_hash == self._head.hash:
            return self._head
        # Trie nodes share the key space of headers, hence the record.
        if self._db.record(block_hash) is None:
            raise UnknownBlockHash(block_hash=block_hash)
        header: BlockHeaderAPI = self._chain.get_block_header_by_hash(Hash32(block_hash))
        return header

    def is_kept(self, block_hash: bytes) -> bool:
        """Whether there is such a block, canonical or not."""
        return self._db.record(block_hash) is not None

    def canonical_hash(self, number: int) -> bytes:
        """Return the hash of the canonical block of this height.

        Raises:
            UnknownBlock: there is none.
        """
        try:
            return bytes(self._chain.chaindb.get_canonical_block_hash(BlockNumber(number)))
        except (HeaderNotFound, ValidationError) as error:
            raise UnknownBlock(block=number) from error

    def is_canonical(self, block_hash: bytes) -> bool:
        """Whether a block lies on the canonical chain; False for unknown ones."""
        try:
            number = self.header(block_hash).block_number
            return self.canonical_hash(number) == block_hash
        except (UnknownBlockHash, UnknownBlock):
            return False

    def find_transaction(self, transaction_hash: bytes) -> tuple[int, int] | None:
        """Return number and index of a canonical EVM transaction; None if there is none."""
        try:
            number, index = self._chain.chaindb.get_transaction_index(Hash32(transaction_hash))
        except TransactionNotFound:
            return None
        return int(number), int(index)

    def block(self, block_hash: bytes) -> Block:
        """Return a kept block with its receipts.

        Raises:
            UnknownBlockHash: there is no such block.
        """
        kept = self._blocks.get(block_hash)
        if kept is None:
            kept = self.keep_block(self._load(block_hash))
        return kept

    def transactions(self, block_hash: bytes) -> tuple[SignedTransactionAPI, ...]:
        """Return the EVM transactions of a kept block as py-evm objects, in order.

        Raises:
            UnknownBlockHash: there is no such block.
        """
        header = self.header(block_hash)
        return tuple(self._chain.chaindb.get_block_transactions(header, DevBuilder))

    def natives(self, block_hash: bytes) -> tuple[NativeTransaction, ...]:
        """Return the transactions of other families in a kept block, in order.

        Raises:
            UnknownBlockHash: there is no such block.
        """
        encoded = self._record(block_hash).natives
        return tuple(item for item, _ in convert.decode_natives(encoded))

    def raw_block(self, block_hash: bytes) -> bytes:
        """Return the RLP of a kept block: header, EVM transactions, uncles, withdrawals.

        Raises:
            UnknownBlockHash: there is no such block.
        """
        return bytes(rlp.encode(self._chain.block(self.header(block_hash))))

    def raw_receipts(self, block_hash: bytes) -> tuple[bytes, ...]:
        """Return the consensus encoding of a kept block's EVM receipts, in order.

        Raises:
            UnknownBlockHash: there is no such block.
        """
        block = self._chain.block(self.header(block_hash))
        return tuple(item.encode() for item in block.get_receipts(self._chain.chaindb))

    def root(self, block_hash: bytes) -> bytes:
        """Return the state root to read at a block: the edited one, else the header's.

        Raises:
            UnknownBlockHash: there is no such block.
        """
        record = self._record(block_hash)
        return record.edited_root or bytes(self.header(block_hash).state_root)

    def base_root(self, block_hash: bytes) -> bytes:
        """Return the state root a block was built on, for replaying it.

        Raises:
            UnknownBlockHash: there is no such block.
        """
        return self._record(block_hash).base_root

    # Head and edits

    def set_head(self, block_hash: bytes) -> tuple[list[bytes], list[bytes]]:
        """Make a kept block the head, forwards, backwards or on another branch.

        Returns:
            Hashes that left the chain, newest first, and that joined it, oldest first.

        Raises:
            UnknownBlockHash: there is no such block.
        """
        header = self.header(block_hash)
        undone, applied = set_head(self._chain, header, self._hashes_of)
        self._head = header
        return [bytes(item.hash) for item in undone], [bytes(item.hash) for item in applied]

    # Edits

    def edit(self, change: Change) -> None:
        """Change the state at the head, visible at once and under the next block."""
        head = self.head_hash
        root = edit_state(self._chain, self._head, self.root(head), change)
        self.set_root(head, root)

    def edited_root(self, block_hash: bytes) -> bytes | None:
        """Return the edited root of a block, None without edits; part of a snapshot.

        Raises:
            UnknownBlockHash: there is no such block.
        """
        return self._record(block_hash).edited_root

    def set_root(self, block_hash: bytes, root: bytes | None) -> None:
        """Set or (None) forget the edited root of a block, to return to a snapshot.

        Raises:
            UnknownBlockHash: there is no such block.
        """
        old = self._record(block_hash)
        edited = None if root == self.header(block_hash).state_root else root
        self._db.put_record(
            block_hash,
            BlockRecord(base_root=old.base_root, edited_root=edited, natives=old.natives),
        )

    # Persistence

    def put_control(self, key: str, value: bytes | None) -> None:
        """Set a control value in the same commit as the blocks; None deletes it."""
        self._db.put_control(key, value)

    def get_control(self, key: str) -> bytes | None:
        """Return a control value, None without one."""
        return self._db.control(key)

    def commit(self) -> None:
        """Write everything since the last commit, all or nothing."""
        self._db.commit()
        _release_tries()

    def rollback(self) -> None:
        """Forget everything since the last commit."""
        self._db.rollback()
        self._readers.clear()
        self._blocks.clear()
        self._head = self._chain.get_canonical_head()
        self._chain.chain_id = int(self._db.control(_CHAIN_ID) or 0)

    def export_fresh(self) -> bytes:
        """Pack everything since the last commit, in a child that built a block for its parent."""
        return pickle.dumps(self._db.fresh)

    def import_fresh(self, packed: bytes) -> None:
        """Take over what a forked child of our own packed with `export_fresh`."""
        fresh: Fresh = pickle.loads(packed)  # noqa: S301 - from our own child, by a pipe
        self._db.absorb(fresh)
        self._head = self._chain.get_canonical_head()

    # Inside

    def _record(self, block_hash: bytes) -> BlockRecord:
        record = self._db.record(block_hash)
        if record is None:
            raise UnknownBlockHash(block_hash=block_hash)
        return record

    def _load(self, block_hash: bytes) -> Block:
        header = self.header(block_hash)
        block = self._chain.block(header)
        receipts = block.get_receipts(self._chain.chaindb)
        natives = convert.decode_natives(self._record(block_hash).natives)
        return convert.convert_block(block, receipts, natives, self.blob_base_fee(header))

    def keep_block(self, block: Block) -> Block:
        """Have a block at hand that was just sealed or loaded; return it."""
        self._blocks[block.hash] = block
        while len(self._blocks) > _KEPT_BLOCKS:
            self._blocks.popitem(last=False)
        return block

    def keep_executed(self, block: BlockAPI, receipts: Sequence[ReceiptAPI]) -> None:
        """Keep a block that was run on its parent as the parent's header says, edits aside."""
        header = block.header
        self._db[header.hash] = rlp.encode(header)
        base_root = bytes(self.header(header.parent_hash).state_root)
        record = BlockRecord(base_root=base_root, edited_root=None, natives=b"")
        self._db.put_record(header.hash, record)
        self.keep_block(convert.convert_block(block, receipts, (), self.blob_base_fee(header)))

    def _hashes_of(self, header: BlockHeaderAPI) -> Sequence[bytes]:
        kept = self._blocks.get(header.hash)
        if kept is not None:
            return [item.hash for item in kept.transactions if item.kind is Kind.EVM]
        return tuple(self._chain.chaindb.get_block_transaction_hashes(header))


def _release_tries() -> None:
    # A cache of the trie library keeps up to 4,096 tries alive, each with the state it served.
    HexaryTrie._cached_create_node_to_db_mapping.cache_clear()  # noqa: SLF001
