import os
from typing import Final

import pytest

from twisted_chainws.websocket.codes import ErrorCode, WebSocketError
from twisted_chainws.websocket.system_proxy import system_proxy

NAMES: Final = ("ws", "wss", "socks", "all", "https", "http")


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin without any."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name == "REQUEST_METHOD":
            monkeypatch.delenv(name)


def _found(*, secure: bool = True, host: str = "target.example", port: int = 443) -> str | None:
    proxy = system_proxy(secure=secure, host=host, port=port)
    return None if proxy is None else proxy.host


@pytest.mark.parametrize(
    ("secure", "order"),
    [(False, ["ws", "socks", "all", "https", "http"]), (True, ["wss", "socks", "all", "https"])],
)
def test_the_first_of_the_order_wins(
    monkeypatch: pytest.MonkeyPatch, secure: bool, order: list[str]
) -> None:
    """With all variables set, and the winner then taken away, the order shows."""
    for name in NAMES:
        monkeypatch.setenv(f"{name}_proxy", f"http://{name}.example:1")
    found = []
    while proxy := system_proxy(secure=secure, host="target.example", port=443):
        name = proxy.host.partition(".")[0]
        found.append(name)
        monkeypatch.delenv(f"{name}_proxy")
    assert found == order


def test_no_variable_is_no_proxy() -> None:
    """Without variables targets are reached directly."""
    assert _found() is None


def test_a_variable_may_be_written_in_capitals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small letters win, and an empty one switches off."""
    monkeypatch.setenv("WSS_PROXY", "http://large.example")
    assert _found() == "large.example"
    monkeypatch.setenv("wss_proxy", "http://small.example")
    assert _found() == "small.example"
    monkeypatch.setenv("wss_proxy", "")
    assert _found() is None


def test_a_request_header_is_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a CGI program HTTP_PROXY comes from a stranger."""
    monkeypatch.setenv("HTTP_PROXY", "http://stranger.example")
    assert _found(secure=False) == "stranger.example"
    monkeypatch.setenv("REQUEST_METHOD", "GET")
    assert _found(secure=False) is None


@pytest.mark.parametrize(
    ("url", "scheme"),
    [
        ("proxy.example:9050", "socks5h"),
        ("http://proxy.example:9050", "socks5h"),
        ("socks5://proxy.example:9050", "socks5"),
        ("socks5h://proxy.example:9050", "socks5h"),
    ],
)
def test_socks_means_socks(monkeypatch: pytest.MonkeyPatch, url: str, scheme: str) -> None:
    """What stands under socks speaks it, though some platforms write http."""
    monkeypatch.setenv("socks_proxy", url)
    proxy = system_proxy(secure=True, host="target.example", port=443)
    assert proxy is not None
    assert (proxy.scheme, proxy.host, proxy.port) == (scheme, "proxy.example", 9050)


@pytest.mark.parametrize(
    ("no_proxy", "host", "port", "direct"),
    [
        ("*", "target.example", 443, True),
        ("target.example", "target.example", 443, True),
        ("TARGET.example", "target.EXAMPLE", 443, True),
        ("example", "target.example", 443, True),
        (".example", "target.example", 443, True),
        ("arget.example", "target.example", 443, False),
        ("a.com:8080", "a.com", 8080, True),
        ("a.com:8080", "a.com", 443, False),
        ("b.com", "b.com", 8080, True),
        ("a.com, target.example", "target.example", 443, True),
        ("10.0.0.0/8", "10.1.2.3", 443, True),
        ("10.0.0.0/8", "11.1.2.3", 443, False),
        ("localhost,127.0.0.0/8,::1", "127.0.0.2", 443, True),
        ("localhost,127.0.0.0/8,::1", "::1", 443, True),
        ("[::1]:443", "::1", 443, True),
        ("fd00::/8", "fd12::1", 443, True),
        ("proxy.example", "target.example", 443, False),
        ("", "target.example", 443, False),
    ],
)
def test_some_targets_are_reached_directly(
    monkeypatch: pytest.MonkeyPatch, no_proxy: str, host: str, port: int, direct: bool
) -> None:
    """``no_proxy`` has names, suffixes, ports, addresses and networks."""
    monkeypatch.setenv("all_proxy", "http://proxy.example")
    monkeypatch.setenv("no_proxy", no_proxy)
    assert _found(host=host, port=port) == (None if direct else "proxy.example")


def test_an_unusable_proxy_hurts_only_who_needs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is 401 for targets that it would lead to, and nothing for others."""
    monkeypatch.setenv("wss_proxy", "gopher://proxy.example")
    monkeypatch.setenv("no_proxy", "near.example")
    assert _found(host="near.example") is None
    with pytest.raises(WebSocketError) as caught:
        _found()
    assert caught.value.code is ErrorCode.PARAMETER_ERROR
