"""What makes server connections: Autobahn's options, fixed on a class for each listener."""

from collections.abc import Callable
from typing import Any

from autobahn.twisted.websocket import WebSocketServerFactory
from autobahn.websocket.compress import PerMessageDeflateOffer, PerMessageDeflateOfferAccept
from autobahn.websocket.protocol import TrafficStats

from twisted_chainws.websocket.seam.options import ConnectionOptions, Silence
from twisted_chainws.websocket.seam.server import ServerConnection
from twisted_chainws.websocket.slim import QUIET
from twisted_chainws.websocket.timers import ReactorTimers

__all__ = ["ServerFactory"]


class ServerFactory(WebSocketServerFactory):
    """Makes connections of one class with fixed options.

    The options are set on a subclass made for this factory: Autobahn would copy thirty of them
    into each connection otherwise.
    """

    log = Silence()

    def __init__(
        self, *, reactor: Any, connection: type[ServerConnection], options: ConnectionOptions
    ) -> None:
        super().__init__(reactor=reactor, server="")
        self._batched_timer = ReactorTimers(reactor)
        self.traffic = TrafficStats()
        self.setProtocolOptions(
            versions=[13],
            webStatus=False,
            maxMessagePayloadSize=options.message_bytes,
            maxFramePayloadSize=options.message_bytes,
            failByDrop=False,
            echoCloseCodeReason=True,
            openHandshakeTimeout=options.open_timeout_s,
            closeHandshakeTimeout=options.close_timeout_s,
            perMessageCompressionAccept=_accept_deflate if options.compression else _decline,
            allowedOrigins=["*"],
            allowNullOrigin=True,
        )
        fixed: dict[str, Any] = QUIET | {
            name: getattr(self, name)
            for name in connection.CONFIG_ATTRS
            if not callable(getattr(self, name))
        }
        fixed["perMessageCompressionAccept"] = staticmethod(self.perMessageCompressionAccept)
        fixed.update(_clock=reactor, _options=options, _limit=options.message_bytes)
        self.protocol: Callable[[], Any] = type(connection.__name__, (connection,), fixed)


def _accept_deflate(offers: list[Any]) -> Any:
    for offer in offers:
        if isinstance(offer, PerMessageDeflateOffer):
            return PerMessageDeflateOfferAccept(offer)
    return None


def _decline(_offers: list[Any]) -> None:
    return None
