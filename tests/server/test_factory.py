import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
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
from twisted.internet.testing import MemoryReactorClock
from twisted.logger import capturedLogs

from tests.certificates import write_certificate
from tests.server.peer import UPGRADE, Peer, Stand, frame, reactor, request, until
from twisted_chainws.dialects.catalog import DIALECTS
from twisted_chainws.dialects.limits import Limits
from twisted_chainws.server.accounts import Account
from twisted_chainws.server.factory import ChainFactory, ServerSettings

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


@pytest_twisted.ensureDeferred
async def test_a_connection_that_breaks_when_looked_at_costs_no_other() -> None:
    """It is closed with 1011; the others are looked through again and again."""
    async with Stand(limits={"idle_s": 0.3}) as stand:
        broken, silent = await stand.ws(), await stand.ws()
        first: Any = next(iter(stand.site.websockets.connections))
        first.sweep = lambda: 1 / 0
        with capturedLogs() as logs:
            ends = {await peer.ended() for peer in (broken, silent)}
        assert ends == {(1011, "internal error"), (1000, "nothing asked for 0.3 s")}
        assert len([event for event in logs if "log_failure" in event]) == 1


@pytest.mark.parametrize(
    ("idle_s", "every_s"),
    [((0.0,), None), ((300.0, 0.0), 10.0), ((300.0, 4.0), 4.0), ((1e-9,), 0.1)],
)
def test_connections_are_looked_through_only_where_they_may_be_idle(
    idle_s: tuple[float, ...], every_s: float | None
) -> None:
    """Every ten seconds, or as often as the shortest bound; never without one."""
    clock = MemoryReactorClock()
    dialects = tuple(replace(DIALECTS[0], limits=Limits(idle_s=each)) for each in idle_s)
    factory = ChainFactory(reactor=clock, dialects=dialects, settings=ServerSettings())
    route: Any = SimpleNamespace(account=Account(max_connections=None, per_s=0, burst_s=1))
    connections: list[Any] = [factory.connect(route) for _ in range(2)]
    due = [call.getTime() for call in clock.getDelayedCalls()]
    assert due == ([] if every_s is None else [every_s])
    for connection in connections:
        assert [call.getTime() for call in clock.getDelayedCalls()] == due
        factory.gone(connection)
    assert clock.getDelayedCalls() == []
