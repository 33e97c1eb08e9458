"""Numbers, names of events, and errors of the WebSocket objects. Pure.

::

    WebSocketError
    ├── ConnectFailed        200: only in an ``error`` event, or from ``when_open``
    ├── ParameterError       401
    ├── UrlError             2302001
    ├── CertificateNotFound  2302002
    ├── AlreadyConnected     2302003
    ├── ConnectionNotFound   2302006
    ├── NotOpen              2302999, the state does not allow the call
    └── ConnectionClosed     2302999, the connection ended while someone waited for it

Source: ``ohos-websocket.md`` 3.4, 3.5 (OpenHarmony ``errorcode-net-webSocket.md``).
"""

from enum import IntEnum, StrEnum
from typing import Any, Final, Self

from twisted_chainws.websocket.values import CloseResult

__all__ = [
    "MESSAGES", "REGULAR", "SENDABLE", "AlreadyConnected", "CertificateNotFound", "ClientEvent",
    "CloseCode", "ConnectFailed", "ConnectionClosed", "ConnectionNotFound", "ErrorCode", "NotOpen",
    "ParameterError", "ServerEvent", "TlsVersion", "UrlError", "WebSocketError",
]  # fmt: skip


class ErrorCode(IntEnum):
    """Why a call or a connection failed."""

    CONNECT_FAILED = 200
    PERMISSION_DENIED = 201
    PARAMETER_ERROR = 401
    URL_ERROR = 2302001
    CERT_NOT_FOUND = 2302002
    ALREADY_CONNECTED = 2302003
    INVALID_NIC = 2302004
    INVALID_PORT = 2302005
    CONNECTION_NOT_FOUND = 2302006
    PORT_OCCUPIED = 2302007
    DOMAIN_NOT_ALLOWED = 2302998
    INTERNAL_ERROR = 2302999


MESSAGES: Final = {
    ErrorCode.CONNECT_FAILED: "Websocket connect failed",
    ErrorCode.PERMISSION_DENIED: "Permission denied.",
    ErrorCode.PARAMETER_ERROR: "Parameter error.",
    ErrorCode.URL_ERROR: "Websocket url error.",
    ErrorCode.CERT_NOT_FOUND: "Websocket certificate file does not exist.",
    ErrorCode.ALREADY_CONNECTED: "Websocket connection already exists.",
    ErrorCode.INVALID_NIC: "Can't listen on the given NIC.",
    ErrorCode.INVALID_PORT: "Can't listen on the given Port.",
    ErrorCode.CONNECTION_NOT_FOUND: "websocket connection does not exist.",
    ErrorCode.PORT_OCCUPIED: "Websocket port already occupied",
    ErrorCode.DOMAIN_NOT_ALLOWED: "It is not allowed to access this domain.",
    ErrorCode.INTERNAL_ERROR: "Internal error.",
}
"""The documented words. A server's start says "Websocket other unknown error." for the last."""


class CloseCode(IntEnum):
    """Why a connection ended; not all of them may be sent, see ``SENDABLE``."""

    NORMAL = 1000
    GOING_AWAY = 1001
    PROTOCOL_ERROR = 1002
    UNSUPPORTED_DATA = 1003
    NO_STATUS = 1005
    ABNORMAL = 1006
    INVALID_PAYLOAD = 1007
    POLICY_VIOLATION = 1008
    MESSAGE_TOO_BIG = 1009
    MANDATORY_EXTENSION = 1010
    INTERNAL_ERROR = 1011
    SERVICE_RESTART = 1012
    TRY_AGAIN_LATER = 1013
    BAD_GATEWAY = 1014
    TLS_HANDSHAKE = 1015


REGULAR: Final = frozenset({1000, 1001, 1005})
"""Codes of an end that both sides wanted, after which iteration ends quietly; 1005 stands for none.

Source: ``OK_CLOSE_CODES`` of ``websockets`` 17."""

SENDABLE: Final = frozenset({*range(1000, 1004), *range(1007, 1014), *range(3000, 5000)})
"""Codes that an application may close with."""


class ClientEvent(StrEnum):
    """What a ``WebSocket`` tells its listeners; the values are the reference's names."""

    OPEN = "open"
    MESSAGE = "message"
    CLOSE = "close"
    ERROR = "error"
    DATA_END = "dataEnd"
    HEADER_RECEIVE = "headerReceive"


class ServerEvent(StrEnum):
    """What a ``WebSocketServer`` tells its listeners; the values are the reference's names."""

    CONNECT = "connect"
    MESSAGE_RECEIVE = "messageReceive"
    CLOSE = "close"
    ERROR = "error"


class TlsVersion(IntEnum):
    """The least TLS version to accept. Source: reference option ``minSupportTlsProtocol``."""

    TLS_V_1_0 = 0
    TLS_V_1_1 = 1
    TLS_V_1_2 = 2
    TLS_V_1_3 = 3


class WebSocketError(Exception):
    """A call or a connection failed; what caused it is in ``__cause__``.

    ``WebSocketError(code)`` makes the subclass that belongs to the code, if there is one.

    Attributes:
        code: what kind of failure.
        message: the documented words for it.
        data: more about this one, None for nothing; for ``CONNECT_FAILED`` the HTTP status in
            decimal, "0" if there was no answer.
        http_status: of the server's or proxy's refusal, None if there was none.
    """

    def __new__(cls, code: int | None = None, *_: Any, **__: Any) -> Self:
        """Choose the class by the code."""
        chosen: Any = _CLASSES.get(code, cls) if cls is WebSocketError else cls
        made: Self = super().__new__(chosen)
        return made

    def __init__(
        self,
        code: int,
        message: str | None = None,
        data: str | None = None,
        http_status: int | None = None,
    ) -> None:
        self.code = ErrorCode(code)
        self.message = MESSAGES[self.code] if message is None else message
        self.data = data
        self.http_status = http_status
        super().__init__(self.code, self.message, self.data, self.http_status)

    def __str__(self) -> str:
        detail = "" if self.data is None else f" ({self.data})"
        return f"{int(self.code)} {self.message}{detail}"


class ConnectFailed(WebSocketError):
    """The connection could not be made, or was lost without a closing handshake."""


class ParameterError(WebSocketError):
    """An argument has the wrong type or is out of its range."""


class UrlError(WebSocketError):
    """The URL cannot be connected to."""


class CertificateNotFound(WebSocketError):
    """A file with a certificate or key is missing, unreadable or holds none."""


class AlreadyConnected(WebSocketError):
    """``connect`` was called while a connection exists or is being made."""


class ConnectionNotFound(WebSocketError):
    """The server does not have that connection, or no longer."""


class NotOpen(WebSocketError):
    """The state of the connection does not allow the call."""

    def __init__(self, *_: Any, data: str = "not open") -> None:
        super().__init__(ErrorCode.INTERNAL_ERROR, data=data)


class ConnectionClosed(WebSocketError):
    """The connection ended while someone waited for it.

    Attributes:
        close_result: how it ended.
    """

    def __init__(self, close_result: CloseResult) -> None:
        self.close_result = close_result
        super().__init__(
            ErrorCode.INTERNAL_ERROR, data=f"closed: {close_result.code} {close_result.reason}"
        )
        self.args = (close_result,)


_CLASSES: Final[dict[int | None, type[WebSocketError]]] = {
    ErrorCode.CONNECT_FAILED: ConnectFailed,
    ErrorCode.PARAMETER_ERROR: ParameterError,
    ErrorCode.URL_ERROR: UrlError,
    ErrorCode.CERT_NOT_FOUND: CertificateNotFound,
    ErrorCode.ALREADY_CONNECTED: AlreadyConnected,
    ErrorCode.CONNECTION_NOT_FOUND: ConnectionNotFound,
}
