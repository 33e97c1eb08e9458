"""Requests over whatever connection there is: sent, sent again, answered, refused for their rate.

Source: ``ethereum.md`` 1.3, 1.4, 6.1, 6.3 point 3.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from twisted.python.failure import Failure

from twisted_chainws.client.errors import BadAnswer, ClientError, Misuse, RpcError
from twisted_chainws.client.ethereum.envelope import Reply, render
from twisted_chainws.client.ethereum.methods import is_repeatable
from twisted_chainws.client.line import Line
from twisted_chainws.client.options import ClientOptions
from twisted_chainws.client.requests import Group, Request
from twisted_chainws.client.sending import RequestSender
from twisted_chainws.client.status import ClientEvent, Condition
from twisted_chainws.websocket import Outcome
from twisted_chainws.websocket.awaiting import failed

__all__ = ["Caller"]

_TOO_MANY_REQUESTS: Final = 429


class Caller(RequestSender):
    """The requests of one client."""

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
        super().__init__(clock=clock, options=options, condition=condition, line=line)
        self._uniform = uniform

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

    def _is_repeatable(self, method: str, _params: Any) -> bool:
        return is_repeatable(method)

    def _render(self, requests: Sequence[Request]) -> str:
        calls = [(one.key, one.method, one.params) for one in requests]
        return render(calls, batch=requests[0].group is not None)

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
