"""One run of a server: from binding the port to the end of its last connection.

Theory of operation. A TCP connection is *pending* until its handshake has succeeded; then it is
*open* and has a value that stands for it in events, until the listeners to its ``close`` have run.
A slot is taken when a handshake is looked at and given back when TCP is gone. ``stop`` closes the
port, cuts what is pending and closes what is open; the run is over when nothing is left.
"""

import inspect
from collections.abc import Iterator
from functools import partial
from typing import Any, Final, NamedTuple, cast

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.python.failure import Failure

from twisted_chainws.websocket.admission import Admission, Denial, client_ip
from twisted_chainws.websocket.awaiting import Outcome, Waiting, succeeded
from twisted_chainws.websocket.codes import (
    CloseCode,
    ConnectionClosed,
    ErrorCode,
    ServerEvent,
    WebSocketError,
)
from twisted_chainws.websocket.emitter import Emitter
from twisted_chainws.websocket.handshake import Handshake, Refuse
from twisted_chainws.websocket.seam import ConnectionOptions, ServerFactory
from twisted_chainws.websocket.served import Served
from twisted_chainws.websocket.server_options import WebSocketServerConfig
from twisted_chainws.websocket.values import WebSocketConnection, WebSocketMessage

__all__ = ["Address", "Listener"]

BACKLOG: Final = 1_024
GOING_AWAY: Final = "server is going away"


class Address(NamedTuple):
    """Where a server listens."""

    host: str
    port: int


class _Factory(ServerFactory):
    """Makes the connections of one run, unless too many are pending."""

    noisy = False

    def __init__(self, host: "Listener", *, reactor: Any, options: ConnectionOptions) -> None:
        super().__init__(reactor=reactor, connection=Served, options=options)
        self.host = host

    def buildProtocol(self, addr: Any) -> Any:
        """Make a connection, or None to have it cut."""
        if self.host.crowded:
            return None
        connection = super().buildProtocol(addr)
        connection.host = self.host
        return connection


class _TlsFactory(TLSMemoryBIOFactory):
    """TLS around a factory that may decline, which Twisted's would take for a protocol."""

    noisy = False

    def buildProtocol(self, addr: Any) -> Any:
        """Make a connection, or None to have it cut."""
        return None if self.wrappedFactory.host.crowded else super().buildProtocol(addr)


class Listener:
    """One run; the host of its connections."""

    def __init__(
        self,
        *,
        reactor: Any,
        config: WebSocketServerConfig,
        context: Any,
        emitter: Emitter[ServerEvent],
        serials: Iterator[int],
    ) -> None:
        """Prepare; ``listen`` begins.

        Args:
            reactor: for everything.
            config: checked.
            context: the TLS side, None for plain TCP.
            emitter: hears of connections.
            serials: one for each connection, never the same twice.
        """
        self._reactor = reactor
        self._config = config
        self._protocols = config.subprotocols
        self._context = context
        self._emitter = emitter
        self._serials = serials
        self._admission = Admission(
            max_clients=config.max_concurrent_clients_number,
            max_per_client=config.max_connections_for_one_client,
            max_per_minute=config.max_handshakes_per_minute,
            ban_s=config.ban_seconds,
            now=reactor.seconds,
        )
        self._pending: set[Served] = set()
        self._open: dict[int, Served] = {}
        self._latest: dict[WebSocketConnection, Served] = {}
        self._port: Any = None
        self._stopping = False
        self._over: Waiting[None] = Waiting()

    def listen(self) -> None:
        """Bind the port.

        Raises:
            OSError, CannotListenError: it cannot be bound.
        """
        config = self._config
        options = ConnectionOptions(
            message_bytes=config.max_message_size,
            compression=config.compression is not None,
            ping_interval_s=config.ping_interval,
            ping_timeout_s=config.deadline_s,
            open_timeout_s=config.open_timeout,
            close_timeout_s=config.close_timeout,
        )
        factory: Any = _Factory(self, reactor=self._reactor, options=options)
        if self._context is not None:
            factory = _TlsFactory(self._context, False, factory, self._reactor)  # noqa: FBT003
        self._port = self._reactor.listenTCP(
            config.server_port, factory, backlog=BACKLOG, interface=config.server_ip
        )

    @property
    def address(self) -> Address:
        """Where it listens; the port is the real one."""
        host = self._port.getHost()
        return Address(host.host, host.port)

    @property
    def crowded(self) -> bool:
        """True while so many handshakes are pending that no more may come."""
        return self._stopping or len(self._pending) >= self._config.max_pending_handshakes

    @property
    def connections(self) -> list[WebSocketConnection]:
        """Those that are open, and those whose ``close`` is being told; the oldest first."""
        return [one.value for one in self._open.values() if one.value is not None]

    @property
    def config(self) -> WebSocketServerConfig:
        """How it listens."""
        return self._config

    def find(self, value: WebSocketConnection) -> Served | None:
        """Return the connection that a value stands for; None if it is gone.

        A value from an event stands for that connection only; one made by hand for whoever is
        connected from there.
        """
        if value.serial is None:
            return self._latest.get(value)
        found = self._open.get(value.serial)
        return found if found is not None and found.value == value else None

    def stop(self) -> Deferred[None]:
        """Close the port and every connection.

        Returns:
            What fires when the port is closed and every Close has been sent.
        """
        self._stopping = True
        closed = maybeDeferred(self._port.stopListening)
        for connection in (*self._pending, *self._open.values()):
            connection.close(CloseCode.GOING_AWAY, GOING_AWAY)
        return closed.addCallback(self._unbound)

    def when_over(self) -> Outcome[None]:
        """Return what fires when the run is over."""
        return succeeded(None) if self._is_over else self._over.wait()

    # What connections tell

    def made(self, connection: Served) -> None:
        """Count a connection as pending."""
        self._pending.add(connection)

    def judge(self, connection: Served, request: Handshake) -> str | Deferred[str | None] | None:
        """Apply limits, origins and ``accept``, in this order."""
        try:
            self._admit(connection, request)
            accept = self._config.accept
            answer = True if accept is None else accept(request)
            if inspect.iscoroutine(answer):
                answer = Deferred.fromCoroutine(cast("Any", answer))
            if isinstance(answer, Deferred):
                chosen: Deferred[str | None] = answer.addCallback(self._choose, request)
                return chosen.addErrback(self._refused, connection)
            return self._choose(answer, request)
        except Exception:
            self._refused(Failure(), connection)
            raise

    def opened(self, connection: Served) -> None:
        """Give it a value and tell ``connect``."""
        self._pending.discard(connection)
        peer = connection.transport.getPeer()
        serial = next(self._serials)
        value = WebSocketConnection(client_ip(peer.host), peer.port, serial)
        connection.value = value
        self._open[serial] = connection
        self._latest[value] = connection
        self._emitter.emit(ServerEvent.CONNECT, value)

    def heard(self, connection: Served, data: str | bytes) -> None:
        """Tell ``messageReceive``."""
        if connection.value is not None:
            self._emitter.emit(
                ServerEvent.MESSAGE_RECEIVE, WebSocketMessage(data, connection.value)
            )

    def ended(self, connection: Served) -> None:
        """Tell ``error`` if the connection was lost, and ``close``; then forget it."""
        value, end = connection.value, connection.ending
        if value is None or end is None:
            return
        connection.give_up(ConnectionClosed(end.result))
        if end.lost:
            error = WebSocketError(ErrorCode.CONNECT_FAILED, data="0")
            error.__cause__ = end.cause
            self._emitter.emit(ServerEvent.ERROR, error)
        self._emitter.emit(
            ServerEvent.CLOSE, value, end.result, then=partial(self._forget, connection, value)
        )

    def gone(self, connection: Served) -> None:
        """Give the slot back."""
        self._pending.discard(connection)
        slot, connection.slot = connection.slot, None
        if slot is not None:
            self._admission.leave(slot)
        self._look()

    # Inside

    def _admit(self, connection: Served, request: Handshake) -> None:
        ip = client_ip(connection.transport.getPeer().host)
        denial = self._admission.enter(ip)
        if denial is not None:
            raise _refusal(denial)
        connection.slot = ip
        origin = request.headers.get("origin")
        allowed = self._config.allowed_origins
        if origin is None or allowed is None or "*" in allowed:
            return
        if origin.lower() not in {one.lower().removesuffix("/") for one in allowed}:
            raise _refusal(Denial(status=403, text="origin not allowed"))

    def _choose(self, answer: object, request: Handshake) -> str | None:
        if self._stopping:
            # ``accept`` may have been long about it, or have stopped the server itself.
            raise _refusal(Denial(status=503, text=GOING_AWAY))
        if isinstance(answer, str):
            return answer
        if answer is False:
            raise _refusal(Denial(status=403, text="forbidden"))
        if answer is not None and answer is not True:
            raise TypeError("accept returned neither True, False, None nor a string")
        return next((name for name in request.protocols if name in self._protocols), None)

    def _refused(self, failure: Failure, connection: Served) -> Failure:
        """Tell ``error`` about a client that is sent away; not of one that left, or at a stop."""
        if not connection.is_over and not self._stopping:
            status = failure.value.status if isinstance(failure.value, Refuse) else 500
            self._emitter.emit(
                ServerEvent.ERROR,
                WebSocketError(ErrorCode.CONNECT_FAILED, data=str(status), http_status=status),
            )
        return failure

    def _forget(self, connection: Served, value: WebSocketConnection) -> None:
        if value.serial is not None:
            self._open.pop(value.serial, None)
        if self._latest.get(value) is connection:
            del self._latest[value]
        self._look()

    def _unbound(self, _: object) -> None:
        self._port = None
        self._look()

    @property
    def _is_over(self) -> bool:
        return self._stopping and self._port is None and not self._pending and not self._open

    def _look(self) -> None:
        if self._is_over:
            self._over.succeed(None)


def _refusal(denial: Denial) -> Refuse:
    later = denial.retry_after_s
    return Refuse(
        status=denial.status,
        body=denial.text.encode(),
        headers=() if later is None else (("Retry-After", str(later)),),
    )
