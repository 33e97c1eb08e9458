"""Dumping a chain's state and loading it into another one."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.assembler import assemble, deployment
from tests.sources.devchain.engine.driving import ADDRESSES, NOW, driven
from tests.sources.devchain.engine.ont_sending import (
    GOVERNANCE,
    STRANGER,
    address,
    ont_transfer,
    owned,
    submit,
)
from tests.sources.devchain.engine.ont_states import UNIT
from twisted_chainws.errors import AlreadyMined, InvalidControl
from twisted_chainws.sources.devchain.codec import decode_hex, encode_hex
from twisted_chainws.sources.devchain.engine.dumping import unpack

KEEPS = assemble("0x2a 0x07 SSTORE 0x2b 0x08 SSTORE STOP")
POOR = "0x" + "0d" * 20


def written(accounts: dict[str, Any], **block: Any) -> str:
    """Return a dump that is not packed."""
    return encode_hex(orjson.dumps({"accounts": accounts, "block": block or None}))


def rich(balance: int) -> dict[str, Any]:
    """Return an account that has nothing but money."""
    return {"nonce": 0, "balance": hex(balance), "code": "0x", "storage": {}}


def test_a_state_comes_back_in_another_chain(tmp_path: Path) -> None:
    """Money, nonces, code and storage; the new root is in the header of a new block."""
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
    with driven(tmp_path / "old") as old:
        contract = "0x" + "c0" * 20
        old.send(data=encode_hex(deployment(b"\x01")), to=None)
        old.ask("set_code", address=contract, code=encode_hex(KEEPS))
        old.send(to=contract, gas="0x30000")
        dump = old.ask("dump_state")
        before = old.hub.engine.dump_accounts()
    with driven(tmp_path / "new") as new:
        new.events()
        assert new.ask("load_state", state=dump) is True
        after = new.hub.engine.dump_accounts()
        assert after[contract] == before[contract]
        assert after[ADDRESSES[0]] == before[ADDRESSES[0]]
        assert new.events() == ["advance"]
        engine = new.hub.engine
        assert engine.height == 1
        assert engine.edited_root(engine.head_hash) is None
        assert new.ask("storage", address=contract, slot="0x7", at=new.head)[-2:] == "2a"


def test_a_dump_says_where_it_was_taken(tmp_path: Path) -> None:
    """As anvil's do; of the blocks there is only the head, without transactions."""
    with driven(tmp_path) as node:
        node.ask("mine")
        node.send()
        shape = unpack(decode_hex(node.ask("dump_state")))
        head = node.hub.engine.head
        assert set(shape) == {
            "block",
            "accounts",
            "best_block_number",
            "blocks",
            "transactions",
            "historical_states",
        }
        assert shape["best_block_number"] == 2
        (block,) = shape["blocks"]
        assert (block["transactions"], block["ommers"]) == ([], [])
        header = block["header"]
        assert header["number"] == "0x2"
        assert header["parentHash"] == encode_hex(head.parent_hash)
        assert header["transactionsRoot"] == encode_hex(head.transaction_root)
        assert (shape["transactions"], shape["historical_states"]) == ([], None)
        assert shape["block"] == {
            "number": "0x2",
            "beneficiary": "0x" + "00" * 20,
            "timestamp": hex(head.timestamp),
            "gas_limit": 30_000_000,
            "basefee": head.base_fee_per_gas,
            "difficulty": "0x0",
            "prevrandao": encode_hex(head.mix_hash),
            "blob_excess_gas_and_price": {"excess_blob_gas": 0, "blob_gasprice": 1},
        }


def test_the_clock_goes_on_from_the_dump(tmp_path: Path) -> None:
    """If it is ahead of ours; it is never turned back."""
    with driven(tmp_path) as node:
        node.ask("load_state", state=written({}, timestamp=hex(NOW + 500)))
        assert node.hub.engine.head.timestamp == NOW + 500
        node.ask("mine")
        assert node.hub.engine.head.timestamp > NOW + 500
        node.ask("load_state", state=written({}, timestamp="0x1"))
        assert node.hub.engine.head.timestamp > NOW + 500


def test_loading_can_be_undone(tmp_path: Path) -> None:
    """The new block is one like any other."""
    with driven(tmp_path) as node:
        snapshot = node.ask("snapshot")
        node.ask("load_state", state=written({POOR: rich(5)}))
        assert node.ask("balance", address=POOR, at=node.head) == "0x5"
        node.ask("revert", id=snapshot)
        assert node.ask("balance", address=POOR, at=node.head) == "0x0"


def test_what_is_no_dump_changes_nothing(tmp_path: Path) -> None:
    """Neither state nor head."""
    with driven(tmp_path) as node:
        bad = {POOR: rich(5), ADDRESSES[0]: rich(1 << 256)}
        for state in ("0x", written(bad), written({POOR: rich(5)}, timestamp="x")):
            with pytest.raises(InvalidControl):
                node.ask("load_state", state=state)
        assert node.hub.engine.height == 0
        assert node.ask("balance", address=POOR, at=node.head) == "0x0"


def test_a_dump_takes_tokens_along(tmp_path: Path) -> None:
    """In the chain that loads it balances are the same, and what was mined is mined."""
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
    with driven(tmp_path / "old") as old:
        submit(old, ont_transfer())
        dump, before = old.ask("dump_state"), owned(old, address(), STRANGER, GOVERNANCE)
    with driven(tmp_path / "new", accounts=0) as new:
        assert new.ask("load_state", state=dump) is True
        assert owned(new, address(), STRANGER, GOVERNANCE) == before
        with pytest.raises(AlreadyMined):
            submit(new, ont_transfer())
        submit(new, ont_transfer(nonce=2))
        assert owned(new, STRANGER) == [(10 * UNIT, 0)]
