"""The contracts of ONT and ONG: every method, every refusal, and what ONT gives."""

from typing import Any, Final

import pytest

from tests.dialects.ontology.vectors import named_transaction, vectors
from tests.sources.devchain.engine.ont_states import (
    ANN,
    BEN,
    CAT,
    COIN,
    LATER,
    ONG,
    ONT,
    UNIT,
    ask,
    balances,
    exists,
    moves,
    new_state,
    root,
    run,
)
from twisted_chainws.chain.types import Address20
from twisted_chainws.dialects.ontology.address import encode_base58
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
from twisted_chainws.dialects.ontology.unbound import (
    GENESIS_TIME,
    MAIN_NET,
    SOLO,
    holder_deadline,
)
from twisted_chainws.dialects.ontology.values import Array, Struct, Value
from twisted_chainws.errors import Unsupported
from twisted_chainws.sources.devchain.engine.ont_execution import execute
from twisted_chainws.sources.devchain.engine.ont_ledger import OntLedger

SERVICE: Final = (
    "[NeoVmService] service system call error!: [SystemCall] service execution error!: "
)
INVOKE: Final = "[Invoke] Native serivce function execute error!: "
HEX: Final = {ONT: "01" + 38 * "0", ONG: "02" + 38 * "0"}


def transfer(
    source: bytes, target: bytes, amount: int, contract: Address20 = ONT, version: str = ""
) -> bytes:
    """Write a transfer."""
    return build_call(contract, f"transfer{version}", Array([Struct([source, target, amount])]))


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


def short(owner: Address20, contract: Address20, balance: int, amount: int) -> str:
    """Return what is said when an account has too little."""
    return (
        f"[Transfer] balance insufficient. contract:{HEX[contract]}, "
        f"account:{encode_base58(owner)}, fromBalance:{balance},value:{amount}, "
        f"err: balance sub underflow: a: {balance}, b: {amount}"
    )


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


MAIN: Final = holder_deadline(MAIN_NET)
HOLDERS: Final = MAIN + GENESIS_TIME


def claims(state: Any, *accounts: Address20) -> list[int]:
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


def test_clocks_of_old_give_nothing() -> None:
    """Up to Ontology's own genesis nobody was given anything, and nothing is noted."""
    state = new_state()
    for timestamp in (0, GENESIS_TIME):
        run(state, transfer(ANN, BEN, 1), timestamp=timestamp, deadline=MAIN)
    assert OntLedger(state).offset(ANN) == 0
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
