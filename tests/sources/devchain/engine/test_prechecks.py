"""What is refused before the first opcode, in which words, in which order, and what just passes."""

from typing import Any

import pytest
from eth_utils import to_checksum_address

from tests.sources.devchain.engine.building import (
    ALICE,
    BOB,
    CAROL,
    ENVIRONMENT,
    ETHER,
    GAS_CAP,
    GWEI,
    text,
)
from twisted_chainws.errors import PrecheckFailed
from twisted_chainws.sources.devchain.engine.calls import CallSite, CallTransaction
from twisted_chainws.sources.devchain.engine.core import Engine
from twisted_chainws.sources.devchain.engine.prechecks import precheck
from twisted_chainws.sources.devchain.engine.requests import (
    parse_block_overrides,
    parse_call,
)

WHO = to_checksum_address(CAROL)
RICH = to_checksum_address(ALICE)
BASE_FEE = GWEI
BLOB = "0x01" + "00" * 31
BLOB_GAS = 131_072
LARGEST_INIT_CODE = 49_152
AUTHORIZATION = {"chainId": "0x0", "address": text(BOB), "nonce": "0x0", "r": "0x1", "s": "0x1"}


def refused(engine: Engine, call: dict[str, Any], **block: Any) -> str | None:
    """Return why a call of Carol's to Bob, changed, is refused at the genesis block."""
    request = parse_call({"from": text(CAROL), "to": text(BOB)} | call)
    site = CallSite(
        chain=engine._chain,
        header=engine.head,
        root=engine.root(engine.head_hash),
        accounts=(),
        block=parse_block_overrides(block),
    )
    gas = GAS_CAP if request.gas is None else request.gas
    try:
        precheck(request, CallTransaction(request, gas), site.state(request))
    except PrecheckFailed as failed:
        told = failed
    else:
        return None
    assert told.gas == gas
    return told.reason


CASES: list[tuple[dict[str, Any], str]] = [
    (
        {"value": "0x1"},
        f"insufficient funds for gas * price + value: address {WHO} have 0 want 1",
    ),
    (
        {"gasPrice": hex(BASE_FEE), "gas": "0x5208"},
        (
            f"insufficient funds for gas * price + value: address {WHO} have 0 "
            f"want {21_000 * BASE_FEE}"
        ),
    ),
    (
        {"maxFeePerGas": "0x1"},
        (
            f"max fee per gas less than block base fee: address {WHO}, "
            f"maxFeePerGas: 1, baseFee: {BASE_FEE}"
        ),
    ),
    (
        {"maxFeePerGas": "0x1", "maxPriorityFeePerGas": "0x2"},
        (
            f"max priority fee per gas higher than max fee per gas: address {WHO}, "
            "maxPriorityFeePerGas: 2, maxFeePerGas: 1"
        ),
    ),
    ({"gas": "0x4e20"}, "intrinsic gas too low: have 20000, want 21000"),
    (
        {"gas": "0x5400", "data": "0x" + "01" * 20},
        "insufficient gas for floor data gas cost: have 21504, want 21800",
    ),
    (
        {"to": None, "data": "0x" + "00" * (LARGEST_INIT_CODE + 1)},
        "max initcode size exceeded: code size 49153 limit 49152",
    ),
    ({"to": None, "blobVersionedHashes": []}, "blob transaction of type create"),
    ({"blobVersionedHashes": []}, "blob transaction missing blob hashes"),
    (
        {"authorizationList": [], "to": None},
        f"EIP-7702 transaction cannot be used to create contract (sender {WHO})",
    ),
    (
        {"authorizationList": []},
        f"EIP-7702 transaction with empty auth list (sender {WHO})",
    ),
    (
        {"authorizationList": [AUTHORIZATION], "gas": hex(45_999)},
        "intrinsic gas too low: have 45999, want 46000",
    ),
]


@pytest.mark.parametrize(("call", "reason"), CASES)
def test_refusals_are_worded_as_geth_does(
    engine: Engine, call: dict[str, Any], reason: str
) -> None:
    """A refusal names addresses and amounts, and carries the gas limit of the call."""
    assert refused(engine, call) == reason


@pytest.mark.parametrize(("call", "reason"), CASES)
def test_a_call_and_its_refusal_are_one(engine: Engine, call: dict[str, Any], reason: str) -> None:
    """Calls and access lists run into the same refusals before they run anything."""
    whole = {"from": text(CAROL), "to": text(BOB)} | call
    for ask in (engine.call, engine.access_list):
        with pytest.raises(PrecheckFailed) as caught:
            ask(whole, engine.head_hash, gas_cap=GAS_CAP)
        assert caught.value.reason == reason


def test_fees_that_are_just_enough_pass(engine: Engine) -> None:
    """A tip that equals the cap and a cap that equals the base fee are allowed."""
    call = {"from": text(ALICE), "gas": "0x5208"}
    fees = {"maxFeePerGas": hex(BASE_FEE), "maxPriorityFeePerGas": hex(BASE_FEE)}
    assert refused(engine, call | fees) is None
    below = call | {"gasPrice": hex(BASE_FEE - 1)}
    assert refused(engine, below) == (
        f"max fee per gas less than block base fee: address {RICH}, "
        f"maxFeePerGas: {BASE_FEE - 1}, baseFee: {BASE_FEE}"
    )
    assert refused(engine, below, baseFeePerGas=hex(BASE_FEE - 1)) is None


def test_a_call_without_a_price_needs_neither_fee_nor_funds(engine: Engine) -> None:
    """Offering nothing is no offer below the base fee; only value must be there."""
    assert refused(engine, {}) is None
    assert refused(engine, {"gasPrice": "0x0"}) is None
    assert refused(engine, {"blobVersionedHashes": [BLOB]}) is None


def test_the_balance_must_cover_the_most_that_may_be_paid(engine: Engine) -> None:
    """Gas at the cap, blobs at their cap and the value together may take all, not a wei more."""
    gas, cap, blob_cap = 100_000, 3 * BASE_FEE, 7
    have = 10_000 * ETHER
    spent = gas * cap + 2 * BLOB_GAS * blob_cap
    call = {
        "from": text(ALICE),
        "gas": hex(gas),
        "maxFeePerGas": hex(cap),
        "blobVersionedHashes": [BLOB, BLOB],
        "maxFeePerBlobGas": hex(blob_cap),
    }
    assert refused(engine, call | {"value": hex(have - spent)}) is None
    assert refused(engine, call | {"value": hex(have - spent + 1)}) == (
        f"insufficient funds for gas * price + value: address {RICH} have {have} want {have + 1}"
    )


@pytest.mark.parametrize(
    ("call", "least"),
    [
        ({}, 21_000),
        ({"data": "0x" + "00" * 10}, 21_000 + 10 * 10),
        ({"data": "0x" + "01" * 10}, 21_000 + 40 * 10),
        ({"to": None, "data": "0x" + "00" * 64}, 53_000 + 64 * 4 + 2 * 2),
        ({"to": None, "data": "0x" + "00" * 65}, 53_000 + 65 * 4 + 3 * 2),
        ({"accessList": [{"address": text(BOB), "storageKeys": [BLOB]}]}, 21_000 + 2_400 + 1_900),
        ({"authorizationList": [AUTHORIZATION] * 2}, 21_000 + 2 * 25_000),
    ],
)
def test_the_least_gas_passes_and_one_less_does_not(
    engine: Engine, call: dict[str, Any], least: int
) -> None:
    """What a transaction costs before it runs, floor included, is the lowest limit."""
    assert refused(engine, call | {"gas": hex(least)}) is None
    reason = refused(engine, call | {"gas": hex(least - 1)})
    assert reason is not None
    assert reason.endswith(f": have {least - 1}, want {least}")


def test_init_code_of_the_largest_size_passes(engine: Engine) -> None:
    """49,152 bytes are allowed, and as call data more than that."""
    assert refused(engine, {"to": None, "data": "0x" + "00" * LARGEST_INIT_CODE}) is None
    assert refused(engine, {"data": "0x" + "00" * (LARGEST_INIT_CODE + 1)}) is None


def test_a_blob_fee_below_the_price_is_refused(engine: Engine) -> None:
    """An offered blob fee is compared with the overridden price; none offered means free."""
    call = {"from": text(ALICE), "to": text(ENVIRONMENT), "blobVersionedHashes": [BLOB]}
    for cap in ("0x5", "0x8"):
        assert refused(engine, call | {"maxFeePerBlobGas": cap}, blobBaseFee="0x9") == (
            f"max fee per blob gas less than block blob gas fee: address {RICH} "
            f"blobGasFeeCap: {int(cap, 16)}, blobBaseFee: 9"
        )
    assert refused(engine, call | {"maxFeePerBlobGas": "0x9"}, blobBaseFee="0x9") is None
    assert refused(engine, call, blobBaseFee="0x9") is None


def test_blobs_and_authorizations_are_both_looked_at(engine: Engine) -> None:
    """A blob call with nothing wrong about its blobs may still have a wrong list."""
    call = {"blobVersionedHashes": [BLOB], "authorizationList": []}
    assert refused(engine, call) == f"EIP-7702 transaction with empty auth list (sender {WHO})"


def test_the_first_refusal_is_told(engine: Engine) -> None:
    """What is wrong in every way is refused for its fees, then its envelope, funds and gas."""
    wrongs: list[tuple[dict[str, Any], str]] = [
        ({"maxFeePerGas": "0x1", "maxPriorityFeePerGas": "0x2"}, "max priority fee per gas"),
        ({"maxFeePerGas": "0x1", "maxPriorityFeePerGas": "0x0"}, "max fee per gas less"),
        ({"blobVersionedHashes": []}, "blob transaction missing"),
        ({"authorizationList": []}, "EIP-7702 transaction with empty"),
        ({"value": "0x1"}, "insufficient funds"),
        ({"gas": "0x1"}, "intrinsic gas too low"),
    ]
    for place, (_, reason) in enumerate(wrongs):
        call: dict[str, Any] = {}
        for members, _ in reversed(wrongs[place:]):
            call |= members
        told = refused(engine, call)
        assert told is not None
        assert told.startswith(reason)


def test_without_a_sender_the_zero_address_pays(engine: Engine) -> None:
    """A call that names no sender is one of the zero address, whose funds count."""
    assert refused(engine, {"from": None, "value": "0x1"}) == (
        "insufficient funds for gas * price + value: address "
        "0x0000000000000000000000000000000000000000 have 0 want 1"
    )
