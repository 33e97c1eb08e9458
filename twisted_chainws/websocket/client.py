"""The WebSocket client: calls in, events out.

States: IDLE -> CONNECTING -> OPEN -> CLOSING -> CLOSED, and from CLOSED to CONNECTING again. A
connection that cannot be made goes from CONNECTING to CLOSED with ``error`` and without ``close``.
The state is CLOSED before listeners hear of it, so they may connect again at once.

Every method must be called on the reactor's thread.

Source: ``ohos-websocket.md`` 1.3, 3.1, 3.3, 3.6.
"""

from collections.abc import Callable
from enum import Enum
from typing import Any, overload

from twisted_chainws.websocket.answer import Answer
from twisted_chainws.websocket.awaiting import Callback, Outcome, attempt, failed
from twisted_chainws.websocket.codes import (
    REGULAR,
    AlreadyConnected,
    ClientEvent,
    ConnectionClosed,
    ErrorCode,
    NotOpen,
    WebSocketError,
)
from twisted_chainws.websocket.connecting import Hooks, Link, connect_failed
from twisted_chainws.websocket.emitter import Emitter, Listener
from twisted_chainws.websocket.ending import Ending
from twisted_chainws.websocket.mailbox import Mailbox
from twisted_chainws.websocket.options import WebSocketRequestOptions
from twisted_chainws.websocket.outgoing import outgoing_close, outgoing_message
from twisted_chainws.websocket.preparing import Prepared, prepare
from twisted_chainws.websocket.seam.client import ClientConnection
from twisted_chainws.websocket.values import (
    CloseResult,
    Data,
    OpenInfo,
    ResponseHeaders,
    WebSocketCloseOptions,
)
from twisted_chainws.websocket.waits import Waits

__all__ = ["State", "WebSocket", "create_web_socket"]


class State(Enum):
    """Where a ``WebSocket`` is in its life."""

    IDLE = "idle"
    CONNECTING = "connecting"
    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"


class WebSocket:
    """A client that connects, one connection at a time, as often as wanted.

    ``True`` from ``connect``, ``send`` and ``close`` means that the request was made, not that it
    succeeded: that is what events and ``when_open`` and ``when_closed`` tell. What these return
    works with Twisted, ``async def``, and tasks of asyncio on its reactor, and may be ignored by
    who listens to events: see ``Outcome``.
    """

    def __init__(self, reactor: Any = None) -> None:
        """Make an idle one.

        Args:
            reactor: None for the installed one.
        """
        if reactor is None:
            from twisted.internet import reactor  # noqa: PLC0415, TID251 - installs it
        self._reactor: Any = reactor
        self._emitter = Emitter(ClientEvent)
        self._state = State.IDLE
        self._link: Link | None = None
        self._waits = Waits()
        self._mailbox: Mailbox | None = None
        self._keeping = False
        self._closed_here = False
        self._headers = ResponseHeaders()

    # Calls

    def connect(
        self,
        url: str,
        options: WebSocketRequestOptions | Callback | None = None,
        callback: Callback | None = None,
    ) -> Outcome[bool]:
        """Begin to connect; must be called on the reactor's thread.

        Args:
            url: ``ws://`` or ``wss://``.
            options: None for the usual ones; a callable here is taken for ``callback``.
            callback: gets ``(None, True)`` or ``(error, None)``.

        Returns:
            True when the dial has begun. Fails with 401, 201, 2302998, 2302002, 2302999, 2302003 or
            2302001, looked for in this order; later failures are told by ``error``.
        """
        if callback is None and callable(options):
            options, callback = None, options
        return attempt(lambda: self._connect(url, options), callback)

    def send(self, data: Data, callback: Callback | None = None) -> Outcome[bool]:
        """Send a message; must be called on the reactor's thread.

        Args:
            data: ``str`` goes as text, ``bytes``, ``bytearray`` and ``memoryview`` as binary.
            callback: gets ``(None, True)`` or ``(error, None)``.

        Returns:
            True at once, or, when the transport's queue was full already, when it is empty again.
            Fails with 401, or 2302999 when not open or when the connection ends first.
        """
        return attempt(lambda: self._send(data), callback)

    def close(
        self,
        options: WebSocketCloseOptions | Callback | None = None,
        callback: Callback | None = None,
        *,
        code: int | None = None,
        reason: str | None = None,
    ) -> Outcome[bool]:
        """Begin to close, or give up connecting; must be called on the reactor's thread.

        Args:
            options: None for 1000 without a reason; a callable here is taken for ``callback``.
            callback: gets ``(None, True)`` or ``(error, None)``.
            code: instead of that in ``options``.
            reason: instead of that in ``options``.

        Returns:
            True; ``close`` tells the end. Fails with 401, or 2302999 when there is nothing to close
            or it is being closed already.
        """
        if callback is None and callable(options):
            options, callback = None, options
        return attempt(lambda: self._close(options, code, reason), callback)

    @overload
    def on(self, event: ClientEvent | str, callback: Listener) -> Listener: ...

    @overload
    def on(
        self, event: ClientEvent | str, callback: None = None
    ) -> Callable[[Listener], Listener]: ...

    def on(self, event: ClientEvent | str, callback: Any = None) -> Any:
        """Listen to an event, or decorate a listener: ``@ws.on("message")``.

        Listeners stay over connections. ``open`` gives OpenInfo, ``message`` str or bytes,
        ``close`` CloseResult, ``error`` WebSocketError, ``headerReceive`` ResponseHeaders,
        ``dataEnd``, which follows every message, nothing. Raises WebSocketError 401.
        """
        return self._emitter.on(event, callback)

    def off(self, event: ClientEvent | str, callback: Callable[..., object] | None = None) -> None:
        """Take one listener away, or with None all of that event. Raises WebSocketError 401."""
        self._emitter.off(event, callback)

    # What the reference does not have

    @property
    def state(self) -> State:
        """Where we are."""
        return self._state

    @property
    def buffered_amount(self) -> int:
        """Bytes that were sent and wait in our queue."""
        connection = self._connection
        outflow = None if connection is None else connection.outflow
        return 0 if outflow is None else outflow.buffered

    @property
    def bytes_received(self) -> int:
        """Bytes that came over the present connection, frames of all kinds; 0 without one."""
        connection = self._connection
        return 0 if connection is None else connection.bytes_received

    @property
    def response_headers(self) -> ResponseHeaders:
        """The headers of the latest answer to a handshake; empty before it."""
        return self._headers

    @property
    def protocol(self) -> str | None:
        """The subprotocol of the latest connection, None for none."""
        return None if self._waits.info is None else self._waits.info.protocol

    @property
    def peer(self) -> str | None:
        """The other end of the transport, ``tcp4:127.0.0.1:9000``; a proxy's if there is one."""
        connection = self._connection
        return None if connection is None else connection.peer

    @property
    def closed_here(self) -> bool:
        """Whether ``close`` was called for the latest connection."""
        return self._closed_here

    def when_open(self) -> Outcome[OpenInfo]:
        """Wait for the connection to open; must be called on the reactor's thread.

        Returns:
            Fires at once if open; if closed, with how the latest attempt went. Fails with what
            ``error`` tells, or ConnectionClosed if given up by ``close``; while closing, NotOpen.
        """
        if self._state is State.CLOSING:
            return failed(NotOpen(data="closing"))
        return self._waits.when_open()

    def when_closed(self) -> Outcome[CloseResult]:
        """Wait for the connection to end; must be called on the reactor's thread.

        Returns:
            Fires at once if closed. Fails with what ``error`` tells if it was never open.
        """
        return self._waits.when_closed()

    def ping(self) -> Outcome[float]:
        """Ping; must be called on the reactor's thread.

        Returns:
            Seconds until the pong. Fails with NotOpen, or ConnectionClosed if it does not come.
        """
        connection = self._connection
        if self._state is not State.OPEN or connection is None:
            return failed(NotOpen())
        return connection.ping()

    def recv(self) -> Outcome[str | bytes]:
        """Wait for the next message; must be called on the reactor's thread.

        From the first call on messages are kept for it, ``max_queue`` of them, and reading pauses
        when there are as many: whoever began must go on. Listeners hear all messages as well.

        Returns:
            The message. Fails with NotOpen before ``connect`` or if somebody waits already, with
            ConnectionClosed when there will be none.
        """
        self._keeping = True
        return failed(NotOpen()) if self._mailbox is None else self._mailbox.take()

    def __aiter__(self) -> "WebSocket":
        """Iterate over messages, as by ``recv``."""
        return self

    async def __anext__(self) -> str | bytes:
        """Return the next message.

        Ends after a clean close with 1000, 1001 or without a code, whoever closed. Raises
        ConnectionClosed after any other end, and what ``recv`` raises.
        """
        try:
            return await self.recv()
        except ConnectionClosed as closed:
            result = closed.close_result
            if result.was_clean and result.code in REGULAR:
                raise StopAsyncIteration from None
            raise

    def abort(self) -> None:
        """Cut an open connection; ``close`` tells of 1006, as of one that was lost."""
        connection = self._connection
        if connection is not None and self._state in (State.OPEN, State.CLOSING):
            connection.abort()

    def keep_messages(self) -> None:
        """Keep messages for ``recv`` and iteration from the next connection's first on."""
        self._keeping = True

    # Ours

    @property
    def _connection(self) -> ClientConnection | None:
        return None if self._link is None else self._link.connection

    def _connect(self, url: object, options: object) -> None:
        prepared = prepare(self._reactor, url, options, taken=self._taken)
        self._begin(prepared)

    def _taken(self) -> None:
        if self._state not in (State.IDLE, State.CLOSED):
            raise AlreadyConnected(ErrorCode.ALREADY_CONNECTED)

    def _begin(self, prepared: Prepared) -> None:
        self._state = State.CONNECTING
        self._waits.begin()
        self._closed_here = False
        self._headers = ResponseHeaders()
        self._mailbox = mailbox = Mailbox(
            size=prepared.options.max_queue,
            keeping=self._keeping,
            hold=lambda: self._reading(mailbox, hold=True),
            release=lambda: self._reading(mailbox, hold=False),
        )
        self._link = Link(
            reactor=self._reactor,
            endpoint=prepared.endpoint,
            target=prepared.target,
            options=prepared.options,
            hooks=Hooks(
                answered=self._answered,
                opened=self._opened,
                message=self._message,
                closing=self._closing,
                failed=self._failed,
                closed=self._ended,
            ),
        )

    def _send(self, data: object) -> Outcome[bool] | None:
        link = self._link
        limit = None if link is None else link.options.max_send_size
        payload, binary = outgoing_message(data, limit)
        if self._state is not State.OPEN or link is None or link.connection is None:
            raise NotOpen
        return link.connection.send(payload, binary=binary)

    def _close(self, options: object, code: int | None, reason: str | None) -> None:
        if options is None:
            options = WebSocketCloseOptions()
        if isinstance(options, WebSocketCloseOptions):
            options = WebSocketCloseOptions(
                options.code if code is None else code,
                options.reason if reason is None else reason,
            )
        chosen, words = outgoing_close(options)
        if self._link is None or self._state not in (State.CONNECTING, State.OPEN):
            raise NotOpen
        self._closed_here = True
        before, self._state = self._state, State.CLOSING
        if before is State.OPEN and self._link.connection is not None:
            self._link.connection.close(chosen, words)
        else:
            self._link.cancel()
            end = Ending(result=CloseResult(chosen, words, was_clean=False))
            self._reactor.callLater(0, self._ended, end)

    def _reading(self, mailbox: Mailbox, *, hold: bool) -> None:
        connection = self._connection
        if connection is not None and mailbox is self._mailbox:
            connection.hold() if hold else connection.release()

    def _answered(self, answer: Answer) -> None:
        self._headers = answer.headers
        self._emitter.emit(ClientEvent.HEADER_RECEIVE, answer.headers)

    def _opened(self, info: OpenInfo) -> None:
        self._state = State.OPEN
        self._emitter.emit(ClientEvent.OPEN, info, then=self._waits.opened(info))

    def _message(self, data: str | bytes) -> None:
        if self._state is not State.OPEN:
            return
        self._emitter.emit(ClientEvent.MESSAGE, data)
        self._emitter.emit(ClientEvent.DATA_END)
        if self._mailbox is not None:
            self._mailbox.put(data)

    def _closing(self) -> None:
        self._state = State.CLOSING

    def _failed(self, error: WebSocketError) -> None:
        self._state = State.CLOSED
        self._link = None
        tell, mailbox = self._waits.failed(error), self._mailbox

        def told() -> None:
            tell()
            if mailbox is not None:
                mailbox.fail(error)

        self._emitter.emit(ClientEvent.ERROR, error, then=told)

    def _ended(self, end: Ending) -> None:
        self._state = State.CLOSED
        self._link = None
        tell, mailbox = self._waits.closed(end.result), self._mailbox

        def told() -> None:
            tell()
            if mailbox is not None:
                mailbox.end(end.result)

        if end.lost:
            self._emitter.emit(ClientEvent.ERROR, connect_failed(end.cause))
        self._emitter.emit(ClientEvent.CLOSE, end.result, then=told)


def create_web_socket(reactor: Any = None) -> WebSocket:
    """Return a new client; ``reactor`` None for the installed one."""
    return WebSocket(reactor)
