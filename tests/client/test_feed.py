import asyncio
from typing import Any

import pytest

from twisted_chainws.client.errors import BadAnswer, Misuse, QueueOverflow
from twisted_chainws.client.feed import Feed, FeedEnded


class Taker:
    """Takes once, and notes what comes of it."""

    def __init__(self, feed: Feed[Any]) -> None:
        self.ends: list[Any] = []
        self.outcome = feed.take()
        self.outcome.addCallbacks(self.ends.append, lambda failure: self.ends.append(failure.value))


def made(limit: int = 2) -> tuple[Feed[int], list[QueueOverflow]]:
    """Return a feed and its overflows."""
    overflows: list[QueueOverflow] = []
    return Feed(limit, overflows.append), overflows


def test_in_order() -> None:
    """Events come in the order in which they were put, waited for or not."""
    feed, _ = made()
    waiting = Taker(feed)
    assert waiting.ends == []
    for number in (1, 2, 3):
        feed.put(number)
    assert waiting.ends == [1]
    assert len(feed) == 2
    assert [Taker(feed).ends, Taker(feed).ends] == [[2], [3]]


def test_one_taker() -> None:
    """A second one is refused, unless the first has gone."""
    feed, _ = made()
    first = Taker(feed)
    assert [type(end) for end in Taker(feed).ends] == [Misuse]
    first.outcome.cancel()
    second = Taker(feed)
    feed.put(1)
    assert second.ends == [1]


def test_overflow() -> None:
    """One event too many ends the feed; those before are still there, then comes the error."""
    feed, overflows = made()
    for number in (1, 2, 3, 4):
        feed.put(number)
    assert [error.limit for error in overflows] == [2]
    assert feed.ended
    assert [Taker(feed).ends for _ in range(2)] == [[1], [2]]
    for _ in range(2):
        assert Taker(feed).ends == overflows


def test_no_event_is_lost_to_a_task_that_is_cancelled() -> None:
    """A task that is cancelled when its event has come leaves it to the next one."""
    feed, _ = made()

    async def take() -> int:
        return await feed.take()

    async def main() -> list[int]:
        task = asyncio.ensure_future(take())
        await asyncio.sleep(0)
        feed.put(1)
        feed.put(2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        waiting = asyncio.ensure_future(take())
        return [await waiting, await take()]

    assert asyncio.run(main()) == [1, 2]


@pytest.mark.parametrize("error", [None, BadAnswer("x")])
def test_the_end(error: Any) -> None:
    """The first end counts, for those who wait and those who come later."""
    feed, _ = made()
    waiting = Taker(feed)
    feed.end(error)
    feed.end(BadAnswer("later"))
    feed.put(1)
    for ends in (waiting.ends, Taker(feed).ends):
        assert ends == [error] if error else [type(end) for end in ends] == [FeedEnded]


def test_the_end_may_clear() -> None:
    """What waits is forgotten if that is wanted."""
    for clear, left in ((False, [1]), (True, [])):
        feed, _ = made()
        feed.put(1)
        feed.end(clear=clear)
        assert len(feed) == len(left)
