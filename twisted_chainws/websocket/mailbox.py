"""Messages that wait for ``recv`` and iteration, in a bounded queue with one waiter. No I/O."""

from collections import deque
from collections.abc import Callable

from twisted.python.failure import Failure

from twisted_chainws.websocket.awaiting import Outcome, failed, succeeded
from twisted_chainws.websocket.codes import ConnectionClosed, NotOpen, WebSocketError
from twisted_chainws.websocket.values import CloseResult

__all__ = ["Mailbox"]


class Mailbox:
    """The messages of one connection.

    It keeps messages only once somebody has asked for one, or was told to; then reading is held
    while it is full.

    Attributes:
        keeping: whether messages are kept.
    """

    def __init__(
        self, *, size: int, keeping: bool, hold: Callable[[], None], release: Callable[[], None]
    ) -> None:
        """Prepare.

        Args:
            size: messages at which to hold.
            keeping: from the first message on; otherwise from the first ``take``.
            hold: stops reading.
            release: goes on.
        """
        self.keeping = keeping
        self._size = size
        self._hold = hold
        self._release = release
        self._messages: deque[str | bytes] = deque()
        self._waiter: Outcome[str | bytes] | None = None
        self._error: WebSocketError | None = None

    def put(self, message: str | bytes) -> None:
        """Give a message to the waiter, or keep it."""
        waiter, self._waiter = self._waiter, None
        if waiter is not None:
            waiter.callback(message)
        elif self.keeping:
            self._messages.append(message)
            if len(self._messages) >= self._size:
                self._hold()

    def take(self) -> Outcome[str | bytes]:
        """Return the next message.

        It fails with ConnectionClosed, or with what kept the connection from being made, when there
        will be none; with NotOpen if somebody waits already.
        """
        self.keeping = True
        if self._waiter is not None:
            return failed(NotOpen(data="somebody waits for a message already"))
        if self._messages:
            message = self._messages.popleft()
            if len(self._messages) == self._size // 2:
                self._release()
            return succeeded(message)
        if self._error is not None:
            return failed(self._error)
        waiter: Outcome[str | bytes] = Outcome(self._forget)
        self._waiter = waiter
        return waiter

    def end(self, result: CloseResult) -> None:
        """Tell that no message will follow those that are kept."""
        self.fail(ConnectionClosed(result))

    def fail(self, error: WebSocketError) -> None:
        """Tell that there is no connection."""
        self._error = error
        waiter, self._waiter = self._waiter, None
        if waiter is not None:
            waiter.errback(Failure(error))

    def _forget(self, _cancelled: object) -> None:
        self._waiter = None
