"""What tracers share."""

import pytest
from eth_typing import Address

from twisted_chainws.errors import TraceTooLarge
from twisted_chainws.sources.devchain.engine.tracing import (
    CALL,
    MAX_TRACE_BYTES,
    Budget,
    Frame,
    Tracer,
    to_address,
    to_int,
)


def test_a_budget_is_kept() -> None:
    """A byte more than it allows is an error."""
    budget = Budget(100)
    budget.take(60)
    budget.take(40)
    with pytest.raises(TraceTooLarge) as caught:
        budget.take(1)
    assert caught.value.limit == 100
    Budget().take(MAX_TRACE_BYTES)


def test_a_tracer_takes_no_notice_by_default() -> None:
    """It wants to hear nothing, and hears it without harm."""
    tracer = Tracer()
    frame = Frame(kind=CALL, sender=b"", to=b"", input=b"", gas=0, value=0, depth=0)
    tracer.step(0, None)
    tracer.charged(None, 3, None)
    tracer.enter(frame)
    tracer.log(b"", (), b"")
    tracer.leave(frame)
    tracer.end(frame)
    assert (tracer.steps, tracer.frames, tracer.result()) == (frozenset(), False, "{}")


def test_words_of_the_stack() -> None:
    """They are integers or bytes; an address is the low end of either."""
    address = Address(b"\x01" * 20)
    assert to_int(b"\x01\x00") == to_int(256) == 256
    for word in (b"\xff" + address, int.from_bytes(b"\xff" + address, "big")):
        assert to_address(word) == address
    assert to_address(b"\x07") == bytes(19) + b"\x07"
