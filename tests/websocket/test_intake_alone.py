from typing import Any

import pytest
from twisted.internet.task import Clock

from tests.server.peer import BINARY, CLOSE, MASK, frame
from twisted_chainws.websocket.frames import unmask
from twisted_chainws.websocket.intake import CLOSED, MESSAGES_PER_TURN, OPEN, Intake


class Reader(Intake):
    """The reading half alone: what goes to Autobahn is noted, and so is the socket's state."""

    plain = True
    _opened = True
    _limit = 100_000
    unmask_long = staticmethod(unmask)

    def __init__(self) -> None:
        self._clock = Clock()
        self.state = OPEN
        self.data = b""
        self.current_frame = None
        self.inside_message = False
        self.transport = self
        self.reading = True
        self.pauses = 0
        self.messages: list[Any] = []
        self.handed_on: list[bytes] = []
        self.reads = 0
        self.bugs: list[str] = []
        self.begin_intake()

    def pauseProducing(self) -> None:
        self.reading = False
        self.pauses += 1

    def resumeProducing(self) -> None:
        self.reading = True

    def message(self, payload: Any) -> None:
        self.messages.append(payload)
        if payload in (b"hold", "hold"):
            self.hold()
        if payload == b"bug":
            raise ZeroDivisionError

    def read_done(self) -> None:
        self.reads += 1

    def broken(self, doing: str) -> None:
        self.bugs.append(doing)

    def _dataReceived(self, data: bytes) -> None:  # noqa: N802 - Autobahn's name
        self.handed_on.append(data)


def test_plain_messages_are_taken_and_the_rest_is_handed_on() -> None:
    """Whole frames are messages; from the first other frame on it is Autobahn's read."""
    reader = Reader()
    close = frame(b"", CLOSE)
    reader.dataReceived(frame(b"a") + frame(b"b", BINARY) + close + frame(b"c"))
    assert reader.messages == [b"a", b"b"]
    assert reader.handed_on == [close + frame(b"c")]
    assert reader.reads


def test_frames_are_joined_over_reads() -> None:
    """The beginning of a frame waits for its rest, however it is cut."""
    reader = Reader()
    data = frame(b"x" * 300)
    for position in range(0, len(data), 50):
        reader.dataReceived(data[position : position + 50])
    assert reader.messages == [b"x" * 300]
    assert reader.handed_on == []


@pytest.mark.parametrize("name", ["plain", "data", "current_frame", "inside_message"])
def test_in_the_middle_of_anything_it_is_all_autobahns(name: str) -> None:
    """With compression, or within a frame or a message, nothing is taken."""
    reader = Reader()
    setattr(reader, name, {"plain": False, "data": b"x", "current_frame": object()}.get(name, True))
    reader.dataReceived(frame(b"a"))
    assert (reader.messages, reader.handed_on) == ([], [frame(b"a")])


def test_text_is_told_from_binary_on_request() -> None:
    """With ``decode`` text is str, also when it had to wait."""
    reader = Reader()
    reader.decode = True
    reader.dataReceived(frame(b"a") + frame(b"hold") + frame(b"b") + frame(b"c", BINARY))
    reader.release()
    reader._clock.advance(0)
    assert reader.messages == ["a", "hold", "b", b"c"]


def test_on_hold_everything_waits_in_order() -> None:
    """Messages that were read, then bytes that were read; the socket is read again at last."""
    reader = Reader()
    reader.dataReceived(frame(b"hold") + frame(b"1") + frame(b"2"))
    reader.dataReceived(frame(b"3"))
    assert (reader.messages, reader.reading, reader.holding) == ([b"hold"], False, True)
    reader.release()
    assert not reader.reading
    reader._clock.advance(0)
    assert reader.messages == [b"hold", b"1", b"2", b"3"]
    assert reader.reading
    reader.dataReceived(frame(b"4"))
    assert reader.messages[-1] == b"4"


def test_one_turn_has_its_share() -> None:
    """A read full of messages is taken in several turns, and nothing is lost."""
    reader = Reader()
    total = 2 * MESSAGES_PER_TURN + 1
    reader.dataReceived(frame(b"x") * total)
    assert len(reader.messages) == MESSAGES_PER_TURN
    reader._clock.advance(0)
    assert len(reader.messages) == total
    assert reader.reading
    assert reader.pauses == 2


def test_after_our_close_what_waits_is_given_up() -> None:
    """The messages are dropped, and the bytes go on for the sake of the peer's Close."""
    reader = Reader()
    reader.dataReceived(frame(b"hold") + frame(b"1"))
    reader.dataReceived(frame(b"", CLOSE))
    reader.let_go()
    assert reader.reading
    reader._clock.advance(0)
    assert (reader.messages, reader.handed_on) == ([b"hold"], [frame(b"", CLOSE)])


def test_a_closed_connection_hands_nothing_on() -> None:
    """What waited when the connection ended stays where it is."""
    reader = Reader()
    reader.dataReceived(frame(b"hold") + frame(b"1"))
    reader.release()
    reader.state = CLOSED
    reader._clock.advance(0)
    assert reader.messages == [b"hold"]


def test_a_bug_costs_its_connection_only() -> None:
    """An exception of a message's handler ends in ``broken`` and not in the reactor."""
    reader = Reader()
    reader.dataReceived(frame(b"bug"))
    assert reader.bugs == ["reading"]


def test_release_can_be_stopped() -> None:
    """A release that is due can be cancelled, and asked for twice."""
    reader = Reader()
    reader.hold()
    reader.release()
    reader.release()
    assert len(reader._clock.getDelayedCalls()) == 1
    reader.stop_releasing()
    reader.stop_releasing()
    assert reader._clock.getDelayedCalls() == []


def test_invalid_text_is_failed_after_what_came_before() -> None:
    """Messages in front of the invalid one are handed on, none behind it is."""
    reader = Reader()
    reasons: list[str] = []
    reader._invalid_payload = reasons.append
    reader.dataReceived(frame(b"a") + frame(b"\xff", mask=MASK) + frame(b"b"))
    assert reader.messages == [b"a"]
    assert reasons == ["invalid UTF-8 in a text message"]
