"""URL paths: which dialect, which network, whose key. No I/O."""

from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import unquote

import orjson

from twisted_chainws.dialects.base import Dialect, Limits
from twisted_chainws.server.access import key_allowed
from twisted_chainws.server.protocol import Gateway, Route
from twisted_chainws.websocket.handshake import Refuse

__all__ = ["NETWORKS", "Routes", "refusal"]

NETWORKS: Final = ("eth", "etc", "bsc", "kcc", "kcs")
"""Slugs of Tokenview paths. Source: ``ethereum.md`` 1.1; ``kcc`` and ``kcs`` are the same."""

_SAME: Final = {"kcc": "kcs", "kcs": "kcc"}
_KEYED: Final = frozenset({"v2", "ws"})
_TOKENVIEW: Final = ("vipapi", "websocket", "node")
_INVALID_REQUEST: Final = -32_600


class Routes:
    """The paths of one listener."""

    def __init__(
        self,
        *,
        dialect: Dialect | None,
        catalog: tuple[Dialect, ...],
        services: Mapping[str, Gateway],
        keys: tuple[str, ...],
        limits: Limits | None,
    ) -> None:
        """Lay the paths out.

        Args:
            dialect: the only one spoken here; None for the combined listener.
            catalog: all dialects; used by the combined listener.
            services: network name -> its service; the first one is where paths without a
                network lead. With a single one, every known network is that one.
            keys: accepted API keys; empty means that every key and none is accepted.
            limits: of every connection, or None for those of its dialect.
        """
        self.dialects = catalog if dialect is None else (dialect,)
        self._combined = dialect is None
        self._by_name = {known.name: known for known in self.dialects}
        self._services = {name.lower(): service for name, service in services.items()}
        self._default = next(iter(services.values()))
        self._keys = keys
        self._limits = limits

    def services(self) -> Iterator[Gateway]:
        """Yield each service once."""
        yield from {id(service): service for service in self._services.values()}.values()

    def find(self, path: str, authorization: str | None) -> Route:
        """Return where a request path leads.

        Args:
            path: without the query, percent-encoded.
            authorization: header value; ``Bearer <key>`` stands in for a key in the path.

        Raises:
            Refuse: 404 for an unknown path or network, 401 for a missing or wrong key.
        """
        segments = [unquote(segment) for segment in path.split("/")[1:]]
        dialects, service, key = self._resolve(segments)
        key = self._checked(key or _bearer(authorization))
        return Route(dialects=dialects, service=service, key=key, limits=self._limits)

    def _resolve(self, segments: list[str]) -> tuple[tuple[Dialect, ...], Gateway, str | None]:
        head = segments[0] if segments else ""
        if segments in ([], [""]):
            return self.dialects, self._default, None
        if head in self._by_name and segments[1:] in ([], [""]):
            return (self._by_name[head],), self._default, None
        ethereum = self._by_name.get("ethereum")
        if ethereum is not None and head in _KEYED and len(segments) <= 2:  # noqa: PLR2004
            return (ethereum,), self._default, _at(segments, 1)
        if ethereum is not None and tuple(segments[:3]) == _TOKENVIEW and 4 <= len(segments) <= 5:  # noqa: PLR2004
            return (ethereum,), self._network(segments[3]), _at(segments, 4)
        raise Refuse(status=404, body=b"not found")

    def _network(self, slug: str) -> Gateway:
        name = slug.lower()
        if len(self._services) == 1 and name in NETWORKS:
            return self._default
        service = self._services.get(name) or self._services.get(_SAME.get(name, ""))
        if service is None:
            raise Refuse(status=404, body=b"not found")
        return service

    def _checked(self, key: str | None) -> str | None:
        if not self._keys:
            return key
        if not key:
            raise refusal(401, "Must be authenticated!")
        if not key_allowed(key, self._keys):
            raise refusal(401, "Invalid access key")
        return key


def refusal(status: int, message: str, code: int = _INVALID_REQUEST) -> Refuse:
    """Return a refusal whose body is a JSON-RPC error. Source: ``ethereum.md`` 1.1."""
    body = {"jsonrpc": "2.0", "id": None, "error": {"code": code, "message": message}}
    return Refuse(status=status, body=orjson.dumps(body), content_type="application/json")


def _bearer(authorization: str | None) -> str | None:
    scheme, _, token = (authorization or "").strip().partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def _at(segments: list[str], index: int) -> str | None:
    return segments[index] or None if len(segments) > index else None
