"""Random transactions of ONT and ONG, against a model."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sources.devchain.engine.ont_model import GAS, Call, Model, Sent
from tests.sources.devchain.engine.ont_states import (
    ANN,
    BEN,
    CAT,
    ONG,
    ONT,
    UNIT,
    exists,
    moves,
    new_state,
    root,
    run,
)
from twisted_chainws.chain.types import Address20
from twisted_chainws.dialects.ontology.script import build_call
from twisted_chainws.dialects.ontology.tokens import GOVERNANCE_CONTRACT
from twisted_chainws.dialects.ontology.unbound import GENESIS_TIME
from twisted_chainws.dialects.ontology.values import Array, Struct, Value
from twisted_chainws.sources.devchain.engine.ont_execution import Execution
from twisted_chainws.sources.devchain.engine.ont_ledger import OntLedger

DEADLINE: Final = 30
PEOPLE: Final = (ANN, BEN, CAT, GOVERNANCE_CONTRACT)
ACCOUNTS: Final = (*PEOPLE, ONT)
TOKENS: Final = (ONT, ONG)
HELD: Final = {ANN: 20 * UNIT + 5, BEN: 3 * UNIT, GOVERNANCE_CONTRACT: UNIT}
COINS: Final = {ANN: 40 * GAS * UNIT, BEN: 3 * GAS * UNIT + 1, ONT: 4_000 * UNIT}
GRANTED: Final = {
    (ONT, ANN, BEN): 9 * UNIT,
    (ONT, BEN, ANN): UNIT + 1,
    (ONG, ANN, CAT): GAS * UNIT,
    (ONG, ONT, ANN): 5 * UNIT,
}

SHAPES: Final[Mapping[str, tuple[Sequence[Address20], ...]]] = {
    "transfer": (PEOPLE, ACCOUNTS),
    "approve": (PEOPLE, PEOPLE),
    "transferFrom": (PEOPLE, ACCOUNTS, PEOPLE),
}
"""Method -> who may stand where in an entry of its arguments."""


@st.composite
def calls(draw: st.DrawFn) -> Call:
    """Draw a call that changes something, or would."""
    contract, method = draw(st.sampled_from(TOKENS)), draw(st.sampled_from([*SHAPES, "transfer"]))
    version = draw(st.sampled_from(["", "", "V2"]))
    highest = {(ONT, ""): 4, (ONG, ""): GAS}.get((contract, version), 3 * UNIT)
    amounts = st.integers(0, 3) | st.integers(0, highest)
    entry = st.tuples(*map(st.sampled_from, SHAPES[method]))
    if method == "transferFrom":
        granted = [(spender, owner, CAT) for token, owner, spender in GRANTED if token == contract]
        entry |= st.sampled_from(granted)
    most = 3 if method == "transfer" else 1
    entries = draw(st.lists(st.tuples(entry, amounts), min_size=most % 3, max_size=most))
    return Call(contract=contract, method=method, version=version, entries=tuple(entries))


@st.composite
def histories(draw: st.DrawFn) -> list[Sent]:
    """Draw transactions whose clock mostly goes on."""
    second, sent = 0, []
    for _ in range(draw(st.integers(1, 12))):
        second += draw(st.integers(0, 9) | st.just(-1))
        payer = draw(st.sampled_from([ANN, ANN, ANN, BEN, CAT]))
        signers = frozenset(PEOPLE) - {draw(st.sampled_from([None, None, *PEOPLE]))} | {payer}
        sent.append(
            Sent(
                calls=tuple(draw(st.lists(calls(), min_size=1, max_size=3))),
                signers=signers,
                payer=payer,
                price=draw(st.sampled_from([0, 0, 1, 2])),
                second=second,
                charge=draw(st.sampled_from([True, True, True, False])),
            )
        )
    return sent


def written(call: Call) -> bytes:
    """Write a call as SDKs do."""
    items: list[Value] = [Struct([*addresses, amount]) for addresses, amount in call.entries]
    argument = Array(items) if call.method == "transfer" else items[0]
    return build_call(call.contract, call.method + call.version, argument)


def perform(state: Any, sent: Sent) -> Execution:
    """Run a transaction in a real state."""
    return run(
        state,
        b"".join(map(written, sent.calls)),
        *sent.signers,
        payer=sent.payer,
        gas_price=sent.price,
        gas_limit=GAS,
        timestamp=GENESIS_TIME + sent.second,
        deadline=DEADLINE,
        charge=sent.charge,
    )


def check_equal(state: Any, model: Model) -> None:
    """Compare all that is kept."""
    ledger = OntLedger(state)
    for account in ACCOUNTS:
        for token in TOKENS:
            assert ledger.balance(token, account) == model.has[token, account]
            may = [model.may[token, account, spender] for spender in ACCOUNTS]
            assert [ledger.allowance(token, account, it) for it in ACCOUNTS] == may
            assert ledger.allowances(token, account) == sum(may)
        assert ledger.offset(account) == model.since[account]
        assert exists(state, account) is (account == ONT or bool(model.has[ONG, account]))


def total(model: Model, token: Address20) -> int:
    """Return what all have together."""
    return sum(model.has[token, account] for account in ACCOUNTS)


@settings(max_examples=60)
@given(histories())
def test_equals_a_naive_model(history: Sequence[Sent]) -> None:
    """Every transaction does what the model says, tells it, and makes no coin and loses none.

    What failed has done nothing: a state that knows only the fee of it has the same root.
    """
    model, state, twin = Model(deadline=DEADLINE), new_state(HELD, COINS), new_state(HELD, COINS)
    for token, shares in ((ONT, HELD), (ONG, COINS)):
        model.has.update({(token, account): share for account, share in shares.items()})
    for grant, amount in GRANTED.items():
        model.may[grant] = amount
        OntLedger(state).set_allowance(*grant, amount)
        OntLedger(twin).set_allowance(*grant, amount)
    totals = {token: total(model, token) for token in TOKENS}
    for sent in history:
        done = perform(state, sent)
        assert (done.succeeded, moves(done)) == model.apply(sent)
        check_equal(state, model)
        assert {token: total(model, token) for token in TOKENS} == totals
        if done.succeeded:
            perform(twin, sent)
        for _, source, target, fee in moves(done) if not done.succeeded else ():
            OntLedger(twin).change_balance(ONG, source, -fee)
            OntLedger(twin).change_balance(ONG, target, fee)
    assert root(state) == root(twin)
