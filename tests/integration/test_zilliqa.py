"""What a client of Zilliqa's nodes notices, over real sockets.

The first tests script the chain; the others look from outside at a server with a real development
chain, whose blocks are made through its Ethereum listener.
"""

import hashlib
import http.client
from collections.abc import Iterator
from typing import Any, Self

import orjson
import pytest
import pytest_twisted
from twisted.internet.defer import Deferred

from tests.contract import BYTECODE, SET_TOPIC, selector
from tests.running import Running, free_port
from tests.server.peer import Peer, Stand, frame, pause
from tests.signing import ADDRESSES
from tests.wire import Wire
from twisted_chainws.chain.ops import Cursor
from twisted_chainws.dialects import zilliqa
from twisted_chainws.dialects.limits import Limits
from twisted_chainws.dialects.zilliqa.projection import ZilliqaLedger
from twisted_chainws.server.factory import ServerSettings
from twisted_chainws.testing.chain import ALICE, BOB, make_transaction

pytestmark = pytest.mark.integration

NEW_BLOCK = b'{"query":"NewBlock"}'
LEAVE = b'{"query":"Unsubscribe","type":"NewBlock"}'
INVALID = {"type": "Error", "error": "invalid query field"}
BINARY, PING = 2, 9


def stand(**options: Any) -> Stand:
    """Make a listener for Zilliqa, or with ``dialect=None`` the combined one."""
    limits = options.pop("limits", None)
    options.setdefault("dialect", zilliqa.DIALECT)
    return Stand(ServerSettings(limits=limits), **options)


def query(name: str, *addresses: bytes) -> bytes:
    """Make a query with addresses."""
    return orjson.dumps({"query": name, "addresses": ["0x" + each.hex() for each in addresses]})


async def echo(peer: Peer, data: bytes, opcode: int = 1) -> None:
    """Send a query; its echo is the next message, in a text frame."""
    peer.send(frame(data, opcode))
    assert await peer.frame() == (1, data)


async def items(peer: Peer) -> list[Any]:
    """Return the items of the next message, which is a notification."""
    message = await peer.json()
    assert message["type"] == "Notification"
    values: list[Any] = message["values"]
    return values


@pytest_twisted.ensureDeferred
async def test_echo_is_the_message_byte_for_byte() -> None:
    """Odd white space, unknown members and escapes come back as they were sent, as text."""
    async with stand() as chain:
        peer = await chain.ws()
        for data in (
            b'{\n\t"query" :  "NewBlock"\n}',
            b'{"x":[1.0, 1e2],"query":"New\\u0042lock","x":2}',
            b'{"query":"NewBlock","snow":"\xe2\x98\x83"}',
        ):
            await echo(peer, data)
            await echo(peer, data, BINARY)
        peer.send(frame(NEW_BLOCK[:5], fin=False) + frame(NEW_BLOCK[5:], 0))
        assert await peer.frame() == (1, NEW_BLOCK)


@pytest_twisted.ensureDeferred
async def test_mistakes_leave_the_connection_open() -> None:
    """Bytes that are no text in a binary frame are no query; an empty message is nothing."""
    async with stand() as chain:
        peer = await chain.ws()
        peer.send(frame(b"\xff\xfe", BINARY) + frame(b"") + frame(b"{}"))
        assert [await peer.json(), await peer.json()] == [INVALID, INVALID]
        await echo(peer, NEW_BLOCK)


@pytest_twisted.ensureDeferred
async def test_replies_keep_the_order_of_queries_while_the_source_is_asked() -> None:
    """Everything in one read; a block meanwhile reaches what was answered before it."""
    async with stand() as chain:
        peer = await chain.ws()
        asked: list[Deferred[str]] = []

        def ask(_method: str, _params: Any) -> Deferred[str]:
            asked.append(Deferred())
            return asked[-1]

        chain.source.query = ask  # type: ignore[method-assign, assignment]
        events, payments = query("EventLog", ALICE), query("TxnLog", BOB)
        peer.send(frame(NEW_BLOCK) + frame(events) + frame(payments) + frame(b"{}"))
        assert await peer.frame() == (1, NEW_BLOCK)
        chain.source.mine((make_transaction(0), []))
        assert [item["query"] for item in await items(peer)] == ["NewBlock"]
        await pause(0.05)
        assert not peer.buffer
        asked[0].callback("0x60")
        assert await peer.frame() == (1, events)
        assert await peer.frame() == (1, payments)
        assert await peer.json() == INVALID
        chain.source.mine((make_transaction(1), []))
        assert [item["query"] for item in await items(peer)] == ["NewBlock", "EventLog", "TxnLog"]


@pytest_twisted.ensureDeferred
async def test_one_last_delivery_and_then_silence() -> None:
    """The message that confirms the end holds the last block; without a topic nothing comes."""
    async with stand() as chain:
        leaving, staying, silent = [await chain.ws() for _ in range(3)]
        for peer in (leaving, staying):
            await echo(peer, NEW_BLOCK)
        await echo(leaving, LEAVE)
        for _ in range(2):
            chain.source.mine()
        first = await items(leaving)
        assert [item["query"] for item in first] == ["NewBlock", "Unsubscribe"]
        assert first[1]["value"] == ["NewBlock"]
        for _ in range(2):
            assert [item["query"] for item in await items(staying)] == ["NewBlock"]
        await pause(0.05)
        assert not leaving.buffer
        assert not silent.buffer


@pytest_twisted.ensureDeferred
async def test_each_client_gets_its_own_items_of_a_block() -> None:
    """Two that watch different accounts, and one that watches nothing of this block."""
    async with stand() as chain:
        peers = [await chain.ws() for _ in range(3)]
        for peer, account in zip(peers, (ALICE, BOB, bytes(19) + b"\x09"), strict=True):
            await echo(peer, query("TxnLog", account))
        chain.source.mine((make_transaction(0), []))
        told = [(await items(peer))[0] for peer in peers]
        assert [item.get("value", [{}])[0].get("address") for item in told] == [
            ALICE.hex(), BOB.hex(), None,
        ]  # fmt: skip
        assert told[2] == {"query": "TxnLog"}


@pytest_twisted.ensureDeferred
async def test_cursors_name_places_of_the_journal() -> None:
    """Each block of a change of the chain has its own."""
    async with stand() as chain:
        peer = await chain.ws()
        await echo(peer, b'{"query":"NewBlock","cursor":true}')
        chain.source.mine()
        chain.source.reorganise(1, [[], []])
        places = [Cursor.parse((await peer.json())["cursor"]) for _ in range(3)]
        assert [(place.seq, place.index) for place in places] == [(1, 1), (2, 1), (2, 2)]
        assert len({place.epoch for place in places}) == 1


@pytest_twisted.ensureDeferred
async def test_a_message_over_the_limit_closes_1009() -> None:
    """The bound of nodes: 2,048 bytes are taken, one more ends the connection without a word."""
    async with stand(limits=Limits(message_bytes=2_048)) as chain:
        peer = await chain.ws()
        await echo(peer, NEW_BLOCK.ljust(2_048))
        peer.send(frame(NEW_BLOCK.ljust(2_049)))
        assert (await peer.ended())[0] == 1009


@pytest_twisted.ensureDeferred
async def test_the_combined_port_takes_the_limit_of_the_language() -> None:
    """Settled by the path or by the first message, which may be too large itself."""
    large = NEW_BLOCK.ljust(65_537)
    async with stand(dialect=None) as chain:
        for path in ("/", "/zilliqa"):
            peer = await chain.ws(path)
            await echo(peer, NEW_BLOCK)
            peer.send(frame(large))
            assert (await peer.ended())[0] == 1009
            peer = await chain.ws(path)
            peer.send(frame(large))
            assert (await peer.ended())[0] == 1009
        peer = await chain.ws()
        assert await peer.call("eth_blockNumber") == "0x0"
        peer.send(frame(b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}'.ljust(70_000)))
        assert (await peer.json())["result"] == "0x7a69"


@pytest_twisted.ensureDeferred
async def test_every_path_leads_in_and_no_subprotocol_is_chosen() -> None:
    """A listener of its own looks at neither."""
    async with stand() as chain:
        for path in ("/", "/v1/anything?x=1", "/api/"):
            peer, _ = await chain.upgrade(path, Sec_WebSocket_Protocol="one")
            head = await peer.head()
            assert head.startswith("HTTP/1.1 101 ")
            assert "sec-websocket-protocol" not in head.lower()
            await echo(peer, NEW_BLOCK)
        status, headers, body = await chain.http("GET", "/health?x=1")
        assert (status, headers["content-type"]) == (200, "text/plain")
        assert body == b"got HTTP request with 0 bytes of body data.\n"


@pytest_twisted.ensureDeferred
async def test_shutting_down_closes_1001() -> None:
    """Never 1000: a client that is told so does not come back."""
    async with stand() as chain:
        peer = await chain.ws()
        await echo(peer, NEW_BLOCK)
        done = chain.site.close_all()
        assert (await peer.ended())[0] == 1001
        await done


@pytest_twisted.ensureDeferred
async def test_a_client_that_does_not_pong_is_dropped() -> None:
    """A ping after some silence, and the end when nothing comes back."""
    async with stand(limits=Limits(ping_interval_s=0.1, ping_timeout_s=0.1)) as chain:
        peer = await chain.ws()
        opcode, _ = await peer.frame()
        assert opcode == PING
        await peer.gone()


@pytest_twisted.ensureDeferred
async def test_a_slow_reader_is_bounded_and_delays_nobody() -> None:
    """What waits for it is counted; at the bound it is closed with 1008, others are served."""
    async with stand(limits=Limits(queued_notices=20)) as chain:
        slow, quick = await chain.ws(), await chain.ws()
        for peer in (slow, quick):
            await echo(peer, NEW_BLOCK)
        slow.transport.pauseProducing()  # type: ignore[union-attr]
        connections = tuple(chain.site.websockets.connections)
        most = 0
        for height in range(1, 2_000):
            chain.source.mine(*[(make_transaction(height * 500 + at), []) for at in range(500)])
            (item,) = await items(quick)
            assert item["value"]["TxBlock"]["header"]["BlockNum"] == str(height)
            most = max(most, *(each.backlog.size for each in connections if each.backlog))
            if any(each.state != each.STATE_OPEN for each in connections):
                break
        assert 0 < most <= 20
        slow.transport.resumeProducing()  # type: ignore[union-attr]
        assert (await slow.ended())[0] == 1008


@pytest_twisted.ensureDeferred
async def test_equal_messages_are_written_once_for_many() -> None:
    """However many watch, a block is encoded once; a thousand watchers of one account share too."""
    async with stand() as chain:
        peers = [await chain.ws() for _ in range(300)]
        for number, peer in enumerate(peers):
            await echo(peer, NEW_BLOCK)
            if number % 2:
                await echo(peer, query("TxnLog", ALICE))
        texts: list[Any] = []
        publish = chain.service.deliver

        def deliver(dialect: Any, notice: Any, some: Any) -> None:
            texts.append((notice, len(some)))
            publish(dialect, notice, some)

        chain.service.deliver = deliver
        chain.source.mine((make_transaction(0), []))
        for number, peer in enumerate(peers):
            assert len(await items(peer)) == 1 + number % 2
        assert [count for _, count in texts] == [150, 150]


# A real chain


class Both:
    """A server with an Ethereum and a Zilliqa listener, and a client of each."""

    def __init__(self, *options: str) -> None:
        self.port = free_port()
        self.running = Running("--silent", "--listen", f"zilliqa=tcp:{self.port}", *options)

    def __enter__(self) -> Self:
        self.running.__enter__()
        self.ethereum = Wire(self.running.port)
        self.wire = Wire(self.port, "/any/path")
        return self

    def __exit__(self, *failure: object) -> None:
        self.wire.close()
        self.ethereum.close()
        assert self.running.faults() == []
        self.running.stop()

    def ask(self, name: str, **members: Any) -> Any:
        """Send a query and return the reply; the echo is byte for byte what was sent."""
        data = orjson.dumps({"query": name} | members)
        self.wire.send(data)
        reply = self.wire.receive()
        return "echo" if reply == data else reply

    def items(self) -> list[Any]:
        """Return the items of the next notification."""
        message = orjson.loads(self.wire.receive())
        assert message["type"] == "Notification"
        values: list[Any] = message["values"]
        return values

    def send(self, **fields: Any) -> Any:
        """Send an Ethereum transaction, mined at once, and return its receipt."""
        fields = {"from": ADDRESSES[0]} | fields
        sent = self.ethereum.call("eth_sendTransaction", fields)
        return self.ethereum.call("eth_getTransactionReceipt", sent)

    def deploy(self) -> str:
        """Deploy the contract and return its address."""
        address: str = self.send(data=BYTECODE)["contractAddress"]
        return address


@pytest.fixture(scope="module")
def both() -> Iterator[Both]:
    """Give one server for the tests that do not mind the others' blocks."""
    with Both() as running:
        yield running


@pytest.fixture(name="client")
def _client(both: Both) -> Both:
    """Give a fresh connection to it."""
    both.wire.close()
    both.wire = Wire(both.port)
    return both


def test_blocks_chain_and_their_hashes_can_be_computed(client: Both) -> None:
    """Numbers, links, counts, the hash of the microblocks and the time, block after block."""
    assert client.ask("NewBlock") == "echo"
    client.ethereum.call("evm_mine")
    client.send(to=ADDRESSES[1], value="0x1")
    client.deploy()
    previous: Any = None
    for count in (0, 1, 1):
        (item,) = client.items()
        block, hashes = item["value"]["TxBlock"], item["value"]["TxHashes"]
        header, body = block["header"], block["body"]
        assert item["TxHashes"] == hashes
        assert header["NumTxns"] == count == sum(map(len, hashes))
        assert (hashes == []) is (count == 0)
        if previous is not None:
            assert header["PrevBlockHash"] == previous["body"]["BlockHash"]
            assert int(header["BlockNum"]) == int(previous["header"]["BlockNum"]) + 1
        infos = b"".join(
            b"\x0a\x20" + bytes.fromhex(info["MicroBlockHash"])
            + b"\x12\x20" + bytes.fromhex(info["MicroBlockTxnRootHash"])
            + b"\x18" + bytes([info["MicroBlockShardId"]])
            for info in body["MicroBlockInfos"]
        )  # fmt: skip
        assert header["MbInfoHash"] == hashlib.sha256(infos).hexdigest()
        seen = client.ethereum.call("eth_getBlockByNumber", hex(int(header["BlockNum"])), False)
        assert int(header["Timestamp"]) == int(seen["timestamp"], 16) * 1_000_000
        assert [each[2:] for each in seen["transactions"]] == [
            each for row in hashes for each in row
        ]
        assert header["MinerPubKey"] == "0x" + ZilliqaLedger().public_key.hex().upper()
        previous = block


def test_only_contracts_can_be_watched_for_events(client: Both) -> None:
    """The state is that of the newest block; a contract that comes later needs another query."""
    answer = orjson.dumps({"type": "Error", "error": "no contract found in list"})
    assert client.ask("EventLog", addresses=[ADDRESSES[0]]) == answer
    contract = client.deploy()
    assert client.ask("EventLog", addresses=[ADDRESSES[0], contract]) == "echo"


def test_events_of_a_real_contract(client: Both) -> None:
    """A log is shown under its first topic; failed calls show nothing, and TxnLog tells both."""
    contract = client.deploy()
    assert client.ask("TxnLog", addresses=[ADDRESSES[2]]) == "echo"
    assert client.ask("EventLog", addresses=[contract]) == "echo"
    data = selector("set(uint256)") + f"{7:064x}"
    gas = {"from": ADDRESSES[2], "to": contract, "gas": hex(100_000)}
    good = client.send(**gas, data=data)
    bad = client.send(**gas, data=selector("fail()"))
    events, transactions = client.items()
    assert events["value"][0]["address"] == contract[2:].lower()
    (log,) = events["value"][0]["event_logs"]
    assert log["_eventname"] == SET_TOPIC
    assert log["params"][-1] == {"type": "ByStr", "value": f"0x{7:064x}", "vname": "data"}
    (entry,) = transactions["value"][0]["log"]
    assert (entry["ID"], entry["success"]) == (good["transactionHash"][2:], True)
    assert entry["toAddr"] == contract[2:].lower()
    events, transactions = client.items()
    assert events == {"query": "EventLog"}
    (entry,) = transactions["value"][0]["log"]
    assert (entry["ID"], entry["success"]) == (bad["transactionHash"][2:], False)


def test_recipient_before_sender(client: Both) -> None:
    """One transaction is told once, under its recipient when both are watched."""
    assert client.ask("TxnLog", addresses=[ADDRESSES[3], ADDRESSES[4]]) == "echo"
    client.send(**{"from": ADDRESSES[3]}, to=ADDRESSES[4], value=hex(5 * 10**6))
    ((entry,),) = [item["value"] for item in client.items()]
    assert entry["address"] == ADDRESSES[4][2:].lower()
    assert entry["log"][0]["amount"] == "5"


def test_a_reorganisation_repeats_heights(client: Both) -> None:
    """Every block of the new branch is announced; a rollback is not."""
    for _ in range(2):
        client.ethereum.call("evm_mine")
    assert client.ask("NewBlock") == "echo"
    height = int(client.ethereum.call("eth_blockNumber"), 16)
    client.ethereum.call("anvil_reorg", 2, [])
    heights = [client.items()[0]["value"]["TxBlock"]["header"]["BlockNum"] for _ in range(2)]
    assert heights == [str(height - 1), str(height)]
    client.ethereum.call("anvil_rollback", 1)
    client.ethereum.call("evm_mine")
    (item,) = client.items()
    assert item["value"]["TxBlock"]["header"]["BlockNum"] == str(height)


def test_plain_requests_are_answered(both: Both) -> None:
    """Health checks get a line of text on any path."""
    for path in ("/", "/health"):
        connection = http.client.HTTPConnection("127.0.0.1", both.port, timeout=10)
        connection.request("GET", path)
        answer = connection.getresponse()
        assert (answer.status, answer.read()[:21]) == (200, b"got HTTP request with")
        connection.close()


def test_options_of_the_operator() -> None:
    """Wording, limit of this dialect and confirmations, as the command line has them."""
    with Both(
        *("--zilliqa-errors", "bare", "--zilliqa-event-address", "0x"),
        *("--zilliqa-txhashes", "beside", "--confirmations", "1"),
        *("--limit", "zilliqa.message-bytes=2048"),
    ) as server:
        contract = server.deploy()
        assert server.ask("TxnLog", addresses=["0x1"]) == b"no valid address found"
        assert server.ask("EventLog", addresses=[contract, "0x1"]) == b"Invalid hex address"
        assert server.ask("NewBlock") == "echo"
        server.send(to=contract, data=selector("set(uint256)") + f"{7:064x}", gas=hex(100_000))
        first = server.items()
        assert first[0]["value"]["TxBlock"]["header"]["BlockNum"] == "1"
        assert first[0].keys() == {"query", "value", "TxHashes"}
        assert first[0]["value"].keys() == {"TxBlock"}
        server.ethereum.call("evm_mine")
        _, events = server.items()
        assert events["value"][0]["address"] == contract.lower()
