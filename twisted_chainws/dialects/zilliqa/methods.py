"""The four queries, and the record of the dialect itself. Sans-I/O.

Whether an address is a contract is asked of the source, for the newest block; contracts are
remembered. A query that waits for that answer holds up those behind it: replies carry no id.

Source: ``zilliqa.md`` 2.3 to 2.6 and 9.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from twisted_chainws.chain.ops import Advance
from twisted_chainws.chain.types import Address20
from twisted_chainws.dialects.base import Dialect
from twisted_chainws.dialects.limits import Limits
from twisted_chainws.dialects.outcomes import (
    Fault,
    Forward,
    Handler,
    Json,
    Leave,
    Query,
    QueryAll,
    Refused,
    Watch,
)
from twisted_chainws.dialects.view import View
from twisted_chainws.dialects.zilliqa import decode, envelope
from twisted_chainws.dialects.zilliqa.decode import AddressList, Wording
from twisted_chainws.dialects.zilliqa.errors import FAULTS
from twisted_chainws.dialects.zilliqa.http import FACE
from twisted_chainws.dialects.zilliqa.options import DEFAULTS, ErrorForm, Options
from twisted_chainws.dialects.zilliqa.projection import ZilliqaLedger
from twisted_chainws.dialects.zilliqa.topics import (
    EVENT_LOG,
    NEW_BLOCK,
    TOPICS,
    TXN_LOG,
    make_gather,
)
from twisted_chainws.errors import ChainwsError
from twisted_chainws.subscriptions.events import ChainEvent

DEFAULT_PORT: Final = 4401

LIMITS: Final = Limits(message_bytes=65_536)
"""A node takes 2,048 bytes, which is about 44 addresses."""

GREETING: Final = b"got HTTP request with 0 bytes of body data.\n"
"""What nodes answered to a plain GET before release 9; health checks look for it."""

NO_CODE: Final = "0x"


def new_block(_view: View, query: Any) -> Watch:
    """Watch blocks."""
    return Watch(topic=NEW_BLOCK, cursor=decode.decode_cursor(query))


def unsubscribe(_view: View, query: Any) -> Leave:
    """Leave a topic; no error when it is not watched."""
    return Leave(topic=decode.decode_type(query, TOPICS))


def make_txn_log(wording: Wording) -> Handler:
    """Make the query that watches the transactions of any accounts."""

    def txn_log(_view: View, query: Any) -> Watch:
        cursor = decode.decode_cursor(query)
        found = decode.decode_addresses(query, wording)
        watch = _watch(TXN_LOG, found.addresses, found.mistake, wording)
        return replace(watch, cursor=cursor)

    return txn_log


def make_event_log(wording: Wording) -> Handler:
    """Make the query that watches the events of contracts."""

    def event_log(view: View, query: Any) -> Json:
        cursor = decode.decode_cursor(query)
        found = decode.decode_addresses(query, wording)

        def then(contracts: Sequence[Address20]) -> Watch:
            watch = _watch(EVENT_LOG, contracts, found.mistake, wording)
            return replace(watch, cursor=cursor)

        return _ask_for_contracts(view, found, then)

    return event_log


def _watch(
    topic: str, addresses: Sequence[Address20], mistake: Fault | None, wording: Wording
) -> Watch:
    """Watch the addresses that are left.

    Raises:
        Refused: there are none, or one was malformed and that spoils the others.
    """
    if not addresses:
        raise Refused(wording.nothing)
    if mistake is not None and not wording.stops:
        raise Refused(mistake)
    return Watch(topic=topic, addresses=frozenset(addresses), reply=mistake)


def _ask_for_contracts(
    view: View,
    found: AddressList,
    then: Callable[[Sequence[Address20]], Watch],
    *,
    again: bool = True,
) -> Json:
    """Go on with those addresses that are contracts; ask once more when the source fails."""
    ledger: ZilliqaLedger = view.ledger
    unknown = [address for address in found.addresses if not ledger.is_contract(address)]
    if not unknown:
        return then(found.addresses)

    def answered(codes: Sequence[str]) -> Watch:
        pairs = zip(unknown, codes, strict=True)
        others = {address for address, code in pairs if code == NO_CODE}
        contracts = [address for address in found.addresses if address not in others]
        ledger.remember_contracts(contracts)
        return then(contracts)

    def failed(_error: ChainwsError) -> Json:
        return _ask_for_contracts(view, found, then, again=False)

    return Forward(call=_codes(view, unknown), then=answered, rescue=failed if again else None)


def _codes(view: View, addresses: Iterable[Address20]) -> QueryAll:
    at = "0x" + view.chain.head.hash.hex()
    return QueryAll(
        queries=tuple(
            Query(method="code", params={"address": "0x" + address.hex(), "at": at})
            for address in addresses
        )
    )


def methods_of(errors: ErrorForm) -> Mapping[str, Handler]:
    """Return the queries with one wording."""
    return {
        NEW_BLOCK: new_block,
        EVENT_LOG: make_event_log(decode.EVENT_WORDING[errors]),
        TXN_LOG: make_txn_log(decode.PAYMENT_WORDING[errors]),
        "Unsubscribe": unsubscribe,
    }


def announce(_advance: Advance) -> Iterable[ChainEvent]:
    """Announce nothing one by one: a block is one message."""
    return ()


def make(options: Options = DEFAULTS) -> Dialect:
    """Return the dialect with the wording that the operator chose."""
    gather = make_gather(options)
    return Dialect(
        name="zilliqa",
        title="Zilliqa WebSocket",
        default_port=DEFAULT_PORT,
        envelope=envelope.make_envelope(options.errors),
        methods=methods_of(options.errors),
        topics=gather.topics,
        faults=FAULTS,
        projection=ZilliqaLedger,
        announce=announce,
        http=FACE,
        limits=LIMITS,
        claims=envelope.claims,
        replies_in_order=True,
        subprotocols=None,
        gather=gather,
        greeting=GREETING,
        any_path=True,
    )
