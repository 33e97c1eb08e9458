"""The chain object, its genesis, and the canonical chain, which we move ourselves.

py-evm's own bookkeeping lets only longer branches win and leaves look-ups of undone transactions
behind. So every block is kept by hash, and `set_head` alone decides which of them are canonical.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from eth.abc import (
    AtomicDatabaseAPI,
    BlockHeaderAPI,
    DatabaseAPI,
    SignedTransactionAPI,
    TransactionDecoderAPI,
    WithdrawalAPI,
)
from eth.chains.base import Chain
from eth.constants import ZERO_ADDRESS, ZERO_HASH32
from eth.db.chain import ChainDB
from eth.db.schema import SchemaV1
from eth.exceptions import HeaderNotFound
from eth.vm.forks.cancun.constants import BEACON_ROOTS_ADDRESS, BEACON_ROOTS_CONTRACT_CODE
from eth.vm.forks.prague.constants import HISTORY_STORAGE_ADDRESS, HISTORY_STORAGE_CONTRACT_CODE
from eth.vm.forks.shanghai.withdrawals import Withdrawal
from eth_typing import Address, BlockNumber, Hash32
from rlp import decode

from twisted_chainws.sources.devchain.engine.vm import DevVM

LEDGER_ADDRESS = bytes(19) + b"\x01"
"""Holds the native ledger in its storage; see `keep_ledger` for why its nonce is never 0."""

_EMPTY_CODE = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class GenesisAccount:
    """One account of the genesis state; ``storage`` maps slots to words, both integers."""

    balance: int = 0
    nonce: int = 0
    code: bytes = _EMPTY_CODE
    storage: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Genesis:
    """What block 0 is made of; ``accounts`` by 20-byte address, ``timestamp`` in seconds."""

    chain_id: int
    gas_limit: int
    timestamp: int
    base_fee: int
    accounts: Mapping[bytes, GenesisAccount]
    coinbase: bytes = ZERO_ADDRESS


class DevChainDB(ChainDB):
    """ChainDB without its method caches, which keep the last 32 databases alive."""

    def _get_block_transactions(
        self, transaction_root: Hash32, transaction_decoder: type[TransactionDecoderAPI]
    ) -> tuple[SignedTransactionAPI, ...]:
        encoded = self._get_block_data_from_root_hash(self.db, transaction_root)
        return tuple(transaction_decoder.decode(item) for item in encoded)

    def _get_block_withdrawals(self, withdrawals_root: Hash32) -> tuple[WithdrawalAPI, ...]:
        encoded = self._get_block_data_from_root_hash(self.db, withdrawals_root)
        return tuple(decode(item, sedes=Withdrawal) for item in encoded)


class DevChain(Chain):
    """A chain with our rules from block 0; the chain id is set on the instance."""

    chain_id = 0
    vm_configuration = ((BlockNumber(0), DevVM),)
    chaindb_class = DevChainDB


def open_chain(db: AtomicDatabaseAPI, chain_id: int) -> DevChain:
    """Wrap a database that already holds a genesis block."""
    chain = DevChain(db)
    chain.chain_id = chain_id
    return chain


def genesis_accounts(genesis: Genesis) -> dict[bytes, GenesisAccount]:
    """Return the accounts of block 0: those asked for, the system contracts, the ledger.

    Source: EIP-4788 and EIP-2935 (addresses, code); EIP-7002 and EIP-7251 are left out, so there
    are no requests of those kinds.
    """
    accounts = {
        BEACON_ROOTS_ADDRESS: GenesisAccount(nonce=1, code=BEACON_ROOTS_CONTRACT_CODE),
        HISTORY_STORAGE_ADDRESS: GenesisAccount(nonce=1, code=HISTORY_STORAGE_CONTRACT_CODE),
        LEDGER_ADDRESS: GenesisAccount(nonce=1),
    }
    return accounts | dict(genesis.accounts)


def create_chain(db: AtomicDatabaseAPI, genesis: Genesis) -> DevChain:
    """Write block 0 and return the chain."""
    state = {
        Address(address): {
            "balance": account.balance,
            "nonce": max(account.nonce, 1) if address == LEDGER_ADDRESS else account.nonce,
            "code": account.code,
            "storage": dict(account.storage),
        }
        for address, account in genesis_accounts(genesis).items()
    }
    params = {
        "difficulty": 0,
        "gas_limit": genesis.gas_limit,
        "timestamp": genesis.timestamp,
        "base_fee_per_gas": genesis.base_fee,
        "coinbase": Address(genesis.coinbase),
        "extra_data": b"",
        "parent_beacon_block_root": ZERO_HASH32,
    }
    DevChain.from_genesis(db, params, state)
    return open_chain(db, genesis.chain_id)


HashesOf = Callable[[BlockHeaderAPI], Sequence[bytes]]


def set_head(
    chain: DevChain, header: BlockHeaderAPI, hashes_of: HashesOf
) -> tuple[list[BlockHeaderAPI], list[BlockHeaderAPI]]:
    """Make ``header`` the head of the canonical chain, wherever it lies.

    Args:
        chain: the chain.
        header: of a block kept by hash, with all its ancestors.
        hashes_of: the transaction hashes of a block, in order.

    Returns:
        The blocks that left the chain, newest first, and those that joined it, oldest first.
    """
    database: ChainDB = chain.chaindb
    with chain.chaindb.db.atomic_batch() as db:
        head = database._get_canonical_head(db)  # noqa: SLF001
        applied: list[BlockHeaderAPI] = []
        fork = header
        while not _is_canonical(database, db, fork):
            applied.append(fork)
            fork = database._get_block_header_by_hash(db, fork.parent_hash)  # noqa: SLF001
        numbers = range(head.block_number, fork.block_number, -1)
        undone = [_remove(database, db, number, hashes_of) for number in numbers]
        applied.reverse()
        for joined in applied:
            _add(database, db, joined, hashes_of(joined))
        db[SchemaV1.make_canonical_head_hash_lookup_key()] = header.hash
    return undone, applied


def _is_canonical(database: ChainDB, db: DatabaseAPI, header: BlockHeaderAPI) -> bool:
    try:
        known = database._get_canonical_block_hash(db, header.block_number)  # noqa: SLF001
    except HeaderNotFound:
        return False
    return bool(known == header.hash)


def _remove(database: ChainDB, db: DatabaseAPI, number: int, hashes_of: HashesOf) -> BlockHeaderAPI:
    header = database._get_canonical_block_header_by_number(  # noqa: SLF001
        db, BlockNumber(number)
    )
    for transaction in hashes_of(header):
        database._remove_transaction_from_canonical_chain(db, Hash32(transaction))  # noqa: SLF001
    db.delete(SchemaV1.make_block_number_to_hash_lookup_key(BlockNumber(number)))
    return header


def _add(
    database: ChainDB, db: DatabaseAPI, header: BlockHeaderAPI, hashes: Iterable[bytes]
) -> None:
    database._add_block_number_to_hash_lookup(db, header)  # noqa: SLF001
    for index, transaction in enumerate(hashes):
        database._add_transaction_to_canonical_chain(  # noqa: SLF001
            db, Hash32(transaction), header, index
        )
