"""Refusals and model exceptions in the words of Zilliqa's node. Sans-I/O.

Over WebSocket only the message of a fault goes out, so those of queries have no code; over HTTP
both do. The node has no words for limits, cursors, histories and sources that fail: those are ours.

Source: ``zilliqa.md`` 2.8 and 5; the node's ``Server.h``, ``JSONConversion.cpp`` and
``LookupServer.cpp``, f0bcbb01; libjson-rpc-cpp's ``errors.cpp`` for the codes below -32599.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from twisted_chainws import errors
from twisted_chainws.dialects.base import Faults
from twisted_chainws.dialects.outcomes import Fault, Refused
from twisted_chainws.dialects.zilliqa.transaction import NATIVE_VERSION, WEI_PER_QA
from twisted_chainws.errors import ChainwsError

NO_CODE: Final = 0
MISC_ERROR: Final = -1
TYPE_ERROR: Final = -3
INVALID_ADDRESS_OR_KEY: Final = -5
INVALID_PARAMETER: Final = -8
DATABASE_ERROR: Final = -20
DESERIALIZATION_ERROR: Final = -22
VERIFY_ERROR: Final = -25
VERIFY_REJECTED: Final = -26
IN_WARMUP: Final = -28
METHOD_DEPRECATED: Final = -32
INVALID_REQUEST: Final = -32600
METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602
INTERNAL_ERROR: Final = -32603
PARSE_ERROR: Final = -32700


def _query(text: str) -> Fault:
    return Fault(code=NO_CODE, message=text)


INVALID_QUERY_FIELD: Final = _query("invalid query field")
INVALID_ADDRESSES_FIELD: Final = _query("invalid addresses field")
INVALID_TYPE_FIELD: Final = _query("invalid type field")
NO_CONTRACT_FOUND: Final = _query("no contract found in list")
INVALID_HEX_ADDRESS: Final = _query("invalid hex address")
INVALID_HEX_ADDRESS_OF_EVENTS: Final = _query("Invalid hex address")
"""What nodes say in EventLog; the document has the small letter everywhere."""
UNREADABLE_ADDRESS: Final = _query("invalid address")
"""What nodes say of 42 characters that are not hex, and of what is no text; not in the document."""
INVALID_CURSOR_FIELD: Final = _query("invalid cursor field")
"""Of the member that asks for cursors, which is ours."""
NO_RESUMING: Final = _query("resumeFrom is not supported yet")
NO_ADDRESS_FOUND: Final = _query("no valid address found in list")
NO_ADDRESS_FOUND_BARE: Final = _query("no valid address found")
"""What nodes say where the document has the longer text."""

PARSE_FAILED: Final = Fault(
    code=PARSE_ERROR, message="JSON_PARSE_ERROR: The JSON-Object is not JSON-Valid"
)
NOT_A_REQUEST: Final = Fault(
    code=INVALID_REQUEST,
    message="INVALID_JSON_REQUEST: The JSON sent is not a valid JSON-RPC Request object",
)
UNKNOWN_METHOD: Final = Fault(
    code=METHOD_NOT_FOUND,
    message="METHOD_NOT_FOUND: The method being requested is not available on this server",
)
WRONG_PARAMS: Final = Fault(
    code=INVALID_PARAMS,
    message="INVALID_PARAMS: Invalid method parameters (invalid name and/or type) recognised",
)
INTERNAL: Final = Fault(code=INTERNAL_ERROR, message="INTERNAL_ERROR: ")
METHOD_MISSING: Final = Fault(code=INVALID_REQUEST, message="RPC method missing")

NOT_NUMERIC: Final = Fault(code=INVALID_PARAMS, message="String not numeric")
INVALID_ARGUMENT: Final = Fault(code=INVALID_PARAMS, message="Invalid argument")
OUT_OF_RANGE: Final = Fault(code=INVALID_PARAMS, message="Out of range")
NO_SUCH_BLOCK: Final = Fault(code=INVALID_PARAMS, message="Tx Block does not exist")
NO_TRANSACTIONS: Final = Fault(code=MISC_ERROR, message="TxBlock has no transactions")
NO_SUCH_TRANSACTION: Final = Fault(code=DATABASE_ERROR, message="Txn Hash not Present")
NO_SUCH_CREATION: Final = Fault(code=INVALID_ADDRESS_OR_KEY, message="Txn Hash not Present")
NOT_A_CREATION: Final = Fault(code=INVALID_ADDRESS_OR_KEY, message="ID is not a contract txn")
HASH_SIZE: Final = Fault(code=INVALID_PARAMS, message="Size not appropriate")
PAGES_OUT_OF_LIMIT: Final = Fault(code=INVALID_PARAMETER, message="Pages out of limit")

ADDRESS_SIZE: Final = Fault(code=INVALID_PARAMETER, message="Address size not appropriate")
INVALID_BECH32: Final = Fault(code=INVALID_ADDRESS_OR_KEY, message="Bech32 address is invalid")
INVALID_ADDRESS: Final = Fault(code=INVALID_ADDRESS_OR_KEY, message="invalid address")
NO_SUCH_ADDRESS: Final = Fault(code=INVALID_ADDRESS_OR_KEY, message="Address does not exist")
NOT_A_CONTRACT: Final = Fault(code=INVALID_ADDRESS_OR_KEY, message="Address not contract address")
NO_SUCH_ACCOUNT: Final = Fault(code=INVALID_ADDRESS_OR_KEY, message="Account is not created")

MISSING_COMPONENTS: Final = Fault(
    code=INVALID_PARAMETER, message="Missing components in Json Data Object"
)
NONCE_NOT_INTEGRAL: Final = Fault(code=INVALID_PARAMETER, message="Nonce is not integral")
INVALID_AMOUNT: Final = Fault(code=INVALID_PARAMETER, message="Amount invalid string")
VERSION_NOT_INTEGRAL: Final = Fault(code=INVALID_PARAMETER, message="Version not integral")
PUBLIC_KEY_SIZE: Final = Fault(code=INVALID_PARAMETER, message="Invalid PubKey Size")
SIGNATURE_SIZE: Final = Fault(code=INVALID_PARAMETER, message="Invalid Signature size")
WRONG_CHECKSUM: Final = Fault(code=INVALID_PARAMETER, message="To Addr checksum wrong")
PRIORITY_NOT_BOOLEAN: Final = Fault(code=INVALID_PARAMETER, message="Priority should be boolean")

WRONG_CHAIN: Final = Fault(code=VERIFY_REJECTED, message="CHAIN_ID incorrect")
CODE_TOO_LARGE: Final = Fault(code=VERIFY_REJECTED, message="Code size is too large")
NOT_AUTHENTIC: Final = Fault(code=VERIFY_REJECTED, message="Unable to verify transaction")
NO_BALANCE: Final = Fault(
    code=INVALID_ADDRESS_OR_KEY, message="The sender of the txn has no balance"
)
INSUFFICIENT_FUNDS: Final = Fault(
    code=INVALID_PARAMETER, message="Insufficient funds in source account!"
)
NEITHER_CODE_NOR_RECIPIENT: Final = Fault(
    code=INVALID_ADDRESS_OR_KEY, message="Code is empty and To addr is null"
)
CONTRACT_TAKES_NO_PAYMENT: Final = Fault(
    code=INVALID_PARAMETER, message="Contract account won't accept normal txn"
)
UNPROCESSABLE: Final = Fault(code=MISC_ERROR, message="Unable to Process")
NO_INIT_DATA: Final = Fault(
    code=INVALID_REQUEST, message="contracts of the EVM have no init parameters"
)
NOT_POOLED: Final = Fault(code=MISC_ERROR, message="Unable to add transaction to mempool")


def wrong_version(actual: int) -> Fault:
    """Refuse a transaction whose message version is not that of native ones."""
    return Fault(
        code=VERIFY_REJECTED,
        message=f"Transaction version incorrect! Expected:{NATIVE_VERSION} Actual:{actual}",
    )


def gas_price_too_low(price_qa: int, minimum_qa: int) -> Fault:
    """Refuse a transaction that pays too little per gas."""
    return Fault(
        code=VERIFY_REJECTED,
        message=f"GasPrice {price_qa} lower than minimum allowable {minimum_qa}",
    )


def gas_limit_too_low(gas: int, minimum: int, what: str = "payment transaction") -> Fault:
    """Refuse too little gas; ``what`` is also ``invoking contract`` or ``creating contract``."""
    return Fault(
        code=INVALID_PARAMETER,
        message=f"Gas limit ({gas}) lower than minimum for {what} ({minimum})",
    )


def nonce_too_low(nonce: int, current: int) -> Fault:
    """Refuse a nonce that was used; ``current`` is that of the account."""
    return Fault(code=INVALID_PARAMETER, message=f"Nonce ({nonce}) lower than current ({current})")


def nonce_expected(nonce: int) -> Fault:
    """Refuse a nonce that leaves a gap, as the isolated server does."""
    return Fault(code=INVALID_PARAMETER, message=f"Expected Nonce: {nonce}")


def _lost(text: str) -> Callable[[Any], Fault]:
    return lambda error: Fault(
        code=DATABASE_ERROR, message=text, data={"head": error.head, "oldest": error.oldest}
    )


def _says(fault: Fault) -> Callable[[Any], Fault]:
    return lambda _error: fault


def _tells(code: int, text: Callable[[Any], str]) -> Callable[[Any], Fault]:
    return lambda error: Fault(code=code, message=text(error))


ERRORS: Final[Mapping[type[ChainwsError], Callable[[Any], Fault]]] = {
    ChainwsError: _says(INTERNAL),
    errors.UnknownBlock: _says(NO_SUCH_BLOCK),
    errors.UnknownBlockHash: _says(NO_SUCH_BLOCK),
    errors.NotCanonical: _says(NO_SUCH_BLOCK),
    errors.HistoryPruned: _tells(
        DATABASE_ERROR, lambda e: f"blocks below {e.oldest} are no longer kept"
    ),
    errors.CursorMalformed: _says(_query("invalid cursor")),
    errors.CursorForeign: _lost("cursor of another chain"),
    errors.CursorExpired: _lost("cursor expired"),
    errors.CursorAhead: _lost("cursor ahead of the chain"),
    errors.TooManySubscriptions: _tells(
        NO_CODE, lambda e: f"more than {e.limit} subscriptions per connection"
    ),
    errors.TooManyAlternatives: _tells(
        NO_CODE, lambda e: f"more than {e.limit} addresses per connection"
    ),
    errors.TransactionNotFound: _says(NO_SUCH_TRANSACTION),
    errors.UnknownAccount: _says(NO_SUCH_ACCOUNT),
    errors.TransactionRejected: _says(Fault(code=VERIFY_REJECTED, message="Txn rejected")),
    # Nonces of native transactions: next_nonce is that of the account plus 1.
    errors.NonceTooLow: lambda e: nonce_too_low(e.nonce, e.next_nonce - 1),
    errors.NonceTooHigh: lambda e: nonce_expected(e.next_nonce),
    errors.InsufficientFunds: _says(INSUFFICIENT_FUNDS),
    errors.AlreadyKnown: _says(NOT_POOLED),
    errors.ReplacementUnderpriced: _says(NOT_POOLED),
    errors.PoolFull: _says(NOT_POOLED),
    errors.Underpriced: lambda e: gas_price_too_low(e.tip // WEI_PER_QA, e.minimum // WEI_PER_QA),
    errors.IntrinsicGasTooLow: lambda e: gas_limit_too_low(e.gas, e.minimum),
    errors.BlockGasLimitExceeded: _tells(
        INVALID_PARAMETER,
        lambda e: f"Txn gas limit {e.gas} greater than microblock gas limit{e.limit}",
    ),
    errors.WrongChainId: _says(WRONG_CHAIN),
    errors.WrongMessageVersion: lambda e: wrong_version(e.have),
    errors.SenderUnknown: _says(NO_BALANCE),
    errors.RecipientMissing: _says(NEITHER_CODE_NOR_RECIPIENT),
    errors.RecipientIsContract: _says(CONTRACT_TAKES_NO_PAYMENT),
    errors.UndecodableTransaction: _tells(DESERIALIZATION_ERROR, lambda e: e.reason),
    errors.InvalidSignature: _says(NOT_AUTHENTIC),
    errors.InitCodeTooLarge: _says(CODE_TOO_LARGE),
    errors.TransactionTooLarge: _says(CODE_TOO_LARGE),
    errors.SourceUnavailable: _tells(IN_WARMUP, lambda e: f"node is not available: {e.reason}"),
    errors.Overloaded: _tells(IN_WARMUP, lambda _error: "too many calls in progress"),
    errors.Unsupported: _tells(INVALID_REQUEST, lambda e: e.reason),
}
"""Exception class -> fault; a class that is not here is said as its nearest ancestor."""


def fault_of(error: ChainwsError) -> Fault:
    """Say a model exception."""
    if isinstance(error, Refused):
        return error.fault
    return next(ERRORS[kind] for kind in type(error).__mro__ if kind in ERRORS)(error)


FAULTS: Final = Faults(
    of=fault_of,
    unknown_method=lambda _name: UNKNOWN_METHOD,
    response_too_large=Fault(code=MISC_ERROR, message="response too large"),
    internal=INTERNAL,
    notifications_unsupported=UNKNOWN_METHOD,
    too_many_requests=Fault(code=IN_WARMUP, message="too many requests at a time"),
    throughput_exceeded=Fault(code=IN_WARMUP, message="too many requests"),
    timed_out=Fault(code=INTERNAL_ERROR, message="request timed out"),
)
"""What the session itself has to say."""
