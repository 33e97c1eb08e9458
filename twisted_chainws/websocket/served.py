"""One client of a server: the seam's hooks, handed on to the run that it belongs to.

It is pinged after its own silence, however much we send meanwhile: ``ohos-websocket.md`` 4.7.
"""

from collections.abc import Callable
from typing import Any, Protocol

from twisted.internet.defer import Deferred

from twisted_chainws.websocket.awaiting import Outcome
from twisted_chainws.websocket.codes import CloseCode, ErrorCode, WebSocketError
from twisted_chainws.websocket.handshake import Handshake
from twisted_chainws.websocket.intake import CLOSED, OPEN
from twisted_chainws.websocket.outflow import Outflow
from twisted_chainws.websocket.seam import ServerConnection
from twisted_chainws.websocket.values import WebSocketConnection

__all__ = ["Host", "Served"]


class Host(Protocol):
    """What a connection tells. None of these but ``judge`` may raise."""

    def made(self, connection: "Served") -> None:
        """Take note of a TCP connection."""

    def judge(self, connection: "Served", request: Handshake) -> str | Deferred[str | None] | None:
        """Return the subprotocol to speak, now or later. Raises Refuse."""

    def opened(self, connection: "Served") -> None:
        """Take note that the handshake succeeded."""

    def heard(self, connection: "Served", data: str | bytes) -> None:
        """Take a message."""

    def ended(self, connection: "Served") -> None:
        """Take note that the connection, which was open, has ended."""

    def gone(self, connection: "Served") -> None:
        """Take note that TCP is gone."""


class _Outflow(Outflow):
    """Also takes the emptied queue for a sign of life: the peer has read all of it."""

    def __init__(self, transport: Any, drained: Callable[[], None]) -> None:
        super().__init__(transport)
        self._drained = drained

    def resumeProducing(self) -> None:
        self._drained()
        super().resumeProducing()


class Served(ServerConnection):
    """One client.

    Attributes:
        host: whom to tell.
        slot: the address whose slot it has taken; None for none.
        value: what stands for it in events; None before it is open.
    """

    decode = True
    host: Host
    slot: str | None = None
    value: WebSocketConnection | None = None
    _outflow: Outflow | None = None
    _pings = 0

    def connectionMade(self) -> None:
        """Prepare the connection."""
        super().connectionMade()
        self.host.made(self)

    def handshake(self, request: Handshake) -> str | Deferred[str | None] | None:
        """Let the host decide."""
        return self.host.judge(self, request)

    def opened(self) -> None:
        """Watch the way out, then tell the host."""
        self._outflow = _Outflow(self.transport, self._alive)
        self.registerProducer(self._outflow, True)  # noqa: FBT003 - Twisted's signature
        self.host.opened(self)

    def message(self, payload: str | bytes) -> None:
        """Hand a message on."""
        self.host.heard(self, payload)

    def closed(self, *_: object) -> None:
        """Tell the host; ``ending`` says how."""
        self.host.ended(self)

    def lost(self) -> None:
        """Tell the host."""
        self.host.gone(self)

    def stuck(self) -> bool:
        """Tell whether the peer leaves lying what we wrote."""
        return self._outflow is not None and self._outflow.congested

    def waiting_bytes(self) -> int:
        """Return what the peer has read, below zero: adding to the queue is no sign of life."""
        return 0 if self._outflow is None else -self._outflow.read

    def ping_payload(self) -> bytes:
        """Number the pings."""
        self._pings += 1
        return self._pings.to_bytes(8, "big")

    def dataReceived(self, data: bytes) -> None:
        """Count the silence from here."""
        if self.pulse is not None:
            self.pulse.quiet_since = self._clock.seconds()
        super().dataReceived(data)

    def sendData(self, data: bytes, *more: Any, **named: Any) -> None:  # noqa: N802
        """Count what is written."""
        if self._outflow is not None:
            self._outflow.written += len(data)
        super().sendData(data, *more, **named)

    @property
    def is_usable(self) -> bool:
        """True until either side sends a Close."""
        return self.state == OPEN

    @property
    def is_over(self) -> bool:
        """True from the end of the connection."""
        return self.state == CLOSED

    def send(self, payload: bytes, *, binary: bool, unsent_limit: int) -> Outcome[bool] | None:
        """Write a message; the caller has looked that the connection is open.

        Args:
            payload: of the message.
            binary: or text.
            unsent_limit: bytes that may wait for the peer, this message included; 0 for no limit.

        Returns:
            What fires when the peer has read what waited before; None if nothing did.

        Raises:
            WebSocketError: 2302999, more would wait; the connection is being closed with 1008.
        """
        outflow = self._outflow
        if outflow is None:
            return None
        waited = outflow.congested
        if waited and 0 < unsent_limit < outflow.buffered + len(payload):
            self.close(CloseCode.POLICY_VIOLATION, "reading too slowly")
            raise WebSocketError(ErrorCode.INTERNAL_ERROR, data="the client reads too slowly")
        self.transmit(payload, binary=binary)
        return outflow.wrote(len(payload), congested_before=waited)

    def give_up(self, error: WebSocketError) -> None:
        """Fail those who wait until the peer has read."""
        if self._outflow is not None:
            self._outflow.lost(error)

    def _alive(self) -> None:
        if self.pulse is not None:
            self.pulse.quiet_since = self._clock.seconds()
            self.pulse.alive()
