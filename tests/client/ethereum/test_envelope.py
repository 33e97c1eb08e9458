import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_chainws.client.errors import BadAnswer, Misuse, RpcError
from twisted_chainws.client.ethereum.envelope import Notice, Reply, Stray, parse, render


def test_render() -> None:
    """A call is an object, a batch an array of them."""
    one = {"jsonrpc": "2.0", "id": 1, "method": "eth_call", "params": ["0x", None]}
    call = (1, "eth_call", ["0x", None])
    assert json.loads(render([call], batch=False)) == one
    assert json.loads(render([call], batch=True)) == [one]


def test_render_large_integers() -> None:
    """Integers of any size are written digit by digit."""
    assert str(2**80) in render([(1, "m", [2**80])], batch=False)


@pytest.mark.parametrize(
    "value", [object(), b"x", {1, 2}, [2**80, object()], [2**80, float("nan")]]
)
def test_render_what_is_no_json(value: Any) -> None:
    """What JSON does not know is a Misuse."""
    with pytest.raises(Misuse):
        render([(1, "m", value)], batch=False)


@given(st.binary() | st.text())
def test_parse_anything(data: str | bytes) -> None:
    """Whatever comes, something comes of it, and no exception."""
    items, batch = parse(data)
    assert all(isinstance(item, Reply | Notice | Stray) for item in items)
    assert items or batch or not data


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)


@given(
    st.dictionaries(
        st.sampled_from(["id", "result", "error", "method", "params", "jsonrpc"]),
        json_values | st.just("eth_subscription") | st.just({"subscription": 1, "result": 2}),
    )
)
def test_parse_any_object(message: dict[str, Any]) -> None:
    """Every object is a reply, a notice or a stray."""
    (item,), batch = parse(json.dumps(message))
    assert isinstance(item, Reply | Notice | Stray)
    assert not batch


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"id": 1, "result": null}', Reply(1, None, None)),
        ('{"id": "7", "result": 0}', Reply(7, 0, None)),
        ('{"id": 7.0, "result": 0}', Reply(7, 0, None)),
        ('{"id": "x", "result": 0}', Stray("neither a reply nor a notice")),
        ('{"id": "٣", "result": 0}', Stray("neither a reply nor a notice")),
        ('{"id": 7.5, "result": 0}', Stray("neither a reply nor a notice")),
        ('{"id": true, "result": 0}', Stray("neither a reply nor a notice")),
        ('{"result": 0}', Stray("neither a reply nor a notice")),
        (
            '{"method": "eth_subscription", "params": {"subscription": 32, "result": {}}}',
            Notice("32", {}),
        ),
        (
            '{"id": 1, "method": "parity_subscription", "params": {"subscription": "a", "result": 1}}',
            Notice("a", 1),
        ),
        (
            '{"method": "eth_subscription", "params": {"subscription": true, "result": 1}}',
            Stray("a notice of no subscription"),
        ),
        ('{"method": "eth_subscription", "params": []}', Stray("a notice without result")),
        ("[]", None),
        ("", None),
    ],
)
def test_parse(text: str, expected: Any) -> None:
    """Replies are found by whatever their ids have become, notices by ids of any kind."""
    items, _ = parse(text)
    assert items == ([] if expected is None else [expected])
    assert parse(text.encode())[0] == items


def test_parse_errors() -> None:
    """Errors are RpcErrors, with or without an id; an answer without anything is a BadAnswer."""
    (known, unnamed, empty, stray), batch = parse(
        '[{"id": 1, "error": {"code": 3, "message": "m"}}, {"error": {"code": 429}}, {"id": 2}, 1]'
    )
    assert batch
    assert isinstance(known, Reply)
    assert isinstance(known.error, RpcError)
    assert (known.key, known.error.code) == (1, 3)
    assert isinstance(unnamed, Reply)
    assert unnamed.key is None
    assert isinstance(empty, Reply)
    assert isinstance(empty.error, BadAnswer)
    assert stray == Stray("not an object")
