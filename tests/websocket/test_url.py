from base64 import b64decode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_chainws.websocket.codes import UrlError
from twisted_chainws.websocket.url import Target, parse_url


@pytest.mark.parametrize(
    ("url", "secure", "host", "port", "resource"),
    [
        ("ws://example.com", False, "example.com", 80, "/"),
        ("wss://example.com", True, "example.com", 443, "/"),
        ("WS://Example.COM:8080/A?B=c", False, "example.com", 8080, "/A?B=c"),
        ("WsS://h/", True, "h", 443, "/"),
        ("ws://h?a=b", False, "h", 80, "/?a=b"),
        ("ws://h:/x", False, "h", 80, "/x"),
        ("ws://h/a;b=c/%20?d=%0A", False, "h", 80, "/a;b=c/%20?d=%0A"),
        ("ws://h/\u00fc?\u20ac=1", False, "h", 80, "/%C3%BC?%E2%82%AC=1"),
        ("ws://b\u00fccher.example/", False, "xn--bcher-kva.example", 80, "/"),
        ("ws://127.0.0.1:9000/", False, "127.0.0.1", 9000, "/"),
        ("ws://[::1]:9000/", False, "::1", 9000, "/"),
        ("ws://my_service.local./", False, "my_service.local.", 80, "/"),
    ],
)
def test_good_urls(url: str, secure: bool, host: str, port: int, resource: str) -> None:
    """(e) Scheme, host, port and resource, the latter two as they go onto the wire."""
    target = parse_url(url, longest=2048)
    assert (target.secure, target.host, target.port) == (secure, host, port)
    assert target.resource == resource
    assert target.authorization is None


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://h/",
        "h:80",
        "//h/",
        "ws:",
        "ws://",
        "ws:///path",
        "ws://:80/",
        "ws://h:0/",
        "ws://h:65536/",
        "ws://h:-1/",
        "ws://h:http/",
        "ws://h:+80/",
        "ws://h/#top",
        "ws://h/#",
        "ws://h/ \r\nX: y",
        "ws://h/a b",
        "ws://h\t/",
        "\nws://h/",
        "ws://h/\x00",
        "ws://h/\x7f",
        "ws://h/\u2028",
        "ws://h\u00a0/",
        "ws://unix:/var/run/socket",
        "WS://UNIX:/var/run/socket",
        "ws://u@unix:/var/run/socket",
        "ws://[::1/",
        "ws://[::g]/",
        "ws://[fe80::1%25eth0]/",
        "ws://a..b/",
        "ws://a<b/",
        "ws://a%20b/",
        "ws://" + "a" * 64 + "/",
        "ws://\ud800/",
        "ws://h/\ud800",
        "ws://\ud800@h/",
    ],
)
def test_bad_urls(url: str) -> None:
    """(e) What cannot be connected to, or would break the request, is a 2302001."""
    with pytest.raises(UrlError) as caught:
        parse_url(url, longest=2048)
    assert "X: y" not in str(caught.value)


def test_longest_urls() -> None:
    """(e) 2048 characters are taken and 2049 are not; the limit can be set."""
    url = "ws://h/".ljust(2048, "a")
    assert parse_url(url, longest=2048).host == "h"
    for long, limit in ((url + "a", 2048), (url, 1024)):
        with pytest.raises(UrlError, match="too long"):
            parse_url(long, longest=limit)


@pytest.mark.parametrize(
    ("user", "credentials"),
    [
        ("me:pw", b"me:pw"),
        ("me", b"me:"),
        ("me:", b"me:"),
        (":pw", b":pw"),
        ("a%40b:c%3Ad", b"a@b:c:d"),
        ("\u00fc:\u20ac", "\u00fc:\u20ac".encode()),
    ],
)
def test_user_in_the_url(user: str, credentials: bytes) -> None:
    """User and password become Basic credentials and are nowhere else."""
    target = parse_url(f"ws://{user}@h:81/x", longest=2048)
    assert (target.host, target.port, target.resource) == ("h", 81, "/x")
    scheme, _, encoded = str(target.authorization).partition(" ")
    assert (scheme, b64decode(encoded)) == ("Basic", credentials)


def test_secrets_are_not_shown() -> None:
    """(x) Neither credentials nor the resource, which may hold a key, are in the repr."""
    shown = repr(parse_url("ws://me:hunter2@h/key?token=abc", longest=2048))
    assert not any(secret in shown for secret in ("hunter2", "abc", "Basic", "key"))


def test_brackets() -> None:
    """IPv6 addresses get their brackets back where a Host header wants them."""
    assert parse_url("ws://[::1]/", longest=99).bracketed == "[::1]"
    assert parse_url("ws://[0:0::0001]/", longest=99).host == "::1"
    assert parse_url("ws://h/", longest=99).bracketed == "h"


@given(st.text() | st.from_regex(r"wss?://.*", fullmatch=True))
def test_any_text_is_a_target_or_an_error(text: Any) -> None:
    """Whatever comes in, out comes an error of ours or something that cannot break a request."""
    try:
        target = parse_url(text, longest=2048)
    except UrlError:
        return
    assert isinstance(target, Target)
    written = f"{target.bracketed}{target.resource}"
    assert written.isascii()
    assert not any(one.isspace() or not one.isprintable() for one in written)
    assert target.resource.startswith("/")
    assert 1 <= target.port <= 65_535
