from twisted.internet.task import Clock

from twisted_chainws.websocket.heartbeat import Heartbeat


class Body:
    """A connection reduced to what its heartbeat does to it."""

    def __init__(self, interval_s: float = 30.0) -> None:
        self.clock = Clock()
        self.pings: list[float] = []
        self.lost: list[float] = []
        self.paused = False
        self.pulse = Heartbeat(
            clock=self.clock,
            interval_s=interval_s,
            timeout_s=10.0,
            ping=lambda: self.pings.append(self.clock.seconds()),
            suspended=lambda: self.paused,
            lost=lambda: self.lost.append(self.clock.seconds()),
        )
        self.pulse.start()


def test_silence_is_pinged_and_then_lost() -> None:
    """One ping after the interval, the end after the timeout, and nothing more."""
    body = Body()
    body.clock.pump([1.0] * 100)
    assert (body.pings, body.lost) == ([30.0], [40.0])
    assert body.clock.getDelayedCalls() == []


def test_what_the_owner_counts_from_postpones_the_ping() -> None:
    """A write of ours, or a read, whichever its owner counts, starts the interval again."""
    body = Body()
    body.clock.advance(20.0)
    body.pulse.quiet_since = 20.0
    body.clock.advance(10.0)
    assert body.pings == []
    body.clock.advance(20.0)
    assert body.pings == [50.0]


def test_a_sign_of_life_ends_the_wait() -> None:
    """Bytes from the peer after a ping start the interval again; at other times they do nothing."""
    body = Body()
    body.pulse.alive()
    body.clock.advance(30.0)
    assert body.pulse.waiting
    body.clock.advance(5.0)
    body.pulse.alive()
    assert not body.pulse.waiting
    body.clock.advance(26.0)
    body.clock.advance(4.0)
    assert len(body.pings) == 2
    assert body.lost == []


def test_silence_is_excused_while_we_do_not_read() -> None:
    """While reading is suspended a missing pong proves nothing; afterwards it does."""
    body = Body()
    body.paused = True
    body.clock.pump([1.0] * 45)
    assert body.lost == []
    body.paused = False
    body.clock.pump([1.0] * 100)
    assert len(body.pings) == 2
    assert len(body.lost) == 1


def test_intervals_below_a_second_are_no_flood() -> None:
    """Short intervals are exact."""
    body = Body(interval_s=0.5)
    for _ in range(40):
        body.clock.advance(0.1)
        body.pulse.alive()
    assert 6 <= len(body.pings) <= 8


def test_zero_means_never_and_stop_means_stop() -> None:
    """No interval, no timer; a stopped heartbeat leaves none."""
    body = Body(interval_s=0.0)
    assert body.clock.getDelayedCalls() == []
    other = Body()
    other.pulse.stop()
    assert other.clock.getDelayedCalls() == []
