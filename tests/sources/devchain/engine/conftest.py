from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sources.devchain.engine.building import genesis
from twisted_chainws.sources.devchain.engine.core import Engine


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A fresh development chain in a file."""
    made = Engine.open(str(tmp_path / "chain.sqlite3"), genesis())
    yield made
    made.close()
