"""How the connections of one listener behave, and the silence of Autobahn's logger. Pure."""

from dataclasses import dataclass

__all__ = ["ConnectionOptions", "Silence"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionOptions:
    """How connections of one listener behave.

    Attributes:
        message_bytes: limit of an inbound message, also after decompression.
        compression: accept permessage-deflate when it is offered.
        ping_interval_s: silence after which the server pings; 0 for never.
        ping_timeout_s: how long a peer may stay silent after a ping; 0 for ever.
        open_timeout_s: for the handshake.
        close_timeout_s: for the peer's Close after ours, then the TCP connection is cut.
    """

    message_bytes: int
    compression: bool = False
    ping_interval_s: float = 30.0
    ping_timeout_s: float = 30.0
    open_timeout_s: float = 5.0
    close_timeout_s: float = 5.0


class Silence:
    """Stands in for Autobahn's logger, which writes request lines and builds unused arguments."""

    def _nothing(self, *_: object, **__: object) -> None: ...

    trace = debug = info = warn = error = critical = failure = _nothing
