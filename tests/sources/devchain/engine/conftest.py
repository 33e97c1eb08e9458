import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sources.devchain.engine.building import genesis
from twisted_chainws.sources.devchain.engine.core import Engine
from twisted_chainws.sources.devchain.engine.database import SqliteDB
from twisted_chainws.sources.devchain.engine.limit import forget_lost_alarms


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A fresh development chain in a file."""
    made = Engine.open(str(tmp_path / "chain.sqlite3"), genesis())
    yield made
    made.close()


@pytest.fixture(autouse=True)
def _lost_alarms(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hear nothing of alarms that are lost, as in the worker: they ring again."""
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    forget_lost_alarms()


@pytest.fixture(autouse=True)
def _closed_databases(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Close what a test opened and left: newer Pythons complain about such connections."""
    opened: list[sqlite3.Connection] = []
    original = SqliteDB.__init__

    def noting(database: SqliteDB, *arguments: Any, **options: Any) -> None:
        original(database, *arguments, **options)
        opened.append(database._connection)

    monkeypatch.setattr(SqliteDB, "__init__", noting)
    yield
    for connection in opened:
        connection.close()
