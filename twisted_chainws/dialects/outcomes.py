"""What handlers return: the result itself, or one of the values here. Sans-I/O.

Imports view and what lies below. A handler is a pure function ``(view, params) -> outcome``.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from twisted_chainws.chain.model import Kind
from twisted_chainws.chain.types import Address20, Hash32
from twisted_chainws.dialects.view import View
from twisted_chainws.errors import ChainwsError
from twisted_chainws.subscriptions.filters import Filter
from twisted_chainws.subscriptions.interests import Interest

Json: TypeAlias = Any
"""A value that orjson can serialise; ``orjson.Fragment`` where the text is ready."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """An error as it goes over the wire; ``data`` is left out of the message when None."""

    code: int
    message: str
    data: Json = None


class Refused(ChainwsError):
    """A handler refuses a request with a fault of its own wording (bad parameters, mostly)."""

    def __init__(self, fault: Fault) -> None:
        super().__init__()
        self.fault = fault

    def __str__(self) -> str:
        """Show the fault."""
        return f"{self.fault.code} {self.fault.message}"


Encoder: TypeAlias = Callable[[View, Any], bytes]
"""Turns an item (a chain event) into the JSON text of a notice's result. Module-level functions
only: subscribers with the same encoder share one encoded text."""


class Outcome:
    """Base of everything a handler returns that is not the result itself."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribe(Outcome):
    """Open a subscription on this connection; the reply is its id.

    Attributes:
        filter: which events.
        encode: how each goes out.
        initial: items delivered right after the reply.
        cursor: whether each notice carries a cursor.
    """

    filter: Filter
    encode: Encoder
    initial: tuple[Any, ...] = ()
    cursor: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsubscribe(Outcome):
    """Close a subscription of this connection; the reply is ``then(whether there was one)``."""

    subscription_id: str
    then: Callable[[bool], Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch(Outcome):
    """Hear of a topic in the one message that each block brings, if it was left before: still.

    Attributes:
        topic: one of ``Gather.topics``.
        addresses: added to those watched already; empty for a topic without.
        cursor: whether messages carry a cursor from now on; None as before.
        reply: what is answered, also a Fault.
    """

    topic: str
    addresses: frozenset[Address20] = frozenset()
    cursor: bool | None = None
    reply: Json = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave(Outcome):
    """Hear of a topic one last time, in the message of the next block; the reply is None."""

    topic: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjust(Outcome):
    """Change what the pushes to this connection are about; the reply is ``then(what it is now)``.

    Attributes:
        change: what it was -> what it is from now on.
    """

    change: Callable[[Interest], Interest]
    then: Callable[[Interest], Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expect(Outcome):
    """Tell this connection once of a transaction in a block, whatever its interest; go on.

    Another connection that expects it already stays the one that is told.
    """

    transaction_hash: Hash32
    go_on: "Outcome | Json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Disregard(Outcome):
    """Expect a transaction no longer, if it was this connection that did; go on."""

    transaction_hash: Hash32
    go_on: "Outcome | Json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Install(Outcome):
    """Install a polled filter, service-wide; the reply is its id."""

    filter: Filter
    encode: Encoder


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll(Outcome):
    """Empty a polled filter; the reply lists its encoded items. May raise FilterNotFound."""

    filter_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspect(Outcome):
    """Look a polled filter up and go on with ``then(its filter)``. May raise FilterNotFound."""

    filter_id: str
    then: Callable[[Filter], "Outcome | Json"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Uninstall(Outcome):
    """Remove a polled filter; the reply is whether there was one."""

    filter_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Ask the source (``chain.ports.Source.query``)."""

    method: str
    params: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryAll:
    """Ask the source several questions; the answers come as a list, or the first failure."""

    queries: tuple[Query, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Submit:
    """Send a signed transaction to the source."""

    kind: Kind
    raw: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """Run a long read step by step; the reactor breathes between steps.

    Attributes:
        steps: yields None after each bounded piece of work and returns the answer.
    """

    steps: Iterator[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaitMined:
    """Wait until a transaction is in the canonical chain; answers its (block, position).

    Raises ``MinedWaitTimeout`` when it takes longer.
    """

    transaction_hash: Hash32
    timeout_s: float


Call: TypeAlias = Query | QueryAll | Submit | Scan | AwaitMined


@dataclass(frozen=True, slots=True, kw_only=True)
class Forward(Outcome):
    """Ask somebody else; ``then(answer)`` is the next outcome (maybe another Forward).

    Attributes:
        call: the question.
        then: the answer -> the next outcome.
        rescue: a failure of the model -> the next outcome; None makes it the reply.
    """

    call: Call
    then: Callable[[Any], "Outcome | Json"]
    rescue: Callable[[ChainwsError], "Outcome | Json"] | None = None


Handler: TypeAlias = Callable[[View, Any], Any]
"""``(view, params) -> Outcome | Json``; params exactly as they came (list, dict or None). Raises
Refused or any ChainwsError."""
