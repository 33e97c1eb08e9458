from pathlib import Path
from typing import Any

import pytest
from autobahn.websocket.protocol import WebSocketClientFactory
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

import twisted_chainws
from tests.websocket.scripted import options
from twisted_chainws.websocket.seam import client_factory
from twisted_chainws.websocket.seam.client_factory import ClientFactory
from twisted_chainws.websocket.timers import ReactorTimers
from twisted_chainws.websocket.url import parse_url


class Owner:
    def made(self, _connection: Any) -> bool:
        return True


def made(url: str, **more: Any) -> ClientFactory:
    """Return a factory for a URL."""
    owner: Any = Owner()
    return ClientFactory(
        reactor=Clock(),
        owner=owner,
        target=parse_url(url, longest=2048),
        options=options(**more),
    )


def request(url: str, **more: Any) -> tuple[str, dict[str, list[str]]]:
    """Return the request line and the headers that a connection begins with."""
    connection = made(url, **more).buildProtocol(None)
    wire = StringTransport()
    connection.makeConnection(wire)
    first, *lines = wire.value().decode().removesuffix("\r\n\r\n").split("\r\n")
    headers: dict[str, list[str]] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        headers.setdefault(name.lower(), []).append(value)
    return first, headers


def test_request() -> None:
    """The request asks for path and query of the URL, once for each header."""
    first, headers = request("ws://h:81/p?q=1", compression=None)
    assert first == "GET /p?q=1 HTTP/1.1"
    assert headers["host"] == ["h:81"]
    assert headers["sec-websocket-version"] == ["13"]
    assert all(len(values) == 1 for values in headers.values())
    absent = {"origin", "sec-websocket-protocol", "sec-websocket-extensions", "authorization"}
    assert absent.isdisjoint(headers)


def test_request_to_an_ipv6_address() -> None:
    """(e) The address stands in brackets, which Autobahn forgets."""
    assert request("ws://[::1]:9000/")[1]["host"] == ["[::1]:9000"]


def test_request_without_path() -> None:
    """(e) A query without a path gets its slash; letters outside ASCII are percent-encoded."""
    assert request("ws://h?a=\u00fc")[0] == "GET /?a=%C3%BC HTTP/1.1"


def test_headers_of_the_application() -> None:
    """(l) Headers go out as given; User-Agent and Origin take the place of ours. 4.6 item 18."""
    given = {"X-A": "1", "user-agent": "me/1", "ORIGIN": "http://a"}
    _, headers = request("ws://h/", header=given, origin="http://b")
    assert headers["x-a"] == ["1"]
    assert headers["user-agent"] == ["me/1"]
    assert headers["origin"] == ["http://a"]
    assert request("ws://h/", origin="http://b")[1]["origin"] == ["http://b"]


def test_subprotocols_are_offered() -> None:
    """Subprotocols go out in one header, best first."""
    assert request("ws://h/", protocol="a, b")[1]["sec-websocket-protocol"] == ["a,b"]


@pytest.mark.parametrize(
    ("header", "sent"), [(None, "Basic bWU6cHc="), ({"authorization": "Bearer x"}, "Bearer x")]
)
def test_user_of_the_url(header: dict[str, str] | None, sent: str) -> None:
    """(e) The user in the URL becomes Basic credentials, unless there is a header for them."""
    assert request("ws://me:pw@h/", header=header)[1]["authorization"] == [sent]


def test_compression_is_offered() -> None:
    """(m) permessage-deflate is offered unless it is switched off."""
    assert request("ws://h/")[1]["sec-websocket-extensions"][0].startswith("permessage-deflate")


def test_autobahn_still_uses_the_timers_we_replace() -> None:
    """Should the attribute disappear, timers would be early, pings a flood. 4.6 item 1."""
    assert hasattr(WebSocketClientFactory(), "_batched_timer")
    assert isinstance(made("ws://h/")._batched_timer, ReactorTimers)


@pytest.mark.parametrize(
    "name", ["connectWS", "listenWS", "create_client_agent", "autobahn.asyncio"]
)
def test_helpers_of_autobahn_are_not_used(name: str) -> None:
    """They verify nothing, never fire, or are of asyncio. 4.6 items 3, 4, 5 and 23."""
    package = Path(twisted_chainws.__file__).parent
    sources = list(package.rglob("*.py"))
    assert len(sources) > 50
    assert [each.name for each in sources if name in each.read_text(encoding="utf-8")] == []


def test_autobahn_knows_of_no_proxy() -> None:
    """Its own proxy loses the refusal's words and the TLS details. 4.6 items 4, 6 and 7."""
    assert made("ws://h/").proxy is None
    seam = Path(client_factory.__file__).parent
    found = [each.name for each in seam.glob("*.py") if "proxy" in each.read_text(encoding="utf-8")]
    assert found == []


def test_only_the_final_protocol_and_no_limit_of_our_own_in_the_way() -> None:
    """The connection's options are those that were asked for, with Autobahn's own timers off."""
    factory = made("ws://h/", max_message_size=5, close_timeout=7)
    assert (factory.version, factory.maxMessagePayloadSize) == (18, 5)
    assert (factory.closeHandshakeTimeout, factory.openHandshakeTimeout) == (7, 0)
    assert (factory.autoPingInterval, factory.serverConnectionDropTimeout) == (0, 0)
    assert factory.failByDrop is False
