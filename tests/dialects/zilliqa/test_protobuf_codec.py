import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_chainws.dialects.zilliqa.protobuf_codec import (
    Reader,
    encode_byte_array,
    encode_bytes,
    encode_number,
)

NUMBERS = [
    (0, "0800"),
    (1, "0801"),
    (127, "087f"),
    (128, "088001"),
    (150, "089601"),
    (2**64 - 1, "08ffffffffffffffffff01"),
]


@pytest.mark.parametrize(("value", "encoded"), NUMBERS)
def test_numbers(value: int, encoded: str) -> None:
    """Numbers have seven bits a byte, the lowest first."""
    assert encode_number(1, value).hex() == encoded
    assert Reader(bytes.fromhex(encoded)).number(1) == value


def test_bytes() -> None:
    """Bytes have their length before them; a byte array is a message around them."""
    assert encode_bytes(2, b"testing").hex() == "120774657374696e67"
    assert encode_byte_array(2, b"testing").hex() == "12090a0774657374696e67"
    assert encode_bytes(2, bytes(200))[:3].hex() == "12c801"
    assert encode_number(16, 1).hex() == "800101"


@given(
    st.dictionaries(
        st.integers(1, 2**29 - 1),
        st.one_of(st.integers(0, 2**64 - 1), st.binary(max_size=300)),
        max_size=5,
    )
)
def test_messages(fields: dict[int, int | bytes]) -> None:
    """What was written is read, whatever the fields."""
    message = b"".join(
        encode_number(field, value) if isinstance(value, int) else encode_bytes(field, value)
        for field, value in sorted(fields.items())
    )
    reader = Reader(message)
    for field, value in fields.items():
        read = reader.number(field) if isinstance(value, int) else reader.data(field)
        assert read == value
    reader.finish()


UNREADABLE = [
    ("08", "cut off"),
    ("0880", "cut off"),
    ("80", "cut off"),
    ("1203ffff", "cut off"),
    ("12ff", "cut off"),
    ("08000800", "field 1 is out of order"),
    ("10000800", "field 1 is out of order"),
    ("0000", "field 0 is out of order"),
    ("0d00000000", "field 1 has wire type 5"),
    ("09" + "00" * 8, "field 1 has wire type 1"),
    ("0b0c", "field 1 has wire type 3"),
    ("088000", "a number is too long"),
    ("08ffffffffffffffffff02", "a number is too long"),
    ("08" + "80" * 10 + "01", "a number is too long"),
]


@pytest.mark.parametrize(("message", "reason"), UNREADABLE)
def test_unreadable(message: str, reason: str) -> None:
    """What a node does not write is refused with the reason."""
    with pytest.raises(ValueError, match=f"^{reason}$"):
        Reader(bytes.fromhex(message))


def test_fields_that_are_not_as_expected() -> None:
    """Taking a field says what is wrong with it."""
    message = encode_number(1, 5) + encode_bytes(2, b"abc") + encode_number(3, 1)
    for wrong, reason in (
        (lambda reader: reader.number(4), "field 4 is missing"),
        (lambda reader: reader.data(4), "field 4 is missing"),
        (lambda reader: reader.number(2), "field 2 is no number"),
        (lambda reader: reader.data(1), "field 1 holds no bytes"),
        (lambda reader: reader.data(2, length=4), "field 2 has 3 bytes, expected 4"),
        (lambda reader: reader.byte_array(2, length=3), "field 12 has wire type 1"),
        (lambda reader: reader.finish(), "field 1 is unknown"),
    ):
        with pytest.raises(ValueError, match=f"^{reason}$"):
            wrong(Reader(message))


def test_defaults() -> None:
    """A field that may lack has its default, also when that is zero or empty."""
    reader = Reader(b"")
    assert reader.number(1, default=0) == 0
    assert reader.data(2, default=b"") == b""
    reader.finish()


def test_a_byte_array_holds_nothing_else() -> None:
    """A byte array with a second field is refused."""
    inner = encode_bytes(1, b"ab") + encode_number(2, 1)
    with pytest.raises(ValueError, match="field 2 is unknown"):
        Reader(encode_bytes(1, inner)).byte_array(1, length=2)
