"""Tracers of frames: the tree of calls, the same as a flat list, the selectors called.

Source: go-ethereum eth/tracers/native (call.go, call_flat.go, 4byte.go), 02b73d4e.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from twisted_chainws.dialects.ethereum.revert import revert_reason
from twisted_chainws.sources.devchain.engine.opcode_names import NAMES
from twisted_chainws.sources.devchain.engine.tracing import (
    CALL,
    CALLS,
    CREATIONS,
    REVERTED,
    SELFDESTRUCT,
    STATICCALL,
    Budget,
    Context,
    Frame,
    Tracer,
)

_FRAME_BYTES: Final = 400
"""About what a frame takes beside its data."""
_SELECTOR_BYTES: Final = 4


@dataclass(slots=True, kw_only=True)
class _Log:
    """A log of a frame; ``position`` counts the calls before it."""

    address: bytes
    topics: tuple[int, ...]
    data: bytes
    index: int
    position: int


@dataclass(slots=True, kw_only=True)
class _Node:
    frame: Frame
    first_log: int
    calls: list["_Node"] = field(default_factory=list)
    logs: list[_Log] = field(default_factory=list)


class _Tree(Tracer):
    """Collects frames as a tree."""

    frames = True

    def __init__(self, budget: Budget, *, only_top: bool = False, with_logs: bool = False) -> None:
        self._budget = budget
        self._only_top = only_top
        self._with_logs = with_logs
        self._open: list[_Node] = []
        self._next_log = 0
        self._depth = 0
        self.root: _Node | None = None

    def begin(self, context: Context) -> None:
        """Number logs from here on."""
        self._next_log = context.first_log

    def enter(self, frame: Frame) -> None:
        """Open a node."""
        self._depth = frame.depth
        self._budget.take(_FRAME_BYTES + 2 * len(frame.input))
        self._open.append(_Node(frame=frame, first_log=self._next_log))

    def leave(self, frame: Frame) -> None:
        """Close the node and hang it below its parent."""
        self._depth = frame.depth - 1
        self._budget.take(2 * len(frame.output))
        node = self._open.pop()
        if frame.error is not None:
            self._next_log = node.first_log
            _forget_logs(node)
        if not self._open:
            self.root = node
        elif not self._only_top:
            self._open[-1].calls.append(node)

    def log(self, address: bytes, topics: tuple[int, ...], data: bytes) -> None:
        """Number a log, and keep it where logs are wanted."""
        index, self._next_log = self._next_log, self._next_log + 1
        if not self._with_logs or (self._only_top and self._depth > 0):
            return
        self._budget.take(_FRAME_BYTES + 2 * len(data))
        node = self._open[-1]
        node.logs.append(
            _Log(address=address, topics=topics, data=data, index=index, position=len(node.calls))
        )


def _forget_logs(node: _Node) -> None:
    """Drop the logs of a frame that failed and of everything below it."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        node.logs.clear()
        waiting += node.calls


class CallTracer(_Tree):
    """``callTracer``: the tree of frames."""

    def result(self) -> str:
        """Return the frame of the transaction, the others below it in ``calls``."""
        if self.root is None:
            raise RuntimeError("nothing was traced")
        return "".join(_tree_text(self.root))


def _tree_text(root: _Node) -> Iterator[str]:
    """Write a tree without recursion: frames nest deeper than JSON encoders go."""
    waiting: list[_Node | str] = [root]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield item
            continue
        head = orjson.dumps(_frame_shape(item)).decode()
        if not item.calls:
            yield head
            continue
        yield f'{head[:-1]},"calls":['
        waiting.append("]}")
        for place, child in enumerate(reversed(item.calls)):
            if place:
                waiting.append(",")
            waiting.append(child)


def _frame_shape(node: _Node) -> dict[str, Any]:
    frame = node.frame
    shape: dict[str, Any] = {
        "from": f"0x{frame.sender.hex()}",
        "gas": hex(frame.gas),
        "gasUsed": hex(frame.gas_used),
    }
    if frame.error is None or frame.kind not in CREATIONS:
        shape["to"] = f"0x{frame.to.hex()}"
    shape["input"] = f"0x{frame.input.hex()}"
    if frame.output:
        shape["output"] = f"0x{frame.output.hex()}"
    if frame.error is not None:
        shape["error"] = frame.error
        reason = revert_reason(frame.output) if frame.error == REVERTED else None
        if reason:
            shape["revertReason"] = reason
    if node.logs:
        shape["logs"] = [_log_shape(log) for log in node.logs]
    if frame.value is not None:
        shape["value"] = hex(frame.value)
    shape["type"] = NAMES[frame.kind]
    return shape


def _log_shape(log: _Log) -> dict[str, Any]:
    return {
        "address": f"0x{log.address.hex()}",
        "topics": [f"0x{topic:064x}" for topic in log.topics],
        "data": f"0x{log.data.hex()}",
        "index": hex(log.index),
        "position": hex(log.position),
    }


class FourByteTracer(Tracer):
    """``4byteTracer``: how often each selector was called with data of which size."""

    frames = True

    def __init__(self) -> None:
        """Count from zero."""
        self._counts: Counter[str] = Counter()
        self._precompiles: frozenset[bytes] = frozenset()

    def begin(self, context: Context) -> None:
        """Learn which addresses take no selectors."""
        self._precompiles = context.precompiles

    def enter(self, frame: Frame) -> None:
        """Count a call."""
        if frame.kind not in CALLS or frame.to in self._precompiles:
            return
        selector, rest = frame.input[:_SELECTOR_BYTES], frame.input[_SELECTOR_BYTES:]
        if len(selector) == _SELECTOR_BYTES:
            self._counts[f"0x{selector.hex()}-{len(rest)}"] += 1

    def result(self) -> str:
        """Return selector and size -> count."""
        return orjson.dumps(dict(self._counts), option=orjson.OPT_SORT_KEYS).decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a traced transaction stands; the defaults are those of a call."""

    block_hash: bytes | None = None
    block_number: int = 0
    transaction_hash: bytes | None = None
    index: int = 0


_PARITY_ERRORS: Final[Mapping[str, str]] = {
    "contract creation code storage out of gas": "Out of gas",
    "out of gas": "Out of gas",
    "gas uint64 overflow": "Out of gas",
    "max code size exceeded": "Out of gas",
    "invalid jump destination": "Bad jump destination",
    "execution reverted": "Reverted",
    "return data out of bounds": "Out of bounds",
    "stack limit reached 1024 (1023)": "Out of stack",
    "precompiled failed": "Built-in failed",
    "invalid input length": "Built-in failed",
}
_PARITY_PREFIXES: Final[Mapping[str, str]] = {
    "out of gas:": "Out of gas",
    "invalid opcode:": "Bad instruction",
    "stack underflow": "Stack underflow",
}


class FlatCallTracer(_Tree):
    """``flatCallTracer``: the frames one after the other, as Parity showed them."""

    def __init__(
        self, budget: Budget, origin: Origin, *, parity_errors: bool, precompiles: bool
    ) -> None:
        """Say where the transaction stands.

        Args:
            budget: what may be collected.
            origin: of the transaction.
            parity_errors: whether failures are worded as Parity did.
            precompiles: whether calls of precompiles are shown.
        """
        super().__init__(budget)
        self._origin = origin
        self._parity_errors = parity_errors
        self._shown_precompiles = precompiles
        self._precompiles: frozenset[bytes] = frozenset()

    def begin(self, context: Context) -> None:
        """Learn which addresses are precompiles."""
        super().begin(context)
        self._precompiles = context.precompiles

    def leave(self, frame: Frame) -> None:
        """Close a node; one of a precompile is dropped unless it is wanted."""
        super().leave(frame)
        hidden = frame.kind in (CALL, STATICCALL) and frame.to in self._precompiles
        if hidden and self._open and not self._shown_precompiles:
            self._open[-1].calls.pop()

    def result(self) -> str:
        """Return the list of frames, each with the path that leads to it."""
        if self.root is None:
            raise RuntimeError("nothing was traced")
        return orjson.dumps(list(self._flat(self.root))).decode()

    def _flat(self, root: _Node) -> Iterator[dict[str, Any]]:
        waiting: list[tuple[_Node, tuple[int, ...]]] = [(root, ())]
        while waiting:
            node, path = waiting.pop()
            yield self._shape(node, path)
            children = [(child, (*path, place)) for place, child in enumerate(node.calls)]
            waiting += reversed(children)

    def _shape(self, node: _Node, path: tuple[int, ...]) -> dict[str, Any]:
        self._budget.take(8 * len(path))
        frame, origin = node.frame, self._origin
        shape: dict[str, Any] = {
            "action": _flat_action(frame),
            "blockHash": _hex(origin.block_hash),
        }
        shape["blockNumber"] = origin.block_number
        if frame.error is not None:
            shape["error"] = _parity_error(frame.error) if self._parity_errors else frame.error
        if frame.kind != SELFDESTRUCT and frame.error in (None, REVERTED):
            shape["result"] = _flat_result(frame)
        shape["subtraces"] = len(node.calls)
        shape["traceAddress"] = path
        shape["transactionHash"] = _hex(origin.transaction_hash)
        shape["transactionPosition"] = origin.index
        shape["type"] = _flat_type(frame)
        return shape


def _flat_type(frame: Frame) -> str:
    if frame.kind in CREATIONS:
        return "create"
    return "suicide" if frame.kind == SELFDESTRUCT else "call"


def _flat_action(frame: Frame) -> dict[str, Any]:
    sender, to = _hex(frame.sender), _hex(frame.to)
    if frame.kind == SELFDESTRUCT:
        return {"address": sender, "balance": hex(frame.value or 0), "refundAddress": to}
    kind = NAMES[frame.kind].lower()
    action: dict[str, Any] = {"from": sender, "gas": hex(frame.gas), "value": hex(frame.value or 0)}
    if frame.kind in CREATIONS:
        return {"creationMethod": kind, **action, "init": _hex(frame.input)}
    return {"callType": kind, **action, "input": _hex(frame.input), "to": to}


def _flat_result(frame: Frame) -> dict[str, Any]:
    if frame.kind not in CREATIONS:
        return {"gasUsed": hex(frame.gas_used), "output": _hex(frame.output)}
    result: dict[str, Any] = {"code": _hex(frame.output), "gasUsed": hex(frame.gas_used)}
    if frame.error is None:
        result["address"] = _hex(frame.to)
    return result


def _parity_error(error: str) -> str:
    if error in _PARITY_ERRORS:
        return _PARITY_ERRORS[error]
    return next(
        (text for start, text in _PARITY_PREFIXES.items() if error.startswith(start)), error
    )


def _hex(data: bytes | None) -> str | None:
    return None if data is None else f"0x{data.hex()}"
