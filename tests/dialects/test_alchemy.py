"""The sentences of Alchemy's WebSocket guide, one test each or nearly so, and its strict dialect.

The guide is the one of December 2020 in its Ukrainian translation; sentences stand here in English.
The client and the server are whole, joined in memory; only the chain is scripted.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.dialects.ethereum.token_chain import erc20, word_answer
from tests.dialects.ethereum.views import make_view
from tests.running import Running
from tests.wire import Wire, call_http
from twisted_chainws.chain.model import EvmTransaction, Log
from twisted_chainws.chain.types import Address20, Hash32
from twisted_chainws.dialects import alchemy, tokenview
from twisted_chainws.dialects.base import Batch
from twisted_chainws.dialects.ethereum import encode
from twisted_chainws.dialects.view import Profile
from twisted_chainws.errors import SourceUnavailable
from twisted_chainws.subscriptions.events import HeadAdded
from twisted_chainws.testing import (
    ALICE,
    BOB,
    CallFailed,
    FakeSource,
    MemoryPair,
    connect,
    make_block,
    make_transaction,
)

PAGE = (Path(__file__).parents[2] / "docs" / "alchemy.md").read_text("utf-8")
A, B, C = (Hash32(bytes([digit]) * 32) for digit in (0xAA, 0xBB, 0xCC))
CAROL = Address20(b"\x33" * 20)


def text(value: bytes) -> str:
    """Bytes as the wire writes them."""
    return "0x" + value.hex()


def log(*topics: Hash32, address: Address20 = BOB) -> Log:
    """A log."""
    return Log(address=address, topics=topics, data=b"")


@pytest.fixture(params=["/ws/demo", "/v2/demo"])
def path(request: pytest.FixtureRequest) -> str:
    """Give each path of Alchemy's."""
    return str(request.param)


@pytest.fixture(params=[Profile.ALCHEMY, Profile.SUPERSET])
def pair(request: pytest.FixtureRequest, path: str) -> Iterator[MemoryPair]:
    """Give a client on Alchemy's paths, of the profile and of the default server."""
    joined = connect(FakeSource(), path=path, profile=request.param)
    yield joined
    joined.close()


@pytest.fixture
def strict() -> Iterator[MemoryPair]:
    """Give a client of the strict profile."""
    joined = connect(FakeSource(), path="/v2/demo", profile=Profile.ALCHEMY)
    yield joined
    joined.close()


# The guide


def test_errors_are_messages(pair: MemoryPair) -> None:
    """Errors are messages.

    "You do not get HTTP status codes in the answer, only an error message."
    """
    with pytest.raises(CallFailed) as caught:
        pair.call("eth_getBalance", "0x12")
    assert caught.value.error["code"] == -32602
    assert pair.call("eth_blockNumber") == "0x0"


def test_the_first_request_of_the_guide(pair: MemoryPair) -> None:
    """The gas price is asked with the id 0 and answered with it."""
    pair.source.answers["gas_price"] = lambda _: "0xb2d05e00"
    pair.send(b'{"jsonrpc":  "2.0", "id": 0, "method":  "eth_gasPrice"}')
    (answer,) = pair.messages
    assert (answer["jsonrpc"], answer["id"]) == ("2.0", 0)
    assert answer["result"].startswith("0x")


def test_two_more_methods(pair: MemoryPair) -> None:
    """Two more methods.

    "When you are connected over WebSockets you can use two additional methods: eth_subscribe and
    eth_unsubscribe. They let you listen to particular events and be notified immediately."
    """
    subscription = pair.call("eth_subscribe", "newHeads")
    pair.source.mine()
    assert len(pair.notices(subscription)) == 1
    assert pair.call("eth_unsubscribe", subscription) is True


def test_the_second_argument_depends_on_the_first(pair: MemoryPair) -> None:
    """The second argument depends on the first.

    "The first argument determines the type of event. The second argument contains additional
    options which depend on the first argument."
    """
    assert pair.call("eth_subscribe", "logs", {"address": text(BOB)})
    assert pair.call("eth_subscribe", "alchemy_pendingTransactions", {"hashesOnly": True})
    with pytest.raises(CallFailed):
        pair.call("eth_subscribe", "alchemy_newFullPendingTransactions", {"address": text(BOB)})


def test_the_id_is_attached_to_events_and_cancels(pair: MemoryPair) -> None:
    """The id is attached to events and cancels.

    "This ID will be attached to any received events, and can also be used to cancel the
    subscription using eth_unsubscribe." Two subscriptions of one kind have two ids.
    """
    first, second = (pair.call("eth_subscribe", "newHeads") for _ in range(2))
    assert first != second
    pair.source.mine()
    assert [message["params"]["subscription"] for message in pair.messages] == [first, second]
    pair.notices()
    assert pair.call("eth_unsubscribe", first) is True
    pair.source.mine()
    assert [message["params"]["subscription"] for message in pair.messages] == [second]


KINDS = ["alchemy_newFullPendingTransactions", "newHeads", "logs"]


@pytest.mark.parametrize("kind", KINDS)
def test_events_have_these_fields(pair: MemoryPair, kind: str) -> None:
    """Events have these fields.

    "jsonrpc: always "2.0"; method: always "eth_subscription"; params: an object with subscription
    and result."
    """
    subscription = pair.call("eth_subscribe", kind)
    transaction = make_transaction(0)
    pair.source.sink.pending(transaction)
    pair.source.mine((transaction, [log()]))
    (message,) = pair.messages
    result = message["params"].pop("result")
    assert message == {
        "jsonrpc": "2.0",
        "method": "eth_subscription",
        "params": {"subscription": subscription},
    }
    assert isinstance(result, dict)


PENDING_FIELDS = {
    "blockHash", "blockNumber", "from", "gas", "gasPrice", "hash", "input", "nonce", "to",
    "transactionIndex", "value", "v", "r", "s",
}  # fmt: skip


def test_full_pending_transactions(pair: MemoryPair) -> None:
    """Full pending transactions.

    "Returns the transaction information for all transactions that are added to the pending state:
    the full transaction information rather than just transaction hashes."
    """
    subscription = pair.call("eth_subscribe", "alchemy_newFullPendingTransactions")
    transactions = [make_transaction(0), make_transaction(0, sender=BOB, to=None)]
    for transaction in transactions:
        pair.source.sink.pending(transaction)
    notices = pair.notices(subscription)
    assert notices == [encode.encode_transaction(each) for each in transactions]
    assert all(each.keys() >= PENDING_FIELDS for each in notices)
    assert [notices[0][name] for name in ("blockHash", "blockNumber", "transactionIndex")] == [
        None, None, None,
    ]  # fmt: skip


HEAD_FIELDS = {
    "extraData", "gasLimit", "gasUsed", "logsBloom", "nonce", "number", "parentHash",
    "sha3Uncles", "stateRoot", "timestamp", "transactionsRoot",
}  # fmt: skip


def test_heads_in_a_reorganisation(pair: MemoryPair) -> None:
    """Heads in a reorganisation.

    "Emits an event any time a new header is added to the chain, including during a chain
    reorganization: an event for all new headers of the new chain. You may see multiple headers
    with the same height, and when this happens the later header should be taken as the correct
    one."
    """
    subscription = pair.call("eth_subscribe", "newHeads")
    for _ in range(3):
        pair.source.mine()
    pair.source.reorganise(2, [[], [], []])
    heads = pair.notices(subscription)
    assert all(head.keys() >= HEAD_FIELDS for head in heads)
    assert [head["number"] for head in heads] == ["0x1", "0x2", "0x3", "0x2", "0x3", "0x4"]
    latest = {head["number"]: head["hash"] for head in heads}
    for number, block_hash in latest.items():
        assert pair.call("eth_getBlockByNumber", number, False)["hash"] == block_hash


def test_logs_in_a_reorganisation(pair: MemoryPair) -> None:
    """Logs in a reorganisation.

    "Logs which are part of blocks on the old chain will be emitted again with the property removed
    set to true. Further, logs which are part of the blocks on the new chain are emitted, meaning
    that it is possible to see logs for the same transaction multiple times."
    """
    subscription = pair.call("eth_subscribe", "logs")
    transaction = make_transaction(0)
    pair.source.mine((transaction, [log(A), log(B)]))
    pair.source.reorganise(1, [[(transaction, [log(A), log(B)])]])
    seen = pair.notices(subscription)
    assert [each["removed"] for each in seen] == [False, False, True, True, False, False]
    assert [each | {"removed": False} for each in seen[2:4]] == seen[:2]
    assert {each["transactionHash"] for each in seen} == {text(transaction.hash)}


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        pytest.param(text(BOB), [0], id="a string representing an address"),
        pytest.param([text(BOB), text(CAROL)], [0, 2], id="or an array of such strings"),
        pytest.param(None, [0, 1, 2], id="optional"),
    ],
)
def test_only_logs_of_these_addresses(pair: MemoryPair, address: Any, expected: list[int]) -> None:
    """Only logs of these addresses.

    "Only logs created from one of these addresses will be emitted."
    """
    subscription = pair.call("eth_subscribe", "logs", {"address": address})
    logs = [log(address=each) for each in (BOB, ALICE, CAROL)]
    pair.source.mine((make_transaction(0), logs))
    assert [int(each["logIndex"], 16) for each in pair.notices(subscription)] == expected


LOGS = [log(), log(A), log(B), log(A, B), log(B, A), log(A, C), log(C, B), log(B, B, C)]


@pytest.mark.parametrize(
    ("topics", "expected"),
    [
        pytest.param([], [0, 1, 2, 3, 4, 5, 6, 7], id="[]: any topics allowed"),
        pytest.param([text(A)], [1, 3, 5], id="[A]: A in first position (and anything after)"),
        pytest.param(
            [None, text(B)],
            [3, 6, 7],
            id="[null, B]: anything in first position and B in second position (and anything after)",
        ),
        pytest.param(
            [text(A), text(B)],
            [3],
            id="[A, B]: A in first position and B in second position (and anything after)",
        ),
        pytest.param(
            [[text(A), text(B)], [text(A), text(B)]],
            [3, 4, 7],
            id="[[A, B], [A, B]]: (A or B) in first and (A or B) in second position",
        ),
    ],
)
def test_topic_specifications(pair: MemoryPair, topics: Any, expected: list[int]) -> None:
    """Topic specifications.

    "Each topic specifier is either null, a string representing a topic, or an array of strings;
    each position which is not null restricts the emitted logs to those with one of the given
    topics in that position."
    """
    subscription = pair.call("eth_subscribe", "logs", {"topics": topics})
    pair.source.mine((make_transaction(0), LOGS))
    assert [int(each["logIndex"], 16) for each in pair.notices(subscription)] == expected


LOG_FIELDS = {
    "address", "blockHash", "blockNumber", "data", "logIndex", "topics", "transactionHash",
    "transactionIndex",
}  # fmt: skip


def test_the_example_of_a_log(pair: MemoryPair) -> None:
    """The members of the example are there."""
    subscription = pair.call("eth_subscribe", "logs", {"address": text(BOB), "topics": [text(A)]})
    block = pair.source.mine((make_transaction(0), [log(A)]))
    (seen,) = pair.notices(subscription)
    assert seen.keys() >= LOG_FIELDS
    assert (seen["blockHash"], seen["logIndex"], seen["topics"]) == (
        text(block.hash), "0x0", [text(A)],
    )  # fmt: skip


def test_unsubscribing_stops_the_events(pair: MemoryPair) -> None:
    """Unsubscribing stops the events.

    "Cancels an existing subscription so that no further events are sent. true if a subscription
    was successfully cancelled, or false if a subscription with the given id did not exist."
    """
    subscription = pair.call("eth_subscribe", "logs")
    assert pair.call("eth_unsubscribe", subscription) is True
    pair.source.mine((make_transaction(0), [log()]))
    assert pair.messages == []
    assert pair.call("eth_unsubscribe", subscription) is False
    assert pair.call("eth_unsubscribe", "0x9cef478923ff08bf67fde6c64013158d") is False


def test_a_request_without_version(pair: MemoryPair) -> None:
    """The last request of the guide has no ``jsonrpc`` member and is answered with one."""
    subscription = pair.call("eth_subscribe", "newHeads")
    pair.send({"id": 1, "method": "eth_unsubscribe", "params": [subscription]})
    assert pair.messages == [{"jsonrpc": "2.0", "id": 1, "result": True}]


@pytest.mark.integration
def test_the_same_payload_over_post_and_socket() -> None:
    """The same payload over post and socket.

    "Any of the APIs can be used via WebSocket: use the same payload that would be sent as the body
    of an HTTP POST request, but instead send that payload through the WebSocket."
    """
    with Running("--silent", "--no-mining") as server, Wire(server.port) as wire:
        owner = wire.call("eth_accounts")[0]
        for method, params in [
            ("eth_blockNumber", []),
            ("eth_chainId", []),
            ("eth_gasPrice", []),
            ("eth_getBlockByNumber", ["latest", True]),
            ("eth_getBalance", [owner, "latest"]),
            ("eth_getLogs", [{}]),
            ("alchemy_getTransactionReceipts", [{"blockNumber": "0x0"}]),
            ("alchemy_getTokenBalances", [owner]),
            ("alchemy_getAssetTransfers", [{"category": ["external"]}]),
        ]:
            assert wire.call(method, *params) == call_http(server.port, method, *params)
        assert call_http(server.port, "eth_unsubscribe", "0x9cef478923ff08bf67fde6c64013158d") is (
            False
        )


# The kinds that came after the guide


def pool(pair: MemoryPair) -> list[EvmTransaction]:
    """Announce transactions of several parties and return them."""
    sent = [
        make_transaction(0),
        make_transaction(0, sender=BOB, to=CAROL),
        make_transaction(0, sender=CAROL, to=None),
    ]
    for transaction in sent:
        pair.source.sink.pending(transaction)
    return sent


@pytest.mark.parametrize(
    ("kind", "options", "expected"),
    [
        ("alchemy_pendingTransactions", [], [0, 1, 2]),
        ("alchemy_pendingTransactions", [{"fromAddress": text(ALICE)}], [0]),
        ("alchemy_pendingTransactions", [{"toAddress": [text(BOB), text(CAROL)]}], [0, 1]),
        (
            "alchemy_pendingTransactions",
            [{"fromAddress": [text(CAROL)], "toAddress": text(BOB)}],
            [0, 2],
        ),
        ("alchemy_filteredNewFullPendingTransactions", [{"address": text(BOB)}], [0, 1]),
        ("alchemy_filteredNewFullPendingTransactions", [{"address": [text(CAROL)]}], [1, 2]),
    ],
)
def test_pending_by_party(
    pair: MemoryPair, kind: str, options: list[Any], expected: list[int]
) -> None:
    """Sender or recipient of the lists, everything without any."""
    subscription = pair.call("eth_subscribe", kind, *options)
    sent = pool(pair)
    assert pair.notices(subscription) == [encode.encode_transaction(sent[at]) for at in expected]


@pytest.mark.parametrize("include_removed", [True, False])
@pytest.mark.parametrize("hashes_only", [True, False])
def test_mined_transactions_in_a_reorganisation(
    pair: MemoryPair, include_removed: bool, hashes_only: bool
) -> None:
    """Those that left come first and with the fields of their old block, then those of the new."""
    options = {
        "addresses": [{"from": text(ALICE), "to": text(BOB)}, {"to": text(CAROL)}],
        "includeRemoved": include_removed,
        "hashesOnly": hashes_only,
    }
    subscription = pair.call("eth_subscribe", "alchemy_minedTransactions", options)
    first, second = make_transaction(0), make_transaction(0, sender=BOB, to=CAROL)
    other = make_transaction(0, sender=CAROL)
    old = pair.source.mine((first, []), (other, []), (second, []))
    (new,) = pair.source.reorganise(1, [[(other, []), (first, [])]])
    expected = [(old, 0, False), (old, 2, False)]
    if include_removed:
        expected += [(old, 0, True), (old, 2, True)]
    expected.append((new, 1, False))
    for seen, (block, position, removed) in zip(pair.notices(subscription), expected, strict=True):
        full = encode.encode_mined(block, position)
        shape = {"hash": full["hash"]} if hashes_only else full
        assert seen == {"removed": removed, "transaction": shape}


def test_the_order_of_a_reorganisation_on_the_wire(pair: MemoryPair) -> None:
    """Removed logs, removed transactions; per block head, logs, transactions; pending at last."""
    names = {
        pair.call("eth_subscribe", kind, *options): kind
        for kind, options in [
            ("alchemy_pendingTransactions", []),
            ("alchemy_minedTransactions", [{"includeRemoved": True}]),
            ("logs", []),
            ("newHeads", []),
        ]
    }
    lost = make_transaction(0)
    pair.source.mine((lost, [log(A), log(B)]))
    pair.source.mine((make_transaction(1), []))
    pair.notices()
    pair.source.reorganise(2, [[(make_transaction(1), [log(C)])], []])
    pair.source.sink.pending(lost)
    told = []
    for message in pair.messages:
        params = message["params"]
        kind, result = names[params["subscription"]], params["result"]
        told.append((kind, result.get("removed")))
    logs, mined = "logs", "alchemy_minedTransactions"
    assert told == [
        (logs, True), (logs, True), (mined, True), (mined, True),
        ("newHeads", None), (logs, False), (mined, False), ("newHeads", None),
        ("alchemy_pendingTransactions", None),
    ]  # fmt: skip


def test_long_searches_end_in_questions() -> None:
    """Over a long chain the search goes on in turns of its own and then asks the source."""
    blocks = [make_block()]
    while len(blocks) < 1_200:
        blocks.append(make_block(blocks[-1]))
    blocks.append(make_block(blocks[-1], [(make_transaction(0), [erc20(CAROL, ALICE, BOB, 5)])]))
    joined = connect(FakeSource(blocks), path="/v2/demo")
    joined.source.answers["call"] = lambda _: word_answer(7)
    answer = joined.call("alchemy_getTokenBalances", text(BOB))
    assert answer["tokenBalances"] == [
        {"contractAddress": text(CAROL), "tokenBalance": word_answer(7), "error": None}
    ]
    (found,) = joined.call("alchemy_getAssetTransfers", {"category": ["erc20"]})["transfers"]
    assert (found["from"], found["to"]) == (text(ALICE), text(BOB))
    joined.close()


# The page of the documentation


def test_the_page_names_everything() -> None:
    """Every subscription and method has its row, and the page names no other ones."""
    names = set(re.findall(r"`((?:alchemy|o?kenview|tokenview)_\w+)`", PAGE))
    assert names == {*alchemy.TOPICS, *alchemy.METHODS, *tokenview.TOPICS}


def test_the_example_of_the_page_runs() -> None:
    """It asserts what it shows."""
    (example,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert "assert" in example
    exec(compile(example, "alchemy.md", "exec"), {})  # noqa: S102 - our own documentation


# What the strict profile says differently


def test_heads_carry_both_names_of_the_root(strict: MemoryPair) -> None:
    """The examples of the guide call the root of the receipts ``receiptRoot``."""
    subscription = strict.call("eth_subscribe", "newHeads")
    block = strict.source.mine()
    (head,) = strict.notices(subscription)
    assert head.pop("receiptRoot") == head["receiptsRoot"]
    assert head == encode.encode_header(block.extras.header, block.hash)


def test_the_text_of_a_head_is_made_once() -> None:
    """However many ask, the header is written once."""
    view = make_view()
    event = HeadAdded(block=make_block())
    assert alchemy.encode_head(view, event) is alchemy.encode_head(view, event)


@pytest.mark.parametrize(
    ("method", "params", "code", "message"),
    [
        ("eth_foo", [], -32601, "Unsupported method: eth_foo."),
        ("alchemy_getTokenMetadata", [], -32601, "Unsupported method: alchemy_getTokenMetadata."),
        (
            "eth_getBlockByHash",
            ["0x12", False],
            -32602,
            "invalid 1st argument: hex string has length 2, want 64 for common.Hash",
        ),
        (
            "eth_subscribe",
            ["logs", {"address": "0x12"}],
            -32602,
            (
                "invalid 2nd argument: invalid address: "
                "hex has invalid length 1 after decoding; expected 20 for address"
            ),
        ),
        (
            "eth_getProof",
            [text(BOB), [], "2"],
            -32602,
            "invalid 3rd argument: hex string without 0x prefix",
        ),
        ("eth_getCode", [text(BOB)], -32000, "Unable to complete request at this time."),
    ],
)
def test_wording(
    strict: MemoryPair, method: str, params: list[Any], code: int, message: str
) -> None:
    """Refusals are in Alchemy's words."""
    strict.source.answers["code"] = SourceUnavailable(reason="no connection to 10.0.0.1")
    with pytest.raises(CallFailed) as caught:
        strict.call(method, *params)
    assert caught.value.error == {"code": code, "message": message}


def request(method: str, *params: Any, request_id: int = 1) -> dict[str, Any]:
    """A request object."""
    return {"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}


@pytest.mark.parametrize(
    ("method", "params", "name"),
    [
        ("eth_subscribe", ["alchemy_minedTransactions"], "alchemy_minedTransactions"),
        ("eth_subscribe", ["alchemy_pendingTransactions", {}], "alchemy_pendingTransactions"),
        ("alchemy_getTokenBalances", [text(BOB)], "alchemy_getTokenBalances"),
    ],
)
def test_what_cannot_be_part_of_a_batch(
    strict: MemoryPair, method: str, params: list[Any], name: str
) -> None:
    """Alchemy's own subscriptions and methods are refused in a batch, the others are answered."""
    strict.send([request("eth_chainId", request_id=1), request(method, *params, request_id=2)])
    ((first, second),) = strict.messages
    assert first["result"] == "0x7a69"
    assert second["error"] == {
        "code": -32600,
        "message": f"{name} cannot be part of a batch. Please send it alone.",
    }


def test_batches_over_http_are_as_strict() -> None:
    """The same names are refused in a batch that is posted."""
    dialect = alchemy.make()
    body = orjson.dumps([request("alchemy_getTokenBalances"), request("eth_chainId")])
    parsed = dialect.envelope.parse_http(body, dialect.limits)
    assert isinstance(parsed, Batch)
    assert [fault is None for _, _, _, fault in parsed.requests] == [False, True]


@pytest.mark.parametrize("params", [["newHeads"], ["logs", {}], [], [5], None])
def test_what_can_be_part_of_a_batch(strict: MemoryPair, params: Any) -> None:
    """Common subscriptions pass, and mistakes are told as ever."""
    strict.send([{"id": 1, "method": "eth_subscribe", "params": params}, 5])
    ((first, second),) = strict.messages
    assert ("result" in first) is bool(params and isinstance(params[0], str))
    assert second["error"]["message"] == "invalid request"


def test_the_superset_takes_everything_in_a_batch() -> None:
    """Only the strict profile is that strict."""
    joined = connect(FakeSource(), path="/v2/demo")
    joined.send([request("eth_subscribe", "alchemy_minedTransactions")])
    (((answer),),) = joined.messages
    assert "result" in answer
    joined.close()


def test_batches_are_shorter_over_sockets(strict: MemoryPair) -> None:
    """Twenty requests are a batch, twenty-one are too many; over HTTP a thousand are allowed."""
    strict.send([request("eth_chainId", request_id=at) for at in range(20)])
    (answers,) = strict.messages
    assert len(answers) == 20
    strict.messages.clear()
    strict.send([request("eth_chainId", request_id=at) for at in range(21)])
    ((answer,),) = strict.messages
    assert answer["error"] == {
        "code": -32600,
        "message": "The maximum batch size that can be sent over a websocket connection is 20. "
        "Please decrease the batch size and try again.",
    }
    dialect = alchemy.make()
    many = orjson.dumps([request("eth_chainId")] * 1000)
    parsed = dialect.envelope.parse_http(many, dialect.limits)
    assert isinstance(parsed, Batch)
    assert len(parsed.requests) == 1000
