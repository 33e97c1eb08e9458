"""The client against a node that does what is expected, and then some."""

from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import pytest_twisted

from tests.client.ethereum.nodes import Relay, options
from tests.client.listening import heights
from tests.client.ontology.ledger import ONG, ONT, Ledger, did, payment
from tests.client.ontology.nodes import NO_ANSWER, Collector, Failed, client_of, serving
from tests.client.warp import Warp
from tests.websocket.scripted import limit, until
from twisted_chainws.client import (
    ChainChanged,
    ClientClosed,
    Misuse,
    RequestTimeout,
    RpcError,
    State,
)
from twisted_chainws.client.ontology import (
    Block,
    BlockHashes,
    Gap,
    Log,
    Notify,
    OntologyClient,
    RawBlock,
    Reset,
    ontology_client,
    shown_hash,
)
from twisted_chainws.dialects.ontology.errors import INVALID_METHOD, SESSION_EXPIRED

pytestmark = pytest.mark.integration


@pytest_twisted.ensureDeferred
async def test_calls() -> None:
    """Actions are asked for by name, with their members; errors have code, words and result."""
    async with serving() as node, client_of(node) as client:
        assert client.chain_id == 3
        assert await limit(client.call("getblockheight")) == 5
        block = await limit(client.get_block(5))
        assert block.hash == node.ledger.chain[5].hash
        with pytest.raises(RpcError, match="42001 INVALID METHOD") as failed:
            await limit(client.call("getsyncstatus"))
        assert (failed.value.code, failed.value.data) == (INVALID_METHOD, "")
        with pytest.raises(Misuse):
            await limit(client.call("subscribe", SubscribeEvent=True))
        with pytest.raises(Misuse):
            await limit(client.call("getstorage", Key=b"x"))
        ids = [one["Id"] for one in node.requests]
        assert ids == list(range(1, len(ids) + 1))
    with pytest.raises(ClientClosed):
        await limit(client.call("getblockheight"))
    with pytest.raises(ClientClosed, match="not opened"):
        await limit(ontology_client("ws://127.0.0.1:1/").subscribe(blocks=True))


@pytest_twisted.ensureDeferred
async def test_all_topics() -> None:
    """Each push becomes an event of its own type."""
    async with serving() as node, client_of(node) as client:
        everything = await client.subscribe(events=True, blocks=True, raw_blocks=True, hashes=True)
        mined = node.mine(did(1), did(2, succeeded=False))
        found: list[Any] = [await limit(everything.next()) for _ in range(5)]
        assert [type(one) for one in found] == [Notify, Notify, RawBlock, Block, BlockHashes]
        assert [one.succeeded for one in found[:2]] == [True, False]
        assert {one.block_hash for one in found[:2]} == {mined.hash}
        assert {one.hash for one in found[2:]} == {mined.hash}
        node.push("Log", {"TxHash": "11" * 32, "ContractAddress": ONT, "Message": "m"})
        assert await limit(everything.next()) == Log(tx_hash="11" * 32, contract=ONT, message="m")
    assert [one async for one in everything] == []


@pytest.mark.parametrize(
    "wish",
    [
        {},
        {"blocks": True, "contracts": [ONT]},
        {"events": True, "contracts": ONT},
        {"events": True, "contracts": ["xy"]},
    ],
)
@pytest_twisted.ensureDeferred
async def test_what_cannot_be_subscribed_to(wish: Any) -> None:
    """What cannot be meant fails, and the node does not hear of it."""
    async with serving() as node, client_of(node) as client:
        with pytest.raises(Misuse):
            await limit(client.subscribe(**wish))
        assert node.asked("subscribe") == []


@pytest_twisted.ensureDeferred
async def test_events_behind_their_block() -> None:
    """Nodes may tell what transactions did after the block; their block is known all the same."""
    async with serving() as node, client_of(node) as client:
        node.late = True
        events = await Collector.of(client, events=True, blocks=True)
        node.mine(did(1), did(2))
        assert heights(await events.sees(3)) == [6, 6, 6]
        assert [type(one) for one in events.events] == [Block, Notify, Notify]


@pytest_twisted.ensureDeferred
async def test_an_outage_is_filled() -> None:
    """What was missed is fetched by height, what nobody wants is not."""
    async with serving() as node, Relay(node.port) as relay, client_of(node, relay.url) as client:
        blocks = await Collector.of(client, blocks=True)
        node.mine(did(1))
        await blocks.sees(1)
        relay.closed = True
        relay.cut()
        await until(lambda: client.state is not State.OPEN)
        for number in range(2, 5):
            node.mine(did(number))
        relay.closed = False
        assert heights(await blocks.sees(4)) == [6, 7, 8, 9]
        node.mine(did(9))
        assert heights(await blocks.sees(5)) == [6, 7, 8, 9, 10]
        assert node.asked("getsmartcodeeventbyheight") == []
        assert client.counters.reconnects == 1


@pytest_twisted.ensureDeferred
async def test_an_outage_for_everybody() -> None:
    """Cut off, a client has seen what another one has, bytes and events as well."""
    async with serving() as node, Relay(node.port) as relay:
        async with client_of(node) as steady, client_of(node, relay.url) as client:
            wishes: list[dict[str, Any]] = [
                {"events": True},
                {"events": True, "contracts": [ONG]},
                {"blocks": True, "raw_blocks": True, "hashes": True},
            ]
            pairs = [
                [await Collector.of(each, **wish) for each in (steady, client)] for wish in wishes
            ]
            node.mine(did(1))
            await pairs[2][1].sees(3)
            relay.closed = True
            relay.cut()
            await until(lambda: client.state is not State.OPEN)
            for number in range(2, 6):
                node.mine(did(number, *((ONG,) if number % 2 else ())), did(100 + number))
                node.mine()
            relay.closed = False
            await until(lambda: client.state is State.OPEN and client.counters.reconnects == 1)
            node.mine(did(9, ONT, ONG))
            for (first, second), count in zip(pairs, (10, 3, 30), strict=True):
                assert len(await first.sees(count)) == len(await second.sees(count)) == count
                assert first.events == second.events
        assert client.counters.gaps == 0


@pytest_twisted.ensureDeferred
async def test_a_long_outage() -> None:
    """No more blocks are fetched than allowed; what is missing is told."""
    async with serving() as node, Relay(node.port) as relay:
        client = client_of(node, relay.url, backfill_blocks=3)
        async with client:
            gaps: list[Any] = []
            client.on("gap", lambda _, gap: gaps.append(gap))
            blocks = await Collector.of(client, hashes=True)
            node.mine()
            await blocks.sees(1)
            relay.closed = True
            relay.cut()
            await until(lambda: client.state is not State.OPEN)
            for _ in range(10):
                node.mine()
            relay.closed = False
            assert heights(await blocks.sees(5)) == [6, (7, 13), 14, 15, 16]
            assert gaps == [Gap(7, 13)]
            assert client.counters.gaps == 1


@pytest_twisted.ensureDeferred
async def test_events_that_are_not_kept() -> None:
    """A node that cannot tell what was done leaves a gap, and says so."""
    async with serving() as node, client_of(node, backfill_tries=1) as client:
        events = await Collector.of(client, events=True)
        node.mine(did(1))
        await events.sees(1)
        node.answers["getsmartcodeeventbyheight"] = lambda _: ""
        node.ledger.mine(did(2))
        node.mine(did(3))
        assert heights(await events.sees(3)) == [6, (7, 7), 8]


@pytest_twisted.ensureDeferred
async def test_a_reorganisation() -> None:
    """Repeated heights are a reset; what has left is named, newest first."""
    async with serving() as node, client_of(node) as client:
        blocks = await Collector.of(client, blocks=True)
        events = await Collector.of(client, events=True)
        for number in range(3):
            node.mine(did(number))
        node.reorganise(2, [did(1)], [did(2)], [did(3)])
        assert heights(await blocks.sees(7)) == [6, 7, 8, [8, 7], 7, 8, 9]
        assert heights(await events.sees(7)) == [6, 7, 8, [8, 7], 7, 8, 9]
        reset: Any = blocks.events[3]
        assert reset == Reset(first=7, removed=tuple(reversed(blocks.events[1:3])))
        parents = [one.parent_hash for one in blocks.events[4:]]
        assert parents == [one.hash for one in (blocks.events[0], *blocks.events[4:6])]


@pytest_twisted.ensureDeferred
async def test_a_reorganisation_in_an_outage() -> None:
    """Blocks that have left meanwhile are taken back, and the new ones told."""
    async with serving() as node, Relay(node.port) as relay, client_of(node, relay.url) as client:
        events = await Collector.of(client, events=True)
        for number in range(3):
            node.mine(did(number))
        await events.sees(3)
        relay.closed = True
        relay.cut()
        await until(lambda: client.state is not State.OPEN)
        node.ledger.reorganise(2, [did(7)], [did(1)], [])
        relay.closed = False
        assert heights(await events.sees(6)) == [6, 7, 8, [8, 7], 7, 8]
        await until(lambda: client.state is State.OPEN)
        node.mine(did(9))
        assert heights(await events.sees(7)) == [6, 7, 8, [8, 7], 7, 8, 10]


@pytest_twisted.ensureDeferred
async def test_another_chain_of_the_same_network() -> None:
    """A node that begins anew takes everything back, however short its chain is."""
    async with serving() as node, client_of(node) as client:
        blocks = await Collector.of(client, blocks=True)
        node.mine()
        node.mine()
        await blocks.sees(2)
        node.ledger = Ledger(1)
        node.ledger.mine()
        node.drop()
        await until(lambda: client.counters.reconnects == 1 and client.state is State.OPEN)
        node.mine()
        assert heights(await blocks.sees(5)) == [6, 7, [7, 6], 2, 3]


@pytest_twisted.ensureDeferred
async def test_sending_over_an_outage() -> None:
    """Sent, cut off, and mined meanwhile: it is asked for. Forgotten by the node: sent again."""
    async with serving() as node, Relay(node.port) as relay, client_of(node, relay.url) as client:
        waiting = client.send_and_wait(payment(1))
        await until(lambda: len(node.pool) == 1)
        relay.closed = True
        relay.cut()
        await until(lambda: client.state is not State.OPEN)
        node.mine_pool()
        relay.closed = False
        assert (await limit(waiting)).tx_hash == shown_hash(payment(1))
        waiting = client.send_and_wait(payment(2))
        await until(lambda: len(node.pool) == 1)
        node.pool.clear()
        relay.cut()
        await until(lambda: len(node.pool) == 1)
        node.mine_pool()
        assert (await limit(waiting)).tx_hash == shown_hash(payment(2))


@pytest_twisted.ensureDeferred
async def test_an_expired_session() -> None:
    """A session that the node ends is begun anew, and goes on."""
    async with serving() as node, client_of(node) as client:
        states: list[Any] = []
        client.on("state", states.append)
        blocks = await Collector.of(client, blocks=True)
        node.refuse(SESSION_EXPIRED)
        await until(lambda: client.counters.reconnects == 1 and client.state is State.OPEN)
        assert states[0].reason == "session expired"
        node.mine()
        await blocks.sees(1)


@pytest_twisted.ensureDeferred
async def test_a_refusal_without_a_name() -> None:
    """It is that of the oldest request, which would wait for ever; others belong to nothing."""
    async with serving() as node, client_of(node) as client:
        strays: list[Any] = []
        client.on("stray", strays.append)
        node.answers["getversion"] = lambda _: NO_ANSWER
        asking = client.get_version()
        await until(lambda: len(node.asked("getversion")) == 1)
        node.refuse(INVALID_METHOD)
        with pytest.raises(RpcError, match="INVALID METHOD"):
            await limit(asking)
        node.refuse(INVALID_METHOD)
        node.send("?")
        node.send('{"Action":"Notify","Error":0,"Result":"?"}')
        await until(lambda: client.counters.strays == 3)
        assert [one.code for one in strays] == [INVALID_METHOD]


@pytest_twisted.ensureDeferred
async def test_no_answer() -> None:
    """A request has its time; the connection stays."""
    async with serving() as node, client_of(node, request_timeout_s=0.1) as client:
        node.answers["getversion"] = lambda _: NO_ANSWER
        with pytest.raises(RequestTimeout):
            await limit(client.get_version())
        assert await limit(client.get_block_height()) == 5
        assert client.counters.reconnects == 0


@pytest_twisted.ensureDeferred
async def test_another_network() -> None:
    """Only the network that is wanted, and then that of the first time, will do."""
    async with serving() as node:
        with pytest.raises(ChainChanged):
            await limit(client_of(node, chain_id=1).open())
        async with client_of(node, chain_id=3) as client:
            blocks = await client.subscribe(blocks=True)
            node.network = 2
            node.drop()
            with pytest.raises(ChainChanged):
                await limit(blocks.when_ended())
            assert client.state is State.CLOSED


@pytest_twisted.ensureDeferred
async def test_a_node_that_knows_no_networks() -> None:
    """Old nodes cannot say; who wants a certain network does without them."""

    def unknown(_: Any) -> Any:
        raise Failed(INVALID_METHOD)

    async with serving() as node:
        node.answers["getnetworkid"] = unknown
        async with client_of(node) as client:
            assert client.chain_id is None
            assert await limit(client.get_block_height()) == 5
        backoff = replace(options().backoff, max_attempts=2)
        client = client_of(node, chain_id=3, backoff=backoff)
        opening = client.open()
        await until(lambda: client.state is State.DOWN)
        assert "no chain id" in client.status.reason
        await client.close()
        with pytest.raises(ClientClosed):
            await limit(opening)


def _has(collector: Collector, count: int) -> bool:
    return len(collector.events) == count


def _is_past(warp: Warp, seconds: float) -> bool:
    return warp.seconds() >= seconds


@pytest_twisted.ensureDeferred
async def test_the_session_is_kept_alive() -> None:
    """However much the node pushes, it is asked something within its 300 seconds."""
    warp = Warp()
    async with serving() as node:
        client = OntologyClient(node.url, options(heartbeat_s=0, stall_s=0), reactor=warp)
        opening = client.open()
        await warp.until(lambda: bool(opening.called))
        blocks = Collector()
        making = client.subscribe(blocks=True, callback=blocks.events.append)
        await warp.until(lambda: bool(making.called))
        began = warp.seconds()
        for number in range(60):
            node.mine()
            await warp.until(partial(_has, blocks, number + 1))
            await warp.until(partial(_is_past, warp, began + 5 * number), most_s=10)
        await warp.until(lambda: len(node.asked("heartbeat")) >= 4)
        assert 4 <= len(node.asked("heartbeat")) <= 5
        closing = client.close()
        await warp.until(lambda: bool(closing.called))
    assert [call for call in warp.calls if call.active()] == []


@pytest_twisted.ensureDeferred
async def test_silence() -> None:
    """When nothing comes at all, something is asked; a server that does not answer is left."""
    async with serving() as node, Relay(node.port) as relay:
        quick: dict[str, Any] = {"heartbeat_s": 0.05, "heartbeat_answer_s": 0.05}
        async with client_of(node, relay.url, **quick) as client:
            await until(lambda: len(node.asked("heartbeat")) >= 2)
            assert client.counters.reconnects == 0
            relay.mute = True
            await until(lambda: client.counters.silent_ends >= 1)
            relay.mute = False


@pytest_twisted.ensureDeferred
async def test_a_node_that_falls_silent() -> None:
    """If no block comes while the chain goes on, the client connects anew, and misses nothing."""
    async with serving() as node, client_of(node, stall_s=0.2) as client:
        blocks = await Collector.of(client, blocks=True)
        node.mine()
        await blocks.sees(1)
        await until(lambda: len(node.asked("getblockheight")) >= 3)
        assert client.counters.stalls == 0
        node.ledger.mine()
        assert heights(await blocks.sees(2)) == [6, 7]
        assert client.counters.stalls == 1


@pytest_twisted.ensureDeferred
async def test_a_node_that_does_not_answer_to_subscribing() -> None:
    """A connection over which nothing can be subscribed to is given up for another one."""
    async with serving() as node, client_of(node, request_timeout_s=0.2) as client:
        blocks = await Collector.of(client, blocks=True)
        node.answers["subscribe"] = lambda _: NO_ANSWER
        node.drop()
        await until(lambda: "no subscription" in client.status.reason)
        del node.answers["subscribe"]
        await until(lambda: client.state is State.OPEN)
        node.mine()
        await blocks.sees(1)


@pytest_twisted.ensureDeferred
async def test_too_many_pushes_wait() -> None:
    """Who cannot keep up with catching up begins anew."""
    async with serving() as node, client_of(node, queue_size=5, request_timeout_s=0.3) as client:
        blocks = await Collector.of(client, hashes=True)
        node.mine()
        await blocks.sees(1)
        node.answers["getblockbyheight"] = lambda _: NO_ANSWER
        node.answers["getblockbyhash"] = lambda _: NO_ANSWER
        for _ in range(2):
            node.ledger.mine()
        for _ in range(8):
            node.mine()
        await until(lambda: client.counters.reconnects == 1)
        node.answers.clear()
        await until(lambda: client.state is State.OPEN)
        node.mine()
        await until(lambda: client.counters.queue_depth == 0 and len(blocks.events) >= 12)
        assert heights(blocks.events) == list(range(6, 18))
