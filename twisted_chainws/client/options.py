"""How a client behaves. Pure; all values have a usual one.

Source: ``ethereum.md`` 6.1 and 6.3.
"""

from dataclasses import dataclass, fields
from typing import Final

from twisted_chainws.client.errors import Misuse
from twisted_chainws.websocket import Backoff, WebSocketRequestOptions

__all__ = ["BACKOFF", "WEB_SOCKET", "ClientOptions"]

WEB_SOCKET: Final = WebSocketRequestOptions(
    ping_interval=30,
    pong_timeout=10,
    compression=None,
    max_message_size=128 * 1024 * 1024,
    max_send_size=32 * 1024 * 1024,
    open_timeout=10.0,
)
"""How a client connects: nodes send long answers, and most do not compress."""

BACKOFF: Final = Backoff(
    initial_s=1.0, factor=1.5, max_s=30.0, reset_after_s=5.0, spread=(0.8, 1.2)
)
"""How long a client waits between attempts: 1 s, growing by half up to 30 s, ±20 %."""

_MAY_BE_ZERO: Final = frozenset(
    {"heartbeat_s", "stall_s", "rate_limit_retries", "rate_limit_wait_s", "rate_limit_jitter_s",
     "behind_blocks", "behind_wait_s"}
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientOptions:
    """How a client behaves.

    Attributes:
        web_socket: how to connect: headers, TLS, proxy, sizes. Change ``WEB_SOCKET`` by
            ``dataclasses.replace``; one made anew has the smaller limits of a bare WebSocket.
        backoff: waits between attempts, and how many there may be.
        request_timeout_s: seconds for each request, from the call on.
        heartbeat_s: seconds without a message after which a question is asked; 0 for never.
        heartbeat_answer_s: seconds until any message must follow, or the connection is cut.
        queue_size: events of a subscription that may wait.
        batch_items: calls of a batch that go in one message.
        rate_limit_retries: how often a request is repeated that was refused for its rate.
        rate_limit_wait_s: seconds before that.
        rate_limit_jitter_s: the most random seconds on top.
        chain_id: the only chain that will do; None for whatever is met first.
        stall_s: seconds without a head after which the head is asked for; 0 for never.
        backfill_blocks: the most blocks that are fetched after an outage.
        backfill_timeout_s: seconds for fetching them.
        backfill_tries: how often it is tried.
        log_range_blocks: the widest range of blocks to ask logs of.
        behind_blocks: how far the server may be behind what was seen before it is waited for.
        behind_wait_s: seconds to wait for it.
    """

    web_socket: WebSocketRequestOptions = WEB_SOCKET
    backoff: Backoff = BACKOFF
    request_timeout_s: float = 30.0
    heartbeat_s: float = 30.0
    heartbeat_answer_s: float = 10.0
    queue_size: int = 10_000
    batch_items: int = 20
    rate_limit_retries: int = 3
    rate_limit_wait_s: float = 1.0
    rate_limit_jitter_s: float = 0.25
    chain_id: int | None = None
    stall_s: float = 60.0
    backfill_blocks: int = 120
    backfill_timeout_s: float = 60.0
    backfill_tries: int = 5
    log_range_blocks: int = 2000
    behind_blocks: int = 10
    behind_wait_s: float = 60.0

    def __post_init__(self) -> None:
        """Refuse numbers that cannot be meant. Raises Misuse."""
        for one in fields(self):
            value = getattr(self, one.name)
            if not isinstance(value, int | float) or one.name == "chain_id":
                continue
            if value < 0 or (value == 0 and one.name not in _MAY_BE_ZERO):
                raise Misuse(f"{one.name}: out of range")
