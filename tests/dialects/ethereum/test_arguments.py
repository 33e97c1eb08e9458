from typing import Any

import pytest

from tests.dialects.ethereum.asking import fault, make_view
from twisted_chainws.dialects.ethereum import decode
from twisted_chainws.dialects.ethereum.arguments import takes
from twisted_chainws.dialects.view import Profile, View


@takes(decode.quantity, decode.boolean, decode.text, required=2)
def echo(_view: View, *values: Any) -> Any:
    """Answer what was decoded."""
    return values


@takes()
def nothing(_view: View) -> Any:
    """Answer a constant."""
    return "nothing"


@takes(decode.quantity)
def one(_view: View, value: int) -> Any:
    """Answer what was decoded."""
    return value


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        (["0x1", True], (1, True, None)),
        (["0x1", True, None], (1, True, None)),
        (["0x1", False, "x"], (1, False, "x")),
    ],
)
def test_optional_arguments_may_be_left_out_or_null(params: Any, expected: Any) -> None:
    """The function gets None for an optional argument that is not there."""
    assert echo(make_view(), params) == expected


@pytest.mark.parametrize(
    ("params", "text"),
    [
        (None, "missing value for required argument 0"),
        ([], "missing value for required argument 0"),
        (["0x1"], "missing value for required argument 1"),
        ([None, True], "missing value for required argument 0"),
        (["0x1", None], "missing value for required argument 1"),
        (
            [1],
            (
                "invalid argument 0: json: cannot unmarshal non-string into Go value of type "
                "hexutil.Uint64"
            ),
        ),
        (["0x1", True, "x", 1], "too many arguments, want at most 3"),
        (["0x1", True, "x", None], "too many arguments, want at most 3"),
        (["1", True, "x", 1], "invalid argument 0: hex string without 0x prefix"),
        ({}, "non-array args"),
        ({"a": 1}, "non-array args"),
        ("0x1", "non-array args"),
        (7, "non-array args"),
    ],
)
def test_wrong_lists_are_refused_in_geths_words(params: Any, text: str) -> None:
    """The first wrong argument decides, then surplus ones, then missing ones."""
    refusal = fault(echo, params)
    assert (refusal.code, refusal.message) == (-32602, text)


@pytest.mark.parametrize("params", [None, []])
def test_no_arguments_may_be_absent_null_or_empty(params: Any) -> None:
    """All three ways to say nothing are the same."""
    assert nothing(make_view(), params) == "nothing"


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ([None], "too many arguments, want at most 0"),
        ([1, 2], "too many arguments, want at most 0"),
        ({}, "non-array args"),
        (False, "non-array args"),
        ("", "non-array args"),
    ],
)
def test_no_arguments_means_none(params: Any, text: str) -> None:
    """A handler without arguments refuses any."""
    assert fault(nothing, params).message == text


def test_anvil_takes_json_numbers_where_geth_does_not() -> None:
    """A lenient value counts only in the profile of looser habits."""
    assert one(make_view(profile=Profile.ANVIL), [5]) == 5
    assert fault(one, [5], make_view(profile=Profile.GETH)).code == -32602
    assert fault(one, [-5], make_view(profile=Profile.ANVIL)).code == -32602
