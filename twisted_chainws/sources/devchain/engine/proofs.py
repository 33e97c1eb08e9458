"""Merkle proofs of accounts and storage (eth_getProof, EIP-1186)."""

from collections.abc import Sequence
from dataclasses import dataclass

import rlp
from eth.rlp.accounts import Account
from eth_typing import Hash32
from eth_utils import keccak
from rlp.sedes import big_endian_int
from trie import HexaryTrie

from twisted_chainws.sources.devchain.engine.head import DevChain


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageProof:
    """One slot: ``value`` 0 when absent; ``proof`` the RLP nodes from the root downwards."""

    slot: int
    value: int
    proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountProof:
    """One account against a state root.

    Attributes:
        proof: RLP nodes from the root downwards; proves absence as well.
        code_hash: keccak of nothing for an account without code, also for an absent one.
        storage_hash: root of the storage trie, the blank root without storage.
    """

    address: bytes
    proof: tuple[bytes, ...]
    balance: int
    nonce: int
    code_hash: bytes
    storage_hash: bytes
    storage: tuple[StorageProof, ...]


def prove(chain: DevChain, root: bytes, address: bytes, slots: Sequence[int]) -> AccountProof:
    """Prove an account and some of its slots against the state ``root``."""
    db = chain.chaindb.db
    accounts = HexaryTrie(db, Hash32(root))
    key = keccak(address)
    encoded = accounts[key]
    account = rlp.decode(encoded, Account) if encoded else Account()
    words = HexaryTrie(db, account.storage_root)
    return AccountProof(
        address=address,
        proof=_nodes(accounts, key),
        balance=account.balance,
        nonce=account.nonce,
        code_hash=account.code_hash,
        storage_hash=account.storage_root,
        storage=tuple(_prove_slot(words, slot) for slot in slots),
    )


def _prove_slot(words: HexaryTrie, slot: int) -> StorageProof:
    key = keccak(slot.to_bytes(32, "big"))
    encoded = words[key]
    value = rlp.decode(encoded, big_endian_int) if encoded else 0
    return StorageProof(slot=slot, value=value, proof=_nodes(words, key))


def _nodes(trie: HexaryTrie, key: bytes) -> tuple[bytes, ...]:
    return tuple(rlp.encode(node) for node in trie.get_proof(key) if node)
