"""How a server listens: the configuration and its check. Pure.

Source: ``ohos-websocket.md`` 2.6, 2.7, 3.5.
"""

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any, Final, Literal, Self

from twisted_chainws.websocket.codes import ErrorCode, WebSocketError
from twisted_chainws.websocket.fields import from_mapping, refuse
from twisted_chainws.websocket.handshake import Handshake
from twisted_chainws.websocket.options import check_number, subprotocols
from twisted_chainws.websocket.values import ServerCert

__all__ = ["WebSocketServerConfig", "unknown_error"]

_HIGHEST_PORT: Final = 65_535
_LONGEST_S: Final = 30_000
_DEFAULT_S: Final = 30
_STRICT_LIMIT: Final = 10


@dataclass(frozen=True, slots=True)
class WebSocketServerConfig:
    """How to listen. Nothing is checked before ``start``, which fails with the documented code.

    Attributes:
        server_port: 0 to 65535; 0 for any free one, see ``WebSocketServer.address``.
        server_ip: the IPv4 or IPv6 address of the interface; ``0.0.0.0`` and ``::`` for all.
        server_cert: makes it a ``wss`` server; None for ``ws``.
        protocol: the subprotocols that are spoken, separated by commas; the first one offered by
            the client that is among them is chosen. "" for none.
        max_concurrent_clients_number: distinct client addresses at a time; further ones get 503.
        max_connections_for_one_client: connections of one address; further ones get 503.
        client_ca_path: PEM file with the roots that clients' certificates must come from; None to
            ask clients for no certificate.
        compression: accept permessage-deflate; None for no.
        allowed_origins: of browsers; others get 403. None for all, also without an origin.
        max_message_size: bytes of an incoming message, also after decompression; 0 for no limit.
        max_send_size: bytes of an outgoing message; None for no limit.
        max_unsent_size: bytes that may wait for one client to read; a client for which more would
            wait is closed with 1008. 0 for no limit.
        ping_interval: whole seconds of a client's silence after which to ping it; 0 for never.
        pong_timeout: whole seconds that a client may stay silent after a ping, at most
            ``ping_interval``; 0 for ever, None for 30 or the interval if that is less.
        open_timeout: seconds for TLS, the handshake, and the decision of ``accept``.
        close_timeout: seconds for the client's Close after ours.
        max_pending_handshakes: connections without a finished handshake; further ones are cut.
        max_handshakes_per_minute: of one address, one more bans it with 429; None for no limit.
        ban_seconds: for so long.
        accept: is asked about each handshake after the limits. True or None lets it in, a string
            lets it in with that subprotocol, False is 403, ``Refuse`` may be raised. It may be a
            coroutine function or return a Deferred.
        permission_check: is asked for address and port, and returns whether we may listen there.
        strict: report an occupied port as the documented 2302005, not as 2302007.
        strict_limits: refuse limits above 10 with 2302999, as the reference does.
    """

    server_port: int
    server_ip: str = "0.0.0.0"  # noqa: S104 - the documented default
    server_cert: ServerCert | None = None
    protocol: str = ""
    max_concurrent_clients_number: int = 10
    max_connections_for_one_client: int = 10
    _: KW_ONLY
    client_ca_path: str | None = None
    compression: Literal["deflate"] | None = "deflate"
    allowed_origins: tuple[str, ...] | None = None
    max_message_size: int = 16 * 1024 * 1024
    max_send_size: int | None = 5 * 1024 * 1024
    max_unsent_size: int = 16 * 1024 * 1024
    ping_interval: int = _DEFAULT_S
    pong_timeout: int | None = None
    open_timeout: float = 10.0
    close_timeout: float = 10.0
    max_pending_handshakes: int = 1_000
    max_handshakes_per_minute: int | None = None
    ban_seconds: float = 60.0
    accept: Callable[[Handshake], object] | None = None
    permission_check: Callable[[str, int], bool] | None = None
    strict: bool = True
    strict_limits: bool = False

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Self:
        """Make a configuration of parsed JSON, with names of Python or of the reference.

        Raises:
            WebSocketError: 401; an unknown name, or values of a wrong type.
        """
        config = from_mapping(
            cls,
            given,
            {
                "server_cert": lambda value: (
                    from_mapping(ServerCert, value) if isinstance(value, Mapping) else value
                ),
                "allowed_origins": lambda value: tuple(value) if isinstance(value, list) else value,
            },
        )
        config.check_types()
        return config

    @property
    def deadline_s(self) -> float:
        """Seconds that a client may stay silent after a ping; 0 for ever."""
        return (
            min(_DEFAULT_S, self.ping_interval) if self.pong_timeout is None else self.pong_timeout
        )

    @property
    def subprotocols(self) -> tuple[str, ...]:
        """The names in ``protocol``."""
        return subprotocols(self.protocol)

    def check_types(self) -> None:
        """Check everything that is a parameter error.

        Raises:
            WebSocketError: 401.
        """
        if not isinstance(self.server_port, int) or isinstance(self.server_port, bool):
            raise refuse("server_port: not a whole number")
        if not isinstance(self.server_ip, str):
            raise refuse("server_ip: not a string")
        subprotocols(self.protocol)
        self._check_files()
        self._check_numbers()
        self._check_rest()

    def check_place(self) -> None:
        """Check where to listen, then the limits as the reference does.

        Raises:
            WebSocketError: 2302004, 2302005, or 2302999 with ``strict_limits``.
        """
        try:
            ipaddress.ip_address(self.server_ip)
        except ValueError:
            raise WebSocketError(
                ErrorCode.INVALID_NIC, data="server_ip: not an IPv4 or IPv6 address"
            ) from None
        if not 0 <= self.server_port <= _HIGHEST_PORT:
            raise WebSocketError(ErrorCode.INVALID_PORT, data="server_port: out of range")
        largest = max(self.max_concurrent_clients_number, self.max_connections_for_one_client)
        if self.strict_limits and largest > _STRICT_LIMIT:
            raise unknown_error("a limit is above 10")

    def _check_files(self) -> None:
        cert = self.server_cert
        if cert is not None and not (
            isinstance(cert, ServerCert)
            and isinstance(cert.cert_path, str)
            and isinstance(cert.key_path, str)
        ):
            raise refuse("server_cert: not a ServerCert with two paths")
        if self.client_ca_path is not None:
            if not isinstance(self.client_ca_path, str):
                raise refuse("client_ca_path: not a string")
            if cert is None:
                raise refuse("client_ca_path: without server_cert there is no TLS")

    def _check_numbers(self) -> None:
        for name in (
            "max_concurrent_clients_number",
            "max_connections_for_one_client",
            "max_pending_handshakes",
        ):
            check_number(name, getattr(self, name), 1)
        for name in ("max_message_size", "max_unsent_size"):
            check_number(name, getattr(self, name), 0)
        if self.max_send_size is not None:
            check_number("max_send_size", self.max_send_size, 0)
        if self.max_handshakes_per_minute is not None:
            check_number("max_handshakes_per_minute", self.max_handshakes_per_minute, 1)
        check_number("ping_interval", self.ping_interval, 0, _LONGEST_S)
        if self.pong_timeout is not None:
            check_number("pong_timeout", self.pong_timeout, 0, self.ping_interval)
        for name in ("open_timeout", "close_timeout", "ban_seconds"):
            value = getattr(self, name)
            if type(value) not in (int, float) or not 0 < value < float("inf"):
                raise refuse(f"{name}: not a positive number")

    def _check_rest(self) -> None:
        if self.compression not in ("deflate", None):
            raise refuse('compression: neither "deflate" nor None')
        origins = self.allowed_origins
        if origins is not None and not (
            isinstance(origins, tuple) and all(isinstance(origin, str) for origin in origins)
        ):
            raise refuse("allowed_origins: not a tuple of strings")
        for name in ("accept", "permission_check"):
            value = getattr(self, name)
            if value is not None and not callable(value):
                raise refuse(f"{name}: not callable")
        for name in ("strict", "strict_limits"):
            if type(getattr(self, name)) is not bool:
                raise refuse(f"{name}: not a bool")


def unknown_error(detail: str | None) -> WebSocketError:
    """Return a server's 2302999, which the document words otherwise than a client's."""
    return WebSocketError(ErrorCode.INTERNAL_ERROR, "Websocket other unknown error.", data=detail)
