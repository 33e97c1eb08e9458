"""The tracers by their names, and what each can be told.

Source: go-ethereum eth/tracers/native (noop.go, mux.go, keccak256_preimage.go) and dir.go,
02b73d4e. Tracers written in JavaScript, also those that geth brings along, are not found here.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson
from eth_hash.auto import keccak

from twisted_chainws.errors import ExecutionFailed, TracerNotFound
from twisted_chainws.sources.devchain.engine.opcode_names import CODES
from twisted_chainws.sources.devchain.engine.tracing import (
    Budget,
    Context,
    Frame,
    Tracer,
    to_int,
)
from twisted_chainws.sources.devchain.engine.tracing_calls import (
    CallTracer,
    FlatCallTracer,
    FourByteTracer,
    Origin,
)
from twisted_chainws.sources.devchain.engine.tracing_state import StateOptions, StateTracer
from twisted_chainws.sources.devchain.engine.tracing_steps import StepOptions, StepTracer

Json = Mapping[str, Any]
_KECCAK: Final = CODES["KECCAK256"]
_KECCAK_ARGUMENTS: Final = 2
_HASH_BYTES: Final = 80


class MuxTracer(Tracer):
    """``muxTracer``: several tracers at once, each under its name."""

    def __init__(self, tracers: Mapping[str, Tracer]) -> None:
        """Tell all of ``tracers``."""
        self._tracers = dict(tracers)
        self.frames = any(tracer.frames for tracer in tracers.values())
        self.steps = frozenset[int]().union(*(tracer.steps for tracer in tracers.values()))
        self._opcode = 0

    def begin(self, context: Context) -> None:
        """Tell all."""
        for tracer in self._tracers.values():
            tracer.begin(context)

    def step(self, opcode: int, computation: Any) -> None:
        """Tell those who want to hear of this opcode."""
        self._opcode = opcode
        for tracer in self._tracers.values():
            if opcode in tracer.steps:
                tracer.step(opcode, computation)

    def charged(self, computation: Any, cost: int, error: str | None) -> None:
        """Tell those who heard of the step."""
        for tracer in self._tracers.values():
            if self._opcode in tracer.steps:
                tracer.charged(computation, cost, error)

    def enter(self, frame: Frame) -> None:
        """Tell those who want frames."""
        for tracer in self._tracers.values():
            if tracer.frames:
                tracer.enter(frame)

    def leave(self, frame: Frame) -> None:
        """Tell those who want frames."""
        for tracer in self._tracers.values():
            if tracer.frames:
                tracer.leave(frame)

    def log(self, address: bytes, topics: tuple[int, ...], data: bytes) -> None:
        """Tell all."""
        for tracer in self._tracers.values():
            tracer.log(address, topics, data)

    def end(self, top: Frame) -> None:
        """Tell all."""
        for tracer in self._tracers.values():
            tracer.end(top)

    def result(self) -> str:
        """Return name -> result."""
        members = (
            f"{orjson.dumps(name).decode()}:{tracer.result()}"
            for name, tracer in sorted(self._tracers.items())
        )
        return f"{{{','.join(members)}}}"


class PreimageTracer(Tracer):
    """``keccak256PreimageTracer``: what was hashed."""

    steps = frozenset({_KECCAK})

    def __init__(self, budget: Budget) -> None:
        """Collect as long as ``budget`` lasts."""
        self._budget = budget
        self._found: dict[str, str] = {}
        self._range: tuple[int, int] | None = None

    def step(self, opcode: int, computation: Any) -> None:  # noqa: ARG002
        """Note where the data stands."""
        values = computation._stack.values  # noqa: SLF001
        self._range = None
        if len(values) >= _KECCAK_ARGUMENTS:
            self._range = to_int(values[-1]), to_int(values[-2])

    def charged(self, computation: Any, cost: int, error: str | None) -> None:  # noqa: ARG002
        """Take the data, now that its memory is there."""
        if error is None and self._range is not None:
            data = computation.memory_read_bytes(*self._range)
            name = f"0x{keccak(data).hex()}"
            if name not in self._found:
                self._budget.take(_HASH_BYTES + 2 * len(data))
                self._found[name] = f"0x{data.hex()}"

    def result(self) -> str:
        """Return hash -> data."""
        return orjson.dumps(self._found, option=orjson.OPT_SORT_KEYS).decode()


def make_tracer(params: Json, budget: Budget, origin: Origin) -> Tracer:
    """Make the tracer that a question names.

    Args:
        params: ``tracer``, absent for the default one; ``config``, its options; or, of the default
            one, ``memory``, ``stack``, ``storage``, ``return_data`` and ``limit``.
        budget: what may be collected.
        origin: where the transaction stands.

    Raises:
        TracerNotFound: there is none of this name.
        ExecutionFailed: the options are no such options.
    """
    name = params.get("tracer")
    if name is None:
        return StepTracer(StepOptions(**params.get("options", {})), budget)
    return _make(name, params.get("config"), budget, origin)


def _make(name: str, config: Any, budget: Budget, origin: Origin) -> Tracer:
    maker = _TRACERS.get(name)
    if maker is None:
        raise TracerNotFound(name=name)
    if config is None:
        config = {}
    if not isinstance(config, dict):
        raise ExecutionFailed(reason=f"{name}: expected an object as tracerConfig")
    return maker(config, budget, origin)


def _flag(config: Json, name: str) -> bool:
    value = config.get(name)
    if value is None:
        return False
    if not isinstance(value, bool):
        raise ExecutionFailed(reason=f"{name}: expected true or false")
    return value


def _make_mux(config: Json, budget: Budget, origin: Origin) -> Tracer:
    return MuxTracer(
        {name: _make(name, options, budget, origin) for name, options in config.items()}
    )


def _make_state(config: Json, budget: Budget, _origin: Origin) -> Tracer:
    options = StateOptions(
        diff=_flag(config, "diffMode"),
        code=not _flag(config, "disableCode"),
        storage=not _flag(config, "disableStorage"),
        include_empty=_flag(config, "includeEmpty"),
    )
    if options.diff and options.include_empty:
        raise ExecutionFailed(reason="cannot use diffMode with includeEmpty")
    return StateTracer(options, budget)


def _make_calls(config: Json, budget: Budget, _origin: Origin) -> Tracer:
    return CallTracer(
        budget, only_top=_flag(config, "onlyTopCall"), with_logs=_flag(config, "withLog")
    )


def _make_flat(config: Json, budget: Budget, origin: Origin) -> Tracer:
    return FlatCallTracer(
        budget,
        origin,
        parity_errors=_flag(config, "convertParityErrors"),
        precompiles=_flag(config, "includePrecompiles"),
    )


_TRACERS: Final[Mapping[str, Callable[[Json, Budget, Origin], Tracer]]] = {
    "4byteTracer": lambda _config, _budget, _origin: FourByteTracer(),
    "callTracer": _make_calls,
    "flatCallTracer": _make_flat,
    "keccak256PreimageTracer": lambda _config, budget, _origin: PreimageTracer(budget),
    "muxTracer": _make_mux,
    "noopTracer": lambda _config, _budget, _origin: Tracer(),
    "prestateTracer": _make_state,
}
