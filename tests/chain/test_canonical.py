import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import (
    Step,
    any_transactions,
    chains,
    hash32,
    make_block,
    make_chain,
    make_transaction,
    relaxed,
    scripts,
    steps,
)
from twisted_chainws.chain.canonical import CanonicalChain
from twisted_chainws.chain.model import Block, Transaction
from twisted_chainws.errors import HistoryPruned, UnknownParent

Answers = tuple[list[Block], list[object], list[bool]]


def kept(chain: CanonicalChain) -> list[Block]:
    """All blocks that the chain keeps, oldest first."""
    return list(chain.blocks(chain.oldest.number, chain.height))


def answers(chain: CanonicalChain, seen: list[Block]) -> Answers:
    """Everything the chain says about itself and about these blocks."""
    hashes = [tx.hash for block in seen for tx in block.transactions]
    return (
        kept(chain),
        [chain.find(tx_hash) for tx_hash in hashes],
        [chain.is_canonical(block.hash) for block in seen],
    )


@relaxed
@given(chains(), scripts())
def test_any_history_gives_the_chain_built_from_scratch(
    blocks: list[Block], script: list[Step]
) -> None:
    """After any extensions and reorgs the chain answers like one that never saw another block."""
    chain = CanonicalChain(blocks)
    model, seen = list(blocks), list(blocks)
    for step in script:
        transition = step.play(chain)
        for block in transition.undone:
            assert model.pop() == block
        model.extend(transition.applied)
        seen.extend(transition.applied)
    assert kept(chain) == model
    assert chain.head == model[-1]
    assert answers(chain, seen) == answers(CanonicalChain(model), seen)


@relaxed
@given(chains(), scripts(max_size=4), steps())
def test_undoing_a_step_restores_every_answer(
    blocks: list[Block], script: list[Step], step: Step
) -> None:
    """Reorganising back gives exactly the chain there was before the step."""
    chain = CanonicalChain(blocks)
    for earlier in script:
        earlier.play(chain)
    before_head = chain.head
    before = kept(chain)
    transition = step.play(chain)
    seen = [*before, *transition.applied]
    ancestor = before[len(before) - 1 - len(transition.undone)]
    back = chain.reorganise(ancestor.hash, transition.undone[::-1])
    assert back.undone == transition.applied[::-1]
    assert back.applied == transition.undone[::-1]
    assert chain.head == before_head
    assert answers(chain, seen) == answers(CanonicalChain(before), seen)


@relaxed
@given(chains(), scripts(), st.integers(0, 5))
def test_pruning_changes_only_what_is_older(
    blocks: list[Block], script: list[Step], history: int
) -> None:
    """A chain with little history answers about what it keeps like one with all of it."""
    pruned, whole = CanonicalChain(blocks, history=history), CanonicalChain(blocks)
    for step in script:
        transition = step.play(pruned)
        whole.reorganise(kept(whole)[-1 - len(transition.undone)].hash, transition.applied)
        assert pruned.height - pruned.oldest.number <= history
    assert kept(pruned) == kept(whole)[pruned.oldest.number :]
    for block in kept(whole):
        for transaction in block.transactions:
            found = whole.find(transaction.hash)
            assert found is not None
            expected = found if found[0].number >= pruned.oldest.number else None
            assert pruned.find(transaction.hash) == expected


@relaxed
@given(st.lists(any_transactions(), max_size=6), st.integers(0, 3))
def test_a_repeated_transaction_is_found_where_it_stands_last(
    held: list[Transaction], depth: int
) -> None:
    """Of several places of one transaction the highest counts, also after an undo."""
    blocks = make_chain(1)
    for transaction in held:
        blocks.append(make_block(blocks[-1], [(transaction, ())]))
    chain = CanonicalChain(blocks)
    stays = blocks[: max(1, len(blocks) - depth)]
    chain.reorganise(stays[-1].hash, ())
    for transaction in held:
        places = [(block, 0) for block in stays if transaction in block.transactions]
        assert chain.find(transaction.hash) == (places[-1] if places else None)


def test_extending_reports_the_block() -> None:
    """An extension undoes nothing and applies its block."""
    blocks = make_chain(3)
    chain = CanonicalChain(blocks[:2])
    transition = chain.extend(blocks[2])
    assert (transition.undone, transition.applied) == ((), (blocks[2],))
    assert chain.head == blocks[2]
    assert chain.oldest == blocks[0]
    assert chain.height == 2


def test_a_reorg_reports_newest_undone_and_oldest_applied_first() -> None:
    """The transition names what left from the top and what joined from the bottom."""
    old = make_chain(4)
    new = [make_block(old[1], salt="new")]
    new.append(make_block(new[0], salt="new"))
    chain = CanonicalChain(old)
    transition = chain.reorganise(old[1].hash, new)
    assert transition.undone == (old[3], old[2])
    assert transition.applied == tuple(new)
    assert kept(chain) == [old[0], old[1], *new]


def test_a_rollback_applies_nothing() -> None:
    """Reorganising without new blocks only takes blocks away; the ancestor may be the head."""
    blocks = make_chain(3)
    chain = CanonicalChain(blocks)
    assert chain.reorganise(blocks[0].hash, ()).undone == (blocks[2], blocks[1])
    nothing = chain.reorganise(blocks[0].hash, ())
    assert (nothing.undone, nothing.applied) == ((), ())
    assert chain.at(1) is None


def test_blocks_may_leave_and_return_in_one_step() -> None:
    """The same blocks may be undone and applied; the chain is then as before."""
    blocks = make_chain(3)
    chain = CanonicalChain(blocks)
    transition = chain.reorganise(blocks[0].hash, blocks[1:])
    assert transition.undone == (blocks[2], blocks[1])
    assert transition.applied == (blocks[1], blocks[2])
    assert kept(chain) == blocks


def test_what_does_not_hang_together_changes_nothing() -> None:
    """A stranger, a gap, a wrong number or an unknown ancestor is refused as a whole."""
    blocks = make_chain(4)
    chain = CanonicalChain(blocks[:3])
    stranger = make_block(make_block(salt="else"))
    misnumbered = make_block(number=7)
    with pytest.raises(UnknownParent) as caught:
        chain.extend(stranger)
    assert caught.value.parent_hash == stranger.parent_hash
    with pytest.raises(UnknownParent):
        chain.extend(misnumbered)
    with pytest.raises(UnknownParent):
        chain.reorganise(hash32("nobody"), ())
    with pytest.raises(UnknownParent):
        chain.reorganise(blocks[0].hash, [make_block(blocks[0], salt="b"), blocks[3]])
    assert kept(chain) == blocks[:3]
    assert chain.block(blocks[2].hash) == blocks[2]


def test_a_block_with_the_right_parent_and_the_wrong_number_is_refused() -> None:
    """Parent hash and height must both fit."""
    parent = make_block(number=5)
    lower = make_block()
    chain = CanonicalChain([parent])
    child = make_block(parent)
    forged = Block(
        number=lower.number,
        hash=child.hash,
        parent_hash=child.parent_hash,
        timestamp=child.timestamp,
        transactions=(),
        receipts=(),
        extras=child.extras,
    )
    with pytest.raises(UnknownParent):
        chain.extend(forged)


def test_a_chain_begins_with_connected_blocks() -> None:
    """No block at all, or blocks that do not follow each other, are refused."""
    blocks = make_chain(3)
    with pytest.raises(ValueError, match="first block"):
        CanonicalChain([])
    with pytest.raises(UnknownParent):
        CanonicalChain([blocks[0], blocks[2]])


def test_undone_blocks_are_still_found_by_hash_for_a_while() -> None:
    """Side branches answer by hash, bounded, the one undone first goes first."""
    blocks = make_chain(5)
    chain = CanonicalChain(blocks, side_blocks=2)
    chain.reorganise(blocks[1].hash, ())
    assert chain.block(blocks[4].hash) is None
    assert chain.block(blocks[3].hash) == blocks[3]
    assert chain.block(blocks[2].hash) == blocks[2]
    assert not chain.is_canonical(blocks[2].hash)
    chain.extend(blocks[2])
    assert chain.is_canonical(blocks[2].hash)
    assert chain.block(hash32("nobody")) is None


def test_heights_outside_the_chain() -> None:
    """Above the head and below zero there is nothing; below the history there was something."""
    blocks = make_chain(6)
    chain = CanonicalChain(blocks, history=2)
    assert chain.oldest == blocks[3]
    assert chain.at(6) is None
    assert chain.at(-1) is None
    assert chain.at(3) == blocks[3]
    with pytest.raises(HistoryPruned) as caught:
        chain.at(2)
    assert (caught.value.number, caught.value.oldest) == (2, 3)
    assert chain.block(blocks[2].hash) is None
    with pytest.raises(UnknownParent):
        chain.reorganise(blocks[2].hash, ())


def test_a_range_is_clipped_to_the_chain() -> None:
    """Ranges run over what exists and say at once when their beginning is gone."""
    blocks = make_chain(4)
    chain = CanonicalChain(blocks)
    assert list(chain.blocks(1, 2)) == blocks[1:3]
    assert list(chain.blocks(-5, 99)) == blocks
    assert list(chain.blocks(3, 2)) == []
    assert list(chain.blocks(9, 12)) == []
    with pytest.raises(HistoryPruned):
        CanonicalChain(blocks, history=1).blocks(0, 3)


def test_a_range_notices_pruning_under_way() -> None:
    """A range never skips a block silently."""
    blocks = make_chain(6)
    chain = CanonicalChain(blocks[:3], history=2)
    walk = chain.blocks(0, 2)
    assert next(walk) == blocks[0]
    chain.reorganise(blocks[2].hash, blocks[3:])
    with pytest.raises(HistoryPruned):
        next(walk)


def test_transactions_are_found_by_position() -> None:
    """A transaction answers with its block and place while it is canonical."""
    genesis = make_block()
    first, second = make_transaction(nonce=0), make_transaction(nonce=1)
    block = make_block(genesis, [(first, ()), (second, ())])
    chain = CanonicalChain([genesis, block])
    assert chain.find(second.hash) == (block, 1)
    chain.reorganise(genesis.hash, ())
    assert chain.find(second.hash) is None
