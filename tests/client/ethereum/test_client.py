"""The client against the server of this package, in this process and in one of its own."""

import subprocess
import sys
from typing import Any, Final

import pytest
import pytest_twisted
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.threads import deferToThread

from tests.client.ethereum.following import Follower, standing
from tests.client.ethereum.nodes import Failed, Node, Relay, options, serving
from tests.contract import BYTECODE, selector
from tests.running import ROOT, Running, free_port
from tests.server.peer import Stand
from tests.signing import ADDRESSES
from tests.websocket.scripted import limit, pause, until
from twisted_chainws.chain.model import Log as ModelLog
from twisted_chainws.client import (
    ChainChanged,
    EthereumClient,
    Head,
    RpcError,
    State,
    Status,
    ethereum_client,
    revert_data,
    revert_reason,
)
from twisted_chainws.testing import BOB, make_transaction

pytestmark = pytest.mark.integration
EVENT: Final = ModelLog(address=BOB, topics=(), data=b"")


@pytest_twisted.ensureDeferred
async def test_calls_and_heads() -> None:
    """It connects, asks, and iterates over heads in their order."""
    async with (
        Stand() as stand,
        EthereumClient(f"ws://127.0.0.1:{stand.port}/", options()) as client,
    ):
        assert client.state is State.OPEN
        assert client.chain_id == 31_337
        assert await client.call("eth_blockNumber") == "0x0"
        heads = await client.subscribe("newHeads")
        mined = [stand.source.mine() for _ in range(3)]
        for block in mined:
            head = await limit(heads.next())
            assert isinstance(head, Head)
            assert (head.number, head.hash) == (block.number, "0x" + block.hash.hex())
        with pytest.raises(RpcError, match="does not exist"):
            await client.call("eth_nothing")
    assert client.status == Status(State.CLOSED, "closed")
    assert [head async for head in heads] == []


@pytest_twisted.ensureDeferred
async def test_an_outage_over_the_real_server() -> None:
    """Cut off over 20 blocks and a reorganisation, a client has seen what another one has."""
    async with Stand() as stand, Relay(stand.port) as relay:
        url = f"ws://127.0.0.1:{stand.port}/"
        async with (
            EthereumClient(url, options()) as steady,
            EthereumClient(relay.url, options()) as client,
        ):
            source = stand.source
            pairs = [
                [await Follower.of(each, kind, wanted) for each in (steady, client)]
                for kind, wanted in (
                    ("newHeads", None),
                    ("logs", {"address": "0x" + BOB.hex()}),
                    ("logs", {"address": "0x" + "77" * 20}),
                )
            ]
            for nonce in range(4):
                source.mine((make_transaction(nonce), [EVENT, EVENT]))
            await until(lambda: all(len(each.events) == 8 for each in pairs[1]))
            relay.closed = True
            relay.cut()
            await until(lambda: client.state is not State.OPEN)
            source.reorganise(2, [[(make_transaction(nonce), [EVENT])] for nonce in (2, 3, 4)])
            for nonce in range(5, 22):
                source.mine((make_transaction(nonce), [EVENT]))
            relay.closed = False
            await until(lambda: client.counters.reconnects == 1 and client.state is State.OPEN)
            last = source.mine((make_transaction(30), [EVENT]))
            for first, second in pairs[:2]:
                await first.reaches("0x" + last.hash.hex())
                await second.reaches("0x" + last.hash.hex())
                assert first.events == second.events
                assert standing(first.events)
            assert pairs[2][1].events == []


@pytest_twisted.ensureDeferred
async def test_the_server_is_killed() -> None:
    """When the server is killed during traffic and started anew, the client goes on.

    The new one has forgotten everything: what was told is taken back.
    """
    port = free_port()
    seed = ("--silent", "--seed", "1", "--timestamp", "1700000000")
    server = await deferToThread(lambda: Running(*seed, port=port).__enter__())
    client = EthereumClient(server.ws, options(behind_wait_s=0.1, behind_blocks=0))
    try:
        await client.open()
        heads = await Follower.of(client, "newHeads")
        for _ in range(3):
            await client.call("evm_mine")
        await heads.sees(3)
        mining = [client.call("evm_mine") for _ in range(20)]
        reading = [client.call("eth_chainId") for _ in range(20)]
        server.process.kill()
        for one in mining:
            one.addErrback(lambda _: None)
        await until(lambda: client.state is not State.OPEN)
        server.stop()
        server = await deferToThread(lambda: Running(*seed, port=port).__enter__())
        for one in reading:
            assert await limit(one) == "0x7a69"
        for one in mining:
            await limit(one)
        height = int(await client.call("eth_blockNumber"), 16)
        await client.call("anvil_setCoinbase", "0x" + "99" * 20)
        while height < 3:
            height += 1
            await client.call("evm_mine")
        await client.call("evm_mine")
        await until(lambda: heads.events and standing(heads.events)[-1].number == height + 1)
        newest = await client.call("eth_getBlockByNumber", "latest", False)
        assert standing(heads.events)[-1].hash == newest["hash"]
        assert client.counters.reconnects == 1
    finally:
        await client.close()
        server.stop()


@pytest_twisted.ensureDeferred
async def test_reverts_of_the_real_server() -> None:
    """What a contract reverts with is found in the error."""
    server = await deferToThread(lambda: Running("--silent").__enter__())
    try:
        async with EthereumClient(server.ws, options()) as client:
            created = await client.call(
                "eth_sendTransaction", {"from": ADDRESSES[0], "data": BYTECODE, "gas": "0x200000"}
            )
            receipt = await client.call("eth_getTransactionReceipt", created)
            call = {"to": receipt["contractAddress"], "data": selector("fail()")}
            with pytest.raises(RpcError) as reverted:
                await client.call("eth_call", call, "latest")
            assert reverted.value.code == 3
            assert revert_reason(reverted.value) == "boom"
            assert (revert_data(reverted.value) or b"")[:4] == bytes.fromhex("08c379a0")
    finally:
        server.stop()


@pytest_twisted.ensureDeferred
async def test_another_chain() -> None:
    """A server that speaks for another chain than before, or than wanted, ends the client."""
    async with serving() as node, Relay(node.port) as relay:
        client = EthereumClient(relay.url, options())
        await client.open()
        heads = await limit(client.subscribe("newHeads"))
        node.answers["eth_chainId"] = lambda: "0x1"
        relay.closed = True
        relay.cut()
        await until(lambda: client.state is not State.OPEN)
        waiting = client.call("eth_sendRawTransaction", "0x00")
        relay.closed = False
        with pytest.raises(ChainChanged) as changed:
            await limit(waiting)
        assert (changed.value.expected, changed.value.actual) == (31_337, 1)
        assert node.count("eth_sendRawTransaction") == 0
        with pytest.raises(ChainChanged):
            await limit(heads.next())
        assert client.state is State.CLOSED
        with pytest.raises(ChainChanged):
            await EthereumClient(node.url, options(chain_id=31_337)).open()
        await client.close()


@pytest_twisted.ensureDeferred
async def test_a_server_without_chain_id() -> None:
    """What cannot be asked is not compared, unless a chain was asked for."""
    async with serving() as node:

        def refuse() -> None:
            raise Failed({"code": -32601, "message": "no"})

        node.answers["eth_chainId"] = refuse
        async with EthereumClient(node.url, options()) as client:
            assert client.chain_id is None
            assert await client.call("eth_blockNumber") == "0x5"
        client = EthereumClient(node.url, options(chain_id=1))
        opening = client.open()
        await until(lambda: client.counters.reconnects > 0)
        assert not opening.called
        opening.addErrback(lambda _: None)
        await client.close()


@pytest_twisted.ensureDeferred
async def test_states_are_told() -> None:
    """Listeners hear of each state, with reason and code, and can leave."""
    async with serving() as node, Relay(node.port) as relay:
        client = ethereum_client(relay.url, options())
        seen: list[Status] = []
        left: list[Status] = []
        client.on("state", seen.append)
        client.on("state")(left.append)
        client.off("state", left.append)
        async with client:
            await limit(client.subscribe("newHeads"))
            relay.cut()
            await until(lambda: client.counters.reconnects == 1 and client.state is State.OPEN)
        assert [status.state for status in seen] == [
            *(State.CONNECTING, State.OPEN, State.DOWN, State.CONNECTING, State.BACKFILLING),
            *(State.OPEN, State.CLOSED),
        ]
        assert seen[2] == Status(State.DOWN, "The link is down", 1006)
        assert left == []


@pytest.mark.parametrize("state", list(State)[1:])
@pytest_twisted.ensureDeferred
async def test_closed_by_a_listener(state: State) -> None:
    """Whoever closes as soon as a state is entered leaves nothing behind."""
    async with serving() as node, Relay(node.port) as relay:
        client = EthereumClient(relay.url, options())
        entered = states_of(client)

        def close(status: Status) -> None:
            if status.state is state:
                client.close()

        if state in (State.CONNECTING, State.OPEN):
            client.on("state", close)
        opening = client.open()
        opening.addErrback(lambda _: None)
        if not opening.called and client.state is not State.CLOSED:
            await limit(opening)
        if client.state is State.OPEN:
            await limit(client.subscribe("newHeads"))
            await limit(client.subscribe("newPendingTransactions"))
            client.on("state", close)
            relay.cut()
        if state is State.CLOSED:
            client.close()
        await until(lambda: client.state is State.CLOSED)
        assert state in entered
        await check_nothing_follows(client, entered, node, relay)


def states_of(client: EthereumClient) -> list[State]:
    """Return a list to which each state is added that a client enters from now on."""
    entered: list[State] = []
    client.on("state", lambda status: entered.append(status.state))
    return entered


async def check_nothing_follows(
    client: EthereumClient, entered: list[State], node: Node, relay: Relay
) -> None:
    """Check that a closed client enters no other state and has no connection, nor makes one."""
    await client.close()
    await pause(0.05)
    await until(lambda: not node.clients and not relay.ends)
    assert entered.index(State.CLOSED) == len(entered) - 1


@pytest_twisted.ensureDeferred
async def test_closed_at_another_attempt_and_at_a_gap() -> None:
    """The same for later attempts to connect, and for what is missing after them."""
    for event in ("state", "gap"):
        async with serving() as node, Relay(node.port) as relay:
            client = EthereumClient(relay.url, options())
            await client.open()
            await limit(client.subscribe("newPendingTransactions"))
            entered = states_of(client)

            def close(*what: Any, client: EthereumClient = client) -> None:
                if len(what) > 1 or what[0].state is State.CONNECTING:
                    client.close()

            client.on(event, close)
            relay.cut()
            await until(lambda client=client: client.state is State.CLOSED)
            await check_nothing_follows(client, entered, node, relay)


@pytest_twisted.ensureDeferred
async def test_callbacks_that_break_and_that_take_time(capture_log: list[Any]) -> None:
    """A callback's exception is logged and ends nothing; a coroutine is waited for."""
    async with serving() as node, EthereumClient(node.url, options()) as client:
        seen: list[int] = []

        async def slow(head: Head) -> None:
            await pause(0.01)
            seen.append(head.number)
            if head.number == 7:
                raise ZeroDivisionError

        await limit(client.subscribe("newHeads", callback=slow))
        node.mine(3)
        await until(lambda: len(seen) == 3)
        assert seen == [6, 7, 8]
        broken = [event for event in capture_log if "log_failure" in event]
        assert [event["log_failure"].type for event in broken] == [ZeroDivisionError]


@pytest_twisted.ensureDeferred
async def test_giving_up_waiting_for_open() -> None:
    """Who is cancelled before the block was entered leaves no client behind."""
    async with Relay(1) as relay:
        relay.closed = True
        client = EthereumClient(relay.url, options())

        async def enter() -> None:
            async with client:
                raise AssertionError

        entering = Deferred.fromCoroutine(enter())
        await until(lambda: client.state is State.DOWN)
        entering.cancel()
        with pytest.raises(CancelledError):
            await limit(entering)
        assert client.state is State.CLOSED


PROGRAM: Final = """
import asyncio, sys

from twisted.internet import asyncioreactor

loop = asyncio.new_event_loop()
asyncioreactor.install(loop)

from twisted.internet import reactor, task
from twisted.internet.defer import Deferred

from tests.client.ethereum.nodes import options
from twisted_chainws.client import EthereumClient


async def main():
    async with EthereumClient(sys.argv[1], options()) as client:
        print(await client.call("eth_blockNumber"))
        print(*await asyncio.gather(client.call("eth_chainId"), client.call("net_version")))
        print(await client.batch([("eth_chainId",), ("eth_blockNumber",)]))
        heads = await client.subscribe("newHeads")
        try:
            async with asyncio.timeout(0.05):
                await heads.next()
        except TimeoutError:
            print("timeout")
        await client.call("evm_mine")
        async for head in heads:
            print("head", head.number)
            if head.number == 2:
                break
            await client.call("evm_mine")
        print(await heads.unsubscribe())
        waiting = asyncio.create_task(wait(client))
        await asyncio.sleep(0.05)
    await waiting
    print(client.state.value, [call for call in reactor.getDelayedCalls() if call.active()])


async def wait(client):
    pending = await client.subscribe("newPendingTransactions")
    async for transaction in pending:
        print("not expected")
    print("ended")


task.react(lambda reactor: Deferred.fromFuture(loop.create_task(main())))
"""


def test_tasks_of_asyncio() -> None:
    """In a process on the asyncio reactor everything may be awaited by tasks."""
    with Running("--silent") as server:
        done = subprocess.run(
            [sys.executable, "-W", "error::RuntimeWarning", "-c", PROGRAM, server.ws],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert (done.stderr, done.stdout.splitlines()) == (
        "",
        [
            *("0x0", "0x7a69 31337", "['0x7a69', '0x0']", "timeout", "head 1", "head 2", "True"),
            *("ended", "closed []"),
        ],
    )
