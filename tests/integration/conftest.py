"""Servers for the tests that look from outside."""

from collections.abc import Iterator

import pytest

from tests.running import Running


@pytest.fixture
def server() -> Iterator[Running]:
    """Give a fresh server with a development chain."""
    with Running("--silent") as running:
        yield running
