"""Filters that are asked for news instead of being told: service-wide and bounded. Sans-I/O.

Source: ``ethereum.md`` 5.7 (go-ethereum ``eth/filters/api.go``): usable from any connection, gone
after five minutes without a poll.
"""

from collections.abc import Callable

from twisted_chainws.errors import FilterNotFound, TooManyFilters
from twisted_chainws.subscriptions.events import ChainEvent
from twisted_chainws.subscriptions.filters import Filter
from twisted_chainws.subscriptions.index import Index


class _Polled:
    """A filter and what has come since the last poll."""

    __slots__ = ("encode", "filter", "id", "items", "polled_at")

    def __init__(
        self, *, filter_id: str, wanted: Filter, encode: Callable[..., bytes], now: float
    ) -> None:
        self.id = filter_id
        self.filter: Filter = wanted
        self.encode = encode
        self.polled_at = now
        self.items: list[ChainEvent] = []


class PolledFilters:
    """All polled filters of a service. ``now`` is in seconds of any clock that never goes back.

    Args:
        make_id: returns a new id; an id that is in use is drawn again.
        max_filters: how many may live at the same time.
        max_items: how much one may collect; a filter that gets more is removed, because a gap in
            what it reports would be worse than its absence.
        lifetime_s: how long a filter lives without being polled.
    """

    def __init__(
        self,
        *,
        make_id: Callable[[], str],
        max_filters: int = 10_000,
        max_items: int = 10_000,
        lifetime_s: float = 300,
    ) -> None:
        self._make_id = make_id
        self._max_filters = max_filters
        self._max_items = max_items
        self._lifetime_s = lifetime_s
        self._index: Index[_Polled] = Index()
        self._filters: dict[str, _Polled] = {}  # longest unpolled first

    def __len__(self) -> int:
        return len(self._filters)

    def install(self, wanted: Filter, encode: Callable[..., bytes], now: float) -> str:
        """Begin to collect, and return the id to ask with.

        Raises:
            TooManyFilters: there are as many as there may be, none of them expired.
        """
        if len(self._filters) >= self._max_filters and not self.expire(now):
            raise TooManyFilters(limit=self._max_filters)
        while (made := self._make_id()) in self._filters:
            pass
        polled = _Polled(filter_id=made, wanted=wanted, encode=encode, now=now)
        self._filters[made] = polled
        self._index.add(polled)
        return made

    def feed(self, event: ChainEvent) -> None:
        """Keep an event for every filter that asks for it."""
        for item, interested in self._index.match(event):
            for polled in interested:
                if len(polled.items) < self._max_items:
                    polled.items.append(item)
                else:
                    self.uninstall(polled.id)

    def poll(self, filter_id: str, now: float) -> list[tuple[Callable[..., bytes], ChainEvent]]:
        """Hand out what has come since the last poll, oldest first, each with its encoder.

        Raises:
            FilterNotFound: no such filter, or it expired, or it overflowed.
        """
        polled = self._known(filter_id)
        if self._is_expired(polled, now):
            self.uninstall(filter_id)
            raise FilterNotFound(filter_id=filter_id)
        polled.polled_at = now
        self._filters[filter_id] = self._filters.pop(filter_id)
        items, polled.items = polled.items, []
        return [(polled.encode, item) for item in items]

    def inspect(self, filter_id: str) -> Filter:
        """Return the filter itself; that does not prolong its life.

        Raises:
            FilterNotFound: no such filter.
        """
        return self._known(filter_id).filter

    def uninstall(self, filter_id: str) -> bool:
        """Forget a filter; False when there was none."""
        polled = self._filters.pop(filter_id, None)
        if polled is None:
            return False
        self._index.remove(polled)
        return True

    def expire(self, now: float) -> int:
        """Forget the filters that nobody polled for their lifetime and return how many."""
        expired: list[str] = []
        for polled in self._filters.values():
            if not self._is_expired(polled, now):
                break
            expired.append(polled.id)
        for filter_id in expired:
            self.uninstall(filter_id)
        return len(expired)

    def _known(self, filter_id: str) -> _Polled:
        polled = self._filters.get(filter_id)
        if polled is None:
            raise FilterNotFound(filter_id=filter_id)
        return polled

    def _is_expired(self, polled: _Polled, now: float) -> bool:
        return now - polled.polled_at >= self._lifetime_s
