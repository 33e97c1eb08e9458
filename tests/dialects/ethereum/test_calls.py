from typing import Any

import pytest

from tests.dialects.ethereum.asking import fault, make_view
from twisted_chainws.dialects.ethereum import calls, decode
from twisted_chainws.dialects.ethereum.arguments import Decoder, InvalidArgument
from twisted_chainws.dialects.outcomes import Refused
from twisted_chainws.errors import InvalidOverride

A, B = "0x" + "01" * 20, "0x" + "02" * 20
WORD = "0x" + "03" * 32

WHOLE = {
    "from": A,
    "to": B,
    "gas": "0x5208",
    "gasPrice": "0x1",
    "value": "0x2",
    "nonce": "0x0",
    "data": "0xabcd",
    "accessList": [{"address": A, "storageKeys": [WORD]}],
    "chainId": "0x7a69",
    "maxFeePerBlobGas": "0x1",
    "blobVersionedHashes": [WORD],
    "type": "0x3",
    "authorizationList": [
        {"chainId": "0x1", "address": B, "nonce": "0x5", "yParity": "0x1", "r": "0x9", "s": "0x8"}
    ],
}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {}),
        (WHOLE, WHOLE),
        ({"from": A.upper().replace("X", "x"), "unknown": 1, "to": None}, {"from": A}),
        ({"input": "0xAB"}, {"data": "0xab"}),
        ({"input": "0xab", "data": "0xAB"}, {"data": "0xab"}),
        ({"data": ""}, {"data": "0x"}),
        ({"accessList": [{"address": A}]}, {"accessList": [{"address": A, "storageKeys": []}]}),
        (
            {"maxFeePerGas": "0x2", "maxPriorityFeePerGas": "0x2"},
            {"maxFeePerGas": "0x2", "maxPriorityFeePerGas": "0x2"},
        ),
        ({"maxPriorityFeePerGas": "0x2"}, {"maxPriorityFeePerGas": "0x2"}),
    ],
)
def test_calls_are_normalised(given: Any, expected: Any) -> None:
    """Lower case, no nulls, no unknown members, one name for the data."""
    assert calls.call(given) == expected


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (
            {"data": "0x01", "input": "0x02"},
            (
                'both "data" and "input" are set and not equal. '
                'Please use "input" to pass transaction call data'
            ),
        ),
        (
            {"gasPrice": "0x1", "maxFeePerGas": "0x1"},
            "both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified",
        ),
        (
            {"gasPrice": "0x1", "maxPriorityFeePerGas": "0x0"},
            "both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified",
        ),
        (
            {"maxFeePerGas": "0x1", "maxPriorityFeePerGas": "0x2"},
            "maxFeePerGas (1) < maxPriorityFeePerGas (2)",
        ),
    ],
)
def test_contradicting_members_are_a_server_error(given: Any, text: str) -> None:
    """What each member says is right; geth finds the contradiction when it runs the call."""
    with pytest.raises(Refused) as caught:
        calls.call(given)
    assert (caught.value.fault.code, caught.value.fault.message) == (-32000, text)


FIELD = "Go struct field TransactionArgs."


@pytest.mark.parametrize(
    ("decoder", "given", "text"),
    [
        (
            calls.call,
            "0x",
            "json: cannot unmarshal string into Go value of type ethapi.TransactionArgs",
        ),
        (
            calls.call,
            {"from": "abc"},
            (
                "json: cannot unmarshal hex string without 0x prefix into "
                f"{FIELD}from of type common.Address"
            ),
        ),
        (calls.call, {"to": "0x1234"}, "hex string has length 4, want 40 for common.Address"),
        (
            calls.call,
            {"value": "0x01"},
            f"json: cannot unmarshal hex number with leading zero digits into {FIELD}value",
        ),
        (
            calls.call,
            {"gas": 21000},
            f"json: cannot unmarshal non-string into {FIELD}gas of type hexutil.Uint64",
        ),
        (
            calls.call,
            {"accessList": {}},
            f"json: cannot unmarshal object into {FIELD}accessList of type types.AccessList",
        ),
        (
            calls.call,
            {"accessList": [{}]},
            "missing required field 'address' for types.AccessTuple",
        ),
        (
            calls.call,
            {"authorizationList": [{"chainId": "0x1"}]},
            "missing required field 'address' for types.SetCodeAuthorization",
        ),
        (
            calls.state_overrides,
            [],
            "json: cannot unmarshal array into Go value of type override.StateOverride",
        ),
        (
            calls.state_overrides,
            {"0x12": {}},
            "hex string has length 2, want 40 for common.Address",
        ),
        (
            calls.state_overrides,
            {A: 1},
            "json: cannot unmarshal number into Go value of type override.OverrideAccount",
        ),
        (
            calls.state_overrides,
            {A: {"state": {"0x1": WORD}}},
            (
                "json: cannot unmarshal hex string of odd length into "
                "Go struct field OverrideAccount.state of type common.Hash"
            ),
        ),
        (
            calls.state_overrides,
            {A: {"stateDiff": {WORD: "0x12"}}},
            "hex string has length 2, want 64 for common.Hash",
        ),
        (
            calls.block_overrides,
            {"time": "now"},
            (
                "json: cannot unmarshal hex string without 0x prefix into "
                "Go struct field BlockOverrides.time"
            ),
        ),
    ],
)
def test_members_of_wrong_types_are_named(decoder: Decoder, given: Any, text: str) -> None:
    """The text tells which member it is about, as Go's decoder does."""
    with pytest.raises(InvalidArgument) as caught:
        decoder(given)
    assert caught.value.text == text


def test_overrides_are_normalised() -> None:
    """Overrides have the same shape on both sides, in lower case and without nulls."""
    accounts = {
        A.upper().replace("X", "x"): {
            "balance": "0x1",
            "nonce": "0x2",
            "code": "0xAA",
            "stateDiff": {WORD: WORD},
            "state": None,
            "movePrecompileToAddress": B,
        },
        B: {"state": {}},
    }
    assert calls.state_overrides(accounts) == {
        A: {
            "balance": "0x1",
            "nonce": "0x2",
            "code": "0xaa",
            "stateDiff": {WORD: WORD},
            "movePrecompileToAddress": B,
        },
        B: {"state": {}},
    }
    block = {
        "number": "0x1",
        "difficulty": "0x0",
        "time": "0x2",
        "gasLimit": "0x3",
        "feeRecipient": A,
        "prevRandao": WORD,
        "baseFeePerGas": "0x4",
        "blobBaseFee": "0x5",
    }
    assert calls.block_overrides(block | {"withdrawals": None}) == block


@pytest.mark.parametrize(
    ("decoder", "given", "reason"),
    [
        (
            calls.state_overrides,
            {"0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266": {"state": {}, "stateDiff": {}}},
            ("account 0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266 has both 'state' and 'stateDiff'"),
        ),
        (
            calls.block_overrides,
            {"beaconRoot": WORD},
            'block override "beaconRoot" is not supported for this RPC',
        ),
        (
            calls.block_overrides,
            {"withdrawals": []},
            'block override "withdrawals" is not supported for this RPC',
        ),
    ],
)
def test_impossible_overrides_are_model_errors(decoder: Decoder, given: Any, reason: str) -> None:
    """Their words are those of geth when it applies the overrides."""
    with pytest.raises(InvalidOverride) as caught:
        decoder(given)
    assert caught.value.reason == reason


def test_a_call_for_another_chain_is_refused() -> None:
    """Both ids are told."""
    view = make_view()
    calls.refuse_foreign_chain(view, {})
    calls.refuse_foreign_chain(view, {"chainId": "0x7a69"})

    def handler(view: Any, params: Any) -> None:
        calls.refuse_foreign_chain(view, params)

    refusal = fault(handler, {"chainId": "0x1"}, view)
    assert (refusal.code, refusal.message) == (
        -32000,
        "chainId does not match node's (have=1, want=31337)",
    )


def test_encoding_leaves_json_values_alone() -> None:
    """Only bytes and numbers have a form of their own on the wire."""
    assert calls.encode({"a": [True, None, "x", 1, b"\1"]}) == {
        "a": [True, None, "x", "0x1", "0x01"]
    }


def test_lists_are_lists() -> None:
    """A list decoder refuses everything else."""
    with pytest.raises(InvalidArgument):
        calls.listed(decode.data, "[]hexutil.Bytes")("0x")
