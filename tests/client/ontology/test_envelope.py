from json import dumps
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_chainws.client.errors import BadAnswer, Misuse, RpcError
from twisted_chainws.client.ontology.envelope import (
    Expired,
    Incoming,
    Nameless,
    Push,
    Reply,
    Stray,
    parse,
    render,
)


def read(**members: Any) -> Incoming | None:
    """Parse a message of these members."""
    return parse(orjson.dumps(members))


def test_requests() -> None:
    """Members stand beside the envelope's own; numbers of any size are written."""
    text = render(7, "getblockbyheight", {"Height": 2**70, "Raw": "1"})
    assert text == (
        '{"Action":"getblockbyheight","Version":"1.0.0","Id":7,'
        '"Height":1180591620717411303424,"Raw":"1"}'
    )


@pytest.mark.parametrize("value", [b"x", {1, 2}, float("nan")])
def test_what_cannot_be_written(value: Any) -> None:
    """What JSON does not know is a mistake of the caller."""
    with pytest.raises(Misuse, match="getstorage"):
        render(1, "getstorage", {"Key": value})


@pytest.mark.parametrize("key", [7, "7", 7.0])
def test_replies(key: Any) -> None:
    """A reply is known by its id, in whatever form that comes back."""
    assert read(Action="x", Error=0, Id=key, Result=[1]) == Reply(7, [1], None)
    assert read(Id=key, Result=None) == Reply(7, None, None)


def test_exact_numbers() -> None:
    """No digit of a number gets lost, however large it is."""
    digits = "123456789012345678901234567890"
    reply = parse(f'{{"Id":1,"Error":0,"Result":{{"ConsensusData":{digits}}}}}')
    assert isinstance(reply, Reply)
    assert reply.result["ConsensusData"] == int(digits)


@pytest.mark.parametrize(
    ("words", "result", "message"),
    [
        ("INVALID PARAMS", "", "INVALID PARAMS"),
        ("SMARTCODE EXEC ERROR", "out of gas", "SMARTCODE EXEC ERROR: out of gas"),
        ("", "invalid gas price", "invalid gas price"),
        (None, None, ""),
        ("UNKNOWN BLOCK", None, "UNKNOWN BLOCK"),
        ("X", {"a": 1}, "X"),
    ],
)
def test_errors(words: Any, result: Any, message: str) -> None:
    """An error has code, words and result; what the result says is said with the words."""
    reply = read(Action="x", Desc=words, Error=47001, Id=1, Result=result)
    assert isinstance(reply, Reply)
    assert isinstance(reply.error, RpcError)
    assert (reply.error.code, reply.error.message, reply.error.data) == (47001, message, result)


def test_odd_errors() -> None:
    """A code that is no number is none; no result and no error is no answer."""
    odd, empty = read(Id=1, Error="bad", Result=""), read(Id=2, Error=0)
    assert isinstance(odd, Reply)
    assert isinstance(odd.error, RpcError)
    assert odd.error.code is None
    assert isinstance(empty, Reply)
    assert isinstance(empty.error, BadAnswer)


@pytest.mark.parametrize(
    "action", ["Notify", "Log", "sendrawblock", "sendjsonblock", "sendblocktxhashs"]
)
def test_pushes(action: str) -> None:
    """A push has an action of its own and no id."""
    assert read(Action=action, Desc="SUCCESS", Error=0, Result=5) == Push(action, 5)
    assert read(Action=action, Error=0, Id=None, Result=5) == Push(action, 5)
    assert isinstance(read(Action=action, Error=0, Id=1, Result=5), Reply)


def test_refusals_without_a_name() -> None:
    """What is refused before it is understood has no id; an expired session is told so, too."""
    refusal = read(Action="", Desc="INVALID METHOD", Error=42001, Result="")
    assert isinstance(refusal, Nameless)
    assert (refusal.error.code, str(refusal.error)) == (42001, "42001 INVALID METHOD")
    assert read(Action="", Desc="SESSION EXPIRED", Error=41001, Result="") == Expired()


@pytest.mark.parametrize(
    "data",
    [
        *("{", b"\xff", "[]", "7", "null", '"x"', '{"Action":"getversion"}'),
        *(
            '{"Action":["Notify"],"Error":0}',
            "[" * 100_000,
            "[" * 900 + "1" * 20 + "]" * 900,
            '{"Action":"elsewhere","Error":0}',
        ),
    ],
)
def test_strays(data: Any) -> None:
    """What is neither is counted, and does no harm."""
    assert isinstance(parse(data), Stray)


@pytest.mark.parametrize("data", ["", b"", " \n"])
def test_nothing(data: Any) -> None:
    """An empty message is none."""
    assert parse(data) is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(
    st.binary()
    | st.text()
    | st.dictionaries(
        st.sampled_from(["Action", "Desc", "Error", "Id", "Result"]), json_values
    ).map(dumps)
)
def test_nothing_breaks_the_reader(data: Any) -> None:
    """Whatever comes, it is read as something, and only what is empty as nothing."""
    assert (parse(data) is None) is not bool(data.strip())
