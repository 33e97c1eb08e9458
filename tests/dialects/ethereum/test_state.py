from typing import Any

import pytest

from tests.dialects.ethereum.asking import ask, fault, make_view
from tests.strategies import make_chain
from twisted_chainws.dialects.ethereum.state import STATE
from twisted_chainws.dialects.outcomes import Query
from twisted_chainws.errors import UnknownBlock

A, B = "0x" + "01" * 20, "0x" + "02" * 20
WORD = "0x" + "03" * 32
BLOCKS = make_chain(5)
HEAD = f"0x{BLOCKS[-1].hash.hex()}"
SECOND = f"0x{BLOCKS[1].hash.hex()}"


@pytest.mark.parametrize(
    ("method", "params", "word", "sent"),
    [
        ("eth_getBalance", [A], "balance", {"address": A, "at": HEAD}),
        ("eth_getBalance", [A, "pending"], "balance", {"address": A, "at": "pending"}),
        ("eth_getBalance", [A, {"blockHash": SECOND}], "balance", {"address": A, "at": SECOND}),
        ("eth_getTransactionCount", [A, "0x1"], "nonce", {"address": A, "at": SECOND}),
        ("eth_getCode", [A, None], "code", {"address": A, "at": HEAD}),
        (
            "eth_getStorageAt",
            [A, "0x1", "latest"],
            "storage",
            {"address": A, "slot": "0x" + "0" * 63 + "1", "at": HEAD},
        ),
        (
            "eth_getStorageValues",
            [{A: [WORD], B: []}, SECOND],
            "storage_values",
            {"slots": {A: [WORD], B: []}, "at": SECOND},
        ),
        ("eth_call", [{"to": B}], "call", {"call": {"to": B}, "at": HEAD}),
        (
            "eth_estimateGas",
            [{"input": "0x00"}, "0x1", {}, {}],
            "estimate",
            {"call": {"data": "0x00"}, "at": SECOND},
        ),
        (
            "eth_call",
            [{}, "pending", {A: {"balance": "0x1"}}, {"time": "0x2"}],
            "call",
            {
                "call": {},
                "at": "pending",
                "state_overrides": {A: {"balance": "0x1"}},
                "block_overrides": {"time": "0x2"},
            },
        ),
        (
            "eth_createAccessList",
            [{}, None, {A: {"nonce": "0x1"}}],
            "access_list",
            {"call": {}, "at": HEAD, "state_overrides": {A: {"nonce": "0x1"}}},
        ),
    ],
)
def test_questions_are_passed_on(method: str, params: Any, word: str, sent: Any) -> None:
    """The source hears hashes instead of selectors, and its answer is the result."""
    answer = object()
    result, calls = ask(STATE[method], params, answer, view=make_view(BLOCKS))
    assert result is answer
    assert calls == [Query(method=word, params=sent)]


def test_proofs_echo_keys_as_they_were_written() -> None:
    """32 bytes come back as 32 bytes, anything shorter as QUANTITY."""
    one = "0x" + "0" * 63 + "1"
    proofs = [{"key": one, "value": hex(at), "proof": ["0xaa"]} for at in range(4)]
    result, calls = ask(
        STATE["eth_getProof"],
        [A, ["0x01", one, "1", "0x"], "0x1"],
        {"address": A, "storageProof": proofs},
        view=make_view(BLOCKS),
    )
    zero = "0x" + "0" * 64
    assert calls == [
        Query(method="proof", params={"address": A, "slots": [one, one, one, zero], "at": SECOND})
    ]
    assert [item["key"] for item in result["storageProof"]] == ["0x1", one, "0x1", "0x0"]
    assert [item["value"] for item in result["storageProof"]] == ["0x0", "0x1", "0x2", "0x3"]
    assert result["address"] == A


@pytest.mark.parametrize(
    ("method", "params", "code", "text"),
    [
        ("eth_getBalance", [], -32602, "missing value for required argument 0"),
        (
            "eth_getBalance",
            ["0x1234"],
            -32602,
            "invalid argument 0: hex string has length 4, want 40 for common.Address",
        ),
        ("eth_getBalance", [A, "2"], -32602, "invalid argument 1: hex string without 0x prefix"),
        ("eth_getCode", [A, "latest", 1], -32602, "too many arguments, want at most 2"),
        ("eth_getStorageAt", [A], -32602, "missing value for required argument 1"),
        ("eth_getStorageAt", [A, "0xg"], -32602, 'invalid hex in storage key: "0xg"'),
        ("eth_getStorageValues", [{}], -32602, "empty request"),
        ("eth_getStorageValues", [{A: []}], -32602, "empty request"),
        ("eth_getStorageValues", [{A: [WORD] * 1025}], -38026, "too many slots (max 1024)"),
        ("eth_getProof", [A, ["0x1"] * 1025], -32602, "too many slots (max 1024)"),
        (
            "eth_getProof",
            [A, "0x1"],
            -32602,
            "invalid argument 1: json: cannot unmarshal string into Go value of type []string",
        ),
        ("eth_call", [None], -32602, "missing value for required argument 0"),
        (
            "eth_call",
            [{"chainId": "0x1"}],
            -32000,
            "chainId does not match node's (have=1, want=31337)",
        ),
        ("eth_createAccessList", [{}, None, {}, {}], -32602, "too many arguments, want at most 3"),
    ],
)
def test_wrong_questions_are_refused(method: str, params: Any, code: int, text: str) -> None:
    """Nothing that makes no sense reaches the source."""
    refusal = fault(STATE[method], params)
    assert (refusal.code, refusal.message) == (code, text)


@pytest.mark.parametrize("method", ["eth_getBalance", "eth_getCode", "eth_getTransactionCount"])
def test_an_unknown_block_is_an_error(method: str) -> None:
    """State methods do not answer null."""
    with pytest.raises(UnknownBlock):
        STATE[method](make_view(), [A, "0x63"])
