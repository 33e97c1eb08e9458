"""State overrides: accounts that look different for a while, precompiles that live elsewhere.

Source: go-ethereum internal/ethapi/override/override.go, 02b73d4e.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from eth_typing import Address
from eth_utils import to_checksum_address

from twisted_chainws.errors import InvalidOverride
from twisted_chainws.sources.devchain.engine.requests import AccountOverride


def override_precompiles(
    known: Mapping[Any, Any], accounts: Sequence[AccountOverride]
) -> dict[Any, Any]:
    """Return the precompiles by address, after the overrides.

    A precompile whose account is overridden in any way is gone from its address.

    Args:
        known: what the rules of the block have.
        accounts: the overrides.

    Raises:
        InvalidOverride: moved from where there is none, or onto an overridden account.
    """
    precompiles = dict(known)
    overridden = {account.address for account in accounts}
    for account in sorted(accounts, key=lambda item: item.address):
        precompile = precompiles.get(Address(account.address))
        target = account.move_precompile_to
        if target is not None:
            if precompile is None:
                text = to_checksum_address(account.address)
                raise InvalidOverride(reason=f"account {text} is not a precompile")
            if target in overridden:
                text = to_checksum_address(target)
                raise InvalidOverride(reason=f"account {text} is already overridden")
            precompiles[Address(target)] = precompile
        if precompile is not None:
            del precompiles[Address(account.address)]
    return precompiles


def override_accounts(state: Any, accounts: Sequence[AccountOverride]) -> None:
    """Change the accounts of ``state``, as if in a transaction before."""
    for account in accounts:
        _override(state, account)
    state.lock_changes()


def _override(state: Any, given: AccountOverride) -> None:
    address = Address(given.address)
    if given.nonce is not None:
        state.set_nonce(address, given.nonce)
    if given.code is not None:
        state.set_code(address, given.code)
    if given.balance is not None:
        state.set_balance(address, given.balance)
    if given.state is not None:
        state.delete_storage(address)
    for slot, word in (given.state or given.state_diff or {}).items():
        state.set_storage(address, slot, word)
