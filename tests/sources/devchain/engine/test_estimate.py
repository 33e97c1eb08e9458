"""Estimates are enough and close; access lists hold what a call touches."""

from typing import Any

import pytest

from tests.sources.devchain.engine.building import (
    ALICE,
    BOB,
    CAROL,
    CLEARS,
    CODE,
    ENDLESS,
    GAS_CAP,
    GWEI,
    NESTED,
    REVERTS,
    STORE,
    TOUCHES,
    deployment,
    text,
)
from twisted_chainws.errors import (
    EstimateFailed,
    ExecutionError,
    ExecutionFailed,
    ExecutionReverted,
    GasAllowanceExceeded,
    PrecheckFailed,
)
from twisted_chainws.sources.devchain.engine.core import Engine
from twisted_chainws.sources.devchain.engine.estimate import describe_error

WORD = text((7).to_bytes(32, "big"))


def needed(engine: Engine, call: dict[str, Any]) -> int:
    """Find the least gas by bisection, with nothing but calls."""
    low, high = 20_999, GAS_CAP
    while low + 1 < high:
        middle = (low + high) // 2
        try:
            engine.call(call | {"gas": hex(middle)}, engine.head_hash, gas_cap=GAS_CAP)
        except ExecutionError:
            low = middle
        else:
            high = middle
    return high


@pytest.mark.parametrize(
    "call",
    [
        {"to": text(STORE), "data": WORD},
        {"to": text(NESTED), "data": WORD},
        {"to": text(CLEARS)},
        {"to": text(CLEARS), "data": "0x" + "01" * 2_000},
        {"to": text(CAROL), "data": "0x1234"},
        {"data": text(deployment(bytes.fromhex(CODE[STORE])))},
        {"from": text(ALICE), "to": text(CAROL), "value": "0x1"},
        {"from": text(ALICE), "to": text(STORE), "data": WORD, "gasPrice": hex(2 * GWEI)},
    ],
)
def test_an_estimate_is_enough_and_close(engine: Engine, call: dict[str, Any]) -> None:
    """The call succeeds with the estimate, which is at most 1.6 % above the least gas."""
    least = needed(engine, call)
    found = engine.estimate(call, engine.head_hash, gas_cap=GAS_CAP)
    assert least <= found <= least * 1.016
    engine.call(call | {"gas": hex(found)}, engine.head_hash, gas_cap=GAS_CAP)


def test_a_plain_transfer_needs_21000(engine: Engine) -> None:
    """No search is made for a transfer to an account without code."""
    call = {"from": text(ALICE), "to": text(CAROL), "value": "0x1"}
    assert engine.estimate(call, engine.head_hash, gas_cap=GAS_CAP) == 21_000


def failing(engine: Engine, call: dict[str, Any]) -> Exception:
    """Return the error of an estimate."""
    with pytest.raises(ExecutionError) as caught:
        engine.estimate(call, engine.head_hash, gas_cap=GAS_CAP)
    return caught.value


def test_estimates_fail_as_in_geth(engine: Engine) -> None:
    """Reverts, failures, too little gas and refusals are told apart."""
    reverted = failing(engine, {"to": text(REVERTS)})
    assert isinstance(reverted, ExecutionReverted)
    assert reverted.data == (42).to_bytes(32, "big")
    failed = failing(engine, {"data": "0xfe"})
    assert isinstance(failed, ExecutionFailed)
    assert failed.reason == "invalid opcode: INVALID"
    endless = failing(engine, {"to": text(ENDLESS), "gas": hex(50_000)})
    assert isinstance(endless, GasAllowanceExceeded)
    assert endless.cap == 50_000
    short = failing(engine, {"to": text(STORE), "data": WORD, "gas": hex(21_100)})
    assert isinstance(short, GasAllowanceExceeded)
    funds = failing(engine, {"from": text(CAROL), "to": text(BOB), "value": "0x1"})
    assert isinstance(funds, EstimateFailed)
    assert funds.reason.startswith("insufficient funds for gas * price + value: address 0x")
    assert funds.gas > 21_000
    poor = {"from": text(CAROL), "to": text(BOB), "value": "0x1", "gasPrice": hex(GWEI)}
    for call in (poor, {**poor, "value": "0x0"}):
        transfer = failing(engine, call)
        assert isinstance(transfer, ExecutionFailed)
        assert transfer.reason == "insufficient funds for transfer"


def test_the_balance_bounds_an_estimate(engine: Engine) -> None:
    """With a gas price, no more gas is tried than the caller can pay."""
    call = {"from": text(CAROL), "to": text(STORE), "data": WORD, "gasPrice": hex(GWEI)}
    overrides = {text(CAROL): {"balance": hex(30_000 * GWEI)}}
    with pytest.raises(GasAllowanceExceeded) as caught:
        engine.estimate(call, engine.head_hash, gas_cap=GAS_CAP, state_overrides=overrides)
    assert caught.value.cap == 30_000
    overrides = {text(CAROL): {"balance": hex(60_000 * GWEI)}}
    found = engine.estimate(call, engine.head_hash, gas_cap=GAS_CAP, state_overrides=overrides)
    assert found <= 60_000


def test_an_access_list_holds_what_is_touched(engine: Engine) -> None:
    """The inner contract and its slot are listed; sender, recipient and precompiles are not."""
    call = {"from": text(ALICE), "to": text(NESTED), "data": WORD}
    result = engine.access_list(call, engine.head_hash, gas_cap=GAS_CAP)
    assert result.entries == ((STORE, (0,)),)
    assert result.error is None
    plain = engine.access_list(
        {"from": text(ALICE), "to": text(TOUCHES)}, engine.head_hash, gas_cap=GAS_CAP
    )
    assert plain.entries == ()
    own = engine.access_list({"to": text(STORE), "data": WORD}, engine.head_hash, gas_cap=GAS_CAP)
    assert own.entries == ((STORE, (0,)),)


def test_the_gas_of_an_access_list_is_that_of_the_call_with_it(engine: Engine) -> None:
    """Calling with the list found needs the gas that was told."""
    call: dict[str, Any] = {"to": text(NESTED), "data": WORD}
    result = engine.access_list(call, engine.head_hash, gas_cap=GAS_CAP)
    call["accessList"] = [
        {
            "address": text(address),
            "storageKeys": [text(slot.to_bytes(32, "big")) for slot in slots],
        }
        for address, slots in result.entries
    ]
    again = engine.access_list(call, engine.head_hash, gas_cap=GAS_CAP)
    assert (again.entries, again.gas_used) == (result.entries, result.gas_used)
    assert needed(engine, call) >= result.gas_used


def test_overridden_accounts_count_when_they_are_touched(engine: Engine) -> None:
    """An override alone puts nothing into the list; a touch of that account does."""
    reads = f"0x73{CAROL.hex()}3100"
    call = {"to": text(BOB)}
    for code, entries in ((reads, ((CAROL, ()),)), ("0x00", ())):
        overrides = {text(BOB): {"code": code}, text(CAROL): {"balance": "0x1"}}
        result = engine.access_list(
            call, engine.head_hash, gas_cap=GAS_CAP, state_overrides=overrides
        )
        assert result.entries == entries


def test_a_failing_call_has_an_access_list_too(engine: Engine) -> None:
    """A revert is part of the result; a refusal is an error."""
    result = engine.access_list({"to": text(REVERTS)}, engine.head_hash, gas_cap=GAS_CAP)
    assert isinstance(result.error, ExecutionReverted)
    assert describe_error(result.error) == "execution reverted"
    failed = engine.access_list({"data": "0xfe"}, engine.head_hash, gas_cap=GAS_CAP)
    assert failed.error is not None
    assert describe_error(failed.error) == "invalid opcode: INVALID"
    with pytest.raises(PrecheckFailed):
        engine.access_list({"gas": "0x1"}, engine.head_hash, gas_cap=GAS_CAP)
