from typing import Any

import pytest
from twisted.internet.defer import Deferred

from tests.client.test_promise import ends
from twisted_chainws.client.errors import BadAnswer, QueueOverflow
from twisted_chainws.client.feed import FeedEnded
from twisted_chainws.client.promise import promise
from twisted_chainws.client.subscription import EventFeed


def made(queue_size: int = 3) -> tuple[EventFeed[int], list[str]]:
    """Return a feed of numbers, and what it tells those who made it."""
    told: list[str] = []

    def overflowed() -> None:
        told.append("overflow")
        feed.overflowed()

    feed: EventFeed[int] = EventFeed(queue_size=queue_size, overflowed=overflowed)
    return feed, told


async def everything(feed: EventFeed[int]) -> list[int]:
    """Iterate to the end."""
    return [event async for event in feed]


def test_iteration_ends_with_it() -> None:
    """Events that wait come first, then the end of the iteration, or its error."""
    for error in (None, BadAnswer("x")):
        feed, _ = made()
        feed.deliver(1)
        feed.deliver(2)
        assert (feed.active, feed.depth) == (True, 2)
        feed.end(error)
        assert not feed.active
        found = ends(promise(everything(feed)))
        assert found == ([[1, 2]] if error is None else [BadAnswer])


def test_what_waits_may_be_forgotten() -> None:
    """Whoever ends it may say that nothing more is to be told."""
    feed, _ = made()
    feed.deliver(1)
    feed.end(clear=True)
    assert ends(feed.next()) == [FeedEnded]


@pytest.mark.parametrize(("error", "end"), [(None, None), (BadAnswer("x"), BadAnswer)])
def test_waiting_for_the_end(error: Any, end: Any) -> None:
    """Those who wait before and after hear the same."""
    feed, _ = made()
    before = ends(feed.when_ended())
    feed.end(error)
    feed.end(BadAnswer("later"))
    assert before == ends(feed.when_ended()) == [end]


@pytest.mark.parametrize("by_hand", [True, False])
def test_overflow(by_hand: bool) -> None:
    """Too many events end it, here or on the way, and those who wait for the end know why."""
    feed, told = made(1)
    before = ends(feed.when_ended())
    feed.deliver(1)
    if by_hand:
        feed.overflow()
    else:
        feed.deliver(2)
    assert told == ["overflow"]
    assert before == ends(feed.when_ended()) == [QueueOverflow]


def test_callbacks_come_one_after_the_other() -> None:
    """A callback that takes its time gets the next event when it is done."""
    feed, _ = made()
    seen: list[int] = []
    waits: list[Deferred[None]] = []

    async def callback(number: int) -> None:
        seen.append(number)
        waits.append(Deferred())
        await waits[-1]

    feed.pump(callback)
    feed.deliver(1)
    feed.deliver(2)
    assert seen == [1]
    waits[0].callback(None)
    assert seen == [1, 2]
    feed.end()
    waits[1].callback(None)
    assert seen == [1, 2]
