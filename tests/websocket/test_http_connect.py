from base64 import b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_chainws.websocket.http_connect import MOST_HEAD_BYTES, HttpConnect
from twisted_chainws.websocket.tunnel import ProxyRefused

GOOD = b"HTTP/1.1 200 Connection established\r\n\r\n"


def _fed(*pieces: bytes) -> HttpConnect:
    dialogue = HttpConnect("target.example", 443)
    dialogue.begin()
    for piece in pieces:
        assert dialogue.receive(piece) == b""
    return dialogue


@pytest.mark.parametrize(
    ("host", "target"),
    [
        ("target.example", b"target.example:443"),
        ("192.0.2.1", b"192.0.2.1:443"),
        ("2001:db8::1", b"[2001:db8::1]:443"),
    ],
)
def test_the_request_names_the_target(host: str, target: bytes) -> None:
    """The target stands in the request line and in Host, with brackets around IPv6, and no more."""
    said = HttpConnect(host, 443).begin()
    assert said == b"CONNECT " + target + b" HTTP/1.1\r\nHost: " + target + b"\r\n\r\n"


def test_credentials_are_basic() -> None:
    """User and password go as RFC 7617 says, in UTF-8; its own example is met."""
    said = HttpConnect("h", 1, ("Aladdin", "open sesame")).begin()
    assert b"\r\nProxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n" in said
    (line,) = [
        each for each in HttpConnect("h", 1, ("test", "123£")).begin().split() if b"=" in each
    ]
    assert b64decode(line) == b"test:123\xc2\xa3"


@pytest.mark.parametrize(
    "answer",
    [
        GOOD,
        b"HTTP/1.0 200 OK\r\n\r\n",
        b"HTTP/1.1 204\r\n\r\n",
        b"HTTP/1.1 299 \r\nVia: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\nVia: x\n\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n" + GOOD,
    ],
)
def test_any_success_opens_the_tunnel(answer: bytes) -> None:
    """Each 2xx of HTTP/1 does, after any 1xx, whatever its headers say of a body it cannot have."""
    assert _fed(answer).surplus == b""
    assert _fed(answer + b"first bytes").surplus == b"first bytes"
    assert _fed(answer[:-1]).surplus is None


@given(cuts=st.lists(st.integers(0, 120)), surplus=st.binary(max_size=20))
def test_pieces_make_no_difference(cuts: list[int], surplus: bytes) -> None:
    """However the answer is cut, the same bytes come from beyond the tunnel."""
    whole = b"HTTP/1.1 100 Continue\r\n\r\n" + GOOD + surplus
    dialogue, begin, late = _fed(), 0, b""
    for end in [*sorted(cut for cut in cuts if cut < len(whole)), len(whole)]:
        if dialogue.surplus is None:
            dialogue.receive(whole[begin:end])
        else:
            late += whole[begin:end]
        begin = end
    assert dialogue.surplus is not None
    assert dialogue.surplus + late == surplus


@pytest.mark.parametrize(
    ("answer", "words", "status"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n", None, 407),
        (b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 9\r\n\r\nsomething", "", 502),
        (b"HTTP/1.0 403 Forbidden\n", "HTTP/1.0 403 Forbidden", 403),
        (b"HTTP/1.1 302 Found\r\n", "HTTP/1.1 302 Found", 302),
        (b"HTTP/1.1 400 \x1b[31mr\xe9d\r\n", "HTTP/1.1 400 ?[31mréd", 400),
        (b"HTTP/2 200\r\n", "the proxy does not speak HTTP/1: HTTP/2 200", None),
        (b"HTTP/1.1 20\r\n", "the proxy does not speak HTTP/1: HTTP/1.1 20", None),
        (b"HTTP/1.1 2000 OK\r\n", "the proxy does not speak HTTP/1: HTTP/1.1 2000 OK", None),
        (b"SSH-2.0", "the proxy does not speak HTTP", None),
        (b"\x15\x03\x01", "the proxy does not speak HTTP", None),
    ],
)
def test_anything_else_is_refused_at_once(answer: bytes, words: str | None, status: int) -> None:
    """The first line is enough; it is quoted without what might upset a terminal."""
    with pytest.raises(ProxyRefused) as caught:
        _fed(answer)
    expected = words or answer.partition(b"\r")[0].decode("latin-1")
    assert (str(caught.value), caught.value.http_status) == (expected, status)


@pytest.mark.parametrize("begin", [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 ", b"HTTP/1.1 100 Go\r\n"])
def test_an_endless_answer_is_refused(begin: bytes) -> None:
    """A head may have 64 KiB, not more, be it in lines or not."""
    dialogue = _fed(begin + b"a" * (MOST_HEAD_BYTES - len(begin) - 1))
    assert dialogue.surplus is None
    with pytest.raises(ProxyRefused, match="no end"):
        dialogue.receive(b"a")


def test_a_long_answer_is_refused_however_it_comes() -> None:
    """A head that is too long does not become good by coming in one read with its end."""
    with pytest.raises(ProxyRefused, match="no end"):
        _fed(GOOD[:-2] + b"a" * MOST_HEAD_BYTES + b"\r\n\r\n")


def test_only_the_head_is_limited() -> None:
    """What follows the head in the same read may be as long as it likes."""
    assert _fed(GOOD + b"a" * 2 * MOST_HEAD_BYTES).surplus == b"a" * 2 * MOST_HEAD_BYTES


def test_a_long_line_is_cut_in_the_error() -> None:
    """An error stays readable however much a proxy has to say."""
    with pytest.raises(ProxyRefused) as caught:
        _fed(b"HTTP/1.1 500 " + b"very " * 1000 + b"\r\n")
    assert len(str(caught.value)) == 200
