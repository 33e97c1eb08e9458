"""Alchemy: the Ethereum dialect with more subscriptions and methods. Sans-I/O.

The superset has the names. The dialect of the profile is stricter too: its heads have one member
more, and what Alchemy does not take in a batch is refused there.

Source: ``ethereum.md`` 1.4, 2.2, 2.7, 2.9; Alchemy's pages of the methods and "Batch Requests".
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

import orjson

from twisted_chainws.chain.model import Block
from twisted_chainws.dialects import ethereum
from twisted_chainws.dialects.base import Batch, Dialect, Parsed, Request
from twisted_chainws.dialects.ethereum import encode, parties, tokens, transfers
from twisted_chainws.dialects.ethereum.errors import INVALID_REQUEST
from twisted_chainws.dialects.ethereum.reads import get_receipts_of
from twisted_chainws.dialects.ethereum.topics import Topic, make_new_heads
from twisted_chainws.dialects.limits import Limits
from twisted_chainws.dialects.outcomes import Fault, Handler
from twisted_chainws.dialects.view import Profile, View
from twisted_chainws.subscriptions.events import HeadAdded

TOPICS: Final[Mapping[str, Topic]] = {
    "alchemy_newFullPendingTransactions": parties.full_pending_transactions,
    "alchemy_filteredNewFullPendingTransactions": parties.filtered_pending_transactions,
    "alchemy_pendingTransactions": parties.pending_transactions,
    "alchemy_minedTransactions": parties.mined_transactions,
}

METHODS: Final[Mapping[str, Handler]] = {
    "alchemy_getTransactionReceipts": get_receipts_of,
    "alchemy_getTokenBalances": tokens.get_token_balances,
    "alchemy_getAssetTransfers": transfers.get_asset_transfers,
}


def extend(dialect: Dialect) -> Dialect:
    """Add Alchemy's names to an Ethereum dialect."""
    return ethereum.extend(dialect, topics=TOPICS, methods=METHODS)


def make() -> Dialect:
    """Return the dialect as Alchemy speaks it."""
    dialect = ethereum.extend(
        extend(ethereum.make(Profile.ALCHEMY)), topics={"newHeads": make_new_heads(encode_head)}
    )
    envelope = dialect.envelope
    return replace(
        dialect,
        envelope=replace(
            envelope,
            parse=_refusing_in_batches(envelope.parse),
            parse_http=_refusing_in_batches(envelope.parse_http),
        ),
    )


def header_text(block: Block) -> bytes:
    """Write a header with ``receiptsRoot`` also under the name of Alchemy's examples."""
    header = encode.encode_header(block.extras.header, block.hash)
    return orjson.dumps({**header, "receiptRoot": header["receiptsRoot"]})


def encode_head(view: View, event: HeadAdded) -> bytes:
    """Write a head for clients that read what Alchemy's examples show."""
    text: bytes = view.ledger.text(event.block, header_text)
    return text


def _refusing_in_batches(
    parse: Callable[[bytes, Limits], Parsed],
) -> Callable[[bytes, Limits], Parsed]:
    """Make a parser that refuses those members of a batch which must be sent alone."""

    def parse_strictly(data: bytes, limits: Limits) -> Parsed:
        parsed = parse(data, limits)
        if not isinstance(parsed, Batch):
            return parsed
        return Batch(requests=tuple(map(_in_batch, parsed.requests)))

    return parse_strictly


def _in_batch(request: Request) -> Request:
    """Refuse Alchemy's own methods and subscriptions; the wording is ours."""
    token, method, params, fault = request
    name = _subscription(params) if method == "eth_subscribe" else method
    if fault is not None or not name.startswith("alchemy_"):
        return request
    text = f"{name} cannot be part of a batch. Please send it alone."
    return (token, method, params, Fault(code=INVALID_REQUEST, message=text))


def _subscription(params: Any) -> str:
    """Return the name of the subscription that is asked for, empty when there is none."""
    name = params[0] if isinstance(params, list) and params else None
    return name if isinstance(name, str) else ""
