"""The engine as one object: where it reads and runs, at which blocks, and what it refuses."""

from collections.abc import Callable
from typing import Any

import pytest
import rlp

from tests.sources.devchain.engine.building import (
    ALICE,
    ALICE_KEY,
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
    build,
    fields,
    genesis,
    mine,
    text,
    transaction,
)
from twisted_chainws.errors import (
    EstimateFailed,
    ExecutionReverted,
    GasAllowanceExceeded,
    InvalidOverride,
    NonceTooHigh,
    PrecheckFailed,
    UndecodableTransaction,
    UnknownBlockHash,
    UnsupportedTransactionType,
)
from twisted_chainws.sources.devchain.engine.core import Engine
from twisted_chainws.sources.devchain.engine.draft import Draft
from twisted_chainws.sources.devchain.engine.vm import signed

WORD_3 = (3).to_bytes(32, "big")
READS_SLOT_0 = "0x5f545f5260205ff3"
GAS_LEFT = "0x5a5f5260205ff3"
SCRATCH = text(b"\xdd" * 20)
NOWHERE = b"\x01" * 32


def words(output: bytes) -> list[int]:
    """Split return data into words."""
    return [int.from_bytes(output[at : at + 32], "big") for at in range(0, len(output), 32)]


def drafted(engine: Engine, **changes: Any) -> Draft:
    """Start a block on the head."""
    values: dict[str, Any] = {
        "timestamp": GENESIS_TIME + 50,
        "gas_limit": GAS_LIMIT,
        "coinbase": bytes(20),
        "mix_hash": bytes(32),
    }
    return engine.draft(engine.head_hash, **(values | changes))


def pending(engine: Engine) -> Draft:
    """Seal a pending block in which 3 was stored in slot 0 and Carol got 1 wei."""
    draft = drafted(engine, ephemeral=True)
    draft.add(transaction(nonce=0, to=STORE, value=0, gas=100_000, data=WORD_3))
    draft.add(transaction(nonce=1))
    draft.seal()
    return draft


def test_a_draft_has_the_header_that_was_asked_for(engine: Engine) -> None:
    """Every field is as given; without a base fee it follows from the parent."""
    draft = drafted(
        engine, gas_limit=1_000_000, coinbase=BOB, mix_hash=WORD_3, base_fee=7, extra_data=b"x"
    )
    header = draft.header
    assert (header.timestamp, header.gas_limit) == (GENESIS_TIME + 50, 1_000_000)
    assert (header.coinbase, header.mix_hash, header.extra_data) == (BOB, WORD_3, b"x")
    assert header.base_fee_per_gas == 7
    assert header.parent_hash == engine.head_hash
    following = drafted(engine).header
    assert following.base_fee_per_gas == engine.next_base_fee(engine.head) == 875_000_000


def test_blocks_are_built_anywhere_and_are_no_head(engine: Engine) -> None:
    """Any kept block may be a parent; a sealed block is known at once and not canonical."""
    root = engine.head_hash
    head = mine(engine, transaction(nonce=0))
    side = build(engine, [transaction(nonce=0, value=5)], parent=root)
    above = build(engine, parent=side.hash)
    assert engine.head_hash == head.hash
    assert engine.block(side.hash) is side
    assert engine.block(above.hash).parent_hash == side.hash
    assert not engine.is_canonical(above.hash)
    assert [engine.read(at).balance(CAROL) for at in (root, head.hash, above.hash)] == [0, 1, 5]


def test_an_edit_at_the_parent_is_built_on(engine: Engine) -> None:
    """A draft, ephemeral or not, starts from the edited state of its parent."""
    engine.edit(lambda state: state.set_balance(CAROL, 44))
    assert engine.read(pending(engine)).balance(CAROL) == 45
    assert engine.read(build(engine).hash).balance(CAROL) == 44


def test_an_ephemeral_draft_writes_nothing(engine: Engine) -> None:
    """A sealed ephemeral draft can be read and called on, and leaves no trace."""
    other = Engine.open(":memory:", genesis())
    draft = drafted(engine, ephemeral=True)
    draft.add(transaction(nonce=0, value=5))
    block = draft.seal()
    assert engine.read(draft).balance(CAROL) == 5
    assert engine.read(engine.head_hash).balance(CAROL) == 0
    assert not engine.is_canonical(block.hash)
    with pytest.raises(UnknownBlockHash):
        engine.block(block.hash)
    assert engine.export_fresh() == other.export_fresh()
    other.close()


def test_an_ephemeral_draft_is_signed_for_the_chain_as_it_is(engine: Engine) -> None:
    """After a change of the chain id the pending block is one of the new id."""
    engine.set_chain_id(5)
    draft = drafted(engine, ephemeral=True)
    draft.add(Engine.decode(signed(fields(chain_id=5), ALICE_KEY).encode()))
    draft.seal()
    assert draft.chain.chain_id == 5
    code = {SCRATCH: {"code": "0x465f5260205ff3"}}
    for at in (engine.head_hash, draft):
        output = engine.call({"to": SCRATCH}, at, gas_cap=GAS_CAP, state_overrides=code)
        assert words(output) == [5]


def test_the_pending_block_can_be_called_on(engine: Engine) -> None:
    """A call at an ephemeral draft sees its transactions and its environment, repeatedly."""
    draft = pending(engine)
    seen = words(engine.call({"to": text(ENVIRONMENT)}, draft, gas_cap=GAS_CAP))
    assert seen[1:3] == [GENESIS_TIME + 50, 1]
    overrides = {text(STORE): {"code": READS_SLOT_0}}
    for _ in range(2):
        output = engine.call({"to": text(STORE)}, draft, gas_cap=GAS_CAP, state_overrides=overrides)
        assert words(output) == [3]
    assert engine.read(draft).storage(STORE, 0) == 3
    assert engine.read(draft).nonce(ALICE) == 2
    assert engine.estimate({"to": text(CAROL)}, draft, gas_cap=GAS_CAP) == 21_000
    assert engine.proof(STORE, [0], draft).storage[0].value == 3
    call = {"to": text(STORE), "data": text(WORD_3)}
    assert engine.access_list(call, draft, gas_cap=GAS_CAP).entries == ((STORE, (0,)),)


def test_every_question_is_answered_at_the_block_it_is_about(engine: Engine) -> None:
    """Reads, proofs, calls, estimates and access lists see the state of an old block."""
    old = engine.head_hash
    head = mine(engine, transaction(to=STORE, value=0, gas=100_000, data=WORD_3))
    call = {"to": text(STORE), "data": text(WORD_3)}
    overrides = {text(STORE): {"code": READS_SLOT_0}}
    gas = []
    for at, value in ((old, 0), (head.hash, 3)):
        assert engine.read(at).storage(STORE, 0) == value
        assert engine.proof(STORE, [0], at).storage[0].value == value
        output = engine.call({"to": text(STORE)}, at, gas_cap=GAS_CAP, state_overrides=overrides)
        assert words(output) == [value]
        gas.append(
            (
                engine.estimate(call, at, gas_cap=GAS_CAP),
                engine.access_list(call, at, gas_cap=GAS_CAP).gas_used,
            )
        )
    # Writing what is there already is cheaper than writing it first.
    assert [before - after > 15_000 for before, after in zip(*gas, strict=True)] == [True, True]


QUESTIONS: list[Callable[[Engine, Any], object]] = [
    lambda engine, at: engine.read(at),
    lambda engine, at: engine.proof(ALICE, [], at),
    lambda engine, at: engine.call({}, at, gas_cap=GAS_CAP),
    lambda engine, at: engine.estimate({}, at, gas_cap=GAS_CAP),
    lambda engine, at: engine.access_list({}, at, gas_cap=GAS_CAP),
    lambda engine, at: engine.draft(
        at, timestamp=GENESIS_TIME, gas_limit=1, coinbase=bytes(20), mix_hash=bytes(32)
    ),
]


@pytest.mark.parametrize("ask", QUESTIONS)
def test_an_unknown_block_is_named(engine: Engine, ask: Callable[[Engine, Any], object]) -> None:
    """Every question about a block that is not kept names it."""
    with pytest.raises(UnknownBlockHash) as caught:
        ask(engine, NOWHERE)
    assert caught.value.block_hash == NOWHERE


RUNS: list[Callable[..., object]] = [Engine.call, Engine.estimate, Engine.access_list]


@pytest.mark.parametrize("run", RUNS)
def test_overrides_that_contradict_are_refused(engine: Engine, run: Callable[..., object]) -> None:
    """Whatever is run, state and block overrides are looked at in the same way."""
    both: dict[str, Any] = {text(STORE): {"state": {}, "stateDiff": {}}}
    not_moved = {text(STORE): {"movePrecompileToAddress": text(CAROL)}}
    for state in (both, not_moved):
        with pytest.raises(InvalidOverride):
            run(engine, {}, engine.head_hash, gas_cap=GAS_CAP, state_overrides=state)
    with pytest.raises(InvalidOverride):
        run(engine, {}, engine.head_hash, gas_cap=GAS_CAP, block_overrides={"withdrawals": []})


def test_all_runs_see_their_overrides(engine: Engine) -> None:
    """What a call sees of its overrides, its estimate and its access list see as well."""
    # Loops as often as the block number says, then reads slot 5.
    code = {SCRATCH: {"code": "0x435b60019003806001575060055400"}}
    call, at = {"to": SCRATCH}, engine.head_hash
    few, many = (
        engine.estimate(
            call, at, gas_cap=GAS_CAP, state_overrides=code, block_overrides={"number": hex(turns)}
        )
        for turns in (1, 1_000)
    )
    assert many - few > 20_000
    listed = engine.access_list(
        call, at, gas_cap=GAS_CAP, state_overrides=code, block_overrides={"number": "0x1"}
    )
    assert listed.entries == ((b"\xdd" * 20, (5,)),)
    plain = engine.access_list(call, at, gas_cap=GAS_CAP)
    assert (plain.entries, plain.gas_used) == ((), 21_000)


def test_gas_is_capped(engine: Engine) -> None:
    """More gas than the cap is cut down to it, and without gas the cap is used."""
    code = {SCRATCH: {"code": GAS_LEFT}}
    for gas in (None, hex(10**9)):
        call = {"to": SCRATCH, "gas": gas}
        output = engine.call(call, engine.head_hash, gas_cap=GAS_CAP, state_overrides=code)
        assert words(output) == [GAS_CAP - 21_000 - 2]
    for ask in (engine.call, engine.access_list):
        with pytest.raises(PrecheckFailed) as caught:
            ask({"to": text(CAROL), "gas": hex(10**9)}, engine.head_hash, gas_cap=20_999)
        assert caught.value.gas == 20_999
    with pytest.raises(GasAllowanceExceeded):
        engine.estimate({"to": text(CAROL)}, engine.head_hash, gas_cap=20_999)


def test_failures_come_out_as_they_are_promised(engine: Engine) -> None:
    """A call and an estimate raise what an access list reports."""
    call = {"to": text(REVERTS)}
    at = engine.head_hash
    errors = [engine.access_list(call, at, gas_cap=GAS_CAP).error]
    for ask in (engine.call, engine.estimate):
        with pytest.raises(ExecutionReverted) as caught:
            ask(call, at, gas_cap=GAS_CAP)
        errors.append(caught.value)
    assert [getattr(error, "data", None) for error in errors] == [(42).to_bytes(32, "big")] * 3
    stingy = {"from": text(ALICE), "to": text(BOB), "gas": "0x5208", "gasPrice": hex(GWEI - 1)}
    for refused in (engine.call, engine.access_list):
        with pytest.raises(PrecheckFailed):
            refused(stingy, at, gas_cap=GAS_CAP)
    with pytest.raises(EstimateFailed):
        engine.estimate(stingy, at, gas_cap=GAS_CAP)


def test_nothing_that_is_asked_changes_anything(engine: Engine) -> None:
    """Calls, estimates, access lists, proofs and reads leave nothing to commit."""
    call = {"from": text(ALICE), "to": text(STORE), "data": text(WORD_3), "value": "0x1"}
    engine.commit()
    empty = engine.export_fresh()
    for ask in (engine.call, engine.estimate, engine.access_list):
        ask(call, engine.head_hash, gas_cap=GAS_CAP)
    engine.proof(STORE, [0], engine.head_hash)
    assert engine.read(engine.head_hash).storage(STORE, 0) == 0
    assert engine.export_fresh() == empty


def test_readers_of_a_state_are_shared(engine: Engine) -> None:
    """Asking twice at a block is answered from one state; an edit there makes another one."""
    first = engine.read(engine.head_hash)
    assert engine.read(engine.head_hash) is first
    engine.edit(lambda state: state.set_balance(CAROL, 3))
    assert engine.read(engine.head_hash) is not first
    assert engine.read(engine.head_hash).balance(CAROL) == 3
    draft = pending(engine)
    assert engine.read(draft) is not engine.read(draft)


def test_raw_bytes_become_transactions(engine: Engine) -> None:
    """What is signed for this chain decodes to its sender; other bytes are told apart."""
    assert engine.decode(transaction(nonce=4).encode()).sender == ALICE
    with pytest.raises(UnsupportedTransactionType):
        engine.decode(b"\x7e" + rlp.encode([]))
    with pytest.raises(UndecodableTransaction):
        engine.decode(rlp.encode([b"", b""]))


def test_impersonated_transactions_are_made_of_fields_or_a_mapping(engine: Engine) -> None:
    """Both forms give the same transaction, which its sender's account pays for."""
    given = fields(to=BOB, gas_price=2 * GWEI)
    mapping = {name: getattr(given, name) for name in given.__slots__}
    first, second = engine.unsigned(given, CAROL), engine.unsigned(mapping, CAROL)
    assert (first.hash, first.sender) == (second.hash, CAROL)
    engine.edit(lambda state: state.set_balance(CAROL, 10**18))
    block = mine(engine, first)
    assert block.transactions[0].sender == CAROL
    assert engine.read(engine.head_hash).balance(CAROL) < 10**18
    with pytest.raises(NonceTooHigh):
        build(engine, [engine.unsigned(fields(nonce=2), CAROL)])


def test_fees_follow_from_a_header(engine: Engine) -> None:
    """An empty block lowers the base fee by an eighth; without blobs their price is 1 wei."""
    block = mine(engine, transaction(nonce=0))
    header = block.extras.header
    assert header.base_fee_per_gas == GWEI - GWEI // 8
    assert engine.next_base_fee(engine.head) < GWEI - GWEI // 8
    assert engine.blob_base_fee(engine.head) == engine.next_blob_base_fee(engine.head) == 1
    assert engine.chain_id == CHAIN_ID
