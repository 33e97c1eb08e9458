from errno import EACCES
from typing import Any, cast

import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectError
from twisted.internet.task import Clock

from tests.websocket.scripted import options
from twisted_chainws.websocket.answer import Answer
from twisted_chainws.websocket.codes import ErrorCode
from twisted_chainws.websocket.connecting import Hooks, Link, connect_failed
from twisted_chainws.websocket.ending import Ending
from twisted_chainws.websocket.tunnel import ProxyRefused
from twisted_chainws.websocket.url import parse_url
from twisted_chainws.websocket.values import CloseResult, OpenInfo, ResponseHeaders

INFO = OpenInfo(101, "Switching Protocols")
ANSWER = Answer(status=503, message="Full", headers=ResponseHeaders())
END = Ending(result=CloseResult(1000, ""))


class Endpoint:
    """An endpoint that leads nowhere until it is told."""

    def __init__(self) -> None:
        self.factories: list[Any] = []
        self.cancelled = False
        self.dialled: Deferred[Any] = Deferred(self._cancel)

    def connect(self, factory: Any) -> Deferred[Any]:
        self.factories.append(factory)
        return self.dialled

    def _cancel(self, _: Any) -> None:
        self.cancelled = True


class Stand:
    """A link on a virtual clock, and what it told."""

    def __init__(self, **more: Any) -> None:
        self.clock = Clock()
        self.endpoint = Endpoint()
        self.told: list[Any] = []
        self.link = Link(
            reactor=self.clock,
            endpoint=cast("Any", self.endpoint),
            target=parse_url("ws://h/", longest=99),
            options=options(**more),
            hooks=Hooks(
                answered=self.told.append,
                opened=self.told.append,
                message=self.told.append,
                closing=lambda: self.told.append("closing"),
                failed=self.told.append,
                closed=self.told.append,
            ),
        )

    def everything(self) -> None:
        """Say everything that a connection may say."""
        self.link.answered(ANSWER)
        self.link.opened(INFO)
        self.link.message("x")
        self.link.closing()
        self.link.closed(END)
        self.link.failed(OSError(), None)


class Connection:
    aborted = False

    def abort(self) -> None:
        self.aborted = True


def test_dial_in_the_next_turn() -> None:
    """Nothing is dialled before the caller has its answer."""
    stand = Stand()
    assert stand.endpoint.factories == []
    stand.clock.advance(0)
    assert len(stand.endpoint.factories) == 1


def test_everything_is_told_until_the_end() -> None:
    """What happens is passed on up to the end, and nothing after it."""
    stand = Stand()
    stand.clock.advance(0)
    stand.everything()
    stand.everything()
    assert stand.told == [ANSWER, INFO, "x", "closing", END]
    assert stand.clock.getDelayedCalls() == []


def test_failed_dial() -> None:
    """A dial that fails is told once, with its cause."""
    stand = Stand()
    stand.clock.advance(0)
    cause = ConnectionRefusedError()
    stand.endpoint.dialled.errback(cause)
    (error,) = stand.told
    assert (error.code, error.__cause__, error.data) == (200, cause, "0")
    stand.everything()
    assert len(stand.told) == 1


def test_open_timeout() -> None:
    """The open timeout is for everything up to the answer, then the dial is given up."""
    stand = Stand(open_timeout=3)
    stand.clock.advance(0)
    connection: Any = Connection()
    assert stand.link.made(connection)
    stand.clock.advance(2.9)
    assert stand.told == []
    stand.clock.advance(0.2)
    (error,) = stand.told
    assert isinstance(error.__cause__, TimeoutError)
    assert connection.aborted
    assert stand.endpoint.cancelled


def test_cancelled_before_the_dial() -> None:
    """A link that is cancelled at once never dials and says nothing."""
    stand = Stand()
    stand.link.cancel()
    stand.clock.advance(1)
    stand.everything()
    assert (stand.endpoint.factories, stand.told) == ([], [])


def test_cancelled_in_the_dial() -> None:
    """Cancelling gives up the dial, and a transport that comes all the same is not wanted."""
    stand = Stand()
    stand.clock.advance(0)
    stand.link.cancel()
    late: Any = Connection()
    assert stand.endpoint.cancelled
    assert not stand.link.made(late)
    assert stand.told == []


def test_second_transport() -> None:
    """Of two transports that an endpoint makes at the same time, the first is taken."""
    stand = Stand()
    first: Any = Connection()
    second: Any = Connection()
    assert (stand.link.made(first), stand.link.made(second)) == (True, False)
    assert stand.link.connection is first
    stand.link.cancel()


@pytest.mark.parametrize(
    ("cause", "answer", "status"),
    [
        (ConnectionError("refused"), ANSWER, 503),
        (ProxyRefused("HTTP/1.1 407 x", 407), None, 407),
        (ProxyRefused("no"), None, None),
    ],
)
def test_status_of_a_refusal(cause: Exception, answer: Answer | None, status: int | None) -> None:
    """The HTTP status of a server or of a proxy comes with the error, as number and as text."""
    stand = Stand()
    stand.link.failed(cause, answer)
    (error,) = stand.told
    assert (error.http_status, error.data) == (status, str(status or 0))


@pytest.mark.parametrize("cause", [PermissionError(), ConnectError(EACCES, "denied")])
def test_not_allowed_to_connect(cause: Exception) -> None:
    """A system that forbids the connection is a lack of permission."""
    assert connect_failed(cause).code == ErrorCode.PERMISSION_DENIED


def test_cancelled_by_others() -> None:
    """A dial that was cancelled below us is a connection that was aborted."""
    assert isinstance(connect_failed(CancelledError()).__cause__, ConnectionAbortedError)
