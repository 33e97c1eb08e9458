"""Notifications, against the samples and against the rules of who is told what."""

from dataclasses import replace
from typing import Any, Final

import orjson
import pytest

from tests.dialects.zilliqa.ledgers import SECRET, payment
from tests.dialects.zilliqa.stand import Stand
from tests.dialects.zilliqa.test_encode import hash_of, sample_block
from tests.dialects.zilliqa.vectors import vectors
from tests.strategies import TOPICS, address20, make_block, make_log, make_native, make_transaction
from twisted_chainws.chain.model import Block, NamedEvent, NamedParam, Transaction
from twisted_chainws.chain.types import Address20, Wei
from twisted_chainws.dialects.gathering import Gather
from twisted_chainws.dialects.zilliqa import AddressForm, Options, topics
from twisted_chainws.dialects.zilliqa.address import native_address
from twisted_chainws.dialects.zilliqa.encode import HashPlaces
from twisted_chainws.dialects.zilliqa.projection import Form
from twisted_chainws.dialects.zilliqa.schnorr import public_key_of
from twisted_chainws.dialects.zilliqa.tx_block import TxBlock

SAMPLES: Final = vectors("notifications")
A1: Final = vectors("about")["contract_A1"]
A, B, C = (address20(name) for name in "ABC")


class SampleLedger:
    """Knows one block: that of a sample."""

    def __init__(self, block: TxBlock) -> None:
        self._block = block

    def text(self, _block: Block, form: Form) -> bytes:
        """Write it."""
        return form(self._block)


def address(text: str) -> Address20:
    """Read an address of a sample."""
    return Address20(bytes.fromhex(text.removeprefix("0x")))


def text_of(value: Address20) -> str:
    """Write an address as queries have it."""
    return "0x" + value.hex()


def named(shape: dict[str, Any], emitter: str) -> NamedEvent:
    """Read an event of a sample; its types are Scilla's words, which pass through."""
    return NamedEvent(
        address=address(emitter),
        name=shape["_eventname"],
        params=tuple(
            NamedParam(name=each["vname"], type=each["type"], value=each["value"])
            for each in shape["params"]
        ),
    )


def transfer(sender: Address20, to: Address20 | None, *, salt: object = "") -> Transaction:
    """Make a transaction between two accounts."""
    return replace(make_transaction(sender, salt=salt), to=to)


def write(gather: Gather, item: dict[str, Any], ledger: Any) -> bytes:
    """Write an item of a sample with what it tells."""
    topic = gather.topics[item["query"]]
    block = make_block()
    entries: list[bytes] = []
    if item["query"] != "NewBlock" and "value" in item:
        assert topic.encode_entry is not None
        for entry in item["value"]:
            told: list[Any] = []
            if "event_logs" in entry:
                told = [named(each, entry["address"]) for each in entry["event_logs"]]
            for log in entry.get("log", ()):
                made = replace(
                    make_transaction(address(log["fromAddr"])),
                    hash=hash_of(log["ID"]),
                    to=address(log["toAddr"]),
                    value=Wei(int(log["amount"]) * 10**6),
                )
                mined = make_block(block, [(made, [])])
                told += [each.item for each in topics.find(mined) if each.topic == "TxnLog"]
            entries.append(topic.encode_entry(address(entry["address"]), told))
    return topic.encode(ledger, block, entries)


@pytest.mark.parametrize(
    ("sample", "options"),
    [
        (SAMPLES["node_shape"], Options(tx_hashes=HashPlaces.INSIDE)),
        (SAMPLES["nothing_to_report"], Options()),
        (SAMPLES["empty_block"], Options(tx_hashes=HashPlaces.INSIDE)),
        (SAMPLES["serve_both"], Options()),
        (SAMPLES["txnlog_document_example"], Options()),
        (SAMPLES["public_transcripts"][1]["message"], Options()),
        ({"type": "Notification", "values": [SAMPLES["public_transcripts"][0]["item"]]}, Options()),
        (orjson.loads(SAMPLES["node_shape_wire_text"]), Options(tx_hashes=HashPlaces.INSIDE)),
        (orjson.loads(SAMPLES["nothing_to_report_wire_text"]), Options()),
    ],
)
def test_sample(sample: dict[str, Any], options: Options) -> None:
    """The sample comes out member by member, compact and with its members sorted."""
    gather = topics.make_gather(options)
    ledger = next(
        (
            SampleLedger(sample_block(item))
            for item in sample["values"]
            if item["query"] == "NewBlock"
        ),
        None,
    )
    items = [item for item in sample["values"] if item["query"] != "Unsubscribe"]
    ending = [name for item in sample["values"][len(items) :] for name in item["value"]]
    texts = [write(gather, item, ledger) for item in items]
    assert b"".join(gather.compose(texts, ending, None)) == orjson.dumps(
        sample, option=orjson.OPT_SORT_KEYS
    )


def test_the_example_of_the_document() -> None:
    """With the options that follow it, every member stands where the document has it.

    Nodes show more of a header than the document does; its example has one event.
    """
    sample = SAMPLES["document_example"]
    options = Options(tx_hashes=HashPlaces.BESIDE, event_address=AddressForm.PREFIXED)
    gather = topics.make_gather(options)
    block = sample_block(SAMPLES["node_shape"]["values"][0])
    texts = [write(gather, item, SampleLedger(block)) for item in sample["values"][:2]]
    (made, events, end) = orjson.loads(b"".join(gather.compose(texts, ["NewBlock"], None)))[
        "values"
    ]
    header = made["value"]["TxBlock"]["header"]
    assert (header.pop("NumPages"), header.pop("TxnFees")) == (1, "1000000000")
    header["Rewards"] = sample["values"][0]["value"]["TxBlock"]["header"]["Rewards"]
    assert [made, events, end] == sample["values"]


def test_all_samples_are_used() -> None:
    """The samples and what is said of them: fifteen members."""
    assert len(SAMPLES) == 15


def test_order_of_items() -> None:
    """Fixed, whatever the order of subscribing."""
    assert topics.TOPICS == ("NewBlock", "EventLog", "TxnLog")
    assert tuple(topics.make_gather(Options()).topics) == topics.TOPICS


def test_events_are_told_under_their_emitter() -> None:
    """Whichever contract was called; events of failed transactions and other contracts are not."""
    stand = Stand(contracts=[text_of(A), text_of(B)])
    client = stand.client()
    client.ask("EventLog", addresses=[text_of(A), text_of(B)])
    block = make_block(
        stand.chain.head,
        [
            (transfer(C, B), [make_log(A, TOPICS[:1]), make_log(C)]),
            (transfer(C, A, salt=1), [make_log(B)]),
            (transfer(C, A, salt=2), [make_log(A, TOPICS[1:2])]),
        ],
    )
    failed = replace(block.receipts[1], succeeded=False)
    stand.publish(replace(block, receipts=(block.receipts[0], failed, block.receipts[2])))
    (item,) = client.notification()
    assert [
        (entry["address"], [log["_eventname"] for log in entry["event_logs"]])
        for entry in item["value"]
    ] == [(A.hex(), ["0x" + topic.hex() for topic in TOPICS[:2]])]


def test_named_events_take_the_place_of_logs() -> None:
    """What the source has decoded is told in its words."""
    stand = Stand(contracts=[A1])
    client = stand.client()
    client.ask("EventLog", addresses=[A1])
    shape = SAMPLES["node_shape"]["values"][1]["value"][0]["event_logs"][0]
    block = make_block(stand.chain.head, [(transfer(C, B), [make_log(address(A1))])])
    receipt = replace(block.receipts[0], events=(named(shape, A1),))
    stand.publish(replace(block, receipts=(receipt,)))
    assert client.notification() == [SAMPLES["node_shape"]["values"][1]]


def test_recipient_rather_than_sender_for_each_client() -> None:
    """Decided for each client: what others watch does not matter."""
    stand = Stand()
    wanted = {"both": [A, B], "sender": [A], "recipient": [B], "other": [C]}
    clients = {name: stand.client() for name in wanted}
    for name, some in wanted.items():
        clients[name].ask("TxnLog", addresses=[text_of(each) for each in some])
    stand.mine((transfer(A, B), []))
    got = {
        name: [entry["address"] for entry in client.notification()[0].get("value", ())]
        for name, client in clients.items()
    }
    assert got == {"both": [B.hex()], "sender": [A.hex()], "recipient": [B.hex()], "other": []}


def test_creations_go_to_the_null_address() -> None:
    """So whoever watches it hears of them."""
    stand = Stand()
    client = stand.client()
    client.ask("TxnLog", addresses=["0x" + "00" * 20])
    stand.mine((transfer(A, None), []))
    ((entry,),) = [item["value"] for item in client.notification()]
    assert entry["log"][0]["toAddr"] == entry["address"] == "00" * 20


def test_native_payments_are_told_like_any_other() -> None:
    """Under the native address of the sender; transactions of other families are not."""
    stand = Stand()
    client = stand.client()
    sender = native_address(public_key_of(SECRET))
    client.ask("TxnLog", addresses=[text_of(sender), text_of(make_native().sender)])
    stand.mine((payment(), []), (make_native(), []))
    ((entry,),) = [item["value"] for item in client.notification()]
    assert entry["address"] == sender.hex()
    assert entry["log"][0]["ID"] == payment().hash.hex()


def test_texts_are_ascii() -> None:
    """Whatever contracts say."""
    stand = Stand(contracts=[A1])
    client = stand.client()
    client.ask("EventLog", addresses=[A1])
    block = make_block(stand.chain.head, [(transfer(C, B), [])])
    said = NamedEvent(
        address=address(A1),
        name="grüße",
        params=(NamedParam(name="a", type="string", value="\N{SNOWMAN}\N{GRINNING FACE}"),),
    )
    stand.publish(replace(block, receipts=(replace(block.receipts[0], events=(said,)),)))
    (text,) = client.take()
    assert text.isascii()
    (log,) = orjson.loads(text)["values"][0]["value"][0]["event_logs"]
    assert (log["_eventname"], log["params"][0]["value"]) == (said.name, said.params[0].value)


def test_reorganisations_repeat_heights_and_rollbacks_say_nothing() -> None:
    """Each new block is a notification; hashes chain along the new branch."""
    stand = Stand()
    client = stand.client()
    client.ask("NewBlock")
    base = stand.chain.head
    stand.mine(salt="old")
    stand.mine(salt="old")
    client.take()
    one = make_block(base, salt="new")
    two = make_block(one, salt="new")
    stand.advance(stand.chain.reorganise(base.hash, [one, two]))
    bodies = [item["value"]["TxBlock"] for (item,) in client.notifications()]
    assert [body["header"]["BlockNum"] for body in bodies] == ["1", "2"]
    assert bodies[1]["header"]["PrevBlockHash"] == bodies[0]["body"]["BlockHash"]
    stand.advance(stand.chain.reorganise(base.hash, []))
    assert client.notifications() == []
    stand.mine()
    assert client.notification()[0]["value"]["TxBlock"]["header"]["BlockNum"] == "1"


def test_only_confirmed_blocks_are_told_of() -> None:
    """With what happened in them, once they are deep enough."""
    stand = Stand(depth=2)
    client = stand.client()
    client.ask("TxnLog", addresses=[text_of(A)])
    stand.mine((transfer(A, B), []))
    client.take()
    stand.mine()
    client.take()
    stand.mine()
    ((entry,),) = [item["value"] for item in client.notification()]
    assert entry["address"] == A.hex()


def test_cursors_for_who_asks() -> None:
    """Beside the values, in every message from then on; others get the message without."""
    stand = Stand()
    asking, other = stand.client(), stand.client()
    other.ask("NewBlock")
    asking.ask("NewBlock", cursor=True)
    asking.ask("TxnLog", addresses=[text_of(A)])
    stand.mine()
    (text,) = asking.take()
    assert text.startswith(b'{"cursor":"cursor 1","type":"Notification","values":[{')
    assert orjson.loads(text)["cursor"] == "cursor 1"
    other.notification()
    asking.ask("TxnLog", addresses=[text_of(A)], cursor=False)
    stand.mine()
    asking.notification()
