"""Whatever a client sends, it gets a clean answer, the connection stays, and nothing leaks.

``CHAINWS_FUZZ_MESSAGES`` sets how many messages are generated.
"""

import itertools
import json
import os
import re
from collections.abc import Iterator
from typing import Any, Final

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.running import Running
from tests.wire import BINARY, TEXT, Wire, frame, post
from twisted_chainws.dialects.ethereum import DIALECT

pytestmark = [pytest.mark.integration, pytest.mark.slow]

MESSAGES: Final = int(os.environ.get("CHAINWS_FUZZ_MESSAGES", "1000"))
INTERNAL: Final = re.compile(
    r"Traceback|File \"|\.py\b|object at 0x|<class|site-packages|NoneType|Deferred|coroutine"
    r"|(Key|Type|Value|Attribute|Index|Runtime|Assertion|Overflow|Unicode\w*)Error"
    r"|twisted|autobahn|orjson|sqlite|method handler crashed"
)
COUNTING: Final = re.compile(
    r"mine|setInterval|increaseTime|setTime|Timestamp|sendRawTransactionSync"
)
"""Commands that do as much work, or wait as long, as a number in them says."""
METHODS: Final = sorted(DIALECT.methods)
CALLABLE: Final = [name for name in METHODS if not COUNTING.search(name)]

HEX: Final = st.one_of(
    st.sampled_from(
        ["0x", "0x0", "0x1", "0x01", "0X1", "0x-1", "1", "0xzz", "0x" + "f" * 64, "0x" + "f" * 65]
    ),
    st.integers(0, 2**70).map(hex),
    st.binary(max_size=40).map(lambda data: "0x" + data.hex()),
    st.sampled_from([20, 32]).flatmap(
        lambda size: st.binary(min_size=size, max_size=size).map(lambda data: "0x" + data.hex())
    ),
)
WORDS: Final = st.sampled_from(
    ["latest", "pending", "earliest", "safe", "finalized", "newHeads", "logs", "syncing"]
)
SCALARS: Final = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=12),
    HEX,
    WORDS,
)
NAMES: Final = st.one_of(
    st.sampled_from(
        [
            "from",
            "to",
            "data",
            "input",
            "gas",
            "gasPrice",
            "value",
            "nonce",
            "fromBlock",
            "toBlock",
            "blockHash",
            "blockNumber",
            "address",
            "topics",
            "accessList",
            "maxFeePerGas",
            "type",
            "state",
            "stateDiff",
            "code",
            "balance",
            "number",
            "time",
            "authorizationList",
        ]
    ),
    HEX,
    st.text(max_size=8),
)
VALUES: Final = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(NAMES, inner, max_size=4)),
    max_leaves=12,
)
PLAUSIBLE: Final = st.fixed_dictionaries(
    {"method": st.sampled_from(CALLABLE), "params": st.lists(VALUES, max_size=4)},
    optional={"jsonrpc": st.just("2.0"), "id": st.integers(0, 9)},
)
WRONG_TYPES: Final = st.fixed_dictionaries(
    {
        "method": st.sampled_from(METHODS),
        "params": st.lists(st.text("xyz{}[]", max_size=6) | st.lists(st.none()), min_size=1),
        "id": st.integers(0, 9),
    }
)
ODD: Final = st.fixed_dictionaries(
    {},
    optional={
        "jsonrpc": VALUES,
        "id": VALUES,
        "method": st.sampled_from(CALLABLE) | VALUES,
        "params": VALUES,
        "result": VALUES,
        "error": VALUES,
    },
)
REQUESTS: Final = st.one_of(PLAUSIBLE, PLAUSIBLE, WRONG_TYPES, ODD)
JSON: Final = st.one_of(REQUESTS, REQUESTS, st.lists(REQUESTS | VALUES, max_size=5), VALUES)


def dumps(value: Any) -> bytes:
    """Return JSON text, whatever the size of its integers."""
    return json.dumps(value).encode()


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Draw JSON text with a piece cut out or put in."""
    text = dumps(draw(JSON)).decode()
    at = draw(st.integers(0, len(text)))
    cut = draw(st.integers(0, 5))
    return (text[:at] + draw(st.text(max_size=3)) + text[at + cut :]).encode()


TEXTS: Final = st.one_of(
    JSON.map(dumps),
    damaged(),
    st.text(max_size=40).map(str.encode),
    st.integers(1, 3000).map(lambda depth: b"[" * depth),
)


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    """Give one server for all messages, and look at its log in the end."""
    with Running("--silent", "--call-timeout", "1") as running:
        yield running
        assert running.faults() == []


@pytest.fixture(scope="module")
def wire(server: Running) -> Iterator[Wire]:
    """Give the one connection that must survive everything."""
    with Wire(server.port) as opened:
        yield opened


@pytest.fixture
def fresh(server: Running) -> Iterator[Wire]:
    """Give a connection of its own: the shared one may have been idle for long, unpinged."""
    with Wire(server.port) as opened:
        yield opened


SENTINELS: Final = itertools.count()


def exchange(wire: Wire, payload: bytes, *, opcode: int = TEXT, split: int = 0) -> list[Any]:
    """Send a message, then a question of our own, and return what came before its answer."""
    sentinel = f"sentinel {next(SENTINELS)}"
    whole = frame(payload, opcode)
    if split:
        first = bytes((frame(payload[:split], opcode)[0] & 0x7F,)) + frame(payload[:split])[1:]
        whole = first + frame(payload[split:], 0)
    question = {"jsonrpc": "2.0", "id": sentinel, "method": "eth_chainId", "params": []}
    wire.socket.sendall(whole + frame(orjson.dumps(question)))
    seen = []
    while (message := orjson.loads(wire.receive())) != {
        "jsonrpc": "2.0",
        "id": sentinel,
        "result": "0x7a69",
    }:
        seen.append(message)
    return seen


def check_message(message: Any) -> None:
    """Fail unless it is a notice, an answer, or a list of answers, and says nothing internal."""
    if isinstance(message, list):
        assert message
        for element in message:
            check_message(element)
        return
    assert message["jsonrpc"] == "2.0"
    if "method" in message:
        assert message["method"] == "eth_subscription"
        assert "id" not in message
        return
    assert "id" in message
    assert ("result" in message) != ("error" in message)
    if "error" in message:
        assert isinstance(message["error"]["code"], int)
        assert not INTERNAL.search(str(message["error"])), message


@given(payload=TEXTS, opcode=st.sampled_from([TEXT, TEXT, BINARY]), split=st.integers(0, 3))
@settings(
    max_examples=MESSAGES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
def test_no_message_harms_a_connection(wire: Wire, payload: bytes, opcode: int, split: int) -> None:
    """Any message gets well-formed answers without internal details, and the next one works."""
    for message in exchange(wire, payload, opcode=opcode, split=min(split, len(payload))):
        check_message(message)


@given(payload=TEXTS)
@settings(
    max_examples=max(MESSAGES // 10, 10),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
def test_no_body_harms_the_http_face(server: Running, payload: bytes) -> None:
    """The same holds for the body of an HTTP request."""
    status, body = post(server.port, payload)
    assert status == 200
    if body:
        check_message(orjson.loads(body))


ADDRESS: Final = "0x" + "ab" * 20
LISTED: Final[list[tuple[bytes, int | None]]] = [
    (b"", -32700),
    (b"{", -32700),
    (b"{nonsense}", -32700),
    (b'{"jsonrpc":"2.0","id":1,"method":', -32700),
    (b"1", -32600),
    (b"null", -32600),
    (b'"x"', -32600),
    (b"{}", -32600),
    (b"[]", -32600),
    (b'{"id":1}', -32600),
    (b'{"jsonrpc":"1.0","id":1,"method":"eth_chainId"}', -32600),
    (b'{"jsonrpc":"2.0","id":{},"method":"eth_chainId"}', -32600),
    (b'{"jsonrpc":"2.0","id":[1],"method":"eth_chainId"}', -32600),
    (b'{"jsonrpc":"2.0","id":1,"method":5}', -32600),
    (b'{"jsonrpc":"2.0","id":1,"method":"%s"}' % (b"m" * 3000), -32600),
    (b'{"jsonrpc":"2.0","id":1,"method":"eth_foo"}', -32601),
    (b'{"jsonrpc":"2.0","id":1,"method":"foo"}', -32601),
    (b'{"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["foo"]}', -32601),
    (b'{"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":[]}', -32602),
    (b'{"jsonrpc":"2.0","id":1,"method":"eth_subscribe"}', -32602),
    (b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":{}}', -32602),
    (b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[1]}', -32602),
    (b'{"jsonrpc":"2.0","id":1,"method":"eth_getBalance","params":[]}', -32602),
    (b'{"jsonrpc":"2.0","id":1,"method":"eth_getBalance","params":[null]}', -32602),
    *(
        (
            orjson.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}),
            -32602,
        )
        for method, params in (
            ("eth_getBlockByNumber", ["2", False]),
            ("eth_getBlockByNumber", ["0x", False]),
            ("eth_getBlockByNumber", ["0x01", False]),
            ("eth_getBlockByNumber", ["0x1ffffffffffffffff", False]),
            ("eth_getBlockByNumber", ["0x8000000000000000", False]),
            ("eth_getBlockByNumber", ["0xzz", False]),
            ("eth_getBalance", ["abc", "latest"]),
            ("eth_getBalance", ["0x1234", "latest"]),
            ("eth_getBalance", ["0x123", "latest"]),
            ("eth_getBalance", [5, "latest"]),
            ("eth_getBalance", [ADDRESS, {}]),
            ("eth_getBalance", [ADDRESS, {"blockNumber": "0x0", "blockHash": "0x" + "0" * 64}]),
            ("eth_call", [{"to": ADDRESS, "value": 5}, "latest"]),
            ("eth_getStorageAt", [ADDRESS, "0x" + "1" * 66, "latest"]),
            ("eth_getLogs", [{"topics": [None] * 5}]),
            ("eth_getLogs", [{"fromBlock": "0x0", "blockHash": "0x" + "0" * 64}]),
            ("eth_getLogs", [{"fromBlock": "0x0", "toBlock": "0xffff"}]),
            ("eth_getLogs", [{"address": 5}]),
        )
    ),
    (b'{"jsonrpc":"2.0","id":1,"method":"eth_getFilterChanges","params":["0x1"]}', -32000),
    (b'{"jsonrpc":"2.0","id":1,"method":"eth_sendRawTransaction","params":["0x"]}', -32000),
    (b'{"jsonrpc":"2.0","id":1,"method":"eth_sendRawTransaction","params":["0x02c0"]}', -32000),
    (b'{"jsonrpc":"2.0","method":"eth_foo"}', None),
    (b'{"jsonrpc":"2.0","id":1,"result":"0x1"}', None),
]


@pytest.mark.parametrize(("payload", "code"), LISTED)
def test_listed_bad_input_leaves_the_connection_open(
    fresh: Wire, payload: bytes, code: int | None
) -> None:
    """Each mistake of the list gets its code, or silence, and the connection goes on."""
    asked = fresh.call("eth_blockNumber")
    fresh.send(payload)
    if code is not None:
        found = orjson.loads(fresh.receive())
        assert found["error"]["code"] == code, found
        check_message(found)
    assert fresh.call("eth_blockNumber") >= asked
