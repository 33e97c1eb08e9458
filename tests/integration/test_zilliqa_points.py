"""The sixteen points that a black-box test of the protocol should check, and where each is checked.

The tests below add what no other looks at from outside. Source: ``zilliqa.md`` 10.
"""

from itertools import permutations
from typing import Final

import orjson
import pytest
import pytest_twisted
from twisted.internet.testing import StringTransport

from tests.assembler import assemble
from tests.contract import SET_TOPIC, selector
from tests.dialects.zilliqa.vectors import vectors
from tests.integration.test_zilliqa import Both, echo, items, query, stand
from tests.server.peer import UPGRADE, frame
from tests.traceability import missing
from tests.wire import Closed
from twisted_chainws.chain.model import Log
from twisted_chainws.chain.types import Hash32
from twisted_chainws.dialects import zilliqa
from twisted_chainws.dialects.zilliqa import Options
from twisted_chainws.dialects.zilliqa.options import ErrorForm
from twisted_chainws.testing import FakeSource, connect
from twisted_chainws.testing.chain import ALICE, BOB, make_transaction

pytestmark = pytest.mark.integration

_HERE: Final = "integration/test_zilliqa_points.py::"
_LIVE: Final = "integration/test_zilliqa.py::"
_RULES: Final = "dialects/zilliqa/test_methods.py::"
_TOLD: Final = "dialects/zilliqa/test_topics.py::"
_SDK: Final = "interop/test_zilliqa_js.py::test_zilliqa_js"

POINTS: Final = {
    "1 echo bytes": (_LIVE + "test_echo_is_the_message_byte_for_byte",),
    "2 rows of queries": (
        _HERE + "test_every_query_of_the_samples",
        _RULES + "test_a_query_in_the_words_of_the_document",
        _RULES + "test_a_query_in_the_words_of_a_node",
    ),
    "3 pipelined queries": (
        _HERE + "test_every_query_of_the_samples",
        _LIVE + "test_replies_keep_the_order_of_queries_while_the_source_is_asked",
    ),
    "4 nothing without a topic": (_LIVE + "test_one_last_delivery_and_then_silence",),
    "5 order of items": (_HERE + "test_items_of_a_quiet_block_and_the_end_of_two_topics",),
    "6 item without value": (
        _HERE + "test_items_of_a_quiet_block_and_the_end_of_two_topics",
        _LIVE + "test_events_of_a_real_contract",
    ),
    "7 unsubscribing": (
        _HERE + "test_items_of_a_quiet_block_and_the_end_of_two_topics",
        _LIVE + "test_one_last_delivery_and_then_silence",
        _RULES + "test_two_topics_end_in_one_item",
    ),
    "8 a second query adds": (_HERE + "test_a_second_query_adds", _RULES + "test_scenario"),
    "9 recipient over sender, failures": (
        _LIVE + "test_recipient_before_sender",
        _LIVE + "test_events_of_a_real_contract",
        _TOLD + "test_recipient_rather_than_sender_for_each_client",
    ),
    "10 chained contracts": (
        _HERE + "test_events_of_a_contract_that_was_called_by_another",
        _TOLD + "test_events_are_told_under_their_emitter",
    ),
    "11 blocks chain": (_LIVE + "test_blocks_chain_and_their_hashes_can_be_computed",),
    "12 sizes, opcodes, plain requests": (
        _HERE + "test_the_limit_of_nodes_as_an_option",
        _LIVE + "test_a_message_over_the_limit_closes_1009",
        _LIVE + "test_echo_is_the_message_byte_for_byte",
        _LIVE + "test_mistakes_leave_the_connection_open",
        _LIVE + "test_plain_requests_are_answered",
    ),
    "13 pings": (
        _HERE + "test_silence_of_thirty_seconds_and_of_a_minute",
        _LIVE + "test_a_client_that_does_not_pong_is_dropped",
    ),
    "14 items of one's own": (_LIVE + "test_each_client_gets_its_own_items_of_a_block",),
    "15 slow readers": (_LIVE + "test_a_slow_reader_is_bounded_and_delays_nobody",),
    "16 the unmodified library": (
        _SDK + "[follows blocks and stops]",
        _SDK + "[follows the events of a contract]",
        _SDK + "[follows payments with a small subclass]",
    ),
}
"""Number and matter of a point -> the tests, below ``tests``."""

CONTRACT: Final = vectors("about")["contract_A1"]
LOG: Final = Hash32(b"\x01" * 32)


def test_every_point_has_its_tests() -> None:
    """None is left out, and all that are named are there and run."""
    assert [int(point.split()[0]) for point in POINTS] == list(range(1, 17))
    assert {point: missing(tests) for point, tests in POINTS.items() if missing(tests)} == {}


@pytest.mark.parametrize("form", ErrorForm)
@pytest.mark.parametrize("opcode", [1, 2])
@pytest_twisted.ensureDeferred
async def test_every_query_of_the_samples(form: ErrorForm, opcode: int) -> None:
    """All in one go on one connection, as text or binary: every reply in its place, as text."""
    rows = [row for row in vectors("queries") if row["send"]]
    async with stand(dialect=zilliqa.make(Options(errors=form))) as chain:
        chain.source.answers["code"] = lambda asked: (
            "0x60" if asked["address"] == CONTRACT else "0x"
        )
        peer = await chain.ws()
        peer.send(b"".join(frame(row["send"].encode(), opcode) for row in rows) + frame(b""))
        for row in rows:
            reply = row["node_reply" if form is ErrorForm.BARE else "document_reply"]
            kind, text = await peer.frame()
            assert kind == 1
            if reply == "(echo)":
                assert text == row["send"].encode()
            else:
                assert (text.decode() if form is ErrorForm.BARE else orjson.loads(text)) == reply
    assert len(rows) == 51


@pytest.mark.parametrize("order", list(permutations(("NewBlock", "EventLog", "TxnLog"))))
@pytest_twisted.ensureDeferred
async def test_items_of_a_quiet_block_and_the_end_of_two_topics(order: tuple[str, ...]) -> None:
    """Items stand in their order whatever that of the queries, and say nothing without a value."""
    async with stand() as chain:
        chain.source.answers["code"] = lambda _asked: "0x60"
        peer = await chain.ws()
        for name in order:
            await echo(peer, query(name, ALICE))
        chain.source.mine()
        block, *quiet = await items(peer)
        assert block["value"]["TxHashes"] == []
        assert quiet == [{"query": "EventLog"}, {"query": "TxnLog"}]
        for name in order[:2]:
            await echo(peer, orjson.dumps({"query": "Unsubscribe", "type": name}))
        chain.source.mine()
        chain.source.mine()
        ending = [name for name in ("NewBlock", "EventLog", "TxnLog") if name in order[:2]]
        *last, end = await items(peer)
        assert [item["query"] for item in last] == ["NewBlock", "EventLog", "TxnLog"]
        assert end == {"query": "Unsubscribe", "value": ending}
        assert [item["query"] for item in await items(peer)] == [order[2]]


@pytest_twisted.ensureDeferred
async def test_a_second_query_adds() -> None:
    """What was watched before is watched still."""
    async with stand() as chain:
        chain.source.answers["code"] = lambda _asked: "0x60"
        peer = await chain.ws()
        for address in (ALICE, BOB):
            await echo(peer, query("EventLog", address))
        logs = [Log(address=address, topics=(LOG,), data=b"") for address in (BOB, ALICE)]
        chain.source.mine((make_transaction(0), logs))
        ((first, second),) = [item["value"] for item in await items(peer)]
        assert [first["address"], second["address"]] == [BOB.hex(), ALICE.hex()]


def test_events_of_a_contract_that_was_called_by_another() -> None:
    """They are told under the contract that emitted them, which no transaction names."""
    outer = "0x" + "c1" * 20
    with Both() as server:
        inner = server.deploy()
        calls = f"""
            PUSH0 CALLDATALOAD PUSH0 MSTORE 0x20 CALLDATALOAD 0x20 MSTORE
            PUSH0 PUSH0 0x24 PUSH0 PUSH0 {inner} GAS CALL STOP
        """
        server.ethereum.call("anvil_setCode", outer, "0x" + assemble(calls).hex())
        assert server.ask("EventLog", addresses=[inner]) == "echo"
        server.send(to=outer, data=selector("set(uint256)") + f"{7:064x}", gas=hex(200_000))
        ((entry,),) = [item["value"] for item in server.items()]
        assert entry["address"] == inner[2:].lower()
        assert [log["_eventname"] for log in entry["event_logs"]] == [SET_TOPIC]


def test_the_limit_of_nodes_as_an_option() -> None:
    """2,048 bytes are taken; one more closes with 1009, on a connection of this dialect only."""
    text = b'{"query":"NewBlock"}'
    with Both("--limit", "zilliqa.message-bytes=2048") as server:
        for opcode in (1, 2):
            server.wire.send(text.ljust(2_048), opcode)
            assert server.wire.receive() == text.ljust(2_048)
        server.wire.send(text.ljust(2_049))
        with pytest.raises(Closed) as closed:
            server.wire.receive()
        assert closed.value.code == 1009
        assert server.ethereum.call("web3_sha3", "0x" + "00" * 4_096).startswith("0x")


def test_silence_of_thirty_seconds_and_of_a_minute() -> None:
    """A ping after the first; who has said nothing at the second, not even a pong, is dropped."""
    pair = connect(FakeSource(), dialect=zilliqa.DIALECT)
    mute, transport = pair.site.buildProtocol(None), StringTransport()
    mute.makeConnection(transport)
    lines = [f"{name}: {value}" for name, value in UPGRADE.items()]
    mute.dataReceived("\r\n".join(["GET / HTTP/1.1", *lines, "", ""]).encode())
    assert transport.value().startswith(b"HTTP/1.1 101 ")
    transport.clear()
    for _ in range(29):
        pair.advance(1)
    assert transport.value() == b""
    for _ in range(6):
        pair.advance(1)
    assert transport.value()[0] == 0x89
    for _ in range(20):
        pair.advance(1)
    assert not transport.disconnecting
    for _ in range(15):
        pair.advance(1)
    assert transport.disconnecting
    pair.send({"query": "NewBlock"})
    assert (pair.messages, pair.close_code) == ([{"query": "NewBlock"}], None)
