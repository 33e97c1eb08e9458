from twisted.internet.task import Clock

from twisted_chainws.client.pulse import Pulse


class Stand:
    """A pulse on a virtual clock."""

    def __init__(self, silence_s: float = 30, answer_s: float = 10) -> None:
        self.clock = Clock()
        self.asked: list[float] = []
        self.dead: list[float] = []
        self.bytes = 0
        self.pulse = Pulse(
            clock=self.clock,
            silence_s=silence_s,
            answer_s=answer_s,
            ask=lambda: self.asked.append(self.clock.seconds()),
            received=lambda: self.bytes,
            dead=lambda: self.dead.append(self.clock.seconds()),
        )
        self.pulse.start()


def test_silence() -> None:
    """After 30 s of silence it asks, after 10 s more the other end is dead, once."""
    stand = Stand()
    for _ in range(100):
        stand.clock.advance(1)
    assert (stand.asked, stand.dead) == ([30], [40])
    assert stand.clock.getDelayedCalls() == []


def test_messages_put_questions_off() -> None:
    """As long as messages come nothing is asked."""
    stand = Stand()
    for _ in range(10):
        stand.clock.advance(20)
        stand.pulse.heard()
    assert stand.asked == []
    for _ in range(30):
        stand.clock.advance(1)
    assert stand.asked == [230]


def test_an_answer() -> None:
    """Any message is an answer; silence is counted from it."""
    stand = Stand()
    stand.clock.advance(30)
    stand.clock.advance(5)
    stand.pulse.heard()
    for _ in range(29):
        stand.clock.advance(1)
    assert stand.asked == [30]
    stand.clock.advance(1)
    assert stand.asked == [30, 65]
    assert stand.dead == []


def test_a_long_message_is_no_silence() -> None:
    """While many bytes come in, the end of the message is waited for; a pong proves nothing."""
    stand = Stand()
    stand.clock.advance(30)
    for _ in range(5):
        stand.bytes += 100_000
        stand.clock.advance(10)
    assert stand.dead == []
    stand.bytes += 12
    stand.clock.advance(10)
    assert stand.dead == [90]


def test_stop_and_never() -> None:
    """Stopped or turned off it does nothing."""
    stand = Stand()
    stand.pulse.stop()
    stand.pulse.stop()
    assert stand.clock.getDelayedCalls() == []
    assert Stand(silence_s=0).clock.getDelayedCalls() == []
