"""Which transactions of a block Ontology sees, and where they stand for it. Sans-I/O.

EVM transactions are of type D3. All are called by the hash that the model has for them, which the
API shows reversed, so that ``ChainView.find`` finds them. Transactions of the Zilliqa family have
no place in this protocol and are left out of everything: counts, hashes, roots and events.

Source: ``ontology.md`` 6.5 and 9.
"""

from collections.abc import Iterator

from twisted_chainws.chain.model import Block, EvmTransaction, Kind, Receipt, Transaction
from twisted_chainws.dialects.ontology.eip155 import WEI_PER_GWEI
from twisted_chainws.dialects.ontology.transaction import encode_transaction


def is_listed(transaction: Transaction) -> bool:
    """Tell whether Ontology sees a transaction."""
    return transaction.kind is not Kind.ZILLIQA


def list_transactions(block: Block) -> Iterator[tuple[int, Transaction, Receipt]]:
    """Yield the transactions that Ontology sees: place in the block, transaction, receipt."""
    pairs = zip(block.transactions, block.receipts, strict=True)
    for position, (transaction, receipt) in enumerate(pairs):
        if is_listed(transaction):
            yield position, transaction, receipt


def index_of(block: Block, position: int) -> int:
    """Return what Ontology has as the index of a transaction, given its place in the block."""
    return sum(map(is_listed, block.transactions[:position]))


def raw_transaction(transaction: Transaction) -> bytes:
    """Return a listed transaction as it is sent."""
    if isinstance(transaction, EvmTransaction):
        return encode_transaction(transaction)
    return transaction.raw


def gas_price_of(receipt: Receipt) -> int:
    """Return what was paid per gas, 10^-9 ONG; parts of that are cut off."""
    return receipt.effective_gas_price // WEI_PER_GWEI


def fee_of(receipt: Receipt) -> int:
    """Return what was paid for gas, 10^-9 ONG."""
    return receipt.gas_used * gas_price_of(receipt)
