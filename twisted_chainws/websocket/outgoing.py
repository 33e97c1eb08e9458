"""What an application gives to be sent, checked and brought into the form of the wire. Pure.

Source: ``ohos-websocket.md`` 2.3, 2.5.
"""

from twisted_chainws.websocket.codes import SENDABLE
from twisted_chainws.websocket.fields import refuse
from twisted_chainws.websocket.frames import truncate
from twisted_chainws.websocket.values import WebSocketCloseOptions

__all__ = ["outgoing_close", "outgoing_message"]


def outgoing_message(data: object, limit: int | None) -> tuple[bytes, bool]:
    """Return the payload of a message, and whether it is binary.

    Args:
        data: ``str`` for text; ``bytes``, ``bytearray`` or ``memoryview`` for binary.
        limit: bytes of the payload; None for no limit.

    Raises:
        WebSocketError: 401; another type, a lone surrogate, or too long.
    """
    if isinstance(data, str):
        try:
            payload, binary = data.encode(), False
        except UnicodeEncodeError:
            raise refuse("data: a lone surrogate is no text") from None
    elif isinstance(data, bytes | bytearray | memoryview):
        # Autobahn wants exactly this type, and the caller may change a buffer afterwards.
        try:
            payload, binary = bytes(data), True
        except ValueError:
            raise refuse("data: a memoryview that was released") from None
    else:
        raise refuse("data: neither text nor bytes")
    if limit is not None and len(payload) > limit:
        raise refuse("data: too long")
    return payload, binary


def outgoing_close(options: object) -> tuple[int, str]:
    """Return code and reason of a Close, the reason cut to 123 bytes.

    Args:
        options: ``WebSocketCloseOptions``, or None for the usual ones.

    Raises:
        WebSocketError: 401; another type, or a code that an application may not send.
    """
    if options is None:
        options = WebSocketCloseOptions()
    if not isinstance(options, WebSocketCloseOptions):
        raise refuse("options: not WebSocketCloseOptions")
    code = options.code
    # True is 1, and 1000.0 is in the set.
    if not isinstance(code, int) or isinstance(code, bool) or code not in SENDABLE:
        raise refuse("code: may not be sent")
    if not isinstance(options.reason, str):
        raise refuse("reason: not a string")
    return int(code), truncate(options.reason).decode()
