from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.dialects.ontology.stand import Stand
from tests.dialects.ontology.test_decode import json_values
from twisted_chainws.dialects.ontology.subscribing import encode_subscription, merge
from twisted_chainws.dialects.ontology.topics import TOPICS
from twisted_chainws.subscriptions.interests import Interest

FLAGS = ("SubscribeEvent", "SubscribeJsonBlock", "SubscribeRawBlock", "SubscribeBlockTxHashs")
NOTHING = {"ContractsFilter": None} | dict.fromkeys(FLAGS, False)
ONT = "01" + 38 * "0"


def test_heartbeat_of_a_new_connection() -> None:
    """Nothing is subscribed and no filter was ever said; the bytes are the node's."""
    (text,) = Stand().client().say(b'{"Action":"heartbeat","Version":"V1.0.0","Id":1}')
    assert text == (
        b'{"Action":"heartbeat","Desc":"SUCCESS","Error":0,"Id":1,"Result":{"ContractsFilter":null,'
        b'"SubscribeEvent":false,"SubscribeJsonBlock":false,"SubscribeRawBlock":false,'
        b'"SubscribeBlockTxHashs":false},"Version":"1.0.0"}'
    )


@pytest.mark.parametrize("flag", FLAGS)
def test_each_flag(flag: str) -> None:
    """Is switched on and off by itself; a heartbeat tells the same."""
    client = Stand().client()
    assert client.result("subscribe", **{flag: True}) == NOTHING | {flag: True}
    assert client.result("heartbeat") == NOTHING | {flag: True}
    assert client.result("subscribe", **{flag: False}) == NOTHING
    assert client.result("heartbeat") == NOTHING


def test_merging() -> None:
    """What a request does not say stays as it was."""
    client = Stand().client()
    client.result("subscribe", SubscribeEvent=True, ContractsFilter=[ONT])
    found = client.result("subscribe", SubscribeRawBlock=True)
    assert found == NOTHING | {
        "ContractsFilter": [ONT],
        "SubscribeEvent": True,
        "SubscribeRawBlock": True,
    }
    assert client.result("subscribe") == found
    assert client.result("subscribe", SubscribeEvent=False) == found | {"SubscribeEvent": False}


@pytest.mark.parametrize("value", [None, 0, 1, "true", "", [], {}])
def test_no_flags(value: Any) -> None:
    """What is no boolean says nothing."""
    client = Stand().client()
    client.result("subscribe", SubscribeEvent=True)
    found = client.result("subscribe", **dict.fromkeys(FLAGS, value))
    assert found == NOTHING | {"SubscribeEvent": True}


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ([], []),
        ([ONT], [ONT]),
        ([ONT, ONT, "x", ""], [ONT, ONT, "x", ""]),
        ([1, None, ONT, [ONT], True], [ONT]),
    ],
)
@pytest.mark.parametrize("before", [None, [], ["a", "b"]])
def test_filters(given: Any, kept: Any, before: Any) -> None:
    """A list takes the place of the one before; what is no text is left out of it."""
    client = Stand().client()
    client.result("subscribe", ContractsFilter=before)
    assert client.result("subscribe", ContractsFilter=given)["ContractsFilter"] == kept
    assert client.result("heartbeat")["ContractsFilter"] == kept


@pytest.mark.parametrize("value", [None, ONT, {}, 5, True])
def test_no_filters(value: Any) -> None:
    """What is no list says nothing."""
    client = Stand().client()
    assert client.result("subscribe", ContractsFilter=value)["ContractsFilter"] is None
    client.result("subscribe", ContractsFilter=[ONT])
    assert client.result("subscribe", ContractsFilter=value)["ContractsFilter"] == [ONT]


def test_the_misspelled_filter() -> None:
    """Is taken where the right one is not there, and shown in the right spelling."""
    client = Stand().client()
    found = client.result("subscribe", ConstractsFilter=[ONT])
    assert found == NOTHING | {"ContractsFilter": [ONT]}
    found = client.result("subscribe", ConstractsFilter=["a"], ContractsFilter=["b"])
    assert found["ContractsFilter"] == ["b"]
    found = client.result("subscribe", ConstractsFilter=["a"], ContractsFilter=None)
    assert found["ContractsFilter"] == ["b"]


def test_connections_do_not_share() -> None:
    """Each has its own."""
    stand = Stand()
    first, second = stand.client(), stand.client()
    first.result("subscribe", SubscribeEvent=True)
    assert second.result("heartbeat") == NOTHING


@pytest.mark.parametrize("value", ["1:1", 5, {}, False])
def test_resuming(value: Any) -> None:
    """Is refused in words; nothing is subscribed."""
    client = Stand().client()
    refusal = client.refusal("subscribe", SubscribeEvent=True, ResumeFrom=value)
    assert refusal == (42002, "not supported yet")
    assert client.result("heartbeat") == NOTHING
    assert client.result("subscribe", ResumeFrom=None) == NOTHING


def test_too_many_contracts() -> None:
    """Are refused in words; what was before stays."""
    stand = Stand()
    client = stand.client()
    client.result("subscribe", ContractsFilter=["a"])
    many = ["a"] * (stand.dialect.limits.alternatives + 1)
    code, text = client.refusal("subscribe", SubscribeEvent=True, ContractsFilter=many)
    assert (code, text) == (41002, "more than 100000 contracts per connection")
    assert client.result("heartbeat") == NOTHING | {"ContractsFilter": ["a"]}


@pytest.mark.parametrize(
    ("given", "cursor"),
    [(True, True), (False, False), (None, False), (1, False), ("true", False)],
)
def test_cursors(given: Any, cursor: bool) -> None:
    """Only true asks for them, until false does no longer."""
    found = merge({"Cursor": given}, Interest())
    assert found.cursor is cursor
    assert merge({}, found).cursor is cursor
    assert not merge({"Cursor": False}, found).cursor


members = st.dictionaries(
    st.sampled_from([*FLAGS, "ContractsFilter", "ConstractsFilter", "Cursor", "ResumeFrom"]),
    st.booleans() | st.lists(st.text() | st.none()) | json_values,
)


@given(messages=st.lists(members))
def test_any_requests(messages: list[dict[str, Any]]) -> None:
    """Whatever is said, the interest is what a plain model of the rules says."""
    interest, model = Interest(), dict[str, Any](NOTHING)
    for message in messages:
        interest = merge(message, interest)
        for flag in FLAGS:
            if isinstance(message.get(flag), bool):
                model[flag] = message[flag]
        right = "ContractsFilter" in message
        contracts = message.get("ContractsFilter" if right else "ConstractsFilter")
        if isinstance(contracts, list):
            model["ContractsFilter"] = [each for each in contracts if isinstance(each, str)]
        assert encode_subscription(interest) == model
        assert interest.topics <= TOPICS.keys()
    assert orjson.loads(orjson.dumps(encode_subscription(Interest()))) == NOTHING
