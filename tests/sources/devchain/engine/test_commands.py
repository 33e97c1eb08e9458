"""Commands that are done at once: their bounds and their answers."""

from pathlib import Path
from typing import Any

import pytest

from tests.sources.devchain.engine.driving import ADDRESSES, NOW, driven
from twisted_chainws.errors import InvalidControl, TimestampTooLow


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("set_balance", {"address": "0x12", "value": "0x1"}),
        ("set_balance", {"address": ADDRESSES[0], "value": hex(2**256)}),
        ("set_nonce", {"address": ADDRESSES[0], "nonce": -1}),
        ("set_block_gas_limit", {"limit": 0}),
        ("set_prev_randao", {"value": "0x12"}),
        ("set_interval", {"seconds": -1}),
        ("set_timestamp_interval", {"seconds": -1}),
    ],
)
def test_impossible_arguments_are_refused(
    tmp_path: Path, method: str, params: dict[str, Any]
) -> None:
    """What no block could hold is refused and changes nothing."""
    with driven(tmp_path) as node:
        control, root = node.hub.control, node.hub.engine.root(node.hub.engine.head_hash)
        with pytest.raises(InvalidControl):
            node.ask(method, **params)
        assert node.hub.control == control
        assert node.hub.engine.root(node.hub.engine.head_hash) == root


def test_balances_do_not_overflow(tmp_path: Path) -> None:
    """Adding stops at the largest balance."""
    with driven(tmp_path) as node:
        node.ask("add_balance", address=ADDRESSES[0], value=hex(2**256 - 1))
        assert node.hub.balance_of(bytes.fromhex(ADDRESSES[0][2:])) == 2**256 - 1


def test_an_edit_that_empties_an_account_drops_its_transactions(tmp_path: Path) -> None:
    """The pool follows edits of balance and nonce."""
    with driven(tmp_path, mining=False) as node:
        node.send(0)
        node.send(1)
        node.events()
        node.ask("set_balance", address=ADDRESSES[0], value="0x0")
        node.ask("set_nonce", address=ADDRESSES[1], nonce=5)
        assert node.events() == ["dropped", "dropped"]


def test_clock_commands_answer_offsets(tmp_path: Path) -> None:
    """Increase and set answer how far the chain's clock is ahead in all."""
    with driven(tmp_path) as node:
        assert node.ask("increase_time", seconds=10) == 10
        assert node.ask("increase_time", seconds="0x5") == 15
        assert node.ask("set_time", timestamp=NOW + 100) == 100
        with pytest.raises(TimestampTooLow) as caught:
            node.ask("mine", timestamp=NOW - 1)
        assert (caught.value.timestamp, caught.value.previous) == (NOW - 1, NOW)
        assert node.hub.engine.height == 0


def test_an_interval_may_count_from_the_head(tmp_path: Path) -> None:
    """With a leap the clock moves before the first block, too, and stays ahead."""
    with driven(tmp_path, timestamp=NOW) as node:
        for leap, stamps in ((False, [NOW + 1, NOW + 61]), (True, [NOW + 121, NOW + 181])):
            node.ask("mine", count=2, interval_s=60, leap=leap)
            engine = node.hub.engine
            heights = (engine.height - 1, engine.height)
            headers = [engine.header(engine.canonical_hash(height)) for height in heights]
            assert [header.timestamp for header in headers] == stamps


def test_interval_switching_is_told(tmp_path: Path) -> None:
    """The parent's timer hears of each switch."""
    with driven(tmp_path) as node:
        node.ask("set_interval", seconds=2)
        node.ask("set_automine", enabled=True)
        node.ask("set_automine", enabled=True)
        assert node.events() == ["interval", "interval"]


def test_mining_nothing_makes_nothing(tmp_path: Path) -> None:
    """A count of zero is no block."""
    with driven(tmp_path) as node:
        assert node.ask("mine", count=0) == {"hashes": []}
        assert node.hub.engine.height == 0
