"""``prestateTracer``: what was touched, as it was, and what became of it."""

from pathlib import Path
from typing import Any, Final

import orjson
import pytest
import rlp
from eth_hash.auto import keccak
from eth_keys import keys
from eth_utils.address import to_canonical_address

from tests.assembler import assemble
from tests.signing import KEYS
from tests.sources.devchain.engine.building import deployment
from tests.sources.devchain.engine.driving import ADDRESSES, Driven, driven
from tests.sources.devchain.engine.traced import (
    NOBODY,
    OTHER,
    SENDER,
    TARGET,
    THIRD,
    call_code,
    code,
    create_code,
    put_code,
    receipt_of,
    trace_call,
    trace_sent,
)

pytestmark = pytest.mark.filterwarnings("ignore:SELFDESTRUCT opcode:DeprecationWarning")

RICH = hex(10_000 * 10**18)
COINBASE = "0x" + "00" * 20
STATE: Final[dict[str, Any]] = {"tracer": "prestateTracer"}
DIFF: Final[dict[str, Any]] = {"tracer": "prestateTracer", "config": {"diffMode": True}}


def word(value: int) -> str:
    """Return a storage word as it is shown."""
    return f"0x{value:064x}"


def code_hash(source: str) -> str:
    """Return the hash of assembled words."""
    return f"0x{keccak(assemble(source)).hex()}"


def test_a_transfer(tmp_path: Path) -> None:
    """Accounts that were nothing are left out unless they are wanted; nonces are numbers."""
    with driven(tmp_path) as node:
        node.send()
        sent = node.send(to=NOBODY, value="0x7")
        found = trace_sent(node, sent, **STATE)
        empty = trace_sent(node, sent, tracer="prestateTracer", config={"includeEmpty": True})
        diff = trace_sent(node, sent, **DIFF)
        receipt = receipt_of(node, sent)
    assert found.keys() == {SENDER, COINBASE}
    assert found[SENDER]["nonce"] == 1
    before = int(found[SENDER]["balance"], 16)
    assert empty[NOBODY] == {"balance": "0x0"}
    assert diff["pre"][SENDER] == found[SENDER]
    spent = receipt.gas_used * receipt.effective_gas_price + 7
    assert diff["post"][SENDER] == {"balance": hex(before - spent), "nonce": 2}
    assert diff["post"][NOBODY] == {"balance": "0x7"}
    assert NOBODY not in diff["pre"]


def test_slots_before_and_after(tmp_path: Path) -> None:
    """Read and written ones are shown as they were; in a difference only what changed."""
    source = "0x01 SLOAD POP 0x09 0x02 SSTORE PUSH0 0x03 SSTORE 0x04 0x04 SSTORE STOP"
    with driven(tmp_path) as node:
        put_code(node, {TARGET: source})
        for slot in (1, 3, 4):
            node.ask("set_storage", address=TARGET, slot=word(slot), word=word(slot))
        sent = node.send(to=TARGET, gas="0x186a0", value="0x0")
        found = trace_sent(node, sent, **STATE)[TARGET]
        diff = trace_sent(node, sent, **DIFF)
        bare = trace_sent(
            node,
            sent,
            tracer="prestateTracer",
            config={"disableCode": True, "disableStorage": True},
        )[TARGET]
    assert found["storage"] == {word(slot): word(slot if slot != 2 else 0) for slot in (1, 2, 3, 4)}
    assert (found["code"], found["codeHash"]) == (code(source), code_hash(source))
    assert diff["pre"][TARGET]["storage"] == {word(3): word(3)}
    assert diff["post"][TARGET] == {"storage": {word(2): word(9)}}
    assert bare == {"balance": "0x0", "codeHash": code_hash(source)} | (
        {"nonce": found["nonce"]} if "nonce" in found else {}
    )


@pytest.mark.parametrize("opcode", ["BALANCE", "EXTCODESIZE", "EXTCODEHASH"])
def test_accounts_that_are_looked_at(tmp_path: Path, opcode: str) -> None:
    """Looking is touching."""
    with driven(tmp_path) as node:
        found = trace_call(node, f"{ADDRESSES[5]} {opcode} POP", **STATE)
    assert found[ADDRESSES[5]] == {"balance": RICH}


@pytest.mark.parametrize("kind", ["CALL", "CALLCODE", "DELEGATECALL", "STATICCALL"])
def test_accounts_that_are_called(tmp_path: Path, kind: str) -> None:
    """With their slots, and with the account that lends its code (EIP-7702)."""
    accounts = {OTHER: "0x01 SLOAD POP"}
    with driven(tmp_path) as node:
        found = trace_call(node, call_code(kind, OTHER), accounts=accounts, **STATE)
        owner = TARGET if kind in ("CALLCODE", "DELEGATECALL") else OTHER
        assert found[owner]["storage"] == {word(1): word(0)}
        node.ask("set_code", address=NOBODY, code="0xef0100" + THIRD[2:])
        node.ask("set_code", address=THIRD, code="0x00")
        found = trace_call(node, call_code(kind, NOBODY), **STATE)
        assert found.keys() >= {NOBODY, THIRD}
        top = trace_call(node, "", call={"to": NOBODY}, **STATE)
        assert top.keys() >= {NOBODY, THIRD}


@pytest.mark.parametrize("kind", ["CREATE", "CREATE2"])
def test_contracts_that_are_created(tmp_path: Path, kind: str) -> None:
    """They were nothing before; after it they are there, with nonce and code."""
    with driven(tmp_path) as node:
        put_code(node, {TARGET: create_code(deployment(b"\x00"), kind)})
        diff = trace_sent(node, node.send(to=TARGET, gas="0x186a0", value="0x0"), **DIFF)
    (created,) = diff["post"].keys() - {TARGET, SENDER, COINBASE}
    assert diff["post"][created] == {
        "code": "0x00",
        "codeHash": "0x" + keccak(b"\x00").hex(),
        "nonce": 1,
    }
    assert created not in diff["pre"]


def test_a_creation_by_transaction(tmp_path: Path) -> None:
    """The new contract is what the receipt names."""
    with driven(tmp_path) as node:
        sent = node.send(to=None, data="0x" + deployment(b"\x00").hex(), value="0x3")
        created = "0x" + receipt_of(node, sent).contract_address.hex()
        diff = trace_sent(node, sent, **DIFF)
        assert created not in trace_sent(node, sent, **STATE)
    assert diff["post"][created]["balance"] == "0x3"
    assert diff["post"][created]["code"] == "0x00"


def test_a_contract_that_is_gone_has_no_after(tmp_path: Path) -> None:
    """Created and destroyed in one transaction: its heir has what it had."""
    init = assemble(f"{NOBODY} SELFDESTRUCT")
    with driven(tmp_path) as node:
        put_code(node, {TARGET: create_code(init).replace("PUSH0 CREATE", "0x04 CREATE")})
        diff = trace_sent(node, node.send(to=TARGET, gas="0x186a0", value="0x5"), **DIFF)
        put_code(node, {OTHER: f"{THIRD} SELFDESTRUCT"})
        kept = trace_sent(node, node.send(to=OTHER, gas="0x186a0", value="0x6"), **DIFF)
    assert diff["post"].keys() == {TARGET, SENDER, COINBASE, NOBODY}
    assert diff["post"][NOBODY] == {"balance": "0x4"}
    assert diff["post"][TARGET]["balance"] == "0x1"
    assert kept["post"].keys() == {SENDER, COINBASE, THIRD}, (
        "only what is new is deleted (EIP-6780)"
    )


def test_what_does_not_run_touches_nothing(tmp_path: Path) -> None:
    """An opcode without the gas for it has looked at nobody."""
    with driven(tmp_path) as node:
        for source, gas in (
            (f"{NOBODY} BALANCE", 22_000),
            (f"{ADDRESSES[5]} {ADDRESSES[6]} POP BALANCE", 22_000),
            ("0x07 SLOAD", 22_000),
            (create_code(b"\x00"), 30_000),
            ("PUSH0 0xffffffff PUSH0 PUSH0 CREATE2", 100_000),
            ("SLOAD", 100_000),
            (f"{ADDRESSES[5]} SELFDESTRUCT", 22_000),
        ):
            found = trace_call(
                node,
                source,
                call={"gas": hex(gas)},
                tracer="prestateTracer",
                config={"includeEmpty": True},
            )
            assert found.keys() == {SENDER, TARGET, COINBASE}, source
            assert "storage" not in found[TARGET]


def test_authorities_are_touched(tmp_path: Path) -> None:
    """Those whose authorization counts and those whose does not; nonsense names nobody."""
    with driven(tmp_path, accounts=3) as node:
        good = authorization(node, KEYS[2], 0)
        nonsense = good | {"r": "0x0", "s": "0x0"}
        call = {"authorizationList": [good, nonsense]}
        found = trace_call(node, "", call=call, **STATE)
        diff = trace_call(node, "", call=call, **DIFF)
    assert found.keys() == {SENDER, ADDRESSES[2]}
    assert diff["post"][ADDRESSES[2]]["code"] == "0xef0100" + NOBODY[2:]
    assert diff["post"][ADDRESSES[2]]["nonce"] == 1


def test_an_account_whose_code_is_cleared(tmp_path: Path) -> None:
    """The difference shows empty code, not none."""
    with driven(tmp_path, accounts=3) as node:
        node.ask("set_code", address=ADDRESSES[2], code="0xef0100" + NOBODY[2:])
        clears = authorization(node, KEYS[2], 0, address="0x" + "00" * 20)
        diff = trace_call(node, "", call={"authorizationList": [clears]}, **DIFF)
    assert diff["post"][ADDRESSES[2]]["code"] == "0x"
    assert diff["post"][ADDRESSES[2]]["codeHash"] == "0x" + keccak(b"").hex()
    assert diff["pre"][ADDRESSES[2]]["code"] == "0xef0100" + NOBODY[2:]


def authorization(node: Driven, key: str, nonce: int, address: str = NOBODY) -> dict[str, Any]:
    """Sign an authorization for this chain."""
    chain_id = node.hub.engine.chain_id
    message = b"\x05" + rlp.encode([chain_id, to_canonical_address(address), nonce])
    signature = keys.PrivateKey(bytes.fromhex(key[2:])).sign_msg(message)
    return {
        "chainId": hex(chain_id),
        "address": address,
        "nonce": hex(nonce),
        "yParity": hex(signature.v),
        "r": hex(signature.r),
        "s": hex(signature.s),
    }


def test_the_state_before_holds_all_that_matters(tmp_path: Path) -> None:
    """A call on nothing but what was shown ends as it did: the point of this tracer."""
    source = f"0x01 SLOAD 0x02 SSTORE {call_code('CALL', OTHER)} {ADDRESSES[4]} BALANCE ADD POP"
    source += " 0x02 SLOAD PUSH0 MSTORE 0x20 PUSH0 RETURN"
    with driven(tmp_path) as node:
        put_code(node, {TARGET: source, OTHER: "0x0b 0x0c SSTORE"})
        node.ask("set_storage", address=TARGET, slot=word(1), word=word(77))
        call = {"from": SENDER, "to": TARGET, "gas": "0x186a0"}
        shown = orjson.loads(node.ask("trace_call", call=call, at=node.head, **STATE).text)
        expected = node.ask("call", call=call, at=node.head)
        genesis = "0x" + node.hub.engine.canonical_hash(0).hex()
        overrides = {
            address: {
                "balance": account["balance"],
                "nonce": hex(account.get("nonce", 0)),
                "code": account.get("code", "0x"),
                "state": account.get("storage", {}),
            }
            for address, account in shown.items()
        }
        assert node.ask("call", call=call, at=genesis, state_overrides=overrides) == expected
    assert int(expected, 16) == 77
