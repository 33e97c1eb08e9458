"""What a tracer hears of a transaction, and how much it may keep.

A *step* is an opcode about to run. What it costs is known when it has run or, for those that call,
when the child is entered: `Tracer.charged` comes exactly once per step and before the next one. A
*frame* is a call, a creation or a self-destruction.

Source: go-ethereum core/tracing/hooks.go, 02b73d4e.
"""

from dataclasses import dataclass, field
from typing import Any, Final

from eth.abc import ComputationAPI, StateAPI
from eth.exceptions import Revert

from twisted_chainws.errors import TraceTooLarge
from twisted_chainws.sources.devchain.engine.opcode_names import CODES
from twisted_chainws.sources.devchain.engine.reasons import describe

MAX_TRACE_BYTES: Final = 32 * 2**20
"""The longest answer to one question, and the most that is collected for it.

Source: go-ethereum rpc/websocket.go (``wsDefaultReadLimit``): its own client takes no more.
"""

ALL_OPCODES: Final = frozenset(range(256))
CREATE, CREATE2 = CODES["CREATE"], CODES["CREATE2"]
CALL, CALLCODE = CODES["CALL"], CODES["CALLCODE"]
DELEGATECALL, STATICCALL = CODES["DELEGATECALL"], CODES["STATICCALL"]
SELFDESTRUCT = CODES["SELFDESTRUCT"]
CREATIONS: Final = frozenset({CREATE, CREATE2})
CALLS: Final = frozenset({CALL, CALLCODE, DELEGATECALL, STATICCALL})

REVERTED: Final = "execution reverted"


class Budget:
    """How much may still be collected for one answer."""

    def __init__(self, limit: int = MAX_TRACE_BYTES) -> None:
        self._limit = limit
        self._left = limit

    def take(self, size: int) -> None:
        """Note that ``size`` more bytes are kept.

        Raises:
            TraceTooLarge: those are too many.
        """
        self._left -= size
        if self._left < 0:
            raise TraceTooLarge(limit=self._limit)


@dataclass(slots=True, kw_only=True)
class Frame:
    """A call, a creation or a self-destruction.

    Attributes:
        kind: its opcode; of a transaction CALL or CREATE.
        sender: whose code asked for it.
        to: whose code runs; the new contract; the heir of a self-destruction.
        value: wei; None for STATICCALL, which has none.
        depth: 0 for the transaction itself.
        output: what it returned; revert data when it reverted, else empty when it failed.
        error: why it failed, in geth's words; None when it did not.
    """

    kind: int
    sender: bytes
    to: bytes
    input: bytes
    gas: int
    value: int | None
    depth: int
    gas_used: int = 0
    output: bytes = b""
    error: str | None = None
    calls: list["Frame"] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What is traced, as known before it runs.

    Attributes:
        state: before the transaction, and while it runs.
        transaction: a py-evm transaction or what stands for one in a call.
        precompiles: addresses without code that compute.
        first_log: index in the block of the first log to come.
    """

    state: StateAPI
    transaction: Any
    precompiles: frozenset[bytes]
    first_log: int


class Tracer:
    """What a tracer hears; by default it takes no notice.

    Attributes:
        steps: the opcodes it wants to hear of.
        frames: whether it wants to hear of frames.
    """

    steps: frozenset[int] = frozenset()
    frames: bool = False

    def begin(self, context: Context) -> None:
        """Prepare; the transaction has changed nothing yet."""

    def step(self, opcode: int, computation: Any) -> None:
        """Hear of an opcode about to run, with stack and memory as it finds them."""

    def charged(self, computation: Any, cost: int, error: str | None) -> None:
        """Hear what the last step costs.

        Args:
            computation: which one it is in.
            cost: gas, with what is handed to a call, without what is handed to a creation.
            error: why it does not even run, in geth's words; None if it does.
        """

    def enter(self, frame: Frame) -> None:
        """Hear of a frame; its outcome is not known yet."""

    def leave(self, frame: Frame) -> None:
        """Hear of a frame's outcome, the innermost one's first."""

    def log(self, address: bytes, topics: tuple[int, ...], data: bytes) -> None:
        """Hear of a log of the innermost frame."""

    def end(self, top: Frame) -> None:
        """Hear the outcome of the transaction; fees are paid, the state is final."""

    def result(self) -> str:
        """Return what was found out, as JSON text."""
        return "{}"


def to_int(value: int | bytes) -> int:
    """Return a word of the stack as an integer."""
    return value if isinstance(value, int) else int.from_bytes(value, "big")


def to_address(value: int | bytes) -> bytes:
    """Return a word of the stack as an address."""
    return (to_int(value) & (1 << 160) - 1).to_bytes(20, "big")


def failure_reason(computation: ComputationAPI) -> str | None:
    """Return why a computation failed in geth's words, None when it did not."""
    if computation.is_success:
        return None
    error = computation.error
    return REVERTED if isinstance(error, Revert) else describe(error, computation)


def close_frame(frame: Frame, computation: ComputationAPI) -> None:
    """Note the outcome of a frame."""
    frame.gas_used = computation.get_gas_used()
    frame.error = failure_reason(computation)
    if frame.error is None or frame.error == REVERTED:
        frame.output = bytes(computation.output)
