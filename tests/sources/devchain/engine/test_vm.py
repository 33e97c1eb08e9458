"""Marked signatures, and what is kept alive."""

import gc
import weakref
from pathlib import Path

from tests.sources.devchain.engine.building import CAROL, fields, genesis, mine, transaction
from twisted_chainws.sources.devchain.engine.core import Engine
from twisted_chainws.sources.devchain.engine.vm import DevBuilder, unsigned


def test_marked_transactions_differ_per_sender_and_keep_their_hash() -> None:
    """Equal fields from two senders have two hashes, stable through encoding."""
    for kind in (0, 1, 2):
        first = unsigned(fields(type=kind), CAROL)
        second = unsigned(fields(type=kind), b"\x01" * 20)
        assert first.hash != second.hash
        again = DevBuilder.decode(first.encode())
        assert (again.hash, again.sender) == (first.hash, CAROL)


def test_closed_chains_are_not_kept_alive(tmp_path: Path) -> None:
    """Opening and closing chains leaves none of their databases behind."""
    kept = []
    for number in range(5):
        engine = Engine.open(str(tmp_path / str(number)), genesis())
        block = mine(engine, transaction(nonce=0))
        engine.rollback()
        engine.block(block.hash)
        kept.append(weakref.ref(engine._db))
        engine.close()
        del engine
    gc.collect()
    assert [reference() for reference in kept] == [None] * 5
