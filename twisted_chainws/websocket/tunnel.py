"""A way through a proxy: talk with it until it has connected us, then step aside.

What is said is a ``Dialogue``, pure; ``http_connect`` and ``socks`` have one each. The protocol at
the other end gets the real transport, so that producers, half-closing and TLS work as ever.

Source: ``ohos-websocket.md`` 4.4.
"""

from collections.abc import Callable
from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionClosed
from twisted.internet.interfaces import (
    IAddress,
    IHalfCloseableProtocol,
    IProtocol,
    IProtocolFactory,
    IStreamClientEndpoint,
)
from twisted.internet.protocol import ClientFactory, connectionDone
from twisted.internet.protocol import Protocol as StreamProtocol
from twisted.python.failure import Failure
from zope.interface import directlyProvides, implementer

__all__ = ["Dialogue", "ProxyRefused", "TunnelEndpoint", "authority"]


class ProxyRefused(Exception):
    """The proxy did not connect us; the text says in its own words why.

    Attributes:
        http_status: of its answer, None if it does not speak HTTP.
    """

    def __init__(self, words: str, http_status: int | None = None) -> None:
        super().__init__(words)
        self.http_status = http_status


class Dialogue(Protocol):
    """What is said to a proxy, once for each connection.

    Attributes:
        surplus: None until the tunnel is open, then the first bytes from beyond it.
    """

    surplus: bytes | None

    def begin(self) -> bytes:
        """Return what to send first."""

    def receive(self, data: bytes) -> bytes:
        """Take what came, in any pieces, and return what to send. Raises ProxyRefused."""


@implementer(IStreamClientEndpoint)
class TunnelEndpoint:
    """Connects through a proxy; the Deferred fires when the tunnel is open.

    It fails with ProxyRefused, or as the endpoint of the proxy does. Cancelled at any time, it
    leaves no connection behind. It has no timeout of its own: a proxy that hangs is cancelled.
    """

    def __init__(self, proxy: IStreamClientEndpoint, dialogue: Callable[[], Dialogue]) -> None:
        """Prepare; nothing is dialled yet.

        Args:
            proxy: leads to the proxy, with TLS if that wants it.
            dialogue: makes one that asks for the target.
        """
        self._proxy = proxy
        self._dialogue = dialogue

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:  # noqa: N803
        """Dial."""
        dialled: Deferred[Any] = self._proxy.connect(_Factory(self._dialogue, protocolFactory))
        return dialled.addCallback(lambda tunnel: tunnel.opened)


class _Factory(ClientFactory):
    noisy = False

    def __init__(self, dialogue: Callable[[], Dialogue], inner: IProtocolFactory) -> None:
        self._dialogue = dialogue
        self._inner: Any = inner

    def doStart(self) -> None:  # noqa: N802
        self._inner.doStart()

    def doStop(self) -> None:  # noqa: N802
        self._inner.doStop()

    def buildProtocol(self, addr: IAddress | None) -> "_Tunnel | None":
        inner = self._inner.buildProtocol(addr)
        return None if inner is None else _Tunnel(self._dialogue(), inner)


class _Tunnel(StreamProtocol):
    """Between the transport and the protocol that wants it.

    Attributes:
        opened: fires with that protocol when it has got the transport.
    """

    def __init__(self, dialogue: Dialogue, inner: IProtocol) -> None:
        self._dialogue = dialogue
        self._inner: Any = inner
        self._open = False
        self.opened: Deferred[IProtocol] = Deferred(lambda _: self._abort())
        if IHalfCloseableProtocol.providedBy(inner):
            # Asked of a protocol once, when it is connected: too early to know the dialogue's end.
            directlyProvides(self, IHalfCloseableProtocol)

    def connectionMade(self) -> None:
        self._say(self._dialogue.begin())

    def dataReceived(self, data: bytes) -> None:
        if self._open:
            self._inner.dataReceived(data)
            return
        try:
            self._say(self._dialogue.receive(data))
        except ProxyRefused:
            self._abort()
            self.opened.errback(Failure())
        else:
            if self._dialogue.surplus is not None:
                self._hand_over(self._dialogue.surplus)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self._open:
            self._inner.connectionLost(reason)
        # Also of a tunnel that was open, if the protocol broke when it was handed over.
        if not self.opened.called:
            self.opened.errback(_hung_up(reason))

    def readConnectionLost(self) -> None:  # noqa: N802
        """Tell a protocol that goes on writing; without a tunnel there is nothing to go on with."""
        if self._open:
            IHalfCloseableProtocol(self._inner).readConnectionLost()
        else:
            self._abort()

    def writeConnectionLost(self) -> None:  # noqa: N802
        """Tell the protocol that ended this direction, so the tunnel is open."""
        IHalfCloseableProtocol(self._inner).writeConnectionLost()

    def _say(self, words: bytes) -> None:
        if words:
            self._transport.write(words)

    def _hand_over(self, surplus: bytes) -> None:
        self._open = True
        self._inner.makeConnection(self._transport)
        self.opened.callback(self._inner)
        if surplus:
            self._inner.dataReceived(surplus)

    def _abort(self) -> None:
        self._transport.abortConnection()

    @property
    def _transport(self) -> Any:
        return self.transport


def _hung_up(reason: Failure) -> Failure:
    """Tell a proxy that went from one that was not to be trusted, which is TLS's own error."""
    cause = reason.value
    if cause is not None and not isinstance(cause, ConnectionClosed):
        cause.add_note("This is about the proxy.")
        return reason
    refused = ProxyRefused(f"the proxy hung up before it had connected us: {cause}")
    refused.__cause__ = cause
    return Failure(refused)


def authority(host: str, port: int) -> str:
    """Return ``host:port``, with brackets around IPv6 addresses."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
