"""Blocks, branches, edits and commits, against models that know nothing of tries."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.sources.devchain.engine.building import (
    ALICE_KEY,
    BOB_KEY,
    CAROL,
    GAS_LIMIT,
    GENESIS_TIME,
    STORE,
    build,
    genesis,
    mine,
    transaction,
)
from twisted_chainws.errors import UnknownBlock, UnknownBlockHash
from twisted_chainws.sources.devchain.engine.core import Engine
from twisted_chainws.sources.devchain.genesis import Genesis

WRITER = """
import sys
from tests.sources.devchain.engine.building import genesis, mine, transaction
from twisted_chainws.sources.devchain.engine.core import Engine

engine = Engine.open(sys.argv[1], genesis())
while True:
    number = engine.height + 1
    engine.put_control("height", str(number).encode())
    block = mine(engine, transaction(nonce=number - 1))
    print(number, block.hash.hex(), flush=True)
"""


def test_a_new_chain_starts_at_its_genesis(engine: Engine) -> None:
    """Block 0 has the asked-for time, limit and fee, and reads like any block."""
    header = engine.block(engine.head_hash).extras.header
    assert engine.height == 0
    assert (header.timestamp, header.gas_limit) == (GENESIS_TIME, GAS_LIMIT)
    assert header.base_fee_per_gas == 10**9
    assert engine.base_root(engine.head_hash) == header.state_root


def test_unknown_blocks_are_named(engine: Engine) -> None:
    """An unknown hash or number is a typed error, a trie node's hash is no block."""
    with pytest.raises(UnknownBlockHash):
        engine.block(b"\x01" * 32)
    with pytest.raises(UnknownBlockHash):
        engine.header(bytes(engine.head.state_root))
    with pytest.raises(UnknownBlockHash):
        engine.set_head(b"\x01" * 32)
    with pytest.raises(UnknownBlock):
        engine.canonical_hash(1)
    assert not engine.is_canonical(b"\x01" * 32)


def test_set_head_tells_what_left_and_what_joined(engine: Engine) -> None:
    """A reorganisation names undone blocks newest first and applied ones oldest first."""
    root = engine.head_hash
    old = [mine(engine, transaction(nonce=number)).hash for number in range(3)]
    first = build(engine, [transaction(BOB_KEY)], parent=old[0])
    second = build(engine, parent=first.hash)
    assert engine.set_head(second.hash) == ([old[2], old[1]], [first.hash, second.hash])
    assert engine.set_head(second.hash) == ([], [])
    assert engine.set_head(root) == ([second.hash, first.hash, old[0]], [])
    assert engine.height == 0
    with pytest.raises(UnknownBlock):
        engine.canonical_hash(1)
    assert engine.set_head(old[2]) == ([], old)


def test_a_transaction_is_found_only_while_it_is_canonical(engine: Engine) -> None:
    """Look-ups of undone transactions disappear and come back with their block."""
    sent = transaction(nonce=0)
    block = mine(engine, sent)
    root = engine.block(block.parent_hash).hash
    assert engine.find_transaction(sent.hash) == (1, 0)
    engine.set_head(root)
    assert engine.find_transaction(sent.hash) is None
    assert engine.transactions(block.hash)[0].hash == sent.hash
    engine.set_head(block.hash)
    assert engine.find_transaction(sent.hash) == (1, 0)


class Model:
    """What the chain should look like: parents, amounts and edits by block hash."""

    def __init__(self, root: bytes) -> None:
        self.parent: dict[bytes, bytes] = {}
        self.balance = {root: 0}
        self.sent: dict[bytes, list[bytes]] = {root: []}
        self.edit: dict[bytes, int] = {}
        self.head = root

    def branch(self) -> list[bytes]:
        path = [self.head]
        while path[-1] in self.parent:
            path.append(self.parent[path[-1]])
        return path[::-1]

    def copy(self) -> "Model":
        other = Model(self.head)
        other.parent, other.balance = dict(self.parent), dict(self.balance)
        other.sent, other.edit, other.head = dict(self.sent), dict(self.edit), self.head
        return other


def agree(engine: Engine, model: Model) -> None:
    """Compare all that the engine tells with the model."""
    branch = model.branch()
    assert engine.head_hash == model.head
    assert [engine.canonical_hash(number) for number in range(len(branch))] == branch
    with pytest.raises(UnknownBlock):
        engine.canonical_hash(len(branch))
    places = {
        item: (number, index)
        for number, block_hash in enumerate(branch)
        for index, item in enumerate(model.sent[block_hash])
    }
    for item in {item for sent in model.sent.values() for item in sent}:
        assert engine.find_transaction(item) == places.get(item)
    balance = model.edit.get(model.head, model.balance[model.head])
    assert engine.read(engine.head_hash).balance(CAROL) == balance


def _set_balance(engine: Engine, amount: int) -> None:
    engine.edit(lambda state: state.set_balance(CAROL, amount))


def walk(path: str, seed: int, steps: int) -> None:
    """Do random things to a chain and to the model."""
    engine = Engine.open(path, genesis())
    chance, model = random.Random(seed), Model(engine.head_hash)
    saved = model.copy()
    for step in range(steps):
        choice = chance.randrange(10)
        if choice < 5:
            parent = chance.choice([model.head, model.head, *model.balance])
            sender = engine.read(parent).nonce(ALICE_ADDRESS)
            sent = [
                transaction(ALICE_KEY, nonce=sender + extra, value=step + 1)
                for extra in range(chance.randrange(3))
            ]
            block = build(engine, sent, parent=parent, mix_hash=step.to_bytes(32, "big"))
            base = model.edit.get(parent, model.balance[parent])
            model.parent[block.hash] = parent
            model.balance[block.hash] = base + (step + 1) * len(sent)
            model.sent[block.hash] = [item.hash for item in sent]
            engine.set_head(block.hash)
            model.head = block.hash
        elif choice < 7:
            model.head = chance.choice(list(model.balance))
            engine.set_head(model.head)
        elif choice == 7:
            model.edit[model.head] = 1_000 + step
            _set_balance(engine, 1_000 + step)
        elif choice == 8:
            engine.commit()
            saved = model.copy()
        elif chance.randrange(2):
            engine.rollback()
            model = saved.copy()
        else:
            engine.close()
            engine = Engine.open(path, genesis())
            model = saved.copy()
        agree(engine, model)
    engine.close()


ALICE_ADDRESS = transaction(ALICE_KEY).sender


@pytest.mark.parametrize("seed", range(4))
def test_a_random_walk_agrees_with_a_model(tmp_path: Path, seed: int) -> None:
    """Building, reorganising, editing, committing, rolling back and reopening in any order."""
    walk(str(tmp_path / "chain"), seed, 60)


def test_an_edit_is_visible_at_once_and_under_the_next_block(engine: Engine) -> None:
    """An edit shows at the head, is built on, and does not change the header or older blocks."""
    old = engine.head_hash
    mined = mine(engine)
    engine.edit(lambda state: state.set_balance(CAROL, 500))
    engine.edit(lambda state: state.set_storage(STORE, 3, 9))
    assert engine.read(mined.hash).balance(CAROL) == 500
    assert engine.read(old).balance(CAROL) == 0
    assert engine.header(mined.hash).state_root == mined.extras.header.state_root
    following = mine(engine, transaction(nonce=0))
    assert engine.base_root(following.hash) == engine.root(mined.hash)
    assert engine.read(following.hash).balance(CAROL) == 501
    assert engine.read(following.hash).storage(STORE, 3) == 9


def test_an_edit_can_be_taken_back(engine: Engine) -> None:
    """Setting the root kept by a snapshot, or none, undoes edits at that block."""
    head = engine.head_hash
    assert engine.edited_root(head) is None
    engine.edit(lambda state: state.set_balance(CAROL, 1))
    kept = engine.edited_root(head)
    engine.edit(lambda state: state.set_balance(CAROL, 2))
    engine.set_root(head, kept)
    assert engine.read(head).balance(CAROL) == 1
    engine.set_root(head, None)
    assert engine.read(head).balance(CAROL) == 0
    assert engine.root(head) == engine.head.state_root


def test_a_failing_edit_changes_nothing(engine: Engine) -> None:
    """When the change raises, the state is as before."""

    def change(state: Any) -> None:
        state.set_balance(CAROL, 5)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        engine.edit(change)
    assert engine.edited_root(engine.head_hash) is None
    assert engine.read(engine.head_hash).balance(CAROL) == 0


def test_everything_survives_a_restart(tmp_path: Path) -> None:
    """Blocks, edits, control values and the chain id are as they were committed."""
    path = str(tmp_path / "chain")
    engine = Engine.open(path, genesis())
    block = mine(engine, transaction(nonce=0))
    engine.edit(lambda state: state.set_balance(CAROL, 77))
    engine.put_control("clock", b"12")
    engine.set_chain_id(5)
    engine.commit()
    engine.put_control("clock", b"lost")
    engine.close()
    again = Engine.open(
        path, Genesis(chain_id=1, gas_limit=1, timestamp=1, base_fee=1, accounts={})
    )
    assert again.head_hash == block.hash
    assert again.block(block.hash) == block
    assert again.read(block.hash).balance(CAROL) == 77
    assert again.get_control("clock") == b"12"
    assert again.chain_id == 5
    again.put_control("clock", None)
    again.commit()
    assert again.get_control("clock") is None
    again.close()


def test_rollback_returns_to_the_last_commit(engine: Engine) -> None:
    """A rollback forgets blocks, head, chain id and control values since the last commit."""
    kept = mine(engine)
    lost = build(engine, [transaction(nonce=0)])
    engine.set_head(lost.hash)
    engine.put_control("clock", b"1")
    engine.set_chain_id(9)
    engine.rollback()
    assert engine.head_hash == kept.hash
    assert engine.get_control("clock") is None
    assert engine.chain_id == 31337
    with pytest.raises(UnknownBlockHash):
        engine.block(lost.hash)


def test_a_child_builds_a_block_for_its_parent(engine: Engine) -> None:
    """A forked child reads through its own connection, and what it sealed can be taken over."""
    engine.edit(lambda state: state.set_balance(CAROL, 10))
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            engine.reopen_read_only()
            block = build(engine, [transaction(nonce=0)])
            engine.set_head(block.hash)
            with os.fdopen(writing, "wb") as pipe:
                pipe.write(engine.export_fresh())
            status = 0
        finally:
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        packed = pipe.read()
    assert os.waitpid(child, 0)[1] == 0
    assert engine.height == 0
    engine.import_fresh(packed)
    engine.commit()
    assert engine.height == 1
    assert engine.read(engine.head_hash).balance(CAROL) == 11
    assert engine.block(engine.head_hash).receipts[0].succeeded


@pytest.mark.parametrize("lines", [3, 11, 24])
def test_a_killed_writer_loses_nothing_it_had_announced(tmp_path: Path, lines: int) -> None:
    """After kill -9 every announced block is there and the control row matches the head."""
    path = str(tmp_path / "chain")
    announced: dict[int, bytes] = {}
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        for line in writer.stdout:
            words = line.split()
            announced[int(words[0])] = bytes.fromhex(words[1])
            if len(announced) == lines:
                writer.send_signal(signal.SIGKILL)
                break
    engine = Engine.open(path, genesis())
    assert engine.height >= lines
    assert engine.get_control("height") == str(engine.height).encode()
    for number, block_hash in announced.items():
        assert engine.canonical_hash(number) == block_hash
        assert len(engine.block(block_hash).receipts) == 1
    assert engine.read(engine.head_hash).balance(CAROL) == engine.height
    engine.close()


def test_raw_bytes_are_those_of_the_block(engine: Engine) -> None:
    """The raw receipts are typed like their transactions and hash into the header's root."""
    block = mine(engine, transaction(nonce=0), transaction(nonce=1, type=0))
    first, second = engine.raw_receipts(block.hash)
    assert first[0] == 2
    assert second[0] >= 0xC0
    engine.rollback()
    assert engine.raw_receipts(block.hash) == (first, second)
    with pytest.raises(UnknownBlockHash):
        engine.base_root(b"\x01" * 32)


def test_side_branches_are_not_canonical(engine: Engine) -> None:
    """A kept block off the canonical chain is known and not canonical."""
    head = mine(engine)
    side = build(engine, [transaction(nonce=0)], parent=head.parent_hash)
    assert engine.is_canonical(head.hash)
    assert not engine.is_canonical(side.hash)
    assert engine.block(side.hash) == side
    engine.set_head(head.parent_hash)
    assert not engine.is_canonical(head.hash)


def test_look_ups_are_right_when_blocks_are_no_longer_at_hand(engine: Engine) -> None:
    """A reorganisation over blocks that must be read from disk moves their look-ups too."""
    sent = [transaction(nonce=number) for number in range(3)]
    blocks = [mine(engine, item) for item in sent]
    engine.rollback()
    engine.set_head(blocks[0].hash)
    places = [engine.find_transaction(item.hash) for item in sent]
    assert places == [(1, 0), None, None]
    engine.rollback()
    assert engine.find_transaction(sent[2].hash) == (3, 0)
