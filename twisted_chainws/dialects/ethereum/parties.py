"""Subscriptions to transactions by who sends and who receives them. Sans-I/O.

The kinds of two vendors have the same options, limits and texts; their names are in the tables of
the vendors.

Source: ``ethereum.md`` 2.7 and 2.8 (Alchemy's pages on ``alchemy_pendingTransactions`` and
``alchemy_minedTransactions``, Tokenview's quickstart). The texts of refusals are ours.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson

from twisted_chainws.chain.types import Address20
from twisted_chainws.dialects.ethereum import decode, encode
from twisted_chainws.dialects.ethereum.arguments import InvalidArgument, refuse
from twisted_chainws.dialects.ethereum.criteria import addresses
from twisted_chainws.dialects.ethereum.topics import (
    decode_option,
    encode_pending,
    encode_pending_hash,
    wants_cursor,
)
from twisted_chainws.dialects.outcomes import Subscribe
from twisted_chainws.dialects.view import View
from twisted_chainws.subscriptions.events import TransactionMined
from twisted_chainws.subscriptions.filters import (
    MinedFilter,
    Parties,
    PendingFilter,
    alternatives,
)

MAX_ADDRESSES: Final = 1_000
"""Unique addresses over both lists of a filter, or all those of its pairs."""

Members = Mapping[str, Any]


def encode_mined(_view: View, event: TransactionMined) -> bytes:
    """Write a transaction that joined or left the chain, with the block it stands or stood in."""
    transaction = encode.encode_mined(event.block, event.position)
    return orjson.dumps({"removed": event.removed, "transaction": transaction})


def encode_mined_hash(_view: View, event: TransactionMined) -> bytes:
    """Write the same with nothing of the transaction but its hash."""
    shape = {"hash": encode.encode_data(event.transaction.hash)}
    return orjson.dumps({"removed": event.removed, "transaction": shape})


def full_pending_transactions(_view: View, options: Any) -> Subscribe:
    """Subscribe to full objects of all pending transactions; there is nothing to choose."""
    members = {} if options is None else options
    if not isinstance(members, dict) or members.keys() - {"cursor", "resumeFrom"}:
        refuse("too many arguments, want at most 1")
    return Subscribe(filter=PendingFilter(), encode=encode_pending, cursor=wants_cursor(members))


def pending_transactions(_view: View, options: Any) -> Subscribe:
    """Subscribe to pending transactions from some senders or to some recipients.

    Options are ``fromAddress`` and ``toAddress`` (an address or several; a transaction that fits
    either is meant, without both all are) and ``hashesOnly``. Unknown members are ignored.
    """
    members = decode_option(_members, options)
    wanted = decode_option(_pending_filter, members)
    return _pending(members, wanted)


def filtered_pending_transactions(_view: View, options: Any) -> Subscribe:
    """Subscribe to pending transactions from or to one of the addresses in ``address``.

    ``fromAddress`` and ``toAddress`` are taken too, because tutorials write them.
    """
    members = decode_option(_members, options)
    wanted = decode_option(_pending_filter, members)
    if wanted == PendingFilter():
        refuse("invalid argument 1: missing address")
    return _pending(members, wanted)


def mined_transactions(view: View, options: Any) -> Subscribe:
    """Subscribe to transactions of new blocks, and by request to those that leave the chain.

    Options are ``addresses`` (pairs ``{from?, to?}``: a transaction that fits one of them is
    meant), ``includeRemoved`` and ``hashesOnly``. Both members of a pair must fit, unless the
    operator chose that either does. Unknown members are ignored.
    """
    members = decode_option(_members, options)
    removed = decode_option(_flag("includeRemoved"), members)
    pairs = decode_option(_pairs, members.get("addresses"))
    if view.settings.mined_either:
        pairs = frozenset(one for pair in pairs for one in _halves(pair))
    hashes_only = decode_option(_flag("hashesOnly"), members)
    return Subscribe(
        filter=MinedFilter(parties=pairs, include_removed=removed),
        encode=encode_mined_hash if hashes_only else encode_mined,
        cursor=wants_cursor(members),
    )


def _pending(members: Members, wanted: PendingFilter) -> Subscribe:
    hashes_only = decode_option(_flag("hashesOnly"), members)
    return Subscribe(
        filter=wanted,
        encode=encode_pending_hash if hashes_only else encode_pending,
        cursor=wants_cursor(members),
    )


def _members(options: Any) -> Members:
    """Return the members of an options object, none for null."""
    if options is None:
        return {}
    if not isinstance(options, dict):
        raise InvalidArgument("want an object")
    return options


def _flag(name: str) -> Callable[[Members], bool]:
    """Make the reader of a boolean that is false when it is absent or null."""

    def read(members: Members) -> bool:
        value = members.get(name)
        return value is not None and decode.boolean(value)

    return read


def _pending_filter(members: Members) -> PendingFilter:
    both = addresses(members.get("address"))
    senders = addresses(members.get("fromAddress")) | both
    recipients = addresses(members.get("toAddress")) | both
    _refuse_more(len(senders | recipients))
    return PendingFilter(senders=senders, recipients=recipients)


def _pairs(value: Any) -> frozenset[Parties]:
    if value is None:
        return frozenset()
    if not isinstance(value, list):
        raise InvalidArgument("addresses must be an array of objects")
    pairs = frozenset(_pair(item, index) for index, item in enumerate(value))
    _refuse_more(alternatives(MinedFilter(parties=pairs)))
    return pairs


def _pair(item: Any, index: int) -> Parties:
    """Read one pair; it has at least one member, as the types of Alchemy's SDK demand."""
    if not isinstance(item, dict):
        raise InvalidArgument(f"address filter at index {index} is not an object")
    sender, recipient = _party(item, "from"), _party(item, "to")
    if sender is None and recipient is None:
        raise InvalidArgument(f"address filter at index {index} has neither from nor to")
    return Parties(sender=sender, recipient=recipient)


def _party(item: Members, name: str) -> Address20 | None:
    value = item.get(name)
    return None if value is None else decode.address(value)


def _halves(pair: Parties) -> tuple[Parties, ...]:
    halves = (Parties(sender=pair.sender), Parties(recipient=pair.recipient))
    return tuple(half for half in halves if half != Parties())


def _refuse_more(count: int) -> None:
    if count > MAX_ADDRESSES:
        raise InvalidArgument(f"exceed max addresses, want at most {MAX_ADDRESSES}")
