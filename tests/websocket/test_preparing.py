from pathlib import Path
from typing import Any

import pytest

from tests.websocket.certificates import authority, leaf, write
from tests.websocket.scripted import options, reactor
from twisted_chainws.websocket.codes import AlreadyConnected, ErrorCode, WebSocketError
from twisted_chainws.websocket.preparing import prepare
from twisted_chainws.websocket.values import ClientCert, HttpProxy


def free() -> None:
    """There is no connection yet."""


def taken() -> None:
    """There is one."""
    raise AlreadyConnected(ErrorCode.ALREADY_CONNECTED)


def code(url: Any, given: Any, *, is_taken: bool = False) -> int:
    """Return the code of the error."""
    with pytest.raises(WebSocketError) as caught:
        prepare(reactor, url, given, taken=taken if is_taken else free)
    return int(caught.value.code)


def test_first_things_first() -> None:
    """(d) Of several things that are wrong, the first in the reference's order is told."""
    missing = {"ca_path": "/nowhere/ca.pem"}
    asked: list[str] = []

    def forbidden(url: str) -> bool:
        asked.append(url)
        return False

    everything = {"permission_check": forbidden, "allowed_hosts": (), **missing}
    assert code("ws://h/", options(ping_interval=-1, **everything), is_taken=True) == 401
    assert asked == []
    assert code("ws://h/", options(**everything), is_taken=True) == 201
    assert asked == ["ws://h/"]
    assert code("ws://h/", options(allowed_hosts=(), **missing), is_taken=True) == 2302998
    assert code("ws://h:0/", options(**missing), is_taken=True) == 2302002
    assert code("ws://h:0/", options(), is_taken=True) == 2302003
    assert code("ws://h:0/", options()) == 2302001


@pytest.mark.parametrize("url", [None, b"ws://h/", 5])
def test_url_of_a_wrong_type(url: Any) -> None:
    """A URL that is no string is a parameter error."""
    assert code(url, None) == 401


@pytest.mark.parametrize("given", [{}, 5, "no-proxy"])
def test_options_of_a_wrong_type(given: Any) -> None:
    """Options that are none are a parameter error; a mapping goes through from_dict."""
    assert code("ws://h/", given) == 401


@pytest.mark.parametrize(
    ("allowed", "host", "fits"),
    [
        (["Example.com"], "example.com", True),
        ({"example.com"}, "www.example.com", False),
        ([], "example.com", False),
        (lambda host: host.endswith(".example.com"), "www.example.com", True),
        (lambda host: host.endswith(".example.com"), "example.org", False),
    ],
)
def test_allowed_hosts(allowed: Any, host: str, fits: bool) -> None:
    """Hosts are allowed by name or by a function; others are a 2302998."""
    url = f"ws://{host}/"
    if fits:
        assert prepare(reactor, url, options(allowed_hosts=allowed), taken=free).target.host == host
    else:
        assert code(url, options(allowed_hosts=allowed)) == 2302998


def test_broken_hook(capture_log: list[Any]) -> None:
    """A hook that breaks allows nothing, and is logged."""

    def breaks(_: str) -> bool:
        raise ZeroDivisionError

    assert code("ws://h/", options(permission_check=breaks)) == 2302999
    assert [event["log_failure"].type for event in capture_log] == [ZeroDivisionError]


def test_hook_that_answers_neither_yes_nor_no() -> None:
    """A coroutine is no answer, least of all a yes."""

    async def later(_: str) -> bool:
        return True

    assert code("ws://h/", options(permission_check=later)) == 2302999
    assert code("ws://h/", options(allowed_hosts=later)) == 2302999


def test_files_are_tried_before_anything_is_dialled(tmp_path: Path) -> None:
    """(f) Missing files are a 2302002, useless ones a 2302999, also for a plain URL."""
    root = authority("root")
    ours, other = leaf(root), leaf(root)
    cert = write(tmp_path, "cert.pem", ours.pem)
    key = write(tmp_path, "key.pem", ours.key_pem("right"))
    foreign = write(tmp_path, "other.pem", other.key_pem())
    for scheme in ("ws", "wss"):
        url = f"{scheme}://h/"
        assert code(url, options(ca_path=str(tmp_path / "none.pem"))) == 2302002
        assert code(url, options(client_cert=ClientCert(cert, str(tmp_path / "no.pem")))) == 2302002
        assert code(url, options(client_cert=ClientCert(cert, key, "wrong"))) == 2302999
        assert code(url, options(client_cert=ClientCert(cert, foreign))) == 2302999
        prepare(reactor, url, options(client_cert=ClientCert(cert, key, "right")), taken=free)


def test_usual_options() -> None:
    """Without options the usual ones count."""
    prepared = prepare(reactor, "wss://h/", None, taken=free)
    assert (prepared.options.ping_interval, prepared.target.secure) == (30, True)


def test_proxy_of_the_system_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """(i) A proxy of the environment in a language that we do not speak is a 401 before the dial."""
    monkeypatch.setenv("ws_proxy", "gopher://proxy:70")
    assert code("ws://h.example/", options(proxy="system")) == 401
    prepare(reactor, "ws://h.example/", options(proxy=HttpProxy("p", 1)), taken=free)
