"""Requests that wait for an answer: deadlines, and what becomes of them when a connection ends.

Nothing here knows how a request is written or sent.

Source: ``ethereum.md`` 6.3 point 3.
"""

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IDelayedCall
from twisted.python.failure import Failure

from twisted_chainws.client.errors import ClientError, ConnectionLost, RequestTimeout
from twisted_chainws.client.status import Counters
from twisted_chainws.websocket import Outcome

__all__ = ["Group", "Request", "RequestTable"]


class Group:
    """Requests that go in one message.

    Attributes:
        keys: of all of them.
    """

    __slots__ = ("keys",)

    def __init__(self) -> None:
        self.keys: list[int] = []


class Request:
    """One request.

    Attributes:
        key: by which its answer is found.
        method: name, for errors.
        params: of the method.
        repeatable: whether asking twice does no harm.
        urgent: whether it goes before the connection is known to be the right one.
        group: with which it was sent, None for alone.
        outcome: what the caller has.
        sent: whether it is on its way, over the present connection.
        losses: connections that ended while it was on its way.
        refusals: how often it was refused for its rate.
    """

    __slots__ = (
        "deadline", "group", "key", "losses", "method", "outcome", "params", "pause", "refusals",
        "repeatable", "sent", "urgent",
    )  # fmt: skip

    def __init__(
        self,
        key: int,
        method: str,
        params: Any,
        *,
        repeatable: bool,
        urgent: bool = False,
        group: Group | None = None,
    ) -> None:
        self.key = key
        self.method = method
        self.params = params
        self.repeatable = repeatable
        self.urgent = urgent
        self.group = group
        self.outcome: Outcome[Any] = Outcome()
        self.sent = False
        self.losses = 0
        self.refusals = 0
        self.deadline: IDelayedCall | None = None
        self.pause: IDelayedCall | None = None
        if group is not None:
            group.keys.append(key)


class RequestTable:
    """All requests of a client that have no answer yet, in the order of the calls."""

    def __init__(self, clock: Any, counters: Counters) -> None:
        self._clock = clock
        self._counters = counters
        self._requests: dict[int, Request] = {}

    def __len__(self) -> int:
        """Count the requests."""
        return len(self._requests)

    def add(self, request: Request, timeout_s: float) -> None:
        """Take a request in; its time runs from now on."""
        self._requests[request.key] = request
        request.outcome = Outcome(lambda _: self._cancelled(request))
        request.deadline = self._clock.callLater(timeout_s, self._late, request, timeout_s)

    def get(self, key: int) -> Request | None:
        """Return a request that has no answer yet, None if there is none of that key."""
        return self._requests.get(key)

    def take(self, key: int) -> Request | None:
        """Take a request out, with its timers; None if it is not there."""
        request = self._requests.pop(key, None)
        if request is not None:
            for timer in (request.deadline, request.pause):
                if timer is not None and timer.active():
                    timer.cancel()
        return request

    def succeed(self, request: Request, result: Any) -> None:
        """Give a request its result."""
        if self.take(request.key) is not None:
            request.outcome.callback(result)

    def fail(self, request: Request, error: ClientError) -> None:
        """Give a request its error."""
        if self.take(request.key) is not None:
            request.outcome.errback(Failure(error))

    def waiting(self) -> list[Request]:
        """Return the requests that are neither on their way nor held back."""
        return [
            one
            for one in self._requests.values()
            if not one.sent and (one.pause is None or not one.pause.active())
        ]

    def under_way(self) -> list[Request]:
        """Return the requests that were sent and not answered."""
        return [one for one in self._requests.values() if one.sent]

    def hold_back(self, request: Request, wait_s: float, then: Callable[[], object]) -> None:
        """Let a request that was refused wait, alone, and call something when it may go again."""
        request.sent = False
        request.group = None
        request.pause = self._clock.callLater(wait_s, then)

    def lost(self) -> None:
        """Take note that the connection has ended.

        What may be asked twice waits to be sent again, once; the others fail.
        """
        for request in self.under_way():
            request.sent = False
            request.group = None
            request.losses += 1
            if not request.repeatable or request.losses > 1:
                self.fail(request, ConnectionLost(request.method, maybe_sent=True))

    def fail_all(self, error: ClientError) -> None:
        """Fail whatever there is."""
        for request in list(self._requests.values()):
            self.fail(request, error)

    def _cancelled(self, request: Request) -> None:
        self.take(request.key)

    def _late(self, request: Request, timeout_s: float) -> None:
        self._counters.timeouts += 1
        maybe_sent = request.sent or request.losses > 0
        self.fail(request, RequestTimeout(request.method, timeout_s, maybe_sent=maybe_sent))
