"""Plain streams for tests of what lies below WebSocket: a talker, and listeners that clean up."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from twisted.internet import reactor as _reactor  # noqa: TID251 - real sockets
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.interfaces import IAddress, IStreamClientEndpoint
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.task import deferLater
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.python.failure import Failure

reactor: Any = _reactor
LIMIT_S = 20.0


class Talker(Protocol):
    """One end of a connection whose reads are awaited.

    Attributes:
        received: everything so far.
        lost: fires with the reason of the end.
    """

    def __init__(self) -> None:
        self.received = b""
        self.lost: Deferred[Any] = Deferred()
        self._waiting: tuple[bytes, Deferred[bytes]] | None = None

    @property
    def wire(self) -> Any:
        """The transport."""
        return self.transport

    def dataReceived(self, data: bytes) -> None:
        self.received += data
        if self._waiting is not None and self._waiting[0] in self.received:
            (_, deferred), self._waiting = self._waiting, None
            deferred.callback(self.received)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        # A result, although it is an exception.
        self.lost.callback(reason.value)
        if self._waiting is not None:
            (_, deferred), self._waiting = self._waiting, None
            deferred.errback(reason)

    async def until(self, mark: bytes) -> bytes:
        """Return everything received as soon as it has ``mark``; raises why the peer went."""
        if mark in self.received:
            return self.received
        deferred: Deferred[bytes] = Deferred()
        self._waiting = (mark, deferred)
        return await deferred.addTimeout(LIMIT_S, reactor)

    async def hang_up(self) -> None:
        """Close, and wait for the end."""
        self.wire.loseConnection()
        await self.lost


class Listener(Factory):
    """Makes talkers of a kind and remembers them."""

    noisy = False

    def __init__(self, make: Callable[[], Talker]) -> None:
        self._make = make
        self.made: list[Any] = []

    def buildProtocol(self, addr: IAddress | None) -> Any:  # noqa: ARG002
        talker = self._make()
        self.made.append(talker)
        return talker


@asynccontextmanager
async def listening(listener: Listener, context: Any = None) -> AsyncIterator[int]:
    """Listen on loopback, under TLS with a context; give the port.

    Afterwards every connection is cut.
    """
    factory: Any = listener
    if context is not None:
        factory = TLSMemoryBIOFactory(context, False, listener)
        factory.noisy = False
    port = await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(factory)
    try:
        yield port.getHost().port
    finally:
        await port.stopListening()
        for talker in listener.made:
            if not talker.lost.called:
                talker.wire.abortConnection()


async def dial(endpoint: IStreamClientEndpoint) -> Talker:
    """Connect a talker."""
    connecting: Deferred[Any] = endpoint.connect(Factory.forProtocol(Talker))
    talker: Talker = await connecting.addTimeout(LIMIT_S, reactor)
    return talker


async def pause(seconds: float) -> None:
    """Let the reactor run."""
    await deferLater(reactor, seconds)
