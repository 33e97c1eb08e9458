import dataclasses
from typing import Any

import pytest

from twisted_chainws.websocket.values import (
    ClientCert,
    CloseResult,
    HttpProxy,
    OpenInfo,
    ResponseHeaders,
    ServerCert,
    WebSocketCloseOptions,
    WebSocketConnection,
    WebSocketMessage,
)

CONNECTION = WebSocketConnection("127.0.0.1", 50_000, 7)


def test_passwords_are_not_shown() -> None:
    """(x) Neither a key's nor a proxy's password is in a repr."""
    cert = ClientCert("cert.pem", "key.pem", "hunter2")
    proxy = HttpProxy("proxy", 8080, username="me", password="hunter2")
    assert "hunter2" not in repr((cert, proxy))
    assert "cert.pem" in repr(cert)


@pytest.mark.parametrize(
    "value",
    [
        ClientCert("a", "b"),
        ServerCert("a", "b"),
        HttpProxy("a", 1),
        WebSocketCloseOptions(),
        CloseResult(1000, ""),
        OpenInfo(101, "Switching Protocols"),
        CONNECTION,
        WebSocketMessage("x", CONNECTION),
    ],
)
def test_values_are_frozen_and_hashable(value: Any) -> None:
    """What a listener was given cannot be changed under the feet of the next."""
    name = dataclasses.fields(value)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, name, None)
    assert hash(value) == hash(dataclasses.replace(value))


def test_serial_does_not_count_for_equality() -> None:
    """A connection made by hand equals the live one of the same address."""
    assert WebSocketConnection("127.0.0.1", 50_000) == CONNECTION
    assert "serial" not in repr(CONNECTION)


def test_usual_close_options() -> None:
    """Without anything said a close is normal and gives no reason."""
    assert WebSocketCloseOptions() == WebSocketCloseOptions(code=1000, reason="")


def test_headers_are_found_in_any_case() -> None:
    """Names are listed in lower case and looked up in any."""
    headers = ResponseHeaders([("Content-Type", "text/plain"), ("X-A", "1")])
    assert headers["CONTENT-type"] == "text/plain"
    assert list(headers) == ["content-type", "x-a"]
    assert "x-A" in headers
    assert headers.get("none") is None
    assert len(headers) == 2


def test_repeated_headers_are_a_list() -> None:
    """(k) A header that came several times is a list, in order; one that came once a str."""
    headers = ResponseHeaders([("Set-Cookie", "a=1"), ("set-cookie", "b=2"), ("X", "1, 2")])
    assert headers == {"set-cookie": ["a=1", "b=2"], "x": "1, 2"}
    assert ResponseHeaders([("a", "1"), ("A", "2"), ("a", "3")])["a"] == ["1", "2", "3"]


def test_header_values_are_not_shown() -> None:
    """(x) The repr of headers has names only, for cookies are secrets."""
    assert repr(ResponseHeaders([("Set-Cookie", "secret")])) == "<ResponseHeaders set-cookie>"
