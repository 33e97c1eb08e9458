"""Listeners: their settings, their connections, and how to make one."""

from dataclasses import dataclass, field
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IProtocol
from twisted.logger import Logger

from twisted_chainws.dialects.base import Dialect
from twisted_chainws.dialects.limits import Limits
from twisted_chainws.server.protocol import ChainProtocol
from twisted_chainws.server.route import Route
from twisted_chainws.websocket.seam import ConnectionOptions, ServerFactory

__all__ = ["ChainFactory", "ServerSettings"]

GOING_AWAY: Final = 1001

SWEEP_S: Final = 10.0
"""How often connections are looked through for idle ones, where there is such a bound.

Source: ``ontology.md`` 3.
"""

_SWEEP_LEAST_S: Final = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """How a listener behaves.

    Attributes:
        allow_origins: browser origins besides the loopback ones; ``*`` for all.
        allow_hosts: names of this server besides loopback names and IP literals; ``*`` for all.
        check_host: refuse other ``Host`` headers; off only where no unlocked accounts are.
        keys: accepted API keys; empty means that every key and none is accepted.
        inactive_keys: known ones that are refused with 403.
        exhausted_keys: known ones whose capacity is used up, refused with 403.
        compression: accept permessage-deflate.
        direct: write straight to the socket where that is possible.
        connections_per_key: further ones are refused with 429.
        compute_units_per_s: that one key may spend; 0 for no limit.
        compute_burst_s: seconds for which unspent ones are saved up.
        request_timeout_s: of an HTTP request, read and answer each.
        idle_timeout_s: of an HTTP connection between requests.
        limits: of every connection; None for those of its dialect.
    """

    allow_origins: tuple[str, ...] = ()
    allow_hosts: tuple[str, ...] = ()
    check_host: bool = True
    keys: tuple[str, ...] = field(default=(), repr=False)
    inactive_keys: tuple[str, ...] = field(default=(), repr=False)
    exhausted_keys: tuple[str, ...] = field(default=(), repr=False)
    compression: bool = False
    direct: bool = True
    connections_per_key: int = 20_000
    compute_units_per_s: int = 0
    compute_burst_s: float = 10.0
    request_timeout_s: float = 30.0
    idle_timeout_s: float = 120.0
    limits: Limits | None = None


class ChainFactory(ServerFactory):
    """Makes and counts the WebSocket connections of one listener.

    Attributes:
        connections: those that are open.
    """

    _log = Logger()

    def __init__(
        self, *, reactor: Any, dialects: tuple[Dialect, ...], settings: ServerSettings
    ) -> None:
        bounds = [settings.limits or dialect.limits for dialect in dialects]
        limits = max(bounds, key=lambda each: each.message_bytes)
        super().__init__(
            reactor=reactor,
            connection=ChainProtocol,
            options=ConnectionOptions(
                message_bytes=limits.message_bytes,
                compression=settings.compression,
                ping_interval_s=limits.ping_interval_s,
                ping_timeout_s=limits.ping_timeout_s,
            ),
        )
        self.connections: set[ChainProtocol] = set()
        self._direct = settings.direct
        idle = [each.idle_s for each in bounds if each.idle_s]
        self._sweep_s = max(_SWEEP_LEAST_S, min(SWEEP_S, *idle)) if idle else None
        self._reactor = reactor
        self._sweeping: IDelayedCall | None = None
        self._empty: list[Deferred[None]] = []

    def connect(self, route: Route) -> IProtocol | None:
        """Make a connection; None when its key has as many as it may."""
        connection = self.buildProtocol(None)
        if not route.account.enter(connection):
            return None
        connection.route = route
        connection.direct = self._direct
        self.connections.add(connection)
        if self._sweep_s is not None and self._sweeping is None:
            self._sweeping = self._reactor.callLater(self._sweep_s, self._sweep)
        return connection  # type: ignore[no-any-return]

    def gone(self, connection: ChainProtocol) -> None:
        """Forget a connection; called once or more."""
        if connection not in self.connections:
            return
        self.connections.discard(connection)
        connection.route.account.leave(connection)
        if not self.connections:
            if self._sweeping is not None:
                self._sweeping.cancel()
                self._sweeping = None
            waiting, self._empty = self._empty, []
            for deferred in waiting:
                deferred.callback(None)

    def _sweep(self) -> None:
        """Let every session see what time it is: one timer for all, none per message."""
        self._sweeping = self._reactor.callLater(self._sweep_s, self._sweep)
        for connection in tuple(self.connections):
            try:
                connection.sweep()
            except Exception:  # noqa: BLE001 - one broken connection must not cost the others
                self._log.failure("a sweep broke")
                connection.fail()

    def close_all(
        self, code: int = GOING_AWAY, reason: str = "server is going away"
    ) -> "Deferred[None]":
        """Close every connection; fires when all are gone, after the close timeout at last."""
        done: Deferred[None] = Deferred()
        for connection in tuple(self.connections):
            connection.close(code, reason)
        if self.connections:
            self._empty.append(done)
        else:
            done.callback(None)
        return done
