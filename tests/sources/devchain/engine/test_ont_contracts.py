"""The contracts of ONT and ONG: every method, every refusal, and what ONT gives."""

from typing import Any

import pytest

from tests.dialects.ontology.vectors import named_transaction, vectors
from tests.sources.devchain.engine.ont_states import (
    ANN,
    BEN,
    CAT,
    COIN,
    INVOKE,
    LATER,
    ONG,
    ONT,
    SERVICE,
    UNIT,
    ask,
    balances,
    exists,
    moves,
    new_state,
    root,
    run,
    short,
    transfer,
)
from twisted_chainws.chain.types import Address20
from twisted_chainws.dialects.ontology.script import build_call
from twisted_chainws.dialects.ontology.tokens import (
    GOVERNANCE_CONTRACT,
    METHODS,
    NATIVE_CONTRACTS,
    TOKENS,
)
from twisted_chainws.dialects.ontology.transaction import (
    claimed_signers,
    decode_transaction,
)
from twisted_chainws.dialects.ontology.values import Array, Struct, Value
from twisted_chainws.errors import Unsupported
from twisted_chainws.sources.devchain.engine.ont_execution import execute
from twisted_chainws.sources.devchain.engine.ont_ledger import OntLedger


@pytest.mark.parametrize(("contract", "unit"), [(ONT, 1), (ONG, 1)])
def test_transfers(contract: Address20, unit: int) -> None:
    """What is moved leaves one account and arrives at the other, and is told."""
    state = new_state()
    had = balances(state, contract, ANN)[0]
    done = run(state, transfer(ANN, BEN, 3 * unit, contract))
    assert (done.succeeded, done.result, done.reason) == (True, b"\1", None)
    assert balances(state, contract, ANN, BEN) == [had - 3 * UNIT, 3 * UNIT]
    assert moves(done) == [(contract, ANN, BEN, 3 * UNIT)]
    done = run(state, transfer(ANN, BEN, UNIT + 1, contract, "V2"))
    assert balances(state, contract, ANN, BEN) == [had - 4 * UNIT - 1, 4 * UNIT + 1]
    assert moves(done) == [(contract, ANN, BEN, UNIT + 1)]


@pytest.mark.parametrize("contract", TOKENS)
def test_transfers_of_several(contract: Address20) -> None:
    """Entries come one after the other, each from what those before left; zeros are passed over."""
    state = new_state()
    had = balances(state, contract, ANN)[0]
    entries: list[Value] = [
        Struct([ANN, BEN, 5]),
        Struct([CAT, BEN, 0]),
        Struct([BEN, CAT, 4]),
        Struct([ANN, ANN, 2]),
    ]
    done = run(state, build_call(contract, "transfer", Array(entries)), ANN, BEN)
    assert done.result == b"\1"
    assert [it // UNIT for it in balances(state, contract, BEN, CAT)] == [1, 4]
    assert balances(state, contract, ANN) == [had - 5 * UNIT]
    assert moves(done) == [
        (contract, ANN, BEN, 5 * UNIT),
        (contract, BEN, CAT, 4 * UNIT),
        (contract, ANN, ANN, 2 * UNIT),
    ]


@pytest.mark.parametrize("contract", TOKENS)
def test_a_transfer_of_nothing(contract: Address20) -> None:
    """Nobody has to agree to it, nothing is told, no account comes into being."""
    state = new_state()
    before = root(state)
    for code in (transfer(BEN, CAT, 0, contract), build_call(contract, "transfer", Array())):
        done = run(state, code)
        assert (done.succeeded, done.result, done.events) == (True, b"\1", ())
    assert not exists(state, CAT)
    assert root(state) == before


@pytest.mark.parametrize("contract", TOKENS)
@pytest.mark.parametrize(("version", "one"), [("", UNIT), ("V2", 1)])
def test_spending_for_another(contract: Address20, version: str, one: int) -> None:
    """A spender moves what was approved, until nothing of it is left."""
    state = new_state()
    ledger, had = OntLedger(state), balances(state, contract, ANN)[0]
    done = run(state, build_call(contract, f"approve{version}", Struct([ANN, BEN, 5])))
    assert (done.result, done.events) == (b"\1", ())
    assert ledger.allowance(contract, ANN, BEN) == 5 * one
    for amount, left in ((2, 3), (3, 0)):
        code = build_call(contract, f"transferFrom{version}", Struct([BEN, ANN, CAT, amount]))
        done = run(state, code, BEN)
        assert done.result == b"\1"
        assert moves(done) == [(contract, ANN, CAT, amount * one)]
        assert ledger.allowance(contract, ANN, BEN) == left * one
    assert balances(state, contract, ANN, CAT) == [had - 5 * one, 5 * one]


def test_an_approval_takes_the_place_of_the_one_before() -> None:
    """It is not added, may be more than there is, and may be nothing."""
    state = new_state()
    ledger, before = OntLedger(state), root(state)
    for amount in (5, 10**9, 0):
        run(state, build_call(ONT, "approve", Struct([ANN, BEN, amount])))
        assert ledger.allowance(ONT, ANN, BEN) == amount * UNIT
    assert root(state) == before


@pytest.mark.parametrize("contract", TOKENS)
def test_spending_nothing(contract: Address20) -> None:
    """It answers no, without a fault and without anybody's consent."""
    state = new_state()
    before = root(state)
    done = run(state, build_call(contract, "transferFrom", Struct([BEN, CAT, BEN, 0])))
    assert (done.succeeded, done.result, done.events) == (True, b"\0", ())
    assert root(state) == before


ANSWERS: list[tuple[Address20, str, list[Any], str]] = [
    (ONT, "name", [], b"ONT Token".hex()),
    (ONG, "name", [0], b"ONG Token".hex()),
    (ONT, "symbol", [], b"ONT".hex()),
    (ONG, "symbol", [], b"ONG".hex()),
    (ONT, "decimals", [], ""),
    (ONG, "decimals", [], "09"),
    (ONT, "decimalsV2", [], "09"),
    (ONG, "decimalsV2", [], "12"),
    (ONT, "totalSupply", [], "00ca9a3b"),
    (ONG, "totalSupply", [], "000064a7b3b6e00d"),
    (ONT, "totalSupplyV2", [], "000064a7b3b6e00d"),
    (ONG, "totalSupplyV2", [], "000000e83c80d09f3c2e3b03"),
    (ONT, "balanceOf", [ANN], "07"),
    (ONT, "balanceOfV2", [ANN], "01863ba101"),
    (ONG, "balanceOf", [ANN], "03"),
    (ONG, "balanceOfV2", [ANN], "025ed0b200"),
    (ONT, "balanceOf", [BEN], ""),
    (ONG, "balanceOfV2", [BEN], ""),
    (ONT, "allowance", [Struct([ANN, BEN])], "02"),
    (ONT, "allowanceV2", [Struct([ANN, BEN])], "04943577"),
    (ONT, "allowance", [Struct([BEN, ANN])], ""),
    (ONG, "allowance", [Struct([ANN, BEN])], ""),
    (ONT, "totalAllowance", [ANN], "05"),
    (ONT, "totalAllowanceV2", [ANN], "06f2052a01"),
    (ONG, "totalAllowance", [ANN], ""),
]


@pytest.mark.parametrize(
    ("contract", "method", "arguments", "answer"),
    ANSWERS,
    ids=[f"{TOKENS[it[0]].symbol}-{it[1]}-{number}" for number, it in enumerate(ANSWERS)],
)
@pytest.mark.parametrize("charge", [True, False])
def test_answers(
    contract: Address20, method: str, arguments: list[Any], answer: str, *, charge: bool
) -> None:
    """Every question is answered, in whole units with their parts cut off, or in scaled ones."""
    state = new_state({ANN: 7 * UNIT + 1}, {ANN: 3 * UNIT + 2})
    ledger = OntLedger(state)
    ledger.set_allowance(ONT, ANN, BEN, 2 * UNIT + 4)
    ledger.set_allowance(ONT, ANN, CAT, 3 * UNIT + 2)
    before = root(state)
    found = ask(state, contract, method, *arguments, charge=charge)
    assert isinstance(found, bytes)
    assert found.hex() == answer
    assert root(state) == before


def test_every_method_is_there() -> None:
    """No method that can be read lacks what it does."""
    asked = {method for _, method, _, _ in ANSWERS}
    done = {
        f"{name}{version}"
        for name in ("transfer", "approve", "transferFrom")
        for version in ("", "V2")
    }
    assert asked | done == set(METHODS)


ALLOWED = "[TransferFrom] approve balance insufficient: balance sub underflow: "
NO_ADDRESS = "[Common]: AddressParseFromBytes err, len != 20"
ENTRY = Struct([ANN, BEN])

REFUSALS: list[tuple[Address20, str, Any, str]] = [
    (ONT, "transfer", Array([Struct([BEN, ANN, 1])]), "authentication failed!"),
    (ONG, "transferV2", Array([Struct([BEN, ANN, 1])]), "authentication failed!"),
    (ONT, "approve", Struct([BEN, ANN, 0]), "authentication failed!"),
    (ONG, "approveV2", Struct([BEN, ANN, 0]), "authentication failed!"),
    (ONT, "transferFrom", Struct([BEN, ANN, BEN, 1]), "authentication failed!"),
    (ONG, "transferFrom", Struct([BEN, ANN, BEN, 1]), "authentication failed!"),
    (
        ONT,
        "transfer",
        Array([Struct([ANN, BEN, 1_001])]),
        short(ANN, ONT, 1_000 * UNIT, 1_001 * UNIT),
    ),
    (
        ONG,
        "transferV2",
        Array([Struct([ANN, BEN, 1_000 * COIN + 1])]),
        short(ANN, ONG, 1_000 * COIN, 1_000 * COIN + 1),
    ),
    (ONT, "transferFrom", Struct([ANN, CAT, ANN, 4]), short(CAT, ONT, 0, 4 * UNIT)),
    (ONT, "transferFrom", Struct([ANN, CAT, ANN, 5]), ALLOWED + "a: 4000000000, b: 5000000000"),
    (ONG, "transferFromV2", Struct([ANN, CAT, ANN, 5]), ALLOWED + "a: 0, b: 5"),
    (
        ONT,
        "transfer",
        Array([Struct([BEN, ANN, 10**9 + 1])]),
        "transfer ont amount:{1000000001000000000} over totalSupply:1000000000",
    ),
    (
        ONT,
        "transferV2",
        Array([Struct([BEN, ANN, COIN + 1])]),
        "transfer ont amount:{1000000000000000001} over totalSupply:1000000000",
    ),
    (
        ONT,
        "transferFrom",
        Struct([BEN, ANN, BEN, 10**9 + 1]),
        "transferFrom ont amount:1000000001 over totalSupply:1000000000",
    ),
    (
        ONT,
        "transferFromV2",
        Struct([BEN, ANN, BEN, COIN + 1]),
        "transferFrom ont amount:{1000000000000000001} over totalSupply:1000000000",
    ),
    (
        ONT,
        "approve",
        Struct([BEN, ANN, 10**9 + 1]),
        "approve ont amount:1000000001 over totalSupply:1000000000",
    ),
    (
        ONT,
        "approveV2",
        Struct([BEN, ANN, COIN + 1]),
        "approve ont amount:{1000000000000000001} over totalSupply:1000000000",
    ),
    (
        ONG,
        "transfer",
        Array([Struct([BEN, ANN, COIN + 1])]),
        "transfer ong amount:{1000000000000000001000000000} over totalSupply:1000000000000000000",
    ),
    (
        ONG,
        "transferFromV2",
        Struct([BEN, ANN, BEN, 10**27 + 1]),
        "approve ong amount:{1000000000000000000000000001} over totalSupply:1000000000000000000",
    ),
    (
        ONT,
        "transferV2",
        Array([Struct([BEN, ANN, b"\x7f" * 2_000])]),
        "transfer ont amount:{2^15998 or more} over totalSupply:1000000000",
    ),
    (
        ONG,
        "approve",
        Struct([BEN, ANN, COIN + 1]),
        f"approve ong amount:{{{COIN + 1}000000000}} over totalSupply:{10**27}",
    ),
    (
        ONT,
        "transfer",
        Array([ENTRY]),
        "[Transfer] TransferStates deserialize error!: unexpected EOF",
    ),
    (
        ONT,
        "transferV2",
        Array([Struct([ANN, BEN, -1])]),
        "[Transfer] TransferStates deserialize error!: nagative value",
    ),
    (ONT, "transfer", -1, "[Transfer] TransferStates deserialize error!: value not uint64"),
    (
        ONG,
        "transfer",
        Array([Struct([ANN, BEN, 2**64])]),
        "[OngTransfer] TransferStates deserialize error!: value not uint64",
    ),
    (ONT, "approve", ENTRY, "[OntApprove] state deserialize error!: unexpected EOF"),
    (ONG, "approveV2", ENTRY, "[OngApprove] state deserialize error!: unexpected EOF"),
    (
        ONT,
        "transferFrom",
        Struct([ANN, BEN, 1]),
        "[OntTransferFrom] State deserialize error!: " + NO_ADDRESS,
    ),
    (
        ONG,
        "transferFromV2",
        Struct([ANN, BEN, CAT]),
        "[OntTransferFrom] State deserialize error!: unexpected EOF",
    ),
    (
        ONT,
        "balanceOf",
        ANN[1:],
        "[GetBalanceValue] get from address error!: " + NO_ADDRESS,
    ),
    (ONG, "allowanceV2", ANN, "[GetBalanceValue] get from address error!: unexpected EOF"),
    (
        ONG,
        "totalAllowance",
        Struct([]),
        "[TotalAllowance] get from address error!: unexpected EOF",
    ),
    (ONT, "init", 0, "Init ont has been completed!"),
    (ONG, "init", 0, "Init ong has been completed!"),
]


@pytest.mark.parametrize(
    ("contract", "method", "argument", "reason"),
    REFUSALS,
    ids=[f"{TOKENS[it[0]].symbol}-{it[1]}-{number}" for number, it in enumerate(REFUSALS)],
)
def test_refusals(contract: Address20, method: str, argument: Any, reason: str) -> None:
    """What is refused is refused in the node's words and changes nothing."""
    state = new_state()
    OntLedger(state).set_allowance(ONT, CAT, ANN, 4 * UNIT)
    before = root(state)
    done = run(state, build_call(contract, method, argument))
    assert (done.succeeded, done.result, done.events) == (False, None, ())
    assert done.reason == SERVICE + INVOKE + reason
    assert root(state) == before


UNKNOWN = [
    (ONT, "mint", f"Native contract {ONT.hex()} doesn't support this function mint."),
    (ONG, "transferV3", f"Native contract {ONG.hex()} doesn't support this function transferV3."),
    (
        ONG,
        "unboundOngToGovernance",
        f"Native contract {ONG.hex()} doesn't support this function unboundOngToGovernance.",
    ),
    (
        Address20(bytes(19) + b"\5"),
        "transfer",
        f"Native contract address {bytes(19).hex()}05 haven't been registered.",
    ),
]


@pytest.mark.parametrize(("contract", "method", "reason"), UNKNOWN)
def test_what_nobody_has(contract: Address20, method: str, reason: str) -> None:
    """A contract or a method that the node does not have either fails as there."""
    done = run(new_state(), build_call(contract, method))
    assert (done.succeeded, done.reason) == (False, SERVICE + reason)


NOT_HERE = [
    *((contract, name) for name, contract in NATIVE_CONTRACTS.items() if contract not in TOKENS),
    (ONT, "governance"),
]


@pytest.mark.parametrize(("contract", "name"), NOT_HERE, ids=[name for _, name in NOT_HERE])
def test_what_is_not_here(contract: Address20, name: str) -> None:
    """What a node has and this chain has not is said to be missing; nothing is done before it."""
    state = new_state()
    before = root(state)
    code = transfer(ANN, BEN, 1) + build_call(contract, "unboundOngToGovernance")
    with pytest.raises(Unsupported, match=name) as refusal:
        run(state, code)
    assert "on this chain" in refusal.value.reason
    assert root(state) == before


FROM = Address20(bytes.fromhex(vectors("accounts")[0]["address_bytes"]))
TO = Address20(bytes.fromhex(vectors("accounts")[1]["address_bytes"]))
PUBLISHED: list[tuple[str, str, list[tuple[Any, ...]]]] = [
    ("ont_transfer_1", "01", [(ONT, FROM, TO, UNIT)]),
    ("ong_transfer_1_5", "01", [(ONG, FROM, TO, 15 * 10**17)]),
    ("ont_transfer_other_payer", "01", [(ONT, FROM, TO, 16 * UNIT)]),
    ("ong_approve", "01", []),
    ("ong_transfer_from", "01", [(ONG, FROM, TO, COIN)]),
    ("ong_withdraw_unbound", "01", [(ONG, ONT, FROM, 1_000 * UNIT)]),
    ("ont_balance_of", "1027", []),
    ("ont_allowance", "07", []),
    ("ont_decimals", "", []),
    ("ts_ont_transfer_1", "01", [(ONT, FROM, TO, UNIT)]),
    ("ts_ong_transfer_v2", "01", [(ONG, FROM, TO, 15 * 10**17 + 1)]),
    ("ts_ont_transfer_v2", "01", [(ONT, FROM, TO, 15 * 10**8 + 1)]),
    ("ts_withdraw_ong", "01", [(ONG, ONT, FROM, 1_000 * UNIT)]),
    ("ts_withdraw_ong_v2", "01", [(ONG, ONT, FROM, 1_000 * UNIT + 1)]),
    ("ts_balanceOfV2", "0000e8890423c78a00", []),
    ("ts_allowanceV2", "000064a7b3b6e00d", []),
    ("ts_balanceOf", "1027", []),
    ("ts_transfer_16", "01", [(ONT, FROM, TO, 16 * UNIT)]),
]


@pytest.mark.parametrize(
    ("name", "answer", "told"), PUBLISHED, ids=[name for name, _, _ in PUBLISHED]
)
@pytest.mark.parametrize("charge", [True, False])
def test_published_transactions(
    name: str, answer: str, told: list[tuple[Any, ...]], *, charge: bool
) -> None:
    """What SDKs wrote does what they wrote it for, and costs what they offer.

    Questions offer no gas: they are for trials.
    """
    state = new_state({FROM: 10_000 * UNIT}, {FROM: 10 * COIN, TO: COIN, ONT: COIN})
    ledger = OntLedger(state)
    ledger.set_allowance(ONT, FROM, TO, 7 * UNIT)
    ledger.set_allowance(ONG, FROM, TO, COIN)
    ledger.set_allowance(ONG, ONT, FROM, COIN)
    sent = decode_transaction(bytes.fromhex(named_transaction(name)["raw"]))
    done = execute(
        sent,
        state,
        witnesses=claimed_signers(sent) or frozenset({sent.payer}),
        timestamp=LATER,
        deadline=0,
        charge=charge,
    )
    if charge and not sent.gas_limit:
        assert done.reason == "[NeoVmService] insufficient gas for transaction!"
        return
    assert (done.succeeded, done.reason, done.gas) == (True, None, 20_000)
    assert isinstance(done.result, bytes)
    assert done.result.hex() == answer
    fee = sent.gas_price * 20_000 * UNIT
    paid = [(ONG, sent.payer, GOVERNANCE_CONTRACT, fee)] if charge and fee else []
    released = [(ONG, ONT, FROM, COIN)] if told and told[0][0] == ONT else []
    assert moves(done) == [*released, *told, *paid]
