"""How a client connects: the options and their check. Pure.

Source: ``ohos-websocket.md`` 2.2, 2.7.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Self

from twisted_chainws.websocket.codes import TlsVersion
from twisted_chainws.websocket.fields import from_mapping, refuse
from twisted_chainws.websocket.values import ClientCert, HttpProxy, ProxyConfiguration

__all__ = [
    "MAX_URL_LENGTH", "MAX_URL_LENGTH_LEGACY", "WebSocketRequestOptions", "check_number",
    "subprotocols",
]  # fmt: skip

MAX_URL_LENGTH: Final = 2048
MAX_URL_LENGTH_LEGACY: Final = 1024
_LONGEST_S: Final = 30_000
_DEFAULT_S: Final = 30
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_BAD_IN_VALUE: Final = re.compile(r"[\r\n\0\ud800-\udfff]")
"""What would break a line of a header, and halves of surrogate pairs, which UTF-8 does not have."""
_OURS: Final = frozenset({"host", "upgrade", "connection"})
_HIGHEST_PORT: Final = 65_535


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSocketRequestOptions:
    """How to connect. Nothing is checked before ``connect``, which fails with 401.

    Attributes:
        header: more request headers; not those of the handshake itself.
        ca_path: PEM file with all the roots to trust; they replace the system's. None for those.
        client_cert: who we are; None for nobody.
        proxy: see ``ProxyConfiguration``.
        protocol: subprotocols to offer, best first, separated by commas; "" for none.
        skip_server_cert_verification: accept any certificate. Not for production.
        ping_interval: whole seconds of silence after which to ping, 0 to 30000; 0 for never.
        pong_timeout: whole seconds that the server may stay silent after a ping, at most
            ``ping_interval``; 0 for ever, None for 30 or the interval if that is less.
        origin: of the request; None for none.
        min_tls_version: None for the library's choice.
        compression: offer permessage-deflate; None for no.
        max_message_size: bytes of an incoming message, also after decompression; 0 for no limit.
        max_send_size: bytes of an outgoing message; None for no limit.
        open_timeout: seconds for proxy, TLS and handshake together.
        close_timeout: seconds for the server's Close after ours and for the end after its Close.
        max_url_length: characters.
        allowed_hosts: names and addresses to connect to, or a function that allows one; None for
            all. Others fail with 2302998.
        permission_check: is asked for the URL and returns whether we may connect; None for yes.
        max_queue: messages that wait for ``recv`` or iteration before reading pauses.
    """

    header: Mapping[str, str] | None = field(default=None, repr=False)
    ca_path: str | None = None
    client_cert: ClientCert | None = None
    proxy: ProxyConfiguration = "system"
    protocol: str = ""
    skip_server_cert_verification: bool = False
    ping_interval: int = _DEFAULT_S
    pong_timeout: int | None = None
    origin: str | None = None
    min_tls_version: TlsVersion | None = None
    compression: Literal["deflate"] | None = "deflate"
    max_message_size: int = 16 * 1024 * 1024
    max_send_size: int | None = 5 * 1024 * 1024
    open_timeout: float = 10.0
    close_timeout: float = 10.0
    max_url_length: int = MAX_URL_LENGTH
    allowed_hosts: Collection[str] | Callable[[str], bool] | None = None
    permission_check: Callable[[str], bool] | None = None
    max_queue: int = 16

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Self:
        """Make options of parsed JSON, with names of Python or of the reference.

        Raises:
            WebSocketError: 401; an unknown name, or values of a wrong type or out of range.
        """
        options = from_mapping(
            cls,
            given,
            {"client_cert": _client_cert, "proxy": _proxy},
            also={"minSupportTlsProtocol": "min_tls_version"},
        )
        options.check()
        return options

    @property
    def deadline_s(self) -> float:
        """Seconds that the server may stay silent after a ping; 0 for ever."""
        return (
            min(_DEFAULT_S, self.ping_interval) if self.pong_timeout is None else self.pong_timeout
        )

    def check(self) -> None:
        """Check types and ranges, not files.

        Raises:
            WebSocketError: 401.
        """
        _check_headers(self.header)
        _check_proxy(self.proxy)
        subprotocols(self.protocol)
        if self.ca_path is not None and not isinstance(self.ca_path, str):
            raise refuse("ca_path: not a string")
        if self.origin is not None and (
            not isinstance(self.origin, str) or _BAD_IN_VALUE.search(self.origin)
        ):
            raise refuse("origin: not a string, or it breaks its line")
        _check_cert(self.client_cert)
        if type(self.skip_server_cert_verification) is not bool:
            raise refuse("skip_server_cert_verification: not a bool")
        if self.compression not in ("deflate", None):
            raise refuse('compression: neither "deflate" nor None')
        self._check_numbers()
        self._check_hooks()

    def _check_numbers(self) -> None:
        check_number("ping_interval", self.ping_interval, 0, _LONGEST_S)
        if self.pong_timeout is not None:
            check_number("pong_timeout", self.pong_timeout, 0, _LONGEST_S)
            if self.pong_timeout > self.ping_interval:
                raise refuse("pong_timeout: longer than ping_interval")
        check_number("max_message_size", self.max_message_size, 0)
        if self.max_send_size is not None:
            check_number("max_send_size", self.max_send_size, 0)
        check_number("max_url_length", self.max_url_length, 1)
        check_number("max_queue", self.max_queue, 1)
        for name in ("open_timeout", "close_timeout"):
            value = getattr(self, name)
            if type(value) not in (int, float) or not 0 < value < float("inf"):
                raise refuse(f"{name}: not a positive number")

    def _check_hooks(self) -> None:
        floor = self.min_tls_version
        if isinstance(floor, bool) or floor not in (None, *TlsVersion):
            raise refuse("min_tls_version: not one of TlsVersion")
        hosts: Any = self.allowed_hosts
        if not (hosts is None or callable(hosts)) and (
            isinstance(hosts, str | bytes)
            or not isinstance(hosts, Collection)
            or not all(isinstance(one, str) for one in hosts)
        ):
            raise refuse("allowed_hosts: neither a collection of names nor callable")
        if self.permission_check is not None and not callable(self.permission_check):
            raise refuse("permission_check: not callable")


def subprotocols(names: object) -> tuple[str, ...]:
    """Split a list of subprotocols at its commas.

    Raises:
        WebSocketError: 401; not a string, a name that is no token, or one twice.
    """
    if not isinstance(names, str):
        raise refuse("protocol: not a string")
    if not names.strip():
        return ()
    found = tuple(name.strip() for name in names.split(","))
    if len(set(found)) < len(found) or not all(map(_TOKEN.fullmatch, found)):
        raise refuse("protocol: a name is no token or is there twice")
    return found


def check_number(name: str, value: object, least: int, most: int | None = None) -> None:
    """Check a whole number, which a bool is not.

    Raises:
        WebSocketError: 401.
    """
    if not isinstance(value, int) or isinstance(value, bool):
        raise refuse(f"{name}: not a whole number")
    if value < least or (most is not None and value > most):
        raise refuse(f"{name}: out of range")


def _check_headers(header: object) -> None:
    if header is None:
        return
    if not isinstance(header, Mapping):
        raise refuse("header: not a mapping")
    for name, value in header.items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise refuse("header: names and values must be strings")
        lower = name.lower()
        if not _TOKEN.fullmatch(name) or lower in _OURS or lower.startswith("sec-websocket-"):
            raise refuse(f"header: {name!r} is no token or belongs to the handshake")
        if _BAD_IN_VALUE.search(value):
            raise refuse(f"header: the value of {name!r} breaks its line or is no text")
    if len({name.lower() for name in header}) < len(header):
        raise refuse("header: a name is there twice")


def _check_cert(cert: Any) -> None:
    if cert is None:
        return
    if not isinstance(cert, ClientCert):
        raise refuse("client_cert: not a ClientCert")
    if not all(isinstance(one, str) for one in (cert.cert_path, cert.key_path, cert.key_password)):
        raise refuse("client_cert: not strings")


def _check_proxy(proxy: Any) -> None:
    if isinstance(proxy, str) and proxy in ("system", "no-proxy"):
        return
    if not isinstance(proxy, HttpProxy):
        raise refuse('proxy: neither "system", "no-proxy" nor an HttpProxy')
    if not isinstance(proxy.host, str) or not proxy.host or _BAD_IN_VALUE.search(proxy.host):
        raise refuse("proxy: host")
    check_number("proxy: port", proxy.port, 0, _HIGHEST_PORT)
    names: Any = proxy.exclusion_list
    if not isinstance(names, list | tuple) or not all(isinstance(one, str) for one in names):
        raise refuse("proxy: exclusion_list")
    if not all(one is None or isinstance(one, str) for one in (proxy.username, proxy.password)):
        raise refuse("proxy: username and password")


def _client_cert(given: object) -> Any:
    return from_mapping(ClientCert, given) if isinstance(given, Mapping) else given


def _proxy(given: object) -> Any:
    if not isinstance(given, Mapping):
        return given
    return from_mapping(HttpProxy, given, {"exclusion_list": _names})


def _names(given: Any) -> Any:
    return tuple(given) if isinstance(given, list) else given
