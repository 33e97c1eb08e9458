"""What every ledger does that folds the chain, whatever it makes of a block."""

from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol, TypeVar

from hypothesis import settings

from tests.strategies import Step, make_block, relaxed
from twisted_chainws.chain.canonical import CanonicalChain
from twisted_chainws.chain.model import Block
from twisted_chainws.chain.ops import Advance, Transition
from twisted_chainws.chain.types import Seq

GENESIS: Final = make_block()

signing: Final = settings(relaxed, max_examples=40)
"""For property tests that sign and verify a lot."""


class Ledger(Protocol):
    """Folds transitions."""

    def apply(self, op: Advance, /) -> None:
        """Take a transition."""


L = TypeVar("L", bound=Ledger)


def advance(transition: Transition) -> Advance:
    """Give a transition a place."""
    return Advance(seq=Seq(1), undone=transition.undone, applied=transition.applied)


def check_undo_is_exact(
    ledger_of: Callable[[Sequence[Block]], L], contents: Callable[[L], Any], blocks: list[Block]
) -> None:
    """Check that applying any blocks and undoing them leaves a ledger as it was.

    Args:
        ledger_of: makes a ledger of blocks.
        contents: returns all that a ledger folds.
        blocks: a chain from genesis on.
    """
    for kept in range(len(blocks)):
        ledger = ledger_of(blocks[:kept])
        before = contents(ledger)
        branch = tuple(blocks[kept:])
        ledger.apply(Advance(seq=Seq(2), undone=(), applied=branch))
        assert contents(ledger) == contents(ledger_of(blocks))
        ledger.apply(Advance(seq=Seq(3), undone=branch[::-1], applied=()))
        assert contents(ledger) == before


def check_reorganisations(
    ledger_of: Callable[[Sequence[Block]], L], contents: Callable[[L], Any], script: list[Step]
) -> tuple[L, list[Block]]:
    """Check that whatever a chain went through, its ledger is that of its blocks alone.

    Args:
        ledger_of: makes a ledger of blocks.
        contents: returns all that a ledger folds.
        script: what the chain goes through, from ``GENESIS`` on.

    Returns:
        The ledger, and the blocks of the chain.
    """
    chain, ledger = CanonicalChain([GENESIS]), ledger_of([GENESIS])
    for step in script:
        ledger.apply(advance(step.play(chain)))
    blocks = list(chain.blocks(0, chain.height))
    assert contents(ledger) == contents(ledger_of(blocks))
    return ledger, blocks
