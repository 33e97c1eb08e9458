"""Every sample query in both wordings, and the life of subscriptions as the samples tell it."""

from dataclasses import replace
from typing import Any, Final

import orjson
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.dialects.zilliqa.stand import Client, Stand
from tests.dialects.zilliqa.vectors import vectors
from tests.strategies import make_block, make_transaction
from twisted_chainws.chain.model import EvmTransaction, NamedEvent, Receipt
from twisted_chainws.chain.types import Address20
from twisted_chainws.dialects import zilliqa
from twisted_chainws.dialects.limits import Limits
from twisted_chainws.dialects.zilliqa import ErrorForm, Options
from twisted_chainws.errors import SourceUnavailable, UnknownBlockHash

A1: Final = vectors("about")["contract_A1"]
ONES: Final = "0x" + "11" * 20
TWOS: Final = "0x" + "22" * 20
QUERIES: Final = vectors("queries")
SCENARIOS: Final = {each["name"]: each["steps"] for each in vectors("scenarios")}
ECHO: Final = "(echo)"
BARE: Final = Options(errors=ErrorForm.BARE)


def address(text: str) -> Address20:
    """Read an address."""
    return Address20(bytes.fromhex(text.removeprefix("0x")))


def event(emitter: str, name: str = "e") -> NamedEvent:
    """Make an event of a contract."""
    return NamedEvent(address=address(emitter), name=name, params=())


def transfer(sender: str, to: str, *, salt: object = "") -> EvmTransaction:
    """Make a transaction between two accounts."""
    made = make_transaction(address(sender), salt=salt)
    return replace(made, to=address(to))


def mine(stand: Stand, *events: NamedEvent, succeeded: bool = True) -> None:
    """Mine a transaction with such events."""
    block = make_block(stand.chain.head, [(make_transaction(), [])])
    receipt: Receipt = replace(block.receipts[0], events=events, succeeded=succeeded)
    stand.publish(replace(block, receipts=(receipt,)))


def test_all_samples_are_here() -> None:
    """No row of the samples gets lost."""
    assert (len(QUERIES), len(SCENARIOS)) == (52, 6)


@pytest.mark.parametrize("row", QUERIES, ids=lambda row: row["note"][:40])
def test_a_query_in_the_words_of_the_document(row: Any) -> None:
    """The reply, byte for byte where it is the query, and what is watched afterwards."""
    client = Stand(contracts=[A1]).client()
    replies = client.say(row["send"])
    if not row["send"]:
        assert replies == []
    elif row["document_reply"] == ECHO:
        assert replies == [row["send"].encode()]
    else:
        (reply,) = replies
        assert orjson.loads(reply) == row["document_reply"]
        assert reply.startswith(b'{"type":"Error","error":"')
    assert client.topics() == {name for name in row["subscribed_after"] if "node only" not in name}
    assert not client.session.closed


@pytest.mark.parametrize("row", QUERIES, ids=lambda row: row["note"][:40])
def test_a_query_in_the_words_of_a_node(row: Any) -> None:
    """The bare text, and what stands before a malformed address is watched all the same."""
    client = Stand(BARE, contracts=[A1]).client()
    replies = client.say(row["send"])
    if not row["send"]:
        assert replies == []
    elif row["node_reply"] == ECHO:
        assert replies == [row["send"].encode()]
    else:
        assert replies == [row["node_reply"].encode()]
    assert client.topics() == {
        name.removesuffix(" (node only)") for name in row["subscribed_after"]
    }


def test_queries_may_be_pipelined() -> None:
    """Replies come in the order of the queries; one that waits for the source holds the others."""
    stand = Stand(contracts=[A1])
    client = stand.client()
    client.wait = True
    assert client.ask("NewBlock") == {"query": "NewBlock"}
    assert client.say(orjson.dumps({"query": "EventLog", "addresses": [A1]})) == []
    assert client.session.busy
    assert client.go_on() == [orjson.dumps({"query": "EventLog", "addresses": [A1]})]
    assert not client.session.busy


def test_a_block_while_the_source_is_asked() -> None:
    """A subscription counts from its reply on: the block before it does not hold it."""
    stand = Stand(contracts=[A1])
    client = stand.client()
    client.ask("NewBlock")
    client.wait = True
    client.say(orjson.dumps({"query": "EventLog", "addresses": [A1]}))
    block = mine_nothing(stand)
    assert [item["query"] for item in client.notification()] == ["NewBlock"]
    client.stand.asked.clear()
    (action,) = client.waiting
    client.session.resolve(action.ticket, ["0x60"], 0.0, client.out)
    assert orjson.loads(client.take()[0])["query"] == "EventLog"
    assert mine_nothing(stand) == block + 1
    assert [item["query"] for item in client.notification()] == ["NewBlock", "EventLog"]


def mine_nothing(stand: Stand) -> int:
    """Mine an empty block and return its number."""
    return stand.mine().number


def test_contracts_are_remembered_until_blocks_are_undone() -> None:
    """Only what is not known to be a contract is asked for."""
    stand = Stand(contracts=[A1, ONES])
    client = stand.client()
    client.ask("EventLog", addresses=[A1, TWOS])
    client.ask("EventLog", addresses=[A1, ONES, TWOS])
    client.ask("EventLog", addresses=[ONES, A1])
    assert stand.asked == [[A1, TWOS], [ONES, TWOS]]
    stand.mine()
    assert stand.chain.height == 1
    base = stand.chain.at(0)
    assert base is not None
    stand.advance(stand.chain.reorganise(base.hash, []))
    client.take()
    client.ask("EventLog", addresses=[A1])
    assert stand.asked[2:] == [[A1]]


def test_a_source_that_fails_once_is_asked_again() -> None:
    """With the head of that moment; the client does not notice."""
    stand = Stand(contracts=[A1])
    stand.failures = [UnknownBlockHash(block_hash=stand.chain.head.hash)]
    client = stand.client()
    assert client.ask("EventLog", addresses=[A1])["query"] == "EventLog"
    assert stand.asked == [[A1], [A1]]


def test_a_source_that_fails_is_told_honestly() -> None:
    """Not knowing is not the same as there being no contract."""
    stand = Stand(contracts=[A1])
    stand.failures = [SourceUnavailable(reason="away")] * 2
    client = stand.client()
    assert client.ask("EventLog", addresses=[A1]) == {
        "type": "Error", "error": "node is not available: away",
    }  # fmt: skip
    assert client.topics() == set()


@pytest.mark.parametrize(
    ("entries", "node", "document"),
    [
        ([5], "no valid address found", "no valid address found in list"),
        ([ONES, 5], "invalid hex address", "invalid hex address"),
        ([ONES, True], "invalid hex address", "invalid hex address"),
        ([ONES, None], "invalid hex address", "invalid hex address"),
        ([ONES, {}], "invalid address", "invalid hex address"),
        ([ONES, []], "invalid address", "invalid hex address"),
        (["0x12", ONES], "no valid address found", "invalid hex address"),
        ([ONES, "0x" + "é" * 40], "invalid address", "invalid hex address"),
        ([ONES, "0x" + " " * 40], "invalid address", "invalid hex address"),
    ],
)
def test_entries_that_are_no_addresses(entries: list[Any], node: str, document: str) -> None:
    """What a node makes of odd entries, where it stops, and what the document says of them."""
    client = Stand(BARE).client()
    assert client.say(orjson.dumps({"query": "TxnLog", "addresses": entries})) == [node.encode()]
    assert client.topics() == ({"TxnLog"} if entries[0] == ONES else set())
    client = Stand().client()
    assert client.ask("TxnLog", addresses=entries) == {"type": "Error", "error": document}
    assert client.topics() == set()


@pytest.mark.parametrize(
    ("members", "text"),
    [
        ({"cursor": 1}, "invalid cursor field"),
        ({"cursor": "yes"}, "invalid cursor field"),
        ({"resumeFrom": "0:1"}, "resumeFrom is not supported yet"),
    ],
)
@pytest.mark.parametrize("name", ["NewBlock", "EventLog", "TxnLog"])
def test_words_of_our_own(name: str, members: dict[str, Any], text: str) -> None:
    """What cannot be had is said, rather than left out without a word."""
    client = Stand(contracts=[A1]).client()
    members = {"addresses": [A1]} | members
    assert client.ask(name, **members) == {"type": "Error", "error": text}
    assert client.topics() == set()
    assert client.ask(name, **(members | {"cursor": None, "resumeFrom": None}))["query"] == name


def test_addresses_are_bounded() -> None:
    """Too many over all queries are refused and change nothing."""
    client = Stand(limits=Limits(alternatives=1)).client()
    client.ask("TxnLog", addresses=[ONES])
    assert client.ask("TxnLog", addresses=[TWOS]) == {
        "type": "Error", "error": "more than 1 addresses per connection",
    }  # fmt: skip


def test_subscribing_again_cancels_leaving() -> None:
    """The topic goes on with the addresses it had."""
    stand = Stand()
    client = stand.client()
    client.ask("TxnLog", addresses=[ONES])
    client.ask("Unsubscribe", type="TxnLog")
    client.ask("TxnLog", addresses=[TWOS])
    stand.mine((transfer(ONES, TWOS), []), (transfer(TWOS, ONES, salt=1), []))
    (item,) = client.notification()
    assert [each["address"] for each in item["value"]] == [TWOS[2:], ONES[2:]]


def test_a_failed_query_changes_nothing() -> None:
    """What was left stays left, what was watched is watched."""
    stand = Stand()
    client = stand.client()
    client.ask("TxnLog", addresses=[ONES])
    client.ask("Unsubscribe", type="TxnLog")
    client.ask("TxnLog", addresses=["0x1"])
    stand.mine()
    assert client.notification() == [
        {"query": "TxnLog"},
        {"query": "Unsubscribe", "value": ["TxnLog"]},
    ]


def test_two_topics_end_in_one_item() -> None:
    """Named in the fixed order, whatever the order of unsubscribing."""
    stand = Stand()
    client = stand.client()
    client.ask("NewBlock")
    client.ask("TxnLog", addresses=[ONES])
    client.ask("Unsubscribe", type="TxnLog")
    client.ask("Unsubscribe", type="NewBlock")
    client.ask("Unsubscribe", type="NewBlock")
    stand.mine()
    values = client.notification()
    assert [item["query"] for item in values] == ["NewBlock", "TxnLog", "Unsubscribe"]
    assert values[-1]["value"] == ["NewBlock", "TxnLog"]
    stand.mine()
    assert client.notifications() == []


def test_old_addresses_are_forgotten_with_the_topic() -> None:
    """A later query begins anew, which is not what nodes do."""
    stand = Stand()
    client = stand.client()
    client.ask("TxnLog", addresses=[ONES])
    client.ask("Unsubscribe", type="TxnLog")
    stand.mine()
    client.take()
    client.ask("TxnLog", addresses=[TWOS])
    stand.mine((transfer(ONES, ONES), []))
    assert client.notification() == [{"query": "TxnLog"}]


def test_a_closed_connection_hears_nothing() -> None:
    """All its subscriptions are forgotten; others go on."""
    stand = Stand()
    gone, there = stand.client(), stand.client()
    for client in (gone, there):
        client.ask("NewBlock")
    gone.session.close()
    stand.mine()
    assert (len(gone.take()), len(there.take())) == (0, 1)


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario(name: str) -> None:
    """The steps of a sample scenario."""
    Scenario(Stand(contracts=[A1, ONES])).play(SCENARIOS[name])


class Scenario:
    """Plays the steps of a sample."""

    def __init__(self, stand: Stand) -> None:
        self.stand = stand
        self.client: Client = stand.client()
        self.sent = ""
        self.replies: list[bytes] = []

    def play(self, steps: Any) -> None:
        """Play them one after the other."""
        for name, *arguments in steps:
            getattr(self, name)(*arguments)

    def connect(self) -> None:
        """It is connected."""

    def send(self, text: str) -> None:
        """Send a message."""
        self.sent = text
        self.replies = self.client.say(text)

    def recv(self, what: str) -> None:
        """Expect an echo, or nothing."""
        if what == ECHO:
            assert self.replies == [self.sent.encode()]
        else:
            assert what == "(nothing)"
            assert self.client.take() == []

    def block(self, _number: int) -> None:
        """Mine a block."""
        self.stand.mine()

    def recv_values(self, names: list[str]) -> None:
        """Expect a notification with these items."""
        assert [item["query"] for item in self.client.notification()] == names

    def events_from(self, emitters: list[str]) -> None:
        """Mine a block with an event of each."""
        mine(self.stand, *map(event, emitters))

    def recv_event_addresses_any_order(self, emitters: list[str]) -> None:
        """Expect events of these."""
        (item,) = self.client.notification()
        assert {each["address"] for each in item["value"]} == set(emitters)

    def tx(self, parties: dict[str, str]) -> None:
        """Mine a transaction."""
        self.stand.mine((transfer(parties["from"], parties["to"]), []))

    def recv_txnlog_addresses(self, addresses: list[str]) -> None:
        """Expect transactions of these."""
        (item,) = self.client.notification()
        assert [each["address"] for each in item["value"]] == addresses

    def note(self, text: str) -> None:
        """Do what the only note says."""
        assert "success:false" in text
        self.client.ask("EventLog", addresses=[A1])
        sender = "0x" + make_transaction().sender.hex()
        self.client.ask("TxnLog", addresses=[sender])
        mine(self.stand, event(A1), succeeded=False)
        events, transactions = self.client.notification()
        assert events == {"query": "EventLog"}
        ((entry,),) = [each["log"] for each in transactions["value"]]
        assert entry["success"] is False


def test_the_record() -> None:
    """What the server needs to know of the dialect."""
    dialect = zilliqa.DIALECT
    assert (dialect.default_port, dialect.limits.message_bytes) == (4401, 65_536)
    assert dialect.replies_in_order
    assert not dialect.fatal
    assert (dialect.greeting or b"").startswith(b"got HTTP request with ")
    assert list(dialect.announce(None)) == []  # type: ignore[arg-type]
    assert tuple(dialect.topics) == ("NewBlock", "EventLog", "TxnLog")


class Life(RuleBasedStateMachine):
    """Two clients against the table of states: subscribe, leave, block, close."""

    NAMES = st.sampled_from(["NewBlock", "EventLog", "TxnLog"])
    CLIENTS = st.integers(0, 1)

    @initialize()
    def begin(self) -> None:
        """Connect both."""
        self.stand = Stand(contracts=[A1])
        self.clients = [self.stand.client(), self.stand.client()]
        self.queries: list[set[str]] = [set(), set()]
        self.leaving: list[set[str]] = [set(), set()]

    @rule(number=CLIENTS, name=NAMES)
    def subscribe(self, number: int, name: str) -> None:
        """Watch a topic."""
        members = {} if name == "NewBlock" else {"addresses": [A1]}
        assert self.clients[number].ask(name, **members)["query"] == name
        self.queries[number].add(name)
        self.leaving[number].discard(name)

    @rule(number=CLIENTS, name=NAMES)
    def unsubscribe(self, number: int, name: str) -> None:
        """Leave a topic, watched or not."""
        assert self.clients[number].ask("Unsubscribe", type=name)["query"] == "Unsubscribe"
        if name in self.queries[number]:
            self.leaving[number].add(name)

    @rule(number=CLIENTS, text=st.sampled_from(["", "{}", '{"query":"TxnLog","addresses":[1]}']))
    def mistake(self, number: int, text: str) -> None:
        """Say something that is no query."""
        assert len(self.clients[number].say(text)) == (1 if text else 0)

    @rule(events=st.integers(0, 2))
    def block(self, events: int) -> None:
        """Mine: each client with a topic gets one message, with its topics in order."""
        mine(self.stand, *[event(A1, str(number)) for number in range(events)])
        for client, queries, leaving in zip(self.clients, self.queries, self.leaving, strict=True):
            found = client.notifications()
            names = [name for name in ("NewBlock", "EventLog", "TxnLog") if name in queries]
            if not names:
                assert found == []
                continue
            (values,) = found
            assert [item["query"] for item in values if item["query"] != "Unsubscribe"] == names
            ends = [item["value"] for item in values if item["query"] == "Unsubscribe"]
            assert ends == ([[name for name in names if name in leaving]] if leaving else [])
            for item in values:
                if item["query"] == "EventLog":
                    logs = [log for each in item.get("value", ()) for log in each["event_logs"]]
                    assert [log["_eventname"] for log in logs] == list(map(str, range(events)))
            queries -= leaving
            leaving.clear()

    @rule(number=CLIENTS)
    def reconnect(self, number: int) -> None:
        """Close, and come back with nothing."""
        self.clients[number].session.close()
        self.clients[number] = self.stand.client()
        self.queries[number] = set()
        self.leaving[number] = set()

    @invariant()
    def watched(self) -> None:
        """What is watched is what the table says."""
        if not hasattr(self, "clients"):
            return
        for client, queries in zip(self.clients, self.queries, strict=True):
            assert client.topics() == queries


TestLife = Life.TestCase
TestLife.settings = settings(deadline=None, max_examples=30)
