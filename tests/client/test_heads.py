from collections.abc import Callable, Generator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.client.ethereum.following import standing
from tests.client.ethereum.ledger import Ledger
from twisted_chainws.client.ethereum.values import Gap, Head, HeadRemoved, decode_head
from twisted_chainws.client.heads import (
    BLOCKS_AT_ONCE,
    Ask,
    ByHash,
    ByNumber,
    Found,
    HeadMemory,
    Step,
    Unreachable,
    follow,
)

Answer = Callable[[Ask], Found]


def head(raw: Any) -> Head | None:
    """Read what a ledger gives."""
    return None if raw is None else decode_head(raw)


def answering(ledger: Ledger, asked: list[Ask] | None = None) -> Answer:
    """Return what answers from a ledger."""

    def answer(ask: Ask) -> Found:
        if asked is not None:
            asked.append(ask)
        if isinstance(ask, ByHash):
            return [head(ledger.by_hash(ask.hash))]
        return [head(ledger.block(number)) for number in ask.numbers]

    return answer


def run(plan: Generator[Ask, Found, Step[Head]], answer: Answer) -> Step[Head]:
    """Give a plan what it asks for."""
    try:
        ask = next(plan)
        while True:
            ask = plan.send(answer(ask))
    except StopIteration as done:
        step: Step[Head] = done.value
        return step


def way(
    memory: HeadMemory[Head], ledger: Ledger, answer: Answer | None = None, **more: Any
) -> Step[Head]:
    """Follow the head of a ledger, and remember that."""
    target = decode_head(ledger.chain[-1])
    usual: dict[str, Any] = {"after": None, "bound": 120, "behind": 10}
    step = run(follow(memory, target, **(usual | more)), answer or answering(ledger))
    memory.apply(step)
    return step


def told(step: Step[Head]) -> list[Any]:
    """Return what a step means to subscribers."""
    return [*(HeadRemoved(head=head) for head in step.removed), *step.added]


def numbers(step: Step[Head]) -> tuple[list[int], list[int]]:
    """Return the numbers that were removed and added."""
    return [one.number for one in step.removed], [one.number for one in step.added]


def remembering(ledger: Ledger, first: int) -> HeadMemory[Head]:
    """Return a memory of a ledger's heads from a height on."""
    memory: HeadMemory[Head] = HeadMemory()
    memory.apply(Step(added=tuple(decode_head(raw) for raw in ledger.chain[first:])))
    return memory


actions = st.lists(
    st.one_of(
        st.tuples(st.just("mine"), st.integers(1, 15)),
        st.tuples(st.just("reorganise"), st.integers(1, 12), st.integers(1, 12)),
    ),
    max_size=6,
)


@given(height=st.integers(0, 20), rounds=st.lists(actions, max_size=6))
def test_heads_hang_together_whatever_happens(height: int, rounds: list[list[Any]]) -> None:
    """However the chain changes between two looks at it, what was told folds to the chain."""
    ledger = Ledger(height)
    memory: HeadMemory[Head] = HeadMemory()
    events: list[Any] = []
    first = ledger.height
    for actions_now in rounds:
        for name, *values in actions_now:
            if name == "mine":
                for _ in range(values[0]):
                    ledger.mine()
            else:
                ledger.reorganise(*values)
        # Below what was told first nothing is told of: let the chain not end there.
        while ledger.height < first:
            ledger.mine()
        events += told(way(memory, ledger, after=first, bound=1_000))
    stands = standing(events)
    if stands:
        start = stands[0].number
        assert [one.hash for one in stands] == [raw["hash"] for raw in ledger.chain[start:]]


@given(seen=st.integers(0, 40), missed=st.integers(0, 60), bound=st.integers(1, 50))
def test_bound(seen: int, missed: int, bound: int) -> None:
    """No more heads than the bound are added, and Gap names exactly those that are not."""
    ledger = Ledger(5)
    memory: HeadMemory[Head] = HeadMemory()
    for _ in range(seen):
        ledger.mine()
        way(memory, ledger)
    for _ in range(missed):
        ledger.mine()
    step = way(memory, ledger, after=5, bound=bound)
    total = 5 + seen + missed
    added = [one.number for one in step.added]
    assert len(added) <= bound
    if missed > bound:
        assert step.gap == Gap(5 + seen + 1, total - bound)
        assert added == list(range(total - bound + 1, total + 1))
    elif missed:
        assert step.gap is None
        assert added == list(range(5 + seen + 1, total + 1))


def test_one_after_the_other_asks_nothing() -> None:
    """A head that stands on the one before is told without a question, and once."""
    ledger = Ledger()
    memory: HeadMemory[Head] = HeadMemory()
    asked: list[Ask] = []
    for _ in range(3):
        ledger.mine()
        assert numbers(way(memory, ledger, answering(ledger, asked))) == ([], [ledger.height])
        assert way(memory, ledger, answering(ledger, asked)) == Step()
    assert asked == []


def test_missing_heads_are_asked_for_ten_at_a_time() -> None:
    """A row of missing blocks takes as few questions as possible, and none is asked for twice."""
    ledger = Ledger()
    ledger.mine()
    memory: HeadMemory[Head] = HeadMemory()
    way(memory, ledger)
    for _ in range(25):
        ledger.mine()
    asked: list[Ask] = []
    way(memory, ledger, answering(ledger, asked))
    assert all(isinstance(ask, ByNumber) for ask in asked[:2])
    wanted = [number for ask in asked if isinstance(ask, ByNumber) for number in ask.numbers]
    assert wanted == list(range(25, 1, -1))
    assert max(len(ask.numbers) for ask in asked if isinstance(ask, ByNumber)) == BLOCKS_AT_ONCE


def test_a_short_reorganisation_asks_by_hash() -> None:
    """Of a reorganisation only the blocks that are not known are asked for."""
    ledger = Ledger(10)
    memory = remembering(ledger, 1)
    ledger.reorganise(3, 4)
    asked: list[Ask] = []
    step = way(memory, ledger, answering(ledger, asked))
    assert numbers(step) == ([10, 9, 8], [8, 9, 10, 11])
    assert asked == [ByHash(ledger.chain[number]["hash"], number) for number in (10, 9, 8)]


def test_a_reorganisation_below_everything() -> None:
    """Everything that was told is removed; what lies below the first is not told."""
    ledger = Ledger(10)
    memory = remembering(ledger, 8)
    ledger.reorganise(6, 7)
    assert numbers(way(memory, ledger)) == ([10, 9, 8], [8, 9, 10, 11])


def test_a_shorter_chain() -> None:
    """A head below the newest, on a block that stands, removes what is above."""
    ledger = Ledger(10)
    memory = remembering(ledger, 5)
    ledger.reorganise(3, 1)
    assert numbers(way(memory, ledger)) == ([10, 9, 8], [8])


@pytest.mark.parametrize(("depth", "told"), [(1, True), (2, False), (7, False), (12, True)])
def test_heads_below_the_first(depth: int, told: bool) -> None:
    """A head little below the first that was told is one of a server that lags.

    Unless the first stands on another one, or it is far below: then it is a new chain.
    """
    ledger = Ledger(20)
    memory = remembering(ledger, 20)
    ledger.reorganise(depth + 1, 1)
    step = way(memory, ledger)
    assert numbers(step) == (([20], [20 - depth]) if told else ([], []))


def test_the_parent_of_the_first() -> None:
    """The very parent of the first head tells nothing new."""
    ledger = Ledger(20)
    memory = remembering(ledger, 20)
    del ledger.chain[20:]
    assert way(memory, ledger) == Step()


def test_a_gap_after_a_reorganisation() -> None:
    """Beyond the bound it is found out what stands; the gap begins above that."""
    ledger = Ledger(40)
    memory = remembering(ledger, 11)
    ledger.reorganise(15, 60)
    step = way(memory, ledger, bound=20)
    assert numbers(step)[0] == list(range(40, 25, -1))
    assert step.gap == Gap(26, ledger.height - 20)
    assert memory.oldest == step.added[0]
    assert memory.tip == step.added[-1]


def test_a_gap_where_nothing_stands() -> None:
    """If nothing stands, all is removed, and the gap begins with the oldest."""
    ledger = Ledger(30)
    memory = remembering(ledger, 25)
    ledger.reorganise(30, 60)
    step = way(memory, ledger, bound=10)
    assert numbers(step)[0] == [30, 29, 28, 27, 26, 25]
    assert step.gap == Gap(25, 50)


def test_a_gap_before_the_first() -> None:
    """If nothing was told, the gap begins where the subscription did."""
    ledger = Ledger(30)
    step = way(HeadMemory(), ledger, after=5, bound=10)
    assert step.gap == Gap(6, 20)


@pytest.mark.parametrize(
    "answer", [lambda _: [None] * 20, lambda _: [decode_head(Ledger().chain[0])]]
)
def test_unreachable(answer: Any) -> None:
    """A parent that is not to be had, or another block in its place, is an error."""
    ledger = Ledger(10)
    memory = remembering(ledger, 9)
    ledger.reorganise(1, 2)
    with pytest.raises(Unreachable):
        way(memory, ledger, answer)
    assert memory.tip is not None
    assert memory.tip.number == 10


def test_blocks_of_another_branch_are_not_taken() -> None:
    """Of canonical blocks that do not hang together with the head, the right ones are fetched."""
    ledger = Ledger(5)
    memory = remembering(ledger, 1)
    for _ in range(8):
        ledger.mine()
    target = ledger.chain[-1]
    branch = ledger.chain[:]
    ledger.reorganise(5, 6)
    answer = answering(ledger)
    step = run(
        follow(memory, decode_head(target), after=None, bound=120, behind=10),
        answer,
    )
    assert [one.hash for one in step.added] == [raw["hash"] for raw in branch[6:]]


def test_a_chain_that_changes_while_it_is_asked_for() -> None:
    """Beyond the bound, what does not hang together is not told."""
    ledger = Ledger(10)
    memory = remembering(ledger, 1)
    branch = Ledger(0)
    branch.chain[:] = ledger.chain
    branch.known |= ledger.known
    branch.logs |= ledger.logs
    branch.reorganise(3, 8)
    answer = answering(branch)

    def switching(ask: Ask) -> Found:
        if isinstance(ask, ByNumber) and 7 in ask.numbers:
            return [head(ledger.block(number)) for number in ask.numbers]
        return answer(ask)

    # The lowest of the branch is 9; below it the old chain answers, with 8 as it was.
    with pytest.raises(Unreachable):
        way(memory, branch, switching, bound=7)


def test_memory_is_bounded() -> None:
    """Only so many heads are remembered."""
    ledger = Ledger()
    memory: HeadMemory[Head] = HeadMemory(retained=5)
    for _ in range(10):
        ledger.mine()
        way(memory, ledger)
    assert memory.oldest is not None
    assert memory.oldest.number == 6
    memory.forget()
    assert memory.tip is None
    assert memory.oldest is None
