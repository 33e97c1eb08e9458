"""The lines that introduce a development chain."""

from typing import Final

from tests.sources.devchain.published import GENESIS_FILE
from twisted_chainws.sources.devchain.accounts import WELL_KNOWN_ACCOUNTS
from twisted_chainws.sources.devchain.banner import chain_lines, zilliqa_lines
from twisted_chainws.sources.devchain.settings import DevchainSettings

OWN_WORDS: Final = "legal winner thank year wave sausage worth useful legal winner thank yellow"
FIRST: Final = WELL_KNOWN_ACCOUNTS[:1]


def test_the_well_known_accounts() -> None:
    """Addresses of all families that are spoken, keys and where they come from."""
    lines = chain_lines(DevchainSettings(), FIRST, show_keys=False, zilliqa=True)
    assert "(0) 0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266 (10000 ETH)" in lines
    assert "(0) zil1h3za29ywat97e4hx7v7vzq8lhwl4l9aedfz339 (10000 ZIL)" in lines
    assert f"(0) 0x{FIRST[0].key.hex()}" in lines
    assert lines[-1] == "Derivation path: m/44'/60'/0'/0/"


def test_what_is_not_spoken_is_not_introduced() -> None:
    """Without a listener for Zilliqa its addresses are left out."""
    lines = chain_lines(DevchainSettings(), FIRST, show_keys=False, zilliqa=False)
    assert not [line for line in lines if "zil1" in line or "Zilliqa" in line]


def test_own_words_stay_secret() -> None:
    """Keys and words of an own mnemonic are shown only when that is asked for."""
    settings = DevchainSettings(mnemonic=OWN_WORDS)
    for show_keys in (False, True):
        text = "\n".join(chain_lines(settings, FIRST, show_keys=show_keys, zilliqa=True))
        assert (FIRST[0].key.hex() in text) is (OWN_WORDS in text) is show_keys
        assert "zil1" in text


def test_a_chain_that_comes_from_a_file() -> None:
    """Nobody knows who owns anything there."""
    settings = DevchainSettings(genesis_file=str(GENESIS_FILE))
    lines = chain_lines(settings, FIRST, show_keys=True, zilliqa=True)
    assert lines == [f"Genesis: {GENESIS_FILE}"]


def test_addresses_are_those_of_the_keys() -> None:
    """Each account has its own, which the chain funds."""
    lines = zilliqa_lines(WELL_KNOWN_ACCOUNTS, balance_zil=5)
    assert len(set(lines[2:])) == len(WELL_KNOWN_ACCOUNTS)
    assert lines[-1].startswith("(9) zil1")
    assert lines[-1].endswith(" (5 ZIL)")
