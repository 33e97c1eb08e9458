"""Block 0, and the canonical chain moved over a database of blocks, without the engine on top."""

import gc
import random
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from eth.abc import BlockHeaderAPI
from eth.exceptions import HeaderNotFound, TransactionNotFound
from eth.vm.forks.cancun.constants import BEACON_ROOTS_ADDRESS, BEACON_ROOTS_CONTRACT_CODE
from eth.vm.forks.prague.constants import HISTORY_STORAGE_ADDRESS, HISTORY_STORAGE_CONTRACT_CODE

from tests.sources.devchain.engine.building import (
    ALICE,
    BOB_KEY,
    CAROL,
    CHAIN_ID,
    GAS_LIMIT,
    GENESIS_TIME,
    GWEI,
    genesis,
    mine,
    transaction,
)
from twisted_chainws.sources.devchain.engine.core import Engine
from twisted_chainws.sources.devchain.engine.database import SqliteDB
from twisted_chainws.sources.devchain.engine.draft import Draft, DraftFields
from twisted_chainws.sources.devchain.engine.head import (
    LEDGER_ADDRESS,
    DevChain,
    create_chain,
    genesis_accounts,
    open_chain,
    set_head,
)
from twisted_chainws.sources.devchain.engine.state import StateReader, state_at
from twisted_chainws.sources.devchain.engine.vm import DevBuilder
from twisted_chainws.sources.devchain.genesis import Genesis, GenesisAccount


class Chain:
    """A chain in memory whose blocks are sealed anywhere and made canonical by hand."""

    def __init__(self) -> None:
        self.db = SqliteDB(":memory:")
        self.chain = create_chain(self.db, genesis())
        self.root: BlockHeaderAPI = self.chain.get_canonical_head()
        self.sent: dict[bytes, list[bytes]] = {self.root.hash: []}
        self.asked: list[bytes] = []

    def seal(self, parent: BlockHeaderAPI, *sent: Any, salt: int = 0) -> BlockHeaderAPI:
        """Keep a block by hash, and nothing more."""
        draft = Draft(
            self.chain,
            parent,
            parent.state_root,
            DraftFields(
                timestamp=parent.timestamp + 1,
                gas_limit=GAS_LIMIT,
                coinbase=bytes(20),
                mix_hash=salt.to_bytes(32, "big"),
            ),
            on_sealed=None,
        )
        for item in sent:
            draft.add(item)
        block = draft.seal()
        self.sent[block.hash] = [item.hash for item in sent]
        header: BlockHeaderAPI = self.chain.get_block_header_by_hash(block.hash)
        return header

    def hashes_of(self, header: BlockHeaderAPI) -> Sequence[bytes]:
        self.asked.append(header.hash)
        return self.sent[header.hash]

    def move(self, header: BlockHeaderAPI) -> tuple[list[BlockHeaderAPI], list[BlockHeaderAPI]]:
        return set_head(self.chain, header, self.hashes_of)

    @property
    def canonical(self) -> list[bytes]:
        """Hashes by height, up to the first height without one."""
        found: list[bytes] = []
        while True:
            try:
                found.append(self.chain.chaindb.get_canonical_block_hash(len(found)))
            except HeaderNotFound:
                return found

    def place(self, transaction_hash: bytes) -> tuple[int, int] | None:
        try:
            number, index = self.chain.chaindb.get_transaction_index(transaction_hash)
        except TransactionNotFound:
            return None
        return number, index


@pytest.fixture
def kept() -> Iterator[Chain]:
    """A chain of nothing but block 0."""
    made = Chain()
    yield made
    made.db.close()


def reader(chain: DevChain) -> StateReader:
    """Read the state at the head."""
    header = chain.get_canonical_head()
    return StateReader(state_at(chain, header, header.state_root))


def test_block_0_is_what_was_asked_for() -> None:
    """Header fields and accounts are those of the genesis, with all their properties."""
    account = GenesisAccount(balance=5, nonce=6, code=b"\x5f", storage={7: 8, 2**255: 9})
    made = Genesis(
        chain_id=77,
        gas_limit=9_000_000,
        timestamp=123,
        base_fee=0,
        accounts={CAROL: account},
        coinbase=ALICE,
    )
    db = SqliteDB(":memory:")
    chain = create_chain(db, made)
    header = chain.get_canonical_head()
    assert (header.block_number, header.parent_hash) == (0, bytes(32))
    assert (header.gas_limit, header.timestamp, header.base_fee_per_gas) == (9_000_000, 123, 0)
    assert (header.coinbase, header.difficulty, header.extra_data) == (ALICE, 0, b"")
    at = reader(chain)
    assert (at.balance(CAROL), at.nonce(CAROL), at.code(CAROL)) == (5, 6, b"\x5f")
    assert [at.storage(CAROL, slot) for slot in (7, 2**255, 0)] == [8, 9, 0]
    assert at.balance(ALICE) == 0
    db.close()


def test_equal_genesis_equal_hash(kept: Chain) -> None:
    """Block 0 depends on the genesis alone; the chain id is not part of it."""
    changed = genesis({CAROL: GenesisAccount(balance=1)})
    same = Genesis(
        chain_id=1,
        gas_limit=GAS_LIMIT,
        timestamp=GENESIS_TIME,
        base_fee=GWEI,
        accounts=genesis().accounts,
    )
    hashes = []
    for made in (same, changed):
        db = SqliteDB(":memory:")
        hashes.append(create_chain(db, made).get_canonical_head().hash)
        db.close()
    assert hashes[0] == kept.root.hash
    assert hashes[1] != kept.root.hash


def test_system_contracts_and_the_ledger_are_there_from_the_start(kept: Chain) -> None:
    """The contracts of EIP-4788 and EIP-2935 have their code, the ledger is no empty account."""
    at = reader(kept.chain)
    assert at.code(BEACON_ROOTS_ADDRESS) == BEACON_ROOTS_CONTRACT_CODE
    assert at.code(HISTORY_STORAGE_ADDRESS) == HISTORY_STORAGE_CONTRACT_CODE
    assert at.nonce(LEDGER_ADDRESS) == 1
    assert set(genesis_accounts(genesis())) > set(genesis().accounts)


def test_what_is_asked_for_replaces_what_is_there_anyway() -> None:
    """An account of the genesis wins over a predeployed one; the ledger never has nonce 0."""
    for given, nonce in ((0, 1), (1, 1), (9, 9)):
        accounts = {
            LEDGER_ADDRESS: GenesisAccount(nonce=given, balance=3),
            BEACON_ROOTS_ADDRESS: GenesisAccount(balance=4),
        }
        db = SqliteDB(":memory:")
        at = reader(create_chain(db, genesis(accounts)))
        assert (at.nonce(LEDGER_ADDRESS), at.balance(LEDGER_ADDRESS)) == (nonce, 3)
        assert (at.code(BEACON_ROOTS_ADDRESS), at.balance(BEACON_ROOTS_ADDRESS)) == (b"", 4)
        db.close()


def test_block_hashes_are_in_their_contract_after_the_next_block(engine: Engine) -> None:
    """The history contract of EIP-2935 knows the parents of all blocks since block 1."""
    hashes = [engine.head_hash] + [mine(engine).hash for _ in range(3)]
    at = engine.read(engine.head_hash)
    for number, block_hash in enumerate(hashes[:-1]):
        found = at.storage(HISTORY_STORAGE_ADDRESS, number)
        assert found.to_bytes(32, "big") == block_hash
    assert at.storage(HISTORY_STORAGE_ADDRESS, 3) == 0


def test_two_chains_have_two_ids(kept: Chain) -> None:
    """The id belongs to the object: opening the same database with another one changes neither."""
    other = open_chain(kept.db, 5)
    assert (kept.chain.chain_id, other.chain_id, DevChain.chain_id) == (CHAIN_ID, 5, 0)
    assert other.get_canonical_head() == kept.root


def test_sealing_is_not_yet_canonical(kept: Chain) -> None:
    """A block that is kept by hash does not become the head by being there, however long."""
    block = kept.root
    for _ in range(3):
        block = kept.seal(block)
    assert kept.chain.get_canonical_head() == kept.root
    assert kept.canonical == [kept.root.hash]


def test_the_head_moves_forwards_backwards_and_sideways(kept: Chain) -> None:
    """What left is told newest first, what joined oldest first; shorter branches may win."""
    one = kept.seal(kept.root)
    two, three = kept.seal(one), kept.seal(kept.seal(one, salt=1), salt=2)
    between = kept.chain.get_block_header_by_hash(three.parent_hash)
    assert kept.move(three) == ([], [one, between, three])
    assert kept.move(two) == ([three, between], [two])
    assert kept.canonical == [kept.root.hash, one.hash, two.hash]
    assert kept.move(two) == ([], [])
    assert kept.move(kept.root) == ([two, one], [])
    assert kept.canonical == [kept.root.hash]
    assert kept.move(three) == ([], [one, between, three])
    assert kept.chain.get_canonical_head() == three


def test_only_blocks_that_move_are_asked_for_their_transactions(kept: Chain) -> None:
    """A step on a long chain costs as much as on a short one."""
    block = kept.root
    for _ in range(5):
        block = kept.seal(block)
    kept.move(block)
    kept.asked.clear()
    child, sibling = kept.seal(block), kept.seal(block, salt=1)
    kept.move(child)
    assert kept.asked == [child.hash]
    kept.move(sibling)
    assert kept.asked == [child.hash, child.hash, sibling.hash]


def test_a_transaction_of_two_branches_is_found_in_the_canonical_one(kept: Chain) -> None:
    """The same transaction moves with the head; others appear and disappear."""
    both, alone = transaction(nonce=0), transaction(BOB_KEY, nonce=0)
    first = kept.seal(kept.root, both)
    second = kept.seal(kept.seal(kept.root, salt=1), alone, both)
    kept.move(first)
    assert (kept.place(both.hash), kept.place(alone.hash)) == ((1, 0), None)
    kept.move(second)
    assert (kept.place(both.hash), kept.place(alone.hash)) == ((2, 1), (2, 0))
    kept.move(first)
    assert (kept.place(both.hash), kept.place(alone.hash)) == ((1, 0), None)
    kept.move(kept.root)
    assert (kept.place(both.hash), kept.place(alone.hash)) == (None, None)


def test_a_move_that_breaks_moves_nothing(kept: Chain) -> None:
    """When a block's transactions cannot be told, the canonical chain is as it was."""
    sent = transaction(nonce=0)
    old = kept.seal(kept.root, sent)
    new = kept.seal(kept.seal(kept.root, salt=1), salt=1)
    kept.move(old)
    del kept.sent[new.hash]
    with pytest.raises(KeyError):
        kept.move(new)
    assert kept.chain.get_canonical_head() == old
    assert kept.canonical == [kept.root.hash, old.hash]
    assert kept.place(sent.hash) == (1, 0)


@pytest.mark.parametrize("seed", range(3))
def test_random_moves_over_a_tree_agree_with_its_paths(kept: Chain, seed: int) -> None:
    """Wherever the head is put, the canonical chain is the path to it, with its transactions."""
    chance = random.Random(seed)
    parents: dict[bytes, BlockHeaderAPI] = {}
    tree = [kept.root]
    for salt in range(15):
        parent = chance.choice(tree[-4:])
        at = StateReader(state_at(kept.chain, parent, parent.state_root))
        sent = [transaction(nonce=at.nonce(ALICE) + extra) for extra in range(chance.randrange(3))]
        block = kept.seal(parent, *sent, salt=salt)
        parents[block.hash] = parent
        tree.append(block)
    for _ in range(40):
        before, target = kept.canonical, chance.choice(tree)
        undone, applied = kept.move(target)
        path = [target]
        while path[-1].hash in parents:
            path.append(parents[path[-1].hash])
        expected = [header.hash for header in reversed(path)]
        assert kept.canonical == expected
        shared = len(before) - len(undone)
        assert [header.hash for header in undone] == before[shared:][::-1]
        assert [header.hash for header in applied] == expected[shared:]
        places = {
            item: (number, index)
            for number, block_hash in enumerate(expected)
            for index, item in enumerate(kept.sent[block_hash])
        }
        for item in {item for sent in kept.sent.values() for item in sent}:
            assert kept.place(item) == places.get(item)


def test_transactions_are_read_back_as_they_were_sealed(kept: Chain) -> None:
    """Without its caches the database yields the same transactions, each time anew."""
    sent = [transaction(nonce=0), transaction(nonce=1, type=0)]
    header = kept.seal(kept.root, *sent)
    for _ in range(2):
        found = kept.chain.chaindb.get_block_transactions(header, DevBuilder)
        assert [item.hash for item in found] == [item.hash for item in sent]
    assert kept.chain.chaindb.get_block_withdrawals(header) == ()


def test_closed_chains_are_not_kept_alive(tmp_path: Path) -> None:
    """Opening and closing chains leaves none of their databases behind."""
    kept = []
    for number in range(5):
        engine = Engine.open(str(tmp_path / str(number)), genesis())
        block = mine(engine, transaction(nonce=0))
        engine.rollback()
        engine.block(block.hash)
        kept.append(weakref.ref(engine._db))
        engine.close()
        del engine
    gc.collect()
    assert [reference() for reference in kept] == [None] * 5
