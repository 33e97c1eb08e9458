from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_chainws.websocket.codes import SENDABLE, CloseCode, WebSocketError
from twisted_chainws.websocket.outgoing import outgoing_close, outgoing_message
from twisted_chainws.websocket.values import WebSocketCloseOptions


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("ä", ("ä".encode(), False)),
        ("", (b"", False)),
        (b"x", (b"x", True)),
        (bytearray(b"x"), (b"x", True)),
        (memoryview(b"abc")[1:], (b"bc", True)),
    ],
)
def test_text_and_binary_are_told_by_type(data: Any, expected: tuple[bytes, bool]) -> None:
    """Text is text, every kind of bytes is binary and becomes plain bytes. 4.6 item 16."""
    payload, binary = outgoing_message(data, 10)
    assert (payload, binary) == expected
    assert type(payload) is bytes


@pytest.mark.parametrize("data", [None, 1, ["x"], "\ud800", b"xxx", "äa"])
def test_what_cannot_be_sent_is_401(data: Any) -> None:
    """Other types, lone surrogates and what is too long, counted in bytes."""
    with pytest.raises(WebSocketError) as caught:
        outgoing_message(data, 2)
    assert caught.value.code == 401


def test_a_released_view_is_401() -> None:
    """A memoryview whose buffer was given back holds nothing to send."""
    view = memoryview(b"x")
    view.release()
    with pytest.raises(WebSocketError) as caught:
        outgoing_message(view, 10)
    assert caught.value.code == 401


def test_without_a_limit_everything_may_be_sent() -> None:
    """None is no limit."""
    assert len(outgoing_message(bytes(6_000_000), None)[0]) == 6_000_000


def test_the_usual_close() -> None:
    """None and the defaults are 1000 without a reason; enum members are codes."""
    assert outgoing_close(None) == outgoing_close(WebSocketCloseOptions()) == (1000, "")
    assert outgoing_close(WebSocketCloseOptions(CloseCode.GOING_AWAY, "x")) == (1001, "x")


@pytest.mark.parametrize("code", [*range(998, 1018), 2999, 3000, 4999, 5000, -1, True, "1000", 1e3])
def test_only_sendable_codes_pass(code: Any) -> None:
    """The codes of the table pass; all others, and other types, are 401."""
    options = WebSocketCloseOptions(code, "")
    if type(code) is int and code in SENDABLE:
        assert outgoing_close(options) == (code, "")
    else:
        with pytest.raises(WebSocketError) as caught:
            outgoing_close(options)
        assert caught.value.code == 401


@pytest.mark.parametrize("options", [1000, {"code": 1000}, WebSocketCloseOptions(1000, None)])  # type: ignore[arg-type]
def test_other_options_are_401(options: Any) -> None:
    """Only the class is taken, with a text as reason."""
    with pytest.raises(WebSocketError) as caught:
        outgoing_close(options)
    assert caught.value.code == 401


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_reasons_are_cut_between_characters(reason: str) -> None:
    """What is left is the longest beginning of at most 123 bytes."""
    code, cut = outgoing_close(WebSocketCloseOptions(4000, reason))
    assert (code, reason[: len(cut)]) == (4000, cut)
    assert len(cut.encode()) <= 123
    assert cut == reason or len(reason[: len(cut) + 1].encode()) > 123
