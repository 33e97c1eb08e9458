import socket
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import tcp
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.testing import StringTransport

from tests.server.peer import reactor, until
from twisted_chainws.server.outlet import Outlet, is_direct

pytestmark = pytest.mark.integration


class _Pair:
    """Two ends of a TCP connection; ``server`` has an outlet."""

    def __init__(self, *, direct: bool) -> None:
        self._direct = direct
        self.events: list[str] = []

    async def __aenter__(self) -> Any:
        built: list[Any] = []

        class Server(Protocol):
            def connectionMade(self) -> None:
                built.append(self.transport)

        factory = Factory.forProtocol(Server)
        self._port = reactor.listenTCP(0, factory, interface="127.0.0.1")
        self._client = socket.create_connection(("127.0.0.1", self._port.getHost().port))
        self._client.setblocking(False)
        await until(lambda: built)
        self.transport: Any = built[0]
        self.outlet = Outlet(
            transport=self.transport,
            direct=self._direct,
            paused=lambda: self.events.append("paused"),
            drained=lambda: self.events.append("drained"),
        )
        self.transport.registerProducer(self.outlet, True)
        return self

    async def __aexit__(self, *_failure: object) -> None:
        self._client.close()
        self.transport.unregisterProducer()
        self.transport.abortConnection()
        await self._port.stopListening()
        await until(lambda: not self.transport.connected)

    def read(self) -> bytes:
        try:
            return self._client.recv(1 << 20)
        except BlockingIOError:
            return b""


@pytest.mark.parametrize("direct", [True, False])
@pytest_twisted.ensureDeferred
async def test_everything_arrives_in_order_and_is_counted(direct: bool) -> None:
    """Writes keep their order over full buffers; the pause and its end are told once."""
    async with _Pair(direct=direct) as pair:
        assert pair.outlet.direct is direct
        pieces = [b"%08d" % number * 1_000 for number in range(1_500)]
        for number, piece in enumerate(pieces):
            pair.outlet.write(bytearray(piece) if number % 2 else piece)
        assert pair.outlet.congested
        assert pair.events == ["paused"]
        assert pair.outlet.unsent > 1_000_000
        expected = b"".join(pieces)
        got = bytearray()

        def all_read() -> bool:
            got.extend(pair.read())
            return len(got) == len(expected)

        await until(all_read)
        assert bytes(got) == expected
        await until(lambda: not pair.outlet.congested)
        assert pair.events == ["paused", "drained"]
        assert pair.outlet.unsent == 0


@pytest_twisted.ensureDeferred
async def test_small_writes_leave_at_once() -> None:
    """Without anything queued a write is on the wire before the reactor turns."""
    async with _Pair(direct=True) as pair:
        pair.outlet.write(b"now")
        assert pair.read() == b"now"
        pair.outlet.close()
        pair.outlet.write(b"later")
        assert pair.read() == b""
        await until(lambda: pair.read() == b"later")


@pytest_twisted.ensureDeferred
async def test_the_frame_may_be_changed_after_the_write() -> None:
    """What waits is a copy: the fan-out rewrites its frame for the next subscriber."""
    async with _Pair(direct=False) as pair:
        frame = bytearray(b"first")
        pair.outlet.write(frame)
        frame[:] = b"other"
        await until(lambda: pair.read() == b"first")


@pytest_twisted.ensureDeferred
async def test_a_broken_socket_is_left_to_the_transport() -> None:
    """An error while sending is no exception: the transport reports the loss."""
    async with _Pair(direct=True) as pair:
        pair.transport.socket.shutdown(socket.SHUT_WR)
        pair.outlet.write(b"x")
        await until(lambda: not pair.transport.connected)


def _nothing() -> None:
    """Do not care."""


def test_other_transports_are_never_bypassed() -> None:
    """In-memory and future transports without the known queue are written to politely."""
    transport = StringTransport()
    assert not is_direct(transport)
    outlet = Outlet(transport=transport, direct=True, paused=_nothing, drained=_nothing)
    outlet.write(b"polite")
    assert transport.value() == b"polite"
    assert outlet.unsent == 0
    outlet.pauseProducing()
    outlet.write(b"12345")
    assert outlet.unsent == 11
    outlet.resumeProducing()
    assert outlet.unsent == 0


@pytest_twisted.ensureDeferred
async def test_a_twisted_without_the_queue_is_written_to_politely() -> None:
    """Should the private queue disappear, the start-up check notices it."""
    async with _Pair(direct=False) as pair:
        assert type(pair.transport) is tcp.Server
        assert is_direct(pair.transport)
        del pair.transport._tempDataBuffer
        assert not is_direct(pair.transport)
        pair.transport._tempDataBuffer = []
