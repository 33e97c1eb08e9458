"""What a subscriber wants to hear: frozen filters and the pure functions that match them.

Sans-I/O. Filters are hashable values; the matcher (``index.py``) is an optimisation of
``matches`` and must never disagree with it.
"""

from dataclasses import dataclass
from typing import TypeAlias

from twisted_chainws.chain.model import EvmTransaction, Log, Transaction
from twisted_chainws.chain.types import Address20, BlockNumber, Hash32
from twisted_chainws.subscriptions.events import (
    ChainEvent,
    HeadAdded,
    LogEvent,
    ReceiptsAdded,
    TransactionMined,
    TransactionPending,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadFilter:
    """Every block that joins the canonical chain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFilter:
    """Logs of these addresses with these topics, in these blocks.

    Attributes:
        addresses: any of them; empty means all addresses.
        topics: one slot per position, None is a wildcard. A log needs at least as many topics as
            there are slots, trailing wildcards included.
        first: lowest block number meant, inclusive; None means no bound, like in ``last``.
        last: highest block number meant, inclusive.

    Source: ``ethereum.md`` 2.3 (go-ethereum ``eth/filters/filter.go`` ``includes``/``filterLogs``).
    """

    addresses: frozenset[Address20] = frozenset()
    topics: tuple[frozenset[Hash32] | None, ...] = ()
    first: BlockNumber | None = None
    last: BlockNumber | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingFilter:
    """Transactions that become executable in the pool, sent by one of these or to one of those.

    Attributes:
        senders: any of them; together with empty ``recipients`` an empty set means everybody.
        recipients: the same; a contract creation has no recipient.

    Source: ``ethereum.md`` 2.7 (Alchemy's page on ``alchemy_pendingTransactions``).
    """

    senders: frozenset[Address20] = frozenset()
    recipients: frozenset[Address20] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Parties:
    """Who sends and who receives; None means anybody, and both must fit."""

    sender: Address20 | None = None
    recipient: Address20 | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MinedFilter:
    """Transactions that join the canonical chain.

    Attributes:
        parties: a transaction fits when it fits one of them; empty means all transactions.
        include_removed: whether those that leave the chain are wanted too.

    Source: ``ethereum.md`` 2.7 (Alchemy's page on ``alchemy_minedTransactions``).
    """

    parties: frozenset[Parties] = frozenset()
    include_removed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptFilter:
    """Receipts of these transactions; an empty set means all. Blocks without any do not match."""

    hashes: frozenset[Hash32] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class SilentFilter:
    """Nothing at all: for subscriptions that only say something when they are opened."""


Filter: TypeAlias = (
    HeadFilter | LogFilter | PendingFilter | MinedFilter | ReceiptFilter | SilentFilter
)


def matches(wanted: Filter, event: ChainEvent) -> bool:
    """Tell whether an event is one that the filter asks for."""
    match wanted, event:
        case HeadFilter(), HeadAdded():
            return True
        case PendingFilter(), TransactionPending():
            return pending_matches(wanted, event.transaction)
        case MinedFilter(), TransactionMined():
            return mined_matches(wanted, event)
        case LogFilter(), LogEvent():
            return block_in_range(wanted, event.block.number) and log_matches(wanted, event.log)
        case ReceiptFilter(), ReceiptsAdded():
            return bool(matching_positions(wanted, event))
        case _:
            return False


def log_matches(wanted: LogFilter, log: Log) -> bool:
    """Tell whether address and topics of a log fit; the block range is not looked at."""
    if wanted.addresses and log.address not in wanted.addresses:
        return False
    if len(wanted.topics) > len(log.topics):
        return False
    return all(
        slot is None or topic in slot
        for slot, topic in zip(wanted.topics, log.topics, strict=False)
    )


def block_in_range(wanted: LogFilter, number: BlockNumber) -> bool:
    """Tell whether a block number lies within the bounds of a log filter, both inclusive."""
    if wanted.first is not None and number < wanted.first:
        return False
    return wanted.last is None or number <= wanted.last


def pending_matches(wanted: PendingFilter, transaction: EvmTransaction) -> bool:
    """Tell whether sender or recipient of a transaction is one that the filter names."""
    if not wanted.senders and not wanted.recipients:
        return True
    return transaction.sender in wanted.senders or transaction.to in wanted.recipients


def mined_matches(wanted: MinedFilter, event: TransactionMined) -> bool:
    """Tell whether a transaction that joined or left the chain is wanted."""
    if event.removed and not wanted.include_removed:
        return False
    if not wanted.parties:
        return True
    sender, recipient = event.transaction.sender, recipient_of(event.transaction)
    return any(
        party.sender in (None, sender) and party.recipient in (None, recipient)
        for party in wanted.parties
    )


def recipient_of(transaction: Transaction) -> Address20 | None:
    """Return who receives a transaction; None when it creates a contract or is no EVM one."""
    return transaction.to if isinstance(transaction, EvmTransaction) else None


def matching_positions(wanted: ReceiptFilter, event: ReceiptsAdded) -> tuple[int, ...]:
    """Return those of the event's transaction positions that the filter asks for, ascending."""
    if not wanted.hashes:
        return event.positions
    transactions = event.block.transactions
    return tuple(at for at in event.positions if transactions[at].hash in wanted.hashes)


def alternatives(wanted: Filter) -> int:
    """Count the addresses, topics and hashes a filter names: what it costs to keep."""
    match wanted:
        case LogFilter():
            return len(wanted.addresses) + sum(len(slot) for slot in wanted.topics if slot)
        case PendingFilter():
            return len(wanted.senders) + len(wanted.recipients)
        case MinedFilter():
            return sum(
                (party.sender is not None) + (party.recipient is not None)
                for party in wanted.parties
            )
        case ReceiptFilter():
            return len(wanted.hashes)
        case _:
            return 0
