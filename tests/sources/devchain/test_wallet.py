from typing import Final

import pytest

from twisted_chainws.sources.devchain.accounts import WELL_KNOWN_ACCOUNTS, WELL_KNOWN_MNEMONIC
from twisted_chainws.sources.devchain.wallet import accounts_of, derive_p256, ont_shares

OWN_WORDS: Final = "legal winner thank year wave sausage worth useful legal winner thank yellow"
HARDENED: Final = 1 << 31


def test_the_well_known_words_give_the_well_known_accounts() -> None:
    """The constants of all families are what the words derive, and go on where they end."""
    derived = accounts_of(WELL_KNOWN_MNEMONIC, 11)
    assert len(derived) == 11
    assert derived[:10] == WELL_KNOWN_ACCOUNTS
    assert accounts_of(WELL_KNOWN_MNEMONIC, 3) == WELL_KNOWN_ACCOUNTS[:3]


def test_other_words_give_other_accounts() -> None:
    """An own mnemonic is derived at the same paths; its keys are in no repr."""
    (account,) = accounts_of(OWN_WORDS, 1)
    assert account.address.hex() == "58a57ed9d8d624cbd12e2c467d34787555bb1b25"
    assert account.ontology_address != WELL_KNOWN_ACCOUNTS[0].ontology_address
    for key in (account.key, account.ontology_key):
        assert key.hex() not in repr(account)
        assert repr(key) not in repr(account)


@pytest.mark.parametrize("words", ["", "junk", "test " * 12, "no such words at all"])
def test_what_is_no_mnemonic_is_refused(words: str) -> None:
    """Unknown words, a wrong number of them or a wrong checksum are mistakes."""
    with pytest.raises(ValueError, match=r"^mnemonic: expected the words of a BIP-39 mnemonic$"):
        accounts_of(words, 1)


SLIP_10: Final = [
    (
        "000102030405060708090a0b0c0d0e0f",
        (0 | HARDENED, 1, 2 | HARDENED),
        "694596e8a54f252c960eb771a3c41e7e32496d03b954aeb90f61635b8e092aa7",
    ),
    (
        "000102030405060708090a0b0c0d0e0f",
        (28578 | HARDENED, 33941),
        "092154eed4af83e078ff9b84322015aefe5769e31270f62c3f66c33888335f3a",
    ),
    (
        "a7305bc8df8d0951f0cb224c0e95d7707cbdf2c6ce7e8d481fec69c7ff5e9446",
        (),
        "3b8c18469a4634517d6d0b65448f8e6c62091b45540a1743c5846be55d47d88f",
    ),
]


@pytest.mark.parametrize(
    ("seed", "path", "key"), SLIP_10, ids=["path", "child again", "seed again"]
)
def test_published_keys(seed: str, path: tuple[int, ...], key: str) -> None:
    """Keys of the published samples, two of which need a second try. Source: SLIP-0010."""
    assert derive_p256(bytes.fromhex(seed), path).hex() == key


@pytest.mark.parametrize(
    ("count", "shares"),
    [(0, ()), (1, (10**9,)), (3, (333_333_334, 333_333_333, 333_333_333)), (10, (10**8,) * 10)],
)
def test_all_ont_is_shared(count: int, shares: tuple[int, ...]) -> None:
    """The accounts own everything in equal parts, and the first one what is left."""
    assert ont_shares(count) == shares
