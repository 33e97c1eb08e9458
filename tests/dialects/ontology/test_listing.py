from dataclasses import replace

from tests.dialects.ontology.test_eip155 import RAW
from tests.strategies import make_block, make_native, make_receipt, make_transaction
from twisted_chainws.chain.model import Kind
from twisted_chainws.chain.types import Gas, Wei
from twisted_chainws.dialects.ontology import listing
from twisted_chainws.dialects.ontology.binary_codec import encode_varbytes
from twisted_chainws.dialects.ontology.eip155 import decode_eip155

BLOCK = make_block(
    None,
    [
        (make_transaction(), []),
        (make_native(Kind.ZILLIQA), []),
        (make_native(Kind.ONTOLOGY), []),
    ],
)


def test_listing() -> None:
    """Ontology sees EVM transactions and its own, and counts only them."""
    found = list(listing.list_transactions(BLOCK))
    assert [position for position, _, _ in found] == [0, 2]
    assert [item for _, item, _ in found] == [BLOCK.transactions[0], BLOCK.transactions[2]]
    assert [item for _, _, item in found] == [BLOCK.receipts[0], BLOCK.receipts[2]]
    assert [listing.index_of(BLOCK, position) for position, _, _ in found] == [0, 1]


def test_raw() -> None:
    """An EVM transaction is wrapped, a native one is as it was sent."""
    assert listing.raw_transaction(decode_eip155(RAW)) == b"\0\xd3" + encode_varbytes(RAW)
    native = make_native()
    assert listing.raw_transaction(native) == native.raw


def test_fees() -> None:
    """Prices are in 10^-9 ONG and parts of it are cut off before they are multiplied."""
    receipt = replace(
        make_receipt(), gas_used=Gas(20_000), effective_gas_price=Wei(2_500 * 10**9 + 999_999_999)
    )
    assert listing.gas_price_of(receipt) == 2_500
    assert listing.fee_of(receipt) == 50_000_000
