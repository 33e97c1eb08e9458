from typing import Any

import pytest

from tests.dialects.model_errors import CLASSES, make_error
from twisted_chainws import errors
from twisted_chainws.dialects.ethereum.errors import ERRORS, fault_of, make_faults
from twisted_chainws.dialects.outcomes import Fault, Refused
from twisted_chainws.dialects.view import Profile
from twisted_chainws.errors import ChainwsError


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize("profile", Profile)
def test_every_class_has_words(kind: type[ChainwsError], profile: Profile) -> None:
    """Every exception of the model has a code and a text of its own in every profile."""
    assert kind in ERRORS
    fault = fault_of(make_error(kind), profile)
    assert fault.code
    assert fault.message


WORDS: list[tuple[ChainwsError, int, str]] = [
    (errors.UnknownBlock(block=7), -32000, "header not found"),
    (errors.UnknownBlock(block="safe"), -32000, "safe block not found"),
    (errors.UnknownBlock(block="finalized"), -32000, "finalized block not found"),
    (errors.UnknownBlockHash(block_hash=b""), -32000, "header for hash not found"),
    (errors.NotCanonical(block_hash=b""), -32000, "hash is not currently canonical"),
    (errors.HistoryPruned(number=1, oldest=2), 4444, "pruned history unavailable"),
    (errors.PendingUnavailable(), -32000, "pending block is not available"),
    (errors.FilterNotFound(filter_id="0x1"), -32000, "filter not found"),
    (
        errors.TooManySubscriptions(limit=3),
        -32600,
        "exceeded max subscriptions per connection",
    ),
    (
        errors.TransactionGasTooHigh(gas=17_000_000, cap=16_777_216),
        -32000,
        "transaction gas limit too high (cap: 16777216, tx: 17000000)",
    ),
    (
        errors.TooManyBlobs(count=7, limit=6),
        -32000,
        "too many blobs in transaction (have 7, permitted 6)",
    ),
    (errors.NonceAtMaximum(), -32000, "nonce has max value"),
    (errors.NonceTooLow(next_nonce=5, nonce=0), -32000, "nonce too low: next nonce 5, tx nonce 0"),
    (
        errors.NonceTooHigh(next_nonce=5, nonce=9),
        -32000,
        "nonce too high: tx nonce 9, gapped nonce 5",
    ),
    (
        errors.InsufficientFunds(balance=0, cost=1),
        -32000,
        "insufficient funds for gas * price + value: balance 0, tx cost 1, overshot 1",
    ),
    (errors.AlreadyKnown(), -32000, "already known"),
    (errors.ReplacementUnderpriced(), -32000, "replacement transaction underpriced"),
    (
        errors.Underpriced(tip=0, minimum=1),
        -32000,
        "transaction gas price below minimum: gas tip cap 0, minimum needed 1",
    ),
    (
        errors.TipAboveFeeCap(sender="0xab", tip=2, cap=1),
        -32000,
        (
            "max priority fee per gas higher than max fee per gas: "
            "address 0xab, maxPriorityFeePerGas: 2, maxFeePerGas: 1"
        ),
    ),
    (
        errors.FeeCapBelowBaseFee(sender="0xab", cap=1, base_fee=2),
        -32000,
        "max fee per gas less than block base fee: address 0xab, maxFeePerGas: 1, baseFee: 2",
    ),
    (
        errors.IntrinsicGasTooLow(gas=0, minimum=21000),
        -32000,
        "intrinsic gas too low: gas 0, minimum needed 21000",
    ),
    (errors.BlockGasLimitExceeded(gas=2, limit=1), -32000, "exceeds block gas limit"),
    (
        errors.WrongChainId(have=1, want=31337),
        -32000,
        "invalid sender: invalid chain id for signer: have 1 want 31337",
    ),
    (
        errors.UnprotectedTransaction(),
        -32000,
        "only replay-protected (EIP-155) transactions allowed over RPC",
    ),
    (
        errors.FeeAboveLimit(fee=1_050_000_000_000_000_000, cap=10**18),
        -32000,
        "tx fee (1.05 ether) exceeds the configured cap (1.00 ether)",
    ),
    (
        errors.TransactionTooLarge(size=200_000, limit=131_072),
        -32000,
        "oversized data: transaction size 200000, limit 131072",
    ),
    (errors.ExecutionFailed(reason="out of gas"), -32000, "out of gas"),
    (errors.ExecutionTimeout(timeout_s=5.0), -32000, "execution aborted (timeout = 5s)"),
    (
        errors.GasAllowanceExceeded(cap=21_000),
        -32000,
        "gas required exceeds allowance (21000)",
    ),
    (errors.EstimateFailed(gas=5, reason="stop"), -32000, "failed with 5 gas: stop"),
    (
        errors.PrecheckFailed(reason="no funds", gas=50_000_000),
        -32000,
        "err: no funds (supplied gas 50000000)",
    ),
    (errors.TraceFailed(reason="no funds"), -32000, "tracing failed: no funds"),
    (errors.TraceTimeout(), -32000, "execution timeout"),
    (
        errors.TraceTooLarge(limit=7),
        -32000,
        "trace too large: more than 7 bytes, ask for less or set a limit",
    ),
    (
        errors.TraceIndexOutOfRange(index=3, block_hash=b"\1"),
        -32000,
        "transaction index 3 out of range for block 0x01",
    ),
    (errors.TracerNotFound(name="opcount"), -32000, "tracer not found"),
    (errors.GenesisNotTraceable(), -32000, "genesis is not traceable"),
    (errors.UnknownAccount(address="0x"), -32000, "unknown account"),
    (
        errors.TimestampTooLow(timestamp=1, previous=2),
        -32602,
        "Timestamp error: 1 is lower than previous block's timestamp",
    ),
    (
        errors.ReorgTooDeep(height=41, depth=100),
        -32602,
        "Reorg depth must not exceed current chain height: current height 41, depth 100",
    ),
    (
        errors.RollbackTooDeep(height=41, depth=100),
        -32602,
        "Rollback depth must not exceed current chain height: current height 41, depth 100",
    ),
    (errors.Unsupported(reason="no state here"), -32004, "no state here"),
    (
        errors.SourceUnavailable(reason="it stopped"),
        -32000,
        "node is not available: it stopped",
    ),
]


@pytest.mark.parametrize(("error", "code", "message"), WORDS)
def test_words(error: ChainwsError, code: int, message: str) -> None:
    """Codes and texts are those that clients search for."""
    assert fault_of(error) == Fault(code=code, message=message)


def test_revert_carries_its_data() -> None:
    """A revert is code 3 with the bytes that the contract returned."""
    assert fault_of(errors.ExecutionReverted(data=b"\xab")) == Fault(
        code=3, message="execution reverted", data="0xab"
    )


def test_mined_wait_timeout_carries_the_hash() -> None:
    """A transaction that was accepted but not mined is named in the data."""
    fault = fault_of(errors.MinedWaitTimeout(transaction_hash=b"\xab", timeout_s=20.0))
    assert (fault.code, fault.data) == (4, "0xab")
    assert fault.message == (
        "The transaction was added to the transaction pool but wasn't processed in 20s"
    )


@pytest.mark.parametrize("kind", [errors.CursorForeign, errors.CursorExpired, errors.CursorAhead])
def test_lost_cursor_names_what_there_is(kind: Any) -> None:
    """A cursor that cannot be resumed from is answered with the bounds of the journal."""
    fault = fault_of(kind(oldest="a", head="b"))
    assert (fault.code, fault.data) == (-32011, {"oldest": "a", "head": "b"})


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (errors.NonceTooLow(next_nonce=5, nonce=0), -32003, "nonce too low"),
        (
            errors.InsufficientFunds(balance=0, cost=1),
            -32003,
            "Insufficient funds for gas * price + value",
        ),
        (errors.AlreadyKnown(), -32003, "transaction already imported"),
        (errors.UndecodableTransaction(reason="rlp: no"), -32602, "Failed to decode transaction"),
        (errors.PoolFull(limit=1), -32003, "txpool is full"),
        (errors.UnknownAccount(address="0x"), -32000, "unknown account"),
    ],
)
def test_anvil_words(error: ChainwsError, code: int, message: str) -> None:
    """The anvil profile refuses transactions in anvil's words."""
    assert fault_of(error, Profile.ANVIL) == Fault(code=code, message=message)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("invalid argument 0: no", "invalid 1st argument: no"),
        ("invalid argument 1: no", "invalid 2nd argument: no"),
        (
            "invalid argument 2: invalid argument 0: no",
            "invalid 3rd argument: invalid argument 0: no",
        ),
        ("invalid argument 3: no", "invalid 4th argument: no"),
        ("too many arguments, want at most 1", "too many arguments, want at most 1"),
    ],
)
def test_alchemy_counts_arguments_from_the_first(text: str, expected: str) -> None:
    """What other nodes number from zero is the first there; other texts stay."""
    refused = Refused(Fault(code=-32602, message=text, data=1))
    assert fault_of(refused, Profile.ALCHEMY) == Fault(code=-32602, message=expected, data=1)
    assert fault_of(refused) is refused.fault
    other = Refused(Fault(code=3, message="invalid argument 0: said by a contract"))
    assert fault_of(other, Profile.ALCHEMY) is other.fault


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (errors.SourceUnavailable(reason="x"), -32000, "Unable to complete request at this time."),
        (errors.SourceError(), -32603, "internal server error"),
        (ChainwsError(), -32603, "internal server error"),
        (errors.AlreadyKnown(), -32000, "already known"),
        (
            errors.NonceTooLow(next_nonce=5, nonce=0),
            -32000,
            "nonce too low: next nonce 5, tx nonce 0",
        ),
    ],
)
def test_alchemy_words(error: ChainwsError, code: int, message: str) -> None:
    """The alchemy profile says in its own words what is the server's fault, and nothing else."""
    assert fault_of(error, Profile.ALCHEMY) == Fault(code=code, message=message)


def test_a_new_class_is_said_as_its_ancestor() -> None:
    """A class without words of its own does not break the reply."""

    class Odd(errors.NonceTooLow):
        """Something newer than the table."""

    assert fault_of(Odd(next_nonce=5, nonce=0)).message == "nonce too low: next nonce 5, tx nonce 0"


def test_faults_of_a_profile() -> None:
    """What the session says itself has the words of the profile too."""
    faults = make_faults(Profile.GETH)
    fault = Fault(code=1, message="x")
    assert faults.of(Refused(fault)) is fault
    assert faults.of(errors.AlreadyKnown()).code == -32000
    assert faults.unknown_method("eth_foo") == Fault(
        code=-32601, message="the method eth_foo does not exist/is not available"
    )
    assert faults.response_too_large == Fault(code=-32003, message="response too large")
    assert faults.internal == Fault(code=-32603, message="method handler crashed")
    assert faults.notifications_unsupported == Fault(
        code=-32601, message="notifications not supported"
    )
    alchemy = make_faults(Profile.ALCHEMY)
    assert alchemy.unknown_method("eth_foo").message == "Unsupported method: eth_foo."
    assert alchemy.internal == Fault(code=-32603, message="internal server error")
    assert alchemy.timed_out.message == "Request timed out. Client should retry."
