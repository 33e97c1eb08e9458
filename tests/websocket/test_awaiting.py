import asyncio
from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred

from twisted_chainws.websocket.awaiting import Outcome, attempt, failed, succeeded
from twisted_chainws.websocket.codes import ErrorCode, ParameterError, WebSocketError


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

    asyncio.run(main())


def test_attempt_without_callback() -> None:
    """An action's error is a failure of the outcome, never an exception of the call."""

    def action() -> None:
        raise WebSocketError(ErrorCode.PARAMETER_ERROR)

    results: list[Any] = []
    attempt(action, None).addErrback(lambda failure: results.append(code_of(failure)))
    attempt(lambda: None, None).addCallback(results.append)
    assert results == [401, True]


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
