"""The names behind the hashes: state tries know addresses and slots by their hashes only.

Whatever is written into a state is noted here, so that a state can be listed. Nothing is forgotten
again: a name may come back with a rollback.
"""

from typing import Any, Final

from eth.abc import DatabaseAPI, MetaWitnessAPI
from eth.constants import BLANK_ROOT_HASH
from eth.db.account import AccountDB
from eth.rlp.accounts import Account
from eth_hash.auto import keccak
from eth_typing import Address, Hash32

_PREFIX: Final = b"preimage."
_WORD: Final = 32


def name_of(db: DatabaseAPI, hashed: bytes) -> bytes | None:
    """Return the address (20 bytes) or slot (32 bytes) behind a hash; None if it is not known."""
    try:
        found: bytes = db[_PREFIX + hashed]
    except KeyError:
        return None
    return found


class NamingAccountDB(AccountDB):
    """An account database that notes every address and slot it writes."""

    def __init__(self, db: Any, state_root: Hash32 = BLANK_ROOT_HASH) -> None:
        """Open the state of a root."""
        super().__init__(db, state_root)
        self._names_db: Any = db
        self._names: set[bytes] = set()

    def set_storage(self, address: Address, slot: int, value: int) -> None:
        """Write a word, and note its slot."""
        super().set_storage(address, slot, value)
        self._names.add(slot.to_bytes(_WORD, "big"))

    def _set_account(self, address: Address, account: Account) -> None:
        super()._set_account(address, account)
        self._names.add(address)

    def persist(self) -> MetaWitnessAPI:
        """Write the state, and the names with it."""
        witness = super().persist()
        for name in self._names:
            key = _PREFIX + keccak(name)
            if key not in self._names_db:
                self._names_db[key] = bytes(name)
        self._names.clear()
        return witness
