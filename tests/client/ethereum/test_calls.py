"""Requests that are answered in every way that there is."""

from itertools import pairwise
from typing import Any

import orjson
import pytest
import pytest_twisted

from tests.client.ethereum.nodes import (
    NO_ANSWER,
    Failed,
    Node,
    Relay,
    Whole,
    options,
    relayed,
    serving,
)
from tests.client.warp import Warp
from tests.websocket.scripted import limit, reactor, until
from twisted_chainws.client import (
    BadAnswer,
    ClientClosed,
    ConnectionLost,
    EthereumClient,
    Misuse,
    RequestTimeout,
    RpcError,
    State,
)

pytestmark = pytest.mark.integration
SEND = "eth_sendRawTransaction"


async def failure(waiting: Any) -> Any:
    """Return what a call fails with."""
    with pytest.raises(Exception) as failed:  # noqa: PT011 - the test looks at it
        await limit(waiting)
    return failed.value


@pytest_twisted.ensureDeferred
async def test_answers_in_any_order() -> None:
    """Answers are found by id, whatever their order."""
    async with serving() as node, EthereumClient(node.url, options()) as client:
        held: list[Any] = []

        def hold(number: int) -> Any:
            held.append(number)
            return NO_ANSWER

        node.answers["eth_getBalance"] = hold
        calls = [client.call("eth_getBalance", number) for number in range(3)]
        await until(lambda: len(held) == 3)
        for key in (4, 2, 3):
            node.send({"result": f"result of {key}", "id": key})
        assert [await one for one in calls] == ["result of 2", "result of 3", "result of 4"]


@pytest.mark.parametrize(
    "render",
    [
        pytest.param(orjson.dumps, id="binary"),
        pytest.param(
            lambda message: orjson.dumps(message | {"id": str(message["id"])}).decode(),
            id="text id",
        ),
        pytest.param(
            lambda message: orjson.dumps(message | {"id": float(message["id"])}).decode(),
            id="float",
        ),
        pytest.param(lambda message: orjson.dumps([message]).decode(), id="array"),
        pytest.param(
            lambda message: orjson.dumps(message | {"error": None, "more": 1}).decode(),
            id="null error",
        ),
        pytest.param(
            lambda message: (
                "\n " + orjson.dumps({k: message[k] for k in ("result", "id")}).decode()
            ),
            id="no version",
        ),
    ],
)
@pytest_twisted.ensureDeferred
async def test_odd_answers(render: Any) -> None:
    """Answers are taken however they are wrapped."""
    async with serving() as node:
        node.render = render
        async with EthereumClient(node.url, options()) as client:
            assert await client.call("eth_blockNumber") == "0x5"
            assert client.counters.strays == 0


@pytest_twisted.ensureDeferred
async def test_what_belongs_to_nothing() -> None:
    """Messages without meaning are counted, and harm nothing; empty ones do not even count."""
    async with serving() as node, EthereumClient(node.url, options()) as client:
        strays: list[Any] = []
        client.on("stray", strays.append)
        for message in (
            *("no JSON", b"\xff\xfe", "[]", "", "1", "null", "[1, null]", "{}", '{"id": null}'),
            {"id": 999, "result": 1},
            {"id": {}, "result": 1},
            {"id": True, "result": 1},
            {"method": "eth_subscription"},
            {"method": "eth_subscription", "params": {"subscription": None, "result": 1}},
            {"method": "eth_subscription", "params": {"subscription": "0x1", "result": 1}},
            {"id": None, "error": {"code": -32600, "message": "Invalid request"}},
            {"error": {"code": 429, "message": "slow down"}},
        ):
            node.send(message)
        await until(lambda: client.counters.strays == 16)
        assert await client.call("eth_blockNumber") == "0x5"
        assert [error.code for error in strays] == [-32600, 429]
        assert client.state is State.OPEN


@pytest.mark.parametrize(
    ("error", "code", "message", "data"),
    [
        ({"code": -32601, "message": "no"}, -32601, "no", None),
        ({"code": 3, "message": "execution reverted", "data": "0x"}, 3, "execution reverted", "0x"),
        ({"code": -32004, "message": "n", "data": {"message": "n"}}, -32004, "n", {"message": "n"}),
        ({"message": "no code", "stack": "at …"}, None, "no code", None),
        ({"code": "x", "message": 1}, None, "", None),
        ("only words", None, "only words", "only words"),
        ([1], None, "", [1]),
    ],
)
@pytest_twisted.ensureDeferred
async def test_errors(error: Any, code: Any, message: str, data: Any) -> None:
    """Errors of every shape are RpcErrors."""
    async with serving() as node, EthereumClient(node.url, options()) as client:

        def fail() -> None:
            raise Failed(error)

        node.answers["eth_call"] = fail
        found = await failure(client.call("eth_call"))
        assert isinstance(found, RpcError)
        assert (found.code, found.message, found.data) == (code, message, data)


@pytest_twisted.ensureDeferred
async def test_no_answer_at_all() -> None:
    """An answer without result and error is a BadAnswer."""
    async with serving() as node, EthereumClient(node.url, options()) as client:
        node.answers["eth_call"] = lambda: Whole(id=2)
        assert isinstance(await failure(client.call("eth_call")), BadAnswer)


@pytest_twisted.ensureDeferred
async def test_error_without_id() -> None:
    """An error that names no request is that of the only one, if there is only one."""
    async with serving() as node, EthereumClient(node.url, options()) as client:
        node.answers["eth_call"] = lambda *_: Whole(
            id=None, error={"code": -32600, "message": "no"}
        )
        assert (await failure(client.call("eth_call"))).code == -32600
        node.answers["eth_getCode"] = lambda: NO_ANSWER
        waiting = client.call("eth_getCode")
        other = client.call("eth_call")
        await until(lambda: client.counters.strays == 1)
        assert not waiting.called
        assert not other.called
        for one in (waiting, other):
            one.addErrback(lambda _: None)
            one.cancel()


@pytest_twisted.ensureDeferred
async def test_batch() -> None:
    """Batches are cut to size, and answered one by one, errors included."""
    async with serving() as node, EthereumClient(node.url, options(batch_items=2)) as client:
        calls: list[tuple[Any, ...]] = [
            ("eth_chainId",),
            ("eth_nothing", 1),
            ("eth_getBlockByNumber", "0x3", False),
        ]
        chain, unknown, block = await client.batch(calls)
        assert chain == "0x7a69"
        assert unknown.code == -32601
        assert block == node.ledger.block(3)
        assert await client.batch([]) == []
        with pytest.raises(Misuse):
            await client.batch([("eth_subscribe", "newHeads")])


@pytest_twisted.ensureDeferred
async def test_batch_in_another_order() -> None:
    """Answers of a batch are found by id."""
    async with serving() as node:
        node.render = lambda message: orjson.dumps(
            message[::-1] if isinstance(message, list) else message
        ).decode()
        async with EthereumClient(node.url, options()) as client:
            assert await client.batch([("eth_chainId",), ("eth_blockNumber",)]) == ["0x7a69", "0x5"]


@pytest.mark.parametrize(
    "refusal",
    [
        lambda error: {"jsonrpc": "2.0", "id": None, "error": error},
        lambda error: [{"jsonrpc": "2.0", "id": 2, "error": error}],
        lambda error: {"error": error},
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_batch_that_is_refused_as_a_whole(refusal: Any) -> None:
    """One error for all of a batch is everybody's."""
    async with serving() as node:
        error = {"code": -32600, "message": "batch too large"}
        node.render = lambda message: orjson.dumps(
            refusal(error) if isinstance(message, list) else message
        ).decode()
        async with EthereumClient(node.url, options()) as client:
            results = await client.batch([("eth_chainId",)] * 3)
            assert [result.code for result in results] == [-32600] * 3


@pytest_twisted.ensureDeferred
async def test_a_batch_that_is_answered_in_part() -> None:
    """What an answered batch leaves out fails at once; what is answered alone is taken."""
    async with serving() as node:
        node.render = lambda message: orjson.dumps(
            message[:2] if isinstance(message, list) else message
        ).decode()
        async with EthereumClient(node.url, options()) as client:
            first, second, third = await client.batch([("eth_chainId",)] * 3)
            assert (first, second) == ("0x7a69", "0x7a69")
            assert isinstance(third, BadAnswer)
            node.answers["eth_getCode"] = lambda: NO_ANSWER
            alone = client.batch([("eth_getCode",)] * 2)
            await until(lambda: node.count("eth_getCode") == 2)
            node.send({"id": 5, "result": "first"})
            node.send({"id": 6, "result": "second"})
            assert await alone == ["first", "second"]


@pytest_twisted.ensureDeferred
async def test_rate_limit() -> None:
    """A request that is refused for its rate is repeated three times, also one that writes."""
    warp = Warp()
    async with serving() as node:
        times: list[float] = []
        successes = iter([False, False, False, True, False, False, False, False])

        def limited() -> str:
            times.append(warp.seconds())
            if not next(successes):
                raise Failed({"code": 429, "message": "compute units"})
            return "done"

        node.answers[SEND] = limited
        client = EthereumClient(node.url, options(), reactor=warp, uniform=lambda _low, high: high)
        opening = client.open()
        await warp.until(lambda: opening.called)
        asking = client.call(SEND)
        await warp.until(lambda: asking.called, 20)
        assert await asking == "done"
        waits = [after - before for before, after in pairwise(times)]
        assert all(1.25 <= wait <= 1.75 for wait in waits)
        asking = client.call(SEND)
        await warp.until(lambda: asking.called, 20)
        assert (await failure(asking)).code == 429
        assert len(times) == 8
        assert client.counters.rate_limited == 7
        closing = client.close()
        await warp.until(lambda: closing.called)
        assert warp.calls == []


@pytest_twisted.ensureDeferred
async def test_deadlines() -> None:
    """A request without an answer fails in time, told whether it may have arrived."""
    async with serving() as node, Relay(node.port) as relay:
        settings = options(request_timeout_s=0.2)
        async with EthereumClient(relay.url, settings) as client:
            node.answers["eth_call"] = lambda: NO_ANSWER
            late = await failure(client.call("eth_call"))
            assert isinstance(late, RequestTimeout)
            assert late.maybe_sent
            relay.closed = True
            relay.cut()
            await until(lambda: client.state is not State.OPEN)
            late = await failure(client.call(SEND))
            assert isinstance(late, RequestTimeout)
            assert not late.maybe_sent
            assert client.counters.timeouts == 2


@pytest_twisted.ensureDeferred
async def test_reads_are_sent_again_and_writes_are_not() -> None:
    """When a connection is lost, reads are repeated over the next one, writes fail as maybe sent."""
    async with serving() as node, relayed(node) as (client, relay):
        for method in ("eth_call", SEND, "evm_mine", "eth_getFilterChanges", "eth_new"):
            node.answers[method] = lambda *_: NO_ANSWER
        read = client.call("eth_call")
        forced = client.call("eth_new", repeatable=True)
        batch = client.batch([("eth_call",), (SEND,)])
        writes = [
            client.call(SEND),
            client.call("evm_mine"),
            client.call("eth_getFilterChanges", "0x1"),
            client.call("eth_call", repeatable=False),
        ]
        await until(lambda: node.count("eth_call") == 3 and node.count("eth_new") == 1)
        node.answers["eth_call"] = node.answers["eth_new"] = lambda: "again"
        relay.cut()
        assert await read == "again"
        assert await forced == "again"
        first, second = await batch
        assert first == "again"
        for lost in (second, *[await failure(write) for write in writes]):
            assert isinstance(lost, ConnectionLost)
            assert lost.maybe_sent
        assert node.count(SEND) == 2
        assert client.counters.resent == 3


@pytest_twisted.ensureDeferred
async def test_reads_are_sent_again_once_only() -> None:
    """A read whose second connection is lost as well fails."""
    async with serving() as node, relayed(node) as (client, relay):
        node.answers["eth_call"] = lambda: NO_ANSWER
        read = client.call("eth_call")
        for number in (1, 2):
            await until(lambda number=number: node.count("eth_call") == number)
            relay.cut()
        assert isinstance(await failure(read), ConnectionLost)


@pytest_twisted.ensureDeferred
async def test_calls_wait_for_a_connection() -> None:
    """What is asked while there is no connection goes over the next, writes and batches as well."""
    async with serving() as node, relayed(node) as (client, relay):
        relay.closed = True
        relay.cut()
        await until(lambda: client.state is not State.OPEN)
        node.answers[SEND] = lambda *_: "0x01"
        write = client.call(SEND, "0x00")
        batch = client.batch([("eth_chainId",), (SEND, "0x01")])
        relay.closed = False
        assert await write == "0x01"
        assert await batch == ["0x7a69", "0x01"]


@pytest_twisted.ensureDeferred
async def test_before_and_after() -> None:
    """A client that is not opened or closed takes no calls; what was under way fails."""
    async with serving() as node:
        client = EthereumClient(node.url, options())
        for waiting in (
            client.call("eth_chainId"),
            client.batch([("eth_chainId",)]),
            client.subscribe("newHeads"),
        ):
            assert isinstance(await failure(waiting), ClientClosed)
        await client.open()
        await client.open()
        node.answers["eth_call"] = lambda: NO_ANSWER
        waiting = client.call("eth_call")
        await client.close()
        assert isinstance(await failure(waiting), ClientClosed)
        assert isinstance(await failure(client.call("eth_call")), ClientClosed)
        assert isinstance(await failure(client.open()), ClientClosed)
        await client.close()


@pytest_twisted.ensureDeferred
async def test_wrong_parameters() -> None:
    """What JSON does not know fails at once; integers over 64 bit are JSON."""
    async with serving() as node, EthereumClient(node.url, options()) as client:
        assert isinstance(await failure(client.call("eth_call", object())), Misuse)
        assert isinstance(await failure(client.call("eth_call", b"x")), Misuse)
        assert isinstance(await failure(client.call("eth_subscribe", "newHeads")), Misuse)
        received: list[Any] = []
        node.answers["eth_call"] = received.append
        assert await client.call("eth_call", 2**70) is None
        assert received == [float(2**70)]


@pytest_twisted.ensureDeferred
async def test_cancelled_calls() -> None:
    """A call that is cancelled is forgotten, with its timer; its answer belongs to nothing."""
    async with serving() as node, EthereumClient(node.url, options()) as client:
        node.answers["eth_call"] = lambda: NO_ANSWER
        timers = reactor.getDelayedCalls()
        waiting = client.call("eth_call")
        assert len(reactor.getDelayedCalls()) == len(timers) + 1
        waiting.addErrback(lambda _: None)
        waiting.cancel()
        assert len(reactor.getDelayedCalls()) == len(timers)
        node.send({"id": 2, "result": 1})
        await until(lambda: client.counters.strays == 1)


def test_a_node_is_a_node() -> None:
    """The scripted node makes ids as geth does."""
    assert len(Node().ids(1)) == 34
