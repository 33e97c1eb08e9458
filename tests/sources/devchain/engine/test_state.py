"""Traps of the account database: emptiness, the ledger account, kept readers."""

from tests.sources.devchain.engine.building import CAROL, TOUCHES, mine, transaction
from twisted_chainws.sources.devchain.engine.core import Engine
from twisted_chainws.sources.devchain.engine.head import LEDGER_ADDRESS
from twisted_chainws.sources.devchain.engine.state import ReaderCache, StateReader, state_at
from twisted_chainws.sources.devchain.engine.vm import DevState


def test_the_ledger_survives_a_call_of_the_precompile_at_its_address(engine: Engine) -> None:
    """A contract that calls precompile 1 leaves the ledger's storage alone."""
    engine.edit(lambda state: state.set_storage(LEDGER_ADDRESS, 5, 77))
    block = mine(engine, transaction(to=TOUCHES, value=0, gas=100_000))
    assert block.receipts[0].succeeded
    assert engine.read(block.hash).storage(LEDGER_ADDRESS, 5) == 77


def test_no_edit_resets_the_nonce_of_the_ledger(engine: Engine) -> None:
    """Setting the ledger's nonce to 0 leaves it at 1."""
    engine.edit(lambda state: state.set_nonce(LEDGER_ADDRESS, 0))
    assert engine.read(engine.head_hash).nonce(LEDGER_ADDRESS) == 1


def test_an_edit_leaves_no_empty_account(engine: Engine) -> None:
    """Giving and taking a balance restores the very same state root."""
    root = engine.root(engine.head_hash)
    engine.edit(lambda state: state.set_balance(CAROL, 0))
    assert engine.root(engine.head_hash) == root
    engine.edit(lambda state: state.set_balance(CAROL, 5))
    assert engine.root(engine.head_hash) != root
    engine.edit(lambda state: state.set_balance(CAROL, 0))
    assert engine.root(engine.head_hash) == root


def test_storage_of_a_bare_address_can_be_set_and_cleared(engine: Engine) -> None:
    """A slot of an address without code, nonce and balance reads back as set."""
    engine.edit(lambda state: state.set_storage(CAROL, 1, 2))
    assert engine.read(engine.head_hash).storage(CAROL, 1) == 2
    engine.edit(lambda state: state.set_storage(CAROL, 1, 0))
    assert engine.read(engine.head_hash).storage(CAROL, 1) == 0


def test_absent_accounts_read_as_empty(engine: Engine) -> None:
    """An unknown address has no balance, nonce, code or storage."""
    reader = engine.read(engine.head_hash)
    unknown = b"\x99" * 20
    assert (reader.balance(unknown), reader.nonce(unknown), reader.code(unknown)) == (0, 0, b"")
    assert reader.storage(unknown, 2**256 - 1) == 0


def test_readers_are_kept_per_state_and_replaced_in_time(engine: Engine) -> None:
    """One reader serves a state until it has seen too many accounts; old states are forgotten."""
    cache = ReaderCache()
    made: list[bytes] = []

    def get(root: bytes) -> StateReader:
        def make() -> DevState:
            made.append(root)
            return state_at(engine._chain, engine.head, engine.head.state_root)

        return cache.get(root, make)

    first = get(b"a")
    assert get(b"a") is first
    first.reads = 10**9
    assert get(b"a") is not first
    for name in (b"b", b"c", b"d", b"e"):
        get(name)
    get(b"a")
    assert made == [b"a", b"a", b"b", b"c", b"d", b"e", b"a"]
    cache.clear()
    get(b"a")
    assert made[-1] == b"a"
    assert len(made) == 8
