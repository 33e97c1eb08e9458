"""Our Ethereum client against the nodes of others, unmodified, in processes of their own."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_twisted
from twisted.internet.threads import deferToThread

from tests.client.ethereum.following import Follower, standing
from tests.client.ethereum.nodes import Relay, options
from tests.contract import BYTECODE, SET_TOPIC, selector
from tests.interop.nodes import CHAIN_ID, KINDS, Foreign
from tests.signing import ADDRESSES
from tests.websocket.conftest import collecting_is_quick, nothing_left
from tests.websocket.scripted import limit, until
from tests.wire import call_http
from twisted_chainws.client import (
    ChainChanged,
    EthereumClient,
    HeadRemoved,
    RpcError,
    State,
    revert_data,
    revert_reason,
)
from twisted_chainws.client.ethereum.values import decode_log

__all__ = ["collecting_is_quick", "nothing_left"]

pytestmark = pytest.mark.interop

SENDER: Final = ADDRESSES[0]
CONTRACT: Final = "0x5fbdb2315678afecb367f032d93f642f64180aa3"
"""The first that ``SENDER`` deploys."""
OURS: Final[dict[str, Any]] = {"address": CONTRACT, "topics": [SET_TOPIC]}
CREATION: Final = {"from": SENDER, "data": BYTECODE, "gas": "0x200000"}


def calling(signature: str, argument: int = 0, **more: str) -> dict[str, str]:
    """Return a call of the contract."""
    data = f"{selector(signature)}{argument:064x}"
    return {"from": SENDER, "to": CONTRACT, "data": data, "gas": "0x30d40"} | more


class Chain:
    """The chain of a node as seen, and moved, from outside; all methods block."""

    def __init__(self, node: Foreign) -> None:
        self._port = node.port

    def ask(self, method: str, *params: Any) -> Any:
        """Call a method."""
        return call_http(self._port, method, *params)

    def send(self, transaction: dict[str, str]) -> str:
        """Send a transaction, and wait for its block: some nodes answer before it is there."""
        sent: str = self.ask("eth_sendTransaction", transaction)
        while self.ask("eth_getTransactionReceipt", sent) is None:
            pass
        return sent

    def set(self, *values: int) -> None:
        """Make blocks with a log each."""
        for value in values:
            self.send(calling("set(uint256)", value))

    def mine(self, count: int = 1) -> None:
        """Make empty blocks."""
        for _ in range(count):
            self.ask("evm_mine")

    def height(self) -> int:
        """Return the number of the head."""
        return int(self.ask("eth_blockNumber"), 16)

    def hashes(self, first: int) -> list[str]:
        """Return the hashes of blocks up to the head."""
        numbers = range(first, self.height() + 1)
        return [self.ask("eth_getBlockByNumber", hex(one), False)["hash"] for one in numbers]

    def logs(self, first: int) -> list[tuple[str, int]]:
        """Return block hash and index of the contract's logs."""
        found = self.ask("eth_getLogs", OURS | {"fromBlock": hex(first), "toBlock": "latest"})
        return [decode_log(raw).key for raw in found]


@pytest.fixture(params=KINDS)
def node(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Foreign]:
    """Give a running node with the contract."""
    with Foreign(request.param, tmp_path) as foreign:
        Chain(foreign).send(CREATION)
        yield foreign


@pytest.fixture
def anvil(tmp_path: Path) -> Iterator[Foreign]:
    """Give a running anvil with the contract."""
    with Foreign("anvil", tmp_path) as foreign:
        Chain(foreign).send(CREATION)
        yield foreign


def number_of(event: Any) -> int:
    """Return the height of a head or log."""
    number: int = getattr(event, "number", None) or event.block_number
    return number


class Following:
    """The subscriptions of one client.

    Attributes:
        start: height of the first block that they tell of.
    """

    def __init__(self, chain: Chain, start: int) -> None:
        self._chain = chain
        self.start = start
        self.heads: Follower
        self.logs: Follower
        self.pending: Follower

    @classmethod
    async def of(cls, client: EthereumClient, chain: Chain) -> "Following":
        """Subscribe."""
        following = cls(chain, await deferToThread(chain.height) + 1)
        following.heads = await Follower.of(client, "newHeads")
        following.logs = await Follower.of(client, "logs", OURS)
        following.pending = await Follower.of(client, "newPendingTransactions")
        return following

    async def agrees(self) -> None:
        """Wait until what was told adds up to what is there."""
        hashes = await deferToThread(self._chain.hashes, self.start)
        await self.heads.reaches(hashes[-1])
        logs = await deferToThread(self._chain.logs, self.start)
        if logs:
            await self.logs.reaches(logs[-1][0])
        assert [head.hash for head in self._standing(self.heads)] == hashes
        await until(lambda: [log.key for log in self._standing(self.logs)] == logs)

    def _standing(self, follower: Follower) -> list[Any]:
        # Of a chain that has begun anew, blocks below the first may be told of.
        events = standing(follower.events)
        return [one for one in events if number_of(one) >= self.start]


@pytest_twisted.ensureDeferred
async def test_calls(node: Foreign) -> None:
    """Calls, batches and what fails in them."""
    async with EthereumClient(node.url, options()) as client:
        assert client.chain_id == CHAIN_ID
        assert (await client.call("eth_accounts"))[: len(ADDRESSES)] == [*ADDRESSES]
        assert await client.call("eth_call", calling("get()"), "latest") == f"0x{0:064x}"
        calls: list[tuple[Any, ...]] = [
            ("eth_getBlockByNumber", hex(n % 2), False) for n in range(45)
        ]
        calls[7:9] = [("eth_noSuchThing",), ("eth_call", calling("fail()"), "latest")]
        found = await client.batch(calls)
        assert [type(one) for one in found[7:9]] == [RpcError, RpcError]
        assert revert_reason(found[8]) == "boom"
        del calls[7:9], found[7:9]
        assert [block["number"] for block in found] == [number for _, number, _ in calls]
        with pytest.raises(RpcError, match=r"eth_noSuchThing|EthRpcCall"):
            await client.call("eth_noSuchThing")
    assert client.state is State.CLOSED


@pytest.mark.parametrize(
    ("call", "data", "reason"),
    [
        (calling("fail()"), "08c379a0", "boom"),
        (calling("panic()"), "4e487b71", "arithmetic underflow or overflow"),
        (calling("deny(uint256)", 7), f"{selector('Denied(uint256)')[2:]}{7:064x}", None),
        (calling("set(uint256)", 7, value="0x1"), "", None),
    ],
)
@pytest_twisted.ensureDeferred
async def test_reverts(node: Foreign, call: dict[str, str], data: str, reason: str | None) -> None:
    """What a contract has reverted with is found, and its reason, wherever the node puts it."""
    async with EthereumClient(node.url, options()) as client:
        for method, *more in (("eth_call", "latest"), ("eth_estimateGas",)):
            with pytest.raises(RpcError) as caught:
                await client.call(method, call, *more)
            found = revert_data(caught.value)
            assert found is not None
            assert found.hex().startswith(data)
            assert bool(found) == bool(data)
            assert revert_reason(caught.value) == reason


@pytest_twisted.ensureDeferred
async def test_subscriptions(node: Foreign) -> None:
    """Heads, logs and pending transactions come, and come no more after unsubscribing."""
    chain = Chain(node)
    async with EthereumClient(node.url, options()) as client:
        following = await Following.of(client, chain)
        sent = await client.call("eth_sendTransaction", calling("set(uint256)", 1))
        await following.pending.sees(1)
        await deferToThread(chain.mine)
        await following.agrees()
        assert following.pending.events == [sent]
        assert following.heads.numbers == [following.start, following.start + 1]
        assert following.logs.numbers == [following.start]
        assert await following.logs.subscription.unsubscribe()
        await deferToThread(chain.set, 2)
        await following.heads.sees(3)
        assert len(following.logs.events) == 1
    assert client.counters.strays == client.counters.gaps == 0


@pytest_twisted.ensureDeferred
async def test_reverting_to_a_snapshot(node: Foreign) -> None:
    """Blocks that are gone are removed, and their logs, though the node says nothing of it."""
    chain = Chain(node)
    async with EthereumClient(node.url, options()) as client:
        following = await Following.of(client, chain)
        await deferToThread(chain.set, 1)
        snapshot = await client.call("evm_snapshot")
        await deferToThread(chain.set, 2)
        await deferToThread(chain.mine)
        await following.agrees()
        assert await client.call("evm_revert", snapshot) is True
        await deferToThread(chain.set, 3)
        await deferToThread(chain.mine, 2)
        await following.agrees()
        first = following.start
        assert following.heads.numbers == [
            *range(first, first + 3), -(first + 2), -(first + 1), *range(first + 1, first + 4)
        ]  # fmt: skip
        assert following.logs.numbers == [first, first + 1, -(first + 1), first + 1]


@pytest_twisted.ensureDeferred
async def test_a_lost_connection(node: Foreign) -> None:
    """What happened meanwhile, a reorganisation included, is told afterwards."""
    chain = Chain(node)
    async with Relay(node.port) as relay, EthereumClient(relay.url, options()) as client:
        following = await Following.of(client, chain)
        await deferToThread(chain.set, 1)
        snapshot = await client.call("evm_snapshot")
        await deferToThread(chain.set, 2, 3)
        await following.agrees()
        relay.closed = True
        relay.cut()
        await deferToThread(chain.ask, "evm_revert", snapshot)
        await deferToThread(chain.mine)
        await deferToThread(chain.set, 4, 5, 6)
        relay.closed = False
        await following.agrees()
        await deferToThread(chain.set, 7)
        await following.agrees()
        removed = [event for event in following.heads.events if isinstance(event, HeadRemoved)]
        assert len(removed) == 2
        assert client.counters.reconnects == 1
        assert client.counters.gaps == 0


@pytest_twisted.ensureDeferred
async def test_a_restart(node: Foreign) -> None:
    """A chain that outlives its node is followed on; another one takes the place of the old."""
    chain = Chain(node)
    async with Relay(node.port) as relay, EthereumClient(relay.url, options()) as client:
        following = await Following.of(client, chain)
        await deferToThread(chain.set, 1, 2)
        await following.agrees()
        relay.closed = True
        await deferToThread(node.kill if node.kind.outlives else node.stop)
        await deferToThread(node.start)
        if not node.kind.keeps:
            assert chain.height() == 0
            await deferToThread(chain.send, CREATION)
            await deferToThread(chain.mine, following.start)
        await deferToThread(chain.set, 3)
        relay.closed = False
        await following.agrees()
        await deferToThread(chain.set, 4)
        await following.agrees()
        assert any(isinstance(one, HeadRemoved) for one in following.heads.events) == (
            not node.kind.keeps
        )
        assert client.counters.gaps == 0


@pytest.mark.parametrize("height", [0, 30])
@pytest_twisted.ensureDeferred
async def test_a_reset(node: Foreign, height: int) -> None:
    """A chain that begins anew takes the place of the old one, though Hardhat ends subscriptions."""
    if node.kind.package == "ganache":
        pytest.skip("Ganache has no method for it")
    chain = Chain(node)
    await deferToThread(chain.mine, height)
    async with EthereumClient(node.url, options(stall_s=2)) as client:
        following = await Following.of(client, chain)
        await deferToThread(chain.set, 1, 2)
        await following.agrees()
        await client.call("hardhat_reset")
        await deferToThread(chain.send, CREATION)
        await deferToThread(chain.mine, height)
        await deferToThread(chain.set, 3)
        await following.agrees()
        await deferToThread(chain.set, 4)
        await following.agrees()


@pytest_twisted.ensureDeferred
async def test_another_chain(node: Foreign) -> None:
    """A node that comes back with another chain id ends the client."""
    async with EthereumClient(node.url, options()) as client:
        follower = await Follower.of(client, "newHeads")
        await deferToThread(node.kill)
        await deferToThread(node.start, 5)
        with pytest.raises(ChainChanged):
            await limit(follower.subscription.when_ended())
        assert client.state is State.CLOSED


@pytest_twisted.ensureDeferred
async def test_reorganisations_of_anvil(anvil: Foreign) -> None:
    """It replaces blocks, or takes them away, and says nothing of logs that are gone."""
    chain = Chain(anvil)
    async with EthereumClient(anvil.url, options()) as client:
        following = await Following.of(client, chain)
        await deferToThread(chain.set, 1, 2, 3)
        await following.agrees()
        await client.call("anvil_reorg", 2, [[calling("set(uint256)", 4), 1]])
        await following.agrees()
        first = following.start
        # The log of the second new block may come before the head of the first.
        assert sorted(following.logs.numbers[3:]) == [-(first + 2), -(first + 1), first + 2]
        await client.call("anvil_rollback", 2)
        await deferToThread(chain.set, 5)
        await following.agrees()
        assert client.counters.gaps == 0
