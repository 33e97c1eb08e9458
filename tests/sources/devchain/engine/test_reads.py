"""Questions about states, executions and the pending block."""

from pathlib import Path
from typing import Any

import pytest

from tests.assembler import assemble
from tests.sources.devchain.engine.driving import ADDRESSES, driven
from twisted_chainws import errors
from twisted_chainws.sources.devchain.codec import decode_block

_TARGET = "0x" + "c0" * 20
_SLOT = "0x" + "00" * 32


def test_old_states_can_be_asked(tmp_path: Path) -> None:
    """Each block's own state answers, also after a later one."""
    with driven(tmp_path) as node:
        genesis = node.head
        node.send(value="0x5")
        balances = [
            int(node.ask("balance", address=ADDRESSES[9], at=at), 16) for at in (genesis, node.head)
        ]
        assert balances[1] - balances[0] == 5


def test_the_pending_block_is_drafted_once(tmp_path: Path) -> None:
    """It is kept until pool or head change."""
    with driven(tmp_path, mining=False) as node:
        node.send()
        first = node.ask("pending_block")
        draft = node.node._reads._pending
        assert node.ask("balance", address=ADDRESSES[9], at="pending") == hex(10**22 + 1)
        assert node.node._reads._pending is draft
        node.send(1)
        second = node.ask("pending_block")
        assert len(decode_block(second).transactions) == 2
        assert first["hash"] != second["hash"]
        node.ask("mine")
        assert len(decode_block(node.ask("pending_block")).transactions) == 0


def test_an_access_list_of_a_failing_call_says_so(tmp_path: Path) -> None:
    """The failure is a member of the result."""
    with driven(tmp_path) as node:
        code = assemble("PUSH0 SLOAD POP PUSH0 PUSH0 REVERT").hex()
        node.ask("set_code", address=_TARGET, code="0x" + code)
        result = node.ask("access_list", call={"to": _TARGET}, at=node.head)
        assert result["accessList"] == [{"address": _TARGET, "storageKeys": [_SLOT]}]
        assert "revert" in result["error"]


@pytest.mark.parametrize("method", ["call", "estimate", "access_list"])
def test_contradicting_overrides_are_refused(tmp_path: Path, method: str) -> None:
    """Both a whole storage and single slots for one account are too much."""
    overrides: dict[str, Any] = {_TARGET: {"state": {}, "stateDiff": {}}}
    with driven(tmp_path) as node, pytest.raises(errors.InvalidOverride):
        node.ask(method, call={"to": _TARGET}, at=node.head, state_overrides=overrides)


def test_node_info_describes_snapshots(tmp_path: Path) -> None:
    """Each snapshot is listed with its block."""
    with driven(tmp_path) as node:
        node.ask("mine")
        assert node.ask("snapshot") == "0x0"
        info = node.ask("node_info")
        assert info["snapshots"] == {"0x0": {"hash": node.head, "number": 1}}
        assert (info["number"], info["chain_id"], info["hardfork"]) == (1, 31337, "prague")


def test_fees_name_the_next_block(tmp_path: Path) -> None:
    """A commanded base fee is what the next block will have."""
    with driven(tmp_path) as node:
        assert node.ask("fees")["next_base_fee"] == hex(875_000_000)
        node.ask("set_next_base_fee", value="0x7")
        assert node.ask("fees")["next_base_fee"] == "0x7"
