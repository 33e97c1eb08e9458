import pytest

from twisted_chainws.websocket.answer import Answer


def test_answer() -> None:
    """(k) Status, words and headers of an answer; repeated headers are a list."""
    answer = Answer.parse(
        b"HTTP/1.1 403 Not For You\r\nSet-Cookie: a=1\r\nset-cookie:b=2\r\nX: 1: 2"
    )
    assert answer is not None
    assert (answer.status, answer.message) == (403, "Not For You")
    assert answer.headers == {"set-cookie": ["a=1", "b=2"], "x": "1: 2"}


def test_bytes_that_are_no_utf8() -> None:
    """(k) Any byte may stand in a header; what is no ASCII is taken for Latin-1."""
    answer = Answer.parse(b"HTTP/1.1 101 d\xe9j\xe0\r\nX: \xe9")
    assert answer is not None
    assert (answer.message, answer.headers["x"]) == ("d\u00e9j\u00e0", "\u00e9")


@pytest.mark.parametrize("line", [b"HTTP/1.0 101", b"HTTP/1.1 101 ", b"HTTP/1.1 101 A B"])
def test_status_lines(line: bytes) -> None:
    """Words are optional, and HTTP/1.0 is HTTP."""
    answer = Answer.parse(line)
    assert answer is not None
    assert answer.status == 101
    assert answer.message == line[12:].decode().strip()


@pytest.mark.parametrize("line", [b"", b"HTTP/2 101", b"HTTP/1.1 1", b"HTTP/1.1 099 x", b"SSH-2.0"])
def test_what_is_no_answer(line: bytes) -> None:
    """Other languages, and status codes that are none, are no answer."""
    assert Answer.parse(line + b"\r\nX: 1") is None


def test_lines_without_colon_are_skipped() -> None:
    """A line that is no header does not spoil the others."""
    answer = Answer.parse(b"HTTP/1.1 101 ok\r\nnonsense\r\nX: 1")
    assert answer is not None
    assert answer.headers == {"x": "1"}
