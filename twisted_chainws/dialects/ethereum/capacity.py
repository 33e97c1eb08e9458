"""What a profile allows a client, and how it says no: limits, costs, HTTP statuses. Sans-I/O.

Source: ``ethereum.md`` 1.1, 1.4, 1.6, 1.8, 1.9, 8 (row 35); Alchemy's documentation, repository
alchemyplatform/docs: "Compute Unit Costs" (3f37365), "Error Reference" and "Batch Requests".
"""

from collections.abc import Callable, Mapping
from typing import Final

from twisted_chainws.dialects import jsonrpc
from twisted_chainws.dialects.base import Envelope, always_ok
from twisted_chainws.dialects.ethereum.errors import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    REQUEST_TIMED_OUT,
    SERVER_ERROR,
    TOO_MANY_REQUESTS,
    UNAVAILABLE,
)
from twisted_chainws.dialects.limits import Costs, Limits
from twisted_chainws.dialects.outcomes import Fault
from twisted_chainws.dialects.view import Profile

_FREE: Final = ("net_version", "eth_chainId", "eth_syncing", "eth_protocolVersion", "net_listening")

_CHEAP: Final = (
    "eth_uninstallFilter", "eth_accounts", "eth_blockNumber", "eth_subscribe", "eth_unsubscribe",
    "eth_feeHistory", "eth_baseFee", "eth_maxPriorityFeePerGas", "eth_blobBaseFee",
    "eth_createAccessList", "alchemy_getTokenMetadata",
)  # fmt: skip

_TRACES: Final = (
    "debug_traceTransaction", "debug_traceCall", "debug_traceCallMany", "debug_traceBlockByHash",
    "debug_traceBlockByNumber", "debug_getBadBlocks", "debug_getRawHeader", "debug_storageRangeAt",
)  # fmt: skip

COSTS: Final = Costs(
    methods={
        **dict.fromkeys(_FREE, 0),
        **dict.fromkeys(_CHEAP, 10),
        "eth_call": 26,
        "eth_simulateV1": 40,
        "eth_getFilterLogs": 60,
        "eth_getLogs": 60,
        "alchemy_getAssetTransfers": 120,
        "eth_sendRawTransaction": 250,
        "eth_sendRawTransactionSync": 250,
        "alchemy_getTransactionReceipts": 250,
        "eth_getBlockReceipts": 500,
        **dict.fromkeys(_TRACES, 1_000),
    },
    default=20,
)
"""Throughput compute units, where the table names them beside the billed ones, else those.

Most methods of the table cost 20, and so does here what the table does not know.
"""

_WEBSOCKET_BATCH: Final = 20
_CONCURRENT_REQUESTS: Final = 10

PROFILE_LIMITS: Final[Mapping[Profile, Limits]] = {
    Profile.ALCHEMY: Limits(
        websocket_batch_items=_WEBSOCKET_BATCH, concurrent_requests=_CONCURRENT_REQUESTS
    ),
}
"""Bounds of the profiles that have their own; concurrent requests are those of the free tier."""


def limits_of(profile: Profile) -> Limits:
    """Return the default bounds of a connection."""
    return PROFILE_LIMITS.get(profile, Limits())


def alchemy_batch_too_large(limit: int) -> Fault:
    """Refuse a batch over WebSocket; the documentation prints the code without its sign."""
    text = (
        f"The maximum batch size that can be sent over a websocket connection is {limit}. "
        "Please decrease the batch size and try again."
    )
    return Fault(code=INVALID_REQUEST, message=text)


def envelope_of(profile: Profile) -> Envelope:
    """Return the envelope with the profile's words for batches that are too large."""
    if profile is Profile.ALCHEMY:
        return jsonrpc.make_envelope(jsonrpc.batch_too_large, alchemy_batch_too_large)
    return jsonrpc.ENVELOPE


_STATUS: Final[Mapping[int, int]] = {
    jsonrpc.PARSE_ERROR: 400,
    INVALID_REQUEST: 400,
    INVALID_PARAMS: 400,
    METHOD_NOT_FOUND: 400,
    TOO_MANY_REQUESTS: 429,
    INTERNAL_ERROR: 500,
    REQUEST_TIMED_OUT: 503,
}


def vendor_status(fault: Fault) -> int:
    """Return the HTTP status of a fault as Alchemy maps them: mistakes 4xx, our trouble 5xx.

    What a node itself answers (reverts, ``already known``, ``filter not found``) is 200.
    """
    if fault.code == SERVER_ERROR and fault.message == UNAVAILABLE:
        return 503
    return _STATUS.get(fault.code, 200)


def status_of(profile: Profile) -> Callable[[Fault], int]:
    """Return how a profile maps faults to HTTP statuses; Tokenview is taken to do as Alchemy."""
    return vendor_status if profile in {Profile.ALCHEMY, Profile.TOKENVIEW} else always_ok


def origin_refused_of(profile: Profile) -> Fault | None:
    """Return what a page of a strange origin is told; None for the plain word of go-ethereum."""
    if profile is Profile.ALCHEMY:
        return Fault(code=INVALID_REQUEST, message="Unspecified origin not on whitelist")
    return None


def fatal_of(profile: Profile) -> frozenset[int]:
    """Return the faults that end a connection: go-ethereum gives up after malformed JSON."""
    return frozenset({jsonrpc.PARSE_ERROR} if profile is Profile.GETH else ())
