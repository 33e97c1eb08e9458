import sys
from collections.abc import Iterator

import pytest


@pytest.fixture
def usual_recursion_limit() -> Iterator[None]:
    """Undo what importing the engine does to this process: it allows a hundred times the depth."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(1_000)
    yield
    sys.setrecursionlimit(before)
