"""Running the transactions of a block again, and one of them for a tracer to watch."""

from collections.abc import Callable, Sequence
from typing import Any

import rlp
from eth._utils.address import generate_contract_address
from eth.abc import BlockAPI, ComputationAPI, SignedTransactionAPI, StateAPI
from eth.exceptions import PyEVMError
from eth.vm.forks.prague.blocks import PragueBackwardsHeader
from eth_typing import Address
from eth_utils import ValidationError
from rlp.exceptions import RLPException

from twisted_chainws.errors import ExecutionFailed, TraceFailed
from twisted_chainws.sources.devchain.engine.calls import CallSite, CallTransaction, execute
from twisted_chainws.sources.devchain.engine.head import DevChain
from twisted_chainws.sources.devchain.engine.requests import CallRequest
from twisted_chainws.sources.devchain.engine.traced_computation import traced_class
from twisted_chainws.sources.devchain.engine.tracing import (
    CALL,
    CREATE,
    Context,
    Frame,
    Tracer,
    close_frame,
)

Run = Callable[[], tuple[ComputationAPI, int]]
"""Runs something; returns what came of it and the gas that is paid for."""


class Replay:
    """A block on its way from the state it was built on, one transaction after the other."""

    def __init__(self, chain: DevChain, block: BlockAPI, base_root: bytes) -> None:
        """Make the system calls of the block.

        Args:
            chain: over the database to read.
            block: any that has a place on this chain.
            base_root: state it was built on.
        """
        self._vm = chain.get_vm(block.header.copy(state_root=base_root))
        self._vm.block_preprocessing(block)
        self.transactions: Sequence[SignedTransactionAPI] = block.transactions
        self._next_log = 0

    @property
    def state(self) -> StateAPI:
        """The state after what has run up to now."""
        state: StateAPI = self._vm.state
        return state

    def skip(self, transaction: SignedTransactionAPI) -> None:
        """Run the next transaction unwatched.

        Raises:
            TraceFailed: it cannot run.
        """
        self._run(transaction)

    def trace(self, transaction: SignedTransactionAPI, tracer: Tracer) -> None:
        """Run the next transaction and let ``tracer`` watch.

        Raises:
            TraceFailed: it cannot run.
        """
        watch(self.state, transaction, tracer, self._next_log, lambda: self._run(transaction))

    def root(self) -> bytes:
        """Write the state to the database of the chain and return its root."""
        self.state.persist()
        return bytes(self.state.state_root)

    def _run(self, transaction: SignedTransactionAPI) -> tuple[ComputationAPI, int]:
        state = self.state
        state.lock_changes()
        try:
            computation = state.apply_transaction(transaction)
        except (ValidationError, PyEVMError) as error:
            raise TraceFailed(reason=str(error)) from error
        self._next_log += len(computation.get_log_entries())
        return computation, int(self._vm.finalize_gas_used(transaction, computation))


def decode_block(chain: DevChain, raw: bytes) -> BlockAPI:
    """Decode a block of any fork.

    Raises:
        ExecutionFailed: it is none.
    """
    try:
        header = PragueBackwardsHeader.deserialize(rlp.decode(raw)[0])
        sedes = chain.vm_class(chain.fork(header)).get_block_class()
        block: BlockAPI = rlp.decode(raw, sedes=sedes)
    except (RLPException, PyEVMError, ValidationError, ValueError, IndexError) as error:
        raise ExecutionFailed(reason=f"could not decode block: {error}") from error
    return block


def trace_call(site: CallSite, request: CallRequest, gas: int, tracer: Tracer) -> None:
    """Run a call with a gas limit of ``gas`` and let ``tracer`` watch.

    Raises:
        PrecheckFailed: refused before the first opcode.
        TraceFailed: it does not even begin.
        InvalidOverride: the overrides contradict each other.
    """
    state = site.state(request)

    def run() -> tuple[ComputationAPI, int]:
        outcome = execute(state, request, gas)
        if outcome.computation is None:
            raise TraceFailed(reason=getattr(outcome.error, "reason", "execution failed"))
        return outcome.computation, outcome.gas_used

    watch(state, CallTransaction(request, gas, state.fork), tracer, 0, run)


def watch(state: Any, transaction: Any, tracer: Tracer, first_log: int, run: Run) -> None:
    """Tell ``tracer`` of a transaction while ``run`` runs it on ``state``.

    Args:
        state: afterwards runs unwatched again.
        transaction: or what stands for one.
        tracer: a new one.
        first_log: index in the block of its first log.
        run: what to watch.
    """
    plain = state.computation_class
    tracer.begin(
        Context(
            state=state,
            transaction=transaction,
            precompiles=frozenset(plain.get_precompiles()),
            first_log=first_log,
        )
    )
    top = _top_frame(state, transaction)
    if tracer.frames:
        tracer.enter(top)
    state.computation_class = traced_class(plain, tracer)
    try:
        computation, gas_used = run()
    finally:
        state.computation_class = plain
    close_frame(top, computation)
    top.gas_used = gas_used
    if tracer.frames:
        tracer.leave(top)
    tracer.end(top)


def _top_frame(state: StateAPI, transaction: Any) -> Frame:
    sender = Address(transaction.sender)
    to, kind = bytes(transaction.to), CALL
    if not to:
        to, kind = generate_contract_address(sender, state.get_nonce(sender)), CREATE
    return Frame(
        kind=kind,
        sender=bytes(sender),
        to=to,
        input=bytes(transaction.data),
        gas=transaction.gas,
        value=transaction.value,
        depth=0,
    )
