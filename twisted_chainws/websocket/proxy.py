"""Which proxy leads to a target, if any, and how to dial through it.

Source: ``ohos-websocket.md`` 2.4, 4.4.
"""

from collections.abc import Callable
from typing import Any

from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator, IStreamClientEndpoint

from twisted_chainws.websocket.exclusion import excluded
from twisted_chainws.websocket.http_connect import HttpConnect
from twisted_chainws.websocket.proxy_server import ProxyServer
from twisted_chainws.websocket.socks import Socks5
from twisted_chainws.websocket.system_proxy import system_proxy
from twisted_chainws.websocket.tunnel import Dialogue, TunnelEndpoint
from twisted_chainws.websocket.values import ProxyConfiguration

__all__ = ["choose_proxy", "dial_endpoint", "through"]


def choose_proxy(
    *, secure: bool, host: str, port: int, setting: ProxyConfiguration
) -> ProxyServer | None:
    """Return the proxy to a target, None to go straight there.

    Args:
        secure: whether the URL says ``wss``.
        host: of the target, never the proxy's; ASCII, IPv6 addresses without brackets.
        port: of the target.
        setting: of the options; the environment is read only for ``system``, and each time.

    Raises:
        WebSocketError: 401; the environment names a proxy that cannot be used, or the credentials
            cannot be sent.
    """
    if setting == "no-proxy":
        return None
    if setting == "system":
        return system_proxy(secure=secure, host=host, port=port)
    if excluded(host, port, setting.exclusion_list):
        return None
    return ProxyServer(
        scheme="http",
        host=setting.host,
        port=setting.port,
        username=setting.username,
        password=setting.password,
    )


def dial_endpoint(
    reactor: Any,
    *,
    host: str,
    port: int,
    tls: IOpenSSLClientConnectionCreator | None,
    proxy: ProxyServer | None,
    proxy_tls: Callable[[str], IOpenSSLClientConnectionCreator],
    timeout_s: float,
) -> IStreamClientEndpoint:
    """Return an endpoint to a target, through a proxy and with TLS as wanted.

    Its Deferred fires before TLS with the target is negotiated, and is cancelled to give up.

    Args:
        reactor: dials.
        host: of the target.
        port: of the target.
        tls: verifies the target; None for a plain connection.
        proxy: from ``choose_proxy``.
        proxy_tls: makes what verifies a proxy by its host; not called for plain proxies.
        timeout_s: for the TCP connection; whoever dials limits the rest.
    """
    if proxy is None:
        endpoint: IStreamClientEndpoint = HostnameEndpoint(reactor, host, port, timeout=timeout_s)
    else:
        near: IStreamClientEndpoint = HostnameEndpoint(
            reactor, proxy.host, proxy.port, timeout=timeout_s
        )
        if proxy.scheme == "https":
            near = wrapClientTLS(proxy_tls(proxy.host), near, reactor)
        endpoint = through(proxy, near, host, port)
    return endpoint if tls is None else wrapClientTLS(tls, endpoint, reactor)


def through(
    proxy: ProxyServer, endpoint: IStreamClientEndpoint, host: str, port: int
) -> IStreamClientEndpoint:
    """Return an endpoint to a target beyond a proxy that ``endpoint`` leads to.

    It fails with ``tunnel.ProxyRefused`` when the proxy does not connect us.

    Args:
        proxy: which language it speaks, and the credentials for it.
        endpoint: to the proxy, with TLS if that wants it.
        host: of the target; the proxy looks it up.
        port: of the target.
    """

    def dialogue() -> Dialogue:
        speak = Socks5 if proxy.is_socks else HttpConnect
        return speak(host, port, proxy.credentials)

    return TunnelEndpoint(endpoint, dialogue)
