import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.strategies import relaxed
from twisted_chainws.chain.ops import Cursor
from twisted_chainws.chain.types import Seq
from twisted_chainws.errors import CursorMalformed

LONGEST = 10**19 - 1


def cursors() -> st.SearchStrategy[Cursor]:
    """Draw a cursor."""
    places = st.integers(0, LONGEST)
    return st.builds(
        Cursor,
        epoch=st.integers(0, 2**64 - 1),
        seq=places.map(Seq),
        index=st.one_of(st.none(), places),
    )


@relaxed
@given(cursors())
def test_a_cursor_survives_its_text(cursor: Cursor) -> None:
    """Reading the text of a cursor gives the cursor."""
    assert Cursor.parse(str(cursor)) == cursor


@relaxed
@given(st.text(alphabet="0123456789abcdefABCDEF:+-_ ²", max_size=60))
@example("²" * 16 + ":1")
@example("0" * 16 + ":²")
def test_any_text_is_a_cursor_or_malformed(text: str) -> None:
    """Reading any text gives a cursor or the one error, which quotes the text."""
    try:
        Cursor.parse(text)
    except CursorMalformed as error:
        assert error.text == text  # noqa: PT017 - both ways are right


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        "0123456789abcdef",
        "0123456789abcdef:",
        "0123456789abcdef:1:",
        "0123456789abcdef:1:2:3",
        "0123456789abcde:1",
        "0123456789ABCDEF:1",
        "0123456789abcdef:-1",
        "0123456789abcdef: 1",
        "0123456789abcdef:1_0",
        "0123456789abcdef:" + "9" * 20,
        "0123456789abcdef:1:" + "9" * 20,
    ],
)
def test_malformed_texts(text: str) -> None:
    """Anything but epoch, place and perhaps an index is refused."""
    with pytest.raises(CursorMalformed):
        Cursor.parse(text)


def test_the_text_form() -> None:
    """The epoch is 16 hex digits, the rest is decimal."""
    assert str(Cursor(epoch=255, seq=Seq(3))) == "00000000000000ff:3"
    assert str(Cursor(epoch=255, seq=Seq(3), index=0)) == "00000000000000ff:3:0"
