"""API keys: in which standing each one is, its connections, its throughput. No I/O.

An account belongs to the whole server: its bounds hold over all listeners and networks together.
"""

import math
from collections.abc import Callable
from enum import Enum
from typing import Final, Protocol

from twisted_chainws.server.access import key_allowed

__all__ = ["Account", "Accounts", "Standing"]

_SPARE_ACCOUNTS: Final = 1_000


class Standing(Enum):
    """What a server thinks of a key."""

    ACTIVE = "active"
    MISSING = "missing"
    UNKNOWN = "unknown"
    INACTIVE = "inactive"
    EXHAUSTED = "exhausted"


class Member(Protocol):
    """A connection, as far as its account has to ask."""

    def unsubscribe(self, subscription_id: str) -> bool:
        """Close a subscription; False when there is none of this id."""


class _Bucket:
    """Compute units that flow in evenly and may be saved up for a while.

    A request that costs more than the bucket holds passes when it is full, and leaves a debt.

    Source: ``ethereum.md`` 1.9; Alchemy, "Throughput": a token bucket over ten seconds.
    """

    __slots__ = ("_capacity", "_per_s", "_since", "_units", "wait_s")

    def __init__(self, *, per_s: float, burst_s: float) -> None:
        self._per_s = per_s
        self._capacity = per_s * burst_s
        self._units = self._capacity
        self._since: float | None = None
        self.wait_s = 0.0

    def fill(self, now: float) -> bool:
        """Let in what has come since the last look; True when the bucket is full."""
        if self._since is not None:
            more = max(0.0, now - self._since) * self._per_s
            self._units = min(self._capacity, self._units + more)
        self._since = now
        return self._units >= self._capacity

    def spend(self, cost: int, now: float) -> bool:
        """Take units out; False when they are not there, ``wait_s`` then tells how long."""
        self.fill(now)
        needed = min(cost, self._capacity)
        if cost and self._units < needed:
            self.wait_s = (needed - self._units) / self._per_s
            return False
        self._units -= cost
        return True


class Account:
    """What one key has; without a key, what all who come without one share.

    Attributes:
        metered: whether its throughput is limited.
    """

    __slots__ = ("_bucket", "_members", "_most", "metered")

    def __init__(self, *, max_connections: int | None, per_s: float, burst_s: float) -> None:
        """Open it, with all its throughput saved up.

        Args:
            max_connections: at a time; None for any number, which are not kept track of.
            per_s: compute units a second; 0 for no limit.
            burst_s: seconds for which they may be saved up.
        """
        self._most = max_connections
        self._members: set[Member] = set()
        self._bucket = _Bucket(per_s=per_s, burst_s=burst_s) if per_s else None
        self.metered = self._bucket is not None

    def enter(self, connection: Member) -> bool:
        """Count a connection in; False when there are as many as there may be."""
        if self._most is None:
            return True
        if len(self._members) >= self._most:
            return False
        self._members.add(connection)
        return True

    def leave(self, connection: Member) -> None:
        """Count a connection out; one that was not in is no mistake."""
        self._members.discard(connection)

    def spend(self, cost: int, now: float) -> bool:
        """Take so many compute units; False when they are not there, and nothing was taken."""
        return self._bucket is None or self._bucket.spend(cost, now)

    @property
    def retry_after_s(self) -> int:
        """Whole seconds, counted from it, after which the last refused request would pass."""
        return 0 if self._bucket is None else math.ceil(self._bucket.wait_s)

    def unsubscribe(self, subscription_id: str) -> bool:
        """Close a subscription of any of its connections; False if none has it."""
        return any(member.unsubscribe(subscription_id) for member in self._members)

    def idle(self, now: float) -> bool:
        """Tell whether a new account would be no different."""
        return not self._members and (self._bucket is None or self._bucket.fill(now))


class Accounts:
    """All keys of a server."""

    def __init__(
        self,
        *,
        now: Callable[[], float],
        keys: tuple[str, ...] = (),
        inactive: tuple[str, ...] = (),
        exhausted: tuple[str, ...] = (),
        max_connections: int = 20_000,
        units_per_s: float = 0,
        burst_s: float = 10.0,
    ) -> None:
        """Know the keys.

        Args:
            now: returns the time, in seconds.
            keys: accepted ones; empty means that every key and none is accepted.
            inactive: known ones that are refused.
            exhausted: known ones whose monthly capacity is used up.
            max_connections: of one key at a time.
            units_per_s: compute units of one key; 0 for no limit.
            burst_s: seconds for which they may be saved up.
        """
        self._now = now
        self._keys = keys
        self._inactive = inactive
        self._exhausted = exhausted
        self._max_connections = max_connections
        self._rates = {"per_s": units_per_s, "burst_s": burst_s}
        self._nobody = Account(max_connections=None, **self._rates)
        self._accounts: dict[str, Account] = {}
        self._prune_at = _SPARE_ACCOUNTS

    def standing(self, key: str | None) -> Standing:
        """Return what this server thinks of a key; None and the empty one are missing."""
        if key and key_allowed(key, self._inactive):
            return Standing.INACTIVE
        if key and key_allowed(key, self._exhausted):
            return Standing.EXHAUSTED
        if not self._keys:
            return Standing.ACTIVE
        if not key:
            return Standing.MISSING
        return Standing.ACTIVE if key_allowed(key, self._keys) else Standing.UNKNOWN

    def of(self, key: str | None) -> Account:
        """Return the account of an accepted key."""
        if not key:
            return self._nobody
        account = self._accounts.get(key)
        if account is None:
            # Where any key is accepted, somebody may make up new ones for ever.
            if len(self._accounts) >= self._prune_at:
                self._prune(self._now())
            account = Account(max_connections=self._max_connections, **self._rates)
            self._accounts[key] = account
        return account

    def _prune(self, now: float) -> None:
        """Forget accounts that nobody would miss."""
        kept = {key: account for key, account in self._accounts.items() if not account.idle(now)}
        self._accounts = kept
        self._prune_at = _SPARE_ACCOUNTS + 2 * len(kept)
