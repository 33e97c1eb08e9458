"""Published exchanges are read as they stand and compared as strictly as they are meant."""

from pathlib import Path
from typing import Any

import pytest

from conformance.exchanges import (
    GROUPS,
    Exchange,
    Trip,
    difference,
    group_of,
    judge,
    read_exchange,
    read_exchanges,
    shape_difference,
)
from conformance.replay import DATA


def exchange(response: dict[str, Any], *, spec_only: bool = False) -> Exchange:
    """Return an exchange of one round trip."""
    trips = (Trip(request=b"{}", response=response),)
    return Exchange(name="eth_call/case", trips=trips, spec_only=spec_only)


def test_the_published_files() -> None:
    """All of them are read; each method has a group; those about the pool come last."""
    found = read_exchanges(DATA / "tests")
    assert len(found) == 232
    assert len({item.name for item in found}) == 232
    assert sum(item.spec_only for item in found) == 22
    counts = dict.fromkeys(GROUPS, 0)
    for item in found:
        counts[group_of(item.method)] += 1
    assert list(counts.values()) == [44, 30, 22, 4, 16, 13, 95, 8]
    assert [item.method for item in found[-8:]][::4] == ["eth_sendRawTransaction"] * 2
    assert found[-1].name == "txpool_status/get-status"
    twice = next(item for item in found if item.name.endswith("return-data-behavior"))
    assert [trip.response["id"] for trip in twice.trips] == [1, 2]


def test_a_method_without_a_group() -> None:
    """A method that nobody has sorted is an error, not a pass."""
    with pytest.raises(ValueError, match="no group for eth_nothing"):
        group_of("eth_nothing")


@pytest.mark.parametrize("content", ["", "// nothing", ">> {}", "<< {}\n>> {}", ">> {}\n>> {}"])
def test_a_file_without_an_exchange(tmp_path: Path, content: str) -> None:
    """Requests and responses must alternate."""
    file = tmp_path / "case.io"
    file.write_text(content)
    with pytest.raises(ValueError, match="expected lines that begin with"):
        read_exchange(file)


@pytest.mark.parametrize(
    ("wanted", "found", "reason"),
    [
        ({"a": [1, {"b": None}]}, {"a": [1, {"b": None}]}, ""),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, ""),
        ({"a": 1}, {}, "r.a: missing"),
        ({}, {"a": 1}, "r.a: too much"),
        ([1], [1, 2], "r: expected 1 items, got 2"),
        ([1, 2], [2, 1], "r[0]: expected 1, got 2"),
        (0, False, "r: expected 0, got false"),
        (None, "0x", 'r: expected null, got "0x"'),
        ("0xAB", "0xab", 'r: expected "0xAB", got "0xab"'),
        ({"a": "x" * 400}, {"a": 1}, 'r.a: expected "' + "x" * 159 + "…, got 1"),
    ],
)
def test_values(wanted: Any, found: Any, reason: str) -> None:
    """Everything counts but the order of members; the place of the first difference is told."""
    assert difference(wanted, found, "r") == reason


@pytest.mark.parametrize(
    ("wanted", "found", "reason"),
    [
        ({"a": "0x1"}, {"a": "0x2"}, ""),
        ({"a": "0x1"}, {"a": "two"}, 'r.a: expected a hex text, got "two"'),
        ({"a": 1}, {"a": 2.5}, ""),
        ({"a": 1}, {"a": True}, "r.a: expected a number, got true"),
        ({"a": None}, {"a": None}, ""),
        ({"a": None}, {"a": {}}, "r.a: expected a null, got {}"),
        ({"a": 1}, {}, "r.a: missing"),
        ({"a": 1}, {"a": 1, "b": 2}, "r.b: too much"),
        ({"deleteStrategy": 1}, {}, ""),
        (
            {"deleteStrategy": 1},
            {"deleteStrategy": ""},
            'r.deleteStrategy: expected a number, got ""',
        ),
        ([], [{"a": 1}], ""),
        ([{"a": 1}], [], ""),
        ([{"a": 1}, {"a": 1, "b": 2}], [{"a": 1}], ""),
        ([{"a": 1}, {"a": 1, "b": 2}], [{"b": 2}], "r[].a: missing"),
        ([{"a": 1}, {"a": "x"}], [{"a": "y"}, {"a": 0}], ""),
        ([{"a": 1}], [{"a": 1}, {"c": 1}], "r[].a: missing"),
        ({"0x1": {"5": {"a": 1}}}, {"0x2": {"6": {"a": 2}}}, ""),
        ({"0x1": {"a": 1}}, {"0x2": {}}, "r.*.a: missing"),
        ({"type": "0x0"}, {"type": "0x3", "blobs": []}, ""),
        ({"type": "0x3"}, {"type": "0x3", "blobs": []}, "r.blobs: too much"),
    ],
)
def test_shapes(wanted: Any, found: Any, reason: str) -> None:
    """Members and kinds count, values do not; what all examples have is required."""
    assert shape_difference(wanted, found, "r") == reason


def test_results_and_errors_are_not_mixed_up() -> None:
    """A result where an error is wanted fails, and the other way round."""
    wanted = exchange({"result": 1})
    assert "expected" in judge(wanted, [{"error": {"code": 1, "message": ""}}]).reason
    assert judge(wanted, [{"result": 1}]).passed
    assert not judge(wanted, [{"result": 2}]).passed
    assert judge(exchange({"result": 1}, spec_only=True), [{"result": 2}]).passed


def test_errors_count_by_code_and_data() -> None:
    """The code is strict, the data where there is some, the message only softly."""
    wanted = exchange({"error": {"code": 3, "message": "no", "data": "0x1"}})
    same = judge(wanted, [{"error": {"code": 3, "message": "no", "data": "0x1"}}])
    assert same.passed
    assert same.same_words
    other = judge(wanted, [{"error": {"code": 3, "message": "never", "data": "0x1"}}])
    assert other.passed
    assert not other.same_words
    assert judge(wanted, [{"error": {"code": 3, "message": "no"}}]).reason == (
        'error.data: expected "0x1", got null'
    )
    assert judge(wanted, [{"error": {"code": 4, "message": "no"}}]).reason == (
        "error.code: expected 3, got 4"
    )


def test_every_round_trip_of_a_file_counts() -> None:
    """One wrong answer among several makes the whole file fail."""
    trips = tuple(Trip(request=b"{}", response={"result": value}) for value in (1, 2))
    both = Exchange(name="eth_call/case", trips=trips, spec_only=False)
    assert judge(both, [{"result": 1}, {"result": 2}]).passed
    assert judge(both, [{"result": 1}, {"result": 3}]).reason == "result: expected 2, got 3"
