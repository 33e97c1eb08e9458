"""Where a request leads: dialect, network, account; and the session that is opened there."""

from typing import Any, Protocol

from twisted.internet.defer import Deferred

from twisted_chainws.dialects.base import Dialect
from twisted_chainws.dialects.limits import Limits
from twisted_chainws.dialects.outcomes import Call
from twisted_chainws.dialects.session import Session
from twisted_chainws.dialects.view import View
from twisted_chainws.server.accounts import Account
from twisted_chainws.subscriptions.polled import PolledFilters
from twisted_chainws.subscriptions.registry import Registry

__all__ = ["Gateway", "Route", "has_room", "open_session"]


class Gateway(Protocol):
    """What connections need of a ``ChainService``."""

    deliver: Any

    def view(self, dialect: Dialect) -> View:
        """Return what handlers read."""

    def registry(self, dialect: Dialect) -> Registry:
        """Return who listens."""

    def polled(self, dialect: Dialect) -> PolledFilters:
        """Return the polled filters."""

    def perform(self, call: Call) -> "Deferred[Any]":
        """Answer a forwarded call."""

    def now(self) -> float:
        """Return the service's clock."""


class Route:
    """Where a path leads.

    Attributes:
        dialects: one, or several of which the first message chooses.
        service: the network.
        key: the API key it came with, None without; never logged whole.
        account: what that key has; without one, what all who have none share.
        limits: for this connection, or None for those of its dialect.
    """

    __slots__ = ("account", "dialects", "key", "limits", "service")

    def __init__(
        self,
        *,
        dialects: tuple[Dialect, ...],
        service: Gateway,
        key: str | None,
        account: Account,
        limits: Limits | None,
    ) -> None:
        self.dialects = dialects
        self.service = service
        self.key = key
        self.account = account
        self.limits = limits

    def claimed_by(self, data: bytes) -> Dialect:
        """Return the dialect of a first message; the first one when nobody claims it."""
        if len(self.dialects) > 1:
            for dialect in self.dialects:
                if dialect.claims(data):
                    return dialect
        return self.dialects[0]


def has_room(route: Route, dialect: Dialect) -> bool:
    """Tell whether one more connection may speak a dialect on this network."""
    most = (route.limits or dialect.limits).connections
    return not most or route.service.view(dialect).sessions < most


def open_session(
    route: Route, dialect: Dialect, owner: object, *, http: bool, now: float
) -> Session:
    """Open a session; over HTTP it is for one message and has no notices."""
    service = route.service
    # Only HTTP has a use for an account without a bound; others are spared the asking.
    known = route.account.metered or (http and route.key is not None)
    return Session(
        dialect=dialect,
        view=service.view(dialect),
        registry=service.registry(dialect),
        polled=service.polled(dialect),
        owner=owner,
        limits=route.limits or dialect.limits,
        account=route.account if known else None,
        notifications=not http,
        http=http,
        now=now,
    )
