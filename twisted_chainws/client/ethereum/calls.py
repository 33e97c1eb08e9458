"""Requests over whatever connection there is: sent, sent again, answered, refused for their rate.

Source: ``ethereum.md`` 1.3, 1.4, 6.1, 6.3 point 3.
"""

from collections.abc import Callable, Sequence
from itertools import count, groupby
from typing import Any, Final

from twisted.python.failure import Failure

from twisted_chainws.client.errors import BadAnswer, ClientError, Misuse, RpcError
from twisted_chainws.client.ethereum.envelope import Reply, render
from twisted_chainws.client.ethereum.methods import is_repeatable
from twisted_chainws.client.line import Line
from twisted_chainws.client.options import ClientOptions
from twisted_chainws.client.requests import Group, Request, RequestTable
from twisted_chainws.client.status import ClientEvent, Condition
from twisted_chainws.websocket import Outcome, WebSocketError
from twisted_chainws.websocket.awaiting import failed

__all__ = ["Caller"]

_TOO_MANY_REQUESTS: Final = 429


class Caller:
    """The requests of one client.

    Attributes:
        flowing: whether all may go; otherwise only urgent ones do.
    """

    def __init__(
        self,
        *,
        clock: Any,
        options: ClientOptions,
        uniform: Callable[[float, float], float],
        condition: Condition,
        line: Line,
    ) -> None:
        """Prepare.

        Args:
            clock: reactor.
            options: of the client.
            uniform: a random number between two others.
            condition: of the client.
            line: to send over.
        """
        self.flowing = False
        self._options = options
        self._uniform = uniform
        self._condition = condition
        self._line = line
        self._table = RequestTable(clock, condition.counters)
        self._keys = count(1)

    def call(
        self,
        method: str,
        params: Sequence[Any],
        *,
        repeatable: bool | None = None,
        urgent: bool = False,
    ) -> Outcome[Any]:
        """Ask.

        Args:
            method: name.
            params: of it.
            repeatable: whether it may be sent again; None for what the name says.
            urgent: it goes as soon as there is a connection.
        """
        request = self._new(method, params, repeatable=repeatable, urgent=urgent)
        outcome = request.outcome
        self._send([request])
        return outcome

    async def all(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
        """Ask several things, in as few messages as the options allow.

        Returns:
            Results in the order of the calls; the ClientError of those that failed.
        """
        size = self._options.batch_items
        outcomes = [
            outcome
            for start in range(0, len(calls), size)
            for outcome in self._together(calls[start : start + size])
        ]
        for outcome in outcomes:
            outcome.addErrback(_as_value)
        return [await outcome for outcome in outcomes]

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

    def replies(self, replies: Sequence[Reply], *, batch: bool) -> None:
        """Take the replies of one message."""
        groups: dict[int, Group] = {}
        for reply in replies:
            request = None if reply.key is None else self._table.get(reply.key)
            if request is not None and request.group is not None:
                groups[id(request.group)] = request.group
            self._reply(request, reply)
        if batch:
            for group in groups.values():
                self._finish(group, replies)

    def _together(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[Outcome[Any]]:
        group = Group()
        requests = [self._new(method, params, group=group) for method, params in calls]
        outcomes = [request.outcome for request in requests]
        self._send(requests)
        return outcomes

    def _new(
        self,
        method: str,
        params: Sequence[Any],
        *,
        repeatable: bool | None = None,
        urgent: bool = False,
        group: Group | None = None,
    ) -> Request:
        request = Request(
            next(self._keys),
            method,
            params,
            repeatable=is_repeatable(method) if repeatable is None else repeatable,
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
        calls = [(one.key, one.method, one.params) for one in requests]
        try:
            self._line.send(render(calls, batch=requests[0].group is not None))
        except (Misuse, WebSocketError) as problem:
            error = problem if isinstance(problem, Misuse) else Misuse(f"params: {problem}")
            for one in requests:
                self._table.fail(one, error)
            return
        for one in requests:
            one.sent = True

    def _reply(self, request: Request | None, reply: Reply) -> None:
        if request is not None and reply.error is None:
            self._table.succeed(request, reply.result)
        elif request is not None:
            self._refused(request, reply.error or BadAnswer(""))
        elif reply.key is None and reply.error is not None:
            self._nameless(reply.error)
        else:
            self._condition.counters.strays += 1

    def _refused(self, request: Request, error: ClientError) -> None:
        again = isinstance(error, RpcError) and error.code == _TOO_MANY_REQUESTS
        if again:
            self._condition.counters.rate_limited += 1
        if not again or request.refusals >= self._options.rate_limit_retries:
            self._table.fail(request, error)
            return
        request.refusals += 1
        jitter = self._uniform(0, self._options.rate_limit_jitter_s)
        wait = self._options.rate_limit_wait_s + jitter
        self._table.hold_back(request, wait, lambda: self._send([request]))

    def _nameless(self, error: ClientError) -> None:
        """Take an error that names no request: that of the only one, if there is just one."""
        under_way = self._table.under_way()
        messages = {id(one if one.group is None else one.group) for one in under_way}
        if len(messages) == 1:
            for one in under_way:
                self._refused(one, error)
            return
        self._condition.counters.strays += 1
        self._condition.tell(ClientEvent.STRAY, error)

    def _finish(self, group: Group, replies: Sequence[Reply]) -> None:
        """Fail what an answered batch has left unanswered: there will not be another answer."""
        only = replies[0].error if len(replies) == 1 else None
        for key in group.keys:
            request = self._table.get(key)
            if request is not None and request.group is group and request.sent:
                self._table.fail(request, only or BadAnswer(f"{request.method}: not in the batch"))


def _as_value(failure: Failure) -> ClientError:
    failure.trap(ClientError)
    error: ClientError = failure.value  # type: ignore[assignment]
    return error


def refuse(method: str) -> Outcome[Any]:
    """Return the failure of a call that is made another way."""
    return failed(Misuse(f"{method}: subscribe and unsubscribe are methods of the client"))
