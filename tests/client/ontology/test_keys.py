from typing import Any

import pytest

from tests.client.ontology.ledger import ALICE, SECRETS
from tests.dialects.ontology.vectors import vectors
from twisted_chainws.client.errors import Misuse
from twisted_chainws.client.ontology.keys import (
    Key,
    account_address,
    address_of,
    contract_address,
    hash_of,
    key_of,
    token_of,
)
from twisted_chainws.dialects.ontology.tokens import ONG_CONTRACT, ONT_CONTRACT

ACCOUNTS = vectors("accounts")


@pytest.mark.parametrize("account", ACCOUNTS, ids=lambda one: one["address_base58"])
def test_keys(account: Any) -> None:
    """A key has the published public key and address, from a secret as from a wallet's text."""
    for key in (Key(bytes.fromhex(account["private_key"])), Key.from_wif(account["wif"])):
        assert key.public_key.hex() == account["public_key"]
        assert key.address == account["address_base58"]


def test_secrets_are_not_shown() -> None:
    """Neither a key nor an error about one shows a secret."""
    assert repr(ALICE) == f"Key({ALICE.address})"
    assert not hasattr(ALICE, "__dict__")
    with pytest.raises(Misuse) as failed:
        Key.from_wif(ACCOUNTS[0]["wif"][:-1] + "x")
    assert ACCOUNTS[0]["wif"][:10] not in str(failed.value)
    assert failed.value.__cause__ is None
    assert failed.value.__suppress_context__


@pytest.mark.parametrize(
    "secret", [b"", bytes(32), b"\1" * 31, b"\1" * 33, b"\xff" * 32, "11" * 32, 5, None]
)
def test_what_is_no_secret(secret: Any) -> None:
    """Only 32 bytes of a number in range are."""
    with pytest.raises(Misuse, match="32 bytes"):
        Key(secret)


@pytest.mark.parametrize("text", ["", "K", 5, None, ALICE.address])
def test_what_wallets_do_not_export(text: Any) -> None:
    """Only a key in WIF is one."""
    with pytest.raises(Misuse, match="wif"):
        Key.from_wif(text)


def test_keys_or_secrets() -> None:
    """Where a key is wanted a secret will do."""
    assert key_of(ALICE) is ALICE
    assert key_of(SECRETS[0]).address == ALICE.address


@pytest.mark.parametrize("account", ACCOUNTS, ids=lambda one: one["address_base58"])
def test_addresses(account: Any) -> None:
    """All three forms are the same address."""
    raw, base58 = bytes.fromhex(account["address_bytes"]), account["address_base58"]
    shown = account["address_hex_reversed"]
    for form in (raw, base58, shown, shown.upper()):
        assert address_of(form) == raw
        assert account_address(form) == base58
        assert contract_address(form) == shown


@pytest.mark.parametrize("form", ["", "0x" + "11" * 20, "11" * 19, "A" * 34, b"\1" * 19, 5, None])
def test_what_is_no_address(form: Any) -> None:
    """All else is a mistake of the caller."""
    with pytest.raises(Misuse, match="address"):
        address_of(form)


def test_assets() -> None:
    """Both are known in whatever case."""
    assert token_of("ont").contract == token_of("ONT").contract == ONT_CONTRACT
    assert token_of("Ong").contract == ONG_CONTRACT
    for wrong in ("eth", "", None):
        with pytest.raises(Misuse, match="neither ont nor ong"):
            token_of(wrong)  # type: ignore[arg-type]


def test_hashes() -> None:
    """A hash is 64 digits; nodes show them in lower case."""
    assert hash_of("AB" * 32) == "ab" * 32
    for wrong in ("ab" * 31, "0x" + "ab" * 31, "xy" * 32, None, b"\1" * 32):
        with pytest.raises(Misuse, match="hash"):
            hash_of(wrong)  # type: ignore[arg-type]
