from typing import Any, cast

import pytest

from tests.dialects.ethereum.asking import ask, fault, make_view
from tests.strategies import make_block, make_chain, make_native, make_transaction
from twisted_chainws.dialects.ethereum.traces import TRACES, parse_duration
from twisted_chainws.dialects.outcomes import Query, Refused
from twisted_chainws.errors import TransactionNotFound, UnknownBlock

BLOCKS = make_chain(5)
HEAD = f"0x{BLOCKS[-1].hash.hex()}"
SECOND = f"0x{BLOCKS[1].hash.hex()}"
STRANGE = "0x" + "77" * 32
B = "0x" + "02" * 20
SHOWN = {"memory": False, "stack": True, "storage": True, "return_data": False, "limit": 0}


@pytest.mark.parametrize(
    ("method", "params", "word", "sent"),
    [
        ("debug_traceBlockByNumber", ["0x1"], "trace_block", {"block": SECOND, "options": SHOWN}),
        (
            "debug_traceBlockByNumber",
            ["latest", None],
            "trace_block",
            {"block": HEAD, "options": SHOWN},
        ),
        (
            "debug_traceBlockByNumber",
            ["pending", {"tracer": "callTracer"}],
            "trace_block",
            {"block": "pending", "tracer": "callTracer"},
        ),
        (
            "debug_traceBlockByHash",
            [SECOND, {"tracer": "callTracer", "tracerConfig": {"withLog": True}, "timeout": "1m"}],
            "trace_block",
            {
                "block": SECOND,
                "tracer": "callTracer",
                "config": {"withLog": True},
                "timeout_s": 60.0,
            },
        ),
        ("debug_traceBlock", ["0xc0"], "trace_raw_block", {"raw": "0xc0", "options": SHOWN}),
        (
            "debug_traceCall",
            [{"to": B}],
            "trace_call",
            {"call": {"to": B}, "at": HEAD, "options": SHOWN},
        ),
        (
            "debug_traceCall",
            [
                {"input": "0x00"},
                "0x1",
                {
                    "enableMemory": True,
                    "disableStack": True,
                    "disableStorage": True,
                    "enableReturnData": True,
                    "limit": 7,
                    "timeout": None,
                    "reexec": 128,
                    "stateOverrides": {B: {"balance": "0x1"}},
                    "blockOverrides": {"time": "0x2"},
                    "txIndex": "0x0",
                },
            ],
            "trace_call",
            {
                "call": {"data": "0x00"},
                "at": SECOND,
                "options": {
                    "memory": True,
                    "stack": False,
                    "storage": False,
                    "return_data": True,
                    "limit": 7,
                },
                "state_overrides": {B: {"balance": "0x1"}},
                "block_overrides": {"time": "0x2"},
                "index": "0x0",
            },
        ),
        (
            "debug_traceCall",
            [{}, {"blockHash": SECOND}, {"stateOverrides": {}, "blockOverrides": {}}],
            "trace_call",
            {"call": {}, "at": SECOND, "options": SHOWN},
        ),
    ],
)
def test_questions_are_passed_on(method: str, params: Any, word: str, sent: Any) -> None:
    """The source hears hashes instead of selectors, and its answer is the result."""
    answer = object()
    result, calls = ask(TRACES[method], params, answer, view=make_view(BLOCKS))
    assert result is answer
    assert calls == [Query(method=word, params=sent)]


def test_a_transaction_is_looked_for_in_its_block() -> None:
    """The block is known here, so a branch that changes meanwhile does no harm."""
    transaction = make_transaction()
    genesis = make_block()
    block = make_block(genesis, [(transaction, ())])
    name = f"0x{transaction.hash.hex()}"
    _, calls = ask(TRACES["debug_traceTransaction"], [name], None, view=make_view([genesis, block]))
    params = {"block": f"0x{block.hash.hex()}", "transaction": name, "options": SHOWN}
    assert calls == [Query(method="trace_transaction", params=params)]


def test_only_mined_transactions_of_this_family_are_found() -> None:
    """Unknown, waiting and native ones are not."""
    native, waiting = make_native(), make_transaction()
    genesis = make_block()
    view = make_view([genesis, make_block(genesis, [(native, ())])], pending=[waiting])
    for transaction_hash in (native.hash, waiting.hash, b"\x77" * 32):
        with pytest.raises(TransactionNotFound):
            TRACES["debug_traceTransaction"](view, [f"0x{transaction_hash.hex()}"])


@pytest.mark.parametrize(
    ("method", "params", "code", "text"),
    [
        ("debug_traceBlockByHash", [STRANGE], -32000, f"block {STRANGE} not found"),
        ("debug_traceBlockByNumber", ["0x63"], -32000, "block #99 not found"),
        (
            "debug_traceBlockByNumber",
            ["3"],
            -32602,
            "invalid argument 0: hex string without 0x prefix",
        ),
        ("debug_traceCall", [{}, STRANGE], -32000, f"block {STRANGE} not found"),
        ("debug_traceCall", [{}, "pending"], -32000, "tracing on top of pending is not supported"),
        (
            "debug_traceCall",
            [{"chainId": "0x1"}, "latest"],
            -32000,
            "chainId does not match node's (have=1, want=31337)",
        ),
        ("debug_traceTransaction", [], -32602, "missing value for required argument 0"),
        (
            "debug_traceBlockByNumber",
            ["0x1", {"enableMemory": 1}],
            -32602,
            "invalid argument 1: json: cannot unmarshal number into Go struct field TraceConfig.enableMemory of type bool",
        ),
        (
            "debug_traceBlockByNumber",
            ["0x1", {"limit": "7"}],
            -32602,
            "invalid argument 1: json: cannot unmarshal string into Go struct field TraceConfig.limit of type int",
        ),
        (
            "debug_traceBlockByNumber",
            ["0x1", {"overrides": {}}],
            -32602,
            "the rules of the chain cannot be overridden",
        ),
        (
            "debug_traceBlockByNumber",
            ["0x1", {"timeout": "5"}],
            -32000,
            'time: missing unit in duration "5"',
        ),
    ],
)
def test_wrong_questions_are_refused(method: str, params: Any, code: int, text: str) -> None:
    """Nothing that makes no sense reaches the source."""
    refusal = fault(TRACES[method], params, make_view(BLOCKS))
    assert (refusal.code, refusal.message) == (code, text)


def test_tags_that_name_nothing_yet() -> None:
    """They have words of their own everywhere."""

    class Young:
        safe = None

    view = make_view(BLOCKS)
    view.chain = cast("Any", Young())
    with pytest.raises(UnknownBlock):
        TRACES["debug_traceBlockByNumber"](view, ["safe"])


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        ("+0", 0.0),
        ("5s", 5.0),
        ("1m30s", 90.0),
        ("1.5h", 5400.0),
        ("500ms", 0.5),
        (".5s", 0.5),
        ("1.s", 1.0),
        ("-2s", -2.0),
        ("+2s", 2.0),
        ("3us", 3e-6),
        ("3\u00b5s", 3e-6),
        ("3\u03bcs", 3e-6),
        ("7ns", 7e-9),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    """As Go writes and reads them."""
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", 'invalid duration ""'),
        ("-", 'invalid duration "-"'),
        ("s", 'invalid duration "s"'),
        ("1s x", 'unknown unit "s x" in duration "1s x"'),
        ("5", 'missing unit in duration "5"'),
        ("5d", 'unknown unit "d" in duration "5d"'),
        ("1h.", 'invalid duration "1h."'),
        ("--1s", 'invalid duration "--1s"'),
    ],
)
def test_what_is_no_duration(text: str, problem: str) -> None:
    """In the words of Go."""
    with pytest.raises(ValueError, match="time: ") as caught:
        parse_duration(text)
    assert str(caught.value) == f"time: {problem}"


def test_refusals_are_refusals() -> None:
    """A wrong duration is told like any wrong option."""
    with pytest.raises(Refused):
        TRACES["debug_traceBlock"](make_view(BLOCKS), ["0x", {"timeout": "soon"}])
