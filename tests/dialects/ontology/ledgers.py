"""Blocks with transactions of every family, and ledgers that hold them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from tests.dialects.ontology.test_eip155 import legacy
from tests.dialects.ontology.vectors import named_transaction
from tests.strategies import make_block, make_log, make_native, make_receipt
from twisted_chainws.chain.model import Block, Kind, NativeTransaction, Receipt
from twisted_chainws.chain.ops import Advance
from twisted_chainws.chain.types import Gas, Seq, Wei
from twisted_chainws.dialects.ontology.eip155 import decode_eip155
from twisted_chainws.dialects.ontology.projection import OntologyLedger
from twisted_chainws.dialects.ontology.script import native_calls
from twisted_chainws.dialects.ontology.tokens import (
    GOVERNANCE_CONTRACT,
    METHODS,
    ONG_CONTRACT,
    ONT_CONTRACT,
    Transfer,
    Transfers,
    decode_request,
    transfer_event,
)
from twisted_chainws.dialects.ontology.transaction import (
    Invoke,
    Transaction,
    decode_transaction,
    encode_transaction,
)

EVM: Final = decode_eip155(legacy())


def as_native(transaction: Transaction) -> NativeTransaction:
    """Turn a transaction into what the model holds."""
    return NativeTransaction(
        kind=Kind.ONTOLOGY,
        hash=transaction.hash,
        sender=transaction.payer,
        raw=encode_transaction(transaction),
    )


def sample(name: str) -> Transaction:
    """Return a sample transaction."""
    return decode_transaction(bytes.fromhex(named_transaction(name)["raw"]))


def native_receipt(transaction: Transaction, **changes: Any) -> Receipt:
    """Make the receipt of a sample transfer of ONT, its fee at 2500."""
    assert isinstance(transaction.payload, Invoke)
    [call] = native_calls(transaction.payload.code)
    request = decode_request(METHODS[call.method], call.arguments)
    assert isinstance(request, Transfers)
    fee = Transfer(source=transaction.payer, target=GOVERNANCE_CONTRACT, amount=50_000_000 * 10**9)
    events = [transfer_event(ONT_CONTRACT, item) for item in request.items]
    receipt = replace(
        make_receipt(),
        gas_used=Gas(20_000),
        effective_gas_price=Wei(2_500 * 10**9),
        events=(*events, transfer_event(ONG_CONTRACT, fee)),
    )
    return replace(receipt, **changes)


def mixed_block(parent: Block | None = None) -> Block:
    """Make a block with an EVM, a Zilliqa and an Ontology transaction, in this order.

    The EVM one pays 21,000 gas at 2500 gwei and moves 1 ONG; the last one is the sample transfer.
    """
    transfer = sample("ont_transfer_1")
    block = make_block(
        parent,
        [
            (EVM, [make_log(data=b"\7")]),
            (make_native(Kind.ZILLIQA), []),
            (as_native(transfer), []),
        ],
    )
    evm = replace(block.receipts[0], effective_gas_price=Wei(2_500 * 10**9))
    return replace(block, receipts=(evm, block.receipts[1], native_receipt(transfer)))


def ledger_of(blocks: Sequence[Block]) -> OntologyLedger:
    """Return a ledger that holds these blocks."""
    ledger = OntologyLedger()
    ledger.apply(Advance(seq=Seq(1), undone=(), applied=tuple(blocks)))
    return ledger
