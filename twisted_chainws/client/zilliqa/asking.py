"""Queries that wait for their reply: replies name no query, but come in order.

Source: ``zilliqa.md`` 1 (queries per connection), 2.2, 7.4.
"""

from collections import deque
from collections.abc import Callable
from itertools import count
from typing import Any

from twisted.python.failure import Failure

from twisted_chainws.client.errors import ClientError, ConnectionLost, Misuse, RequestTimeout
from twisted_chainws.client.options import ClientOptions
from twisted_chainws.client.requests import Request, RequestTable
from twisted_chainws.client.status import ClientEvent, Condition
from twisted_chainws.client.zilliqa.envelope import Echo, Refusal
from twisted_chainws.client.zilliqa.queries import Query
from twisted_chainws.websocket import Outcome, WebSocketError
from twisted_chainws.websocket.awaiting import failed

__all__ = ["Asker"]


class Asker:
    """The queries of one client over its present connection.

    A query without an answer in time ends the connection: whatever came later could be the answer
    to it or to the next.
    """

    def __init__(
        self,
        *,
        clock: Any,
        options: ClientOptions,
        condition: Condition,
        is_up: Callable[[], bool],
        send: Callable[[str], None],
        cut: Callable[[str], None],
    ) -> None:
        """Prepare.

        Args:
            clock: reactor.
            options: of the client.
            condition: of the client.
            is_up: whether something can be sent.
            send: sends a text message.
            cut: drops the connection, to get another one.
        """
        self._options = options
        self._condition = condition
        self._is_up = is_up
        self._send = send
        self._cut = cut
        self._table = RequestTable(clock, condition.counters)
        self._keys = count(1)
        self._sent: deque[tuple[int, Query]] = deque()

    def ask(self, query: Query) -> Outcome[None]:
        """Send a query.

        Returns:
            Fires with the echo. Fails with RpcError, RequestTimeout, ConnectionLost or Misuse.
        """
        if not self._is_up():
            return failed(ConnectionLost(query.kind, maybe_sent=False))
        try:
            self._send(query.render())
        except WebSocketError as problem:
            return failed(Misuse(str(problem)))
        request = Request(next(self._keys), query.kind, None, repeatable=False)
        self._table.add(request, self._options.request_timeout_s)
        request.sent = True
        self._sent.append((request.key, query))
        # Who is cancelled waits no longer; the reply still has its place among the others.
        outcome: Outcome[None] = Outcome(lambda _: None)
        request.outcome.addBoth(self._finish, outcome)
        return outcome

    def echo(self, echo: Echo) -> None:
        """Take the reply to the oldest query that it fits."""
        fitting = (at for at, (_, query) in enumerate(self._sent) if echo.answers(query))
        place = next(fitting, None)
        if place is None:
            self._condition.counters.strays += 1
            return
        key, _ = self._sent[place]
        del self._sent[place]
        request = self._table.get(key)
        if request is not None:
            self._table.succeed(request, None)

    def refusal(self, refusal: Refusal) -> None:
        """Take the reply to the oldest query."""
        if not self._sent:
            self._condition.counters.strays += 1
            self._condition.tell(ClientEvent.STRAY, refusal.error)
            return
        key, _ = self._sent.popleft()
        request = self._table.get(key)
        if request is not None:
            self._table.fail(request, refusal.error)

    def down(self) -> None:
        """Take note that the connection has ended."""
        self._sent.clear()
        self._table.lost()

    def end(self, error: ClientError) -> None:
        """Fail all queries; nothing may be asked after that."""
        self._sent.clear()
        self._table.fail_all(error)

    def _finish(self, end: Any, outcome: Outcome[None]) -> None:
        if not outcome.called:
            outcome.callback(end)
        if isinstance(end, Failure) and end.check(RequestTimeout):
            self._cut("no answer to a query")
