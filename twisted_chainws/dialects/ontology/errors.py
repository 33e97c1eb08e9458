"""Refusals and model exceptions in the words of Ontology's node. Sans-I/O.

A fault's code is ``Error``, its message ``Desc``; its data is ``Result``, which is an empty text
where the node says nothing more. The node has no words for limits, cursors, histories and sources
that fail: those are ours, as ``Result``.

Source: ``ontology.md`` 2, 4 and 8.2; the node's ``http/base/error/error.go``,
``errors/errcode.go`` and ``txnpool/proc``, 26b5ad4f.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from twisted_chainws import errors
from twisted_chainws.chain.types import Address20
from twisted_chainws.dialects.base import Faults
from twisted_chainws.dialects.ontology import eip155
from twisted_chainws.dialects.ontology.address import encode_reversed
from twisted_chainws.dialects.outcomes import Fault, Refused
from twisted_chainws.errors import ChainwsError

SUCCESS: Final = 0
SESSION_EXPIRED: Final = 41001
SERVICE_CEILING: Final = 41002
ILLEGAL_DATAFORMAT: Final = 41003
INVALID_VERSION: Final = 41004
INVALID_METHOD: Final = 42001
INVALID_PARAMS: Final = 42002
INVALID_TRANSACTION: Final = 43001
INVALID_ASSET: Final = 43002
INVALID_BLOCK: Final = 43003
UNKNOWN_TRANSACTION: Final = 44001
UNKNOWN_ASSET: Final = 44002
UNKNOWN_BLOCK: Final = 44003
UNKNOWN_CONTRACT: Final = 44004
INTERNAL_ERROR: Final = 45001
SMARTCODE_ERROR: Final = 47001
PRE_EXEC_ERROR: Final = 47002

NO_CODE: Final = -2
UNKNOWN: Final = -1
DUPLICATED_TX: Final = 45002
DUPLICATE_INPUT: Final = 45003
ASSET_PRECISION: Final = 45004
TRANSACTION_BALANCE: Final = 45005
ATTRIBUTE_PROGRAM: Final = 45006
TRANSACTION_CONTRACTS: Final = 45007
TRANSACTION_PAYLOAD: Final = 45008
DOUBLE_SPEND: Final = 45009
TX_HASH_DUPLICATE: Final = 45010
STATE_UPDATER_INVALID: Final = 45011
SUMMARY_ASSET: Final = 45012
XMIT_FAIL: Final = 45013
NO_ACCOUNT: Final = 45014
RETRY_EXHAUSTED: Final = 45015
TX_POOL_FULL: Final = 45016
NET_PACK_FAIL: Final = 45017
NET_UNPACK_FAIL: Final = 45018
NET_VERIFY_FAIL: Final = 45019
GAS_PRICE: Final = 45020
VERIFY_SIGNATURE: Final = 45021
HIGHER_NONCE: Final = 45022
ETH_GAS_LIMIT: Final = 45023
SAME_NONCE: Final = 45024
NONCE_TOO_BIG: Final = 45025

DESCRIPTIONS: Final[Mapping[int, str]] = {
    SUCCESS: "SUCCESS",
    SESSION_EXPIRED: "SESSION EXPIRED",
    SERVICE_CEILING: "SERVICE CEILING",
    ILLEGAL_DATAFORMAT: "ILLEGAL DATAFORMAT",
    INVALID_VERSION: "INVALID VERSION",
    INVALID_METHOD: "INVALID METHOD",
    INVALID_PARAMS: "INVALID PARAMS",
    INVALID_TRANSACTION: "INVALID TRANSACTION",
    INVALID_ASSET: "INVALID ASSET",
    INVALID_BLOCK: "INVALID BLOCK",
    UNKNOWN_TRANSACTION: "UNKNOWN TRANSACTION",
    UNKNOWN_ASSET: "UNKNOWN ASSET",
    UNKNOWN_BLOCK: "UNKNOWN BLOCK",
    UNKNOWN_CONTRACT: "UNKNOWN CONTRACT",
    INTERNAL_ERROR: "INTERNAL ERROR",
    SMARTCODE_ERROR: "SMARTCODE EXEC ERROR",
    PRE_EXEC_ERROR: "SMARTCODE PREPARE EXEC ERROR",
    NO_CODE: "INTERNAL ERROR, ErrNoCode",
    UNKNOWN: "INTERNAL ERROR, ErrUnknown",
    DUPLICATED_TX: "INTERNAL ERROR, ErrDuplicatedTx",
    DUPLICATE_INPUT: "INTERNAL ERROR, ErrDuplicateInput",
    ASSET_PRECISION: "INTERNAL ERROR, ErrAssetPrecision",
    TRANSACTION_BALANCE: "INTERNAL ERROR, ErrTransactionBalance",
    ATTRIBUTE_PROGRAM: "INTERNAL ERROR, ErrAttributeProgram",
    TRANSACTION_CONTRACTS: "INTERNAL ERROR, ErrTransactionContracts",
    TRANSACTION_PAYLOAD: "INTERNAL ERROR, ErrTransactionPayload",
    DOUBLE_SPEND: "INTERNAL ERROR, ErrDoubleSpend",
    TX_HASH_DUPLICATE: "INTERNAL ERROR, ErrTxHashDuplicate",
    STATE_UPDATER_INVALID: "INTERNAL ERROR, ErrStateUpdaterVaild",
    SUMMARY_ASSET: "INTERNAL ERROR, ErrSummaryAsset",
    XMIT_FAIL: "INTERNAL ERROR, ErrXmitFail",
    NO_ACCOUNT: "INTERNAL ERROR, ErrNoAccount",
}
"""Code -> ``Desc``; a code that is not here has an empty one."""


def fault(code: int, result: str = "") -> Fault:
    """Make a fault of a code and what it says besides."""
    return Fault(code=code, message=DESCRIPTIONS.get(code, ""), data=result)


def pool_full() -> Fault:
    """Refuse a transaction because no further one is kept."""
    return fault(TX_POOL_FULL, "transaction pool is full")


def already_pooled(transaction_hash: bytes) -> Fault:
    """Refuse a transaction that waits already; its hash is told as it is, not reversed."""
    text = f"transaction {transaction_hash.hex()} is already in the tx pool"
    return fault(DUPLICATE_INPUT, text)


def fee_overflow(gas_limit: int, gas_price: int) -> Fault:
    """Refuse a transaction whose fee does not fit in 64 bits."""
    return fault(UNKNOWN, f"gasLimit {gas_limit} * gasPrice {gas_price} overflow")


def below_floors(gas_limit: int, gas_price: int) -> Fault:
    """Refuse too little gas or too low a price; both floors are told."""
    text = f"Please input gasLimit >= {gas_limit} and gasPrice >= {gas_price}"
    return fault(UNKNOWN, text)


def deploy_gas_too_low(minimum: int) -> Fault:
    """Refuse a deployment with too little gas."""
    return fault(UNKNOWN, f"Deploy tx gaslimit should >= {minimum}")


def gas_limit_too_low(gas_limit: int, needed: int) -> Fault:
    """Refuse a transaction that would run out of gas."""
    text = f"transaction's gasLimit {gas_limit} is less than preExec gasLimit {needed}"
    return fault(UNKNOWN, text)


def fee_above_balance(payer: Address20, fee: int) -> Fault:
    """Refuse a transaction whose payer has not enough ONG; 10^-9 ONG."""
    text = f"transactor {encode_reversed(payer)} has no balance enough to cover gas cost {fee}"
    return fault(UNKNOWN, text)


def execution_refused(reason: str) -> Fault:
    """Refuse a transaction that fails before it is pooled; pre-execution says 47001 instead."""
    return fault(UNKNOWN, reason)


def _says(code: int, result: str = "") -> Callable[[Any], Fault]:
    said = fault(code, result)
    return lambda _error: said


def _tells(code: int, text: Callable[[Any], str]) -> Callable[[Any], Fault]:
    return lambda error: fault(code, text(error))


def _lost(text: str) -> Callable[[Any], Fault]:
    return _tells(INVALID_PARAMS, lambda e: f"{text}, oldest {e.oldest}, head {e.head}")


ERRORS: Final[Mapping[type[ChainwsError], Callable[[Any], Fault]]] = {
    ChainwsError: _says(INTERNAL_ERROR),
    errors.UnknownBlock: _says(UNKNOWN_BLOCK),
    errors.UnknownBlockHash: _says(UNKNOWN_BLOCK),
    errors.NotCanonical: _says(UNKNOWN_BLOCK),
    errors.HistoryPruned: _tells(
        UNKNOWN_BLOCK, lambda e: f"blocks below {e.oldest} are no longer kept"
    ),
    errors.CursorMalformed: _says(INVALID_PARAMS, "invalid cursor"),
    errors.CursorForeign: _lost("cursor of another chain"),
    errors.CursorExpired: _lost("cursor expired"),
    errors.CursorAhead: _lost("cursor ahead of the chain"),
    errors.TooManySubscriptions: _tells(
        SERVICE_CEILING, lambda e: f"more than {e.limit} subscriptions per connection"
    ),
    errors.TooManyAlternatives: _tells(
        SERVICE_CEILING, lambda e: f"more than {e.limit} contracts per connection"
    ),
    errors.TransactionNotFound: _says(UNKNOWN_TRANSACTION),
    errors.TransactionRejected: _says(UNKNOWN, "unknown error"),
    errors.UndecodableTransaction: _says(INVALID_TRANSACTION),
    errors.UnsupportedTransactionType: _says(INVALID_TRANSACTION),
    errors.TransactionTooShort: _says(INVALID_TRANSACTION),
    errors.WrongChainId: _says(INVALID_TRANSACTION),
    errors.UnprotectedTransaction: _says(INVALID_TRANSACTION),
    errors.TransactionTooLarge: _says(UNKNOWN, "size is over 1M"),
    errors.AlreadyKnown: _says(DUPLICATE_INPUT, "duplicated transaction input detected"),
    errors.PoolFull: lambda _error: pool_full(),
    errors.FeeOverflow: lambda e: fee_overflow(e.gas, e.price // eip155.WEI_PER_GWEI),
    errors.OfferTooLow: lambda e: below_floors(
        e.minimum_gas, e.minimum_price // eip155.WEI_PER_GWEI
    ),
    errors.GasBelowUse: lambda e: gas_limit_too_low(e.gas, e.needed),
    errors.FeeAboveBalance: lambda e: fee_above_balance(
        Address20(e.payer), e.fee // eip155.WEI_PER_GWEI
    ),
    errors.AlreadyMined: _says(DUPLICATED_TX, "duplicated transaction detected"),
    errors.Underpriced: _says(GAS_PRICE, "invalid gas price"),
    errors.IntrinsicGasTooLow: _tells(UNKNOWN, lambda e: f"Please input gasLimit >= {e.minimum}"),
    errors.InsufficientFunds: _tells(
        UNKNOWN, lambda e: f"no balance enough to cover cost {e.cost}, balance {e.balance}"
    ),
    errors.InvalidSignature: _says(VERIFY_SIGNATURE, "transaction verify signature fail"),
    errors.NonceTooLow: _says(HIGHER_NONCE, "higher nonce exist"),
    errors.BlockGasLimitExceeded: _says(ETH_GAS_LIMIT, "eth transaction gaslimit exceeded"),
    errors.TransactionGasTooHigh: _says(ETH_GAS_LIMIT, "eth transaction gaslimit exceeded"),
    errors.ReplacementUnderpriced: _says(SAME_NONCE, "eth transaction with same nonce existed"),
    errors.NonceTooHigh: _says(NONCE_TOO_BIG, "eth transaction nonce is much greater than tx pool"),
    errors.ExecutionFailed: _tells(SMARTCODE_ERROR, lambda e: e.reason),
    errors.ExecutionReverted: _tells(
        SMARTCODE_ERROR, lambda e: f"execution reverted: 0x{e.data.hex()}"
    ),
    errors.ExecutionTimeout: _tells(
        SMARTCODE_ERROR, lambda e: f"execution took more than {e.timeout_s} s"
    ),
    errors.SourceUnavailable: _tells(
        INTERNAL_ERROR, lambda e: f"node is not available: {e.reason}"
    ),
    errors.Overloaded: _says(SERVICE_CEILING, "too many calls in progress"),
    errors.Unsupported: _tells(SMARTCODE_ERROR, lambda e: e.reason),
}
"""Exception class -> fault; a class that is not here is said as its nearest ancestor."""


def fault_of(error: ChainwsError) -> Fault:
    """Say a model exception."""
    if isinstance(error, Refused):
        return error.fault
    return next(ERRORS[kind] for kind in type(error).__mro__ if kind in ERRORS)(error)


FAULTS: Final = Faults(
    of=fault_of,
    unknown_method=lambda _name: fault(INVALID_METHOD),
    response_too_large=fault(INTERNAL_ERROR, "response too large"),
    internal=fault(INTERNAL_ERROR),
    notifications_unsupported=fault(INVALID_METHOD),
    too_many_requests=fault(SERVICE_CEILING, "too many requests at a time"),
    throughput_exceeded=fault(SERVICE_CEILING, "too many requests"),
    timed_out=fault(INTERNAL_ERROR, "request timed out"),
    expired=fault(SESSION_EXPIRED),
)
"""What the session itself has to say."""
