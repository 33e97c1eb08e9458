"""Who may come in: the Host and Origin rule and API keys. Pure functions on header values.

A web page can make a browser talk to a server on the visitor's own machine. Its ``Origin`` gives
it away; and where DNS rebinding makes the page's own name point here, the ``Host`` does.
"""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

__all__ = ["host_allowed", "is_loopback", "key_allowed", "origin_allowed", "redact"]

_DEFAULT_PORTS: Final = {"http": 80, "ws": 80, "https": 443, "wss": 443}
_SHOWN: Final = 4


def host_allowed(header: str | None, allowed: Iterable[str] = ()) -> bool:
    """Tell whether a ``Host`` header names us.

    Args:
        header: its value, None when absent (HTTP/1.0: no browser sends that).
        allowed: more names, ``*`` for all.

    Returns:
        True for IP literals, ``localhost``, names below it, and the allowed ones.

    Source: ``ethereum.md`` 1.8 (go-ethereum's virtual hosts: IP literals always pass).
    """
    if header is None:
        return True
    parts = _split(f"//{header.strip()}")
    if parts is None:
        return False
    names = {name.lower() for name in allowed}
    host = parts.host
    return "*" in names or host in names or is_loopback(host) or _is_literal(host)


def origin_allowed(origin: str | None, rules: Iterable[str] = ()) -> bool:
    """Tell whether a browser's ``Origin`` may talk to us.

    Args:
        origin: header value, None when absent (not a browser's page).
        rules: ``*``, or origins of which scheme, host or port may be left out; only the parts that
            are there are compared.

    Returns:
        True for no origin, for loopback origins of any scheme and port, and for those in rules;
        never for ``null`` unless everything is allowed.

    Source: ``ethereum.md`` 1.1 (go-ethereum ``rpc/websocket.go`` ruleAllowsOrigin).
    """
    wanted = tuple(rules)
    if origin is None or "*" in wanted:
        return True
    parts = _split(origin.strip())
    if parts is None or not parts.scheme:
        return False
    return is_loopback(parts.host) or any(_matches(rule, parts) for rule in wanted)


def is_loopback(host: str) -> bool:
    """Tell whether a host, in lower case and without brackets, can only be this machine."""
    return host in ("localhost", "127.0.0.1", "::1") or host.endswith(".localhost")


def key_allowed(key: str, keys: Iterable[str]) -> bool:
    """Compare a key with each known one, in constant time."""
    given = key.encode("utf-8", "surrogatepass")
    found = False
    for known in keys:
        found |= hmac.compare_digest(given, known.encode("utf-8"))
    return found


def redact(key: str | None) -> str:
    """Return a key fit for logs: its first four characters."""
    return "-" if key is None else f"{key[:_SHOWN]}…"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """An origin taken apart; empty and None where a part is missing."""

    scheme: str
    host: str
    port: int | None


def _split(text: str) -> _Parts | None:
    """Take ``scheme://host:port`` apart; None when it is anything else."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if not host or "@" in parts.netloc or parts.path or parts.query or parts.fragment:
        return None
    scheme = parts.scheme.lower()
    if port is None:
        port = _DEFAULT_PORTS.get(scheme)
    return _Parts(scheme=scheme, host=host.lower().rstrip("."), port=port)


def _matches(rule: str, origin: _Parts) -> bool:
    """Compare the parts that a rule has; a port is only there when it is written."""
    text = rule.strip().lower().rstrip("/")
    scheme, separator, rest = text.rpartition("://")
    wanted = _split(f"{scheme}{separator}{rest}" if separator else f"//{text}")
    if wanted is None or (wanted.scheme and wanted.scheme != origin.scheme):
        return False
    if wanted.host != origin.host:
        return False
    # A whole origin means its default port; a bare name means any.
    return wanted.port is None or wanted.port == origin.port


def _is_literal(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
