"""Why a transaction that was sent is not taken, where that depends on the transaction. Sans-I/O.

What fails in an execution is a smart contract's error where it was only tried, and the pool's where
it was sent.

Source: ``ontology.md`` 8.2; the node's ``txnpool/proc/txnpool_actor.go``, 26b5ad4f.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from twisted_chainws import errors
from twisted_chainws.chain.model import EvmTransaction
from twisted_chainws.dialects.ontology.address import encode_reversed
from twisted_chainws.dialects.ontology.eip155 import WEI_PER_GWEI
from twisted_chainws.dialects.ontology.errors import (
    UNKNOWN,
    already_pooled,
    below_floors,
    execution_refused,
    fault,
    fault_of,
    fee_above_balance,
)
from twisted_chainws.dialects.ontology.transaction import MINIMUM_GAS_PRICE, AnyTransaction
from twisted_chainws.dialects.outcomes import Fault
from twisted_chainws.errors import ChainwsError


def _pooled(_error: Any, transaction: AnyTransaction) -> Fault:
    return already_pooled(transaction.hash)


def _little_gas(error: Any, _transaction: AnyTransaction) -> Fault:
    return below_floors(error.minimum, MINIMUM_GAS_PRICE)


def _too_much_gas(_error: Any, _transaction: AnyTransaction) -> Fault:
    return fault(UNKNOWN, "EIP155 tx gaslimit exceed ")


def _beyond_a_block(error: Any, transaction: AnyTransaction) -> Fault:
    # The node bounds no script by the block, so it has no words for it.
    if isinstance(transaction, EvmTransaction):
        return _too_much_gas(error, transaction)
    return fault(UNKNOWN, f"the script may use gas {error.gas}, a block has {error.limit}")


def _low_nonce(error: Any, _transaction: AnyTransaction) -> Fault:
    text = f"handleTransaction lower nonce:{error.nonce} ,current nonce:{error.next_nonce}"
    return fault(UNKNOWN, text)


def _poor(error: Any, transaction: AnyTransaction) -> Fault:
    if not isinstance(transaction, EvmTransaction):
        return fee_above_balance(transaction.payer, error.cost // WEI_PER_GWEI)
    sender = encode_reversed(transaction.sender)
    text = f"not enough ong balance for {sender} - has:{error.balance} - want:{error.cost}"
    return fault(UNKNOWN, text)


def _failed(error: ChainwsError, _transaction: AnyTransaction) -> Fault:
    return execution_refused(str(fault_of(error).data))


REJECTIONS: Final[Mapping[type[ChainwsError], Callable[[Any, AnyTransaction], Fault]]] = {
    errors.AlreadyKnown: _pooled,
    errors.BlockGasLimitExceeded: _beyond_a_block,
    errors.ExecutionError: _failed,
    errors.InsufficientFunds: _poor,
    errors.IntrinsicGasTooLow: _little_gas,
    errors.NonceTooLow: _low_nonce,
    errors.TransactionGasTooHigh: _too_much_gas,
    errors.Unsupported: _failed,
}
"""Exception class -> fault; what is not here is said as everywhere."""


def rejection_of(error: ChainwsError, transaction: AnyTransaction) -> Fault:
    """Say why a transaction is not taken."""
    say = next((REJECTIONS[kind] for kind in type(error).__mro__ if kind in REJECTIONS), None)
    return fault_of(error) if say is None else say(error, transaction)
