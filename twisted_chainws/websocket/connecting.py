"""One attempt to connect, and the connection that comes of it.

A ``Link`` tells what happens until the connection failed, closed or was cancelled, and nothing
after that, whatever the transport may still have to say.
"""

from collections.abc import Callable
from dataclasses import dataclass
from errno import EACCES, EPERM
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectError
from twisted.internet.interfaces import IDelayedCall, IStreamClientEndpoint
from twisted.python.failure import Failure

from twisted_chainws.websocket.answer import Answer
from twisted_chainws.websocket.codes import ErrorCode, WebSocketError
from twisted_chainws.websocket.ending import Ending
from twisted_chainws.websocket.options import WebSocketRequestOptions
from twisted_chainws.websocket.seam.client import ClientConnection
from twisted_chainws.websocket.seam.client_factory import ClientFactory
from twisted_chainws.websocket.url import Target
from twisted_chainws.websocket.values import OpenInfo

__all__ = ["Hooks", "Link", "connect_failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """Who hears from a link; none of these may raise.

    Attributes:
        answered: the head of the server's answer has come.
        opened: the handshake succeeded.
        message: one whole message.
        closing: nothing may be sent any more.
        failed: there is no connection, and will be none.
        closed: the connection that was open has ended.
    """

    answered: Callable[[Answer], None]
    opened: Callable[[OpenInfo], None]
    message: Callable[[str | bytes], None]
    closing: Callable[[], None]
    failed: Callable[[WebSocketError], None]
    closed: Callable[[Ending], None]


class Link:
    """From the dial to the end.

    Attributes:
        options: of this connection.
        connection: None before there is a transport.
    """

    def __init__(
        self,
        *,
        reactor: Any,
        endpoint: IStreamClientEndpoint,
        target: Target,
        options: WebSocketRequestOptions,
        hooks: Hooks,
    ) -> None:
        """Dial in the next turn of the reactor, so that nothing is told before this returns.

        Args:
            reactor: for timers.
            endpoint: leads to the target.
            target: of the URL.
            options: checked.
            hooks: hear what happens.
        """
        self.options = options
        self.connection: ClientConnection | None = None
        self._hooks = hooks
        self._reactor = reactor
        self._endpoint = endpoint
        self._target = target
        self._ended = False
        self._dialling: Deferred[Any] | None = None
        self._timer: IDelayedCall = reactor.callLater(0, self._dial)

    def cancel(self) -> None:
        """Give up; nothing is told any more."""
        self._end()
        if self._dialling is not None:
            self._dialling.cancel()
        if self.connection is not None:
            self.connection.abort()

    # What the connection calls

    def made(self, connection: ClientConnection) -> bool:
        """Take the first transport that there is."""
        if self._ended or self.connection is not None:
            return False
        self.connection = connection
        return True

    def answered(self, answer: Answer) -> None:
        """Pass on."""
        if not self._ended:
            self._hooks.answered(answer)

    def opened(self, info: OpenInfo) -> None:
        """Pass on, and stop the clock."""
        if not self._ended:
            self._stop_timer()
            self._hooks.opened(info)

    def message(self, data: str | bytes) -> None:
        """Pass on."""
        if not self._ended:
            self._hooks.message(data)

    def closing(self) -> None:
        """Pass on."""
        if not self._ended:
            self._hooks.closing()

    def failed(self, cause: BaseException, answer: Answer | None) -> None:
        """Tell the error, once."""
        if self._ended:
            return
        self._end()
        status = answer.status if answer is not None else getattr(cause, "http_status", None)
        self._hooks.failed(connect_failed(cause, status))

    def closed(self, end: Ending) -> None:
        """Pass on, once."""
        if not self._ended:
            self._end()
            self._hooks.closed(end)

    # Ours

    def _dial(self) -> None:
        self._timer = self._reactor.callLater(self.options.open_timeout, self._too_late)
        factory = ClientFactory(
            reactor=self._reactor, owner=self, target=self._target, options=self.options
        )
        self._dialling = self._endpoint.connect(factory)
        self._dialling.addErrback(self._not_dialled)

    def _not_dialled(self, failure: Failure) -> None:
        self._dialling = None
        if self.connection is None:
            self.failed(failure.value or ConnectionError(), None)

    def _too_late(self) -> None:
        self.failed(TimeoutError("no connection within the open timeout"), None)
        self.cancel()

    def _end(self) -> None:
        self._ended = True
        self._stop_timer()

    def _stop_timer(self) -> None:
        if self._timer.active():
            self._timer.cancel()


def connect_failed(cause: BaseException | None, http_status: int | None = None) -> WebSocketError:
    """Return the error for a connection that could not be made or was lost.

    Args:
        cause: goes into ``__cause__``.
        http_status: of the refusal, None without one.
    """
    denied = isinstance(cause, ConnectError) and cause.osError in (EACCES, EPERM)
    if denied or isinstance(cause, PermissionError):
        error = WebSocketError(ErrorCode.PERMISSION_DENIED)
    else:
        data = str(http_status or 0)
        error = WebSocketError(ErrorCode.CONNECT_FAILED, data=data, http_status=http_status)
    if isinstance(cause, CancelledError):
        cause = ConnectionAbortedError("the dial was cancelled")
    error.__cause__ = cause
    return error
