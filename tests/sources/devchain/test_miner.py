"""The timer of interval mining."""

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock

from twisted_chainws.errors import SourceUnavailable
from twisted_chainws.sources.devchain.miner import IntervalMiner


def test_mines_every_interval_until_it_is_switched_off() -> None:
    """One block per interval, the first after one interval; none after None."""
    clock = Clock()
    mined: list[float] = []

    def mine() -> "Deferred[None]":
        mined.append(clock.seconds())
        return succeed(None)

    miner = IntervalMiner(clock=clock, mine=mine)
    miner.set_interval(2.0)
    clock.pump([1.0] * 5)
    assert mined == [2.0, 4.0]
    miner.set_interval(None)
    clock.advance(10)
    assert mined == [2.0, 4.0]


def test_a_slow_block_delays_the_next() -> None:
    """No second block is asked for while one is being made."""
    clock = Clock()
    asked: list[Deferred[None]] = []

    def mine() -> "Deferred[None]":
        asked.append(Deferred[None]())
        return asked[-1]

    miner = IntervalMiner(clock=clock, mine=mine)
    miner.set_interval(1.0)
    clock.pump([1.0] * 3)
    assert len(asked) == 1
    asked[0].callback(None)
    clock.advance(1.0)
    assert len(asked) == 2
    miner.set_interval(0)


def test_a_failed_block_does_not_end_it() -> None:
    """The next tick tries again after an error of the source."""
    clock = Clock()
    asked: list[None] = []

    def mine() -> "Deferred[None]":
        asked.append(None)
        return fail(SourceUnavailable(reason="restarted"))

    miner = IntervalMiner(clock=clock, mine=mine)
    miner.set_interval(1.0)
    clock.pump([1.0] * 3)
    assert len(asked) == 3
    miner.set_interval(None)
