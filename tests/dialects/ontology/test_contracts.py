from typing import Any

import pytest

from tests.dialects.ontology.stand import Stand
from tests.dialects.ontology.vectors import vectors
from twisted_chainws.dialects.ontology.address import encode_base58, encode_reversed
from twisted_chainws.dialects.ontology.binary_codec import Reader
from twisted_chainws.dialects.ontology.contracts import DEPLOYED
from twisted_chainws.dialects.ontology.transaction import read_deploy
from twisted_chainws.errors import SourceUnavailable

ONT = {
    "Code": "0000000000000000000000000000000000000001",
    "VmType": 1,
    "Name": "ONT",
    "CodeVersion": "1.0",
    "Author": "Ontology Team",
    "Email": "contact@ont.io",
    "Description": "Ontology Network ONT Token",
}
OTHERS = [
    (2, "ONG", "Ontology Network ONG Token"),
    (4, "ParamConfig", "Chain Global Environment Variables Manager "),
    (3, "OID", "Ontology Network ONT ID"),
    (6, "AuthContract", "Ontology Network Authorization Contract"),
    (7, "CONFIG", "Ontology Network Consensus Config"),
]
STRANGER = vectors("accounts")[0]["address_base58"]


def test_order() -> None:
    """That of genesis."""
    assert [address[-1] for address in DEPLOYED] == [1, 2, 4, 3, 6, 7]


@pytest.mark.parametrize("text", ["01" + 38 * "0", "AFmseVrdL9f9oyCzZefL9tG6UbvhUMqNMV"])
def test_ont(text: str) -> None:
    """Shown member by member; the code is the address, not reversed."""
    found = Stand().client().result("getcontract", Hash=text, Raw=0)
    assert list(found.items()) == list(ONT.items())


@pytest.mark.parametrize(("number", "name", "description"), OTHERS)
def test_others(number: int, name: str, description: str) -> None:
    """The other five differ in code, name and description."""
    found = Stand().client().result("getcontract", Hash=f"{number:02}" + 38 * "0")
    code = 38 * "0" + f"{number:02}"
    assert found == ONT | {"Code": code, "Name": name, "Description": description}


@pytest.mark.parametrize("address", DEPLOYED, ids=lambda it: str(it[-1]))
def test_deployments(address: bytes) -> None:
    """Bytes are those of the deployment, under whose address it is found, too."""
    client, contract = Stand().client(), DEPLOYED[address]  # type: ignore[index]
    raw = client.result("getcontract", Hash=encode_reversed(address), Raw=1)
    assert read_deploy(Reader(bytes.fromhex(raw))) == contract
    for text in (encode_base58(contract.address), encode_reversed(contract.address)):
        assert client.result("getcontract", Hash=text, Raw="1") == raw


@pytest.mark.parametrize("text", [STRANGER, "05" + 38 * "0", "08" + 38 * "0", 40 * "0"])
def test_unknown_contracts(text: str) -> None:
    """Are an internal error, as in nodes."""
    assert Stand().client().refusal("getcontract", Hash=text) == (45001, "")


@pytest.mark.parametrize("members", [{}, {"Hash": None}, {"Hash": ""}, {"Hash": "nonsense"}])
def test_no_contracts(members: Any) -> None:
    """There has to be an address."""
    client = Stand().client()
    assert client.refusal("getcontract", **members) == (42002, "")
    assert client.refusal("getstorage", Key="", **members) == (42002, "")


@pytest.mark.parametrize(("answer", "shown"), [("0x0102", "0102"), ("0x", "")])
def test_storage(answer: str, shown: str) -> None:
    """What is stored, or an empty text."""
    stand = Stand()
    stand.answers["ontology_storage"] = answer
    found = stand.client().result("getstorage", Hash="01" + 38 * "0", Key="0aFF")
    assert found == shown
    (question,) = stand.asked
    assert question.method == "ontology_storage"
    assert question.params["contract"] == "0x" + 38 * "0" + "01"
    assert question.params["key"] == "0x0aff"


def test_storage_under_no_key() -> None:
    """An empty key is one."""
    stand = Stand()
    stand.answers["ontology_storage"] = "0x"
    assert stand.client().result("getstorage", Hash=STRANGER, Key="") == ""
    assert stand.asked[0].params["key"] == "0x"


@pytest.mark.parametrize("members", [{}, {"Key": None}, {"Key": 5}, {"Key": "0"}, {"Key": "zz"}])
def test_no_keys(members: Any) -> None:
    """Where nodes drop the connection, and where they do not, it is a wrong parameter."""
    assert Stand().client().refusal("getstorage", Hash=STRANGER, **members) == (42002, "")


def test_a_source_that_fails() -> None:
    """Is an internal error."""
    stand = Stand()
    stand.answers["ontology_storage"] = SourceUnavailable(reason="gone")
    assert stand.client().refusal("getstorage", Hash=STRANGER, Key="")[0] == 45001
