import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from ipaddress import IPv6Address
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from OpenSSL import SSL
from service_identity import VerificationError
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectError
from twisted.internet.protocol import Factory
from twisted.internet.utils import getProcessOutputAndValue

from tests.websocket.certificates import Issued, authority, leaf, write
from tests.websocket.proxies import HttpProxyServer, SocksProxyServer, proxies
from tests.websocket.streams import Listener, Talker, dial, listening, pause, reactor
from twisted_chainws.websocket.codes import ErrorCode, WebSocketError
from twisted_chainws.websocket.proxy import choose_proxy, dial_endpoint
from twisted_chainws.websocket.proxy_server import ProxyScheme, ProxyServer
from twisted_chainws.websocket.tls import ClientTls, server_context
from twisted_chainws.websocket.tunnel import ProxyRefused
from twisted_chainws.websocket.values import HttpProxy, ServerCert

pytestmark = pytest.mark.integration

ROOT = authority("root")
TARGET = leaf(ROOT, dns=["target.example"])
PROXY = leaf(ROOT, dns=["localhost"])
USER = ("Aladdin", "open sésame")
BIG = 300_000
CURL = shutil.which("curl")


@dataclass(frozen=True, kw_only=True)
class Side:
    """Options of a client, and of a server."""

    ca_path: str | None = None
    client_cert: None = None
    skip_server_cert_verification: bool = False
    min_tls_version: None = None
    server_cert: ServerCert | None = None
    client_ca_path: None = None


class Echo(Talker):
    """Says hello, at once, and then everything that it hears."""

    def connectionMade(self) -> None:
        self.wire.write(b"hello\n")

    def dataReceived(self, data: bytes) -> None:
        super().dataReceived(data)
        self.wire.write(data)


def _context(folder: Path, issued: Issued) -> Any:
    return server_context(
        Side(
            server_cert=ServerCert(
                write(folder, "cert", issued.chain), write(folder, "key", issued.key_pem())
            )
        )
    )


def _trust(folder: Path, root: Issued = ROOT) -> ClientTls:
    return ClientTls(Side(ca_path=write(folder, "roots", root.pem)))


@dataclass(frozen=True)
class Road:
    """From a client through a proxy to an echo.

    Attributes:
        tls: of the client.
        proxy: where it is.
        port: of the echo.
        seen: connections to the proxy.
        echoes: connections to the echo.
    """

    tls: ClientTls
    proxy: ProxyServer
    port: int
    seen: list[Any]
    echoes: list[Any]

    def endpoint(
        self, *, secure: bool = False, host: str = "target.example", port: int | None = None
    ) -> Any:
        """Return an endpoint to the echo."""
        return dial_endpoint(
            reactor,
            host=host,
            port=self.port if port is None else port,
            tls=self.tls.creator(host) if secure else None,
            proxy=self.proxy,
            proxy_tls=self.tls.proxy_creator,
            timeout_s=10,
        )


@asynccontextmanager
async def _road(
    folder: Path,
    scheme: ProxyScheme = "http",
    *,
    server: Any = None,
    target: Issued | None = None,
    shown: Issued = PROXY,
    credentials: tuple[str, str] | None = None,
    says: Callable[[], Talker] | None = None,
    **misbehaviour: Any,
) -> AsyncIterator[Road]:
    """Open a road: ``server`` credentials are demanded, ``credentials`` are given."""
    kind: Callable[..., Any] = SocksProxyServer if "socks" in scheme else HttpProxyServer
    between = proxies(kind, credentials=server, **misbehaviour)
    echo = Listener(says or Echo)
    async with AsyncExitStack() as stack:
        port = await stack.enter_async_context(
            listening(echo, _context(folder, target) if target else None)
        )
        near = await stack.enter_async_context(
            listening(between, _context(folder, shown) if scheme == "https" else None)
        )
        user, password = (None, None) if credentials is None else credentials
        proxy = ProxyServer(
            scheme=scheme,
            host="localhost" if scheme == "https" else "127.0.0.1",
            port=near,
            username=user,
            password=password,
        )
        yield Road(_trust(folder), proxy, port, between.made, echo.made)


SCHEMES: list[ProxyScheme] = ["http", "https", "socks5", "socks5h"]


@pytest.mark.parametrize("credentials", [None, USER])
@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest_twisted.ensureDeferred
async def test_each_kind_of_proxy_leads_to_the_target(
    tmp_path: Path, scheme: ProxyScheme, secure: bool, credentials: tuple[str, str] | None
) -> None:
    """Data goes both ways, plain and under TLS, with credentials and without."""
    road = _road(
        tmp_path,
        scheme,
        server=credentials,
        credentials=credentials,
        target=TARGET if secure else None,
    )
    async with road as here:
        talker = await dial(here.endpoint(secure=secure))
        assert await talker.until(b"hello\n") == b"hello\n"
        talker.wire.write(b"a" * BIG + b"!")
        assert await talker.until(b"!") == b"hello\n" + b"a" * BIG + b"!"
        assert here.seen[0].asked == ("target.example", here.port)
        if secure:
            assert here.echoes[0].wire.getHandle().get_servername() == b"target.example"
        await talker.hang_up()
        await here.echoes[0].lost


@pytest_twisted.ensureDeferred
async def test_credentials_are_said_to_the_proxy_only(tmp_path: Path) -> None:
    """The request has Basic credentials once, in UTF-8, and the target hears nothing of them."""
    async with _road(tmp_path, server=USER, credentials=USER) as here:
        talker = await dial(here.endpoint())
        talker.wire.write(b"x")
        await talker.until(b"x")
        assert here.seen[0].head == {
            "Host": f"target.example:{here.port}",
            "Proxy-Authorization": "Basic QWxhZGRpbjpvcGVuIHPDqXNhbWU=",
        }
        assert here.echoes[0].received == b"x"
        await talker.hang_up()


@pytest.mark.parametrize("given", [None, ("Aladdin", "wrong")])
@pytest_twisted.ensureDeferred
async def test_a_proxy_that_wants_other_credentials_is_quoted(
    tmp_path: Path, given: tuple[str, str] | None
) -> None:
    """A 407 fails the dial with the status line and its number, not with the password."""
    async with _road(tmp_path, server=USER, credentials=given) as here:
        with pytest.raises(ProxyRefused) as caught:
            await dial(here.endpoint())
        assert str(caught.value) == "HTTP/1.1 407 Proxy Authentication Required"
        assert caught.value.http_status == 407
        await here.seen[0].lost


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (None, "the SOCKS proxy wants another authentication"),
        (("Aladdin", "wrong"), "the SOCKS proxy does not accept the credentials"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_socks_proxy_that_wants_other_credentials_is_understood(
    tmp_path: Path, given: tuple[str, str] | None, words: str
) -> None:
    """Credentials that are missing or wrong are told apart."""
    async with _road(tmp_path, "socks5", server=USER, credentials=given) as here:
        with pytest.raises(ProxyRefused, match=words):
            await dial(here.endpoint())


@pytest.mark.parametrize(
    ("scheme", "words", "status"),
    [
        ("http", "HTTP/1.1 502 Bad Gateway", 502),
        ("https", "HTTP/1.1 502 Bad Gateway", 502),
        ("socks5", "the SOCKS proxy says: connection refused", None),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_target_that_cannot_be_reached_is_told(
    tmp_path: Path, scheme: ProxyScheme, words: str, status: int | None
) -> None:
    """The proxy's own words for its failure come through."""
    async with _road(tmp_path, scheme) as here:
        with pytest.raises(ProxyRefused) as caught:
            await dial(here.endpoint(port=1))
        assert (str(caught.value), caught.value.http_status) == (words, status)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest_twisted.ensureDeferred
async def test_a_proxy_that_is_not_there_fails_as_a_dial_does(
    tmp_path: Path, scheme: ProxyScheme
) -> None:
    """Nobody listens: the error is that of TCP."""
    gone = ProxyServer(scheme=scheme, host="127.0.0.1", port=1)
    tls = _trust(tmp_path)
    endpoint = dial_endpoint(
        reactor,
        host="target.example",
        port=80,
        tls=None,
        proxy=gone,
        proxy_tls=tls.proxy_creator,
        timeout_s=10,
    )
    with pytest.raises(ConnectError):
        await dial(endpoint)


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest_twisted.ensureDeferred
async def test_a_hanging_proxy_is_given_up_by_cancelling(
    tmp_path: Path, scheme: ProxyScheme
) -> None:
    """A proxy that never answers keeps nobody: a cancelled dial fails at once and hangs up."""
    async with _road(tmp_path, scheme, answer=b"") as here:
        dialling: Deferred[Any] = here.endpoint(secure=True).connect(Factory.forProtocol(Talker))
        while not here.seen or not here.seen[0].head:
            await pause(0.01)
        dialling.cancel()
        with pytest.raises(CancelledError):
            await dialling
        await here.seen[0].lost


@pytest.mark.parametrize(
    ("target", "error"),
    [
        (leaf(ROOT, dns=["localhost", "other.example"]), VerificationError),
        (leaf(ROOT, dns=["target.example"], expired=True), SSL.Error),
        (leaf(None, dns=["target.example"]), SSL.Error),
    ],
)
@pytest.mark.parametrize("scheme", ["http", "https", "socks5"])
@pytest_twisted.ensureDeferred
async def test_the_target_is_verified_beyond_the_proxy(
    tmp_path: Path, scheme: ProxyScheme, target: Issued, error: type[Exception]
) -> None:
    """SNI and the name check are for the target, never for the proxy's host."""
    async with _road(tmp_path, scheme, target=target) as here:
        talker = await dial(here.endpoint(secure=True))
        with pytest.raises(error):
            await talker.until(b"hello")


@pytest.mark.parametrize(
    ("shown", "error"),
    [(leaf(ROOT, dns=["target.example"]), VerificationError), (leaf(None), SSL.Error)],
)
@pytest_twisted.ensureDeferred
async def test_a_proxy_under_tls_is_verified(
    tmp_path: Path, shown: Issued, error: type[Exception]
) -> None:
    """A proxy with another name or of another root gets no credentials; the error says whose."""
    async with _road(tmp_path, "https", shown=shown, server=USER, credentials=USER) as here:
        with pytest.raises(error) as caught:
            await dial(here.endpoint())
        assert caught.value.__notes__ == ["This is about the proxy."]
        assert here.seen[0].head == {}


@pytest_twisted.ensureDeferred
async def test_skipping_verification_is_for_targets_only(tmp_path: Path) -> None:
    """A proxy is verified although the target is not."""
    tls = ClientTls(Side(skip_server_cert_verification=True))
    async with _road(tmp_path, "https") as here:
        unsure = Road(tls, here.proxy, here.port, here.seen, here.echoes)
        with pytest.raises(SSL.Error, match="certificate verify failed"):
            await dial(unsure.endpoint())


@pytest.mark.parametrize(
    ("host", "kind", "written"),
    [("192.0.2.1", 1, "192.0.2.1"), ("target.example", 3, ""), ("2001:db8::1", 4, "[2001:db8::1]")],
)
@pytest_twisted.ensureDeferred
async def test_names_and_addresses_are_asked_for_as_they_are(
    tmp_path: Path, host: str, kind: int, written: str
) -> None:
    """CONNECT has brackets around IPv6; SOCKS has names as names, addresses as addresses."""
    async with _road(tmp_path) as here:
        await (await dial(here.endpoint(host=host))).hang_up()
        assert here.seen[0].asked == (written or host, here.port)
    async with _road(tmp_path, "socks5") as here:
        await (await dial(here.endpoint(host=host))).hang_up()
        assert (here.seen[0].kind, here.seen[0].asked[0]) == (kind, host)


@pytest.mark.parametrize("bound", [IPv6Address("2001:db8::1"), "proxy.example"])
@pytest_twisted.ensureDeferred
async def test_a_socks_proxy_may_bind_any_kind_of_address(tmp_path: Path, bound: Any) -> None:
    """The answer's address has the length of its kind, and data begins after it."""
    async with _road(tmp_path, "socks5", bound=bound) as here:
        talker = await dial(here.endpoint())
        assert await talker.until(b"hello\n") == b"hello\n"
        await talker.hang_up()


class Once(Talker):
    """Waits for a request, says hello, and goes."""

    def dataReceived(self, data: bytes) -> None:
        super().dataReceived(data)
        if b"\r\n\r\n" in self.received:
            self.wire.write(b"hello\n")
            self.wire.loseConnection()


@pytest.mark.parametrize("scheme", ["http", "https", "socks5h"])
@pytest.mark.skipif(CURL is None, reason="there is no curl")
@pytest_twisted.ensureDeferred
async def test_the_proxies_of_these_tests_serve_others(tmp_path: Path, scheme: ProxyScheme) -> None:
    """What is taken for a proxy here is one to curl, too."""
    async with _road(tmp_path, scheme, server=USER, says=Once) as here:
        proxy = f"{scheme}://{here.proxy.host}:{here.proxy.port}"
        output, _, status = await getProcessOutputAndValue(
            str(CURL),
            [
                "-sS",
                "--max-time",
                "20",
                "--http0.9",
                "--proxytunnel",
                "--proxy",
                proxy,
                "--proxy-user",
                ":".join(USER),
                "--proxy-cacert",
                str(tmp_path / "roots"),
                f"http://target.example:{here.port}/",
            ],
            env={},
        )
        assert (output, status) == (b"hello\n", 0)


def _chosen(setting: Any, *, host: str = "target.example", secure: bool = True) -> Any:
    return choose_proxy(secure=secure, host=host, port=443, setting=setting)


def test_no_proxy_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Told to use none, a client does not look at the environment."""
    monkeypatch.setenv("https_proxy", "gopher://nonsense")
    assert _chosen("no-proxy") is None


def test_the_system_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Told to use the system's, a client looks at the environment anew each time."""
    monkeypatch.setenv("wss_proxy", "http://one:1")
    assert _chosen("system").host == "one"
    monkeypatch.setenv("wss_proxy", "http://two:2")
    assert _chosen("system").host == "two"
    monkeypatch.setenv("wss_proxy", "gopher://nonsense")
    with pytest.raises(WebSocketError) as caught:
        _chosen("system")
    assert caught.value.code is ErrorCode.PARAMETER_ERROR


@pytest.mark.parametrize(
    ("user", "password", "credentials"),
    [
        (None, None, None),
        ("me", None, None),
        (None, "secret", None),
        ("me", "secret", ("me", "secret")),
        ("me", "", ("me", "")),
    ],
)
def test_credentials_count_together(
    user: str | None, password: str | None, credentials: tuple[str, str] | None
) -> None:
    """A custom proxy takes CONNECT, with credentials if both are given."""
    chosen = _chosen(HttpProxy("proxy.example", 3128, username=user, password=password))
    assert (chosen.scheme, chosen.host, chosen.port) == ("http", "proxy.example", 3128)
    assert chosen.credentials == credentials


@pytest.mark.parametrize("secure", [True, False])
def test_an_excluded_target_is_reached_directly(secure: bool) -> None:
    """The exclusion list is about the target, not about the proxy."""
    proxy = HttpProxy("proxy.example", 3128, exclusion_list=("target.example",))
    assert _chosen(proxy, secure=secure) is None
    assert _chosen(proxy, secure=secure, host="proxy.example") is not None
