"""Reorganisations, snapshots and resets against a model."""

import random
from pathlib import Path

import pytest

from tests.signing import signed as signed_evm
from tests.sources.devchain.engine.building import fields
from tests.sources.devchain.engine.driving import ADDRESSES, Driven, driven
from tests.sources.devchain.engine.ont_sending import (
    GENESIS_ONT,
    STRANGER,
    address,
    ong_transfer,
    ont_transfer,
    owned,
    signed,
    submit,
)
from tests.sources.devchain.engine.ont_states import FEE, ONT
from tests.sources.devchain.engine.paying import PAYEE, payment, raw_payment, zilliqa_address
from twisted_chainws import errors
from twisted_chainws.chain.model import EvmTransaction, Kind
from twisted_chainws.dialects.ontology.script import build_call
from twisted_chainws.dialects.ontology.transaction import Transaction, encode_transaction
from twisted_chainws.dialects.ontology.values import Struct, Value
from twisted_chainws.sources.devchain.codec import encode_hex
from twisted_chainws.sources.devchain.engine.vm import unsigned

_STRANGER = "0x" + "ab" * 20


def _hashes(node: Driven) -> list[bytes]:
    engine = node.hub.engine
    return [engine.canonical_hash(number) for number in range(engine.height + 1)]


def test_random_branches_follow_the_events(tmp_path: Path) -> None:
    """Applying the events gives the canonical chain after any commands."""
    dice = random.Random(11)
    with driven(tmp_path) as node:
        known = _hashes(node)
        snapshots: list[str] = []
        for _ in range(60):
            height, choice = node.hub.engine.height, dice.randrange(6)
            if choice == 0:
                node.ask("mine", count=dice.randrange(1, 4))
            elif choice == 1:
                node.send(dice.randrange(5))
            elif choice == 2:
                node.ask("reorg", depth=dice.randint(0, min(height, 4)), transactions=[])
            elif choice == 3:
                node.ask("rollback", depth=dice.randint(0, min(height, 3)))
            elif choice == 4:
                snapshots.append(node.ask("snapshot"))
            elif snapshots:
                node.ask("revert", id=snapshots.pop(dice.randrange(len(snapshots))))
            for name, payload in node.hub.take_events():
                if name == "advance":
                    known = known[: known.index(bytes.fromhex(payload["ancestor"][2:])) + 1]
                    known += [bytes.fromhex(block["hash"][2:]) for block in payload["applied"]]
            assert known == _hashes(node)


def test_a_reset_forgets_edits_of_equal_blocks(tmp_path: Path) -> None:
    """After a reset no block comes back with the edits of an older one."""
    with driven(tmp_path, seed=1, timestamp=1000) as node:
        node.ask("mine")
        node.ask("set_balance", address=_STRANGER, value="0x5")
        node.ask("reset")
        node.ask("mine")
        assert node.hub.balance_of(bytes.fromhex(_STRANGER[2:])) == 0


def test_a_revert_keeps_what_is_no_part_of_the_moment(tmp_path: Path) -> None:
    """Mining modes and the counting of snapshots go on."""
    with driven(tmp_path) as node:
        number = node.ask("snapshot")
        node.ask("set_automine", enabled=False)
        node.ask("impersonate", address=_STRANGER)
        assert node.ask("revert", id=number) is True
        assert node.ask("automine") is False
        assert node.ask("stop_impersonating", address=_STRANGER) is False
        assert node.ask("snapshot") == "0x1"


def test_placed_requests_are_estimated_and_numbered(tmp_path: Path) -> None:
    """Requests without nonce and gas run in order within and across the new blocks."""
    with driven(tmp_path) as node:
        node.ask("mine", count=2)
        node.ask("set_code", address=_STRANGER, code="0x5f5f5500")
        plain = {"from": ADDRESSES[0], "to": ADDRESSES[1], "value": "0x1"}
        call = {"from": ADDRESSES[0], "to": _STRANGER, "data": "0x01"}
        node.ask("rollback", depth=0)
        node.ask("reorg", depth=2, transactions=[[plain, 0], [call, 0], [plain, 1]])
        engine = node.hub.engine
        blocks = [engine.block(engine.canonical_hash(number)) for number in (1, 2)]
        assert [len(block.transactions) for block in blocks] == [2, 1]
        assert all(receipt.succeeded for block in blocks for receipt in block.receipts)


@pytest.mark.parametrize(
    "item",
    [signed_evm(0, 5), "0xdeadbeef", {"from": _STRANGER, "to": ADDRESSES[0]}, {"to": ADDRESSES[0]}],
)
def test_what_cannot_be_placed_changes_nothing(tmp_path: Path, item: object) -> None:
    """A wrong nonce, garbage, a stranger or nobody as sender: InvalidReorg."""
    with driven(tmp_path) as node:
        node.ask("mine")
        before = _hashes(node)
        with pytest.raises(errors.InvalidReorg):
            node.ask("reorg", depth=1, transactions=[[item, 0]])
        assert _hashes(node) == before


def test_there_must_be_as_many_blocks_as_go(tmp_path: Path) -> None:
    """Depths beyond genesis and offsets beyond the depth are refused; nothing is done for 0."""
    with driven(tmp_path) as node:
        node.ask("mine", count=2)
        before = _hashes(node)
        with pytest.raises(errors.RollbackTooDeep):
            node.ask("rollback", depth=3)
        with pytest.raises(errors.ReorgTooDeep):
            node.ask("reorg", depth=3)
        item = {"from": ADDRESSES[0], "to": ADDRESSES[1]}
        for offset in (-1, 2):
            with pytest.raises(errors.InvalidReorg):
                node.ask("reorg", depth=2, transactions=[[item, offset]])
        node.ask("reorg", depth=0)
        node.ask("rollback", depth=0)
        assert node.ask("revert", id="0x7") is False
        assert _hashes(node) == before
        node.ask("rollback")
        assert _hashes(node) == before[:-1]


def test_a_reset_ends_interval_mining_and_says_so(tmp_path: Path) -> None:
    """The parent's timer hears that the settings are in force again."""
    with driven(tmp_path) as node:
        node.ask("set_interval", seconds=3)
        node.events()
        node.ask("reset")
        assert "interval" in node.events()
        assert (node.ask("automine"), node.ask("interval")) == (True, None)


def test_a_revert_brings_the_pool_back(tmp_path: Path) -> None:
    """What waited at the snapshot waits again; what came later is gone."""
    with driven(tmp_path, mining=False) as node:
        kept, mined = node.send(0), node.send(1)
        number = node.ask("snapshot")
        node.ask("drop", hash=kept)
        node.ask("mine")
        late = node.send(2)
        node.ask("revert", id=number)
        pooled = {"0x" + entry.hash.hex() for entry in node.hub.pool}
        assert pooled == {kept, mined}
        assert late not in pooled


def test_placed_gas_is_taken_as_it_is(tmp_path: Path) -> None:
    """A request that names its gas is not estimated."""
    with driven(tmp_path) as node:
        node.ask("mine")
        item = {"from": ADDRESSES[0], "to": ADDRESSES[1], "gas": "0x7530"}
        node.ask("reorg", depth=1, transactions=[[item, 0]])
        (placed,) = node.hub.engine.block(node.hub.engine.head_hash).transactions
        assert isinstance(placed, EvmTransaction)
        assert placed.gas_limit == 30_000


def test_what_runs_too_long_or_is_nobodys_is_not_placed(tmp_path: Path) -> None:
    """An endless transaction and a raw one that only names its sender are no part of a reorg."""
    with driven(tmp_path, build_timeout_s=0.1) as node:
        node.ask("set_code", address=_STRANGER, code="0x5b5f56")
        node.ask("mine")
        before = _hashes(node)
        endless = {"from": ADDRESSES[0], "to": _STRANGER, "gas": hex(29_000_000)}
        marked = unsigned(fields(), bytes.fromhex(_STRANGER[2:])).encode()
        for item, reason in ((endless, "too long"), ("0x" + marked.hex(), "invalid sender")):
            with pytest.raises(errors.InvalidReorg, match=reason):
                node.ask("reorg", depth=1, transactions=[[item, 0]])
        assert _hashes(node) == before


def test_native_transactions_return_to_the_pool(tmp_path: Path) -> None:
    """A rollback and a reorg give undone payments back, in order, and they run again."""
    with driven(tmp_path) as node:
        for nonce in (1, 2):
            node.ask("send_native", kind="zilliqa", raw=encode_hex(raw_payment(nonce=nonce)))
        node.send()
        node.events()
        node.ask("rollback", depth=3)
        assert [node.hub.pool.standing(payment(nonce=nonce).id) for nonce in (1, 2)] == [
            "pending",
            "pending",
        ]
        assert node.hub.nonce_of(zilliqa_address()) == 0
        assert node.events() == ["advance", "pending", "pending", "pending"]
        node.ask("mine")
        node.ask("reorg", depth=1, transactions=[])
        assert len(node.hub.pool) == 3
        node.ask("mine")
        assert node.hub.nonce_of(zilliqa_address()) == 2
        assert node.hub.balance_of(PAYEE) == 14 * 10**6


def test_a_snapshot_holds_native_transactions(tmp_path: Path) -> None:
    """Reverting brings back both the state before a payment and the payments that waited."""
    with driven(tmp_path, mining=False) as node:
        waiting = encode_hex(raw_payment(0))
        node.ask("send_native", kind="zilliqa", raw=waiting)
        snapshot = node.ask("snapshot")
        node.ask("mine")
        node.ask("send_native", kind="zilliqa", raw=encode_hex(raw_payment(1)))
        assert node.ask("revert", id=snapshot)
        assert [entry.hash for entry in node.hub.pool] == [payment(0).id]
        assert node.hub.balance_of(PAYEE) == 0


def test_a_payment_that_was_used_up_stays_out(tmp_path: Path) -> None:
    """An undone payment that cannot be paid any more is not taken back."""
    with driven(tmp_path) as node:
        node.ask("send_native", kind="zilliqa", raw=encode_hex(raw_payment()))
        node.ask("mine")
        node.hub.engine.set_root(
            node.hub.engine.canonical_hash(0), node.hub.engine.root(node.hub.engine.head_hash)
        )
        node.ask("rollback", depth=2)
        assert len(node.hub.pool) == 0


def _five_blocks() -> list[Transaction]:
    """Return what makes a history of five blocks, each on the ones before."""
    mine, theirs = address(0), address(1)
    fields = Struct([mine, theirs, 9])
    claim: list[Value] = [theirs, mine, STRANGER, 4]
    return [
        ont_transfer(nonce=1),
        ong_transfer(nonce=2, gas_price=0),
        signed(build_call(ONT, "approve", fields), nonce=3),
        signed(build_call(ONT, "transferFrom", Struct(claim)), index=1, nonce=4),
        ont_transfer(GENESIS_ONT - 9, nonce=5),
    ]


def test_a_reorg_leaves_nothing_of_the_branch_it_replaced(tmp_path: Path) -> None:
    """Five blocks of tokens are undone and mined again: the chain is as if they never had been."""
    heads = []
    for name, is_first in (("undone", True), ("plain", False)):
        (tmp_path / name).mkdir()
        with driven(tmp_path / name, ontology_network=1) as node:
            sent = _five_blocks()
            if is_first:
                for item in sent:
                    submit(node, item)
            else:
                node.ask("mine", count=5)
            assert node.hub.engine.height == 5
            node.ask("set_automine", enabled=False)
            node.ask("reorg", depth=5, transactions=[])
            assert owned(node, STRANGER) == [(0, 0)]
            if not is_first:
                # Not sent: the fourth would fail as long as the third is not mined.
                raws = [encode_transaction(item) for item in sent]
                node.hub.readmit(node.hub.natives.decode(Kind.ONTOLOGY, raw) for raw in raws)
            pooled = [entry.hash for entry in node.hub.pool]
            assert pooled == [item.hash for item in sent]
            node.ask("mine")
            block = node.hub.engine.block(node.hub.engine.head_hash)
            assert [item.succeeded for item in block.receipts] == [True] * 5
            heads.append((block.hash, block.extras.header.state_root, block.receipts))
    assert heads[0] == heads[1]


def test_what_a_block_holds_again_does_not_wait(tmp_path: Path) -> None:
    """Moved back to a kept block that has them, transactions leave the pool, and come no more."""
    with driven(tmp_path) as node:
        sent = ont_transfer()
        submit(node, sent)
        mined = node.hub.engine.head_hash
        node.ask("set_automine", enabled=False)
        node.ask("rollback")
        assert node.hub.pool.standing(sent.hash) == "pending"
        node.hub.move_head(mined)
        node.hub.commit()
        assert len(node.hub.pool) == 0
        with pytest.raises(errors.AlreadyMined):
            submit(node, sent)


def test_a_snapshot_holds_tokens_and_what_was_mined(tmp_path: Path) -> None:
    """After a revert balances are back, what waited waits, and what was mined may come again."""
    with driven(tmp_path, mining=False) as node:
        waiting, late = ont_transfer(nonce=1), ont_transfer(nonce=2)
        submit(node, waiting)
        before = owned(node, address(), STRANGER)
        snapshot = node.ask("snapshot")
        submit(node, late)
        node.ask("mine")
        assert owned(node, STRANGER) == [(10 * 10**9, 0)]
        assert node.ask("revert", id=snapshot)
        assert owned(node, address(), STRANGER) == before
        assert [entry.hash for entry in node.hub.pool] == [waiting.hash]
        submit(node, late)
        node.ask("mine")
        assert owned(node, STRANGER) == [(10 * 10**9, 0)]


def test_an_undone_transaction_without_its_fee_stays_out(tmp_path: Path) -> None:
    """A payer who is poor on the branch that is left loses what waited for nothing else."""
    with driven(tmp_path) as node:
        node.ask("set_balance", address=encode_hex(address()), value="0x0")
        rich = ont_transfer(index=1)
        node.ask("mine")
        node.ask("set_balance", address=encode_hex(address()), value=hex(FEE))
        submit(node, ont_transfer())
        submit(node, rich)
        node.ask("set_automine", enabled=False)
        node.ask("rollback", depth=3)
        assert [entry.hash for entry in node.hub.pool] == [rich.hash]


def _canonical(node: Driven) -> list[bytes]:
    engine = node.hub.engine
    return [
        item.hash for block_hash in _hashes(node) for item in engine.block(block_hash).transactions
    ]


def test_every_transaction_is_in_one_place_at_most(tmp_path: Path) -> None:
    """Over random commands, tokens have moved as often as the canonical chain says."""
    dice = random.Random(23)
    with driven(tmp_path, mining=False) as node:
        sent: list[bytes] = []
        snapshots: list[str] = []
        for nonce in range(60):
            height, choice = node.hub.engine.height, dice.randrange(8)
            if choice < 3:
                item = ont_transfer(index=dice.randrange(3), nonce=nonce)
                submit(node, item)
                sent.append(item.hash)
            elif choice == 3:
                node.send(dice.randrange(5))
            elif choice == 4:
                node.ask("mine", count=dice.randrange(1, 3))
            elif choice == 5:
                node.ask("reorg", depth=dice.randint(0, min(height, 5)), transactions=[])
            elif choice == 6:
                node.ask("rollback", depth=dice.randint(0, min(height, 3)))
            elif snapshots and dice.randrange(2):
                node.ask("revert", id=snapshots.pop(dice.randrange(len(snapshots))))
            else:
                snapshots.append(node.ask("snapshot"))
            mined, pooled = _canonical(node), [entry.hash for entry in node.hub.pool]
            everything = mined + pooled
            assert len(set(everything)) == len(everything)
            moved = sum(item in mined for item in sent)
            assert owned(node, STRANGER) == [(moved * 5 * 10**9, 0)]
        node.ask("mine")
        assert len(node.hub.pool) == 0
        assert sum(item in _canonical(node) for item in sent) > 5
