from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.dialects.ontology.vectors import vectors
from twisted_chainws.chain.types import Address20
from twisted_chainws.dialects.ontology import address as codec

ACCOUNT = vectors("accounts")[0]
BASE58 = ACCOUNT["address_base58"]


@pytest.mark.parametrize("account", vectors("accounts"), ids=lambda it: it["address_base58"])
def test_published_accounts(account: dict[str, str]) -> None:
    """Program, bytes and both texts of the sample accounts belong together."""
    address = codec.program_address(bytes.fromhex(account["verification_program"]))
    assert address.hex() == account["address_bytes"]
    assert codec.encode_base58(address) == account["address_base58"]
    assert codec.encode_reversed(address) == account["address_hex_reversed"]
    assert codec.decode_base58(account["address_base58"]) == address
    assert codec.decode_address(account["address_base58"]) == address
    assert codec.decode_address(account["address_hex_reversed"].upper()) == address


@pytest.mark.parametrize("name", vectors("native_contracts"))
def test_native_contracts(name: str) -> None:
    """The addresses of native contracts have their published forms."""
    sample = vectors("native_contracts")[name]
    address = Address20(bytes.fromhex(sample["bytes"]))
    assert codec.encode_base58(address) == sample["base58"]
    assert codec.encode_reversed(address) == sample["hex_reversed"]


@given(st.binary(min_size=20, max_size=20).map(Address20))
def test_round_trip(address: Address20) -> None:
    """Any address is read from both of its texts."""
    text = codec.encode_base58(address)
    assert (len(text), text[0]) == (34, "A")
    assert codec.decode_address(text) == address
    assert codec.decode_address(codec.encode_reversed(address)) == address


BAD: list[tuple[Any, str]] = [
    ("", "not a base58 address"),
    ("1" * 2049, "not a base58 address"),
    ("1" * 2048, "not a base58 address"),
    ("1" + BASE58, "wrong checksum"),
    (BASE58[:-1], "not a base58 address"),
    (BASE58[:-1] + "5", "wrong checksum"),
    (BASE58[:-1] + "0", "a letter that base58 does not have"),
    ("1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2", "not a base58 address"),
    ("BNH5bHrrt111XwNEnuPZj6u95Dd6u7G4D6", "not a base58 address"),
    (ACCOUNT["address_hex_reversed"][:-1] + "g", "not 40 hex digits"),
    ("0x" + ACCOUNT["address_hex_reversed"][2:], "not 40 hex digits"),
    (ACCOUNT["address_hex_reversed"][:-2] + "\u0661\u0661", "not 40 hex digits"),
]


@pytest.mark.parametrize(("text", "reason"), BAD)
def test_bad_texts(text: str, reason: str) -> None:
    """What is no address is refused with the reason."""
    with pytest.raises(ValueError, match=f"^{reason}$"):
        codec.decode_address(text)


def test_hashes() -> None:
    """Hashes are shown reversed and read in any case."""
    value = codec.sha256d(b"x")
    text = codec.encode_reversed(value)
    assert bytes.fromhex(text)[::-1] == value
    assert codec.decode_hash(text.upper()) == value
    with pytest.raises(ValueError, match="not 64 hex digits"):
        codec.decode_hash(text[2:])
