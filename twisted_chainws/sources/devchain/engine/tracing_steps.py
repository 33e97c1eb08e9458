"""The default tracer: every step of the EVM with its stack and, when wanted, its memory.

Source: go-ethereum eth/tracers/logger/logger.go (``structLogLegacy``), 02b73d4e.
"""

from dataclasses import dataclass
from typing import Any, Final

import orjson

from twisted_chainws.sources.devchain.engine.opcode_names import CODES, NAMES
from twisted_chainws.sources.devchain.engine.tracing import (
    ALL_OPCODES,
    Budget,
    Frame,
    Tracer,
    to_int,
)

_SLOAD: Final = CODES["SLOAD"]
_SSTORE: Final = CODES["SSTORE"]
_WORD: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class StepOptions:
    """What a step shows.

    Attributes:
        memory: the memory, in words.
        stack: the stack, its top last.
        storage: what was read and written in this contract up to now, with SLOAD and SSTORE.
        return_data: what the last call returned.
        limit: bytes of JSON after which no more steps are kept; 0 for no such limit.
    """

    memory: bool = False
    stack: bool = True
    storage: bool = True
    return_data: bool = False
    limit: int = 0


class StepTracer(Tracer):
    """Writes each step as JSON at once: objects would take ten times the memory."""

    steps = ALL_OPCODES

    def __init__(self, options: StepOptions, budget: Budget) -> None:
        """Log what ``options`` say, as long as ``budget`` lasts."""
        self._options = options
        self._budget = budget
        self._logs: list[str] = []
        self._size = 0
        self._storage: dict[bytes, dict[str, str]] = {}
        self._head = ""
        self._tail = ""
        self._top: Frame | None = None

    def step(self, opcode: int, computation: Any) -> None:
        """Take down what the step finds."""
        options = self._options
        if options.limit and self._size > options.limit:
            self._head = ""
            return
        self._head = (
            f'{{"pc":{computation.code.position},"op":"{NAMES[opcode]}"'
            f',"gas":{computation.step_gas},"gasCost":'
        )
        tail = ""
        values = computation._stack.values  # noqa: SLF001
        if options.stack:
            tail = f',"stack":{_stack_text(values)}'
        if options.return_data and computation.return_data:
            tail += f',"returnData":"0x{computation.return_data.hex()}"'
        if options.memory:
            tail += _memory_text(computation._memory._bytes)  # noqa: SLF001
        if options.storage and (opcode in (_SLOAD, _SSTORE)):
            tail += self._storage_text(opcode, values, computation)
        self._tail = tail

    def charged(self, computation: Any, cost: int, error: str | None) -> None:
        """Write the step."""
        if not self._head:
            return
        text = f'{self._head}{cost},"depth":{computation.msg.depth + 1}'
        if error is not None:
            text += f',"error":{orjson.dumps(error).decode()}'
        refund = computation.refund
        text += f'{self._tail},"refund":{refund}}}' if refund else f"{self._tail}}}"
        self._size += len(text)
        self._budget.take(len(text))
        self._logs.append(text)

    def end(self, top: Frame) -> None:
        """Keep the outcome."""
        self._top = top

    def result(self) -> str:
        """Return ``gas``, ``failed``, ``returnValue`` and ``structLogs``."""
        top = self._top
        if top is None:
            raise RuntimeError("nothing was traced")
        failed = "true" if top.error is not None else "false"
        return (
            f'{{"gas":{top.gas_used},"failed":{failed},"returnValue":"0x{top.output.hex()}"'
            f',"structLogs":[{",".join(self._logs)}]}}'
        )

    def _storage_text(self, opcode: int, values: list[Any], computation: Any) -> str:
        """Note a slot and write all that are known of this contract."""
        needed = 1 if opcode == _SLOAD else 2
        if len(values) < needed:
            return ""
        address, slot = computation.msg.storage_address, to_int(values[-1])
        if opcode == _SLOAD:
            word = computation.state.get_storage(address, slot)
        else:
            word = to_int(values[-2])
        known = self._storage.setdefault(address, {})
        known[f"0x{slot:064x}"] = f"0x{word:064x}"
        return f',"storage":{orjson.dumps(known, option=orjson.OPT_SORT_KEYS).decode()}'


def _stack_text(values: list[Any]) -> str:
    if not values:
        return "[]"
    words = '","'.join(
        [
            hex(value) if value.__class__ is int else hex(int.from_bytes(value, "big"))
            for value in values
        ]
    )
    return f'["{words}"]'


def _memory_text(memory: bytearray) -> str:
    if not memory:
        return ""
    digits = memory.hex()
    words = '","0x'.join([digits[at : at + 2 * _WORD] for at in range(0, len(digits), 2 * _WORD)])
    return f',"memory":["0x{words}"]'
