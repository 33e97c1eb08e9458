"""One WebSocket client: bytes into a session, and what the session decides onto the wire.

Theory of operation. Messages of one read go into the session one after the other; what comes out
is collected and written once, at the end of the read. An action (a call to the source, a close)
is performed after everything before it has been written: it may cause notices, which must not
overtake the reply that opened their subscription. Reading stops while the session is busy or too
many reply bytes are unsent, and goes on when that is over.
"""

from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from twisted_chainws.dialects.actions import Close, Crashed, Forwarded
from twisted_chainws.dialects.backlog import Backlog
from twisted_chainws.dialects.base import Dialect
from twisted_chainws.dialects.notice import Notice, Recipient
from twisted_chainws.dialects.session import Session
from twisted_chainws.server.outlet import Outlet
from twisted_chainws.server.route import Route, has_room, open_session
from twisted_chainws.websocket.frames import message
from twisted_chainws.websocket.handshake import Handshake
from twisted_chainws.websocket.seam import ServerConnection

__all__ = ["ChainProtocol", "choose_subprotocol"]

FLUSH_BYTES: Final = 262_144
"""Replies of one read that are written early."""

RELIEF_BYTES: Final = 262_144
"""Waiting notices that are written in one turn once a slow reader reads again."""

TICK_S: Final = 1.0

MESSAGE_TOO_BIG: Final = 1009

TRY_AGAIN_LATER: Final = 1013


def choose_subprotocol(offered: tuple[str, ...], dialects: tuple[Dialect, ...]) -> str | None:
    """Return the subprotocol to echo: the first one offered, if any dialect knows its prefix.

    A single one is echoed whatever it is: many clients give up when theirs is not selected.

    Where only dialects are spoken that have none, none is echoed.

    Source: ``ethereum.md`` 1.1, ``zilliqa.md`` 1.
    """
    prefixes = tuple(prefix for dialect in dialects for prefix in dialect.subprotocols or ())
    if not offered or all(dialect.subprotocols is None for dialect in dialects):
        return None
    if len(offered) == 1 or offered[0].startswith(prefixes):
        return offered[0]
    return None


class ChainProtocol(ServerConnection):
    """One client of a chain listener. Everything it says is decided by its session."""

    _log = Logger()

    route: Route
    direct = True
    _session: Session | None = None
    _outlet: Outlet
    _draining = False
    _ready_bytes = 0
    _now = 0.0
    _ticking: IDelayedCall | None = None
    _relieving: IDelayedCall | None = None

    # The seam's hooks

    def handshake(self, request: Handshake) -> str | None:
        """Choose the subprotocol; who may come in was decided by the site."""
        return choose_subprotocol(request.protocols, self.route.dialects)

    def opened(self) -> None:
        """Set up the outlet, and the session where the path has settled the dialect."""
        self._out: list[Any] = []
        self._calls: dict[int, Deferred[Any]] = {}
        self._outlet = Outlet(
            transport=self.transport,
            direct=self.direct and self.plain,
            paused=self._paused,
            drained=self._drained,
        )
        self.registerProducer(self._outlet, True)  # noqa: FBT003 - Twisted's signature
        if len(self.route.dialects) == 1:
            self._begin(self.route.dialects[0])

    def _begin(self, dialect: Dialect) -> Session | None:
        """Open the session, or close where as many speak the dialect as may."""
        if not has_room(self.route, dialect):
            self.close(TRY_AGAIN_LATER, "too many connections")
            return None
        self._session = session = open_session(
            self.route, dialect, self, http=False, now=self._clock.seconds()
        )
        limits = self.route.limits or dialect.limits
        self.limit_messages(limits.message_bytes)
        self._unsent_limit = limits.unsent_reply_bytes
        if self._outlet.congested:
            session.congest()
        return session

    def _claim(self, payload: bytes) -> Session | None:
        """Begin in the dialect of a first message, which may be too large for it: then close."""
        dialect = self.route.claimed_by(payload)
        limits = self.route.limits or dialect.limits
        if len(payload) > limits.message_bytes:
            self.close(MESSAGE_TOO_BIG, f"message exceeds {limits.message_bytes} bytes")
            return None
        return self._begin(dialect)

    def message(self, payload: bytes) -> None:
        """Feed one message; replies are collected until the read is done."""
        session = self._session or self._claim(payload)
        if session is None:
            return
        out = self._out
        self._now = now = self._clock.seconds()
        session.receive(payload, now, out)
        if not out:
            return
        last = out[-1]
        if last.__class__ is bytes:
            self._ready_bytes += len(last)
            if self._ready_bytes > FLUSH_BYTES:
                self._drain()
        else:
            self._drain()

    def read_done(self) -> None:
        """Write the replies of this read, and see whether reading may go on."""
        out = self._out
        if out and self.plain and not self._draining:
            # Nothing but replies, as nearly always: no action, so no way to become busy either.
            frames = [message(entry) for entry in out if entry.__class__ is bytes]
            if len(frames) == len(out):
                out.clear()
                self._ready_bytes = 0
                self.pulse.quiet_since = self._now  # type: ignore[union-attr]
                self._outlet.write(frames[0] if len(frames) == 1 else b"".join(frames))
        if out:
            self._drain()
        elif self._outlet.congested:
            self._steer()

    def stuck(self) -> bool:
        """Tell whether the peer leaves lying what we wrote."""
        return self._outlet.congested

    def waiting_bytes(self) -> int:
        """Return what waits in the transport."""
        return self._outlet.waiting

    def closing(self) -> None:
        """End the session: a Close is on its way."""
        self._outlet.close()
        self._end()

    def closed(self, code: int, reason: str) -> None:
        """Forget everything about this client."""
        self._outlet.close()
        self._end()
        backlog = self.backlog
        self._log.debug(
            "connection closed: {code} {reason}; notices waiting at most {high_water}, "
            "dropped {dropped}",
            code=code,
            reason=reason,
            high_water=0 if backlog is None else backlog.high_water,
            dropped=0 if backlog is None else backlog.dropped,
        )

    def lost(self) -> None:
        """Leave the listener's count."""
        self.factory.gone(self)

    def _end(self) -> None:
        for timer in (self._ticking, self._relieving):
            if timer is not None and timer.active():
                timer.cancel()
        self._ticking = self._relieving = None
        if self._session is not None:
            self._session.close()
        calls, self._calls = self._calls, {}
        for call in calls.values():
            call.cancel()

    # Fan-out

    def send_frame(self, frame: bytearray, now: float) -> None:
        """Write a whole frame that the fan-out made; it may be changed afterwards."""
        self.pulse.quiet_since = now  # type: ignore[union-attr]
        if self.plain:
            self._outlet.write(frame)
        else:
            self._send_messages([_payload(frame)])

    def deliver(self, subscription: Recipient, notice: Notice) -> None:
        """Hand a notice to the session, which lets it wait or sends it in order."""
        if self._session is not None:
            self._session.deliver(subscription, notice, self._out)
            if self._out:
                self._drain()

    @property
    def backlog(self) -> Backlog | None:
        """What waits for this client and how much ever did; None before it has a dialect."""
        return None if self._session is None else self._session.backlog

    def unsubscribe(self, subscription_id: str) -> bool:
        """Close a subscription at the wish of the client's account; False if it has none such."""
        return self._session is not None and self._session.unsubscribe(subscription_id)

    def fail(self) -> None:
        """Close after a bug of ours."""
        self.close(1011, "internal error")

    # What the session decides

    def _drain(self) -> None:
        """Perform everything in ``_out``, including what is added meanwhile."""
        if self._draining:
            return
        self._draining = True
        try:
            out = self._out
            while out:
                self._out = []
                self._perform(out)
                out = self._out
        finally:
            self._draining = False
        self._steer()

    def _perform(self, out: list[Any]) -> None:
        ready: list[bytes] = []
        for entry in out:
            if entry.__class__ is bytes:
                ready.append(entry)
                continue
            # Whatever the action causes must not overtake these.
            self._send_messages(ready)
            ready = []
            if isinstance(entry, Forwarded):
                self._forward(entry)
            elif isinstance(entry, Close):
                self.close(entry.code, entry.reason)
            elif isinstance(entry, Crashed):
                self._log.failure("a handler broke", Failure(entry.error))
        self._send_messages(ready)

    def _send_messages(self, messages: list[bytes]) -> None:
        self._ready_bytes = 0
        if not messages or self.state != self.STATE_OPEN:
            return
        self.pulse.quiet_since = self._clock.seconds()  # type: ignore[union-attr]
        if not self.plain:
            for payload in messages:
                self.sendMessage(payload, False)  # noqa: FBT003 - text
        elif len(messages) == 1:
            self._outlet.write(message(messages[0]))
        else:
            self._outlet.write(b"".join([message(payload) for payload in messages]))

    def _forward(self, action: Forwarded) -> None:
        ticket = action.ticket
        call = self.route.service.perform(action.call)
        self._calls[ticket] = call
        call.addBoth(self._resolved, ticket)
        call.addErrback(self._resolving_broke)

    def _resolved(self, answer: Any, ticket: int) -> None:
        self._calls.pop(ticket, None)
        session = self._session
        if session is None or session.closed:
            return
        if isinstance(answer, Failure):
            answer = answer.value
        session.resolve(ticket, answer, self._clock.seconds(), self._out)
        if self._draining:
            return
        if self._out:
            self._drain()
        else:
            self._steer()

    def _resolving_broke(self, failure: Failure) -> None:
        self._log.failure("a connection broke", failure)
        self.fail()

    # Back-pressure

    def _steer(self) -> None:
        """Stop or resume reading, as session and outlet want it."""
        session = self._session
        if session is None or self.state != self.STATE_OPEN:
            return
        if session.busy or self._outlet.unsent > self._unsent_limit:
            self.hold()
        elif self.holding:
            self.release()

    def _paused(self) -> None:
        if self._session is not None:
            self._session.congest()
        if self._ticking is None:
            self._ticking = self._clock.callLater(TICK_S, self._tick)

    def _drained(self) -> None:
        self.pulse.alive()  # type: ignore[union-attr]
        self._relieve()
        self._steer()

    def _relieve(self) -> None:
        """Write waiting notices until the outlet is full again, some per turn."""
        self._relieving = None
        session = self._session
        if session is None or self.state != self.STATE_OPEN or self.stuck():
            return
        session.relieve(self._out, RELIEF_BYTES)
        if self._out:
            self._drain()
        if session.backlog.relievable and not session.closed and not self.stuck():
            self._relieving = self._clock.callLater(0, self._relieve)

    def _tick(self) -> None:
        self._ticking = None
        session = self._session
        if session is None or not self._outlet.congested or self.state != self.STATE_OPEN:
            return
        self._ticking = self._clock.callLater(TICK_S, self._tick)
        self.sweep()

    def sweep(self) -> None:
        """Let the session see what time it is."""
        session = self._session
        if session is None or self.state != self.STATE_OPEN:
            return
        session.tick(self._clock.seconds(), self._out)
        if self._out:
            self._drain()


def _payload(frame: bytearray) -> bytes:
    """Return the payload of an unmasked frame of ours."""
    start = {126: 4, 127: 10}.get(frame[1], 2)
    return bytes(frame[start:])
