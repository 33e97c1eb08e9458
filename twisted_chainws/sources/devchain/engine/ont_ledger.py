"""What Ontology's native contracts keep on this chain; all amounts are scaled.

ONG is the coin: 10^-18 ONG are a wei of an account's balance, for contracts of the EVM as well.
Everything else is in the storage of ``LEDGER_ADDRESS``, which is ONT's own address, so that what
covers the state of the EVM (reorgs, snapshots, restarts) covers it too:

=========================================== ==============================================
slot: Keccak-256 of                         word
=========================================== ==============================================
``ont.balance``, account                    ONT of the account
``ont.allowance``, contract, owner, spender what the spender may still move
``ont.allowances``, contract, owner         the sum of these, for slots cannot be listed
``ont.offset``, account                     when the account was last released ONG, see below
``ont.mined``, transaction                  1 once the transaction is in a block
=========================================== ==============================================

Addresses have 20 bytes and hashes 32, in their internal order. A word of zero is not kept. Offsets
are seconds since ``unbound.GENESIS_TIME``.

Source: ``ontology.md`` 7.5; the node's ``native/ont/utils.go``, 26b5ad4f, for what is kept.
"""

from collections.abc import Mapping
from typing import Final

from eth.abc import StateAPI
from eth_hash.auto import keccak
from eth_typing import Address

from twisted_chainws.chain.types import Address20, Hash32
from twisted_chainws.dialects.ontology.tokens import ONG_CONTRACT
from twisted_chainws.sources.devchain.engine.head import LEDGER_ADDRESS
from twisted_chainws.sources.devchain.engine.state import keep_ledger

_LEDGER: Final = Address(LEDGER_ADDRESS)


def balance_slot(account: Address20) -> int:
    """Return where the ONT of an account is."""
    return _slot(b"ont.balance", account)


def initial_storage(shares: Mapping[Address20, int]) -> dict[int, int]:
    """Return the storage of the ledger's account when these accounts hold so much ONT."""
    return {balance_slot(account): share for account, share in shares.items() if share}


class OntLedger:
    """Balances, allowances and marks, in a state of the chain.

    Nothing is checked here but that no balance falls below zero, which py-evm refuses.
    """

    __slots__ = ("_state",)

    def __init__(self, state: StateAPI) -> None:
        """Read from ``state``, and write into it."""
        self._state = state

    def balance(self, contract: Address20, account: Address20) -> int:
        """Return what an account has of a token."""
        if contract == ONG_CONTRACT:
            return int(self._state.get_balance(Address(account)))
        return self._get(balance_slot(account))

    def change_balance(self, contract: Address20, account: Address20, by: int) -> None:
        """Give so much of a token to an account, or take it when ``by`` is negative.

        An account that has nothing left is removed, as the EVM removes empty ones (EIP-161).
        """
        if contract != ONG_CONTRACT:
            slot = balance_slot(account)
            self._put(slot, self._get(slot) + by)
            return
        owner = Address(account)
        self._state.delta_balance(owner, by)
        if owner == _LEDGER:
            keep_ledger(self._state)
        elif self._state.account_is_empty(owner):
            self._state.delete_account(owner)

    def allowance(self, contract: Address20, owner: Address20, spender: Address20) -> int:
        """Return what a spender may move of an owner's tokens."""
        return self._get(_slot(b"ont.allowance", contract, owner, spender))

    def allowances(self, contract: Address20, owner: Address20) -> int:
        """Return what all spenders together may move of an owner's tokens."""
        return self._get(_slot(b"ont.allowances", contract, owner))

    def set_allowance(
        self, contract: Address20, owner: Address20, spender: Address20, amount: int
    ) -> None:
        """Set what a spender may move from now on."""
        slot, total = (
            _slot(b"ont.allowance", contract, owner, spender),
            _slot(b"ont.allowances", contract, owner),
        )
        self._put(total, self._get(total) + amount - self._get(slot))
        self._put(slot, amount)

    def offset(self, account: Address20) -> int:
        """Return up to when an account was released ONG; 0 when it never was."""
        return self._get(_slot(b"ont.offset", account))

    def set_offset(self, account: Address20, offset: int) -> None:
        """Note up to when an account was released ONG."""
        self._put(_slot(b"ont.offset", account), offset)

    def is_mined(self, transaction: Hash32) -> bool:
        """Tell whether a transaction is in a block of this chain."""
        return bool(self._get(_slot(b"ont.mined", transaction)))

    def mark_mined(self, transaction: Hash32) -> None:
        """Note that a transaction is in a block."""
        self._put(_slot(b"ont.mined", transaction), 1)

    def _get(self, slot: int) -> int:
        return int(self._state.get_storage(_LEDGER, slot))

    def _put(self, slot: int, word: int) -> None:
        # A chain of a foreign genesis may not have the account yet.
        keep_ledger(self._state)
        self._state.set_storage(_LEDGER, slot, word)


def _slot(*parts: bytes) -> int:
    return int.from_bytes(keccak(b"".join(parts)), "big")
