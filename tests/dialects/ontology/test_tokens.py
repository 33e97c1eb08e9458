from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.dialects.ontology.strategies import addresses
from tests.dialects.ontology.vectors import named_transaction, vectors
from twisted_chainws.chain.model import NamedEvent, NamedParam
from twisted_chainws.chain.types import Address20
from twisted_chainws.dialects.ontology import tokens
from twisted_chainws.dialects.ontology.script import native_calls
from twisted_chainws.dialects.ontology.tokens import (
    METHODS,
    AccountQuery,
    AllowanceQuery,
    Approval,
    ApprovedTransfer,
    ConstantQuery,
    Transfer,
    Transfers,
    decode_request,
)
from twisted_chainws.dialects.ontology.values import Array, Budget, Struct, encode_argument

FROM = Address20(bytes.fromhex(vectors("accounts")[0]["address_bytes"]))
TO = Address20(bytes.fromhex(vectors("accounts")[1]["address_bytes"]))
ONT = tokens.ONT_CONTRACT


def request(method: str, argument: Any) -> tokens.Request:
    """Ask a method with a value."""
    return decode_request(METHODS[method], encode_argument(argument, Budget()))


def test_native_contracts() -> None:
    """Every native contract is known by its address."""
    samples = {name: item["bytes"] for name, item in vectors("native_contracts").items()}
    assert {name: item.hex() for name, item in tokens.NATIVE_CONTRACTS.items()} == samples


CLAIM = Transfer(source=ONT, target=FROM, amount=1_000 * 10**9)
SAMPLES: list[tuple[str, tokens.Request]] = [
    ("ont_transfer_1", Transfers(items=(Transfer(source=FROM, target=TO, amount=10**9),))),
    ("ong_transfer_1_5", Transfers(items=(Transfer(source=FROM, target=TO, amount=15 * 10**17),))),
    ("ts_transfer_16", Transfers(items=(Transfer(source=FROM, target=TO, amount=16 * 10**9),))),
    (
        "ts_ong_transfer_v2",
        Transfers(items=(Transfer(source=FROM, target=TO, amount=15 * 10**17 + 1),)),
    ),
    (
        "ts_ont_transfer_v2",
        Transfers(items=(Transfer(source=FROM, target=TO, amount=15 * 10**8 + 1),)),
    ),
    ("ong_approve", Approval(owner=FROM, spender=TO, amount=10**18)),
    (
        "ong_transfer_from",
        ApprovedTransfer(spender=TO, transfer=Transfer(source=FROM, target=TO, amount=10**18)),
    ),
    ("ong_withdraw_unbound", ApprovedTransfer(spender=FROM, transfer=CLAIM)),
    ("ts_withdraw_ong", ApprovedTransfer(spender=FROM, transfer=CLAIM)),
    ("ont_balance_of", AccountQuery(account=FROM)),
    ("ts_balanceOfV2", AccountQuery(account=FROM)),
    ("ont_allowance", AllowanceQuery(owner=FROM, spender=TO)),
    ("ts_allowanceV2", AllowanceQuery(owner=FROM, spender=TO)),
    ("ont_decimals", ConstantQuery()),
]


@pytest.mark.parametrize(("name", "expected"), SAMPLES, ids=[name for name, _ in SAMPLES])
def test_published_requests(name: str, expected: tokens.Request) -> None:
    """What SDKs ask for is read, all amounts in scaled units."""
    [call] = native_calls(bytes.fromhex(named_transaction(name)["invoke_code"]))
    method = METHODS[call.method]
    assert decode_request(method, call.arguments) == expected
    assert decode_request(method, call.arguments + b"more") == expected
    assert method.is_scaled is call.method.endswith("V2")


@given(st.lists(st.tuples(addresses, addresses, st.integers(0, 2**64 - 1)), max_size=5))
def test_transfers(entries: list[tuple[Address20, Address20, int]]) -> None:
    """A transfer has any number of entries; the two versions differ by the scale."""
    argument = Array([Struct([*entry]) for entry in entries])
    whole, scaled = request("transfer", argument), request("transferV2", argument)
    assert isinstance(whole, Transfers)
    assert isinstance(scaled, Transfers)
    assert [(it.source, it.target, it.amount) for it in scaled.items] == entries
    assert [it.amount for it in whole.items] == [it.amount * 10**9 for it in scaled.items]


NAMES = [
    *("name", "symbol", "decimals", "totalSupply", "transfer", "approve", "transferFrom"),
    *("balanceOf", "allowance", "totalAllowance", "decimalsV2", "totalSupplyV2", "transferV2"),
    *("approveV2", "transferFromV2", "balanceOfV2", "allowanceV2", "totalAllowanceV2"),
]


def test_methods() -> None:
    """The contracts have these methods and no others."""
    assert sorted(METHODS) == sorted(NAMES)


BAD: list[tuple[str, Any, str]] = [
    ("transfer", Array([Struct([FROM, TO])]), "unexpected EOF"),
    ("transfer", Array([Struct([FROM[1:], TO, 1])]), "AddressParseFromBytes err, len != 20"),
    ("transfer", Array([Struct([FROM, TO, -1])]), "value not uint64"),
    ("transfer", Array([Struct([FROM, TO, 2**64])]), "value not uint64"),
    ("transferV2", Array([Struct([FROM, TO, -1])]), "nagative value"),
    ("transferV2", -1, "value not uint64"),
    ("transfer", 2**63, "unexpected EOF"),
    ("approve", Struct([FROM, TO]), "unexpected EOF"),
    ("transferFrom", Struct([FROM, TO, 1]), "AddressParseFromBytes"),
    ("balanceOf", 1, "AddressParseFromBytes"),
    ("allowance", FROM, "unexpected EOF"),
]


@pytest.mark.parametrize(("method", "argument", "reason"), BAD)
def test_bad_arguments(method: str, argument: Any, reason: str) -> None:
    """Arguments that are not those of the method are refused with the reason."""
    with pytest.raises(ValueError, match=reason):
        request(method, argument)


def test_no_entries() -> None:
    """A transfer of nothing is one without entries."""
    assert request("transfer", b"") == request("transfer", Array()) == Transfers(items=())


STORED = [
    (0, ""),
    (10**9, "0100000000000000"),
    (2_500 * 10**9, "c409000000000000"),
    (1_500_000_001, "012f6859"),
    (1, "01"),
    (128, "8000"),
    ((2**64 - 1) * 10**9, "ffffffffffffffff"),
]


@pytest.mark.parametrize(("amount", "stored"), STORED)
def test_stored(amount: int, stored: str) -> None:
    """Whole amounts are kept in 8 bytes, others as a number, and zero is not kept."""
    assert tokens.encode_stored(amount).hex() == stored


def test_answers() -> None:
    """Methods of the first version cut parts of their units off."""
    assert tokens.encode_answer(METHODS["balanceOf"], 16 * 10**9 + 5) == b"\x10"
    assert tokens.encode_answer(METHODS["balanceOf"], 5) == b""
    assert tokens.encode_answer(METHODS["balanceOfV2"], 5) == b"\5"


def test_split() -> None:
    """An amount is whole units and what is left."""
    assert tokens.split_amount(1_500_000_001) == (1, 500_000_001)


def test_supplies() -> None:
    """Both tokens have 10^9 coins."""
    for token in tokens.TOKENS.values():
        assert token.total_supply == 10**9 * 10 ** (token.decimals + 9)
    assert {it.symbol: it.name for it in tokens.TOKENS.values()} == {
        "ONT": "ONT Token",
        "ONG": "ONG Token",
    }


def test_event() -> None:
    """A transfer tells of both parties and the scaled amount."""
    event = tokens.transfer_event(ONT, CLAIM)
    assert event == NamedEvent(
        address=ONT,
        name="transfer",
        params=(
            NamedParam(name="from", type="address", value=ONT),
            NamedParam(name="to", type="address", value=FROM),
            NamedParam(name="amount", type="uint256", value=10**12),
        ),
    )
