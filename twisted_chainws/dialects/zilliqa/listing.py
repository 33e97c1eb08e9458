"""Which transactions of a block Zilliqa sees, and what it sees of them. Sans-I/O.

EVM transactions are called by their Ethereum hash and native ones by their id, which is what the
model calls both, so that ``ChainView.find`` finds them. Transactions of the Ontology family have
no place in this protocol and are left out of everything: counts, hashes, fees and gas.

Source: ``zilliqa.md`` 3.5, 4, 6.2 and 6.3.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from twisted_chainws.chain.model import Block, EvmTransaction, Kind, Receipt, Transaction
from twisted_chainws.chain.types import Address20, Hash32
from twisted_chainws.dialects.zilliqa.address import NULL_ADDRESS
from twisted_chainws.dialects.zilliqa.transaction import WEI_PER_QA, decode_transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """Who sent how much to whom: all that a TxnLog says of a transaction.

    Attributes:
        sender: derived from the public key by the rule of the transaction's family.
        to: 20 zero bytes for a creation.
        amount_qa: parts of a Qa are cut off.
        succeeded: False when it was taken into the block and failed there.
    """

    id: Hash32
    sender: Address20
    to: Address20
    amount_qa: int
    succeeded: bool


def is_listed(transaction: Transaction) -> bool:
    """Tell whether Zilliqa sees a transaction."""
    return transaction.kind is not Kind.ONTOLOGY


def list_transactions(block: Block) -> Iterator[tuple[int, Transaction, Receipt]]:
    """Yield the transactions that Zilliqa sees: place in the block, transaction, receipt."""
    pairs = zip(block.transactions, block.receipts, strict=True)
    for position, (transaction, receipt) in enumerate(pairs):
        if is_listed(transaction):
            yield position, transaction, receipt


def transfer_of(transaction: Transaction, receipt: Receipt) -> Transfer:
    """Return who sent how much to whom.

    Raises:
        UndecodableTransaction: a native transaction is none.
    """
    if isinstance(transaction, EvmTransaction):
        sender, amount_qa = transaction.sender, transaction.value // WEI_PER_QA
        to = NULL_ADDRESS if transaction.to is None else transaction.to
    else:
        core = decode_transaction(transaction.raw).core
        sender, to, amount_qa = core.sender, core.to, core.amount_qa
    return Transfer(
        id=transaction.hash,
        sender=sender,
        to=to,
        amount_qa=amount_qa,
        succeeded=receipt.succeeded,
    )
