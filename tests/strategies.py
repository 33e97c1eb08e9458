"""Builders of model values and Hypothesis strategies over them, shared by all tests.

Builders make values that hang together (hashes, parents, cumulative gas) but are signed by nobody
and executed by nothing. Strategies draw addresses, topics and transactions from small sets, so
that random filters and random events meet.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from hypothesis import settings
from hypothesis import strategies as st

from twisted_chainws.chain.canonical import CanonicalChain
from twisted_chainws.chain.model import (
    Block,
    EthereumExtras,
    EthereumHeader,
    EvmTransaction,
    Kind,
    Log,
    NativeTransaction,
    Receipt,
    Transaction,
)
from twisted_chainws.chain.ops import Transition
from twisted_chainws.chain.types import Address20, BlockNumber, Gas, Hash32, Timestamp, Wei
from twisted_chainws.subscriptions.events import (
    ChainEvent,
    HeadAdded,
    LogEvent,
    ReceiptsAdded,
    TransactionMined,
    TransactionPending,
)
from twisted_chainws.subscriptions.filters import (
    Filter,
    HeadFilter,
    LogFilter,
    MinedFilter,
    Parties,
    PendingFilter,
    ReceiptFilter,
    SilentFilter,
)

relaxed: Final = settings(deadline=None)
"""For property tests: a busy machine is no failure."""

EMPTY_BLOOM: Final = bytes(256)
ZERO_HASH: Final = Hash32(bytes(32))


def hash32(*parts: object) -> Hash32:
    """Make a hash that depends on all parts."""
    return Hash32(hashlib.sha256(repr(parts).encode()).digest())


def address20(name: object) -> Address20:
    """Make an address that depends on a name."""
    return Address20(hashlib.sha256(repr(name).encode()).digest()[:20])


ADDRESSES: Final = tuple(address20(name) for name in "ABC")
TOPICS: Final = tuple(hash32("topic", name) for name in "stuv")
SENDERS: Final = tuple(address20(name) for name in ("alice", "bob"))


def make_transaction(
    sender: Address20 = SENDERS[0], nonce: int = 0, *, salt: object = "", type_: int = 2
) -> EvmTransaction:
    """Make a transfer; another salt makes another transaction with the same sender and nonce."""
    tx_hash = hash32("transaction", sender, nonce, salt, type_)
    dynamic = type_ >= 2
    return EvmTransaction(
        hash=tx_hash,
        sender=sender,
        raw=bytes([type_]) + tx_hash,
        type=type_,
        chain_id=31337,
        nonce=nonce,
        to=ADDRESSES[0],
        value=Wei(1),
        gas_limit=Gas(100_000),
        gas_price=None if dynamic else Wei(2_000_000_000),
        max_fee_per_gas=Wei(2_000_000_000) if dynamic else None,
        max_priority_fee_per_gas=Wei(1_000_000_000) if dynamic else None,
        data=b"",
        access_list=None if type_ == 0 else (),
        max_fee_per_blob_gas=None,
        blob_versioned_hashes=None,
        authorizations=None,
        v=27 if type_ == 0 else 0,
        r=1,
        s=1,
    )


def make_native(kind: Kind = Kind.ONTOLOGY, *, salt: object = "") -> NativeTransaction:
    """Make a transaction of another family."""
    tx_hash = hash32("native", kind, salt)
    return NativeTransaction(kind=kind, hash=tx_hash, sender=SENDERS[0], raw=bytes(tx_hash))


def make_log(
    address: Address20 = ADDRESSES[0], topics: Sequence[Hash32] = (), data: bytes = b""
) -> Log:
    """Make a log."""
    return Log(address=address, topics=tuple(topics), data=data)


def make_receipt(
    logs: Sequence[Log] = (), *, gas_used: int = 21_000, cumulative: int = 21_000
) -> Receipt:
    """Make the receipt of a successful call."""
    return Receipt(
        succeeded=True,
        gas_used=Gas(gas_used),
        cumulative_gas_used=Gas(cumulative),
        effective_gas_price=Wei(1_000_000_000),
        contract_address=None,
        logs=tuple(logs),
        bloom=EMPTY_BLOOM,
        blob_gas_used=None,
        blob_gas_price=None,
        events=(),
    )


def make_block(
    parent: Block | None = None,
    contents: Sequence[tuple[Transaction, Sequence[Log]]] = (),
    *,
    salt: object = "",
    number: int | None = None,
) -> Block:
    """Make a block on top of a parent (genesis without one) holding transactions and their logs.

    Args:
        parent: the block below; None makes a first block.
        contents: each transaction with the logs of its receipt.
        salt: another one makes a sibling.
        number: for a first block that is not genesis.
    """
    height = number or 0 if parent is None else parent.number + 1
    parent_hash = ZERO_HASH if parent is None else parent.hash
    transactions = tuple(transaction for transaction, _ in contents)
    logs = [tuple(of_one) for _, of_one in contents]
    timestamp = Timestamp(1_700_000_000 + height)
    return Block(
        number=BlockNumber(height),
        hash=hash32("block", parent_hash, height, salt, [tx.hash for tx in transactions], logs),
        parent_hash=parent_hash,
        timestamp=timestamp,
        transactions=transactions,
        receipts=tuple(
            make_receipt(of_one, cumulative=21_000 * at) for at, of_one in enumerate(logs, 1)
        ),
        extras=_extras(parent_hash, height, timestamp, 21_000 * len(logs)),
    )


def _extras(
    parent_hash: Hash32, height: int, timestamp: Timestamp, gas_used: int
) -> EthereumExtras:
    header = EthereumHeader(
        parent_hash=parent_hash,
        uncles_hash=hash32("no uncles"),
        coinbase=Address20(bytes(20)),
        state_root=hash32("state", height),
        transactions_root=hash32("transactions", height),
        receipts_root=hash32("receipts", height),
        bloom=EMPTY_BLOOM,
        difficulty=0,
        number=BlockNumber(height),
        gas_limit=Gas(30_000_000),
        gas_used=Gas(gas_used),
        timestamp=timestamp,
        extra_data=b"",
        mix_hash=ZERO_HASH,
        nonce=bytes(8),
        base_fee_per_gas=Wei(1_000_000_000),
        withdrawals_root=hash32("no withdrawals"),
        blob_gas_used=Gas(0),
        excess_blob_gas=Gas(0),
        parent_beacon_block_root=ZERO_HASH,
        requests_hash=hash32("no requests"),
    )
    return EthereumExtras(header=header, size=600, uncles=(), withdrawals=())


def make_chain(length: int, *, salt: object = "", number: int = 0) -> list[Block]:
    """Make that many empty blocks on top of each other, the first one being ``number``."""
    blocks = [make_block(number=number, salt=salt)]
    while len(blocks) < length:
        blocks.append(make_block(blocks[-1], salt=salt))
    return blocks


@st.composite
def logs(draw: st.DrawFn) -> Log:
    """Draw a log of few addresses and topics."""
    topics = draw(st.lists(st.sampled_from(TOPICS), max_size=4))
    return make_log(draw(st.sampled_from(ADDRESSES)), topics)


def transactions() -> st.SearchStrategy[EvmTransaction]:
    """Draw a transaction of few parties and nonces, or a creation; equal ones turn up often."""
    recipients = {0: ADDRESSES[0], 1: ADDRESSES[1], 2: None}

    def make(sender: Address20, nonce: int, salt: int) -> EvmTransaction:
        return replace(make_transaction(sender, nonce, salt=salt), to=recipients[salt])

    return st.builds(make, st.sampled_from(SENDERS), st.integers(0, 3), st.integers(0, 2))


def any_transactions() -> st.SearchStrategy[Transaction]:
    """Draw an EVM or a native transaction."""
    natives = st.sampled_from([Kind.ONTOLOGY, Kind.ZILLIQA])
    return st.one_of(transactions(), st.builds(make_native, natives, salt=st.integers(0, 1)))


def contents() -> st.SearchStrategy[list[tuple[Transaction, Sequence[Log]]]]:
    """Draw what a block holds: transactions with their logs."""
    return st.lists(st.tuples(any_transactions(), st.lists(logs(), max_size=2)), max_size=3)


@st.composite
def blocks_on(draw: st.DrawFn, parent: Block | None = None) -> Block:
    """Draw a block on top of a given one (genesis without one)."""
    return make_block(parent, draw(contents()), salt=draw(st.integers(0, 1_000)))


@st.composite
def chains(draw: st.DrawFn, *, min_size: int = 1, max_size: int = 6) -> list[Block]:
    """Draw connected blocks from genesis, oldest first."""
    blocks = [draw(blocks_on())]
    for _ in range(draw(st.integers(min_size - 1, max_size - 1))):
        blocks.append(draw(blocks_on(blocks[-1])))
    return blocks


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One change of a chain.

    Attributes:
        depth: blocks to take away, as far as the first block of the chain allows.
        redo: how many of them come back first.
        added: contents and salts of the new blocks on top.
    """

    depth: int
    redo: int
    added: tuple[tuple[Sequence[tuple[Transaction, Sequence[Log]]], int], ...]

    def play(self, chain: CanonicalChain) -> Transition:
        """Carry the step out: an extension where it is one, else a reorganisation."""
        floor = max(chain.oldest.number, chain.height - self.depth)
        base = chain.at(floor)
        assert base is not None
        ancestor = base.hash
        applied = list(chain.blocks(floor + 1, floor + self.redo))
        base = applied[-1] if applied else base
        for held, salt in self.added:
            base = make_block(base, held, salt=salt)
            applied.append(base)
        if floor == chain.height and len(applied) == 1:
            return chain.extend(applied[0])
        return chain.reorganise(ancestor, applied)


def steps() -> st.SearchStrategy[Step]:
    """Draw a step: often a plain extension, else a rollback or a reorg with or without redo."""
    added = st.lists(st.tuples(contents(), st.integers(0, 1_000)), max_size=3).map(tuple)
    plain = st.lists(st.tuples(contents(), st.integers(0, 1_000)), min_size=1, max_size=1)
    return st.one_of(
        st.builds(Step, depth=st.just(0), redo=st.just(0), added=plain.map(tuple)),
        st.builds(Step, depth=st.integers(0, 4), redo=st.integers(0, 2), added=added),
    )


def scripts(*, max_size: int = 12) -> st.SearchStrategy[list[Step]]:
    """Draw the life of a chain after its first block."""
    return st.lists(steps(), max_size=max_size)


@st.composite
def log_filters(draw: st.DrawFn) -> LogFilter:
    """Draw a log filter of the same few addresses and topics."""
    some_topics = st.frozensets(st.sampled_from(TOPICS), min_size=1, max_size=2)
    bounds = st.one_of(st.none(), st.integers(0, 4).map(BlockNumber))
    return LogFilter(
        addresses=draw(st.frozensets(st.sampled_from(ADDRESSES), max_size=2)),
        topics=tuple(draw(st.lists(st.one_of(st.none(), some_topics), max_size=4))),
        first=draw(bounds),
        last=draw(bounds),
    )


def receipt_filters() -> st.SearchStrategy[ReceiptFilter]:
    """Draw a receipt filter over transactions that may exist."""
    hashes = st.frozensets(any_transactions().map(lambda tx: tx.hash), max_size=4)
    return st.builds(ReceiptFilter, hashes=hashes)


def pending_filters() -> st.SearchStrategy[PendingFilter]:
    """Draw a filter over the parties of pending transactions."""
    return st.builds(
        PendingFilter,
        senders=st.frozensets(st.sampled_from(SENDERS), max_size=2),
        recipients=st.frozensets(st.sampled_from(ADDRESSES), max_size=2),
    )


def mined_filters() -> st.SearchStrategy[MinedFilter]:
    """Draw a filter over pairs of parties, each of them with at least one."""
    senders, recipients = st.sampled_from(SENDERS), st.sampled_from(ADDRESSES)
    parties = st.one_of(
        st.builds(Parties, sender=senders),
        st.builds(Parties, recipient=recipients),
        st.builds(Parties, sender=senders, recipient=recipients),
    )
    return st.builds(
        MinedFilter, parties=st.frozensets(parties, max_size=3), include_removed=st.booleans()
    )


def filters() -> st.SearchStrategy[Filter]:
    """Draw any filter."""
    return st.one_of(
        st.sampled_from([HeadFilter(), PendingFilter(), SilentFilter(), LogFilter()]),
        log_filters(),
        pending_filters(),
        mined_filters(),
        receipt_filters(),
    )


@st.composite
def events(draw: st.DrawFn) -> ChainEvent:
    """Draw any event, with the block it stands in."""
    parents = make_chain(draw(st.integers(1, 4)))
    block = draw(blocks_on(parents[-1]))
    positions = tuple(range(len(block.transactions)))
    located = [
        LogEvent(
            block=block,
            transaction_index=found.transaction_index,
            log_index=found.log_index,
            log=found.log,
            removed=draw(st.booleans()),
        )
        for found in block.logs()
    ]
    choices: list[st.SearchStrategy[ChainEvent]] = [
        st.just(HeadAdded(block=block)),
        st.just(ReceiptsAdded(block=block, positions=positions)),
        st.builds(TransactionPending, transaction=transactions()),
        *[st.just(event) for event in located],
        *[
            st.builds(
                TransactionMined,
                block=st.just(block),
                position=st.just(position),
                removed=st.booleans(),
            )
            for position in positions
        ],
    ]
    event: ChainEvent = draw(st.one_of(choices))
    return event
