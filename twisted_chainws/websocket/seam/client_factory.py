"""What makes client connections: one factory for each dial, with Autobahn's options set."""

from typing import Any, Final

from autobahn.twisted.websocket import WebSocketClientFactory
from autobahn.websocket.compress import (
    PerMessageDeflateOffer,
    PerMessageDeflateResponse,
    PerMessageDeflateResponseAccept,
)
from autobahn.websocket.types import ConnectingRequest
from twisted.internet.interfaces import IAddress

from twisted_chainws.websocket.options import WebSocketRequestOptions, subprotocols
from twisted_chainws.websocket.seam.client import ClientConnection, Owner
from twisted_chainws.websocket.seam.options import Silence
from twisted_chainws.websocket.timers import ReactorTimers
from twisted_chainws.websocket.url import Target

__all__ = ["ClientFactory"]

_RFC6455: Final = 18
"""Autobahn's number for the final protocol."""


class ClientFactory(WebSocketClientFactory):
    """Makes the connection of one dial."""

    log = Silence()
    noisy = False

    def __init__(
        self, *, reactor: Any, owner: Owner, target: Target, options: WebSocketRequestOptions
    ) -> None:
        """Prepare.

        Args:
            reactor: for timers.
            owner: of the connection.
            target: from the URL, which Autobahn never sees.
            options: checked.
        """
        # Autobahn accepts from the server what is named here, and offers what the request says.
        super().__init__(reactor=reactor, protocols=list(subprotocols(options.protocol)))
        self._clock = reactor
        self._owner = owner
        self._target = target
        self._options = options
        self._batched_timer = ReactorTimers(reactor)
        self.setProtocolOptions(
            version=_RFC6455,
            maxMessagePayloadSize=options.max_message_size,
            maxFramePayloadSize=options.max_message_size,
            failByDrop=False,
            echoCloseCodeReason=True,
            openHandshakeTimeout=0,
            serverConnectionDropTimeout=0,
            closeHandshakeTimeout=options.close_timeout,
            perMessageCompressionOffers=[PerMessageDeflateOffer()] if options.compression else [],
            perMessageCompressionAccept=_accept_deflate if options.compression else _decline,
        )

    def buildProtocol(self, addr: IAddress | None) -> ClientConnection:  # noqa: ARG002
        """Return the connection for a transport."""
        connection = ClientConnection(
            clock=self._clock,
            owner=self._owner,
            request=_request(self._target, self._options),
            options=self._options,
        )
        connection.factory = self
        return connection


def _request(target: Target, options: WebSocketRequestOptions) -> ConnectingRequest:
    headers = dict(options.header or {})
    special = {name.lower(): name for name in headers}
    if target.authorization is not None and "authorization" not in special:
        headers["Authorization"] = target.authorization
    useragent = headers.pop(special["user-agent"]) if "user-agent" in special else None
    origin = headers.pop(special["origin"]) if "origin" in special else options.origin
    return ConnectingRequest(
        host=target.bracketed,
        port=target.port,
        resource=target.resource,
        headers=headers,
        useragent=useragent,
        origin=origin,
        protocols=list(subprotocols(options.protocol)),
    )


def _accept_deflate(response: Any) -> PerMessageDeflateResponseAccept | None:
    if isinstance(response, PerMessageDeflateResponse):
        return PerMessageDeflateResponseAccept(response)
    return None


def _decline(_response: Any) -> None:
    return None
