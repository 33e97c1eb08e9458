import hashlib
from dataclasses import replace

import pytest
from hypothesis import given

from tests.dialects.folding import (
    GENESIS,
    advance,
    check_reorganisations,
    check_undo_is_exact,
    signing,
)
from tests.dialects.zilliqa.ledgers import ledger_of, mixed_block
from tests.strategies import (
    ADDRESSES,
    Step,
    chains,
    make_block,
    make_chain,
    make_transaction,
    relaxed,
    scripts,
)
from twisted_chainws.chain.canonical import CanonicalChain
from twisted_chainws.chain.model import Block
from twisted_chainws.chain.ops import Advance
from twisted_chainws.chain.types import Gas, Seq, Timestamp, Wei
from twisted_chainws.dialects.zilliqa import projection, schnorr
from twisted_chainws.dialects.zilliqa.projection import DEVELOPMENT_SECRET, ZilliqaLedger
from twisted_chainws.dialects.zilliqa.tx_block import (
    MAX_AMOUNT,
    ZERO_HASH,
    TxBlock,
    encode_header,
    hash_micro_blocks,
    header_hash,
)
from twisted_chainws.errors import UnknownBlockHash

MIXED = mixed_block(GENESIS)
MADE: list[int] = []


def number_text(block: TxBlock) -> bytes:
    """Write a number and note that it was written."""
    MADE.append(block.header.number)
    return b"%d" % block.header.number


def contents(ledger: ZilliqaLedger) -> list[object]:
    """Return all that a ledger folds, in order."""
    return list(ledger._links._links.items())


def check_chained(ledger: ZilliqaLedger, blocks: list[Block]) -> None:
    """Check what anybody can check of a chain: hashes, links, counts and signatures."""
    previous = ZERO_HASH
    for block in blocks:
        seen = ledger.tx_block(block)
        header = seen.header
        assert header.previous_hash == previous
        assert seen.hash == header_hash(header) == hashlib.sha256(encode_header(header)).digest()
        assert header.micro_blocks_hash == hash_micro_blocks(seen.micro_blocks)
        assert header.transaction_count == sum(map(len, seen.transaction_ids))
        assert schnorr.verify(ledger.public_key, encode_header(header), seen.signature)
        assert header.miner_public_key == ledger.public_key
        assert header.number == block.number
        previous = seen.hash


@signing
@given(chains())
def test_blocks_chain(blocks: list[Block]) -> None:
    """From genesis on every block holds the hash of the one before and the right derivations."""
    check_chained(ledger_of(blocks), blocks)


@signing
@given(chains())
def test_undo_is_exact(blocks: list[Block]) -> None:
    """Applying any blocks and undoing them leaves the ledger as it was."""
    check_undo_is_exact(ledger_of, contents, blocks)


@signing
@given(scripts())
def test_reorganisations(script: list[Step]) -> None:
    """Whatever a chain went through, its ledger is that of its blocks alone."""
    check_chained(*check_reorganisations(ledger_of, contents, script))


@relaxed
@given(scripts())
def test_bounded_history(script: list[Step]) -> None:
    """A ledger with the history of its chain keeps the same blocks, hashed from genesis on."""
    chain, whole = CanonicalChain([GENESIS], history=3), ledger_of([GENESIS])
    bounded = ZilliqaLedger(history=3)
    bounded.apply(Advance(seq=Seq(1), undone=(), applied=(GENESIS,)))
    for step in script:
        change = advance(step.play(chain))
        bounded.apply(change)
        whole.apply(change)
        kept = chain.height - chain.oldest.number + 1
        assert contents(bounded) == contents(whole)[-kept:]


def test_mixed_block() -> None:
    """A block shows EVM and native transactions, real gas and the fees that were paid."""
    seen = ledger_of([GENESIS, MIXED]).tx_block(MIXED)
    ids = (MIXED.transactions[0].hash, MIXED.transactions[2].hash)
    assert seen.transaction_ids == (ids,)
    header = seen.header
    assert (header.version, header.committee_hash, header.number) == (1, ZERO_HASH, 1)
    assert header.gas_limit == MIXED.extras.header.gas_limit
    assert header.gas_used == 21_000 + 50
    assert header.fees_qa == 21_000 * 1_000 + 50 * 2_000_000_000
    assert header.state_root == MIXED.extras.header.state_root
    assert header.state_delta_hash == ZERO_HASH
    assert header.transaction_count == 2
    assert seen.timestamp_us == MIXED.timestamp * 1_000_000
    [info] = seen.micro_blocks
    assert info.shard_id == 0
    assert info.transactions_root == hashlib.sha256(b"".join(ids)).digest()
    assert info.hash == hashlib.sha256(bytes(7) + b"\1" + info.transactions_root).digest()


def test_empty_block() -> None:
    """Without transactions the root is zero and the microblock is there all the same."""
    seen = ledger_of([GENESIS]).tx_block(GENESIS)
    [info] = seen.micro_blocks
    assert info.transactions_root == ZERO_HASH
    assert info.hash == hashlib.sha256(bytes(40)).digest()
    assert seen.transaction_ids == ((),)
    assert (seen.header.gas_used, seen.header.fees_qa) == (0, 0)
    assert seen.header.previous_hash == ZERO_HASH


@pytest.mark.parametrize(("number", "epoch"), [(0, 1), (99, 1), (100, 2), (250, 3)])
def test_ds_blocks(number: int, epoch: int) -> None:
    """A DS block comes with every hundred Tx blocks."""
    block = make_block(number=number)
    assert ledger_of([block]).tx_block(block).header.ds_block_number == epoch


def test_a_chain_that_begins_later() -> None:
    """The first block that a source gives names what the source says is below it."""
    below = make_chain(4)
    blocks = below[2:]
    ledger = ledger_of(blocks)
    assert ledger.tx_block(blocks[0]).header.previous_hash == below[1].hash
    assert ledger.tx_block(blocks[1]).header.previous_hash == ledger.tx_block(blocks[0]).hash


def test_fees_of_blobs_count() -> None:
    """What a sender paid for blobs is part of the fees."""
    block = make_block(GENESIS, [(make_transaction(type_=3), [])])
    [receipt] = block.receipts
    blobs = replace(receipt, blob_gas_used=Gas(131_072), blob_gas_price=Wei(10**6))
    paid = replace(block, receipts=(blobs,))
    fees = ledger_of([GENESIS, paid]).tx_block(paid).header.fees_qa
    assert fees == 21_000 * 1_000 + 131_072


def test_fees_beyond_what_can_be_written() -> None:
    """Absurd fees are cut to the highest amount and stop nothing."""
    block = make_block(GENESIS, [(make_transaction(), [])])
    absurd = replace(block, receipts=(replace(block.receipts[0], effective_gas_price=Wei(2**200)),))
    assert ledger_of([GENESIS, absurd]).tx_block(absurd).header.fees_qa == MAX_AMOUNT


def test_times_beyond_64_bits() -> None:
    """The last second of 64 bits is told in microseconds too."""
    late = replace(GENESIS, timestamp=Timestamp(2**64 - 1))
    assert ledger_of([late]).tx_block(late).timestamp_us == (2**64 - 1) * 10**6


def test_another_key() -> None:
    """The key is part of the header: another one makes other hashes."""
    ledger = ZilliqaLedger(secret=bytes(31) + b"\1")
    ledger.apply(Advance(seq=Seq(1), undone=(), applied=(GENESIS,)))
    check_chained(ledger, [GENESIS])
    assert ledger.tx_block(GENESIS).hash != ledger_of([GENESIS]).tx_block(GENESIS).hash
    assert ledger_of([GENESIS]).public_key == schnorr.public_key_of(DEVELOPMENT_SECRET)


def test_texts_are_made_once() -> None:
    """A text is made when it is first asked for and kept within the bound."""
    MADE.clear()
    blocks = make_chain(4)
    ledger = ZilliqaLedger(max_bytes=2)
    ledger.apply(Advance(seq=Seq(1), undone=(), applied=tuple(blocks)))
    for block in (blocks[3], blocks[3], blocks[1], blocks[2], blocks[3]):
        assert ledger.text(block, number_text) == b"%d" % block.number
    assert MADE == [3, 1, 2, 3]


def test_blocks_that_left_are_unknown() -> None:
    """An undone block and one that is not kept have neither values nor texts."""
    blocks = make_chain(4)
    ledger = ZilliqaLedger(history=1)
    ledger.apply(Advance(seq=Seq(1), undone=(), applied=tuple(blocks)))
    assert ledger.text(blocks[3], number_text) == b"3"
    ledger.apply(Advance(seq=Seq(2), undone=(blocks[3],), applied=()))
    for block in (blocks[0], blocks[3]):
        with pytest.raises(UnknownBlockHash):
            ledger.text(block, number_text)
        with pytest.raises(UnknownBlockHash):
            ledger.tx_block(block)


def test_contracts_are_remembered_until_blocks_are_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new block changes nothing; too many are forgotten together."""
    ledger = ledger_of([GENESIS])
    ledger.remember_contracts(ADDRESSES[:1])
    ledger.apply(Advance(seq=Seq(2), undone=(), applied=(MIXED,)))
    assert [ledger.is_contract(address) for address in ADDRESSES] == [True, False, False]
    ledger.apply(Advance(seq=Seq(3), undone=(MIXED,), applied=()))
    assert not ledger.is_contract(ADDRESSES[0])
    monkeypatch.setattr(projection, "MOST_CONTRACTS", 2)
    ledger.remember_contracts(ADDRESSES[:2])
    assert ledger.is_contract(ADDRESSES[0])
    ledger.remember_contracts(ADDRESSES[2:])
    assert not any(ledger.is_contract(address) for address in ADDRESSES)
