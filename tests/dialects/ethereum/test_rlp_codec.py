from dataclasses import replace

import rlp

from tests.dialects.ethereum.published import published_chain
from tests.dialects.ethereum.views import mixed_block
from tests.strategies import make_block, make_log, make_transaction
from twisted_chainws.chain.model import Withdrawal
from twisted_chainws.chain.types import Address20
from twisted_chainws.dialects.ethereum import rlp_codec

GENESIS = make_block()


def test_blocks_of_every_fork() -> None:
    """Every block of the published chain encodes to the bytes and the size it came with."""
    for block in published_chain()[1:]:
        encoded = rlp_codec.encode_block(block)
        assert len(encoded) == block.extras.size
        assert rlp.encode(rlp.decode(encoded)) == encoded
    assert any(block.extras.uncles for block in published_chain())


def test_block_without_withdrawals_or_natives() -> None:
    """Before Shanghai a block has three parts, and other families' transactions are left out."""
    block = mixed_block(GENESIS)
    old = replace(block, extras=replace(block.extras, withdrawals=None))
    _, transactions, uncles = rlp.decode(rlp_codec.encode_block(old))
    assert transactions == [transaction.raw for transaction in block.transactions[:2]]
    assert uncles == []


def test_withdrawals() -> None:
    """A withdrawal is four fields."""
    withdrawal = Withdrawal(
        index=1, validator_index=0, address=Address20(bytes(20)), amount_gwei=256
    )
    block = replace(GENESIS, extras=replace(GENESIS.extras, withdrawals=(withdrawal,)))
    assert rlp.decode(rlp_codec.encode_block(block))[3] == [[b"\1", b"", bytes(20), b"\1\0"]]


def test_receipts() -> None:
    """Typed receipts start with their type; a failure has an empty status; natives are left out."""
    block = make_block(
        GENESIS,
        [
            (make_transaction(type_=0), [make_log(data=b"\7")]),
            (make_transaction(nonce=1), []),
        ],
    )
    failed = replace(block.receipts[1], succeeded=False)
    legacy, typed = rlp_codec.encode_receipts(replace(block, receipts=(block.receipts[0], failed)))
    status, gas, bloom, logs = rlp.decode(legacy)
    assert (status, gas, bloom) == (b"\1", (21_000).to_bytes(2, "big"), bytes(256))
    assert logs == [[block.receipts[0].logs[0].address, [], b"\7"]]
    assert typed[0] == 2
    assert rlp.decode(typed[1:])[0] == b""
    assert len(rlp_codec.encode_receipts(mixed_block(GENESIS))) == 2
