"""One simulated block: results of calls, gas, nonces, what the header and the state say."""

from typing import Any

import pytest

from tests.sources.devchain.engine.building import (
    ALICE,
    ALICE_KEY,
    BOB,
    CAROL,
    CHAIN_ID,
    CLEARS,
    ENDLESS,
    ENVIRONMENT,
    GAS_LIMIT,
    REVERTS,
    STORE,
    build,
    deployment,
    text,
    transaction,
)
from tests.sources.devchain.engine.simulating import HERE, run_calls, simulate
from twisted_chainws.chain.model import EvmTransaction
from twisted_chainws.errors import ExecutionFailed, ExecutionReverted, SimulatedBlockFull
from twisted_chainws.sources.devchain.engine.core import Engine

MOST = 2**64 - 1
BLOB = "0x01" + "00" * 31
GAS_TO_WORD = "5a5f5260205ff3"


def word(number: int) -> bytes:
    """Return 32 bytes."""
    return number.to_bytes(32, "big")


def transactions(made: Any) -> list[EvmTransaction]:
    """Return the transactions of a simulated block."""
    return list(made.block.transactions)


def test_results_say_how_calls_ended(engine: Engine) -> None:
    """Return data, revert data, or words for the rest; failures have neither output nor logs."""
    good, reverted, endless = run_calls(
        engine,
        {"to": HERE},
        {"to": text(REVERTS)},
        {"to": text(ENDLESS), "gas": "0x10000"},
        code="602a5f5260205ff3",
    )
    assert (good.error, good.output) == (None, word(42))
    assert isinstance(reverted.error, ExecutionReverted)
    assert (reverted.error.data, reverted.output, reverted.logs) == (word(42), b"", ())
    assert isinstance(endless.error, ExecutionFailed)
    assert (endless.error.reason, endless.gas_used) == ("out of gas", 0x10000)


def test_refunds_are_taken_off_what_is_used(engine: Engine) -> None:
    """The peak is what the limit must have been at least."""
    (result,) = run_calls(engine, {"to": text(CLEARS)})
    assert result.gas_used == result.gas_peak - result.gas_peak // 5


def test_the_floor_raises_what_is_used_and_the_peak(engine: Engine) -> None:
    """Much call data costs at least its floor (EIP-7623)."""
    (result,) = run_calls(engine, {"to": text(BOB), "data": "0x" + "01" * 100})
    assert (result.gas_used, result.gas_peak) == (25_000, 25_000)


def test_a_simulated_block_is_a_real_block(engine: Engine) -> None:
    """Built for real from the same transactions, it has the same roots, gas and logs."""
    call = {"from": text(ALICE), "to": text(STORE), "data": text(word(7)), "gas": "0x20000"}
    call |= {"maxFeePerGas": hex(10**10), "maxPriorityFeePerGas": "0x5", "value": "0x0"}
    transfer = {"from": text(ALICE), "to": text(CAROL), "value": "0x9", "gas": "0x5208"}
    transfer |= {"maxFeePerGas": hex(10**10)}
    overrides = {"time": hex(engine.head.timestamp + 1), "feeRecipient": text(BOB)}
    (made,) = simulate(
        engine, {"blockOverrides": overrides, "calls": [call, transfer]}, validation=True
    )
    fees = {"max_fee_per_gas": 10**10}
    real = build(
        engine,
        [
            transaction(
                ALICE_KEY, to=STORE, data=word(7), gas=0x20000, value=0, nonce=0,
                max_priority_fee_per_gas=5, **fees,
            ),
            transaction(ALICE_KEY, value=9, nonce=1, max_priority_fee_per_gas=0, **fees),
        ],
        coinbase=BOB,
        mix_hash=bytes(32),
    )  # fmt: skip
    ours, theirs = made.block.extras.header, real.extras.header
    for name in ("state_root", "receipts_root", "bloom", "gas_used", "base_fee_per_gas", "number"):
        assert getattr(ours, name) == getattr(theirs, name), name
    assert made.block.receipts == real.receipts
    assert ours.transactions_root != theirs.transactions_root


def test_transactions_are_unsigned_and_have_senders(engine: Engine) -> None:
    """They hash without a signature; the type follows from the members of the call."""
    authorization = {"chainId": "0x0", "address": text(BOB), "nonce": "0x0", "r": "0x1", "s": "0x1"}
    entry = {"address": text(BOB), "storageKeys": ["0x" + "00" * 32]}
    calls: list[dict[str, Any]] = [
        {"to": text(BOB), "value": "0x1", "accessList": [entry]},
        {"to": text(BOB), "gasPrice": "0x1"},
        {"to": text(BOB), "blobVersionedHashes": [BLOB], "maxFeePerBlobGas": "0x2"},
        {"to": text(BOB), "authorizationList": [authorization]},
        {"to": text(BOB), "authorizationList": [authorization], "gasPrice": "0x1"},
    ]
    (made,) = simulate(engine, {"calls": [{"from": text(ALICE), **call} for call in calls]})
    first, *_ = found = transactions(made)
    assert [item.type for item in found] == [2, 0, 3, 4, 0]
    assert {item.sender for item in found} == {ALICE}
    assert [item.nonce for item in found] == [0, 1, 2, 3, 4]
    assert {(item.v, item.r, item.s) for item in found} == {(0, 0, 0)}
    assert {item.chain_id for item in found} == {CHAIN_ID, None}
    assert [len(item.access_list or ()) for item in found] == [1, 0, 0, 0, 0]
    assert len({item.hash for item in found}) == len(found)
    assert engine.decode(first.raw).hash == first.hash
    assert made.block.extras.header.blob_gas_used == 131_072


def test_a_call_without_gas_gets_what_the_block_has_left(engine: Engine) -> None:
    """The second one gets less than the first."""
    results = run_calls(engine, {"to": HERE}, {"to": HERE}, code=GAS_TO_WORD)
    first, second = (int.from_bytes(result.output, "big") for result in results)
    assert first == GAS_LIMIT - 21_000 - 2
    assert second == first - results[0].gas_used


def test_the_gas_of_all_blocks_together_is_capped(engine: Engine) -> None:
    """A call that runs out of capped gas says so; one that reverts does not."""
    blocks = [{"calls": [{"to": text(ENDLESS), "gas": "0xc350"}]} for _ in range(2)]
    first, second = simulate(engine, *blocks, gas_cap=80_000)
    assert str(getattr(first.results[0].error, "reason", "")) == "out of gas"
    (error,) = (result.error for result in second.results)
    assert isinstance(error, ExecutionFailed)
    assert error.reason == "out of gas (gas limit was capped by the RPC server's global gas cap)"
    assert second.results[0].gas_used == 30_000
    assert transactions(second)[0].gas_limit == 30_000
    (reverted,) = run_calls(engine, {"to": text(REVERTS)}, gas_cap=40_000)
    assert isinstance(reverted.error, ExecutionReverted)


def test_a_block_does_not_take_more_gas_than_it_has(engine: Engine) -> None:
    """What earlier calls have used is not there any more."""
    call = {"to": text(BOB), "gas": "0x5208"}
    with pytest.raises(SimulatedBlockFull) as caught:
        run_calls(engine, call, call, block={"gasLimit": "0xa40f"})
    assert caught.value.reason == "block gas limit reached: remaining: 20999, required: 21000"
    assert len(run_calls(engine, call, call, block={"gasLimit": "0xa410"})) == 2


def test_a_free_call_pays_nothing_whatever_the_base_fee(engine: Engine) -> None:
    """Neither does the coinbase lose what the call does not pay."""
    before = engine.read(engine.head_hash).balance(BOB)
    peek = f"73{BOB.hex()}315f5260205ff3"
    overrides = {"baseFeePerGas": "0x64", "feeRecipient": text(BOB)}
    _, seen = run_calls(
        engine, {"from": text(ALICE), "to": text(CAROL)}, {"to": HERE}, code=peek, block=overrides
    )
    assert int.from_bytes(seen.output, "big") == before


def test_the_coinbase_gets_tips(engine: Engine) -> None:
    """An offer is paid, with and without validation."""
    peek = f"73{CAROL.hex()}315f5260205ff3"
    offer = {"from": text(ALICE), "to": text(BOB), "maxFeePerGas": "0x66"}
    offer |= {"maxPriorityFeePerGas": "0x3"}
    looks = {"from": text(ALICE), "to": HERE, "maxFeePerGas": "0x64"}
    for validation in (False, True):
        _, seen = run_calls(
            engine,
            offer,
            looks,
            code=peek,
            block={"baseFeePerGas": "0x64", "feeRecipient": text(CAROL)},
            validation=validation,
        )
        assert int.from_bytes(seen.output, "big") == 2 * 21_000


def test_code_sees_the_block(engine: Engine) -> None:
    """Environment opcodes return the overridden fields."""
    block = {"number": "0x1", "time": hex(engine.head.timestamp + 9), "gasLimit": "0x1000000"}
    block |= {"feeRecipient": text(BOB), "prevRandao": "0x" + "22" * 32}
    block |= {"baseFeePerGas": "0x7", "blobBaseFee": "0x8", "difficulty": "0x1"}
    call = {"from": text(ALICE), "to": text(ENVIRONMENT), "maxFeePerGas": "0x7"}
    (result,) = run_calls(engine, call, block=block)
    seen = [int.from_bytes(result.output[at : at + 32], "big") for at in range(0, 256, 32)]
    randao = int.from_bytes(b"\x22" * 32, "big")
    who = int.from_bytes(BOB, "big")
    assert seen == [randao, engine.head.timestamp + 9, 1, 7, who, 0x1000000, 7, 8]


def test_the_last_nonce_wraps_around(engine: Engine) -> None:
    """A caller at its last nonce begins again at 0; what the first used costs nothing more."""
    most = {text(ALICE): {"nonce": hex(MOST)}}
    calls = [{"from": text(ALICE), "to": text(BOB)}] * 2
    block = {"stateOverrides": most, "calls": calls}
    (made,) = simulate(engine, block)
    assert [item.nonce for item in transactions(made)] == [MOST, 0]
    assert all(result.error is None for result in made.results)


def test_a_creation_fails_at_the_last_nonce(engine: Engine) -> None:
    """It costs its intrinsic gas, and the nonce stays."""
    most = {text(ALICE): {"nonce": hex(MOST)}}
    calls = [{"from": text(ALICE), "data": text(deployment(b"\x01"))}] * 2
    (made,) = simulate(engine, {"stateOverrides": most, "calls": calls})
    for result in made.results:
        assert isinstance(result.error, ExecutionFailed)
        assert result.error.reason == "nonce uint64 overflow"
        assert result.gas_used < 60_000
    assert [item.nonce for item in transactions(made)] == [MOST, MOST]


def test_a_creation_returns_the_runtime_code(engine: Engine) -> None:
    """The code that is stored is the output, as for a call."""
    (made,) = simulate(engine, {"calls": [{"data": text(deployment(b"\x01\x02"))}]})
    assert made.results[0].output == b"\x01\x02"
    assert transactions(made)[0].to is None
    assert made.block.receipts[0].contract_address is not None


def test_a_taken_address_fails_the_creation(engine: Engine) -> None:
    """All gas is lost."""
    (probe,) = simulate(engine, {"calls": [{"from": text(ALICE), "data": "0x00"}]})
    created = probe.block.receipts[0].contract_address
    assert created is not None
    (result,) = run_calls(
        engine,
        {"from": text(ALICE), "data": "0x00", "gas": "0x186a0"},
        accounts={text(created): {"nonce": "0x1"}},
    )
    assert isinstance(result.error, ExecutionFailed)
    assert (result.error.reason, result.gas_used) == ("contract address collision", 0x186A0)


def test_precompiles_stay_warm_where_the_rules_have_them(engine: Engine) -> None:
    """Moving one makes its new address no cheaper, and its old one no dearer."""
    far = b"\xfa" * 20

    def peek(address: bytes) -> str:
        return f"73{address.hex()}31505a5f5260205ff3"

    moved = {"0x" + "00" * 19 + "04": {"movePrecompileToAddress": text(far)}}
    gas = []
    for address in (bytes(19) + b"\x04", far, b"\xfb" * 20):
        (result,) = run_calls(engine, {"to": HERE}, code=peek(address), accounts=dict(moved))
        gas.append(result.gas_used)
    assert gas[0] == gas[1] - 2_500
    assert gas[1] == gas[2]


def test_moved_precompiles_answer(engine: Engine) -> None:
    """The identity precompile echoes from elsewhere, and its old address is empty."""
    far = b"\xfa" * 20
    moved = {"0x" + "00" * 19 + "04": {"movePrecompileToAddress": text(far)}}
    here, there = run_calls(
        engine,
        {"to": "0x" + "00" * 19 + "04", "data": "0x1234"},
        {"to": text(far), "data": "0x1234"},
        accounts=moved,
    )
    assert (here.output, there.output) == (b"", b"\x12\x34")


def test_transient_storage_ends_with_the_call(engine: Engine) -> None:
    """Each call begins with none (EIP-1153)."""
    returns_then_sets = "5f5c5f52600160005d60205ff3"
    first, second = run_calls(engine, {"to": HERE}, {"to": HERE}, code=returns_then_sets)
    assert first.output == second.output == word(0)


def test_withdrawals_are_paid(engine: Engine) -> None:
    """They are in the block, and the next one sees the money."""
    withdrawal = {"index": "0x1", "validatorIndex": "0x2", "address": text(CAROL), "amount": "0x3"}
    peek = f"73{CAROL.hex()}315f5260205ff3"
    plain, paid, after = simulate(
        engine,
        {},
        {"blockOverrides": {"withdrawals": [withdrawal]}},
        {"stateOverrides": {HERE: {"code": "0x" + peek}}, "calls": [{"to": HERE}]},
    )
    (shown,) = paid.block.extras.withdrawals or ()
    assert (shown.index, shown.validator_index, shown.amount_gwei) == (1, 2, 3)
    assert shown.address == CAROL
    assert paid.block.extras.header.withdrawals_root != plain.block.extras.header.withdrawals_root
    assert int.from_bytes(after.results[0].output, "big") == 3 * 10**9
