from dataclasses import replace

import pytest

from tests.dialects.zilliqa.ledgers import RECIPIENT, mixed_block, payment
from tests.dialects.zilliqa.vectors import derivation
from tests.strategies import SENDERS, make_block, make_native, make_receipt, make_transaction
from twisted_chainws.chain.canonical import CanonicalChain
from twisted_chainws.chain.model import Kind
from twisted_chainws.chain.types import Wei
from twisted_chainws.dialects.zilliqa.address import NULL_ADDRESS
from twisted_chainws.dialects.zilliqa.listing import is_listed, list_transactions, transfer_of
from twisted_chainws.errors import UndecodableTransaction

GENESIS = make_block()
BLOCK = mixed_block(GENESIS)


def test_what_is_listed() -> None:
    """EVM and native transactions are listed with their places; those of Ontology are not."""
    assert list(list_transactions(BLOCK)) == [
        (0, BLOCK.transactions[0], BLOCK.receipts[0]),
        (2, BLOCK.transactions[2], BLOCK.receipts[2]),
    ]
    assert [is_listed(item) for item in BLOCK.transactions] == [True, False, True]


def test_ids_are_hashes_of_the_model() -> None:
    """The chain finds listed transactions by what Zilliqa calls them."""
    chain = CanonicalChain([GENESIS, BLOCK])
    for position, transaction, receipt in list_transactions(BLOCK):
        assert chain.find(transfer_of(transaction, receipt).id) == (BLOCK, position)


def test_native_transfer() -> None:
    """A native transfer tells what its own bytes say; the sender has the native address."""
    transfer = transfer_of(payment(), make_receipt())
    assert transfer.sender.hex() == derivation("keys")[1]["address"]
    assert (transfer.to, transfer.amount_qa) == (RECIPIENT, 1_500_000_000_000)
    assert transfer.succeeded
    assert transfer.id == payment().hash


@pytest.mark.parametrize(("wei", "qa"), [(0, 0), (999_999, 0), (10**6, 1), (10**18 + 1, 10**12)])
def test_evm_amounts(wei: int, qa: int) -> None:
    """Parts of a Qa are cut off."""
    transaction = replace(make_transaction(), value=Wei(wei))
    assert transfer_of(transaction, make_receipt()).amount_qa == qa


def test_evm_parties() -> None:
    """An EVM transfer has its Ethereum sender; a creation goes to nobody; a failure is told."""
    transaction = replace(make_transaction(), to=None)
    transfer = transfer_of(transaction, replace(make_receipt(), succeeded=False))
    assert (transfer.sender, transfer.to) == (SENDERS[0], NULL_ADDRESS)
    assert not transfer.succeeded
    assert transfer.id == transaction.hash


def test_native_bytes_that_are_none() -> None:
    """Bytes that are no transaction are refused."""
    with pytest.raises(UndecodableTransaction):
        transfer_of(make_native(Kind.ZILLIQA), make_receipt())
