from typing import Any

import pytest

from tests.dialects.ontology.stand import Client, Stand
from tests.dialects.ontology.vectors import vectors
from twisted_chainws.dialects.ontology.tokens import ONG_CONTRACT, ONT_CONTRACT
from twisted_chainws.errors import SourceUnavailable

ONE, TWO = vectors("accounts")
NAME, REVERSED = ONE["address_base58"], ONE["address_hex_reversed"]
ADDRESS = "0x" + ONE["address_bytes"]
OTHER = "0x" + TWO["address_bytes"]


def client(**answers: Any) -> Client:
    """Connect to a server whose source gives these answers."""
    stand = Stand()
    stand.answers = {f"ontology_{word}": answer for word, answer in answers.items()}
    return stand.client()


@pytest.mark.parametrize(
    ("action", "ont", "ong"),
    [
        ("getbalance", "2500", "1000000000"),
        ("getbalancev2", "2500999999999", "1000000000999999999"),
    ],
)
def test_balances(action: str, ont: str, ong: str) -> None:
    """Texts of digits, whole units cut off or scaled ones, and the height they were read at."""
    asking = client(balance={"ont": hex(2500999999999), "ong": hex(10**18 + 999_999_999)})
    found = asking.result(action, Addr=NAME)
    assert list(found.items()) == [("ont", ont), ("ong", ong), ("height", "2")]
    (question,) = asking.stand.asked
    assert (question.method, question.params["address"]) == ("ontology_balance", ADDRESS)


@pytest.mark.parametrize("action", ["getbalance", "getbalancev2"])
def test_unknown_accounts(action: str) -> None:
    """Who is unknown has nothing, which is no error."""
    asking = client(balance={"ont": "0x0", "ong": "0x0"})
    assert asking.result(action, Addr=NAME) == {"ont": "0", "ong": "0", "height": "2"}


@pytest.mark.parametrize("action", ["getbalance", "getbalancev2"])
@pytest.mark.parametrize(
    "members", [{}, {"Addr": None}, {"Addr": ""}, {"Addr": "A"}, {"Addr": REVERSED}]
)
def test_balances_of_nobody(action: str, members: Any) -> None:
    """Only base58 is taken."""
    asking = client()
    assert asking.refusal(action, **members) == (42002, "")
    assert asking.stand.asked == []


@pytest.mark.parametrize(
    ("action", "shown"), [("getallowance", "1"), ("getallowancev2", "1999999999")]
)
@pytest.mark.parametrize(("asset", "contract"), [("ont", ONT_CONTRACT), ("ONG", ONG_CONTRACT)])
def test_allowances(action: str, shown: str, asset: str, contract: bytes) -> None:
    """Of either token, addresses in either form, whole units cut off or scaled ones."""
    asking = client(allowance=hex(1_999_999_999))
    members = {"Asset": asset, "From": REVERSED, "To": TWO["address_base58"]}
    assert asking.result(action, **members) == shown
    (question,) = asking.stand.asked
    assert question.method == "ontology_allowance"
    assert question.params == {
        "at": "0x" + asking.stand.chain.head.hash.hex(),
        "contract": "0x" + contract.hex(),
        "owner": ADDRESS,
        "spender": OTHER,
    }


COMPLETE = {"Asset": "ont", "From": NAME, "To": NAME}


@pytest.mark.parametrize("action", ["getallowance", "getallowancev2"])
@pytest.mark.parametrize("member", COMPLETE)
@pytest.mark.parametrize("value", [None, 5, "", "nonsense"])
def test_incomplete_allowances(action: str, member: str, value: Any) -> None:
    """Each of the three is needed."""
    asking = client()
    assert asking.refusal(action, **COMPLETE | {member: value}) == (42002, "")
    without = {name: text for name, text in COMPLETE.items() if name != member}
    assert asking.refusal(action, **without) == (42002, "")


@pytest.mark.parametrize("text", [NAME, REVERSED])
def test_unbound_ong(text: str) -> None:
    """What ONT's contract allows an account to take, in 10^-9 ONG."""
    asking = client(allowance=hex(5 * 10**9 + 1))
    assert asking.result("getunboundong", Addr=text) == "5"
    (question,) = asking.stand.asked
    assert question.params == {
        "at": "0x" + asking.stand.chain.head.hash.hex(),
        "contract": "0x" + ONG_CONTRACT.hex(),
        "owner": "0x" + ONT_CONTRACT.hex(),
        "spender": ADDRESS,
    }


@pytest.mark.parametrize("text", [NAME, REVERSED])
def test_grant_ong(text: str) -> None:
    """A text of digits, also where it is zero."""
    asking = client(grant="0x7")
    assert asking.result("getgrantong", Addr=text) == "7"
    (question,) = asking.stand.asked
    assert (question.method, question.params["address"]) == ("ontology_grant", ADDRESS)
    asking.stand.answers["ontology_grant"] = "0x0"
    assert asking.result("getgrantong", Addr=text) == "0"


@pytest.mark.parametrize("action", ["getunboundong", "getgrantong"])
@pytest.mark.parametrize("members", [{}, {"Addr": None}, {"Addr": ""}, {"Addr": 40 * "g"}])
def test_ong_of_nobody(action: str, members: Any) -> None:
    """There has to be an account."""
    assert client().refusal(action, **members) == (42002, "")


def test_a_source_that_fails() -> None:
    """Is an internal error that says so."""
    asking = client(grant=SourceUnavailable(reason="gone"))
    assert asking.refusal("getgrantong", Addr=NAME) == (45001, "node is not available: gone")
