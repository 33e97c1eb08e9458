"""What a dialect is: a frozen record of tables and pure codecs.

Sans-I/O. Imports outcomes and the layers below. A session (``session.py``) drives any record; it
never asks which one it has.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from twisted_chainws.chain.ops import Advance
from twisted_chainws.dialects.gathering import Gather
from twisted_chainws.dialects.limits import NO_COSTS, Costs, Limits
from twisted_chainws.dialects.notice import Notice
from twisted_chainws.dialects.outcomes import Fault, Handler, Json
from twisted_chainws.dialects.pushing import Pushes
from twisted_chainws.dialects.view import Projection
from twisted_chainws.errors import ChainwsError
from twisted_chainws.subscriptions.events import ChainEvent

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
        render_fault: (token, fault) -> message; token None for a fault that answers no message,
            where the dialect has such a one.
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
        expired: nothing was asked for so long that the connection is closed; None where that is
            done without a word.
    """

    of: Callable[[ChainwsError], Fault]
    unknown_method: Callable[[str], Fault]
    response_too_large: Fault
    internal: Fault
    notifications_unsupported: Fault
    too_many_requests: Fault
    throughput_exceeded: Fault
    timed_out: Fault
    expired: Fault | None = None


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
        push: what messages a block becomes where a connection has one interest instead of
            subscriptions; None elsewhere.
        notices_wait: whether notices wait until the requests of their connection are answered.
        http: the plain HTTP face, or None.
        limits: defaults of the bounds.
        claims: True when a first message on the combined port is in this language.
        replies_in_order: whether replies leave in the order of requests.
        subprotocols: prefix of offered subprotocols that are echoed; None for a dialect whose
            servers never choose one.
        fatal: codes of faults in a message itself after which the connection is closed with 1000.
        costs: of requests, where an account has a throughput limit.
        greeting: what a plain GET is answered with; None where whatever does not ask for a
            WebSocket is refused with 400.
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
    push: Pushes | None = None
    notices_wait: bool = False
    greeting: bytes | None = b""
    any_path: bool = False
