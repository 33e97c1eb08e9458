"""JSON-RPC over HTTP, as Zilliqa's nodes speak it beside their WebSocket.

Source: ``zilliqa.md`` 5; JSON-RPC 2.0.
"""

import json
from collections.abc import Callable
from typing import Any, Final, NoReturn

import orjson
import treq
from treq.client import HTTPClient
from twisted.internet.defer import CancelledError
from twisted.python.failure import Failure
from twisted.web.client import Agent
from twisted.web.iweb import IAgent

from twisted_chainws.client.errors import (
    BadAnswer,
    ClientError,
    ConnectionLost,
    Misuse,
    RequestTimeout,
    RpcError,
)
from twisted_chainws.client.options import ClientOptions
from twisted_chainws.client.promise import promise, sleep
from twisted_chainws.client.status import Counters
from twisted_chainws.websocket import Outcome

__all__ = ["Rpc"]

_TOO_MANY_REQUESTS: Final = 429
_HEADERS: Final = {"Content-Type": "application/json"}


class Rpc:
    """Asks one node; each request has a connection of its own."""

    def __init__(
        self,
        url: str,
        *,
        reactor: Any,
        agent: IAgent | None,
        options: ClientOptions,
        uniform: Callable[[float, float], float],
        counters: Counters,
    ) -> None:
        """Prepare.

        Args:
            url: ``http://`` or ``https://``.
            reactor: for sockets and time.
            agent: makes the requests; None for a direct one.
            options: of the client.
            uniform: a random number between two others.
            counters: of the client.
        """
        self._url = url
        self._clock = reactor
        self._options = options
        self._uniform = uniform
        self._counters = counters
        if agent is None:
            agent = Agent(reactor, connectTimeout=options.web_socket.open_timeout)
        self._http = HTTPClient(agent)
        self._running: dict[Outcome[Any], Outcome[Any]] = {}

    def call(self, method: str, *params: Any) -> Outcome[Any]:
        """Call a method.

        Args:
            method: name.
            params: of any JSON type; numbers are texts as a rule.

        Returns:
            The result. Fails with RpcError, BadAnswer, RequestTimeout, ConnectionLost or Misuse.
        """
        inner = promise(self._call(method, params))
        inner.addTimeout(
            self._options.request_timeout_s, self._clock, lambda *_: self._late(method)
        )

        def cancel(outcome: Any) -> None:
            # Told first, or it would end as the request does that is cut off.
            self._running.pop(outcome)
            inner.cancel()

        outcome: Outcome[Any] = Outcome(cancel)
        self._running[outcome] = inner

        def finish(end: Any) -> None:
            if self._running.pop(outcome, None) is not None:
                outcome.callback(end)

        inner.addBoth(finish)
        return outcome

    def end(self, error: ClientError) -> None:
        """Fail all calls that have no answer."""
        running, self._running = self._running, {}
        for outcome, inner in running.items():
            outcome.errback(Failure(error))
            inner.cancel()

    def _late(self, method: str) -> NoReturn:
        self._counters.timeouts += 1
        raise RequestTimeout(method, self._options.request_timeout_s, maybe_sent=True)

    async def _call(self, method: str, params: tuple[Any, ...]) -> Any:
        body = _render(method, params)
        refusals = 0
        while True:
            status, data = await self._post(method, body)
            if status != _TOO_MANY_REQUESTS or refusals >= self._options.rate_limit_retries:
                return _result(method, status, data)
            self._counters.rate_limited += 1
            refusals += 1
            jitter = self._uniform(0, self._options.rate_limit_jitter_s)
            await sleep(self._clock, self._options.rate_limit_wait_s + jitter)

    async def _post(self, method: str, body: bytes) -> tuple[int, bytes]:
        """Return status and body of the answer."""
        parts: list[bytes] = []
        room = self._options.web_socket.max_message_size or float("inf")

        def collect(part: bytes) -> None:
            nonlocal room
            room -= len(part)
            if room < 0:
                raise BadAnswer(f"{method}: the answer is too long")
            parts.append(part)

        try:
            response = await self._http.post(self._url, data=body, headers=_HEADERS)
            await treq.collect(response, collect)
        except (CancelledError, ClientError):
            raise
        except Exception as problem:
            raise ConnectionLost(method, maybe_sent=True) from problem
        return response.code, b"".join(parts)


def _render(method: str, params: tuple[Any, ...]) -> bytes:
    request = {"id": "1", "jsonrpc": "2.0", "method": method, "params": params}
    try:
        return json.dumps(request, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError) as problem:
        raise Misuse(f"params: {problem}") from None


def _result(method: str, status: int, data: bytes) -> Any:
    try:
        answer = orjson.loads(data)
    except orjson.JSONDecodeError:
        raise BadAnswer(f"{method}: HTTP {status} without JSON") from None
    if not isinstance(answer, dict):
        raise BadAnswer(f"{method}: not an object")
    if answer.get("error") is not None:
        raise RpcError.of(answer["error"])
    if "result" not in answer:
        raise BadAnswer(f"{method}: neither result nor error")
    return answer["result"]
