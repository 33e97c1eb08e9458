"""Real connections over a transport in memory and a clock that stands still."""

import struct
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.protocol import connectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.logger import LogEvent, capturedLogs

from tests.server.peer import BINARY, CLOSE, PING, PONG, TEXT, UPGRADE, frame
from twisted_chainws.websocket.intake import CLOSED, MESSAGES_PER_TURN, OPEN
from twisted_chainws.websocket.seam import ConnectionOptions, ServerConnection, ServerFactory

GOING_AWAY = struct.pack("!H", 1001)


class Noting(ServerConnection):
    """Notes what it is handed; some messages are commands to itself."""

    def opened(self) -> None:
        self.notes: list[Any] = []

    def message(self, payload: bytes) -> None:
        self.notes.append(payload)
        match payload:
            case b"hold":
                self.hold()
            case b"close":
                self.close(1001)
            case b"break":
                raise ZeroDivisionError

    def read_done(self) -> None:
        self.notes.append("done")

    def closed(self, code: int, reason: str) -> None:
        self.notes.append(("closed", code, reason))


class Wire:
    """One open connection, its clock and its transport."""

    def __init__(self, **options: Any) -> None:
        self.clock = Clock()
        factory = ServerFactory(
            reactor=self.clock,
            connection=Noting,
            options=ConnectionOptions(**{"message_bytes": 100_000} | options),
        )
        self.transport = StringTransport()
        self.connection: Any = factory.buildProtocol(None)
        self.connection.makeConnection(self.transport)
        lines = [f"{name}: {value}" for name, value in UPGRADE.items()]
        request = "\r\n".join(["GET / HTTP/1.1", *lines, "", ""]).encode()
        self.read(request[:50])
        self.read(request[50:])
        assert b" 101 " in self.transport.value()
        assert self.connection.state == OPEN
        self.transport.clear()
        assert self.connection.notes == ["done"]
        self.connection.notes.clear()

    def read(self, *data: bytes) -> None:
        """Let the socket yield so many bytes at once."""
        self.connection.dataReceived(b"".join(data))

    def turn(self) -> None:
        """Let the reactor do what is due now."""
        self.clock.advance(0)

    def end(self) -> None:
        """Lose TCP; whatever timer is left does nothing any more."""
        self.connection.connectionLost(connectionDone)
        assert self.connection.notes[-1][0] == "closed"
        notes = list(self.connection.notes)
        self.clock.advance(60.0)
        assert self.connection.notes == notes
        assert self.clock.getDelayedCalls() == []

    @property
    def messages(self) -> list[bytes]:
        return [note for note in self.connection.notes if isinstance(note, bytes)]

    @property
    def reading(self) -> bool:
        return bool(self.transport.producerState == "producing")

    @property
    def sent(self) -> list[tuple[int, bytes]]:
        """Opcode and payload of every frame written, all of which are short."""
        data, frames = self.transport.value(), []
        while data:
            size = data[1]
            assert size < 126
            frames.append((data[0] & 0x0F, data[2 : 2 + size]))
            data = data[2 + size :]
        return frames


@pytest.fixture
def wire() -> Iterator[Wire]:
    """An open connection without compression, lost at the end of the test."""
    made = Wire()
    yield made
    if made.connection.state != CLOSED:
        made.end()


@pytest.fixture
def logged() -> Iterator[Sequence[LogEvent]]:
    """What was logged so far, as long as the test runs."""
    with capturedLogs() as events:
        yield events


def fragmented(payload: bytes, cut: int) -> bytes:
    """Write a text message as two fragments with a ping between them."""
    return b"".join(
        (
            frame(payload[:cut], TEXT, fin=False),
            frame(b"between", PING),
            frame(payload[cut:], 0),
        )
    )


PAYLOADS = st.text(max_size=40).map(str.encode) | st.just(b"hold")
SENT = st.tuples(PAYLOADS, st.sampled_from([TEXT, BINARY, "fragments", PING]))


@given(
    sent=st.lists(SENT, max_size=25),
    data=st.data(),
    compression=st.booleans(),
)
def test_nothing_is_lost_doubled_or_reordered(
    sent: list[tuple[bytes, int | str]], data: st.DataObject, compression: bool
) -> None:
    """However reads are cut and reading is held and released, the messages are those sent."""
    wire = Wire(compression=compression)
    stream, expected, pings = b"", [], 0
    for payload, kind in sent:
        if kind == "fragments":
            stream += fragmented(payload, len(payload) // 2)
            pings += 1
        else:
            stream += frame(payload, int(kind))
            pings += kind == PING
        if kind != PING:
            expected.append(payload)
    while stream:
        size = data.draw(st.integers(1, 60), "read")
        wire.read(stream[:size])
        stream = stream[size:]
        if data.draw(st.booleans(), "release"):
            wire.connection.release()
            wire.turn()
    for _ in range(len(sent) + 1):
        assert wire.messages == expected[: len(wire.messages)]
        wire.connection.release()
        wire.turn()
    assert wire.messages == expected
    assert [opcode for opcode, _ in wire.sent] == [PONG] * pings
    assert wire.reading
    assert not wire.connection.holding
    wire.end()


def test_a_read_ends_with_one_note(wire: Wire) -> None:
    """Replies of one read can leave in one write: its end is told once, after its messages."""
    wire.read(frame(b"1"), frame(b"2", BINARY), frame(b"3"))
    wire.read(frame(b"4"))
    assert wire.connection.notes == [b"1", b"2", b"3", "done", b"4", "done"]


def test_a_frame_in_pieces_is_handed_on_when_it_is_whole(wire: Wire) -> None:
    """The beginning of a frame waits, short or long, for what is still to come."""
    long = b"x" * 70_000
    for payload in (b"short", long):
        data = frame(payload)
        for piece in (data[:1], data[1:7], data[7:-1]):
            wire.read(piece)
            assert wire.messages == []
        wire.read(data[-1:], frame(b"next"))
        assert wire.messages == [payload, b"next"]
        wire.connection.notes.clear()


def test_holding_pauses_the_socket_and_releasing_resumes_it(wire: Wire) -> None:
    """On hold nothing is handed on; it comes in the turn after the release, not inside it."""
    wire.read(frame(b"hold"), frame(b"1"), frame(b"2", fin=False))
    wire.read(frame(b"3", 0), frame(b"4"))
    assert (wire.messages, wire.reading, wire.connection.holding) == ([b"hold"], False, True)
    wire.connection.hold()
    wire.connection.release()
    wire.connection.release()
    assert (wire.messages, wire.reading) == ([b"hold"], False)
    assert len([call for call in wire.clock.getDelayedCalls() if call.getTime() == 0]) == 1
    wire.turn()
    assert (wire.messages, wire.reading) == ([b"hold", b"1", b"23", b"4"], True)
    wire.connection.release()
    wire.turn()
    assert wire.reading


def test_held_again_while_catching_up(wire: Wire) -> None:
    """A message that was waiting may hold again; the rest waits on and the socket stays paused."""
    wire.read(frame(b"hold"), frame(b"1"), frame(b"hold"), frame(b"2"), frame(b"3", fin=False))
    wire.read(frame(b"4", 0))
    wire.connection.release()
    wire.turn()
    assert (wire.messages, wire.reading) == ([b"hold", b"1", b"hold"], False)
    wire.connection.release()
    wire.turn()
    assert (wire.messages[3:], wire.reading) == ([b"2", b"34"], True)


def test_a_turn_hands_on_only_so_many_messages(wire: Wire) -> None:
    """A read full of messages is spread over turns, each with its end for the replies to leave."""
    total = 2 * MESSAGES_PER_TURN + 3
    wire.read(*(frame(b"%d" % number) for number in range(total)))
    assert len(wire.messages) == MESSAGES_PER_TURN
    assert not wire.reading
    wire.turn()
    assert wire.messages == [b"%d" % number for number in range(total)]
    ends = [place for place, note in enumerate(wire.connection.notes) if note == "done"]
    assert ends == [MESSAGES_PER_TURN, 2 * MESSAGES_PER_TURN + 1, total + 2]
    assert wire.reading


@pytest.mark.parametrize("before", [(), (frame(b"hold"),)])
def test_a_bug_costs_its_connection(
    wire: Wire, logged: Sequence[LogEvent], before: tuple[bytes, ...]
) -> None:
    """An exception while handling, at once or after a hold, is logged and closes with 1011."""
    wire.read(*before, frame(b"break"), frame(b"never"))
    wire.connection.release()
    wire.turn()
    assert wire.messages[-1] == b"break"
    assert [(opcode, data[:2]) for opcode, data in wire.sent] == [(CLOSE, struct.pack("!H", 1011))]
    assert [event["log_failure"].type for event in logged if "log_failure" in event] == [
        ZeroDivisionError
    ]
    wire.read(frame(struct.pack("!H", 1011), CLOSE))
    assert wire.transport.disconnecting


@pytest.mark.parametrize("before", [(), (frame(b"hold"),)])
def test_text_that_is_no_text_ends_the_connection(wire: Wire, before: tuple[bytes, ...]) -> None:
    """What came before is handed on, unless reading was on hold; nothing behind it ever is."""
    wire.read(*before, frame(b"good"), frame(b"\xff"), frame(b"behind"))
    assert wire.messages == [b"hold" if before else b"good"]
    assert [(opcode, data[:2]) for opcode, data in wire.sent] == [(CLOSE, struct.pack("!H", 1007))]
    assert wire.reading
    wire.turn()
    assert len(wire.messages) == 1


def test_nothing_is_handed_on_after_our_close(wire: Wire) -> None:
    """A message that closes is the last one of its read and of all later ones."""
    wire.read(frame(b"1"), frame(b"close"), frame(b"2"), frame(b"3", fin=False), frame(b"4", 0))
    wire.read(frame(b"5"))
    assert wire.messages == [b"1", b"close"]
    wire.connection.hold()
    assert wire.reading


def test_closing_on_hold_reads_on_for_the_peers_close(wire: Wire) -> None:
    """The Close that already lies among the bytes on hold completes the handshake."""
    wire.read(frame(b"hold"), frame(b"1"), frame(b"x", PING))
    wire.read(frame(b"2"), frame(GOING_AWAY, CLOSE))
    wire.connection.release()
    wire.connection.close(1001)
    assert wire.reading
    assert not wire.transport.disconnecting
    wire.turn()
    assert wire.messages == [b"hold"]
    assert wire.transport.disconnecting
    wire.end()
    assert wire.connection.notes[-1] == ("closed", 1001, "")


def test_losing_the_connection_forgets_what_waited(wire: Wire) -> None:
    """Nothing that was on hold is handed on once TCP is gone, and no timer is left."""
    wire.read(frame(b"hold"), frame(b"1"))
    wire.read(frame(b"2"))
    wire.connection.release()
    wire.end()
    wire.connection.release()
    wire.turn()
    assert wire.messages == [b"hold"]


def test_bytes_on_hold_may_outlive_the_connection(wire: Wire) -> None:
    """When TCP goes between our Close and the turn that reads on, the rest is not looked at."""
    wire.read(frame(b"hold"))
    wire.read(frame(b"1"), frame(GOING_AWAY, CLOSE))
    wire.connection.close(1001)
    wire.end()
    assert wire.messages == [b"hold"]
    assert wire.connection.notes[-1] == ("closed", 1001, "")


def test_any_byte_is_a_sign_of_life() -> None:
    """A ping that is followed by bytes, even on hold and even half a frame, was answered."""
    for before, sign in ((b"", b"\x81"), (frame(b"hold"), b"x")):
        wire = Wire(ping_interval_s=10.0, ping_timeout_s=5.0)
        wire.read(before)
        wire.clock.advance(10.0)
        assert wire.sent[-1][0] == PING
        assert wire.connection.pulse.waiting
        wire.read(sign)
        assert not wire.connection.pulse.waiting
        wire.clock.advance(5.0)
        assert wire.connection.state == OPEN
        wire.end()
