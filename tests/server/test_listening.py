import socket
import ssl
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor  # noqa: TID251 - these tests listen for real
from twisted.internet.protocol import Factory
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.protocols.wire import Echo

from tests.certificates import common_name, write_certificate
from tests.sockets import connect, echo
from twisted_chainws.server.listening import CannotBind, ListenerService

pytestmark = pytest.mark.integration

LOCAL = "interface=127.0.0.1"


def _listeners(*endpoints: str) -> ListenerService:
    factory = Factory.forProtocol(Echo)
    return ListenerService(reactor=reactor, endpoints=[(text, factory) for text in endpoints])


def _port(listeners: ListenerService) -> int:
    address: Any = listeners.addresses()[0]
    port: int = address.port
    return port


def _connect_tls(port: int) -> ssl.SSLSocket:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    plain = connect(port)
    try:
        return context.wrap_socket(plain)
    except BaseException:
        plain.close()
        raise


def _name_shown(port: int) -> str:
    with _connect_tls(port) as peer:
        return common_name(peer.getpeercert(binary_form=True) or b"")


@pytest_twisted.ensureDeferred
async def test_clients_wait_until_they_are_admitted() -> None:
    """A client may connect as soon as the port is bound, and is answered once admitted."""
    listeners = _listeners(f"tcp:0:{LOCAL}")
    listeners.bind()
    listeners.bind()
    early = await deferToThread(connect, _port(listeners))
    with early:
        answer = deferToThread(echo, early, b"early")
        listeners.admit()
        assert await answer == b"early"
    await listeners.stopService()
    assert listeners.addresses() == []


@pytest_twisted.ensureDeferred
async def test_a_taken_port_leaves_nothing_open() -> None:
    """When one endpoint cannot be had the others are closed again, and one line says which."""
    with socket.socket() as taken, socket.socket() as probe:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
        probe.close()
        port = taken.getsockname()[1]
        listeners = _listeners(f"tcp:{free}:{LOCAL}", f"tcp:{port}:{LOCAL}")
        with pytest.raises(CannotBind) as caught:
            listeners.bind()
        assert str(caught.value) == f"cannot listen on 127.0.0.1:{port}: Address already in use"
        assert listeners.addresses() == []
        with pytest.raises(ConnectionRefusedError):
            await deferLater(reactor, 0, connect, free)


@pytest.mark.parametrize(
    ("endpoint", "reason"),
    [
        ("onion:80", "Unknown endpoint type: 'onion'"),
        ("tcp:http", "invalid literal for int() with base 10: 'http'"),
        ("tcp:1:2:3:4:5", "takes from"),
        ("tcp:1:colour=red", "unexpected keyword argument 'colour'"),
        ("ssl:0:privateKey=/nowhere/key.pem", "No such file or directory"),
        ("systemd:domain=INET:index=7", "list index out of range"),
        ("unix:/nowhere/at/all", "cannot listen on"),
    ],
)
def test_an_unfit_endpoint_is_told_in_one_line(endpoint: str, reason: str) -> None:
    """Whatever Twisted has to say about a description becomes one line that names it."""
    with pytest.raises(CannotBind) as caught:
        _listeners(endpoint).bind()
    assert reason in str(caught.value)
    assert endpoint.partition("/")[0] in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest_twisted.ensureDeferred
async def test_certificates_are_swapped_and_open_connections_stay(tmp_path: Path) -> None:
    """After a reload new connections see the new certificate, and old ones go on."""
    pem = tmp_path / "server.pem"
    write_certificate(pem, "first")
    listeners = _listeners(f"ssl:0:privateKey={pem}:{LOCAL}", f"tcp:0:{LOCAL}")
    listeners.bind()
    listeners.admit()
    port = _port(listeners)
    old = await deferToThread(_connect_tls, port)
    with old:
        assert common_name(old.getpeercert(binary_form=True) or b"") == "first"
        write_certificate(pem, "second")
        assert await deferToThread(_name_shown, port) == "first"
        listeners.reload()
        assert await deferToThread(_name_shown, port) == "second"
        assert await deferToThread(echo, old, b"still here") == b"still here"
    await listeners.stopService()


def _broken_text(pem: Path) -> None:
    pem.write_text("no certificate")


def _foreign_key(pem: Path) -> None:
    certificate = pem.read_bytes().partition(b"-----BEGIN CERT")
    write_certificate(pem, "other")
    key = pem.read_bytes().partition(b"-----BEGIN CERT")[0]
    pem.write_bytes(key + certificate[1] + certificate[2])


@pytest.mark.parametrize("spoil", [_broken_text, _foreign_key, Path.unlink])
@pytest_twisted.ensureDeferred
async def test_an_unfit_new_certificate_changes_nothing(tmp_path: Path, spoil: Any) -> None:
    """A file that cannot be used leaves the old certificate in place."""
    pem = tmp_path / "server.pem"
    write_certificate(pem, "first")
    listeners = _listeners(f"ssl:0:privateKey={pem}:{LOCAL}")
    listeners.bind()
    listeners.admit()
    spoil(pem)
    listeners.reload()
    assert await deferToThread(_name_shown, _port(listeners)) == "first"
    await listeners.stopService()
