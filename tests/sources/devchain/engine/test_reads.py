"""Questions about states, executions and the pending block."""

from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct, encode_typed_data
from eth_utils import keccak

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


def test_every_part_of_a_state_can_be_asked(tmp_path: Path) -> None:
    """Code, storage, many words at once, nonces and proofs are those of the block."""
    word = "0x" + "00" * 31 + "07"
    with driven(tmp_path, mining=False) as node:
        node.ask("set_code", address=_TARGET, code="0x5f5f55")
        node.ask("set_storage", address=_TARGET, slot="0x2", word=word)
        at = node.head
        assert node.ask("code", address=_TARGET, at=at) == "0x5f5f55"
        assert node.ask("storage", address=_TARGET, slot="0x2", at=at) == word
        slots = {_TARGET: ["0x2", "0x3"], ADDRESSES[0]: ["0x0"]}
        assert node.ask("storage_values", slots=slots, at=at) == {
            _TARGET: [word, _SLOT],
            ADDRESSES[0]: [_SLOT],
        }
        node.send()
        assert node.ask("nonce", address=ADDRESSES[0], at=at) == "0x0"
        assert node.ask("nonce", address=ADDRESSES[0], at="pending") == "0x1"
        proof = node.ask("proof", address=_TARGET, slots=["0x2"], at=at)
        assert (proof["address"], proof["balance"], proof["nonce"]) == (_TARGET, "0x0", "0x0")
        (item,) = proof["storageProof"]
        assert (int(item["key"], 16), item["value"]) == (2, "0x7")
        root = node.hub.engine.root(node.hub.engine.head_hash)
        assert keccak(bytes.fromhex(proof["accountProof"][0][2:])) == root
        assert keccak(bytes.fromhex(item["proof"][0][2:])).hex() == proof["storageHash"][2:]


def test_calls_and_estimates_are_hex(tmp_path: Path) -> None:
    """Output and gas come as the wire has them, also at the pending block."""
    with driven(tmp_path, mining=False) as node:
        node.ask("set_code", address=_TARGET, code="0x60075f5260205ff3")
        for at in (node.head, "pending"):
            output = node.ask("call", call={"to": _TARGET}, at=at)
            assert int(output, 16) == 7
            assert int(node.ask("estimate", call={"to": _TARGET}, at=at), 16) > 21_000
        listed = node.ask("access_list", call={"to": _TARGET}, at=node.head)
        assert listed["accessList"] == []
        assert "error" not in listed


def test_signatures_are_recovered_to_their_account(tmp_path: Path) -> None:
    """Personal messages and typed data are signed by the account that was asked for."""
    typed = {
        "types": {"EIP712Domain": [{"name": "name", "type": "string"}], "Mail": []},
        "primaryType": "Mail",
        "domain": {"name": "x"},
        "message": {},
    }
    with driven(tmp_path) as node:
        signed = node.ask("sign", address=ADDRESSES[1], message="0x1234")
        message = encode_defunct(hexstr="0x1234")
        assert Account.recover_message(message, signature=signed).lower() == ADDRESSES[1]
        signed = node.ask("sign_typed_data", address=ADDRESSES[1], data=typed)
        message = encode_typed_data(full_message=typed)
        assert Account.recover_message(message, signature=signed).lower() == ADDRESSES[1]
        with pytest.raises(errors.UnknownAccount):
            node.ask("sign", address=_TARGET, message="0x")


def test_modes_can_be_asked(tmp_path: Path) -> None:
    """Automine and interval are told as they were set."""
    with driven(tmp_path) as node:
        assert (node.ask("automine"), node.ask("interval")) == (True, None)
        node.ask("set_interval", seconds=3)
        assert (node.ask("automine"), node.ask("interval")) == (False, 3)
        assert node.ask("accounts")[:2] == list(ADDRESSES[:2])
