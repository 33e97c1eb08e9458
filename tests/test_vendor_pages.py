"""The pages of Alchemy and Tokenview: each sentence has its tests, each request is sent as printed.

The requests go byte by byte over real sockets to a real chain.
"""

import time
from collections.abc import Iterator
from typing import Any, Final

import orjson
import pytest

from tests.running import Running
from tests.signing import ADDRESSES, signed
from tests.traceability import missing
from tests.vendor_pages import ALCHEMY, TOKENVIEW, Sentence
from tests.wire import PING, PONG, Wire, frames, post

PAGES: Final = {"alchemy": ALCHEMY, "tokenview": TOKENVIEW}
NODE: Final = "/vipapi/websocket/node"


@pytest.mark.parametrize("page", PAGES)
def test_every_sentence_has_its_tests(page: str) -> None:
    """Each names at least one test, all that it names are there, and none is listed twice."""
    sentences = PAGES[page]
    assert len({sentence.words for sentence in sentences}) == len(sentences)
    assert all(sentence.says and sentence.tests for sentence in sentences)
    lost = {each.words: missing(each.tests) for each in sentences if missing(each.tests)}
    assert lost == {}


def test_a_deleted_test_would_be_missed() -> None:
    """A sentence whose test is gone is found out."""
    sentence = Sentence("words", "says", ("test_vendor_pages.py::test_that_was_deleted",))
    assert missing(sentence.tests) == list(sentence.tests)


@pytest.fixture(scope="module", params=["superset", "vendor"])
def servers(request: pytest.FixtureRequest) -> Iterator[dict[str, Running]]:
    """Give a server for each vendor: the default one for both, or one of each strict profile."""
    if request.param == "superset":
        with Running("--silent") as server:
            yield dict.fromkeys(PAGES, server)
        return
    options = ("--silent", "--profile")
    with Running(*options, "alchemy") as one, Running(*options, "tokenview") as other:
        yield {"alchemy": one, "tokenview": other}


@pytest.fixture
def guide(servers: dict[str, Running]) -> Iterator[Wire]:
    """Give a connection with the path of Alchemy's guide; what is done to the chain is undone."""
    yield from _connection(servers["alchemy"], "/ws/demo")


@pytest.fixture
def quickstart(servers: dict[str, Running]) -> Iterator[Wire]:
    """Give a connection with the path of Tokenview's page."""
    yield from _connection(servers["tokenview"], f"{NODE}/eth/some-key")


def _connection(server: Running, path: str) -> Iterator[Wire]:
    with Wire(server.port, path) as wire:
        snapshot = wire.call("evm_snapshot")
        yield wire
        assert wire.call("evm_revert", snapshot) is True
    assert server.faults() == []


def ask(wire: Wire, text: str) -> dict[str, Any]:
    """Send a text and return the answer to it."""
    wire.send(text.encode())
    answer = orjson.loads(wire.receive())
    assert answer.keys() == {"jsonrpc", "id", "result"}
    assert answer["jsonrpc"] == "2.0"
    return dict(answer)


def event(wire: Wire, subscription: str) -> Any:
    """Return the result of the next event, which has the form that the guide shows."""
    while "method" not in (message := orjson.loads(wire.receive())):
        pass
    assert message.keys() == {"jsonrpc", "method", "params"}
    assert message["params"].keys() == {"subscription", "result"}
    assert (message["method"], message["params"]["subscription"]) == (
        "eth_subscription",
        subscription,
    )
    return message["params"]["result"]


# Alchemy


@pytest.mark.integration
def test_the_first_request_of_alchemys_guide(guide: Wire) -> None:
    """The gas price, asked with the id 0 under the key ``demo``."""
    answer = ask(guide, '{"jsonrpc":  "2.0", "id": 0, "method":  "eth_gasPrice"}')
    assert answer["id"] == 0
    assert int(answer["result"], 16) > 0
    assert not answer["result"].startswith("0x0")


PENDING: Final = {
    "blockHash", "blockNumber", "from", "gas", "gasPrice", "hash", "input", "nonce", "to",
    "transactionIndex", "value", "v", "r", "s",
}  # fmt: skip
TRANSFER: Final = (
    "0xa9059cbb0000000000000000000000000d0707963952f2fba59dd06f2b425ace40b492fe"
    "0000000000000000000000000000000000000000000015b1111266cfca100000"
)


@pytest.mark.integration
def test_the_pending_transaction_of_alchemys_guide(guide: Wire) -> None:
    """The object has the members of the example, and its values where those do not depend."""
    subscription = ask(
        guide,
        '{"jsonrpc":  "2.0",  "id":  1,  "method":  "eth_subscribe",  '
        '"params":  ["alchemy_newFullPendingTransactions"]}',
    )["result"]
    assert len(subscription) == len("0x9a52eeddc2b289f985c0e23a7d8427c8")
    shown = {
        "from": ADDRESSES[3],
        "to": "0xea38eaa3c86c8f9b751533ba2e562deb9acded40",
        "gas": "0x1adb0",
        "gasPrice": "0x7735c4d40",
        "input": TRANSFER,
        "value": "0x0",
    }
    sent = guide.start("eth_sendTransaction", shown)
    found = event(guide, subscription)
    assert found.keys() >= PENDING
    fixed = {"blockHash": None, "blockNumber": None, "transactionIndex": None, "nonce": "0x0"}
    assert {name: found[name] for name in (*shown, *fixed)} == shown | fixed
    assert found["hash"] == guide.finish(sent)


HEAD: Final = {
    "extraData", "gasLimit", "gasUsed", "logsBloom", "nonce", "number", "parentHash",
    "sha3Uncles", "stateRoot", "timestamp", "transactionsRoot",
}  # fmt: skip


@pytest.mark.integration
def test_the_head_of_alchemys_guide(guide: Wire, servers: dict[str, Running]) -> None:
    """The header has the members of the example; the strict profile has ``receiptRoot``, too."""
    subscription = ask(
        guide,
        '{"jsonrpc":  "2.0",  "id":  1,  "method":  "eth_subscribe",  "params":  ["newHeads"]}',
    )["result"]
    guide.start("evm_mine")
    head = event(guide, subscription)
    strict = servers["alchemy"] is not servers["tokenview"]
    assert head.keys() >= HEAD | ({"receiptRoot"} if strict else {"receiptsRoot"})
    assert [len(head[name]) for name in ("logsBloom", "nonce", "parentHash")] == [514, 18, 66]


EMITTER: Final = "0x8320fe7702b96808f7bbc0d4a888ed1468216cfd"
TOPIC: Final = "0xd78a0cb8bb633d06981248b816e7bd33c2a35a6089241d099fa519e361cab902"
DATA: Final = f"0x{1:064x}{3:064x}"
LOGGING: Final = f"0x60015f5260036020527f{TOPIC[2:]}60405fa100"
"""mstore(0, 1) mstore(32, 3) log1(0, 64, topic) stop"""


@pytest.mark.integration
def test_the_log_of_alchemys_guide(guide: Wire) -> None:
    """A contract of that address logs just what the example shows."""
    guide.call("anvil_setCode", EMITTER, LOGGING)
    subscription = ask(
        guide,
        '{"jsonrpc":  "2.0",  "id":  1,  "method":  "eth_subscribe",  "params":  ["logs",  '
        '{"address":  "0x8320fe7702b96808f7bbc0d4a888ed1468216cfd",  "topics":  '
        '["0xd78a0cb8bb633d06981248b816e7bd33c2a35a6089241d099fa519e361cab902"]}]}',
    )["result"]
    sent = guide.start("eth_sendTransaction", {"from": ADDRESSES[1], "to": EMITTER})
    log = event(guide, subscription)
    transaction = guide.finish(sent)
    block = guide.call("eth_getTransactionReceipt", transaction)
    expected = {
        "address": EMITTER,
        "blockHash": block["blockHash"],
        "blockNumber": block["blockNumber"],
        "data": DATA,
        "logIndex": "0x0",
        "topics": [TOPIC],
        "transactionHash": transaction,
        "transactionIndex": "0x0",
    }
    assert {name: log[name] for name in expected} == expected


@pytest.mark.integration
def test_the_curl_of_alchemys_guide(servers: dict[str, Running]) -> None:
    """Posted as printed it ends a subscription of the same key, and says so; others stay."""
    port = servers["alchemy"].port
    printed = '{"id": 1, "method": "eth_unsubscribe", "params": ["%s"]}'
    foreign = printed % "0x9cef478923ff08bf67fde6c64013158d"
    assert _posted(port, foreign) == {"jsonrpc": "2.0", "id": 1, "result": False}
    with Wire(port, "/v2/your-api-key") as mine, Wire(port, "/v2/another-key") as other:
        for wire, expected in ((mine, True), (other, False)):
            subscription = wire.call("eth_subscribe", "newHeads")
            answer = _posted(port, printed % subscription)
            assert answer == {"jsonrpc": "2.0", "id": 1, "result": expected}
            wire.call("evm_mine")
            assert len(wire.settle()) == (not expected)


def _posted(port: int, body: str) -> Any:
    status, answer = post(port, body.encode(), path="/v2/your-api-key")
    assert status == 200
    return orjson.loads(answer)


@pytest.mark.integration
@pytest.mark.parametrize("path", ["/ws/demo", f"{NODE}/bsc/some-key"])
def test_a_quiet_connection_stays(path: str) -> None:
    """While nothing happens the server asks for signs of life, and the next event comes."""
    options = ("--limit", "ping-interval-s=0.2", "--limit", "ping-timeout-s=2")
    with Running("--silent", *options) as server, Wire(server.port, path) as wire:
        subscription = wire.call("eth_subscribe", "newHeads")
        pings = 0
        deadline = time.monotonic() + 20
        while pings < 3:
            assert time.monotonic() < deadline
            data = bytearray(wire.socket.recv(100))
            for opcode, payload in frames(data):
                assert opcode == PING
                wire.send(payload, PONG)
                pings += 1
        wire.start("evm_mine")
        assert wire.notice(subscription)["number"] == "0x1"


# Tokenview


@pytest.mark.integration
@pytest.mark.parametrize("network", ["eth", "etc", "bsc", "kcc"])
def test_the_example_of_tokenview(servers: dict[str, Running], network: str) -> None:
    """The message on the path of each network; it is answered true for an id that is there."""
    printed = (
        '{"jsonrpc":"2.0", "id": 1, "method": "eth_unsubscribe", '
        '"params": ["0x9cef478923ff08bf67fde6c64013158d"]}'
    )
    with Wire(servers["tokenview"].port, f"{NODE}/{network}/some-key") as wire:
        assert ask(wire, printed) == {"id": 1, "jsonrpc": "2.0", "result": False}
        mine = wire.call("eth_subscribe", "newHeads")
        text = printed.replace("0x9cef478923ff08bf67fde6c64013158d", mine)
        assert ask(wire, text) == {"id": 1, "jsonrpc": "2.0", "result": True}


@pytest.mark.integration
def test_pending_transactions_of_strangers_are_told(quickstart: Wire) -> None:
    """Not only those that the node has signed itself: who signs somewhere else is heard of."""
    subscription = quickstart.call("eth_subscribe", "newPendingTransactions")
    transaction = quickstart.call("eth_sendRawTransaction", signed(4, 0))
    assert quickstart.notice(subscription) == transaction


@pytest.mark.integration
@pytest.mark.parametrize("name", ["tokenview_pendingTransactions", "okenview_pendingTransactions"])
@pytest.mark.parametrize("hashes_only", [False, True])
def test_reorganised_transactions_are_told_again(
    quickstart: Wire, name: str, hashes_only: bool
) -> None:
    """What a reorganisation takes out of the chain is pending once more, for whom it fits."""
    options = {"fromAddress": ADDRESSES[5], "hashesOnly": hashes_only}
    subscription = quickstart.call("eth_subscribe", name, options)
    sent = quickstart.call("eth_sendRawTransaction", signed(5, 0))
    quickstart.call("eth_sendRawTransaction", signed(6, 0))
    quickstart.call("anvil_reorg", 2, [])
    told = [result for owner, result in quickstart.settle() if owner == subscription]
    assert [each if hashes_only else each["hash"] for each in told] == [sent, sent]
