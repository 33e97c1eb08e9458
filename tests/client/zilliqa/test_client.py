"""The client against a node that does what is expected, and then some."""

from typing import Any

import pytest
import pytest_twisted
from twisted.web.server import NOT_DONE_YET

from tests.client.ethereum.nodes import Relay
from tests.client.listening import heights
from tests.client.zilliqa.ledger import ALICE, BOB, OTHER_TOKEN, TOKEN, call, event, payment
from tests.client.zilliqa.nodes import NO_ANSWER, Collector, Failed, client_of, options, serving
from tests.websocket.scripted import limit, until
from twisted_chainws.chain.types import Address20
from twisted_chainws.client import (
    ChainChanged,
    ClientClosed,
    Misuse,
    RequestTimeout,
    RpcError,
    State,
)
from twisted_chainws.client.zilliqa import (
    ContractEvent,
    Gap,
    Transfer,
    TxBlock,
    ZilliqaClient,
    zilliqa_client,
)
from twisted_chainws.dialects.zilliqa.address import encode_bech32

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("http", [True, False])
@pytest_twisted.ensureDeferred
async def test_everything(http: bool) -> None:
    """Blocks, events and transactions come with their heights, with HTTP and without."""
    async with serving() as node, client_of(node, http=http) as client:
        assert client.chain_id == (222 if http else None)
        blocks = await limit(client.subscribe("NewBlock"))
        events = await limit(client.subscribe("EventLog", [TOKEN[2:].upper()]))
        transfers = await limit(
            client.subscribe("TxnLog", [encode_bech32(Address20(bytes.fromhex(BOB[2:])))])
        )
        assert node.asked("EventLog") == [{"query": "EventLog", "addresses": [TOKEN]}]
        assert node.asked("TxnLog") == [{"query": "TxnLog", "addresses": [BOB]}]
        node.mine()
        mined = node.mine(call("a", event("x"), event("y")), payment("b", BOB, success=False))
        quiet, block = await limit(blocks.next()), await limit(blocks.next())
        assert isinstance(block, TxBlock)
        assert (quiet.number, quiet.tx_hashes, block.number) == (6, (), 7)
        assert block.hash == mined["body"]["BlockHash"]
        assert len(block.transactions) == 2
        first, second = await limit(events.next()), await limit(events.next())
        assert isinstance(first, ContractEvent)
        assert (first.name, second.name, first.address) == ("x", "y", TOKEN)
        assert (first.block_number, first.block_hash) == (7, block.hash)
        paid = await limit(transfers.next())
        assert isinstance(paid, Transfer)
        assert (paid.to, paid.sender, paid.amount_qa, paid.success) == (BOB, ALICE, 5, False)
        assert paid.id == block.transactions[1]
    assert [event async for event in blocks] == []


@pytest_twisted.ensureDeferred
async def test_subscriptions_share_a_connection() -> None:
    """Each gets its own; what is watched already is not asked for again."""
    async with serving() as node, client_of(node) as client:
        first = await Collector.of(client, "EventLog", [TOKEN])
        second = await Collector.of(client, "EventLog", [OTHER_TOKEN, TOKEN])
        third = await Collector.of(client, "EventLog", [TOKEN])
        assert [query["addresses"] for query in node.asked("EventLog")] == [[TOKEN], [OTHER_TOKEN]]
        node.mine(call("a", event("x"), event("y", OTHER_TOKEN)))
        await second.sees(2)
        for collector, expected in ((first, "x"), (second, "xy"), (third, "x")):
            assert "".join(one.name for one in collector.events) == expected


@pytest_twisted.ensureDeferred
async def test_one_last_delivery() -> None:
    """After ``unsubscribe`` one more block is told, and then the iteration ends."""
    async with serving() as node, client_of(node) as client:
        blocks = await client.subscribe("NewBlock")
        node.mine()
        assert await limit(blocks.unsubscribe()) is True
        assert blocks.active
        node.mine()
        node.mine()
        assert heights([one async for one in blocks]) == [6, 7]
        assert await blocks.unsubscribe() is False
        assert node.topics == {}


@pytest_twisted.ensureDeferred
async def test_leaving_what_others_need() -> None:
    """A subscription that leaves others alone ends just the same; blocks go on for the others."""
    async with serving() as node, client_of(node) as client:
        blocks = await Collector.of(client, "NewBlock")
        events = await Collector.of(client, "EventLog", [TOKEN])
        again = await Collector.of(client, "EventLog", [TOKEN])
        assert await limit(blocks.subscription.unsubscribe()) is True
        assert await limit(again.subscription.unsubscribe()) is True
        assert node.asked("Unsubscribe") == []
        node.mine(call("a", event("x")))
        node.mine(call("b", event("y")))
        await events.sees(2)
        assert (heights(blocks.events), heights(again.events)) == ([6], [6])
        assert await limit(events.subscription.unsubscribe()) is True
        assert [one["type"] for one in node.asked("Unsubscribe")] == ["NewBlock", "EventLog"]


@pytest.mark.parametrize("forgets", [True, False])
@pytest_twisted.ensureDeferred
async def test_back_before_the_end(forgets: bool) -> None:
    """Who subscribes again before the last block goes on, whatever the node makes of that."""
    async with serving() as node, client_of(node) as client:
        node.forgets = forgets
        first = await Collector.of(client, "EventLog", [TOKEN])
        assert await limit(first.subscription.unsubscribe()) is True
        second = await Collector.of(client, "EventLog", [TOKEN, OTHER_TOKEN])
        node.mine(call("a", event("x")))
        await second.sees(1)
        await until(lambda: set(node.topics) == {"NewBlock", "EventLog"})
        node.mine(call("b", event("y")))
        await second.sees(2)
        assert (heights(first.events), heights(second.events)) == ([6], [6, 7])
        assert not first.subscription.active


@pytest_twisted.ensureDeferred
async def test_an_outage_is_filled() -> None:
    """What was missed is fetched over HTTP, bodies only if anybody wants them."""
    async with serving() as node, Relay(node.port) as relay, client_of(node, relay.url) as client:
        blocks = await Collector.of(client, "NewBlock")
        node.mine()
        await blocks.sees(1)
        relay.cut()
        await until(lambda: client.state is not State.OPEN)
        for number in range(3):
            node.ledger.mine(payment(f"{number}", BOB))
        await until(lambda: client.state is State.OPEN)
        await blocks.sees(4)
        assert node.called("GetTxnBodiesForTxBlock") == []
        events = await Collector.of(client, "EventLog", [TOKEN])
        transfers = await Collector.of(client, "TxnLog", [ALICE])
        relay.cut()
        await until(lambda: client.counters.reconnects == 2 or client.state is not State.OPEN)
        node.ledger.mine(call("a", event("x"), event("y", OTHER_TOKEN)), payment("b", BOB))
        node.ledger.mine(call("c", event("z"), success=False))
        await until(lambda: client.state is State.OPEN)
        node.mine(payment("d", BOB))
        await blocks.sees(7)
        assert heights(blocks.events) == [6, 7, 8, 9, 10, 11, 12]
        assert [len(one.transactions) for one in blocks.events] == [0, 1, 1, 1, 2, 1, 1]
        assert [one.name for one in events.events] == ["x"]
        assert heights(transfers.events) == [10, 10, 11, 12]
        assert client.counters.gaps == 0


@pytest_twisted.ensureDeferred
async def test_an_outage_without_http() -> None:
    """Nobody can be asked: a gap tells which blocks are missing."""
    async with serving() as node, Relay(node.port) as relay:
        gaps: list[Any] = []
        async with client_of(node, relay.url, http=False) as client:
            client.on("gap", lambda _, gap: gaps.append(gap))
            blocks = await Collector.of(client, "NewBlock")
            node.mine()
            await blocks.sees(1)
            relay.cut()
            await until(lambda: client.state is not State.OPEN)
            node.ledger.mine()
            node.ledger.mine()
            await until(lambda: client.state is State.OPEN)
            node.mine()
            await blocks.sees(3)
            assert heights(blocks.events) == [6, (7, 8), 9]
            assert gaps == [Gap(7, 8)]


@pytest_twisted.ensureDeferred
async def test_a_gap_in_the_numbers_is_filled() -> None:
    """A notification that never came is fetched, before the one that shows it."""
    async with serving() as node, client_of(node) as client:
        blocks = await Collector.of(client, "NewBlock")
        events = await Collector.of(client, "EventLog", [TOKEN])
        node.ledger.mine(call("a", event("x")))
        node.mine(call("b", event("y")))
        node.mine(call("c", event("z")))
        await blocks.sees(3)
        assert heights(blocks.events) == [6, 7, 8]
        assert [one.name for one in events.events] == ["x", "y", "z"]


@pytest_twisted.ensureDeferred
async def test_too_long_an_outage() -> None:
    """No more than ``backfill_blocks`` are fetched; the rest is a gap."""
    async with serving() as node, client_of(node, backfill_blocks=4) as client:
        blocks = await Collector.of(client, "NewBlock")
        node.mine()
        for _ in range(10):
            node.ledger.mine()
        node.mine()
        await blocks.sees(6)
        assert heights(blocks.events) == [6, (7, 13), 14, 15, 16, 17]


@pytest.mark.parametrize("http", [True, False])
@pytest_twisted.ensureDeferred
async def test_a_reset_that_joins(http: bool) -> None:
    """A lower number is a reset; blocks that were told and have left are named, newest first."""
    async with serving() as node, client_of(node, http=http) as client:
        blocks = await Collector.of(client, "NewBlock")
        events = await Collector.of(client, "EventLog", [TOKEN])
        for _ in range(3):
            node.mine()
        node.ledger.reorganise(2)
        node.mine(call("a", event("x")))
        await blocks.sees(5)
        assert heights(blocks.events) == [6, 7, 8, [8, 7], 7]
        assert heights(events.events) == [[8, 7], 7]
        assert blocks.events[3].first == 7


@pytest_twisted.ensureDeferred
async def test_a_reset_during_an_outage() -> None:
    """Blocks that do not chain are followed down over HTTP to where they do."""
    async with serving() as node, Relay(node.port) as relay, client_of(node, relay.url) as client:
        blocks = await Collector.of(client, "NewBlock")
        for _ in range(3):
            node.mine()
        await blocks.sees(3)
        relay.cut()
        await until(lambda: client.state is not State.OPEN)
        node.ledger.reorganise(2, [], [], [payment("b", BOB)])
        await until(lambda: client.state is State.OPEN)
        await blocks.sees(7)
        assert heights(blocks.events) == [6, 7, 8, [8, 7], 7, 8, 9]


@pytest_twisted.ensureDeferred
async def test_a_reset_that_does_not_chain_without_http() -> None:
    """How far down it goes is not known."""
    async with serving() as node, client_of(node, http=False) as client:
        blocks = await Collector.of(client, "NewBlock")
        for _ in range(3):
            node.mine()
        node.ledger.reorganise(2, [], [])
        node.mine()
        await blocks.sees(6)
        assert heights(blocks.events) == [6, 7, 8, [8], (None, 8), 9]


@pytest.mark.parametrize("http", [True, False])
@pytest_twisted.ensureDeferred
async def test_another_chain_of_the_same_name(http: bool) -> None:
    """A chain that began anew takes back everything that was told."""
    async with serving(50) as node, client_of(node, http=http) as client:
        blocks = await Collector.of(client, "NewBlock")
        node.mine()
        node.mine()
        node.ledger.reorganise(50)
        node.mine()
        await blocks.sees(4)
        assert heights(blocks.events) == [51, 52, [52, 51], 3]


@pytest.mark.parametrize("code", [1000, 1001, 1008, 1009, 1011])
@pytest_twisted.ensureDeferred
async def test_no_close_is_final(code: int) -> None:
    """Whatever a server closes with, also 1000, the client comes back and subscribes again."""
    async with serving() as node, client_of(node) as client:
        blocks = await Collector.of(client, "NewBlock")
        transfers = await Collector.of(client, "TxnLog", [BOB])
        node.drop(code, "Terminating connection due to no subscription")
        await until(lambda: client.counters.reconnects == 1 and client.state is State.OPEN)
        assert node.topics == {"NewBlock": set(), "TxnLog": {BOB}}
        node.mine(payment("a", BOB))
        await blocks.sees(1)
        assert heights(transfers.events) == [6]


@pytest_twisted.ensureDeferred
async def test_subscribing_while_down() -> None:
    """A subscription waits for the connection, and leaving without one is at once."""
    async with serving() as node, Relay(node.port) as relay, client_of(node, relay.url) as client:
        relay.closed = True
        relay.cut()
        await until(lambda: client.state is not State.OPEN)
        waiting = client.subscribe("NewBlock")
        relay.closed = False
        blocks = await limit(waiting)
        node.mine()
        assert heights([await limit(blocks.next())]) == [6]
        relay.closed = True
        relay.cut()
        await until(lambda: client.state is not State.OPEN)
        assert await limit(blocks.unsubscribe()) is False
        assert not blocks.active
        late = client.subscribe("NewBlock")
        closing = client.close()
        with pytest.raises(ClientClosed):
            await limit(late)
        await closing


@pytest_twisted.ensureDeferred
async def test_no_answer() -> None:
    """A query without an answer fails, and ends a connection on which replies could be mixed up."""
    async with serving() as node, client_of(node, request_timeout_s=0.2) as client:
        node.replies["EventLog"] = lambda _: NO_ANSWER
        with pytest.raises(RequestTimeout):
            await limit(client.subscribe("EventLog", [TOKEN]))
        await until(lambda: client.counters.reconnects == 1 and client.state is State.OPEN)
        node.replies.clear()
        await limit(client.subscribe("EventLog", [TOKEN]))


@pytest_twisted.ensureDeferred
async def test_refused_again() -> None:
    """A subscription that is refused after an outage ends with the error; others go on."""
    async with serving() as node, client_of(node) as client:
        blocks = await Collector.of(client, "NewBlock")
        events = await limit(client.subscribe("EventLog", [TOKEN]))
        node.replies["EventLog"] = lambda _: '{"type":"Error","error":"no contract found in list"}'
        node.drop()
        with pytest.raises(RpcError, match="no contract found in list"):
            await limit(events.next())
        await until(lambda: client.state is State.OPEN)
        node.mine()
        await blocks.sees(1)


@pytest_twisted.ensureDeferred
async def test_chains_that_change() -> None:
    """Another chain id than wanted, or than before, ends the client."""
    async with serving() as node:
        with pytest.raises(ChainChanged):
            async with client_of(node, chain_id=333):
                pass
        async with client_of(node) as client:
            blocks = await limit(client.subscribe("NewBlock"))
            node.answers["GetNetworkId"] = lambda: "1"
            node.drop()
            with pytest.raises(ChainChanged):
                await limit(blocks.next())
            assert client.state is State.CLOSED
        with pytest.raises(Misuse):
            client_of(node, http=False, chain_id=1)


@pytest_twisted.ensureDeferred
async def test_silence_while_the_chain_goes_on() -> None:
    """A server that tells nothing any more is left, and what it did not tell is fetched."""
    async with serving() as node, client_of(node, stall_s=0.1) as client:
        blocks = await Collector.of(client, "NewBlock")
        node.mine()
        await blocks.sees(1)
        node.ledger.mine()
        await blocks.sees(2)
        assert client.counters.stalls == 1
        assert client.counters.reconnects == 1


@pytest_twisted.ensureDeferred
async def test_beats() -> None:
    """After silence something harmless is asked."""
    async with (
        serving() as node,
        client_of(node, heartbeat_s=0.05, heartbeat_answer_s=0.05) as client,
    ):
        await until(lambda: client.counters.heartbeats >= 2)
        assert node.asked("Unsubscribe")[0] == {"query": "Unsubscribe", "type": "NewBlock"}
        blocks = await Collector.of(client, "NewBlock")
        count = len(node.asked("NewBlock"))
        await until(lambda: len(node.asked("NewBlock")) > count + 1)
        node.mine()
        await blocks.sees(1)
        assert client.counters.silent_ends == client.counters.reconnects == 0


@pytest.mark.parametrize(
    ("kind", "addresses"),
    [
        ("NewBlock", [TOKEN]),
        ("EventLog", []),
        ("TxnLog", TOKEN),
        ("TxnLog", ["0x12"]),
        ("Unsubscribe", []),
    ],
)
@pytest_twisted.ensureDeferred
async def test_misuse(kind: str, addresses: Any) -> None:
    """What makes no sense is not sent."""
    async with serving() as node, client_of(node) as client:
        with pytest.raises(Misuse):
            await client.subscribe(kind, addresses)
        assert node.queries == []


@pytest_twisted.ensureDeferred
async def test_calls() -> None:
    """Methods are called over HTTP, if there is an address for it, while the client is open."""
    async with serving() as node:
        client = zilliqa_client(node.url, options(), http_url=node.http_url)
        with pytest.raises(ClientClosed):
            await client.call("GetNetworkId")
        with pytest.raises(ClientClosed):
            await client.subscribe("NewBlock")
        async with client:
            assert await limit(client.call("GetNetworkId")) == "222"
            with pytest.raises(RpcError, match="Txn Hash not Present"):
                await limit(client.call("GetTransaction", "00"))
        async with ZilliqaClient(node.url, options()) as client:
            with pytest.raises(Misuse):
                await client.call("GetNetworkId")


@pytest_twisted.ensureDeferred
async def test_a_slow_reader() -> None:
    """Too many events end the subscription, at the server as well."""
    async with serving() as node, client_of(node, queue_size=3) as client:
        blocks = await client.subscribe("NewBlock")
        for _ in range(5):
            node.mine()
        await until(lambda: client.counters.overflows == 1)
        assert client.counters.queue_depth == 0
        await until(lambda: node.asked("Unsubscribe") != [])
        assert not blocks.active


@pytest_twisted.ensureDeferred
async def test_a_call_that_is_cancelled_leaves_nothing_behind() -> None:
    """The server is told that nobody wants what was asked for."""
    async with serving() as node, client_of(node) as client:
        node.replies["TxnLog"] = lambda _: NO_ANSWER
        making = client.subscribe("TxnLog", [BOB])
        await until(lambda: node.asked("TxnLog") != [])
        making.addErrback(lambda _: None)
        making.cancel()
        await until(lambda: len(node.asked("Unsubscribe")) == 2)
        assert [one["type"] for one in node.asked("Unsubscribe")] == ["NewBlock", "TxnLog"]


@pytest_twisted.ensureDeferred
async def test_a_later_subscription_begins_at_the_head() -> None:
    """What came while nobody listened is no gap."""
    async with serving() as node, client_of(node) as client:
        blocks = await client.subscribe("NewBlock")
        node.mine()
        await limit(blocks.unsubscribe())
        node.mine()
        await limit(blocks.when_ended())
        for _ in range(3):
            node.mine()
        later = await Collector.of(client, "NewBlock")
        node.mine()
        await later.sees(1)
        assert heights(later.events) == [11]


@pytest_twisted.ensureDeferred
async def test_http_that_is_down() -> None:
    """Who wants no certain chain goes on without it; who does waits for it."""
    async with serving() as node:

        def busy() -> Any:
            raise Failed(-28, "warming up")

        node.answers["GetNetworkId"] = node.answers["GetLatestTxBlock"] = busy
        async with client_of(node) as client:
            assert client.chain_id is None
            blocks = await Collector.of(client, "NewBlock")
            node.mine()
            await blocks.sees(1)
            node.drop()
            await until(lambda: client.counters.reconnects == 1)
            with pytest.raises(RpcError):
                await limit(client.pay(b"\x07" * 32, BOB, 1))
        waiting = client_of(node, chain_id=222)
        opening = waiting.open()
        await until(lambda: waiting.counters.reconnects >= 2)
        node.answers.clear()
        await limit(opening)
        await waiting.close()


@pytest_twisted.ensureDeferred
async def test_a_connection_that_ends_while_a_subscription_is_made() -> None:
    """It is made over the next one; so are those that were being made anew."""
    async with serving() as node, client_of(node) as client:
        first = await Collector.of(client, "TxnLog", [ALICE])
        ends = iter([True, True])

        def drop(_query: Any) -> Any:
            if next(ends, False):
                node.drop()
                return NO_ANSWER
            return None

        node.replies["TxnLog"] = drop
        second = await Collector.of(client, "TxnLog", [BOB])
        await until(lambda: client.counters.reconnects == 2 and client.state is State.OPEN)
        node.mine(payment("a", BOB))
        await first.sees(1)
        await second.sees(1)
        assert len(first.events) == len(second.events) == 1


@pytest_twisted.ensureDeferred
async def test_closing_while_a_subscription_is_made() -> None:
    """It fails, and so do calls that wait."""
    async with serving() as node:
        client = client_of(node)
        await client.open()
        node.replies["TxnLog"] = lambda _: NO_ANSWER
        node.answers["GetVersion"] = lambda: NOT_DONE_YET
        making, calling = client.subscribe("TxnLog", [BOB]), client.call("GetVersion")
        await until(lambda: node.asked("TxnLog") != [] and node.called("GetVersion") != [])
        closing = client.close()
        for one in (making, calling):
            with pytest.raises(ClientClosed):
                await limit(one)
        await closing
