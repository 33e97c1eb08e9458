"""Logs of simulated calls, transfers of value among them if wanted.

The numbering is that of go-ethereum: over the whole block, the logs of failed frames counted too.

Source: go-ethereum internal/ethapi/logtracer.go, 02b73d4e; ERC-7528 (the address of the coin).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, wraps
from typing import Any, Final

from eth.abc import ComputationAPI, MessageAPI
from eth.exceptions import Halt
from eth_utils import keccak

from twisted_chainws.chain.model import Log
from twisted_chainws.chain.types import Address20, Hash32

COIN_ADDRESS: Final = Address20(b"\xee" * 20)
"""Where transfers of value seem to be logged."""

TRANSFER_TOPIC: Final = Hash32(keccak(b"Transfer(address,address,uint256)"))

_CALLCODE, _DELEGATECALL, _SELFDESTRUCT = 0xF2, 0xF4, 0xFF
_VALUE_PLACES: Final = {0xF0: 1, 0xF1: 3, 0xF5: 1}
"""Where CREATE, CALL and CREATE2 find the value on the stack, from its top."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberedLog:
    """A log and its number in the block."""

    index: int
    log: Log


class LogBook:
    """The logs of one block, call by call; a failed frame takes its logs along.

    Attributes:
        opened: how many frames there were.
    """

    def __init__(self, *, transfers: bool) -> None:
        """Log transfers of value, too, if ``transfers``."""
        self._transfers = transfers
        self._count = 0
        self._frames: list[list[NumberedLog]] = []
        self.opened = 0

    def begin(self) -> None:
        """Begin with the next call."""
        self._frames = []

    def take(self) -> tuple[NumberedLog, ...]:
        """Return the logs of the call that has ended."""
        (logs,) = self._frames or [[]]
        self._frames = []
        return tuple(logs)

    def enter(self) -> None:
        """Open a frame."""
        self.opened += 1
        self._frames.append([])

    def leave(self, *, failed: bool) -> None:
        """Close a frame; the outermost one keeps its logs for ``take``."""
        logs = self._frames.pop()
        if failed:
            logs = []
        if self._frames:
            self._frames[-1] += logs
        else:
            self._frames = [logs]

    def log(self, address: bytes, topics: Sequence[int], data: bytes) -> None:
        """Note a log of the innermost frame."""
        if not self._frames:
            return
        log = Log(
            address=Address20(address),
            topics=tuple(Hash32(topic.to_bytes(32, "big")) for topic in topics),
            data=data,
        )
        self._frames[-1].append(NumberedLog(index=self._count, log=log))
        self._count += 1

    def transfer(self, sender: bytes, recipient: bytes, value: int) -> None:
        """Note that ``value`` wei moved."""
        if self._transfers and value:
            topics = (TRANSFER_TOPIC, sender, recipient)
            numbers = [int.from_bytes(topic, "big") for topic in topics]
            self.log(COIN_ADDRESS, numbers, value.to_bytes(32, "big"))

    def skip_transfer(self) -> None:
        """Leave out the number of a transfer that failed before its frame began."""
        self._count += self._transfers


class Logging:
    """Makes a computation class write into the log book of its state."""

    @classmethod
    def apply_message(
        cls, state: Any, message: MessageAPI, context: Any, parent_computation: Any = None
    ) -> ComputationAPI:
        """Run a message in a frame of its own; a creation has one already."""
        inner: Any = super()
        if message.is_create:
            created: ComputationAPI = inner.apply_message(
                state, message, context, parent_computation=parent_computation
            )
            return created
        return _framed(inner.apply_message, state, message, context, parent_computation)

    @classmethod
    def apply_create_message(
        cls, state: Any, message: MessageAPI, context: Any, parent_computation: Any = None
    ) -> ComputationAPI:
        """Run a creation in a frame of its own."""
        inner: Any = super()
        return _framed(inner.apply_create_message, state, message, context, parent_computation)

    def add_log_entry(self, account: bytes, topics: Sequence[int], data: bytes) -> None:
        """Note a log twice: for the receipt and for the caller."""
        inner: Any = super()
        inner.add_log_entry(account, topics, data)
        this: Any = self
        this.state.log_book.log(account, topics, data)


def _framed(run: Any, state: Any, message: MessageAPI, context: Any, parent: Any) -> ComputationAPI:
    book: LogBook = state.log_book
    book.enter()
    failed = True
    try:
        if _moves_value(parent):
            book.transfer(message.sender, message.storage_address, message.value)
        computation: ComputationAPI = run(state, message, context, parent_computation=parent)
        failed = computation.is_error
    finally:
        book.leave(failed=failed)
    return computation


def _moves_value(parent: Any) -> bool:
    if parent is None:
        return True
    code = parent.code
    return code._raw_code_bytes[code.program_counter - 1] not in {_CALLCODE, _DELEGATECALL}  # noqa: SLF001


def _logged_selfdestruct(operation: Any) -> Any:
    """Return SELFDESTRUCT, noting what it moved."""

    @wraps(operation)
    def selfdestruct(computation: Any) -> None:
        address = computation.msg.storage_address
        stack, balance = computation._stack.values, computation.state.get_balance(address)  # noqa: SLF001
        beneficiary = _address(stack[-1]) if stack else b""
        try:
            operation(computation)
        except Halt:
            computation.state.log_book.transfer(address, beneficiary, balance)
            raise

    return selfdestruct


def _counted(operation: Any, place: int) -> Any:
    """Return an opcode that opens a frame, counting the transfer of a frame that never opens.

    go-ethereum enters the frame before it finds that the money is not there.

    Args:
        operation: the opcode.
        place: of the value on the stack, from its top.
    """

    @wraps(operation)
    def opening(computation: Any) -> None:
        stack, book = computation._stack.values, computation.state.log_book  # noqa: SLF001
        value = stack[-place] if len(stack) >= place else 0
        opened = book.opened
        operation(computation)
        if book.opened == opened and value not in {0, b""}:
            book.skip_transfer()

    return opening


def _address(value: Any) -> bytes:
    word = value if isinstance(value, bytes) else value.to_bytes(32, "big")
    return bytes(word[-20:].rjust(20, b"\0"))


@cache
def logging_computation(base: Any) -> Any:
    """Return a computation class that logs like ``base`` runs."""
    opcodes = {**base.opcodes, _SELFDESTRUCT: _logged_selfdestruct(base.opcodes[_SELFDESTRUCT])}
    for opcode in opcodes.keys() & _VALUE_PLACES.keys():
        opcodes[opcode] = _counted(opcodes[opcode], _VALUE_PLACES[opcode])
    return type("LoggingComputation", (Logging, base), {"opcodes": opcodes})
