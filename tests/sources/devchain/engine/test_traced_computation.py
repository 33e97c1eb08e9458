"""What a tracer hears, whoever it is."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sources.devchain.engine.building import ALICE, deployment
from tests.sources.devchain.engine.traced import OTHER, TARGET, call_code, code, create_code
from twisted_chainws.sources.devchain.engine.core import Engine
from twisted_chainws.sources.devchain.engine.opcode_names import CODES, NAMES
from twisted_chainws.sources.devchain.engine.replay import trace_call
from twisted_chainws.sources.devchain.engine.requests import parse_call
from twisted_chainws.sources.devchain.engine.traced_computation import (
    PositionedCode,
    traced_class,
)
from twisted_chainws.sources.devchain.engine.tracing import ALL_OPCODES, Context, Frame, Tracer

pytestmark = pytest.mark.filterwarnings("ignore:SELFDESTRUCT opcode:DeprecationWarning")


class Listener(Tracer):
    """Writes down everything in order."""

    def __init__(self, steps: frozenset[int] = ALL_OPCODES, *, frames: bool = True) -> None:
        self.steps = steps
        self.frames = frames
        self.heard: list[tuple[Any, ...]] = []

    def begin(self, context: Context) -> None:
        self.heard.append(("begin", context.first_log))

    def step(self, opcode: int, computation: Any) -> None:
        self.heard.append(("step", NAMES[opcode], computation.msg.depth))

    def charged(self, computation: Any, cost: int, error: str | None) -> None:
        self.heard.append(("charged", cost, error, computation.msg.depth))

    def enter(self, frame: Frame) -> None:
        self.heard.append(("enter", NAMES[frame.kind], frame.depth))

    def leave(self, frame: Frame) -> None:
        self.heard.append(("leave", NAMES[frame.kind], frame.error))

    def log(self, address: bytes, topics: tuple[int, ...], data: bytes) -> None:
        self.heard.append(("log", address, topics, data))

    def end(self, top: Frame) -> None:
        self.heard.append(("end", top.gas_used))


def listen(engine: Engine, source: str, listener: Tracer, other: str) -> None:
    """Call ``source`` while OTHER has this code."""
    overrides = {TARGET: {"code": code(source)}, OTHER: {"code": code(other)}}
    site = engine.call_site(engine.head_hash, overrides, None)
    request = parse_call({"from": "0x" + ALICE.hex(), "to": TARGET})
    trace_call(site, request, 100_000_000, listener)


EVERYTHING = (
    f"PUSH0 PUSH0 LOG0 {call_code('CALL', OTHER)} POP {create_code(deployment(b''))} POP"
    f" {call_code('CALL', OTHER, value='0x05')} POP {call_code('STATICCALL', '0x04')} POP"
    f" {OTHER} SELFDESTRUCT"
)


def test_the_order_of_things(engine: Engine) -> None:
    """A call is charged before its frame is entered; frames nest; the end comes last."""
    listener = Listener()
    listen(engine, f"PUSH0 PUSH0 LOG0 {call_code('CALL', OTHER)}", listener, "STOP")
    kinds = [item[:2] for item in listener.heard if item[0] != "charged" or item[3] == 0]
    call = kinds.index(("step", "CALL"))
    assert kinds[:2] == [("begin", 0), ("enter", "CALL")]
    assert [item[0] for item in kinds[2:9]] == [
        "step", "charged", "step", "charged", "step", "log", "charged",
    ]  # fmt: skip
    assert [item[0] for item in kinds[call : call + 5]] == [
        "step", "charged", "enter", "step", "leave",
    ]  # fmt: skip
    assert [item[0] for item in kinds[-2:]] == ["leave", "end"]


def test_every_step_is_charged_once(engine: Engine) -> None:
    """Before the next one begins, whatever becomes of it."""
    listener = Listener()
    listen(engine, EVERYTHING, listener, "0x01 POP POP")
    steps = [item for item in listener.heard if item[0] in ("step", "charged")]
    assert [item[0] for item in steps] == ["step", "charged"] * (len(steps) // 2)
    assert len(steps) > 40
    assert all(step[2] == charged[3] for step, charged in zip(steps[::2], steps[1::2], strict=True))


def test_frames_are_balanced(engine: Engine) -> None:
    """Each that is entered is left, the refused ones as well."""
    listener = Listener()
    listen(engine, EVERYTHING, listener, "INVALID")
    depth = 0
    for item in listener.heard:
        if item[0] == "enter":
            assert item[2] == depth
            depth += 1
        elif item[0] == "leave":
            depth -= 1
    assert depth == 0
    left = [item[1:] for item in listener.heard if item[0] == "leave"]
    assert left == [
        ("CALL", "invalid opcode: INVALID"),
        ("CREATE", None),
        ("CALL", "insufficient balance for transfer"),
        ("STATICCALL", None),
        ("SELFDESTRUCT", None),
        ("CALL", None),
    ]


def test_nobody_hears_what_he_did_not_ask_for(engine: Engine) -> None:
    """Only the opcodes in question; no frames."""
    listener = Listener(frozenset({CODES["CALL"]}), frames=False)
    listen(engine, EVERYTHING, listener, "STOP")
    assert {item[1] for item in listener.heard if item[0] == "step"} == {"CALL"}
    assert not any(item[0] in ("enter", "leave") for item in listener.heard)


def test_a_tracer_may_be_deaf(engine: Engine) -> None:
    """The base class hears everything and does nothing."""

    class Deaf(Tracer):
        steps = ALL_OPCODES
        frames = True

    deaf = Deaf()
    listen(engine, EVERYTHING, deaf, "STOP")
    assert deaf.result() == "{}"


def test_plain_classes_stay_plain(engine: Engine) -> None:
    """Deriving a traced class leaves the table of the fork alone."""
    site = engine.call_site(engine.head_hash, None, None)
    plain: Any = site.state(parse_call({})).computation_class
    before = dict(plain.opcodes)
    traced = traced_class(plain, Listener())
    assert issubclass(traced, plain)
    assert traced.opcodes.keys() == before.keys()
    assert plain.opcodes == before
    assert traced.get_precompiles() == plain.get_precompiles()
    assert traced.opcodes[CODES["PUSH0"]] is not before[CODES["PUSH0"]]
    assert traced_class(plain, Tracer()).opcodes[CODES["PUSH0"]] is before[CODES["PUSH0"]]


@given(st.binary(max_size=40))
def test_positions(code: bytes) -> None:
    """The position is where the opcode stands, also that of the STOP behind the end."""
    stream = PositionedCode(code)
    seen = []
    for opcode in stream:
        seen.append((stream.position, opcode))
        if 0x60 <= opcode <= 0x7F:
            stream.read(opcode - 0x5F)
    assert all(code[at : at + 1] == bytes([opcode]) for at, opcode in seen[:-1])
    last, stop = seen[-1]
    assert stop == 0
    assert last >= len(code)
