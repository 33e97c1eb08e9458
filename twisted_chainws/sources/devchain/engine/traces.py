"""Questions about how transactions and calls run.

Each transaction, also one that only prepares the state of the next, has the whole time limit for
itself, as in geth.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Final, TypeVar

from twisted_chainws.errors import (
    GenesisNotTraceable,
    PrecheckFailed,
    TraceFailed,
    TraceIndexOutOfRange,
    TraceTimeout,
    TransactionNotFound,
)
from twisted_chainws.sources.devchain.codec import RawJson, decode_hex, decode_quantity, encode_hex
from twisted_chainws.sources.devchain.engine.core import Place
from twisted_chainws.sources.devchain.engine.hub import Hub
from twisted_chainws.sources.devchain.engine.jobs import READ_IN_PLACE_S, Job, Progress
from twisted_chainws.sources.devchain.engine.limit import TimeUp, within
from twisted_chainws.sources.devchain.engine.replay import Replay, trace_call
from twisted_chainws.sources.devchain.engine.requests import parse_call
from twisted_chainws.sources.devchain.engine.tracers import make_tracer
from twisted_chainws.sources.devchain.engine.tracing import Budget
from twisted_chainws.sources.devchain.engine.tracing_calls import Origin

Params = Mapping[str, Any]
T = TypeVar("T")

PENDING: Final = "pending"
DEFAULT_TIMEOUT_S: Final = 5.0
LONGEST_TIMEOUT_S: Final = 600.0
"""A client that asks for more gets this; it would keep a core from everybody else."""
_SHORTEST_TIMER_S: Final = 1e-3
"""The timer repeats; one that rings all the time would let nothing else happen."""

_Limited = Callable[[bytes, Callable[[], Any]], Any]
"""Runs one part, which belongs to a transaction (32-byte hash), within the time limit."""


class Traces:
    """The words that trace, each from params to a job that answers with `RawJson`."""

    def __init__(self, hub: Hub, pending: Callable[[], Place]) -> None:
        """Trace on the node's chain.

        Args:
            hub: of the node.
            pending: makes the pending block.
        """
        self._hub = hub
        self._pending = pending

    def table(self) -> dict[str, Callable[[Params], Job]]:
        """Return the methods by their words on the pipe."""
        words = ("trace_block", "trace_call", "trace_raw_block", "trace_transaction")
        return {word: partial(_job, getattr(self, f"_{word}")) for word in words}

    def _trace_transaction(self, params: Params, limited: _Limited) -> str:
        """Trace ``transaction`` in ``block``."""
        block_hash, wanted = decode_hex(params["block"]), decode_hex(params["transaction"])
        replay = self._replay(block_hash)
        for index, transaction in enumerate(replay.transactions):
            if transaction.hash == wanted:
                origin = self._origin(block_hash, transaction, index)
                tracer = make_tracer(params, Budget(), origin)
                limited(wanted, partial(replay.trace, transaction, tracer))
                return tracer.result()
            limited(transaction.hash, partial(replay.skip, transaction))
        raise TransactionNotFound(transaction_hash=params["transaction"])

    def _trace_block(self, params: Params, limited: _Limited) -> str:
        """Trace all of ``block``, a hash or ``pending``."""
        if params["block"] == PENDING:
            place = limited(b"", self._pending)
            return _trace_all(self._hub.engine.replay(place), params, Origin(), limited)
        block_hash = decode_hex(params["block"])
        origin = Origin(block_hash=block_hash, block_number=self._number(block_hash))
        return _trace_all(self._replay(block_hash), params, origin, limited)

    def _trace_raw_block(self, params: Params, limited: _Limited) -> str:
        """Trace all of a block that comes along as RLP, on its parent's state."""
        replay, header = self._hub.engine.replay_raw(decode_hex(params["raw"]))
        origin = Origin(block_hash=bytes(header.hash), block_number=int(header.block_number))
        return _trace_all(replay, params, origin, limited)

    def _trace_call(self, params: Params, limited: _Limited) -> str:
        """Trace ``call`` ``at`` a block, or there before the transaction ``index``."""
        engine, cap = self._hub.engine, self._hub.settings.call_gas_cap
        request = parse_call(params["call"])
        block_hash = decode_hex(params["at"])
        between = None
        if params.get("index") is not None:
            between = self._before(block_hash, decode_quantity(params["index"]), limited)
        site = engine.call_site(
            block_hash,
            params.get("state_overrides"),
            params.get("block_overrides"),
            between=between,
        )
        tracer = make_tracer(params, Budget(), Origin())
        gas = min(request.gas or cap, cap)
        try:
            limited(b"", partial(trace_call, site, request, gas, tracer))
        except PrecheckFailed as error:
            raise TraceFailed(reason=error.reason) from error
        return tracer.result()

    def _before(self, block_hash: bytes, index: int, limited: _Limited) -> tuple[Any, bytes]:
        """Return chain and state root between two transactions of a block."""
        if not self._number(block_hash):
            raise TraceIndexOutOfRange(index=index, block_hash=block_hash)
        replay, chain = self._hub.engine.replay_aside(block_hash)
        if index >= len(replay.transactions):
            raise TraceIndexOutOfRange(index=index, block_hash=block_hash)
        for transaction in replay.transactions[:index]:
            limited(transaction.hash, partial(replay.skip, transaction))
        return chain, replay.root()

    def _replay(self, block_hash: bytes) -> Replay:
        if not self._number(block_hash):
            raise GenesisNotTraceable
        return self._hub.engine.replay(block_hash)

    def _number(self, block_hash: bytes) -> int:
        return int(self._hub.engine.header(block_hash).block_number)

    def _origin(self, block_hash: bytes, transaction: Any, index: int) -> Origin:
        return Origin(
            block_hash=block_hash,
            block_number=self._number(block_hash),
            transaction_hash=bytes(transaction.hash),
            index=index,
        )


def _trace_all(replay: Replay, params: Params, origin: Origin, limited: _Limited) -> str:
    budget = Budget()

    def results() -> Iterator[str]:
        for index, transaction in enumerate(replay.transactions):
            mine = Origin(
                block_hash=origin.block_hash,
                block_number=origin.block_number,
                transaction_hash=bytes(transaction.hash),
                index=index,
            )
            tracer = make_tracer(params, budget, mine)
            limited(transaction.hash, partial(replay.trace, transaction, tracer))
            yield f'{{"txHash":"{encode_hex(transaction.hash)}","result":{tracer.result()}}}'

    return f"[{','.join(results())}]"


def _job(trace: Callable[[Params, _Limited], str], params: Params) -> Job:
    """Make the job of one question."""
    timeout_s = min(params.get("timeout_s", DEFAULT_TIMEOUT_S), LONGEST_TIMEOUT_S)

    def answer(limited: _Limited) -> RawJson:
        return RawJson(trace(params, limited).encode())

    def run(progress: Progress | None) -> RawJson:
        if timeout_s <= 0:
            raise TraceTimeout
        if progress is None:
            return within(READ_IN_PLACE_S, lambda: answer(lambda _hash, part: part()))

        def limited(transaction_hash: bytes, part: Callable[[], T]) -> T:
            progress(transaction_hash or bytes(32))
            try:
                return within(max(timeout_s, _SHORTEST_TIMER_S), part)
            except TimeUp:
                raise TraceTimeout from None

        return answer(limited)

    return Job(
        run=run,
        killed=lambda _: TraceTimeout(),
        timeout_s=max(timeout_s, 0.0),
        in_place=True,
        writes=False,
    )
