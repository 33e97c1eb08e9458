"""The recording sink is as strict as the service."""

import pytest

from twisted_chainws.chain.types import Hash32
from twisted_chainws.testing import RecordingSink, make_block, make_transaction


def test_blocks_must_be_connected() -> None:
    """A block that does not follow the head, or an ancestor that is unknown, is a failure."""
    genesis = make_block()
    sink = RecordingSink([genesis])
    with pytest.raises(AssertionError):
        sink.publish(make_block(make_block(salt=b"other")))
    with pytest.raises(AssertionError):
        sink.reorganise(Hash32(bytes(32)), [])


def test_pool_follows_what_is_said() -> None:
    """Queued, pending, dropped, mined; complaints are kept."""
    genesis, first, second = make_block(), make_transaction(0), make_transaction(1)
    sink = RecordingSink([genesis])
    sink.queued(first)
    assert list(sink.waiting) == [first.hash]
    sink.pending(first)
    sink.pending(second)
    assert (list(sink.waiting), sink.announced) == ([], [first.hash, second.hash])
    sink.dropped(second.hash)
    sink.publish(make_block(genesis, [(first, [])]))
    assert sink.transactions == {}
    sink.unhealthy("away")
    assert sink.complaints == ["away"]
