from typing import Any

import pytest

from tests.dialects.model_errors import CLASSES, make_error
from tests.dialects.zilliqa.vectors import vectors
from twisted_chainws import errors
from twisted_chainws.dialects.outcomes import Fault, Refused
from twisted_chainws.dialects.zilliqa import errors as words
from twisted_chainws.dialects.zilliqa.errors import FAULTS, fault_of
from twisted_chainws.errors import ChainwsError

QUERY_TEXTS = {
    "invalid query field": words.INVALID_QUERY_FIELD,
    "invalid addresses field": words.INVALID_ADDRESSES_FIELD,
    "no contract found in list": words.NO_CONTRACT_FOUND,
    "Invalid hex address": words.INVALID_HEX_ADDRESS_OF_EVENTS,
    "invalid hex address": words.INVALID_HEX_ADDRESS,
    "invalid address": words.UNREADABLE_ADDRESS,
    "no valid address found": words.NO_ADDRESS_FOUND_BARE,
    "no valid address found in list": words.NO_ADDRESS_FOUND,
    "invalid type field": words.INVALID_TYPE_FIELD,
}


@pytest.mark.parametrize("text", QUERY_TEXTS)
def test_texts_of_queries(text: str) -> None:
    """Each text that a query can be refused with is there, without a code."""
    assert QUERY_TEXTS[text] == Fault(code=0, message=text)


def test_every_text_of_the_samples_is_there() -> None:
    """Nodes and the document refuse queries with no other texts."""
    replies = [row["document_reply"] for row in vectors("queries")]
    document = {reply["error"] for reply in replies if isinstance(reply, dict)}
    node = {row["node_reply"] for row in vectors("queries") if row["node_reply"][0] != "("}
    assert document | node == set(QUERY_TEXTS)


PUBLISHED = {
    "GetTransactionsForTxBlock": words.NO_TRANSACTIONS,
    "GetTransaction": words.NO_SUCH_TRANSACTION,
    "GetBalance": words.NO_SUCH_ACCOUNT,
}


@pytest.mark.parametrize("example", vectors("json_rpc")["error_examples"], ids=str)
def test_published_errors(example: dict[str, Any]) -> None:
    """Published answers have our codes and texts."""
    fault = PUBLISHED[example["request"]["method"]]
    error = example["response"]["error"]
    assert (fault.code, fault.message) == (error["code"], error["message"])


@pytest.mark.parametrize("kind", CLASSES)
def test_every_class_has_words(kind: type[ChainwsError]) -> None:
    """Every exception of the model can be said."""
    assert fault_of(make_error(kind)).message


WORDS: list[tuple[ChainwsError, int, str]] = [
    (errors.ChainwsError(), -32603, "INTERNAL_ERROR: "),
    (errors.TraceTimeout(), -32603, "INTERNAL_ERROR: "),
    (errors.UnknownBlock(block=7), -32602, "Tx Block does not exist"),
    (errors.UnknownBlockHash(block_hash=b""), -32602, "Tx Block does not exist"),
    (errors.NotCanonical(block_hash=b""), -32602, "Tx Block does not exist"),
    (errors.HistoryPruned(number=3, oldest=9), -20, "blocks below 9 are no longer kept"),
    (errors.CursorMalformed(text="x"), 0, "invalid cursor"),
    (errors.TooManySubscriptions(limit=2), 0, "more than 2 subscriptions per connection"),
    (errors.TooManyAlternatives(limit=5), 0, "more than 5 addresses per connection"),
    (errors.TransactionNotFound(transaction_hash="0x"), -20, "Txn Hash not Present"),
    (errors.UnknownAccount(address="0x"), -5, "Account is not created"),
    (errors.BlobsMissing(), -26, "Txn rejected"),
    (errors.NonceTooLow(nonce=2, next_nonce=5), -8, "Nonce (2) lower than current (4)"),
    (errors.NonceTooHigh(nonce=9, next_nonce=5), -8, "Expected Nonce: 5"),
    (errors.InsufficientFunds(balance=1, cost=2), -8, "Insufficient funds in source account!"),
    (errors.AlreadyKnown(), -1, "Unable to add transaction to mempool"),
    (errors.ReplacementUnderpriced(), -1, "Unable to add transaction to mempool"),
    (errors.PoolFull(limit=1), -1, "Unable to add transaction to mempool"),
    (
        errors.Underpriced(tip=10**15, minimum=2 * 10**15),
        -26,
        "GasPrice 1000000000 lower than minimum allowable 2000000000",
    ),
    (
        errors.IntrinsicGasTooLow(gas=49, minimum=50),
        -8,
        "Gas limit (49) lower than minimum for payment transaction (50)",
    ),
    (
        errors.BlockGasLimitExceeded(gas=9, limit=8),
        -8,
        "Txn gas limit 9 greater than microblock gas limit8",
    ),
    (errors.WrongChainId(have=1, want=222), -26, "CHAIN_ID incorrect"),
    (
        errors.WrongMessageVersion(have=2, want=1),
        -26,
        "Transaction version incorrect! Expected:1 Actual:2",
    ),
    (errors.SenderUnknown(), -5, "The sender of the txn has no balance"),
    (errors.RecipientMissing(), -5, "Code is empty and To addr is null"),
    (errors.RecipientIsContract(), -8, "Contract account won't accept normal txn"),
    (errors.UndecodableTransaction(reason="cut off"), -22, "cut off"),
    (errors.InvalidSignature(), -26, "Unable to verify transaction"),
    (errors.InitCodeTooLarge(size=2, limit=1), -26, "Code size is too large"),
    (errors.TransactionTooLarge(size=2, limit=1), -26, "Code size is too large"),
    (errors.SourceUnavailable(reason="gone"), -28, "node is not available: gone"),
    (errors.Overloaded(), -28, "too many calls in progress"),
    (errors.Unsupported(reason="no Scilla here"), -32600, "no Scilla here"),
]


@pytest.mark.parametrize(("error", "code", "message"), WORDS, ids=lambda item: str(item)[:40])
def test_words(error: ChainwsError, code: int, message: str) -> None:
    """Codes and texts are the node's, filled with the facts."""
    assert fault_of(error) == Fault(code=code, message=message)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (errors.CursorForeign, "cursor of another chain"),
        (errors.CursorExpired, "cursor expired"),
        (errors.CursorAhead, "cursor ahead of the chain"),
    ],
)
def test_lost_cursors(kind: Any, message: str) -> None:
    """A cursor that cannot be resumed from comes with those that can."""
    fault = fault_of(kind(oldest="a:1", head="a:9"))
    assert fault == Fault(code=-20, message=message, data={"oldest": "a:1", "head": "a:9"})


def test_refusals_are_said_as_they_are() -> None:
    """A handler's own refusal goes out unchanged."""
    assert fault_of(Refused(words.WRONG_CHECKSUM)) is words.WRONG_CHECKSUM


def test_facts_of_a_transaction() -> None:
    """Refusals of a transaction name what was sent and what is wanted."""
    assert words.gas_limit_too_low(1, 300, "invoking contract").message == (
        "Gas limit (1) lower than minimum for invoking contract (300)"
    )


def test_words_of_the_session() -> None:
    """The session speaks as the dialect does."""
    assert FAULTS.unknown_method("GetDSBlock").code == -32601
    assert FAULTS.of(errors.Overloaded()) == fault_of(errors.Overloaded())
    assert FAULTS.internal.message == "INTERNAL_ERROR: "
