"""What subscribers see over outages and reorganisations."""

from random import Random
from typing import Any

import pytest
import pytest_twisted

from tests.client.ethereum.following import Follower, standing
from tests.client.ethereum.nodes import NO_ANSWER, Failed, Relay, options, relayed, serving
from tests.websocket.scripted import limit, pause, until
from twisted_chainws.client import EthereumClient, Gap, Head, Log, State
from twisted_chainws.client.ethereum.streams import Height
from twisted_chainws.client.ethereum.values import decode_log

pytestmark = pytest.mark.integration


async def heads_and_logs(client: EthereumClient) -> tuple[Follower, Follower]:
    """Follow the heads and all logs."""
    return await Follower.of(client, "newHeads"), await Follower.of(client, "logs")


async def away(client: EthereumClient, relay: Relay) -> None:
    """Cut a client off."""
    relay.closed = True
    relay.cut()
    await until(lambda: client.state not in (State.OPEN, State.BACKFILLING))


async def back(client: EthereumClient, relay: Relay) -> None:
    """Let it come back."""
    relay.closed = False
    await until(lambda: client.state is State.OPEN)


@pytest_twisted.ensureDeferred
async def test_an_outage_leaves_no_trace() -> None:
    """After an outage with 20 blocks and a reorganisation the streams are those of somebody else.

    The heads are the very same ones, in the same order; of logs, those that stand.
    """
    async with (
        serving() as node,
        EthereumClient(node.url, options()) as steady,
        relayed(node) as (client, relay),
    ):
        followers = [
            await Follower.of(each, kind)
            for kind in ("newHeads", "logs")
            for each in (steady, client)
        ]
        node.mine(3, logs=2)
        for follower in followers:
            await follower.reaches(node.ledger.chain[-1]["hash"])
        await away(client, relay)
        node.reorganise(2, 3, logs=2)
        node.mine(17, logs=2)
        await back(client, relay)
        node.mine(1, logs=2)
        for follower in followers:
            await follower.reaches(node.ledger.chain[-1]["hash"])
        await until(lambda: len(followers[2].events) == len(followers[3].events))
        assert followers[0].events == followers[1].events
        assert followers[2].events == followers[3].events
        for follower in followers:
            standing(follower.events)
        assert client.counters.reconnects == 1
        assert client.counters.gaps == 0


@pytest_twisted.ensureDeferred
async def test_outage_before_the_first_event() -> None:
    """What happened after subscribing is fetched even if nothing had been told before."""
    async with serving() as node, relayed(node) as (client, relay):
        heads, logs = await heads_and_logs(client)
        await away(client, relay)
        node.mine(3)
        await back(client, relay)
        assert heads.numbers == logs.numbers == [6, 7, 8]


@pytest.mark.parametrize(
    ("manner", "depth", "blocks"), [("full", 2, 3), ("geth", 2, 3), ("bare", 2, 2), ("geth", 3, 1)]
)
@pytest_twisted.ensureDeferred
async def test_reorganisations(manner: str, depth: int, blocks: int) -> None:
    """However little a node says about a reorganisation, heads hang together and logs are true."""
    async with serving() as node, EthereumClient(node.url, options()) as client:
        node.manner = manner
        heads, logs = await heads_and_logs(client)
        node.mine(4, logs=2)
        node.reorganise(depth, blocks, logs=2)
        node.mine(1, logs=2)
        last = node.ledger.chain[-1]["hash"]
        await heads.reaches(last)
        await logs.reaches(last)
        await until(lambda: len(standing(logs.events)) == 2 * len(standing(heads.events)))
        expected = [header["hash"] for header in node.ledger.chain[6:]]
        assert [head.hash for head in standing(heads.events)] == expected
        assert [log.block_hash for log in standing(logs.events)][::2] == expected
        removed = [-number for number in heads.numbers if number < 0]
        assert removed == sorted(removed, reverse=True)
        assert len(removed) == depth


@pytest_twisted.ensureDeferred
async def test_heads_tell_of_logs_that_a_node_forgets() -> None:
    """Where the node takes back no logs, and no others take their place, heads say that they left.

    Who says so later is not heard.
    """
    async with serving() as node, EthereumClient(node.url, options()) as client:
        node.manner = "bare"
        heads, logs = await heads_and_logs(client)
        node.mine(3, logs=2)
        old = node.ledger.logs_of(6, 8)
        node.reorganise(2, 3, logs=0)
        await heads.sees(8)
        await logs.sees(10)
        assert logs.numbers == [6, 6, 7, 7, 8, 8, -7, -7, -8, -8]
        for log in old[2:]:
            node.tell("logs", log | {"removed": True})
        node.mine(1, logs=1)
        await logs.sees(11)
        assert logs.numbers[10:] == [10]


@pytest_twisted.ensureDeferred
async def test_gap_beyond_the_bound() -> None:
    """More blocks than the bound are not fetched: a Gap tells which, once per subscription."""
    async with serving() as node, relayed(node, backfill_blocks=10) as (client, relay):
        told: list[Any] = []
        client.on("gap", lambda subscription, gap: told.append((subscription.kind, gap)))
        heads, logs = await heads_and_logs(client)
        node.mine(2)
        await heads.sees(2)
        await logs.sees(2)
        await away(client, relay)
        node.mine(30)
        await back(client, relay)
        expected = [6, 7, (8, 27), *range(28, 38)]
        assert heads.numbers == logs.numbers == expected
        assert sorted(told, key=lambda one: one[0]) == [
            ("logs", Gap(8, 27)),
            ("newHeads", Gap(8, 27)),
        ]
        assert client.counters.gaps == 2


@pytest_twisted.ensureDeferred
async def test_no_gap_over_blocks_without_logs() -> None:
    """Blocks without logs before the outage are no gap, however many there were."""
    async with serving() as node, relayed(node, backfill_blocks=10) as (client, relay):
        heads, logs = await heads_and_logs(client)
        node.mine(1)
        node.mine(20, logs=0)
        await heads.sees(21)
        await away(client, relay)
        node.mine(2)
        await back(client, relay)
        assert logs.numbers == [6, 27, 28]


@pytest_twisted.ensureDeferred
async def test_what_comes_while_catching_up_is_told_once_and_behind() -> None:
    """Events that come while what was missed is fetched are told after it, and once."""
    async with serving() as node, relayed(node) as (client, relay):
        heads, logs = await heads_and_logs(client)
        node.mine(1)
        await heads.sees(1)
        await away(client, relay)
        node.mine(3)

        def while_asking(_criteria: Any) -> Any:
            if node.ledger.height < 12:
                node.mine(1)
            return node.ledger.logs_of(6, node.ledger.height)

        def before_asking() -> str:
            node.mine(1)
            return hex(node.ledger.height)

        node.answers["eth_getLogs"] = while_asking
        node.answers["eth_blockNumber"] = before_asking
        await back(client, relay)
        node.mine(1)
        await heads.reaches(node.ledger.chain[-1]["hash"])
        await logs.reaches(node.ledger.chain[-1]["hash"])
        assert heads.numbers == logs.numbers == list(range(6, node.ledger.height + 1))


@pytest_twisted.ensureDeferred
async def test_what_comes_and_goes_while_catching_up_is_not_told() -> None:
    """A log that was taken back before it could be told is not told, nor does it remove others."""
    async with serving() as node, relayed(node) as (client, relay):
        logs = await Follower.of(client, "logs")
        node.mine(1)
        await logs.sees(1)
        await away(client, relay)
        node.mine(1)

        def while_asking(criteria: Any) -> Any:
            node.mine(2)
            node.reorganise(2, 3)
            return node.ledger.logs_of(int(criteria["fromBlock"], 16), node.ledger.height)

        node.answers["eth_getLogs"] = while_asking
        await back(client, relay)
        node.mine(1)
        await logs.reaches(node.ledger.chain[-1]["hash"])
        assert logs.numbers == [6, 7, 8, 9, 10, 11]


@pytest_twisted.ensureDeferred
async def test_fetched_and_taken_back_at_once() -> None:
    """A log that was fetched is taken back if it leaves before what waits is told."""
    async with serving() as node, relayed(node) as (client, relay):
        logs = await Follower.of(client, "logs")
        await away(client, relay)
        node.mine(1)

        def while_asking(_criteria: Any) -> Any:
            node.mine(1)
            found = node.ledger.logs_of(6, 7)
            node.reorganise(1, 1, logs=0)
            return found

        node.answers["eth_getLogs"] = while_asking
        await back(client, relay)
        node.mine(1)
        await logs.reaches(node.ledger.chain[-1]["hash"])
        assert logs.numbers == [6, 7, -7, 8]


@pytest_twisted.ensureDeferred
async def test_branches_that_are_gone_when_they_can_be_told() -> None:
    """Of branches that came and went while catching up only the last is told, heads and logs."""
    async with serving() as node, relayed(node) as (client, relay):
        heads, logs = await heads_and_logs(client)
        node.mine(2)
        await logs.sees(2)
        await away(client, relay)

        def before_asking() -> str:
            node.reorganise(1, 2)
            node.reorganise(3, 4)
            return hex(node.ledger.height)

        node.answers["eth_blockNumber"] = before_asking
        await back(client, relay)
        node.mine(1)
        for follower in (heads, logs):
            await follower.reaches(node.ledger.chain[-1]["hash"])
        assert heads.numbers == [6, 7, -7, -6, 6, 7, 8, 9, 10]
        assert logs.numbers == [6, 7, -6, -7, 6, 7, 8, 9, 10]


@pytest_twisted.ensureDeferred
async def test_a_branch_that_nobody_has_got_any_more() -> None:
    """Blocks that are not to be had are no gap if the chain is another by now."""
    async with serving() as node, EthereumClient(node.url, options()) as client:
        heads = await Follower.of(client, "newHeads")
        node.mine(3)
        await heads.sees(3)
        node.ledger.reorganise(2, 3)
        lost = node.ledger.reorganise(3, 4)
        for header in lost:
            del node.ledger.known[header["hash"]]
        for header in (lost[-1], *node.ledger.chain[-4:]):
            node.tell("newHeads", header)
        await heads.reaches(node.ledger.chain[-1]["hash"])
        assert heads.numbers == [6, 7, 8, -8, -7, 7, 8, 9, 10]
        assert client.counters.gaps == 0


@pytest_twisted.ensureDeferred
async def test_logs_of_a_block_that_has_come_back() -> None:
    """Heads that leave take no logs with them that stand by the time this is known."""
    async with serving() as node, EthereumClient(node.url, options()) as client:
        heads, logs = await heads_and_logs(client)
        node.mine(2)
        await logs.sees(2)
        ledger = node.ledger
        old = ledger.reorganise(1, 2, logs=0)
        new = ledger.chain[-2:]

        def returning(block_hash: str, _full: bool) -> Any:
            # The chain goes back while the way is looked for.
            ledger.chain[-2:] = old
            return ledger.by_hash(block_hash)

        node.answers["eth_getBlockByHash"] = returning
        node.tell("newHeads", new[-1])
        await heads.sees(5)
        node.tell("newHeads", old[0])
        node.mine(1)
        for follower in (heads, logs):
            await follower.reaches(ledger.chain[-1]["hash"])
        assert heads.numbers == [6, 7, -7, 7, 8, -8, -7, 7, 8]
        assert logs.numbers == [6, 7, 8]


@pytest_twisted.ensureDeferred
async def test_logs_that_a_node_forgets_while_they_are_fetched() -> None:
    """Heads that leave while logs are fetched are asked for when that is done."""
    async with serving() as node, relayed(node, log_range_blocks=1) as (client, relay):
        node.manner = "bare"
        await Follower.of(client, "newHeads")
        logs = await Follower.of(client, "logs")
        node.mine(2)
        await logs.sees(2)
        await away(client, relay)
        node.mine(3)
        once = iter([True])

        def while_asking(criteria: Any) -> Any:
            number = int(criteria["fromBlock"], 16)
            found = node.ledger.logs_of(number, number)
            if next(once, False):
                node.reorganise(4, 5, logs=0)
            return found

        node.answers["eth_getLogs"] = while_asking
        await back(client, relay)
        await logs.sees(3)
        assert logs.numbers == [6, 7, -7]
        node.mine(1)
        await logs.sees(4)
        assert logs.numbers == [6, 7, -7, 12]


@pytest_twisted.ensureDeferred
async def test_heads_and_logs_that_are_told_again() -> None:
    """What is known is not told again, and nothing is asked about it."""
    async with serving() as node, EthereumClient(node.url, options()) as client:
        heads, logs = await heads_and_logs(client)
        node.mine(2)
        await logs.sees(2)
        asked = len(node.asked)
        for header in node.ledger.chain[6:]:
            node.tell("newHeads", header)
            node.tell("logs", node.ledger.logs[header["hash"]][0])
        node.mine(1)
        await logs.sees(3)
        assert heads.numbers == logs.numbers == [6, 7, 8]
        assert len(node.asked) == asked


@pytest_twisted.ensureDeferred
async def test_lost_with_something_waiting() -> None:
    """What waited when the connection was lost is not told before what comes before it."""
    async with serving() as node, relayed(node) as (client, relay):
        heads, logs = await heads_and_logs(client)
        await away(client, relay)
        node.mine(3)
        node.answers["eth_getBlockByNumber"] = lambda *_: NO_ANSWER
        node.answers["eth_getLogs"] = lambda *_: NO_ANSWER
        relay.closed = False
        await until(lambda: node.count("eth_getBlockByNumber") + node.count("eth_getLogs") == 2)
        node.mine(1)
        await until(lambda: heads.subscription.depth == logs.subscription.depth == 1)
        await away(client, relay)
        assert heads.events == logs.events == []
        node.answers.clear()
        await back(client, relay)
        assert heads.numbers == logs.numbers == [6, 7, 8, 9]


@pytest_twisted.ensureDeferred
async def test_fetching_fails_for_good() -> None:
    """If what was missed is not to be had, a Gap says so and the stream goes on."""
    async with serving() as node, relayed(node, backfill_tries=2) as (client, relay):
        heads, logs = await heads_and_logs(client)
        node.mine(1)
        await heads.sees(1)
        await logs.sees(1)
        await away(client, relay)
        node.mine(3)

        def refuse(*_params: Any) -> Any:
            raise Failed({"code": -32000, "message": "out of order"})

        node.answers["eth_getBlockByNumber"] = node.answers["eth_getLogs"] = refuse
        await back(client, relay)
        node.mine(1)
        await heads.sees(3)
        await logs.sees(3)
        assert heads.numbers == [6, (7, 9), 10]
        assert logs.numbers == [6, (7, 9), 10]


@pytest_twisted.ensureDeferred
async def test_an_unreachable_parent() -> None:
    """A head whose ancestors the node has not got is told behind a Gap."""
    async with serving() as node, EthereumClient(node.url, options(backfill_tries=1)) as client:
        heads = await Follower.of(client, "newHeads")
        node.mine(1)
        await heads.sees(1)
        node.answers["eth_getBlockByHash"] = lambda *_: None
        node.answers["eth_getBlockByNumber"] = lambda *_: None
        for _ in range(2):
            node.ledger.mine()
        node.mine(1)
        await heads.sees(3)
        node.reorganise(1, 1)
        await heads.sees(5)
        del node.answers["eth_getBlockByHash"]
        node.mine(1)
        await heads.sees(6)
        assert heads.numbers[:3] == [6, (7, 8), 9]
        assert heads.numbers[3:] == [-9, 9, 10]


@pytest_twisted.ensureDeferred
async def test_rate_limits_and_ranges_while_catching_up() -> None:
    """Logs are asked for in as many pieces as the node wants."""
    async with serving() as node, relayed(node) as (client, relay):
        logs = await Follower.of(client, "logs")
        await away(client, relay)
        node.mine(40)
        asked: list[int] = []

        def narrow(criteria: Any) -> Any:
            low, high = (int(criteria[name], 16) for name in ("fromBlock", "toBlock"))
            asked.append(high - low + 1)
            if high - low + 1 > 12:
                raise Failed({"code": -32005, "message": "query returned more than 12 results"})
            return node.ledger.logs_of(low, high)

        node.answers["eth_getLogs"] = narrow
        await back(client, relay)
        assert logs.numbers == list(range(6, 46))
        assert asked == [40, 20, 10, 10, 20, 10, 10]


@pytest_twisted.ensureDeferred
async def test_a_server_that_is_behind() -> None:
    """A server far behind what was seen is waited for, and nothing is taken back."""
    async with serving(30) as node, relayed(node, behind_wait_s=20.0) as (client, relay):
        heads = await Follower.of(client, "newHeads")
        node.mine(1)
        await heads.sees(1)
        await away(client, relay)
        answers = iter(["0x5", "0x6"])
        node.answers["eth_blockNumber"] = lambda: next(answers, hex(node.ledger.height))
        node.mine(1)
        await back(client, relay)
        assert heads.numbers == [31, 32]
        assert node.count("eth_blockNumber") == 4


@pytest_twisted.ensureDeferred
async def test_a_server_that_stays_behind_is_believed_in_the_end() -> None:
    """After a while a shorter chain is the chain: what it builds replaces what was told."""
    async with serving(30) as node, relayed(node, behind_wait_s=0.05) as (client, relay):
        heads, logs = await heads_and_logs(client)
        node.mine(3)
        await heads.sees(3)
        await logs.sees(3)
        await away(client, relay)
        node.ledger.reorganise(2, 0)
        await back(client, relay)
        assert heads.numbers == [31, 32, 33]
        assert logs.numbers == [31, 32, 33, -32, -33]
        node.mine(1)
        await heads.sees(6)
        assert heads.numbers == [31, 32, 33, -33, -32, 32]


@pytest_twisted.ensureDeferred
async def test_broken_events_are_left_out() -> None:
    """What is no header or log is counted and goes no further, live and while catching up."""
    async with serving() as node, relayed(node) as (client, relay):
        heads, logs = await heads_and_logs(client)
        nonsense: Any
        for nonsense in (None, 1, {}, {"number": "0x6"}, {"topics": []}):
            node.tell("newHeads", nonsense)
            node.tell("logs", nonsense)
        node.mine(1)
        await logs.sees(1)
        assert heads.numbers == logs.numbers == [6]
        assert client.counters.strays == 10
        await away(client, relay)

        def while_asking(criteria: Any) -> Any:
            node.tell("logs", "nonsense")
            return node.ledger.logs_of(int(criteria["fromBlock"], 16), 99)

        node.answers["eth_getLogs"] = while_asking
        await back(client, relay)
        assert client.counters.strays == 11


@pytest_twisted.ensureDeferred
async def test_other_kinds_go_on_live() -> None:
    """Of other kinds nothing is fetched; that something may be missing is told as an event."""
    async with serving() as node, relayed(node) as (client, relay):
        gaps: list[Any] = []
        client.on("gap", lambda subscription, gap: gaps.append((subscription, gap)))
        pending = await Follower.of(client, "newPendingTransactions")
        node.tell("newPendingTransactions", "0x01")
        await pending.sees(1)
        await away(client, relay)
        await back(client, relay)
        node.tell("newPendingTransactions", "0x02")
        await pending.sees(2)
        assert pending.events == ["0x01", "0x02"]
        assert gaps == [(pending.subscription, Gap(None, None))]
        assert node.count("eth_blockNumber") == 0


@pytest_twisted.ensureDeferred
async def test_lost_again_while_catching_up() -> None:
    """An outage in the middle of catching up changes nothing in the end."""
    async with serving() as node, relayed(node) as (client, relay):
        heads, logs = await heads_and_logs(client)
        node.mine(1)
        await heads.sees(1)
        await away(client, relay)
        node.mine(4)
        node.answers["eth_getBlockByNumber"] = lambda *_: NO_ANSWER
        relay.closed = False
        await until(lambda: node.count("eth_getBlockByNumber") > 0)
        assert client.state is State.BACKFILLING
        await away(client, relay)
        del node.answers["eth_getBlockByNumber"]
        node.mine(1)
        await back(client, relay)
        assert heads.numbers == logs.numbers == list(range(6, 12))


@pytest_twisted.ensureDeferred
async def test_too_much_while_catching_up() -> None:
    """More live events than may wait while what was missed is fetched end the subscription."""
    async with serving() as node, relayed(node, queue_size=5) as (client, relay):
        heads = await limit(client.subscribe("newHeads"))
        await away(client, relay)
        node.mine(1)
        node.answers["eth_getBlockByNumber"] = lambda *_: NO_ANSWER
        relay.closed = False
        await until(lambda: node.count("eth_getBlockByNumber") > 0)
        node.mine(6)
        await until(lambda: not heads.active)
        await until(lambda: node.count("eth_unsubscribe") == 1)
        assert client.counters.overflows == 1
        assert client.counters.queue_depth == 0


@pytest_twisted.ensureDeferred
async def test_whole_blocks_as_heads() -> None:
    """A node that sends whole blocks gives the same heads as one that sends headers."""
    async with serving() as node, EthereumClient(node.url, options()) as client:
        heads = await Follower.of(client, "newHeads")
        header = node.ledger.mine()
        block = node.ledger.block(6)
        node.tell("newHeads", block)
        await heads.sees(1)
        (head,) = heads.events
        assert isinstance(head, Head)
        assert head.header == header
        assert head.raw == block


@pytest_twisted.ensureDeferred
async def test_closing_from_within_events() -> None:
    """Whoever closes from a listener, at any time, leaves nothing behind."""
    for kind, event in (("newHeads", Head), ("logs", Log)):
        async with serving() as node, Relay(node.port) as relay:
            client = EthereumClient(relay.url, options())
            await client.open()
            await client.subscribe(kind)
            await away(client, relay)
            node.mine(3)
            seen: list[Any] = []

            def close(one: Any, seen: list[Any] = seen, client: EthereumClient = client) -> None:
                seen.append(one)
                client.close()

            await until(lambda: True)
            subscribing = client.subscribe(kind, None, close)
            relay.closed = False
            await limit(subscribing)
            node.mine(1)
            await until(lambda client=client: client.state is State.CLOSED)
            assert [type(one) for one in seen] == [event]
            await client.close()


@pytest.mark.parametrize("manner", ["full", "geth", "bare"])
@pytest.mark.parametrize("seed", range(4))
@pytest_twisted.ensureDeferred
async def test_whatever_happens(seed: int, manner: str) -> None:
    """Over any sequence of blocks, reorganisations and outages, what was told is the chain."""
    chance = Random(seed)
    async with serving(6) as node, relayed(node) as (client, relay):
        node.manner = manner
        heads, logs = await heads_and_logs(client)
        for _ in range(60):
            action = chance.random()
            if action < 0.5:
                node.mine(chance.randint(1, 3), logs=chance.randint(0, 2))
            elif action < 0.7:
                depth = min(chance.randint(1, 5), node.ledger.height - 6)
                node.reorganise(depth, depth + chance.randint(0, 1), logs=chance.randint(0, 2))
            elif action < 0.8:
                relay.cut()
            elif action < 0.9:
                relay.closed = not relay.closed
                relay.cut()
            await pause(chance.choice([0, 0, 0.001, 0.01, 0.05]))
        relay.closed = False
        relay.cut()
        await until(lambda: client.state is not State.OPEN)
        await until(lambda: client.state is State.OPEN)
        node.mine(1)
        await heads.reaches(node.ledger.chain[-1]["hash"])
        await logs.reaches(node.ledger.chain[-1]["hash"])
        told = [head.hash for head in standing(heads.events)]
        assert told == [header["hash"] for header in node.ledger.chain[7:]]
        expected = {decode_log(raw).key for raw in node.ledger.logs_of(7, node.ledger.height)}
        await until(lambda: {log.key for log in standing(logs.events)} == expected)
        assert client.counters.gaps == 0
        assert client.counters.reconnects > 0


def test_height() -> None:
    """Heights go up by what works, and down by what is believed."""
    height = Height()
    height.works(5)
    height.works(3)
    assert (height.live, height.highest) == (5, 5)
    height.believe(2)
    assert (height.live, height.highest) == (2, 2)


@pytest_twisted.ensureDeferred
async def test_reorganisation_while_fetching() -> None:
    """Blocks that do not hang together are not told: the way is looked for until it does."""
    async with serving() as node, relayed(node) as (client, relay):
        heads = await Follower.of(client, "newHeads")
        node.mine(1)
        await heads.sees(1)
        await away(client, relay)
        node.mine(25)
        once = iter([True])

        def moving(number: str, _full: bool) -> Any:
            if int(number, 16) == 20 and next(once, False):
                node.reorganise(12, 13)
            return node.ledger.block(int(number, 16))

        node.answers["eth_getBlockByNumber"] = moving
        await back(client, relay)
        node.mine(1)
        await heads.reaches(node.ledger.chain[-1]["hash"])
        assert [head.hash for head in standing(heads.events)] == [
            header["hash"] for header in node.ledger.chain[6:]
        ]
        await pause()
