"""The life of a client's connections: up, down and up again, with a sign of life asked for.

It stands on ``reconnecting_web_socket`` and knows nothing of what is said over it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from twisted_chainws.client.options import ClientOptions
from twisted_chainws.client.pulse import Pulse
from twisted_chainws.client.status import Condition, State
from twisted_chainws.websocket import (
    CloseResult,
    ConnectFailed,
    OpenInfo,
    WebSocketError,
    reconnecting_web_socket,
)
from twisted_chainws.websocket import State as SocketState
from twisted_chainws.websocket.retrying import is_worth_retrying

__all__ = ["Line", "LineHooks", "is_worth_another_try"]

_SERVER_ERROR = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class LineHooks:
    """Who hears from a line.

    Attributes:
        up: a connection is open.
        message: one has come.
        down: the connection that was open has ended.
        over: there will be no other connection.
        ask: send a question that anybody answers quickly.
    """

    up: Callable[[], None]
    message: Callable[[str | bytes], None]
    down: Callable[[], None]
    over: Callable[[CloseResult | WebSocketError], None]
    ask: Callable[[], None]


class Line:
    """One connection after the other to the same server."""

    _log = Logger()

    def __init__(
        self,
        url: str,
        *,
        options: ClientOptions,
        reactor: Any,
        uniform: Callable[[float, float], float],
        condition: Condition,
        hooks: LineHooks,
    ) -> None:
        """Prepare.

        Args:
            url: see ``WebSocket.connect``.
            options: of the client.
            reactor: for sockets and time.
            uniform: a random number between two others.
            condition: of the client.
            hooks: hear what happens.
        """
        self._condition = condition
        self._hooks = hooks
        self._was_up = False
        self._is_up = False
        self._cut_for = ""
        self._service = reconnecting_web_socket(
            url,
            options.web_socket,
            reactor=reactor,
            uniform=uniform,
            backoff=options.backoff,
            retry=is_worth_another_try,
            dialling=lambda: condition.change(State.CONNECTING),
        )
        self._web_socket = web_socket = self._service.web_socket
        web_socket.on("open", self._opened)
        web_socket.on("message", self._heard)
        web_socket.on("error", self._failed)
        web_socket.on("close", self._closed)
        self._pulse = Pulse(
            clock=reactor,
            silence_s=options.heartbeat_s,
            answer_s=options.heartbeat_answer_s,
            ask=self._ask,
            received=lambda: web_socket.bytes_received,
            dead=self._dead,
        )

    @property
    def is_up(self) -> bool:
        """Whether something can be sent."""
        return self._is_up and self._web_socket.state is SocketState.OPEN

    @property
    def cut_for(self) -> str:
        """What the last connection was dropped for by ourselves, empty if it was not."""
        return self._cut_for

    def start(self) -> None:
        """Begin to connect, in the next turn of the reactor."""
        self._service.startService()
        self._service.when_finished().addCallback(self._hooks.over).addErrback(self._broke)

    def send(self, text: str) -> None:
        """Send a text message; the line must be up.

        Raises:
            WebSocketError: 401; it is too long.
        """
        problems: list[Failure] = []
        # Later failures are those of the connection, whose end is told by itself.
        self._web_socket.send(text).addErrback(problems.append)
        if problems:
            raise problems[0].value  # type: ignore[misc]

    def cut(self, reason: str) -> None:
        """Drop the connection, to get another one."""
        self._cut_for = reason
        self._web_socket.abort()

    def stop(self) -> Deferred[None]:
        """Close; fires when there is no connection any more."""
        self._pulse.stop()
        return self._service.stopService()

    def _opened(self, _info: OpenInfo) -> None:
        if self._was_up:
            self._condition.counters.reconnects += 1
        self._was_up = self._is_up = True
        self._cut_for = ""
        self._pulse.start()
        self._hooks.up()

    def _heard(self, data: str | bytes) -> None:
        self._pulse.heard()
        self._hooks.message(data)

    def _failed(self, error: WebSocketError) -> None:
        # Of a connection that was open this comes before its close, which tells more.
        if not self._is_up:
            self._condition.change(State.DOWN, _words(error), error.http_status)

    def _closed(self, result: CloseResult) -> None:
        self._pulse.stop()
        reason = self._cut_for or result.reason
        was_up, self._is_up = self._is_up, False
        self._condition.change(State.DOWN, reason, result.code)
        if was_up:
            self._hooks.down()

    def _ask(self) -> None:
        self._condition.counters.heartbeats += 1
        self._hooks.ask()

    def _dead(self) -> None:
        self._condition.counters.silent_ends += 1
        self.cut("no answer to a heartbeat")

    def _broke(self, failure: Failure) -> None:
        self._log.failure("the end of a line could not be told", failure=failure)


def is_worth_another_try(end: CloseResult | WebSocketError) -> bool:
    """Tell whether to connect again after an end.

    Whatever closes a connection that was open may be over soon: nodes close with 1000 for many
    reasons. A refusal of ourselves, 4xx, will stay.
    """
    if isinstance(end, CloseResult):
        return True
    status = end.http_status if isinstance(end, ConnectFailed) else None
    return is_worth_retrying(end) or (status is not None and status >= _SERVER_ERROR)


def _words(error: WebSocketError) -> str:
    cause = error.__cause__
    return error.message if cause is None else f"{error.message}: {cause}"
