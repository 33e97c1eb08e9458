import dataclasses
from typing import Any

import pytest

from twisted_chainws.websocket.codes import ParameterError, TlsVersion
from twisted_chainws.websocket.options import WebSocketRequestOptions, check_number, subprotocols
from twisted_chainws.websocket.values import ClientCert, HttpProxy


def test_usual_options() -> None:
    """Without anything said the options are those of the document."""
    options = WebSocketRequestOptions()
    options.check()
    assert (options.ping_interval, options.deadline_s) == (30, 30)
    assert (options.proxy, options.protocol, options.ca_path) == ("system", "", None)
    assert options.skip_server_cert_verification is False
    assert (options.max_message_size, options.max_send_size) == (16 << 20, 5 << 20)
    assert (options.open_timeout, options.close_timeout, options.max_queue) == (10, 10, 16)


def test_options_are_frozen_and_have_names() -> None:
    """Nothing is given by position, and what was given cannot be changed."""
    made: Any = WebSocketRequestOptions
    with pytest.raises(TypeError):
        made({"X-A": "1"})
    with pytest.raises(dataclasses.FrozenInstanceError):
        made().ping_interval = 1


def test_from_dict_with_the_references_names() -> None:
    """JSON with the reference's names makes the same options as Python's names."""
    given = {
        "header": {"X-A": "1"},
        "caPath": "ca.pem",
        "clientCert": {"certPath": "c", "keyPath": "k", "keyPassword": "p"},
        "proxy": {"host": "proxy", "port": 1, "exclusionList": ["a"]},
        "protocol": "a, b",
        "skipServerCertVerification": True,
        "pingInterval": 5,
        "pongTimeout": 4,
        "minSupportTlsProtocol": 3,
    }
    assert WebSocketRequestOptions.from_dict(given) == WebSocketRequestOptions(
        header={"X-A": "1"},
        ca_path="ca.pem",
        client_cert=ClientCert("c", "k", "p"),
        proxy=HttpProxy("proxy", 1, ("a",)),
        protocol="a, b",
        skip_server_cert_verification=True,
        ping_interval=5,
        pong_timeout=4,
        min_tls_version=TlsVersion.TLS_V_1_3,
    )
    same = WebSocketRequestOptions.from_dict({"ping_interval": 5, "proxy": "no-proxy"})
    assert same == WebSocketRequestOptions(ping_interval=5, proxy="no-proxy")


@pytest.mark.parametrize(
    "given",
    [
        {"unknown": 1},
        {"pingInterval": 30_001},
        {"clientCert": {"certPath": "c"}},
        {"clientCert": 5},
        {"proxy": {"host": "proxy", "port": "1"}},
        {"proxy": {"host": "proxy", "port": 1, "exclusionList": "a"}},
        None,
    ],
)
def test_from_dict_of_wrong_json(given: Any) -> None:
    """Unknown names and wrong values in JSON are a parameter error."""
    with pytest.raises(ParameterError):
        WebSocketRequestOptions.from_dict(given)


@pytest.mark.parametrize(
    ("interval", "given", "deadline"),
    [(30, None, 30), (5, None, 5), (300, None, 30), (0, None, 0), (60, 60, 60), (60, 0, 0)],
)
def test_deadline(interval: int, given: int | None, deadline: int) -> None:
    """The pong is waited for 30 s or the interval if that is less, unless it is said."""
    options = WebSocketRequestOptions(ping_interval=interval, pong_timeout=given)
    options.check()
    assert options.deadline_s == deadline


@pytest.mark.parametrize(
    "wrong",
    [
        {"ping_interval": -1},
        {"ping_interval": 30_001},
        {"ping_interval": True},
        {"ping_interval": 1.5},
        {"ping_interval": "30"},
        {"pong_timeout": 31},
        {"pong_timeout": -1},
        {"pong_timeout": False},
        {"ping_interval": 0, "pong_timeout": 1},
        {"protocol": None},
        {"protocol": "a,,b"},
        {"protocol": "a,a"},
        {"protocol": "a b"},
        {"protocol": "a\r\nX: y"},
        {"proxy": "direct"},
        {"proxy": None},
        {"proxy": HttpProxy("", 1)},
        {"proxy": HttpProxy("p", -1)},
        {"proxy": HttpProxy("p", 65_536)},
        {"proxy": HttpProxy("p", True)},
        {"proxy": HttpProxy("p", 1, "a")},  # type: ignore[arg-type]
        {"proxy": HttpProxy("p", 1, (5,))},  # type: ignore[arg-type]
        {"proxy": HttpProxy("p", 1, username=5)},  # type: ignore[arg-type]
        {"ca_path": 5},
        {"origin": "http://a\r\nX: y"},
        {"origin": "http://\ud800"},
        {"origin": 5},
        {"client_cert": "cert.pem"},
        {"client_cert": ClientCert("c", None)},  # type: ignore[arg-type]
        {"skip_server_cert_verification": 1},
        {"compression": True},
        {"max_message_size": -1},
        {"max_send_size": -1},
        {"max_url_length": 0},
        {"max_queue": 0},
        {"open_timeout": 0},
        {"open_timeout": float("nan")},
        {"close_timeout": float("inf")},
        {"close_timeout": "10"},
        {"allowed_hosts": "example.com"},
        {"allowed_hosts": 5},
        {"allowed_hosts": b"example.com"},
        {"allowed_hosts": ["example.com", 5]},
        {"permission_check": 5},
        {"min_tls_version": 9},
        {"min_tls_version": True},
    ],
)
def test_wrong_options(wrong: dict[str, Any]) -> None:
    """Types and ranges are checked, a bool is no number, and the error is 401. 4.6 item 12."""
    with pytest.raises(ParameterError):
        WebSocketRequestOptions(**wrong).check()


@pytest.mark.parametrize(
    "header",
    [
        {"X-A": "1\r\nInjected: yes"},
        {"X-A": "1\nInjected: yes"},
        {"X-A": "1\0"},
        {"X-A": "\ud800"},
        {"X A": "1"},
        {"X-A:": "1"},
        {"": "1"},
        {"X-\u00c4": "1"},
        {"X-A\r\nY": "1"},
        {"Host": "elsewhere"},
        {"upgrade": "h2c"},
        {"Connection": "close"},
        {"sec-websocket-key": "x"},
        {"Sec-WebSocket-Protocol": "x"},
        {"X-A": 1},
        {5: "1"},
        {"X-A": "1", "x-a": "2"},
        [("X-A", "1")],
    ],
)
def test_wrong_headers(header: Any) -> None:
    """(l) What would break out of its line, or double one of the handshake, is a 401.

    4.6 item 18.
    """
    with pytest.raises(ParameterError) as caught:
        WebSocketRequestOptions(header=header).check()
    assert "Injected" not in str(caught.value)


def test_good_headers() -> None:
    """Tokens as names and any printable value are accepted, and stay as they are."""
    header = {"Authorization": "Bearer x", "Cookie": "a=b; c=d", "X-Empty": ""}
    assert WebSocketRequestOptions.from_dict({"header": header}).header == header
    WebSocketRequestOptions(
        header=header,
        min_tls_version=TlsVersion.TLS_V_1_3,
        allowed_hosts=["a"],
        max_send_size=None,
    ).check()


def test_headers_are_not_shown() -> None:
    """(x) Headers may hold credentials and are not in the repr."""
    assert "secret" not in repr(WebSocketRequestOptions(header={"Authorization": "secret"}))


@pytest.mark.parametrize(
    ("names", "found"), [("", ()), (" ", ()), ("a", ("a",)), ("a, b ,c", ("a", "b", "c"))]
)
def test_subprotocols(names: str, found: tuple[str, ...]) -> None:
    """Subprotocols are separated by commas, and "" is none at all."""
    assert subprotocols(names) == found


def test_check_number_without_upper_end() -> None:
    """A number without an upper end may be as large as it likes."""
    check_number("x", 10**12, 0)
    with pytest.raises(ParameterError):
        check_number("x", 10**12, 0, 10**12 - 1)
