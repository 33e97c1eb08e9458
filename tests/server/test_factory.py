import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.endpoints import (
    SSL4ClientEndpoint,
    UNIXClientEndpoint,
    connectProtocol,
    serverFromString,
)
from twisted.internet.ssl import CertificateOptions

from tests.certificates import write_certificate
from tests.server.peer import UPGRADE, Peer, Stand, frame, reactor, request, until
from twisted_chainws.dialects.limits import Limits
from twisted_chainws.server.factory import ServerSettings

pytestmark = pytest.mark.integration

BLOCK_NUMBER = request(1, "eth_blockNumber")


@pytest.fixture(name="short_path")
def _short_path() -> Iterator[Path]:
    """Name a file whose path is short enough for a UNIX socket."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "s"


async def _open(endpoint: Any) -> Peer:
    peer = Peer()
    await connectProtocol(endpoint, peer)
    lines = [f"{name}: {value}" for name, value in UPGRADE.items()]
    peer.send("\r\n".join(["GET / HTTP/1.1", *lines, "", ""]).encode())
    assert "101" in await peer.head()
    return peer


def test_keys_are_not_shown() -> None:
    """Settings can be logged."""
    secret = ("secret",)
    settings = ServerSettings(keys=secret, inactive_keys=secret, exhausted_keys=secret)
    assert "secret" not in repr(settings)


@pytest_twisted.ensureDeferred
async def test_connections_are_counted_until_they_are_gone() -> None:
    """The listener knows its connections; closing none is done at once."""
    async with Stand() as stand:
        await stand.site.close_all()
        peers = [await stand.ws() for _ in range(3)]
        assert len(stand.site.websockets.connections) == 3
        peers[0].drop()
        await until(lambda: len(stand.site.websockets.connections) == 2)


@pytest.mark.parametrize("kind", ["unix", "tls"])
@pytest_twisted.ensureDeferred
async def test_other_transports(kind: str, short_path: Path) -> None:
    """Over UNIX sockets and TLS, which are never bypassed, all is the same, slow reading too."""
    async with Stand(ServerSettings(limits=Limits(unsent_reply_bytes=100_000))) as stand:
        if kind == "unix":
            port: Any = await serverFromString(reactor, f"unix:{short_path}").listen(stand.site)
            peer = await _open(UNIXClientEndpoint(reactor, str(short_path)))
        else:
            write_certificate(short_path, "localhost")
            text = f"ssl:0:interface=127.0.0.1:privateKey={short_path}:certKey={short_path}"
            port = await serverFromString(reactor, text).listen(stand.site)
            number = port.getHost().port
            peer = await _open(
                SSL4ClientEndpoint(reactor, "127.0.0.1", number, CertificateOptions())
            )
        connection: Any = next(iter(stand.site.websockets.connections))
        assert not connection._outlet.direct
        identifier = await peer.call("eth_subscribe", "newHeads")
        stand.source.mine()
        assert (await peer.json())["params"]["subscription"] == identifier
        peer.transport.pauseProducing()  # type: ignore[union-attr]
        call = request(7, "eth_getBlockByNumber", "latest", False)
        peer.send(frame(call) * 6_000)
        await until(lambda: connection.holding and connection.stuck())
        assert connection._outlet.unsent < 100_000 + 2 * 262_144
        peer.transport.resumeProducing()  # type: ignore[union-attr]
        for _ in range(6_000):
            assert (await peer.json())["id"] == 7
        connection.close(1001, "bye")
        assert await peer.ended() == (1001, "bye")
        await port.stopListening()
        await until(lambda: not stand.site.websockets.connections)
