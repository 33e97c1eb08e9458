from typing import Any

import pytest

from tests.client.test_promise import ends
from twisted_chainws.client.errors import BadAnswer, QueueOverflow
from twisted_chainws.client.ethereum.streams import Height, RawStream, StreamHooks
from twisted_chainws.client.ethereum.subscription import Subscription
from twisted_chainws.client.feed import FeedEnded
from twisted_chainws.client.options import ClientOptions
from twisted_chainws.client.promise import promise
from twisted_chainws.client.status import Counters
from twisted_chainws.websocket.awaiting import succeeded


def made(queue_size: int = 3) -> tuple[Subscription, list[Any]]:
    """Return a subscription of raw events, and what it tells those who made it."""
    told: list[Any] = []

    def unsubscribe(subscription: Subscription) -> Any:
        told.append("unsubscribe")
        subscription.end(clear=True)
        return succeeded(value=True)

    def overflowed(subscription: Subscription) -> None:
        told.append("overflow")
        subscription.overflowed()

    def stream(subscription: Subscription) -> RawStream:
        return RawStream(
            reader=None,  # type: ignore[arg-type]  # raw events need nothing
            options=ClientOptions(queue_size=queue_size),
            height=Height(),
            counters=Counters(),
            hooks=StreamHooks(
                event=subscription.deliver,
                gap=told.append,
                overflow=subscription.overflow,
                removed=told.append,
            ),
        )

    subscription = Subscription(
        identifier="0x1",
        kind="syncing",
        options=None,
        queue_size=queue_size,
        unsubscribe=unsubscribe,
        overflowed=overflowed,
        make_stream=stream,
    )
    return subscription, told


async def everything(subscription: Subscription) -> list[Any]:
    """Iterate to the end."""
    return [event async for event in subscription]


def test_iteration_ends_with_it() -> None:
    """Events that wait come first, then the end of the iteration, or its error."""
    for error in (None, BadAnswer("x")):
        subscription, _ = made()
        subscription.stream.take(1)
        subscription.stream.take(2)
        assert subscription.depth == 2
        subscription.end(error)
        assert not subscription.active
        found = ends(promise(everything(subscription)))
        assert found == ([[1, 2]] if error is None else [BadAnswer])


def test_next_after_the_end() -> None:
    """Whoever takes by hand hears that nothing is wrong."""
    subscription, _ = made()
    subscription.end()
    assert ends(subscription.next()) == [FeedEnded]


@pytest.mark.parametrize(("error", "end"), [(None, None), (BadAnswer("x"), BadAnswer)])
def test_waiting_for_the_end(error: Any, end: Any) -> None:
    """Those who wait before and after hear the same."""
    subscription, _ = made()
    before = ends(subscription.when_ended())
    subscription.end(error)
    subscription.end(BadAnswer("later"))
    assert before == ends(subscription.when_ended()) == [end]


def test_unsubscribing() -> None:
    """It goes to the client, and what waits is forgotten."""
    subscription, told = made()
    subscription.stream.take(1)
    assert ends(subscription.unsubscribe()) == [True]
    assert told == ["unsubscribe"]
    assert ends(promise(everything(subscription))) == [[]]


def test_overflow() -> None:
    """Too many events end it, and those who wait for the end know why."""
    subscription, told = made(1)
    before = ends(subscription.when_ended())
    subscription.stream.take(1)
    subscription.stream.take(2)
    assert told == ["overflow"]
    assert before == ends(subscription.when_ended()) == [QueueOverflow]


def test_while_something_is_found_out() -> None:
    """Events that wait for what comes before them count, and come after it."""
    subscription, told = made()
    stream = subscription.stream
    stream.hold()
    stream.take(1)
    assert (subscription.depth, stream.waiting) == (1, 1)
    stream.recover(None, 0)
    assert len(told) == 1
    assert ends(subscription.next()) == [1]
    stream.hold()
    for number in range(5):
        stream.take(number)
    assert told[1:] == ["overflow"]


def test_callbacks() -> None:
    """Each event calls back, in order, until the end."""
    subscription, _ = made()
    seen: list[Any] = []
    subscription.pump(seen.append)
    for number in range(5):
        subscription.stream.take(number)
    subscription.end()
    assert seen == [0, 1, 2, 3, 4]
