"""URL paths: which dialect, which network, whose key. No I/O."""

import base64
import binascii
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import unquote

import orjson

from twisted_chainws.dialects.base import Dialect
from twisted_chainws.dialects.limits import Limits
from twisted_chainws.server.accounts import Accounts, Standing
from twisted_chainws.server.route import Gateway, Route
from twisted_chainws.websocket.handshake import Refuse

__all__ = ["NETWORKS", "Routes", "refusal"]

NETWORKS: Final = ("eth", "etc", "bsc", "kcc", "kcs")
"""Slugs of Tokenview paths. Source: ``ethereum.md`` 1.1; ``kcc`` and ``kcs`` are the same."""

_SAME: Final = {"kcc": "kcs", "kcs": "kcc"}
_KEYED: Final = frozenset({"v2", "ws"})
_TOKENVIEW: Final = ("vipapi", "websocket", "node")
_INVALID_REQUEST: Final = -32_600

_REFUSED: Final[Mapping[Standing, tuple[int, str]]] = {
    Standing.MISSING: (401, "Must be authenticated!"),
    Standing.UNKNOWN: (401, "Invalid access key"),
    Standing.INACTIVE: (403, "App is inactive."),
    Standing.EXHAUSTED: (403, "Monthly capacity limit exceeded."),
}
"""Source: ``ethereum.md`` 1.1 (Alchemy, "Error Reference")."""


class Routes:
    """The paths of one listener."""

    def __init__(
        self,
        *,
        dialect: Dialect | None,
        catalog: tuple[Dialect, ...],
        services: Mapping[str, Gateway],
        accounts: Accounts,
        limits: Limits | None,
    ) -> None:
        """Lay the paths out.

        Args:
            dialect: the only one spoken here; None for the combined listener.
            catalog: all dialects; used by the combined listener.
            services: network name -> its service; the first one is where paths without a
                network lead. A single one with a name of its own is every known network.
            accounts: whose keys are accepted.
            limits: of every connection, or None for those of its dialect.
        """
        self.dialects = catalog if dialect is None else (dialect,)
        self._combined = dialect is None
        self._by_name = {known.name: known for known in self.dialects}
        self._services = {name.lower(): service for name, service in services.items()}
        self._default = next(iter(services.values()))
        self._accounts = accounts
        self._any_network = len(services) == 1 and not set(self._services) & set(NETWORKS)
        self._limits = limits

    def services(self) -> Iterator[Gateway]:
        """Yield each service once."""
        yield from {id(service): service for service in self._services.values()}.values()

    def find(self, path: str, authorization: str | None) -> Route:
        """Return where a request path leads.

        Args:
            path: without the query, percent-encoded.
            authorization: header value; ``Bearer <key>`` stands in for a key in the path, and so
                does the password of ``Basic`` credentials, or their name where it is empty.

        Raises:
            Refuse: 404 for an unknown path or network, 401 for a missing or wrong key, 403 for one
                that is known and not served.
        """
        segments = [unquote(segment) for segment in path.split("/")[1:]]
        dialects, service, key = self._resolve(segments)
        key = key or _credential(authorization)
        refused = _REFUSED.get(self._accounts.standing(key))
        if refused is not None:
            raise refusal(*refused)
        return Route(
            dialects=dialects,
            service=service,
            key=key,
            account=self._accounts.of(key),
            limits=self._limits,
        )

    def _resolve(self, segments: list[str]) -> tuple[tuple[Dialect, ...], Gateway, str | None]:
        if not self._combined and self.dialects[0].any_path:
            return self.dialects, self._default, None
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
        if self._any_network and name in NETWORKS:
            return self._default
        service = self._services.get(name) or self._services.get(_SAME.get(name, ""))
        if service is None:
            raise Refuse(status=404, body=b"not found")
        return service


def refusal(status: int, message: str, code: int = _INVALID_REQUEST) -> Refuse:
    """Return a refusal whose body is a JSON-RPC error. Source: ``ethereum.md`` 1.1."""
    body = {"jsonrpc": "2.0", "id": None, "error": {"code": code, "message": message}}
    return Refuse(status=status, body=orjson.dumps(body), content_type="application/json")


def _credential(authorization: str | None) -> str | None:
    """Return the key in an ``Authorization`` header, None without one. Source: RFC 6750, 7617."""
    scheme, _, token = (authorization or "").strip().partition(" ")
    token = token.strip()
    if scheme.lower() == "bearer":
        return token or None
    if scheme.lower() != "basic":
        return None
    try:
        name, colon, password = base64.b64decode(token, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    return (password or name or None) if colon else None


def _at(segments: list[str], index: int) -> str | None:
    return segments[index] or None if len(segments) > index else None
