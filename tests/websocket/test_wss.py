from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from OpenSSL import SSL
from service_identity import VerificationError

from tests.websocket.certificates import Issued, authority, leaf, write
from tests.websocket.scripted import Client, limit, options
from tests.websocket.serving import Serving, serving
from twisted_chainws.websocket import ClientCert, OpenInfo, ServerCert, WebSocketError

pytestmark = pytest.mark.integration

ROOT = authority("root")
OTHER_ROOT = authority("other root")
MIDDLE = authority("middle", ROOT)
SERVER = leaf(MIDDLE)


def _cert(folder: Path, issued: Issued) -> ServerCert:
    return ServerCert(
        write(folder, "server.pem", issued.chain), write(folder, "server.key", issued.key_pem())
    )


def _port(stand: Serving) -> int:
    assert stand.server.address is not None
    return stand.server.address.port


async def _echo(stand: Serving, **more: Any) -> Client:
    """Connect under TLS, have a text and a binary message echoed, and close."""
    stand.server.off("messageReceive")
    stand.server.on(
        "messageReceive", lambda each: stand.server.send(each.data, each.client_connection)
    )
    client = Client()
    await client.connect(f"wss://localhost:{_port(stand)}/", options(**more))
    assert await limit(client.when_open()) == OpenInfo(101, "Switching Protocols")
    await client.send("text")
    await client.send(b"binary")
    assert await limit(client.recv()) == "text"
    assert await limit(client.recv()) == b"binary"
    await client.close(code=4000, reason="done")
    closed = await limit(client.when_closed())
    assert (closed.code, closed.reason, closed.was_clean) == (4000, "done", True)
    return client


async def _refused(stand: Serving, **more: Any) -> WebSocketError:
    """Connect in vain; return what the only event tells."""
    client = Client()
    assert await client.connect(f"wss://localhost:{_port(stand)}/", options(**more)) is True
    await client.gone()
    assert client.names == ["error"]
    (error,) = client.told("error")
    assert (int(error.code), error.message) == (200, "Websocket connect failed")
    assert error.http_status is None
    assert isinstance(error, WebSocketError)
    return error


@pytest_twisted.ensureDeferred
async def test_a_bundle_of_roots_and_a_chain(tmp_path: Path) -> None:
    """(f) A client with two roots knows a server that sends its intermediate."""
    bundle = write(tmp_path, "roots", OTHER_ROOT.pem, ROOT.pem)
    async with serving(server_cert=_cert(tmp_path, SERVER)) as stand:
        await _echo(stand, ca_path=bundle)


@pytest.mark.parametrize(
    ("issued", "cause"),
    [
        (leaf(ROOT, expired=True), SSL.Error),
        (leaf(OTHER_ROOT), SSL.Error),
        (leaf(None), SSL.Error),
        (leaf(ROOT, dns=["other.example"]), VerificationError),
    ],
    ids=["date", "ca", "self", "name"],
)
@pytest_twisted.ensureDeferred
async def test_a_server_that_cannot_be_verified(
    tmp_path: Path, issued: Issued, cause: type[Exception]
) -> None:
    """(f) With the flag off nobody unverified is connected to, and the error's cause says why.

    4.6 item 5.
    """
    roots = write(tmp_path, "roots", ROOT.pem)
    async with serving(server_cert=_cert(tmp_path, issued)) as stand:
        error = await _refused(stand, ca_path=roots)
        assert isinstance(error.__cause__, cause)
        assert stand.told("connect") == []


@pytest_twisted.ensureDeferred
async def test_no_roots_means_the_platforms(tmp_path: Path) -> None:
    """Without any TLS option a server is verified nonetheless. 4.6 item 5."""
    async with serving(server_cert=_cert(tmp_path, SERVER)) as stand:
        error = await _refused(stand)
        assert "certificate verify failed" in str(error.__cause__)


@pytest.mark.parametrize("password", ["", "sésame"])
@pytest.mark.parametrize("traditional", [False, True])
@pytest_twisted.ensureDeferred
async def test_both_sides_know_each_other(tmp_path: Path, traditional: bool, password: str) -> None:
    """(f) A server that wants certificates takes one below an intermediate, whatever its key."""
    roots = write(tmp_path, "roots", ROOT.pem)
    ours = leaf(MIDDLE, name="client")
    shown = ClientCert(
        write(tmp_path, "client.pem", ours.chain),
        write(tmp_path, "client.key", ours.key_pem(password, traditional=traditional)),
        password,
    )
    async with serving(server_cert=_cert(tmp_path, SERVER), client_ca_path=roots) as stand:
        await _echo(stand, ca_path=roots, client_cert=shown)


@pytest_twisted.ensureDeferred
async def test_a_stranger_is_refused_by_the_server(tmp_path: Path) -> None:
    """(f) A client without a certificate hears so while it waits for the answer (trap 13)."""
    roots = write(tmp_path, "roots", ROOT.pem)
    async with serving(server_cert=_cert(tmp_path, SERVER), client_ca_path=roots) as stand:
        error = await _refused(stand, ca_path=roots)
        assert "certificate required" in str(error.__cause__)
        assert stand.told("connect") == []


@pytest.mark.parametrize(
    "issued", [leaf(None, expired=True), leaf(OTHER_ROOT, dns=["other.example"])]
)
@pytest_twisted.ensureDeferred
async def test_verification_is_skipped_on_demand(
    tmp_path: Path, issued: Issued, capture_log: list[Any]
) -> None:
    """(f) With the flag on anybody is connected to, with one warning each time."""
    async with serving(server_cert=_cert(tmp_path, issued)) as stand:
        for _ in range(2):
            await _echo(stand, skip_server_cert_verification=True)
    warnings = [each for each in capture_log if each["log_level"].name == "warn"]
    assert len(warnings) == 2


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"ca_path": "/nowhere/ca.pem"}, 2302002),
        ({"client_cert": ClientCert("/nowhere/cert.pem", "/nowhere/key.pem", "sesame")}, 2302002),
        ({"client_cert": "password"}, 2302999),
        ({"client_cert": "mismatch"}, 2302999),
    ],
)
@pytest_twisted.ensureDeferred
async def test_files_are_looked_at_before_dialling(
    tmp_path: Path, wrong: dict[str, Any], code: int, capture_log: list[Any]
) -> None:
    """(d) Missing files are 2302002, unfit ones 2302999, for ws as well, and nothing is dialled."""
    cert = write(tmp_path, "client.pem", SERVER.chain)
    key = write(tmp_path, "client.key", SERVER.key_pem("sesame"))
    other = write(tmp_path, "other.key", ROOT.key_pem())
    named: dict[Any, Any] = {
        "password": ClientCert(cert, key, "wrong sesame"),
        "mismatch": ClientCert(cert, other),
    }
    given = {name: named.get(value, value) for name, value in wrong.items()}
    for scheme in ("ws", "wss"):
        client = Client()
        with pytest.raises(WebSocketError) as caught:
            await client.connect(f"{scheme}://127.0.0.1:1/", options(**given))
        assert int(caught.value.code) == code
        assert client.events == []
        assert "sesame" not in f"{caught.value!r} {capture_log!r} {given!r}"
