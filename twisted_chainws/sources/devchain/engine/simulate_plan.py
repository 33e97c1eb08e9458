"""Which blocks a simulation makes: order, gaps, timestamps. No EVM.

Source: go-ethereum internal/ethapi/simulate.go (sanitizeChain), 02b73d4e.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from eth.vm.forks.shanghai.withdrawals import Withdrawal

from twisted_chainws.errors import (
    SimulatedNumberOrder,
    SimulatedTimeOrder,
    SimulationTooLarge,
)
from twisted_chainws.sources.devchain.codec import decode_hex, decode_quantity
from twisted_chainws.sources.devchain.engine.requests import (
    AccountOverride,
    BlockOverrides,
    parse_block_overrides,
    parse_state_overrides,
    parse_withdrawals,
)

MAX_BLOCKS: Final = 256
"""How far above its base a simulation may go."""

STEP_S: Final = 12
"""Seconds between blocks that name no timestamp."""

_ZERO_ROOT: Final = bytes(32)
_ONLY_SIMULATED: Final = ("beaconRoot", "withdrawals")
_UINT64: Final = (1 << 64) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedBlock:
    """A block to simulate.

    Attributes:
        timestamp: seconds.
        overrides: further header fields.
        beacon_root: 32 bytes, the parent beacon block root.
        accounts: state overrides, applied before anything runs.
        calls: call objects in their order.
    """

    number: int
    timestamp: int
    overrides: BlockOverrides
    beacon_root: bytes
    withdrawals: tuple[Withdrawal, ...]
    accounts: tuple[AccountOverride, ...]
    calls: tuple[Mapping[str, Any], ...]


def plan_blocks(
    blocks: Sequence[Mapping[str, Any]], *, number: int, timestamp: int
) -> tuple[PlannedBlock, ...]:
    """Return the blocks to make, those that fill gaps included.

    Args:
        blocks: the normalised ``blockStateCalls``.
        number: of the block to build on.
        timestamp: of the block to build on, seconds.

    Raises:
        SimulatedNumberOrder: a block number is not above the one before.
        SimulatedTimeOrder: a timestamp is not above the one before.
        SimulationTooLarge: more than ``MAX_BLOCKS`` above the base.
        InvalidOverride: state overrides contradict each other.
    """
    planned: list[PlannedBlock] = []
    last = number
    for block in blocks:
        given = block.get("blockOverrides") or {}
        wanted = decode_quantity(given.get("number", last + 1))
        if wanted <= last:
            reason = f"block numbers must be in order: {wanted & _UINT64} <= {last}"
            raise SimulatedNumberOrder(reason=reason)
        if wanted - number > MAX_BLOCKS:
            raise SimulationTooLarge(reason="too many blocks")
        for filling in range(last + 1, wanted):
            timestamp += STEP_S
            planned.append(_plan({}, filling, timestamp))
        timestamp = _timestamp(given, timestamp)
        planned.append(_plan(block, wanted, timestamp))
        last = wanted
    return tuple(planned)


def _timestamp(given: Mapping[str, Any], last: int) -> int:
    if given.get("time") is None:
        return last + STEP_S
    wanted = decode_quantity(given["time"])
    if wanted <= last:
        reason = f"block timestamps must be in order: {wanted} <= {last}"
        raise SimulatedTimeOrder(reason=reason)
    return wanted


def _plan(block: Mapping[str, Any], number: int, timestamp: int) -> PlannedBlock:
    given = block.get("blockOverrides") or {}
    plain = {name: value for name, value in given.items() if name not in _ONLY_SIMULATED}
    return PlannedBlock(
        number=number,
        timestamp=timestamp,
        overrides=parse_block_overrides(plain),
        beacon_root=decode_hex(given["beaconRoot"]) if "beaconRoot" in given else _ZERO_ROOT,
        withdrawals=parse_withdrawals(given.get("withdrawals") or ()),
        accounts=parse_state_overrides(block.get("stateOverrides")),
        calls=tuple(block.get("calls") or ()),
    )
