import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from OpenSSL import SSL
from service_identity import VerificationError
from service_identity.exceptions import DNSMismatch
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.ssl import CertificateOptions, TLSVersion

from tests.websocket.certificates import Issued, authority, leaf, write
from tests.websocket.streams import Listener, Talker, dial, listening, reactor
from twisted_chainws.websocket.codes import ErrorCode, TlsVersion, WebSocketError
from twisted_chainws.websocket.tls import ClientTls, client_creator, server_context
from twisted_chainws.websocket.values import ClientCert, ServerCert

pytestmark = pytest.mark.integration

ROOT = authority("root")
OTHER_ROOT = authority("other root")
MIDDLE = authority("middle", ROOT)
SERVER = leaf(ROOT, name="server")


@dataclass(frozen=True, kw_only=True)
class ClientSide:
    ca_path: str | None = None
    client_cert: ClientCert | None = None
    skip_server_cert_verification: bool = False
    min_tls_version: TlsVersion | None = None


@dataclass(frozen=True, kw_only=True)
class ServerSide:
    server_cert: ServerCert | None = None
    client_ca_path: str | None = None


class Telling(Talker):
    """Answers whatever comes with: TLS version, name in SNI, common name of the client."""

    def dataReceived(self, data: bytes) -> None:  # noqa: ARG002
        handle = self.wire.getHandle()
        shown = handle.get_peer_certificate(as_cryptography=True)
        name = (handle.get_servername() or b"-").decode()
        client = shown.subject.rfc4514_string() if shown else "-"
        self.wire.write(f"{handle.get_protocol_version_name()} {name} {client}\n".encode())


def _server(
    folder: Path, issued: Issued, chain: bytes | None = None, clients: bytes | None = None
) -> Any:
    certificates = issued.chain if chain is None else chain
    own = ServerCert(
        write(folder, "server.pem", certificates), write(folder, "server.key", issued.key_pem())
    )
    roots = None if clients is None else write(folder, "clients.pem", clients)
    return server_context(ServerSide(server_cert=own, client_ca_path=roots))


def _client_cert(
    folder: Path, issued: Issued, *, chain: bytes | None = None, key: bytes, password: str = ""
) -> ClientCert:
    return ClientCert(
        write(folder, "client.pem", issued.chain if chain is None else chain),
        write(folder, "client.key", key),
        password,
    )


async def _ask(context: Any, options: ClientSide, host: str = "localhost") -> str:
    """Return what a server tells of a connection to it; raises why there was none."""
    async with listening(Listener(Telling), context) as port:
        near = HostnameEndpoint(reactor, "127.0.0.1", port)
        talker = await dial(wrapClientTLS(client_creator(options, host), near, reactor))
        talker.wire.write(b"?")
        told = await talker.until(b"\n")
        await talker.hang_up()
    return told.decode().strip()


def _trusting(folder: Path, *roots: Issued, **more: Any) -> ClientSide:
    return ClientSide(ca_path=write(folder, "roots.pem", *(one.pem for one in roots)), **more)


@pytest_twisted.ensureDeferred
async def test_a_custom_root_is_trusted(tmp_path: Path) -> None:
    """A server below the given root is taken, over TLS 1.3 and with its name in SNI."""
    told = await _ask(_server(tmp_path, SERVER), _trusting(tmp_path, ROOT))
    assert told == "TLSv1.3 localhost -"


@pytest.mark.parametrize("roots", [(ROOT, OTHER_ROOT), (OTHER_ROOT, ROOT)])
@pytest_twisted.ensureDeferred
async def test_every_root_of_a_bundle_is_trusted(tmp_path: Path, roots: tuple[Issued, ...]) -> None:
    """The second block of a file counts as the first does, and words between blocks do not."""
    bundle = write(tmp_path, "bundle.pem", b"# one\n", roots[0].pem, b"\n# two\n", roots[1].pem)
    told = await _ask(_server(tmp_path, SERVER), ClientSide(ca_path=bundle))
    assert told.startswith("TLSv1.3")


@pytest.mark.parametrize(
    "issued", [leaf(OTHER_ROOT), leaf(ROOT, expired=True), leaf(None)], ids=["ca", "date", "self"]
)
@pytest_twisted.ensureDeferred
async def test_a_server_that_cannot_be_verified_is_refused(tmp_path: Path, issued: Issued) -> None:
    """A certificate of another root, an expired one and a self-signed one are refused."""
    with pytest.raises(SSL.Error, match="certificate verify failed"):
        await _ask(_server(tmp_path, issued), _trusting(tmp_path, ROOT))


@pytest_twisted.ensureDeferred
async def test_another_name_is_refused_and_said(tmp_path: Path) -> None:
    """A certificate for another name is refused, common names do not count, the cause is told."""
    server = leaf(ROOT, name="localhost", dns=["other.example"])
    with pytest.raises(VerificationError) as caught:
        await _ask(_server(tmp_path, server), _trusting(tmp_path, ROOT))
    (error,) = caught.value.errors
    assert isinstance(error, DNSMismatch)


@pytest.mark.parametrize(
    ("host", "dns", "addresses", "sni"),
    [
        ("127.0.0.1", [], ["127.0.0.1"], "-"),
        ("::1", [], ["::1"], "-"),
        ("fe80::1%eth0", [], ["fe80::1"], "-"),
        ("bücher.example", ["xn--bcher-kva.example"], [], "xn--bcher-kva.example"),
        ("www.bücher.example", ["*.xn--bcher-kva.example"], [], "www.xn--bcher-kva.example"),
        ("localhost.", ["localhost"], [], "localhost"),
        ("LocalHost", ["localhost"], [], "localhost"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_names_and_addresses_are_compared(
    tmp_path: Path, host: str, dns: list[str], addresses: list[str], sni: str
) -> None:
    """Addresses need an address in the SAN and are not sent as SNI; names are sent as A-labels."""
    server = leaf(ROOT, dns=dns, addresses=addresses)
    told = await _ask(_server(tmp_path, server), _trusting(tmp_path, ROOT), host)
    assert told.split()[1].lower() == sni


@pytest_twisted.ensureDeferred
async def test_an_address_is_no_name(tmp_path: Path) -> None:
    """A certificate for localhost does not do for its address."""
    with pytest.raises(VerificationError):
        await _ask(_server(tmp_path, SERVER), _trusting(tmp_path, ROOT), "127.0.0.1")


@pytest.mark.parametrize("ca_path", [None, ""])
@pytest_twisted.ensureDeferred
async def test_without_a_custom_root_the_systems_count(tmp_path: Path, ca_path: str | None) -> None:
    """Without a path, as the document's example gives one, the roots of the platform decide."""
    with pytest.raises(SSL.Error, match="certificate verify failed"):
        await _ask(_server(tmp_path, SERVER), ClientSide(ca_path=ca_path))


@pytest_twisted.ensureDeferred
async def test_the_roots_of_the_platform_are_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A root that OpenSSL's own variable names is trusted; a custom root replaces it."""
    monkeypatch.setenv("SSL_CERT_FILE", write(tmp_path, "system.pem", ROOT.pem))
    assert (await _ask(_server(tmp_path, SERVER), ClientSide())).startswith("TLSv1.3")
    with pytest.raises(SSL.Error, match="certificate verify failed"):
        await _ask(_server(tmp_path, SERVER), _trusting(tmp_path, OTHER_ROOT))


@pytest.mark.parametrize("traditional", [False, True])
@pytest.mark.parametrize("password", ["", "sésame"])
@pytest_twisted.ensureDeferred
async def test_a_client_shows_its_certificate(
    tmp_path: Path, password: str, traditional: bool
) -> None:
    """PKCS#8 and traditional keys serve, plain and encrypted."""
    client = leaf(ROOT, name="client")
    options = _trusting(
        tmp_path,
        ROOT,
        client_cert=_client_cert(
            tmp_path,
            client,
            key=client.key_pem(password, traditional=traditional),
            password=password,
        ),
    )
    told = await _ask(_server(tmp_path, SERVER, clients=ROOT.pem), options)
    assert told == "TLSv1.3 localhost CN=client"


@pytest_twisted.ensureDeferred
async def test_one_file_may_hold_certificate_and_key(tmp_path: Path) -> None:
    """The blocks are found by their kind, and a password for a key that needs none is ignored."""
    client = leaf(ROOT, name="client")
    both = write(tmp_path, "both.pem", client.key_pem(traditional=True), client.pem)
    options = _trusting(tmp_path, ROOT, client_cert=ClientCert(both, both, "needless"))
    told = await _ask(_server(tmp_path, SERVER, clients=ROOT.pem), options)
    assert told.endswith("CN=client")


@pytest_twisted.ensureDeferred
async def test_a_client_sends_its_intermediates(tmp_path: Path) -> None:
    """A client below an intermediate is known by the root if the file has both, else refused."""
    client = leaf(MIDDLE, name="client")
    key = client.key_pem()
    context = _server(tmp_path, SERVER, clients=ROOT.pem)
    whole = _client_cert(tmp_path, client, key=key)
    told = await _ask(context, _trusting(tmp_path, ROOT, client_cert=whole))
    assert told.endswith("CN=client")
    alone = _client_cert(tmp_path, client, chain=client.pem, key=key)
    with pytest.raises(SSL.Error, match="tlsv1 alert unknown ca"):
        await _ask(context, _trusting(tmp_path, ROOT, client_cert=alone))


@pytest_twisted.ensureDeferred
async def test_a_server_sends_its_intermediates(tmp_path: Path) -> None:
    """A server below an intermediate is known by the root if its file has both, else refused."""
    server = leaf(MIDDLE)
    options = _trusting(tmp_path, ROOT)
    assert (await _ask(_server(tmp_path, server), options)).startswith("TLSv1.3")
    with pytest.raises(SSL.Error, match="certificate verify failed"):
        await _ask(_server(tmp_path, server, chain=server.pem), options)


@pytest_twisted.ensureDeferred
async def test_a_server_may_require_certificates(tmp_path: Path) -> None:
    """A client without one believes that TLS is up, and is then told that it is not welcome."""
    context = _server(tmp_path, SERVER, clients=ROOT.pem)
    with pytest.raises(SSL.Error, match="tlsv13 alert certificate required"):
        await _ask(context, _trusting(tmp_path, ROOT))


@pytest.mark.parametrize(
    "issued",
    [leaf(ROOT, expired=True), leaf(ROOT, dns=["other.example"]), leaf(OTHER_ROOT), leaf(None)],
    ids=["date", "name", "ca", "self"],
)
@pytest_twisted.ensureDeferred
async def test_verification_can_be_skipped(
    tmp_path: Path, issued: Issued, capture_log: list[Any]
) -> None:
    """Told to skip, a client takes any certificate, still sends SNI, and warns each time."""
    options = _trusting(tmp_path, ROOT, skip_server_cert_verification=True)
    told = await _ask(_server(tmp_path, issued), options)
    assert told == "TLSv1.3 localhost -"
    warned = [each for each in capture_log if each.get("log_level").name == "warn"]
    assert [each["host"] for each in warned] == ["localhost"]


@pytest_twisted.ensureDeferred
async def test_skipping_keeps_the_other_options(tmp_path: Path) -> None:
    """A client that verifies nobody still shows its own certificate, and no SNI for an address."""
    client = leaf(ROOT, name="client")
    shown = _client_cert(tmp_path, client, key=client.key_pem())
    options = ClientSide(skip_server_cert_verification=True, client_cert=shown)
    context = _server(tmp_path, leaf(None), clients=ROOT.pem)
    assert await _ask(context, options, "127.0.0.1") == "TLSv1.3 - CN=client"


@pytest.mark.parametrize(
    ("floor", "version"),
    [
        (None, "TLSv1.2"),
        (TlsVersion.TLS_V_1_0, "TLSv1.2"),
        (TlsVersion.TLS_V_1_1, "TLSv1.2"),
        (TlsVersion.TLS_V_1_2, "TLSv1.2"),
        (TlsVersion.TLS_V_1_3, None),
    ],
)
@pytest.mark.parametrize("skip", [False, True])
@pytest_twisted.ensureDeferred
async def test_a_floor_is_kept(
    tmp_path: Path, floor: TlsVersion | None, version: str | None, skip: bool
) -> None:
    """A server that speaks no more than TLS 1.2 is refused by those who want 1.3."""
    identity: dict[str, Any] = {"privateKey": SERVER.key, "certificate": SERVER.certificate}
    old = CertificateOptions(**identity, lowerMaximumSecurityTo=TLSVersion.TLSv1_2)
    options = _trusting(tmp_path, ROOT, min_tls_version=floor, skip_server_cert_verification=skip)
    if version is None:
        with pytest.raises(SSL.Error, match="protocol version"):
            await _ask(old, options)
    else:
        assert (await _ask(old, options)).startswith(version)


def test_an_older_floor_admits_older_versions(tmp_path: Path) -> None:
    """The lowest floors leave the old versions switched on, which the default does not."""

    def off(floor: TlsVersion | None) -> list[bool]:
        made: Any = ClientTls(
            ClientSide(min_tls_version=floor, skip_server_cert_verification=True)
        ).creator("localhost")
        options = made._options._options
        return [bool(options & bit) for bit in (SSL.OP_NO_TLSv1, SSL.OP_NO_TLSv1_1)]

    assert off(TlsVersion.TLS_V_1_0) == [False, False]
    assert off(TlsVersion.TLS_V_1_1) == [True, False]
    assert off(None) == off(TlsVersion.TLS_V_1_2) == [True, True]


@pytest.mark.parametrize("name", ["ca", "cert", "key"])
@pytest.mark.parametrize("fault", ["missing", "folder", "empty", "no block"])
def test_a_missing_file_is_known_before_dialling(tmp_path: Path, name: str, fault: str) -> None:
    """A file that is missing, unreadable or without a PEM block is 2302002, whichever it is."""
    client = leaf(ROOT)
    paths = {
        "ca": write(tmp_path, "ca", ROOT.pem),
        "cert": write(tmp_path, "cert", client.pem),
        "key": write(tmp_path, "key", client.key_pem()),
    }
    paths[name] = {
        "missing": str(tmp_path / "nothing"),
        "folder": str(tmp_path),
        "empty": write(tmp_path, "bad", b""),
        "no block": write(tmp_path, "bad", b"\x00not\xffPEM"),
    }[fault]
    options = ClientSide(
        ca_path=paths["ca"], client_cert=ClientCert(paths["cert"], paths["key"], "secret")
    )
    with pytest.raises(WebSocketError) as caught:
        ClientTls(options)
    assert caught.value.code is ErrorCode.CERT_NOT_FOUND
    assert paths[name] in str(caught.value)


def test_the_ca_is_looked_for_first(tmp_path: Path) -> None:
    """With several files missing the CA is named, and a missing one before an unfit one."""
    unfit = write(
        tmp_path, "unfit", b"-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----"
    )
    missing = ClientCert("/no/cert", "/no/key")
    with pytest.raises(WebSocketError, match="/no/ca"):
        ClientTls(ClientSide(ca_path="/no/ca", client_cert=missing))
    with pytest.raises(WebSocketError, match="/no/cert") as caught:
        ClientTls(ClientSide(ca_path=unfit, client_cert=missing))
    assert caught.value.code is ErrorCode.CERT_NOT_FOUND


def test_an_empty_certificate_path_is_no_certificate() -> None:
    """As in the reference, a client certificate without a path is ignored."""
    assert client_creator(ClientSide(client_cert=ClientCert("", "/no/key")), "localhost")


@pytest.mark.parametrize(
    ("key", "password", "detail"),
    [
        # One password in 256 yields a key that looks decrypted, but is none.
        (SERVER.key_pem("right"), "wrong", "ncorrect password|key data"),
        (SERVER.key_pem("right", traditional=True), "wrong", "ncorrect password|key data"),
        (SERVER.key_pem("right"), "", "Password was not given"),
        (leaf(ROOT).key_pem(), "", "key values mismatch"),
        (
            b"-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n",
            "",
            "Could not deserialize key data",
        ),
    ],
)
def test_an_unfit_key_is_known_before_dialling(
    tmp_path: Path, key: bytes, password: str, detail: str
) -> None:
    """Wrong or missing passwords, others' keys and garbage are 2302999 with the reason."""
    cert = _client_cert(tmp_path, SERVER, key=key, password=password)
    with pytest.raises(WebSocketError) as caught:
        ClientTls(ClientSide(client_cert=cert))
    assert caught.value.code is ErrorCode.INTERNAL_ERROR
    assert re.search(detail, str(caught.value))
    assert caught.value.__cause__ is not None
    assert not {"right", "wrong"} & set(re.findall(r"\w+", repr(caught.value)))


@pytest.mark.parametrize("ca_path", [True, False])
def test_an_unfit_certificate_is_known_before_dialling(tmp_path: Path, ca_path: bool) -> None:
    """A block that holds no certificate is 2302999."""
    bad = write(tmp_path, "bad", b"-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n")
    key = write(tmp_path, "key", SERVER.key_pem())
    options = ClientSide(ca_path=bad) if ca_path else ClientSide(client_cert=ClientCert(bad, key))
    with pytest.raises(WebSocketError) as caught:
        ClientTls(options)
    assert caught.value.code is ErrorCode.INTERNAL_ERROR


@pytest.mark.parametrize("host", ["my_service", "a..b", "-a.example", "x" * 64, ""])
def test_a_host_that_is_no_name_is_a_wrong_url(host: str) -> None:
    """What no certificate can be for is refused before dialling."""
    with pytest.raises(WebSocketError) as caught:
        client_creator(ClientSide(), host)
    assert caught.value.code is ErrorCode.URL_ERROR


def test_a_proxy_that_is_no_name_is_a_wrong_parameter() -> None:
    """It is not the URL that is wrong then."""
    with pytest.raises(WebSocketError, match="proxy: no host name") as caught:
        ClientTls(ClientSide()).proxy_creator("my_proxy")
    assert caught.value.code is ErrorCode.PARAMETER_ERROR


def test_a_server_without_certificate_is_plain() -> None:
    """No certificate, no TLS."""
    assert server_context(ServerSide()) is None


@pytest.mark.parametrize("name", ["cert", "key", "clients"])
def test_a_servers_missing_file_is_known_before_listening(tmp_path: Path, name: str) -> None:
    """Whichever file of a server is missing, it is 2302002."""
    paths = {
        "cert": write(tmp_path, "cert", SERVER.pem),
        "key": write(tmp_path, "key", SERVER.key_pem()),
        "clients": write(tmp_path, "clients", ROOT.pem),
        name: str(tmp_path / "nothing"),
    }
    own = ServerCert(paths["cert"], paths["key"])
    with pytest.raises(WebSocketError) as caught:
        server_context(ServerSide(server_cert=own, client_ca_path=paths["clients"]))
    assert caught.value.code is ErrorCode.CERT_NOT_FOUND


@pytest.mark.parametrize(
    ("key", "detail"),
    [
        (leaf(ROOT).key_pem(), "key values mismatch"),
        (SERVER.key_pem("right"), "Password was not given"),
        (SERVER.key_pem("right", traditional=True), "Password was not given"),
    ],
)
def test_a_servers_unfit_key_is_known_before_listening(
    tmp_path: Path, key: bytes, detail: str
) -> None:
    """Another's key is 2302999, and so is an encrypted one, which asks nobody for a password."""
    own = ServerCert(write(tmp_path, "cert", SERVER.pem), write(tmp_path, "key", key))
    with pytest.raises(WebSocketError, match=detail) as caught:
        server_context(ServerSide(server_cert=own))
    assert caught.value.code is ErrorCode.INTERNAL_ERROR


def test_files_are_read_each_time(tmp_path: Path) -> None:
    """A certificate that is renewed in its place is the next connection's."""
    first, second = leaf(ROOT), leaf(ROOT)
    cert = _client_cert(tmp_path, first, key=first.key_pem())
    ClientTls(ClientSide(client_cert=cert))
    _client_cert(tmp_path, second, key=first.key_pem())
    with pytest.raises(WebSocketError, match="mismatch"):
        ClientTls(ClientSide(client_cert=cert))


@pytest_twisted.ensureDeferred
async def test_nothing_deprecated_is_used(tmp_path: Path) -> None:
    """Certificates and keys reach OpenSSL in the form that it will keep taking."""
    client = leaf(MIDDLE)
    cert = _client_cert(tmp_path, client, key=client.key_pem())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        context = _server(tmp_path, leaf(MIDDLE), clients=ROOT.pem)
        told = await _ask(context, _trusting(tmp_path, ROOT, client_cert=cert))
    assert told.startswith("TLSv1.3 localhost ")


def test_no_secret_is_shown(tmp_path: Path) -> None:
    """Passwords and keys are in no repr."""
    cert = _client_cert(tmp_path, SERVER, key=SERVER.key_pem("sesame"), password="sesame")
    tls = ClientTls(ClientSide(client_cert=cert))
    shown = f"{cert!r} {tls!r} {tls.creator('localhost')!r}"
    assert "sesame" not in shown
    assert "PrivateKey" not in shown
