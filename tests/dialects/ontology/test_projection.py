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
from tests.dialects.ontology.ledgers import ledger_of, mixed_block
from tests.strategies import Step, chains, make_block, make_chain, relaxed, scripts
from twisted_chainws.chain.canonical import CanonicalChain
from twisted_chainws.chain.model import Block, Kind
from twisted_chainws.chain.ops import Advance
from twisted_chainws.chain.types import BlockNumber, Seq, Timestamp
from twisted_chainws.dialects.ontology.address import program_address
from twisted_chainws.dialects.ontology.merkle import (
    ZERO_HASH,
    BlockTree,
    transactions_root,
    verify_proof,
)
from twisted_chainws.dialects.ontology.program import single_program
from twisted_chainws.dialects.ontology.projection import (
    DEVELOPMENT_SECRET,
    OntologyBlock,
    OntologyLedger,
)
from twisted_chainws.dialects.ontology.signature import verify
from twisted_chainws.errors import UnknownBlockHash

MIXED = mixed_block(GENESIS)
MADE: list[int] = []


def height_text(block: OntologyBlock) -> bytes:
    """Write a height and note that it was written."""
    MADE.append(block.header.height)
    return b"%d" % block.header.height


def contents(ledger: OntologyLedger) -> list[object]:
    """Return all that a ledger folds, in order."""
    return [
        list(ledger._links._links.items()),
        ledger._found,
        ledger._tree.nodes(),
        ledger._tree.size,
    ]


def check_chained(ledger: OntologyLedger, blocks: list[Block]) -> None:
    """Check what anybody can check of a chain: hashes, links, roots, proofs and signatures."""
    previous, tree = ZERO_HASH, BlockTree()
    for block in blocks:
        seen = ledger.block(block)
        header = seen.header
        listed = [item.hash for item in block.transactions if item.kind is not Kind.ZILLIQA]
        assert header.transactions_root == transactions_root(listed)
        tree.append(header.transactions_root)
        assert header.block_root == (tree.root() if block.number else ZERO_HASH)
        assert header.previous_hash == previous
        assert seen.hash == header.hash
        assert seen.source == block
        assert ledger.find(seen.hash) == block.hash
        assert header.height == block.number
        assert header.next_bookkeeper == ledger.bookkeeper
        sealed = [
            verify(key, seen.hash, signature)
            for key, signature in zip(header.bookkeepers, header.signatures, strict=True)
        ]
        assert sealed == ([True] if block.number else [])
        previous = seen.hash
    for block in blocks:
        proof = ledger.proof(block)
        assert proof.transactions_root == ledger.block(block).header.transactions_root
        assert (proof.height, proof.last_height) == (block.number, blocks[-1].number)
        assert proof.root == ledger.block(blocks[-1]).header.block_root
        assert verify_proof(
            proof.transactions_root, proof.height, proof.last_height, proof.hashes, tree.root()
        )


@signing
@given(chains())
def test_blocks_chain(blocks: list[Block]) -> None:
    """From genesis on every block holds the hash of the one before and the right roots."""
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
    """A ledger with the history of its chain knows and proves the same blocks."""
    chain, whole = CanonicalChain([GENESIS], history=3), ledger_of([GENESIS])
    bounded = OntologyLedger(history=3)
    bounded.apply(Advance(seq=Seq(1), undone=(), applied=(GENESIS,)))
    for step in script:
        change = advance(step.play(chain))
        bounded.apply(change)
        whole.apply(change)
        for block in chain.blocks(chain.oldest.number, chain.height):
            assert bounded._links.of(block) == whole._links.of(block)
            assert bounded.proof(block) == whole.proof(block)
        assert len(bounded._links) == len(bounded._found) <= 4


def test_mixed_block() -> None:
    """A block holds EVM and native transactions and none of Zilliqa."""
    seen = ledger_of([GENESIS, MIXED]).block(MIXED)
    header = seen.header
    ids = [MIXED.transactions[0].hash, MIXED.transactions[2].hash]
    assert header.transactions_root == transactions_root(ids)
    assert (header.version, header.height) == (0, 1)
    assert header.timestamp == MIXED.timestamp
    assert header.consensus_payload == b""
    assert header.consensus_data == int.from_bytes(MIXED.hash[:8], "little")


def test_genesis() -> None:
    """Genesis is sealed by nobody and has the number that all its kind have."""
    ledger = ledger_of([GENESIS])
    header = ledger.block(GENESIS).header
    assert header.consensus_data == 2_083_236_893
    assert (header.bookkeepers, header.signatures) == ((), ())
    assert (header.previous_hash, header.block_root) == (ZERO_HASH, ZERO_HASH)
    proof = ledger.proof(GENESIS)
    assert (proof.hashes, proof.root, proof.last_height) == ((), ZERO_HASH, 0)


def test_siblings_differ() -> None:
    """Empty blocks on the same one and at the same time are not the same."""
    one, two = (make_block(GENESIS, salt=salt) for salt in "ab")
    hashes = {ledger_of([GENESIS, block]).block(block).hash for block in (one, two)}
    assert len(hashes) == 2


def test_a_chain_that_begins_later() -> None:
    """The first block names what the source says is below it; proofs count from genesis."""
    below = make_chain(8)
    blocks = [*below[5:], mixed_block(below[-1])]
    ledger = ledger_of(blocks)
    assert ledger.block(blocks[0]).header.previous_hash == below[4].hash
    assert ledger.block(blocks[1]).header.previous_hash == ledger.block(blocks[0]).hash
    assert ledger.block(blocks[0]).header.bookkeepers == (ledger.public_key,)
    for block in blocks:
        proof = ledger.proof(block)
        assert (proof.height, proof.last_height) == (block.number, 8)
        assert verify_proof(proof.transactions_root, block.number, 8, proof.hashes, proof.root)


def test_numbers_beyond_32_bits() -> None:
    """What does not fit in a header is cut to the highest number that does."""
    late = replace(
        make_block(number=2**33), timestamp=Timestamp(2**64 - 1), number=BlockNumber(2**33)
    )
    header = ledger_of([late]).block(late).header
    assert (header.timestamp, header.height) == (2**32 - 1, 2**32 - 1)


def test_another_key() -> None:
    """The key is part of the header: another one makes other hashes."""
    ledger = OntologyLedger(secret=bytes(31) + b"\1")
    ledger.apply(Advance(seq=Seq(1), undone=(), applied=(GENESIS, MIXED)))
    check_chained(ledger, [GENESIS, MIXED])
    known = ledger_of([GENESIS, MIXED])
    assert ledger.block(MIXED).hash != known.block(MIXED).hash
    assert known.bookkeeper == program_address(single_program(known.public_key))
    again = OntologyLedger(secret=DEVELOPMENT_SECRET)
    assert again.public_key == known.public_key


def test_texts_are_made_once() -> None:
    """A text is made when it is first asked for and kept within the bound."""
    MADE.clear()
    blocks = make_chain(4)
    ledger = OntologyLedger(max_bytes=2)
    ledger.apply(Advance(seq=Seq(1), undone=(), applied=tuple(blocks)))
    for block in (blocks[3], blocks[3], blocks[1], blocks[2], blocks[3]):
        assert ledger.text(block, height_text) == b"%d" % block.number
    assert MADE == [3, 1, 2, 3]


def test_blocks_that_left_are_unknown() -> None:
    """An undone block and one that is not kept have neither values, texts nor proofs."""
    blocks = make_chain(4)
    ledger = OntologyLedger(history=1)
    ledger.apply(Advance(seq=Seq(1), undone=(), applied=tuple(blocks)))
    assert ledger.text(blocks[3], height_text) == b"3"
    own = ledger.block(blocks[3]).hash
    assert ledger.find(own) == blocks[3].hash
    ledger.apply(Advance(seq=Seq(2), undone=(blocks[3],), applied=()))
    assert ledger.find(own) is None
    for block in (blocks[0], blocks[3]):
        with pytest.raises(UnknownBlockHash):
            ledger.text(block, height_text)
        with pytest.raises(UnknownBlockHash):
            ledger.block(block)
        with pytest.raises(UnknownBlockHash):
            ledger.proof(block)


def test_names_of_blocks() -> None:
    """A block is called by the hash of its header, as long as it is kept."""
    ledger = ledger_of([GENESIS, MIXED])
    assert ledger.block_hash(MIXED) == ledger.block(MIXED).header.hash
    with pytest.raises(UnknownBlockHash):
        ledger.block_hash(make_block(MIXED))
