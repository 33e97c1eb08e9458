"""A guarded client connection over Autobahn, with an owner instead of callbacks.

Autobahn owns the handshake, frames, compression and every protocol error. Here are its gaps: an
answer without an end, exceptions in the middle of a read, a peer that says Close and stays, the
cause of a lost connection, and reading that can be held between two messages.
"""

from typing import Any, Final, Protocol

from autobahn.twisted.websocket import WebSocketClientProtocol
from autobahn.websocket.types import ConnectingRequest
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from twisted_chainws.websocket.answer import LONGEST_HEAD, Answer
from twisted_chainws.websocket.awaiting import Outcome, Waiting
from twisted_chainws.websocket.codes import CloseCode, ConnectionClosed
from twisted_chainws.websocket.ending import Ending, ending
from twisted_chainws.websocket.frames import truncate
from twisted_chainws.websocket.heartbeat import Heartbeat
from twisted_chainws.websocket.intake import CLOSED, OPEN
from twisted_chainws.websocket.options import WebSocketRequestOptions
from twisted_chainws.websocket.outflow import Outflow
from twisted_chainws.websocket.seam.options import Silence
from twisted_chainws.websocket.seam.server import SHORTEST_COMPRESSED
from twisted_chainws.websocket.values import OpenInfo

__all__ = ["ClientConnection", "Owner"]

_CONNECTING: Final = WebSocketClientProtocol.STATE_CONNECTING
_CLOSING: Final = WebSocketClientProtocol.STATE_CLOSING
_UNTOLD: Final = (ConnectionAborted, ConnectionDone, ConnectionLost)
"""Ends of a transport that say less than Autobahn's own words."""


class Owner(Protocol):
    """Who a connection tells what happens. None of these may raise."""

    def made(self, connection: "ClientConnection") -> bool:
        """Take note that there is a transport; False to give it up."""

    def answered(self, answer: Answer) -> None:
        """Take the head of the answer, whatever its status."""

    def opened(self, info: OpenInfo) -> None:
        """Take note that the handshake succeeded."""

    def message(self, data: str | bytes) -> None:
        """Take one whole message; after ``closing`` there may still come some."""

    def closing(self) -> None:
        """Take note that a Close frame has left, ours or the echo: nothing may be sent any more."""

    def failed(self, cause: BaseException, answer: Answer | None) -> None:
        """Take note that the connection ended without having been open."""

    def closed(self, end: Ending) -> None:
        """Take note that the connection that was open has ended."""


class ClientConnection(WebSocketClientProtocol):
    """One connection, from the transport to its end.

    Attributes:
        outflow: what waits for the server to read it; None before it is open.
    """

    log = Silence()
    _log = Logger()
    outflow: Outflow | None = None
    _wanted = False
    _opened = False
    _held = False
    _producing = False
    _answer: Answer | None = None
    _cause: BaseException | None = None
    _pulse: Heartbeat | None = None
    _hanging_up: IDelayedCall | None = None
    _going_on: IDelayedCall | None = None
    _read_at_ping = 0
    _pings_sent = 0

    def __init__(
        self,
        *,
        clock: Any,
        owner: Owner,
        request: ConnectingRequest,
        options: WebSocketRequestOptions,
    ) -> None:
        """Prepare.

        Args:
            clock: reactor.
            owner: hears everything.
            request: the handshake.
            options: checked.
        """
        super().__init__()
        self._clock = clock
        self._owner = owner
        self._request = request
        self._options = options
        self._pings: dict[bytes, tuple[float, Waiting[float]]] = {}

    # What the owner calls

    @property
    def bytes_received(self) -> int:
        """Bytes since the handshake."""
        return int(self.trafficStats.incomingOctetsWireLevel)

    def send(self, payload: bytes, *, binary: bool) -> Outcome[bool] | None:
        """Write one message; the connection must be open.

        Autobahn's ``sendMessage`` would hold the limit for incoming messages against it.

        Returns:
            What to wait for before sending more, None for nothing.
        """
        rsv = 0
        size = len(payload)
        squeeze = self._perMessageCompress
        if squeeze is not None and size >= SHORTEST_COMPRESSED:
            squeeze.start_compress_message()
            payload = squeeze.compress_message_data(payload) + squeeze.end_compress_message()
            rsv = 4
        outflow = self.outflow
        before = outflow is not None and outflow.congested
        self.sendFrame(opcode=2 if binary else 1, payload=payload, rsv=rsv)
        return None if outflow is None else outflow.wrote(size, congested_before=before)

    def ping(self) -> Outcome[float]:
        """Ping; the connection must be open. Fires with the seconds until the pong."""
        payload = self._send_ping()
        waiting: Waiting[float] = Waiting()
        self._pings[payload] = self._clock.seconds(), waiting
        return waiting.wait()

    def close(self, code: int, reason: str) -> None:
        """Begin the closing handshake; nothing if it has begun. ``reason`` is cut to 123 bytes."""
        self.sendCloseFrame(code, truncate(reason))

    def abort(self) -> None:
        """Cut the connection."""
        if self.transport is not None:
            self.transport.abortConnection()

    def hold(self) -> None:
        """Stop reading after the current message."""
        if not self._held and self.state == OPEN:
            self._held = True
            self.transport.pauseProducing()

    def release(self) -> None:
        """Go on reading in the next turn of the reactor."""
        if self._held and self._going_on is None:
            self._going_on = self._clock.callLater(0, self._go_on)

    # What Autobahn calls

    def onConnecting(self, _details: Any) -> ConnectingRequest:  # noqa: N802
        """Return the handshake to send."""
        return self._request

    def connectionMade(self) -> None:
        """Send the handshake, if anybody still wants the connection."""
        self._wanted = self._owner.made(self)
        if self._wanted:
            super().connectionMade()
        else:
            self.abort()

    def dataReceived(self, data: bytes) -> None:
        """Take a read as a sign of life, then as data."""
        if not self._wanted:
            return
        pulse = self._pulse
        if pulse is not None:
            pulse.quiet_since = self._clock.seconds()
            pulse.alive()
        self._dataReceived(data)

    def consumeData(self) -> None:  # noqa: N802
        """Process what was read, up to a hold. What is raised in there stays here."""
        try:
            if self.state in (OPEN, _CLOSING):
                while not self._held and self.processData() and self.state != CLOSED:
                    pass
            elif self.state != CLOSED:
                super().consumeData()
        except Exception:  # noqa: BLE001 - must reach neither the transport nor a Deferred
            self._broke()

    def processHandshake(self) -> None:  # noqa: N802
        """Let Autobahn judge the answer when all of its head is there."""
        end = self.data.find(b"\r\n\r\n", 0, LONGEST_HEAD)
        if not b"HTTP/".startswith(self.data[:5]):
            self.failHandshake("the answer is not HTTP")
        elif end >= 0:
            self._answer = answer = Answer.parse(self.data[:end])
            if answer is None:
                self.failHandshake("the answer is not HTTP/1")
                return
            self._owner.answered(answer)
            if self.state == _CONNECTING:
                super().processHandshake()
        elif len(self.data) >= LONGEST_HEAD:
            self.failHandshake("the answer has no end")

    def onOpen(self) -> None:
        """Start the heartbeat, then tell."""
        self._opened = True
        self.outflow = Outflow(self.transport)
        self.registerProducer(self.outflow, True)  # noqa: FBT003 - Twisted's signature
        self._pulse = Heartbeat(
            clock=self._clock,
            interval_s=self._options.ping_interval,
            timeout_s=self._options.deadline_s,
            ping=self._beat,
            suspended=self._silence_excused,
            lost=self._server_lost,
        )
        self._pulse.start()
        message = "" if self._answer is None else self._answer.message
        self._owner.opened(OpenInfo(101, message, self.websocket_protocol_in_use))

    def sendData(self, data: bytes, *more: Any, **named: Any) -> None:  # noqa: N802
        """Count what is written."""
        if self.outflow is not None:
            self.outflow.written += len(data)
        super().sendData(data, *more, **named)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:  # noqa: FBT001
        """Hand a message on, whose UTF-8 Autobahn has checked."""
        self._owner.message(payload if isBinary else payload.decode())

    def onPing(self, payload: bytes) -> None:
        """Answer, unless what we wrote before is not being read."""
        if self.outflow is None or not self.outflow.congested:
            super().onPing(payload)

    def onPong(self, payload: bytes) -> None:
        """Tell whoever waits for this one."""
        started, waiting = self._pings.pop(payload, (0.0, None))
        if waiting is not None:
            waiting.succeed(self._clock.seconds() - started)

    def sendCloseFrame(  # noqa: N802
        self,
        code: int | None = None,
        reasonUtf8: bytes | None = None,  # noqa: N803
        isReply: bool = False,  # noqa: FBT001, FBT002, N803
    ) -> None:
        """Send a Close, ours or the echo, and read on for the sake of the server's."""
        super().sendCloseFrame(code, reasonUtf8, isReply)
        if self._pulse is not None:
            self._pulse.stop()
        self.release()
        self._owner.closing()

    def onCloseFrame(self, code: int, reasonRaw: bytes) -> bool | None:  # noqa: N803
        """Let the server hang up, but not for ever: Autobahn would wait."""
        done: bool | None = super().onCloseFrame(code, reasonRaw)
        if self.state == _CLOSING and self.wasClean and self._hanging_up is None:
            self._hang_up_later()
        return done

    def _closeConnection(self, abort: bool = False) -> None:  # noqa: FBT001, FBT002, N802
        """Hang up; what cannot be flushed in time is cut off."""
        super()._closeConnection(abort)
        if not abort and self._hanging_up is None:
            self._hang_up_later()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Keep the cause, which Autobahn forgets; it calls ``onClose``."""
        if self._wanted:
            self._cause = self._cause or reason.value
            self._stop_timers()
            super().connectionLost(reason)

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:  # noqa: FBT001
        """Tell how it ended."""
        if not self._opened:
            self._owner.failed(self._why(), self._answer)
            return
        end = ending(
            clean=wasClean,
            failed=self.failedByMe,
            ours=(self.localCloseCode, self.localCloseReason) if self.closedByMe else None,
            theirs=(code, reason),
            cause=self._cause,
        )
        self._owner.closed(end)
        error = ConnectionClosed(end.result)
        if self.outflow is not None:
            self.outflow.lost(error)
        pings, self._pings = self._pings, {}
        for _, waiting in pings.values():
            waiting.fail(error)

    def registerProducer(self, producer: Any, streaming: bool) -> None:  # noqa: FBT001, N802
        """Let the transport tell ``producer`` when to pause."""
        self._producing = True
        self.transport.registerProducer(producer, streaming)

    def unregisterProducer(self) -> None:  # noqa: N802
        """Take the producer away, if there is one."""
        if self._producing:
            self._producing = False
            self.transport.unregisterProducer()

    # Ours

    def _hang_up_later(self) -> None:
        self._hanging_up = self._clock.callLater(self._options.close_timeout, self._hang_up)

    def _hang_up(self) -> None:
        self.dropConnection(abort=True)
        self.abort()

    def _go_on(self) -> None:
        self._going_on = None
        self._held = False
        if self.state in (OPEN, _CLOSING):
            self.consumeData()
            if not self._held:
                self.transport.resumeProducing()

    def _broke(self) -> None:
        """Give up after an exception in the middle of a read: what follows cannot be parsed."""
        failure = Failure()
        self._cause = failure.value
        if self.state == _CONNECTING:
            self.failHandshake(str(failure.value))
            return
        self._log.failure("a connection broke while reading", failure=failure)
        self._fail_connection(CloseCode.INTERNAL_ERROR, "internal error")
        self.dropConnection(abort=False)

    def _why(self) -> BaseException:
        cause = self._cause
        if cause is None or isinstance(cause, _UNTOLD):
            return ConnectionError(self.wasNotCleanReason or "the server hung up")
        return cause

    def _send_ping(self) -> bytes:
        self._pings_sent += 1
        payload = self._pings_sent.to_bytes(8, "big")
        self.sendPing(payload)
        return payload

    def _beat(self) -> None:
        self._send_ping()
        self._read_at_ping = 0 if self.outflow is None else self.outflow.read

    def _silence_excused(self) -> bool:
        """Tell whether the pong may be missing for another reason than a dead server.

        It may lie unread because we have stopped reading, or the server may still be busy reading
        what we wrote before the ping.
        """
        if self.outflow is not None and self.outflow.congested:
            return self.outflow.read != self._read_at_ping
        return self._held or not self._options.deadline_s

    def _server_lost(self) -> None:
        self._cause = TimeoutError("no sign of life after a ping")
        self.dropConnection(abort=True)

    def _stop_timers(self) -> None:
        if self._pulse is not None:
            self._pulse.stop()
        for call in (self._hanging_up, self._going_on):
            if call is not None and call.active():
                call.cancel()
        if self.closeHandshakeTimeoutCall is not None:
            self.closeHandshakeTimeoutCall.cancel()
