"""Names of what is written into a state, in whatever way."""

from pathlib import Path

from eth.abc import StateAPI
from eth_hash.auto import keccak
from eth_typing import Address

from tests.sources.devchain.engine.building import (
    ALICE,
    CAROL,
    STORE,
    build,
    genesis,
    mine,
    transaction,
)
from twisted_chainws.sources.devchain.engine.core import Engine
from twisted_chainws.sources.devchain.engine.preimages import name_of

WORD = (5).to_bytes(32, "big")
SLOT = (77).to_bytes(32, "big")


def known(engine: Engine, name: bytes) -> bool:
    """Tell whether a name is found by its hash."""
    return name_of(engine._db, keccak(name)) == name


def test_genesis_edits_and_blocks_are_noted(engine: Engine) -> None:
    """Accounts and slots have names once they are written, and not before."""
    assert known(engine, ALICE)
    assert not known(engine, CAROL)
    mine(engine, transaction(to=CAROL))
    assert known(engine, CAROL)
    assert not known(engine, SLOT)

    def change(state: StateAPI) -> None:
        state.set_storage(Address(STORE), 77, 1)

    engine.edit(change)
    assert known(engine, SLOT)
    assert name_of(engine._db, keccak(b"nothing")) is None


def test_what_is_not_sealed_is_not_noted(engine: Engine) -> None:
    """A call writes nothing, a draft that is dropped neither."""
    engine.call({"to": "0x" + CAROL.hex(), "value": "0x0"}, engine.head_hash, gas_cap=50_000)
    assert not known(engine, CAROL)


def test_side_branches_are_noted(engine: Engine) -> None:
    """They may become canonical."""
    build(engine, [transaction(to=CAROL)])
    assert known(engine, CAROL)


def test_names_are_there_again_after_a_restart(tmp_path: Path) -> None:
    """They are committed with the state."""
    path = str(tmp_path / "chain")
    engine = Engine.open(path, genesis())
    mine(engine, transaction(to=STORE, data=WORD, gas=100_000, value=0))
    engine.close()
    engine = Engine.open(path, genesis())
    assert known(engine, bytes(32))
    assert known(engine, STORE)
    engine.close()
