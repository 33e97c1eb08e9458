import pytest

from twisted_chainws.sources.devchain.accounts import WELL_KNOWN_ACCOUNTS, WELL_KNOWN_MNEMONIC
from twisted_chainws.sources.devchain.wallet import accounts_of


def test_the_well_known_words_give_the_well_known_accounts() -> None:
    """The constants are what BIP-39 and BIP-44 derive, and go on where they end."""
    derived = accounts_of(WELL_KNOWN_MNEMONIC, 11)
    assert len(derived) == 11
    for account, known in zip(derived, WELL_KNOWN_ACCOUNTS, strict=False):
        assert (account.address, account.key) == (known.address, known.key)
    assert accounts_of(WELL_KNOWN_MNEMONIC, 3) == WELL_KNOWN_ACCOUNTS[:3]


def test_other_words_give_other_accounts() -> None:
    """An own mnemonic is derived at the same path; its keys are in no repr."""
    words = "legal winner thank year wave sausage worth useful legal winner thank yellow"
    (account,) = accounts_of(words, 1)
    assert account.address.hex() == "58a57ed9d8d624cbd12e2c467d34787555bb1b25"
    assert account.key.hex() not in repr(account)
    assert repr(account.key) not in repr(account)


@pytest.mark.parametrize("words", ["", "junk", "test " * 12, "no such words at all"])
def test_what_is_no_mnemonic_is_refused(words: str) -> None:
    """Unknown words, a wrong number of them or a wrong checksum are mistakes."""
    with pytest.raises(ValueError, match=r"^expected the words of a BIP-39 mnemonic$"):
        accounts_of(words, 1)
