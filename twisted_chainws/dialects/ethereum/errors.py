"""Model exceptions to the codes and words of Ethereum nodes. Sans-I/O.

``ERRORS`` speaks as go-ethereum does; profiles change what their nodes say differently. Clients
tell errors apart by these texts (ethers and viem search for substrings), so they are part of the
wire.

Source: ``ethereum.md`` 1.5, 1.9, 5.2 to 5.10 (go-ethereum ``core/error.go``,
``core/txpool/errors.go``, ``rpc/errors.go``; anvil 1.7.1; Alchemy's error reference).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from twisted_chainws import errors
from twisted_chainws.dialects.base import Faults
from twisted_chainws.dialects.ethereum.revert import encode_revert_message, go_duration
from twisted_chainws.dialects.outcomes import Fault, Refused
from twisted_chainws.dialects.view import Profile
from twisted_chainws.errors import ChainwsError

SERVER_ERROR: Final = -32000
TRANSACTION_REJECTED: Final = -32003
METHOD_NOT_SUPPORTED: Final = -32004
LIMIT_EXCEEDED: Final = -32005
CURSOR_LOST: Final = -32011
VM_ERROR: Final = -32015
INVALID_REQUEST: Final = -32600
METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602
INTERNAL_ERROR: Final = -32603
REVERTED: Final = 3
NOT_MINED_IN_TIME: Final = 4
TOO_MANY_REQUESTS: Final = 429
REQUEST_TIMED_OUT: Final = -32002
PRUNED: Final = 4444
CLIENT_LIMIT_EXCEEDED: Final = -38026

_WEI_PER_ETHER: Final = 10**18


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """How one exception class is said.

    Attributes:
        code: of the JSON-RPC error.
        text: exception -> message.
        data: exception -> ``data`` member; None leaves it out.
    """

    code: int
    text: Callable[[Any], str]
    data: Callable[[Any], Any] | None = None


def _says(text: str, code: int = SERVER_ERROR) -> Wording:
    return Wording(code=code, text=lambda _error: text)


def _tells(text: Callable[[Any], str], code: int = SERVER_ERROR) -> Wording:
    return Wording(code=code, text=text)


def _lost_cursor(text: str) -> Wording:
    return Wording(
        code=CURSOR_LOST,
        text=lambda _error: text,
        data=lambda error: {"oldest": error.oldest, "head": error.head},
    )


def _ether(wei: int) -> str:
    return f"{wei / _WEI_PER_ETHER:.2f}"


def _unknown_block(error: errors.UnknownBlock) -> str:
    return "header not found" if isinstance(error.block, int) else f"{error.block} block not found"


_INTERNAL: Final = _says("internal error", INTERNAL_ERROR)

CHAIN_ERRORS: Final[Mapping[type[ChainwsError], Wording]] = {
    ChainwsError: _INTERNAL,
    errors.ChainError: _INTERNAL,
    errors.UnknownParent: _INTERNAL,
    errors.UnknownBlock: _tells(_unknown_block),
    errors.UnknownBlockHash: _says("header for hash not found"),
    errors.NotCanonical: _says("hash is not currently canonical"),
    errors.HistoryPruned: _says("pruned history unavailable", PRUNED),
    errors.PendingUnavailable: _says("pending block is not available"),
    errors.CursorError: _says("invalid cursor", INVALID_PARAMS),
    errors.CursorMalformed: _tells(lambda e: f"invalid cursor: {e.text}", INVALID_PARAMS),
    errors.CursorForeign: _lost_cursor("cursor of another journal"),
    errors.CursorExpired: _lost_cursor("cursor expired"),
    errors.CursorAhead: _lost_cursor("cursor ahead of head"),
    errors.SubscriptionError: _INTERNAL,
    errors.TooManySubscriptions: _says(
        "exceeded max subscriptions per connection", INVALID_REQUEST
    ),
    errors.TooManyAlternatives: _tells(
        lambda e: f"limit exceeded: more than {e.limit} addresses and topics per connection",
        LIMIT_EXCEEDED,
    ),
    errors.TooManyFilters: _tells(
        lambda e: f"limit exceeded: more than {e.limit} filters", LIMIT_EXCEEDED
    ),
    errors.FilterNotFound: _says("filter not found"),
    errors.TransactionNotFound: _says("transaction not found"),
    errors.UnknownAccount: _says("unknown account"),
    errors.MinedWaitTimeout: Wording(
        code=NOT_MINED_IN_TIME,
        text=lambda e: (
            "The transaction was added to the transaction pool but wasn't processed in "
            f"{go_duration(e.timeout_s)}"
        ),
        data=lambda e: "0x" + e.transaction_hash.hex(),
    ),
    errors.SourceError: _INTERNAL,
    errors.SourceUnavailable: _tells(lambda e: f"node is not available: {e.reason}"),
    errors.Overloaded: _says("limit exceeded: too many calls in progress", LIMIT_EXCEEDED),
    errors.Unsupported: _tells(lambda e: e.reason, METHOD_NOT_SUPPORTED),
}

REJECTIONS: Final[Mapping[type[ChainwsError], Wording]] = {
    errors.TransactionRejected: _says("transaction rejected"),
    errors.NonceTooLow: _tells(
        lambda e: f"nonce too low: next nonce {e.next_nonce}, tx nonce {e.nonce}"
    ),
    errors.NonceTooHigh: _tells(
        lambda e: f"nonce too high: tx nonce {e.nonce}, gapped nonce {e.next_nonce}"
    ),
    errors.NonceAtMaximum: _says("nonce has max value"),
    errors.InsufficientFunds: _tells(
        lambda e: (
            f"insufficient funds for gas * price + value: balance {e.balance}, "
            f"tx cost {e.cost}, overshot {e.cost - e.balance}"
        )
    ),
    errors.AlreadyKnown: _says("already known"),
    errors.ReplacementUnderpriced: _says("replacement transaction underpriced"),
    errors.Underpriced: _tells(
        lambda e: (
            f"transaction gas price below minimum: gas tip cap {e.tip}, minimum needed {e.minimum}"
        )
    ),
    errors.TipAboveFeeCap: _tells(
        lambda e: (
            "max priority fee per gas higher than max fee per gas: "
            f"address {e.sender}, maxPriorityFeePerGas: {e.tip}, maxFeePerGas: {e.cap}"
        )
    ),
    errors.FeeCapBelowBaseFee: _tells(
        lambda e: (
            "max fee per gas less than block base fee: "
            f"address {e.sender}, maxFeePerGas: {e.cap}, baseFee: {e.base_fee}"
        )
    ),
    errors.IntrinsicGasTooLow: _tells(
        lambda e: f"intrinsic gas too low: gas {e.gas}, minimum needed {e.minimum}"
    ),
    errors.FloorGasTooLow: _tells(
        lambda e: (
            f"insufficient gas for floor data gas cost: gas {e.gas}, minimum needed {e.minimum}"
        )
    ),
    errors.BlockGasLimitExceeded: _says("exceeds block gas limit"),
    errors.TransactionGasTooHigh: _tells(
        lambda e: f"transaction gas limit too high (cap: {e.cap}, tx: {e.gas})"
    ),
    errors.TooManyBlobs: _tells(
        lambda e: f"too many blobs in transaction (have {e.count}, permitted {e.limit})"
    ),
    errors.WrongChainId: _tells(
        lambda e: f"invalid sender: invalid chain id for signer: have {e.have} want {e.want}"
    ),
    errors.UnprotectedTransaction: _says(
        "only replay-protected (EIP-155) transactions allowed over RPC"
    ),
    errors.FeeAboveLimit: _tells(
        lambda e: (
            f"tx fee ({_ether(e.fee)} ether) exceeds the configured cap ({_ether(e.cap)} ether)"
        )
    ),
    errors.UndecodableTransaction: _tells(lambda e: e.reason),
    errors.UnsupportedTransactionType: _says("transaction type not supported"),
    errors.TransactionTooShort: _says("typed transaction too short"),
    errors.InvalidSignature: _says("invalid sender"),
    errors.InitCodeTooLarge: _tells(
        lambda e: f"max initcode size exceeded: code size {e.size}, limit {e.limit}"
    ),
    errors.TransactionTooLarge: _tells(
        lambda e: f"oversized data: transaction size {e.size}, limit {e.limit}"
    ),
    errors.PoolFull: _says("txpool is full"),
    errors.SenderNotExternallyOwned: _tells(
        lambda e: f"sender not an eoa: address {e.address}, codehash: {e.code_hash}"
    ),
    errors.BuildTimeout: _tells(
        lambda e: f"execution aborted (timeout = {go_duration(e.timeout_s)})"
    ),
    errors.BlobsMissing: _says("blob transaction missing blob hashes"),
    **dict.fromkeys(errors.NATIVE_REJECTIONS, _says("native transaction rejected")),
}

EXECUTION_ERRORS: Final[Mapping[type[ChainwsError], Wording]] = {
    errors.ExecutionError: _says("execution failed"),
    errors.ExecutionReverted: Wording(
        code=REVERTED,
        text=lambda e: encode_revert_message(e.data),
        data=lambda e: "0x" + e.data.hex(),
    ),
    errors.ExecutionFailed: _tells(lambda e: e.reason),
    errors.ExecutionTimeout: _tells(
        lambda e: f"execution aborted (timeout = {go_duration(e.timeout_s)})"
    ),
    errors.GasAllowanceExceeded: _tells(lambda e: f"gas required exceeds allowance ({e.cap})"),
    errors.EstimateFailed: _tells(lambda e: f"failed with {e.gas} gas: {e.reason}"),
    errors.PrecheckFailed: _tells(lambda e: f"err: {e.reason} (supplied gas {e.gas})"),
    errors.InvalidOverride: _tells(lambda e: e.reason),
    errors.TraceFailed: _tells(lambda e: f"tracing failed: {e.reason}"),
    errors.TraceTimeout: _says("execution timeout"),
    errors.TraceTooLarge: _tells(
        lambda e: f"trace too large: more than {e.limit} bytes, ask for less or set a limit"
    ),
    errors.TraceIndexOutOfRange: _tells(
        lambda e: f"transaction index {e.index} out of range for block 0x{e.block_hash.hex()}"
    ),
    errors.TracerNotFound: _says("tracer not found"),
    errors.GenesisNotTraceable: _says("genesis is not traceable"),
}

SIMULATION_ERRORS: Final[Mapping[type[ChainwsError], Wording]] = {
    kind: _tells(lambda e: e.reason, code)
    for kind, code in (
        (errors.SimulationRefused, INTERNAL_ERROR),
        (errors.SimulatedNonceTooLow, -38010),
        (errors.SimulatedNonceTooHigh, -38011),
        (errors.SimulatedFeeCapTooLow, -38012),
        (errors.SimulatedGasTooLow, -38013),
        (errors.SimulatedFundsTooLow, -38014),
        (errors.SimulatedBlockFull, -38015),
        (errors.SimulatedNumberOrder, -38020),
        (errors.SimulatedTimeOrder, -38021),
        (errors.SimulatedInitCodeTooLarge, -38025),
        (errors.SimulationTooLarge, CLIENT_LIMIT_EXCEEDED),
        (errors.SimulatedTipAboveFeeCap, INVALID_PARAMS),
    )
}
"""Source: go-ethereum internal/ethapi/errors.go, 02b73d4e."""

CONTROL_ERRORS: Final[Mapping[type[ChainwsError], Wording]] = {
    errors.ControlError: _says("invalid command", INVALID_PARAMS),
    errors.TimestampTooLow: _tells(
        lambda e: f"Timestamp error: {e.timestamp} is lower than previous block's timestamp",
        INVALID_PARAMS,
    ),
    errors.ReorgTooDeep: _tells(
        lambda e: (
            "Reorg depth must not exceed current chain height: "
            f"current height {e.height}, depth {e.depth}"
        ),
        INVALID_PARAMS,
    ),
    errors.RollbackTooDeep: _tells(
        lambda e: (
            "Rollback depth must not exceed current chain height: "
            f"current height {e.height}, depth {e.depth}"
        ),
        INVALID_PARAMS,
    ),
    errors.InvalidReorg: _tells(lambda e: e.reason, INVALID_PARAMS),
    errors.InvalidControl: _tells(lambda e: e.reason, INVALID_PARAMS),
    errors.InvalidAbi: _tells(lambda e: e.reason, INVALID_PARAMS),
}

ERRORS: Final[Mapping[type[ChainwsError], Wording]] = {
    **CHAIN_ERRORS,
    **REJECTIONS,
    **EXECUTION_ERRORS,
    **SIMULATION_ERRORS,
    **CONTROL_ERRORS,
}

_ANVIL: Final[Mapping[type[ChainwsError], Wording]] = {
    **{
        kind: Wording(code=TRANSACTION_REJECTED, text=wording.text)
        for kind, wording in REJECTIONS.items()
    },
    errors.NonceTooLow: _says("nonce too low", TRANSACTION_REJECTED),
    errors.InsufficientFunds: _says(
        "Insufficient funds for gas * price + value", TRANSACTION_REJECTED
    ),
    errors.AlreadyKnown: _says("transaction already imported", TRANSACTION_REJECTED),
    errors.UndecodableTransaction: _says("Failed to decode transaction", INVALID_PARAMS),
    errors.TransactionTooShort: _says("Failed to decode transaction", INVALID_PARAMS),
    errors.UnsupportedTransactionType: _says("Failed to decode transaction", INVALID_PARAMS),
}

UNAVAILABLE: Final = "Unable to complete request at this time."
"""What Alchemy says with code -32000 where it is the server that cannot."""

_SERVER_FAILED: Final = "internal server error"

_ALCHEMY: Final[Mapping[type[ChainwsError], Wording]] = {
    **{
        kind: _says(_SERVER_FAILED, INTERNAL_ERROR)
        for kind, wording in ERRORS.items()
        if wording is _INTERNAL
    },
    errors.SourceUnavailable: _says(UNAVAILABLE),
}
"""Source: Alchemy, "Error Reference", sections JSON-RPC Error Codes and Error Messages."""

PROFILE_ERRORS: Final[Mapping[Profile, Mapping[type[ChainwsError], Wording]]] = {
    Profile.ANVIL: {**ERRORS, **_ANVIL},
    Profile.ALCHEMY: {**ERRORS, **_ALCHEMY},
}
"""Tables of the profiles that do not speak as go-ethereum does."""

NOTIFICATIONS_UNSUPPORTED: Final = Fault(
    code=METHOD_NOT_FOUND, message="notifications not supported"
)

_RETRY: Final = (
    "If you have retries enabled, you can safely ignore this message. "
    "If not, check out https://docs.alchemy.com/reference/throughput"
)

TOO_MANY_CONCURRENT: Final = Fault(
    code=TOO_MANY_REQUESTS,
    message=f"Your app has exceeded its concurrent requests capacity. {_RETRY}",
)
"""Source: Alchemy, error of 2023, observed in reports; its error reference names the case."""

THROUGHPUT_EXCEEDED: Final = Fault(
    code=TOO_MANY_REQUESTS,
    message=f"Your app has exceeded its compute units per second capacity. {_RETRY}",
)
"""Source: Alchemy, "Throughput", section Error response."""

_ARGUMENT: Final = re.compile(r"^invalid argument (\d+):")
_ORDINAL_ENDINGS: Final = {1: "st", 2: "nd", 3: "rd"}

_CRASHED: Final = Fault(code=INTERNAL_ERROR, message="method handler crashed")


def fault_of(error: ChainwsError, profile: Profile = Profile.SUPERSET) -> Fault:
    """Say a model exception in the words of a profile.

    A class without words of its own is said as its nearest ancestor.
    """
    if isinstance(error, Refused):
        return _refusal(error.fault, profile)
    table = PROFILE_ERRORS.get(profile, ERRORS)
    wording = next(table[kind] for kind in type(error).__mro__ if kind in table)
    return Fault(
        code=wording.code,
        message=wording.text(error),
        data=None if wording.data is None else wording.data(error),
    )


def _refusal(fault: Fault, profile: Profile) -> Fault:
    """Say a refusal in the words of a profile: Alchemy counts arguments from the first."""
    if profile is not Profile.ALCHEMY or fault.code != INVALID_PARAMS:
        return fault
    return replace(fault, message=_ARGUMENT.sub(_ordinal_argument, fault.message))


def _ordinal_argument(found: re.Match[str]) -> str:
    position = int(found[1]) + 1
    return f"invalid {position}{_ORDINAL_ENDINGS.get(position, 'th')} argument:"


def unknown_method(name: str, profile: Profile = Profile.SUPERSET) -> Fault:
    """Say that there is no such method."""
    text = f"the method {name} does not exist/is not available"
    if profile is Profile.ALCHEMY:
        text = f"Unsupported method: {name}."
    return Fault(code=METHOD_NOT_FOUND, message=text)


def make_faults(profile: Profile) -> Faults:
    """Return the words of a profile for what the session has to say."""
    alchemy = profile is Profile.ALCHEMY
    return Faults(
        of=lambda error: fault_of(error, profile),
        unknown_method=lambda name: unknown_method(name, profile),
        response_too_large=Fault(code=TRANSACTION_REJECTED, message="response too large"),
        internal=replace(_CRASHED, message=_SERVER_FAILED) if alchemy else _CRASHED,
        notifications_unsupported=NOTIFICATIONS_UNSUPPORTED,
        too_many_requests=TOO_MANY_CONCURRENT,
        throughput_exceeded=THROUGHPUT_EXCEEDED,
        timed_out=Fault(
            code=REQUEST_TIMED_OUT,
            message="Request timed out. Client should retry." if alchemy else "request timed out",
        ),
    )
