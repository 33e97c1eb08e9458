"""Members of queries; ``test_methods.py`` shows what becomes of them."""

from typing import Any

import pytest

from twisted_chainws.dialects.outcomes import Refused
from twisted_chainws.dialects.zilliqa import ErrorForm, decode

ONES = "0x" + "11" * 20
TWOS = "0x" + "22" * 20


@pytest.mark.parametrize("form", ErrorForm)
@pytest.mark.parametrize("addresses", [None, [], {}, "x", 7, True])
def test_no_list(form: ErrorForm, addresses: Any) -> None:
    """What is no list, or an empty one, is refused as a whole."""
    for wording in (decode.EVENT_WORDING[form], decode.PAYMENT_WORDING[form]):
        with pytest.raises(Refused, match="invalid addresses field"):
            decode.decode_addresses({"addresses": addresses}, wording)


def test_each_address_once_and_in_order() -> None:
    """Repetitions and the case of digits do not matter."""
    wording = decode.EVENT_WORDING[ErrorForm.JSON]
    mixed = "0x" + "aB" * 20
    found = decode.decode_addresses(
        {"addresses": [TWOS, mixed, ONES, mixed.lower(), TWOS]}, wording
    )
    assert [each.hex()[:2] for each in found.addresses] == ["22", "ab", "11"]
    assert found.mistake is None


def test_where_reading_stops() -> None:
    """A node stops at the first mistake; the document reads on and tells one."""
    query = {"addresses": [ONES, "x", TWOS]}
    node = decode.decode_addresses(query, decode.EVENT_WORDING[ErrorForm.BARE])
    document = decode.decode_addresses(query, decode.EVENT_WORDING[ErrorForm.JSON])
    assert (len(node.addresses), len(document.addresses)) == (1, 2)
    assert node.mistake is not None
    assert document.mistake is not None
    assert (node.mistake.message, document.mistake.message) == (
        "Invalid hex address", "invalid hex address",
    )  # fmt: skip


@pytest.mark.parametrize("value", [None, "", "a", "B", 1, ["a"], {}, True])
def test_types_that_are_none(value: Any) -> None:
    """Only a known name counts, in its case."""
    with pytest.raises(Refused, match="invalid type field"):
        decode.decode_type({"type": value}, ["A"])
    assert decode.decode_type({"type": "A"}, ["A"]) == "A"
