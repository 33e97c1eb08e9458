import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import Step, chains, make_chain, relaxed, scripts
from twisted_chainws.chain.canonical import CanonicalChain
from twisted_chainws.chain.journal import Journal, MemoryJournal, fold
from twisted_chainws.chain.model import Block
from twisted_chainws.chain.ops import Advance, Cursor, Finalise, Op, Transition
from twisted_chainws.chain.types import BlockNumber, Seq
from twisted_chainws.errors import (
    CursorAhead,
    CursorExpired,
    CursorForeign,
    CursorMalformed,
    NotCanonical,
    UnknownParent,
)

EMPTY = Transition(undone=(), applied=())


def filled(count: int, capacity: int = 3) -> MemoryJournal:
    """A journal after that many empty operations."""
    journal = MemoryJournal(epoch=7, capacity=capacity)
    for _ in range(count):
        journal.advance(EMPTY)
    return journal


@relaxed
@given(chains(), scripts())
def test_folding_from_any_place_gives_any_later_chain(
    blocks: list[Block], script: list[Step]
) -> None:
    """Operations between two places turn the chain of the first into that of the second."""
    chain = CanonicalChain(blocks)
    journal: Journal = MemoryJournal(epoch=1)
    states = [tuple(blocks)]
    for step in script:
        journal.advance(step.play(chain))
        states.append(tuple(chain.blocks(0, chain.height)))
    for start, base in enumerate(states):
        ops = journal.read(Seq(start), 1_000)
        assert [op.seq for op in ops] == list(range(start + 1, len(states)))
        for end in range(start, len(states)):
            assert fold(ops[: end - start], base) == states[end]


@relaxed
@given(st.integers(0, 12), st.integers(1, 5), st.integers(0, 15), st.integers(1, 12))
def test_the_ring_keeps_the_newest_without_holes(
    count: int, capacity: int, after: int, limit: int
) -> None:
    """Any read gives the complete continuation or a typed error, never less."""
    journal = filled(count, capacity)
    assert journal.head == count
    assert journal.floor == max(0, count - capacity)
    if after < journal.floor:
        with pytest.raises(CursorExpired):
            journal.read(Seq(after), limit)
    elif after > count:
        with pytest.raises(CursorAhead):
            journal.read(Seq(after), limit)
    else:
        places = [op.seq for op in journal.read(Seq(after), limit)]
        assert places == list(range(after + 1, min(after + limit, count) + 1))


def test_operations_are_numbered_without_holes() -> None:
    """Both kinds of operation share one numbering that begins at 1."""
    journal = MemoryJournal(epoch=7)
    assert journal.head == journal.floor == 0
    blocks = make_chain(2)
    advance = journal.advance(Transition(undone=(), applied=(blocks[1],)))
    finalise = journal.finalise(BlockNumber(0))
    assert advance == Advance(seq=Seq(1), undone=(), applied=(blocks[1],))
    assert finalise == Finalise(seq=Seq(2), number=BlockNumber(0))
    assert journal.read(Seq(0), 10) == (advance, finalise)
    assert journal.read(Seq(0), 1) == (advance,)


def test_resuming_continues_after_the_cursor() -> None:
    """A whole cursor gets what follows; one within an operation gets that operation again."""
    journal = filled(5)
    whole = journal.cursor(Seq(3))
    assert [op.seq for op in journal.resume(whole, 10)] == [4, 5]
    within = journal.cursor(Seq(3), 2)
    assert [op.seq for op in journal.resume(within, 10)] == [3, 4, 5]
    assert [op.seq for op in journal.resume(within, 2)] == [3, 4]
    assert journal.resume(journal.cursor(journal.head), 10) == ()


@pytest.mark.parametrize(
    ("cursor", "error"),
    [
        (Cursor(epoch=8, seq=Seq(4)), CursorForeign),
        (Cursor(epoch=7, seq=Seq(1)), CursorExpired),
        (Cursor(epoch=7, seq=Seq(2), index=0), CursorExpired),
        (Cursor(epoch=7, seq=Seq(6)), CursorAhead),
        (Cursor(epoch=7, seq=Seq(6), index=0), CursorAhead),
    ],
)
def test_a_cursor_that_cannot_be_resumed_names_what_can(
    cursor: Cursor, error: type[CursorForeign | CursorExpired | CursorAhead]
) -> None:
    """Errors carry the oldest usable cursor and that of the head."""
    journal = filled(5)
    with pytest.raises(error) as caught:
        journal.resume(cursor, 10)
    refusal = caught.value
    assert isinstance(refusal, CursorForeign | CursorExpired | CursorAhead)
    assert refusal.oldest == "0000000000000007:2"
    assert refusal.head == "0000000000000007:5"
    assert len(journal.resume(Cursor.parse(refusal.oldest), 10)) == 3


def test_nothing_can_be_counted_before_the_first_operation() -> None:
    """There are no items at place 0."""
    with pytest.raises(CursorMalformed):
        filled(1).resume(Cursor(epoch=7, seq=Seq(0), index=1), 10)


def test_folding_refuses_operations_of_another_chain() -> None:
    """Undoing what is not the head, or attaching to nothing, is an error; finality is no change."""
    blocks = make_chain(3)

    def advance(undone: tuple[Block, ...], applied: tuple[Block, ...]) -> Op:
        return Advance(seq=Seq(1), undone=undone, applied=applied)

    finalise = Finalise(seq=Seq(1), number=BlockNumber(0))
    assert fold([finalise], blocks) == tuple(blocks)
    assert fold([advance((), tuple(blocks))], ()) == tuple(blocks)
    with pytest.raises(NotCanonical):
        fold([advance((blocks[1],), ())], blocks)
    with pytest.raises(NotCanonical):
        fold([advance((blocks[1],), ())], ())
    with pytest.raises(UnknownParent):
        fold([advance((), (blocks[2],))], blocks[:1])
