from typing import Any

import pytest
import pytest_twisted
from twisted.internet.defer import CancelledError
from twisted.web.server import NOT_DONE_YET

from tests.client.test_promise import ends
from tests.client.zilliqa.nodes import Node, options, serving
from tests.server.peer import reactor
from tests.websocket.scripted import limit, until
from twisted_chainws.client.errors import (
    BadAnswer,
    ClientClosed,
    ConnectionLost,
    Misuse,
    RequestTimeout,
    RpcError,
)
from twisted_chainws.client.options import WEB_SOCKET, ClientOptions
from twisted_chainws.client.status import Counters
from twisted_chainws.client.zilliqa.rpc import Rpc

pytestmark = pytest.mark.integration


def made(node: Node, given: ClientOptions | None = None) -> tuple[Rpc, Counters]:
    """Return what asks a node, and what it counts."""
    counters = Counters()
    rpc = Rpc(
        node.http_url,
        reactor=reactor,
        agent=None,
        options=given or options(),
        uniform=lambda low, _: low,
        counters=counters,
    )
    return rpc, counters


@pytest_twisted.ensureDeferred
async def test_calls() -> None:
    """Results and errors come as the node gives them, whatever the HTTP status of an error."""
    async with serving() as node:
        rpc, _ = made(node)
        assert await limit(rpc.call("GetNetworkId")) == "222"
        assert node.calls == [("GetNetworkId", [])]
        node.status = 400
        with pytest.raises(RpcError) as caught:
            await limit(rpc.call("GetNothing", 2**70))
        assert caught.value.code == -32601
        assert node.calls[-1] == ("GetNothing", [2**70])


@pytest.mark.parametrize("answer", [b"<html>", b"7", b"{}", b'{"error":null}'])
@pytest_twisted.ensureDeferred
async def test_answers_that_are_none(answer: bytes) -> None:
    """What is neither result nor error is a BadAnswer."""
    async with serving() as node:
        node.answers["GetVersion"] = lambda: answer
        with pytest.raises(BadAnswer):
            await limit(made(node)[0].call("GetVersion"))


@pytest_twisted.ensureDeferred
async def test_failures() -> None:
    """Silence, nobody there, what is no JSON and what is too long have errors of their own."""
    async with serving() as node:
        node.answers["GetVersion"] = lambda: NOT_DONE_YET
        rpc, counters = made(node, options(request_timeout_s=0.05))
        with pytest.raises(RequestTimeout):
            await limit(rpc.call("GetVersion"))
        assert counters.timeouts == 1
        with pytest.raises(Misuse):
            await rpc.call("GetVersion", object())
        small = ClientOptions(web_socket=type(WEB_SOCKET)(max_message_size=100))
        node.answers["GetVersion"] = lambda: "x" * 200
        with pytest.raises(BadAnswer, match="too long"):
            await limit(made(node, small)[0].call("GetVersion"))
    with pytest.raises(ConnectionLost):
        await limit(made(node)[0].call("GetVersion"))


@pytest_twisted.ensureDeferred
async def test_refused_for_the_rate() -> None:
    """429 is asked again after a while, three times."""
    async with serving() as node:
        rpc, counters = made(node, options(rate_limit_wait_s=0.01))

        def busy() -> Any:
            node.status = 429 if len(node.calls) < 3 else 200
            return "done" if node.status == 200 else b"slow down"

        node.answers["GetVersion"] = busy
        node.status = 429
        # The status is that of the call before: it is set before the answer is made.
        assert await limit(rpc.call("GetVersion")) == "done"
        assert counters.rate_limited == 3
        node.answers["GetVersion"] = lambda: b"slow down"
        node.status = 429
        with pytest.raises(BadAnswer, match="429"):
            await limit(rpc.call("GetVersion"))
        assert counters.rate_limited == 6


@pytest_twisted.ensureDeferred
async def test_the_end() -> None:
    """Calls that have no answer fail with what has ended the client; cancelled ones are gone."""
    async with serving() as node:
        node.answers["GetVersion"] = lambda: NOT_DONE_YET
        rpc, _ = made(node)
        waiting, cancelled = rpc.call("GetVersion"), rpc.call("GetVersion")
        await until(lambda: len(node.calls) == 2)
        ended = ends(cancelled)
        cancelled.cancel()
        assert ended == [CancelledError]
        rpc.end(ClientClosed("closed"))
        with pytest.raises(ClientClosed):
            await limit(waiting)
