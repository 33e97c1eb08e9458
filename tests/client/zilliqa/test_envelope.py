from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.client.zilliqa.ledger import ALICE, BOB, TOKEN, Ledger, digest
from tests.dialects.zilliqa.vectors import vectors
from twisted_chainws.client.zilliqa.envelope import Echo, Notification, Refusal, Stray, parse
from twisted_chainws.client.zilliqa.queries import leave, subscribing

BLOCK = Ledger().chain[-1]
HASHES = [[digest(1)], []]
LOG = {"ID": digest(1), "amount": "7", "fromAddr": ALICE[2:], "toAddr": BOB[2:], "success": True}
EVENT = {"_eventname": "x", "params": []}


def read(*values: Any) -> Notification:
    """Read a notification of some items."""
    found = parse(orjson.dumps({"type": "Notification", "values": values}))
    assert isinstance(found, Notification)
    return found


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("invalid query field", "invalid query field"),
        (b"  no contract found in list\n", "no contract found in list"),
        ('"invalid type field"', "invalid type field"),
        ('{"type":"Error","error":"invalid query field"}', "invalid query field"),
        ('{"error":{"code":-1,"message":"x"}}', "x"),
        (b"\xff", "\ufffd"),
    ],
)
def test_refusals_of_every_form(data: Any, words: str) -> None:
    """Bare texts and objects are errors alike."""
    found = parse(data)
    assert isinstance(found, Refusal)
    assert found.error.message == words


@pytest.mark.parametrize("data", ["7", "null", "[]", "{}", '{"query":"x"}', '{"query":7}'])
def test_strays(data: str) -> None:
    """What belongs to nothing is said to."""
    assert isinstance(parse(data), Stray)


@pytest.mark.parametrize("data", ["", b"", " \n"])
def test_nothing(data: Any) -> None:
    """An empty message is none."""
    assert parse(data) is None


def test_echoes() -> None:
    """Text or binary, reformatted or with more members, it is the reply to its query."""
    for query in (*subscribing("NewBlock"), leave("EventLog"), *subscribing("TxnLog", [ALICE])):
        raw = orjson.loads(query.render())
        for data in (
            query.render(),
            query.render().encode(),
            orjson.dumps(raw | {"more": 1}, option=orjson.OPT_INDENT_2),
        ):
            found = parse(data)
            assert isinstance(found, Echo)
            assert found.answers(query)
            assert not found.answers(leave("NewBlock"))
    assert parse('{"query":"Unsubscribe"}') == Echo("Unsubscribe", None)


@pytest.mark.parametrize("name", [name for name in vectors("notifications") if name[-4:] != "note"])
def test_published_notifications(name: str) -> None:
    """All samples are read without a stray."""
    sample = vectors("notifications")[name]
    found = parse(sample if isinstance(sample, str) else orjson.dumps(sample))
    if isinstance(found, Notification):
        assert found.strays == 0


@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize("beside", [True, False])
def test_tx_hashes_in_either_place(inside: bool, beside: bool) -> None:
    """They are found inside and beside the value."""
    item: dict[str, Any] = {"query": "NewBlock", "value": {"TxBlock": BLOCK}}
    if inside:
        item["value"]["TxHashes"] = HASHES
    if beside:
        item["TxHashes"] = HASHES
    block = read(item).contents.block
    assert block is not None
    assert block.tx_hashes == (((digest(1),), ()) if inside or beside else None)


@pytest.mark.parametrize("more", [{}, {"value": None}, {"value": []}])
@pytest.mark.parametrize("topic", ["EventLog", "TxnLog"])
def test_nothing_to_tell(topic: str, more: Any) -> None:
    """A value that lacks, null or an empty list: nothing happened."""
    found = read({"query": topic} | more)
    assert (found.contents.events, found.contents.transfers, found.strays) == ((), (), 0)


@pytest.mark.parametrize("prefix", ["", "0x", "0X"])
@pytest.mark.parametrize("upper", [True, False])
def test_addresses_of_either_form(prefix: str, upper: bool) -> None:
    """Addresses have one form, whatever servers write."""
    written = TOKEN[2:].upper() if upper else TOKEN[2:]
    found = read(
        {"query": "EventLog", "value": [{"address": prefix + written, "event_logs": [EVENT]}]}
    )
    assert [one.address for one in found.contents.events] == [TOKEN]


def test_events_and_transfers_know_their_block() -> None:
    """Whatever the order of items, height and hash are those of the block."""
    found = read(
        {"query": "EventLog", "value": [{"address": TOKEN, "event_logs": [EVENT, EVENT]}]},
        {"query": "TxnLog", "value": [{"address": BOB, "log": [LOG]}]},
        {"query": "NewBlock", "value": {"TxBlock": BLOCK}},
    )
    contents = found.contents
    assert [one.block_number for one in contents.events] == [5, 5]
    assert [one.block_number for one in contents.transfers] == [5]
    assert {one.block_hash for one in contents.events} == {BLOCK["body"]["BlockHash"]}


def test_a_transfer_under_two_addresses() -> None:
    """It is told once."""
    entries = [{"address": one, "log": [LOG]} for one in (ALICE, BOB)]
    assert len(read({"query": "TxnLog", "value": entries}).contents.transfers) == 1


def test_the_end_of_topics() -> None:
    """Topics that end are named in a list, or alone."""
    assert read({"query": "Unsubscribe", "value": ["EventLog", "x"]}).ended == {"EventLog"}
    assert read({"query": "Unsubscribe", "value": "TxnLog"}).ended == {"TxnLog"}
    assert read({"query": "Unsubscribe"}).ended == frozenset()


def test_parts_that_cannot_be_read() -> None:
    """Unknown kinds and broken parts are counted, and the rest is told."""
    found = read(
        {"query": "Surprise", "value": 7},
        {"query": "NewBlock", "value": {"TxBlock": {}}},
        {"query": "EventLog", "value": [7, {"address": "x", "event_logs": [EVENT]}]},
        {"query": "EventLog", "value": {"address": TOKEN, "event_logs": [EVENT]}},
        {"query": "TxnLog", "value": [{"address": BOB, "log": [{}, LOG]}]},
    )
    assert found.strays == 5
    assert found.contents.block is None
    assert len(found.contents.events) == len(found.contents.transfers) == 1
    assert found.contents.events[0].block_number is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
items = st.fixed_dictionaries(
    {"query": st.sampled_from(["NewBlock", "EventLog", "TxnLog", "Unsubscribe", "x"])},
    optional={"value": json_values, "TxHashes": json_values},
)


@given(json_values | st.lists(items, max_size=4))
def test_any_notification_is_read(values: Any) -> None:
    """Nothing that a server may write breaks the reader."""
    found = parse(orjson.dumps({"type": "Notification", "values": values}))
    assert isinstance(found, Notification)


@given(st.binary(max_size=30) | json_values.map(orjson.dumps))
def test_any_message_is_read(data: bytes) -> None:
    """Nor does any other message; nothing comes of an empty one only."""
    found = parse(data)
    assert isinstance(found, Echo | Refusal | Notification | Stray) is bool(data.strip())
