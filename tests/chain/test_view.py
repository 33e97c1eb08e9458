import pytest

from tests.strategies import SENDERS, make_block, make_chain, make_transaction
from twisted_chainws.chain.canonical import CanonicalChain
from twisted_chainws.chain.model import Block
from twisted_chainws.chain.pool import PendingPool
from twisted_chainws.chain.view import ChainView, Depths
from twisted_chainws.errors import HistoryPruned


def view_of(blocks: list[Block], history: int | None = None) -> ChainView:
    """A view of a chain and an empty pool."""
    chain = CanonicalChain(blocks, history=history)
    return ChainView(chain=chain, pool=PendingPool(), chain_id=1)


def test_the_view_answers_from_the_chain() -> None:
    """Every question about blocks gets the answer of the chain."""
    genesis = make_block()
    transaction = make_transaction()
    block = make_block(genesis, [(transaction, ())])
    view = view_of([genesis, block])
    assert view.head == block
    assert view.oldest == genesis
    assert view.height == 1
    assert view.at(0) == genesis
    assert view.block(block.hash) == block
    assert view.is_canonical(block.hash)
    assert view.find(transaction.hash) == (block, 0)
    assert list(view.blocks(0, 1)) == [genesis, block]


def test_how_deep_the_safe_and_the_finalized_block_are() -> None:
    """They lie as far below the head as the operator says, genesis at most."""
    chain = CanonicalChain(make_chain(10))
    for safe, finalized in ((0, 0), (3, 5), (5, 100)):
        depths = Depths(safe=safe, finalized=finalized)
        view = ChainView(chain=chain, pool=PendingPool(), chain_id=1, depths=depths)
        assert view.safe == chain.at(9 - safe)
        assert view.finalized == chain.at(max(9 - finalized, 0))


def test_the_view_answers_from_the_pool() -> None:
    """Every question about waiting transactions gets the answer of the pool."""
    pool = PendingPool()
    ready, waiting = make_transaction(nonce=0), make_transaction(nonce=2)
    pool.pending(ready)
    pool.queued(waiting)
    view = ChainView(chain=CanonicalChain(make_chain(1)), pool=pool, chain_id=1)
    assert view.pooled(waiting.hash) == waiting
    assert view.is_pending(ready.hash)
    assert not view.is_pending(waiting.hash)
    assert view.pending_by_sender() == {SENDERS[0]: {0: ready}}
    assert view.queued_by_sender() == {SENDERS[0]: {2: waiting}}
    assert view.next_nonce(SENDERS[0]) == 1
    assert view.counts == (1, 1)
    assert (view.pending_transactions(), view.queued_transactions()) == ((ready,), (waiting,))


def test_the_chain_id_can_change() -> None:
    """A development command may set another chain id."""
    view = view_of(make_chain(1))
    view.chain_id = 5
    assert view.chain_id == 5


@pytest.mark.parametrize(
    ("length", "safe", "finalized"), [(1, 0, 0), (33, 0, 0), (40, 7, 0), (65, 32, 0), (70, 37, 5)]
)
def test_safe_and_finalized_lie_below_the_head(length: int, safe: int, finalized: int) -> None:
    """The tags are 32 and 64 blocks below the head and never below genesis."""
    blocks = make_chain(length)
    view = view_of(blocks)
    assert view.safe == blocks[safe]
    assert view.finalized == blocks[finalized]


def test_tags_below_the_history_name_nothing() -> None:
    """A younger block is no substitute for a safe one that is not kept."""
    blocks = make_chain(70)
    view = view_of(blocks, history=40)
    assert view.safe == blocks[37]
    assert view.finalized is None
    with pytest.raises(HistoryPruned):
        view.at(5)
