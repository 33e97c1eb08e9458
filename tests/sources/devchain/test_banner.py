"""The lines that introduce a development chain."""

from typing import Final

import pytest

from tests.sources.devchain.published import GENESIS_FILE
from twisted_chainws.dialects.ontology.address import (
    decode_base58,
    encode_reversed,
    program_address,
)
from twisted_chainws.dialects.ontology.keys import decode_wif, p256_key
from twisted_chainws.dialects.ontology.program import single_program
from twisted_chainws.sources.devchain.accounts import WELL_KNOWN_ACCOUNTS
from twisted_chainws.sources.devchain.banner import chain_lines
from twisted_chainws.sources.devchain.settings import DevchainSettings
from twisted_chainws.sources.devchain.wallet import accounts_of

OWN_WORDS: Final = "legal winner thank year wave sausage worth useful legal winner thank yellow"
FIRST: Final = WELL_KNOWN_ACCOUNTS[:1]
ALL: Final = ("ethereum", "zilliqa", "ontology")


def test_the_well_known_accounts() -> None:
    """Addresses of all families that are spoken, keys and where they come from."""
    lines = chain_lines(DevchainSettings(), FIRST, show_keys=False, spoken=ALL)
    assert "(0) 0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266 (10000 ETH)" in lines
    assert "(0) zil1h3za29ywat97e4hx7v7vzq8lhwl4l9aedfz339 (10000 ZIL)" in lines
    assert (
        "(0) AebqgJQDoJk5NLzv8kuiAZitPSk782igMx 74ed1a36ad904ae83799db9e0914a171ff1665fa "
        "(10000 ONG, 1000000000 ONT)"
    ) in lines
    assert f"(0) 0x{FIRST[0].key.hex()}" in lines
    assert lines[-1] == "Derivation path: m/44'/60'/0'/0/"


@pytest.mark.parametrize(
    ("spoken", "introduced"),
    [
        (("ethereum",), []),
        (("zilliqa",), ["Zilliqa Accounts"]),
        (("ethereum", "ontology"), ["Ontology Accounts", "Ontology Private Keys (WIF)"]),
        (ALL, ["Zilliqa Accounts", "Ontology Accounts", "Ontology Private Keys (WIF)"]),
    ],
)
def test_what_is_not_spoken_is_not_introduced(
    spoken: tuple[str, ...], introduced: list[str]
) -> None:
    """Addresses of a family are left out where nobody listens for it."""
    lines = chain_lines(DevchainSettings(), FIRST, show_keys=False, spoken=spoken)
    assert [line for line in lines if line.startswith(("Zilliqa", "Ontology"))] == introduced
    assert any("zil1" in line for line in lines) is ("zilliqa" in spoken)
    assert any("ONT" in line for line in lines) is ("ontology" in spoken)


def test_own_words_stay_secret() -> None:
    """Keys and words of an own mnemonic are shown only when that is asked for."""
    settings = DevchainSettings(mnemonic=OWN_WORDS)
    owners = accounts_of(OWN_WORDS, 1)
    for show_keys in (False, True):
        lines = chain_lines(settings, owners, show_keys=show_keys, spoken=ALL)
        text = "\n".join(lines)
        assert (owners[0].key.hex() in text) is (OWN_WORDS in text) is show_keys
        assert ("WIF" in text) is any(line[4:5] in {"K", "L"} for line in lines) is show_keys
        assert "zil1" in text
        assert "(0) A" in text


def test_a_chain_that_comes_from_a_file() -> None:
    """Nobody knows who owns anything there."""
    settings = DevchainSettings(genesis_file=str(GENESIS_FILE))
    lines = chain_lines(settings, FIRST, show_keys=True, spoken=ALL)
    assert lines == [f"Genesis: {GENESIS_FILE}"]


def test_addresses_are_those_of_the_keys() -> None:
    """Each account has its own, which the chain funds; the keys that are shown unlock them."""
    settings = DevchainSettings(balance_ether=5)
    lines = chain_lines(settings, WELL_KNOWN_ACCOUNTS, show_keys=False, spoken=ALL)
    begin = lines.index("Zilliqa Accounts") + 2
    zilliqa = lines[begin : begin + 10]
    assert len({line.split()[1] for line in zilliqa}) == 10
    assert all(line.startswith(f"({i}) zil1") for i, line in enumerate(zilliqa))
    assert all(line.endswith(" (5 ZIL)") for line in zilliqa)
    begin = lines.index("Ontology Accounts") + 2
    ontology = [line.split(maxsplit=3) for line in lines[begin : begin + 10]]
    begin = lines.index("Ontology Private Keys (WIF)") + 2
    keys = [decode_wif(line.split()[1]) for line in lines[begin : begin + 10]]
    for account, key, (_, base58, digits, owned) in zip(
        WELL_KNOWN_ACCOUNTS, keys, ontology, strict=True
    ):
        address = decode_base58(base58)
        assert address == account.ontology_address == program_address(single_program(p256_key(key)))
        assert digits == encode_reversed(address)
        assert owned == "(5 ONG, 100000000 ONT)"
