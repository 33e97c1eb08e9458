"""The storage of Ontology's native contracts, in a real state."""

from eth_hash.auto import keccak
from eth_typing import Address
from hypothesis import given
from hypothesis import strategies as st

from tests.dialects.ontology.strategies import addresses
from tests.sources.devchain.engine.building import TOUCHES, mine, transaction
from tests.sources.devchain.engine.ont_states import (
    ANN,
    BEN,
    CAT,
    COIN,
    ONG,
    ONT,
    exists,
    new_state,
    root,
)
from twisted_chainws.chain.types import Address20, Hash32
from twisted_chainws.sources.devchain.engine.core import Engine
from twisted_chainws.sources.devchain.engine.head import LEDGER_ADDRESS
from twisted_chainws.sources.devchain.engine.ont_ledger import (
    OntLedger,
    balance_slot,
    initial_storage,
)

HASH = Hash32(b"\xab" * 32)


def test_the_ledger_is_kept_where_ont_is() -> None:
    """The address of the ledger is the one that Ontology gave to ONT's contract."""
    assert LEDGER_ADDRESS == ONT


def test_slots() -> None:
    """What stands where does not change: chains that were kept are read by it."""
    state = new_state({ANN: 5})
    ledger = OntLedger(state)
    ledger.set_allowance(ONG, ANN, BEN, 7)
    ledger.set_offset(ANN, 11)
    ledger.mark_mined(HASH)
    words = {
        b"ont.balance" + ANN: 5,
        b"ont.allowance" + ONG + ANN + BEN: 7,
        b"ont.allowances" + ONG + ANN: 7,
        b"ont.offset" + ANN: 11,
        b"ont.mined" + HASH: 1,
    }
    slots = {key: int.from_bytes(keccak(key), "big") for key in words}
    found = {key: state.get_storage(Address(ONT), slot) for key, slot in slots.items()}
    assert found == words


def test_initial_storage() -> None:
    """Whoever has nothing needs no slot."""
    assert initial_storage({ANN: 3, BEN: 0}) == {balance_slot(ANN): 3}


def test_ong_is_the_coin() -> None:
    """What an account has of ONG is its balance, in wei; ONT is something else."""
    state = new_state({ANN: 4}, {ANN: 3 * COIN})
    ledger = OntLedger(state)
    assert (ledger.balance(ONT, ANN), ledger.balance(ONG, ANN)) == (4, 3 * COIN)
    ledger.change_balance(ONG, BEN, 9)
    ledger.change_balance(ONT, BEN, 8)
    assert state.get_balance(Address(BEN)) == 9
    assert (ledger.balance(ONT, BEN), ledger.balance(ONG, BEN)) == (8, 9)


def test_who_has_nothing_left_is_removed() -> None:
    """An account that got ONG and gave it away leaves the state as it was."""
    state = new_state()
    before, ledger = root(state), OntLedger(state)
    ledger.change_balance(ONG, BEN, 5)
    assert exists(state, BEN)
    assert root(state) != before
    ledger.change_balance(ONG, BEN, -5)
    assert not exists(state, BEN)
    assert root(state) == before


def test_contracts_stay_without_ong() -> None:
    """An account with a nonce, and the ledger's own, are never empty."""
    state = new_state(ong={ANN: 5, ONT: 5})
    ledger = OntLedger(state)
    state.set_nonce(Address(ANN), 1)
    for account in (ANN, ONT):
        ledger.change_balance(ONG, account, -5)
        assert exists(state, account)
        assert ledger.balance(ONG, account) == 0
    assert ledger.balance(ONT, ANN)


def test_a_ledger_that_is_not_there_yet() -> None:
    """Whatever is written or paid first makes an account that no contract can remove."""
    for first in (
        lambda ledger: ledger.mark_mined(HASH),
        lambda ledger: ledger.change_balance(ONG, ONT, 5),
    ):
        state = new_state()
        state.delete_account(Address(ONT))
        first(OntLedger(state))
        assert state.get_nonce(Address(ONT)) == 1


def test_contracts_cannot_remove_the_ledger(engine: Engine) -> None:
    """A contract that calls the precompile at its address leaves it alone."""
    engine.edit(lambda state: OntLedger(state).mark_mined(HASH))
    block = mine(engine, transaction(to=TOUCHES, value=0, gas=100_000))
    assert block.receipts[0].succeeded
    ledger = OntLedger(engine.read(block.hash).state)
    assert ledger.is_mined(HASH)
    assert not ledger.is_mined(Hash32(bytes(32)))


def test_zeros_are_not_kept() -> None:
    """What is set back to nothing leaves nothing behind."""
    state = new_state()
    before, ledger = root(state), OntLedger(state)
    ledger.set_allowance(ONT, ANN, BEN, 5)
    ledger.set_offset(CAT, 5)
    ledger.change_balance(ONT, CAT, 5)
    assert root(state) != before
    ledger.set_allowance(ONT, ANN, BEN, 0)
    ledger.set_offset(CAT, 0)
    ledger.change_balance(ONT, CAT, -5)
    assert root(state) == before


contracts = st.sampled_from([ONT, ONG])
grants = st.tuples(contracts, addresses, addresses, st.integers(0, 10**27))


@given(st.lists(grants, max_size=8))
def test_allowances(granted: list[tuple[Address20, Address20, Address20, int]]) -> None:
    """The last word on an allowance counts; all of an owner's are summed up by token."""
    ledger = OntLedger(new_state())
    model: dict[tuple[Address20, Address20, Address20], int] = {}
    some = [(contract, ANN, spender, amount) for contract, _, spender, amount in granted]
    for contract, owner, spender, amount in [*granted, *some, *some[::2]]:
        ledger.set_allowance(contract, owner, spender, amount)
        model[contract, owner, spender] = amount
    for (contract, owner, spender), amount in model.items():
        assert ledger.allowance(contract, owner, spender) == amount
        total = sum(each for key, each in model.items() if key[:2] == (contract, owner))
        assert ledger.allowances(contract, owner) == total
