"""Calls: results, failures in geth's words, overrides."""

from typing import Any

import pytest
from eth_typing import Address

from tests.sources.devchain.engine.building import (
    ALICE,
    BOB,
    CAROL,
    CHAIN_ID,
    ENVIRONMENT,
    GAS_CAP,
    GAS_LIMIT,
    GENESIS_TIME,
    GWEI,
    REVERTS,
    STORE,
    deployment,
    mine,
    text,
)
from twisted_chainws.errors import (
    ExecutionFailed,
    ExecutionReverted,
    InvalidOverride,
    UnknownBlockHash,
)
from twisted_chainws.sources.devchain.engine.core import Engine

SCRATCH = text(b"\xdd" * 20)


def words(output: bytes) -> list[int]:
    """Split return data into words."""
    return [int.from_bytes(output[at : at + 32], "big") for at in range(0, len(output), 32)]


def run(engine: Engine, call: dict[str, Any], **more: Any) -> bytes:
    """Call at the head unless told otherwise."""
    return engine.call(call, more.pop("at", engine.head_hash), gas_cap=GAS_CAP, **more)


def run_code(engine: Engine, code: str, call: dict[str, Any] | None = None) -> bytes:
    """Run ``code`` as if it lay at an address of its own."""
    return run(
        engine, {"to": SCRATCH} | (call or {}), state_overrides={SCRATCH: {"code": "0x" + code}}
    )


def test_a_call_sees_the_block_it_runs_at(engine: Engine) -> None:
    """Number, time, randomness and coinbase are those of the block; free calls see base fee 0."""
    block = mine(engine, mix_hash=b"\x22" * 32, coinbase=BOB)
    seen = words(run(engine, {"to": text(ENVIRONMENT)}))
    assert seen[:3] == [int.from_bytes(b"\x22" * 32, "big"), GENESIS_TIME + 1, 1]
    assert seen[3:] == [0, int.from_bytes(BOB, "big"), GAS_LIMIT, 0, 1]
    priced = {"from": text(ALICE), "to": text(ENVIRONMENT), "gas": "0x186a0"}
    priced |= {"maxFeePerGas": hex(5 * GWEI), "maxPriorityFeePerGas": hex(GWEI)}
    seen = words(run(engine, priced))
    base_fee = block.extras.header.base_fee_per_gas
    assert base_fee is not None
    assert (seen[3], seen[6]) == (base_fee, base_fee + GWEI)


def test_a_sender_at_its_last_nonce_may_still_call(engine: Engine) -> None:
    """A message runs, for calls check no nonce; a creation fails in geth's words."""
    engine.edit(lambda state: state.set_nonce(Address(ALICE), 2**64 - 1))
    message = {"from": text(ALICE), "to": text(ENVIRONMENT)}
    assert len(words(run(engine, message))) == 8
    assert engine.estimate(message, engine.head_hash, gas_cap=GAS_CAP) > 21_000
    creation = {"from": text(ALICE), "data": "0x5f"}
    for ask in (engine.call, engine.estimate):
        with pytest.raises(ExecutionFailed) as caught:
            ask(creation, engine.head_hash, gas_cap=GAS_CAP)
        assert caught.value.reason == "nonce uint64 overflow"


def test_nothing_a_call_does_is_kept(engine: Engine) -> None:
    """A call that writes storage leaves the state as it was."""
    run(engine, {"to": text(STORE), "data": text((5).to_bytes(32, "big"))})
    assert engine.read(engine.head_hash).storage(STORE, 0) == 0
    assert engine.root(engine.head_hash) == engine.head.state_root


def test_old_blocks_and_edits_are_called_on(engine: Engine) -> None:
    """A call at an old block sees its state; at the head it sees the edits made there."""
    old = engine.head_hash
    head = mine(engine)
    engine.edit(lambda state: state.set_storage(STORE, 0, 9))
    code = "0x5f545f5260205ff3"
    for at, value in ((old, 0), (head.hash, 9)):
        overrides = {text(STORE): {"code": code}}
        assert words(run(engine, {"to": text(STORE)}, at=at, state_overrides=overrides)) == [value]
    with pytest.raises(UnknownBlockHash):
        run(engine, {}, at=b"\x01" * 32)


def test_blockhash_is_right_at_old_heights(engine: Engine) -> None:
    """BLOCKHASH of the parent gives its hash, of the block itself zero."""
    blocks = [mine(engine) for _ in range(3)]
    code = "5f35405f5260205ff3"
    for number, expected in ((1, blocks[0].hash), (2, blocks[1].hash), (3, bytes(32))):
        call = {"data": text(number.to_bytes(32, "big"))}
        assert run_code(engine, code, call) == expected


def test_a_creation_returns_the_runtime_code(engine: Engine) -> None:
    """A call without recipient runs init code and returns what would be deployed."""
    assert run(engine, {"data": text(deployment(b"\x01\x02"))}) == b"\x01\x02"


def test_a_revert_carries_its_data(engine: Engine) -> None:
    """The revert data is handed on as bytes, also when it is empty."""
    with pytest.raises(ExecutionReverted) as caught:
        run(engine, {"to": text(REVERTS)})
    assert caught.value.data == (42).to_bytes(32, "big")
    with pytest.raises(ExecutionReverted) as caught:
        run_code(engine, "5f5ffd")
    assert caught.value.data == b""


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("fe", "invalid opcode: INVALID"),
        ("0c", "invalid opcode: opcode 0xc not defined"),
        ("ef", "invalid opcode: opcode 0xef not defined"),
        ("600356", "invalid jump destination"),
        ("6001565b", "invalid jump destination"),
        ("600456605b", "invalid jump destination"),
        ("01", "stack underflow (0 <=> 2)"),
        ("600101", "stack underflow (1 <=> 2)"),
        ("50", "stack underflow (0 <=> 1)"),
        ("81", "stack underflow (0 <=> 2)"),
        ("5f91", "stack underflow (1 <=> 3)"),
        ("5b5f600056", "stack limit reached 1024 (1023)"),
        ("60015f5f3e", "return data out of bounds"),
        ("5b600056", "out of gas"),
        ("60ff63ffffffff52", "out of gas"),
    ],
)
def test_failures_are_worded_as_geth_does(engine: Engine, code: str, reason: str) -> None:
    """Each way for code to fail has geth's text."""
    with pytest.raises(ExecutionFailed) as caught:
        run_code(engine, code, {"gas": hex(100_000)})
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("init", "reason"),
    [
        ("60ef5f5360015ff3", "invalid code: must not begin with 0xef"),
        ("6160015ff3", "max code size exceeded"),
        ("6160005ff3", "contract creation code storage out of gas"),
    ],
)
def test_failures_of_creations(engine: Engine, init: str, reason: str) -> None:
    """Reserved, too large and unaffordable code each have their text."""
    with pytest.raises(ExecutionFailed) as caught:
        run(engine, {"data": "0x" + init, "gas": hex(500_000)})
    assert caught.value.reason == reason


def test_a_write_in_a_static_call_fails_inside(engine: Engine) -> None:
    """STATICCALL into a writing contract gives 0 and the outer call goes on."""
    code = f"5f5f5f5f73{STORE.hex()}5afa5f5260205ff3"
    assert words(run_code(engine, code)) == [0]


def test_an_overridden_blob_fee_is_seen_unless_the_call_offers_none(engine: Engine) -> None:
    """A blob call that offers no blob fee sees price 0, every other call the overridden one."""
    call = {"to": text(ENVIRONMENT), "blobVersionedHashes": ["0x01" + "00" * 31]}
    overrides = {"blobBaseFee": "0x9"}
    assert words(run(engine, call, block_overrides=overrides))[7] == 0
    del call["blobVersionedHashes"]
    assert words(run(engine, call, block_overrides=overrides))[7] == 9


def test_contracts_and_the_penniless_may_call(engine: Engine) -> None:
    """A sender with code and no balance is no obstacle."""
    assert run(engine, {"from": text(STORE), "to": text(ENVIRONMENT)})


def test_block_overrides_replace_the_environment(engine: Engine) -> None:
    """Every member of a block override is what the code sees."""
    overrides = {
        "number": "0x64",
        "time": "0x65",
        "gasLimit": "0x66",
        "feeRecipient": text(BOB),
        "prevRandao": text(b"\x33" * 32),
        "baseFeePerGas": "0x2",
    }
    call = {"from": text(ALICE), "to": text(ENVIRONMENT), "gasPrice": "0x3"}
    seen = words(run(engine, call, block_overrides=overrides))
    assert seen[:7] == [
        int.from_bytes(b"\x33" * 32, "big"),
        0x65,
        0x64,
        2,
        int.from_bytes(BOB, "big"),
        0x66,
        3,
    ]
    for name in ("beaconRoot", "withdrawals"):
        with pytest.raises(InvalidOverride):
            run(engine, call, block_overrides={name: "0x"})


def test_state_overrides_replace_accounts(engine: Engine) -> None:
    """Balance, nonce, code, whole storage and single slots are replaced for one call."""
    code = "0x" + "3331" + "5f52" + "5f54602052" + "6001546040" + "52" + "60605ff3"
    address = text(STORE)
    engine.edit(lambda state: state.set_storage(STORE, 1, 8))
    for member, slots in (("state", [6, 0]), ("stateDiff", [6, 8])):
        overrides = {
            address: {"code": code, member: {text(bytes(32)): text((6).to_bytes(32, "big"))}},
            text(CAROL): {"balance": "0x7", "nonce": "0x5"},
        }
        call = {"from": text(CAROL), "to": address}
        assert words(run(engine, call, state_overrides=overrides)) == [7, *slots]
    assert engine.read(engine.head_hash).storage(STORE, 1) == 8
    both: dict[str, Any] = {address: {"state": {}, "stateDiff": {}}}
    with pytest.raises(InvalidOverride) as caught:
        run(engine, {}, state_overrides=both)
    assert caught.value.reason == f"account {address} has both 'state' and 'stateDiff'"


def test_a_precompile_can_be_moved_and_replaced(engine: Engine) -> None:
    """The identity precompile answers at its new address, and code put in its place runs."""
    identity, target = "0x" + "00" * 19 + "04", text(b"\xaa" * 20)
    moved = {identity: {"movePrecompileToAddress": target}}
    call = {"to": target, "data": "0x1234"}
    assert run(engine, call) == b""
    assert run(engine, call, state_overrides=moved) == b"\x12\x34"
    assert run(engine, call | {"to": identity}, state_overrides=moved) == b""
    replaced = {identity: {"code": "0x60075f5260205ff3"}}
    assert words(run(engine, call | {"to": identity}, state_overrides=replaced)) == [7]
    for wrong in ({target: {"movePrecompileToAddress": identity}}, moved | {target: {}}):
        with pytest.raises(InvalidOverride):
            run(engine, call, state_overrides=wrong)


def test_an_authorization_takes_effect_in_a_call(engine: Engine) -> None:
    """A signed delegation of EIP-7702 is applied before the call runs."""
    import rlp
    from eth_keys import keys

    from tests.sources.devchain.engine.building import BOB_KEY

    message = b"\x05" + rlp.encode([CHAIN_ID, ENVIRONMENT, 0])
    parity, r, s = keys.PrivateKey(BOB_KEY).sign_msg(message).vrs
    item = {"chainId": hex(CHAIN_ID), "address": text(ENVIRONMENT), "nonce": "0x0"}
    item |= {"yParity": hex(parity), "r": hex(r), "s": hex(s)}
    call = {"to": text(BOB), "authorizationList": [item]}
    assert words(run(engine, call))[2] == 0
    assert len(run(engine, call)) == 256
    assert run(engine, {"to": text(BOB)}) == b""


def test_the_deepest_recursion_ends(engine: Engine) -> None:
    """A contract that calls itself without end is stopped by gas or depth, not by Python."""
    code = "5f5f5f5f5f305af100"
    assert run_code(engine, code, {"gas": hex(GAS_CAP)}) == b""
