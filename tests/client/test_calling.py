from collections.abc import Sequence
from typing import Any

import orjson
import pytest
import pytest_twisted
from twisted.internet.defer import succeed

from tests.client.ethereum.nodes import NO_ANSWER, Relay, options, serving
from tests.websocket.scripted import limit, until
from twisted_chainws.client import (
    BadAnswer,
    ClientClosed,
    ClientError,
    RequestTimeout,
    RpcError,
    State,
)
from twisted_chainws.client.calling import CallingClient
from twisted_chainws.client.requests import Request
from twisted_chainws.client.sending import RequestSender

pytestmark = pytest.mark.integration


class Sender(RequestSender):
    """Speaks JSON-RPC, as far as the node of the tests needs it."""

    def _is_repeatable(self, method: str, _params: Any) -> bool:
        return method != "send"

    def _render(self, requests: Sequence[Request]) -> str:
        (one,) = requests
        message = {"id": one.key, "method": one.method, "params": one.params}
        return orjson.dumps(message).decode()

    def answered(self, message: Any) -> None:
        request = self._table.get(message["id"])
        if request is not None and "error" in message:
            self._table.fail(request, RpcError.of(message["error"]))
        elif request is not None:
            self._table.succeed(request, message["result"])


class Plain(CallingClient):
    """Asks, and tells what it is told to do."""

    _caller: Sender

    def __init__(self, url: str, **more: Any) -> None:
        super().__init__(url, options(**more), reactor=None, uniform=lambda low, _: low)
        self._caller = Sender(
            clock=self._clock, options=self._options, condition=self._condition, line=self._line
        )
        self.told: list[str] = []
        self.holds = True
        self.error: ClientError | None = None

    def ask(self, method: str) -> Any:
        return self._request(method, [])

    def ask_now(self, method: str) -> Any:
        return self._request_now(method, [])

    async def _read_chain_id(self) -> int:
        return int(await self._request_now("eth_chainId", []), 16)

    def _hold(self) -> bool:
        self.told.append("hold")
        return self.holds

    async def _subscribe_again(self) -> None:
        self.told.append("subscribe")
        await self._request_now("eth_blockNumber", [])
        if self.error is not None:
            raise self.error

    async def _catch_up(self) -> None:
        self.told.append("catch up")
        await succeed(None)

    def _heard(self, data: str | bytes) -> None:
        self._caller.answered(orjson.loads(data))

    def _down(self) -> None:
        self._caller.down()

    def _beat(self) -> None:
        self._request_now("net_version", [])

    async def _check(self) -> None:
        await succeed(None)

    def _stop(self, error: ClientError, *, wanted: bool) -> None:  # noqa: ARG002 - as in the base
        self._caller.end(error)

    def _depth(self) -> int:
        return 0


@pytest_twisted.ensureDeferred
async def test_the_order() -> None:
    """Events are held, subscriptions are asked for, what waits goes behind them; then all else."""
    async with serving() as node:
        client = Plain(node.url)
        states: list[State] = []
        client.on("state", lambda status: states.append(status.state))
        opening = client.open()
        waiting = client.ask("net_version")
        await limit(opening)
        assert await limit(waiting) == "31337"
        assert [method for method, _ in node.asked] == [
            *("eth_chainId", "eth_blockNumber", "net_version"),
        ]
        assert client.told == ["hold", "subscribe", "catch up"]
        assert states == [State.CONNECTING, State.BACKFILLING, State.OPEN]
        client.holds = False
        states.clear()
        node.drop()
        await until(lambda: client.counters.reconnects == 1 and client.state is State.OPEN)
        assert State.BACKFILLING not in states
        await client.close()


@pytest_twisted.ensureDeferred
async def test_no_subscription() -> None:
    """Who cannot subscribe again tries over another connection."""
    async with serving() as node:
        client = Plain(node.url)
        client.error = BadAnswer("no")
        reasons: list[str] = []
        client.on("state", lambda status: reasons.append(status.reason))
        opening = client.open()
        await until(lambda: "no subscription: no" in reasons)
        client.error = None
        await limit(opening)
        assert "catch up" in client.told
        await client.close()


@pytest.mark.parametrize("answer", ["0x", {"code": -32601, "message": "no"}])
@pytest_twisted.ensureDeferred
async def test_a_chain_that_is_not_told(answer: Any) -> None:
    """A server that cannot say its chain will do, unless a certain one is wanted."""
    async with serving() as node, Relay(node.port) as relay:
        node.answers["eth_chainId"] = lambda: NO_ANSWER
        client = Plain(relay.url, request_timeout_s=0.1)
        opening = client.open()
        await until(lambda: client.counters.timeouts == 1)
        assert client.state is not State.OPEN

        def refuse(_: Any = None) -> Any:
            raise RpcError.of(answer)

        client._read_chain_id = refuse  # type: ignore[method-assign]
        await limit(opening)
        assert client.chain_id is None
        await client.close()
        wanting = Plain(relay.url, chain_id=7)
        wanting._read_chain_id = refuse  # type: ignore[method-assign]
        opening = wanting.open()
        await until(lambda: "no chain id" in wanting.status.reason)
        await wanting.close()
        with pytest.raises(ClientClosed):
            await limit(opening)


@pytest_twisted.ensureDeferred
async def test_when_nothing_can_be_asked() -> None:
    """Before it is opened, and after it is closed, whatever is asked fails."""
    async with serving() as node:
        client = Plain(node.url)
        with pytest.raises(ClientClosed, match="not opened"):
            await limit(client.ask("net_version"))
        async with client:
            node.answers["net_version"] = lambda: NO_ANSWER
            waiting = client.ask("net_version")
        with pytest.raises(ClientClosed):
            await limit(waiting)
        for late in (client.ask("net_version"), client.ask_now("net_version")):
            with pytest.raises(ClientClosed):
                await limit(late)


@pytest_twisted.ensureDeferred
async def test_what_goes_before() -> None:
    """What is asked for ourselves does not wait, and is not sent again."""
    async with serving() as node, Plain(node.url) as client:
        node.answers["x"] = lambda: NO_ANSWER
        waiting = client.ask_now("x")
        await until(lambda: node.count("x") == 1)
        node.drop()
        with pytest.raises(ClientError, match="connection lost") as failed:
            await limit(waiting)
        assert not isinstance(failed.value, RequestTimeout)
