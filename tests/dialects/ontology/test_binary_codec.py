import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.dialects.ontology.vectors import vectors
from twisted_chainws.dialects.ontology.binary_codec import (
    Reader,
    decode_neo_integer,
    encode_neo_integer,
    encode_varbytes,
    encode_varuint,
)

VARUINTS = [
    (0, "00"),
    (0xFC, "fc"),
    (0xFD, "fdfd00"),
    (0xFFFF, "fdffff"),
    (0x10000, "fe00000100"),
    (2**32 - 1, "feffffffff"),
    (2**32, "ff0000000001000000"),
    (2**64 - 1, "ffffffffffffffffff"),
]


@pytest.mark.parametrize(("value", "encoded"), VARUINTS)
def test_varuints(value: int, encoded: str) -> None:
    """A number is as wide as it has to be."""
    assert encode_varuint(value).hex() == encoded
    assert Reader(bytes.fromhex(encoded)).varuint() == value


def test_too_large() -> None:
    """More than 64 bits cannot be written."""
    with pytest.raises(ValueError, match="does not fit in 64 bits"):
        encode_varuint(2**64)


@pytest.mark.parametrize("encoded", ["fdfc00", "feffff0000", "ffffffffff00000000"])
def test_irregular_varuints(encoded: str) -> None:
    """A number that is written wider than it has to be is refused."""
    with pytest.raises(ValueError, match="irregular data"):
        Reader(bytes.fromhex(encoded)).varuint()


@pytest.mark.parametrize("encoded", ["", "fd", "fd01", "ff00000000000000", "0201"])
def test_cut_off(encoded: str) -> None:
    """What ends too early is refused."""
    with pytest.raises(ValueError, match="unexpected EOF"):
        Reader(bytes.fromhex(encoded)).varbytes()


@given(st.integers(0, 2**64 - 1), st.binary(max_size=300))
def test_round_trip(value: int, data: bytes) -> None:
    """What was written is read, and nothing is left."""
    reader = Reader(encode_varuint(value) + encode_varbytes(data) + bytes(range(52)))
    assert reader.varuint() == value
    start = reader.position
    assert reader.varbytes() == data
    assert reader.since(start) == encode_varbytes(data)
    assert reader.hash32() == bytes(range(32))
    assert reader.remaining == 20
    assert reader.address() == bytes(range(32, 52))
    reader.finish()


def test_left_over() -> None:
    """Bytes that nobody took are refused where nothing may follow."""
    with pytest.raises(ValueError, match="3 bytes too many"):
        Reader(bytes(3)).finish()


@pytest.mark.parametrize("sample", vectors("neo_bytes"), ids=lambda it: it["value"])
def test_published_neo_integers(sample: dict[str, str]) -> None:
    """The samples are written and read."""
    assert encode_neo_integer(int(sample["value"])).hex() == sample["hex"]
    assert decode_neo_integer(bytes.fromhex(sample["hex"])) == int(sample["value"])


NEGATIVE = [(-1, "ff"), (-128, "80"), (-129, "7fff"), (-256, "00ff"), (-32768, "0080")]


@pytest.mark.parametrize(("value", "encoded"), NEGATIVE)
def test_negative_neo_integers(value: int, encoded: str) -> None:
    """Negative numbers are two's complement."""
    assert encode_neo_integer(value).hex() == encoded
    assert decode_neo_integer(bytes.fromhex(encoded)) == value


@given(st.integers())
def test_neo_round_trip(value: int) -> None:
    """Whatever is written is read, and no shorter form exists."""
    encoded = encode_neo_integer(value)
    assert decode_neo_integer(encoded) == value
    assert not encoded or decode_neo_integer(encoded[:-1]) != value


def test_padded_neo_integers() -> None:
    """SDKs write numbers of fixed width, which are read all the same."""
    assert decode_neo_integer(bytes.fromhex("1000000000000000")) == 16
    assert decode_neo_integer(bytes.fromhex("ffffff")) == -1
