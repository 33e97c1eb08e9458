"""What the tests of the WebSocket objects share."""

import gc
from collections.abc import Iterator
from typing import Any, Final

import pytest
import pytest_twisted
from twisted.internet import reactor as _reactor  # noqa: TID251 - real sockets
from twisted.internet.task import deferLater
from twisted.logger import globalLogPublisher

reactor: Any = _reactor
publisher: Any = globalLogPublisher
GRACE_S: Final = 5.0


@pytest.fixture
def capture_log() -> Iterator[list[Any]]:
    """Collect what is logged during a test."""
    events: list[Any] = []
    publisher.addObserver(events.append)
    yield events
    publisher.removeObserver(events.append)


@pytest.fixture(scope="session")
def collecting_is_quick() -> Iterator[None]:
    """Let the collector pass over what was imported, which it would look at after each test."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
def nothing_left(collecting_is_quick: None) -> Iterator[None]:
    """Fail a test that leaves a delayed call, an open socket or an unhandled error behind.

    What is on its way out, the end of a connection say, gets a moment to get there.
    """
    before = _busy()
    errors: list[str] = []

    def note(event: Any) -> None:
        # Only what nobody has handled: what is logged by us is looked at by the tests themselves.
        if "log_failure" in event and event["log_namespace"].startswith("twisted."):
            errors.append(event["log_failure"].getTraceback())

    publisher.addObserver(note)
    try:
        yield
        deadline = reactor.seconds() + GRACE_S
        while left := [one for one in _busy() if not any(one is old for old in before)]:
            if reactor.seconds() > deadline:
                break
            pytest_twisted.blockon(deferLater(reactor, 0.01))
        # A Deferred tells of its unhandled error when it is collected.
        gc.collect()
    finally:
        publisher.removeObserver(note)
    assert left == []
    assert errors == []


def _busy() -> list[Any]:
    """Return what keeps the reactor busy: timers, and descriptors that it waits for."""
    return [
        *(call for call in reactor.getDelayedCalls() if call.active()),
        *(one for one in reactor.getReaders() if one not in reactor._internalReaders),
        *reactor.getWriters(),
    ]
