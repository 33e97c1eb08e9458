"""The JSON-RPC envelope, row by row of ``ethereum.md`` 1.3 to 1.6."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_chainws.dialects import jsonrpc
from twisted_chainws.dialects.base import Batch
from twisted_chainws.dialects.jsonrpc import parse, parse_http
from twisted_chainws.dialects.limits import Limits
from twisted_chainws.dialects.outcomes import Fault

LIMITS = Limits()


def one(text: bytes, limits: Limits = LIMITS) -> tuple[Any, str, Any, Fault | None]:
    """Parse a message that must be a single request."""
    parsed = parse(text, limits)
    assert isinstance(parsed, tuple)
    return parsed


@pytest.mark.parametrize(
    ("token", "echo"),
    [
        (b"1", b"1"),
        (b'"1"', b'"1"'),
        (b"0", b"0"),
        (b"-7", b"-7"),
        (b"null", b"null"),
        (b"1.5", b"1.5"),
        (b"9007199254740993", b"9007199254740993"),
        (b"18446744073709551615", b"18446744073709551615"),
        (b"123456789012345678901234567890", b"123456789012345678901234567890"),
        (b"-123456789012345678901234567890", b"-123456789012345678901234567890"),
        ('"жук"'.encode(), '"жук"'.encode()),
    ],
)
def test_id_is_echoed_as_the_same_token(token: bytes, echo: bytes) -> None:
    """Ids keep their type and every digit, single and in a batch."""
    text = b'{"jsonrpc":"2.0","id":' + token + b',"method":"a_b"}'
    assert one(text) == (echo, "a_b", None, None)
    assert parse(b"[" + text + b"]", LIMITS) == Batch(requests=((echo, "a_b", None, None),))


@pytest.mark.parametrize("token", [b"[]", b"{}", b"true", b"[1]"])
def test_id_of_a_wrong_type_is_an_invalid_request(token: bytes) -> None:
    """An id that is no string, number or null is refused with a null id."""
    text = b'{"jsonrpc":"2.0","id":' + token + b',"method":"a_b"}'
    assert one(text) == (b"null", "", None, jsonrpc.INVALID)


def test_absent_id_is_a_notification() -> None:
    """Without an id there is no token, hence never an answer."""
    assert one(b'{"jsonrpc":"2.0","method":"a_b","params":[1]}') == (None, "a_b", [1], None)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (b'{"id":1,"method":"a_b"}', None),
        (b'{"jsonrpc":"2.0","id":1,"method":"a_b"}', None),
        (b'{"jsonrpc":"1.0","id":1,"method":"a_b"}', jsonrpc.INVALID),
        (b'{"jsonrpc":2,"id":1,"method":"a_b"}', jsonrpc.INVALID),
        (b'{"jsonrpc":null,"id":1,"method":"a_b"}', jsonrpc.INVALID),
        (b'{"jsonrpc":"2.0","id":1}', jsonrpc.INVALID),
        (b'{"jsonrpc":"2.0","id":1,"method":5}', jsonrpc.INVALID),
        (b'{"jsonrpc":"2.0","id":1,"method":null}', jsonrpc.INVALID),
    ],
)
def test_version_and_method_are_checked(text: bytes, fault: Fault | None) -> None:
    """A missing version is accepted, another one is not; the method is a string."""
    token, _, _, found = one(text)
    assert token == b"1"
    assert found == fault


def test_unknown_members_are_ignored() -> None:
    """Members that the protocol does not know change nothing."""
    assert one(b'{"id":1,"method":"a_b","extra":[{}]}') == (b"1", "a_b", None, None)


@pytest.mark.parametrize("member", [b'"result":1', b'"error":{"code":1}'])
def test_answers_to_nothing_are_ignored(member: bytes) -> None:
    """A response-shaped message is silently dropped, also inside a batch."""
    text = b'{"jsonrpc":"2.0","id":1,' + member + b"}"
    assert parse(text, LIMITS) is None
    assert parse(b"[" + text + b"]", LIMITS) == Batch(requests=())


def test_method_name_is_bounded() -> None:
    """A name over the limit is refused with geth's text."""
    text = b'{"id":1,"method":"' + b"x" * 3000 + b'"}'
    fault = Fault(code=-32600, message="method name too long: 3000 > 2048")
    assert one(text) == (b"1", "", None, fault)


@pytest.mark.parametrize("text", [b"", b"{", b"nope", b"{'a':1}", b'{"id":1,}', b"\xff"])
def test_malformed_json_is_a_parse_error(text: bytes) -> None:
    """What is no JSON gets -32700 with a null id; HTTP has a fixed text for it."""
    token, _, _, fault = one(text)
    assert token == b"null"
    assert fault is not None
    assert fault.code == -32700
    assert fault.message.startswith("invalid JSON: ")
    assert parse_http(text, LIMITS) == (
        b"null", "", None, Fault(code=-32700, message="parse error"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("params", "found"),
    [
        (b"[123456789012345678901234567890]", [123456789012345678901234567890]),
        (b'["0x",-9223372036854775809]', ["0x", -9223372036854775809]),
        (b"[1.5,18446744073709551615]", [1.5, 18446744073709551615]),
        (b"[1e20]", [1e20]),
    ],
)
def test_large_integers_keep_their_digits(params: bytes, found: Any) -> None:
    """An argument beyond 64 bits is not rounded, alone or in a batch."""
    text = b'{"id":1,"method":"a_b","params":' + params + b"}"
    batch = parse(b"[0," + text + b"]", LIMITS)
    assert isinstance(batch, Batch)
    for request in (one(text), batch.requests[1]):
        assert request == (b"1", "a_b", found, None)


@pytest.mark.usefixtures("usual_recursion_limit")
def test_large_id_beside_deep_nesting_is_no_crash() -> None:
    """What only just parses is not given up for an exact id."""
    deep = b"[" * 1_000 + b"]" * 1_000
    token, method, _, fault = one(b'{"id":1' + b"0" * 30 + b',"method":"a_b","params":%b}' % deep)
    assert (method, fault) == ("a_b", None)
    assert token is not None


@pytest.mark.parametrize("text", [b"1", b"null", b'"x"', b"true"])
def test_other_json_is_an_invalid_request(text: bytes) -> None:
    """A message that is neither object nor array is an invalid request."""
    assert one(text) == (b"null", "", None, jsonrpc.INVALID)


def test_deep_nesting_is_an_error_and_no_crash() -> None:
    """A million brackets end as an answer."""
    _, _, _, fault = one(b"[" * 1_000_000)
    assert fault is not None
    assert fault.code == -32700


def test_empty_batch_is_a_single_error() -> None:
    """``[]`` is answered by one object."""
    assert one(b"[]") == (b"null", "", None, jsonrpc.EMPTY_BATCH)


def test_batch_keeps_places() -> None:
    """Elements that are no objects become errors in place."""
    parsed = parse(b'[1,{"id":"a","method":"a_b"},null,{"id":[],"method":"a_b"}]', LIMITS)
    assert parsed == Batch(
        requests=(
            (b"null", "", None, jsonrpc.INVALID),
            (b'"a"', "a_b", None, None),
            (b"null", "", None, jsonrpc.INVALID),
            (b"null", "", None, jsonrpc.INVALID),
        )
    )


@pytest.mark.parametrize(
    ("first", "token"), [(b'{"id":7,"method":"a_b"}', b"7"), (b'{"method":"a_b"}', b"null")]
)
def test_batch_over_the_limit_is_refused_whole(first: bytes, token: bytes) -> None:
    """Too many elements give an array with one error under the first call's id."""
    text = b"[" + first + b',{"method":"a_b"}' * 2 + b"]"
    refused = Batch(requests=((token, "", None, jsonrpc.BATCH_TOO_LARGE),))
    for read, limit in ((parse, "websocket_batch_items"), (parse_http, "batch_items")):
        narrow, wide = ({limit: most} for most in (2, 3))
        assert read(text, Limits(**narrow)) == refused
        assert read(text, Limits(**wide)) != refused


def test_words_for_large_batches_are_the_vendors() -> None:
    """Each transport has its own limit and its own words, which may name the limit."""
    envelope = jsonrpc.make_envelope(
        lambda limit: Fault(code=1, message=f"http {limit}"),
        lambda limit: Fault(code=2, message=f"socket {limit}"),
    )
    limits = Limits(batch_items=2, websocket_batch_items=1)
    text = b'[{"id":7,"method":"a"},{"method":"b"},{"method":"c"}]'
    for read, fault in (
        (envelope.parse, Fault(code=2, message="socket 1")),
        (envelope.parse_http, Fault(code=1, message="http 2")),
    ):
        assert read(text, limits) == Batch(requests=((b"7", "", None, fault),))


def test_replies_and_notices_have_the_exact_members() -> None:
    """Replies carry the token as it is; a notice has no id member."""
    assert jsonrpc.render_result(b'"x"', {"a": None}) == (
        b'{"jsonrpc":"2.0","id":"x","result":{"a":null}}'
    )
    assert jsonrpc.render_result(b"1", None) == b'{"jsonrpc":"2.0","id":1,"result":null}'
    assert jsonrpc.render_fault(b"1", Fault(code=3, message="m", data="0x")) == (
        b'{"jsonrpc":"2.0","id":1,"error":{"code":3,"message":"m","data":"0x"}}'
    )
    assert jsonrpc.render_fault(b"1", Fault(code=3, message="m")) == (
        b'{"jsonrpc":"2.0","id":1,"error":{"code":3,"message":"m"}}'
    )
    assert jsonrpc.render_batch([b"1", b"2"]) == b"[1,2]"
    notice = jsonrpc.render_notice(b"{}", None)
    assert orjson.loads(notice.head + b"0x1" + notice.tail) == {
        "jsonrpc": "2.0",
        "method": "eth_subscription",
        "params": {"subscription": "0x1", "result": {}},
    }
    notice = jsonrpc.render_notice(b"{}", "e:1")
    assert orjson.loads(notice.head + b"0x1" + notice.tail)["params"] == {
        "subscription": "0x1",
        "result": {},
        "cursor": "e:1",
    }


@pytest.mark.parametrize(
    ("text", "claimed"),
    [
        (b'{"jsonrpc":"2.0"}', True),
        (b'{"method":"x"}', True),
        (b"[]", True),
        (b'{"query":"NewBlock"}', False),
        (b'{"Action":"heartbeat"}', False),
        (b"nope", False),
        (b"1", False),
    ],
)
def test_first_message_tells_the_language(text: bytes, claimed: bool) -> None:
    """``jsonrpc``, ``method`` or an array mark this family."""
    assert jsonrpc.claims(text) is claimed


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from(["jsonrpc", "id", "method", "params", "result", "x"]), json_values
    )
    | json_values
)
def test_any_json_parses_to_something_answerable(value: Any) -> None:
    """Whatever the JSON, there is a request or a fault, and a fault can be rendered."""
    try:
        text = orjson.dumps(value)
    except TypeError:
        return
    parsed = parse(text, LIMITS)
    requests = parsed.requests if isinstance(parsed, Batch) else (parsed,) if parsed else ()
    for token, method, _, fault in requests:
        assert fault is None or orjson.loads(jsonrpc.render_fault(token, fault))["error"]
        assert isinstance(method, str)
