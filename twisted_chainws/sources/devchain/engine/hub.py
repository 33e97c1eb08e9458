"""What all commands share: engine, pool, control state, keys, clock, events, the one commit.

Nothing that a command did is told before it is committed: events wait in ``_staged`` until then.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

import orjson
from eth.abc import SignedTransactionAPI, StateAPI

from twisted_chainws.chain.forks import Fork
from twisted_chainws.errors import TransactionRejected
from twisted_chainws.sources.devchain.codec import encode_block, encode_hex, encode_transaction
from twisted_chainws.sources.devchain.engine.checks import check_stateful, highest_cost
from twisted_chainws.sources.devchain.engine.control import (
    Control,
    Snapshot,
    decode_control,
    decode_snapshots,
    encode_control,
    encode_snapshots,
)
from twisted_chainws.sources.devchain.engine.convert import convert_transaction
from twisted_chainws.sources.devchain.engine.core import Engine
from twisted_chainws.sources.devchain.engine.keys import Keyring
from twisted_chainws.sources.devchain.engine.mempool import Entry, Mempool
from twisted_chainws.sources.devchain.engine.natives import (
    Executable,
    Native,
    Natives,
    encode_pooled,
)
from twisted_chainws.sources.devchain.engine.state import Change, StateReader
from twisted_chainws.sources.devchain.settings import DevchainSettings

_BLOB_TYPE: Final = 3
_LOANS_PER_STATE: Final = 1_000
"""A state remembers every account it was asked for."""
_CONTROL: Final = "node.control"
_SNAPSHOTS: Final = "node.snapshots"
_POOL_RANGE: Final = "node.pool"

LAST_TIMESTAMP: Final = 2**64 - 1
"""The largest one that a header holds."""


class Hub:
    """The node's state and how it changes: set members, then ``commit``."""

    def __init__(
        self,
        *,
        engine: Engine,
        keyring: Keyring,
        settings: DevchainSettings,
        wall_clock: Callable[[], float],
        random_bytes: Callable[[int], bytes],
    ) -> None:
        """Continue what the engine's file holds, or begin.

        Args:
            engine: open, nothing uncommitted.
            keyring: the node's accounts.
            settings: of the chain.
            wall_clock: seconds since the epoch.
            random_bytes: so many fresh random bytes.
        """
        self.engine = engine
        self.keyring = keyring
        self.settings = settings
        self.random_bytes = random_bytes
        self._wall_clock = wall_clock
        self._reader: StateReader | None = None
        self._scratch: dict[tuple[bytes, bytes], StateAPI] = {}
        self._loans = 0
        self.natives = Natives(ontology_network=settings.ontology_network)
        self.pool = Mempool(limit=settings.pool_size, nonce_of=self.nonce_of)
        self._staged: list[tuple[str, Any]] = []
        self._events: list[tuple[str, Any]] = []
        self._arrivals: dict[bytes, int] = {}
        self._oldest, self._next_arrival = 0, 0
        stored = engine.get_control(_CONTROL)
        self.control = decode_control(stored) if stored else self.first_control()
        self._stored_control: Control | None = self.control if stored else None
        snapshots = engine.get_control(_SNAPSHOTS)
        self.snapshots = decode_snapshots(snapshots) if snapshots else ()
        self._stored_snapshots = self.snapshots
        self._load_pool()
        self.commit()
        self._events.clear()

    def first_control(self) -> Control:
        """Return the control state of a new or reset chain."""
        settings = self.settings
        randomness = self.random_bytes(32)
        if settings.seed is not None:
            randomness = settings.seed.to_bytes(max(32, settings.seed.bit_length() // 8 + 1), "big")
        interval = settings.block_time if settings.mining else None
        offset = 0
        if settings.timestamp is not None and not self._stepping:
            offset = settings.timestamp - int(self._wall_clock())
        return Control(
            instance=self.random_bytes(32),
            randomness=randomness,
            gas_limit=self._first_gas_limit(),
            coinbase=bytes(20),
            automine=settings.mining and interval is None,
            interval_s=interval,
            time_offset=offset,
        )

    def _first_gas_limit(self) -> int:
        """Return the gas limit of new blocks: that of a foreign chain's head, or as set."""
        if self.settings.genesis_file is not None:
            return int(self.engine.head.gas_limit)
        return self.settings.gas_limit

    # Clock

    @property
    def _stepping(self) -> bool:
        return self.settings.seed is not None and self.settings.timestamp is not None

    def now(self) -> int:
        """Return what the clock says, seconds; with a seed it counts blocks instead."""
        if self._stepping:
            step = max(1, int(self.settings.block_time or 1))
            return (self.settings.timestamp or 0) + (self.engine.height + 1) * step
        return int(self._wall_clock())

    def next_timestamp(self) -> int:
        """Return the timestamp that a block made now would have; at the end of time it stays."""
        timestamp = self.control.timestamp(parent=self.engine.head.timestamp, now=self.now())
        return min(timestamp, LAST_TIMESTAMP)

    def next_fork(self) -> Fork:
        """Return the fork that a block made now would be under."""
        return self.engine.forks.at(self.engine.height + 1, self.next_timestamp())

    # Accounts at the head

    def reader(self) -> StateReader:
        """Return the state at the head, kept until something is committed."""
        if self._reader is None:
            self._reader = self.engine.read(self.engine.head_hash)
        return self._reader

    @contextmanager
    def scratch(self) -> Iterator[StateAPI]:
        """Lend a state of the block that would follow; what is done to it is undone.

        It is kept while the head is the same, because a fresh one finds everything slowly. One
        that was interrupted is dropped: it may be half written.
        """
        head = self.engine.head_hash
        place = (head, self.engine.root(head))
        state = self._scratch.pop(place, None)
        if state is None or self._loans >= _LOANS_PER_STATE:
            state, self._loans = self.engine.trial(head), 0
        self._scratch.clear()
        self._loans += 1
        mark = state.snapshot()
        try:
            yield state
        except Exception:
            state.revert(mark)
            self._scratch[place] = state
            raise
        state.revert(mark)
        self._scratch[place] = state

    def forget_reader(self) -> None:
        """Note that the state at the head was replaced."""
        self._reader = None

    def nonce_of(self, address: bytes) -> int:
        """Return the account's nonce at the head."""
        return self.reader().nonce(address)

    def balance_of(self, address: bytes) -> int:
        """Return the account's balance at the head, wei."""
        return self.reader().balance(address)

    def edit(self, change: Change) -> None:
        """Change the state at the head, and what the pool makes of it."""
        self.engine.edit(change)
        self._reader = None
        self.pool.refresh(None, self.balance_of)

    def may_impersonate(self, address: bytes) -> bool:
        """Tell whether this address may send without a key."""
        return self.control.auto_impersonate or address in self.control.impersonated

    # Pool

    def entry(self, native: Executable) -> Entry:
        """Return a new entry of the pool, the last to arrive."""
        arrival, self._next_arrival = self._next_arrival, self._next_arrival + 1
        if not isinstance(native, SignedTransactionAPI):
            return _foreign_entry(native, arrival)
        return Entry(
            transaction=convert_transaction(native),
            native=native,
            nonce=native.nonce,
            gas=native.gas,
            cost=highest_cost(native),
            fee_cap=native.max_fee_per_gas,
            tip_cap=native.max_priority_fee_per_gas,
            blob_fee_cap=(native.max_fee_per_blob_gas if native.type_id == _BLOB_TYPE else None),
            arrival=arrival,
        )

    def readmit(self, natives: Iterable[Executable]) -> None:
        """Put transactions of undone blocks back; those that cannot run any more stay out."""
        for native in natives:
            try:
                if isinstance(native, SignedTransactionAPI):
                    check_stateful(native, self.reader().state)
                else:
                    native.check(self.reader().state)
                self.pool.add(self.entry(native))
            except TransactionRejected:
                continue

    # Head

    def move_head(self, block_hash: bytes) -> list[Executable]:
        """Make a kept block the head and stage the event.

        Returns:
            The transactions that left the chain, in their order.
        """
        undone, applied = self.engine.set_head(block_hash)
        self._reader = None
        ancestor = self._ancestor(block_hash, applied)
        blocks = [self.engine.block(block) for block in applied]
        returned = [native for block in reversed(undone) for native in self._executables(block)]
        for block in blocks:
            mined = {item.hash for item in block.transactions}
            returned = [native for native in returned if native.hash not in mined]
            self.pool.mined(mined)
        if undone or applied:
            payload = {
                "ancestor": encode_hex(ancestor),
                "undone": len(undone),
                "applied": [encode_block(block) for block in blocks],
            }
            self.stage("advance", payload)
        return returned

    def _executables(self, block_hash: bytes) -> Iterator[Executable]:
        yield from self.engine.transactions(block_hash)
        for record in self.engine.natives(block_hash):
            yield self.natives.decode(record.kind, record.raw)

    def _ancestor(self, head: bytes, applied: list[bytes]) -> bytes:
        return bytes(self.engine.header(applied[0]).parent_hash) if applied else head

    # Events and the commit

    def stage(self, name: str, payload: Any) -> None:
        """Tell something once it is committed, after what the pool has to tell."""
        self._stage_pool()
        self._staged.append((name, payload))

    def _stage_pool(self) -> None:
        for name, entry in self.pool.take_changes():
            if name == "dropped":
                self._staged.append((name, {"hash": encode_hex(entry.hash)}))
            else:
                self._staged.append((name, {"tx": encode_transaction(entry.transaction)}))

    def take_events(self) -> list[tuple[str, Any]]:
        """Return what has been committed and not told yet, as (name, payload)."""
        events, self._events = self._events, []
        return events

    def commit(self) -> None:
        """Write blocks, control state, snapshots and pool at once; then the events may leave."""
        engine = self.engine
        self._stage_pool()
        if self.control != self._stored_control:
            engine.put_control(_CONTROL, encode_control(self.control))
        if self.snapshots != self._stored_snapshots:
            engine.put_control(_SNAPSHOTS, encode_snapshots(self.snapshots))
        self._store_pool()
        engine.commit()
        self._reader = None
        self._stored_control, self._stored_snapshots = self.control, self.snapshots
        self._events += self._staged
        self._staged = []

    def abandon(self) -> None:
        """Undo what a failed command left uncommitted; the pool keeps its entries."""
        self.engine.rollback()
        self._reader = None
        if self._stored_control is not None:
            self.control = self._stored_control
        self.snapshots = self._stored_snapshots
        self._staged = [item for item in self._staged if item[0] not in {"advance", "interval"}]
        self.commit()

    def set_control(self, **changes: Any) -> None:
        """Replace members of the control state, to be committed."""
        self.control = replace(self.control, **changes)

    def snapshot(self) -> Snapshot:
        """Return the present moment, with the next free id."""
        return Snapshot(
            id=self.control.next_snapshot,
            head=self.engine.head_hash,
            edited_root=self.engine.edited_root(self.engine.head_hash),
            control=self.control,
            pool=tuple(encode_pooled(entry.transaction) for entry in self.pool),
        )

    def _store_pool(self) -> None:
        # One row per transaction: a commit costs what changed, however many wait.
        touched = self.pool.take_touched()
        if not touched:
            return
        for transaction_hash in touched:
            known = self._arrivals.pop(transaction_hash, None)
            if known is not None:
                self.engine.put_control(f"{_POOL_RANGE}.{known}", None)
            entry = self.pool.get(transaction_hash)
            if entry is not None:
                self._arrivals[transaction_hash] = entry.arrival
                row = f"{_POOL_RANGE}.{entry.arrival}"
                self.engine.put_control(row, encode_pooled(entry.transaction))
        self._forget_holes()
        bounds = orjson.dumps([self._oldest, self._next_arrival])
        self.engine.put_control(_POOL_RANGE, bounds)

    def _forget_holes(self) -> None:
        if not self._arrivals:
            self._oldest = self._next_arrival
            return
        while (
            self._oldest < self._next_arrival
            and self.engine.get_control(f"{_POOL_RANGE}.{self._oldest}") is None
        ):
            self._oldest += 1

    def _load_pool(self) -> None:
        bounds = self.engine.get_control(_POOL_RANGE)
        if bounds is None:
            return
        self._oldest, end = orjson.loads(bounds)
        for arrival in range(self._oldest, end):
            raw = self.engine.get_control(f"{_POOL_RANGE}.{arrival}")
            if raw is not None:
                self._next_arrival = arrival
                entry = self.entry(self.natives.decode_pooled(raw))
                self.pool.add(entry)
                self._arrivals[entry.hash] = arrival
        self._next_arrival = end
        self.pool.take_touched()


def _foreign_entry(native: Native, arrival: int) -> Entry:
    return Entry(
        transaction=native.record,
        native=native,
        nonce=native.nonce,
        gas=native.gas,
        cost=native.cost,
        fee_cap=native.price,
        tip_cap=native.price,
        blob_fee_cap=None,
        arrival=arrival,
    )
