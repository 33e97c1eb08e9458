from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_chainws.dialects.ontology.values import (
    Array,
    Budget,
    Struct,
    Value,
    append,
    as_bytes,
    as_integer,
    copy_struct,
    encode_argument,
    encode_value,
)
from twisted_chainws.errors import ExecutionFailed

PLAIN = [
    (b"", "", 0),
    (b"\x10\0\0", "100000", 16),
    (0, "", 0),
    (-1, "ff", -1),
    (128, "8000", 128),
    (True, "01", 1),
    (False, "00", 0),
    (-(2**63), "0000000000000080", -(2**63)),
]


@pytest.mark.parametrize(("value", "written", "number"), PLAIN)
def test_plain_values(value: Value, written: str, number: int) -> None:
    """A value that is no list is bytes and a number."""
    assert as_bytes(value).hex() == written
    assert as_integer(value) == number


BAD: list[tuple[Any, str]] = [
    (Array(), "bad type"),
    (Struct([1]), "bad type"),
    (2**63, "integer underflow"),
    (b"\xff" * 8 + b"\0", "integer underflow"),
    (-(2**63) - 1, "integer underflow"),
    (b"\1" * 33, "the biginteger over max size 32bit"),
]


@pytest.mark.parametrize(("value", "reason"), BAD)
def test_no_number(value: Value, reason: str) -> None:
    """Lists and large numbers are no numbers of 64 bits."""
    with pytest.raises(ExecutionFailed, match=f"^reason='{reason}'$"):
        as_integer(value)


def nested(depth: int, kind: type[Array | Struct]) -> Any:
    """Make a list in a list and so on; the innermost is empty."""
    value = kind()
    for _ in range(depth):
        value = kind([value])
    return value


values = st.recursive(
    st.one_of(st.binary(max_size=40), st.integers(-(2**70), 2**70), st.booleans()),
    lambda inner: st.builds(
        lambda kind, items: kind(items),
        st.sampled_from([Array, Struct]),
        st.lists(inner, max_size=4),
    ),
    max_leaves=10,
)


def plain(value: Any) -> Any:
    """Turn a value into one that can be compared."""
    if isinstance(value, Array | Struct):
        return (type(value), [plain(item) for item in value.items])
    return (type(value), value)


@given(st.lists(values, max_size=5))
def test_copies(items: list[Any]) -> None:
    """A copy is equal and its structs are its own, its arrays are not."""
    array = Array()
    source = Struct([*items, Struct([array])])
    copied = copy_struct(source, Budget())
    assert plain(copied) == plain(source)
    inner, kept = copied.items[-1], source.items[-1]
    assert isinstance(inner, Struct)
    assert isinstance(kept, Struct)
    assert inner.items[0] is array
    append(inner, 1)
    assert len(kept.items) == 1


def test_deep_copy() -> None:
    """A struct as deep as it can get is copied."""
    assert plain(copy_struct(nested(100, Struct), Budget())) == plain(nested(100, Struct))
    copy_struct(nested(1_000, Struct), Budget())


def test_large_copy() -> None:
    """Of what is too large no copy is made."""
    copy_struct(Struct([1] * 1_024), Budget())
    with pytest.raises(ExecutionFailed, match="over max struct clone length"):
        copy_struct(Struct([Struct(), *([1] * 1_024)]), Budget())
    with pytest.raises(ExecutionFailed, match="exceeded the step limit"):
        copy_struct(Struct([1] * 20), Budget(19))


def test_full_list() -> None:
    """A list has at most 1,024 values."""
    full = Array([0] * 1_023)
    append(full, 1)
    with pytest.raises(ExecutionFailed, match="the array over max size"):
        append(full, 1)


ARGUMENTS: list[tuple[Any, str]] = [
    (b"ab", "026162"),
    (b"", "00"),
    (0, "00"),
    (128, "028000"),
    (True, "01"),
    (False, "00"),
    (Array(), "00"),
    (Array([1, b"a"]), "010201010161"),
    (Struct([1, b"a"]), "01010161"),
    (Array([Struct([b"a"])] * 2), "010201610161"),
]


@pytest.mark.parametrize(("value", "written"), ARGUMENTS)
def test_arguments(value: Value, written: str) -> None:
    """Lists are told by their number, structs by nothing."""
    assert encode_argument(value, Budget()).hex() == written


def test_endless_arguments() -> None:
    """What holds itself, is too deep or too much is no argument."""
    endless = Array()
    append(endless, endless)
    encode_argument(nested(10, Struct), Budget())
    for value in (endless, nested(11, Struct), nested(11, Array)):
        with pytest.raises(ExecutionFailed, match="circular reference"):
            encode_argument(value, Budget())
    wide: Any = Struct([Struct()] * 1_000)
    with pytest.raises(ExecutionFailed, match="exceeded the step limit"):
        encode_argument(Array([wide] * 1_000), Budget())
    with pytest.raises(ExecutionFailed, match="exceeded the step limit"):
        encode_argument(Array([bytes(1_000_000)] * 10), Budget())


SHOWN: list[tuple[Any, Any]] = [
    (b"", ""),
    (b"\xab", "ab"),
    (0, "00"),
    (-1, "ff"),
    (1_000, "e803"),
    (True, "01"),
    (False, "00"),
    (Array(), None),
    (Struct(), None),
    (Array([b"a", Struct([1, Array()])]), ["61", ["01", None]]),
]


@pytest.mark.parametrize(("value", "shown"), SHOWN)
def test_shown(value: Value, shown: Any) -> None:
    """Values are shown as hex and lists of hex."""
    assert encode_value(value) == shown


def test_too_much_to_show() -> None:
    """What is too long, too many or too deep is not shown."""
    assert encode_value(bytes(65_536)) == "00" * 65_536
    assert len(encode_value(Array([0] * 1_024))) == 1_024
    endless = Array()
    append(endless, endless)
    with pytest.raises(ExecutionFailed, match="length over max parameters convert length"):
        encode_value(bytes(65_537))
    for value in (Array([Array([0] * 1_024)]), endless, nested(201, Array)):
        with pytest.raises(ExecutionFailed, match="'over max parameters convert length'"):
            encode_value(value)
