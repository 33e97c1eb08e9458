"""Logs of simulated calls: which, in what order, with what numbers."""

from typing import Any

import pytest

from tests.sources.devchain.engine.building import ALICE, BOB, CAROL, STORE, contract, text
from tests.sources.devchain.engine.simulating import HERE, run_calls, simulate
from twisted_chainws.sources.devchain.engine.core import Engine
from twisted_chainws.sources.devchain.engine.simulate_block import CallResult
from twisted_chainws.sources.devchain.engine.simulate_logs import (
    COIN_ADDRESS,
    TRANSFER_TOPIC,
    LogBook,
)

pytestmark = pytest.mark.filterwarnings("ignore:SELFDESTRUCT opcode present")

ME = bytes.fromhex(HERE[2:])
OTHER = contract(200)
RICH = {text(ME): {"balance": "0x64"}}
LOG = "5f5fa0"


def opcode(kind: int, to: bytes, value: int | None = None) -> str:
    """Return code that calls ``to`` with no data by an opcode, and forgets whether it worked."""
    given = "" if value is None else f"60{value:02x}"
    return f"5f5f5f5f{given}73{to.hex()}5a{kind:02x}50"


CALL, CALLCODE, DELEGATECALL, STATICCALL = 0xF1, 0xF2, 0xF4, 0xFA


def shown(result: CallResult) -> list[tuple[Any, ...]]:
    """Return the number of each log with what it says: a transfer, or who logged."""
    found: list[tuple[Any, ...]] = []
    for item in result.logs:
        if item.log.address == COIN_ADDRESS:
            topic, sender, recipient = item.log.topics
            assert topic == TRANSFER_TOPIC
            value = int.from_bytes(item.log.data, "big")
            found.append((item.index, sender[12:], recipient[12:], value))
        else:
            found.append((item.index, item.log.address))
    return found


def test_logs_are_numbered_over_the_block(engine: Engine) -> None:
    """Each call has its own logs; the numbers go on."""
    call = {"to": text(STORE), "data": "0x" + "00" * 31 + "07"}
    first, second = run_calls(engine, call, call)
    assert shown(first) == [(0, STORE)]
    assert shown(second) == [(1, STORE)]
    assert first.logs[0].log.topics == (bytes(31) + b"\x07",)
    assert first.logs[0].log.data == b""


def test_the_logs_of_a_failed_call_are_gone_but_counted(engine: Engine) -> None:
    """The number of the next log tells that there was one."""
    logs_and_fails = LOG + "5f5ffd"
    failed, worked = run_calls(engine, {"to": HERE}, {"to": text(STORE)}, code=logs_and_fails)
    assert (shown(failed), shown(worked)) == ([], [(1, STORE)])


def test_the_logs_of_a_failed_frame_are_gone_but_counted(engine: Engine) -> None:
    """The frame around it keeps its own."""
    inner = {text(OTHER): {"code": "0x" + LOG + "fe"}}
    code = LOG + opcode(CALL, OTHER, 0) + LOG
    (result,) = run_calls(engine, {"to": HERE}, code=code, accounts=inner)
    assert shown(result) == [(0, ME), (2, ME)]


def test_frames_log_in_order(engine: Engine) -> None:
    """Inner logs stand where the inner call was made."""
    code = LOG + opcode(CALL, STORE, 0) + LOG
    (result,) = run_calls(engine, {"to": HERE}, code=code)
    assert shown(result) == [(0, ME), (1, STORE), (2, ME)]


def test_transfers_are_logged_when_wanted(engine: Engine) -> None:
    """The value of the call itself is the first log; nothing moves with value 0."""
    call = {"from": text(ALICE), "to": text(BOB), "value": "0x5"}
    (silent,) = run_calls(engine, call)
    assert shown(silent) == []
    loud, nothing = run_calls(engine, call, call | {"value": "0x0"}, transfers=True)
    assert shown(loud) == [(0, ALICE, BOB, 5)]
    assert shown(nothing) == []


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (opcode(CALL, CAROL, 3), [(0, ME, CAROL, 3)]),
        (opcode(CALL, CAROL, 0) + LOG, [(0, ME)]),
        # The code of another, run as one's own, moves nothing.
        (opcode(CALLCODE, STORE, 3), [(0, ME)]),
        (opcode(DELEGATECALL, STORE), [(0, ME)]),
        (opcode(STATICCALL, CAROL), []),
        # A precompile can be paid, too.
        (opcode(CALL, bytes(19) + b"\x04", 2), [(0, ME, bytes(19) + b"\x04", 2)]),
        # SELFDESTRUCT moves what is there.
        (f"73{CAROL.hex()}ff", [(0, ME, CAROL, 100)]),
    ],
)
def test_each_kind_of_call_moves_what_it_moves(
    engine: Engine, code: str, expected: list[Any]
) -> None:
    """Transfers are logged where they happen, by whatever opcode."""
    (result,) = run_calls(engine, {"to": HERE}, code=code, accounts=RICH, transfers=True)
    assert result.error is None
    assert shown(result) == expected


def test_a_creation_is_paid_as_well(engine: Engine) -> None:
    """The new contract receives the value, and its own logs follow."""
    (result,) = run_calls(
        engine, {"from": text(ALICE), "data": "0x" + LOG, "value": "0x7"}, transfers=True
    )
    (_, sender, created, value), (number, logger) = shown(result)
    assert (sender, value, number, logger) == (ALICE, 7, 1, created)


def test_a_creation_inside_is_paid_as_well(engine: Engine) -> None:
    """CREATE opens one frame, not two."""
    pays_10_for_nothing = "5f5f600af050"
    code = pays_10_for_nothing + LOG
    (result,) = run_calls(engine, {"to": HERE}, code=code, accounts=RICH, transfers=True)
    (number, sender, _, value), last = shown(result)
    assert (number, sender, value, last) == (0, ME, 10, (1, ME))


def test_a_destroyed_contract_that_has_nothing_moves_nothing(engine: Engine) -> None:
    """A transfer of zero is none."""
    (result,) = run_calls(engine, {"to": HERE}, code=f"73{CAROL.hex()}ff", transfers=True)
    assert (result.error, shown(result)) == (None, [])


@pytest.mark.parametrize("code", ["ff", f"73{CAROL.hex()}ff"])
def test_a_selfdestruct_that_fails_moves_nothing(engine: Engine, code: str) -> None:
    """Neither without an heir nor without gas."""
    call = {"to": HERE, "gas": hex(21_000 + 3 + 100)}
    (result,) = run_calls(engine, call, code=code, accounts=RICH, transfers=True)
    assert result.error is not None
    assert shown(result) == []


def test_receipts_hold_real_logs_only(engine: Engine) -> None:
    """A transfer is shown to the caller and in no bloom."""
    call = {"from": text(ALICE), "to": text(BOB), "value": "0x5"}
    (made,) = simulate(engine, {"calls": [call]}, transfers=True)
    assert made.block.receipts[0].logs == ()
    assert made.block.extras.header.bloom == bytes(256)


def test_what_logs_outside_of_calls_is_not_shown() -> None:
    """System contracts run without a caller; their logs have no number either."""
    book = LogBook(transfers=True)
    book.log(STORE, (), b"")
    book.enter()
    book.log(ME, (), b"")
    book.leave(failed=False)
    assert [(item.index, item.log.address) for item in book.take()] == [(0, ME)]
    assert book.take() == ()


@pytest.mark.parametrize(
    ("code", "number"),
    [
        (opcode(CALL, CAROL, 101), 1),
        ("5f5f6065f050", 1),
        ("5f5f5f6065f550", 1),
        (opcode(CALL, CAROL, 100), 1),
        (opcode(CALL, CAROL, 0), 0),
        ("5f5f5ff050", 0),
        (opcode(CALLCODE, CAROL, 101), 0),
    ],
)
def test_a_transfer_that_cannot_be_paid_is_counted(engine: Engine, code: str, number: int) -> None:
    """It has no log, but the log behind it shows that it was tried."""
    (result,) = run_calls(engine, {"to": HERE}, code=code + LOG, accounts=RICH, transfers=True)
    assert result.error is None
    assert shown(result)[-1] == (number, ME)
    (silent,) = run_calls(engine, {"to": HERE}, code=code + LOG, accounts=RICH)
    assert shown(silent) == [(0, ME)]


@pytest.mark.parametrize("code", ["f0", "5ff1", "f5"])
def test_too_short_a_stack_fails_as_ever(engine: Engine, code: str) -> None:
    """Looking for the value does not get in the way."""
    (result,) = run_calls(engine, {"to": HERE}, code=code, transfers=True)
    assert "stack underflow" in str(result.error)
