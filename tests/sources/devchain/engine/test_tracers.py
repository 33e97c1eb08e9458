"""Tracers by name."""

from pathlib import Path
from typing import Any

import pytest
from eth_hash.auto import keccak

from tests.sources.devchain.engine.driving import driven
from tests.sources.devchain.engine.traced import OTHER, call_code, trace_call
from twisted_chainws.errors import ExecutionFailed, TracerNotFound, TraceTooLarge
from twisted_chainws.sources.devchain.engine.tracers import make_tracer
from twisted_chainws.sources.devchain.engine.tracing import Budget
from twisted_chainws.sources.devchain.engine.tracing_calls import Origin

HASHES = "0x2a PUSH0 MSTORE 0x20 PUSH0 KECCAK256 POP PUSH0 PUSH0 KECCAK256 POP 0x20 PUSH0 KECCAK256"


def make(name: str | None = None, **config: Any) -> Any:
    """Make a tracer by name."""
    params = {} if name is None else {"tracer": name, "config": config or None}
    return make_tracer(params, Budget(), Origin())


@pytest.mark.parametrize(
    "name", ["", "nonsense", "opcountTracer", "{step: function(log) {}, result: function() {}}"]
)
def test_unknown_names_and_programs(name: str) -> None:
    """JavaScript is not run, whoever wrote it."""
    with pytest.raises(TracerNotFound) as caught:
        make(name)
    assert caught.value.name == name
    with pytest.raises(TracerNotFound):
        make("muxTracer", **{name: {}})


@pytest.mark.parametrize(
    ("name", "config", "text"),
    [
        ("callTracer", {"withLog": 1}, "withLog: expected true or false"),
        ("callTracer", [], "callTracer: expected an object as tracerConfig"),
        ("prestateTracer", {"diffMode": "yes"}, "diffMode: expected true or false"),
        (
            "prestateTracer",
            {"diffMode": True, "includeEmpty": True},
            "cannot use diffMode with includeEmpty",
        ),
        ("muxTracer", {"callTracer": 7}, "callTracer: expected an object as tracerConfig"),
    ],
)
def test_wrong_options_are_refused(name: str, config: Any, text: str) -> None:
    """Before anything runs."""
    with pytest.raises(ExecutionFailed) as caught:
        make_tracer({"tracer": name, "config": config}, Budget(), Origin())
    assert caught.value.reason == text


def test_options_may_be_null() -> None:
    """Null is what a client writes that has nothing to say."""
    assert make("callTracer", withLog=None, onlyTopCall=None) is not None
    assert make("muxTracer", callTracer=None).frames


def test_the_one_that_does_nothing(tmp_path: Path) -> None:
    """Its result is an empty object."""
    with driven(tmp_path) as node:
        assert trace_call(node, call_code("CALL", OTHER), tracer="noopTracer") == {}


def test_what_was_hashed(tmp_path: Path) -> None:
    """Each once, by its hash; what cannot be paid for is not hashed."""
    data = bytes(31) + b"\x2a"
    expected = {"0x" + keccak(item).hex(): "0x" + item.hex() for item in (data, b"")}
    with driven(tmp_path) as node:
        for source in (HASHES, f"{HASHES} 0xffffff PUSH0 KECCAK256", f"{HASHES} POP KECCAK256"):
            found = trace_call(
                node, source, call={"gas": "0x186a0"}, tracer="keccak256PreimageTracer"
            )
            assert found == expected


def test_what_was_hashed_is_counted(tmp_path: Path) -> None:
    """Much memory hashed at many places is too much."""
    source = ":a 0x01 ADD DUP1 PUSH0 MSTORE 0x0fffff PUSH0 KECCAK256 POP @a JUMP"
    with driven(tmp_path) as node, pytest.raises(TraceTooLarge):
        trace_call(
            node,
            f"PUSH0 {source}",
            call={"gas": hex(50_000_000)},
            tracer="keccak256PreimageTracer",
            timeout_s=60.0,
        )


def test_several_at_once(tmp_path: Path) -> None:
    """Each finds what it would have found alone."""
    names = (
        "4byteTracer",
        "callTracer",
        "flatCallTracer",
        "keccak256PreimageTracer",
        "noopTracer",
        "prestateTracer",
    )
    source = f"{HASHES} {call_code('CALL', OTHER, size='0x20')} 0x01 SLOAD PUSH0 PUSH0 LOG0"
    accounts = {OTHER: "0x05 PUSH0 SSTORE PUSH0 PUSH0 LOG0"}
    configs: dict[str, Any] = {name: {} for name in names}
    configs["callTracer"] = {"withLog": True}
    configs["muxTracer"] = {"noopTracer": {}, "4byteTracer": {}}
    with driven(tmp_path) as node:
        alone = {
            name: trace_call(node, source, accounts=accounts, tracer=name, config=config)
            for name, config in configs.items()
        }
        together = trace_call(node, source, accounts=accounts, tracer="muxTracer", config=configs)
    assert together == alone
    assert len(alone["callTracer"]["calls"]) == 1
    assert "storage" in alone["prestateTracer"][OTHER]
