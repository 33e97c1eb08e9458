"""A guarded server connection with plain hooks, on top of Autobahn.

Autobahn owns the handshake, control frames, fragments, compression and every protocol error;
``intake`` takes whole plain frames out of a read before Autobahn sees them. A hook never lets an
exception into Autobahn, where it would be swallowed or tear the connection down: it is logged and
the connection closed with 1011.
"""

from contextlib import suppress
from functools import cached_property
from typing import Any, Final, NoReturn

from autobahn.twisted.websocket import WebSocketServerProtocol
from autobahn.websocket.types import ConnectionDeny, ConnectionRequest
from autobahn.websocket.utf8validator import Utf8Validator
from autobahn.websocket.xormasker import create_xor_masker
from twisted.internet.defer import Deferred
from twisted.internet.error import AlreadyCalled, AlreadyCancelled
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from twisted_chainws.websocket.ending import Ending, ending
from twisted_chainws.websocket.frames import CLOSE_CODES, truncate
from twisted_chainws.websocket.handshake import Handshake, Refuse
from twisted_chainws.websocket.heartbeat import Heartbeat
from twisted_chainws.websocket.intake import CLOSED, OPEN, Intake
from twisted_chainws.websocket.seam.options import ConnectionOptions, Silence
from twisted_chainws.websocket.slim import slimmed

__all__ = ["ServerConnection"]

LONGEST_REQUEST: Final = 65_536
"""Bytes of a handshake request, and of what may follow it before the answer."""

SHORTEST_COMPRESSED: Final = 64
"""Shorter messages are sent as they are even where compression was agreed."""

_END_OF_HEAD: Final = b"\r\n\r\n"
_CONNECTING: Final = WebSocketServerProtocol.STATE_CONNECTING
if (WebSocketServerProtocol.STATE_OPEN, WebSocketServerProtocol.STATE_CLOSED) != (OPEN, CLOSED):
    raise ImportError("this Autobahn numbers its states otherwise")


def _unmask_long(mask: bytes, masked: bytes) -> bytes:
    return create_xor_masker(mask, len(masked)).process(masked)  # type: ignore[no-any-return]


class ServerConnection(Intake, WebSocketServerProtocol):
    """One accepted connection. Subclasses override the hooks below and nothing else.

    Attributes:
        pulse: the heartbeat, None before the connection is open; subclasses that write past
            Autobahn set its ``quiet_since``.
        plain: True when open without compression: messages may bypass Autobahn.
        ending: how it ended; None before ``closed``.
    """

    ending: Ending | None = None
    log = Silence()
    _log = Logger()
    # Only for chopped writes, which nobody makes here.
    send_queue: Any = ()

    unmask_long = staticmethod(_unmask_long)
    _options: ConnectionOptions
    _refusal: Refuse | None = None
    _lingering: IDelayedCall | None = None
    _producing = False
    _waiting_at_ping = 0
    _deciding: Deferred[str | None] | None = None
    _cause: BaseException | None = None

    @cached_property
    def utf8validator(self) -> Any:
        """The validator of Autobahn's own path, made when fragmented text comes."""
        return Utf8Validator()

    # Hooks

    def handshake(self, request: Handshake) -> str | Deferred[str | None] | None:
        """Return the subprotocol to speak, one of those offered or None. Raises Refuse.

        It may take its time, up to the open timeout; it is cancelled if the peer vanishes.
        """

    def opened(self) -> None:
        """Take note that the connection is open."""

    def message(self, payload: Any) -> None:
        """Take one whole message: bytes, or with ``decode`` str for text and bytes for binary."""

    def read_done(self) -> None:
        """Take note that all messages of this read were handed on: time to write the replies."""

    def closing(self) -> None:
        """Take note that a Close frame has left: no message may follow."""

    def closed(self, code: int, reason: str) -> None:
        """Take note that the connection is over; called once, and only after ``opened``.

        Args:
            code: as in ``ending``: ours if we closed first, answered or not.
            reason: the same; of a connection that was lost, what was seen of it.
        """

    def lost(self) -> None:
        """Take note that TCP is gone, whether the handshake succeeded or not."""

    def stuck(self) -> bool:
        """Tell whether what we write piles up because the peer reads too slowly or not at all."""
        return False

    def waiting_bytes(self) -> int:
        """Return how much waits for the peer to read; a change is a sign of life."""
        return 0

    def ping_payload(self) -> bytes:
        """Return what the next ping carries, at most 125 bytes."""
        return b""

    # For subclasses

    def close(self, code: int, reason: str = "") -> None:
        """Begin the closing handshake, also while reading is on hold.

        Args:
            code: one that may stand in a Close frame.
            reason: cut to 123 bytes.

        Raises:
            ValueError: the code must never be on the wire.
        """
        if code not in CLOSE_CODES:
            raise ValueError(f"close code {code} may not be sent")
        if self.state == _CONNECTING:
            self.transport.abortConnection()
        elif self.state == OPEN:
            self.sendCloseFrame(code, truncate(reason))
            self._stop_timers()
            self.let_go()

    def limit_messages(self, size: int) -> None:
        """Take messages of at most ``size`` bytes from the next read on, if that is less."""
        if size < self._options.message_bytes:
            self.maxMessagePayloadSize = self.maxFramePayloadSize = self._limit = size

    def transmit(self, payload: bytes, *, binary: bool) -> None:
        """Write one message, compressed where that was agreed and pays.

        Autobahn's ``sendMessage`` would hold the limit for incoming messages against it.
        """
        rsv = 0
        squeeze = self._perMessageCompress
        if squeeze is not None and len(payload) >= SHORTEST_COMPRESSED:
            squeeze.start_compress_message()
            payload = squeeze.compress_message_data(payload) + squeeze.end_compress_message()
            rsv = 4
        self.sendFrame(opcode=2 if binary else 1, payload=payload, rsv=rsv)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:  # noqa: FBT001
        """Take a message from Autobahn's own path, which has checked its UTF-8."""
        if self.state != OPEN:
            return
        received = payload.decode() if self.decode and not isBinary else payload
        if self.holding:
            self.put_back(received)
            return
        try:
            self.message(received)
        except Exception:  # noqa: BLE001 - must not reach Autobahn
            self.broken("handling a message")

    # Life

    def onConnect(self, request: ConnectionRequest) -> str | None:
        """Ask the hook; a refusal becomes a plain HTTP answer."""
        wanted = Handshake(
            path=request.path,
            headers=request.headers,
            protocols=tuple(request.protocols),
            peer=self.peer or "",
            query=request.params,
        )
        try:
            chosen = self.handshake(wanted)
        except Exception:  # noqa: BLE001 - must not reach Autobahn
            self._deny(Failure())
        if isinstance(chosen, Deferred):
            self._deciding = chosen
            return chosen.addCallbacks(self._chosen, self._deny, (wanted,))  # type: ignore[return-value]
        return self._chosen(chosen, wanted)

    def _chosen(self, protocol: str | None, wanted: Handshake) -> str | None:
        # An answer that was not offered would end as an unhandled error without any HTTP answer.
        self._deciding = None
        return protocol if protocol in wanted.protocols else None

    def _deny(self, failure: Failure) -> NoReturn:
        self._deciding = None
        refusal = failure.value
        if not isinstance(refusal, Refuse):
            if self.state == _CONNECTING:
                self._log.failure("the handshake broke", failure)
            refusal = Refuse(status=500, body=b"Internal Server Error")
        self._refusal = refusal
        raise ConnectionDeny(refusal.status, "refused") from None

    def processHandshake(self) -> None:  # noqa: N802
        """Let Autobahn read the request, once and only if its end is near enough."""
        if self._deciding is None and _END_OF_HEAD in self.data:
            super().processHandshake()
        elif len(self.data) > LONGEST_REQUEST:
            self.data = b""
            self.transport.abortConnection()

    def succeedHandshake(self, res: Any) -> None:
        """Open, unless the peer vanished while the handshake was pending."""
        if self.state == _CONNECTING:
            super().succeedHandshake(res)
            self.__dict__ = slimmed(self.__dict__)

    def sendHttpErrorResponse(
        self,
        code: int,
        reason: str,  # noqa: ARG002 - quotes what the peer sent
        responseHeaders: Any = None,  # noqa: N803
    ) -> None:
        """Answer a failed handshake with a body, its length and an end."""
        if self.state != _CONNECTING:
            return
        refusal = self._refusal
        if refusal is None:
            extra = tuple((str(name), str(value)) for name, value in responseHeaders or ())
            if any(name == "Sec-WebSocket-Version" for name, _ in extra):
                code = 426
            body = b"Upgrade Required" if code == 426 else b"Bad Request"  # noqa: PLR2004
            refusal = Refuse(status=code, body=body, headers=extra)
        self.sendData(refusal.render())

    def connectionMade(self) -> None:
        """Prepare the connection; the transport was just attached."""
        self.begin_intake()
        super().connectionMade()
        self.trafficStats = self.factory.traffic

    def onOpen(self) -> None:
        """Start the heartbeat, then tell the hook."""
        self._transport_details = None
        self.plain = self._perMessageCompress is None
        self._opened = True
        self.pulse = Heartbeat(
            clock=self._clock,
            interval_s=self._options.ping_interval_s,
            timeout_s=self._options.ping_timeout_s,
            ping=self._ping,
            suspended=self._silence_excused,
            lost=self._peer_lost,
        )
        self.pulse.start()
        try:
            self.opened()
        except Exception:  # noqa: BLE001 - must not reach Autobahn
            self.broken("opening")

    def sendCloseFrame(  # noqa: N802
        self,
        code: int | None = None,
        reasonUtf8: bytes | None = None,  # noqa: N803
        isReply: bool = False,  # noqa: FBT001, FBT002, N803
    ) -> None:
        """Send a Close, ours or the echo, behind the replies that are ready."""
        if self.state != OPEN:
            return
        try:
            self.read_done()
        except Exception:  # noqa: BLE001 - the Close must leave all the same
            self._log.failure("the last replies broke")
        if self.state != OPEN:
            return
        super().sendCloseFrame(code, reasonUtf8, isReply)
        self.plain = False
        try:
            self.closing()
        except Exception:  # noqa: BLE001 - must not reach Autobahn
            self._log.failure("closing broke")

    def _closeConnection(self, abort: bool = False) -> None:  # noqa: FBT001, FBT002, N802
        """Hang up; what cannot be flushed in time is cut off.

        Autobahn also aborts after a clean close, and a Close of ours that still waits for the
        socket would be lost.
        """
        abort = abort and not self.wasClean
        super()._closeConnection(abort)
        if not abort and self._lingering is None:
            self._lingering = self._clock.callLater(
                self._options.close_timeout_s, self.transport.abortConnection
            )

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:  # noqa: FBT001
        """Tell the hook what ended the connection: our own code when we closed first."""
        self._stop_timers()
        if not self._opened:
            return
        self._opened = False
        self.ending = end = ending(
            clean=wasClean,
            failed=self.failedByMe,
            ours=(self.localCloseCode, self.localCloseReason) if self.closedByMe else None,
            theirs=(code, reason),
            cause=self._cause,
        )
        words = reason or "" if end.lost else end.result.reason
        try:
            self.closed(end.result.code, words)
        except Exception:  # noqa: BLE001 - must not reach Autobahn
            self._log.failure("closing broke")

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Tear down; Autobahn calls ``onClose``."""
        self.plain = False
        self._stop_timers()
        if self._lingering is not None:
            with suppress(AlreadyCalled, AlreadyCancelled):
                self._lingering.cancel()
        self._cause = self._cause or reason.value
        super().connectionLost(reason)
        if self.closeHandshakeTimeoutCall is not None:
            # Autobahn leaves it running when TCP ends before the peer's Close.
            self.closeHandshakeTimeoutCall.cancel()
        if self._deciding is not None:
            self._deciding.cancel()
        self.begin_intake()
        self.lost()

    def broken(self, doing: str) -> None:
        """Log the exception at hand, a bug of ours, and close."""
        self._log.failure("a connection broke while {doing}", doing=doing)
        self.close(1011, "internal error")

    def onPing(self, payload: bytes) -> None:
        """Answer at once, unless what we wrote before is not being read."""
        if not self.stuck():
            super().onPing(payload)

    def registerProducer(self, producer: Any, streaming: bool) -> None:  # noqa: FBT001, N802
        """Let the transport tell ``producer`` when to pause."""
        self.transport.registerProducer(producer, streaming)
        self._producing = True

    def unregisterProducer(self) -> None:  # noqa: N802
        """Take the producer away, if there is one."""
        if self._producing:
            self._producing = False
            self.transport.unregisterProducer()

    def _ping(self) -> None:
        self.sendPing(self.ping_payload())
        self._waiting_at_ping = self.waiting_bytes()

    def _silence_excused(self) -> bool:
        """Tell whether the pong may be missing for another reason than a dead peer.

        It may lie unread in the socket because we have stopped reading, or the peer may still be
        busy reading what we wrote before the ping.
        """
        if self.stuck():
            return self.waiting_bytes() != self._waiting_at_ping
        return self.holding or not self._options.ping_timeout_s

    def _peer_lost(self) -> None:
        self.wasNotCleanReason = "no sign of life after a ping"
        self._cause = TimeoutError(self.wasNotCleanReason)
        self.dropConnection(abort=True)

    def _stop_timers(self) -> None:
        if self.pulse is not None:
            self.pulse.stop()
        self.stop_releasing()
