"""Who may come in: clients, connections of one client, handshakes of one client in a minute. Pure.

A client is an IP address. Slots are taken at the handshake, before it is answered, and given back
once by the connection that took one; idle TCP connections take none.

Source: ``ohos-websocket.md`` 2.7.
"""

from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

__all__ = ["Admission", "Denial", "client_ip"]

WINDOW_S: Final = 60.0
"""In which handshakes of one client are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Denial:
    """Why a client may not come in.

    Attributes:
        status: of the HTTP answer.
        text: its body.
        retry_after_s: whole seconds after which another try makes sense; None if nobody knows.
    """

    status: int
    text: str
    retry_after_s: int | None = None


_CLIENTS: Final = Denial(status=503, text="too many clients")
_CONNECTIONS: Final = Denial(status=503, text="too many connections from this address")


class Admission:
    """The slots of one listener."""

    def __init__(
        self,
        *,
        max_clients: int,
        max_per_client: int,
        max_per_minute: int | None,
        ban_s: float,
        now: Callable[[], float],
    ) -> None:
        """Prepare.

        Args:
            max_clients: distinct addresses at a time.
            max_per_client: connections of one address at a time.
            max_per_minute: handshakes of one address within 60 seconds; with one more it is banned.
                None for no limit.
            ban_s: for so long.
            now: returns the time, in seconds.
        """
        self._max_clients = max_clients
        self._max_per_client = max_per_client
        self._max_per_minute = max_per_minute
        self._ban_s = ban_s
        self._now = now
        self._taken: Counter[str] = Counter()
        # Both in the order of their time, so that the stale ones are in front.
        self._tries: OrderedDict[str, deque[float]] = OrderedDict()
        self._banned: OrderedDict[str, float] = OrderedDict()

    def enter(self, ip: str) -> Denial | None:
        """Take a slot for a handshake; None if there was one, otherwise why not."""
        hasty = self._max_per_minute is not None and self._hasty(ip, self._max_per_minute)
        if ip not in self._taken and len(self._taken) >= self._max_clients:
            return _CLIENTS
        if self._taken.get(ip, 0) >= self._max_per_client:
            return _CONNECTIONS
        if hasty:
            left = self._banned[ip] - self._now()
            return Denial(status=429, text="too many handshakes", retry_after_s=int(left) + 1)
        self._taken[ip] += 1
        return None

    def leave(self, ip: str) -> None:
        """Give a slot back; once for each one taken."""
        self._taken[ip] -= 1
        if self._taken[ip] <= 0:
            del self._taken[ip]

    def _hasty(self, ip: str, limit: int) -> bool:
        """Count a handshake, and tell whether its client is banned, now or already."""
        now = self._now()
        while self._banned and next(iter(self._banned.values())) <= now:
            self._banned.popitem(last=False)
        while self._tries and next(iter(self._tries.values()))[-1] <= now - WINDOW_S:
            self._tries.popitem(last=False)
        if ip in self._banned:
            return True
        tries = self._tries.setdefault(ip, deque())
        self._tries.move_to_end(ip)
        while tries and tries[0] <= now - WINDOW_S:
            tries.popleft()
        tries.append(now)
        if len(tries) <= limit:
            return False
        del self._tries[ip]
        self._banned[ip] = now + self._ban_s
        return True


def client_ip(host: str) -> str:
    """Return an address as clients are told apart by it: mapped IPv4 addresses as IPv4."""
    return host.removeprefix("::ffff:") if "." in host else host
