"""What an idle connection need not remember, by Autobahn's names. Pure data.

With it an idle connection takes about half of the memory.
"""

from typing import Any, Final

__all__ = ["QUIET", "slimmed"]

_LEFTOVERS: Final = (
    "http_request_data", "http_response_data", "http_headers", "http_status_line",
    "http_request_uri", "http_request_path", "http_request_params", "http_request_host",
    "_wskey", "is_open", "utf8validator", "send_queue", "websocket_extensions",
    "websocket_protocols", "websocket_origin",
)  # fmt: skip
"""What Autobahn keeps of the handshake, or for rare use; a request line may hold an API key."""

QUIET: Final[dict[str, Any]] = dict.fromkeys(
    (
        "autoPingPending", "autoPingPendingCall", "autoPingPendingSent", "autoPingTimeoutCall",
        "closeHandshakeTimeoutCall", "openHandshakeTimeoutCall", "current_frame",
        "localCloseCode", "localCloseReason", "remoteCloseCode", "remoteCloseReason",
        "trackedTimings", "wasNotCleanReason", "_perMessageCompress", "_transport_details",
        "websocket_protocol_in_use",
    )
) | dict.fromkeys(
    (
        "closedByMe", "droppedByMe", "failedByMe", "inside_message", "triggered", "wasClean",
        "wasCloseHandshakeTimeout", "wasMaxFramePayloadSizeExceeded",
        "wasMaxMessagePayloadSizeExceeded", "wasOpenHandshakeTimeout",
        "wasServerConnectionDropTimeout", "wasServingFlashSocketPolicyFile",
    ),
    False,
)  # fmt: skip
"""State that an idle connection has in its class instead: half of its memory otherwise."""


def slimmed(own: dict[str, Any]) -> dict[str, Any]:
    """Return the attributes of a connection that has just opened, without those.

    It is a new dict, because a dict never shrinks by itself.
    """
    return {
        name: value
        for name, value in own.items()
        if name not in _LEFTOVERS and not (name in QUIET and value is QUIET[name])
    }
