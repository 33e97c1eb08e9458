from typing import Any

import pytest

from tests.dialects.model_errors import CLASSES, make_error
from twisted_chainws import errors
from twisted_chainws.chain.types import Address20
from twisted_chainws.dialects.ontology import errors as words
from twisted_chainws.dialects.ontology.errors import DESCRIPTIONS, FAULTS, fault, fault_of
from twisted_chainws.dialects.outcomes import Fault, Refused
from twisted_chainws.errors import ChainwsError

TABLE = [
    (0, "SUCCESS"),
    (41001, "SESSION EXPIRED"),
    (41002, "SERVICE CEILING"),
    (41003, "ILLEGAL DATAFORMAT"),
    (41004, "INVALID VERSION"),
    (42001, "INVALID METHOD"),
    (42002, "INVALID PARAMS"),
    (43001, "INVALID TRANSACTION"),
    (43002, "INVALID ASSET"),
    (43003, "INVALID BLOCK"),
    (44001, "UNKNOWN TRANSACTION"),
    (44002, "UNKNOWN ASSET"),
    (44003, "UNKNOWN BLOCK"),
    (44004, "UNKNOWN CONTRACT"),
    (45001, "INTERNAL ERROR"),
    (47001, "SMARTCODE EXEC ERROR"),
    (47002, "SMARTCODE PREPARE EXEC ERROR"),
    (-1, "INTERNAL ERROR, ErrUnknown"),
    (-2, "INTERNAL ERROR, ErrNoCode"),
    (45002, "INTERNAL ERROR, ErrDuplicatedTx"),
    (45003, "INTERNAL ERROR, ErrDuplicateInput"),
    (45004, "INTERNAL ERROR, ErrAssetPrecision"),
    (45005, "INTERNAL ERROR, ErrTransactionBalance"),
    (45006, "INTERNAL ERROR, ErrAttributeProgram"),
    (45007, "INTERNAL ERROR, ErrTransactionContracts"),
    (45008, "INTERNAL ERROR, ErrTransactionPayload"),
    (45009, "INTERNAL ERROR, ErrDoubleSpend"),
    (45010, "INTERNAL ERROR, ErrTxHashDuplicate"),
    (45011, "INTERNAL ERROR, ErrStateUpdaterVaild"),
    (45012, "INTERNAL ERROR, ErrSummaryAsset"),
    (45013, "INTERNAL ERROR, ErrXmitFail"),
    (45014, "INTERNAL ERROR, ErrNoAccount"),
    *((code, "") for code in range(45015, 45026)),
]


@pytest.mark.parametrize(("code", "description"), TABLE)
def test_descriptions(code: int, description: str) -> None:
    """Every code has the node's text, or none."""
    assert fault(code) == Fault(code=code, message=description, data="")
    assert (code in DESCRIPTIONS) is bool(description)


def test_every_code_has_a_name() -> None:
    """The names of the codes are those of the table, each once."""
    named = [value for name, value in vars(words).items() if name.isupper() and type(value) is int]
    assert sorted(named) == sorted(code for code, _ in TABLE)


@pytest.mark.parametrize("kind", CLASSES)
def test_every_class_has_words(kind: type[ChainwsError]) -> None:
    """Every exception of the model can be said, and none is a success."""
    found = fault_of(make_error(kind))
    assert found.code in {code for code, _ in TABLE} - {0}
    assert found.message == DESCRIPTIONS.get(found.code, "")
    assert isinstance(found.data, str)


WORDS: list[tuple[ChainwsError, int, str]] = [
    (errors.ChainwsError(), 45001, ""),
    (errors.TraceTimeout(), 45001, ""),
    (errors.UnknownAccount(address="0x"), 45001, ""),
    (errors.UnknownBlock(block=7), 44003, ""),
    (errors.UnknownBlockHash(block_hash=b""), 44003, ""),
    (errors.NotCanonical(block_hash=b""), 44003, ""),
    (errors.HistoryPruned(number=3, oldest=9), 44003, "blocks below 9 are no longer kept"),
    (errors.CursorMalformed(text="x"), 42002, "invalid cursor"),
    (errors.TooManySubscriptions(limit=2), 41002, "more than 2 subscriptions per connection"),
    (errors.TooManyAlternatives(limit=5), 41002, "more than 5 contracts per connection"),
    (errors.TransactionNotFound(transaction_hash="0x"), 44001, ""),
    (errors.BlobsMissing(), -1, "unknown error"),
    (errors.UndecodableTransaction(reason="cut off"), 43001, ""),
    (errors.UnsupportedTransactionType(), 43001, ""),
    (errors.TransactionTooShort(), 43001, ""),
    (errors.WrongChainId(have=1, want=2), 43001, ""),
    (errors.UnprotectedTransaction(), 43001, ""),
    (errors.TransactionTooLarge(size=2, limit=1), -1, "size is over 1M"),
    (errors.AlreadyKnown(), 45003, "duplicated transaction input detected"),
    (errors.PoolFull(limit=1), 45016, "transaction pool is full"),
    (errors.Underpriced(tip=1, minimum=2), 45020, "invalid gas price"),
    (errors.IntrinsicGasTooLow(gas=1, minimum=20000), -1, "Please input gasLimit >= 20000"),
    (
        errors.InsufficientFunds(balance=1, cost=2),
        -1,
        "no balance enough to cover cost 2, balance 1",
    ),
    (errors.FeeOverflow(gas=3, price=4 * 10**9), -1, "gasLimit 3 * gasPrice 4 overflow"),
    (
        errors.OfferTooLow(minimum_gas=20_000, minimum_price=5 * 10**11),
        -1,
        "Please input gasLimit >= 20000 and gasPrice >= 500",
    ),
    (
        errors.GasBelowUse(gas=20_000, needed=40_000),
        -1,
        "transaction's gasLimit 20000 is less than preExec gasLimit 40000",
    ),
    (
        errors.FeeAboveBalance(payer=bytes(19) + b"\1", fee=9 * 10**9),
        -1,
        f"transactor 01{38 * '0'} has no balance enough to cover gas cost 9",
    ),
    (errors.AlreadyMined(), 45002, "duplicated transaction detected"),
    (errors.InvalidSignature(), 45021, "transaction verify signature fail"),
    (errors.NonceTooLow(nonce=2, next_nonce=5), 45022, "higher nonce exist"),
    (errors.BlockGasLimitExceeded(gas=9, limit=8), 45023, "eth transaction gaslimit exceeded"),
    (errors.TransactionGasTooHigh(gas=9, cap=8), 45023, "eth transaction gaslimit exceeded"),
    (errors.ReplacementUnderpriced(), 45024, "eth transaction with same nonce existed"),
    (
        errors.NonceTooHigh(nonce=9, next_nonce=5),
        45025,
        "eth transaction nonce is much greater than tx pool",
    ),
    (errors.ExecutionFailed(reason="[Invoke] why"), 47001, "[Invoke] why"),
    (errors.ExecutionReverted(data=b"\xab"), 47001, "execution reverted: 0xab"),
    (errors.ExecutionTimeout(timeout_s=5.0), 47001, "execution took more than 5.0 s"),
    (errors.SourceUnavailable(reason="gone"), 45001, "node is not available: gone"),
    (errors.Overloaded(), 41002, "too many calls in progress"),
    (errors.Unsupported(reason="no WASM here"), 47001, "no WASM here"),
]


@pytest.mark.parametrize(("error", "code", "result"), WORDS, ids=lambda item: str(item)[:40])
def test_words(error: ChainwsError, code: int, result: str) -> None:
    """Codes and texts are the node's, filled with the facts."""
    assert fault_of(error) == fault(code, result)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (errors.CursorForeign, "cursor of another chain, oldest a:1, head a:9"),
        (errors.CursorExpired, "cursor expired, oldest a:1, head a:9"),
        (errors.CursorAhead, "cursor ahead of the chain, oldest a:1, head a:9"),
    ],
)
def test_lost_cursors(kind: Any, text: str) -> None:
    """A cursor that cannot be resumed from comes with those that can."""
    assert fault_of(kind(oldest="a:1", head="a:9")) == fault(42002, text)


def test_refusals_are_said_as_they_are() -> None:
    """A handler's own refusal goes out unchanged."""
    refusal = words.below_floors(20_000, 2_500)
    assert fault_of(Refused(refusal)) is refusal


PAYER = Address20(bytes(19) + b"\1")

REFUSALS = [
    (words.pool_full(), 45016, "transaction pool is full"),
    (words.already_pooled(b"\1\2"), 45003, "transaction 0102 is already in the tx pool"),
    (words.fee_overflow(3, 4), -1, "gasLimit 3 * gasPrice 4 overflow"),
    (words.below_floors(20_000, 500), -1, "Please input gasLimit >= 20000 and gasPrice >= 500"),
    (words.deploy_gas_too_low(20_000_000), -1, "Deploy tx gaslimit should >= 20000000"),
    (
        words.gas_limit_too_low(20_000, 40_000),
        -1,
        "transaction's gasLimit 20000 is less than preExec gasLimit 40000",
    ),
    (
        words.fee_above_balance(PAYER, 9),
        -1,
        f"transactor 01{38 * '0'} has no balance enough to cover gas cost 9",
    ),
    (words.execution_refused("why"), -1, "why"),
]


@pytest.mark.parametrize(("refusal", "code", "result"), REFUSALS)
def test_refusals_of_the_pool(refusal: Fault, code: int, result: str) -> None:
    """Before it is pooled a transaction is refused in the node's words."""
    assert refusal == fault(code, result)


def test_words_of_the_session() -> None:
    """The session speaks as the dialect does."""
    assert FAULTS.unknown_method("getsyncstatus") == fault(42001)
    assert FAULTS.of(errors.Overloaded()) == fault_of(errors.Overloaded())
    assert FAULTS.internal == fault(45001)
