"""Which blocks a simulation makes: numbers, gaps and timestamps."""

from typing import Any

import pytest

from twisted_chainws.errors import (
    ChainwsError,
    InvalidOverride,
    SimulatedNumberOrder,
    SimulatedTimeOrder,
    SimulationTooLarge,
)
from twisted_chainws.sources.devchain.engine.simulate_plan import PlannedBlock, plan_blocks

NUMBER, TIME = 10, 1_000
WHO = "0x" + "11" * 20


def block(number: int | None = None, time: int | None = None) -> dict[str, Any]:
    """Return a block that overrides what is not None."""
    wanted = {"number": number, "time": time}
    given = {name: hex(value) for name, value in wanted.items() if value is not None}
    return {"blockOverrides": given} if given else {}


def plan(*blocks: dict[str, Any]) -> tuple[PlannedBlock, ...]:
    """Plan above a block of ``NUMBER`` and ``TIME``."""
    return plan_blocks(blocks, number=NUMBER, timestamp=TIME)


@pytest.mark.parametrize(
    ("blocks", "expected"),
    [
        ([block()], [(11, 1_012)]),
        ([block(), block()], [(11, 1_012), (12, 1_024)]),
        ([block(13)], [(11, 1_012), (12, 1_024), (13, 1_036)]),
        ([block(12, 1_013)], [(11, 1_012), (12, 1_013)]),
        ([block(time=1_001), block()], [(11, 1_001), (12, 1_013)]),
        ([{"blockOverrides": None}], [(11, 1_012)]),
    ],
)
def test_numbers_and_times_follow(blocks: list[Any], expected: list[tuple[int, int]]) -> None:
    """What is not given follows the block before; gaps are filled 12 seconds apart."""
    assert [(item.number, item.timestamp) for item in plan(*blocks)] == expected


@pytest.mark.parametrize(
    ("blocks", "error", "reason"),
    [
        ([block(10)], SimulatedNumberOrder, "block numbers must be in order: 10 <= 10"),
        ([block(12), block(11)], SimulatedNumberOrder, "block numbers must be in order: 11 <= 12"),
        (
            [block(), block(1)],
            SimulatedNumberOrder,
            "block numbers must be in order: 1 <= 11",
        ),
        (
            [block(time=1_000)],
            SimulatedTimeOrder,
            "block timestamps must be in order: 1000 <= 1000",
        ),
        # The blocks that fill the gap take their time, too.
        ([block(13, 1_024)], SimulatedTimeOrder, "block timestamps must be in order: 1024 <= 1024"),
        ([block(267)], SimulationTooLarge, "too many blocks"),
        ([block(1 << 255)], SimulationTooLarge, "too many blocks"),
    ],
)
def test_what_is_out_of_order_is_refused(
    blocks: list[Any], error: type[ChainwsError], reason: str
) -> None:
    """Numbers and times only grow, and not by more than 256 blocks."""
    with pytest.raises(error) as caught:
        plan(*blocks)
    assert getattr(caught.value, "reason", None) == reason


def test_the_highest_block_is_256_above() -> None:
    """As many blocks as allowed are planned."""
    assert [item.number for item in plan(block(266))] == list(range(11, 267))


def test_a_block_carries_its_overrides() -> None:
    """Header fields, state, calls, beacon root and withdrawals arrive as values."""
    withdrawal = {"index": "0x1", "validatorIndex": "0x2", "address": WHO, "amount": "0x3"}
    (planned,) = plan(
        {
            "blockOverrides": {
                "gasLimit": "0x5",
                "feeRecipient": WHO,
                "prevRandao": "0x" + "22" * 32,
                "baseFeePerGas": "0x6",
                "blobBaseFee": "0x7",
                "beaconRoot": "0x" + "33" * 32,
                "withdrawals": [withdrawal, {}],
            },
            "stateOverrides": {WHO: {"balance": "0x8"}},
            "calls": [{"to": WHO}],
        }
    )
    assert planned.overrides.header == {
        "gas_limit": 5,
        "coinbase": b"\x11" * 20,
        "mix_hash": b"\x22" * 32,
        "base_fee_per_gas": 6,
    }
    assert (planned.overrides.blob_base_fee, planned.beacon_root) == (7, b"\x33" * 32)
    first, blank = planned.withdrawals
    assert (first.index, first.validator_index, first.address, first.amount) == (
        1,
        2,
        b"\x11" * 20,
        3,
    )
    assert (blank.index, blank.validator_index, blank.address, blank.amount) == (0, 0, bytes(20), 0)
    assert [(item.address, item.balance) for item in planned.accounts] == [(b"\x11" * 20, 8)]
    assert planned.calls == ({"to": WHO},)


def test_a_block_that_overrides_nothing_is_blank() -> None:
    """Nothing is made up."""
    (planned,) = plan({})
    assert planned.overrides.header == {}
    assert planned.overrides.blob_base_fee is None
    assert planned.beacon_root == bytes(32)
    assert (planned.withdrawals, planned.accounts, planned.calls) == ((), (), ())


def test_contradicting_state_is_refused() -> None:
    """Storage is replaced or patched, not both."""
    with pytest.raises(InvalidOverride):
        plan({"stateOverrides": {WHO: {"state": {}, "stateDiff": {}}}})
