"""Scripts in a real state: what is paid, what a failure leaves, and a model of it all."""

from typing import Any, Final

import pytest

from tests.dialects.ontology.vectors import more_transactions
from tests.sources.devchain.engine.ont_states import (
    ANN,
    BEN,
    CAT,
    COIN,
    FEE,
    INVOKE,
    LATER,
    ONG,
    ONT,
    PRICE,
    SERVICE,
    UNIT,
    balances,
    exists,
    moves,
    new_state,
    root,
    run,
    transfer,
)
from twisted_chainws.dialects.ontology.script import build_call
from twisted_chainws.dialects.ontology.tokens import GOVERNANCE_CONTRACT
from twisted_chainws.dialects.ontology.transaction import decode_transaction
from twisted_chainws.dialects.ontology.values import Array, Struct
from twisted_chainws.errors import Unsupported
from twisted_chainws.sources.devchain.engine.ont_execution import execute

GOVERNANCE: Final = GOVERNANCE_CONTRACT
NO_GAS: Final = "[NeoVmService] insufficient gas for transaction!"
LONG: Final = b"\x61" * 1_024
"""Does nothing; costs 20,000 for its length and 1,024 for its steps."""


def units(count: int) -> int:
    """Return what so many units of gas cost at ``PRICE``, scaled."""
    return count * PRICE * UNIT


def test_the_fee_is_told_last() -> None:
    """Governance is paid behind what the script did."""
    state = new_state()
    done = run(state, transfer(ANN, BEN, 5), gas_price=PRICE)
    assert done.gas == 20_000
    assert moves(done) == [(ONT, ANN, BEN, 5 * UNIT), (ONG, ANN, GOVERNANCE, FEE)]
    assert balances(state, ONG, ANN, GOVERNANCE) == [1_000 * COIN - FEE, FEE]
    done = run(state, transfer(ANN, BEN, 5), BEN, ANN, payer=ANN, gas_price=1)
    assert moves(done)[-1] == (ONG, ANN, GOVERNANCE, 20_000 * UNIT)


def test_another_may_pay() -> None:
    """The payer need not have anything to do with the script."""
    state = new_state(ong={BEN: COIN})
    done = run(state, transfer(ANN, CAT, 5), ANN, BEN, payer=BEN, gas_price=PRICE)
    assert moves(done) == [(ONT, ANN, CAT, 5 * UNIT), (ONG, BEN, GOVERNANCE, FEE)]
    assert balances(state, ONG, BEN) == [COIN - FEE]


def test_governance_pays_itself() -> None:
    """What it pays it gets, down to the last bit of it."""
    state = new_state(ong={GOVERNANCE: FEE})
    done = run(state, b"\x51", payer=GOVERNANCE, gas_price=PRICE)
    assert moves(done) == [(ONG, GOVERNANCE, GOVERNANCE, FEE)]
    assert balances(state, ONG, GOVERNANCE) == [FEE]


@pytest.mark.parametrize("options", [{"charge": False, "gas_price": PRICE}, {"gas_price": 0}])
def test_nothing_to_pay(options: dict[str, Any]) -> None:
    """A trial and a transaction of no price take no fee, and tell how much gas they would."""
    state = new_state(ong={})
    done = run(state, transfer(ANN, BEN, 5), **options)
    assert (done.succeeded, done.gas) == (True, 20_000)
    assert moves(done) == [(ONT, ANN, BEN, 5 * UNIT)]
    assert not exists(state, GOVERNANCE)


RESULTS: list[tuple[bytes, Any]] = [
    (b"\x61", None),
    (b"\x51", 1),
    (b"\x51\x02ab", b"ab"),
    (b"\x51\x66\x52", 1),
]


@pytest.mark.parametrize(("code", "result"), RESULTS)
def test_results(code: bytes, result: Any) -> None:
    """What lies on top of the stack in the end is the result."""
    assert run(new_state(), code).result == result


def test_all_or_nothing() -> None:
    """A script whose last call fails did nothing, neither ONT nor ONG nor what was released."""
    state = new_state(ong={ANN: COIN, ONT: COIN})
    before = root(state)
    code = b"".join(
        [
            transfer(ANN, BEN, 5),
            transfer(ANN, BEN, 5, ONG),
            build_call(ONT, "approve", Struct([ANN, BEN, 5])),
            transfer(BEN, ANN, 1),
        ]
    )
    done = run(state, code, deadline=10_000)
    assert (done.succeeded, done.result, done.events) == (False, None, ())
    assert done.reason == SERVICE + INVOKE + "authentication failed!"
    assert root(state) == before
    assert not exists(state, BEN)
    done = run(state, code, ANN, BEN, deadline=10_000)
    assert done.succeeded
    assert len(done.events) == 3


def test_a_failure_is_paid_for() -> None:
    """Of a failed transaction nothing but the fee is left, and nothing else is told."""
    state, paid = new_state(), new_state()
    done = run(state, transfer(BEN, ANN, 5), gas_price=PRICE)
    assert (done.succeeded, done.gas) == (False, 20_000)
    assert moves(done) == [(ONG, ANN, GOVERNANCE, FEE)]
    run(paid, b"\x51", gas_price=PRICE)
    assert root(state) == root(paid)
    tried = run(state, transfer(BEN, ANN, 5), charge=False)
    assert (tried.succeeded, tried.gas, tried.events) == (False, 20_000, ())


def test_a_long_script_costs_more() -> None:
    """Its length and its steps together are paid in multiples of 20,000."""
    for code, gas in ((LONG, 40_000), (LONG * 2, 60_000), (LONG[1:], 20_000)):
        done = run(new_state(), code, gas_price=PRICE)
        assert (done.succeeded, done.gas) == (True, gas)
        assert moves(done) == [(ONG, ANN, GOVERNANCE, units(gas))]


def test_many_calls_cost_more() -> None:
    """Each call takes a thousand, whether it fails or not."""
    call = transfer(ANN, BEN, 1)
    for last, succeeded in ((call, True), (transfer(BEN, ANN, 1), False)):
        done = run(new_state(), call * 18 + last, gas_price=PRICE)
        assert (done.succeeded, done.gas) == (succeeded, 60_000)
        assert moves(done)[-1] == (ONG, ANN, GOVERNANCE, units(60_000))


def test_the_gas_limit_holds() -> None:
    """A script ends where its gas does; in a trial it does not."""
    code = transfer(ANN, BEN, 1) * 18
    done = run(new_state(), code, gas_price=PRICE, gas_limit=38_000)
    assert (done.succeeded, done.reason) == (False, NO_GAS)
    assert moves(done) == [(ONG, ANN, GOVERNANCE, units(40_000))]
    assert run(new_state(), code, gas_price=PRICE, gas_limit=40_000).succeeded
    assert run(new_state(), code, gas_price=PRICE, gas_limit=0, charge=False).succeeded
    # Without a price nothing is asked for the length of the code.
    assert run(new_state(), code, gas_price=0, gas_limit=19_000).succeeded
    assert run(new_state(), code, gas_price=0, gas_limit=17_000).reason == NO_GAS


def test_the_purse_is_a_limit_too() -> None:
    """A script may take as much gas as its payer has ONG for, and no more."""
    code = transfer(ANN, BEN, 1) * 18
    state = new_state(ong={ANN: units(30_000)})
    done = run(state, code, gas_price=PRICE)
    assert (done.succeeded, done.reason, done.gas) == (False, NO_GAS, 30_000)
    assert not exists(state, ANN)
    state = new_state(ong={ANN: units(39_999) + 7})
    done = run(state, code, gas_price=PRICE)
    assert (done.succeeded, done.gas) == (True, 39_999)
    assert balances(state, ONG, ANN, GOVERNANCE) == [7, units(39_999)]


POOR: list[tuple[int, int, bytes, int, str]] = [
    (
        20_000,
        units(20_000) - 1,
        b"\x51",
        19_999,
        "balance gas: 49999999 less than min gas: 50000000",
    ),
    (20_000, 0, b"\x51", 0, "balance gas: 0 less than min gas: 50000000"),
    (
        100_000,
        units(40_000) - 1,
        LONG * 2,
        39_999,
        "balance gas insufficient: balance:99999999 < code length need gas:100000000",
    ),
    (100_000, units(40_000), LONG * 2, 40_000, NO_GAS),
    (40_000, units(50_000), LONG * 2, 40_000, NO_GAS),
    (
        39_999,
        units(50_000),
        LONG * 2,
        39_999,
        "invoke transaction gasLimit insufficient: need39999 actual:40000",
    ),
]


@pytest.mark.parametrize(("limit", "purse", "code", "gas", "reason"), POOR)
def test_too_poor_to_begin(limit: int, purse: int, code: bytes, gas: int, reason: str) -> None:
    """Who cannot pay for the least or for the code loses what it would take, and nothing runs."""
    state = new_state(ong={ANN: purse})
    done = run(state, code, gas_price=PRICE, gas_limit=limit)
    assert (done.succeeded, done.reason, done.gas) == (False, reason, gas)
    assert balances(state, ONG, ANN, GOVERNANCE) == [purse - units(gas), units(gas)]
    assert bool(done.events) is bool(gas)
    assert exists(state, GOVERNANCE) is bool(gas)


def test_the_fee_must_not_be_moved_away() -> None:
    """A script that leaves its payer too little for the gas fails, and is paid for."""
    purse = units(30_000)
    state = new_state(ong={ANN: purse})
    short = transfer(ANN, BEN, 10_001 * PRICE, ONG)
    done = run(state, short, gas_price=PRICE)
    reason = "gas insufficient, balance:49997500 < costGas:50000000"
    assert (done.succeeded, done.reason, done.gas) == (False, reason, 20_000)
    assert moves(done) == [(ONG, ANN, GOVERNANCE, FEE)]
    assert balances(state, ONG, ANN, BEN) == [purse - FEE, 0]
    state = new_state(ong={ANN: purse})
    done = run(state, transfer(ANN, BEN, 10_000 * PRICE, ONG), gas_price=PRICE)
    assert done.succeeded
    assert balances(state, ONG, ANN, BEN) == [0, units(10_000)]
    assert not exists(state, ANN)


def test_the_fee_may_be_earned() -> None:
    """What the script brings its payer counts, if it could begin."""
    state = new_state({ANN: 2 * UNIT}, {ANN: FEE, ONT: 5 * COIN})
    code = transfer(ANN, BEN, 1) + transfer(ANN, BEN, FEE // UNIT, ONG)
    done = run(state, code, timestamp=LATER + 10**9, deadline=63_763_200, gas_price=PRICE)
    earned = 285_897_600 * 2 * UNIT
    assert done.succeeded
    assert balances(state, ONG, ANN) == [earned - FEE]


OTHERS = [("deploy", "cannot be deployed"), ("wasm", "WASM contracts are not")]


@pytest.mark.parametrize(("name", "reason"), OTHERS)
@pytest.mark.parametrize("charge", [True, False])
def test_other_machines(name: str, reason: str, *, charge: bool) -> None:
    """Deployments and WASM are refused in words, and cost nothing."""
    state = new_state()
    before = root(state)
    sent = decode_transaction(bytes.fromhex(more_transactions()[name]["raw"]))
    with pytest.raises(Unsupported, match=reason):
        execute(
            sent,
            state,
            witnesses=frozenset({sent.payer}),
            timestamp=LATER,
            deadline=0,
            charge=charge,
        )
    assert root(state) == before


def test_a_whole_machine_is_not_here() -> None:
    """A script for more than native calls is refused, after whatever it did before."""
    state = new_state()
    before = root(state)
    for more in (b"\x67" + b"\x11" * 20, b"\x93", b"\x68\x12System.Runtime.Log"):
        with pytest.raises(Unsupported, match="needs a NeoVM"):
            run(state, transfer(ANN, BEN, 5) + more, gas_price=PRICE)
        assert root(state) == before


def test_nothing_but_noise() -> None:
    """A script that the machine cannot run fails, and an empty one too."""
    for code, reason in (
        (b"", "[NeoVmService] vm execution code was invalid!"),
        (b"\x75", "[NeoVmService] vm execution error!: the index out of bound"),
    ):
        done = run(new_state(), code, gas_price=PRICE)
        assert (done.reason, done.gas) == (reason, 20_000)
        assert moves(done) == [(ONG, ANN, GOVERNANCE, FEE)]


def test_events_of_calls_in_order() -> None:
    """Calls tell one after the other, whichever contract they are of."""
    entries = Array([Struct([ANN, BEN, 1]), Struct([ANN, CAT, 2])])
    code = build_call(ONG, "transfer", entries) + transfer(ANN, BEN, 3)
    assert [(it[0], it[3] // UNIT) for it in moves(run(new_state(), code))] == [
        (ONG, 1),
        (ONG, 2),
        (ONT, 3),
    ]
