"""Blocks run again, and single transactions watched."""

from typing import Any

import pytest
import rlp
from eth.vm.forks.prague.constants import MAGIC
from eth.vm.forks.prague.transactions import Authorization
from eth_hash.auto import keccak
from eth_keys import keys

from tests.sources.devchain.engine.building import (
    ALICE,
    BOB,
    BOB_KEY,
    CAROL,
    CHAIN_ID,
    CLEARS,
    NESTED,
    STORE,
    build,
    mine,
    transaction,
)
from twisted_chainws.errors import ExecutionFailed, TraceFailed, UnknownBlockHash
from twisted_chainws.sources.devchain.engine.core import Engine
from twisted_chainws.sources.devchain.engine.replay import Replay, trace_call
from twisted_chainws.sources.devchain.engine.requests import parse_call
from twisted_chainws.sources.devchain.engine.tracing import CALL, CREATE, Context, Frame, Tracer

WORD = (7).to_bytes(32, "big")


class Witness(Tracer):
    """Keeps what it is told about the whole transaction."""

    frames = True

    def __init__(self) -> None:
        self.context: Context | None = None
        self.balance = -1
        self.entered: list[Frame] = []
        self.ends: list[Frame] = []

    def begin(self, context: Context) -> None:
        self.context = context
        self.balance = context.state.get_balance(context.transaction.sender)

    def enter(self, frame: Frame) -> None:
        self.entered.append(frame)

    def end(self, top: Frame) -> None:
        self.ends.append(top)


def test_a_replayed_block_ends_where_it_ended(engine: Engine) -> None:
    """Each transaction finds the state that the others left, and the last state is the block's."""
    block = mine(
        engine,
        transaction(to=STORE, data=WORD, gas=100_000),
        transaction(nonce=1, to=NESTED, data=WORD, gas=100_000),
        transaction(BOB_KEY, to=CLEARS, gas=200_000),
    )
    replay, _ = engine.replay_aside(block.hash)
    witnesses = []
    for item, receipt in zip(replay.transactions, block.receipts, strict=True):
        witness = Witness()
        replay.trace(item, witness)
        witnesses.append(witness)
        assert witness.ends[0].gas_used == receipt.gas_used
        assert (witness.ends[0].error is None) is receipt.succeeded
    contexts = [witness.context for witness in witnesses]
    assert [context.first_log for context in contexts if context] == [0, 1, 2]
    assert witnesses[0].balance > witnesses[1].balance
    assert replay.root() == engine.header(block.hash).state_root


def test_a_watched_state_runs_unwatched_afterwards(engine: Engine) -> None:
    """Only the transaction in question pays for the watching."""
    block = mine(engine, transaction(), transaction(nonce=1))
    replay = engine.replay(block.hash)
    plain = type(replay.state).computation_class
    witness = Witness()
    replay.trace(replay.transactions[0], witness)
    assert replay.state.computation_class is plain
    replay.skip(replay.transactions[1])
    assert len(witness.ends) == 1


def test_an_edit_lies_under_the_replay(engine: Engine) -> None:
    """A block made on an edited state is run on that state again."""
    engine.edit(lambda state: state.set_balance(CAROL, 10**18))
    block = mine(engine, transaction())
    replay = engine.replay(block.hash)
    assert replay.state.get_balance(CAROL) == 10**18


def test_the_frame_of_a_transaction(engine: Engine) -> None:
    """Calls and creations; the new contract has its address before it is there."""
    block = mine(
        engine, transaction(value=5), transaction(nonce=1, to=b"", data=b"\0", gas=100_000)
    )
    replay = engine.replay(block.hash)
    for item, kind in zip(replay.transactions, (CALL, CREATE), strict=True):
        witness = Witness()
        replay.trace(item, witness)
        assert (witness.ends[0].kind, witness.ends[0].sender) == (kind, ALICE)
        assert witness.entered == witness.ends
    created = keccak(rlp.encode([ALICE, 1]))[12:]
    assert witness.ends[0].to == created


def test_what_cannot_run_cannot_be_traced(engine: Engine) -> None:
    """A transaction out of order is refused in the words of the engine."""
    block = mine(engine, transaction(), transaction(nonce=1))
    replay = engine.replay(block.hash)
    with pytest.raises(TraceFailed) as caught:
        replay.trace(replay.transactions[1], Witness())
    assert "nonce" in caught.value.reason


def test_a_block_that_comes_along(engine: Engine) -> None:
    """One that is kept, one that is not, one without a parent, none at all."""
    kept = mine(engine, transaction())
    raw = engine.raw_block(kept.hash)
    replay, header = engine.replay_raw(raw)
    assert (header.hash, len(replay.transactions)) == (kept.hash, 1)
    header_fields, *body = rlp.decode(raw)
    header_fields[12] = b"another"
    replay, header = engine.replay_raw(rlp.encode([header_fields, *body]))
    assert header.hash != kept.hash
    replay.skip(replay.transactions[0])
    assert replay.state.get_balance(CAROL) == 1
    header_fields[0] = b"\x99" * 32
    with pytest.raises(UnknownBlockHash):
        engine.replay_raw(rlp.encode([header_fields, *body]))
    for nonsense in (b"", b"\xc0", b"\x80", b"\xc1\x80", raw[:-1]):
        with pytest.raises(ExecutionFailed) as caught:
            engine.replay_raw(nonsense)
        assert caught.value.reason.startswith("could not decode block: ")


def test_a_sealed_draft_can_be_replayed(engine: Engine) -> None:
    """The pending block is a block as well."""
    draft = engine.draft(
        engine.head_hash,
        timestamp=engine.head.timestamp + 1,
        gas_limit=engine.head.gas_limit,
        coinbase=BOB,
        mix_hash=bytes(32),
        ephemeral=True,
    )
    draft.add(transaction())
    draft.seal()
    replay = engine.replay(draft)
    assert isinstance(replay, Replay)
    replay.skip(replay.transactions[0])
    assert replay.state.get_balance(CAROL) == 1


def test_a_side_branch_can_be_replayed(engine: Engine) -> None:
    """A kept block need not be canonical."""
    side = build(engine, [transaction(value=9)])
    mine(engine, transaction())
    replay = engine.replay(side.hash)
    replay.skip(replay.transactions[0])
    assert replay.state.get_balance(CAROL) == 9


def test_a_call_that_never_starts(engine: Engine) -> None:
    """At its last nonce a sender creates nothing."""
    engine.edit(lambda state: state.set_nonce(ALICE, 2**64 - 1))
    site = engine.call_site(engine.head_hash, None, None)
    request = parse_call({"from": "0x" + ALICE.hex(), "data": "0x5f"})
    with pytest.raises(TraceFailed) as caught:
        trace_call(site, request, 100_000, Witness())
    assert caught.value.reason == "nonce uint64 overflow"


def test_every_kind_of_transaction(engine: Engine) -> None:
    """Blob and set-code transactions as well: the gas is that of the receipt."""
    authorization = sign_authorization(BOB_KEY, STORE, nonce=0)
    kinds: list[dict[str, Any]] = [
        {"type": 0},
        {"type": 1, "access_list": [(STORE, [0, 1])]},
        {"type": 2},
        {"type": 3, "max_fee_per_blob_gas": 10**9, "blob_versioned_hashes": [b"\x01" + bytes(31)]},
        {"type": 4, "authorization_list": [authorization], "to": BOB},
    ]
    items = [
        transaction(**({"to": STORE} | kind), nonce=nonce, data=WORD, gas=200_000, value=0)
        for nonce, kind in enumerate(kinds)
    ]
    block = mine(engine, *items)
    replay = engine.replay(block.hash)
    for item, receipt in zip(replay.transactions, block.receipts, strict=True):
        witness = Witness()
        replay.trace(item, witness)
        assert witness.ends[0].gas_used == receipt.gas_used
        assert (witness.ends[0].error is None, receipt.succeeded) == (True, True)
        assert len(receipt.logs) == 1
    assert block.receipts[4].logs[0].address == BOB, "the delegate's code ran for Bob"


def sign_authorization(key: bytes, delegate: bytes, nonce: int) -> Authorization:
    """Let the owner of ``key`` lend the code of ``delegate``."""
    message = MAGIC + rlp.encode([CHAIN_ID, delegate, nonce])
    signature = keys.PrivateKey(key).sign_msg(message)
    return Authorization(
        chain_id=CHAIN_ID,
        address=delegate,
        nonce=nonce,
        y_parity=signature.v,
        r=signature.r,
        s=signature.s,
    )
