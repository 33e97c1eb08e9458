from collections.abc import Callable
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.error import (
    ConnectingCancelledError,
    ConnectionAborted,
    ConnectionDone,
    ConnectionLost,
    NoProtocol,
)
from twisted.internet.interfaces import IHalfCloseableProtocol, IPushProducer
from twisted.internet.protocol import Factory
from zope.interface import implementer

from tests.websocket.streams import Listener, Talker, dial, listening, pause, reactor
from twisted_chainws.websocket.tunnel import ProxyRefused, TunnelEndpoint, authority

pytestmark = pytest.mark.integration

HUGE = 8 * 1024 * 1024


class Password:
    """A dialogue of two steps: our word, ``?``, another word, ``!``."""

    surplus: bytes | None = None

    def __init__(self) -> None:
        self._read = b""

    def begin(self) -> bytes:
        return b"open"

    def receive(self, data: bytes) -> bytes:
        self._read += data
        if b"no" in self._read:
            raise ProxyRefused("no")
        if self._read == b"?":
            return b"sesame"
        if b"!" in self._read:
            self.surplus = self._read.partition(b"!")[2]
        return b""


def _through(port: int) -> TunnelEndpoint:
    return TunnelEndpoint(TCP4ClientEndpoint(reactor, "127.0.0.1", port), Password)


async def _open(port: int, gate: Listener, factory: Factory, beyond: bytes = b"") -> Any:
    """Go through the dialogue from the other side; return the protocol and the gate's talker."""
    dialling: Deferred[Any] = _through(port).connect(factory)
    while not gate.made:
        await pause(0.01)
    keeper = gate.made[0]
    await keeper.until(b"open")
    keeper.wire.write(b"?")
    await keeper.until(b"opensesame")
    connected: list[Any] = []

    def note(end: Any) -> Any:
        connected.append(end)
        return end

    dialling.addBoth(note)
    assert connected == []
    keeper.wire.write(b"!" + beyond)
    return await dialling, keeper


def _talkers() -> Factory:
    return Factory.forProtocol(Talker)


@pytest_twisted.ensureDeferred
async def test_data_goes_through_after_the_dialogue() -> None:
    """The first bytes from beyond are not lost, even in the read that ends the dialogue."""
    gate = Listener(Talker)
    async with listening(gate) as port:
        talker, keeper = await _open(port, gate, _talkers(), b"early")
        assert await talker.until(b"early") == b"early"
        keeper.wire.write(b" late.")
        assert await talker.until(b".") == b"early late."
        talker.wire.write(b" and back.")
        assert await keeper.until(b".") == b"opensesame and back."
        keeper.wire.loseConnection()
        assert isinstance(await talker.lost, ConnectionDone)


@pytest_twisted.ensureDeferred
async def test_the_end_keeps_its_reason() -> None:
    """A connection that breaks is lost for the same reason as without a tunnel."""
    gate = Listener(Talker)
    async with listening(gate) as port:
        talker, keeper = await _open(port, gate, _talkers())
        keeper.wire.abortConnection()
        assert isinstance(await talker.lost, ConnectionLost)


@pytest.mark.parametrize("words", [b"no", b"?no"])
@pytest_twisted.ensureDeferred
async def test_a_refusal_fails_and_hangs_up(words: bytes) -> None:
    """The dialogue's own error comes out, and nothing stays connected."""
    gate = Listener(lambda: Saying(words))
    async with listening(gate) as port:
        with pytest.raises(ProxyRefused, match=r"^no$"):
            await dial(_through(port))
        await gate.made[0].lost


class Saying(Talker):
    """Answers the first word."""

    def __init__(self, words: bytes, then: Callable[[Any], None] | None = None) -> None:
        super().__init__()
        self._words = words
        self._then = then

    def dataReceived(self, data: bytes) -> None:
        super().dataReceived(data)
        self.wire.write(self._words)
        self._words = b""
        if self._then is not None:
            self._then(self.wire)


@pytest.mark.parametrize(
    ("then", "reason"),
    [
        (lambda wire: wire.loseConnection(), ConnectionDone),
        (lambda wire: wire.abortConnection(), ConnectionLost),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_proxy_that_hangs_up_is_told_from_one_that_is_not_there(
    then: Callable[[Any], None], reason: type[Exception]
) -> None:
    """Hanging up during the dialogue is a refusal whose cause is kept."""
    gate = Listener(lambda: Saying(b"", then))
    async with listening(gate) as port:
        with pytest.raises(ProxyRefused, match="hung up before") as caught:
            await dial(_through(port))
        assert isinstance(caught.value.__cause__, reason)


@pytest.mark.parametrize("stage", ["dialling", "before the answer", "within the dialogue"])
@pytest_twisted.ensureDeferred
async def test_cancelling_leaves_nothing(stage: str) -> None:
    """At any time a cancelled dial fails at once, and the connection is cut."""
    gate = Listener(Talker)
    async with listening(gate) as port:
        dialling: Deferred[Any] = _through(port).connect(_talkers())
        if stage != "dialling":
            while not gate.made:
                await pause(0.01)
            await gate.made[0].until(b"open")
        if stage == "within the dialogue":
            gate.made[0].wire.write(b"?")
            await gate.made[0].until(b"sesame")
        dialling.cancel()
        with pytest.raises((CancelledError, ConnectingCancelledError)):
            await dialling
        if gate.made:
            await gate.made[0].lost


@pytest_twisted.ensureDeferred
async def test_a_factory_that_wants_no_connection_gets_none() -> None:
    """A factory that builds nothing is not connected, nor is the proxy asked."""

    class Unwilling(Factory):
        def buildProtocol(self, addr: Any) -> None:  # noqa: ARG002
            return None

    gate = Listener(Talker)
    async with listening(gate) as port:
        with pytest.raises(NoProtocol):
            await _through(port).connect(Unwilling())
        while not gate.made:
            await pause(0.01)
        await gate.made[0].lost
        assert gate.made[0].received == b""


@pytest_twisted.ensureDeferred
async def test_a_protocol_that_breaks_at_once_keeps_nobody_waiting() -> None:
    """Its exception ends the connection, as it does without a tunnel, and fails the dial."""

    class Breaking(Talker):
        def connectionMade(self) -> None:
            raise ZeroDivisionError

    gate = Listener(Talker)
    async with listening(gate) as port:
        with pytest.raises(ZeroDivisionError):
            await _open(port, gate, Factory.forProtocol(Breaking))
        await gate.made[0].lost


@pytest_twisted.ensureDeferred
async def test_a_factory_is_started_and_stopped() -> None:
    """The factory hears of its first and last connection as it does without a tunnel."""
    heard: list[str] = []

    class Hearing(Factory):
        protocol = Talker
        noisy = False

        def startFactory(self) -> None:  # noqa: N802
            heard.append("start")

        def stopFactory(self) -> None:  # noqa: N802
            heard.append("stop")

    gate = Listener(Talker)
    async with listening(gate) as port:
        talker, _ = await _open(port, gate, Hearing())
        assert heard == ["start"]
        await talker.hang_up()
        await pause(0)
    assert heard == ["start", "stop"]


@implementer(IHalfCloseableProtocol)
class HalfTalker(Talker):
    """Hears of the ends of both directions."""

    def __init__(self) -> None:
        super().__init__()
        self.ends: list[str] = []
        self.read_lost: Deferred[None] = Deferred()

    def readConnectionLost(self) -> None:  # noqa: N802
        self.ends.append("read")
        self.read_lost.callback(None)

    def writeConnectionLost(self) -> None:  # noqa: N802
        self.ends.append("write")


@pytest_twisted.ensureDeferred
async def test_half_of_a_connection_may_end() -> None:
    """A protocol that can do without one direction does so through the tunnel, too."""
    gate = Listener(HalfTalker)
    async with listening(gate) as port:
        talker, keeper = await _open(port, gate, Factory.forProtocol(HalfTalker))
        keeper.wire.loseWriteConnection()
        await talker.read_lost
        talker.wire.write(b"still here.")
        await keeper.until(b"still here.")
        talker.wire.loseWriteConnection()
        await keeper.read_lost
        assert talker.ends == ["read", "write"]
        talker.wire.abortConnection()
        assert isinstance(await talker.lost, ConnectionAborted)


@pytest_twisted.ensureDeferred
async def test_half_a_connection_is_none_before_the_tunnel_is_open() -> None:
    """A proxy that ends its direction during the dialogue has hung up."""
    gate = Listener(lambda: Saying(b"", lambda wire: wire.loseWriteConnection()))
    async with listening(gate) as port:
        with pytest.raises(ProxyRefused, match="hung up before"):
            await _through(port).connect(Factory.forProtocol(HalfTalker))


@implementer(IPushProducer)
class Pump:
    """Writes in pieces as long as it may."""

    def __init__(self, wire: Any) -> None:
        self._wire = wire
        self._left = HUGE
        self.pauses = 0
        self._running = False

    def resumeProducing(self) -> None:
        self._running = True
        while self._running and self._left:
            self._left -= 65_536
            self._wire.write(b"a" * 65_536)
        if not self._left and self._running:
            self._wire.unregisterProducer()
            self._wire.write(b".")

    def pauseProducing(self) -> None:
        self._running = False
        self.pauses += 1

    def stopProducing(self) -> None:
        self._running = False


@pytest_twisted.ensureDeferred
async def test_the_pace_of_the_reader_is_kept() -> None:
    """The protocol has the real transport: a slow reader holds up the writer's producer."""
    gate = Listener(Talker)
    async with listening(gate) as port:
        talker, keeper = await _open(port, gate, _talkers())
        keeper.wire.pauseProducing()
        pump = Pump(talker.wire)
        talker.wire.registerProducer(pump, True)
        pump.resumeProducing()
        while not pump.pauses:
            await pause(0.01)
        assert keeper.received == b"opensesame"
        keeper.wire.resumeProducing()
        assert len(await keeper.until(b".")) == len(b"opensesame") + HUGE + 1
        await talker.hang_up()


@pytest.mark.parametrize(
    ("host", "expected"),
    [("a.example", "a.example:1"), ("192.0.2.1", "192.0.2.1:1"), ("::1", "[::1]:1")],
)
def test_an_authority_has_brackets_where_needed(host: str, expected: str) -> None:
    """Only IPv6 addresses are bracketed."""
    assert authority(host, 1) == expected
