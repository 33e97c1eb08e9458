"""Those who wait for a client to open or to close, and how its latest attempt went. No I/O."""

from collections.abc import Callable
from typing import Any

from twisted_chainws.websocket.awaiting import Outcome, Waiting, failed, succeeded
from twisted_chainws.websocket.codes import ConnectionClosed, WebSocketError
from twisted_chainws.websocket.values import CloseResult, OpenInfo

__all__ = ["Waits"]


class Waits:
    """The waits of one client.

    An end counts at once for those who ask, but those who wait are told by calling what the methods
    return, after the listeners: by then others may wait for the next connection.
    """

    def __init__(self) -> None:
        self._openers: Waiting[OpenInfo] = Waiting()
        self._closers: Waiting[CloseResult] = Waiting()
        self._open_end: OpenInfo | WebSocketError | None = None
        self._close_end: CloseResult | WebSocketError | None = None

    @property
    def info(self) -> OpenInfo | None:
        """What the server answered to the latest handshake, if it succeeded."""
        return self._open_end if isinstance(self._open_end, OpenInfo) else None

    def when_open(self) -> Outcome[OpenInfo]:
        """Wait until open; at once if the latest attempt has opened or failed."""
        return _end_of(self._open_end) or self._openers.wait()

    def when_closed(self) -> Outcome[CloseResult]:
        """Wait until closed; at once if the latest attempt has ended."""
        return _end_of(self._close_end) or self._closers.wait()

    def begin(self) -> None:
        """Forget the latest attempt; another begins."""
        self._open_end = self._close_end = None

    def opened(self, info: OpenInfo) -> Callable[[], None]:
        """Take note that the attempt has opened; call the result."""
        self._open_end = info
        openers, self._openers = self._openers, Waiting()
        return lambda: openers.succeed(info)

    def failed(self, error: WebSocketError) -> Callable[[], None]:
        """Take note that the attempt has failed; call the result."""
        self._open_end = self._close_end = error
        openers, closers = self._swap()

        def tell() -> None:
            openers.fail(error)
            closers.fail(error)

        return tell

    def closed(self, result: CloseResult) -> Callable[[], None]:
        """Take note that the attempt has ended, open or given up; call the result."""
        self._close_end = result
        if self._open_end is None:
            self._open_end = ConnectionClosed(result)
        openers, closers = self._swap()

        def tell() -> None:
            openers.fail(ConnectionClosed(result))
            closers.succeed(result)

        return tell

    def _swap(self) -> tuple[Waiting[OpenInfo], Waiting[CloseResult]]:
        before = self._openers, self._closers
        self._openers, self._closers = Waiting(), Waiting()
        return before


def _end_of(end: Any) -> Outcome[Any] | None:
    if end is None:
        return None
    return failed(end) if isinstance(end, WebSocketError) else succeeded(end)
