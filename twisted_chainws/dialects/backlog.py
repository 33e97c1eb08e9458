"""Notices of one connection that cannot leave yet: in order, counted, bounded. Sans-I/O.

Imports only limits, notice and the layers below. A notice waits for one of two reasons. *Queued*:
the outlet is congested, a reply has to leave first, or others are waiting already. *Held*: its
subscription was opened inside a batch whose answer has not left yet.
"""

from collections.abc import Sequence
from typing import Any

from twisted_chainws.dialects.limits import Limits
from twisted_chainws.dialects.notice import Notice, Recipient
from twisted_chainws.subscriptions.registry import Subscription


class Backlog:
    """What waits on one connection.

    Attributes:
        size: notices that wait now, queued and held.
        high_water: the most that ever waited at a time.
        dropped: those thrown away because the connection ended first.
    """

    __slots__ = (
        "_blocked", "_bytes", "_congested", "_congested_since", "_held", "_queue", "dropped",
        "high_water", "size",
    )  # fmt: skip

    def __init__(self) -> None:
        # Nearly always empty, and an empty deque weighs ten times as much as a list.
        self._queue: list[tuple[Recipient, Notice]] = []
        self._held: dict[Recipient, list[Notice]] = {}
        self._bytes = 0
        self._blocked = False
        self._congested = False
        self._congested_since: float | None = None
        self.size = 0
        self.high_water = 0
        self.dropped = 0

    @property
    def free(self) -> bool:
        """True while a notice may pass: nothing waits, nothing is held back, the way is free."""
        return not (self._congested or self._blocked or self._queue or self._held)

    @property
    def relievable(self) -> bool:
        """True while something waits for nothing but its turn."""
        return bool(self._queue) and not (self._congested or self._blocked)

    def keep(self, subscription: Recipient, notice: Notice) -> bool:
        """Let a notice wait if it must; False when it may leave now."""
        held = self._held.get(subscription)
        if held is not None:
            held.append(notice)
        elif self._congested or self._blocked or self._queue:
            self._queue.append((subscription, notice))
        else:
            return False
        self.size += 1
        self._bytes += notice.size
        self.high_water = max(self.high_water, self.size)
        return True

    def full(self, limits: Limits) -> bool:
        """Tell whether a bound has been reached."""
        return self.size >= limits.queued_notices or self._bytes >= limits.queued_bytes

    def congest(self) -> None:
        """Note that the outlet takes no more for now."""
        self._congested = True

    def relieve(self, out: list[Any], budget: int) -> None:
        """Note that the outlet takes more, and move the text of queued notices to ``out``.

        Args:
            out: receives the messages.
            budget: stop after about so many bytes.
        """
        self._congested = False
        self._congested_since = None
        if not self._blocked:
            self._move(out, budget)

    def block(self) -> None:
        """Let every notice wait until ``unblock``: a reply has to leave first."""
        self._blocked = True

    def unblock(self, out: list[Any]) -> None:
        """Note that the reply is on its way, and move what waited for it to ``out``."""
        self._blocked = False
        if not self._congested:
            self._move(out, self._bytes + 1)

    def _move(self, out: list[Any], budget: int) -> None:
        taken = 0
        for subscription, notice in self._queue:
            if budget <= 0:
                break
            out.append(text_of(subscription, notice))
            budget -= notice.size
            self._bytes -= notice.size
            taken += 1
        del self._queue[:taken]
        self.size -= taken

    def stalled(self, now: float, limit_s: float) -> bool:
        """Tell whether queued notices have waited for the outlet for so long; call it regularly."""
        if not self._congested or not self._queue:
            self._congested_since = None
        elif self._congested_since is None:
            self._congested_since = now
        else:
            return now - self._congested_since >= limit_s
        return False

    def hold(self, subscription: Subscription) -> None:
        """Hold the notices of a subscription back until ``release``."""
        self._held.setdefault(subscription, [])

    def release(self, subscription: Subscription) -> Sequence[Notice]:
        """Hold nothing back any more; return what was held, which no longer counts."""
        return self._uncounted(self._held.pop(subscription, []))

    def forget(self, subscription: Subscription) -> None:
        """Let go what waits for a subscription that was closed."""
        self.release(subscription)
        if self._queue:
            self._uncounted([notice for waiting, notice in self._queue if waiting is subscription])
            self._queue = [entry for entry in self._queue if entry[0] is not subscription]

    def drop(self) -> None:
        """Throw everything away: the connection is at its end."""
        self.dropped += self.size
        self._queue.clear()
        self._held.clear()
        self.size = self._bytes = 0

    def _uncounted(self, notices: list[Notice]) -> list[Notice]:
        self.size -= len(notices)
        self._bytes -= sum(notice.size for notice in notices)
        return notices


def text_of(subscription: Recipient, notice: Notice) -> bytes:
    """Return the message of a notice for one of its subscribers."""
    return notice.head + subscription.wire_id + notice.tail
