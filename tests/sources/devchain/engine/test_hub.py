"""The one commit: nothing is told before, nothing is left after a failure."""

from pathlib import Path

from tests.sources.devchain.engine.driving import NOW, driven
from tests.sources.devchain.engine.paying import raw_payment, zilliqa_address
from twisted_chainws.sources.devchain.codec import encode_hex


def test_events_wait_for_the_commit(tmp_path: Path) -> None:
    """What is staged is told only once it is committed."""
    with driven(tmp_path) as node:
        node.hub.stage("interval", {"seconds": 1})
        assert node.events() == []
        node.hub.commit()
        assert node.events() == ["interval"]


def test_a_failed_command_leaves_the_control_state(tmp_path: Path) -> None:
    """Abandoning undoes control state and staged moves but not what the pool holds."""
    with driven(tmp_path, mining=False) as node:
        node.send()
        node.events()
        node.hub.set_control(gas_limit=5)
        node.hub.stage("advance", {})
        node.hub.abandon()
        assert node.hub.control.gas_limit == 30_000_000
        assert node.events() == []
        assert len(node.hub.pool) == 1


def test_the_clock(tmp_path: Path) -> None:
    """The wall rules; with seed and timestamp blocks are counted instead."""
    with driven(tmp_path, timestamp=NOW + 1000) as node:
        assert node.hub.next_timestamp() == NOW + 1001
    (tmp_path / "seeded").mkdir()
    with driven(tmp_path / "seeded", timestamp=100, seed=1, block_time=5.0) as node:
        node.ask("mine", count=2)
        assert node.hub.engine.head.timestamp == 110


def test_pool_rows_are_removed_with_their_transactions(tmp_path: Path) -> None:
    """Holes are skipped, so the range of rows stays short."""
    with driven(tmp_path, mining=False) as node:
        hashes = [node.send(sender) for sender in range(4)]
        node.ask("drop", hash=hashes[1])
        assert node.hub._oldest == 0
        node.ask("drop", hash=hashes[0])
        assert node.hub._oldest == 2
        node.ask("mine")
        assert node.hub._oldest == node.hub._next_arrival == 4


def test_payments_wait_through_a_restart(tmp_path: Path) -> None:
    """A native transaction in the pool is read back as what it was, before and after others."""
    with driven(tmp_path, mining=False) as node:
        node.send()
        node.ask("send_native", kind="zilliqa", raw=encode_hex(raw_payment()))
        node.send(1)
        before = [entry.hash for entry in node.hub.pool]
    with driven(tmp_path, mining=False) as node:
        assert [entry.hash for entry in node.hub.pool] == before
        node.ask("mine")
        assert node.hub.nonce_of(zilliqa_address()) == 1
