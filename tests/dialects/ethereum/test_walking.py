from collections.abc import Generator

import pytest

from tests.dialects.ethereum.views import make_view
from tests.strategies import make_block, make_chain, make_log, make_transaction
from twisted_chainws.chain.canonical import CanonicalChain
from twisted_chainws.chain.model import Block
from twisted_chainws.chain.pool import PendingPool
from twisted_chainws.chain.view import ChainView
from twisted_chainws.dialects.ethereum import walking
from twisted_chainws.dialects.ethereum.walking import walk
from twisted_chainws.dialects.view import View
from twisted_chainws.errors import HistoryPruned


class Walk:
    """A walk over a chain that may change between two steps."""

    def __init__(self, blocks: list[Block], first: int, last: int, until: int = -1) -> None:
        self.chain = CanonicalChain(blocks)
        view = make_view(blocks)
        self.view = View(
            chain=ChainView(chain=self.chain, pool=PendingPool(), chain_id=1),
            ledger=view.ledger,
            settings=view.settings,
        )
        self.seen: list[Block] = []
        self.restarts = 0
        self._until = until
        self.steps: Generator[None, None, None] = walk(
            self.view, first, last, self._visit, self._restart
        )

    def _visit(self, block: Block) -> bool:
        self.seen.append(block)
        return block.number == self._until

    def _restart(self) -> None:
        self.restarts += 1
        self.seen.clear()

    @property
    def numbers(self) -> list[int]:
        """Heights of what was visited, in order."""
        return [block.number for block in self.seen]


@pytest.mark.parametrize(
    ("first", "last", "until", "expected"),
    [
        (1, 3, -1, [1, 2, 3]),
        (3, 1, -1, [3, 2, 1]),
        (2, 2, -1, [2]),
        (0, 4, 2, [0, 1, 2]),
        (4, 0, 3, [4, 3]),
        (3, 9, -1, [3, 4]),
        (6, 3, -1, [4, 3]),
    ],
)
def test_ways(first: int, last: int, until: int, expected: list[int]) -> None:
    """Up or down, both ends inclusive, until the visitor has enough; what is not there is skipped."""
    walked = Walk(make_chain(5), first, last, until)
    list(walked.steps)
    assert walked.numbers == expected


def test_long_ways_are_cut_into_steps() -> None:
    """Blocks, transactions and logs are counted, and after a piece of work others get their turn."""
    held = [(make_transaction(nonce=at), [make_log()] * 9) for at in range(100)]
    blocks = make_chain(1)
    for _ in range(11):
        blocks.append(make_block(blocks[-1], held))
    walked = Walk(blocks, 0, 11)
    pieces = [walked.numbers[-1] for _ in walked.steps]
    assert pieces == [5, 10]
    assert walked.numbers == list(range(12))


@pytest.mark.parametrize(("first", "last"), [(0, 1199), (1199, 0)])
def test_a_reorganisation_below_the_walker_begins_it_again(first: int, last: int) -> None:
    """What was visited and left the chain meanwhile is visited again, in its new form."""
    blocks = make_chain(1200)
    walked = Walk(blocks, first, last)
    next(walked.steps)
    assert walked.restarts == 0
    walked.chain.reorganise(blocks[100].hash, _branch(blocks[100], 1099))
    list(walked.steps)
    assert walked.restarts == 1
    assert [block.hash for block in sorted(walked.seen, key=lambda block: block.number)] == [
        block.hash for block in walked.chain.blocks(0, 1199)
    ]


def test_a_reorganisation_ahead_of_the_walker_is_nothing() -> None:
    """What was not visited yet may change."""
    blocks = make_chain(1200)
    walked = Walk(blocks, 0, 1199)
    next(walked.steps)
    walked.chain.reorganise(blocks[1000].hash, _branch(blocks[1000], 3))
    list(walked.steps)
    assert walked.restarts == 0
    assert walked.numbers == list(range(1004))
    assert walked.seen[1003].hash == walked.chain.head.hash


def test_what_is_pruned_is_said() -> None:
    """A walk that needs what is no longer kept ends with that."""
    view = make_view(make_chain(200), history=64)
    with pytest.raises(HistoryPruned):
        list(walk(view, 0, 199, lambda _: False, lambda: None))


def _branch(parent: Block, count: int) -> list[Block]:
    made: list[Block] = []
    for _ in range(count):
        made.append(make_block(made[-1] if made else parent, salt="branch"))
    return made


def test_steps_are_bounded() -> None:
    """The figure that the documentation names."""
    assert walking.WORK_PER_STEP == 5_000
