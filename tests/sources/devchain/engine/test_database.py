"""The key-value store below py-evm."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_chainws.sources.devchain.engine.database import (
    BlockRecord,
    Fresh,
    OverlayDB,
    SqliteDB,
)

KEYS = st.sampled_from([b"a", b"b", b"c"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("set"), KEYS, st.binary(max_size=3)),
        st.tuples(st.just("delete"), KEYS),
        st.tuples(st.just("commit")),
        st.tuples(st.just("rollback")),
    ),
    max_size=30,
)


@given(STEPS)
def test_it_is_a_dictionary_with_commit_and_rollback(steps: list[tuple[Any, ...]]) -> None:
    """Any sequence of writes, deletions, commits and rollbacks agrees with two dictionaries."""
    db = SqliteDB(":memory:")
    now: dict[bytes, bytes] = {}
    saved: dict[bytes, bytes] = {}
    for step in steps:
        if step[0] == "set":
            db[step[1]] = now[step[1]] = step[2]
        elif step[0] == "delete":
            assert (step[1] in db) == (step[1] in now)
            db.delete(step[1])
            now.pop(step[1], None)
        elif step[0] == "commit":
            db.commit()
            saved = dict(now)
        else:
            db.rollback()
            now = dict(saved)
        for key in (b"a", b"b", b"c"):
            assert (key in db) == (key in now)
            assert key not in db or db[key] == now[key]
    db.close()


def test_only_what_was_committed_is_in_the_file(tmp_path: Path) -> None:
    """A second connection sees committed keys, records and control values, nothing else."""
    path = str(tmp_path / "file")
    record = BlockRecord(base_root=b"r" * 32, edited_root=None, natives=b"")
    first = SqliteDB(path)
    first[b"k"] = b"1"
    first.put_record(b"h", record)
    first.put_control("c", b"v")
    first.commit()
    first[b"k"] = b"2"
    first.put_control("c", None)
    second = SqliteDB(path)
    assert (second[b"k"], second.record(b"h"), second.control("c")) == (b"1", record, b"v")
    first.commit()
    assert second.control("c") is None
    assert second.record(b"unknown") is None
    first.close()
    second.close()


def test_a_missing_key_is_a_key_error() -> None:
    """Reading or deleting what is not there raises; `delete` forgives."""
    db = SqliteDB(":memory:")
    for key in (b"never", b"gone"):
        db[b"gone"] = b"1"
        del db[b"gone"]
        with pytest.raises(KeyError):
            db[key]
        with pytest.raises(KeyError):
            del db[key]
        db.delete(key)


def _fail_in_a_batch(target: SqliteDB | OverlayDB) -> None:
    with target.atomic_batch() as batch:
        batch[b"lost"] = b"1"
        raise ValueError("stop")


def test_a_batch_is_applied_whole_or_not_at_all() -> None:
    """An exception inside a batch drops its writes."""
    db = SqliteDB(":memory:")
    for target in (db, OverlayDB(db)):
        with target.atomic_batch() as batch:
            batch[b"kept"] = b"1"
        with pytest.raises(ValueError, match="stop"):
            _fail_in_a_batch(target)
        assert target[b"kept"] == b"1"
        assert b"lost" not in target


def test_an_overlay_hides_and_adds_without_writing() -> None:
    """Writes and deletions of an overlay are seen through it only."""
    db = SqliteDB(":memory:")
    db[b"a"] = b"1"
    overlay = OverlayDB(db)
    overlay[b"b"] = b"2"
    del overlay[b"a"]
    assert b"a" not in overlay
    assert overlay[b"b"] == b"2"
    assert db[b"a"] == b"1"
    assert b"b" not in db
    with pytest.raises(KeyError):
        overlay[b"a"]
    with pytest.raises(KeyError):
        del overlay[b"a"]


def test_absorbed_writes_are_committed() -> None:
    """The writes of a child become ours, deletions included."""
    db = SqliteDB(":memory:")
    db[b"a"] = b"1"
    db.commit()
    db.absorb(Fresh(kv={b"a": None, b"b": b"2"}, control={"c": b"3"}))
    db.commit()
    assert b"a" not in db
    assert (db[b"b"], db.control("c")) == (b"2", b"3")


def test_a_failed_commit_keeps_the_writes(tmp_path: Path) -> None:
    """When the file is locked the commit raises, and succeeds when tried again."""
    path = str(tmp_path / "file")
    db, other = SqliteDB(path), sqlite3.connect(path, isolation_level=None)
    db._connection.execute("PRAGMA busy_timeout=1")
    other.execute("BEGIN IMMEDIATE")
    db[b"a"] = b"1"
    with pytest.raises(sqlite3.OperationalError):
        db.commit()
    other.execute("ROLLBACK")
    other.close()
    db.commit()
    db.rollback()
    assert db[b"a"] == b"1"
    db.close()


def test_a_read_only_connection_cannot_write(tmp_path: Path) -> None:
    """After reopening for a child, reads work, fresh writes are visible, a commit is refused."""
    db = SqliteDB(str(tmp_path / "odd name #1?"))
    db[b"a"] = b"1"
    db.commit()
    db[b"b"] = b"2"
    writer = db._connection
    db.reopen_read_only()
    db._cache.clear()
    assert (db[b"a"], db[b"b"]) == (b"1", b"2")
    with pytest.raises(sqlite3.OperationalError):
        db.commit()
    db.close()
    writer.close()


def test_a_record_is_replaced_also_after_it_was_read() -> None:
    """Reading keeps a record at hand, and the next commit or rollback is seen all the same."""
    db = SqliteDB(":memory:")
    first = BlockRecord(base_root=b"r" * 32, edited_root=None, natives=b"")
    second = BlockRecord(base_root=b"r" * 32, edited_root=b"e" * 32, natives=b"n")
    db.put_record(b"h", first)
    db.commit()
    assert db.record(b"h") == db.record(b"h") == first
    db.put_record(b"h", second)
    assert db.record(b"h") == second
    db.rollback()
    assert db.record(b"h") == first
    db.put_record(b"h", second)
    db.commit()
    assert db.record(b"h") == second


def test_the_read_cache_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cache starts over when it is full."""
    monkeypatch.setattr("twisted_chainws.sources.devchain.engine.database._CACHE_ENTRIES", 3)
    db = SqliteDB(":memory:")
    for number in range(10):
        db[bytes([number])] = b"x"
    db.commit()
    assert len(db._cache) <= 3
    assert all(bytes([number]) in db for number in range(10))
    assert len(db._cache) <= 3
