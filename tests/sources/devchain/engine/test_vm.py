"""Marked signatures."""

from tests.sources.devchain.engine.building import CAROL, fields
from twisted_chainws.sources.devchain.engine.vm import DevBuilder, unsigned


def test_marked_transactions_differ_per_sender_and_keep_their_hash() -> None:
    """Equal fields from two senders have two hashes, stable through encoding."""
    for kind in (0, 1, 2):
        first = unsigned(fields(type=kind), CAROL)
        second = unsigned(fields(type=kind), b"\x01" * 20)
        assert first.hash != second.hash
        again = DevBuilder.decode(first.encode())
        assert (again.hash, again.sender) == (first.hash, CAROL)
