from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.dialects.ontology.vectors import vectors
from twisted_chainws.dialects.ontology import decode
from twisted_chainws.dialects.ontology.errors import fault
from twisted_chainws.dialects.ontology.tokens import ONG_CONTRACT, ONT_CONTRACT
from twisted_chainws.dialects.outcomes import Refused

ACCOUNT = vectors("accounts")[0]
ADDRESS = bytes.fromhex(ACCOUNT["address_bytes"])
HASH = bytes(range(32))

WRONG: tuple[Any, ...] = (None, True, False, [], {}, 1, 1.5, [1])

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


def refuses(function: Any, *args: Any) -> bool:
    """Tell whether a parameter is refused with 42002 and nothing else."""
    try:
        function(*args)
    except Refused as refused:
        return refused.fault == fault(42002)
    return False


def rows(answer: object, *values: Any) -> list[tuple[Any, object]]:
    """Pair values with the one answer that they have."""
    return [(value, answer) for value in values]


@pytest.mark.parametrize(
    ("given", "height"),
    [
        (5, 5),
        ("5", 5),
        ("+5", 5),
        ("005", 5),
        ("0" * 50 + "5", 5),
        (5.9, 5),
        (-0.5, 0),
        (-1, 2**32 - 1),
        ("-1", 2**32 - 1),
        (2**32, 0),
        ("4294967301", 5),
        (2**53 + 1, 0),
        ("9007199254740993", 1),
        ("9223372036854775807", 2**32 - 1),
        ("-9223372036854775808", 0),
        (1e18, int(1e18) % 2**32),
    ],
)
def test_heights(given: Any, height: int) -> None:
    """A number is what a double keeps of it, cut; digits are exact; both are cut to 32 bits."""
    assert decode.decode_height({"Height": given}) == height


@pytest.mark.parametrize(
    "given",
    [
        *(None, True, False, [], {}, [5]),
        *("", " 5", "5 ", "5.0", "0x5", "five", "5_0", "-", "--1", "\u0665"),
        *(2**63, -(2**64), 1e300, "9223372036854775808", "-9223372036854775809", "9" * 5000),
    ],
)
def test_no_heights(given: Any) -> None:
    """What is neither number nor digits, or needs more than 64 bits, is refused."""
    assert refuses(decode.decode_height, {"Height": given})


def test_a_missing_height() -> None:
    """There has to be one."""
    assert refuses(decode.decode_height, {})


@pytest.mark.parametrize(
    ("given", "raw"),
    [
        *rows(True, 1, 1.9, 1.0, "1"),
        *rows(False, 0, 2, 0.9, -1, "0", "", "01", "1.0", 1e300, *WRONG[:5]),
    ],
)
def test_raw(given: Any, raw: bool) -> None:
    """Numbers are cut, texts are compared, all else asks for the JSON form."""
    assert decode.wants_raw({"Raw": given}) is raw
    assert not decode.wants_raw({})


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        *rows(True, "1", 1, True, 1.0),
        *rows(False, "0", 0, "", "true", 2, 1.9, None, False, [], [1], {}),
    ],
)
def test_pre_execution(given: Any, wanted: bool) -> None:
    """The text as nodes have it, and what documents say, too."""
    assert decode.wants_pre_execution({"PreExec": given}) is wanted
    assert not decode.wants_pre_execution({})


def test_hashes() -> None:
    """They come reversed, in any case."""
    text = HASH[::-1].hex()
    assert decode.decode_hash({"Hash": text}) == HASH
    assert decode.decode_hash({"Hash": text.upper()}) == HASH


@pytest.mark.parametrize("given", [*WRONG, "", "00", "0x" + 62 * "0", 63 * "0", 66 * "0", 64 * "g"])
def test_no_hashes(given: Any) -> None:
    """Other lengths and letters are refused."""
    assert refuses(decode.decode_hash, {"Hash": given})
    assert refuses(decode.decode_hash, {})


def test_addresses() -> None:
    """Either form is taken, or only base58."""
    for text in (
        ACCOUNT["address_base58"],
        ACCOUNT["address_hex_reversed"],
        ACCOUNT["address_hex_reversed"].upper(),
    ):
        assert decode.decode_address({"To": text}, "To") == ADDRESS
    assert decode.decode_account({"Addr": ACCOUNT["address_base58"]}) == ADDRESS
    assert refuses(decode.decode_account, {"Addr": ACCOUNT["address_hex_reversed"]})


@pytest.mark.parametrize("given", [*WRONG, "", "A", 40 * "g", "0x" + 40 * "0", 3000 * "A"])
def test_no_addresses(given: Any) -> None:
    """Everything else is refused."""
    assert refuses(decode.decode_address, {"To": given}, "To")
    assert refuses(decode.decode_address, {"From": ACCOUNT["address_base58"]}, "To")
    assert refuses(decode.decode_account, {"Addr": given})
    assert refuses(decode.decode_account, {})


@pytest.mark.parametrize(
    ("given", "contract"),
    [("ont", ONT_CONTRACT), ("ONT", ONT_CONTRACT), ("Ong", ONG_CONTRACT), ("ong", ONG_CONTRACT)],
)
def test_assets(given: str, contract: bytes) -> None:
    """The two tokens, in any case."""
    assert decode.decode_asset({"Asset": given}) == contract


@pytest.mark.parametrize("given", [*WRONG, "", "gas", "ont "])
def test_no_assets(given: Any) -> None:
    """There is no third one."""
    assert refuses(decode.decode_asset, {"Asset": given})
    assert refuses(decode.decode_asset, {})


def test_hex() -> None:
    """In any case, maybe nothing."""
    assert decode.decode_hex({"Key": "0aBC"}, "Key") == b"\x0a\xbc"
    assert decode.decode_hex({"Key": ""}, "Key") == b""


@pytest.mark.parametrize("given", [*WRONG, "0", "0x00", "gg", "00 00", "00\n"])
def test_no_hex(given: Any) -> None:
    """Spaces are no digits."""
    assert refuses(decode.decode_hex, {"Key": given}, "Key")
    assert refuses(decode.decode_hex, {}, "Key")


@given(value=json_values)
def test_nothing_breaks(value: Any) -> None:
    """Whatever stands in a member, it is read or refused."""
    members = ("Height", "Raw", "PreExec", "Hash", "Addr", "Asset", "Data")
    message = dict.fromkeys(members, value)
    assert decode.wants_raw(message) in {True, False}
    assert decode.wants_pre_execution(message) in {True, False}
    for function in (
        decode.decode_height,
        decode.decode_hash,
        decode.decode_account,
        decode.decode_asset,
    ):
        refuses(function, message)
    refuses(decode.decode_address, message, "Addr")
    refuses(decode.decode_hex, message, "Data")
