"""The lines that introduce a development chain, without line ends."""

from collections.abc import Sequence

from twisted_chainws.dialects.zilliqa.address import encode_bech32, native_address
from twisted_chainws.dialects.zilliqa.schnorr import public_key_of
from twisted_chainws.sources.devchain.accounts import WELL_KNOWN_MNEMONIC, DevAccount, banner_lines
from twisted_chainws.sources.devchain.settings import DevchainSettings

__all__ = ["chain_lines", "zilliqa_lines"]


def chain_lines(
    settings: DevchainSettings, accounts: Sequence[DevAccount], *, show_keys: bool, zilliqa: bool
) -> list[str]:
    """Introduce a chain and its accounts; keys of an own mnemonic only when asked for.

    Args:
        settings: of the chain.
        accounts: in the order of their index.
        show_keys: whether keys of an own mnemonic are shown, too.
        zilliqa: whether Zilliqa is spoken somewhere.
    """
    if settings.genesis_file is not None:
        return [f"Genesis: {settings.genesis_file}"]
    shown = show_keys or settings.mnemonic == WELL_KNOWN_MNEMONIC
    lines = banner_lines(accounts, show_keys=shown, balance_ether=settings.balance_ether)
    if zilliqa:
        lines += ["", *zilliqa_lines(accounts, balance_zil=settings.balance_ether)]
    if shown:
        lines += ["", f"Mnemonic: {settings.mnemonic}", "Derivation path: m/44'/60'/0'/0/"]
    return lines


def zilliqa_lines(accounts: Sequence[DevAccount], *, balance_zil: int) -> list[str]:
    """Introduce the Zilliqa accounts of the same keys.

    Args:
        accounts: in the order of their index.
        balance_zil: the genesis balance of each; a ZIL is as much as an ether.
    """
    lines = ["Zilliqa Accounts", "=================="]
    for index, account in enumerate(accounts):
        address = native_address(public_key_of(account.key))
        lines.append(f"({index}) {encode_bech32(address)} ({balance_zil} ZIL)")
    return lines
