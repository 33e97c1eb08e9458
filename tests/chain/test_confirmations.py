"""What may be told, against the rule itself: a block is told of when it is deep enough and new."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import Step, make_block, make_chain, relaxed, steps
from twisted_chainws.chain.canonical import CanonicalChain
from twisted_chainws.chain.confirmations import Confirmations
from twisted_chainws.chain.model import Block
from twisted_chainws.chain.ops import Advance, Transition
from twisted_chainws.chain.types import Hash32, Seq


def advance(transition: Transition) -> Advance:
    """Give a transition a place."""
    return Advance(seq=Seq(1), undone=transition.undone, applied=transition.applied)


def reorganise(*, undone: list[Block], applied: list[Block]) -> Advance:
    """Make a reorganisation, both oldest first."""
    return Advance(seq=Seq(1), undone=tuple(reversed(undone)), applied=tuple(applied))


def test_without_a_depth_blocks_pass_as_they_come() -> None:
    """Each new block once; a rollback is nothing to tell of."""
    blocks = make_chain(4)
    confirmations = Confirmations(blocks[:2], depth=0)
    assert confirmations.confirmed(reorganise(undone=[], applied=blocks[2:])) == blocks[2:]
    assert confirmations.confirmed(reorganise(undone=blocks[3:], applied=[])) == []


def test_a_reorganisation_repeats_heights() -> None:
    """The blocks of the new branch are told of, from the first that differs."""
    blocks = make_chain(4)
    other = [make_block(blocks[2], salt="other")]
    other.append(make_block(other[0], salt="other"))
    confirmations = Confirmations(blocks, depth=0)
    told = confirmations.confirmed(reorganise(undone=blocks[2:], applied=[blocks[2], *other]))
    assert told == other


def test_blocks_wait_until_they_are_deep_enough() -> None:
    """The newest ones of the chain known at the beginning wait, too."""
    blocks = make_chain(6)
    confirmations = Confirmations(blocks[:4], depth=2)
    assert confirmations.confirmed(reorganise(undone=[], applied=[blocks[4]])) == [blocks[2]]
    assert confirmations.confirmed(reorganise(undone=[], applied=[blocks[5]])) == [blocks[3]]


def test_shallow_reorganisations_are_never_seen() -> None:
    """A block that leaves before it was deep enough was never told of."""
    blocks = make_chain(4)
    other = make_block(blocks[2], salt="other")
    confirmations = Confirmations(blocks, depth=1)
    assert confirmations.confirmed(reorganise(undone=[blocks[3]], applied=[other])) == []
    after = make_block(other)
    assert confirmations.confirmed(reorganise(undone=[], applied=[after])) == [other]


@relaxed
@given(st.integers(0, 3), st.lists(steps(), max_size=10))
def test_the_last_that_was_told_of_a_height_is_the_settled_block(
    depth: int, script: list[Step]
) -> None:
    """Only blocks that are deep enough are told of, and of each height the one that stays."""
    chain = CanonicalChain([make_block()])
    confirmations = Confirmations([chain.head], depth=depth)
    heard: dict[int, Hash32] = {}
    for step in script:
        for block in confirmations.confirmed(advance(step.play(chain))):
            assert chain.at(block.number) == block
            assert block.number <= chain.height - depth
            heard[block.number] = block.hash
        for block in chain.blocks(1, chain.height - depth):
            assert heard[block.number] == block.hash


@pytest.mark.parametrize("depth", [0, 1, 5])
def test_a_growing_chain_is_told_of_once(depth: int) -> None:
    """Every block behind the first, in order, except the newest so many."""
    blocks = make_chain(9)
    confirmations = Confirmations(blocks[:1], depth=depth)
    told = [
        block
        for new in blocks[1:]
        for block in confirmations.confirmed(reorganise(undone=[], applied=[new]))
    ]
    first = 1 if depth == 0 else 0
    assert told == blocks[first : len(blocks) - depth]
