"""The proxy that the system names: environment variables, or what the platform has for it.

Source: ``ohos-websocket.md`` 2.4; RFC 6455 4.1 for the order; ``urllib.request`` for the meaning of
the variables, to which networks in ``no_proxy`` are added.
"""

from typing import Final
from urllib.request import getproxies, proxy_bypass

from twisted_chainws.websocket.exclusion import in_networks
from twisted_chainws.websocket.proxy_server import ProxyServer, parse_proxy

__all__ = ["system_proxy"]

_PLAIN: Final = ("ws", "socks", "all", "https", "http")
_SECURE: Final = ("wss", "socks", "all", "https")


def system_proxy(*, secure: bool, host: str, port: int) -> ProxyServer | None:
    """Return the system's proxy to a target, None for none. Reads the environment anew.

    Args:
        secure: whether the URL says ``wss``.
        host: of the target, IPv6 addresses without brackets.
        port: of the target.

    Raises:
        WebSocketError: 401; a proxy is named, but cannot be used.
    """
    proxies = getproxies()
    name = next((each for each in (_SECURE if secure else _PLAIN) if each in proxies), None)
    if name is None or _bypassed(host, port, proxies.get("no", "")):
        return None
    return parse_proxy(_socks_url(proxies[name]) if name == "socks" else proxies[name])


def _bypassed(host: str, port: int, no_proxy: str) -> bool:
    return bool(proxy_bypass(f"{host}:{port}")) or in_networks(host, port, no_proxy.split(","))


def _socks_url(url: str) -> str:
    """Return a URL with the scheme that was meant; some platforms say http, for want of a word."""
    address = url.removeprefix("http://")
    return address if "://" in address else f"socks5h://{address}"
