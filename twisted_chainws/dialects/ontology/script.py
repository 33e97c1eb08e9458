"""Scripts that call native contracts: how they are written, and what they do. Sans-I/O.

Of NeoVM this runs what SDKs build native calls from: pushes, the two stacks, arrays, structs and
the system call ``Ontology.Native.Invoke``. Everything else is refused in words. What a native
contract does is not known here: whoever evaluates a script gives a function for it.

Source: ``ontology.md`` 7.2, 7.4 and 8.1; the node's ``vm/neovm/executor.go`` and
``smartcontract/service/neovm``, 26b5ad4f.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from twisted_chainws.chain.types import Address20
from twisted_chainws.dialects.ontology.address import ADDRESS_LENGTH, encode_reversed
from twisted_chainws.dialects.ontology.binary_codec import Reader, encode_neo_integer
from twisted_chainws.dialects.ontology.program import encode_push, read_push
from twisted_chainws.dialects.ontology.values import (
    MAX_ITEMS,
    Array,
    Budget,
    Struct,
    Value,
    append,
    as_bytes,
    as_integer,
    copy_struct,
    encode_argument,
)
from twisted_chainws.errors import ExecutionFailed, Unsupported

NATIVE_INVOKE: Final = b"Ontology.Native.Invoke"

MINIMUM_GAS: Final = 20_000
"""Of a transaction; what one costs is a multiple of it."""

_STEP_GAS: Final = 1
_NATIVE_GAS: Final = 1_000
_CODE_UNIT_BYTES: Final = 1_024
_CODE_UNIT_GAS: Final = 20_000

_MOST_WORK: Final = 400_000
_LEAST_WORK: Final = 500
_WORK_PER_BYTE: Final = 2
"""What SDKs write takes less than one: its price goes by bytes, too, so must what it can cause."""

_STACK_LIMIT: Final = 2_048
_LONGEST_METHOD: Final = 1_024

_PUSH0: Final = 0x00
_LAST_PUSH: Final = 0x4E
_PUSH_NUMBER: Final = 0x50
_PUSHM1: Final = 0x4F
_HIGHEST_NUMBER: Final = 16
_HIGHEST_WRITTEN: Final = 15
_RET: Final = 0x66
_APPCALL: Final = 0x67
_SYSCALL: Final = 0x68
_PACK: Final = 0xC1

_OPERATION_FAILED: Final = "[NeoVmService] vm execution error!: "
_CALL_FAILED: Final = "[NeoVmService] service system call error!: "
_SERVICE_FAILED: Final = _CALL_FAILED + "[SystemCall] service execution error!: "


@dataclass(frozen=True, slots=True, kw_only=True)
class NativeCall:
    """A call of a native contract.

    Attributes:
        arguments: as the contract reads them, see ``values.encode_argument``.
        version: 0 in all that SDKs write.
    """

    contract: Address20
    method: str
    arguments: bytes
    version: int


Invoker: TypeAlias = Callable[[NativeCall], bytes]
"""Does what a native contract does; raises ``ExecutionFailed`` with the end of the node's text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What became of a script.

    Attributes:
        result: what lies on top of the stack; None when nothing does.
        gas: of the steps, without what ``transaction_gas`` adds.
    """

    result: Value | None
    gas: int


@dataclass(eq=False, kw_only=True)
class ScriptFailed(ExecutionFailed):
    """A script failed; ``gas`` is that of the steps until then."""

    gas: int


def evaluate(code: bytes, invoke: Invoker, *, gas_limit: int | None = None) -> Evaluation:
    """Run a script.

    Args:
        code: of a transaction of type D1.
        invoke: is called for each native call, in order.
        gas_limit: for the steps; None sets none.

    Raises:
        ScriptFailed: it fails, in the node's words.
        Unsupported: it uses what needs a whole NeoVM.
    """
    if not code:
        raise ScriptFailed(reason="[NeoVmService] vm execution code was invalid!", gas=0)
    machine = _Machine(code, invoke, gas_limit)
    try:
        machine.run()
    except ExecutionFailed as error:
        raise ScriptFailed(reason=error.reason, gas=machine.gas) from None
    return Evaluation(result=machine.top(), gas=machine.gas)


def native_calls(code: bytes) -> tuple[NativeCall, ...]:
    """Return the native calls of a script, as if each of them went well.

    Raises:
        ExecutionFailed: the script fails.
        Unsupported: it uses what needs a whole NeoVM.
    """
    calls: list[NativeCall] = []

    def note(call: NativeCall) -> bytes:
        calls.append(call)
        return b"\1"

    evaluate(code, note)
    return tuple(calls)


def code_gas(code: bytes) -> int:
    """Return what the length of a script costs."""
    return len(code) // _CODE_UNIT_BYTES * _CODE_UNIT_GAS


def transaction_gas(code: bytes, steps: int) -> int:
    """Return what a transaction costs whose script took so much gas, in units of gas."""
    units = -(-(code_gas(code) + steps) // MINIMUM_GAS)
    return max(1, units) * MINIMUM_GAS


def highest_gas(code: bytes) -> int:
    """Return a number of gas that no transaction with this script goes beyond.

    There are no jumps: a script takes a step a byte at most, and calls as often as it says so.
    """
    return transaction_gas(code, len(code) * _STEP_GAS + code.count(NATIVE_INVOKE) * _NATIVE_GAS)


def build_call(contract: Address20, method: str, *arguments: Value) -> bytes:
    """Write the script of a native call; without arguments an empty array is handed over.

    Raises:
        ValueError: the method has no name.
    """
    if not method:
        raise ValueError("a method without a name")
    parts = [build_push(value) for value in arguments] or [build_push(Array())]
    call = [encode_push(method.encode()), encode_push(contract), bytes([_PUSH0, _SYSCALL])]
    return b"".join([*parts, *call, bytes([len(NATIVE_INVOKE)]), NATIVE_INVOKE])


def build_push(value: Value) -> bytes:
    """Write what pushes a value, as SDKs do; integers up to 15 have opcodes of their own."""
    if isinstance(value, Struct):
        fields = b"".join(build_push(item) + b"\x6a\x7c\xc8" for item in value.items)
        return b"\x00\xc6\x6b" + fields + b"\x6c"
    if isinstance(value, Array):
        # The last one that is pushed is the first one of the array.
        items = b"".join(build_push(item) for item in reversed(value.items))
        return items + build_push(len(value.items)) + bytes([_PACK])
    if isinstance(value, bytes):
        return encode_push(value)
    if not value:
        return bytes([_PUSH0])
    if -1 <= value <= _HIGHEST_WRITTEN:
        return bytes([_PUSH_NUMBER + value])
    return encode_push(encode_neo_integer(value))


class _Machine:
    """Two stacks and a place in the code."""

    def __init__(self, code: bytes, invoke: Invoker, gas_limit: int | None) -> None:
        self._reader = Reader(code)
        self._invoke = invoke
        self._gas_limit = gas_limit
        self._budget = Budget(min(_MOST_WORK, _LEAST_WORK + _WORK_PER_BYTE * len(code)))
        self._stack: list[Value] = []
        self._alt: list[Value] = []
        self.gas = 0

    def top(self) -> Value | None:
        return self._stack[-1] if self._stack else None

    def run(self) -> None:
        while self._reader.remaining:
            opcode = self._reader.number(1)
            self._budget.spend(1)
            self._spend(_STEP_GAS)
            if opcode == _RET:
                return
            if opcode == _SYSCALL:
                self._system_call()
            else:
                self._step(opcode)

    def _spend(self, gas: int) -> None:
        if self._gas_limit is not None and self.gas + gas > self._gas_limit:
            raise ExecutionFailed(reason="[NeoVmService] insufficient gas for transaction!")
        self.gas += gas

    def _step(self, opcode: int) -> None:
        try:
            if _PUSH0 < opcode <= _LAST_PUSH:
                self._push(self._read_push())
            elif opcode in {_PUSH0, _PUSHM1} or 0 < opcode - _PUSH_NUMBER <= _HIGHEST_NUMBER:
                self._push(opcode - _PUSH_NUMBER if opcode else 0)
            else:
                _operation(opcode, self._reader)(self)
        except ExecutionFailed as error:
            raise ExecutionFailed(reason=_OPERATION_FAILED + error.reason) from None

    def _read_push(self) -> bytes:
        self._reader.position -= 1
        try:
            return read_push(self._reader)
        except ValueError:
            raise ExecutionFailed(reason="EOF") from None

    def _system_call(self) -> None:
        try:
            name = self._reader.varbytes()
        except ValueError:
            raise ExecutionFailed(reason=_CALL_FAILED + "EOF") from None
        if name != NATIVE_INVOKE:
            shown = name.decode(errors="replace")
            raise Unsupported(reason=f"the system call {shown} needs a NeoVM, which is not here")
        self._spend(_NATIVE_GAS)
        try:
            self._push(self._invoke(self._pop_call()))
        except ExecutionFailed as error:
            raise ExecutionFailed(reason=_SERVICE_FAILED + error.reason) from None

    def _pop_call(self) -> NativeCall:
        version = as_integer(self._pop())
        contract = as_bytes(self._pop())
        if len(contract) != ADDRESS_LENGTH:
            reason = f"invoke native contract:{contract.hex()}, address invalid"
            raise ExecutionFailed(reason=reason)
        method = as_bytes(self._pop())
        if len(method) > _LONGEST_METHOD:
            reason = "invoke native contract: method too long, over max length 1024 limit"
            raise ExecutionFailed(reason=reason)
        return NativeCall(
            contract=Address20(contract),
            method=method.decode(errors="replace"),
            arguments=encode_argument(self._pop(), self._budget),
            version=version & 0xFF,
        )

    def _push(self, value: Value) -> None:
        _push_onto(self._stack, value)

    def _pop(self) -> Value:
        return _pop_from(self._stack)

    def nothing(self) -> None:
        """NOP."""

    def dup_from_alt(self) -> None:
        value = _pop_from(self._alt)
        self._alt.append(value)
        self._push(value)

    def to_alt(self) -> None:
        _push_onto(self._alt, self._pop())

    def from_alt(self) -> None:
        self._push(_pop_from(self._alt))

    def drop(self) -> None:
        self._pop()

    def dup(self) -> None:
        value = self._pop()
        self._push(value)
        self._push(value)

    def swap(self) -> None:
        first, second = self._pop(), self._pop()
        self._push(first)
        self._push(second)

    def pack(self) -> None:
        size = as_integer(self._pop())
        if size < 0:
            raise ExecutionFailed(reason="bad value")
        array = Array()
        for _ in range(size):
            append(array, self._pop())
        self._push(array)

    def new_struct(self) -> None:
        count = as_integer(self._pop())
        if not 0 <= count <= MAX_ITEMS:
            raise ExecutionFailed(reason="bad value")
        self._budget.spend(count)
        self._push(Struct([False] * count))

    def append(self) -> None:
        value, target = self._pop(), self._pop()
        if not isinstance(target, Array | Struct):
            reason = "[executor] ExecuteOp APPEND error, unknown datatype"
            raise ExecutionFailed(reason=reason)
        append(target, copy_struct(value, self._budget) if isinstance(value, Struct) else value)


_OPERATIONS: Final[Mapping[int, Callable[[_Machine], None]]] = {
    0x61: _Machine.nothing,
    0x6A: _Machine.dup_from_alt,
    0x6B: _Machine.to_alt,
    0x6C: _Machine.from_alt,
    0x75: _Machine.drop,
    0x76: _Machine.dup,
    0x7C: _Machine.swap,
    _PACK: _Machine.pack,
    0xC6: _Machine.new_struct,
    0xC8: _Machine.append,
}


def _operation(opcode: int, reader: Reader) -> Callable[[_Machine], None]:
    found = _OPERATIONS.get(opcode)
    if found is not None:
        return found
    what = f"opcode {opcode:#04x}"
    if opcode == _APPCALL and reader.remaining >= ADDRESS_LENGTH:
        what = f"a call of contract {encode_reversed(reader.take(ADDRESS_LENGTH))}"
    raise Unsupported(reason=f"{what} needs a NeoVM, which is not here")


def _push_onto(stack: list[Value], value: Value) -> None:
    if len(stack) >= _STACK_LIMIT:
        raise ExecutionFailed(reason="the count over the stack length")
    stack.append(value)


def _pop_from(stack: list[Value]) -> Value:
    if not stack:
        raise ExecutionFailed(reason="the index out of bound")
    return stack.pop()
