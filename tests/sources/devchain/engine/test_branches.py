"""Reorganisations, snapshots and resets against a model."""

import random
from pathlib import Path

import pytest

from tests.signing import signed
from tests.sources.devchain.engine.driving import ADDRESSES, Driven, driven
from twisted_chainws import errors

_STRANGER = "0x" + "ab" * 20


def _hashes(node: Driven) -> list[bytes]:
    engine = node.hub.engine
    return [engine.canonical_hash(number) for number in range(engine.height + 1)]


def test_random_branches_follow_the_events(tmp_path: Path) -> None:
    """Applying the events gives the canonical chain after any commands."""
    dice = random.Random(11)
    with driven(tmp_path) as node:
        known = _hashes(node)
        snapshots: list[str] = []
        for _ in range(60):
            height, choice = node.hub.engine.height, dice.randrange(6)
            if choice == 0:
                node.ask("mine", count=dice.randrange(1, 4))
            elif choice == 1:
                node.send(dice.randrange(5))
            elif choice == 2:
                node.ask("reorg", depth=dice.randint(0, min(height, 4)), transactions=[])
            elif choice == 3:
                node.ask("rollback", depth=dice.randint(0, min(height, 3)))
            elif choice == 4:
                snapshots.append(node.ask("snapshot"))
            elif snapshots:
                node.ask("revert", id=snapshots.pop(dice.randrange(len(snapshots))))
            for name, payload in node.hub.take_events():
                if name == "advance":
                    known = known[: known.index(bytes.fromhex(payload["ancestor"][2:])) + 1]
                    known += [bytes.fromhex(block["hash"][2:]) for block in payload["applied"]]
            assert known == _hashes(node)


def test_a_reset_forgets_edits_of_equal_blocks(tmp_path: Path) -> None:
    """After a reset no block comes back with the edits of an older one."""
    with driven(tmp_path, seed=1, timestamp=1000) as node:
        node.ask("mine")
        node.ask("set_balance", address=_STRANGER, value="0x5")
        node.ask("reset")
        node.ask("mine")
        assert node.hub.balance_of(bytes.fromhex(_STRANGER[2:])) == 0


def test_a_revert_keeps_what_is_no_part_of_the_moment(tmp_path: Path) -> None:
    """Mining modes and the counting of snapshots go on."""
    with driven(tmp_path) as node:
        number = node.ask("snapshot")
        node.ask("set_automine", enabled=False)
        node.ask("impersonate", address=_STRANGER)
        assert node.ask("revert", id=number) is True
        assert node.ask("automine") is False
        assert node.ask("stop_impersonating", address=_STRANGER) is False
        assert node.ask("snapshot") == "0x1"


def test_placed_requests_are_estimated_and_numbered(tmp_path: Path) -> None:
    """Requests without nonce and gas run in order within and across the new blocks."""
    with driven(tmp_path) as node:
        node.ask("mine", count=2)
        node.ask("set_code", address=_STRANGER, code="0x5f5f5500")
        plain = {"from": ADDRESSES[0], "to": ADDRESSES[1], "value": "0x1"}
        call = {"from": ADDRESSES[0], "to": _STRANGER, "data": "0x01"}
        node.ask("rollback", depth=0)
        node.ask("reorg", depth=2, transactions=[[plain, 0], [call, 0], [plain, 1]])
        engine = node.hub.engine
        blocks = [engine.block(engine.canonical_hash(number)) for number in (1, 2)]
        assert [len(block.transactions) for block in blocks] == [2, 1]
        assert all(receipt.succeeded for block in blocks for receipt in block.receipts)


@pytest.mark.parametrize(
    "item",
    [signed(0, 5), "0xdeadbeef", {"from": _STRANGER, "to": ADDRESSES[0]}, {"to": ADDRESSES[0]}],
)
def test_what_cannot_be_placed_changes_nothing(tmp_path: Path, item: object) -> None:
    """A wrong nonce, garbage, a stranger or nobody as sender: InvalidReorg."""
    with driven(tmp_path) as node:
        node.ask("mine")
        before = _hashes(node)
        with pytest.raises(errors.InvalidReorg):
            node.ask("reorg", depth=1, transactions=[[item, 0]])
        assert _hashes(node) == before
