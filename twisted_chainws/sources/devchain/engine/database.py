"""One SQLite file for trie nodes, block records and control state, written in single commits.

py-evm writes a block in several batches; here every write waits in memory until `commit`, so that
a block, its record and the control state that belongs to it reach the disk together or not at all.
"""

import logging
import sqlite3
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from eth.abc import AtomicWriteBatchAPI
from eth.db.atomic import AtomicDBWriteBatch
from eth.db.backends.base import BaseAtomicDB

_CACHE_ENTRIES = 65_536
_CACHED_RECORDS = 4_096
_SCHEMA = """
CREATE TABLE IF NOT EXISTS kv (k BLOB PRIMARY KEY, v BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS block (
    hash BLOB PRIMARY KEY, base_root BLOB NOT NULL, edited_root BLOB, natives BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS control (k TEXT PRIMARY KEY, v BLOB NOT NULL) WITHOUT ROWID;
"""

# On any error this logger prints the whole batch: thousands of lines of trie nodes.
logging.getLogger("eth.db").setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockRecord:
    """What we keep of a block beside its header and bodies.

    Attributes:
        base_root: state root the block was built on; differs from the parent's after an edit.
        edited_root: state root after edits made at this block; None without edits.
        natives: the encoded native transactions and receipts; empty without any.
    """

    base_root: bytes
    edited_root: bytes | None
    natives: bytes


@dataclass(slots=True)
class Fresh:
    """Everything written since the last commit; a value of None is a deletion. Picklable."""

    kv: dict[bytes, bytes | None] = field(default_factory=dict)
    records: dict[bytes, BlockRecord] = field(default_factory=dict)
    control: dict[str, bytes | None] = field(default_factory=dict)

    def update(self, other: "Fresh") -> None:
        """Lay the writes of ``other`` over ours."""
        self.kv.update(other.kv)
        self.records.update(other.records)
        self.control.update(other.control)


class _HoldingDB(BaseAtomicDB):
    """A py-evm database that holds its writes in memory, over something that it only reads."""

    @property
    @abstractmethod
    def _held(self) -> dict[bytes, bytes | None]:
        """What was written; a value of None hides the key."""

    def __delitem__(self, key: bytes) -> None:
        """Hide the key.

        Raises:
            KeyError: there is no such key.
        """
        if key not in self:
            raise KeyError(key)
        self._held[key] = None

    def _exists(self, key: bytes) -> bool:
        try:
            self[key]
        except KeyError:
            return False
        return True

    @contextmanager
    def atomic_batch(self) -> Iterator[AtomicWriteBatchAPI]:
        """Collect writes that are applied together or, on an exception, not at all."""
        with AtomicDBWriteBatch._commit_unless_raises(self) as batch:  # noqa: SLF001
            yield batch


class SqliteDB(_HoldingDB):
    """A py-evm database over SQLite whose writes wait for `commit`."""

    def __init__(self, path: str) -> None:
        """Open or create the file ``path``."""
        self._path = path
        self._fresh = Fresh()
        self._cache: dict[bytes, bytes] = {}
        self._records: dict[bytes, BlockRecord] = {}
        self._inherited: sqlite3.Connection | None = None
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.executescript(_SCHEMA)

    def reopen_read_only(self) -> None:
        """Replace the connection by one of our own, for a forked child.

        SQLite connections must not cross a fork. The inherited one is kept untouched, because
        closing it would disturb the parent; uncommitted writes stay visible.
        """
        self._inherited = self._connection
        self._connection = sqlite3.connect(
            f"file:{self._path.replace('?', '%3f').replace('#', '%23')}?mode=ro",
            uri=True,
            isolation_level=None,
        )

    def close(self) -> None:
        """Close the file; uncommitted writes are lost."""
        self._connection.close()

    def __getitem__(self, key: bytes) -> bytes:
        """Read the newest value.

        Raises:
            KeyError: there is none.
        """
        if key in self._fresh.kv:
            value = self._fresh.kv[key]
            if value is None:
                raise KeyError(key)
            return value
        cached = self._cache.get(key)
        if cached is not None:
            return cached
        row = self._connection.execute("SELECT v FROM kv WHERE k = ?", (key,)).fetchone()
        if row is None:
            raise KeyError(key)
        self._remember(key, row[0])
        found: bytes = row[0]
        return found

    def __setitem__(self, key: bytes, value: bytes) -> None:
        """Write, to be committed."""
        self._fresh.kv[key] = value

    @property
    def _held(self) -> dict[bytes, bytes | None]:
        return self._fresh.kv

    def record(self, block_hash: bytes) -> BlockRecord | None:
        """Return what is kept of a block, None for an unknown one."""
        if block_hash in self._fresh.records:
            return self._fresh.records[block_hash]
        known = self._records.get(block_hash)
        if known is not None:
            return known
        row = self._connection.execute(
            "SELECT base_root, edited_root, natives FROM block WHERE hash = ?", (block_hash,)
        ).fetchone()
        if row is None:
            return None
        found = BlockRecord(base_root=row[0], edited_root=row[1], natives=row[2])
        if len(self._records) >= _CACHED_RECORDS:
            self._records.clear()
        self._records[block_hash] = found
        return found

    def put_record(self, block_hash: bytes, record: BlockRecord) -> None:
        """Keep the record of a block, to be committed."""
        self._fresh.records[block_hash] = record

    def control(self, key: str) -> bytes | None:
        """Return a control value, None when it was never set or was deleted."""
        if key in self._fresh.control:
            return self._fresh.control[key]
        row = self._connection.execute("SELECT v FROM control WHERE k = ?", (key,)).fetchone()
        return None if row is None else row[0]

    def put_control(self, key: str, value: bytes | None) -> None:
        """Set a control value, to be committed; None deletes it."""
        self._fresh.control[key] = value

    @property
    def fresh(self) -> Fresh:
        """What the next commit would write."""
        return self._fresh

    def absorb(self, fresh: Fresh) -> None:
        """Take over the writes of a forked child, to be committed."""
        self._fresh.update(fresh)

    def rollback(self) -> None:
        """Forget everything written since the last commit."""
        self._fresh = Fresh()

    def commit(self) -> None:
        """Write everything in one transaction.

        Raises:
            sqlite3.Error: the disk refused; the writes are still waiting.
        """
        fresh, execute = self._fresh, self._connection.execute
        if not (fresh.kv or fresh.records or fresh.control):
            return
        execute("BEGIN IMMEDIATE")
        try:
            self._write(fresh)
            execute("COMMIT")
        except BaseException:
            execute("ROLLBACK")
            raise
        for key, value in fresh.kv.items():
            if value is None:
                self._cache.pop(key, None)
            else:
                self._remember(key, value)
        for block_hash in fresh.records:
            self._records.pop(block_hash, None)
        self._fresh = Fresh()

    def _write(self, fresh: Fresh) -> None:
        many = self._connection.executemany
        gone = [(key,) for key, value in fresh.kv.items() if value is None]
        kept = [(key, value) for key, value in fresh.kv.items() if value is not None]
        many("DELETE FROM kv WHERE k = ?", gone)
        many("INSERT OR REPLACE INTO kv VALUES (?, ?)", kept)
        many(
            "INSERT OR REPLACE INTO block VALUES (?, ?, ?, ?)",
            [
                (block_hash, record.base_root, record.edited_root, record.natives)
                for block_hash, record in fresh.records.items()
            ],
        )
        many(
            "DELETE FROM control WHERE k = ?",
            [(key,) for key, value in fresh.control.items() if value is None],
        )
        many(
            "INSERT OR REPLACE INTO control VALUES (?, ?)",
            [(key, value) for key, value in fresh.control.items() if value is not None],
        )

    def _remember(self, key: bytes, value: bytes) -> None:
        if len(self._cache) >= _CACHE_ENTRIES:
            self._cache.clear()
        self._cache[key] = value


class OverlayDB(_HoldingDB):
    """Writes that nobody else ever sees, over a database that is only read."""

    def __init__(self, below: BaseAtomicDB) -> None:
        """Lay an empty overlay over ``below``."""
        self._below = below
        self._kv: dict[bytes, bytes | None] = {}

    def __getitem__(self, key: bytes) -> bytes:
        """Read our own value or the one below.

        Raises:
            KeyError: there is none.
        """
        if key in self._kv:
            value = self._kv[key]
            if value is None:
                raise KeyError(key)
            return value
        found: bytes = self._below[key]
        return found

    def __setitem__(self, key: bytes, value: bytes) -> None:
        """Write into the overlay."""
        self._kv[key] = value

    @property
    def _held(self) -> dict[bytes, bytes | None]:
        return self._kv
