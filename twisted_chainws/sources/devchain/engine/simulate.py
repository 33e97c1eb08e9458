"""`eth_simulateV1`: blocks of calls on top of any state, sealed but never kept.

Everything is written into an overlay that is dropped with the answer, so that a simulation may run
in place, be interrupted, or run in a forked child.

Source: go-ethereum internal/ethapi/simulate.go, 02b73d4e.
"""

from collections.abc import Sequence
from typing import Any

from eth.abc import BlockHeaderAPI
from eth_typing import Address

from twisted_chainws.errors import ExecutionError, ExecutionReverted, Unsupported
from twisted_chainws.sources.devchain.codec import encode_block, encode_hex
from twisted_chainws.sources.devchain.engine.convert import next_base_fee
from twisted_chainws.sources.devchain.engine.head import DevChain, next_excess
from twisted_chainws.sources.devchain.engine.simulate_block import (
    CallResult,
    Making,
    Mode,
    SimulatedBlock,
)
from twisted_chainws.sources.devchain.engine.simulate_plan import PlannedBlock


class Simulation:
    """Makes blocks one after the other."""

    def __init__(
        self, chain: DevChain, base: BlockHeaderAPI, root: bytes, *, mode: Mode, gas_cap: int
    ) -> None:
        """Begin above a block.

        Args:
            chain: over a database that may be written into.
            base: header of the block.
            root: the state to begin with, the block's or an edited one.
            mode: what is asked for.
            gas_cap: the most gas of all calls together.
        """
        self._chain = chain
        self._parent = base
        self._root = root
        self._mode = mode
        self._budget = gas_cap
        # What a block inherits from the simulated one before it.
        self._coinbase, self._gas_limit = base.coinbase, base.gas_limit

    def run(self, planned: Sequence[PlannedBlock]) -> list[SimulatedBlock]:
        """Make all blocks.

        Raises:
            SimulationRefused: a call cannot be part of a block.
            InvalidOverride: the overrides contradict each other.
        """
        return [self._block(block) for block in planned]

    def _block(self, planned: PlannedBlock) -> SimulatedBlock:
        header = self._header(planned)
        making = Making(self._chain, header, planned, self._mode)
        results = []
        for call in planned.calls:
            result = making.add(call, self._budget)
            self._budget -= result.gas_used
            results.append(result)
        sealed, header = making.seal()
        self._parent, self._root = header, header.state_root
        return SimulatedBlock(block=sealed, results=tuple(results))

    def _header(self, planned: PlannedBlock) -> BlockHeaderAPI:
        fields, parent = dict(planned.overrides.header), self._parent
        self._coinbase = fields.get("coinbase", self._coinbase)
        self._gas_limit = fields.get("gas_limit", self._gas_limit)
        fork = self._chain.forks.at(planned.number, planned.timestamp)
        if planned.calls and not fork.has("prague"):
            raise Unsupported(reason=f"calls are not simulated by the rules of {fork.name}")
        # Not the chain's own, which makes no headers of older forks.
        header = self._chain.vm_class(fork).create_header_from_parent(
            parent,
            timestamp=planned.timestamp,
            gas_limit=self._gas_limit,
            coinbase=Address(self._coinbase),
            difficulty=0 if fork.has("paris") else parent.difficulty,
            extra_data=b"",
        )
        changes: dict[str, Any] = {
            "state_root": self._root,
            "mix_hash": fields.get("mix_hash", bytes(32)),
            "nonce": bytes(8),
        }
        if fork.has("london"):
            usual = next_base_fee(parent) if self._mode.validation else 0
            changes["base_fee_per_gas"] = fields.get("base_fee_per_gas", usual)
        if fork.has("cancun"):
            changes["excess_blob_gas"] = next_excess(fork, parent)
            changes["parent_beacon_block_root"] = planned.beacon_root
        made: BlockHeaderAPI = header.copy(**changes)
        return made


def encode_simulated(simulated: SimulatedBlock) -> dict[str, Any]:
    """Return a simulated block for the pipe: ``block``, and of each call how it ended.

    A call has ``output``, ``gas_used``, ``gas_peak``, ``logs`` (``index``, ``address``, ``topics``,
    ``data``), and ``revert`` (bytes) or ``failure`` (words) if it failed.
    """
    return {
        "block": encode_block(simulated.block),
        "calls": [_encode_call(result) for result in simulated.results],
    }


def _encode_call(result: CallResult) -> dict[str, Any]:
    logs = [
        {
            "index": item.index,
            "address": encode_hex(item.log.address),
            "topics": [encode_hex(topic) for topic in item.log.topics],
            "data": encode_hex(item.log.data),
        }
        for item in result.logs
    ]
    return {
        "output": encode_hex(result.output),
        "gas_used": result.gas_used,
        "gas_peak": result.gas_peak,
        "logs": logs,
        **_encode_failure(result.error),
    }


def _encode_failure(error: ExecutionError | None) -> dict[str, str]:
    if error is None:
        return {}
    if isinstance(error, ExecutionReverted):
        return {"revert": encode_hex(error.data)}
    return {"failure": str(getattr(error, "reason", error))}
