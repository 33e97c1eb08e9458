"""Settings of a development chain."""

from typing import Any

import pytest

from twisted_chainws.sources.devchain.settings import (
    DevchainSettings,
    decode_settings,
    encode_settings,
)


def test_settings_survive_the_pipe() -> None:
    """Decoded settings equal the encoded ones, also with numbers over 64 bits."""
    settings = DevchainSettings(
        seed=2**200, mnemonic="0x12 words", data_dir="0x1", balance_ether=2**70, block_time=1.5
    )
    assert decode_settings(encode_settings(settings)) == settings


def test_amounts_are_in_wei() -> None:
    """Ether settings are read in wei; a fee cap of 0 is none."""
    assert DevchainSettings(balance_ether=2).balance_wei == 2 * 10**18
    assert DevchainSettings(fee_cap_ether=0.5).fee_cap_wei == 5 * 10**17
    assert DevchainSettings(fee_cap_ether=0).fee_cap_wei is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"hardfork": "osaka"},
        {"block_time": 0},
        {"chain_id": 0},
        {"accounts": -1},
        {"mine_cap": 0},
        {"import_file": "x"},
        {"ontology_network": -1},
        {"ontology_network": 1 << 32},
    ],
)
def test_impossible_settings_are_refused(wrong: dict[str, Any]) -> None:
    """The message begins with the name of the setting."""
    name = next(iter(wrong)).removesuffix("_file").replace("ontology_", "ontology-")
    with pytest.raises(ValueError, match=f"^{name}: expected"):
        DevchainSettings(**wrong)
