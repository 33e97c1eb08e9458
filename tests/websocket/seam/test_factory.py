from typing import Any

from autobahn.websocket.compress import PerMessageDeflateOffer
from twisted.internet.testing import MemoryReactorClock

from twisted_chainws.websocket.seam import ConnectionOptions, ServerConnection, ServerFactory
from twisted_chainws.websocket.timers import ReactorTimers


def _factory(**options: Any) -> Any:
    return ServerFactory(
        reactor=MemoryReactorClock(),
        connection=ServerConnection,
        options=ConnectionOptions(**{"message_bytes": 1} | options),
    )


def test_autobahn_still_uses_the_timers_we_replace() -> None:
    """Should the attribute disappear from Autobahn, its inexact timers would be back.

    4.6 item 1.
    """
    from autobahn.websocket.protocol import WebSocketServerFactory

    assert hasattr(WebSocketServerFactory(), "_batched_timer")
    assert isinstance(_factory()._batched_timer, ReactorTimers)


def test_null_origin_stays_allowed() -> None:
    """Setting any option would otherwise forbid the origin ``null``. 4.6 item 12."""
    assert _factory().allowNullOrigin is True


def test_options_are_on_a_class_of_their_own() -> None:
    """Two listeners do not share their options, and no connection copies them."""
    one, two = _factory(message_bytes=1).protocol, _factory(message_bytes=2).protocol
    assert (one.maxMessagePayloadSize, two.maxMessagePayloadSize) == (1, 2)


def test_deflate_is_accepted_on_request() -> None:
    """An offer is accepted with compression on, declined with it off; other offers are declined."""
    offer = PerMessageDeflateOffer()
    assert _factory(compression=True).perMessageCompressionAccept([offer]).offer is offer
    assert _factory(compression=True).perMessageCompressionAccept([object()]) is None
    assert _factory().perMessageCompressionAccept([offer]) is None
