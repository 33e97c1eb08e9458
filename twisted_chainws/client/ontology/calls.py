"""Requests that go one after the other over one connection, and their replies.

Nodes answer requests of a connection in their order, and do not repeat the id of a request that
they could not make sense of: that refusal is of the oldest that has no answer.

Source: ``ontology.md`` 1.4, 1.5.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Final

from twisted_chainws.client.ontology.envelope import Nameless, Reply, render
from twisted_chainws.client.requests import Request
from twisted_chainws.client.sending import RequestSender
from twisted_chainws.client.status import ClientEvent

__all__ = ["HEARTBEAT", "SEND", "SUBSCRIBE", "Caller"]

HEARTBEAT: Final = "heartbeat"
SEND: Final = "sendrawtransaction"
SUBSCRIBE: Final = "subscribe"

_PRE_EXECUTE: Final = "1"


class Caller(RequestSender):
    """The requests of one client.

    Attributes:
        sent_at: when the last one went out, in seconds of the clock.
    """

    def __init__(self, **collaborators: Any) -> None:
        """Prepare; see ``RequestSender``."""
        super().__init__(**collaborators)
        self.sent_at = 0.0
        self._clock: Any = collaborators["clock"]
        self._order: deque[int] = deque()

    def reply(self, reply: Reply) -> None:
        """Take the reply to a request."""
        if reply.key in self._order:
            while self._order.popleft() != reply.key:
                pass
        request = self._table.get(reply.key)
        if request is None:
            self._condition.counters.strays += 1
        elif reply.error is None:
            self._table.succeed(request, reply.result)
        else:
            self._table.fail(request, reply.error)

    def nameless(self, refusal: Nameless) -> None:
        """Take the refusal of the oldest request."""
        request = self._table.get(self._order.popleft()) if self._order else None
        if request is not None:
            self._table.fail(request, refusal.error)
            return
        self._condition.counters.strays += 1
        self._condition.tell(ClientEvent.STRAY, refusal.error)

    def down(self) -> None:
        """Take note that the connection has ended."""
        self._order.clear()
        super().down()

    def _send(self, requests: list[Request]) -> None:
        super()._send(requests)
        for request in requests:
            if request.sent:
                self._order.append(request.key)
                self.sent_at = self._clock.seconds()

    def _render(self, requests: Sequence[Request]) -> str:
        (request,) = requests
        return render(request.key, request.method, request.params)

    def _is_repeatable(self, method: str, params: Mapping[str, Any]) -> bool:
        """Tell whether it only reads; a subscription made twice is one."""
        return method != SEND or params.get("PreExec") == _PRE_EXECUTE
