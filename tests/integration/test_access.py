"""Strange pages do not reach a development chain, whichever way they try."""

from collections.abc import Iterator

import pytest

from tests.running import Running
from tests.wire import Refused, Wire, post

pytestmark = pytest.mark.integration

BODY = b'{"jsonrpc":"2.0","id":1,"method":"eth_accounts","params":[]}'
STRANGE_ORIGINS = ["https://evil.example", "null", "http://localhost.evil.example", "file://"]
OWN_ORIGINS = [
    "http://localhost:3000",
    "https://127.0.0.1",
    "http://app.localhost",
    "http://[::1]:80",
]


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    """Give one server for all tries."""
    with Running("--silent") as running:
        yield running


@pytest.mark.parametrize("origin", STRANGE_ORIGINS)
def test_strange_origin_is_refused(server: Running, origin: str) -> None:
    """A page from elsewhere gets 403 over WebSocket and HTTP, and no permission to read."""
    with pytest.raises(Refused) as refusal:
        Wire(server.port, headers=[("Origin", origin)])
    assert refusal.value.status == 403
    status, body = post(server.port, BODY, {"Origin": origin})
    assert (status, b"0xf39f" in body) == (403, False)


@pytest.mark.parametrize("origin", OWN_ORIGINS)
def test_loopback_origin_passes(server: Running, origin: str) -> None:
    """A page of this machine is served over WebSocket and HTTP."""
    with Wire(server.port, headers=[("Origin", origin)]) as wire:
        assert len(wire.call("eth_accounts")) == 10
    assert post(server.port, BODY, {"Origin": origin})[0] == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8545", "localhost.evil.example"])
def test_strange_host_is_refused(server: Running, host: str) -> None:
    """A name that merely resolves to this machine gets 403: that is how rebinding arrives."""
    with pytest.raises(Refused) as refusal:
        Wire(server.port, host=host)
    assert refusal.value.status == 403
    assert post(server.port, BODY, {"Host": host})[0] == 403


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8545", "[::1]:1", "dev.localhost:80"])
def test_own_host_passes(server: Running, host: str) -> None:
    """The names of this machine are served, with any port."""
    with Wire(server.port, host=host) as wire:
        assert wire.call("eth_chainId") == "0x7a69"
    assert post(server.port, BODY, {"Host": host})[0] == 200
