"""The shortest way to a simulation on the shared test chain."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from tests.sources.devchain.engine.building import GAS_CAP
from twisted_chainws.sources.devchain.engine.core import Engine
from twisted_chainws.sources.devchain.engine.simulate_block import (
    CallResult,
    Mode,
    SimulatedBlock,
)

HERE: Final = "0x" + "5c" * 20
"""An address that overrides put code at."""


def simulate(
    engine: Engine,
    *blocks: Mapping[str, Any],
    transfers: bool = False,
    validation: bool = False,
    gas_cap: int = GAS_CAP,
    at: bytes | None = None,
) -> list[SimulatedBlock]:
    """Simulate on the head, or elsewhere."""
    return engine.simulate(
        blocks,
        engine.head_hash if at is None else at,
        mode=Mode(transfers=transfers, validation=validation),
        gas_cap=gas_cap,
    )


def run_calls(engine: Engine, *calls: Mapping[str, Any], **more: Any) -> Sequence[CallResult]:
    """Simulate one block of calls; ``code`` lies at ``HERE``, ``accounts`` are overrides."""
    accounts = dict(more.pop("accounts", {}))
    if "code" in more:
        accounts[HERE] = {"code": "0x" + more.pop("code")} | accounts.get(HERE, {})
    block = {"calls": calls, "stateOverrides": accounts, "blockOverrides": more.pop("block", {})}
    (made,) = simulate(engine, block, **more)
    return made.results
