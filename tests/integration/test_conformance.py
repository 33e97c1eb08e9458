"""The Ethereum listener, row by row, as a stranger meets it: one server, WebSocket and HTTP.

Each row was checked against the source that it follows: go-ethereum 02b73d4e, the Alchemy and
Tokenview pages on subscriptions, and anvil 2a5df2c for the development methods.
"""

import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract import BYTECODE, selector
from tests.dialects.ethereum.published import exchanges
from tests.integration.rows import (
    ANSWERS,
    BOOM,
    CONTRACT,
    ETHER,
    HEAD,
    NOBODY,
    REFUSALS,
    ZERO,
    Row,
    setting,
)
from tests.running import Running
from tests.signing import ADDRESSES, signed
from tests.wire import BINARY, PING, PONG, Closed, Refused, RpcError, Wire, frame, frames, post

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    """Give a server whose block 1 holds the contract and block 2 a log of it."""
    with Running("--silent") as running:
        with Wire(running.port) as wire:
            creation = {"to": None, "value": 0, "gas": 1_000_000, "data": BYTECODE}
            wire.call("eth_sendRawTransaction", signed(0, 0, **creation))
            wire.call("eth_sendTransaction", setting(7))
        yield running
        assert running.faults() == []


@pytest.fixture
def wire(server: Running) -> Iterator[Wire]:
    """Give a connection; whatever is done to the chain is undone."""
    with Wire(server.port) as connection:
        snapshot = connection.call("evm_snapshot")
        yield connection
        connection.call("evm_setAutomine", True)
        assert connection.call("evm_revert", snapshot) is True


def told(wire: Wire, method: str, *params: Any) -> Any:
    """Return a result, or code and message of an error."""
    try:
        return wire.call(method, *params)
    except RpcError as error:
        return error.code, error.message


def head(wire: Wire) -> dict[str, Any]:
    """Return the newest block."""
    block: dict[str, Any] = wire.call("eth_getBlockByNumber", "latest", False)
    return block


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ('{"id":1,"method":"net_version","params":null}', {"id": 1, "result": "31337"}),
        ('{"jsonrpc":"2.0","id":null,"method":"net_version"}', {"id": None, "result": "31337"}),
        ('{"jsonrpc":"2.0","id":"1","method":"net_version"}', {"id": "1", "result": "31337"}),
        ('{"jsonrpc":"1.0","id":1,"method":"net_version"}', (1, -32600, "invalid request")),
        ('{"jsonrpc":"2.0","id":{},"method":"net_version"}', (None, -32600, "invalid request")),
        ('{"id":1,"method":"net_version","params":{}}', (1, -32602, "non-array args")),
        ('{"jsonrpc":"2.0","id":1}', (1, -32600, "invalid request")),
        ("[]", (None, -32600, "empty batch")),
        ("5", (None, -32600, "invalid request")),
        ('{"jsonrpc":"2.0","method":"eth_foo","params":{}}', None),
        ('{"jsonrpc":"2.0","method":"x_subscription","params":{}}', None),
        ('{"jsonrpc":"2.0","id":77,"result":1}', None),
        ('[{"method":"net_version"}]', None),
        (
            '{"id":1,"method":"eth_foo"}',
            (1, -32601, "the method eth_foo does not exist/is not available"),
        ),
        (
            f'{{"id":1,"method":"{"a" * 3000}"}}',
            (1, -32600, "method name too long: 3000 > 2048"),
        ),
    ],
)
def test_messages(server: Running, text: str, answer: Any) -> None:
    """A message has the same answer, or none, in a text frame, a binary one and over HTTP."""
    if isinstance(answer, tuple):
        request_id, code, message = answer
        answer = {"id": request_id, "error": {"code": code, "message": message}}
    expected = None if answer is None else {"jsonrpc": "2.0", **answer}
    status, body = post(server.port, text.encode())
    assert (status, json.loads(body) if body else None) == (200, expected)
    with Wire(server.port) as wire:
        for opcode in (1, BINARY):
            wire.send(text.encode(), opcode)
            wire.send(b'{"id":"end","method":"eth_chainId"}')
            first = json.loads(wire.receive())
            if expected is not None:
                assert first == expected
                first = json.loads(wire.receive())
            assert first["id"] == "end"


def test_malformed_messages_leave_the_connection_open(server: Running) -> None:
    """Each is answered -32700 with a null id; a large id does not change that."""
    deep = "[" * 1_000 + "]" * 1_000
    nested = f'{{"id":{10**30},"method":"eth_foo","params":{deep}}}'
    with Wire(server.port) as wire:
        for text in ("{bad", '{"id":1', "", "[1] 2"):
            wire.send(text.encode())
            answer = json.loads(wire.receive())
            assert (answer["id"], answer["error"]["code"]) == (None, -32700)
        wire.send(nested.encode())
        assert json.loads(wire.receive())["error"]["code"] == -32601
        assert wire.call("eth_chainId") == "0x7a69"


def test_frames(server: Running) -> None:
    """Fragments join, pings are echoed, 31 MiB pass; bad UTF-8 and 33 MiB close with a reason."""
    text = b'{"id":1,"method":"eth_chainId"}'
    with Wire(server.port) as wire:
        parts = bytes((0x01, 0x85)) + bytes(4) + text[:5], bytes((0x80, 0x80 | len(text) - 5))
        wire.socket.sendall(parts[0] + parts[1] + bytes(4) + text[5:])
        assert json.loads(wire.receive())["result"] == "0x7a69"
        wire.send(b"hello", PING)
        data = bytearray(wire.socket.recv(100))
        assert list(frames(data)) == [(PONG, b"hello")]
        wire.send(b'{"id":1,"method":"%s"}' % (b"a" * (31 << 20)))
        assert json.loads(wire.receive())["error"]["code"] == -32600
        wire.send(b"\xff\xfe")
        with pytest.raises(Closed) as closed:
            wire.receive()
        assert closed.value.code == 1007
    with Wire(server.port) as wire:
        # The rest stays unsent: the length at the start of the frame is enough for the answer.
        wire.socket.sendall(frame(b" " * (33 << 20))[:1000])
        with pytest.raises(Closed) as closed:
            wire.receive()
        assert closed.value.code == 1009


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 101),
        ("/ws/demo", 101),
        ("/v2/demo", 101),
        ("/vipapi/websocket/node/ETH/key", 101),
        ("/vipapi/websocket/node/kcs/key", 101),
        ("/vipapi/websocket/node/kcc/key", 101),
        ("/vipapi/websocket/node/doge/key", 404),
        ("/other", 404),
    ],
)
def test_paths(server: Running, path: str, status: int) -> None:
    """The paths of the three vendors lead here, others nowhere, also over HTTP."""
    body = b'{"id":1,"method":"eth_chainId"}'
    assert post(server.port, body, path=path)[0] == (200 if status == 101 else status)
    if status == 101:
        Wire(server.port, path).close()
        return
    with pytest.raises(Refused) as refused:
        Wire(server.port, path)
    assert refused.value.status == status


@pytest.mark.parametrize(
    ("method", "content_type", "status", "body"),
    [
        ("POST", "application/json; charset=utf-8", 200, "0x7a69"),
        ("POST", "application/json-rpc", 200, "0x7a69"),
        ("POST", "application/jsonrequest", 200, "0x7a69"),
        ("POST", "text/plain", 415, "invalid content type, only application/json"),
        ("GET", None, 200, ""),
        ("PUT", "application/json", 405, "method not allowed"),
        ("DELETE", None, 405, "method not allowed"),
        ("OPTIONS", None, 204, ""),
    ],
)
def test_http(
    server: Running, method: str, content_type: str | None, status: int, body: str
) -> None:
    """Method and content type decide as in go-ethereum."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    request = '{"id":1,"method":"eth_chainId"}' if content_type else None
    headers = {"Content-Type": content_type} if content_type else {}
    connection.request(method, "/", request, headers)
    answer = connection.getresponse()
    assert answer.status == status
    assert body in answer.read().decode()
    connection.close()


@pytest.mark.parametrize(("method", "params", "expected"), ANSWERS + REFUSALS)
def test_both_transports_answer(
    server: Running, method: str, params: list[Any], expected: Any
) -> None:
    """WebSocket and HTTP give one and the same answer, the one that is expected."""
    with Wire(server.port) as wire:
        text = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        text = text.replace(HEAD, head(wire)["hash"])
        wire.send(text.encode())
        over_wire = wire.receive()
    assert post(server.port, text.encode()) == (200, over_wire)
    answer = json.loads(over_wire)
    if isinstance(expected, tuple):
        assert (answer["error"]["code"], answer["error"]["message"]) == expected
    else:
        assert answer["result"] == expected
        assert type(answer["result"]) is type(expected)


def test_revert_data(server: Running) -> None:
    """An error of a contract carries its bytes, a bare revert ``0x``."""
    with Wire(server.port) as wire:
        for name, data in (("fail()", BOOM), ("missing()", "0x")):
            with pytest.raises(RpcError) as caught:
                wire.call("eth_call", {"to": CONTRACT, "data": selector(name)})
            assert (caught.value.code, caught.value.data) == (3, data)


@pytest.mark.parametrize(
    ("params", "code", "message"),
    [
        ([], -32602, "expected subscription name as first argument"),
        (["foo"], -32601, 'no "foo" subscription in eth namespace'),
        (["newHeads", True], -32602, "too many arguments, want at most 1"),
        (["logs", {"topics": [None] * 5}], -32602, "invalid argument 1: exceed max topics"),
        (["logs", {"address": 5}], -32602, "invalid argument 1: invalid addresses in query"),
        (["logs", {"topics": [5]}], -32602, "invalid argument 1: invalid topic(s)"),
        (["logs", {"toBlock": "pending"}], -32602, "pending logs are not supported"),
        (
            ["logs", {"address": [f"0x{number:040x}" for number in range(1001)]}],
            -32000,
            "exceed max addresses or topics per search position",
        ),
        (
            ["logs", {"topics": ["0x11"]}],
            -32602,
            "invalid argument 1: hex has invalid length 1 after decoding; expected 32 for topic",
        ),
        (
            ["newPendingTransactions", {}],
            -32602,
            "invalid argument 1: json: cannot unmarshal object into Go value of type bool",
        ),
    ],
)
def test_subscription_refusals(server: Running, params: Any, code: int, message: str) -> None:
    """Over WebSocket the reason is told; over HTTP there are no subscriptions at all."""
    with Wire(server.port) as wire:
        assert told(wire, "eth_subscribe", *params) == (code, message)
    body = {"id": 1, "method": "eth_subscribe", "params": params}
    error = json.loads(post(server.port, json.dumps(body).encode())[1])["error"]
    assert error == {"code": -32601, "message": "notifications not supported"}


def test_a_reorganisation_on_the_wire(wire: Wire) -> None:
    """Removed logs, then the new heads, then what is pending again; filters agree."""
    names = {
        wire.call("eth_subscribe", "newHeads", None): "head",
        wire.call("eth_subscribe", "logs", {"address": CONTRACT}): "log",
        wire.call("eth_subscribe", "newPendingTransactions", False): "pending",
    }
    polled = wire.call("eth_newFilter", {"address": CONTRACT})
    sent = [wire.call("eth_sendTransaction", setting(value)) for value in (1, 2)]
    seen = [names[owner] for owner, _ in wire.settle()]
    assert seen == ["pending", "head", "log"] * 2
    before = wire.call("eth_getFilterChanges", polled)
    assert wire.call("anvil_reorg", 2, []) is None
    events = [(names[owner], result) for owner, result in wire.settle()]
    assert [name for name, _ in events] == ["log"] * 2 + ["head"] * 2 + ["pending"] * 2
    removed = [result for name, result in events if name == "log"]
    assert removed == [log | {"removed": True} for log in before]
    assert removed == wire.call("eth_getFilterChanges", polled)
    assert [result["number"] for name, result in events if name == "head"] == ["0x3", "0x4"]
    assert [result for name, result in events if name == "pending"] == sent
    for transaction in sent:
        assert wire.call("eth_getTransactionReceipt", transaction) is None
        assert wire.call("eth_getTransactionByHash", transaction)["blockHash"] is None
    assert wire.call("eth_getFilterLogs", polled) == []
    for subscription in names:
        assert wire.call("eth_unsubscribe", subscription) is True
        assert wire.call("eth_unsubscribe", subscription) is False
    wire.call("evm_mine")
    assert wire.settle() == []


def test_batch_barrier_and_foreign_subscriptions(server: Running, wire: Wire) -> None:
    """Events wait for the answer of the batch; an id of another connection is unknown."""
    calls = [("eth_subscribe", ["newHeads"]), ("evm_mine", []), ("eth_blockNumber", [])]
    batch = [
        {"id": number, "method": method, "params": params}
        for number, (method, params) in enumerate(calls)
    ]
    wire.send(json.dumps(batch).encode())
    answers = json.loads(wire.receive())
    assert [answer["id"] for answer in answers] == [0, 1, 2]
    subscription = answers[0]["result"]
    assert len(subscription) == 34
    assert subscription[2] != "0"
    with Wire(server.port) as other:
        assert other.call("eth_unsubscribe", subscription) is False
    notice = json.loads(wire.receive())
    assert notice.keys() == {"jsonrpc", "method", "params"}
    assert notice["params"]["result"] == wire.call("eth_getHeaderByNumber", "latest")
    assert not {"size", "transactions", "totalDifficulty"} & notice["params"]["result"].keys()


def test_defaults_of_sent_transactions(wire: Wire) -> None:
    """What a request leaves out follows nonce, estimate and base fee; fees choose the type."""
    base_fee = int(wire.call("eth_baseFee"), 16)
    sender = {"from": ADDRESSES[2], "to": NOBODY}
    wire.call("evm_setAutomine", False)
    plain, priced = (
        wire.call("eth_getTransactionByHash", wire.call("eth_sendTransaction", sender | extra))
        for extra in ({}, {"gasPrice": "0x77359400", "accessList": []})
    )
    assert (plain["type"], plain["nonce"], plain["gas"]) == ("0x2", "0x0", "0x5208")
    assert int(plain["maxPriorityFeePerGas"], 16) == 10**9
    assert int(plain["maxFeePerGas"], 16) == 2 * base_fee + 10**9
    assert (priced["type"], priced["nonce"], priced["gasPrice"]) == ("0x1", "0x1", "0x77359400")
    assert wire.call("eth_getTransactionCount", ADDRESSES[2], "pending") == "0x2"
    pending = wire.call("eth_getBlockByNumber", "pending", True)
    assert [each["hash"] for each in pending["transactions"]] == [plain["hash"], priced["hash"]]
    assert (pending["hash"], pending["nonce"], pending["miner"]) == (None, None, None)
    content = wire.call("txpool_contentFrom", ADDRESSES[2])
    assert content["pending"] == {"0": plain, "1": priced}
    assert wire.call("txpool_inspect")["pending"].popitem()[1]["1"] == (
        f"0x{'DDdDddDdDdddDDddDDddDDDDdDdDDdDDdDDDDDDd'}: 0 wei + 21000 gas × 2000000000 wei"
    )
    filled = wire.call("eth_fillTransaction", sender)
    assert filled["raw"].endswith("c0808080")
    assert {filled["tx"][name] for name in ("yParity", "r", "s")} == {"0x0"}


def test_rewards_by_gas(wire: Wire) -> None:
    """Tips are sorted and weighed by the gas that paid them; empty blocks give zeros."""
    wire.call("evm_setAutomine", False)
    for account, tip in ((3, 2), (4, 3), (5, 1)):
        raw = signed(account, 0, maxPriorityFeePerGas=tip * 10**9)
        wire.call("eth_sendRawTransaction", raw)
    wire.call("anvil_mine", 2)
    history = wire.call("eth_feeHistory", 2, "latest", [0, 30, 50, 100])
    tips = [int(tip, 16) // 10**9 for tip in history["reward"][0]]
    assert tips == [1, 1, 2, 3]
    assert history["reward"][1] == ["0x0"] * 4
    assert history["gasUsedRatio"] == [63_000 / 30_000_000, 0]
    assert len(history["baseFeePerGas"]) == len(history["baseFeePerBlobGas"]) == 3
    assert history["baseFeePerGas"][-1] == wire.call("eth_baseFee")


def test_time(wire: Wire) -> None:
    """Increases add up, commands hold for one block, intervals count from the head."""

    def now() -> int:
        return int(head(wire)["timestamp"], 16)

    offset = wire.call("evm_increaseTime", "0x64")
    assert wire.call("anvil_increaseTime", "100") == offset + 100
    start = now() + 1_000
    assert wire.call("evm_setNextBlockTimestamp", start) is None
    block = wire.call("eth_getBlockByNumber", "pending", False)
    assert int(block["timestamp"], 16) == start
    assert wire.call("evm_mine") == "0x0"
    assert now() == start
    assert wire.call("anvil_mine", 1, 60) is None
    assert now() in range(start + 60, start + 75)
    start = now()
    assert wire.call("hardhat_mine", "0x2", 60) is True
    assert now() in range(start + 60, start + 75)
    start = now()
    assert wire.call("anvil_setBlockTimestampInterval", 7) is None
    wire.call("evm_mine", {"blocks": 2})
    assert now() == start + 14
    assert wire.call("anvil_removeBlockTimestampInterval") is True
    assert wire.call("anvil_removeBlockTimestampInterval") is False
    wire.call("evm_mine", {"timestamp": start + 5_000, "blocks": 1})
    assert now() == start + 5_000


def test_commands(wire: Wire) -> None:
    """Each name answers as the node it comes from, and does what it says."""
    beyond = 123_456_789_012_345_678_901_234
    rows: list[Row] = [
        ("anvil_setNonce", [NOBODY, "5"], None),
        ("hardhat_setNonce", [NOBODY, 7], True),
        ("anvil_setCode", [NOBODY, "0x00"], None),
        ("hardhat_setStorageAt", [NOBODY, "0x1", ZERO], True),
        ("tenderly_setBalance", [NOBODY, "1"], None),
        ("anvil_addBalance", [NOBODY, hex(ETHER)], None),
        ("eth_getBalance", [NOBODY], hex(ETHER + 1)),
        ("hardhat_impersonateAccount", [NOBODY], True),
        ("anvil_setCoinbase", [NOBODY], None),
        ("eth_coinbase", [], NOBODY),
        ("evm_setBlockGasLimit", [20_000_000], True),
        ("anvil_setNextBlockBaseFeePerGas", ["0x7"], None),
        ("hardhat_setPrevRandao", ["0x" + "ab" * 32], True),
        ("anvil_setLoggingEnabled", [False], None),
        ("anvil_setChainId", [5], None),
        ("eth_chainId", [], "0x5"),
        ("net_version", [], "5"),
        ("anvil_setChainId", ["0x7a69"], None),
    ]
    for method, params, expected in rows:
        assert (method, told(wire, method, *params)) == (method, expected)
    request = {"id": "exact", "method": "anvil_setBalance", "params": [NOBODY, beyond]}
    wire.send(json.dumps(request).encode())
    assert wire.finish("exact") is None
    assert int(wire.call("eth_getBalance", NOBODY), 16) == beyond
    receipt = wire.call(
        "eth_getTransactionReceipt",
        wire.call("eth_sendTransaction", {"from": NOBODY, "to": ADDRESSES[0], "value": "0x1"}),
    )
    assert (receipt["from"], receipt["status"]) == (NOBODY, "0x1")
    block = head(wire)
    assert (block["miner"], block["gasLimit"], block["baseFeePerGas"]) == (
        NOBODY,
        hex(20_000_000),
        "0x7",
    )
    assert block["mixHash"] == "0x" + "ab" * 32
    assert wire.call("debug_setHead", "0x1") is None
    assert wire.call("eth_blockNumber") == "0x1"


def test_shapes_are_the_published_ones(wire: Wire) -> None:
    """Blocks, transactions, receipts and logs have the members of the published examples."""
    key = f"0x{1:064x}"
    authorization = {"chainId": "0x0", "address": CONTRACT, "nonce": "0x0", "yParity": "0x0"}
    priced = {"gasPrice": "0x77359400", "accessList": [{"address": NOBODY, "storageKeys": [key]}]}
    ours: dict[tuple[str, str], Any] = {
        ("eth_getBlockByNumber", ""): head(wire),
        ("eth_getLogs", ""): wire.call("eth_getLogs", {})[0],
    }
    for extra in (priced, {"authorizationList": [authorization | {"r": "0x1", "s": "0x1"}]}):
        request = {"from": ADDRESSES[2], "to": NOBODY, "gas": "0x186a0"}
        sent = wire.call("eth_sendTransaction", request | extra)
        for method in ("eth_getTransactionByHash", "eth_getTransactionReceipt"):
            shape = wire.call(method, sent)
            ours[method, shape["type"]] = shape
    compared = set()
    for name, _, response in exchanges():
        shape = response.get("result")
        shape = shape[0] if isinstance(shape, list) and shape else shape
        place = name.split("/")[0], shape.get("type", "") if isinstance(shape, dict) else ""
        if not shape or place not in ours or ("requestsHash" not in shape and "size" in shape):
            continue
        assert ours[place].keys() == shape.keys(), name
        compared.add(place)
    assert compared == ours.keys()
