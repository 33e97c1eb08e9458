"""One simulated block: its calls, run as transactions that nobody signed.

Source: go-ethereum internal/ethapi/simulate.go (processBlock, sanitizeCall), 02b73d4e.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import rlp
from eth.abc import BlockHeaderAPI, ComputationAPI, ReceiptAPI, SignedTransactionAPI
from eth.exceptions import VMError
from eth_typing import Address

from twisted_chainws.chain.model import Block, EvmTransaction
from twisted_chainws.chain.types import Hash32
from twisted_chainws.errors import ExecutionError, ExecutionFailed, SimulatedBlockFull
from twisted_chainws.sources.devchain.codec import decode_quantity
from twisted_chainws.sources.devchain.engine.calls import CallTransaction, failure
from twisted_chainws.sources.devchain.engine.checks import MAX_NONCE
from twisted_chainws.sources.devchain.engine.convert import (
    convert_block,
    convert_receipt,
    convert_transaction,
)
from twisted_chainws.sources.devchain.engine.head import DevChain
from twisted_chainws.sources.devchain.engine.overrides import (
    override_accounts,
    override_precompiles,
)
from twisted_chainws.sources.devchain.engine.requests import CallRequest, parse_call
from twisted_chainws.sources.devchain.engine.simulate_checks import check_simulated
from twisted_chainws.sources.devchain.engine.simulate_logs import (
    LogBook,
    NumberedLog,
    logging_computation,
)
from twisted_chainws.sources.devchain.engine.simulate_plan import PlannedBlock
from twisted_chainws.sources.devchain.engine.vm import TransactionFields, blank, unsigned

_LEGACY, _DYNAMIC, _BLOB, _SET_CODE = 0, 2, 3, 4
_CAPPED: Final = " (gas limit was capped by the RPC server's global gas cap)"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallResult:
    """How a simulated call ended.

    Attributes:
        error: None when it succeeded.
        output: return data, or the runtime code of a creation; empty after an error.
        logs: with their numbers in the block; empty after an error.
        gas_used: what the caller pays for, refunds taken off.
        gas_peak: before refunds.
    """

    error: ExecutionError | None
    output: bytes
    logs: tuple[NumberedLog, ...]
    gas_used: int
    gas_peak: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedBlock:
    """A sealed block and how its calls ended, one result per transaction."""

    block: Block
    results: tuple[CallResult, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """What a simulation is asked for.

    Attributes:
        transfers: whether moved value appears among the logs.
        validation: whether nonces and fees count as in a real block.
    """

    transfers: bool
    validation: bool


class Making:
    """One simulated block in the making."""

    def __init__(
        self, chain: DevChain, header: BlockHeaderAPI, planned: PlannedBlock, mode: Mode
    ) -> None:
        """Apply the overrides and make the system calls.

        Args:
            chain: over a database that may be written into.
            header: with everything that is known before a call runs.
            planned: the block.
            mode: what is asked for.

        Raises:
            InvalidOverride: the overrides contradict each other.
        """
        self._chain = chain
        self._header = header
        self._planned = planned
        self._mode = mode
        self._vm: Any = chain.get_vm(header)
        self._book = LogBook(transfers=mode.transfers)
        self._bare: list[SignedTransactionAPI] = []
        self._named: list[SignedTransactionAPI] = []
        self._receipts: list[ReceiptAPI] = []
        self._state = self._vm._state = self._open_state()  # noqa: SLF001
        self._block = self._vm.get_block()
        self._vm.block_preprocessing(self._block)

    def _open_state(self) -> Any:
        vm, planned = self._vm, self._planned
        base = vm.get_state_class()
        precompiles = base.computation_class.get_precompiles()
        computation = type(
            "SimulatedComputation",
            (logging_computation(base.computation_class),),
            {"_precompiles": override_precompiles(precompiles, planned.accounts)},
        )
        members = {
            "computation_class": computation,
            "log_book": self._book,
            "validation": self._mode.validation,
            "always_warm": frozenset(precompiles),
        }
        state_class = type("SimulatedState", (_Simulated, base), members)
        context = vm.create_execution_context(self._header, vm.previous_hashes, vm.chain_context)
        state = state_class(self._chain.chaindb.db, context, self._header.state_root)
        if planned.overrides.blob_base_fee is not None:
            state.blob_base_fee_override = planned.overrides.blob_base_fee
        override_accounts(state, planned.accounts)
        return state

    def add(self, call: Mapping[str, Any], budget: int) -> CallResult:
        """Run a call as the next transaction; ``budget`` is the most gas it gets.

        Raises:
            SimulationRefused: it cannot be part of the block.
        """
        request, fields = parse_call(call), self._fields(call)
        capped = min(fields.gas, budget)
        is_capped, fields = capped < fields.gas, replace(fields, gas=capped)
        transaction: Any = CallTransaction(request, fields.gas)
        transaction.nonce = fields.nonce
        check_simulated(request, transaction, self._state, validation=self._mode.validation)
        self._state.lock_changes()
        self._book.begin()
        computation = self._execute(transaction)
        gas_before = self._header.gas_used
        bare = blank(fields)
        self._append(bare, unsigned(fields, request.sender), computation)
        gas_used = self._header.gas_used - gas_before
        spent = fields.gas - computation.get_gas_remaining()
        error = failure(computation)
        if is_capped and isinstance(error, ExecutionFailed):
            error = ExecutionFailed(reason=error.reason + _CAPPED)
        return CallResult(
            error=error,
            output=b"" if error else bytes(computation.output),
            logs=self._book.take(),
            gas_used=gas_used,
            gas_peak=max(spent, gas_used),
        )

    def _fields(self, call: Mapping[str, Any]) -> TransactionFields:
        """Return the call as a transaction; without a gas limit it gets all that is left.

        Raises:
            SimulatedBlockFull: the block has less left than the call asks for.
        """
        request = parse_call(call)
        left = self._header.gas_limit - self._header.gas_used
        gas = left if request.gas is None else request.gas
        if gas > left:
            reason = f"block gas limit reached: remaining: {left}, required: {gas}"
            raise SimulatedBlockFull(reason=reason)
        nonce = call.get("nonce")
        if nonce is None:
            nonce = self._state.get_nonce(Address(request.sender))
        return TransactionFields(
            type=_type_of(request),
            chain_id=self._chain.chain_id,
            nonce=decode_quantity(nonce),
            gas=gas,
            to=request.to,
            value=request.value,
            data=request.data,
            gas_price=request.gas_price or 0,
            max_fee_per_gas=request.max_fee or 0,
            max_priority_fee_per_gas=request.max_priority_fee or 0,
            access_list=request.access_list,
            max_fee_per_blob_gas=request.max_blob_fee or 0,
            blob_versioned_hashes=request.blob_hashes or (),
            authorization_list=request.authorizations or (),
        )

    def _execute(self, transaction: Any) -> ComputationAPI:
        state, executor = self._state, self._state.get_transaction_executor()
        sender, is_create = transaction.sender, not transaction.to
        exhausted = state.get_nonce(sender) == MAX_NONCE
        if exhausted:
            state.set_nonce(sender, MAX_NONCE - 1)
        message = executor.build_evm_message(transaction)
        if exhausted:
            # The nonce of a caller wraps around; a creation fails before it counts.
            state.set_nonce(sender, MAX_NONCE if is_create else 0)
        if exhausted and is_create:
            context = state.get_transaction_context(transaction)
            computation = state.computation_class(state, message, context)
            computation.error = _NonceOverflow("nonce uint64 overflow")
        else:
            computation = executor.build_computation(message, transaction)
        finished: ComputationAPI = executor.finalize_computation(transaction, computation)
        state.clear_transient_storage()
        return finished

    def _append(
        self,
        bare: SignedTransactionAPI,
        named: SignedTransactionAPI,
        computation: ComputationAPI,
    ) -> None:
        vm = self._vm
        receipt = vm.make_receipt(self._header, bare, computation, self._state)
        self._header = vm.add_receipt_to_header(self._header, receipt)
        if bare.type_id == _BLOB:
            self._header = vm.increment_blob_gas_used(self._header, bare)
        self._bare.append(bare)
        self._named.append(named)
        self._receipts.append(receipt)

    def seal(self) -> tuple[Block, BlockHeaderAPI]:
        """Finish the block; return it with its header."""
        vm, withdrawals = self._vm, self._planned.withdrawals
        filled = vm.set_block_transactions_and_withdrawals(
            self._block, self._header, self._bare, self._receipts, withdrawals=withdrawals
        )
        processed = vm.block_postprocessing(filled)
        if withdrawals:
            vm.apply_all_withdrawals(withdrawals)
        # As ``mine_block``, without its checks: a simulated header may say anything.
        block = vm.finalize_block(vm.pack_block(processed)).block
        self._chain.chaindb.db[block.hash] = rlp.encode(block.header)
        return self._convert(block), block.header

    def _convert(self, block: Any) -> Block:
        """Return the block as a model value; senders come from the calls, not from signatures."""
        has_blobs = self._chain.fork(block.header).has("cancun")
        blob_fee = self._state.blob_base_fee if has_blobs else 0
        empty = convert_block(block.copy(transactions=()), (), (), blob_fee)
        befores = [0, *(receipt.gas_used for receipt in self._receipts)]
        transactions, receipts = [], []
        for index, (named, bare) in enumerate(zip(self._named, self._bare, strict=True)):
            before, receipt = befores[index], self._receipts[index]
            transactions.append(_unsign(convert_transaction(named), bare))
            receipts.append(convert_receipt(named, receipt, before, block.header, blob_fee))
        return replace(
            empty,
            transactions=tuple(transactions),
            receipts=tuple(receipts),
            extras=replace(empty.extras, size=len(rlp.encode(block))),
        )


class _Simulated:
    """What the state of a simulated block does differently."""

    log_book: LogBook
    validation: bool
    always_warm: frozenset[Any]

    def get_tip(self, transaction: Any) -> int:
        """Return the tip per gas, wei; who offers nothing pays none, whatever the base fee."""
        free = not (transaction.max_fee_per_gas or transaction.max_priority_fee_per_gas)
        if free and not self.validation:
            return 0
        inner: Any = super()
        return int(inner.get_tip(transaction))

    def is_address_warm(self, address: Any) -> bool:
        """Tell whether access is cheap: precompiles are, where the rules put them."""
        this: Any = self
        return bool(this._account_db.is_address_warm(address) or address in self.always_warm)  # noqa: SLF001


class _NonceOverflow(VMError):
    """A creation by an account that has used up its nonces; costs only the intrinsic gas."""

    burns_gas = False


def _type_of(request: CallRequest) -> int:
    if request.gas_price is not None:
        return _LEGACY
    if request.authorizations is not None:
        return _SET_CODE
    return _BLOB if request.blob_hashes is not None else _DYNAMIC


def _unsign(transaction: EvmTransaction, bare: SignedTransactionAPI) -> EvmTransaction:
    return replace(transaction, hash=Hash32(bare.hash), raw=bare.encode(), v=0, r=0, s=0)
