"""The server object: listens, tells what its clients do, and sends to them.

Source: ``ohos-websocket.md`` 1.4, 3.2, 3.5, 3.7 (OpenHarmony ``WebSocketServer``, API 19).
"""

import errno
import inspect
import socket
from collections.abc import Callable
from itertools import count
from typing import Any, Final, Self, overload

from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError

from twisted_chainws.websocket.awaiting import Outcome, attempt, failed, succeeded
from twisted_chainws.websocket.codes import ErrorCode, NotOpen, ServerEvent, WebSocketError
from twisted_chainws.websocket.emitter import Emitter
from twisted_chainws.websocket.emitter import Listener as Heard
from twisted_chainws.websocket.fields import refuse
from twisted_chainws.websocket.listener import Address, Listener
from twisted_chainws.websocket.outgoing import outgoing_close, outgoing_message
from twisted_chainws.websocket.served import Served
from twisted_chainws.websocket.server_options import WebSocketServerConfig, unknown_error
from twisted_chainws.websocket.tls import server_context
from twisted_chainws.websocket.values import Data, WebSocketCloseOptions, WebSocketConnection

__all__ = ["WebSocketServer", "bind_error", "create_web_socket_server"]

_NO_SUCH_ADDRESS: Final = frozenset(
    {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EINVAL, errno.ENODEV}
)


class WebSocketServer:
    """Serves WebSocket clients; all methods are for the reactor's thread.

    Events: ``connect`` (WebSocketConnection); ``messageReceive`` (WebSocketMessage); ``close``
    (WebSocketConnection, CloseResult); ``error`` (WebSocketError) when a client is sent away, and
    before ``close`` when one was lost. None of them stops the server.

    A method that returns a Deferred never raises: the Deferred fails with a WebSocketError. True
    means that the request was made; what comes of it arrives as an event.

    ``async with`` stops the server and waits until it has stopped.
    """

    def __init__(self, reactor: Any = None) -> None:
        """Prepare.

        Args:
            reactor: None for the global one.
        """
        if reactor is None:
            from twisted.internet import reactor  # noqa: PLC0415, TID251 - an entry point
        self._reactor: Any = reactor
        self._emitter: Emitter[ServerEvent] = Emitter(ServerEvent)
        self._serials = count(1)
        self._running: Listener | None = None
        self._latest: Listener | None = None

    @overload
    def on(self, event: ServerEvent | str, callback: Heard) -> Heard: ...

    @overload
    def on(self, event: ServerEvent | str, callback: None = None) -> Callable[[Heard], Heard]: ...

    def on(self, event: ServerEvent | str, callback: Any = None) -> Any:
        """Listen to an event; without ``callback``, decorate a function that shall.

        Returns:
            The callback, or a decorator that returns the function.

        Raises:
            WebSocketError: 401; no such event, or not callable.
        """
        return self._emitter.on(event, callback)

    def off(self, event: ServerEvent | str, callback: Callable[..., object] | None = None) -> None:
        """Take one listener away, or with None all of that event; silent if there is none.

        Raises:
            WebSocketError: 401; no such event, or not callable.
        """
        self._emitter.off(event, callback)

    @property
    def address(self) -> Address | None:
        """Where the server listens, with the real port if 0 was asked for; None when stopped."""
        return None if self._running is None else self._running.address

    @property
    def connections(self) -> list[WebSocketConnection]:
        """The clients, the oldest first, up to and including the listeners to their ``close``."""
        return [] if self._latest is None else self._latest.connections

    def start(self, config: WebSocketServerConfig) -> Outcome[bool]:
        """Listen; must be called on the reactor's thread.

        Returns:
            True when the port is bound; or 401 for wrong types; 201 if the system or
            ``permission_check`` forbids it; 2302004 for the address; 2302005 for the port (2302007
            if it is taken and ``strict`` is off); 2302002 for missing certificate files; 2302999
            for unusable ones, or when started already.
        """
        return attempt(lambda: self._start(config), None)

    def send(self, data: Data, connection: WebSocketConnection) -> Outcome[bool]:
        """Send a message to a client; must be called on the reactor's thread.

        Args:
            data: ``str`` as text, ``bytes``, ``bytearray`` or ``memoryview`` as binary.
            connection: from an event, or made by hand.

        Returns:
            True, once what waited before has been read by the client; or 401 for data of a wrong
            type or too long; 2302006 if the connection is gone, also after ``stop``; 2302999 if it
            is closing, the server is not started, or the client reads too slowly or is lost
            meanwhile.
        """
        return attempt(lambda: self._send(data, connection), None)

    def close(
        self, connection: WebSocketConnection, options: WebSocketCloseOptions | None = None
    ) -> Outcome[bool]:
        """Begin to close a connection; must be called on the reactor's thread.

        Args:
            connection: from an event, or made by hand.
            options: code and reason; None for 1000 without a reason.

        Returns:
            True, and ``close`` follows; or 401 for a code that may not be sent; 2302006 if the
            connection is gone, also after ``stop``; 2302999 if it is closing already or the server
            is not started.
        """
        return attempt(lambda: self._close(connection, options), None)

    def list_all_connections(self) -> Outcome[list[WebSocketConnection]]:
        """Return the clients; must be called on the reactor's thread.

        Returns:
            As ``connections``, the oldest first; 2302999 if the server is not started.
        """
        if self._running is None:
            return failed(NotOpen(data="not started"))
        return succeeded(self._running.connections)

    def stop(self) -> Outcome[bool]:
        """Stop listening, and close all connections; must be called on the reactor's thread.

        Clients are told 1001 "server is going away". The server may be started again as soon as
        this fires.

        Returns:
            True when the port is free and every Close was sent; 2302999 if it is not started.
        """
        return attempt(self._stop, None)

    def when_stopped(self) -> Outcome[None]:
        """Wait for the end of the last connection; must be called on the reactor's thread.

        Returns:
            Fires when the server has stopped and its last ``close`` was told; clients that do not
            answer are cut after ``close_timeout``. At once if it was never started, or has stopped
            already.
        """
        return succeeded(None) if self._latest is None else self._latest.when_over()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._running is not None:
            await self.stop()
        await self.when_stopped()

    def _start(self, config: object) -> None:
        if not isinstance(config, WebSocketServerConfig):
            raise refuse("config: not a WebSocketServerConfig")
        config.check_types()
        if not self._permitted(config):
            raise WebSocketError(ErrorCode.PERMISSION_DENIED, data="permission_check")
        if self._running is not None:
            raise unknown_error("already started")
        config.check_place()
        listener = Listener(
            reactor=self._reactor,
            config=config,
            context=_context(config),
            emitter=self._emitter,
            serials=self._serials,
        )
        try:
            listener.listen()
        except (CannotListenError, OSError) as error:
            raise bind_error(error, strict=config.strict) from error
        self._running = self._latest = listener

    def _permitted(self, config: WebSocketServerConfig) -> bool:
        check = config.permission_check
        if check is None:
            return True
        try:
            allowed: object = check(config.server_ip, config.server_port)
        except Exception as error:
            raise unknown_error("permission_check broke") from error
        if isinstance(allowed, bool):
            return allowed
        # A coroutine, above all, would count as a yes.
        if inspect.iscoroutine(allowed):
            allowed.close()
        raise unknown_error("permission_check returned neither True nor False")

    def _send(self, data: object, value: object) -> Deferred[bool] | None:
        running = self._started(value)
        config = running.config
        payload, binary = outgoing_message(data, config.max_send_size)
        connection = self._found(running, value)
        if not connection.is_usable:
            raise NotOpen(data="closing")
        return connection.send(payload, binary=binary, unsent_limit=config.max_unsent_size)

    def _close(self, value: object, options: object) -> None:
        running = self._started(value)
        code, reason = outgoing_close(options)
        connection = self._found(running, value)
        if not connection.is_usable:
            raise NotOpen(data="closing already")
        connection.close(code, reason)

    def _stop(self) -> Deferred[bool]:
        running = self._started()
        self._running = None
        return running.stop().addCallback(lambda _: True)

    def _started(self, value: object = None) -> Listener:
        """Return the run; without one, a client that is gone is still gone, else not started."""
        if self._running is not None:
            return self._running
        latest = self._latest
        if latest is not None and isinstance(value, WebSocketConnection) and value.serial:
            self._found(latest, value)
        raise NotOpen(data="not started")

    def _found(self, running: Listener, value: object) -> Served:
        if not isinstance(value, WebSocketConnection):
            raise refuse("connection: not a WebSocketConnection")
        connection = running.find(value)
        if connection is None or connection.is_over:
            raise WebSocketError(ErrorCode.CONNECTION_NOT_FOUND)
        return connection


def create_web_socket_server(reactor: Any = None) -> WebSocketServer:
    """Return a new server; ``reactor`` is None for the global one."""
    return WebSocketServer(reactor)


def bind_error(error: Exception, *, strict: bool) -> WebSocketError:
    """Return what a port that cannot be bound means.

    Args:
        error: CannotListenError or OSError.
        strict: report an occupied port by the documented code.
    """
    cause = getattr(error, "socketError", error)
    if isinstance(cause, socket.gaierror):
        return WebSocketError(ErrorCode.INVALID_NIC, data="no such address")
    number = getattr(cause, "errno", None)
    if number == errno.EADDRINUSE:
        code = ErrorCode.INVALID_PORT if strict else ErrorCode.PORT_OCCUPIED
        return WebSocketError(code, data="the port is taken")
    if number in _NO_SUCH_ADDRESS:
        return WebSocketError(ErrorCode.INVALID_NIC, data="no such address")
    if number in (errno.EACCES, errno.EPERM):
        return WebSocketError(ErrorCode.PERMISSION_DENIED, data="not allowed by the system")
    return unknown_error(str(cause))


def _context(config: WebSocketServerConfig) -> Any:
    try:
        return server_context(config)
    except WebSocketError as error:
        if error.code != ErrorCode.INTERNAL_ERROR:
            raise
        raise unknown_error(error.data) from error
