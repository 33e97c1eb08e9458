"""What the tests of the WebSocket objects share."""

from collections.abc import Iterator
from typing import Any

import pytest
from twisted.logger import globalLogPublisher


@pytest.fixture
def capture_log() -> Iterator[list[Any]]:
    """Collect what is logged during a test."""
    events: list[Any] = []
    globalLogPublisher.addObserver(events.append)
    yield events
    globalLogPublisher.removeObserver(events.append)
