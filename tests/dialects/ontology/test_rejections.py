from typing import Any

import pytest

from tests.dialects.model_errors import CLASSES, make_error
from tests.dialects.ontology.ledgers import EVM, sample
from twisted_chainws import errors
from twisted_chainws.dialects.ontology.address import encode_reversed
from twisted_chainws.dialects.ontology.errors import fault, fault_of
from twisted_chainws.dialects.ontology.rejections import REJECTIONS, rejection_of
from twisted_chainws.errors import ChainwsError

NATIVE = sample("ont_transfer_1")
PAYER = encode_reversed(NATIVE.payer)
SENDER = encode_reversed(EVM.sender)

ROWS: list[tuple[ChainwsError, Any, int, str]] = [
    (errors.UndecodableTransaction(reason="cut off"), NATIVE, 43001, ""),
    (errors.ExecutionFailed(reason="[Invoke] why"), NATIVE, -1, "[Invoke] why"),
    (errors.ExecutionReverted(data=b"\xab"), EVM, -1, "execution reverted: 0xab"),
    (errors.Unsupported(reason="no WASM here"), NATIVE, -1, "no WASM here"),
    (errors.TransactionTooLarge(size=2, limit=1), NATIVE, -1, "size is over 1M"),
    (
        errors.AlreadyKnown(),
        NATIVE,
        45003,
        f"transaction {NATIVE.hash.hex()} is already in the tx pool",
    ),
    (errors.AlreadyKnown(), EVM, 45003, f"transaction {EVM.hash.hex()} is already in the tx pool"),
    (errors.PoolFull(limit=1), NATIVE, 45016, "transaction pool is full"),
    (
        errors.FeeOverflow(gas=3, price=4 * 10**9),
        NATIVE,
        -1,
        "gasLimit 3 * gasPrice 4 overflow",
    ),
    (
        errors.OfferTooLow(minimum_gas=20_000, minimum_price=0),
        NATIVE,
        -1,
        "Please input gasLimit >= 20000 and gasPrice >= 0",
    ),
    (
        errors.IntrinsicGasTooLow(gas=1, minimum=21_000),
        EVM,
        -1,
        "Please input gasLimit >= 21000 and gasPrice >= 0",
    ),
    (errors.BlockGasLimitExceeded(gas=9, limit=8), EVM, -1, "EIP155 tx gaslimit exceed "),
    (
        errors.BlockGasLimitExceeded(gas=9, limit=8),
        NATIVE,
        -1,
        "the script may use gas 9, a block has 8",
    ),
    (errors.TransactionGasTooHigh(gas=9, cap=8), EVM, -1, "EIP155 tx gaslimit exceed "),
    (
        errors.NonceTooLow(nonce=2, next_nonce=5),
        EVM,
        -1,
        "handleTransaction lower nonce:2 ,current nonce:5",
    ),
    (
        errors.InsufficientFunds(balance=1, cost=2),
        EVM,
        -1,
        f"not enough ong balance for {SENDER} - has:1 - want:2",
    ),
    (
        errors.InsufficientFunds(balance=1, cost=2 * 10**9),
        NATIVE,
        -1,
        f"transactor {PAYER} has no balance enough to cover gas cost 2",
    ),
    (
        errors.GasBelowUse(gas=20_000, needed=40_000),
        NATIVE,
        -1,
        "transaction's gasLimit 20000 is less than preExec gasLimit 40000",
    ),
    (
        errors.FeeAboveBalance(payer=NATIVE.payer, fee=7 * 10**9),
        NATIVE,
        -1,
        f"transactor {PAYER} has no balance enough to cover gas cost 7",
    ),
    (errors.InvalidSignature(), NATIVE, 45021, "transaction verify signature fail"),
    (errors.AlreadyMined(), NATIVE, 45002, "duplicated transaction detected"),
    (errors.ReplacementUnderpriced(), EVM, 45024, "eth transaction with same nonce existed"),
    (
        errors.NonceTooHigh(nonce=9, next_nonce=5),
        EVM,
        45025,
        "eth transaction nonce is much greater than tx pool",
    ),
    (errors.SourceUnavailable(reason="gone"), NATIVE, 45001, "node is not available: gone"),
]


@pytest.mark.parametrize(
    ("error", "transaction", "code", "result"), ROWS, ids=[type(row[0]).__name__ for row in ROWS]
)
def test_words(error: ChainwsError, transaction: Any, code: int, result: str) -> None:
    """Codes and texts are those of the node's pool."""
    assert rejection_of(error, transaction) == fault(code, result)


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize("transaction", [NATIVE, EVM], ids=["native", "EVM"])
def test_every_class_has_words(kind: type[ChainwsError], transaction: Any) -> None:
    """Whatever goes wrong, a transaction that was sent gets a code; 47001 is of trying only."""
    error = make_error(kind)
    found = rejection_of(error, transaction)
    assert found.code not in {0, 47001}
    if not issubclass(kind, tuple(REJECTIONS)):
        assert found == fault_of(error)
