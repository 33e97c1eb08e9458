"""The only place that touches Autobahn: a guarded server connection with plain hooks.

Theory of operation. Autobahn owns the handshake, control frames, fragments, compression and
every protocol error. ``dataReceived`` takes whole plain data frames out of a read before Autobahn
sees them, which is nearly all traffic; the rest of the read goes down Autobahn's own path
unchanged. Both ways end in ``message``. A hook never lets an exception into Autobahn, where it
would be swallowed or tear the connection down: it is logged and the connection closed with 1011.

``hold`` stops reading: frames that were read already are kept and fed in once ``release`` is
called. One read hands on at most ``MESSAGES_PER_TURN`` messages, so that a pipelining client does
not keep the reactor.
"""

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from autobahn.websocket.compress import PerMessageDeflateOffer, PerMessageDeflateOfferAccept
from autobahn.websocket.protocol import TrafficStats
from autobahn.websocket.types import ConnectionDeny, ConnectionRequest
from autobahn.websocket.xormasker import create_xor_masker
from twisted.internet.error import AlreadyCalled, AlreadyCancelled
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from twisted_chainws.websocket.frames import CLOSE_CODES, Rest, take, truncate
from twisted_chainws.websocket.handshake import Handshake, Refuse
from twisted_chainws.websocket.heartbeat import Heartbeat
from twisted_chainws.websocket.timers import ReactorTimers

__all__ = ["ConnectionOptions", "ServerConnection", "ServerFactory"]

MESSAGES_PER_TURN: Final = 256
"""Messages of one connection that are handled before others get their turn."""

_OPEN: Final = WebSocketServerProtocol.STATE_OPEN
_CONNECTING: Final = WebSocketServerProtocol.STATE_CONNECTING
_CLOSED: Final = WebSocketServerProtocol.STATE_CLOSED
_LEFTOVERS: Final = (
    "http_request_data", "http_response_data", "http_headers", "http_status_line",
    "http_request_uri", "http_request_path", "http_request_params", "http_request_host",
    "_wskey", "websocket_extensions", "websocket_protocols", "websocket_origin",
)  # fmt: skip
"""What Autobahn keeps of the handshake; the request line may hold an API key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionOptions:
    """How connections of one listener behave.

    Attributes:
        message_bytes: limit of an inbound message, also after decompression.
        compression: accept permessage-deflate when it is offered.
        ping_interval_s: silence of ours after which the server pings; 0 for never.
        ping_timeout_s: how long a peer may stay silent after a ping.
        open_timeout_s: for the handshake.
        close_timeout_s: for the peer's Close after ours, then the TCP connection is cut.
    """

    message_bytes: int
    compression: bool = False
    ping_interval_s: float = 30.0
    ping_timeout_s: float = 30.0
    open_timeout_s: float = 5.0
    close_timeout_s: float = 5.0


class _Silence:
    """Stands in for Autobahn's logger, which writes request lines and builds unused arguments."""

    def _nothing(self, *_: object, **__: object) -> None: ...

    trace = debug = info = warn = error = critical = failure = _nothing


class ServerConnection(WebSocketServerProtocol):
    """One accepted connection. Subclasses override the hooks below and nothing else.

    Attributes:
        pulse: the heartbeat, None before the connection is open; subclasses that write past
            Autobahn set its ``last_write``.
        plain: True when open without compression: messages may bypass Autobahn.
    """

    log = _Silence()
    _log = Logger()

    plain = False
    pulse: Heartbeat | None = None
    _clock: Any
    _options: ConnectionOptions
    _opened = False
    _refusal: Refuse | None = None
    _kept = b""
    _holding = False
    _held: list[bytes]
    _backlog: deque[bytes]
    _releasing: IDelayedCall | None = None
    _lingering: IDelayedCall | None = None
    _producing = False
    _limit = 0

    # Hooks

    def handshake(self, request: Handshake) -> str | None:
        """Return the subprotocol to speak, one of those offered or None. Raises Refuse."""

    def opened(self) -> None:
        """Take note that the connection is open."""

    def message(self, payload: bytes) -> None:
        """Take one whole message, text or binary."""

    def read_done(self) -> None:
        """Take note that all messages of this read were handed on: time to write the replies."""

    def closing(self) -> None:
        """Take note that a Close frame has left: no message may follow."""

    def closed(self, code: int, reason: str) -> None:
        """Take note that the connection is over; called once, and only after ``opened``."""

    def lost(self) -> None:
        """Take note that TCP is gone, whether the handshake succeeded or not."""

    def stuck(self) -> bool:
        """Tell whether the peer has stopped reading what we write."""
        return False

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
        elif self.state == _OPEN:
            self.sendCloseFrame(code, truncate(reason))
            self._stop_timers()
            self._let_go()

    def hold(self) -> None:
        """Stop reading and handing on messages."""
        if not self._holding and self.state == _OPEN:
            self._holding = True
            self.transport.pauseProducing()

    def release(self) -> None:
        """Go on reading in the next turn of the reactor."""
        if self._holding and self._releasing is None:
            self._releasing = self._clock.callLater(0, self._release)

    @property
    def holding(self) -> bool:
        """True while reading is stopped."""
        return self._holding

    # Reading

    def dataReceived(self, data: bytes) -> None:
        """Take a read: whole plain frames here, everything else by Autobahn."""
        pulse = self.pulse
        if pulse is not None and pulse.waiting:
            pulse.alive()
        if self._holding:
            self._held.append(data)
            return
        if self._kept:
            data, self._kept = self._kept + data, b""
        try:
            self._receive(data)
        except Exception:  # noqa: BLE001 - a bug costs its connection, never the listener
            self._broken("reading")

    def _receive(self, data: bytes) -> None:
        if (
            self.plain
            and self.state == _OPEN
            and self.current_frame is None
            and not self.data
            and not self.inside_message
        ):
            data = self._take_frames(data)
            if data:
                self.read_done()
        if data:
            self._dataReceived(data)
        if self._opened:
            self.read_done()

    def _take_frames(self, data: bytes) -> bytes:
        """Hand on whole plain frames and return what Autobahn must look at."""
        payloads, position, rest = take(data, self._limit, _unmask_long)
        if rest is Rest.KEEP:
            self._kept, data = data[position:], b""
        elif position:
            data = data[position:]
        for index, payload in enumerate(payloads):
            if index == MESSAGES_PER_TURN:
                self.hold()
                self.release()
            if self._holding:
                self._backlog.extend(payloads[index:])
                break
            if self.state != _OPEN:
                break
            self.message(payload)
        if rest is Rest.INVALID and self.state == _OPEN:
            # Replies made so far leave first; what was held back behind them is given up.
            self._invalid_payload("invalid UTF-8 in a text message")
            self._let_go()
        if self._holding and data:
            self._held.append(data)
            return b""
        return data

    def _release(self) -> None:
        """Go on where ``hold`` stopped: messages that were read, then bytes, then the socket."""
        self._releasing = None
        if not self._holding or self.state != _OPEN:
            return
        self._holding = False
        try:
            self._catch_up()
        except Exception:  # noqa: BLE001 - as in dataReceived
            self._broken("reading")
        if not self._holding and self.state == _OPEN:
            self.transport.resumeProducing()

    def _catch_up(self) -> None:
        """Hand on what came while reading was on hold, one turn's worth."""
        count = 0
        while self._backlog and not self._holding:
            if count == MESSAGES_PER_TURN:
                self.hold()
                self.release()
                return
            self.message(self._backlog.popleft())
            count += 1
        if self._held and not self._holding:
            data = self._kept + b"".join(self._held)
            self._kept = b""
            self._held.clear()
            self._receive(data)
        elif self._opened:
            self.read_done()

    def _let_go(self) -> None:
        """After our Close: read on, but only for the sake of the peer's Close."""
        if not self._holding:
            return
        self._holding = False
        self._backlog.clear()
        data = self._kept + b"".join(self._held)
        self._kept = b""
        self._held.clear()
        self.transport.resumeProducing()
        if data:
            self._clock.callLater(0, self._feed, data)

    def _feed(self, data: bytes) -> None:
        if self.state != _CLOSED:
            self._dataReceived(data)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:  # noqa: ARG002, FBT001
        """Take a message from Autobahn's own path."""
        if self.state != _OPEN:
            return
        if self._holding:
            self._backlog.append(payload)
            return
        try:
            self.message(payload)
        except Exception:  # noqa: BLE001 - must not reach Autobahn
            self._broken("handling a message")

    # Life

    def onConnect(self, request: ConnectionRequest) -> str | None:
        """Ask the hook; a refusal becomes a plain HTTP answer."""
        wanted = Handshake(
            path=request.path,
            headers=request.headers,
            protocols=tuple(request.protocols),
            peer=self.peer or "",
        )
        try:
            chosen = self.handshake(wanted)
        except Refuse as refusal:
            self._refusal = refusal
            raise ConnectionDeny(refusal.status, "refused") from None
        except Exception:  # noqa: BLE001 - must not reach Autobahn
            self._log.failure("the handshake broke")
            self._refusal = Refuse(status=500, body=b"Internal Server Error")
            raise ConnectionDeny(500, "refused") from None
        # An answer that was not offered would end as an unhandled error without any HTTP answer.
        return chosen if chosen in wanted.protocols else None

    def succeedHandshake(self, res: Any) -> None:
        """Open, unless the peer vanished while the handshake was pending."""
        if self.state == _CONNECTING:
            super().succeedHandshake(res)

    def sendHttpErrorResponse(
        self,
        code: int,
        reason: str,  # noqa: ARG002 - quotes what the peer sent
        responseHeaders: Any = None,  # noqa: N803
    ) -> None:
        """Answer a failed handshake with a body, its length and an end."""
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
        self._held = []
        self._backlog = deque()
        super().connectionMade()
        self.trafficStats = self.factory.traffic

    def onOpen(self) -> None:
        """Drop what only the handshake needed, then tell the hook."""
        for name in _LEFTOVERS:
            self.__dict__.pop(name, None)
        self._transport_details = None
        self.plain = self._perMessageCompress is None
        self._opened = True
        self.pulse = Heartbeat(
            clock=self._clock,
            interval_s=self._options.ping_interval_s,
            timeout_s=self._options.ping_timeout_s,
            ping=self.sendPing,
            suspended=self._silence_excused,
            lost=self._peer_lost,
        )
        self.pulse.start()
        try:
            self.opened()
        except Exception:  # noqa: BLE001 - must not reach Autobahn
            self._broken("opening")

    def sendCloseFrame(  # noqa: N802
        self,
        code: int | None = None,
        reasonUtf8: bytes | None = None,  # noqa: N803
        isReply: bool = False,  # noqa: FBT001, FBT002, N803
    ) -> None:
        """Send a Close, ours or the echo, behind the replies that are ready."""
        if self.state != _OPEN:
            return
        try:
            self.read_done()
        except Exception:  # noqa: BLE001 - the Close must leave all the same
            self._log.failure("the last replies broke")
        if self.state != _OPEN:
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
        if not wasClean:
            code, reason = 1006, reason or ""
        elif self.closedByMe:
            code = self.localCloseCode
            reason = (self.localCloseReason or b"").decode("utf-8", "replace")
        try:
            self.closed(1005 if code is None else code, reason or "")
        except Exception:  # noqa: BLE001 - must not reach Autobahn
            self._log.failure("closing broke")

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Tear down; Autobahn calls ``onClose``."""
        self.plain = False
        self._stop_timers()
        if self._lingering is not None:
            with suppress(AlreadyCalled, AlreadyCancelled):
                self._lingering.cancel()
        super().connectionLost(reason)
        self._held = []
        self._backlog.clear()
        self._kept = b""
        self.lost()

    def _broken(self, doing: str) -> None:
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

    def _silence_excused(self) -> bool:
        """Tell whether the pong may lie unread in the socket because we have stopped reading."""
        return self._holding and not self.stuck()

    def _peer_lost(self) -> None:
        self.wasNotCleanReason = "no sign of life after a ping"
        self.dropConnection(abort=True)

    def _stop_timers(self) -> None:
        if self.pulse is not None:
            self.pulse.stop()
        if self._releasing is not None and self._releasing.active():
            self._releasing.cancel()
        self._releasing = None


class ServerFactory(WebSocketServerFactory):
    """Makes connections of one class with fixed options.

    The options are set on a subclass made for this factory: Autobahn would copy thirty of them
    into each connection otherwise.
    """

    log = _Silence()

    def __init__(
        self, *, reactor: Any, connection: type[ServerConnection], options: ConnectionOptions
    ) -> None:
        super().__init__(reactor=reactor, server="")
        self._batched_timer = ReactorTimers(reactor)
        self.traffic = TrafficStats()
        self.setProtocolOptions(
            versions=[13],
            webStatus=False,
            maxMessagePayloadSize=options.message_bytes,
            maxFramePayloadSize=options.message_bytes,
            failByDrop=False,
            echoCloseCodeReason=True,
            openHandshakeTimeout=options.open_timeout_s,
            closeHandshakeTimeout=options.close_timeout_s,
            perMessageCompressionAccept=_accept_deflate if options.compression else _decline,
            allowedOrigins=["*"],
            allowNullOrigin=True,
        )
        fixed: dict[str, Any] = {
            name: getattr(self, name)
            for name in connection.CONFIG_ATTRS
            if not callable(getattr(self, name))
        }
        fixed["perMessageCompressionAccept"] = staticmethod(self.perMessageCompressionAccept)
        fixed.update(_clock=reactor, _options=options, _limit=options.message_bytes)
        self.protocol: Callable[[], Any] = type(connection.__name__, (connection,), fixed)


def _accept_deflate(offers: list[Any]) -> Any:
    for offer in offers:
        if isinstance(offer, PerMessageDeflateOffer):
            return PerMessageDeflateOfferAccept(offer)
    return None


def _decline(_offers: list[Any]) -> None:
    return None


def _unmask_long(mask: bytes, masked: bytes) -> bytes:
    return create_xor_masker(mask, len(masked)).process(masked)  # type: ignore[no-any-return]
