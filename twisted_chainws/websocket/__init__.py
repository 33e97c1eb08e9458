"""WebSocket connections; knows nothing of chains. The seam is the only user of Autobahn."""

from twisted_chainws.websocket.awaiting import Outcome
from twisted_chainws.websocket.client import State, WebSocket, create_web_socket
from twisted_chainws.websocket.codes import (
    AlreadyConnected,
    CertificateNotFound,
    ClientEvent,
    CloseCode,
    ConnectFailed,
    ConnectionClosed,
    ConnectionNotFound,
    ErrorCode,
    NotOpen,
    ParameterError,
    ServerEvent,
    TlsVersion,
    UrlError,
    WebSocketError,
)
from twisted_chainws.websocket.handshake import Handshake, Refuse
from twisted_chainws.websocket.opening import open_web_socket
from twisted_chainws.websocket.options import (
    MAX_URL_LENGTH,
    MAX_URL_LENGTH_LEGACY,
    WebSocketRequestOptions,
)
from twisted_chainws.websocket.reconnect import ReconnectingWebSocket, reconnecting_web_socket
from twisted_chainws.websocket.retrying import Backoff
from twisted_chainws.websocket.server import WebSocketServer, create_web_socket_server
from twisted_chainws.websocket.server_options import WebSocketServerConfig
from twisted_chainws.websocket.values import (
    ClientCert,
    ClientConnectionCloseCallback,
    CloseResult,
    Data,
    HttpProxy,
    OpenInfo,
    ProxyConfiguration,
    ResponseHeaders,
    ServerCert,
    WebSocketCloseOptions,
    WebSocketConnection,
    WebSocketMessage,
)

__all__ = [
    "MAX_URL_LENGTH",
    "MAX_URL_LENGTH_LEGACY",
    "AlreadyConnected",
    "Backoff",
    "CertificateNotFound",
    "ClientCert",
    "ClientConnectionCloseCallback",
    "ClientEvent",
    "CloseCode",
    "CloseResult",
    "ConnectFailed",
    "ConnectionClosed",
    "ConnectionNotFound",
    "Data",
    "ErrorCode",
    "Handshake",
    "HttpProxy",
    "NotOpen",
    "OpenInfo",
    "Outcome",
    "ParameterError",
    "ProxyConfiguration",
    "ReconnectingWebSocket",
    "Refuse",
    "ResponseHeaders",
    "ServerCert",
    "ServerEvent",
    "State",
    "TlsVersion",
    "UrlError",
    "WebSocket",
    "WebSocketCloseOptions",
    "WebSocketConnection",
    "WebSocketError",
    "WebSocketMessage",
    "WebSocketRequestOptions",
    "WebSocketServer",
    "WebSocketServerConfig",
    "create_web_socket",
    "create_web_socket_server",
    "open_web_socket",
    "reconnecting_web_socket",
]
