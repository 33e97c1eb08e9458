"""How much a connection may ask for, and what asking costs. Sans-I/O. Imports nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

UNLIMITED: Final = "unlimited"
"""Metadata of a bound that may be switched off: the value that means no bound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The bounds of one connection; each is an option of the configuration.

    Attributes:
        message_bytes: of one inbound message; beyond it close 1009.
        body_bytes: of one HTTP body; beyond it 413.
        batch_items: calls in one batch over HTTP.
        websocket_batch_items: calls in one batch over WebSocket.
        batch_response_bytes: the call that crosses it is still answered, later ones are refused.
        method_name_bytes: longest method name.
        concurrent_requests: unanswered requests of a connection; a further one is refused.
        subscriptions: per connection.
        alternatives: addresses and topics over all filters of a connection.
        queued_notices: notices that wait for a slow reader; reaching it closes 1008.
        queued_bytes: the same in bytes.
        unsent_reply_bytes: replies that wait for a slow reader before reading pauses.
        open_forwards: unanswered forwards before reading pauses.
        ping_interval_s: idle seconds after which the server pings.
        ping_timeout_s: seconds until the pong.
        stalled_s: seconds a reader with waiting notices may take nothing before it is closed.
        idle_s: seconds without a request after which a connection is closed.
        connections: that speak the dialect on one network; a further one is closed with 1013.
        expectations: transactions that a connection is told of once they are in a block because
            it sent them.
        expectation_s: seconds after which that is given up when a further one is sent.
    """

    message_bytes: int = 33_554_432
    body_bytes: int = 5_242_880
    batch_items: int = 1_000
    websocket_batch_items: int = 1_000
    batch_response_bytes: int = 25_000_000
    method_name_bytes: int = 2_048
    concurrent_requests: int = field(default=0, metadata={UNLIMITED: 0})
    subscriptions: int = 1_000
    alternatives: int = 100_000
    queued_notices: int = 10_000
    queued_bytes: int = 67_108_864
    unsent_reply_bytes: int = 1_048_576
    open_forwards: int = 64
    ping_interval_s: float = 30.0
    ping_timeout_s: float = 30.0
    stalled_s: float = 60.0
    idle_s: float = field(default=0.0, metadata={UNLIMITED: 0.0})
    connections: int = field(default=0, metadata={UNLIMITED: 0})
    expectations: int = 10_000
    expectation_s: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What requests cost, in compute units.

    Attributes:
        methods: request name -> its cost.
        default: of all others.
    """

    methods: Mapping[str, int]
    default: int


NO_COSTS: Final = Costs(methods={}, default=0)
"""Of a dialect where every request is free."""


class Account(Protocol):
    """Whom a connection belongs to, as far as a session has to ask."""

    def spend(self, cost: int, now: float) -> bool:
        """Take so many compute units; False when they are not there, and nothing was taken."""

    def unsubscribe(self, subscription_id: str) -> bool:
        """Close a subscription of any connection of this account; False if none has it."""
