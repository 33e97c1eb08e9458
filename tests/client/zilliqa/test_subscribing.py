"""Subscriptions over a real connection: odd replies, long lists, servers of other manners."""

from typing import Any

import orjson
import pytest
import pytest_twisted

from tests.client.zilliqa.ledger import ALICE, BOB, OTHER_TOKEN, TOKEN, call, event, payment
from tests.client.zilliqa.nodes import Collector, client_of, serving
from tests.websocket.scripted import limit, until
from twisted_chainws.client import RpcError, State
from twisted_chainws.client.zilliqa import Gap

pytestmark = pytest.mark.integration
MANY = [f"0x{number:040x}" for number in range(1, 101)]


@pytest_twisted.ensureDeferred
async def test_a_long_list() -> None:
    """It goes in several messages, none longer than nodes take, also after an outage."""
    async with serving() as node, client_of(node) as client:
        transfers = await Collector.of(client, "TxnLog", [*MANY, BOB])
        assert len(node.asked("TxnLog")) == 3
        assert node.topics["TxnLog"] == {*MANY, BOB}
        node.drop()
        await until(lambda: client.counters.reconnects == 1 and client.state is State.OPEN)
        assert node.topics["TxnLog"] == {*MANY, BOB}
        assert max(node.sizes) <= 2048
        node.mine(payment("a", BOB))
        await transfers.sees(1)


@pytest.mark.parametrize(
    "refusal", ["no contract found in list", '{"type":"Error","error":"no contract found in list"}']
)
@pytest_twisted.ensureDeferred
async def test_refused(refusal: str) -> None:
    """A refusal in either form is the error; nothing is left behind."""
    async with serving() as node, client_of(node) as client:
        node.replies["EventLog"] = lambda _: refusal
        with pytest.raises(RpcError) as caught:
            await limit(client.subscribe("EventLog", [TOKEN]))
        assert str(caught.value) == "no contract found in list"
        await until(lambda: len(node.asked("Unsubscribe")) == 2)
        node.replies["NewBlock"] = lambda _: refusal
        with pytest.raises(RpcError):
            await limit(client.subscribe("NewBlock"))


@pytest_twisted.ensureDeferred
async def test_refused_in_part() -> None:
    """Of a long list some messages may be refused, as if the rest had been asked for alone."""
    async with serving() as node, client_of(node) as client:

        def picky(query: Any) -> Any:
            return None if TOKEN in query["addresses"] else "no contract found in list"

        node.replies["EventLog"] = picky
        events = await Collector.of(client, "EventLog", [*MANY, TOKEN])
        other = await Collector.of(client, "EventLog", [TOKEN, ALICE])
        node.drop()
        await until(lambda: client.counters.reconnects == 1 and client.state is State.OPEN)
        node.mine(call("a", event("x")))
        await events.sees(1)
        assert other.events == events.events


@pytest_twisted.ensureDeferred
async def test_one_of_two_is_refused_after_an_outage() -> None:
    """Who has lost all of its addresses ends; the others go on."""
    async with serving() as node, client_of(node) as client:
        gone = await limit(client.subscribe("EventLog", MANY[:45]))
        stays = await Collector.of(client, "EventLog", [TOKEN])
        node.replies["EventLog"] = lambda query: None if TOKEN in query["addresses"] else "no"
        node.drop()
        await until(lambda: client.counters.reconnects == 1 and client.state is State.OPEN)
        # All but the last few go in the first message, which is refused.
        assert gone.active is (len(node.asked("EventLog")[-1]["addresses"]) > 1)
        node.mine(call("a", event("x")))
        await stays.sees(1)


@pytest_twisted.ensureDeferred
async def test_a_server_without_blocks() -> None:
    """If only blocks are refused the rest goes on, without heights."""
    async with serving() as node, client_of(node, http=False) as client:
        node.replies["NewBlock"] = lambda _: "invalid query field"
        events = await Collector.of(client, "EventLog", [TOKEN])
        node.mine(call("a", event("x")))
        await events.sees(1)
        assert events.events[0].block_number is None
        node.drop()
        await until(lambda: client.counters.reconnects == 1 and client.state is State.OPEN)
        await events.sees(2)
        assert events.events[1] == Gap(None, None)


@pytest_twisted.ensureDeferred
async def test_a_server_that_refuses_to_be_left() -> None:
    """The subscription ends at once."""
    async with serving() as node, client_of(node) as client:
        blocks = await limit(client.subscribe("NewBlock"))
        node.replies["Unsubscribe"] = lambda _: "invalid type field"
        assert await limit(blocks.unsubscribe()) is False
        assert not blocks.active


@pytest_twisted.ensureDeferred
async def test_a_server_that_does_not_confirm_the_end() -> None:
    """One block after the echo is the last, whether the server says so or not."""
    async with serving() as node, client_of(node) as client:
        blocks = await limit(client.subscribe("NewBlock"))
        node.replies["Unsubscribe"] = lambda query: orjson.dumps(query).decode()
        assert await limit(blocks.unsubscribe()) is True
        node.mine()
        node.mine()
        assert [one.number async for one in blocks] == [6]


@pytest_twisted.ensureDeferred
async def test_a_block_between_a_query_and_its_echo() -> None:
    """A notification that overtakes an echo is told, and is no echo."""
    async with serving() as node, client_of(node) as client:
        blocks = await Collector.of(client, "NewBlock")

        def late(_query: Any) -> None:
            node.mine()

        node.replies["TxnLog"] = late
        transfers = await Collector.of(client, "TxnLog", [BOB])
        assert [one.number for one in blocks.events] == [6]
        node.mine(payment("a", BOB))
        await transfers.sees(1)


@pytest.mark.parametrize("binary", [True, False])
@pytest_twisted.ensureDeferred
async def test_other_ways_of_writing(binary: bool) -> None:
    """Binary frames, indented text, prefixed addresses, hashes beside the value, null and more."""
    async with serving() as node, client_of(node) as client:

        def render(message: Any) -> Any:
            for item in message["values"]:
                if item["query"] == "NewBlock":
                    item["TxHashes"] = item["value"].pop("TxHashes")
                elif item.get("value"):
                    for entry in item["value"]:
                        entry["address"] = "0x" + entry["address"].upper()
                else:
                    item["value"] = None
            message["values"].append({"query": "Surprise"})
            text = orjson.dumps(message, option=orjson.OPT_INDENT_2)
            return text if binary else text.decode()

        node.render = render
        blocks = await Collector.of(client, "NewBlock")
        events = await Collector.of(client, "EventLog", [OTHER_TOKEN])
        transfers = await Collector.of(client, "TxnLog", [ALICE])
        node.mine(call("a", event("x", OTHER_TOKEN)))
        node.mine()
        await blocks.sees(2)
        assert [len(one.transactions) for one in blocks.events] == [1, 0]
        assert (len(events.events), len(transfers.events)) == (1, 1)
        assert client.counters.strays == 2


@pytest_twisted.ensureDeferred
async def test_a_message_of_20_mb() -> None:
    """Blocks with very many transactions come in one message."""
    async with serving() as node, client_of(node) as client:
        blocks = await Collector.of(client, "NewBlock")
        node.render = lambda message: orjson.dumps(message | {"more": "x" * 20_000_000}).decode()
        node.mine()
        await blocks.sees(1)
        assert client.counters.reconnects == 0


@pytest_twisted.ensureDeferred
async def test_messages_that_belong_to_nothing() -> None:
    """They are counted; an error is told to listeners."""
    async with serving() as node, client_of(node) as client:
        strays: list[Any] = []
        client.on("stray", strays.append)
        for message in ("7", '{"query":"NewBlock"}', "", "some words"):
            node.send(message)
        await until(lambda: client.counters.strays == 3)
        assert [str(error) for error in strays] == ["some words"]
