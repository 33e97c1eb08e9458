"""Single ends of a connection, each looked at closely: what is lost, what is told, how soon."""

from pathlib import Path
from typing import Any, Final

import pytest
import pytest_twisted
from twisted.internet.threads import deferToThread

from tests.client.ethereum.following import Follower, hash_of, standing
from tests.client.ethereum.nodes import DIRECT, Relay, options
from tests.client.warp import Warp
from tests.running import Running, free_port
from tests.server.peer import Stand
from tests.signing import signed
from tests.websocket.conftest import collecting_is_quick, nothing_left
from tests.websocket.scripted import limit, until
from twisted_chainws.chain.model import Block
from twisted_chainws.chain.model import Log as ModelLog
from twisted_chainws.client import (
    BACKOFF,
    ClientOptions,
    ConnectionLost,
    EthereumClient,
    State,
    Status,
)
from twisted_chainws.testing import BOB, make_transaction

__all__ = ["collecting_is_quick", "nothing_left"]

pytestmark = [pytest.mark.integration, pytest.mark.slow]

USUAL: Final = ClientOptions(web_socket=DIRECT)
OUTAGE_S: Final = 300.0
BLOCKS: Final = 20
EVENT: Final = ModelLog(address=BOB, topics=(), data=b"")
WRITES: Final = 40


@pytest_twisted.ensureDeferred
async def test_the_server_is_killed_during_traffic(tmp_path: Path) -> None:
    """Reads are answered all the same, writes say that they may have been sent, and were, once.

    What was answered before is kept, and both streams go on where they were.
    """
    port = free_port()

    def start() -> Running:
        return Running("--silent", "--data-dir", str(tmp_path), port=port).__enter__()

    server = await deferToThread(start)
    client = EthereumClient(server.ws, options())
    try:
        await client.open()
        heads = await Follower.of(client, "newHeads")
        sent: list[str] = []
        lost: list[Any] = []
        reads: list[Any] = []
        for nonce in range(WRITES):
            writing = client.call("eth_sendRawTransaction", signed(1, nonce))
            writing.addCallbacks(sent.append, lambda failure: lost.append(failure.value))
            reads.append(client.call("eth_chainId"))
            reads.append(client.call("eth_getBlockByNumber", "0x0", False))
        await until(lambda: len(sent) >= 3)
        await deferToThread(server.kill)
        await until(lambda: client.state is not State.OPEN)
        assert len(sent) + len(lost) == WRITES
        assert {(type(error), error.maybe_sent) for error in lost} == {(ConnectionLost, True)}
        server.stop()
        server = await deferToThread(start)
        for reading in reads:
            assert await limit(reading)
        # Answered ones are there; of the others nobody knows, but none is there twice.
        for transaction in sent:
            receipt = await client.call("eth_getTransactionReceipt", transaction)
            assert receipt["status"] == "0x1"
        height = int(await client.call("eth_blockNumber"), 16)
        assert len(sent) <= height <= WRITES
        await client.call("evm_mine")
        newest = await client.call("eth_getBlockByNumber", "latest", False)
        await heads.reaches(newest["hash"])
        stands = standing(heads.events)
        blocks = await client.batch(
            [("eth_getBlockByNumber", hex(number), False) for number in range(1, height + 2)]
        )
        assert [head.hash for head in stands] == [block["hash"] for block in blocks]
        assert client.counters.gaps == 0
        assert client.counters.reconnects == 1
    finally:
        await client.close()
        await deferToThread(server.stop)


@pytest.mark.parametrize("how", ["cut", "half-open"])
@pytest_twisted.ensureDeferred
async def test_five_minutes_away(how: str) -> None:
    """Over 5 minutes, 20 blocks and a reorganisation the streams are those of somebody else.

    With the usual waits, on a clock of its own: a connection over which nothing comes through is
    given up within 40 s, and half a minute after the end of the outage all is told.
    """
    warp = Warp()
    async with Stand() as stand, Relay(stand.port) as relay:
        url = f"ws://127.0.0.1:{stand.port}/"
        client = EthereumClient(relay.url, USUAL, reactor=warp, uniform=lambda _, high: high)
        opening = client.open()
        await warp.until(lambda: opening.called)
        async with EthereumClient(url, options()) as steady:
            source = stand.source
            followers: list[list[Follower]] = []
            for kind, wanted in (("newHeads", None), ("logs", {"address": "0x" + BOB.hex()})):
                pair = [await Follower.of(steady, kind, wanted), Follower()]
                subscribing = client.subscribe(kind, wanted, pair[1].events.append)
                await warp.until(lambda one=subscribing: one.called)  # type: ignore[misc]
                followers.append(pair)
            for nonce in range(4):
                source.mine((make_transaction(nonce), [EVENT]))
            await warp.until(
                lambda: all(len(one.events) == 4 for pair in followers for one in pair)
            )
            states: list[Status] = []
            client.on("state", states.append)
            began = warp.seconds()
            if how == "cut":
                relay.closed = True
                relay.cut()
            else:
                relay.mute = True
            # Two blocks that the client knows are replaced, and the 20 come in equal distances.
            source.reorganise(2, [[(make_transaction(nonce), [EVENT])] for nonce in (2, 3, 4)])
            for nonce in range(5, 5 + BLOCKS - 3):
                source.mine((make_transaction(nonce), [EVENT]))
                await warp.until(passed(warp, OUTAGE_S / (BLOCKS - 3)), OUTAGE_S)
                if how == "half-open" and warp.seconds() - began >= 41:
                    assert states
            assert warp.seconds() - began >= OUTAGE_S
            assert client.state is not State.OPEN
            assert [len(pair[1].events) for pair in followers] == [4, 4]
            relay.closed = relay.mute = False
            took = await warp.until(lambda: client.state is State.OPEN, 100)
            assert took <= BACKOFF.max_s * BACKOFF.spread[1] + USUAL.web_socket.open_timeout + 1
            last = source.mine((make_transaction(90), [EVENT]))
            for steady_one, other in followers:
                await warp.until(lambda one=other: reached(one, last))  # type: ignore[misc]
                await until(lambda one=steady_one: reached(one, last))
                assert steady_one.events == other.events
                assert standing(other.events)
            assert client.counters.gaps == 0
            assert client.counters.reconnects == 1
        closing = client.close()
        await warp.until(lambda: closing.called)
        assert warp.calls == []


def passed(warp: Warp, seconds: float) -> Any:
    """Return a condition that holds when so many seconds have passed."""
    end = warp.seconds() + seconds
    return lambda: warp.seconds() >= end


def reached(follower: Follower, block: Block) -> bool:
    """Tell whether a follower has heard of a block."""
    return any(hash_of(event) == "0x" + block.hash.hex() for event in follower.events)
