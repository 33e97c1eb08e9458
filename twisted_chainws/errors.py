"""Every exception that the chain model, its sources and its subscriptions raise.

They carry plain values and import nothing. Numbers and wording belong to a wire, so only
``dialects/*/errors.py`` turns one of these into a code and a text.

::

    ChainwsError
    ├── ChainError
    │   ├── UnknownParent
    │   ├── UnknownBlock
    │   ├── UnknownBlockHash
    │   ├── NotCanonical
    │   ├── HistoryPruned
    │   └── PendingUnavailable
    ├── CursorError
    │   ├── CursorMalformed
    │   ├── CursorForeign
    │   ├── CursorExpired
    │   └── CursorAhead
    ├── SubscriptionError
    │   ├── TooManySubscriptions
    │   ├── TooManyAlternatives
    │   ├── TooManyFilters
    │   └── FilterNotFound
    ├── TransactionRejected
    │   ├── NonceTooLow
    │   ├── NonceTooHigh
    │   ├── NonceAtMaximum
    │   ├── InsufficientFunds
    │   ├── AlreadyKnown
    │   ├── ReplacementUnderpriced
    │   ├── Underpriced
    │   ├── TipAboveFeeCap
    │   ├── FeeCapBelowBaseFee
    │   ├── IntrinsicGasTooLow
    │   ├── FloorGasTooLow
    │   ├── BlockGasLimitExceeded
    │   ├── TransactionGasTooHigh
    │   ├── TooManyBlobs
    │   ├── WrongChainId
    │   ├── WrongMessageVersion
    │   ├── UnprotectedTransaction
    │   ├── FeeAboveLimit
    │   ├── UndecodableTransaction
    │   ├── UnsupportedTransactionType
    │   ├── TransactionTooShort
    │   ├── InvalidSignature
    │   ├── InitCodeTooLarge
    │   ├── TransactionTooLarge
    │   ├── PoolFull
    │   ├── SenderNotExternallyOwned
    │   ├── SenderUnknown
    │   ├── RecipientMissing
    │   ├── RecipientIsContract
    │   ├── BuildTimeout
    │   ├── BlobsMissing
    │   ├── FeeOverflow
    │   ├── OfferTooLow
    │   ├── GasBelowUse
    │   ├── FeeAboveBalance
    │   └── AlreadyMined
    ├── ExecutionError
    │   ├── ExecutionReverted
    │   ├── ExecutionFailed
    │   ├── ExecutionTimeout
    │   ├── GasAllowanceExceeded
    │   ├── EstimateFailed
    │   ├── PrecheckFailed
    │   ├── InvalidOverride
    │   ├── TraceFailed
    │   ├── TraceTimeout
    │   ├── TraceTooLarge
    │   ├── TraceIndexOutOfRange
    │   ├── TracerNotFound
    │   ├── GenesisNotTraceable
    │   └── SimulationRefused
    │       ├── SimulatedNonceTooLow
    │       ├── SimulatedNonceTooHigh
    │       ├── SimulatedTipAboveFeeCap
    │       ├── SimulatedFeeCapTooLow
    │       ├── SimulatedGasTooLow
    │       ├── SimulatedFundsTooLow
    │       ├── SimulatedInitCodeTooLarge
    │       ├── SimulatedBlockFull
    │       ├── SimulatedNumberOrder
    │       ├── SimulatedTimeOrder
    │       └── SimulationTooLarge
    ├── UnknownAccount
    ├── ControlError
    │   ├── TimestampTooLow
    │   ├── ReorgTooDeep
    │   ├── RollbackTooDeep
    │   ├── InvalidReorg
    │   ├── InvalidControl
    │   └── InvalidAbi
    ├── MinedWaitTimeout
    ├── TransactionNotFound
    └── SourceError
        ├── SourceUnavailable
        ├── Overloaded
        └── Unsupported
"""

from dataclasses import dataclass, fields


@dataclass(eq=False, kw_only=True)
class ChainwsError(Exception):
    """Root of all model exceptions: a typed record of facts, worded by the dialects."""

    def __str__(self) -> str:
        """Name the facts, for logs; never sent to a client."""
        return ", ".join(f"{item.name}={getattr(self, item.name)!r}" for item in fields(self))


@dataclass(eq=False, kw_only=True)
class ChainError(ChainwsError):
    """A block or a branch is not what the caller believes."""


@dataclass(eq=False, kw_only=True)
class UnknownParent(ChainError):
    """A published block attaches to nothing we know."""

    parent_hash: bytes


@dataclass(eq=False, kw_only=True)
class UnknownBlock(ChainError):
    """There is no block of this number or tag; ``safe`` and ``finalized`` come as text."""

    block: int | str


@dataclass(eq=False, kw_only=True)
class UnknownBlockHash(ChainError):
    """There is no block of this hash."""

    block_hash: bytes


@dataclass(eq=False, kw_only=True)
class NotCanonical(ChainError):
    """The block is known but lies on a side branch."""

    block_hash: bytes


@dataclass(eq=False, kw_only=True)
class HistoryPruned(ChainError):
    """The block is older than the history that is kept."""

    number: int
    oldest: int


@dataclass(eq=False, kw_only=True)
class PendingUnavailable(ChainError):
    """The source builds no pending block."""


@dataclass(eq=False, kw_only=True)
class CursorError(ChainwsError):
    """A cursor cannot be resumed from."""


@dataclass(eq=False, kw_only=True)
class CursorMalformed(CursorError):
    """The text is not ``epoch:seq[:index]``."""

    text: str


@dataclass(eq=False, kw_only=True)
class CursorForeign(CursorError):
    """Another journal wrote this cursor."""

    oldest: str
    head: str


@dataclass(eq=False, kw_only=True)
class CursorExpired(CursorError):
    """The journal no longer keeps what follows this cursor."""

    oldest: str
    head: str


@dataclass(eq=False, kw_only=True)
class CursorAhead(CursorError):
    """The cursor lies beyond the head of the journal."""

    oldest: str
    head: str


@dataclass(eq=False, kw_only=True)
class SubscriptionError(ChainwsError):
    """A subscription or filter cannot be had."""


@dataclass(eq=False, kw_only=True)
class TooManySubscriptions(SubscriptionError):
    """The connection has reached its subscription limit."""

    limit: int


@dataclass(eq=False, kw_only=True)
class TooManyAlternatives(SubscriptionError):
    """The filters of one connection name too many addresses and topics."""

    limit: int


@dataclass(eq=False, kw_only=True)
class TooManyFilters(SubscriptionError):
    """The service has reached its limit of polled filters."""

    limit: int


@dataclass(eq=False, kw_only=True)
class FilterNotFound(SubscriptionError):
    """No polled filter of this id, or it has expired."""

    filter_id: str


@dataclass(eq=False, kw_only=True)
class TransactionRejected(ChainwsError):
    """The pool does not take this transaction."""


@dataclass(eq=False, kw_only=True)
class NonceTooLow(TransactionRejected):
    """The nonce has been used."""

    next_nonce: int
    nonce: int


@dataclass(eq=False, kw_only=True)
class NonceTooHigh(TransactionRejected):
    """The nonce leaves a gap that this pool refuses."""

    next_nonce: int
    nonce: int


@dataclass(eq=False, kw_only=True)
class NonceAtMaximum(TransactionRejected):
    """The nonce is 2^64-1, which no transaction may have (EIP-2681)."""


@dataclass(eq=False, kw_only=True)
class InsufficientFunds(TransactionRejected):
    """Balance below ``gas * price + value``, all in wei."""

    balance: int
    cost: int


@dataclass(eq=False, kw_only=True)
class AlreadyKnown(TransactionRejected):
    """The same transaction is in the pool."""


@dataclass(eq=False, kw_only=True)
class ReplacementUnderpriced(TransactionRejected):
    """Same sender and nonce without the price bump."""


@dataclass(eq=False, kw_only=True)
class Underpriced(TransactionRejected):
    """The tip is below the pool's minimum, wei."""

    tip: int
    minimum: int


@dataclass(eq=False, kw_only=True)
class TipAboveFeeCap(TransactionRejected):
    """The priority fee exceeds the fee cap, wei."""

    sender: str
    tip: int
    cap: int


@dataclass(eq=False, kw_only=True)
class FeeCapBelowBaseFee(TransactionRejected):
    """The fee cap is below the block's base fee, wei."""

    sender: str
    cap: int
    base_fee: int


@dataclass(eq=False, kw_only=True)
class IntrinsicGasTooLow(TransactionRejected):
    """The gas limit does not cover the intrinsic gas."""

    gas: int
    minimum: int


@dataclass(eq=False, kw_only=True)
class FloorGasTooLow(TransactionRejected):
    """The gas limit does not cover the floor data gas (EIP-7623)."""

    gas: int
    minimum: int


@dataclass(eq=False, kw_only=True)
class BlockGasLimitExceeded(TransactionRejected):
    """The gas limit exceeds that of a block."""

    gas: int
    limit: int


@dataclass(eq=False, kw_only=True)
class TransactionGasTooHigh(TransactionRejected):
    """The gas limit exceeds what one transaction may have (EIP-7825)."""

    gas: int
    cap: int


@dataclass(eq=False, kw_only=True)
class TooManyBlobs(TransactionRejected):
    """One transaction carries more blobs than it may (EIP-7594)."""

    count: int
    limit: int


@dataclass(eq=False, kw_only=True)
class WrongChainId(TransactionRejected):
    """Signed for another chain."""

    have: int
    want: int


@dataclass(eq=False, kw_only=True)
class WrongMessageVersion(TransactionRejected):
    """A native transaction is written by rules of another version."""

    have: int
    want: int


@dataclass(eq=False, kw_only=True)
class UnprotectedTransaction(TransactionRejected):
    """A legacy signature without chain id (pre EIP-155)."""


@dataclass(eq=False, kw_only=True)
class FeeAboveLimit(TransactionRejected):
    """The fee exceeds the configured cap, wei."""

    fee: int
    cap: int


@dataclass(eq=False, kw_only=True)
class UndecodableTransaction(TransactionRejected):
    """The bytes are no transaction; ``reason`` says why, in one line."""

    reason: str


@dataclass(eq=False, kw_only=True)
class UnsupportedTransactionType(TransactionRejected):
    """The envelope's type is unknown."""


@dataclass(eq=False, kw_only=True)
class TransactionTooShort(TransactionRejected):
    """A typed envelope without content."""


@dataclass(eq=False, kw_only=True)
class InvalidSignature(TransactionRejected):
    """No sender can be recovered."""


@dataclass(eq=False, kw_only=True)
class InitCodeTooLarge(TransactionRejected):
    """Creation code over the limit (EIP-3860), bytes."""

    size: int
    limit: int


@dataclass(eq=False, kw_only=True)
class TransactionTooLarge(TransactionRejected):
    """The encoding is over the pool's limit, bytes."""

    size: int
    limit: int


@dataclass(eq=False, kw_only=True)
class PoolFull(TransactionRejected):
    """The pool has no room."""

    limit: int


@dataclass(eq=False, kw_only=True)
class SenderNotExternallyOwned(TransactionRejected):
    """The sender has code (EIP-3607); hex address and code hash."""

    address: str
    code_hash: str


@dataclass(eq=False, kw_only=True)
class SenderUnknown(TransactionRejected):
    """The sender of a native transaction has no account: nothing was ever paid to it."""


@dataclass(eq=False, kw_only=True)
class RecipientMissing(TransactionRejected):
    """A native transaction pays nobody and creates nothing."""


@dataclass(eq=False, kw_only=True)
class RecipientIsContract(TransactionRejected):
    """A native payment goes to an account with code, which takes none."""


@dataclass(eq=False, kw_only=True)
class BuildTimeout(TransactionRejected):
    """The transaction runs longer than a block may take to build."""

    timeout_s: float


@dataclass(eq=False, kw_only=True)
class BlobsMissing(TransactionRejected):
    """A blob transaction without blob hashes."""


@dataclass(eq=False, kw_only=True)
class FeeOverflow(TransactionRejected):
    """Gas limit times price (wei) is more than a native transaction can say."""

    gas: int
    price: int


@dataclass(eq=False, kw_only=True)
class OfferTooLow(TransactionRejected):
    """A native transaction offers less than the least gas or the least price (wei)."""

    minimum_gas: int
    minimum_price: int


@dataclass(eq=False, kw_only=True)
class GasBelowUse(TransactionRejected):
    """A native transaction would need more gas than its limit."""

    gas: int
    needed: int


@dataclass(eq=False, kw_only=True)
class FeeAboveBalance(TransactionRejected):
    """The payer (20 bytes) of a native transaction owns less than its fee, wei."""

    payer: bytes
    fee: int


@dataclass(eq=False, kw_only=True)
class AlreadyMined(TransactionRejected):
    """The same native transaction is in a block."""


@dataclass(eq=False, kw_only=True)
class ExecutionError(ChainwsError):
    """A call or an estimate did not end well."""


@dataclass(eq=False, kw_only=True)
class ExecutionReverted(ExecutionError):
    """The code reverted; ``data`` is what it returned."""

    data: bytes


@dataclass(eq=False, kw_only=True)
class ExecutionFailed(ExecutionError):
    """Any other EVM failure; ``reason`` in geth's words."""

    reason: str


@dataclass(eq=False, kw_only=True)
class ExecutionTimeout(ExecutionError):
    """The call ran into its time limit, seconds."""

    timeout_s: float


@dataclass(eq=False, kw_only=True)
class GasAllowanceExceeded(ExecutionError):
    """No gas limit up to the cap is enough."""

    cap: int


@dataclass(eq=False, kw_only=True)
class EstimateFailed(ExecutionError):
    """Estimation failed at the given gas; ``reason`` in geth's words."""

    gas: int
    reason: str


@dataclass(eq=False, kw_only=True)
class PrecheckFailed(ExecutionError):
    """A call was refused before its first opcode; ``reason`` in geth's words."""

    reason: str
    gas: int


@dataclass(eq=False, kw_only=True)
class InvalidOverride(ExecutionError):
    """State or block overrides contradict each other; ``reason`` says how."""

    reason: str


@dataclass(eq=False, kw_only=True)
class TraceFailed(ExecutionError):
    """What is to be traced cannot run; ``reason`` in geth's words."""

    reason: str


@dataclass(eq=False, kw_only=True)
class TraceTimeout(ExecutionError):
    """A traced transaction ran longer than the question allowed."""


@dataclass(eq=False, kw_only=True)
class TraceTooLarge(ExecutionError):
    """A trace grew beyond the limit, bytes."""

    limit: int


@dataclass(eq=False, kw_only=True)
class TraceIndexOutOfRange(ExecutionError):
    """The block has no transaction of this index."""

    index: int
    block_hash: bytes


@dataclass(eq=False, kw_only=True)
class TracerNotFound(ExecutionError):
    """There is no tracer of this name; it may have been a program."""

    name: str


@dataclass(eq=False, kw_only=True)
class GenesisNotTraceable(ExecutionError):
    """Nothing led to block 0."""


@dataclass(eq=False, kw_only=True)
class SimulationRefused(ExecutionError):
    """Simulated blocks cannot be made at all; ``reason`` in geth's words."""

    reason: str


@dataclass(eq=False, kw_only=True)
class SimulatedNonceTooLow(SimulationRefused):
    """A simulated call has a nonce that was used."""


@dataclass(eq=False, kw_only=True)
class SimulatedNonceTooHigh(SimulationRefused):
    """A simulated call has a nonce that leaves a gap."""


@dataclass(eq=False, kw_only=True)
class SimulatedTipAboveFeeCap(SimulationRefused):
    """The priority fee of a simulated call exceeds its fee cap."""


@dataclass(eq=False, kw_only=True)
class SimulatedFeeCapTooLow(SimulationRefused):
    """The fee cap of a simulated call is below the base fee of its block."""


@dataclass(eq=False, kw_only=True)
class SimulatedGasTooLow(SimulationRefused):
    """The gas of a simulated call does not cover its intrinsic gas."""


@dataclass(eq=False, kw_only=True)
class SimulatedFundsTooLow(SimulationRefused):
    """The sender of a simulated call cannot pay for it."""


@dataclass(eq=False, kw_only=True)
class SimulatedInitCodeTooLarge(SimulationRefused):
    """The creation code of a simulated call is over the limit (EIP-3860)."""


@dataclass(eq=False, kw_only=True)
class SimulatedBlockFull(SimulationRefused):
    """A simulated call asks for more gas than its block has left."""


@dataclass(eq=False, kw_only=True)
class SimulatedNumberOrder(SimulationRefused):
    """A simulated block is not above the one before it."""


@dataclass(eq=False, kw_only=True)
class SimulatedTimeOrder(SimulationRefused):
    """A simulated block is not later than the one before it."""


@dataclass(eq=False, kw_only=True)
class SimulationTooLarge(SimulationRefused):
    """More blocks or calls than may be simulated at once."""


@dataclass(eq=False, kw_only=True)
class UnknownAccount(ChainwsError):
    """The node holds no key for this address (hex)."""

    address: str


@dataclass(eq=False, kw_only=True)
class ControlError(ChainwsError):
    """A development command cannot be carried out."""


@dataclass(eq=False, kw_only=True)
class TimestampTooLow(ControlError):
    """A timestamp at or below that of the head, seconds."""

    timestamp: int
    previous: int


@dataclass(eq=False, kw_only=True)
class ReorgTooDeep(ControlError):
    """More blocks to replace than there are."""

    height: int
    depth: int


@dataclass(eq=False, kw_only=True)
class RollbackTooDeep(ControlError):
    """More blocks to take away than there are."""

    height: int
    depth: int


@dataclass(eq=False, kw_only=True)
class InvalidReorg(ControlError):
    """A transaction of a reorg cannot be placed; ``reason`` says why."""

    reason: str


@dataclass(eq=False, kw_only=True)
class InvalidControl(ControlError):
    """A development command's argument is out of range; ``reason`` says how."""

    reason: str


@dataclass(eq=False, kw_only=True)
class InvalidAbi(ControlError):
    """The description of a contract's events cannot be used; ``reason`` says why."""

    reason: str


@dataclass(eq=False, kw_only=True)
class MinedWaitTimeout(ChainwsError):
    """A transaction was accepted but not mined in time, seconds."""

    transaction_hash: bytes
    timeout_s: float


@dataclass(eq=False, kw_only=True)
class TransactionNotFound(ChainwsError):
    """No transaction of this hash (hex)."""

    transaction_hash: str


@dataclass(eq=False, kw_only=True)
class SourceError(ChainwsError):
    """The source of the chain cannot answer."""


@dataclass(eq=False, kw_only=True)
class SourceUnavailable(SourceError):
    """The source went away while it was asked; ``reason`` is fit for users."""

    reason: str


@dataclass(eq=False, kw_only=True)
class Overloaded(SourceError):
    """Too many calls are in progress."""


@dataclass(eq=False, kw_only=True)
class Unsupported(SourceError):
    """The source cannot do this at all; ``reason`` is fit for users."""

    reason: str


NATIVE_REJECTIONS = (
    WrongMessageVersion,
    SenderUnknown,
    RecipientMissing,
    RecipientIsContract,
    FeeOverflow,
    OfferTooLow,
    GasBelowUse,
    FeeAboveBalance,
    AlreadyMined,
)
"""What only transactions of other families than the EVM's are rejected for."""
