from typing import Any

import pytest

from tests.dialects.ethereum.asking import ask, fault, make_view
from tests.strategies import SENDERS, make_block, make_transaction
from twisted_chainws.chain.model import Kind
from twisted_chainws.dialects.ethereum.encode import encode_receipt, encode_transaction
from twisted_chainws.dialects.ethereum.submit import SUBMIT
from twisted_chainws.dialects.outcomes import AwaitMined, Query, Submit
from twisted_chainws.dialects.view import Profile
from twisted_chainws.errors import UnknownAccount

A, B = "0x" + "01" * 20, "0x" + "02" * 20
ALICE, BOB = (f"0x{sender.hex()}" for sender in SENDERS)
SEND = {"from": A, "to": B, "value": "0x1"}
TYPED = {"types": {"Mail": []}, "primaryType": "Mail", "domain": {}, "message": {}}


def test_raw_transactions_are_submitted() -> None:
    """The result is the hash that the source answers."""
    result, calls = ask(SUBMIT["eth_sendRawTransaction"], ["0x02ab"], "0xhash")
    assert result == "0xhash"
    assert calls == [Submit(kind=Kind.EVM, raw=b"\x02\xab")]


@pytest.mark.parametrize(
    ("params", "timeout_s"),
    [
        (["0x02"], 20.0),
        (["0x02", None], 20.0),
        (["0x02", 0], 20.0),
        (["0x02", 1500], 1.5),
        (["0x02", "0x3e8"], 1.0),
        (["0x02", "3000"], 3.0),
        (["0x02", 3_600_000], 60.0),
    ],
)
def test_sending_may_wait_for_the_receipt(params: Any, timeout_s: float) -> None:
    """The timeout is given in milliseconds and has an upper bound."""
    transaction = make_transaction()
    block = make_block(contents=[(transaction, ())])
    result, calls = ask(
        SUBMIT["eth_sendRawTransactionSync"],
        params,
        f"0x{transaction.hash.hex()}",
        (block, 0),
    )
    assert result == encode_receipt(block, 0)
    assert calls == [
        Submit(kind=Kind.EVM, raw=b"\x02"),
        AwaitMined(transaction_hash=transaction.hash, timeout_s=timeout_s),
    ]


@pytest.mark.parametrize(
    ("method", "params", "word", "sent"),
    [
        ("eth_sendTransaction", [SEND], "send", {"transaction": SEND}),
        ("eth_sendUnsignedTransaction", [SEND], "send_unsigned", {"transaction": SEND}),
        (
            "eth_sendTransaction",
            [{"from": A, "input": "0x60"}],
            "send",
            {"transaction": {"from": A, "data": "0x60"}},
        ),
        ("eth_sign", [A, "0xAB"], "sign", {"address": A, "message": "0xab"}),
        ("personal_sign", ["0xAB", A], "sign", {"address": A, "message": "0xab"}),
        ("personal_sign", ["0x", A, "secret"], "sign", {"address": A, "message": "0x"}),
        ("eth_signTypedData_v4", [A, TYPED], "sign_typed_data", {"address": A, "data": TYPED}),
        (
            "eth_signTypedData_v4",
            [A, '{"types":{"Mail":[]},"primaryType":"Mail","domain":{},"message":{}}'],
            "sign_typed_data",
            {"address": A, "data": TYPED},
        ),
        ("eth_accounts", [], "accounts", {}),
    ],
)
def test_requests_are_passed_on(method: str, params: Any, word: str, sent: Any) -> None:
    """What the source answers is the result."""
    answer = object()
    result, calls = ask(SUBMIT[method], params, answer)
    assert result is answer
    assert calls == [Query(method=word, params=sent)]


@pytest.mark.parametrize(
    ("method", "word"),
    [("eth_signTransaction", "sign_transaction"), ("eth_fillTransaction", "fill")],
)
def test_completed_transactions_are_shown_in_two_forms(method: str, word: str) -> None:
    """The bytes and an object that says nothing of blocks and senders."""
    transaction = make_transaction()
    answer = {"raw": "0x02", "transaction": transaction}
    result, calls = ask(SUBMIT[method], [SEND], answer)
    assert calls == [Query(method=word, params={"transaction": SEND})]
    assert result["raw"] == "0x02"
    shape = dict(encode_transaction(transaction))
    gone = {"blockHash", "blockNumber", "blockTimestamp", "transactionIndex", "from"}
    assert result["tx"] == {name: shape[name] for name in shape if name not in gone}


def test_anvil_signs_to_bytes_alone() -> None:
    """Its clients expect the bytes as the result."""
    answer = {"raw": "0x02", "transaction": make_transaction()}
    view = make_view(profile=Profile.ANVIL)
    assert ask(SUBMIT["eth_signTransaction"], [SEND], answer, view=view)[0] == "0x02"


def test_a_node_without_development_accounts_has_none() -> None:
    """No question is asked for that."""
    view = make_view(development=False)
    assert ask(SUBMIT["eth_accounts"], [], view=view) == ([], [])
    assert ask(SUBMIT["eth_pendingTransactions"], [], view=view) == ([], [])


def test_only_own_transactions_are_pending_ones() -> None:
    """Others of the pool are left out."""
    first, second = make_transaction(), make_transaction(nonce=1)
    other = make_transaction(SENDERS[1])
    view = make_view(pending=[first, second, other])
    result, calls = ask(SUBMIT["eth_pendingTransactions"], [], [ALICE, A], view=view)
    assert calls == [Query(method="accounts", params={})]
    assert result == [encode_transaction(first), encode_transaction(second)]


def resent(nonce: int = 0) -> dict[str, str]:
    """Describe the pooled transaction of the first sender with this nonce."""
    shape = encode_transaction(make_transaction(nonce=nonce))
    return {"from": ALICE, "nonce": hex(nonce), "to": str(shape["to"]), "value": "0x1"}


@pytest.mark.parametrize(
    ("extra", "more", "changed"),
    [
        ({}, [], {"gas": hex(100_000)}),
        ({}, ["0x5"], {"gas": hex(100_000), "gasPrice": "0x5"}),
        ({"maxFeePerGas": "0x1"}, ["0x5", "0x6"], {"gas": "0x6", "gasPrice": "0x5"}),
        ({"maxFeePerGas": "0x1"}, [None, "0x6"], {"gas": "0x6", "maxFeePerGas": "0x1"}),
        ({"maxFeePerGas": "0x1"}, ["0x0", "0x0"], {"gas": hex(100_000), "maxFeePerGas": "0x1"}),
    ],
)
def test_pooled_transactions_are_sent_again(extra: Any, more: Any, changed: Any) -> None:
    """Price and gas are the new ones, or as they were."""
    view = make_view(pending=[make_transaction()])
    result, calls = ask(SUBMIT["eth_resend"], [resent() | extra, *more], "0xhash", view=view)
    assert result == "0xhash"
    assert calls == [Query(method="send", params={"transaction": resent() | changed})]


def test_waiting_transactions_are_sent_again_too() -> None:
    """A transaction behind a nonce gap is in the pool as well."""
    view = make_view(queued=[make_transaction(nonce=7)])
    assert len(ask(SUBMIT["eth_resend"], [resent(7)], "0xhash", view=view)[1]) == 1


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"nonce": "0x1"}, "transaction not found"),
        ({"value": "0x2"}, "transaction not found"),
        ({"to": None, "data": "0x60"}, "transaction not found"),
        ({"nonce": None}, "missing transaction nonce in transaction spec"),
    ],
)
def test_only_what_is_pooled_can_be_sent_again(changes: Any, text: str) -> None:
    """The request must describe the transaction that it replaces."""
    view = make_view(pending=[make_transaction()])
    refusal = fault(SUBMIT["eth_resend"], [resent() | changes], view)
    assert (refusal.code, refusal.message) == (-32000, text)


SENDING = [
    "eth_sendTransaction",
    "eth_sendUnsignedTransaction",
    "eth_fillTransaction",
    "eth_signTransaction",
]


@pytest.mark.parametrize("method", SENDING)
def test_somebody_must_send(method: str) -> None:
    """A transaction without sender comes from an account that nobody knows."""
    with pytest.raises(UnknownAccount) as caught:
        SUBMIT[method](make_view(), [{"to": B}])
    assert caught.value.address == "0x" + "0" * 40


@pytest.mark.parametrize("method", SENDING)
@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"from": A}, "contract creation without any data provided"),
        ({"from": A, "data": "0x"}, "contract creation without any data provided"),
        (SEND | {"chainId": "0x1"}, "chainId does not match node's (have=1, want=31337)"),
    ],
)
def test_senseless_transactions_are_refused(method: str, given: Any, text: str) -> None:
    """They do not reach the source."""
    refusal = fault(SUBMIT[method], [given])
    assert (refusal.code, refusal.message) == (-32000, text)


@pytest.mark.parametrize(
    ("method", "params", "text"),
    [
        ("eth_sendRawTransaction", [], "missing value for required argument 0"),
        (
            "eth_sendRawTransaction",
            ["0xzz"],
            (
                "invalid argument 0: json: cannot unmarshal invalid hex string "
                "into Go value of type hexutil.Bytes"
            ),
        ),
        ("personal_sign", [A], "missing value for required argument 1"),
        ("eth_accounts", [1], "too many arguments, want at most 0"),
        ("eth_signTypedData_v4", [A, "{"], "invalid argument 1: typed data is no JSON"),
        (
            "eth_signTypedData_v4",
            [A, "[]"],
            (
                "invalid argument 1: json: cannot unmarshal array "
                "into Go value of type apitypes.TypedData"
            ),
        ),
        (
            "eth_signTypedData_v4",
            [A, TYPED | {"types": 1}],
            "invalid argument 1: typed data has no valid 'types'",
        ),
    ],
)
def test_wrong_parameters_are_refused(method: str, params: Any, text: str) -> None:
    """The argument is named."""
    refusal = fault(SUBMIT[method], params)
    assert (refusal.code, refusal.message) == (-32602, text)
