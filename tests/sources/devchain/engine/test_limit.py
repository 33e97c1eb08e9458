"""Interrupting endless work leaves nothing behind."""

import gc
import sys
import time

import pytest

from tests.sources.devchain.engine.building import (
    ENDLESS,
    ENVIRONMENT,
    GAS_CAP,
    GAS_LIMIT,
    GENESIS_TIME,
    build,
    text,
    transaction,
)
from twisted_chainws.sources.devchain.engine.core import Engine
from twisted_chainws.sources.devchain.engine.limit import TimeUp, forget_lost_alarms, within


def test_an_endless_call_is_interrupted_and_the_next_one_is_right(engine: Engine) -> None:
    """Twenty endless calls stop soon, and calls in between give the same answer as ever."""
    head = engine.head_hash
    right = engine.call({"to": text(ENVIRONMENT)}, head, gas_cap=GAS_CAP)
    for attempt in range(20):
        limit = 0.002 + attempt * 0.0007
        with pytest.raises(TimeUp):
            within(limit, lambda: engine.call({"to": text(ENDLESS)}, head, gas_cap=10**12))
        assert engine.call({"to": text(ENVIRONMENT)}, head, gas_cap=GAS_CAP) == right


def test_an_interrupted_draft_does_not_change_the_next_one(engine: Engine) -> None:
    """Drafts given up at random moments leave the next block's hash as it would have been."""
    sent = [transaction(nonce=number) for number in range(3)]
    expected = build(engine, sent).hash
    engine.rollback()
    last = transaction(nonce=3, to=ENDLESS, gas=GAS_LIMIT - 100_000, value=0)

    def job() -> None:
        draft = engine.draft(
            engine.head_hash,
            timestamp=GENESIS_TIME + 1,
            gas_limit=GAS_LIMIT,
            coinbase=bytes(20),
            mix_hash=bytes(31) + b"\x07",
        )
        for item in (*sent, last):
            draft.add(item)

    for attempt in range(20):
        with pytest.raises(TimeUp):
            within(0.001 + attempt * 0.0009, job)
    assert build(engine, sent).hash == expected


def test_work_that_ends_in_time_is_not_disturbed() -> None:
    """The result is returned, exceptions pass, and no alarm comes later."""
    assert within(5, lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        within(5, lambda: 1 // 0)
    assert within(0.005, lambda: 8) == 8
    time.sleep(0.02)


def test_the_alarm_cannot_be_swallowed() -> None:
    """Code that catches every Exception, again and again, is stopped all the same."""

    def stubborn() -> None:
        while True:
            try:
                time.sleep(1)
            except Exception:  # noqa: BLE001, S112 - what py-evm does with authorizations
                continue

    with pytest.raises(TimeUp):
        within(0.01, stubborn)


def test_an_alarm_lost_in_a_destructor_says_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An alarm swallowed by a ``__del__`` is not printed; other exceptions there still are."""
    monkeypatch.setattr(sys, "unraisablehook", sys.__unraisablehook__)
    forget_lost_alarms()

    class Fragile:
        def __init__(self, fault: type[BaseException]) -> None:
            self.fault = fault

        def __del__(self) -> None:
            raise self.fault

    Fragile(TimeUp)
    assert capsys.readouterr().err == ""
    Fragile(ZeroDivisionError)
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_an_alarm_lost_in_the_collector_is_no_fault_of_a_test() -> None:
    """What other tests hang on the collector may swallow an alarm; pytest hears nothing of it."""
    phases = []

    def swallow(phase: str, _info: dict[str, int]) -> None:
        phases.append(phase)
        raise TimeUp

    gc.callbacks.append(swallow)
    gc.collect()
    gc.callbacks.remove(swallow)
    assert phases == ["start", "stop"]
