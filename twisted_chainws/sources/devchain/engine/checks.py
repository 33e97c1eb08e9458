"""What a transaction must satisfy before py-evm sees it; py-evm itself trusts its caller."""

from eth.abc import SignedTransactionAPI, StateAPI
from eth.constants import SECPK1_N
from eth.vm.forks.cancun.state import get_total_blob_gas
from eth_keys.exceptions import BadSignature
from eth_utils import ValidationError, to_checksum_address

from twisted_chainws.chain.forks import GAS_PER_BLOB, Fork
from twisted_chainws.errors import (
    BlobsMissing,
    BlockGasLimitExceeded,
    FeeCapBelowBaseFee,
    FloorGasTooLow,
    InitCodeTooLarge,
    InsufficientFunds,
    IntrinsicGasTooLow,
    InvalidSignature,
    NonceAtMaximum,
    NonceTooHigh,
    NonceTooLow,
    SenderNotExternallyOwned,
    TipAboveFeeCap,
    TooManyBlobs,
    TransactionGasTooHigh,
    TransactionTooLarge,
    UndecodableTransaction,
    UnprotectedTransaction,
    WrongChainId,
)

MAX_INIT_CODE_BYTES = 49_152
"""EIP-3860."""
MAX_TRANSACTION_BYTES = 131_072
"""What a geth pool takes: 4 slots of 32 KiB (core/txpool/legacypool)."""
MAX_TRANSACTION_GAS = 1 << 24
"""Since Osaka (EIP-7825)."""
MAX_TRANSACTION_BLOBS = 6
"""Since Osaka (EIP-7594)."""
MAX_NONCE = 2**64 - 1
"""What an account may reach and no transaction may have (EIP-2681)."""

_GAS_TRANSACTION = 21_000
_GAS_FLOOR_TOKEN = 10
_TOKENS_PER_NON_ZERO = 4
_GAS_INIT_CODE_WORD = 2
_WORD = 32
_BLOB_TYPE = 3
_SET_CODE_TYPE = 4
_BLOB_HASH_VERSION = b"\x01"
_DELEGATION = b"\xef\x01\x00"
_MAX_U256 = 2**256 - 1


def init_code_gas(to: bytes, data: bytes) -> int:
    """Return the gas for init code words (EIP-3860); 0 unless ``to`` is empty."""
    return 0 if to else _GAS_INIT_CODE_WORD * -(-len(data) // _WORD)


def floor_gas(data: bytes) -> int:
    """Return the least gas a transaction with this call data pays (EIP-7623)."""
    zeros = data.count(0)
    tokens = zeros + _TOKENS_PER_NON_ZERO * (len(data) - zeros)
    return _GAS_TRANSACTION + _GAS_FLOOR_TOKEN * tokens


def check_stateless(transaction: SignedTransactionAPI, *, chain_id: int, gas_limit: int) -> None:
    """Check all that needs no state, in the order in which a geth pool would complain.

    Args:
        transaction: decoded; a marked signature counts as valid, see `is_marked`.
        chain_id: of this chain.
        gas_limit: of a block.

    Raises:
        TransactionRejected: the subclass that names the rule.
    """
    _check_chain(transaction, chain_id)
    size = len(transaction.encode())
    if size > MAX_TRANSACTION_BYTES:
        raise TransactionTooLarge(size=size, limit=MAX_TRANSACTION_BYTES)
    _check_ranges(transaction)
    if transaction.max_priority_fee_per_gas > transaction.max_fee_per_gas:
        raise TipAboveFeeCap(
            sender=_sender_text(transaction),
            tip=transaction.max_priority_fee_per_gas,
            cap=transaction.max_fee_per_gas,
        )
    _check_type(transaction)
    _check_gas(transaction, gas_limit)
    check_signature(transaction)


def check_bounds(transaction: SignedTransactionAPI, fork: Fork) -> None:
    """Check what the rules of a fork allow one transaction, whatever the block is like.

    Raises:
        TransactionGasTooHigh: too much gas.
        TooManyBlobs: too many blobs.
    """
    if not fork.has("osaka"):
        return
    if transaction.gas > MAX_TRANSACTION_GAS:
        raise TransactionGasTooHigh(gas=transaction.gas, cap=MAX_TRANSACTION_GAS)
    blobs = get_total_blob_gas(transaction) // GAS_PER_BLOB
    if blobs > MAX_TRANSACTION_BLOBS:
        raise TooManyBlobs(count=blobs, limit=MAX_TRANSACTION_BLOBS)


def is_marked(transaction: SignedTransactionAPI) -> bool:
    """Whether the transaction only names its sender; never accept such a one from outside."""
    return bool(getattr(transaction, "is_unsigned", False))


def check_signature(transaction: SignedTransactionAPI) -> None:
    """Recover the sender, which stays cached on the transaction.

    Raises:
        InvalidSignature: out of range, malleable (EIP-2), or no key matches.
    """
    if is_marked(transaction):
        return
    in_range = (
        0 < transaction.r < SECPK1_N
        and 0 < transaction.s <= SECPK1_N // 2
        and transaction.y_parity in (0, 1)
    )
    if not in_range:
        raise InvalidSignature
    try:
        transaction.sender  # noqa: B018 - recovers and caches
    except (BadSignature, ValidationError) as error:
        raise InvalidSignature from error


def check_stateful(transaction: SignedTransactionAPI, state: StateAPI) -> None:
    """Check what depends on the sender's account; a nonce above the next one passes.

    Raises:
        SenderNotExternallyOwned: the sender has code other than a delegation (EIP-3607).
        NonceTooLow: the nonce was used.
        InsufficientFunds: the balance does not cover the most the transaction may cost.
    """
    sender = transaction.sender
    code = state.get_code(sender)
    if code and not code.startswith(_DELEGATION) and not is_marked(transaction):
        raise SenderNotExternallyOwned(
            address=to_checksum_address(sender),
            code_hash="0x" + state.get_code_hash(sender).hex(),
        )
    next_nonce = state.get_nonce(sender)
    if transaction.nonce < next_nonce:
        raise NonceTooLow(next_nonce=next_nonce, nonce=transaction.nonce)
    cost, balance = highest_cost(transaction), state.get_balance(sender)
    if balance < cost:
        raise InsufficientFunds(balance=balance, cost=cost)


def check_executable(
    transaction: SignedTransactionAPI, state: StateAPI, *, base_fee: int, blob_base_fee: int
) -> None:
    """Check that the transaction can run right now in a block with these fees (wei).

    Raises:
        NonceTooHigh: an earlier nonce is missing.
        FeeCapBelowBaseFee: the fee cap, or the blob fee cap, is below the block's price.
        TransactionRejected: as `check_stateful`.
    """
    check_stateful(transaction, state)
    next_nonce = state.get_nonce(transaction.sender)
    if transaction.nonce > next_nonce:
        raise NonceTooHigh(next_nonce=next_nonce, nonce=transaction.nonce)
    prices = [(transaction.max_fee_per_gas, base_fee)]
    if transaction.type_id == _BLOB_TYPE:
        prices.append((transaction.max_fee_per_blob_gas, blob_base_fee))
    for cap, price in prices:
        if cap < price:
            sender = to_checksum_address(transaction.sender)
            raise FeeCapBelowBaseFee(sender=sender, cap=cap, base_fee=price)


def highest_cost(transaction: SignedTransactionAPI) -> int:
    """Return the most the transaction may take from its sender, wei."""
    cost = transaction.gas * transaction.max_fee_per_gas + transaction.value
    if transaction.type_id == _BLOB_TYPE:
        cost += get_total_blob_gas(transaction) * transaction.max_fee_per_blob_gas
    return int(cost)


def _check_chain(transaction: SignedTransactionAPI, chain_id: int) -> None:
    if transaction.chain_id is None:
        if not is_marked(transaction):
            raise UnprotectedTransaction
    elif transaction.chain_id != chain_id:
        raise WrongChainId(have=transaction.chain_id, want=chain_id)


def _check_ranges(transaction: SignedTransactionAPI) -> None:
    amounts = (transaction.value, transaction.max_fee_per_gas, highest_cost(transaction))
    if max(amounts) > _MAX_U256 or transaction.max_priority_fee_per_gas > _MAX_U256:
        raise UndecodableTransaction(reason="rlp: value larger than 256 bits")
    if transaction.nonce > MAX_NONCE:
        raise UndecodableTransaction(
            reason="rlp: input string too long for uint64, decoding into .Nonce"
        )
    if transaction.nonce == MAX_NONCE:
        raise NonceAtMaximum


def _check_type(transaction: SignedTransactionAPI) -> None:
    kind = transaction.type_id or 0
    if kind in (_BLOB_TYPE, _SET_CODE_TYPE) and not transaction.to:
        raise UndecodableTransaction(
            reason="rlp: input string too short for common.Address, decoding into .To"
        )
    if kind == _BLOB_TYPE:
        hashes = transaction.blob_versioned_hashes
        if not hashes:
            raise BlobsMissing
        if any(len(item) != _WORD or item[:1] != _BLOB_HASH_VERSION for item in hashes):
            raise UndecodableTransaction(reason="rlp: invalid blob versioned hash")
    if kind == _SET_CODE_TYPE and not transaction.authorization_list:
        raise UndecodableTransaction(reason="rlp: set code transaction without authorizations")


def _check_gas(transaction: SignedTransactionAPI, gas_limit: int) -> None:
    if transaction.gas > gas_limit:
        raise BlockGasLimitExceeded(gas=transaction.gas, limit=gas_limit)
    if not transaction.to and len(transaction.data) > MAX_INIT_CODE_BYTES:
        raise InitCodeTooLarge(size=len(transaction.data), limit=MAX_INIT_CODE_BYTES)
    minimum = transaction.intrinsic_gas + init_code_gas(transaction.to, transaction.data)
    if transaction.gas < minimum:
        raise IntrinsicGasTooLow(gas=transaction.gas, minimum=minimum)
    floor = floor_gas(transaction.data)
    if transaction.gas < floor:
        raise FloorGasTooLow(gas=transaction.gas, minimum=floor)


def _sender_text(transaction: SignedTransactionAPI) -> str:
    check_signature(transaction)
    text: str = to_checksum_address(transaction.sender)
    return text
