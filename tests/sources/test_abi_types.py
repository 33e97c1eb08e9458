"""Solidity's types and values against another implementation, and data that lies."""

import tracemalloc
from typing import Any

import pytest
from eth_abi import encode
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import relaxed
from twisted_chainws.sources.abi_types import (
    DEEPEST,
    MOST_VALUES,
    decode_values,
    objects,
    parse_type,
)

ADDRESS = bytes(range(20))


def typed(text: str, components: Any = None) -> Any:
    """Read a type."""
    entry = {"type": text} if components is None else {"type": text, "components": components}
    return parse_type(entry)


def word(value: int) -> bytes:
    """Write a number."""
    return value.to_bytes(32, "big")


PLAIN: list[tuple[str, Any]] = [
    ("uint8", 255),
    ("uint256", 2**256 - 1),
    ("int8", -128),
    ("int256", -(2**255)),
    ("int24", -5),
    ("address", ADDRESS),
    ("bool", True),
    ("bool", False),
    ("bytes1", b"a"),
    ("bytes32", bytes(range(32))),
    ("bytes", b"some bytes that are longer than one word of the encoding"),
    ("bytes", b""),
    ("string", "grüße"),
    ("uint16[3]", (1, 2, 3)),
    ("uint16[]", ()),
    ("string[2]", ("a", "b")),
    ("bytes[][2]", ((b"a", b"b"), (b"c",))),
    ("uint8[2][]", ((1, 2), (3, 4))),
]


@pytest.mark.parametrize(("text", "value"), PLAIN)
def test_values(text: str, value: Any) -> None:
    """Every type is read as it was written, also behind others."""
    types = ["uint256", text, "string"]
    data = encode(types, [7, value, "end"])
    assert decode_values([typed(each) for each in types], data) == (7, value, "end")
    assert typed(text).text == text


def test_tuples() -> None:
    """Tuples are tuples of their members, and signatures hold their types."""
    inner = [{"name": "x", "type": "uint8"}, {"name": "y", "type": "string[]"}]
    point = typed("tuple[]", [{"type": "address"}, {"type": "tuple", "components": inner}])
    assert point.text == "(address,(uint8,string[]))[]"
    value = ((ADDRESS, (1, ("a", "bc"))), (ADDRESS, (2, ())))
    assert decode_values([point], encode([point.text], [value])) == (value,)
    static = typed("tuple[2]", [{"type": "bool"}, {"type": "uint8"}])
    assert (static.size, static.is_dynamic) == (128, False)
    pairs = ((True, 1), (False, 2))
    assert decode_values([static], encode([static.text], [pairs])) == (pairs,)


def test_short_names() -> None:
    """Integers without a width have 256 bits."""
    assert [typed(text).text for text in ("uint", "int[]")] == ["uint256", "int256[]"]


@relaxed
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("uint64[]"), st.lists(st.integers(0, 2**64 - 1)).map(tuple)),
            st.tuples(st.just("string"), st.text()),
            st.tuples(st.just("bytes"), st.binary()),
            st.tuples(st.just("int40"), st.integers(-(2**39), 2**39 - 1)),
            st.tuples(st.just("bool[2]"), st.tuples(st.booleans(), st.booleans())),
        ),
        max_size=6,
    )
)
def test_any_values(pairs: list[tuple[str, Any]]) -> None:
    """What the other implementation writes is read as it was."""
    types, values = [text for text, _ in pairs], [value for _, value in pairs]
    assert decode_values([typed(text) for text in types], encode(types, values)) == tuple(values)


@relaxed
@given(st.binary(max_size=200), st.sampled_from([text for text, _ in PLAIN]))
def test_any_data(data: bytes, text: str) -> None:
    """Data that is none of the type is refused and nothing else happens."""
    try:
        (value,) = decode_values([typed(text)], data)
    except ValueError:
        return
    assert decode_values([typed(text)], encode([text], [value])) == (value,)


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("uint8", word(256)),
        ("int8", word(128)),
        ("int8", word(2**256 - 129)),
        ("address", word(2**160)),
        ("bool", word(2)),
        ("bytes2", b"abc" + bytes(29)),
        ("uint256", bytes(31)),
        ("bytes", word(32)),
        ("bytes", word(2**255)),
        ("bytes", word(32) + word(5) + b"abcd"),
        ("string", word(32) + word(1) + b"\xff"),
        ("uint256[]", word(32) + word(2) + word(1)),
        ("uint256[]", word(32) + word(2**64)),
    ],
)
def test_data_that_lies(text: str, data: bytes) -> None:
    """Values outside their type, offsets and lengths outside the data are refused."""
    with pytest.raises(ValueError, match=r".+"):
        decode_values([typed(text)], data)


def test_shared_values_are_counted() -> None:
    """Offsets that all lead to the same place do not multiply the work."""
    count = 100
    level = word(count) + word(32 * count) * count
    data = word(32) + b"".join(level for _ in range(3)) + word(0)
    tracemalloc.start()
    with pytest.raises(ValueError, match="more than"):
        decode_values([typed("uint256[][][][]")], data)
    with pytest.raises(ValueError, match="more than"):
        decode_values([typed(f"uint256[{MOST_VALUES + 1}]")], bytes(32 * MOST_VALUES + 32))
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({}, "expected a type"),
        ({"type": 5}, "expected a type"),
        ({"type": "uint7"}, "uint7"),
        ({"type": "uint264"}, "uint264"),
        ({"type": "bytes33"}, "bytes33"),
        ({"type": "bytes0"}, "bytes0"),
        ({"type": "fixed128x18"}, "fixed128x18"),
        ({"type": "uint256[0]"}, "array of something"),
        ({"type": "tuple[]", "components": []}, "array of something"),
        ({"type": "tuple"}, "expected components"),
        ({"type": "tuple", "components": [5]}, "expected components"),
        ({"type": "bool" + "[]" * (DEEPEST + 1)}, "inside each other"),
        ({"type": "x" * 10_000}, "events are read of"),
    ],
)
def test_what_is_no_type(entry: Any, reason: str) -> None:
    """The reason says what was expected, in one line."""
    with pytest.raises(ValueError, match=reason) as refused:
        parse_type(entry)
    assert len(str(refused.value)) < 200


def test_an_empty_tuple() -> None:
    """A tuple of nothing takes no place."""
    assert decode_values([typed("tuple", [])], b"") == ((),)


def test_objects() -> None:
    """A member must be a list of objects."""
    assert objects({"inputs": [{}]}, "inputs") == [{}]
