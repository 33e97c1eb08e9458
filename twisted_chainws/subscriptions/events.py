"""What can happen on a chain, one value per thing that a client may hear of. Sans-I/O."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from twisted_chainws.chain.model import Block, EvmTransaction, Log, Transaction
from twisted_chainws.chain.ops import Advance


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadAdded:
    """A block joined the canonical chain."""

    block: Block


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEvent:
    """A log joined (``removed`` False) or left (True) the canonical chain.

    Attributes:
        block: the block it stands in, also when it was removed.
        log_index: position in the whole block.
    """

    block: Block
    transaction_index: int
    log_index: int
    log: Log
    removed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionMined:
    """A transaction joined (``removed`` False) or left (True) the canonical chain.

    Attributes:
        block: the block it stands in, also when it was removed.
        position: its place in that block.
    """

    block: Block
    position: int
    removed: bool

    @property
    def transaction(self) -> Transaction:
        """The transaction itself."""
        return self.block.transactions[self.position]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptsAdded:
    """The receipts of a block joined the chain.

    Attributes:
        positions: the transactions meant, ascending; as an event all of the block, as a match
            those that the filter asked for.
    """

    block: Block
    positions: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionPending:
    """A transaction became executable in the pool."""

    transaction: EvmTransaction


ChainEvent: TypeAlias = HeadAdded | LogEvent | TransactionMined | ReceiptsAdded | TransactionPending


def events_of(advance: Advance) -> Iterator[ChainEvent]:
    """Yield what a transition means, in the order in which a connection hears of it.

    First the logs that left (oldest block first, log order inside a block), then in the same order
    the transactions that left; then for each new block its head, its logs, its transactions and its
    receipts. Transactions that return to the pool are not part of it: the source announces them as
    pending afterwards.

    Source: ``ethereum.md`` 3.1 and 3.2 (go-ethereum ``eth/filters``, Alchemy and Tokenview pages).
    """
    for block in reversed(advance.undone):
        yield from _logs(block, removed=True)
    for block in reversed(advance.undone):
        yield from _mined(block, removed=True)
    for block in advance.applied:
        yield HeadAdded(block=block)
        yield from _logs(block, removed=False)
        yield from _mined(block, removed=False)
        yield ReceiptsAdded(block=block, positions=tuple(range(len(block.receipts))))


def _logs(block: Block, *, removed: bool) -> Iterator[LogEvent]:
    for found in block.logs():
        yield LogEvent(
            block=block,
            transaction_index=found.transaction_index,
            log_index=found.log_index,
            log=found.log,
            removed=removed,
        )


def _mined(block: Block, *, removed: bool) -> Iterator[TransactionMined]:
    for position in range(len(block.transactions)):
        yield TransactionMined(block=block, position=position, removed=removed)
