"""The client against the server of this package in a process of its own."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import pytest
import pytest_twisted
from twisted.internet.threads import deferToThread

from tests.client.ethereum.nodes import Relay, options
from tests.client.zilliqa.nodes import Collector
from tests.contract import BYTECODE, selector
from tests.running import ROOT, Running, free_port
from tests.signing import ADDRESSES, KEYS
from tests.websocket.scripted import limit, until
from twisted_chainws.client import EthereumClient, RpcError, State, ZilliqaClient
from twisted_chainws.client.zilliqa import Reset, sender_of

pytestmark = pytest.mark.integration
PAYEE = "0x" + "77" * 20
SECRET = bytes.fromhex(KEYS[0][2:])


@dataclass
class Stand:
    """A server and whoever makes its blocks.

    Attributes:
        port: of the Zilliqa listener.
        ethereum: controls the chain.
        contract: emits one event per call.
    """

    port: int
    ethereum: EthereumClient
    contract: str = ""

    def client(self, port: int | None = None, **more: Any) -> ZilliqaClient:
        return ZilliqaClient(
            f"ws://127.0.0.1:{port or self.port}/",
            options(**more),
            http_url=f"http://127.0.0.1:{self.port}/",
        )

    async def deploy(self) -> None:
        created = await self.ethereum.call(
            "eth_sendTransaction", {"from": ADDRESSES[0], "data": BYTECODE, "gas": "0x200000"}
        )
        receipt = await self.ethereum.call("eth_getTransactionReceipt", created)
        self.contract = receipt["contractAddress"]

    async def emit(self, number: int) -> None:
        data = selector("set(uint256)") + f"{number:064x}"
        await self.ethereum.call(
            "eth_sendTransaction", {"from": ADDRESSES[1], "to": self.contract, "data": data}
        )

    async def height(self) -> int:
        return int(await self.ethereum.call("eth_blockNumber"), 16)


@asynccontextmanager
async def standing() -> AsyncIterator[Stand]:
    """Start everything, and leave nothing behind."""
    port = free_port()
    arguments = ("--silent", "--listen", f"zilliqa=tcp:{port}")
    server = await deferToThread(lambda: Running(*arguments).__enter__())
    try:
        await deferToThread(lambda: server.wait(port))
        async with EthereumClient(server.ws, options()) as ethereum:
            stand = Stand(port, ethereum)
            await stand.deploy()
            yield stand
        assert server.faults() == []
    finally:
        server.stop()


@pytest_twisted.ensureDeferred
async def test_paying() -> None:
    """A payment is sent, told of, and has arrived; several in a row have nonces of their own."""
    async with standing() as stand, stand.client() as client:
        assert client.chain_id == 222
        transfers = await Collector.of(client, "TxnLog", [PAYEE])
        sent = [client.pay(SECRET, PAYEE, 10**12) for _ in range(3)]
        names = [await limit(one) for one in sent]
        await transfers.sees(3)
        assert [one.id for one in transfers.events] == names
        assert {one.sender for one in transfers.events} == {sender_of(SECRET)}
        assert all(one.success for one in transfers.events)
        account = await limit(client.call("GetBalance", PAYEE[2:]))
        assert account["balance"] == str(3 * 10**12)
        with pytest.raises(RpcError):
            await limit(client.pay(b"\x07" * 32, PAYEE, 1))


@pytest_twisted.ensureDeferred
async def test_contracts_only() -> None:
    """The server's refusal of an address that is no contract is the error."""
    async with standing() as stand, stand.client() as client:
        with pytest.raises(RpcError, match="no contract found in list"):
            await limit(client.subscribe("EventLog", [PAYEE]))
        events = await Collector.of(client, "EventLog", [PAYEE, stand.contract])
        await stand.emit(7)
        await events.sees(1)
        assert events.events[0].address == stand.contract.lower()
        assert events.events[0].block_number == await stand.height()


@pytest_twisted.ensureDeferred
async def test_one_last_delivery() -> None:
    """The real server, too, tells of one more block."""
    async with standing() as stand, stand.client() as client:
        blocks = await client.subscribe("NewBlock")
        first = await stand.height()
        assert await limit(blocks.unsubscribe()) is True
        for _ in range(2):
            await stand.ethereum.call("evm_mine")
        assert [getattr(one, "number", one) async for one in blocks] == [first + 1]


@pytest_twisted.ensureDeferred
async def test_a_reorganisation() -> None:
    """The reset names what has left, and the new blocks follow."""
    async with standing() as stand, stand.client() as client:
        blocks = await Collector.of(client, "NewBlock")
        for number in range(3):
            await stand.emit(number)
        await blocks.sees(3)
        await stand.ethereum.call("anvil_reorg", 2, [])
        await stand.ethereum.call("evm_mine")
        latest = (await client.call("GetLatestTxBlock"))["body"]["BlockHash"]
        await until(lambda: getattr(blocks.events[-1], "hash", "") == latest)
        (reset,) = [one for one in blocks.events if isinstance(one, Reset)]
        at = blocks.events.index(reset)
        assert blocks.events[at - len(reset.removed) : at] == list(reversed(reset.removed))
        stands = [*blocks.events[: at - len(reset.removed)], *blocks.events[at + 1 :]]
        assert all(above.parent_hash == below.hash for below, above in pairwise(stands))


@pytest_twisted.ensureDeferred
async def test_an_outage() -> None:
    """Cut off over blocks of every kind, a client has seen what another one has."""
    async with (
        standing() as stand,
        Relay(stand.port) as relay,
        stand.client() as steady,
        stand.client(relay.port) as client,
    ):
        pairs = [
            [await Collector.of(each, kind, wanted) for each in (steady, client)]
            for kind, wanted in (
                ("NewBlock", ()),
                ("EventLog", [stand.contract]),
                ("TxnLog", [PAYEE, ADDRESSES[1]]),
            )
        ]
        await stand.emit(1)
        await pairs[0][1].sees(1)
        relay.closed = True
        relay.cut()
        await until(lambda: client.state is not State.OPEN)
        for number in range(3):
            await stand.emit(number)
            await limit(steady.pay(SECRET, PAYEE, 5))
            await stand.ethereum.call("evm_mine")
        relay.closed = False
        await until(lambda: client.state is State.OPEN)
        await stand.emit(9)
        for first, second in pairs:
            await until(lambda one=first, other=second: len(one.events) == len(other.events))
            assert first.events == second.events
        assert [len(one[1].events) for one in pairs] == [11, 5, 8]
        assert client.counters.gaps == 0


ASYNCIO: Final = """
import asyncio, sys
from twisted.internet import asyncioreactor
loop = asyncio.new_event_loop()
asyncioreactor.install(loop)
from twisted.internet import task
from twisted.internet.defer import Deferred
from twisted_chainws.client import zilliqa_client

SECRET = bytes.fromhex(sys.argv[2])

async def main():
    url = "127.0.0.1:" + sys.argv[1]
    async with zilliqa_client("ws://" + url, http_url="http://" + url) as client:
        blocks, transfers = await asyncio.gather(
            client.subscribe("NewBlock"), client.subscribe("TxnLog", ["77" * 20])
        )
        waiting = asyncio.create_task(anext(transfers))
        name = await client.pay(SECRET, "77" * 20, 5)
        async with asyncio.timeout(20):
            print((await waiting).id == name)
            async for block in blocks:
                print(name in block.transactions)
                await blocks.unsubscribe()
                await client.pay(SECRET, "77" * 20, 6)
        try:
            async with asyncio.timeout(0.01):
                await client.subscribe("EventLog", ["78" * 20])
                await transfers.next()
        except Exception as error:
            print(type(error).__name__)

task.react(lambda reactor: Deferred.fromFuture(loop.create_task(main())))
"""


@pytest_twisted.ensureDeferred
async def test_asyncio() -> None:
    """Tasks of asyncio may await and iterate, gather and give up."""
    kept = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    async with standing() as stand:
        done = await deferToThread(
            subprocess.run,
            [sys.executable, "-c", ASYNCIO, str(stand.port), SECRET.hex()],
            cwd=ROOT,
            env=kept,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert done.stderr == ""
    printed = done.stdout.splitlines()
    assert printed[:3] == ["True", "True", "False"]
    assert printed[3] in ("RpcError", "TimeoutError")
