"""Transactions of the other families on this chain: what the pool and a block need of them.

A family is a row of the decoders of ``Natives``. Its transactions wait in the same pool as those of
the EVM, by the same nonces if they have any, and run behind them in a block.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, Protocol, TypeAlias

from eth.abc import StateAPI

from twisted_chainws.chain.model import Kind, NativeTransaction, Transaction
from twisted_chainws.dialects.ontology.unbound import holder_deadline
from twisted_chainws.errors import Unsupported
from twisted_chainws.sources.devchain.engine.decode import decode_transaction
from twisted_chainws.sources.devchain.engine.draft import NativeOperation
from twisted_chainws.sources.devchain.engine.ont_transactions import decode_ontology
from twisted_chainws.sources.devchain.engine.payments import decode_payment

_MARK: Final = b"\0"
"""In front of what is no EVM transaction: those begin with their type, from 1 up, or a list."""


class Native(Protocol):
    """A transaction of another family, decoded."""

    @property
    def record(self) -> NativeTransaction:
        """What the block lists."""

    @property
    def hash(self) -> bytes:
        """What it is called."""

    @property
    def nonce(self) -> int | None:
        """The nonce of the sender's account that it uses, counted from 0 as the EVM does.

        None when its family counts none: it waits for nothing, and something else has to keep it
        from running twice.
        """

    @property
    def gas(self) -> int:
        """The most gas that it may use."""

    @property
    def price(self) -> int:
        """What it pays per gas, wei."""

    @property
    def cost(self) -> int:
        """What its sender has to own, wei; below that it leaves the pool."""

    def check(self, state: StateAPI) -> None:
        """Check it against a state, apart from a nonce that is too high.

        Raises:
            TransactionRejected: the subclass that names the rule.
        """

    def check_new(
        self,
        state: StateAPI,
        *,
        admit: Callable[[bytes], None],
        next_nonce: int,
        gas_limit: int,
    ) -> None:
        """Check all that its family demands of one that is just sent, in its order.

        Args:
            state: of the block that would follow; is spoiled.
            admit: asks the pool, by hash, whether it takes one without a nonce; raises
                ``AlreadyKnown`` or ``PoolFull``. A family that does not ask is told by the pool.
            next_nonce: that the sender's account will have when the pool is mined.
            gas_limit: of a block.

        Raises:
            TransactionRejected: the subclass that names the rule.
            ExecutionError: a trial failed.
            Unsupported: it is fine but this chain cannot do that.
        """

    def operation(self) -> NativeOperation:
        """Return what it does in a block."""


Executable: TypeAlias = Any
"""What the engine can run: a ``SignedTransactionAPI``, which brings no types, or a ``Native``."""


def encode_pooled(transaction: Transaction) -> bytes:
    """Write a transaction of any family so that ``Natives`` knows which it is."""
    if isinstance(transaction, NativeTransaction):
        return _MARK + transaction.kind.value.encode() + _MARK + transaction.raw
    return transaction.raw


class Natives:
    """Reads transactions by the settings of a chain."""

    def __init__(self, *, ontology_network: int) -> None:
        """Read those of all families.

        Args:
            ontology_network: see ``DevchainSettings``.
        """
        deadline = holder_deadline(ontology_network)
        self._decoders: Mapping[Kind, Callable[[bytes], Native]] = {
            Kind.ZILLIQA: decode_payment,
            Kind.ONTOLOGY: partial(decode_ontology, deadline=deadline),
        }

    def decode(self, kind: Kind, raw: bytes) -> Native:
        """Decode a transaction of another family than the EVM's.

        Raises:
            Unsupported: this chain does not run that family.
            UndecodableTransaction: the bytes are none.
        """
        decoder = self._decoders.get(kind)
        if decoder is None:
            raise Unsupported(reason=f"the development chain takes no {kind.value} transactions")
        return decoder(raw)

    def decode_pooled(self, encoded: bytes) -> Executable:
        """Read what ``encode_pooled`` wrote, or the bare bytes of an EVM transaction."""
        if not encoded.startswith(_MARK):
            return decode_transaction(encoded)
        _, kind, raw = encoded.split(_MARK, 2)
        return self.decode(Kind(kind.decode()), raw)
