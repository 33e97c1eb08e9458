from dataclasses import replace
from typing import Any

import pytest
from twisted.internet.task import Clock
from twisted.logger import LogLevel, globalLogPublisher

from tests.server.peer import frame
from twisted_chainws.dialects.catalog import DIALECTS
from twisted_chainws.dialects.notice import JoinedNotice, Notice
from twisted_chainws.server.fanout import SLICE, WAITING, Fanout
from twisted_chainws.subscriptions.registry import Subscription
from twisted_chainws.subscriptions.watches import Watches

DIALECT = DIALECTS[0]
WIDTH = DIALECT.envelope.id_width


class Connection:
    """Keeps what it is given; is its own session."""

    def __init__(self, *, direct: bool = True, broken: bool = False) -> None:
        self.direct = direct
        self.broken = broken
        self.owner = self
        self.frames: list[bytes] = []
        self.delivered: list[tuple[str, Notice]] = []
        self.failed = False

    def send_frame(self, data: bytearray, _now: float) -> None:
        if self.broken:
            raise ZeroDivisionError
        self.frames.append(bytes(data))

    def deliver(self, subscription: Subscription, notice: Notice) -> None:
        self.delivered.append((subscription.id, notice))

    def fail(self) -> None:
        self.failed = True


class Turns(Clock):
    """Counts how often somebody waits for the next turn."""

    turns = 0

    def callLater(self, *arguments: Any, **more: Any) -> Any:
        self.turns += 1
        return super().callLater(*arguments, **more)


def _subscription(number: int, owner: Connection) -> Subscription:
    wanted: Any = None
    return Subscription(
        subscription_id=f"{number:0{WIDTH}x}",
        wanted=wanted,
        encode=lambda *_: b"",
        owner=owner,
        cursor=False,
    )


def _notice(text: bytes, size: int = 0) -> Notice:
    return Notice(b'{"id":"', b'","text":"' + text + b"x" * size + b'"}')


def _wire(subscription: Subscription, notice: Notice) -> bytes:
    return frame(notice.head + subscription.wire_id + notice.tail, mask=None)


@pytest.mark.parametrize("size", [0, 60, 90, 200, 70_000])
def test_each_gets_its_own_id_in_a_whole_frame(size: int) -> None:
    """The frame is that of the notice with the subscriber's id, whatever its length."""
    fanout = Fanout(reactor=Clock())
    connections = [Connection() for _ in range(3)]
    subscriptions = [_subscription(i, each) for i, each in enumerate(connections)]
    notice = _notice(b"a", size)
    fanout.publish(DIALECT, notice, subscriptions)
    for subscription, connection in zip(subscriptions, connections, strict=True):
        assert connection.frames == [_wire(subscription, notice)]


def test_a_notice_without_an_id_is_sent_as_it_is() -> None:
    """Where a message is for a connection and not for a subscription."""
    watches, connections = Watches(), [Connection(), Connection()]
    for connection in connections:
        watches.watch(connection, "heads", (), max_topics=1, max_addresses=1)
    ((_, watchers),) = watches.groups()
    dialect = replace(DIALECT, envelope=replace(DIALECT.envelope, id_width=0))
    Fanout(reactor=Clock()).publish(dialect, JoinedNotice([b"whole ", b"text"]), watchers)
    assert [each.frames for each in connections] == [[frame(b"whole text", mask=None)]] * 2


def test_frames_are_made_when_they_are_needed() -> None:
    """Notices that wait for their turn share what they have in common."""
    clock, connection = Clock(), Connection()
    fanout = Fanout(reactor=clock)
    subscriptions = [_subscription(number, connection) for number in range(SLICE + 1)]
    fanout.publish(DIALECT, _notice(b"a"), subscriptions)
    waiting = _notice(b"b")
    fanout.publish(DIALECT, waiting, subscriptions)
    assert waiting.frame is None
    clock.advance(0)
    assert len(connection.frames) == 2 * (SLICE + 1)


def test_slices_take_turns_and_keep_the_order() -> None:
    """At most a slice per turn; every subscriber gets the notices in the order of their publishing."""
    clock = Turns()
    fanout = Fanout(reactor=clock)
    connections = [Connection() for _ in range(2 * SLICE + 10)]
    subscriptions = [_subscription(i, each) for i, each in enumerate(connections)]
    notices = [_notice(b"%d" % i) for i in range(3)]
    for notice in notices:
        fanout.publish(DIALECT, notice, subscriptions)
    assert sum(len(each.frames) for each in connections) == SLICE
    clock.advance(0)
    assert clock.turns == 6
    for subscription, connection in zip(subscriptions, connections, strict=True):
        assert connection.frames == [_wire(subscription, notice) for notice in notices]


def test_closed_subscriptions_are_skipped_even_when_closed_meanwhile() -> None:
    """Nothing is sent for a subscription that was closed between two slices."""
    clock = Clock()
    fanout = Fanout(reactor=clock)
    connections = [Connection() for _ in range(SLICE + 1)]
    subscriptions = [_subscription(i, each) for i, each in enumerate(connections)]
    fanout.publish(DIALECT, _notice(b"a"), subscriptions)
    subscriptions[-1].active = False
    clock.advance(0)
    assert connections[-1].frames == []


def test_sessions_that_are_not_direct_keep_their_notices() -> None:
    """A congested session gets the notice instead of the socket."""
    connection = Connection(direct=False)
    notice = _notice(b"a")
    Fanout(reactor=Clock()).publish(DIALECT, notice, [_subscription(1, connection)])
    assert connection.frames == []
    assert connection.delivered == [(f"{1:0{WIDTH}x}", notice)]


def test_a_broken_connection_costs_nobody_else() -> None:
    """A failing delivery is logged, its connection closed, the others are served."""
    broken, sound = Connection(broken=True), Connection()
    seen: list[Any] = []
    observer: Any = seen.append
    globalLogPublisher.addObserver(observer)
    try:
        Fanout(reactor=Clock()).publish(
            DIALECT, _notice(b"a"), [_subscription(1, broken), _subscription(2, sound)]
        )
    finally:
        globalLogPublisher.removeObserver(observer)
    assert broken.failed
    assert len(sound.frames) == 1
    assert [event["log_level"] for event in seen] == [LogLevel.critical]


def test_events_that_come_too_fast_are_written_by_who_publishes_them() -> None:
    """The queue does not grow beyond its bound, and order is kept."""
    fanout = Fanout(reactor=Clock())
    connection = Connection()
    crowd = [_subscription(number, connection) for number in range(2)]
    notices = [_notice(b"%d" % number) for number in range(WAITING + 500)]
    fanout.publish(DIALECT, _notice(b"first"), crowd * SLICE)
    for notice in notices:
        fanout.publish(DIALECT, notice, crowd)
    assert len(connection.frames) > SLICE
    written = len(connection.frames) - 2 * SLICE
    assert written // 2 >= len(notices) - WAITING
    assert connection.frames[2 * SLICE] == _wire(crowd[0], notices[0])
    assert connection.frames[-1] == _wire(crowd[1], notices[written // 2 - 1])
