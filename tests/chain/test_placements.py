from tests.strategies import make_block, make_transaction
from twisted_chainws.chain.placements import Placements


def test_a_later_place_hides_the_earlier_one_until_undone() -> None:
    """The same transaction in two blocks is found in the later one, then in the earlier again."""
    transaction = make_transaction()
    low = make_block(None, [(transaction, ())])
    high = make_block(low, [(make_transaction(nonce=1), ()), (transaction, ())])
    placements = Placements()
    placements.add(low)
    placements.add(high)
    assert placements.find(transaction.hash) == (high, 1)
    placements.undo(high)
    assert placements.find(transaction.hash) == (low, 0)
    placements.undo(low)
    assert placements.find(transaction.hash) is None


def test_pruning_forgets_the_earliest_place() -> None:
    """Pruning takes hidden places first, oldest first, and the visible one last."""
    transaction = make_transaction()
    blocks = [make_block(None, [(transaction, ())])]
    blocks.append(make_block(blocks[0], [(transaction, ())]))
    blocks.append(make_block(blocks[1], [(transaction, ())]))
    placements = Placements()
    for block in blocks:
        placements.add(block)
    placements.prune(blocks[0])
    placements.undo(blocks[2])
    assert placements.find(transaction.hash) == (blocks[1], 0)
    placements.prune(blocks[1])
    assert placements.find(transaction.hash) is None
