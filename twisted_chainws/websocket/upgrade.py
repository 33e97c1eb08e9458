"""Hands a connection over from twisted.web to a WebSocket protocol, at the upgrade request."""

from typing import Any

from twisted.internet.interfaces import IProtocol
from twisted.protocols.policies import ProtocolWrapper
from twisted.web.http import Request

__all__ = ["adopt", "wants_upgrade"]


def wants_upgrade(request: Request) -> bool:
    """Tell whether a request asks for a WebSocket.

    Source: ``ethereum.md`` 1.1 (go-ethereum ``node/rpcstack.go`` isWebsocket).
    """
    upgrade = request.getHeader("upgrade") or ""
    connection = request.getHeader("connection") or ""
    return upgrade.strip().lower() == "websocket" and "upgrade" in connection.lower()


def adopt(request: Request, protocol: IProtocol) -> None:
    """Give the transport of ``request`` to ``protocol`` and replay the request to it.

    The caller answers ``NOT_DONE_YET`` and does not touch the request again. Bytes that the client
    sent behind its request, before our answer, come along.
    """
    channel: Any = request.channel
    transport: Any
    transport, channel.transport = channel.transport, None
    channel.setTimeout(None)
    # The HTTP channel has registered itself for back-pressure; the successor will want to.
    transport.unregisterProducer()
    if isinstance(transport, ProtocolWrapper):
        transport.wrappedProtocol = protocol
    else:
        transport.protocol = protocol
    # Bytes behind the request lie in the channel, in two places, out of reach of any public name.
    early = channel._buffer + b"".join(channel._dataBuffer)  # noqa: SLF001
    channel._buffer, channel._dataBuffer = b"", []  # noqa: SLF001
    protocol.makeConnection(transport)
    transport.resumeProducing()
    lines = [request.method + b" " + request.uri + b" HTTP/1.1"]
    for name, values in request.requestHeaders.getAllRawHeaders():
        lines.append(name + b": " + b",".join(values))
    protocol.dataReceived(b"\r\n".join(lines) + b"\r\n\r\n" + early)
