"""Simulated blocks one after the other: links, state, fees, forks, and that nothing is kept."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from eth_hash.auto import keccak

from tests.sources.devchain.engine.building import (
    ALICE,
    BOB,
    CAROL,
    ENDLESS,
    GAS_LIMIT,
    GENESIS_TIME,
    GWEI,
    REVERTS,
    STORE,
    genesis,
    mine,
    text,
    transaction,
)
from tests.sources.devchain.engine.simulating import HERE, simulate
from twisted_chainws.chain.forks import DEVELOPMENT, PRAGUE_BLOBS, Fork, ForkSchedule
from twisted_chainws.dialects.ethereum.rlp_codec import header_hash
from twisted_chainws.errors import UnknownBlockHash, Unsupported
from twisted_chainws.sources.devchain.codec import decode_block
from twisted_chainws.sources.devchain.engine.core import Engine
from twisted_chainws.sources.devchain.engine.simulate import encode_simulated

RANDOM = b"\x22" * 32
LOAD = "5f545f5260205ff3"
HASH_OF = "5f35405f5260205ff3"


def headers(blocks: list[Any]) -> list[Any]:
    """Return the headers of simulated blocks."""
    return [item.block.extras.header for item in blocks]


def test_blocks_are_linked(engine: Engine) -> None:
    """Each names its parent, and its hash is that of its header."""
    blocks = simulate(engine, {}, {}, {})
    parent = engine.head_hash
    for number, item in enumerate(blocks, start=1):
        block = item.block
        assert (block.number, block.parent_hash) == (number, parent)
        assert block.hash == header_hash(block.extras.header)
        assert block.timestamp == GENESIS_TIME + 12 * number
        parent = block.hash


def test_a_header_says_little_unless_told(engine: Engine) -> None:
    """Gas limit and coinbase are inherited, from simulated blocks as well; the rest is blank."""
    mine(engine, coinbase=BOB, mix_hash=RANDOM, extra_data=b"x")
    plain, told, after = headers(
        simulate(
            engine,
            {},
            {
                "blockOverrides": {
                    "gasLimit": "0x5208",
                    "feeRecipient": text(CAROL),
                    "prevRandao": text(RANDOM),
                    "baseFeePerGas": "0x7",
                    "beaconRoot": "0x" + "33" * 32,
                    "difficulty": "0x9",
                }
            },
            {},
        )
    )
    assert (plain.gas_limit, plain.coinbase, plain.mix_hash) == (GAS_LIMIT, BOB, bytes(32))
    assert (plain.base_fee_per_gas, plain.extra_data, plain.nonce) == (0, b"", bytes(8))
    assert plain.parent_beacon_block_root == bytes(32)
    assert (told.gas_limit, told.coinbase, told.mix_hash) == (0x5208, CAROL, RANDOM)
    assert (told.base_fee_per_gas, told.parent_beacon_block_root) == (7, b"\x33" * 32)
    assert (after.gas_limit, after.coinbase, after.mix_hash) == (0x5208, CAROL, bytes(32))
    assert (after.base_fee_per_gas, after.parent_beacon_block_root) == (0, bytes(32))
    # There is no work since the Merge.
    assert {item.difficulty for item in (plain, told, after)} == {0}


def test_with_validation_the_base_fee_follows(engine: Engine) -> None:
    """EIP-1559, from the block below; an override counts for the blocks above it."""
    first, second, third = headers(
        simulate(engine, {}, {"blockOverrides": {"baseFeePerGas": "0x320"}}, {}, validation=True)
    )
    assert first.base_fee_per_gas == GWEI - GWEI // 8
    assert second.base_fee_per_gas == 800
    assert third.base_fee_per_gas == 700


def test_state_goes_on_from_block_to_block(engine: Engine) -> None:
    """What a call stores, a later block reads; overrides stay as well."""
    call = {"to": text(STORE), "data": "0x" + "00" * 31 + "07"}
    _, second, third = simulate(
        engine,
        {"calls": [call]},
        {"stateOverrides": {text(STORE): {"code": "0x" + LOAD}}, "calls": [{"to": text(STORE)}]},
        {"calls": [{"to": text(STORE)}]},
    )
    assert [int.from_bytes(item.results[0].output, "big") for item in (second, third)] == [7, 7]


def test_precompiles_are_back_in_the_next_block(engine: Engine) -> None:
    """A move lasts for one block."""
    four, far = "0x" + "00" * 19 + "04", "0x" + "fa" * 20
    calls = [{"to": four, "data": "0x12"}, {"to": far, "data": "0x12"}]
    moved, back = simulate(
        engine,
        {"stateOverrides": {four: {"movePrecompileToAddress": far}}, "calls": calls},
        {"calls": calls},
    )
    assert [item.output for item in moved.results] == [b"", b"\x12"]
    assert [item.output for item in back.results] == [b"\x12", b""]


def test_blockhash_knows_real_and_simulated_blocks(engine: Engine) -> None:
    """And nothing of the block itself, or of one above."""
    real = mine(engine)
    asks = [
        {"to": HERE, "data": "0x" + number.to_bytes(32, "big").hex()} for number in (0, 1, 2, 3, 4)
    ]
    first, _, third = simulate(
        engine,
        {},
        {},
        {"stateOverrides": {HERE: {"code": "0x" + HASH_OF}}, "calls": asks},
    )
    seen = [item.output for item in third.results]
    second = third.block.parent_hash
    assert seen == [real.parent_hash, real.hash, first.block.hash, second, bytes(32)]


def test_gaps_are_filled_with_empty_blocks(engine: Engine) -> None:
    """The answer has them, too."""
    blocks = simulate(engine, {"blockOverrides": {"number": "0x4"}, "calls": [{"to": text(BOB)}]})
    assert [item.block.number for item in blocks] == [1, 2, 3, 4]
    assert [len(item.results) for item in blocks] == [0, 0, 0, 1]


def test_nothing_is_kept(engine: Engine) -> None:
    """Head, state and blocks are as before, and the same simulation gives the same hashes."""
    call = {"from": text(ALICE), "to": text(STORE), "data": "0x" + "00" * 31 + "07"}
    first = simulate(engine, {"calls": [call]})
    with pytest.raises(UnknownBlockHash):
        engine.header(first[0].block.hash)
    assert engine.read(engine.head_hash).storage(STORE, 0) == 0
    assert engine.read(engine.head_hash).nonce(ALICE) == 0
    again = simulate(engine, {"calls": [call]})
    assert again == first


def test_simulations_begin_at_any_block(engine: Engine) -> None:
    """Old blocks with their state, the head with its edits, the pending block with its own."""
    old = engine.head_hash
    mine(engine, transaction(to=STORE, data=(5).to_bytes(32, "big"), gas=100_000, value=0))
    engine.edit(lambda state: state.set_storage(STORE, 0, 6))
    pending = engine.draft(
        engine.head_hash,
        timestamp=engine.head.timestamp + 1,
        gas_limit=GAS_LIMIT,
        coinbase=BOB,
        mix_hash=RANDOM,
        ephemeral=True,
    )
    store: dict[str, Any] = {
        "to": STORE,
        "data": (7).to_bytes(32, "big"),
        "gas": 100_000,
        "value": 0,
    }
    pending.add(transaction(nonce=1, **store))
    pending.seal()
    look = {"stateOverrides": {text(STORE): {"code": "0x" + LOAD}}, "calls": [{"to": text(STORE)}]}
    places: Any = ((old, 1, 0), (engine.head_hash, 2, 6), (pending, 3, 7))
    for at, number, value in places:
        (made,) = simulate(engine, look, at=at)
        assert made.block.number == number
        assert int.from_bytes(made.results[0].output, "big") == value
    with pytest.raises(UnknownBlockHash):
        simulate(engine, {}, at=keccak(b"no block"))


def test_an_answer_can_be_sent(engine: Engine) -> None:
    """The block survives the pipe; each call tells what became of it."""
    calls = [
        {"to": text(STORE), "data": "0x" + "00" * 31 + "07"},
        {"to": text(REVERTS)},
        {"to": text(ENDLESS), "gas": "0x10000"},
    ]
    (made,) = simulate(engine, {"calls": calls})
    shape = encode_simulated(made)
    assert decode_block(shape["block"]) == made.block
    stored, reverted, endless = shape["calls"]
    topic = "0x" + "00" * 31 + "07"
    log = {"index": 0, "address": text(STORE), "topics": [topic], "data": "0x"}
    assert (stored["output"], stored["logs"]) == ("0x", [log])
    assert set(stored) == {"output", "logs", "gas_used", "gas_peak"}
    assert stored["gas_used"] == made.results[0].gas_used
    assert stored["gas_peak"] == made.results[0].gas_peak
    assert reverted["revert"] == "0x" + "00" * 31 + "2a"
    assert endless["failure"] == "out of gas"


def schedule(*forks: tuple[str, int]) -> ForkSchedule:
    """Return a schedule of these rules, each from a block number on."""
    made = tuple(
        Fork(
            name=rules,
            rules=rules,
            start=start,
            timed=False,
            blobs=PRAGUE_BLOBS if rules == "prague" else None,
        )
        for rules, start in forks
    )
    return replace(DEVELOPMENT, forks=made)


def test_older_rules_make_blocks_without_calls(tmp_path: Path) -> None:
    """Headers have the fields of their fork; calls begin with Prague."""
    old = replace(
        genesis(), forks=schedule(("frontier", 0), ("london", 2), ("prague", 3)), difficulty=131_072
    )
    engine = Engine.open(str(tmp_path / "old.sqlite3"), old)
    (made,) = simulate(engine, {})
    header = made.block.extras.header
    assert (header.difficulty, header.base_fee_per_gas, header.withdrawals_root) == (
        131_072,
        None,
        None,
    )
    assert made.block.hash == header_hash(header)
    with pytest.raises(Unsupported) as caught:
        simulate(engine, {"calls": [{"to": text(BOB)}]})
    assert caught.value.reason == "calls are not simulated by the rules of frontier"
    _, london, prague = simulate(engine, {}, {}, {"calls": [{"to": text(BOB)}]})
    assert london.block.extras.header.base_fee_per_gas == 0
    assert london.block.extras.header.excess_blob_gas is None
    assert prague.block.extras.header.excess_blob_gas == 0
    assert prague.results[0].gas_used == 21_000
    engine.close()
