from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from OpenSSL import SSL
from service_identity import VerificationError

from tests.websocket.certificates import Issued, authority, leaf, write
from tests.websocket.proxies import HttpProxyServer, SocksProxyServer, proxies
from tests.websocket.scripted import Client, limit, pause, until
from tests.websocket.serving import Serving, serving
from tests.websocket.streams import listening
from twisted_chainws.websocket import (
    CloseResult,
    Handshake,
    HttpProxy,
    ServerCert,
    WebSocketError,
    WebSocketRequestOptions,
)
from twisted_chainws.websocket.retrying import is_worth_retrying
from twisted_chainws.websocket.tls import server_context
from twisted_chainws.websocket.tunnel import ProxyRefused

pytestmark = pytest.mark.integration

ROOT = authority("root")
TARGET = leaf(ROOT, dns=["target.example"])
PROXY = leaf(ROOT, dns=["localhost"])
USER, PASSWORD = "me", "open: sésame"
SECRETS = ("sésame", "bWU6b3Blbj", "m%65")


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin without proxies in the environment."""
    for name in ("ws", "wss", "socks", "all", "https", "http", "no"):
        monkeypatch.delenv(f"{name}_proxy", raising=False)
        monkeypatch.delenv(f"{name}_PROXY".upper(), raising=False)


@dataclass(frozen=True, kw_only=True)
class Road:
    """A server, a proxy, and how to the former through the latter.

    Attributes:
        stand: the server, which echoes.
        port: of the server.
        proxy_port: of the proxy.
        seen: the connections to the proxy.
        requests: the handshakes that the server saw.
        roots: the file to trust.
    """

    stand: Serving
    port: int
    proxy_port: int
    seen: list[Any]
    requests: list[Handshake]
    roots: str

    async def connect(
        self, proxy: Any, *, scheme: str = "ws", host: str = "target.example", **more: Any
    ) -> Client:
        """Begin to connect."""
        client = Client()
        options = WebSocketRequestOptions(proxy=proxy, ca_path=self.roots, **more)
        assert await client.connect(f"{scheme}://{host}:{self.port}/", options) is True
        return client

    async def error(self, proxy: Any, **more: Any) -> WebSocketError:
        """Connect in vain; return what the only event tells."""
        client = await self.connect(proxy, **more)
        await client.gone()
        assert client.names == ["error"]
        (error,) = client.told("error")
        assert isinstance(error, WebSocketError)
        assert (int(error.code), error.message) == (200, "Websocket connect failed")
        assert self.requests == []
        return error


@asynccontextmanager
async def _road(
    folder: Path,
    *,
    secure: bool = False,
    kind: Any = HttpProxyServer,
    shown: Issued | None = None,
    **proxy: Any,
) -> AsyncIterator[Road]:
    between = proxies(kind, **proxy)
    requests: list[Handshake] = []
    roots = write(folder, "roots", ROOT.pem)

    def note(request: Handshake) -> bool:
        requests.append(request)
        return True

    async with AsyncExitStack() as stack:
        own = _cert(folder, TARGET) if secure else None
        stand = await stack.enter_async_context(serving(server_cert=own, accept=note))
        stand.server.on(
            "messageReceive", lambda each: stand.server.send(each.data, each.client_connection)
        )
        near = await stack.enter_async_context(
            listening(between, None if shown is None else _context(folder, shown))
        )
        assert stand.server.address is not None
        yield Road(
            stand=stand,
            port=stand.server.address.port,
            proxy_port=near,
            seen=between.made,
            requests=requests,
            roots=roots,
        )


def _cert(folder: Path, issued: Issued) -> ServerCert:
    return ServerCert(
        write(folder, "server.pem", issued.chain), write(folder, "server.key", issued.key_pem())
    )


def _context(folder: Path, issued: Issued) -> Any:
    @dataclass(frozen=True)
    class Config:
        server_cert: ServerCert | None
        client_ca_path: str | None = None

    return server_context(Config(_cert(folder, issued)))


async def _talk(client: Client) -> None:
    """Wait for the opening, have something echoed, and close."""
    await limit(client.when_open())
    await client.send("x" * 200_000)
    assert await limit(client.recv()) == "x" * 200_000
    await client.close(code=4000, reason="done")
    assert await limit(client.when_closed()) == CloseResult(4000, "done")
    assert "error" not in client.names


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize("user", [False, True])
@pytest.mark.parametrize("way", ["custom", "http", "https", "socks5", "socks5h"])
@pytest_twisted.ensureDeferred
async def test_each_way(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    way: str,
    user: bool,
    secure: bool,
    capture_log: list[Any],
) -> None:
    """(i) Custom and system proxies of each kind lead ws and wss, and keep their secrets.

    4.6 items 4 and 7.
    """
    needed = (USER, PASSWORD) if user else None
    kind = SocksProxyServer if way.startswith("socks") else HttpProxyServer
    shown = PROXY if way == "https" else None
    scheme = "wss" if secure else "ws"
    async with _road(tmp_path, secure=secure, kind=kind, shown=shown, credentials=needed) as road:
        proxy: Any = "system"
        if way == "custom":
            proxy = HttpProxy("127.0.0.1", road.proxy_port, (), *(needed or ()))
        else:
            login = "m%65:open%3A%20s%C3%A9same@" if user else ""
            monkeypatch.setenv(f"{scheme}_proxy", f"{way}://{login}localhost:{road.proxy_port}")
        client = await road.connect(proxy, scheme=scheme)
        await limit(client.when_open())
        assert client._link is not None
        wire: Any = client._link.connection
        if secure:
            assert wire.transport_details.is_secure is True
            assert wire.transport_details.peer_cert is not None
            assert wire.transport.getHandle().get_servername() == b"target.example"
        await _talk(client)
        assert road.seen[0].asked == ("target.example", road.port)
        (request,) = road.requests
        assert request.headers["host"] == f"target.example:{road.port}"
        assert not {"authorization", "proxy-authorization"} & set(request.headers)
        told = f"{capture_log!r} {client.events!r} {proxy!r} {road.seen[0]!r}"
        assert not [each for each in SECRETS if each in told]


@pytest.mark.parametrize("scheme", ["ws", "wss"])
@pytest.mark.parametrize("way", ["custom", "system"])
@pytest.mark.parametrize(
    ("behaviour", "status", "words"),
    [
        ({"credentials": (USER, PASSWORD)}, 407, "407 Proxy Authentication Required"),
        ({"answer": b"HTTP/1.0 502 Bad Gateway\r\n\r\n"}, 502, "502 Bad Gateway"),
        ({"answer": b"HTTP/1.1 301 Moved\r\nLocation: ws://x/\r\n\r\n"}, 301, "301 Moved"),
        ({"answer": b"220 smtp.example\r\n"}, None, "does not speak HTTP"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_refusing_proxy_is_quoted(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    behaviour: dict[str, Any],
    status: int | None,
    words: str,
    way: str,
    scheme: str,
) -> None:
    """(i) A refused CONNECT is ``error`` 200 with the proxy's status and words, not ``close``.

    4.6 item 6.
    """
    async with _road(tmp_path, **behaviour) as road:
        monkeypatch.setenv(f"{scheme}_proxy", f"http://me:wrong@127.0.0.1:{road.proxy_port}")
        custom = HttpProxy("127.0.0.1", road.proxy_port, username=USER, password="wrong")
        error = await road.error(custom if way == "custom" else "system", scheme=scheme)
        assert (error.http_status, error.data) == (status, str(status or 0))
        assert isinstance(error.__cause__, ProxyRefused)
        assert words in str(error.__cause__)
        assert "wrong" not in f"{error!r} {error.__cause__!r}"
        await until(lambda: road.seen[0].lost.called)


@pytest.mark.parametrize("scheme", ["ws", "wss"])
@pytest_twisted.ensureDeferred
async def test_a_hanging_proxy_is_given_up(tmp_path: Path, scheme: str) -> None:
    """(i) The open timeout counts the proxy's silence as well, and leaves no connection."""
    async with _road(tmp_path, answer=b"") as road:
        proxy = HttpProxy("127.0.0.1", road.proxy_port)
        error = await road.error(proxy, scheme=scheme, open_timeout=0.2)
        assert isinstance(error.__cause__, TimeoutError)
        await until(lambda: road.seen[0].lost.called)


@pytest_twisted.ensureDeferred
async def test_a_proxy_that_lets_nothing_through_is_given_up(tmp_path: Path) -> None:
    """(i) The same timeout ends a tunnel that opens and stays silent."""
    async with _road(tmp_path, answer=b"HTTP/1.1 200 OK\r\n\r\n") as road:
        proxy = HttpProxy("127.0.0.1", road.proxy_port)
        for scheme in ("ws", "wss"):
            error = await road.error(proxy, scheme=scheme, open_timeout=0.2)
            assert isinstance(error.__cause__, TimeoutError)
        await until(lambda: all(each.lost.called for each in road.seen))


@pytest_twisted.ensureDeferred
async def test_closing_gives_up_the_talk_with_the_proxy(tmp_path: Path) -> None:
    """A close during CONNECT cuts the connection; it tells ``close`` with our code, no ``error``."""
    async with _road(tmp_path, answer=b"") as road:
        client = await road.connect(HttpProxy("127.0.0.1", road.proxy_port))
        await until(lambda: bool(road.seen and road.seen[0].head))
        assert await client.close(code=4001, reason="enough") is True
        result = await limit(client.when_closed())
        assert (result.code, result.reason) == (4001, "enough")
        assert client.names == ["close"]
        await until(lambda: road.seen[0].lost.called)


@pytest_twisted.ensureDeferred
async def test_no_proxy_there_is_no_connection() -> None:
    """Nobody listens where the proxy should be: ``error`` 200 without a status."""
    client = Client()
    proxy = HttpProxy("127.0.0.1", 1)
    await client.connect("ws://target.example/", WebSocketRequestOptions(proxy=proxy))
    await client.gone()
    (error,) = client.told("error")
    assert (int(error.code), error.http_status, error.data) == (200, None, "0")


@pytest.mark.parametrize(
    ("shown", "cause"),
    [(leaf(ROOT, dns=["target.example"]), VerificationError), (leaf(None), SSL.Error)],
)
@pytest_twisted.ensureDeferred
async def test_a_false_proxy_gets_no_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shown: Issued, cause: type[Exception]
) -> None:
    """A proxy under TLS must prove its own name, even for who skips the target's."""
    async with _road(tmp_path, shown=shown) as road:
        monkeypatch.setenv("ws_proxy", f"https://me:secret@localhost:{road.proxy_port}")
        error = await road.error("system", skip_server_cert_verification=True)
        assert isinstance(error.__cause__, cause)
        assert not is_worth_retrying(error)
        assert road.seen[0].received + road.seen[0].said == b""


@pytest_twisted.ensureDeferred
async def test_the_target_is_verified_through_a_proxy(tmp_path: Path) -> None:
    """The name in the URL counts, not the proxy's. 4.6 item 5."""
    async with _road(tmp_path, secure=True) as road:
        proxy = HttpProxy("localhost", road.proxy_port)
        error = await road.error(proxy, scheme="wss", host="localhost")
        assert isinstance(error.__cause__, VerificationError)


@pytest.mark.parametrize(
    ("no_proxy", "exclusions"),
    [
        ("*", ("*",)),
        ("127.0.0.0/8", ("127.0.0.1",)),
        ("example.com, 127.0.0.1", ("example.com", "127.0.0.1")),
    ],
)
@pytest_twisted.ensureDeferred
async def test_excluded_targets_are_reached_directly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_proxy: str, exclusions: tuple[str, ...]
) -> None:
    """(i) What either list covers, networks included, does not see the proxy."""
    async with _road(tmp_path) as road:
        monkeypatch.setenv("all_proxy", f"http://127.0.0.1:{road.proxy_port}")
        monkeypatch.setenv("no_proxy", no_proxy)
        custom = HttpProxy("127.0.0.1", road.proxy_port, exclusions)
        for proxy in ("system", "no-proxy", custom):
            await _talk(await road.connect(proxy, host="127.0.0.1"))
        assert road.seen == []
        # The lists are read anew each time.
        monkeypatch.setenv("no_proxy", "other.example")
        await _talk(await road.connect("system", host="127.0.0.1"))
        assert len(road.seen) == 1


@pytest_twisted.ensureDeferred
async def test_an_unusable_system_proxy_is_a_wrong_parameter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """(d) A scheme that is not spoken is 401, before anything is dialled, and is not quoted."""
    monkeypatch.setenv("ws_proxy", "gopher://me:secret@proxy.example")
    client = Client()
    with pytest.raises(WebSocketError) as caught:
        await client.connect("ws://target.example/")
    assert int(caught.value.code) == 401
    assert "secret" not in repr(caught.value)
    assert client.events == []
    await pause(0)
