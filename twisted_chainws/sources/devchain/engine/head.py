"""The chain object, its genesis, and the canonical chain, which we move ourselves.

py-evm's own bookkeeping lets only longer branches win and leaves look-ups of undone transactions
behind. So every block is kept by hash, and `set_head` alone decides which of them are canonical.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from eth.abc import (
    AtomicDatabaseAPI,
    BlockAPI,
    BlockHeaderAPI,
    DatabaseAPI,
    SignedTransactionAPI,
    TransactionDecoderAPI,
    WithdrawalAPI,
)
from eth.chains.base import Chain
from eth.constants import BLANK_ROOT_HASH, ZERO_HASH32
from eth.db.atomic import AtomicDB
from eth.db.chain import ChainDB
from eth.db.schema import SchemaV1
from eth.exceptions import HeaderNotFound
from eth.rlp.headers import BlockHeader
from eth.vm.chain_context import ChainContext
from eth.vm.forks.cancun.blocks import CancunBlockHeader
from eth.vm.forks.cancun.constants import BEACON_ROOTS_ADDRESS, BEACON_ROOTS_CONTRACT_CODE
from eth.vm.forks.london.blocks import LondonBlockHeader
from eth.vm.forks.prague.blocks import PragueBlockHeader
from eth.vm.forks.prague.constants import HISTORY_STORAGE_ADDRESS, HISTORY_STORAGE_CONTRACT_CODE
from eth.vm.forks.shanghai.blocks import ShanghaiBlockHeader
from eth.vm.forks.shanghai.withdrawals import Withdrawal
from eth_typing import Address, BlockNumber, Hash32
from rlp import decode

from twisted_chainws.chain.forks import (
    DEVELOPMENT,
    Fork,
    ForkSchedule,
    next_excess_blob_gas,
)
from twisted_chainws.errors import Unsupported
from twisted_chainws.sources.devchain.engine.rules import vm_class
from twisted_chainws.sources.devchain.engine.vm import DevVM
from twisted_chainws.sources.devchain.genesis import Genesis, GenesisAccount

LEDGER_ADDRESS = bytes(19) + b"\x01"
"""Holds the native ledger in its storage; see `keep_ledger` for why its nonce is never 0."""


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
    """A chain whose rules follow its own schedule of forks.

    Attributes:
        chain_id: set on the instance, like ``forks``.
    """

    chain_id = 0
    vm_configuration = ((BlockNumber(0), DevVM),)
    chaindb_class = DevChainDB
    forks: ForkSchedule = DEVELOPMENT

    def fork(self, header: BlockHeaderAPI) -> Fork:
        """Return the fork that the block of a header is under."""
        return self.forks.at(header.block_number, header.timestamp)

    def vm_class(self, fork: Fork) -> Any:
        """Return the machine of a fork."""
        return vm_class(fork, self.forks.deposit_contract)

    def get_vm(self, at_header: BlockHeaderAPI | None = None) -> Any:
        """Return a machine for a block, by the rules it is under."""
        header = self.ensure_header(at_header)
        return self.vm_class(self.fork(header))(
            header=header,
            chaindb=self.chaindb,
            chain_context=ChainContext(self.chain_id),
            consensus_context=self.consensus_context,
        )

    def block(self, header: BlockHeaderAPI) -> BlockAPI:
        """Return a kept block: header, transactions, uncles, withdrawals."""
        machine = self.vm_class(self.fork(header))
        block: BlockAPI = machine.get_block_class().from_header(header, self.chaindb)
        return block

    def create_header_from_parent(
        self, parent_header: BlockHeaderAPI, **header_params: Any
    ) -> BlockHeaderAPI:
        """Return the header of a child before anything runs in it; Prague's rules or later.

        Raises:
            Unsupported: older rules; such blocks are imported, never made.
        """
        number = parent_header.block_number + 1
        fork = self.forks.at(number, header_params.get("timestamp", parent_header.timestamp))
        if not fork.has("prague"):
            raise Unsupported(reason=f"blocks are not made by the rules of {fork.name}")
        header = self.vm_class(fork).create_header_from_parent(parent_header, **header_params)
        return header.copy(excess_blob_gas=next_excess(fork, parent_header))


def next_excess(fork: Fork, parent: BlockHeaderAPI) -> int:
    """Return the excess blob gas of a child of ``parent`` that is under ``fork``."""
    return next_excess_blob_gas(
        fork,
        excess=getattr(parent, "excess_blob_gas", 0),
        used=getattr(parent, "blob_gas_used", 0),
        base_fee=getattr(parent, "base_fee_per_gas", 0),
    )


def open_chain(db: AtomicDatabaseAPI, chain_id: int, forks: ForkSchedule = DEVELOPMENT) -> DevChain:
    """Wrap a database that already holds a genesis block."""
    chain = DevChain(db)
    chain.chain_id = chain_id
    chain.forks = forks
    return chain


def genesis_accounts(genesis: Genesis) -> dict[bytes, GenesisAccount]:
    """Return the accounts of block 0: those asked for, the system contracts, the ledger.

    Source: EIP-4788 and EIP-2935 (addresses, code); EIP-7002 and EIP-7251 are left out, so there
    are no requests of those kinds.
    """
    if genesis.complete:
        return dict(genesis.accounts)
    accounts = {
        BEACON_ROOTS_ADDRESS: GenesisAccount(nonce=1, code=BEACON_ROOTS_CONTRACT_CODE),
        HISTORY_STORAGE_ADDRESS: GenesisAccount(nonce=1, code=HISTORY_STORAGE_CONTRACT_CODE),
        LEDGER_ADDRESS: GenesisAccount(nonce=1),
    }
    accounts |= dict(genesis.accounts)
    ledger = accounts[LEDGER_ADDRESS]
    accounts[LEDGER_ADDRESS] = replace(ledger, nonce=max(ledger.nonce, 1))
    return accounts


def create_chain(db: AtomicDatabaseAPI, genesis: Genesis) -> DevChain:
    """Write block 0 and return the chain."""
    chain = open_chain(db, genesis.chain_id, genesis.forks)
    blank = genesis_header(genesis, BLANK_ROOT_HASH)
    state = chain.get_vm(blank).state
    for name, account in genesis_accounts(genesis).items():
        address = Address(name)
        state.set_balance(address, account.balance)
        state.set_nonce(address, account.nonce)
        state.set_code(address, account.code)
        for slot, word in account.storage.items():
            state.set_storage(address, slot, word)
    state.persist()
    chain.chaindb.persist_header(genesis_header(genesis, state.state_root))
    return chain


def genesis_hash(genesis: Genesis) -> bytes:
    """Return the hash of block 0, without writing it anywhere."""
    return bytes(create_chain(AtomicDB(), genesis).get_canonical_head().hash)


def genesis_header(genesis: Genesis, state_root: bytes) -> BlockHeaderAPI:
    """Return the header of block 0, with the fields that its fork has."""
    fork = genesis.forks.at(0, genesis.timestamp)
    fields: dict[str, Any] = {
        "block_number": BlockNumber(0),
        "state_root": Hash32(state_root),
        "coinbase": Address(genesis.coinbase),
    }
    for name in ("difficulty", "gas_limit", "timestamp", "extra_data", "mix_hash", "nonce"):
        fields[name] = getattr(genesis, name)
    header: Any = BlockHeader
    if fork.has("london"):
        header, fields["base_fee_per_gas"] = LondonBlockHeader, genesis.base_fee
    if fork.has("shanghai"):
        header = ShanghaiBlockHeader
    if fork.has("cancun"):
        header = CancunBlockHeader
        fields["excess_blob_gas"] = genesis.excess_blob_gas
        fields["blob_gas_used"] = genesis.blob_gas_used
        fields["parent_beacon_block_root"] = ZERO_HASH32
    if fork.has("prague"):
        header = PragueBlockHeader
    made: BlockHeaderAPI = header(**fields)
    return made


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
