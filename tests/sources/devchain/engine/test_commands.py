"""Commands that are done at once: their bounds and their answers."""

from pathlib import Path
from typing import Any

import pytest

from tests.sources.devchain.engine.driving import ADDRESSES, NOW, driven
from twisted_chainws.chain.model import EvmTransaction
from twisted_chainws.errors import InvalidControl, TimestampTooLow, UnknownAccount


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
        ("set_timestamp_interval", {"seconds": 2**64}),
        ("set_next_timestamp", {"timestamp": 2**64}),
        ("set_time", {"timestamp": 2**64}),
        ("increase_time", {"seconds": 2**64 - NOW}),
        ("mine", {"timestamp": 2**64}),
        ("mine", {"interval_s": -1}),
        ("mine", {"interval_s": 2**64}),
        ("mine", {"count": 3, "interval_s": 2**63}),
        ("mine", {"count": 2, "interval_s": 2, "timestamp": 2**64 - 2}),
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


def test_the_last_moment_is_reached_and_stays(tmp_path: Path) -> None:
    """A block may have the largest time that a header holds, and so have all after it."""
    with driven(tmp_path, timestamp=NOW) as node:
        last = 2**64 - 1
        node.ask("increase_time", seconds=last - 60 - NOW)
        node.ask("set_timestamp_interval", seconds=40)
        for expected in (NOW + 40, last - 1, last, last):
            if expected == last - 1:
                node.ask("mine", timestamp=last - 1)
            else:
                node.ask("mine")
            assert node.hub.engine.head.timestamp == expected
        with pytest.raises(InvalidControl) as caught:
            node.ask("mine", count=2, interval_s=60)
        assert caught.value.reason == f"timestamps out of range: 2 blocks, 60 s apart, from {last}"


def test_clock_commands_answer_offsets(tmp_path: Path) -> None:
    """Increase answers how far the chain's clock is ahead in all, set how far it has gone on."""
    with driven(tmp_path) as node:
        assert node.ask("increase_time", seconds=10) == 10
        assert node.ask("increase_time", seconds="0x5") == 15
        assert node.ask("set_time", timestamp=NOW + 100) == 85
        assert node.ask("set_time", timestamp=NOW + 90) == 0
        node.ask("set_next_timestamp", timestamp=NOW + 200)
        assert node.ask("set_time", timestamp=NOW + 300) == 100
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


def test_one_command_mines_only_so_many_blocks(tmp_path: Path) -> None:
    """A count above the cap is refused whole, by the name of the option, before any effect."""
    with driven(tmp_path, mine_cap=3, timestamp=NOW) as node:
        assert len(node.ask("mine", count=3)["hashes"]) == 3
        control = node.hub.control
        for count, shown in ((4, "4"), ("0xffffffffffff", "281474976710655")):
            with pytest.raises(InvalidControl) as caught:
                node.ask("mine", count=count, timestamp=NOW + 900, interval_s=60, leap=True)
            assert caught.value.reason == (
                f"too many blocks: {shown} > 3, the mine-cap of this chain"
            )
        assert node.hub.engine.height == 3
        assert node.hub.control == control


def test_accounts_are_edited_member_by_member(tmp_path: Path) -> None:
    """Balance, nonce, code and storage are what the next question sees, and nothing else moves."""
    with driven(tmp_path) as node:
        address, other = "0x" + "ab" * 20, ADDRESSES[3]
        before = node.ask("balance", address=other, at=node.head)
        node.ask("set_balance", address=address, value="0x9")
        node.ask("set_nonce", address=address, nonce="0x5")
        node.ask("set_code", address=address, code="0x5f5f55")
        node.ask("set_storage", address=address, slot="0x2", word="0x" + "00" * 31 + "07")
        assert node.ask("balance", address=address, at=node.head) == "0x9"
        assert node.ask("nonce", address=address, at=node.head) == "0x5"
        assert node.ask("code", address=address, at=node.head) == "0x5f5f55"
        assert node.ask("storage", address=address, slot="0x2", at=node.head)[-2:] == "07"
        assert node.ask("balance", address=other, at=node.head) == before


def test_a_commanded_time_is_the_next_blocks_only(tmp_path: Path) -> None:
    """The first block has the commanded time, the following ones count on from it."""
    with driven(tmp_path) as node:
        node.ask("set_next_timestamp", timestamp=NOW + 100)
        node.ask("mine", count=2)
        times = [
            node.hub.engine.header(node.hub.engine.canonical_hash(number)).timestamp
            for number in (1, 2)
        ]
        assert times[0] == NOW + 100
        assert times[1] >= times[0]
        with pytest.raises(TimestampTooLow):
            node.ask("set_next_timestamp", timestamp=NOW)
        node.ask("mine", timestamp=hex(NOW + 500))
        assert node.hub.engine.head.timestamp == NOW + 500


def test_blocks_may_lie_a_fixed_time_apart(tmp_path: Path) -> None:
    """The interval counts from block to block and says whether there was one before."""
    with driven(tmp_path) as node:
        node.ask("mine")
        start = node.hub.engine.head.timestamp
        assert node.ask("set_timestamp_interval", seconds=7) is False
        node.ask("mine", count=3)
        assert node.hub.engine.head.timestamp == start + 21
        assert node.ask("set_timestamp_interval", seconds=None) is True
        assert node.hub.control.timestamp_interval is None


def test_headers_follow_their_commands(tmp_path: Path) -> None:
    """Limit and coinbase stay, base fee and randomness are for one block."""
    with driven(tmp_path) as node:
        node.ask("set_block_gas_limit", limit="0x989680")
        node.ask("set_coinbase", address=ADDRESSES[4])
        node.ask("set_next_base_fee", value="0x64")
        node.ask("set_prev_randao", value="0x" + "11" * 32)
        node.ask("mine", count=2)
        first, second = (
            node.hub.engine.header(node.hub.engine.canonical_hash(number)) for number in (1, 2)
        )
        for header in (first, second):
            assert header.gas_limit == 10_000_000
            assert "0x" + header.coinbase.hex() == ADDRESSES[4]
        assert (first.base_fee_per_gas, first.mix_hash) == (100, b"\x11" * 32)
        assert second.base_fee_per_gas < 100
        assert second.mix_hash != first.mix_hash


def test_strangers_send_while_that_is_allowed(tmp_path: Path) -> None:
    """Leave to send is given and taken back, for one address or for all."""
    stranger = "0x" + "ab" * 20
    request = {"from": stranger, "to": ADDRESSES[1], "value": "0x1", "gas": "0x5208"}
    with driven(tmp_path) as node:
        node.ask("set_balance", address=stranger, value=hex(10**18))
        with pytest.raises(UnknownAccount):
            node.ask("send", transaction=request)
        node.ask("impersonate", address=stranger)
        node.ask("send", transaction=request)
        assert node.ask("stop_impersonating", address=stranger) is True
        assert node.ask("stop_impersonating", address=stranger) is False
        node.ask("auto_impersonate", enabled=True)
        node.ask("send", transaction=request)
        node.ask("auto_impersonate", enabled=False)
        with pytest.raises(UnknownAccount):
            node.ask("send", transaction=request)
        assert node.ask("nonce", address=stranger, at=node.head) == "0x2"


def test_the_pool_is_emptied_by_hash_by_sender_and_altogether(tmp_path: Path) -> None:
    """What is dropped is named; what is not there is not."""
    with driven(tmp_path, mining=False) as node:
        first, second, third, fourth = (node.send(sender) for sender in (0, 1, 2, 2))
        assert node.ask("drop", hash=first.upper().replace("X", "x")) == first
        assert node.ask("drop", hash=first) is None
        node.ask("remove_pool_transactions", address=ADDRESSES[2])
        assert [entry.hash for entry in node.hub.pool] == [bytes.fromhex(second[2:])]
        assert {third, fourth}.isdisjoint("0x" + entry.hash.hex() for entry in node.hub.pool)
        node.ask("drop_all")
        assert len(node.hub.pool) == 0


def test_another_chain_id_is_signed_for(tmp_path: Path) -> None:
    """From the command on transactions carry the new id."""
    with driven(tmp_path) as node:
        node.ask("set_chain_id", chain_id="0x5")
        node.send()
        (sent,) = node.hub.engine.block(node.hub.engine.head_hash).transactions
        assert isinstance(sent, EvmTransaction)
        assert sent.chain_id == 5
