"""What a dialect is: a frozen record of tables and pure codecs, and the values its handlers return.

Sans-I/O. Imports gathering and the layers below. A session (``session.py``) drives any record; it
never asks which one it has.

A handler is a pure function ``(view, params) -> outcome``. An outcome is either a plain JSON value,
which is the result, or one of the values below.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol, TypeAlias

from twisted_chainws.chain.model import Kind
from twisted_chainws.chain.ops import Advance
from twisted_chainws.chain.types import Address20, Hash32
from twisted_chainws.chain.view import ChainView
from twisted_chainws.dialects.gathering import Gather
from twisted_chainws.dialects.limits import NO_COSTS, Costs, Limits
from twisted_chainws.dialects.notice import Notice
from twisted_chainws.errors import ChainwsError
from twisted_chainws.subscriptions.events import ChainEvent
from twisted_chainws.subscriptions.filters import Filter

Json: TypeAlias = Any
"""A value that orjson can serialise; ``orjson.Fragment`` where the text is ready."""


class Profile(StrEnum):
    """Whose names and wording an Ethereum listener uses; nothing else depends on it."""

    SUPERSET = "superset"
    GETH = "geth"
    ANVIL = "anvil"
    ALCHEMY = "alchemy"
    TOKENVIEW = "tokenview"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the operator decided and handlers may look at.

    Attributes:
        client_version: answer of ``web3_clientVersion`` and its like.
        network_id: usually the chain id.
        development: True when the source is a development chain.
        query_alternatives: addresses or topics per search position of a log filter.
        max_logs: results of one log query.
        mined_either: whether ``from`` and ``to`` inside one address filter of
            ``alchemy_minedTransactions`` are alternatives; its page does not say, both must fit.
    """

    profile: Profile
    client_version: str
    network_id: int
    development: bool
    query_alternatives: int = 1_000
    max_logs: int = 100_000
    mined_either: bool = False


class Projection(Protocol):
    """The chain as the ledger of one family: a pure fold over operations, exactly undone."""

    def apply(self, advance: Advance) -> None:
        """Take the undone blocks away, newest first, and put the applied ones on top."""


@dataclass(slots=True, kw_only=True)
class View:
    """What a handler may read.

    Attributes:
        chain: the model: blocks, transactions, pool.
        ledger: this dialect's projection of it.
        settings: what the operator decided.
    """

    chain: ChainView
    ledger: Any
    settings: Settings


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


Request: TypeAlias = tuple[Any, str, Any, Fault | None]
"""``(token, method, params, fault)``: the token is what the reply needs to find its request (for
JSON-RPC the id's JSON text as bytes), None when no reply is wanted; with a fault nothing else
counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Several requests that are answered by one message, in order, one after the other."""

    requests: tuple[Request, ...]


Parsed: TypeAlias = Request | Batch | None
"""None: nothing to do and nothing to say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """The pure codec between bytes and requests, replies and notices.

    Attributes:
        parse: bytes of one message -> requests. Raises nothing: mistakes come as faults.
        parse_http: the same for an HTTP body, where wording may differ.
        render_result: (token, plain JSON value) -> message.
        render_fault: (token, fault) -> message.
        render_batch: rendered replies -> message.
        render_notice: (result text, cursor text or None) -> notice.
        id_width: bytes of a subscription id on the wire, constant.
    """

    parse: Callable[[bytes, Limits], Parsed]
    parse_http: Callable[[bytes, Limits], Parsed]
    render_result: Callable[[Any, Json], bytes]
    render_fault: Callable[[Any, Fault], bytes]
    render_batch: Callable[[list[bytes]], bytes]
    render_notice: Callable[[bytes, str | None], Notice]
    id_width: int


def always_ok(_fault: Fault) -> int:
    """Answer every fault with status 200, as JSON-RPC servers that only carry it over HTTP do."""
    return 200


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpFace:
    """How a dialect is spoken over plain HTTP.

    Attributes:
        methods: the table of that face.
        content_types: accepted media types.
        status: fault -> status of a response that consists of it; batches are always 200.
        origin_refused: what pages of strange origins are told beside 403, also when they want a
            WebSocket; None for the plain word of go-ethereum.
        envelope: of that face, where it is spoken in another way; None takes the dialect's.
    """

    methods: Mapping[str, Handler]
    content_types: frozenset[str]
    status: Callable[[Fault], int] = always_ok
    origin_refused: Fault | None = None
    envelope: Envelope | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """The dialect's words for what the session itself has to say.

    Attributes:
        of: any model exception -> fault (Refused included); unknown ones -> an internal error
            without internals.
        unknown_method: name -> fault.
        response_too_large: the rest of a batch whose answer is too large.
        internal: something broke on our side.
        notifications_unsupported: subscribing where nothing can be delivered.
        too_many_requests: more requests at a time than a connection may have.
        throughput_exceeded: more compute units than a key has left.
        timed_out: an HTTP request took too long.
    """

    of: Callable[[ChainwsError], Fault]
    unknown_method: Callable[[str], Fault]
    response_too_large: Fault
    internal: Fault
    notifications_unsupported: Fault
    too_many_requests: Fault
    throughput_exceeded: Fault
    timed_out: Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One language, whole.

    Attributes:
        name: word of the configuration and path on the combined port.
        title: for people.
        default_port: of its own listener.
        envelope: bytes <-> requests, replies, notices.
        methods: request name -> handler.
        topics: subscription names, for documentation and tests; handlers look into it.
        faults: words for errors.
        projection: makes an empty ledger.
        announce: a transition -> the events that subscriptions and filters match, in wire order.
        gather: how a block becomes one message for each connection; None where each event is one.
        http: the plain HTTP face, or None.
        limits: defaults of the bounds.
        claims: True when a first message on the combined port is in this language.
        replies_in_order: whether replies leave in the order of requests.
        subprotocols: prefix of offered subprotocols that are echoed; None for a dialect whose
            servers never choose one.
        fatal: codes of faults in a message itself after which the connection is closed with 1000.
        costs: of requests, where an account has a throughput limit.
        greeting: what a plain GET is answered with.
        any_path: whether every path of its own listener leads to it.
    """

    name: str
    title: str
    default_port: int
    envelope: Envelope
    methods: Mapping[str, Handler]
    topics: Mapping[str, Any]
    faults: Faults
    projection: Callable[[], Projection]
    announce: Callable[[Advance], Iterable[ChainEvent]]
    http: HttpFace | None
    limits: Limits
    claims: Callable[[bytes], bool]
    replies_in_order: bool = False
    subprotocols: tuple[str, ...] | None = field(default=())
    fatal: frozenset[int] = frozenset()
    costs: Costs = NO_COSTS
    gather: Gather | None = None
    greeting: bytes = b""
    any_path: bool = False
