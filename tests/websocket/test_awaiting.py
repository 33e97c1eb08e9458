import asyncio
import gc
import subprocess
import sys
from typing import Any, Final

import pytest
from twisted.internet.defer import CancelledError, Deferred

from tests.running import ROOT
from twisted_chainws.websocket.awaiting import Outcome, Waiting, attempt, failed, succeeded
from twisted_chainws.websocket.codes import (
    AlreadyConnected,
    CertificateNotFound,
    ConnectFailed,
    ConnectionClosed,
    ConnectionNotFound,
    ErrorCode,
    NotOpen,
    ParameterError,
    UrlError,
    WebSocketError,
)
from twisted_chainws.websocket.values import CloseResult

TOLD: Final = (
    ConnectFailed(200),
    ConnectionClosed(CloseResult(1006, "", was_clean=False)),
    ConnectionNotFound(2302006),
    NotOpen(),
)
MISTAKES: Final = (
    ParameterError(401),
    UrlError(2302001),
    CertificateNotFound(2302002),
    AlreadyConnected(2302003),
    WebSocketError(201),
    WebSocketError(2302998),
    WebSocketError(2302999),
)


async def waits(outcome: Outcome[Any]) -> Any:
    """Await and mark."""
    return ("got", await outcome)


def code_of(failure: Any) -> int:
    """Return the code of an error."""
    return int(failure.value.code)


def test_twisted_coroutine_gets_value_now_or_later() -> None:
    """A coroutine of Twisted gets the value of an outcome that is there and of one to come."""
    results: list[Any] = []
    Deferred.fromCoroutine(waits(succeeded(1))).addBoth(results.append)
    later: Outcome[int] = Outcome()
    Deferred.fromCoroutine(waits(later)).addBoth(results.append)
    assert results == [("got", 1)]
    later.callback(2)
    assert results == [("got", 1), ("got", 2)]


def test_twisted_coroutine_gets_failure_now_or_later() -> None:
    """A coroutine of Twisted gets the error of an outcome that failed or fails."""
    failures: list[Any] = []
    Deferred.fromCoroutine(waits(failed(WebSocketError(401)))).addErrback(failures.append)
    later: Outcome[int] = Outcome()
    Deferred.fromCoroutine(waits(later)).addErrback(failures.append)
    later.errback(WebSocketError(401))
    assert [type(one.value) for one in failures] == [ParameterError, ParameterError]


def test_cancelling_a_twisted_coroutine_cancels_what_it_awaits() -> None:
    """Cancelling goes through the await to the outcome's canceller."""
    cancelled: list[Any] = []
    outcome: Outcome[int] = Outcome(cancelled.append)
    failures: list[Any] = []
    running = Deferred.fromCoroutine(waits(outcome)).addErrback(failures.append)
    running.cancel()
    assert cancelled == [outcome]
    assert failures[0].check(CancelledError)


def test_asyncio_task_gets_value_and_failure() -> None:
    """A task of asyncio awaits outcomes as it awaits futures, which a bare Deferred breaks."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        later: Outcome[int] = Outcome()
        loop.call_soon(later.callback, 7)
        assert await later == 7
        broken: Outcome[int] = Outcome()
        loop.call_soon(broken.errback, WebSocketError(401))
        with pytest.raises(ParameterError):
            await broken
        assert await succeeded(8) == 8
        with pytest.raises(RuntimeError, match="Task got bad yield"):
            await Deferred()

    asyncio.run(main())


def test_asyncio_task_may_wait_with_a_limit_or_for_several() -> None:
    """gather, wait_for and timeouts of asyncio work on outcomes; a timeout cancels the outcome."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        first: Outcome[int] = Outcome()
        second: Outcome[int] = Outcome()
        loop.call_soon(second.callback, 2)
        loop.call_soon(first.callback, 1)
        both = list(await asyncio.gather(waits(first), waits(second)))
        assert both == [("got", 1), ("got", 2)]
        cancelled: list[Any] = []
        never: Outcome[int] = Outcome(cancelled.append)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(waits(never), 0.01)
        assert cancelled == [never]

    asyncio.run(main())


def test_twisted_coroutine_started_in_a_task() -> None:
    """A coroutine driven by Twisted inside a task of asyncio awaits outcomes all the same."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        inner: Outcome[int] = Outcome()
        loop.call_soon(inner.callback, 3)
        assert await Deferred.fromCoroutine(waits(inner)).asFuture(loop) == ("got", 3)
        assert await succeeded(4).asFuture(loop) == 4

    asyncio.run(main())


@pytest.mark.parametrize("error", TOLD, ids=lambda error: type(error).__name__)
def test_what_events_tell_may_be_ignored(error: WebSocketError, capture_log: list[Any]) -> None:
    """Whether it fails at once, later or by cancelling: nobody has to look, and nothing is logged.

    Without the exception in ``errback`` this would be "Unhandled error in Deferred".
    """
    waiting: Waiting[int] = Waiting()
    outcomes = [failed(error), waiting.wait(), waiting.wait()]
    outcomes[2].cancel()
    waiting.fail(error)
    assert all(one.called for one in outcomes)
    del outcomes
    gc.collect()
    assert capture_log == []


@pytest.mark.parametrize("error", [*TOLD, *MISTAKES], ids=repr)
def test_who_looks_gets_the_failure(error: WebSocketError) -> None:
    """Awaited or with an errback, at once or later, nothing is swallowed."""
    outcomes = [failed(error), Outcome[int]()]
    ends: list[Any] = []
    Deferred.fromCoroutine(waits(outcomes[1])).addErrback(ends.append)
    outcomes[1].errback(error)
    gc.collect()
    Deferred.fromCoroutine(waits(outcomes[0])).addErrback(ends.append)
    late = failed(error)
    gc.collect()
    late.addErrback(ends.append)
    assert [one.value for one in ends] == [error] * 3


MISTAKEN: Final = """
import gc
import sys
from twisted.logger import globalLogBeginner, textFileLogObserver
from twisted_chainws.websocket import WebSocket

globalLogBeginner.beginLoggingTo([textFileLogObserver(sys.stdout)], redirectStandardIO=False)
WebSocket().{call}
gc.collect()
"""


@pytest.mark.parametrize(
    ("call", "logged"),
    [
        ("send('x')", 0),
        ("send('x').addCallback(print)", 1),
        ("close()", 0),
        ("ping()", 0),
        ("recv()", 0),
        ("when_open().cancel()", 0),
        ("send(5)", 1),
        ("send(5, print)", 0),
        ("close(code=1006)", 1),
        ("connect('http://h/')", 1),
        ("connect('http://h/', lambda error, _: None)", 0),
    ],
)
def test_what_is_logged_of_an_ignored_call(call: str, logged: int) -> None:
    """A mistake of the caller that no event tells is not lost; where to look is the caller's choice.

    A process of its own, because these tests take whatever is unhandled for a failure.
    """
    done = subprocess.run(
        [sys.executable, "-c", MISTAKEN.format(call=call)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("Unhandled error in Deferred") == logged


def test_attempt_without_callback() -> None:
    """An action's error is a failure of the outcome, never an exception of the call."""

    def action() -> None:
        raise WebSocketError(ErrorCode.PARAMETER_ERROR)

    results: list[Any] = []
    attempt(action, None).addErrback(lambda failure: results.append(code_of(failure)))
    attempt(lambda: None, None).addCallback(results.append)
    assert results == [401, True]


def test_a_bug_is_an_outcome_too() -> None:
    """A function that returns a Deferred never raises, whatever goes wrong in it."""

    def action() -> None:
        raise ZeroDivisionError

    ends: list[Any] = []
    attempt(action, None).addErrback(ends.append)
    error = ends[0].value
    assert (error.code, error.data) == (2302999, "ZeroDivisionError")
    assert isinstance(error.__cause__, ZeroDivisionError)
    calls: list[Any] = []
    attempt(action, lambda *given: calls.append(given))
    assert [(one.code, value) for one, value in calls] == [(2302999, None)]


def test_attempt_with_callback() -> None:
    """The callback gets (None, True) or (error, None), and its failure counts as handled."""

    def action() -> None:
        raise WebSocketError(ErrorCode.PARAMETER_ERROR, data="x")

    calls: list[Any] = []

    def callback(error: Any, value: Any) -> None:
        calls.append((error and error.data, value))

    results: list[Any] = []
    attempt(lambda: None, callback).addCallback(results.append)
    attempt(action, callback).addCallback(results.append)
    assert calls == [(None, True), ("x", None)]
    assert results == [True, False]


def test_attempt_with_something_not_callable() -> None:
    """A callback that cannot be called is a wrong parameter, and nothing is done."""
    done: list[int] = []
    codes: list[int] = []
    outcome = attempt(lambda: done.append(1), 5)  # type: ignore[arg-type]
    outcome.addErrback(lambda failure: codes.append(code_of(failure)))
    assert (codes, done) == ([401], [])


def test_a_callback_that_breaks_is_logged(capture_log: list[Any]) -> None:
    """What a callback raises is logged and does not reach the caller."""

    def callback(error: Any, value: Any) -> None:
        raise ZeroDivisionError

    results: list[Any] = []
    attempt(lambda: None, callback).addCallback(results.append)
    assert results == [None]
    assert [event["log_failure"].type for event in capture_log] == [ZeroDivisionError]
