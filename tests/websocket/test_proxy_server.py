from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_chainws.websocket.codes import ErrorCode, WebSocketError
from twisted_chainws.websocket.proxy_server import ProxyServer, parse_proxy


@pytest.mark.parametrize(
    ("url", "scheme", "host", "port"),
    [
        ("http://proxy.example:3128", "http", "proxy.example", 3128),
        ("HTTP://Proxy.Example:3128/", "http", "proxy.example", 3128),
        ("http://proxy.example", "http", "proxy.example", 80),
        ("https://proxy.example", "https", "proxy.example", 443),
        ("socks5://proxy.example", "socks5", "proxy.example", 1080),
        ("socks5h://[::1]:9050", "socks5h", "::1", 9050),
        ("proxy.example:3128", "http", "proxy.example", 3128),
        (" 192.0.2.1:0 ", "http", "192.0.2.1", 0),
    ],
)
def test_a_url_names_a_proxy(url: str, scheme: str, host: str, port: int) -> None:
    """Scheme, host and port are read, with the ports that are usual for each scheme."""
    proxy = parse_proxy(url)
    assert (proxy.scheme, proxy.host, proxy.port) == (scheme, host, port)
    assert proxy.credentials is None


@pytest.mark.parametrize(
    ("userinfo", "credentials"),
    [
        ("me:secret@", ("me", "secret")),
        ("me@", ("me", "")),
        ("me:@", ("me", "")),
        ("m%65:s%3A%40%2F%C3%A9@", ("me", "s:@/é")),
        ("me:a:b@", ("me", "a:b")),
    ],
)
def test_user_info_is_credentials(userinfo: str, credentials: tuple[str, str]) -> None:
    """User and password are percent-decoded; a user alone has an empty password."""
    assert parse_proxy(f"http://{userinfo}proxy.example").credentials == credentials


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://",
        "http://:3128",
        "ftp://secret@proxy.example",
        "socks4://proxy.example",
        "socks://proxy.example",
        "http://proxy.example:secret",
        "http://proxy.example:70000",
        "http://proxy.example/secret",
        "http://proxy.example?secret",
        "http://[::1",
        "http://pro xy",
        "http://a%3Asecret:secret@proxy.example",
        "http://me:%0Asecret@proxy.example",
        "socks5://me@proxy.example",
        f"socks5://me:{'secret' * 50}@proxy.example",
    ],
)
def test_a_url_that_names_no_usable_proxy_is_refused(url: str) -> None:
    """It is 401, and the error does not quote it."""
    with pytest.raises(WebSocketError) as caught:
        parse_proxy(url)
    assert caught.value.code is ErrorCode.PARAMETER_ERROR
    assert "secret" not in repr(caught.value)


@pytest.mark.parametrize("host", ["", "[]", "a/b", "me@proxy", "a\r\nb"])
def test_a_proxy_has_a_host(host: str) -> None:
    """What is no host is 401."""
    with pytest.raises(WebSocketError) as caught:
        ProxyServer(scheme="http", host=host, port=1)
    assert caught.value.code is ErrorCode.PARAMETER_ERROR


def test_credentials_must_be_text() -> None:
    """Half a character cannot be sent."""
    with pytest.raises(WebSocketError, match="no text"):
        ProxyServer(scheme="http", host="h", port=1, username="me", password="\ud800")


def test_the_password_is_not_shown() -> None:
    """The repr has no password."""
    assert "secret" not in repr(parse_proxy("http://me:secret@proxy.example"))


@given(st.text())
def test_any_text_is_a_proxy_or_refused(text: str) -> None:
    """Whatever the environment holds, nothing but a WebSocketError comes of it."""
    try:
        proxy: Any = parse_proxy(text)
    except WebSocketError:
        return
    assert proxy.host
