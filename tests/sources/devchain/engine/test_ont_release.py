"""What ONT gives: ONG for both who move it, from the first second to the deadline."""

from pathlib import Path
from typing import Any, Final

import pytest
from eth.abc import StateAPI

from tests.dialects.ontology.vectors import vectors
from tests.sources.devchain.engine.driving import driven
from tests.sources.devchain.engine.ont_sending import address, ont_transfer, owned, submit
from tests.sources.devchain.engine.ont_states import (
    ANN,
    BEN,
    CAT,
    COIN,
    INVOKE,
    ONG,
    ONT,
    SERVICE,
    UNIT,
    balances,
    moves,
    new_state,
    root,
    run,
    short,
    transfer,
)
from twisted_chainws.chain.types import Address20
from twisted_chainws.dialects.ontology.script import build_call
from twisted_chainws.dialects.ontology.tokens import GOVERNANCE_CONTRACT
from twisted_chainws.dialects.ontology.unbound import (
    GENESIS_TIME,
    MAIN_NET,
    SOLO,
    holder_deadline,
)
from twisted_chainws.dialects.ontology.values import Array, Struct, Value
from twisted_chainws.sources.devchain.engine.ont_ledger import OntLedger

MAIN: Final = holder_deadline(MAIN_NET)
HOLDERS: Final = MAIN + GENESIS_TIME


def claims(state: StateAPI, *accounts: Address20) -> list[int]:
    """Return what accounts may claim, 10^-9 ONG."""
    ledger = OntLedger(state)
    return [ledger.allowance(ONG, ONT, account) // UNIT for account in accounts]


def test_ont_gives_ong_while_holders_are_given_it() -> None:
    """Moving ONT puts down for both what they were given until then; it is theirs to claim."""
    state = new_state({ANN: 1_000 * UNIT, BEN: 10 * UNIT + 1}, {ONT: 10**9 * COIN})
    time = GENESIS_TIME + 100
    done = run(state, transfer(ANN, BEN, 1), timestamp=time, deadline=MAIN)
    assert moves(done) == [(ONT, ANN, BEN, UNIT)]
    assert claims(state, ANN, BEN) == [1_000 * 5 * 100, 10 * 5 * 100]
    run(state, transfer(ANN, CAT, 99), timestamp=time + 10, deadline=MAIN)
    assert claims(state, ANN, BEN, CAT) == [500_000 + 999 * 5 * 10, 5_000, 0]
    run(state, transfer(ANN, ANN, 1), timestamp=time + 11, deadline=MAIN)
    assert claims(state, ANN) == [549_950 + 900 * 5]
    withdrawal = build_call(ONG, "transferFrom", Struct([ANN, ONT, BEN, 4_500]))
    done = run(state, withdrawal, timestamp=time + 12, deadline=MAIN)
    assert moves(done) == [(ONG, ONT, BEN, 4_500 * UNIT)]
    assert claims(state, ANN) == [549_950]
    assert balances(state, ONG, BEN, ONT) == [4_500 * UNIT, 10**9 * COIN - 4_500 * UNIT]


def test_ong_does_not_give_anything() -> None:
    """Neither moving ONG nor asking puts anything down."""
    state = new_state()
    for code in (transfer(ANN, BEN, 1, ONG), build_call(ONT, "balanceOf", ANN)):
        run(state, code, timestamp=GENESIS_TIME + 100, deadline=MAIN)
    assert claims(state, ANN, BEN) == [0, 0]
    assert OntLedger(state).offset(ANN) == 0


@pytest.mark.parametrize("sample", vectors("unbound_ong")["cases"], ids=str)
def test_what_a_balance_gives(sample: dict[str, Any]) -> None:
    """The published amounts are what an account is let have."""
    deadline = vectors("unbound_ong")["deadline_offsets"][sample["network"]]
    state = new_state({ANN: sample["balance"] * UNIT}, {ONT: 10**9 * COIN})
    OntLedger(state).set_offset(ANN, sample["start"])
    done = run(
        state,
        transfer(ANN, ANN, 1),
        timestamp=GENESIS_TIME + sample["end"],
        deadline=deadline,
    )
    assert done.succeeded, done.reason
    assert claims(state, ANN)[0] + balances(state, ONG, ANN)[0] // UNIT == sample["result"]


def test_past_the_deadline_a_claim_is_paid_at_once() -> None:
    """All that may be claimed, old and new, moves before the ONT is told of."""
    state = new_state({ANN: 1_000 * UNIT, BEN: 2 * UNIT}, {ONT: 10**9 * COIN})
    ledger = OntLedger(state)
    ledger.set_allowance(ONG, ONT, ANN, 77)
    for account, before in ((ANN, 10), (BEN, 20)):
        ledger.set_offset(account, MAIN - before)
    entries: list[Value] = [Struct([ANN, BEN, 5]), Struct([ANN, CAT, 5])]
    code = build_call(ONT, "transfer", Array(entries))
    done = run(state, code, timestamp=HOLDERS + 1, deadline=MAIN)
    first, second = 1_000 * 10 * 3 * UNIT + 77, 2 * 20 * 3 * UNIT
    assert moves(done) == [
        (ONG, ONT, ANN, first),
        (ONG, ONT, BEN, second),
        (ONT, ANN, BEN, 5 * UNIT),
        (ONT, ANN, CAT, 5 * UNIT),
    ]
    assert claims(state, ANN, BEN, CAT) == [0, 0, 0]
    assert balances(state, ONG, ANN, BEN) == [first, second]
    assert [ledger.offset(it) for it in (ANN, BEN, CAT)] == [MAIN + 1] * 3
    assert moves(run(state, transfer(ANN, BEN, 1), timestamp=HOLDERS + 9, deadline=MAIN)) == [
        (ONT, ANN, BEN, UNIT)
    ]


def test_on_the_deadline_nothing_is_paid_yet() -> None:
    """The last second that counts is still put down."""
    state = new_state({ANN: UNIT}, {ONT: COIN})
    OntLedger(state).set_offset(ANN, MAIN - 1)
    done = run(state, transfer(ANN, BEN, 1), timestamp=HOLDERS, deadline=MAIN)
    assert moves(done) == [(ONT, ANN, BEN, UNIT)]
    assert claims(state, ANN) == [3]


def test_governance_claims_itself() -> None:
    """What ONT gives governance's contract is never paid unasked."""
    state = new_state({GOVERNANCE_CONTRACT: 5 * UNIT, ANN: UNIT}, {ONT: COIN})
    done = run(state, transfer(ANN, GOVERNANCE_CONTRACT, 1), timestamp=HOLDERS + 1, deadline=MAIN)
    assert [it[2] for it in moves(done)] == [ANN, GOVERNANCE_CONTRACT]
    assert claims(state, GOVERNANCE_CONTRACT)[0] > 0


def test_parts_of_an_ont_give_nothing() -> None:
    """Less than 1 ONT is none: nothing is put down, and what may be claimed stays."""
    state = new_state({ANN: UNIT - 1}, {ONT: COIN})
    ledger = OntLedger(state)
    ledger.set_allowance(ONG, ONT, ANN, 5 * UNIT)
    code = transfer(ANN, BEN, 1, ONT, "V2")
    assert moves(run(state, code, timestamp=HOLDERS + 1, deadline=MAIN)) == [(ONT, ANN, BEN, 1)]
    assert claims(state, ANN) == [5]
    assert ledger.offset(ANN) == MAIN + 1


def test_an_empty_purse_stops_ont() -> None:
    """When ONT's contract has less ONG than is due, the transfer fails in the words of both."""
    state = new_state({ANN: UNIT}, {ONT: 5})
    before = root(state)
    done = run(state, transfer(ANN, BEN, 1), timestamp=HOLDERS + 1, deadline=MAIN)
    due = 285_897_600 * UNIT
    assert done.reason == SERVICE + INVOKE + INVOKE + short(ONT, ONG, 5, due)
    assert root(state) == before


@pytest.mark.parametrize("balance_ether", [10_000, 50_000_000])
def test_rich_accounts_leave_what_ont_gives(tmp_path: Path, balance_ether: int) -> None:
    """However much coin the accounts have, what their ONT gives them is there."""
    with driven(tmp_path, ontology_network=MAIN_NET, balance_ether=balance_ether) as node:
        for index in range(10):
            submit(node, ont_transfer(index=index, gas_price=0))
        given = 10**8 * (5 + 4) * 31_536_000 + 10**8 * 3 * (MAIN - 2 * 31_536_000)
        start = balance_ether * COIN
        assert {ong for _, ong in owned(node, *map(address, range(10)))} == {start + given * UNIT}


@pytest.mark.parametrize("known", [0, 10])
def test_clocks_of_old_give_nothing(known: int) -> None:
    """Up to Ontology's own genesis nobody was given anything, and no clock has gone back."""
    state = new_state()
    OntLedger(state).set_offset(ANN, known)
    for timestamp in (0, GENESIS_TIME):
        assert run(state, transfer(ANN, BEN, 1), timestamp=timestamp, deadline=MAIN).succeeded
    assert OntLedger(state).offset(ANN) == known
    assert claims(state, ANN) == [0]


def test_a_clock_that_goes_back() -> None:
    """It is an error in a block, and none in a trial."""
    state = new_state()
    code = transfer(ANN, BEN, 1)
    run(state, code, timestamp=GENESIS_TIME + 10, deadline=MAIN)
    done = run(state, code, timestamp=GENESIS_TIME + 9, deadline=MAIN)
    wrong = "grant Ong error: wrong timestamp endOffset: 9 < startOffset: 10"
    assert done.reason == SERVICE + INVOKE + wrong
    done = run(state, code, timestamp=GENESIS_TIME + 9, deadline=MAIN, charge=False)
    assert done.succeeded
    assert OntLedger(state).offset(ANN) == 10


def test_a_clock_of_more_than_32_bits() -> None:
    """Times later than Ontology can say count as the last one that it can."""
    state = new_state({ANN: UNIT})
    run(state, transfer(ANN, BEN, 1), timestamp=2**40, deadline=holder_deadline(SOLO))
    assert OntLedger(state).offset(ANN) == 2**32 - 1 - GENESIS_TIME
