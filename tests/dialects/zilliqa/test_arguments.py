"""Arguments: types and counts, and what the texts mean."""

from typing import Any

import pytest

from twisted_chainws.chain.types import Address20
from twisted_chainws.dialects.outcomes import Refused
from twisted_chainws.dialects.zilliqa import arguments, errors
from twisted_chainws.dialects.zilliqa.arguments import takes

VIEW: Any = None
ADDRESS = "9bfec715a6bd658fcb62b0f8cc9bfa2ade71434a"


@pytest.mark.parametrize("params", [None, [], [""], {"a": 1}, ["x", 2]])
def test_nothing_is_wanted(params: Any) -> None:
    """A method without arguments does not look at them."""
    assert takes()(lambda _view: "done")(VIEW, params) == "done"


@pytest.mark.parametrize(
    "params", [None, [], ["a"], ["a", 1, 2], [1, "a"], ["a", True], {"a": "b"}, ["a", 1.0]]
)
def test_just_these_are_wanted(params: Any) -> None:
    """Other counts and types, named arguments and booleans are refused."""
    handler = takes(str, int)(lambda _view, text, number: (text, number))
    assert handler(VIEW, ["a", 1]) == ("a", 1)
    with pytest.raises(Refused) as refused:
        handler(VIEW, params)
    assert refused.value.fault is errors.WRONG_PARAMS


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("0", 0),
        ("0015", 15),
        ("18446744073709551615", 2**64 - 1),
        ("18446744073709551616", errors.OUT_OF_RANGE),
        ("9" * 100_000, errors.OUT_OF_RANGE),
        ("", errors.INVALID_ARGUMENT),
        ("latest", errors.INVALID_ARGUMENT),
        ("-1", errors.INVALID_ARGUMENT),
        ("\N{ARABIC-INDIC DIGIT ONE}", errors.INVALID_ARGUMENT),
        ("0x10", errors.NOT_NUMERIC),
        ("12 ", errors.NOT_NUMERIC),
    ],
)
def test_numbers(text: str, found: Any) -> None:
    """A number is decimal digits of 64 bits."""
    if isinstance(found, int):
        assert arguments.decode_number(text) == found
        return
    with pytest.raises(Refused) as refused:
        arguments.decode_number(text)
    assert refused.value.fault is found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("aB" * 32, b"\xab" * 32),
        ("0x" + "ab" * 32, b"\xab" * 32),
        ("zz" * 32, bytes(32)),
        ("ab" * 31, None),
        ("", None),
    ],
)
def test_hashes(text: str, found: bytes | None) -> None:
    """A hash is 64 characters; those that are no hex name nothing."""
    assert arguments.decode_hash(text) == found


@pytest.mark.parametrize(
    "text",
    [ADDRESS, ADDRESS.upper(), "0x" + ADDRESS, "zil1n0lvw9dxh4jcljmzkruvexl69t08zs62ds9ats"],
)
def test_addresses(text: str) -> None:
    """Hex of any case, with prefix or not, and bech32."""
    assert arguments.decode_address(text) == Address20(bytes.fromhex(ADDRESS))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", errors.ADDRESS_SIZE),
        (ADDRESS[1:], errors.ADDRESS_SIZE),
        ("0X" + ADDRESS, errors.ADDRESS_SIZE),
        ("g" + ADDRESS[1:], errors.INVALID_ADDRESS),
        ("zil1n0lvw9dxh4jcljmzkruvexl69t08zs62ds9att", errors.INVALID_BECH32),
        ("zil1", errors.INVALID_BECH32),
    ],
)
def test_what_is_no_address(text: str, fault: Any) -> None:
    """Size, letters and checksum have words of their own."""
    with pytest.raises(Refused) as refused:
        arguments.decode_address(text)
    assert refused.value.fault is fault
