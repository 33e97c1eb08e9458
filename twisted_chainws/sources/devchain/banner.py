"""The lines that introduce a development chain, without line ends."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final, TypeAlias

from twisted_chainws.dialects.ontology.address import encode_base58, encode_reversed
from twisted_chainws.dialects.ontology.keys import encode_wif
from twisted_chainws.dialects.zilliqa.address import encode_bech32
from twisted_chainws.sources.devchain.accounts import WELL_KNOWN_MNEMONIC, DevAccount, banner_lines
from twisted_chainws.sources.devchain.settings import DevchainSettings
from twisted_chainws.sources.devchain.wallet import ont_shares

__all__ = ["chain_lines"]

_RULE: Final = "=================="

_Introduce: TypeAlias = Callable[[Sequence[DevAccount], int, bool], list[str]]
"""(accounts in the order of their index, genesis balance of each in whole coins, whether keys may
be shown) -> lines."""


def chain_lines(
    settings: DevchainSettings,
    accounts: Sequence[DevAccount],
    *,
    show_keys: bool,
    spoken: Collection[str],
) -> list[str]:
    """Introduce a chain and its accounts; keys of an own mnemonic only when asked for.

    Args:
        settings: of the chain.
        accounts: in the order of their index.
        show_keys: whether keys of an own mnemonic are shown, too.
        spoken: names of the dialects that are spoken somewhere.
    """
    if settings.genesis_file is not None:
        return [f"Genesis: {settings.genesis_file}"]
    shown = show_keys or settings.mnemonic == WELL_KNOWN_MNEMONIC
    lines = banner_lines(accounts, show_keys=shown, balance_ether=settings.balance_ether)
    for dialect, introduce in _FAMILIES.items():
        if dialect in spoken:
            lines += ["", *introduce(accounts, settings.balance_ether, shown)]
    if shown:
        lines += ["", f"Mnemonic: {settings.mnemonic}", "Derivation path: m/44'/60'/0'/0/"]
    return lines


def _zilliqa_lines(accounts: Sequence[DevAccount], balance: int, _shown: bool) -> list[str]:  # noqa: FBT001 - one of a table
    """Introduce the Zilliqa accounts, which have the keys of the Ethereum ones."""
    return [
        "Zilliqa Accounts",
        _RULE,
        *(
            f"({index}) {encode_bech32(account.zilliqa_address)} ({balance} ZIL)"
            for index, account in enumerate(accounts)
        ),
    ]


def _ontology_lines(accounts: Sequence[DevAccount], balance: int, shown: bool) -> list[str]:  # noqa: FBT001 - one of a table
    """Introduce the Ontology accounts by both forms of their addresses; they have own keys."""
    lines = ["Ontology Accounts", _RULE]
    shares = ont_shares(len(accounts))
    for index, (account, ont) in enumerate(zip(accounts, shares, strict=True)):
        address = account.ontology_address
        owned = f"({balance} ONG, {ont} ONT)"
        lines.append(f"({index}) {encode_base58(address)} {encode_reversed(address)} {owned}")
    if shown:
        lines += ["", "Ontology Private Keys (WIF)", _RULE]
        lines += [
            f"({index}) {encode_wif(account.ontology_key)}"
            for index, account in enumerate(accounts)
        ]
    return lines


_FAMILIES: Final[Mapping[str, _Introduce]] = {
    "zilliqa": _zilliqa_lines,
    "ontology": _ontology_lines,
}
"""Dialect -> how its accounts are introduced; every chain has those of Ethereum."""
