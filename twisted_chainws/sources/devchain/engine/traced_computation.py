"""A computation class that tells a tracer what it does.

Theory of operation: py-evm has no hooks, but everything it runs goes through a computation class
and that class's table of opcodes. `traced_class` derives from whatever class a state uses (any
fork, moved precompiles) one whose opcodes are wrapped and whose child computations are announced.
A state is traced by giving it such a class, so a run without a tracer is what it always was. Calls
that py-evm refuses before they become a computation (no funds, too deep) are frames, as in geth.

Source: go-ethereum core/vm (interpreter.go, evm.go), 02b73d4e.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Final

from eth import constants
from eth.abc import MessageAPI
from eth.exceptions import FullStack, Halt, InsufficientStack, OutOfGas, PyEVMError
from eth.vm.code_stream import CodeStream
from eth.vm.computation import BaseComputation
from eth.vm.logic.invalid import InvalidOpcode

from twisted_chainws.sources.devchain.engine.reasons import describe
from twisted_chainws.sources.devchain.engine.tracing import (
    CALL,
    CALLCODE,
    CALLS,
    CREATIONS,
    DELEGATECALL,
    SELFDESTRUCT,
    STATICCALL,
    Frame,
    Tracer,
    close_frame,
    to_address,
    to_int,
)

_TOO_DEEP: Final = "max call depth exceeded"
_NO_FUNDS: Final = "insufficient balance for transfer"
_NONCE_OVERFLOW: Final = "nonce uint64 overflow"
_COLLISION: Final = "contract address collision"
_NEEDED: Final = re.compile(r"Needed (\d+) ")
_BEFORE_EXECUTION: Final = (OutOfGas, InsufficientStack, FullStack)
"""What geth finds out before it runs an opcode; such a step carries its error."""


class PositionedCode(CodeStream):
    """Code that knows where the opcode of the moment stands, also the STOP behind its end."""

    position: int
    program_counter: int

    def __init__(self, code_bytes: bytes) -> None:
        super().__init__(code_bytes)
        self.position = 0

    def __iter__(self) -> Iterator[int]:
        code, size = self._raw_code_bytes, self._length_cache
        while True:
            self.position = position = self.program_counter
            if position >= size:
                break
            self.program_counter = position + 1
            yield code[position]
        yield 0


class TracedComputation(BaseComputation):
    """The half of a traced class that does not depend on the fork.

    Attributes:
        tracer: whom to tell; set on the class.
        step_gas: gas before the step that has not been charged yet, None without any.
        target: the account that the call in progress names.
        gas_seen: gas when it was last asked for.
        gas_returned: gas that was last given back.
    """

    tracer: ClassVar[Tracer]
    entered: ClassVar[list[int]]
    """One cell: the refunds outside of the computation that is entered next."""

    def __init__(self, state: Any, message: Any, transaction_context: Any) -> None:
        super().__init__(state, message, transaction_context)
        self.code = PositionedCode(message.code)
        self.step_gas: int | None = None
        self.target = b""
        self.gas_seen: int | None = None
        self.gas_returned = 0
        self._refund_outside: int = self.entered[0] + message.refund
        self._refund_children = 0

    @property
    def refund(self) -> int:
        """All refunds of the transaction up to now."""
        return self._refund_outside + self._refund_own

    @property
    def _refund_own(self) -> int:
        return int(self._refund_children + self._gas_meter.gas_refunded)

    # Steps

    def settle(self, cost: int, error: str | None = None) -> None:
        """Tell what the step costs, if it has not been told."""
        if self.step_gas is not None:
            self.step_gas = None
            self.tracer.charged(self, cost, error)

    def settle_end(self, error: PyEVMError | None) -> None:
        """Tell what a step costs that has run, or could not; not if it has been told."""
        if self.step_gas is None:
            return
        cost = self.step_gas - self._gas_meter.gas_remaining
        if not isinstance(error, _BEFORE_EXECUTION):
            self.settle(cost)
            return
        needed = _NEEDED.search(str(error))
        if needed is not None:
            cost += int(needed[1])
        self.settle(cost, describe(error, self))

    def get_gas_remaining(self) -> int:
        """Note what was seen: creations share it out."""
        self.gas_seen = remaining = int(super().get_gas_remaining())
        return remaining

    def return_gas(self, amount: int) -> None:
        """Note what came back: refused calls give all of it."""
        self.gas_returned = amount
        super().return_gas(amount)

    def add_log_entry(self, account: Any, topics: Any, data: Any) -> None:
        """Tell of a log."""
        super().add_log_entry(account, topics, data)
        self.tracer.log(account, topics, data)

    # Frames

    def apply_child_computation(self, child_msg: Any) -> Any:
        """Announce the child, run it, tell its outcome."""
        if child_msg.is_create and hasattr(self, "validate_create_message"):
            # Too much init code is an error of the opcode: no frame is entered.
            self.validate_create_message(child_msg)
        if self.step_gas is not None:
            handed = child_msg.gas if child_msg.is_create else 0
            self.settle(self.step_gas - self._gas_meter.gas_remaining - handed)
        frame = self._frame_of(child_msg) if self.tracer.frames else None
        if frame is not None:
            self.tracer.enter(frame)
        self.entered[0] = self.refund
        child = super().apply_child_computation(child_msg)
        if child.is_success:
            self._refund_children += child._refund_own  # noqa: SLF001
        if frame is not None:
            close_frame(frame, child)
            self.tracer.leave(frame)
        return child

    def _frame_of(self, message: MessageAPI) -> Frame:
        kind = self.code[self.code.position]
        creates = bool(message.is_create)
        return Frame(
            kind=kind,
            sender=self.msg.storage_address,
            # Of a delegated account, message.code_address is the delegate.
            to=message.storage_address if creates else self.target,
            input=bytes(message.code if creates else message.data),
            gas=message.gas,
            value=None if kind == STATICCALL else message.value,
            depth=message.depth,
        )

    def refuse_call(self, kind: int, arguments: list[Any]) -> None:
        """Tell of a call that was refused; ``arguments`` are on top of the stack before it."""
        if self.step_gas is not None:
            self.settle(self.step_gas - self._gas_meter.gas_remaining + self.gas_returned)
        offset = -4 if kind in (CALL, CALLCODE) else -3
        value: int | None = None
        if kind == DELEGATECALL:
            value = self.msg.value
        elif kind != STATICCALL:
            value = to_int(arguments[-3])
        self._refuse(
            Frame(
                kind=kind,
                sender=self.msg.storage_address,
                to=self.target,
                input=self.memory_read_bytes(
                    to_int(arguments[offset]), to_int(arguments[offset - 1])
                ),
                gas=self.gas_returned,
                value=value,
                depth=self.msg.depth + 1,
            ),
            error=_TOO_DEEP if self._is_deepest else _NO_FUNDS,
        )

    def refuse_creation(self, kind: int, arguments: list[Any]) -> None:
        """Tell of a creation that was refused."""
        left = self._gas_meter.gas_remaining
        value, offset, size = (to_int(item) for item in arguments[:-4:-1])
        burnt = 0
        if self.gas_seen is not None:
            # Refused only after its gas was taken.
            gas = burnt = self.gas_seen - left
            error = _COLLISION
        else:
            gas = left - left // 64
            funds = self.state.get_balance(self.msg.storage_address)
            error = _NO_FUNDS if funds < value else _NONCE_OVERFLOW
            error = _TOO_DEEP if self._is_deepest else error
        if self.step_gas is not None:
            self.settle(self.step_gas - left - burnt)
        self._refuse(
            Frame(
                kind=kind,
                sender=self.msg.storage_address,
                to=b"",
                input=self.memory_read_bytes(offset, size),
                gas=gas,
                value=value,
                depth=self.msg.depth + 1,
            ),
            error=error,
            gas_used=burnt,
        )

    @property
    def _is_deepest(self) -> bool:
        return bool(self.msg.depth + 1 > constants.STACK_DEPTH_LIMIT)

    def _refuse(self, frame: Frame, *, error: str, gas_used: int = 0) -> None:
        if self.tracer.frames:
            self.tracer.enter(frame)
            frame.gas_used, frame.error = gas_used, error
            self.tracer.leave(frame)


Operation = Callable[..., Any]


def _calling(kind: int, operation: Operation) -> Operation:
    def call(computation: Any) -> None:
        arguments = computation._stack.values[-7:]  # noqa: SLF001
        computation.target = to_address(arguments[-2]) if len(arguments) > 1 else b""
        children = len(computation.children)
        operation(computation=computation)
        if len(computation.children) == children:
            computation.refuse_call(kind, arguments)

    return call


def _creating(kind: int, operation: Operation) -> Operation:
    def create(computation: Any) -> None:
        arguments = computation._stack.values[-4:]  # noqa: SLF001
        children = len(computation.children)
        computation.gas_seen = None
        operation(computation=computation)
        if len(computation.children) == children:
            computation.refuse_creation(kind, arguments)

    return create


def _destructing(operation: Operation) -> Operation:
    def destruct(computation: Any) -> None:
        values, address = computation._stack.values, computation.msg.storage_address  # noqa: SLF001
        heir = to_address(values[-1]) if values else b""
        balance = computation.state.get_balance(address)
        try:
            operation(computation=computation)
        except Halt:
            frame = Frame(
                kind=SELFDESTRUCT,
                sender=address,
                to=heir,
                input=b"",
                gas=0,
                value=balance,
                depth=computation.msg.depth + 1,
            )
            computation.tracer.enter(frame)
            computation.tracer.leave(frame)
            raise

    return destruct


def _stepping(opcode: int, operation: Operation, tracer: Tracer) -> Operation:
    def step(computation: Any) -> None:
        if not len(computation.code):
            # py-evm stops in an account without code; geth does not begin.
            raise Halt("STOP")
        computation.step_gas = computation._gas_meter.gas_remaining  # noqa: SLF001
        tracer.step(opcode, computation)
        try:
            operation(computation=computation)
        except PyEVMError as error:
            computation.settle_end(error)
            raise
        if computation.step_gas is not None:
            computation.settle_end(None)

    return step


class _Opcodes(dict[int, Operation]):
    """A fork's table of opcodes, wrapped."""

    def __init__(self, known: dict[int, Operation], tracer: Tracer) -> None:
        super().__init__()
        self._tracer = tracer
        for opcode, operation in known.items():
            self[opcode] = self._wrap(opcode, operation)

    def __missing__(self, opcode: int) -> Operation:
        self[opcode] = made = self._wrap(opcode, InvalidOpcode(opcode))
        return made

    def _wrap(self, opcode: int, operation: Operation) -> Operation:
        if opcode in CALLS:
            operation = _calling(opcode, operation)
        elif opcode in CREATIONS:
            operation = _creating(opcode, operation)
        elif opcode == SELFDESTRUCT and self._tracer.frames:
            operation = _destructing(operation)
        if opcode in self._tracer.steps:
            operation = _stepping(opcode, operation, self._tracer)
        return operation


def traced_class(base: type[Any], tracer: Tracer) -> type[Any]:
    """Derive from a computation class one that tells ``tracer`` what it does, once."""
    members = {"opcodes": _Opcodes(base.opcodes, tracer), "tracer": tracer, "entered": [0]}
    return type("TracedComputation", (TracedComputation, base), members)
