"""Requests over whatever connection there is: sent, sent again, forgotten.

How a request is written, and what comes back, is the subclass's.

Source: ``ethereum.md`` 6.3 point 3.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import count, groupby
from typing import Any

from twisted_chainws.client.errors import ClientError, Misuse
from twisted_chainws.client.line import Line
from twisted_chainws.client.options import ClientOptions
from twisted_chainws.client.requests import Group, Request, RequestTable
from twisted_chainws.client.status import Condition
from twisted_chainws.websocket import Outcome, WebSocketError

__all__ = ["RequestSender"]


class RequestSender(ABC):
    """The requests of one client.

    Attributes:
        flowing: whether all may go; otherwise only urgent ones do.
    """

    def __init__(
        self, *, clock: Any, options: ClientOptions, condition: Condition, line: Line
    ) -> None:
        """Prepare.

        Args:
            clock: reactor.
            options: of the client.
            condition: of the client.
            line: to send over.
        """
        self.flowing = False
        self._options = options
        self._condition = condition
        self._line = line
        self._table = RequestTable(clock, condition.counters)
        self._keys = count(1)

    def call(
        self,
        method: str,
        params: Any,
        *,
        repeatable: bool | None = None,
        urgent: bool = False,
    ) -> Outcome[Any]:
        """Ask.

        Args:
            method: name.
            params: of it.
            repeatable: whether it may be sent again; None for what the subclass says.
            urgent: it goes as soon as there is a connection.
        """
        request = self._new(method, params, repeatable=repeatable, urgent=urgent)
        outcome = request.outcome
        self._send([request])
        return outcome

    def flow(self) -> None:
        """Let all requests go."""
        self.flowing = True
        self._send_waiting()

    def down(self) -> None:
        """Take note that the connection has ended."""
        self.flowing = False
        for request in self._table.under_way():
            if request.repeatable and not request.losses:
                self._condition.counters.resent += 1
        self._table.lost()

    def end(self, error: ClientError) -> None:
        """Fail all requests; nothing may be asked after that."""
        self._table.fail_all(error)

    # What a family says

    @abstractmethod
    def _is_repeatable(self, method: str, params: Any) -> bool:
        """Tell whether asking twice does no more than asking once."""

    @abstractmethod
    def _render(self, requests: Sequence[Request]) -> str:
        """Write the requests that go in one message.

        Raises:
            Misuse: a parameter is nothing that can be written.
        """

    # Ours

    def _new(
        self,
        method: str,
        params: Any,
        *,
        repeatable: bool | None = None,
        urgent: bool = False,
        group: Group | None = None,
    ) -> Request:
        request = Request(
            next(self._keys),
            method,
            params,
            repeatable=self._is_repeatable(method, params) if repeatable is None else repeatable,
            urgent=urgent,
            group=group,
        )
        self._table.add(request, self._options.request_timeout_s)
        return request

    def _send_waiting(self) -> None:
        waiting = self._table.waiting()
        for _, some in groupby(waiting, lambda one: id(one if one.group is None else one.group)):
            self._send(list(some))

    def _send(self, requests: list[Request]) -> None:
        """Send what goes in one message, if it may go now."""
        if not self._line.is_up or not (self.flowing or requests[0].urgent):
            return
        try:
            self._line.send(self._render(requests))
        except (Misuse, WebSocketError) as problem:
            error = problem if isinstance(problem, Misuse) else Misuse(f"params: {problem}")
            for one in requests:
                self._table.fail(one, error)
            return
        for one in requests:
            one.sent = True
