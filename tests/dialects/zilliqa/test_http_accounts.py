"""Methods about accounts, and the one that sends."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.dialects.zilliqa.caller import Caller
from tests.dialects.zilliqa.vectors import derivation
from tests.strategies import make_chain
from twisted_chainws import errors
from twisted_chainws.chain.model import Kind
from twisted_chainws.dialects.zilliqa.address import decode_checksum, encode_ethereum_checksum
from twisted_chainws.dialects.zilliqa.http_accounts import decode_request
from twisted_chainws.dialects.zilliqa.transaction import decode_transaction, is_authentic

KEY = derivation("keys")[1]
ADDRESS = "0x" + KEY["address"]
SAMPLE = derivation("payment_tx")


def request() -> dict[str, Any]:
    """Return the published payment as it is sent."""
    params = {name: value for name, value in SAMPLE["params"].items() if name != "chain_id"}
    return params | {"signature": SAMPLE["signature_example"]}


def with_accounts(**accounts: Any) -> Caller:
    """Return a caller to whom the sample address is such an account."""
    caller = Caller(make_chain(1))
    caller.accounts = {ADDRESS: (0, 0, "0x")} | accounts
    return caller


@pytest.mark.parametrize("text", [KEY["address"], ADDRESS, KEY["checksum"], KEY["bech32"]])
def test_balance(text: str) -> None:
    """A balance is told in Qa, parts of one cut off; the nonce is a number."""
    caller = with_accounts()
    caller.accounts[ADDRESS] = (1_999_999, 3, "0x")
    assert caller.ask("GetBalance", text) == {"balance": "1", "nonce": 3}


@pytest.mark.parametrize("account", [(1, 0, "0x"), (0, 1, "0x"), (0, 0, "0x60")])
def test_what_makes_an_account(account: tuple[int, int, str]) -> None:
    """Coin, a nonce or code: one of them is enough."""
    caller = with_accounts()
    assert caller.refused("GetBalance", ADDRESS) == (-5, "Account is not created")
    caller.accounts[ADDRESS] = account
    assert caller.ask("GetBalance", ADDRESS)["nonce"] == account[1]


def test_contracts() -> None:
    """Code is that of the EVM; init parameters it has none."""
    caller = with_accounts()
    for method in ("GetSmartContractCode", "GetSmartContractInit"):
        assert caller.refused(method, ADDRESS) == (-5, "Address does not exist")
        assert caller.refused(method, "ab") == (-8, "Address size not appropriate")
        caller.accounts[ADDRESS] = (5, 0, "0x")
        assert caller.refused(method, ADDRESS) == (-5, "Address not contract address")
        caller.accounts[ADDRESS] = (0, 0, "0x")
    caller.accounts[ADDRESS] = (0, 1, "0x6001")
    assert caller.ask("GetSmartContractCode", ADDRESS) == {"code": "6001", "type": "evm"}
    assert caller.refused("GetSmartContractInit", ADDRESS)[0] == -32600


def test_a_payment_is_sent() -> None:
    """The published payment reaches the source as the node keeps it, signature and all."""
    caller = with_accounts()
    answer = caller.ask("CreateTransaction", request())
    assert answer == {"Info": "Txn processed", "TranID": "ab" * 32}
    (submitted,) = caller.submitted
    assert submitted.kind is Kind.ZILLIQA
    transaction = decode_transaction(submitted.raw)
    assert transaction.id.hex() == SAMPLE["ID"]
    assert is_authentic(transaction)


def test_a_refused_payment() -> None:
    """What the source finds wrong is told in the node's words."""
    caller = with_accounts()
    caller.refusal = errors.NonceTooHigh(next_nonce=4, nonce=9)
    assert caller.refused("CreateTransaction", request()) == (-8, "Expected Nonce: 4")


@pytest.mark.parametrize(
    "changes",
    [
        {"code": None, "data": None, "priority": False},
        {"priority": True},
        {"nonce": 2.0},
        {"version": float(SAMPLE["params"]["version"])},
        {"toAddr": "29e562f73488c8a2bB9Dbc5700b361D54b9B0554"},
        {"toAddr": encode_ethereum_checksum(decode_checksum(SAMPLE["params"]["toAddr"]))},
    ],
)
def test_ways_to_say_the_same(changes: Mapping[str, Any]) -> None:
    """Null is no text, whole numbers are integral, both checksum cases are right."""
    assert decode_request({**request(), **changes}).id.hex() == SAMPLE["ID"]


@pytest.mark.parametrize(
    ("changes", "code", "message"),
    [
        ({"extra": 1}, -8, "Missing components in Json Data Object"),
        ({"nonce": "2"}, -8, "Nonce is not integral"),
        ({"nonce": 2.5}, -8, "Nonce is not integral"),
        ({"nonce": True}, -8, "Nonce is not integral"),
        ({"amount": 5, "version": "1"}, -8, "Amount invalid string"),
        ({"amount": "1.5"}, -8, "Amount invalid string"),
        ({"amount": str(2**128)}, -8, "Amount invalid string"),
        ({"amount": "9" * 10_000}, -8, "Amount invalid string"),
        ({"version": "65537", "pubKey": ""}, -8, "Version not integral"),
        ({"pubKey": "0x" + "02" * 33, "signature": ""}, -8, "Invalid PubKey Size"),
        ({"pubKey": None}, -8, "Invalid PubKey Size"),
        ({"signature": "00", "toAddr": ""}, -8, "Invalid Signature size"),
        (
            {"toAddr": SAMPLE["params"]["toAddr"].lower(), "priority": 1},
            -8,
            "To Addr checksum wrong",
        ),
        ({"toAddr": None}, -8, "To Addr checksum wrong"),
        ({"priority": 1}, -8, "Priority should be boolean"),
        ({"gasPrice": 5}, -1, "Unable to Process"),
        ({"gasLimit": "many"}, -1, "Unable to Process"),
        ({"gasLimit": str(2**64)}, -1, "Unable to Process"),
        ({"nonce": -1}, -1, "Unable to Process"),
        ({"nonce": 2.0**64}, -1, "Unable to Process"),
        ({"version": 2**32}, -1, "Unable to Process"),
        ({"pubKey": "zz" * 33}, -1, "Unable to Process"),
        ({"signature": "zz" * 64}, -1, "Unable to Process"),
        ({"data": {}}, -1, "Unable to Process"),
        ({"code": 5}, -1, "Unable to Process"),
    ],
)
def test_malformed_payments(changes: Mapping[str, Any], code: int, message: str) -> None:
    """Mistakes are told in the order in which the node looks for them."""
    caller = with_accounts()
    assert caller.refused("CreateTransaction", {**request(), **changes}) == (code, message)
    assert caller.submitted == []


@pytest.mark.parametrize("name", list(request()))
def test_each_member_is_needed(name: str) -> None:
    """A payment without one of its members is refused."""
    given = request()
    del given[name]
    refused = with_accounts().refused("CreateTransaction", given)
    assert refused == (-8, "Missing components in Json Data Object")


def test_the_payment_must_be_in_a_list() -> None:
    """SDKs that send the object itself are told, and send a list then."""
    caller = with_accounts()
    body = b'{"id":1,"method":"CreateTransaction","params":{"version":1}}'
    assert b'"INVALID_PARAMS: Invalid method parameters (invalid name and/or type) recognised"' in (
        caller.post(body)
    )
