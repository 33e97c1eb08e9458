from typing import Any

import pytest

from twisted_chainws.client.errors import BadAnswer
from twisted_chainws.client.reading import hex_digits, number, request_key


@pytest.mark.parametrize(
    ("written", "read"), [(0, 0), ("0", 0), (2**70, 2**70), (str(2**70), 2**70), ("007", 7)]
)
def test_numbers(written: Any, read: int) -> None:
    """Numbers are read exactly, whether they are written as such or as digits."""
    assert number(written) == read


@pytest.mark.parametrize(
    "written", [None, True, -1, "-1", "", "1.0", 1.0, "0x1", "٣", [1], "9" * 5000]
)
def test_what_is_no_number(written: Any) -> None:
    """All else is refused."""
    with pytest.raises(BadAnswer):
        number(written)


def test_hex() -> None:
    """Digits are read whatever their case and prefix, if there are as many as there should be."""
    assert hex_digits("0xAb12", 4) == hex_digits("ab12", 4) == "ab12"
    for wrong in ("ab1", "ab123", "0x", "xx12", None, 1212, b"ab12"):
        with pytest.raises(BadAnswer):
            hex_digits(wrong, 4)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        *((7, 7), ("7", 7), (7.0, 7), (7.5, None), (True, None), (None, None), ("x", None)),
        *(("٣", None), ([7], None), ("", None), ("9" * 5000, None)),
    ],
)
def test_ids(written: Any, read: int | None) -> None:
    """An id is ours in whatever form it comes back."""
    assert request_key(written) == read
