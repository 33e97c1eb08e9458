"""One HTTP request: a session for a single message, and its answer as a response."""

import zlib
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.http import Request

from twisted_chainws.dialects.actions import Crashed, Forwarded
from twisted_chainws.dialects.base import Dialect
from twisted_chainws.dialects.outcomes import Refused
from twisted_chainws.server.route import Route, open_session

__all__ = ["Exchange", "compressed"]

TOO_MANY_REQUESTS: Final = 429

GZIP_BYTES: Final = 1_024
"""Smaller answers are not worth compressing. Source: ``ethereum.md`` 1.8."""

GZIP_MOST_BYTES: Final = 4_194_304
"""Packing larger ones would keep all other clients waiting for it."""

_GZIP: Final = 31


class Exchange:
    """Answers one POST; everything it started is cancelled when the client goes away."""

    _log = Logger()

    def __init__(
        self, *, reactor: Any, request: Request, route: Route, dialect: Dialect, timeout_s: float
    ) -> None:
        self._reactor = reactor
        self._request = request
        self._route = route
        self._dialect = dialect
        self._session = open_session(route, dialect, self, http=True, now=reactor.seconds())
        self._calls: dict[int, Deferred[Any]] = {}
        self._reply: list[bytes] = []
        self._working = False
        self._over = False
        self._timeout_s = timeout_s
        self._timer: IDelayedCall | None = None

    def start(self, body: bytes) -> None:
        """Run the message and answer, now or when the last call has been answered."""
        self._request.notifyFinish().addErrback(self._gone)
        out: list[Any] = []
        self._session.receive(body, self._reactor.seconds(), out)
        self._work(out)
        if not self._over:
            self._timer = self._reactor.callLater(self._timeout_s, self._late)

    def _work(self, out: list[Any]) -> None:
        """Perform what the session decided; calls that are answered at once add to it."""
        self._working = True
        self._out = out
        position = 0
        while position < len(out):
            entry = out[position]
            position += 1
            if entry.__class__ is bytes:
                self._reply.append(entry)
            elif isinstance(entry, Forwarded):
                self._forward(entry)
            elif isinstance(entry, Crashed):
                self._log.failure("a handler broke", Failure(entry.error))
        self._working = False
        if self._session.idle and not self._over:
            self._finish()

    def _forward(self, action: Forwarded) -> None:
        call = self._route.service.perform(action.call)
        self._calls[action.ticket] = call
        call.addBoth(self._resolved, action.ticket)
        call.addErrback(self._broken)

    def _resolved(self, answer: Any, ticket: int) -> None:
        self._calls.pop(ticket, None)
        if self._over:
            return
        if isinstance(answer, Failure):
            answer = answer.value
        out = self._out if self._working else []
        self._session.resolve(ticket, answer, self._reactor.seconds(), out)
        if not self._working:
            self._work(out)

    def _late(self) -> None:
        """Answer what is open with a time-out; calls of a batch that were not begun as well."""
        self._timer = None
        late = Refused(self._dialect.faults.timed_out)
        tickets = list(self._calls)
        for call in self._drop_calls():
            call.cancel()
        while tickets:
            out: list[Any] = []
            self._session.resolve(tickets.pop(), late, self._reactor.seconds(), out)
            for entry in out:
                if entry.__class__ is bytes:
                    self._reply.append(entry)
                elif isinstance(entry, Forwarded):
                    tickets.append(entry.ticket)
        self._finish()

    def _drop_calls(self) -> list["Deferred[Any]"]:
        """Forget all calls: their results, cancellation included, find no ticket."""
        calls = list(self._calls.values())
        self._calls.clear()
        self._over = True
        return calls

    def _finish(self) -> None:
        self._end()
        body = b"".join(self._reply)
        request = self._request
        self._tell_status()
        request.setHeader("content-type", "application/json")
        worth_it = GZIP_BYTES < len(body) <= GZIP_MOST_BYTES
        if worth_it and _takes_gzip(request.getHeader("accept-encoding")):
            request.setHeader("content-encoding", "gzip")
            request.setHeader("vary", "Accept-Encoding")
            body = compressed(body)
        request.setHeader("content-length", str(len(body)))
        request.write(body)
        request.finish()

    def _tell_status(self) -> None:
        """Map the fault that the answer consists of to a status; the answer of a batch has none."""
        fault, face = self._session.fault, self._dialect.http
        if fault is None or face is None:
            return
        status = face.status(fault)
        self._request.setResponseCode(status)
        if status == TOO_MANY_REQUESTS:
            self._request.setHeader("retry-after", str(self._route.account.retry_after_s))

    def _end(self) -> None:
        self._over = True
        self._session.close()
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None

    def _gone(self, _failure: Failure) -> None:
        """Stop everything: nobody will read the answer."""
        for call in self._drop_calls():
            call.cancel()
        self._end()

    def _broken(self, failure: Failure) -> None:
        self._log.failure("an HTTP request broke", failure)
        if not self._request._disconnected and not self._request.finished:  # noqa: SLF001
            self._end()
            self._request.setResponseCode(500)
            self._request.finish()


def compressed(body: bytes) -> bytes:
    """Return ``body`` as a gzip member; fastest level, as the reactor waits for it."""
    packer = zlib.compressobj(1, zlib.DEFLATED, _GZIP)
    return packer.compress(body) + packer.flush()


def _takes_gzip(accept: str | None) -> bool:
    """Tell whether an Accept-Encoding header names gzip with a weight above zero."""
    for part in (accept or "").lower().split(","):
        name, _, weight = part.strip().partition(";")
        if name.strip() in ("gzip", "*"):
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
