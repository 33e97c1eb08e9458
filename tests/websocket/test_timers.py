from twisted.internet.task import Clock

from twisted_chainws.websocket.timers import ReactorTimers


def test_timers_are_exact_and_cancel_any_number_of_times() -> None:
    """A timer fires after its delay, not earlier; cancelling is always allowed. 4.6 item 1."""
    clock = Clock()
    timers = ReactorTimers(clock)
    seen: list[str] = []
    first = timers.call_later(1.9, seen.append, "first")
    second = timers.call_later(1.0, seen.append, "second")
    second.cancel()
    second.cancel()
    clock.advance(1.8)
    assert seen == []
    clock.advance(0.2)
    first.cancel()
    assert seen == ["first"]
