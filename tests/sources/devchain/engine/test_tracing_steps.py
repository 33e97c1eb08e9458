"""The default tracer: what each step shows, and that its gas adds up."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sources.devchain.engine.driving import Driven, driven
from tests.sources.devchain.engine.traced import (
    OTHER,
    TARGET,
    call_code,
    create_code,
    put_code,
    receipt_of,
    trace_call,
    trace_sent,
)
from twisted_chainws.sources.devchain.engine.tracing import Budget, Frame
from twisted_chainws.sources.devchain.engine.tracing_steps import StepOptions, StepTracer

STORE = "0x07 0x01 SSTORE 0x01 SLOAD POP STOP"


def steps(trace: Any, *names: str) -> list[Any]:
    """Return the steps of these opcodes, all without names."""
    return [step for step in trace["structLogs"] if not names or step["op"] in names]


def test_a_step_is_what_geth_shows(tmp_path: Path) -> None:
    """Counters are numbers, words the shortest hex; storage comes with what touches it."""
    with driven(tmp_path) as node:
        trace = trace_call(node, "0x0102 0x01 SSTORE 0x20 PUSH0 RETURN")
    slot, word = "0x" + "0" * 63 + "1", "0x" + "0" * 61 + "102"
    assert trace["gas"] > 21_000
    assert trace["failed"] is False
    assert trace["returnValue"] == "0x" + "0" * 64
    assert trace["structLogs"][:3] == [
        {"pc": 0, "op": "PUSH2", "gas": 979_000, "gasCost": 3, "depth": 1, "stack": []},
        {"pc": 3, "op": "PUSH1", "gas": 978_997, "gasCost": 3, "depth": 1, "stack": ["0x102"]},
        {
            "pc": 5,
            "op": "SSTORE",
            "gas": 978_994,
            "gasCost": 22_100,
            "depth": 1,
            "stack": ["0x102", "0x1"],
            "storage": {slot: word},
        },
    ]
    assert list(trace) == ["gas", "failed", "returnValue", "structLogs"]


def test_storage_is_that_of_the_contract_up_to_now(tmp_path: Path) -> None:
    """What another contract did is not in it, what was read is."""
    with driven(tmp_path) as node:
        trace = trace_call(
            node,
            f"0x05 0x01 SSTORE {call_code('CALL', OTHER)} 0x02 SLOAD",
            accounts={OTHER: STORE},
        )
    shown = [
        {int(slot, 16): int(word, 16) for slot, word in step["storage"].items()}
        for step in steps(trace, "SLOAD", "SSTORE")
    ]
    assert shown == [{1: 5}, {1: 7}, {1: 7}, {1: 5, 2: 0}]
    assert not any("storage" in step for step in steps(trace, "PUSH1", "CALL"))


@pytest.mark.parametrize(
    ("options", "members"),
    [
        ({}, {"stack", "storage", "refund"}),
        ({"stack": False}, {"storage", "refund"}),
        ({"storage": False}, {"stack", "refund"}),
        ({"memory": True}, {"stack", "storage", "refund", "memory"}),
        ({"return_data": True}, {"stack", "storage", "refund", "returnData"}),
    ],
)
def test_options_choose_what_is_shown(
    tmp_path: Path, options: dict[str, Any], members: set[str]
) -> None:
    """Stack and storage unless they are not wanted, memory and return data when they are."""
    source = f"0x2a PUSH0 MSTORE {call_code('CALL', OTHER)} 0x01 0x01 SSTORE PUSH0 0x01 SSTORE STOP"
    accounts = {OTHER: "0x1234 PUSH0 MSTORE 0x20 PUSH0 RETURN"}
    with driven(tmp_path) as node:
        trace = trace_call(node, source, accounts=accounts, options=options)
    always = {"pc", "op", "gas", "gasCost", "depth"}
    assert {name for step in steps(trace) for name in step} == always | members


def test_memory_and_return_data_in_words(tmp_path: Path) -> None:
    """Memory comes in words as the step finds it, return data as one text."""
    source = f"0x2a PUSH0 MSTORE 0x01 0x28 MSTORE {call_code('CALL', OTHER)} STOP"
    accounts = {OTHER: "0x1234 PUSH0 MSTORE 0x02 0x1e RETURN"}
    with driven(tmp_path) as node:
        trace = trace_call(
            node, source, accounts=accounts, options={"memory": True, "return_data": True}
        )
    first, second = steps(trace, "MSTORE")[:2]
    assert "memory" not in first
    assert second["memory"] == ["0x" + "0" * 62 + "2a"]
    stop = steps(trace)[-1]
    assert stop["memory"] == [
        "0x" + "0" * 62 + "2a",
        "0x" + "0" * 64,
        "0x" + "0" * 14 + "01" + "0" * 48,
    ]
    assert stop["returnData"] == "0x1234"
    assert not any("returnData" in step for step in steps(trace) if step["depth"] == 2)


@pytest.mark.parametrize(
    ("source", "gas", "step", "error"),
    [
        ("POP", 30_000, ("POP", 2), "stack underflow (0 <=> 1)"),
        ("0x01 " * 3, 21_007, ("PUSH1", 3), "out of gas"),
        ("0x01 0xffff MSTORE", 21_100, ("MSTORE", 14_350), "out of gas"),
        (":a PUSH0 @a JUMP", 1_000_000, ("PUSH2", 3), "stack limit reached 1024 (1023)"),
        ("PUSH0 PUSH0 SSTORE", 23_000, ("SSTORE", 0), "out of gas"),
        ("0x01 SSTORE", 100_000, ("SSTORE", 0), "stack underflow (1 <=> 2)"),
        ("SLOAD", 100_000, ("SLOAD", 0), "stack underflow (0 <=> 1)"),
    ],
)
def test_a_step_that_does_not_run_says_why(
    tmp_path: Path, source: str, gas: int, step: tuple[str, int], error: str
) -> None:
    """It is the last one, with what it would have cost; all gas is gone and nothing returned."""
    with driven(tmp_path) as node:
        trace = trace_call(node, source, call={"gas": hex(gas)})
    last = steps(trace)[-1]
    assert (last["op"], last["gasCost"], last["error"]) == (*step, error)
    assert (trace["failed"], trace["gas"], trace["returnValue"]) == (True, gas, "0x")
    assert not any("error" in step for step in steps(trace)[:-1])


@pytest.mark.parametrize(
    ("source", "opcode"),
    [
        ("0x07 JUMP", "JUMP"),
        ("INVALID", "INVALID"),
        ("0x01 PUSH0 PUSH0 RETURNDATACOPY", "RETURNDATACOPY"),
    ],
)
def test_what_fails_while_it_runs_shows_no_error(tmp_path: Path, source: str, opcode: str) -> None:
    """The step was fine as far as it could be told; only the outcome says that it failed."""
    with driven(tmp_path) as node:
        trace = trace_call(node, source)
    assert trace["failed"] is True
    assert "error" not in steps(trace)[-1]
    assert steps(trace)[-1]["op"] == opcode


def test_revert_data_is_returned(tmp_path: Path) -> None:
    """A revert failed, but its data is shown."""
    with driven(tmp_path) as node:
        trace = trace_call(node, "0x2a PUSH0 MSTORE 0x20 PUSH0 REVERT")
    assert (trace["failed"], trace["returnValue"][-2:]) == (True, "2a")
    assert "error" not in steps(trace)[-1]


def test_code_ends_with_a_stop_that_is_not_there(tmp_path: Path) -> None:
    """The step behind the end stands where no byte is, whatever the last byte means."""
    with driven(tmp_path) as node:
        assert steps(trace_call(node, "0x00"))[-1]["pc"] == 2
        assert steps(trace_call(node, "PUSH0"))[-1]["pc"] == 1
        assert [step["pc"] for step in steps(trace_call(node, "STOP"))] == [0]
        assert steps(trace_call(node, "")) == []


def test_undefined_opcodes_have_a_name(tmp_path: Path) -> None:
    """They are steps, too."""
    with driven(tmp_path) as node:
        node.ask("set_code", address=TARGET, code="0x5f0c")
        sent = node.send(to=TARGET, gas="0x186a0", value="0x0")
        trace = trace_sent(node, sent)
    assert [step["op"] for step in steps(trace)] == ["PUSH0", "opcode 0xc not defined"]
    assert trace["gas"] == 100_000


def test_refunds_follow_frames(tmp_path: Path) -> None:
    """What a reverted call would have got back is gone; the step that earns it shows it."""
    clears = "PUSH0 0x01 SSTORE PUSH0 POP"
    with driven(tmp_path) as node:
        put_code(
            node,
            {
                TARGET: f"PUSH0 0x01 SSTORE {call_code('CALL', OTHER)} POP PUSH0 POP",
                OTHER: f"{clears} PUSH0 PUSH0 REVERT",
            },
        )
        for address in (TARGET, OTHER):
            word = "0x" + "0" * 63 + "1"
            node.ask("set_storage", address=address, slot=word, word=word)
        trace = trace_sent(node, node.send(to=TARGET, gas="0x186a0", value="0x0"))
    refunds = [(step["depth"], step["op"], step.get("refund", 0)) for step in steps(trace)]
    assert (1, "SSTORE", 4800) in refunds
    assert (2, "SSTORE", 9600) in refunds
    assert refunds[-1] == (1, "STOP", 4800)


def test_a_limit_ends_the_list_not_the_run(tmp_path: Path) -> None:
    """The steps kept are the first ones; gas and outcome are those of the whole run."""
    source = "PUSH0 POP " * 50
    with driven(tmp_path) as node:
        whole, cut = (trace_call(node, source, options={"limit": limit}) for limit in (0, 500))
    assert 3 < len(steps(cut)) < 12
    assert steps(cut) == steps(whole)[: len(steps(cut))]
    assert cut["gas"] == whole["gas"]


def test_nothing_traced_is_a_mistake() -> None:
    """There is no result before the end."""
    with pytest.raises(RuntimeError):
        StepTracer(StepOptions(), Budget()).result()


def test_result_without_steps() -> None:
    """A transfer has none."""
    tracer = StepTracer(StepOptions(), Budget())
    tracer.end(
        Frame(
            kind=0xF1, sender=b"", to=b"", input=b"", gas=21_000, value=1, depth=0, gas_used=21_000
        )
    )
    assert tracer.result() == '{"gas":21000,"failed":false,"returnValue":"0x","structLogs":[]}'


def check_gas(trace: Any, limit: int) -> None:
    """Recompute the gas of a run from its steps, frame by frame."""
    log = steps(trace)
    for before, after in pairwise(log):
        if before["depth"] == after["depth"] and before["op"] not in CALLING:
            assert after["gas"] == before["gas"] - before["gasCost"], (before, after)
        elif after["depth"] > before["depth"]:
            assert after["gas"] <= before["gas"] + 2_300
    tops = [step for step in log if step["depth"] == 1]
    if tops and not trace["failed"]:
        last = tops[-1]
        spent = limit - (last["gas"] - last["gasCost"])
        assert trace["gas"] == spent - min(last.get("refund", 0), spent // 5)
    elif trace["failed"] and tops[-1]["op"] != "REVERT":
        assert trace["gas"] == limit


CALLING = {"CALL", "CALLCODE", "DELEGATECALL", "STATICCALL", "CREATE", "CREATE2"}
WORDS = st.sampled_from(
    [
        "0x01 0x02 ADD POP",
        "GAS POP",
        "0x09 0x01 SSTORE",
        "PUSH0 0x01 SSTORE",
        "0x01 SLOAD POP",
        "0x2a 0x40 MSTORE",
        "0x20 PUSH0 KECCAK256 POP",
        "0x05 0x20 PUSH0 LOG1",
        "ADDRESS BALANCE POP",
        create_code(bytes.fromhex("60aa5f5260015ff3")) + "POP",
        create_code(bytes.fromhex("5f5ffd")) + "POP",
        create_code(bytes.fromhex("60aa5f5260015ff3"), "CREATE2") + "POP",
        create_code(bytes.fromhex("fe")) + "POP",
    ]
)
CALLS = st.builds(
    lambda kind, to, value: call_code(kind, to, value=value) + "POP",
    st.sampled_from(["CALL", "CALLCODE", "DELEGATECALL", "STATICCALL"]),
    st.sampled_from([OTHER, "0x" + "ee" * 20, "0x04"]),
    st.sampled_from(["PUSH0", "PUSH0", "0x01"]),
)
ENDS = st.sampled_from(["STOP", "", "PUSH0 PUSH0 REVERT", "INVALID", "0x20 PUSH0 RETURN", "POP"])
PROGRAMS = st.builds(
    lambda words, end: " ".join([*words, end]), st.lists(WORDS | CALLS, max_size=6), ENDS
)
INNER = st.builds(lambda words, end: " ".join([*words, end]), st.lists(WORDS, max_size=4), ENDS)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Share one node: programs replace each other."""
    with driven(tmp_path_factory.mktemp("node")) as made:
        yield made


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(program=PROGRAMS, inner=INNER, gas=st.sampled_from([60_000, 200_000, 1_000_000]))
def test_gas_adds_up_to_the_receipt(node: Driven, program: str, inner: str, gas: int) -> None:
    """For any program the trace says what the receipt says, and its steps add up to it."""
    put_code(node, {TARGET: program, OTHER: inner})
    sent = node.send(to=TARGET, gas=hex(gas), value="0x5")
    receipt = receipt_of(node, sent)
    trace = trace_sent(node, sent)
    assert trace["gas"] == receipt.gas_used
    assert trace["failed"] is not receipt.succeeded
    check_gas(trace, gas)
    tree = trace_sent(node, sent, tracer="callTracer", config={"withLog": True})
    assert int(tree["gasUsed"], 16) == receipt.gas_used
    assert ("error" in tree) is not receipt.succeeded
    calls = [step for step in steps(trace) if step["op"] in CALLING and "error" not in step]
    assert count_frames(tree) <= len(calls) + 1
    logs = sorted(all_logs(tree), key=lambda log: int(log["index"], 16))
    assert [int(log["index"], 16) for log in logs] == list(range(len(receipt.logs)))
    assert [log["address"] for log in logs] == ["0x" + log.address.hex() for log in receipt.logs]


def count_frames(frame: Any) -> int:
    """Count a frame and all below it."""
    return 1 + sum(count_frames(child) for child in frame.get("calls", ()))


def all_logs(frame: Any) -> list[Any]:
    """Collect the logs of a frame and of all below it."""
    below = [log for child in frame.get("calls", ()) for log in all_logs(child)]
    return [*frame.get("logs", ()), *below]
