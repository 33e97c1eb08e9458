"""How much of what we wrote still waits for the peer to read it. No I/O of its own.

The transport pauses us at its mark of 64 KiB and resumes us when its queue is empty. Whoever writes
while it is paused waits for that moment; the first who writes beyond the mark does not.
"""

from typing import Any

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from twisted_chainws.websocket.awaiting import Outcome, Waiting
from twisted_chainws.websocket.codes import WebSocketError

__all__ = ["Outflow"]


@implementer(IPushProducer)
class Outflow:
    """The writing side of one connection, registered with its transport.

    Attributes:
        congested: the transport has said stop.
        written: bytes given to the transport; the owner counts them.
    """

    def __init__(self, transport: Any) -> None:
        """Prepare for a transport of Twisted: TCP, or TLS above it."""
        self._transport = transport
        self._waiting: Waiting[bool] = Waiting()
        self._counted = 0
        self._read = 0
        self.congested = False
        self.written = 0

    def wrote(self, size: int, *, congested_before: bool) -> Outcome[bool] | None:
        """Count a message just written.

        Args:
            size: of its payload, in bytes.
            congested_before: whether it was written although the transport had said stop.

        Returns:
            What fires with True when the queue is empty; None if nobody has to wait.
        """
        if not self.congested:
            self._counted = 0
            return None
        self._counted += size
        return self._waiting.wait() if congested_before else None

    @property
    def buffered(self) -> int:
        """Bytes that wait in the transport's queue; above TLS, payload bytes since it is full."""
        queued = self.queued
        return max(queued, self._counted if self.congested else 0)

    @property
    def queued(self) -> int:
        """Bytes in the queue of TCP, also of that below TLS; 0 if it is hidden.

        Twisted has no public name for it.
        """
        transport = self._transport
        while transport is not None and not hasattr(transport, "_tempDataLen"):
            transport = getattr(transport, "transport", None)
        if transport is None:
            return 0
        return len(transport.dataBuffer) - transport.offset + transport._tempDataLen  # type: ignore[no-any-return]  # noqa: SLF001

    @property
    def read(self) -> int:
        """Bytes that the peer has read, at least; it never falls.

        What we add to the queue does not change it, so any change is a sign of life.
        """
        # TLS adds to what is written, so the difference alone could fall.
        self._read = max(self._read, self.written - self.queued)
        return self._read

    def lost(self, error: WebSocketError) -> None:
        """Fail everybody who waits."""
        self.congested = False
        self._waiting.fail(error)

    def pauseProducing(self) -> None:
        """Take the transport's word to stop."""
        self.congested = True

    def resumeProducing(self) -> None:
        """Take the transport's word to go on."""
        self.congested = False
        self._counted = 0
        self._waiting.succeed(True)  # noqa: FBT003 - the value

    def stopProducing(self) -> None:
        """Take note that the transport is gone; ``lost`` follows."""
