from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.dialects.ontology.stand import Stand
from tests.dialects.ontology.test_decode import json_values
from tests.dialects.ontology.vectors import vectors
from tests.strategies import relaxed
from twisted_chainws import __version__
from twisted_chainws.dialects.ontology import DIALECT, Options
from twisted_chainws.dialects.ontology.envelope import ACTIONS
from twisted_chainws.dialects.outcomes import Fault

ACCOUNT = vectors("accounts")[0]["address_base58"]
MEMBERS = (
    *("Hash", "Height", "Raw", "Addr", "Data", "PreExec", "Key", "Asset", "From", "To"),
    *("SubscribeEvent", "ContractsFilter", "Cursor", "ResumeFrom", "SessionId", "Id", "Version"),
)
PLAIN = (*("0", "1", "00", "ont", ACCOUNT, 64 * "0", 40 * "0"), 0, 1, 1.5, -1, 2**64, True, None)


def test_actions() -> None:
    """All that the envelope lets through have a handler."""
    assert DIALECT.methods.keys() == ACTIONS
    assert len(ACTIONS) == 29


def test_record() -> None:
    """The port, the limits and the order of a node."""
    assert (DIALECT.name, DIALECT.default_port) == ("ontology", 20335)
    assert (DIALECT.replies_in_order, DIALECT.notices_wait, DIALECT.any_path) == (True,) * 3
    assert (DIALECT.subprotocols, DIALECT.http, DIALECT.gather) == (None, None, None)
    assert DIALECT.greeting is None
    limits = DIALECT.limits
    assert (limits.message_bytes, limits.idle_s, limits.connections) == (2**20, 300.0, 3_001)
    assert DIALECT.faults.expired == Fault(code=41001, message="SESSION EXPIRED", data="")
    assert DIALECT.announce(None) == ()  # type: ignore[arg-type]


def test_the_node() -> None:
    """A node alone says that it is connected to one."""
    client = Stand().client()
    assert client.result("getconnectioncount") == 1
    assert client.result("getversion") == f"chainws/v{__version__}"
    assert client.result("getnetworkid") == 3


@pytest.mark.parametrize("network", [1, 2, 3, 1_000_000])
def test_networks(network: int) -> None:
    """Any number is one."""
    client = Stand(options=Options(network=network)).client()
    assert client.result("getnetworkid") == network


def test_sessions() -> None:
    """Who asks counts."""
    stand = Stand()
    first = stand.client()
    assert first.result("getsessioncount") == 1
    second = stand.client()
    assert first.result("getsessioncount") == 2
    first.session.close()
    assert second.result("getsessioncount") == 1


@pytest.mark.parametrize(
    "action",
    [
        *("getblockheight", "getconnectioncount", "getgasprice", "getmempooltxcount"),
        *("getmempooltxhashlist", "getnetworkid", "getsessioncount", "getversion", "heartbeat"),
        "subscribe",
    ],
)
def test_actions_that_need_nothing(action: str) -> None:
    """They do not look at what else is said, and are echoed with whatever id."""
    client = Stand().client()
    members = {"Height": "x", "Hash": "x", "Addr": "x", "SessionId": 5, "unknown": {}}
    for id_ in (7, "x", None, 1.5, {"a": 1}):
        (text,) = client.say(orjson.dumps({"Action": action, "Id": id_} | members))
        reply = orjson.loads(text)
        assert (reply["Action"], reply["Error"], reply["Id"]) == (action, 0, id_)


def test_refused_messages_leave_the_connection_open() -> None:
    """Each gets its reply without an id, and the next request is answered."""
    client = Stand().client()
    codes = []
    for data in (
        b"[]",
        b"null",
        b'{"Action":"nonsense","Id":1}',
        b'{"Action":"heartbeat","Hash":5}',
    ):
        (text,) = client.say(data)
        reply = orjson.loads(text)
        assert reply.keys() == {"Action", "Desc", "Error", "Result", "Version"}
        codes.append(reply["Error"])
    assert codes == [41003, 42001, 42001, 42002]
    assert client.result("getblockheight") == 2


@relaxed
@given(
    action=st.sampled_from(sorted(ACTIONS)),
    members=st.dictionaries(st.sampled_from(MEMBERS), st.sampled_from(PLAIN) | json_values),
)
def test_any_members(action: str, members: dict[str, Any]) -> None:
    """Whatever is said with an action, it is answered, and nothing breaks."""
    stand = Stand()
    stand.answers = {
        "ontology_balance": {"ont": "0x0", "ong": "0x0"},
        "ontology_allowance": "0x0",
        "ontology_storage": "0x",
        "ontology_grant": "0x0",
        "ontology_execute": {},
    }
    try:
        data = orjson.dumps({"Action": action} | members)
    except TypeError:
        return  # an integer that this encoder cannot write
    (text,) = stand.client().say(data)
    assert orjson.loads(text)["Version"] == "1.0.0"
