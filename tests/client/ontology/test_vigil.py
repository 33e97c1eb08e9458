from twisted.internet.task import Clock

from twisted_chainws.client.ontology.vigil import SILENCE_S, Vigil


class Stand:
    """A vigil on a virtual clock."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.asked: list[float] = []
        self.last = 0.0
        self.vigil = Vigil(clock=self.clock, asked_at=lambda: self.last, ask=self.ask)

    def ask(self) -> None:
        self.last = self.clock.seconds()
        self.asked.append(self.last)


def test_silence() -> None:
    """A question is asked a minute after the last one, whoever asked that."""
    stand = Stand()
    stand.vigil.start()
    stand.clock.advance(SILENCE_S - 1)
    stand.last = stand.clock.seconds()
    stand.clock.advance(1)
    assert stand.asked == []
    stand.clock.advance(SILENCE_S - 2)
    assert stand.asked == []
    stand.clock.pump([1.0] * 130)
    assert stand.asked == [119.0, 179.0, 239.0]


def test_what_cannot_be_asked() -> None:
    """A question that was not sent is asked again after a while, not at once."""
    clock, asked = Clock(), []
    vigil = Vigil(clock=clock, asked_at=lambda: 0.0, ask=lambda: asked.append(clock.seconds()))
    vigil.start()
    for _ in range(3):
        clock.advance(SILENCE_S)
    assert asked == [SILENCE_S, 2 * SILENCE_S, 3 * SILENCE_S]


def test_stopping() -> None:
    """Stopped, it leaves no timer, and may be started again."""
    stand = Stand()
    stand.vigil.stop()
    stand.vigil.start()
    stand.vigil.stop()
    assert stand.clock.getDelayedCalls() == []
    stand.vigil.start()
    stand.clock.advance(SILENCE_S)
    assert len(stand.asked) == 1
