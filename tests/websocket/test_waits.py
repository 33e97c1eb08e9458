from typing import Any

from twisted_chainws.websocket.codes import ConnectionClosed, WebSocketError
from twisted_chainws.websocket.values import CloseResult, OpenInfo
from twisted_chainws.websocket.waits import Waits

INFO = OpenInfo(101, "Switching Protocols", "p")
RESULT = CloseResult(1000, "")
ERROR = WebSocketError(200)


class Watched:
    """Waits, and the ends that were told."""

    def __init__(self) -> None:
        self.waits = Waits()
        self.ends: list[Any] = []

    def ask(self) -> None:
        """Wait for both."""
        self.waits.when_open().addBoth(lambda end: self._note("open", end))
        self.waits.when_closed().addBoth(lambda end: self._note("closed", end))

    def _note(self, name: str, end: Any) -> None:
        self.ends.append((name, getattr(end, "value", end)))


def test_told_when_called() -> None:
    """Those who wait are told by the call, and those who ask afterwards at once."""
    watched = Watched()
    watched.ask()
    opened = watched.waits.opened(INFO)
    assert watched.ends == []
    opened()
    assert (watched.ends, watched.waits.info) == ([("open", INFO)], INFO)
    watched.waits.closed(RESULT)()
    assert watched.ends == [("open", INFO), ("closed", RESULT)]
    watched.ask()
    assert watched.ends[2:] == [("open", INFO), ("closed", RESULT)]


def test_failed_attempt() -> None:
    """Both waits fail with what kept the connection from being made."""
    watched = Watched()
    watched.ask()
    watched.waits.failed(ERROR)()
    watched.ask()
    assert watched.ends == 2 * [("open", ERROR), ("closed", ERROR)]
    assert watched.waits.info is None


def test_attempt_that_was_given_up() -> None:
    """Who waited for a connection that was given up learns how."""
    watched = Watched()
    watched.ask()
    watched.waits.closed(RESULT)()
    (opened, first), (closed, second) = watched.ends
    assert (opened, closed, second) == ("open", "closed", RESULT)
    assert isinstance(first, ConnectionClosed)
    assert first.close_result == RESULT


def test_next_attempt_in_between() -> None:
    """Who waits for the next attempt, begun before all were told, is not told of the one before."""
    watched = Watched()
    watched.ask()
    tell = watched.waits.failed(ERROR)
    watched.waits.begin()
    later = Watched()
    later.waits = watched.waits
    later.ask()
    tell()
    assert (len(watched.ends), later.ends) == (2, [])
    watched.waits.opened(INFO)()
    assert later.ends == [("open", INFO)]
