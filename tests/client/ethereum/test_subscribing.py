"""Subscriptions: the server's ids, events that come too early, making them anew."""

from typing import Any

import orjson
import pytest
import pytest_twisted
from twisted.internet.defer import Deferred

from tests.client.ethereum.following import Follower
from tests.client.ethereum.nodes import NO_ANSWER, Failed, Relay, Whole, options, relayed, serving
from tests.client.warp import Warp
from tests.websocket.scripted import limit, until
from twisted_chainws.client import BadAnswer, EthereumClient, QueueOverflow, RpcError, State

pytestmark = pytest.mark.integration
PENDING = "newPendingTransactions"


@pytest.mark.parametrize(
    "ids", [lambda n: n, lambda n: f"0x{n:x}", lambda n: f"{n:x}", lambda n: f"0x{n:064x}"]
)
@pytest_twisted.ensureDeferred
async def test_ids_of_every_shape(ids: Any) -> None:
    """Ids are what the server says, numbers and short ones included, and go back as they came."""
    async with serving() as node:
        node.ids = ids
        async with EthereumClient(node.url, options()) as client:
            heads = await Follower.of(client, "newHeads")
            assert heads.subscription.id == str(ids(1))
            node.mine(1)
            await heads.sees(1)
            assert await heads.subscription.unsubscribe() is True
            assert node.asked[-1] == ("eth_unsubscribe", [ids(1)])
            assert node.subscriptions == {}


@pytest.mark.parametrize("given", [None, True, {}, [1]])
@pytest_twisted.ensureDeferred
async def test_an_id_that_is_none(given: Any) -> None:
    """What can be no id is a BadAnswer."""
    async with serving() as node, EthereumClient(node.url, options()) as client:
        node.answers["eth_subscribe"] = lambda *_: given
        with pytest.raises(BadAnswer):
            await limit(client.subscribe(PENDING))


@pytest_twisted.ensureDeferred
async def test_refused() -> None:
    """A kind that the server does not know is its error."""
    async with serving() as node, EthereumClient(node.url, options()) as client:

        def refuse(*_: Any) -> None:
            raise Failed({"code": -32601, "message": 'no "x" subscription in eth namespace'})

        node.answers["eth_subscribe"] = refuse
        with pytest.raises(RpcError, match=r"no .x. subscription"):
            await limit(client.subscribe("x"))


@pytest_twisted.ensureDeferred
async def test_options_go_along() -> None:
    """Kind and options are the parameters; there is no second one without options."""
    async with serving() as node, EthereumClient(node.url, options()) as client:
        await limit(client.subscribe(PENDING, True))
        await limit(client.subscribe("logs", {"address": "0x01"}))
        await limit(client.subscribe("newHeads"))
        assert [params for method, params in node.asked if method == "eth_subscribe"] == [
            [PENDING, True],
            ["logs", {"address": "0x01"}],
            ["newHeads"],
        ]


@pytest_twisted.ensureDeferred
async def test_events_before_the_answer() -> None:
    """Events that come before the answer to their subscription are told after it, in order."""
    async with serving() as node, EthereumClient(node.url, options()) as client:

        def eager(kind: str) -> Any:
            owner = node.clients[0]
            name = node.subscribe(kind, owner)
            for number in range(3):
                node.tell(kind, number)
            node.subscriptions["0xother"] = (owner, "other")
            node.tell("other", "of nobody")
            return name

        node.answers["eth_subscribe"] = eager
        first = await Follower.of(client, PENDING)
        await first.sees(3)
        assert first.events == [0, 1, 2]
        # What is left of others is forgotten when nothing is being made any more.
        assert client._subscriptions._early == type(client._subscriptions._early)()


@pytest_twisted.ensureDeferred
async def test_subscribing_in_one_message_with_events() -> None:
    """An answer and its events may come in one array."""
    async with serving() as node, EthereumClient(node.url, options()) as client:
        node.answers["eth_subscribe"] = lambda *_: NO_ANSWER
        subscribing = Follower.of(client, PENDING)
        waiting = Deferred.fromCoroutine(subscribing)
        await until(lambda: node.count("eth_subscribe") == 1)
        notice = {
            "method": "eth_subscription",
            "params": {"subscription": "0x7", "result": "event"},
        }
        node.send([notice, {"id": 2, "result": "0x7"}])
        follower = await limit(waiting)
        assert follower.events == ["event"]


@pytest_twisted.ensureDeferred
async def test_ids_stay_and_order_stays() -> None:
    """After an outage ids are the old ones, and subscriptions are made in the old order."""
    async with serving() as node, relayed(node) as (client, relay):
        kinds = [PENDING, "logs", "newHeads", PENDING, "syncing"]
        followers = [await Follower.of(client, kind) for kind in kinds]
        ids = [follower.subscription.id for follower in followers]
        asked = len(node.asked)
        relay.cut()
        await until(lambda: client.counters.reconnects == 1 and client.state is State.OPEN)
        again = [params[0] for method, params in node.asked[asked:] if method == "eth_subscribe"]
        assert again == kinds
        assert [follower.subscription.id for follower in followers] == ids
        assert not set(node.subscriptions) & set(ids)
        for number, (name, (owner, _)) in enumerate(node.subscriptions.items()):
            params = {"subscription": name, "result": number}
            if kinds[number] in (PENDING, "syncing"):
                node.send({"method": "eth_subscription", "params": params}, owner)
        node.mine(1)
        for follower in followers:
            await follower.sees(1)
        assert [follower.numbers for follower in followers] == [[0], [6], [6], [3], [4]]


@pytest_twisted.ensureDeferred
async def test_ids_that_begin_anew() -> None:
    """A server that counts from 1 on each connection confuses nobody."""
    async with serving() as node, Relay(node.port) as relay:
        node.ids = lambda _: hex(len(node.subscriptions) + 1)
        async with EthereumClient(relay.url, options()) as client:
            first = await Follower.of(client, PENDING)
            second = await Follower.of(client, "newHeads")
            assert await first.subscription.unsubscribe()
            relay.cut()
            await until(lambda: client.counters.reconnects == 1 and client.state is State.OPEN)
            third = await Follower.of(client, "logs")
            assert [one.subscription.id for one in (second, third)] == ["0x2", "0x2#2"]
            node.mine(1)
            await second.sees(1)
            await third.sees(1)


@pytest_twisted.ensureDeferred
async def test_lost_while_subscribing() -> None:
    """A connection that ends before the answer changes nothing: it is asked again, once made."""
    async with serving() as node, relayed(node) as (client, relay):
        node.answers["eth_subscribe"] = lambda *_: NO_ANSWER
        subscribing = client.subscribe(PENDING)
        await until(lambda: node.count("eth_subscribe") == 1)
        del node.answers["eth_subscribe"]
        relay.cut()
        subscription = await limit(subscribing)
        node.tell(PENDING, "event")
        assert await limit(subscription.next()) == "event"
        assert len(node.subscriptions) == 1


@pytest_twisted.ensureDeferred
async def test_cancelled_while_subscribing() -> None:
    """A subscription that nobody waits for any more is ended at the server as soon as it is made."""
    async with serving() as node, EthereumClient(node.url, options()) as client:
        node.answers["eth_subscribe"] = lambda *_: NO_ANSWER
        subscribing = client.subscribe(PENDING)
        await until(lambda: node.count("eth_subscribe") == 1)
        subscribing.addErrback(lambda _: None)
        subscribing.cancel()
        node.send({"id": 2, "result": "0x7"})
        await until(lambda: node.asked[-1] == ("eth_unsubscribe", ["0x7"]))
        params = {"subscription": "0x7", "result": "event"}
        node.send({"method": "eth_subscription", "params": params})
        await until(lambda: client.counters.strays == 1)
        subscribing = client.subscribe(PENDING)
        await until(lambda: node.count("eth_subscribe") == 2)
        subscribing.addErrback(lambda _: None)
        subscribing.cancel()
    # The second one was never made: there is nothing to end.
    assert node.count("eth_unsubscribe") == 1


@pytest_twisted.ensureDeferred
async def test_refused_on_another_connection() -> None:
    """A subscription that the server does not take again ends with its error; others go on."""
    async with serving() as node, relayed(node) as (client, relay):
        first = await limit(client.subscribe(PENDING))
        second = await Follower.of(client, "newHeads")
        ended = first.when_ended()

        def only_heads(kind: str) -> Any:
            if kind == PENDING:
                raise Failed({"code": -32600, "message": "exceeded max subscriptions"})
            return node.subscribe(kind, node.clients[-1])

        node.answers["eth_subscribe"] = only_heads
        relay.cut()
        with pytest.raises(RpcError, match="exceeded"):
            await limit(ended)
        with pytest.raises(RpcError, match="exceeded"):
            await limit(first.next())
        with pytest.raises(RpcError, match="exceeded"):
            await limit(first.when_ended())
        await until(lambda: client.state is State.OPEN)
        node.mine(1)
        await second.sees(1)


@pytest_twisted.ensureDeferred
async def test_unsubscribed_while_it_is_made_anew() -> None:
    """A subscription that ends while it is made on another connection is ended there as well."""
    async with serving() as node, relayed(node) as (client, relay):
        subscription = await limit(client.subscribe(PENDING))
        kept = await Follower.of(client, "newHeads")
        keys: list[int] = []
        receive = node.server.on("messageReceive", lambda message: keys.append(ids_of(message)))
        node.answers["eth_subscribe"] = lambda *_: NO_ANSWER
        relay.cut()
        await until(lambda: node.count("eth_subscribe") == 4)
        assert await subscription.unsubscribe() is False
        first, second = keys[-2:]
        node.send([{"id": first, "result": "0x9"}, {"id": second, "result": "0xa"}])
        await until(lambda: ("eth_unsubscribe", ["0x9"]) in node.asked)
        await until(lambda: client.state is State.OPEN)
        node.subscriptions["0xa"] = (node.clients[-1], "newHeads")
        node.mine(1)
        await kept.sees(1)
        node.server.off("messageReceive", receive)


def ids_of(message: Any) -> Any:
    """Return the id of a request."""
    return orjson.loads(message.data)["id"]


@pytest_twisted.ensureDeferred
async def test_without_a_watch() -> None:
    """If heads need not come, nobody asks for them."""
    warp = Warp()
    async with serving() as node:
        client = EthereumClient(node.url, options(stall_s=0), reactor=warp)
        opening = client.open()
        again = client.open()
        await warp.until(lambda: opening.called and again.called)
        subscribing = client.subscribe("newHeads")
        await warp.until(lambda: subscribing.called)
        await subscribing
        asked = node.count("eth_blockNumber")
        await warp.until(lambda: node.count("net_version") == 5, 300)
        assert node.count("eth_blockNumber") == asked
        closing = client.close()
        await warp.until(lambda: closing.called)


@pytest_twisted.ensureDeferred
async def test_no_answer_on_another_connection() -> None:
    """A server that does not answer when subscriptions are made anew is left for another try."""
    async with serving() as node, relayed(node, request_timeout_s=0.2) as (client, relay):
        heads = await Follower.of(client, "newHeads")
        answers = iter([NO_ANSWER])
        node.answers["eth_subscribe"] = lambda kind: (
            next(answers, None) or node.subscribe(kind, node.clients[-1])
        )
        relay.cut()
        await until(lambda: client.counters.reconnects == 2 and client.state is State.OPEN)
        assert client.counters.timeouts == 1
        assert node.count("eth_subscribe") == 3
        node.mine(1)
        await heads.sees(1)
        assert heads.numbers == [6]


@pytest_twisted.ensureDeferred
async def test_unsubscribing() -> None:
    """After it nothing more is told, also what had come; errors and unknown ids are False."""
    async with serving() as node, EthereumClient(node.url, options()) as client:
        subscription = await limit(client.subscribe("newHeads"))
        node.mine(2)
        await until(lambda: subscription.depth == 2)
        assert client.counters.queue_depth == 2
        waiting = subscription.unsubscribe()
        node.mine(1)
        assert await waiting is True
        assert not subscription.active
        assert [event async for event in subscription] == []
        assert await limit(subscription.when_ended()) is None
        assert await subscription.unsubscribe() is False
        other = await limit(client.subscribe("newHeads"))

        def fail(*_: Any) -> None:
            raise Failed({"code": -32000, "message": "subscription not found"})

        node.answers["eth_unsubscribe"] = fail
        assert await other.unsubscribe() is False


@pytest_twisted.ensureDeferred
async def test_overflow() -> None:
    """Too many events end a subscription, here and at the server, with what had come in time."""
    async with serving() as node, EthereumClient(node.url, options(queue_size=3)) as client:
        subscription = await limit(client.subscribe("newHeads"))
        other = await Follower.of(client, "newHeads")
        ended = subscription.when_ended()
        node.mine(10)
        await other.sees(10)
        for number in (6, 7, 8):
            assert (await anext(subscription)).number == number
        with pytest.raises(QueueOverflow) as overflow:
            await anext(subscription)
        assert overflow.value.limit == 3
        with pytest.raises(QueueOverflow):
            await limit(ended)
        await until(lambda: len(node.subscriptions) == 1)
        assert client.counters.overflows == 1


@pytest_twisted.ensureDeferred
async def test_a_subscription_that_has_died_is_made_anew() -> None:
    """If heads stay away while the chain goes on, the subscriptions are made anew and fill up."""
    warp = Warp()
    async with serving() as node:
        client = EthereumClient(node.url, options(), reactor=warp)
        opening = client.open()
        await warp.until(lambda: opening.called)
        heads: list[Any] = []
        logs: list[Any] = []
        for kind, events in (("newHeads", heads), ("logs", logs), (PENDING, [])):
            subscribing = client.subscribe(kind, None, events.append)
            await warp.until(lambda one=subscribing: one.called)  # type: ignore[misc]
            await subscribing
        node.mine(1)
        await warp.until(lambda: len(logs) == 1)
        owner = node.clients[0]
        node.subscriptions.clear()
        node.subscriptions["0xpending"] = (owner, PENDING)
        # Nothing happens: the chain stands still.
        asked = node.count("eth_blockNumber")
        await warp.until(lambda: node.count("eth_blockNumber") > asked, 100)
        assert client.counters.stalls == 0
        for _ in range(3):
            node.ledger.mine()
        passed = await warp.until(lambda: len(heads) == len(logs) == 4, 100)
        assert passed <= 80
        assert [head.number for head in heads] == [6, 7, 8, 9]
        assert client.counters.stalls == 1
        assert client.counters.reconnects == 0
        node.mine(1)
        await warp.until(lambda: len(heads) == len(logs) == 5)
        closing = client.close()
        await warp.until(lambda: closing.called)
        assert warp.calls == []


@pytest.mark.parametrize("blocks", [1, 2])
@pytest_twisted.ensureDeferred
async def test_a_subscription_that_has_died_with_its_chain(blocks: int) -> None:
    """A node that begins anew may forget subscriptions: its head is another one, if not higher."""
    async with serving() as node, EthereumClient(node.url, options(stall_s=0.2)) as client:
        heads = await Follower.of(client, "newHeads")
        logs = await Follower.of(client, "logs")
        asked = node.count("eth_getBlockByNumber")
        await until(lambda: node.count("eth_blockNumber") > 3)
        assert node.count("eth_getBlockByNumber") == asked
        node.mine(3)
        await logs.sees(3)
        await until(lambda: node.count("eth_getBlockByNumber") > asked)
        assert client.counters.stalls == 0
        node.subscriptions.clear()
        node.ledger.reorganise(2, blocks)
        expected = [6, 7, 8, -8, -7, *range(7, 7 + blocks)]
        await heads.sees(len(expected))
        await logs.sees(len(expected))
        assert heads.numbers == expected
        assert client.counters.stalls == 1
        node.mine(1)
        await heads.sees(len(expected) + 1)
        assert heads.numbers[-1] == 7 + blocks


@pytest_twisted.ensureDeferred
async def test_ids_of_the_dead_are_given_again() -> None:
    """A node that begins anew may count anew: the end of the old ones must not hit the new ones."""
    async with serving() as node, EthereumClient(node.url, options(stall_s=0.2)) as client:
        node.ids = hex
        node.late = {"eth_unsubscribe"}
        heads = await Follower.of(client, "newHeads")
        logs = await Follower.of(client, "logs")
        node.mine(1)
        await logs.sees(1)
        node.subscriptions.clear()
        node.made = 0
        node.ledger.reorganise(1, 1)
        await heads.sees(3)
        await logs.sees(3)
        await until(lambda: node.count("eth_unsubscribe") == 2)
        node.mine(1)
        await heads.sees(4)
        await logs.sees(4)
        assert heads.numbers == logs.numbers == [6, -6, 6, 7]
        assert client.counters.stalls == 1
        assert list(node.subscriptions) == ["0x1", "0x2"]


@pytest_twisted.ensureDeferred
async def test_another_one_has_the_id_of_the_dead() -> None:
    """A subscription whose id the server gives to another one is no more: nobody ends the other."""
    async with serving() as node, EthereumClient(node.url, options(stall_s=0.2)) as client:
        node.ids = hex
        heads = await Follower.of(client, "newHeads")
        logs = await Follower.of(client, "logs")
        node.mine(1)
        await logs.sees(1)
        node.subscriptions.clear()
        node.made = 0
        pending = [await Follower.of(client, PENDING) for _ in range(2)]
        assert [one.subscription.id for one in pending] == ["0x1#2", "0x2#2"]
        assert await logs.subscription.unsubscribe() is False
        node.ledger.reorganise(1, 1)
        await heads.sees(3)
        assert node.count("eth_unsubscribe") == 0
        node.tell(PENDING, "event")
        for one in pending:
            await one.sees(1)


@pytest_twisted.ensureDeferred
async def test_unsubscribed_while_the_dead_are_ended() -> None:
    """What the user ends just then is told to the server once, and not made anew."""
    async with serving() as node, EthereumClient(node.url, options(stall_s=0.2)) as client:
        heads = await Follower.of(client, "newHeads")
        logs = await Follower.of(client, "logs")
        node.mine(1)
        await heads.sees(1)
        names = list(node.subscriptions)
        node.subscriptions.clear()
        node.ledger.mine()
        node.late = {"eth_unsubscribe"}
        await until(lambda: client.counters.stalls == 1)
        assert await logs.subscription.unsubscribe() is False
        await heads.sees(2)
        ended = [params[0] for method, params in node.asked if method == "eth_unsubscribe"]
        assert ended == names
        assert [kind for _, kind in node.subscriptions.values()] == ["newHeads"]
        assert node.count("eth_subscribe") == 3


@pytest_twisted.ensureDeferred
async def test_no_answer_to_the_end_of_the_dead() -> None:
    """A server that does not say that a subscription has ended is asked for a new one all the same."""
    async with serving() as node:
        settings = options(stall_s=0.2, request_timeout_s=0.3)
        async with EthereumClient(node.url, settings) as client:
            heads = await Follower.of(client, "newHeads")
            node.subscriptions.clear()
            node.ledger.mine()
            node.answers["eth_unsubscribe"] = lambda _: NO_ANSWER
            await heads.sees(1)
            node.mine(1)
            await heads.sees(2)
            assert heads.numbers == [6, 7]
            assert client.counters.timeouts == 1
            assert client.counters.reconnects == 0


@pytest_twisted.ensureDeferred
async def test_no_answer_to_the_making_anew() -> None:
    """If subscriptions cannot be made anew, the connection is."""
    async with serving() as node:
        settings = options(stall_s=0.2, request_timeout_s=0.3)
        async with EthereumClient(node.url, settings) as client:
            heads = await Follower.of(client, "newHeads")
            node.subscriptions.clear()
            node.ledger.mine()
            answers = iter([NO_ANSWER])
            node.answers["eth_subscribe"] = lambda kind: (
                next(answers, None) or node.subscribe(kind, node.clients[-1])
            )
            await until(lambda: client.counters.reconnects == 1)
            await heads.sees(1)
            assert heads.numbers == [6]


@pytest_twisted.ensureDeferred
async def test_a_server_that_tells_no_height() -> None:
    """Without eth_blockNumber subscriptions work; after an outage they tell of a gap."""
    async with serving() as node, Relay(node.port) as relay:

        def refuse() -> None:
            raise Failed({"code": -32601, "message": "no"})

        node.answers["eth_blockNumber"] = refuse
        async with EthereumClient(relay.url, options(backfill_tries=1)) as client:
            heads = await Follower.of(client, "newHeads")
            logs = await Follower.of(client, "logs")
            node.mine(1)
            await heads.sees(1)
            none_yet = [await Follower.of(client, kind) for kind in ("newHeads", "logs")]
            relay.cut()
            await until(lambda: client.counters.reconnects == 1 and client.state is State.OPEN)
            node.mine(1)
            await heads.sees(3)
            assert heads.numbers == logs.numbers == [6, (7, None), 7]
            assert [one.numbers for one in none_yet] == [[(None, None), 7]] * 2


def test_whole_answers_are_mappings() -> None:
    """The scripted node tells its own answers from whole messages."""
    assert Whole(id=1) == {"id": 1}
