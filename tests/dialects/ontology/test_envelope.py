from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.dialects.ontology.test_decode import json_values
from twisted_chainws.dialects.limits import Limits
from twisted_chainws.dialects.ontology import envelope
from twisted_chainws.dialects.ontology.errors import FAULTS, fault
from twisted_chainws.dialects.outcomes import Fault

LIMITS = Limits()
SUCCESS = b'{"Action":"heartbeat","Desc":"SUCCESS","Error":0,"Id":%b,"Result":1,"Version":"1.0.0"}'


def parse(data: bytes) -> Any:
    """Parse a message."""
    return envelope.parse(data, LIMITS)


def answer(data: bytes) -> bytes:
    """Reply with 1 to what has to be a request."""
    token, _, _, refusal = parse(data)
    assert refusal is None
    return envelope.render_result(token, 1)


def refused(data: bytes) -> Any:
    """Return the refusal of what has to be none, as it is sent."""
    token, _, _, refusal = parse(data)
    assert refusal is not None
    return orjson.loads(envelope.render_fault(token, refusal))


def test_requests() -> None:
    """The method is the action, the params are the message."""
    message = {"Action": "getblockheight", "Version": 5, "Id": 1, "extra": [1]}
    token, method, params, refusal = parse(orjson.dumps(message))
    assert (method, params, refusal) == ("getblockheight", message, None)
    assert envelope.render_result(token, 327) == (
        b'{"Action":"getblockheight","Desc":"SUCCESS","Error":0,"Id":1,"Result":327,'
        b'"Version":"1.0.0"}'
    )


def test_the_last_of_two_members_counts() -> None:
    """As in the node's parser."""
    _, method, params, _ = parse(b'{"Action":"subscribe","Action":"heartbeat","Id":1,"Id":2}')
    assert (method, params["Id"]) == ("heartbeat", 2)


@pytest.mark.parametrize(
    "text",
    [
        *("7", "0", "-1", "1.5", "12345", '"x"', '""', '"12345"', "null", "true", "false"),
        *('{"a":1}', "[]", "[1,[2,{}]]", '{"b":[1.5,null],"a":"\xfc"}'),
        *("9007199254740993", "9149685254469533956", "9223372036854775807"),
        *("18446744073709551615", "18446744073709551616", "-9223372036854775809"),
        "1" * 300,
        '[123456789012345678901234567890,{"a":-123456789012345678901234567890}]',
        "[" * 200 + "123456789012345678901234567890" + "]" * 200,
    ],
)
def test_ids(text: str) -> None:
    """Ids are echoed by value, to the last digit."""
    data = b'{"Action":"heartbeat","Id":%b}' % text.encode()
    assert answer(data) == SUCCESS % text.encode()
    token, *_ = parse(data)
    refusal = envelope.render_fault(token, fault(42002))
    assert b',"Id":%b,"Result":""' % text.encode() in refusal


@pytest.mark.parametrize(
    ("text", "echoed"),
    [
        ("1.50", "1.5"),
        ("1e2", "100.0"),
        ("1e30", "1e+30"),
        ("[1e30,123456789012345678901]", "[1e+30,123456789012345678901]"),
        ('"\\u0041<"', '"A\\u003c"'),
        (' { "a" : 1 } ', '{"a":1}'),
    ],
)
def test_ids_written_in_another_way(text: str, echoed: str) -> None:
    """The value counts, not how it is written."""
    data = b'{"Action":"heartbeat","Id":%b}' % text.encode()
    assert answer(data) == SUCCESS % echoed.encode()


def test_no_id() -> None:
    """Who sends no id gets null."""
    assert answer(b'{"Action":"heartbeat"}') == SUCCESS % b"null"


@pytest.mark.usefixtures("usual_recursion_limit")
def test_a_large_id_beside_deep_nesting() -> None:
    """What only just parses is not given up for all digits of an id."""
    deep = b"[" * 1_000 + b"]" * 1_000
    data = b'{"Action":"heartbeat","Id":1%b,"x":%b}' % (b"0" * 30, deep)
    assert answer(data) == SUCCESS % b"1e+30"


@pytest.mark.parametrize("inner", [b"", b"123456789012345678901234567890"])
def test_an_id_too_deep_to_write(inner: bytes) -> None:
    """Is refused as what no message may be."""
    data = b'{"Action":"heartbeat","Id":' + b"[" * 1000 + inner + b"]" * 1000 + b"}"
    assert refused(data)["Error"] == 41003
    assert parse(data)[1] == ""


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b" ", b"[]", b"{", b'""', b"{}x", b"7", b"true", b"nonsense", b"\xff", b"[{}]"),
        *(b'{"Action":"heartbeat"}{}', b"\xef\xbb\xbf{}", b"{'Action':'heartbeat'}"),
        *(
            b"[" * 100_000,
            b'{"Action":"heartbeat","x":1e999}',
            b'{"Action":"heartbeat","Id":' + b"1" * 400 + b"}",
            b'{"a":NaN}',
        ),
    ],
)
def test_no_objects(data: bytes) -> None:
    """What is no object is illegal; it is no sign of life."""
    assert refused(data) == {
        "Action": "",
        "Desc": "ILLEGAL DATAFORMAT",
        "Error": 41003,
        "Result": "",
        "Version": "1.0.0",
    }
    assert parse(data)[1] == ""
    assert not envelope.claims(data)


@pytest.mark.parametrize(
    "data",
    [
        *(b"null", b"{}", b'{"Id":1}', b'{"Action":1,"Id":1}', b'{"Action":null}'),
        *(b'{"Action":["heartbeat"]}', b'{"Action":""}', b'{"Action":"nonsense","Id":1}'),
        *(b'{"Action":"Heartbeat"}', b'{"action":"heartbeat"}', b'{"Action":"getsyncstatus"}'),
        b'{"Action":"nonsense","Hash":5}',
    ],
)
def test_no_actions(data: bytes) -> None:
    """An action that there is not is no sign of life, and is not named."""
    assert refused(data) == {
        "Action": "",
        "Desc": "INVALID METHOD",
        "Error": 42001,
        "Result": "",
        "Version": "1.0.0",
    }
    assert parse(data)[1] == ""


@pytest.mark.parametrize("member", ["Hash", "Addr", "Assetid"])
@pytest.mark.parametrize("value", [b"5", b"0", b"true", b"false", b"[]", b"{}", b'["a"]'])
def test_what_has_to_be_text(member: str, value: bytes) -> None:
    """Three members are looked at for every action; the refusal counts as a sign of life."""
    data = b'{"Action":"getversion","%b":%b,"Id":1}' % (member.encode(), value)
    assert refused(data) == {
        "Action": "",
        "Desc": "INVALID PARAMS",
        "Error": 42002,
        "Result": "",
        "Version": "1.0.0",
    }
    assert parse(data)[1] == "getversion"


@pytest.mark.parametrize("value", [b"null", b'""', b'"anything"'])
def test_what_is_text_or_nothing(value: bytes) -> None:
    """Null is as good as missing."""
    assert parse(b'{"Action":"getversion","Hash":%b,"Addr":%b}' % (value, value))[3] is None


def test_members_of_a_refusal() -> None:
    """They stand in the order of the alphabet, with the id of a request."""
    token, *_ = parse(b'{"Action":"gettransaction","Id":"a"}')
    assert envelope.render_fault(token, fault(45021, 'a "b"')) == (
        b'{"Action":"gettransaction","Desc":"","Error":45021,"Id":"a","Result":"a \\"b\\"",'
        b'"Version":"1.0.0"}'
    )
    nothing = Fault(code=44003, message="UNKNOWN BLOCK")
    assert b'"Result":null,' in envelope.render_fault(token, nothing)


def test_a_refusal_of_nothing() -> None:
    """A connection that asked for nothing too long is told so without action and id."""
    assert FAULTS.expired is not None
    assert envelope.render_fault(None, FAULTS.expired) == (
        b'{"Action":"","Desc":"SESSION EXPIRED","Error":41001,"Result":"","Version":"1.0.0"}'
    )


def test_escapes() -> None:
    """What HTML or JavaScript minds is escaped, in results as in refusals."""
    token, *_ = parse(b'{"Action":"heartbeat","Id":1}')
    text, escaped = "<a&b>\u2028\u2029", rb"\u003ca\u0026b\u003e\u2028\u2029"
    assert b'"Result":"%b"' % escaped in envelope.render_result(token, text)
    assert b'"Result":"%b"' % escaped in envelope.render_fault(token, fault(-1, text))


def test_pushes() -> None:
    """A push has no id; who asked gets a cursor behind the action."""
    text = envelope.render_push("Notify", b'{"a":",\\"Desc\\":"}')
    assert text == (
        b'{"Action":"Notify","Desc":"SUCCESS","Error":0,"Result":{"a":",\\"Desc\\":"},'
        b'"Version":"1.0.0"}'
    )
    plain, placed = envelope.render_notice(text, None), envelope.render_notice(text, "1:2:3")
    assert (plain.head, plain.tail) == (text, b"")
    assert placed.head.startswith(b'{"Action":"Notify","Cursor":"1:2:3","Desc":"SUCCESS",')
    assert orjson.loads(placed.head) == orjson.loads(text) | {"Cursor": "1:2:3"}


def test_what_never_happens_here() -> None:
    """Batches have a form all the same."""
    assert envelope.render_batch([b"a", b"b"]) == b"a\nb"


@pytest.mark.parametrize("data", [b'{"Action":"x"}', b'{"Action":null,"jsonrpc":"2.0"}'])
def test_first_messages(data: bytes) -> None:
    """Whatever has an action is claimed."""
    assert envelope.claims(data)


@pytest.mark.parametrize("data", [b"null", b"{}", b'["Action"]', b'"Action"', b'{"query":"a"}'])
def test_first_messages_of_others(data: bytes) -> None:
    """Nothing else is."""
    assert not envelope.claims(data)


def check_parsed(data: bytes) -> None:
    """Check that a message is read or refused, and that both can be answered."""
    token, method, params, refusal = parse(data)
    if refusal is None:
        assert method in envelope.ACTIONS
        reply = orjson.loads(envelope.render_result(token, params))
        assert reply["Result"] == orjson.loads(data)
    else:
        reply = orjson.loads(envelope.render_fault(token, refusal))
        assert "Id" not in reply
    assert envelope.claims(data) in {True, False}


@given(data=st.binary() | json_values.map(lambda value: str(value).encode(errors="replace")))
def test_any_bytes(data: bytes) -> None:
    """No input makes it raise."""
    check_parsed(data)


surrogates = st.text(st.characters(exclude_categories=["Cs"]))


@given(
    message=st.dictionaries(
        st.sampled_from(["Action", "Id", "Hash", "Addr", "Assetid", "Version"]),
        st.sampled_from(sorted(envelope.ACTIONS))
        | st.none()
        | surrogates
        | st.integers(-(2**63), 2**64 - 1)
        | st.lists(st.integers(-(2**63), 2**64 - 1) | surrogates),
    )
)
def test_any_message(message: dict[str, Any]) -> None:
    """Nor does a message with the right members."""
    check_parsed(orjson.dumps(message))
