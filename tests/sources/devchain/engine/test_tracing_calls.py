"""Tracers of frames: the tree, the flat list, the selectors."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.assembler import assemble
from tests.sources.devchain.engine.building import deployment
from tests.sources.devchain.engine.driving import driven
from tests.sources.devchain.engine.traced import (
    NOBODY,
    OTHER,
    SENDER,
    TARGET,
    THIRD,
    call_code,
    create_code,
    put_code,
    receipt_of,
    trace_call,
    trace_sent,
)
from twisted_chainws.errors import TraceTooLarge
from twisted_chainws.sources.devchain.engine.tracing import Budget
from twisted_chainws.sources.devchain.engine.tracing_calls import (
    CallTracer,
    FlatCallTracer,
    Origin,
)

# py-evm warns each time a contract destroys itself.
pytestmark = pytest.mark.filterwarnings("ignore:SELFDESTRUCT opcode:DeprecationWarning")

TWICE = create_code(deployment(b"\0"), "CREATE2")
ADDS = "0x01 0x02 ADD POP STOP"
REASON = (
    "0x08c379a0 0xe0 SHL PUSH0 MSTORE 0x20 0x04 MSTORE 0x05 0x24 MSTORE"
    " 0x68656c6c6f 0xd8 SHL 0x44 MSTORE 0x64 PUSH0 REVERT"
)
PANIC = "0x4e487b71 0xe0 SHL PUSH0 MSTORE 0x11 0x04 MSTORE 0x24 PUSH0 REVERT"


def tree(node: Any, source: str, **asked: Any) -> Any:
    """Trace a call with ``callTracer``."""
    return trace_call(node, source, tracer="callTracer", **asked)


def test_a_transfer(tmp_path: Path) -> None:
    """Gas is the limit and what the receipt says; no member is there that has nothing to say."""
    with driven(tmp_path) as node:
        found = trace_sent(node, node.send(to=NOBODY, value="0x7"), tracer="callTracer")
    assert found == {
        "from": SENDER,
        "gas": "0x5208",
        "gasUsed": "0x5208",
        "to": NOBODY,
        "input": "0x",
        "value": "0x7",
        "type": "CALL",
    }


@pytest.mark.parametrize(
    ("kind", "value"),
    [("CALL", "0x0"), ("CALLCODE", "0x0"), ("DELEGATECALL", "0x9"), ("STATICCALL", None)],
)
def test_kinds_of_calls(tmp_path: Path, kind: str, value: str | None) -> None:
    """Each says who called whom with what; only a static call has no value at all."""
    source = f"0x2a PUSH0 MSTORE {call_code(kind, OTHER, size='0x20')}"
    call = {"value": "0x9"}
    with driven(tmp_path) as node:
        found = tree(node, source, accounts={OTHER: "0x02 0x1e RETURN"}, call=call)
    (child,) = found["calls"]
    assert child["type"] == kind
    assert (child["from"], child["to"]) == (TARGET, OTHER)
    assert child["input"] == "0x" + "0" * 62 + "2a"
    assert child["output"] == "0x0000"
    assert child.get("value") == value
    assert int(child["gasUsed"], 16) == 9


def test_a_stipend_counts_as_gas_of_the_call(tmp_path: Path) -> None:
    """What a call with value is given on top is part of its gas."""
    source = f"PUSH0 PUSH0 PUSH0 PUSH0 0x01 {OTHER} PUSH0 CALL"
    with driven(tmp_path) as node:
        found = tree(node, source, accounts={OTHER: ADDS}, call={"value": "0x1"})
    assert found["calls"][0]["gas"] == hex(2_300)
    assert found["calls"][0]["value"] == "0x1"


def test_calls_that_are_refused_are_frames(tmp_path: Path) -> None:
    """Without funds nothing runs, all gas comes back, and the frame says why."""
    for kind in ("CALL", "CALLCODE"):
        source = f"0x2a PUSH0 MSTORE {call_code(kind, OTHER, value='0x05', size='0x20')}"
        with driven(tmp_path) as node:
            found = tree(node, source, accounts={OTHER: ADDS})
        (child,) = found["calls"]
        assert child["error"] == "insufficient balance for transfer"
        assert (child["type"], child["value"], child["gasUsed"]) == (kind, "0x5", "0x0")
        assert (child["to"], child["input"]) == (OTHER, "0x" + "0" * 62 + "2a")
        assert int(child["gas"], 16) > 900_000
        assert "output" not in child


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["CALL", "DELEGATECALL", "STATICCALL", "CREATE"])
def test_the_deepest_call_is_refused(tmp_path: Path, kind: str) -> None:
    """1,024 frames run inside each other; the next one does not, and the tree is still written."""
    if kind == "CREATE":
        source = f"{create_code(b'')} POP {call_code('CALL', TARGET)}"
    else:
        source = f"{call_code(kind, TARGET)}"
    call = {"gas": hex(2**62)}
    with driven(tmp_path, call_gas_cap=2**63) as node:
        found = node.ask(
            "trace_call",
            call={"from": SENDER, "to": TARGET, **call},
            at=node.head,
            state_overrides={TARGET: {"code": "0x" + assemble(source).hex()}},
            tracer="callTracer",
            timeout_s=60.0,
        )
    frames = 2 * 1025 + 1 if kind == "CREATE" else 1026
    text = found.text
    assert text.count(b'"type"') == frames
    assert text.count(b"max call depth exceeded") == (2 if kind == "CREATE" else 1)


def test_creations(tmp_path: Path) -> None:
    """They name the new contract and its code; CREATE2 has its own name."""
    init = deployment(assemble("0x01"))
    with driven(tmp_path) as node:
        for kind in ("CREATE", "CREATE2"):
            found = tree(node, create_code(init, kind))
            (child,) = found["calls"]
            assert (child["type"], child["from"], child["value"]) == (kind, TARGET, "0x0")
            assert child["input"] == "0x" + init.hex()
            assert child["output"] == "0x" + assemble("0x01").hex()
            assert len(child["to"]) == 42
        top = tree(node, "", call={"to": None, "data": "0x" + init.hex()})
        assert (top["type"], top["input"]) == ("CREATE", "0x" + init.hex())
        assert top["output"] == "0x" + assemble("0x01").hex()


def test_a_creation_that_is_mined(tmp_path: Path) -> None:
    """Its frame names the contract of the receipt."""
    with driven(tmp_path) as node:
        sent = node.send(to=None, data="0x" + deployment(b"\x00").hex(), value="0x0")
        created = receipt_of(node, sent).contract_address
        found = trace_sent(node, sent, tracer="callTracer")
    assert found["to"] == "0x" + created.hex()
    assert (found["type"], found["output"]) == ("CREATE", "0x00")


@pytest.mark.parametrize(
    ("source", "error", "burns"),
    [
        (create_code(assemble("PUSH0 PUSH0 REVERT")), "execution reverted", False),
        (create_code(assemble("INVALID")), "invalid opcode: INVALID", True),
        (
            create_code(assemble("0xef PUSH0 MSTORE 0x01 0x1f RETURN")),
            "invalid code: must not begin with 0xef",
            True,
        ),
        (
            create_code(b"").replace("PUSH0 CREATE", "0x05 CREATE"),
            "insufficient balance for transfer",
            False,
        ),
        (
            f"{TWICE} POP {TWICE}",
            "contract address collision",
            True,
        ),
    ],
)
def test_creations_that_fail(tmp_path: Path, source: str, error: str, burns: bool) -> None:
    """They create nothing, so no address is named."""
    with driven(tmp_path) as node:
        found = tree(node, source)
    child = found["calls"][-1]
    assert child["error"] == error
    assert "to" not in child
    assert (child["gas"] == child["gasUsed"]) is burns
    assert "error" not in found


def test_too_much_init_code_is_no_frame(tmp_path: Path) -> None:
    """The opcode itself fails."""
    with driven(tmp_path) as node:
        found = tree(node, "0xc001 PUSH0 PUSH0 CREATE")
    assert found["error"] == "max initcode size exceeded"
    assert "calls" not in found


@pytest.mark.parametrize(
    ("source", "error", "reason"),
    [
        (REASON, "execution reverted", "hello"),
        (PANIC, "execution reverted", "arithmetic underflow or overflow"),
        ("0x2a PUSH0 MSTORE 0x20 PUSH0 REVERT", "execution reverted", None),
        ("PUSH0 PUSH0 REVERT", "execution reverted", None),
        ("INVALID", "invalid opcode: INVALID", None),
        ("POP", "stack underflow (0 <=> 1)", None),
        (":a @a JUMP", "out of gas", None),
    ],
)
def test_failures(tmp_path: Path, source: str, error: str, reason: str | None) -> None:
    """A frame says why it failed, and what it says of itself when it reverted."""
    with driven(tmp_path) as node:
        found = tree(
            node, call_code("CALL", OTHER), accounts={OTHER: source}, call={"gas": "0xc350"}
        )
    (child,) = found["calls"]
    assert child["error"] == error
    assert child.get("revertReason") == reason
    assert ("output" in child) is (error == "execution reverted" and source != "PUSH0 PUSH0 REVERT")
    assert "error" not in found


def test_a_write_in_a_static_call_fails(tmp_path: Path) -> None:
    """Neither storage nor a creation is allowed there."""
    with driven(tmp_path) as node:
        for source in ("PUSH0 PUSH0 SSTORE", create_code(b"")):
            found = tree(node, call_code("STATICCALL", OTHER), accounts={OTHER: source})
            assert found["calls"][0]["error"] == "write protection"
            assert "calls" not in found["calls"][0]


def test_self_destruction_is_a_frame(tmp_path: Path) -> None:
    """It says what went where, and uses no gas of its own."""
    with driven(tmp_path) as node:
        found = tree(
            node,
            call_code("CALL", OTHER),
            accounts={OTHER: f"{NOBODY} SELFDESTRUCT"},
            balances={OTHER: 9},
        )
    assert found["calls"][0]["calls"] == [
        {
            "from": OTHER,
            "gas": "0x0",
            "gasUsed": "0x0",
            "to": NOBODY,
            "input": "0x",
            "value": "0x9",
            "type": "SELFDESTRUCT",
        }
    ]


def test_precompiles_are_frames_of_the_tree(tmp_path: Path) -> None:
    """Also when they fail."""
    source = (
        f"{call_code('STATICCALL', '0x04', size='0x20')} {call_code('CALL', '0x06', size='0x20')}"
    )
    with driven(tmp_path) as node:
        found = tree(node, source)
    same, _ = found["calls"]
    assert same["to"] == "0x" + "0" * 39 + "4"
    assert same["input"] == same["output"] == "0x" + "0" * 64
    assert int(same["gasUsed"], 16) == 18


def test_delegated_accounts_keep_their_name(tmp_path: Path) -> None:
    """The frame is that of the account which was called, not of whose code runs (EIP-7702)."""
    with driven(tmp_path) as node:
        delegated = {OTHER: {"code": "0xef0100" + THIRD[2:]}}
        for kind in ("CALL", "CALLCODE", "DELEGATECALL", "STATICCALL"):
            source = "0x" + assemble(call_code(kind, OTHER)).hex()
            answer = node.ask(
                "trace_call",
                call={"from": SENDER, "to": TARGET, "gas": "0x186a0"},
                at=node.head,
                state_overrides={
                    TARGET: {"code": source},
                    THIRD: {"code": "0x60015f5260205ff3"},
                    **delegated,
                },
                tracer="callTracer",
            )
            child = orjson.loads(answer.text)["calls"][0]
            assert (child["to"], child["output"][-1]) == (OTHER, "1")


LOGS = f"PUSH0 PUSH0 LOG0 {call_code('CALL', OTHER)} 0x07 PUSH0 PUSH0 LOG1 STOP"


def test_logs_have_a_place_among_the_calls(tmp_path: Path) -> None:
    """They are numbered through the block; the position counts the calls before."""
    with driven(tmp_path, mining=False) as node:
        put_code(node, {TARGET: LOGS, OTHER: "0x2a PUSH0 MSTORE 0x20 PUSH0 LOG0"})
        first, second = (node.send(account, to=TARGET, gas="0x186a0") for account in (0, 1))
        node.ask("mine")
        one, two = (
            trace_sent(node, sent, tracer="callTracer", config={"withLog": True})
            for sent in (first, second)
        )
        top_only = trace_sent(
            node, second, tracer="callTracer", config={"withLog": True, "onlyTopCall": True}
        )
        without = trace_sent(node, second, tracer="callTracer")
    indexes = [
        [log["index"] for frame in (found, found["calls"][0]) for log in frame["logs"]]
        for found in (one, two)
    ]
    assert indexes == [["0x0", "0x2", "0x1"], ["0x3", "0x5", "0x4"]]
    assert [log["position"] for log in two["logs"]] == ["0x0", "0x1"]
    assert two["calls"][0]["logs"] == [
        {
            "address": OTHER,
            "topics": [],
            "data": "0x" + "0" * 62 + "2a",
            "index": "0x4",
            "position": "0x0",
        }
    ]
    assert [log["index"] for log in top_only["logs"]] == ["0x3", "0x5"]
    assert "calls" not in top_only
    assert "logs" not in without


def test_logs_of_what_failed_are_gone(tmp_path: Path) -> None:
    """Those of its calls as well, and their numbers are given again."""
    accounts = {
        OTHER: f"PUSH0 PUSH0 LOG0 {call_code('CALL', THIRD)} PUSH0 PUSH0 REVERT",
        THIRD: "PUSH0 PUSH0 LOG0",
    }
    with driven(tmp_path) as node:
        found = tree(node, LOGS, accounts=accounts, config={"withLog": True})
    assert [log["index"] for log in found["logs"]] == ["0x0", "0x1"]
    failed = found["calls"][0]
    assert "logs" not in failed
    assert "logs" not in failed["calls"][0]


def test_only_the_top_call(tmp_path: Path) -> None:
    """The others are left out, self-destructions too."""
    source = f"{call_code('CALL', OTHER)} {NOBODY} SELFDESTRUCT"
    with driven(tmp_path) as node:
        found = tree(node, source, accounts={OTHER: ADDS}, config={"onlyTopCall": True})
    assert found["type"] == "CALL"
    assert "calls" not in found


def test_selectors_are_counted(tmp_path: Path) -> None:
    """By selector and the size of the rest; precompiles, creations and short data do not count."""
    word = "0xcdcd77c0 0xe0 SHL PUSH0 MSTORE"
    source = (
        f"{word} {call_code('CALL', OTHER, size='0x24')} {call_code('STATICCALL', OTHER, size='0x24')}"
        f" {call_code('CALL', OTHER, size='0x04')} {call_code('CALL', OTHER, size='0x03')}"
        f" {call_code('CALL', '0x04', size='0x24')} {create_code(assemble(ADDS))}"
    )
    call = {"data": "0xaabbccdd01"}
    with driven(tmp_path) as node:
        found = trace_call(node, source, tracer="4byteTracer", accounts={OTHER: ADDS}, call=call)
    assert found == {"0xaabbccdd-1": 1, "0xcdcd77c0-0": 1, "0xcdcd77c0-32": 2}


def test_the_flat_list(tmp_path: Path) -> None:
    """Frames one after the other with their paths; where they stand in the chain; no precompiles."""
    source = (
        f"{call_code('CALL', OTHER)} {call_code('STATICCALL', '0x04')} {create_code(b'')}"
        f" {create_code(assemble('PUSH0 PUSH0 REVERT'))} {NOBODY} SELFDESTRUCT"
    )
    small = f"PUSH0 PUSH0 PUSH0 PUSH0 {THIRD} 0x64 DELEGATECALL"
    with driven(tmp_path) as node:
        put_code(node, {TARGET: source, OTHER: small, THIRD: "INVALID"})
        sent = node.send(to=TARGET, gas="0xf4240")
        flat = trace_sent(node, sent, tracer="flatCallTracer")
        full = trace_sent(
            node,
            sent,
            tracer="flatCallTracer",
            config={"includePrecompiles": True, "convertParityErrors": True},
        )
        head = node.head
    assert [(item["type"], item["traceAddress"], item["subtraces"]) for item in flat] == [
        ("call", [], 4),
        ("call", [0], 1),
        ("call", [0, 0], 0),
        ("create", [1], 0),
        ("create", [2], 0),
        ("suicide", [3], 0),
    ]
    assert all(
        (
            item["blockHash"],
            item["blockNumber"],
            item["transactionHash"],
            item["transactionPosition"],
        )
        == (head, 1, sent, 0)
        for item in flat
    )
    delegate, created, reverted, destroyed = flat[2:]
    assert delegate["error"] == "invalid opcode: INVALID"
    assert "result" not in delegate
    assert delegate["action"]["callType"] == "delegatecall"
    assert created["action"]["creationMethod"] == "create"
    assert created["result"].keys() == {"address", "code", "gasUsed"}
    assert reverted["result"].keys() == {"code", "gasUsed"}
    assert destroyed["action"] == {"address": TARGET, "balance": "0x1", "refundAddress": NOBODY}
    assert "result" not in destroyed
    assert len(full) == 7
    assert [item["error"] for item in full if "error" in item] == ["Bad instruction", "Reverted"]


def test_the_flat_list_of_a_call_stands_nowhere(tmp_path: Path) -> None:
    """A call is in no block; failures without a word of Parity keep theirs."""
    with driven(tmp_path) as node:
        (found,) = trace_call(
            node,
            "",
            call={"to": None, "data": "0x" + assemble("0xef PUSH0 MSTORE 0x01 0x1f RETURN").hex()},
            tracer="flatCallTracer",
            config={"convertParityErrors": True},
        )
    assert (found["blockHash"], found["blockNumber"], found["transactionHash"]) == (None, 0, None)
    assert found["error"] == "invalid code: must not begin with 0xef"


def test_data_of_frames_is_counted(tmp_path: Path) -> None:
    """Many calls with much data are an error before they fill the memory."""
    source = f"0x01 0x0f4240 MSTORE :a {call_code('CALL', OTHER, size='0x0f4240')} POP @a JUMP"
    with driven(tmp_path) as node, pytest.raises(TraceTooLarge):
        tree(node, source, accounts={OTHER: ADDS}, call={"gas": hex(50_000_000)})


def test_nothing_traced_is_a_mistake() -> None:
    """There is no result before the end."""
    flat = FlatCallTracer(Budget(), Origin(), parity_errors=False, precompiles=False)
    for tracer in (CallTracer(Budget()), flat):
        with pytest.raises(RuntimeError):
            tracer.result()
