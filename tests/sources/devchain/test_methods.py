"""The words of the pipe."""

from twisted_chainws.sources.devchain.methods import (
    EVM_READS,
    LOCAL,
    METHODS,
    READS,
    STATE_READS,
    WRITES,
)


def test_each_word_has_one_nature() -> None:
    """No word is a read and a write, or two kinds of read."""
    assert not READS & WRITES
    assert not STATE_READS & EVM_READS
    assert not LOCAL & (READS | WRITES)
    assert METHODS == READS | WRITES | LOCAL
