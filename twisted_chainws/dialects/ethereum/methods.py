"""The method table of the Ethereum dialect, and the record of the dialect itself. Sans-I/O.

A profile decides which names exist and how strict three of them are; nothing else depends on it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from twisted_chainws.chain.model import Kind
from twisted_chainws.chain.ops import Advance
from twisted_chainws.dialects import jsonrpc
from twisted_chainws.dialects.base import Dialect, HttpFace
from twisted_chainws.dialects.ethereum import capacity, reads, subscribe
from twisted_chainws.dialects.ethereum.development import DEVELOPMENT, REWIND
from twisted_chainws.dialects.ethereum.encode import evm_transactions
from twisted_chainws.dialects.ethereum.errors import make_faults, unknown_method
from twisted_chainws.dialects.ethereum.fees import FEES
from twisted_chainws.dialects.ethereum.logs import LOGS
from twisted_chainws.dialects.ethereum.names import NAMES
from twisted_chainws.dialects.ethereum.network import DROPPED, NETWORK
from twisted_chainws.dialects.ethereum.payload import PAYLOAD
from twisted_chainws.dialects.ethereum.pool import POOL
from twisted_chainws.dialects.ethereum.projection import EthereumLedger
from twisted_chainws.dialects.ethereum.reads import READS
from twisted_chainws.dialects.ethereum.simulate import SIMULATE
from twisted_chainws.dialects.ethereum.state import STATE
from twisted_chainws.dialects.ethereum.submit import SUBMIT
from twisted_chainws.dialects.ethereum.subscribe import SUBSCRIBE
from twisted_chainws.dialects.ethereum.topics import PROFILE_TOPICS, TOPICS, Topic
from twisted_chainws.dialects.ethereum.traces import TRACES
from twisted_chainws.dialects.outcomes import Handler, Json, Refused
from twisted_chainws.dialects.view import Profile, View
from twisted_chainws.subscriptions.events import (
    ChainEvent,
    LogEvent,
    ReceiptsAdded,
    TransactionMined,
    events_of,
)

DEFAULT_PORT: Final = 8545


def _hidden_from_real_chains(handlers: Mapping[str, Handler]) -> dict[str, Handler]:
    """Make names unknown wherever the chain is not a development chain."""

    def hidden(name: str, handler: Handler) -> Handler:
        def answer(view: View, params: Any) -> Json:
            if not view.settings.development:
                raise Refused(unknown_method(name, view.settings.profile))
            return handler(view, params)

        return answer

    return {name: hidden(name, handler) for name, handler in handlers.items()}


HTTP_CONTENT_TYPES: Final = frozenset(
    {"application/json", "application/json-rpc", "application/jsonrequest"}
)

_ONLY_DEVELOPMENT: Final[Mapping[str, Handler]] = {
    **DROPPED,
    **DEVELOPMENT,
    **REWIND,
    **PAYLOAD,
}


def _with_modules(methods: Mapping[str, Handler]) -> dict[str, Handler]:
    """Let ``rpc_modules`` tell of the whole table."""
    names = {*methods, "rpc_modules"}
    return {**methods, "rpc_modules": reads.make_rpc_modules(names, _ONLY_DEVELOPMENT.keys())}


METHODS: Final[Mapping[str, Handler]] = _with_modules(
    {
        **READS,
        **LOGS,
        **FEES,
        **POOL,
        **NETWORK,
        **SUBSCRIBE,
        **STATE,
        **SIMULATE,
        **SUBMIT,
        **TRACES,
        **NAMES,
        **_hidden_from_real_chains(_ONLY_DEVELOPMENT),
    }
)

_STRICT: Final[Mapping[str, Handler]] = {
    "eth_getBlockByNumber": reads.strict_get_block_by_number,
    "eth_getBlockByHash": reads.strict_get_block_by_hash,
    "eth_unsubscribe": subscribe.strict_unsubscribe,
}
"""Where go-ethereum wants more than other nodes do."""

_NOT_IN_GETH: Final = frozenset(
    {
        *DROPPED,
        *DEVELOPMENT,
        "eth_sendUnsignedTransaction",
        "eth_signTypedData_v4",
        "personal_sign",
    }
)


def methods_of(profile: Profile) -> Mapping[str, Handler]:
    """Return the method table of a profile: all there is, except for go-ethereum's own."""
    topics = PROFILE_TOPICS.get(profile)
    if topics is None:
        return METHODS
    kept = {**METHODS, "eth_subscribe": subscribe.make_subscribe(topics)}
    if profile is not Profile.GETH:
        return kept
    for name in _NOT_IN_GETH:
        del kept[name]
    return _with_modules({**kept, **_STRICT})


def _over_http(methods: Mapping[str, Handler]) -> Mapping[str, Handler]:
    """Return the table of HTTP: subscribing is refused there, whatever the arguments are."""
    return {**methods, "eth_subscribe": subscribe.no_subscribe}


def announce(advance: Advance) -> Iterator[ChainEvent]:
    """Yield what a transition means here; what other families did is left out."""
    for event in events_of(advance):
        if isinstance(event, LogEvent):
            if event.block.transactions[event.transaction_index].kind is not Kind.EVM:
                continue
        elif isinstance(event, TransactionMined):
            if event.transaction.kind is not Kind.EVM:
                continue
        elif isinstance(event, ReceiptsAdded):
            count = len(evm_transactions(event.block))
            if count < len(event.positions):
                event = replace(event, positions=tuple(range(count)))
        yield event


def make(profile: Profile) -> Dialect:
    """Return the dialect with the names and the wording of a profile."""
    methods = methods_of(profile)
    return Dialect(
        name="ethereum",
        title="Ethereum JSON-RPC",
        default_port=DEFAULT_PORT,
        envelope=capacity.envelope_of(profile),
        methods=methods,
        topics=PROFILE_TOPICS.get(profile, TOPICS),
        faults=make_faults(profile),
        projection=EthereumLedger,
        announce=announce,
        http=HttpFace(
            methods=_over_http(methods),
            content_types=HTTP_CONTENT_TYPES,
            status=capacity.status_of(profile),
            origin_refused=capacity.origin_refused_of(profile),
        ),
        limits=capacity.limits_of(profile),
        claims=jsonrpc.claims,
        subprotocols=("alchemy-",),
        fatal=capacity.fatal_of(profile),
        costs=capacity.COSTS,
    )


def extend(
    dialect: Dialect, *, topics: Mapping[str, Topic], methods: Mapping[str, Handler] | None = None
) -> Dialect:
    """Return the dialect with more names, on both faces; of two equal ones the new one counts.

    Args:
        dialect: made by ``make``, maybe extended already.
        topics: more subscription names.
        methods: more request names.
    """
    known = {**dialect.topics, **topics}
    table = _with_modules(
        {
            **dialect.methods,
            **(methods or {}),
            "eth_subscribe": subscribe.make_subscribe(known),
        }
    )
    http = dialect.http and replace(dialect.http, methods=_over_http(table))
    return replace(dialect, topics=known, methods=table, http=http)
