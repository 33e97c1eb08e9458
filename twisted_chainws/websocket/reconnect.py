"""A client that connects again, as a service of Twisted.

Source: ``ohos-websocket.md`` 5.
"""

import random
from collections.abc import Callable
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from twisted_chainws.websocket.awaiting import Outcome, Waiting, succeeded
from twisted_chainws.websocket.client import State, WebSocket
from twisted_chainws.websocket.codes import WebSocketError
from twisted_chainws.websocket.options import WebSocketRequestOptions
from twisted_chainws.websocket.retrying import Backoff, is_worth_retrying, retry_after_s
from twisted_chainws.websocket.values import CloseResult

__all__ = ["ReconnectingWebSocket", "reconnecting_web_socket"]


class ReconnectingWebSocket(Service):
    """Keeps one ``WebSocket`` connected from ``startService`` to ``stopService``.

    Listeners belong to the ``WebSocket`` and hear ``open`` for each connection. Nothing is sent
    again by itself. It waits between attempts, a random time up to a limit that grows, and gives up
    when trying again is no use: after a refusal for good, a certificate that is not accepted, a
    regular close, or a ``close`` of our own.

    Attributes:
        web_socket: to listen to and to send with; connecting is the service's business.
    """

    _log = Logger()

    def __init__(
        self,
        url: str,
        options: WebSocketRequestOptions | None = None,
        *,
        web_socket: WebSocket,
        clock: Any,
        uniform: Callable[[float, float], float],
        backoff: Backoff,
        retry: Callable[[CloseResult | WebSocketError], bool] = is_worth_retrying,
        dialling: Callable[[], object] = lambda: None,
    ) -> None:
        """Prepare.

        Args:
            url: see ``WebSocket.connect``.
            options: see there.
            web_socket: idle.
            clock: reactor.
            uniform: a random number between two others.
            backoff: the waits.
            retry: whether to try again after an end.
            dialling: is called before each attempt.
        """
        self.web_socket = web_socket
        self._url = url
        self._options = options
        self._clock = clock
        self._uniform = uniform
        self._backoff = backoff
        self._retry = retry
        self._dialling = dialling
        self._failures = 0
        self._telling = False
        self._run: Deferred[None] | None = None
        self._finished: Waiting[CloseResult | WebSocketError] = Waiting()
        self._end: CloseResult | WebSocketError | None = None

    def startService(self) -> None:
        """Begin to connect, in the next turn of the reactor; nothing if that was done."""
        if not self.running:
            super().startService()
            self._failures = 0
            self._end = None
            self._run = Deferred.fromCoroutine(self._keep_connected())
            self._run.addErrback(self._broke)

    def stopService(self) -> Deferred[None]:
        """Close the connection, or give up a dial or a wait; call it on the reactor's thread.

        Returns:
            Fires when there is no connection any more.
        """
        super().stopService()
        run, self._run = self._run, None
        if run is not None and not self._telling:
            run.cancel()
        web_socket = self.web_socket
        if web_socket.state in (State.CONNECTING, State.OPEN):
            web_socket.close()
        gone: Deferred[None] = Deferred()
        if web_socket.state in (State.IDLE, State.CLOSED):
            gone.callback(None)
        else:
            web_socket.when_closed().addBoth(lambda _: gone.callback(None))
        return gone

    def when_finished(self) -> Outcome[CloseResult | WebSocketError]:
        """Wait until the service gives up; must be called on the reactor's thread.

        Fires with the end that is not worth another attempt, not because of ``stopService``.
        """
        return self._finished.wait() if self._end is None else succeeded(self._end)

    async def _keep_connected(self) -> None:
        while True:
            end = await self._connection()
            final = self.web_socket.closed_here or not self._retry(end)
            if final or self._backoff.is_over(self._failures + 1):
                self._end = end
                self._finished.succeed(end)
                return
            longest = self._backoff.longest_s(self._failures)
            wait = self._uniform(*(share * longest for share in self._backoff.spread))
            wanted = retry_after_s(self.web_socket.response_headers, self._clock.seconds())
            self._failures += 1
            await self._sleep(max(wait, min(wanted, self._backoff.longest_demand_s)))

    async def _connection(self) -> CloseResult | WebSocketError:
        """Connect, and return how it ended."""
        self._tell_dialling()
        try:
            await self.web_socket.connect(self._url, self._options)
            await self.web_socket.when_open()
            opened = self._clock.seconds()
            result = await self.web_socket.when_closed()
        except WebSocketError as error:
            return error
        if self._clock.seconds() - opened >= self._backoff.reset_after_s:
            self._failures = 0
        return result

    def _tell_dialling(self) -> None:
        """Tell that an attempt begins; who hears it may stop us, which cannot cancel what runs."""
        self._telling = True
        try:
            self._dialling()
        finally:
            self._telling = False
        if not self.running:
            raise CancelledError

    def _sleep(self, wait: float) -> Deferred[None]:
        timer: IDelayedCall
        slept: Deferred[None] = Deferred(lambda _: timer.cancel())
        timer = self._clock.callLater(wait, slept.callback, None)
        return slept

    def _broke(self, failure: Failure) -> None:
        if not failure.check(CancelledError):
            self._log.failure("reconnecting broke", failure=failure)


def reconnecting_web_socket(  # noqa: D417 - the rest is described there
    url: str,
    options: WebSocketRequestOptions | None = None,
    *,
    reactor: Any = None,
    uniform: Callable[[float, float], float] = random.uniform,
    backoff: Backoff = Backoff(),  # noqa: B008 - frozen
    retry: Callable[[CloseResult | WebSocketError], bool] = is_worth_retrying,
    dialling: Callable[[], object] = lambda: None,
) -> ReconnectingWebSocket:
    """Return a service that keeps a client connected; see ``ReconnectingWebSocket``.

    Args:
        url: ``ws://`` or ``wss://``.
        options: None for the usual ones.
        reactor: None for the installed one.
    """
    if reactor is None:
        from twisted.internet import reactor  # noqa: PLC0415, TID251 - installs it
    return ReconnectingWebSocket(
        url,
        options,
        web_socket=WebSocket(reactor),
        clock=reactor,
        uniform=uniform,
        backoff=backoff,
        retry=retry,
        dialling=dialling,
    )
