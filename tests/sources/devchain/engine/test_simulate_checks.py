"""What a simulated call is refused for, in geth's words, and what is let through."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from eth_utils import to_checksum_address

from tests.sources.devchain.engine.building import (
    ALICE,
    BOB,
    CAROL,
    ETHER,
    STORE,
    genesis,
    text,
)
from tests.sources.devchain.engine.simulating import run_calls
from twisted_chainws.chain.forks import DEVELOPMENT
from twisted_chainws.errors import (
    SimulatedFeeCapTooLow,
    SimulatedFundsTooLow,
    SimulatedGasTooLow,
    SimulatedInitCodeTooLarge,
    SimulatedNonceTooHigh,
    SimulatedNonceTooLow,
    SimulatedTipAboveFeeCap,
    SimulationRefused,
)
from twisted_chainws.sources.devchain.engine.core import Engine
from twisted_chainws.sources.devchain.engine.osaka import OSAKA

WHO, RICH = to_checksum_address(CAROL), to_checksum_address(ALICE)
GAS = 30_000_000
BLOB = "0x01" + "00" * 31
BLOB_GAS = 131_072
MOST = 2**64 - 1
TIP_TOO_HIGH = "max priority fee per gas higher than max fee per gas:"
AUTHORIZATION = {"chainId": "0x0", "address": text(BOB), "nonce": "0x0", "r": "0x1", "s": "0x1"}

FEES: list[Any] = [
    (
        {},
        {"baseFeePerGas": "0xa"},
        SimulatedFeeCapTooLow,
        f"max fee per gas less than block base fee: address {RICH}, maxFeePerGas: 0, baseFee: 10",
    ),
    (
        {"gasPrice": "0x9"},
        {"baseFeePerGas": "0xa"},
        SimulatedFeeCapTooLow,
        f"max fee per gas less than block base fee: address {RICH}, maxFeePerGas: 9, baseFee: 10",
    ),
    (
        {"maxFeePerGas": "0x1", "maxPriorityFeePerGas": "0x2"},
        {},
        SimulatedTipAboveFeeCap,
        f"{TIP_TOO_HIGH} address {RICH}, maxPriorityFeePerGas: 2, maxFeePerGas: 1",
    ),
]
ALWAYS: list[Any] = [
    (
        {"to": text(BOB), "value": hex(10_001 * ETHER), "from": text(CAROL)},
        SimulatedFundsTooLow,
        f"insufficient funds for gas * price + value: address {WHO} have 0 want {10_001 * ETHER}",
    ),
    (
        {"to": text(BOB), "gasPrice": "0x2", "value": "0x1", "from": text(CAROL)},
        SimulatedFundsTooLow,
        f"insufficient funds for gas * price + value: address {WHO} have 0 want {2 * GAS + 1}",
    ),
    (
        {"to": text(BOB), "blobVersionedHashes": [BLOB, BLOB], "maxFeePerBlobGas": "0x3"}
        | {"from": text(CAROL)},
        SimulatedFundsTooLow,
        f"insufficient funds for gas * price + value: address {WHO} have 0 want {6 * BLOB_GAS}",
    ),
    # Whoever offers nothing for its blobs has to have what they cost.
    (
        {"to": text(BOB), "blobVersionedHashes": [BLOB], "from": text(CAROL)},
        SimulatedFundsTooLow,
        f"insufficient funds for gas * price + value: address {WHO} have 0 want {BLOB_GAS}",
    ),
    (
        {"to": text(BOB), "gas": "0x5207"},
        SimulatedGasTooLow,
        "intrinsic gas too low: have 20999, want 21000",
    ),
    (
        {"data": "0x00", "gas": hex(53_005)},
        SimulatedGasTooLow,
        "intrinsic gas too low: have 53005, want 53006",
    ),
    (
        {"to": text(BOB), "data": "0x" + "01" * 100, "gas": hex(24_999)},
        SimulationRefused,
        "insufficient gas for floor data gas cost: have 24999, want 25000",
    ),
    (
        {"data": "0x" + "00" * 49_153},
        SimulatedInitCodeTooLarge,
        "max initcode size exceeded: code size 49153 limit 49152",
    ),
    ({"blobVersionedHashes": [BLOB]}, SimulationRefused, "blob transaction of type create"),
    (
        {"to": text(BOB), "blobVersionedHashes": []},
        SimulationRefused,
        "blob transaction missing blob hashes",
    ),
    (
        {"to": text(BOB), "blobVersionedHashes": [BLOB, "0x02" + "00" * 31]},
        SimulationRefused,
        "blob 1 has invalid hash version",
    ),
    (
        {"authorizationList": [AUTHORIZATION]},
        SimulationRefused,
        f"EIP-7702 transaction cannot be used to create contract (sender {RICH})",
    ),
    (
        {"to": text(BOB), "authorizationList": []},
        SimulationRefused,
        f"EIP-7702 transaction with empty auth list (sender {RICH})",
    ),
]


def refusal(engine: Engine, call: dict[str, Any], **more: Any) -> SimulationRefused:
    """Return why a call of Alice's, unless somebody else sends it, cannot be simulated."""
    with pytest.raises(SimulationRefused) as caught:
        run_calls(engine, {"from": text(ALICE), **call}, **more)
    return caught.value


def say(reason: str, call: dict[str, Any]) -> str:
    """Wrap a reason as every refusal is."""
    gas = int(call.get("gas", hex(GAS)), 16)
    return f"err: {reason} (supplied gas {gas})"


@pytest.mark.parametrize("validation", [False, True])
@pytest.mark.parametrize(("call", "kind", "reason"), ALWAYS)
def test_what_no_block_takes_is_refused(
    engine: Engine,
    call: dict[str, Any],
    kind: type[SimulationRefused],
    reason: str,
    validation: bool,
) -> None:
    """With and without validation a call must be possible at all."""
    if validation and "blobVersionedHashes" in call and kind is SimulatedFundsTooLow:
        call = {"maxFeePerBlobGas": "0x1"} | call
    error = refusal(
        engine, call, validation=validation, block={"baseFeePerGas": "0x0", "blobBaseFee": "0x1"}
    )
    assert (type(error), error.reason) == (kind, say(reason, call))


@pytest.mark.parametrize(("call", "block", "kind", "reason"), FEES)
def test_fees_count_with_validation(
    engine: Engine,
    call: dict[str, Any],
    block: dict[str, Any],
    kind: type[SimulationRefused],
    reason: str,
) -> None:
    """The cap must reach the base fee, and the tip must fit below the cap."""
    error = refusal(engine, {"to": text(BOB)} | call, validation=True, block=block)
    assert type(error) is kind
    assert error.reason.startswith(f"err: {reason} (supplied gas ")


def test_an_offer_is_checked_without_validation_too(engine: Engine) -> None:
    """Only who offers nothing at all is let through below the base fee."""
    block = {"baseFeePerGas": "0xa"}
    (free,) = run_calls(engine, {"from": text(ALICE), "to": text(BOB)}, block=block)
    assert free.error is None
    error = refusal(engine, {"to": text(BOB), "maxFeePerGas": "0x9"}, block=block)
    assert type(error) is SimulatedFeeCapTooLow
    assert type(refusal(engine, {"to": text(BOB), "maxPriorityFeePerGas": "0x1"})) is (
        SimulatedTipAboveFeeCap
    )


def test_blobs_are_paid_for(engine: Engine) -> None:
    """With validation, or with an offer, the cap must reach the price of blob gas."""
    call = {"to": text(BOB), "blobVersionedHashes": [BLOB]}
    block = {"baseFeePerGas": "0x0", "blobBaseFee": "0x5"}
    reason = f"address {RICH} blobGasFeeCap: %d, blobBaseFee: 5"
    for cap, validation in ((0, True), (4, True), (4, False)):
        offer = {"maxFeePerBlobGas": hex(cap)} if cap else {}
        error = refusal(engine, call | offer, validation=validation, block=block)
        assert type(error) is SimulationRefused
        assert "max fee per blob gas less than block blob gas fee: " + reason % cap in error.reason
    (free,) = run_calls(engine, {"from": text(ALICE), **call}, block=block)
    assert free.error is None


@pytest.mark.parametrize(
    ("state", "nonce", "kind", "reason"),
    [
        (3, 4, SimulatedNonceTooHigh, "nonce too high: address {}, tx: 4 state: 3"),
        (3, 2, SimulatedNonceTooLow, "nonce too low: address {}, tx: 2 state: 3"),
        (MOST, MOST, SimulationRefused, f"nonce has max value: address {{}}, nonce: {MOST}"),
    ],
)
def test_nonces_count_with_validation_only(
    engine: Engine, state: int, nonce: int, kind: type[SimulationRefused], reason: str
) -> None:
    """The nonce is the next one and not the last of all; without validation it is any."""
    call = {"to": text(BOB), "nonce": hex(nonce)}
    more: dict[str, Any] = {"accounts": {text(ALICE): {"nonce": hex(state)}}}
    more["block"] = {"baseFeePerGas": "0x0"}
    error = refusal(engine, call, validation=True, **more)
    assert (type(error), error.reason) == (kind, say(reason.format(RICH), call))
    (passed,) = run_calls(engine, {"from": text(ALICE), **call}, **more)
    assert passed.error is None


def test_contracts_may_send(engine: Engine) -> None:
    """Whether the sender has code is never asked."""
    (sent,) = run_calls(engine, {"from": text(STORE), "to": text(BOB)}, validation=False)
    assert sent.error is None


def test_osaka_takes_few_blobs(engine: Engine, tmp_path: Path) -> None:
    """Six blobs pass; before Osaka it was the block that had a limit, which counts for none."""
    forks = replace(DEVELOPMENT, forks=(OSAKA,))
    later = Engine.open(str(tmp_path / "osaka"), replace(genesis(), forks=forks))
    call = {"from": text(ALICE), "to": text(BOB), "maxFeePerBlobGas": "0x1"}
    for count in (6, 7):
        (passed,) = run_calls(engine, call | {"blobVersionedHashes": [BLOB] * count})
        assert passed.error is None
    (passed,) = run_calls(later, call | {"blobVersionedHashes": [BLOB] * 6})
    assert passed.error is None
    error = refusal(later, call | {"blobVersionedHashes": [BLOB] * 7})
    assert "blob transaction has too many blobs" in error.reason
    later.close()
