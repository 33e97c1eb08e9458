from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.dialects.zilliqa.vectors import derivation
from tests.signing import ADDRESSES, KEYS
from twisted_chainws.chain.types import Address20
from twisted_chainws.dialects.zilliqa import address
from twisted_chainws.dialects.zilliqa.schnorr import public_key_of

any_address = st.binary(min_size=20, max_size=20).map(Address20)

EIP_55 = [
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
]
"""Source: EIP-55, test cases."""

BAD_BECH32 = [
    ("", "not zil1 and"),
    ("zil1", "not zil1 and"),
    ("zil1n0lvw9dxh4jcljmzkruvexl69t08zs62ds9at", "not zil1 and"),
    ("bc11n0lvw9dxh4jcljmzkruvexl69t08zs62ds9ats", "not zil1 and"),
    ("Zil1n0lvw9dxh4jcljmzkruvexl69t08zs62ds9ats", "mixed case"),
    ("zil1n0lvw9dxh4jcljmzkruvexl69t08zs62ds9atb", "a letter that bech32 does not have"),
    ("zil1n0lvw9dxh4jcljmzkruvexl69t08zs62ds9atq", "wrong checksum"),
    ("zil1n0lvw9dxh4jcljmzkruvexl69t08zs62dsats9", "wrong checksum"),
]

BAD_CHECKSUMS = [
    ("0x12", "not a hex address"),
    ("0X12a45b789D1F345c789dEf456789012bE3467890", "not a hex address"),
    ("0xg2a45b789D1F345c789dEf456789012bE3467890", "not a hex address"),
    ("0x12a45b789D1F345c789dEf456789012bE3467890\n", "not a hex address"),
    ("0x12a45b789d1f345c789def456789012be3467890", "wrong checksum"),
    ("0x12A45b789D1F345c789dEf456789012bE3467890", "wrong checksum"),
]


@pytest.mark.parametrize("key", derivation("keys"), ids=lambda key: key["address"])
def test_everything_of_a_key(key: dict[str, Any]) -> None:
    """A published secret gives its published key, address, checksum case and bech32."""
    public_key = public_key_of(bytes.fromhex(key["privateKey"]))
    assert public_key.hex() == key["publicKey"]
    found = address.native_address(public_key)
    assert found.hex() == key["address"]
    assert address.encode_checksum(found) == key["checksum"]
    assert address.encode_bech32(found) == key["bech32"]
    assert address.decode_bech32(key["bech32"]) == found
    assert address.decode_checksum(key["checksum"]) == found


@pytest.mark.parametrize("text", derivation("zil_checksum"))
def test_checksum_case(text: str) -> None:
    """Published addresses keep their case, with and without prefix."""
    assert address.encode_checksum(Address20(bytes.fromhex(text))) == f"0x{text}"
    assert address.decode_checksum(text) == address.decode_checksum(f"0x{text}")


@pytest.mark.parametrize("text", EIP_55)
def test_ethereum_checksum_case(text: str) -> None:
    """Ethereum's checksum case is written and read too."""
    assert address.encode_ethereum_checksum(Address20(bytes.fromhex(text[2:]))) == text
    assert address.decode_checksum(text).hex() == text[2:].lower()


@pytest.mark.parametrize(("text", "reason"), BAD_CHECKSUMS)
def test_bad_checksum_is_refused(text: str, reason: str) -> None:
    """An address without checksum case, or none at all, is refused with the reason."""
    with pytest.raises(ValueError, match=f"^{reason}"):
        address.decode_checksum(text)


@pytest.mark.parametrize(("text", "reason"), BAD_BECH32)
def test_bad_bech32_is_refused(text: str, reason: str) -> None:
    """What is not bech32 of this network is refused with the reason."""
    with pytest.raises(ValueError, match=f"^{reason}"):
        address.decode_bech32(text)


@given(any_address)
def test_texts_of_an_address(found: Address20) -> None:
    """Every address comes back from each of its texts; bech32 also from upper case."""
    bech32 = address.encode_bech32(found)
    assert address.decode_bech32(bech32) == address.decode_bech32(bech32.upper()) == found
    assert address.decode_checksum(address.encode_checksum(found)) == found
    assert address.decode_checksum(address.encode_ethereum_checksum(found)) == found


@given(any_address, st.integers(0, 37), st.sampled_from("qpzry9x8gf2tvdw0s3jn54khce6mua7l"))
def test_bech32_finds_a_wrong_letter(found: Address20, at: int, letter: str) -> None:
    """One wrong letter anywhere is found."""
    text = address.encode_bech32(found)
    wrong = text[: at + 4] + letter + text[at + 5 :]
    if wrong != text:
        with pytest.raises(ValueError, match="wrong checksum"):
            address.decode_bech32(wrong)


def test_contract_address() -> None:
    """A native creation puts its contract where the sample says."""
    sample = derivation("contract_address")
    deployer = Address20(bytes.fromhex(sample["deployer"]))
    found = address.contract_address(deployer, sample["deployer_nonce_before_tx"])
    assert found.hex() == sample["address"]


@pytest.mark.parametrize("index", range(10))
def test_ethereum_address(index: int) -> None:
    """The well-known keys have their Ethereum addresses."""
    public_key = public_key_of(bytes.fromhex(KEYS[index][2:]))
    assert "0x" + address.evm_address(public_key).hex() == ADDRESSES[index]


@pytest.mark.parametrize("public_key", [b"", b"\2" + b"\xff" * 32, b"\4" + bytes(64)])
def test_no_point_has_no_ethereum_address(public_key: bytes) -> None:
    """What is no compressed point is refused."""
    with pytest.raises(ValueError, match="public key"):
        address.evm_address(public_key)
