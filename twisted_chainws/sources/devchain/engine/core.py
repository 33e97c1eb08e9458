"""`Engine`: blocks, head, edits, calls and control state over one SQLite file.

No pool, no clock, no commands: those are `mempool` and `node`. Everything that changes the file
waits for `Engine.commit`. Interruptible work (`calls.within`) is `call`, `estimate`,
`access_list` and `Draft.add`; never `seal`, `edit`, `set_head` or `commit`.
"""

import pickle
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import rlp
from eth.abc import BlockHeaderAPI, SignedTransactionAPI
from eth.exceptions import HeaderNotFound, TransactionNotFound, UnrecognizedTransactionType
from eth_typing import BlockNumber, Hash32
from eth_utils import ValidationError
from rlp.exceptions import RLPException

from twisted_chainws.chain.model import Block
from twisted_chainws.errors import (
    TransactionTooShort,
    UndecodableTransaction,
    UnknownBlock,
    UnknownBlockHash,
    UnsupportedTransactionType,
)
from twisted_chainws.sources.devchain.engine import convert, proofs
from twisted_chainws.sources.devchain.engine.calls import CallSite, run
from twisted_chainws.sources.devchain.engine.database import (
    BlockRecord,
    Fresh,
    OverlayDB,
    SqliteDB,
)
from twisted_chainws.sources.devchain.engine.draft import Draft, DraftFields
from twisted_chainws.sources.devchain.engine.estimate import (
    AccessListResult,
    access_list,
    estimate,
)
from twisted_chainws.sources.devchain.engine.head import (
    DevChain,
    Genesis,
    create_chain,
    open_chain,
    set_head,
)
from twisted_chainws.sources.devchain.engine.requests import (
    parse_block_overrides,
    parse_call,
    parse_state_overrides,
)
from twisted_chainws.sources.devchain.engine.state import (
    Change,
    ReaderCache,
    StateReader,
    edit_state,
    state_at,
)
from twisted_chainws.sources.devchain.engine.vm import (
    DevBlock,
    DevBuilder,
    TransactionFields,
    unsigned,
)

_CHAIN_ID = "engine.chain_id"
_KEPT_BLOCKS = 128
_BLOB_TYPE = 3
_KNOWN_TYPES = (1, 2, 3, 4)
_FIRST_LEGACY_BYTE = 0xC0

Json = Mapping[str, Any]
Place = bytes | Draft
"""A block hash, or a sealed ephemeral draft (the pending block)."""


class Engine:
    """One development chain in one file."""

    def __init__(self, db: SqliteDB, chain: DevChain) -> None:
        """Use `open`."""
        self._db = db
        self._chain = chain
        self._readers = ReaderCache()
        self._blocks: OrderedDict[bytes, Block] = OrderedDict()
        self._head: BlockHeaderAPI = chain.get_canonical_head()

    @classmethod
    def open(cls, path: str, genesis: Genesis) -> "Engine":
        """Reopen the chain in the file ``path``, or create it from ``genesis`` and commit it.

        A file that holds a chain keeps its own genesis and chain id.
        """
        db = SqliteDB(path)
        stored = db.control(_CHAIN_ID)
        if stored is not None:
            return cls(db, open_chain(db, int(stored)))
        chain = create_chain(db, genesis)
        header = chain.get_canonical_head()
        record = BlockRecord(base_root=header.state_root, edited_root=None, natives=b"")
        db.put_record(header.hash, record)
        db.put_control(_CHAIN_ID, b"%d" % genesis.chain_id)
        db.commit()
        return cls(db, chain)

    def close(self) -> None:
        """Close the file; what was not committed is lost."""
        self._db.close()

    def reopen_read_only(self) -> None:
        """Make the engine usable in a forked child: reads only, uncommitted writes visible."""
        self._db.reopen_read_only()

    # Chain id

    @property
    def chain_id(self) -> int:
        """What transactions must be signed for."""
        return int(self._chain.chain_id)

    def set_chain_id(self, chain_id: int) -> None:
        """Change the chain id from the next transaction on."""
        self._chain.chain_id = chain_id
        self._db.put_control(_CHAIN_ID, b"%d" % chain_id)
        self._readers.clear()

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
            kept = self._keep(self._load(block_hash))
        return kept

    def transactions(self, block_hash: bytes) -> tuple[SignedTransactionAPI, ...]:
        """Return the EVM transactions of a kept block as py-evm objects, in order.

        Raises:
            UnknownBlockHash: there is no such block.
        """
        header = self.header(block_hash)
        return tuple(self._chain.chaindb.get_block_transactions(header, DevBuilder))

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

    # Building

    def draft(  # noqa: PLR0913 - the header's free fields
        self,
        parent_hash: bytes,
        *,
        timestamp: int,
        gas_limit: int,
        coinbase: bytes,
        mix_hash: bytes,
        base_fee: int | None = None,
        extra_data: bytes = b"",
        ephemeral: bool = False,
    ) -> Draft:
        """Start a block on any kept block.

        Args:
            parent_hash: of the parent.
            timestamp: seconds, not below the parent's.
            gas_limit: of the new block.
            coinbase: 20 bytes.
            mix_hash: 32 bytes, what PREVRANDAO returns.
            base_fee: wei; None follows EIP-1559.
            extra_data: up to 32 bytes.
            ephemeral: nothing of the draft is ever written, not even when it is sealed; such a
                sealed draft serves as the pending block.

        Raises:
            UnknownBlockHash: there is no such parent.
        """
        parent = self.header(parent_hash)
        chain = self._chain
        if ephemeral:
            chain = open_chain(OverlayDB(self._db), self.chain_id)
        fields = DraftFields(
            timestamp=timestamp,
            gas_limit=gas_limit,
            coinbase=coinbase,
            mix_hash=mix_hash,
            base_fee=base_fee,
            extra_data=extra_data,
        )
        return Draft(chain, parent, self.root(parent_hash), fields)

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

    # Reads

    def read(self, at: Place) -> StateReader:
        """Return a reader of the state at a block.

        Raises:
            UnknownBlockHash: there is no such block.
        """
        chain, header, root = self._place(at)
        if chain is not self._chain:
            return StateReader(state_at(chain, header, root))
        return self._readers.get(root, lambda: state_at(chain, header, root))

    def proof(self, address: bytes, slots: Sequence[int], at: Place) -> proofs.AccountProof:
        """Prove an account and slots against the state at a block.

        Raises:
            UnknownBlockHash: there is no such block.
        """
        chain, _, root = self._place(at)
        return proofs.prove(chain, root, address, slots)

    def call(
        self,
        call: Json,
        at: Place,
        *,
        gas_cap: int,
        state_overrides: Json | None = None,
        block_overrides: Json | None = None,
    ) -> bytes:
        """Run a call and return its output.

        Args:
            call: normalised call object, see `requests`.
            at: the block.
            gas_cap: the highest gas limit, and the limit when the call names none.
            state_overrides: accounts to replace for this call.
            block_overrides: header fields to replace for this call.

        Raises:
            ExecutionReverted: with the revert data.
            ExecutionFailed: any other EVM failure.
            PrecheckFailed: refused before the first opcode.
            InvalidOverride: the overrides contradict each other.
            UnknownBlockHash: there is no such block.
        """
        request = parse_call(call)
        site = self._site(at, state_overrides, block_overrides)
        outcome = run(site, request, min(request.gas or gas_cap, gas_cap))
        if outcome.error is not None:
            raise outcome.error
        return outcome.output

    def estimate(
        self,
        call: Json,
        at: Place,
        *,
        gas_cap: int,
        state_overrides: Json | None = None,
        block_overrides: Json | None = None,
    ) -> int:
        """Return a gas limit for a call, at most 1.5 % above the least one; args as `call`.

        Raises:
            ExecutionReverted: it reverts with any gas.
            ExecutionFailed: it fails for another reason than gas.
            GasAllowanceExceeded: no allowed limit is enough.
            EstimateFailed: refused before the first opcode.
            InvalidOverride: the overrides contradict each other.
            UnknownBlockHash: there is no such block.
        """
        site = self._site(at, state_overrides, block_overrides)
        return estimate(site, parse_call(call), gas_cap)

    def access_list(
        self,
        call: Json,
        at: Place,
        *,
        gas_cap: int,
        state_overrides: Json | None = None,
        block_overrides: Json | None = None,
    ) -> AccessListResult:
        """Return the access list of a call; args as `call`.

        Raises:
            PrecheckFailed: refused before the first opcode.
            InvalidOverride: the overrides contradict each other.
            UnknownBlockHash: there is no such block.
        """
        request = parse_call(call)
        site = self._site(at, state_overrides, block_overrides)
        return access_list(site, request, min(request.gas or gas_cap, gas_cap))

    # Transactions and fees

    @staticmethod
    def decode(raw: bytes) -> SignedTransactionAPI:
        """Decode a signed transaction; a blob transaction may come with its sidecar.

        Raises:
            UndecodableTransaction: not RLP, or not the fields of its type.
            UnsupportedTransactionType: an unknown envelope.
            TransactionTooShort: an envelope without content.
        """
        return decode_transaction(raw)

    @staticmethod
    def unsigned(fields: TransactionFields | Json, sender: bytes) -> SignedTransactionAPI:
        """Make a transaction with a marked signature, for impersonation.

        Args:
            fields: or a mapping of its attributes.
            sender: 20 bytes.
        """
        if not isinstance(fields, TransactionFields):
            fields = TransactionFields(**fields)
        return unsigned(fields, sender)

    next_base_fee = staticmethod(convert.next_base_fee)
    blob_base_fee = staticmethod(convert.blob_base_fee)
    next_blob_base_fee = staticmethod(convert.next_blob_base_fee)

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

    def _place(self, at: Place) -> tuple[DevChain, BlockHeaderAPI, bytes]:
        if isinstance(at, Draft):
            return at.chain, at.header, bytes(at.header.state_root)
        return self._chain, self.header(at), self.root(at)

    def _site(
        self, at: Place, state_overrides: Json | None, block_overrides: Json | None
    ) -> CallSite:
        chain, header, root = self._place(at)
        return CallSite(
            chain=chain,
            header=header,
            root=root,
            accounts=parse_state_overrides(state_overrides),
            block=parse_block_overrides(block_overrides),
        )

    def _record(self, block_hash: bytes) -> BlockRecord:
        record = self._db.record(block_hash)
        if record is None:
            raise UnknownBlockHash(block_hash=block_hash)
        return record

    def _load(self, block_hash: bytes) -> Block:
        header = self.header(block_hash)
        block = DevBlock.from_header(header, self._chain.chaindb)
        receipts = block.get_receipts(self._chain.chaindb)
        natives = convert.decode_natives(self._record(block_hash).natives)
        return convert.convert_block(block, receipts, natives)

    def _keep(self, block: Block) -> Block:
        self._blocks[block.hash] = block
        while len(self._blocks) > _KEPT_BLOCKS:
            self._blocks.popitem(last=False)
        return block

    def _hashes_of(self, header: BlockHeaderAPI) -> Sequence[bytes]:
        return tuple(self._chain.chaindb.get_block_transaction_hashes(header))


def decode_transaction(raw: bytes) -> SignedTransactionAPI:
    """Decode a signed transaction, see `Engine.decode`."""
    if not raw:
        raise TransactionTooShort
    try:
        if raw[0] >= _FIRST_LEGACY_BYTE:
            transaction: SignedTransactionAPI = DevBuilder.decode(raw)
        else:
            transaction = _decode_typed(raw)
    except UnrecognizedTransactionType as error:
        raise UnsupportedTransactionType from error
    except (RLPException, ValidationError, ValueError, TypeError) as error:
        raise UndecodableTransaction(reason=f"rlp: {_first_line(error)}") from error
    return transaction


def _decode_typed(raw: bytes) -> SignedTransactionAPI:
    if raw[0] not in _KNOWN_TYPES:
        raise UnsupportedTransactionType
    if len(raw) == 1:
        raise TransactionTooShort
    if raw[0] == _BLOB_TYPE:
        # The network form carries the sidecar behind the transaction: a list in a list.
        items = rlp.decode(raw[1:])
        if items and isinstance(items[0], list):
            raw = raw[:1] + rlp.encode(items[0])
    transaction: SignedTransactionAPI = DevBuilder.decode(raw)
    return transaction


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__
