"""Building one block, transaction by transaction.

py-evm's own miners re-execute, rebuild tries per transaction or seal a header the EVM never saw;
here the header is complete before the first transaction runs, and a refused transaction leaves no
trace.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import rlp
from eth.abc import (
    BlockHeaderAPI,
    ComputationAPI,
    ReceiptAPI,
    SignedTransactionAPI,
    StateAPI,
    WithdrawalAPI,
)
from eth.constants import ZERO_HASH32
from eth.exceptions import PyEVMError
from eth.vm.forks.cancun.state import get_total_blob_gas
from eth_typing import Address, Hash32
from eth_utils import ValidationError

from twisted_chainws.chain.forks import GAS_PER_BLOB
from twisted_chainws.chain.model import Block, NativeTransaction, Receipt
from twisted_chainws.chain.types import Gas
from twisted_chainws.errors import BlockGasLimitExceeded, UndecodableTransaction
from twisted_chainws.sources.devchain.engine.checks import check_bounds, check_executable
from twisted_chainws.sources.devchain.engine.convert import (
    Native,
    convert_block,
    convert_receipt,
    encode_natives,
    next_base_fee,
)
from twisted_chainws.sources.devchain.engine.database import BlockRecord, OverlayDB, SqliteDB
from twisted_chainws.sources.devchain.engine.head import DevChain
from twisted_chainws.sources.devchain.engine.vm import DevVM


@dataclass(frozen=True, slots=True, kw_only=True)
class NativeOperation:
    """A transaction of another family: what is recorded and what it does to the state.

    Attributes:
        gas: the most it may use, in units of its family; shares the block's limit.
        apply: raises a TransactionRejected when it cannot run in that state, and Unsupported when
            it would need there what this chain does not have.
    """

    transaction: NativeTransaction
    gas: int
    apply: Callable[[StateAPI], Receipt]


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftFields:
    """What a block's header says before any transaction runs.

    Attributes:
        timestamp: seconds, not below the parent's.
        base_fee: wei; None follows EIP-1559.
        extra_data: up to 32 bytes.
        beacon_root: 32 bytes, the parent beacon block root.
        withdrawals: paid once everything else is done.
    """

    timestamp: int
    gas_limit: int
    coinbase: bytes
    mix_hash: bytes
    base_fee: int | None = None
    extra_data: bytes = b""
    beacon_root: bytes = ZERO_HASH32
    withdrawals: tuple[WithdrawalAPI, ...] = ()


class Draft:
    """A block being built on ``parent``; give it up by dropping it.

    After an interruption (`calls.TimeUp`) a draft must be dropped: its state may be half written.
    """

    def __init__(
        self,
        chain: DevChain,
        parent: BlockHeaderAPI,
        base_root: bytes,
        fields: DraftFields,
        *,
        on_sealed: Callable[[Block], object] | None,
    ) -> None:
        """Prepare the header and make the system calls of the block.

        Args:
            chain: over the database that sealing writes into.
            parent: header of any kept block.
            base_root: state to build on, the parent's state root or its edited root.
            fields: header fields.
            on_sealed: told of the sealed block.
        """
        blank = chain.create_header_from_parent(
            parent,
            timestamp=fields.timestamp,
            gas_limit=fields.gas_limit,
            coinbase=Address(fields.coinbase),
            mix_hash=fields.mix_hash,
            extra_data=fields.extra_data,
            difficulty=0,
            parent_beacon_block_root=Hash32(fields.beacon_root),
        )
        base_fee = next_base_fee(parent) if fields.base_fee is None else fields.base_fee
        self.chain = chain
        self.base_root = base_root
        self._on_sealed = on_sealed
        self.header = blank.copy(state_root=base_root, base_fee_per_gas=base_fee)
        self.vm: DevVM = chain.get_vm(self.header)
        self.transactions: list[SignedTransactionAPI] = []
        self.receipts: list[ReceiptAPI] = []
        self.natives: list[Native] = []
        self._native_gas = 0
        self.requests: tuple[bytes, ...] = ()
        self._withdrawals = fields.withdrawals
        self._block = self.vm.get_block()
        self.vm.block_preprocessing(self._block)

    @property
    def state(self) -> StateAPI:
        """The state after what was added so far."""
        return self.vm.state

    @property
    def gas_left(self) -> int:
        """Gas that further transactions may ask for."""
        return int(self.header.gas_limit) - self._gas_used()

    @property
    def blob_gas_left(self) -> int:
        """Blob gas that further transactions may use."""
        return int(self.vm.blobs.most * GAS_PER_BLOB - self.header.blob_gas_used)

    def add(self, transaction: SignedTransactionAPI) -> Receipt:
        """Run a transaction and return its receipt.

        Raises:
            TransactionRejected: one of its subclasses; the draft is as it was.
                `BlockGasLimitExceeded` has the gas (or blob gas) left in this block as its limit.
            RuntimeError: a native transaction was added before; EVM ones come first.
        """
        if self.natives:
            message = "EVM transactions precede native ones"
            raise RuntimeError(message)
        self._check(transaction)
        vm, state, gas_before = self.vm, self.vm.state, self.header.gas_used
        # The order matters: lock_changes drops every older mark.
        state.lock_changes()
        mark = state.snapshot()
        try:
            computation = state.apply_transaction(transaction)
        except (ValidationError, PyEVMError) as error:
            state.revert(mark)
            raise UndecodableTransaction(reason=str(error)) from error
        except Exception:
            state.revert(mark)
            raise
        state.commit(mark)
        receipt = self._receipt(transaction, computation)
        self.header = vm.increment_blob_gas_used(
            vm.add_receipt_to_header(self.header, receipt), transaction
        )
        self.transactions.append(transaction)
        self.receipts.append(receipt)
        return convert_receipt(
            transaction, receipt, gas_before, self.header, self.vm.state.blob_base_fee
        )

    def native(self, operation: NativeOperation) -> Receipt:
        """Apply a native transaction; if its `apply` raises, the draft is as it was.

        Returns:
            The receipt; gas of EVM transactions and earlier native ones is added to its own.

        Raises:
            BlockGasLimitExceeded: it asks for more gas than is left.
            UndecodableTransaction: it would give an account more than a word of coin.
        """
        if operation.gas > self.gas_left:
            raise BlockGasLimitExceeded(gas=operation.gas, limit=self.gas_left)
        state = self.vm.state
        state.lock_changes()
        mark = state.snapshot()
        try:
            receipt = operation.apply(state)
        except (ValidationError, PyEVMError) as error:
            state.revert(mark)
            raise UndecodableTransaction(reason=str(error)) from error
        except Exception:
            state.revert(mark)
            raise
        state.commit(mark)
        self._native_gas += receipt.gas_used
        receipt = replace(receipt, cumulative_gas_used=Gas(self._gas_used()))
        self.natives.append((operation.transaction, receipt))
        return receipt

    def seal(self) -> Block:
        """Finish the block and keep it by hash; it is not the head yet.

        Never interrupt this.
        """
        self.vm.look_for_deposits_in(self.receipts)
        filled = self.vm.set_block_transactions_and_withdrawals(
            self._block,
            self.header,
            self.transactions,
            self.receipts,
            withdrawals=self._withdrawals,
        )
        processed = self.vm.block_postprocessing(filled)
        self.requests = tuple(item for item in filled.block_requests if len(item) > 1)
        self.vm.apply_all_withdrawals(self._withdrawals)
        block = self.vm.mine_block(processed).block
        self.header = block.header
        db = self.chain.chaindb.db
        db[block.hash] = rlp.encode(block.header)
        self._put_record(db, block.hash)
        blob_fee = self.vm.state.blob_base_fee
        sealed = convert_block(block, self.receipts, self.natives, blob_fee)
        if self._on_sealed is not None:
            self._on_sealed(sealed)
        return sealed

    def _put_record(self, db: SqliteDB | OverlayDB, block_hash: bytes) -> None:
        if isinstance(db, OverlayDB):
            return
        # Sealing the same block again (a reorg to equal contents) keeps the edits made on it.
        known = db.record(block_hash)
        record = BlockRecord(
            base_root=self.base_root,
            edited_root=known.edited_root if known else None,
            natives=encode_natives(self.natives),
        )
        db.put_record(block_hash, record)

    def _gas_used(self) -> int:
        """Return the gas of all families, though their units differ: one limit bounds a block."""
        return int(self.header.gas_used) + self._native_gas

    def _check(self, transaction: SignedTransactionAPI) -> None:
        check_bounds(transaction, self.vm.state.fork)
        if transaction.gas > self.gas_left:
            raise BlockGasLimitExceeded(gas=transaction.gas, limit=self.gas_left)
        blob_gas = get_total_blob_gas(transaction)
        if blob_gas > self.blob_gas_left:
            raise BlockGasLimitExceeded(gas=blob_gas, limit=self.blob_gas_left)
        check_executable(
            transaction,
            self.vm.state,
            base_fee=self.header.base_fee_per_gas,
            blob_base_fee=self.vm.state.blob_base_fee,
        )

    def _receipt(
        self, transaction: SignedTransactionAPI, computation: ComputationAPI
    ) -> ReceiptAPI:
        receipt: ReceiptAPI = self.vm.make_receipt(
            self.header, transaction, computation, self.vm.state
        )
        return receipt
