"""Where a client is in its life, what it has been through, and who hears of it. No I/O."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Any

from twisted_chainws.websocket.emitter import Emitter

__all__ = ["ClientEvent", "Condition", "Counters", "State", "Status"]


class State(Enum):
    """Where a client is in its life."""

    IDLE = "idle"
    CONNECTING = "connecting"
    OPEN = "open"
    BACKFILLING = "backfilling"
    DOWN = "down"
    CLOSED = "closed"


class ClientEvent(StrEnum):
    """What a client tells its listeners.

    ``state`` gives a Status; ``gap`` the subscription and the Gap; ``stray`` an RpcError that
    belongs to no request.
    """

    STATE = "state"
    GAP = "gap"
    STRAY = "stray"


@dataclass(frozen=True, slots=True)
class Status:
    """A state and why.

    Attributes:
        state: which.
        reason: for ``down`` and ``closed`` what happened, else "".
        code: the close code or, of a refused handshake, the HTTP status; None for none.
    """

    state: State
    reason: str = ""
    code: int | None = None


@dataclass(slots=True)
class Counters:
    """What a client has been through.

    Attributes:
        reconnects: connections after the first.
        resent: requests that were sent again because their connection was lost.
        rate_limited: requests that were refused for their rate, each time.
        timeouts: requests without an answer in time.
        heartbeats: questions asked only to hear something.
        silent_ends: connections that were cut because nothing was heard.
        stalls: subscriptions that were made anew because they had fallen silent.
        gaps: stretches of blocks that could not be fetched.
        overflows: subscriptions that were ended because nobody took their events.
        strays: messages that belonged to nothing.
        queue_depth: events that wait at the moment, over all subscriptions.
    """

    reconnects: int = 0
    resent: int = 0
    rate_limited: int = 0
    timeouts: int = 0
    heartbeats: int = 0
    silent_ends: int = 0
    stalls: int = 0
    gaps: int = 0
    overflows: int = 0
    strays: int = 0
    queue_depth: int = 0


class Condition:
    """The status of one client, its counters and its listeners.

    Attributes:
        status: the present one.
        counters: all but ``queue_depth``, which is only in copies.
    """

    def __init__(self) -> None:
        self.status = Status(State.IDLE)
        self.counters = Counters()
        self._emitter = Emitter(ClientEvent)

    @property
    def state(self) -> State:
        """The state of the status."""
        return self.status.state

    def change(self, state: State, reason: str = "", code: int | None = None) -> None:
        """Enter a state and tell; nothing follows ``closed``."""
        status = Status(state, reason, code)
        if status != self.status and self.state is not State.CLOSED:
            self.status = status
            self.tell(ClientEvent.STATE, status)

    def tell(self, event: ClientEvent, *values: Any) -> None:
        """Tell an event to its listeners."""
        self._emitter.emit(event, *values)

    def on(self, event: ClientEvent | str, callback: Callable[..., object] | None = None) -> Any:
        """Listen, as ``WebSocket.on``."""
        return self._emitter.on(event, callback)

    def off(self, event: ClientEvent | str, callback: Callable[..., object] | None = None) -> None:
        """Stop listening, as ``WebSocket.off``."""
        self._emitter.off(event, callback)
