"""The pool of a development chain: who waits, who may run, who replaces whom.

Knows neither py-evm nor the database: accounts are looked up through a callable, an entry carries
the engine's transaction as an opaque value. The rules are those of geth's legacy and blob pools;
transactions of other families follow them, too, by the same nonces, unless they have none.

Theory of operation: the entries of a sender are *pending* as long as their nonces follow the
account's nonce without a hole, the others are *queued*. What has no nonce is *loose*: always
pending, before and behind nothing, never replaced. After each change of a sender ``_settle``
compares the new standing of its entries with the announced one and notes the differences, so no
path can forget an event. Mined entries leave silently: the block tells.
"""

import heapq
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from twisted_chainws.chain.model import NativeTransaction, Transaction
from twisted_chainws.errors import AlreadyKnown, NonceTooLow, PoolFull, ReplacementUnderpriced

_K = TypeVar("_K")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Entry:
    """A transaction that waits.

    Attributes:
        nonce: the one of the sender's account that it uses; None for a loose one.
        gas: the most it may use.
        cost: what its sender has to own, wei: gas, value and blob gas.
        fee_cap: per gas, wei, like ``tip_cap``.
        blob_fee_cap: per blob gas, wei; None except for blob transactions.
        native: the transaction as the engine executes it.
        arrival: counts up; ties of the tip are settled by it.
    """

    transaction: Transaction
    native: Any
    nonce: int | None
    gas: int
    cost: int
    fee_cap: int
    tip_cap: int
    blob_fee_cap: int | None
    arrival: int

    @property
    def hash(self) -> bytes:
        """The hash of the transaction."""
        return self.transaction.hash

    @property
    def sender(self) -> bytes:
        """The account that pays."""
        return self.transaction.sender

    @property
    def is_foreign(self) -> bool:
        """Whether it is of another family than the EVM's."""
        return isinstance(self.transaction, NativeTransaction)

    def effective_tip(self, base_fee: int) -> int:
        """Return what the coinbase gets per gas, wei; negative when the base fee is too high.

        Other families pay no base fee.
        """
        return self.tip_cap if self.is_foreign else min(self.tip_cap, self.fee_cap - base_fee)


class Mempool:
    """Transactions that wait, by sender and nonce, or by sender alone."""

    def __init__(self, *, limit: int, nonce_of: Callable[[bytes], int]) -> None:
        self._limit = limit
        self._nonce_of = nonce_of
        self._senders: dict[bytes, dict[int, Entry]] = {}
        self._loose: dict[bytes, dict[bytes, Entry]] = {}
        self._entries: dict[bytes, Entry] = {}
        self._standing: dict[bytes, str] = {}
        self._changes: list[tuple[str, Entry]] = []
        self._touched: set[bytes] = set()
        self.version = 0

    def __len__(self) -> int:
        """Return how many transactions wait, pending and queued."""
        return len(self._entries)

    def __contains__(self, transaction_hash: bytes) -> bool:
        """Tell whether this transaction waits."""
        return transaction_hash in self._entries

    def __iter__(self) -> Iterator[Entry]:
        """Yield all entries by arrival."""
        return iter(sorted(self._entries.values(), key=lambda entry: entry.arrival))

    def entries(self) -> Iterator[Entry]:
        """Yield all entries in any order."""
        return iter(self._entries.values())

    def get(self, transaction_hash: bytes) -> Entry | None:
        """Return the entry of this hash, or None."""
        return self._entries.get(transaction_hash)

    def standing(self, transaction_hash: bytes) -> str | None:
        """Return ``pending``, ``queued`` or, for an unknown transaction, None."""
        return self._standing.get(transaction_hash)

    def add(self, entry: Entry) -> None:
        """Take a transaction that has passed the checks against the state.

        Raises:
            AlreadyKnown: it waits already.
            NonceTooLow: its nonce has been used.
            ReplacementUnderpriced: same sender and nonce without a tenth (blobs: twice) more.
            PoolFull: there is no room.
        """
        if entry.nonce is None:
            self.check_loose(entry.hash)
            self._loose.setdefault(entry.sender, {})[entry.hash] = entry
            self._stand(entry, "pending")
        else:
            self._check_unknown(entry.hash)
            self._line_up(entry, entry.nonce)
        self._entries[entry.hash] = entry
        self._touched.add(entry.hash)
        self._settle(entry.sender)

    def check_loose(self, transaction_hash: bytes) -> None:
        """Check whether ``add`` would take a loose transaction.

        Raises:
            AlreadyKnown: it waits already.
            PoolFull: there is no room.
        """
        self._check_unknown(transaction_hash)
        self._check_room()

    def remove(self, transaction_hash: bytes) -> bool:
        """Drop a transaction; return whether it was there."""
        entry = self._entries.get(transaction_hash)
        if entry is None:
            return False
        self._discard(entry)
        self._changes.append(("dropped", entry))
        self._settle(entry.sender)
        return True

    def remove_sender(self, sender: bytes) -> None:
        """Drop all transactions of an account."""
        for entry in self._of(sender):
            self._discard(entry)
            self._changes.append(("dropped", entry))

    def clear(self) -> None:
        """Drop everything."""
        for entry in list(self):
            self._discard(entry)
            self._changes.append(("dropped", entry))

    def mined(self, hashes: Iterable[bytes]) -> None:
        """Forget transactions that are now in a block, without an event."""
        for transaction_hash in hashes:
            entry = self._entries.get(transaction_hash)
            if entry is not None:
                self._discard(entry)

    def refresh(self, senders: Iterable[bytes] | None, balance_of: Callable[[bytes], int]) -> None:
        """Bring accounts in line with a changed state: drop the stale, promote, demote.

        Args:
            senders: the accounts that may have changed; None means any.
            balance_of: the balance of an account at the new head, wei.
        """
        if senders is None:
            senders = (*self._senders, *self._loose)
        for sender in dict.fromkeys(senders):
            entries = self._of(sender)
            if not entries:
                continue
            nonce, balance = self._nonce_of(sender), balance_of(sender)
            for entry in entries:
                is_stale = entry.nonce is not None and entry.nonce < nonce
                if is_stale or entry.cost > balance:
                    self._discard(entry)
                    self._changes.append(("dropped", entry))
            self._settle(sender)

    def next_nonce(self, sender: bytes) -> int:
        """Return the nonce that follows the account's and its pending transactions."""
        nonce, entries = self._nonce_of(sender), self._senders.get(sender, {})
        while nonce in entries:
            nonce += 1
        return nonce

    def select(self, *, base_fee: int, blob_base_fee: int) -> "Selection":
        """Return the executable transactions in the order in which a block takes them."""
        runs = []
        for sender, entries in self._senders.items():
            nonce, run = self._nonce_of(sender), []
            while nonce in entries:
                run.append(entries[nonce])
                nonce += 1
            if run:
                runs.append(run)
        runs += [[entry] for entries in self._loose.values() for entry in entries.values()]
        return Selection(runs, base_fee=base_fee, blob_base_fee=blob_base_fee)

    def take_changes(self) -> list[tuple[str, Entry]]:
        """Return what happened since the last time: ``pending``, ``queued``, ``dropped``."""
        changes, self._changes = self._changes, []
        return changes

    def take_touched(self) -> set[bytes]:
        """Return the hashes that came or went since the last time, to be stored."""
        touched, self._touched = self._touched, set()
        return touched

    def _discard(self, entry: Entry) -> None:
        self.version += 1
        del self._entries[entry.hash]
        self._touched.add(entry.hash)
        self._standing.pop(entry.hash, None)
        if entry.nonce is None:
            _take_out(self._loose, entry.sender, entry.hash)
        else:
            _take_out(self._senders, entry.sender, entry.nonce)

    def _settle(self, sender: bytes) -> None:
        self.version += 1
        entries = self._senders.get(sender, {})
        edge = self.next_nonce(sender)
        for nonce in sorted(entries):
            self._stand(entries[nonce], "pending" if nonce < edge else "queued")

    def _stand(self, entry: Entry, standing: str) -> None:
        if self._standing.get(entry.hash) != standing:
            self._standing[entry.hash] = standing
            self._changes.append((standing, entry))

    def _of(self, sender: bytes) -> list[Entry]:
        """Return the entries of a sender, the loose ones last."""
        entries, loose = self._senders.get(sender, {}), self._loose.get(sender, {})
        return [*entries.values(), *loose.values()]

    def _line_up(self, entry: Entry, nonce: int) -> None:
        """Put an entry in its sender's line, in place of a rival if there is one."""
        account_nonce = self._nonce_of(entry.sender)
        if nonce < account_nonce:
            raise NonceTooLow(next_nonce=account_nonce, nonce=nonce)
        rival = self._senders.get(entry.sender, {}).get(nonce)
        if rival is None:
            self._check_room()
        elif not _outbids(entry, rival):
            raise ReplacementUnderpriced
        else:
            self._discard(rival)
            self._changes.append(("dropped", rival))
        self._senders.setdefault(entry.sender, {})[nonce] = entry

    def _check_unknown(self, transaction_hash: bytes) -> None:
        if transaction_hash in self._entries:
            raise AlreadyKnown

    def _check_room(self) -> None:
        if len(self._entries) >= self._limit:
            raise PoolFull(limit=self._limit)


class Selection:
    """The executable transactions by tip, then by arrival; each line in the order of nonces."""

    def __init__(self, runs: Iterable[list[Entry]], *, base_fee: int, blob_base_fee: int) -> None:
        self._base_fee = base_fee
        self._blob_base_fee = blob_base_fee
        self._heap: list[tuple[int, int, int, list[Entry]]] = []
        for run in runs:
            self._push(0, run)

    def _push(self, index: int, run: list[Entry]) -> None:
        if index >= len(run):
            return
        entry = run[index]
        tip = entry.effective_tip(self._base_fee)
        blob = entry.blob_fee_cap
        if tip >= 0 and (blob is None or blob >= self._blob_base_fee):
            heapq.heappush(self._heap, (-tip, entry.arrival, index, run))

    def __bool__(self) -> bool:
        """Tell whether anything is left."""
        return bool(self._heap)

    def peek(self) -> Entry:
        """Return the next transaction."""
        _, _, index, run = self._heap[0]
        return run[index]

    def take(self) -> None:
        """Note that the next transaction is in the block: its sender's following one competes."""
        _, _, index, run = heapq.heappop(self._heap)
        self._push(index + 1, run)

    def skip(self) -> list[Entry]:
        """Leave out the next transaction and all that follow from its sender; return them."""
        _, _, index, run = heapq.heappop(self._heap)
        return run[index:]


def _take_out(table: dict[bytes, dict[_K, Entry]], sender: bytes, key: _K) -> None:
    entries = table[sender]
    del entries[key]
    if not entries:
        del table[sender]


def _outbids(entry: Entry, rival: Entry) -> bool:
    """Tell whether a replacement pays enough more.

    Source: geth ``core/txpool``: 10 % for ordinary, 100 % for blob transactions, on each fee.
    """
    if entry.is_foreign != rival.is_foreign:
        return False
    if (entry.blob_fee_cap is None) != (rival.blob_fee_cap is None):
        return False
    percent = 200 if rival.blob_fee_cap is not None else 110
    prices = [(entry.fee_cap, rival.fee_cap), (entry.tip_cap, rival.tip_cap)]
    if entry.blob_fee_cap is not None and rival.blob_fee_cap is not None:
        prices.append((entry.blob_fee_cap, rival.blob_fee_cap))
    return all(new > old and new * 100 >= old * percent for new, old in prices)
