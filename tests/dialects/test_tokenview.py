"""The sentences of Tokenview's "Subscription API Quickstart", one test each or nearly so.

The client and the server are whole, joined in memory; only the chain is scripted.
"""

from collections.abc import Iterator

import pytest

from twisted_chainws.chain.model import Log
from twisted_chainws.chain.types import Address20, Hash32
from twisted_chainws.dialects import tokenview
from twisted_chainws.dialects.actions import Close
from twisted_chainws.dialects.limits import Limits
from twisted_chainws.dialects.notice import Notice
from twisted_chainws.dialects.session import Session
from twisted_chainws.dialects.view import Profile
from twisted_chainws.subscriptions.registry import Subscription
from twisted_chainws.testing import FakeSource, MemoryPair, connect, make_block, make_transaction
from twisted_chainws.testing.chain import ALICE, BOB

PATH = "/vipapi/websocket/node/eth/some-key"
CAROL = Address20(b"\x33" * 20)
TOPIC = Hash32(b"\x77" * 32)
OTHER = Hash32(b"\x88" * 32)


def log(address: Address20 = BOB, *topics: Hash32) -> Log:
    """A log."""
    return Log(address=address, topics=topics, data=b"")


def text(value: bytes) -> str:
    """Bytes as the wire writes them."""
    return "0x" + value.hex()


@pytest.fixture(params=[Profile.TOKENVIEW, Profile.SUPERSET])
def pair(request: pytest.FixtureRequest) -> Iterator[MemoryPair]:
    """Give a client on Tokenview's path, of the profile and of the default server."""
    joined = connect(FakeSource(), path=PATH, profile=request.param)
    yield joined
    joined.close()


def test_subscribe_returns_an_id_that_comes_with_each_notification(pair: MemoryPair) -> None:
    """Subscribe returns an id that comes with each notification.

    "The node returns a subscription ID. For each event that matches the subscription, a
    notification with relevant data is sent together with the subscription ID."
    """
    subscription = pair.call("eth_subscribe", "newHeads")
    assert isinstance(subscription, str)
    block = pair.source.mine()
    (message,) = pair.messages
    assert message.keys() == {"jsonrpc", "method", "params"}
    assert message["method"] == "eth_subscription"
    assert message["params"]["subscription"] == subscription
    assert message["params"]["result"]["hash"] == text(block.hash)


def test_only_what_matches_is_sent(pair: MemoryPair) -> None:
    """Only what matches is sent.

    "The server only sends new data that meets the client's subscription criteria."
    """
    subscription = pair.call("eth_subscribe", "logs", {"address": text(ALICE)})
    pair.source.mine((make_transaction(0), [log(BOB), log(ALICE), log(CAROL)]))
    assert [each["address"] for each in pair.notices(subscription)] == [text(ALICE)]


def test_heads_repeat_heights_in_a_reorganisation(pair: MemoryPair) -> None:
    """Heads repeat heights in a reorganisation.

    "In a chain reorganization, the subscription emits all new headers for the new chain. Therefore
    the subscription can emit multiple headers at the same height."
    """
    subscription = pair.call("eth_subscribe", "newHeads")
    pair.source.mine()
    pair.source.mine()
    new = pair.source.reorganise(2, [[], [], []])
    heads = pair.notices(subscription)
    assert [head["number"] for head in heads] == ["0x1", "0x2", "0x1", "0x2", "0x3"]
    assert [head["hash"] for head in heads[2:]] == [text(block.hash) for block in new]


def test_logs_of_the_old_chain_are_resent_as_removed(pair: MemoryPair) -> None:
    """Logs of the old chain are resent as removed.

    "Previously sent logs that are on the old chain are resent with the removed property set to
    true. Logs from transactions that ended up in the new chain are emitted. Therefore a
    subscription can emit logs for the same transaction multiple times."
    """
    subscription = pair.call("eth_subscribe", "logs", {"address": text(BOB)})
    transaction = make_transaction(0)
    pair.source.mine((transaction, [log(BOB, TOPIC)]))
    pair.source.reorganise(1, [[], [(transaction, [log(BOB, TOPIC)])]])
    sent, resent, again = pair.notices(subscription)
    assert sent["transactionHash"] == again["transactionHash"] == text(transaction.hash)
    assert resent == sent | {"removed": True}
    assert (sent["blockNumber"], again["blockNumber"]) == ("0x1", "0x2")
    assert (sent["removed"], again["removed"]) == (False, False)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        pytest.param([], [0, 1, 2], id="both fields are optional"),
        pytest.param([{}], [0, 1, 2], id="an empty filter"),
        pytest.param([{"address": text(ALICE)}], [0], id="address: an address"),
        pytest.param([{"address": [text(ALICE), text(BOB)]}], [0, 1], id="or an array of them"),
        pytest.param([{"topics": [text(TOPIC)]}], [0, 2], id="only these specified topics"),
        pytest.param(
            [{"address": text(ALICE), "topics": [text(OTHER)]}], [], id="address and topics"
        ),
    ],
)
def test_log_filters(pair: MemoryPair, options: list[object], expected: list[int]) -> None:
    """Log filters.

    "Only logs that are created from these addresses", "only logs that match these topics".
    """
    subscription = pair.call("eth_subscribe", "logs", *options)
    pair.source.mine((make_transaction(0), [log(ALICE, TOPIC), log(BOB, OTHER), log(CAROL, TOPIC)]))
    assert [int(each["logIndex"], 16) for each in pair.notices(subscription)] == expected


def test_pending_hashes_come_again_after_a_reorganisation(pair: MemoryPair) -> None:
    """Pending hashes come again after a reorganisation.

    "Returns the hash for all transactions that are added to the pending state. When a transaction
    that was previously part of the canonical chain isn't part of the new canonical chain after a
    reorganization, it's emitted again."
    """
    subscription = pair.call("eth_subscribe", "newPendingTransactions")
    lost, kept = make_transaction(0), make_transaction(0, sender=BOB)
    for transaction in (lost, kept):
        pair.source.sink.pending(transaction)
    pair.source.mine((lost, []), (kept, []))
    pair.source.reorganise(1, [[(kept, [])]])
    pair.source.sink.pending(lost)
    assert pair.notices(subscription) == [text(each.hash) for each in (lost, kept, lost)]


@pytest.mark.parametrize("name", sorted(tokenview.TOPICS))
@pytest.mark.parametrize("hashes_only", [None, False, True])
def test_pending_transactions_by_party(
    pair: MemoryPair, name: str, hashes_only: bool | None
) -> None:
    """Pending transactions by party.

    "Filters those transactions based on specified from and/or to addresses. The subscription will
    return either full transaction objects or just transaction hashes depending on the request."
    The overview misspells the name once; both are known.
    """
    options: dict[str, object] = {"fromAddress": text(CAROL), "toAddress": [text(ALICE)]}
    if hashes_only is not None:
        options["hashesOnly"] = hashes_only
    subscription = pair.call("eth_subscribe", name, options)
    sent = make_transaction(0, sender=CAROL)
    received = make_transaction(0, sender=BOB, to=ALICE)
    for transaction in (sent, make_transaction(0), received, make_transaction(1, to=None)):
        pair.source.sink.pending(transaction)
    notices = pair.notices(subscription)
    hashes = [each if hashes_only else each["hash"] for each in notices]
    assert hashes == [text(sent.hash), text(received.hash)]
    if not hashes_only:
        assert [each["from"] for each in notices] == [text(CAROL), text(BOB)]
        assert [each["blockHash"] for each in notices] == [None, None]


def test_notifications_are_for_current_events(pair: MemoryPair) -> None:
    """Notifications are for current events.

    "Notifications are sent for current events and not for past events."
    """
    pair.source.mine((make_transaction(0), [log()]))
    subscriptions = [pair.call("eth_subscribe", kind) for kind in ("newHeads", "logs")]
    assert [pair.notices(each) for each in subscriptions] == [[], []]


def test_subscriptions_end_with_their_connection(pair: MemoryPair) -> None:
    """Subscriptions end with their connection.

    "If the connection is closed all subscriptions that are created over this connection are
    removed."
    """
    pair.call("eth_subscribe", "newHeads")
    pair.call("eth_subscribe", "tokenview_pendingTransactions")
    registry = pair.service.registry(tokenview.make())
    assert len(registry) == 2
    pair._client.hang_up()
    pair.flush()
    assert len(registry) == 0


def test_ten_thousand_waiting_notifications_close_the_connection(pair: MemoryPair) -> None:
    """Ten thousand waiting notifications close the connection.

    "If the client is unable to keep up and the number of buffered notifications reaches a limit
    (currently 10k) the connection is closed."
    """
    dialect = tokenview.make()
    assert dialect.limits.queued_notices == Limits().queued_notices == 10_000
    service = pair.service
    registry = service.registry(dialect)
    session = Session(
        dialect=dialect,
        view=service.view(dialect),
        registry=registry,
        polled=service.polled(dialect),
        owner=None,
        limits=dialect.limits,
    )
    out: list[object] = []
    session.receive(b'{"id":1,"method":"eth_subscribe","params":["newHeads"]}', 0.0, out)
    out.clear()
    subscription: Subscription = registry.of_owner(session)[0]
    session.congest()
    notice = Notice(b"", b"")
    for _ in range(9_999):
        session.deliver(subscription, notice, out)
    assert out == []
    session.deliver(subscription, notice, out)
    assert out == [Close(1008, "notification buffer overflow")]
    assert len(registry) == 0


def test_unsubscribe_says_whether_it_cancelled(pair: MemoryPair) -> None:
    """Unsubscribe says whether it cancelled.

    "It returns a boolean indicating that the subscription was canceled successfully."
    """
    subscription = pair.call("eth_subscribe", "newHeads")
    assert pair.call("eth_unsubscribe", subscription) is True
    pair.source.mine()
    assert pair.messages == []
    assert pair.call("eth_unsubscribe", subscription) is False


def test_the_example_request(pair: MemoryPair) -> None:
    """The message of the page is understood; nobody has this id here."""
    pair.send(
        b'{"jsonrpc":"2.0", "id": 1, "method": "eth_unsubscribe", '
        b'"params": ["0x9cef478923ff08bf67fde6c64013158d"]}'
    )
    assert pair.messages == [{"jsonrpc": "2.0", "id": 1, "result": False}]


@pytest.mark.parametrize("network", ["eth", "etc", "bsc", "kcc", "kcs", "ETH", "Kcs"])
def test_networks(network: str) -> None:
    """Networks.

    "ETH, ETC, BSC, KCC"; the endpoint page writes the last one ``kcs``.
    """
    path = f"/vipapi/websocket/node/{network}/key"
    joined = connect(FakeSource([make_block()]), path=path, profile=Profile.TOKENVIEW)
    assert joined.call("eth_blockNumber") == "0x0"
    joined.close()


def test_no_kind_of_another_vendor() -> None:
    """The strict dialect has Tokenview's names and no others beside the common ones."""
    assert set(tokenview.make().topics) == {
        "newHeads", "logs", "newPendingTransactions",
        "tokenview_pendingTransactions", "okenview_pendingTransactions",
    }  # fmt: skip
