"""The one subscription of a connection, and what all subscriptions of a client need of it."""

from typing import Any

import pytest
import pytest_twisted
from twisted.internet.defer import CancelledError

from tests.client.ethereum.nodes import Relay
from tests.client.ontology.ledger import BOB, ONG, ONT, TOKEN, did
from tests.client.ontology.nodes import (
    FLAGS,
    NO_ANSWER,
    NOT_HERE,
    Collector,
    Failed,
    client_of,
    serving,
)
from tests.websocket.scripted import limit, pause, until
from twisted_chainws.client import QueueOverflow, RpcError, State
from twisted_chainws.dialects.ontology.errors import SERVICE_CEILING


def flags(topics: dict[str, Any]) -> list[Any]:
    """Return what is subscribed to, in short."""
    return [topics["ContractsFilter"] or [], *(name for name in FLAGS if topics[name])]


@pytest_twisted.ensureDeferred
async def test_together() -> None:
    """The node is told the whole of what all want together, and each gets its own."""
    blocks, events, raw = (f"Subscribe{name}" for name in ("JsonBlock", "Event", "RawBlock"))
    async with serving() as node, client_of(node) as client:
        all_blocks = await Collector.of(client, blocks=True)
        assert flags(node.topics) == [[], blocks]
        of_ong = await Collector.of(client, events=True, contracts=[ONG])
        assert flags(node.topics) == [[ONG], events, blocks]
        of_both = await Collector.of(client, events=True, contracts=[TOKEN, ONG.upper()])
        assert flags(node.topics) == [[ONG, TOKEN], events, blocks]
        everything = await Collector.of(client, events=True, raw_blocks=True, hashes=True)
        assert flags(node.topics) == [[], events, blocks, raw]
        node.mine(did(1), did(2, ONG), did(3, TOKEN))
        assert [type(one).__name__ for one in await everything.sees(5)] == [
            *(["Notify"] * 3),
            *("RawBlock", "BlockHashes"),
        ]
        assert [one.index for one in await of_both.sees(2)] == [1, 2]
        assert [one.index for one in await of_ong.sees(1)] == [1]
        assert [one.number for one in await all_blocks.sees(1)] == [6]
        assert await limit(everything.subscription.unsubscribe()) is True
        assert flags(node.topics) == [[ONG, TOKEN], events, blocks]
        for one in (all_blocks, of_both, of_ong):
            assert await limit(one.subscription.unsubscribe()) is True
        assert flags(node.topics) == [[]]
        assert await limit(all_blocks.subscription.unsubscribe()) is False


@pytest_twisted.ensureDeferred
async def test_every_message_is_whole() -> None:
    """A subscribe message leaves nothing to what was there before."""
    async with serving() as node, client_of(node) as client:
        await Collector.of(client, events=True)
        (request,) = node.asked("subscribe")
        assert set(request) == {"Action", "Id", "Version", "ContractsFilter", *FLAGS}


@pytest_twisted.ensureDeferred
async def test_refused() -> None:
    """What the node refuses is refused to the caller, and others go on."""
    async with serving() as node, client_of(node) as client:
        blocks = await Collector.of(client, blocks=True)

        def refuse(request: Any) -> Any:
            if request["ContractsFilter"]:
                raise Failed(SERVICE_CEILING, "too many")
            return NOT_HERE

        node.answers["subscribe"] = refuse
        with pytest.raises(RpcError, match="too many") as failed:
            await limit(client.subscribe(events=True, contracts=[BOB.address]))
        assert failed.value.code == SERVICE_CEILING
        node.mine()
        await blocks.sees(1)


@pytest_twisted.ensureDeferred
async def test_refused_the_second_time() -> None:
    """What the node does not take over another connection ends with its reason."""
    async with serving() as node, client_of(node) as client:
        blocks = await client.subscribe(blocks=True)

        def refuse(_: Any) -> Any:
            raise Failed(SERVICE_CEILING)

        node.answers["subscribe"] = refuse
        node.drop()
        with pytest.raises(RpcError):
            await limit(blocks.when_ended())
        del node.answers["subscribe"]
        await until(lambda: client.state is State.OPEN)
        again = await Collector.of(client, blocks=True)
        node.mine()
        await again.sees(1)


@pytest_twisted.ensureDeferred
async def test_given_up() -> None:
    """A subscription that is cancelled before the answer leaves nothing behind."""
    async with serving() as node, client_of(node) as client:
        node.answers["subscribe"] = lambda _: NO_ANSWER
        making = client.subscribe(events=True)
        await until(lambda: len(node.asked("subscribe")) == 1)
        making.cancel()
        with pytest.raises(CancelledError):
            await making
        del node.answers["subscribe"]
        await until(lambda: len(node.asked("subscribe")) == 2)
        await until(lambda: flags(node.topics) == [[]])


@pytest_twisted.ensureDeferred
async def test_no_head() -> None:
    """Where the head is not to be had, it begins with whatever comes."""
    async with serving() as node, client_of(node) as client:

        def unknown(_: Any) -> Any:
            raise Failed(45001)

        node.answers["getblockheight"] = unknown
        blocks = await Collector.of(client, blocks=True)
        node.mine()
        assert [one.number for one in await blocks.sees(1)] == [6]


@pytest_twisted.ensureDeferred
async def test_waiting_for_a_connection() -> None:
    """A subscription that is made while there is none waits for one."""
    async with serving() as node, Relay(node.port) as relay, client_of(node, relay.url) as client:
        first = await Collector.of(client, blocks=True)
        relay.closed = True
        relay.cut()
        await until(lambda: client.state is not State.OPEN)
        making = client.subscribe(events=True)
        assert await limit(first.subscription.unsubscribe()) is False
        relay.closed = False
        made = await limit(making)
        node.mine(did(1))
        event: Any = await limit(made.next())
        assert (event.index, event.block_number) == (0, 6)
        assert first.events == []


@pytest_twisted.ensureDeferred
async def test_too_slow() -> None:
    """Who takes nothing is ended, at the node as well, and others go on."""
    async with serving() as node, client_of(node, queue_size=2) as client:
        slow = await client.subscribe(hashes=True)
        quick = await Collector.of(client, events=True, contracts=[ONT])
        for number in range(4):
            node.mine(did(number))
        with pytest.raises(QueueOverflow):
            await limit(slow.when_ended())
        assert client.counters.overflows == 1
        await quick.sees(4)
        assert flags(node.topics) == [[ONT], "SubscribeEvent", "SubscribeJsonBlock"]


@pytest_twisted.ensureDeferred
async def test_pushes_that_nobody_wants() -> None:
    """What still comes after the last has left is nothing."""
    async with serving() as node, client_of(node) as client:
        first = await Collector.of(client, events=True)
        await limit(first.subscription.unsubscribe())
        node.push("sendjsonblock", node.ledger.mine().json)
        node.push("Notify", node.ledger.mine(did(1)).events[0])
        await pause(0.05)
        again = await Collector.of(client, events=True)
        node.mine(did(2))
        assert [one.block_number for one in await again.sees(1)] == [8]
        assert first.events == []


@pytest_twisted.ensureDeferred
async def test_pushes_that_cannot_be_read() -> None:
    """They are counted, and harm nothing else."""
    async with serving() as node, client_of(node) as client:
        blocks = await Collector.of(client, blocks=True)
        node.push("sendjsonblock", {"Hash": "?"})
        node.push("sendrawblock", "?")
        node.push("sendblocktxhashs", "?")
        node.mine()
        assert [one.number for one in await blocks.sees(1)] == [6]
        assert client.counters.strays == 2
