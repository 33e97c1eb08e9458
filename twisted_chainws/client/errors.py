"""What a client's calls and subscriptions fail with. Pure.

::

    ClientError
    ├── RpcError             the server answered with an error
    ├── BadAnswer            it answered with neither result nor error, or left a batch unfinished
    ├── RequestTimeout       it did not answer in time
    ├── ConnectionLost       the connection ended, and asking again might do a thing twice
    ├── QueueOverflow        a subscriber was too slow
    ├── ChainChanged         there is another chain at the other end than before
    ├── Misuse               the call makes no sense
    └── ClientClosed         there is no client any more, or it was never opened
        └── GaveUp           connecting again is no use
"""

from collections.abc import Mapping
from typing import Any

__all__ = [
    "BadAnswer", "ChainChanged", "ClientClosed", "ClientError", "ConnectionLost", "GaveUp",
    "Misuse", "QueueOverflow", "RequestTimeout", "RpcError",
]  # fmt: skip


class ClientError(Exception):
    """Root of what a client fails with."""


class RpcError(ClientError):
    """The server answered with an error.

    Attributes:
        code: its number, None if it gave none.
        message: its words, "" if it gave none.
        data: what came along, of any JSON type; None for nothing.
    """

    def __init__(self, code: int | None, message: str, data: Any = None) -> None:
        super().__init__(code, message, data)
        self.code = code
        self.message = message
        self.data = data

    def __str__(self) -> str:
        return self.message if self.code is None else f"{self.code} {self.message}"

    @classmethod
    def of(cls, error: object) -> "RpcError":
        """Read an error object, or what a careless server puts in its place."""
        if not isinstance(error, Mapping):
            return cls(None, error if isinstance(error, str) else "", error)
        code, message = error.get("code"), error.get("message")
        number = code if isinstance(code, int) and not isinstance(code, bool) else None
        words = message if isinstance(message, str) else ""
        return cls(number, words, error.get("data"))


class BadAnswer(ClientError):
    """The server's answer is none."""


class RequestTimeout(ClientError):
    """No answer came in time.

    Attributes:
        maybe_sent: whether the server may have got the request.
    """

    def __init__(self, method: str, seconds: float, *, maybe_sent: bool) -> None:
        super().__init__(f"{method}: no answer within {seconds:g} s")
        self.maybe_sent = maybe_sent


class ConnectionLost(ClientError):
    """The connection ended before the answer, and the request is not sent again.

    Attributes:
        maybe_sent: whether the server may have got the request.
    """

    def __init__(self, method: str, *, maybe_sent: bool) -> None:
        super().__init__(f"{method}: connection lost")
        self.maybe_sent = maybe_sent


class QueueOverflow(ClientError):
    """A subscription was ended because its events were not taken quickly enough.

    Attributes:
        limit: events that could wait.
    """

    def __init__(self, limit: int) -> None:
        super().__init__(f"more than {limit} events waited")
        self.limit = limit


class ChainChanged(ClientError):
    """The server speaks for another chain than the one wanted, or than before.

    Attributes:
        expected: the chain id there should be.
        actual: the one there is.
    """

    def __init__(self, expected: int, actual: int) -> None:
        super().__init__(f"chain {actual} instead of {expected}")
        self.expected = expected
        self.actual = actual


class Misuse(ClientError):
    """The call makes no sense, whatever the server may say."""


class ClientClosed(ClientError):
    """The client was closed, or not opened yet."""


class GaveUp(ClientClosed):
    """Connecting again is no use, or was tried often enough; ``__cause__`` may say more.

    Attributes:
        http_status: of the refusal, None if there was none.
    """

    def __init__(self, reason: str, *, http_status: int | None = None) -> None:
        super().__init__(f"gave up: {reason}")
        self.http_status = http_status
