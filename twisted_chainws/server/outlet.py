"""The way out of one connection: straight to the socket while nothing waits, else the transport.

A write of a Twisted TCP transport costs a turn of the reactor and two ``epoll_ctl`` calls. While
the transport has nothing queued, ``socket.send`` does the same at once; whatever it does not take
goes to the transport, in order. The transport's private queue is looked at for that, so
``is_direct`` checks that the transport is a plain TCP one that has it; TLS, UNIX and in-memory
transports get everything through ``write``.
"""

from collections.abc import Callable
from typing import Any

from twisted.internet import tcp
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

__all__ = ["Outlet", "is_direct"]

_NEEDED = ("dataBuffer", "offset", "_tempDataBuffer", "_tempDataLen", "socket", "disconnecting")


def is_direct(transport: Any) -> bool:
    """Tell whether a transport is plain TCP and its queue is where we expect it."""
    return (
        type(transport) is tcp.Server
        and not getattr(transport, "TLS", False)
        and all(hasattr(transport, name) for name in _NEEDED)
    )


@implementer(IPushProducer)
class Outlet:
    """What one connection writes, counted.

    Attributes:
        congested: True from the moment when the transport asks for a pause until it is drained.
    """

    __slots__ = ("_counted", "_direct", "_drained", "_paused", "_send", "_transport", "congested")

    def __init__(
        self,
        *,
        transport: Any,
        direct: bool,
        paused: Callable[[], None],
        drained: Callable[[], None],
    ) -> None:
        """Take over the writing side of ``transport``.

        Args:
            transport: connected.
            direct: use the socket where possible.
            paused: called when the transport takes no more for now.
            drained: called when it has written everything and takes more.
        """
        self._transport = transport
        self._direct = direct and is_direct(transport)
        self._send = transport.socket.send if self._direct else None
        self._paused = paused
        self._drained = drained
        self._counted = 0
        self.congested = False

    @property
    def direct(self) -> bool:
        """True when frames may go straight to the socket."""
        return self._direct

    @property
    def unsent(self) -> int:
        """Bytes that wait in this process for the peer to read."""
        transport = self._transport
        if self._direct:
            return len(transport.dataBuffer) - transport.offset + transport._tempDataLen  # type: ignore[no-any-return]  # noqa: SLF001
        return self._counted if self.congested else 0

    @property
    def waiting(self) -> int:
        """Bytes in the queue of the TCP transport, also of the one below TLS; 0 if it is hidden.

        Good for noticing progress, not for counting: TLS holds a part back.
        """
        transport = self._transport
        if not hasattr(transport, "_tempDataLen"):
            transport = getattr(transport, "transport", None)
        if not hasattr(transport, "_tempDataLen"):
            return 0
        return len(transport.dataBuffer) - transport.offset + transport._tempDataLen  # type: ignore[no-any-return]  # noqa: SLF001

    def write(self, data: bytes | bytearray) -> None:
        """Write whole frames; a bytearray may be changed afterwards."""
        transport = self._transport
        if (
            self._send is not None
            and not transport._tempDataBuffer  # noqa: SLF001 - the queue
            and not transport.dataBuffer
            and transport.connected
            and not transport.disconnecting
        ):
            try:
                sent = self._send(data)
            except OSError:
                # Full, or broken: then the transport finds out by itself and reports it.
                sent = 0
            if sent == len(data):
                return
            data = data[sent:]
        self._queue(bytes(data))

    def _queue(self, data: bytes) -> None:
        if self.congested:
            self._counted += len(data)
        else:
            self._counted = len(data)
        self._transport.write(data)

    def close(self) -> None:
        """Stop using the socket: the connection is closing or gone."""
        self._send = None

    def pauseProducing(self) -> None:
        """Take note that the transport's queue is full."""
        if not self.congested:
            self.congested = True
            self._paused()

    def resumeProducing(self) -> None:
        """Take note that the transport's queue is empty again."""
        if self.congested:
            self.congested = False
            self._counted = 0
            self._drained()

    def stopProducing(self) -> None:
        """Take note that the connection is gone; ``connectionLost`` tells the rest."""
        self._send = None
