"""The client over many ends of its server: what was told adds up to the chain there is.

``CHAINWS_SOAK_SEED`` and ``CHAINWS_SOAK_RESTARTS`` set which life is lived, and how long it is.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any, Final

import pytest
import pytest_twisted
from twisted.internet.threads import deferToThread

from tests.client.ethereum.following import Follower, standing
from tests.client.ethereum.nodes import DIRECT, Relay, options
from tests.contract import BYTECODE, SET_TOPIC, selector
from tests.running import Running, free_port
from tests.signing import ADDRESSES
from tests.websocket.conftest import collecting_is_quick, nothing_left
from tests.websocket.scripted import until
from tests.wire import Wire
from twisted_chainws.client import ClientOptions, EthereumClient, Log, State
from twisted_chainws.client.ethereum.values import decode_log

__all__ = ["collecting_is_quick", "nothing_left"]

pytestmark = [pytest.mark.integration, pytest.mark.slow]

SEED: Final = int(os.environ.get("CHAINWS_SOAK_SEED", "1"))
RESTARTS: Final = int(os.environ.get("CHAINWS_SOAK_RESTARTS", "20"))
GROUND: Final = 8
"""Blocks below which nothing is reorganised."""
DEEPEST: Final = 5

CONTRACT: Final = "0x5fbdb2315678afecb367f032d93f642f64180aa3"
OURS: Final[dict[str, Any]] = {"address": CONTRACT, "topics": [SET_TOPIC]}
THEIRS: Final[dict[str, Any]] = {"topics": [None, "0x" + "00" * 12 + ADDRESSES[2][2:]]}
"""Logs of the third account, which many blocks have none of."""
FILTERS: Final = (OURS, THEIRS)

QUICK: Final[ClientOptions] = options(
    web_socket=replace(DIRECT, open_timeout=1.0), heartbeat_s=0.3, heartbeat_answer_s=0.5
)


class World:
    """A server with a chain that lives at random and outlives it; all but ``url`` blocks.

    Attributes:
        chance: decides whatever happens.
        story: what has happened, for whoever must find out why.
    """

    def __init__(self, seed: int, directory: Path) -> None:
        self.chance = Random(seed)
        self.story: list[str] = []
        self.port = free_port()
        self._directory = directory
        self._server: Running | None = None

    def start(self) -> None:
        """Start the server, on the same port and the same data as before."""
        self._server = Running(
            *("--silent", "--no-mining", "--data-dir", str(self._directory)), port=self.port
        )
        self._server.wait()

    def stop(self) -> None:
        """Clear away what is left."""
        if self._server is not None:
            self._server.stop()

    def log(self) -> str:
        """Return what the server has printed last, as far as it is alive."""
        if self._server is None or self._server.process.poll() is not None:
            return ""
        return self._server.log()[-5_000:]

    def found(self) -> None:
        """Lay the ground: a contract that logs, and blocks that stay."""
        with Wire(self.port) as wire:
            creation = {"from": ADDRESSES[0], "data": BYTECODE, "gas": "0x200000"}
            wire.call("eth_sendTransaction", creation)
            for _ in range(GROUND):
                wire.call("evm_mine")

    def live(self, most: int = 2) -> None:
        """Do a few things, each of which may be a reorganisation."""
        with Wire(self.port) as wire:
            for _ in range(self.chance.randint(1, most)):
                self._step(wire)

    def mark(self) -> str:
        """Put a block with a log of each filter on the head; return its hash."""
        with Wire(self.port) as wire:
            wire.call("eth_sendTransaction", self._call(ADDRESSES[2]))
            wire.call("evm_mine")
            block = wire.call("eth_getBlockByNumber", "latest", False)
        self.story.append(f"mark {int(block['number'], 16)}")
        block_hash: str = block["hash"]
        return block_hash

    def kill(self) -> None:
        """Kill the server while it mines, alone or together with its engine."""
        assert self._server is not None
        with Wire(self.port) as wire:
            for _ in range(self.chance.randint(0, 6)):
                wire.start("eth_sendTransaction", self._call(self.chance.choice(ADDRESSES[1:4])))
                mining = wire.start("evm_mine")
                if self.chance.random() < 0.5:
                    wire.finish(mining)
            if self.chance.random() < 0.5:
                self._server.kill()
            else:
                self._server.process.kill()
                self._server.process.wait()
        assert self._server.faults() == []
        self._server.stop()
        self.story.append("kill -9")

    def chain(self) -> list[list[Any]]:
        """Ask for all blocks above the ground, and for their logs; see ``Listener.folded``."""
        with Wire(self.port) as wire:
            height = int(wire.call("eth_blockNumber"), 16)
            numbers = range(GROUND + 1, height + 1)
            blocks = wire.batch([("eth_getBlockByNumber", hex(each), False) for each in numbers])
            logs = [
                wire.call("eth_getLogs", criteria | {"fromBlock": hex(GROUND + 1)})
                for criteria in FILTERS
            ]
        heads = [(int(block["number"], 16), block["hash"]) for block in blocks]
        return [heads, *([place(decode_log(raw)) for raw in some] for some in logs)]

    def _step(self, wire: Wire) -> None:
        height = int(wire.call("eth_blockNumber"), 16)
        deepest = min(DEEPEST, height - GROUND)
        action = self.chance.random()
        if action < 0.5 or deepest < 1:
            blocks = self.chance.randint(1, 3)
            self._mine(wire, blocks)
            self.story.append(f"mine {blocks} on {height}")
            return
        depth = self.chance.randint(1, deepest)
        if action < 0.75:
            # Its transactions wait, and come again in later blocks.
            wire.call("anvil_reorg", depth, [])
            self.story.append(f"reorganise {depth} of {height}")
            return
        wire.call("anvil_rollback", depth)
        blocks = depth + self.chance.randint(0, 2)
        self._mine(wire, blocks)
        self.story.append(f"roll {depth} of {height} back, mine {blocks}")

    def _mine(self, wire: Wire, blocks: int) -> None:
        asked: list[int] = []
        for _ in range(blocks):
            senders = self.chance.sample(ADDRESSES[1:4], self.chance.randint(0, 2))
            asked += [wire.start("eth_sendTransaction", self._call(each)) for each in senders]
            asked.append(wire.start("evm_mine"))
        for number in asked:
            wire.finish(number)

    def _call(self, sender: str) -> dict[str, str]:
        data = f"{selector('set(uint256)')}{self.chance.randrange(1000):064x}"
        return {"from": sender, "to": CONTRACT, "data": data, "gas": "0x30d40"}


class Listener:
    """A client behind a relay of its own, with one subscription to heads and some to logs."""

    def __init__(self, relay: Relay, client: EthereumClient) -> None:
        self.relay = relay
        self.client = client
        self.heads: Follower
        self.logs: list[Follower] = []

    async def subscribe(self) -> None:
        self.heads = await Follower.of(self.client, "newHeads")
        for criteria in FILTERS:
            self.logs.append(await Follower.of(self.client, "logs", criteria))

    async def reaches(self, block_hash: str) -> None:
        """Wait until it has heard of a block by all subscriptions."""
        for follower in (self.heads, *self.logs):
            await follower.reaches(block_hash)
        # There may be more logs of that block on the way: the answer comes behind them.
        await self.client.call("eth_chainId")
        await until(lambda: self.client.state is State.OPEN)

    def take_away(self, how: str) -> None:
        """Cut the connection, or let everything in it get lost; new ones fare the same."""
        if how == "half-open":
            self.relay.mute = True
        else:
            self.relay.closed = True
            self.relay.cut()

    def bring_back(self) -> None:
        """Let it connect; what was half open is dropped now, if nobody has done so."""
        if self.relay.mute:
            self.relay.cut()
        self.relay.mute = self.relay.closed = False

    def folded(self) -> list[list[Any]]:
        """What stands: heads, then the logs of each subscription, in the order of the chain."""
        return [
            [(head.number, head.hash) for head in standing(self.heads.events)],
            *([place(log) for log in standing(one.events)] for one in self.logs),
        ]


def place(log: Log) -> tuple[int, str, int]:
    """Return where a log is, by which all of it is known."""
    return log.block_number, log.block_hash, log.log_index


@contextmanager
def telling(seed: int, world: World, listeners: list[Listener]) -> Iterator[None]:
    """Say with each failure how it came about."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"CHAINWS_SOAK_SEED={seed}; {'; '.join(world.story[-40:])}")
        for number, one in enumerate(listeners, 1):
            error.add_note(f"client {number}: {one.client.status}, {one.client.counters}")
        error.add_note(world.log())
        raise


async def check(world: World, listeners: list[Listener]) -> None:
    """Compare what clients were told with the chain, once they have heard of its head."""
    block_hash = await deferToThread(world.mark)
    for one in listeners:
        await one.reaches(block_hash)
    expected = await deferToThread(world.chain)
    for number, one in enumerate(listeners, 1):
        for told, there in zip(one.folded(), expected, strict=True):
            wrong = {"lost": set(there) - set(told), "left over": set(told) - set(there)}
            assert wrong == {"lost": set(), "left over": set()}, f"client {number}"
            assert sorted(told) == there, f"client {number}"


async def live_and_die(world: World, listeners: list[Listener]) -> None:
    """Go through one life of the server, its end and the next start."""
    chance = world.chance
    near, far = listeners
    await deferToThread(world.live)
    if chance.random() < 0.7:
        # Else it may be in the middle of catching up when the server dies again.
        await until(lambda: near.client.state is State.OPEN)
    how = chance.choice(["cut", "half-open", "nothing"])
    if how != "nothing":
        far.take_away(how)
        world.story.append(f"far: {how}")
        await deferToThread(world.live)
    if chance.random() < 0.4:
        # The near client has seen all this without interruption.
        far.bring_back()
        await check(world, listeners)
    if chance.random() < 0.5:
        near.take_away("cut")
        world.story.append("near: cut")
    await deferToThread(world.kill)
    await deferToThread(world.start)
    await deferToThread(world.live)
    near.bring_back()
    if chance.random() < 0.7:
        far.bring_back()


@pytest_twisted.ensureDeferred
async def test_whatever_ends_the_stream_is_the_chain(tmp_path: Path) -> None:
    """Over restarts, cuts, half-open connections and reorganisations, nothing is lost or double."""
    world = World(SEED, tmp_path)
    try:
        await deferToThread(world.start)
        await deferToThread(world.found)
        async with (
            Relay(world.port) as first,
            Relay(world.port) as second,
            EthereumClient(first.url, QUICK) as near,
            EthereumClient(second.url, QUICK) as far,
        ):
            listeners = [Listener(first, near), Listener(second, far)]
            with telling(SEED, world, listeners):
                for one in listeners:
                    await one.subscribe()
                for number in range(RESTARTS):
                    world.story.append(f"life {number + 1}")
                    await live_and_die(world, listeners)
                for one in listeners:
                    one.bring_back()
                # Somebody may have missed a block that was lost in the end: go higher than that.
                await deferToThread(world.live)
                await check(world, listeners)
                assert near.counters.reconnects >= RESTARTS // 2
                assert near.counters.gaps == far.counters.gaps == 0
    finally:
        await deferToThread(world.stop)
