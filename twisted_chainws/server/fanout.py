"""One event to many connections: framed once, in slices, in order.

Theory of operation. Deliveries form one queue. A turn of the reactor serves at most ``SLICE``
subscribers and leaves the rest for the next turn, so that thousands of subscribers do not keep
others waiting; as there is one queue, each subscriber keeps its order. The frame is made once per
notice and the subscription id, which has a fixed length, is rewritten in place.

The queue is bounded: when events come faster than they can be written, whoever publishes the next
one serves the oldest first. That slows the chain down to what the sockets take, and what a slow
reader leaves lying is counted by its session.
"""

from collections import deque
from collections.abc import Sequence
from typing import Any, Final

from twisted.logger import Logger

from twisted_chainws.dialects.base import Dialect
from twisted_chainws.dialects.notice import Notice, Recipient
from twisted_chainws.websocket.frames import header

__all__ = ["SLICE", "WAITING", "Fanout"]

SLICE: Final = 250
"""Subscribers served in one turn of the reactor."""

WAITING: Final = 10_000
"""Notices that may wait for their turn."""


class _Job:
    """One notice on its way."""

    __slots__ = ("notice", "position", "start", "subscriptions", "width")

    def __init__(self, notice: Notice, width: int, subscriptions: Sequence[Recipient]) -> None:
        self.notice = notice
        self.start = 0
        self.width = width
        self.subscriptions = subscriptions
        self.position = 0

    def open(self) -> None:
        """Make the frame, once it is needed: those of all that wait would be a lot."""
        notice, width = self.notice, self.width
        prefix = header(notice.size + width) + notice.head
        notice.frame = bytearray(prefix + b"." * width + notice.tail)
        self.start = len(prefix)


class Fanout:
    """Brings notices to connections; ``publish`` is what a service calls ``deliver``."""

    _log = Logger()

    def __init__(self, *, reactor: Any) -> None:
        self._reactor = reactor
        self._jobs: deque[_Job] = deque()
        self._running = False

    def publish(self, dialect: Dialect, notice: Notice, subscriptions: Sequence[Recipient]) -> None:
        """Deliver a notice; the first slice at once when nothing else is on its way."""
        self._jobs.append(_Job(notice, dialect.envelope.id_width, tuple(subscriptions)))
        if not self._running:
            self._running = True
            self._turn()
        while len(self._jobs) > WAITING:
            self._slice()

    def _turn(self) -> None:
        self._slice()
        if self._jobs:
            self._reactor.callLater(0, self._turn)
        else:
            self._running = False

    def _slice(self) -> None:
        budget = SLICE
        now = self._reactor.seconds()
        while self._jobs and budget > 0:
            job = self._jobs[0]
            part = job.subscriptions[job.position : job.position + budget]
            job.position += len(part)
            budget -= len(part)
            if job.position >= len(job.subscriptions):
                self._jobs.popleft()
            self._serve(job, part, now)

    def _serve(self, job: _Job, part: Sequence[Recipient], now: float) -> None:
        if not job.start:
            job.open()
        notice = job.notice
        frame = notice.frame
        start, end = job.start, job.start + job.width
        for subscription in part:
            if not subscription.active:
                continue
            session = subscription.owner
            connection = session.owner
            try:
                if session.direct and len(subscription.wire_id) == job.width:
                    frame[start:end] = subscription.wire_id  # type: ignore[index]
                    connection.send_frame(frame, now)
                else:
                    connection.deliver(subscription, notice)
            except Exception:  # noqa: BLE001 - one broken connection must not cost the others
                self._log.failure("a delivery broke")
                connection.fail()
