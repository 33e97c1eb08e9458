"""How reads become messages: whole plain frames at once, the rest through Autobahn. No I/O.

Theory of operation. ``dataReceived`` takes whole plain data frames, nearly all traffic, off the
front of a read and hands them on; control frames, fragments, violations and what follows them in
that read go down Autobahn's own path unchanged, which ends in ``onMessage``. ``hold`` stops
reading: what was read already waits, messages first, then bytes, and is fed in after ``release``.
One turn hands on at most ``MESSAGES_PER_TURN`` messages, so that a client that sends many requests
at once does not keep the reactor.
"""

from collections import deque
from typing import Any, Final

from twisted.internet.interfaces import IDelayedCall

from twisted_chainws.websocket.frames import Rest, take
from twisted_chainws.websocket.heartbeat import Heartbeat

__all__ = ["CLOSED", "MESSAGES_PER_TURN", "OPEN", "Intake"]

CLOSED: Final = 0
OPEN: Final = 3
"""States of a connection, as Autobahn numbers them; the seam checks that."""

MESSAGES_PER_TURN: Final = 256
"""Messages of one connection that are handled before others get their turn."""


class Intake:
    """The reading half of a connection, mixed into the seam's class in front of Autobahn's.

    Attributes:
        plain: True when open without compression: messages may bypass Autobahn.
        pulse: the heartbeat, None before the connection is open; subclasses that write past
            Autobahn set its ``quiet_since``.
        decode: hand text on as ``str``, so that it can be told from binary; a class sets it once.
    """

    plain = False
    decode = False
    pulse: Heartbeat | None = None
    state: int
    data: bytes
    current_frame: Any
    inside_message: bool
    transport: Any
    message: Any
    read_done: Any
    broken: Any
    unmask_long: Any
    _dataReceived: Any  # noqa: N815 - Autobahn's name
    _invalid_payload: Any
    _clock: Any
    _opened = False
    _limit = 0
    _kept = b""
    _holding = False
    _held: list[bytes]
    _backlog: deque[bytes | str] | None = None
    _releasing: IDelayedCall | None = None

    def begin_intake(self) -> None:
        """Start empty; also the way to forget everything."""
        self._kept = b""
        self._held = []
        self._backlog = None

    def put_back(self, *payloads: bytes | str) -> None:
        """Keep messages that were taken while reading is on hold."""
        if self._backlog is None:
            # Made when needed: an empty one would be a tenth of an idle connection.
            self._backlog = deque()
        self._backlog.extend(payloads)

    def stop_releasing(self) -> None:
        """Cancel a release that is due."""
        if self._releasing is not None and self._releasing.active():
            self._releasing.cancel()
        self._releasing = None

    def hold(self) -> None:
        """Stop reading and handing on messages."""
        if not self._holding and self.state == OPEN:
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
            self.broken("reading")

    def _receive(self, data: bytes) -> None:
        if (
            self.plain
            and self.state == OPEN
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
        payloads, position, rest = take(data, self._limit, self.unmask_long, self.decode)
        if position == len(data) and len(payloads) == 1 and rest is Rest.FOREIGN:
            # One request per read, the most frequent case by far.
            self.message(payloads[0])
            return b""
        if rest is Rest.KEEP:
            self._kept, data = data[position:], b""
        elif position:
            data = data[position:]
        for index, payload in enumerate(payloads):
            if index == MESSAGES_PER_TURN:
                self.hold()
                self.release()
            if self._holding:
                self.put_back(*payloads[index:])
                break
            if self.state != OPEN:
                break
            self.message(payload)
        if rest is Rest.INVALID and self.state == OPEN:
            # Replies made so far leave first; what was held back behind them is given up.
            self._invalid_payload("invalid UTF-8 in a text message")
            self.let_go()
        if self._holding and data:
            self._held.append(data)
            return b""
        return data

    def _release(self) -> None:
        """Go on where ``hold`` stopped: messages that were read, then bytes, then the socket."""
        self._releasing = None
        if not self._holding or self.state != OPEN:
            return
        self._holding = False
        try:
            self._catch_up()
        except Exception:  # noqa: BLE001 - as in dataReceived
            self.broken("reading")
        if not self._holding and self.state == OPEN:
            self.transport.resumeProducing()

    def _catch_up(self) -> None:
        """Hand on what came while reading was on hold, one turn's worth."""
        count = 0
        while self._backlog and not self._holding:
            if count == MESSAGES_PER_TURN:
                self.hold()
                self.release()
                break
            self.message(self._backlog.popleft())
            count += 1
        if self._held and not self._holding:
            data = self._kept + b"".join(self._held)
            self._kept = b""
            self._held.clear()
            self._receive(data)
        elif self._opened:
            self.read_done()

    def let_go(self) -> None:
        """After our Close: read on, but only for the sake of the peer's Close."""
        if not self._holding:
            return
        self._holding = False
        self._backlog = None
        data = self._kept + b"".join(self._held)
        self._kept = b""
        self._held.clear()
        self.transport.resumeProducing()
        if data:
            self._clock.callLater(0, self._feed, data)

    def _feed(self, data: bytes) -> None:
        if self.state != CLOSED:
            self._dataReceived(data)
