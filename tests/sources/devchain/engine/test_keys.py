"""Keys: derivation, and signatures that foreign code accepts."""

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct, encode_typed_data

from twisted_chainws.errors import InvalidControl, UnknownAccount
from twisted_chainws.sources.devchain.accounts import WELL_KNOWN_ACCOUNTS, WELL_KNOWN_MNEMONIC
from twisted_chainws.sources.devchain.engine.keys import open_keyring

_FIRST = WELL_KNOWN_ACCOUNTS[0].address


def test_more_accounts_begin_with_the_known_ones() -> None:
    """An eleventh account is derived behind the ten constants."""
    accounts = open_keyring(WELL_KNOWN_MNEMONIC, 11).accounts
    assert accounts[:10] == WELL_KNOWN_ACCOUNTS
    assert len(accounts) == 11


def test_a_false_mnemonic_is_refused() -> None:
    """Words without the right checksum are no mnemonic."""
    with pytest.raises(ValueError, match=r"^mnemonic: "):
        open_keyring("test test test", 1)


def test_personal_messages_recover_to_the_signer() -> None:
    """A signed message recovers to the account."""
    signature = open_keyring(WELL_KNOWN_MNEMONIC, 1).sign_message(_FIRST, b"hello")
    signer = Account.recover_message(encode_defunct(b"hello"), signature=signature)
    assert bytes.fromhex(signer[2:]) == _FIRST


def test_typed_data_recovers_to_the_signer() -> None:
    """Signed typed data recovers to the account; data that breaks its types is refused."""
    data = {
        "types": {"EIP712Domain": [], "Mail": [{"name": "count", "type": "uint256"}]},
        "primaryType": "Mail",
        "domain": {},
        "message": {"count": 5},
    }
    keyring = open_keyring(WELL_KNOWN_MNEMONIC, 1)
    signature = keyring.sign_typed_data(_FIRST, data)
    signer = Account.recover_message(encode_typed_data(full_message=data), signature=signature)
    assert bytes.fromhex(signer[2:]) == _FIRST
    with pytest.raises(InvalidControl):
        keyring.sign_typed_data(_FIRST, data | {"message": {"count": "many"}})


def test_foreign_addresses_have_no_key() -> None:
    """An unknown account is named."""
    keyring = open_keyring(WELL_KNOWN_MNEMONIC, 1)
    assert _FIRST in keyring
    with pytest.raises(UnknownAccount) as caught:
        keyring.sign_message(b"\xab" * 20, b"")
    assert caught.value.address == "0x" + "ab" * 20
