"""The one commit: nothing is told before, nothing is left after a failure; and lent states."""

from pathlib import Path

import pytest
from eth.abc import StateAPI
from eth_typing import Address

from tests.sources.devchain.engine.driving import NOW, driven
from tests.sources.devchain.engine.paying import raw_payment, zilliqa_address
from twisted_chainws import errors
from twisted_chainws.sources.devchain.accounts import WELL_KNOWN_ACCOUNTS
from twisted_chainws.sources.devchain.codec import encode_hex
from twisted_chainws.sources.devchain.engine.hub import Hub


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


def _spend(hub: Hub, address: Address) -> StateAPI:
    with hub.scratch() as state:
        assert state.get_balance(address) == 10_000 * 10**18
        state.set_balance(address, 0)
    return state


def _spend_and_fail(hub: Hub, address: Address) -> None:
    with hub.scratch() as state:
        state.set_balance(address, 1)
        raise errors.AlreadyMined


def test_a_lent_state_is_as_it_was(tmp_path: Path) -> None:
    """What a borrower did is undone, also when it failed; the state stays until the head moves."""
    address = Address(WELL_KNOWN_ACCOUNTS[3].address)
    with driven(tmp_path) as node:
        first = _spend(node.hub, address)
        with pytest.raises(errors.AlreadyMined):
            _spend_and_fail(node.hub, address)
        assert _spend(node.hub, address) is first
        node.ask("mine")
        assert _spend(node.hub, address) is not first
        node.ask("set_balance", address=encode_hex(address), value="0x5")
        with node.hub.scratch() as state:
            assert state.get_balance(address) == 5
            assert state.block_number == node.hub.engine.height + 1
            assert state.timestamp == node.hub.engine.head.timestamp + 1


def test_an_interrupted_loan_is_not_lent_again(tmp_path: Path) -> None:
    """A state that was left at any moment may be half written."""
    with driven(tmp_path) as node:
        with pytest.raises(KeyboardInterrupt), node.hub.scratch() as state:
            raise KeyboardInterrupt
        with node.hub.scratch() as again:
            assert again is not state


def test_a_lent_state_is_replaced_in_time(tmp_path: Path) -> None:
    """It would remember all it was ever asked for."""
    address = Address(WELL_KNOWN_ACCOUNTS[3].address)
    with driven(tmp_path) as node:
        first = _spend(node.hub, address)
        for _ in range(999):
            with node.hub.scratch():
                pass
        assert _spend(node.hub, address) is not first
