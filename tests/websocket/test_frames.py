import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.server.peer import BINARY, CLOSE, TEXT, frame
from twisted_chainws.websocket.frames import (
    CLOSE_CODES,
    LARGEST_KEPT,
    Rest,
    header,
    message,
    take,
    truncate,
    unmask,
)

LIMIT = 1_000_000


def _long(mask: bytes, masked: bytes) -> bytes:
    return bytes(byte ^ mask[i % 4] for i, byte in enumerate(masked))


MASKS = st.binary(min_size=4, max_size=4)
TEXTS = st.text(max_size=300).map(str.encode) | st.integers(0, 70_000).map(lambda size: b"x" * size)


@given(st.lists(st.tuples(TEXTS, MASKS, st.sampled_from([TEXT, BINARY])), max_size=5))
def test_whole_frames_are_taken(frames: list[tuple[bytes, bytes, int]]) -> None:
    """All whole frames come out unmasked, in order, and nothing is left."""
    data = b"".join(frame(payload, opcode, mask=mask) for payload, mask, opcode in frames)
    payloads, position, rest = take(data, LIMIT, _long)
    assert payloads == [payload for payload, _, _ in frames]
    assert (position, rest) == (len(data), Rest.FOREIGN)


@given(st.binary(max_size=200), MASKS, st.integers(0, 400))
def test_the_beginning_of_a_frame_is_kept_or_left(payload: bytes, mask: bytes, cut: int) -> None:
    """A cut frame yields nothing: it is kept, or too short to be known yet."""
    data = frame(b"first") + frame(payload, BINARY, mask=mask)
    start = len(frame(b"first"))
    cut = min(start + cut, len(data) - 1)
    payloads, position, rest = take(data[:cut], LIMIT, _long)
    assert (payloads, position) == ([b"first"], start)
    assert rest in (Rest.KEEP, Rest.FOREIGN)


@given(st.binary(max_size=500))
def test_arbitrary_bytes_are_never_misread(data: bytes) -> None:
    """Whatever comes, no more bytes are taken than there are, and no exception is raised."""
    payloads, position, _ = take(data, LIMIT, _long)
    assert sum(map(len, payloads)) + 6 * len(payloads) <= position <= len(data)


@pytest.mark.parametrize(
    "data",
    [
        frame(b"x", CLOSE),
        frame(b"x", fin=False),
        frame(b"x", 0),
        frame(b"x", mask=None),
        b"\xc1" + frame(b"x")[1:],
        b"\x81\xfe\x00\x05" + bytes(9),
        b"\x81\xff\x00\x00\x00\x00\x00\x00\x00\x05" + bytes(9),
        b"\x81\xff\x80\x00\x00\x00\x00\x00\x00\x05" + bytes(9),
        frame(b"x" * 1_001),
        frame(b"x" * 70_000)[:60_000],
    ],
)
def test_everything_else_is_left_alone(data: bytes) -> None:
    """Control frames, fragments, violations, over-long and long unfinished frames are not ours."""
    limit = LIMIT if len(data) == 60_000 else 1_000
    assert take(frame(b"a") + data, limit, _long) == ([b"a"], 7, Rest.FOREIGN)


def test_unfinished_frames_are_kept_up_to_a_size() -> None:
    """Up to 64 KiB an unfinished frame waits here."""
    data = frame(b"x" * LARGEST_KEPT)
    assert take(data[:-1], LIMIT, _long) == ([], 0, Rest.KEEP)


def test_invalid_utf8_ends_the_taking() -> None:
    """Text that is no UTF-8 is told apart; binary frames are not looked at."""
    good, bad = frame("ä€😀".encode()), frame(b"\xff")
    payloads, position, rest = take(good + frame(b"\xff", BINARY) + bad + good, LIMIT, _long)
    assert payloads == ["ä€😀".encode(), b"\xff"]
    assert (position, rest) == (len(good) + 2 * len(bad), Rest.INVALID)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 100_000])
def test_headers(size: int) -> None:
    """Headers of all three length encodings are those of an unmasked text frame."""
    payload = b"x" * size
    assert message(payload) == header(size) + payload == frame(payload, mask=None)


@given(st.binary(max_size=1_100), MASKS)
def test_unmasking_twice_is_nothing(payload: bytes, mask: bytes) -> None:
    """A mask is its own inverse and equals the byte-wise definition."""
    assert unmask(mask, payload) == _long(mask, payload)
    assert unmask(mask, unmask(mask, payload)) == payload


@given(st.text(max_size=200))
def test_reasons_are_cut_at_characters(reason: str) -> None:
    """A reason fits its frame and stays valid UTF-8."""
    cut = truncate(reason)
    assert len(cut) <= 123
    assert reason.startswith(cut.decode())


def test_codes_that_may_be_sent() -> None:
    """Reserved codes are never sent."""
    assert not CLOSE_CODES & {999, 1004, 1005, 1006, 1014, 1015, 2999, 5000}
    assert {1000, 1001, 1007, 1008, 1009, 1011, 3000, 4999} <= CLOSE_CODES
