"""The chain as every dialect sees it: frozen blocks, transactions, receipts, logs.

Sans-I/O. Imports only the types. Hashes and addresses are raw ``bytes``; hex exists only in shapes.
A block is an ordered tuple of transactions of several kinds with one receipt each; what only one
chain family has lies in a typed extras value.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, TypeAlias

from twisted_chainws.chain.types import Address20, BlockNumber, Gas, Hash32, Timestamp, Wei


class Kind(StrEnum):
    """The family a transaction belongs to."""

    EVM = "evm"
    ONTOLOGY = "ontology"
    ZILLIQA = "zilliqa"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessListEntry:
    """One entry of an EIP-2930 access list."""

    address: Address20
    storage_keys: tuple[Hash32, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization:
    """One EIP-7702 authorization as it stands in the transaction; ``chain_id`` 0 means any."""

    chain_id: int
    address: Address20
    nonce: int
    y_parity: int
    r: int
    s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EvmTransaction:
    """A transaction of the EVM, types 0 to 4.

    Attributes:
        raw: the canonical encoding, for blobs without the sidecar; its keccak is ``hash``.
        type: 0 legacy, 1 access list, 2 dynamic fee, 3 blob, 4 set code.
        chain_id: None for an unprotected legacy transaction.
        to: None creates a contract.
        gas_price: types 0 and 1; None for the others.
        max_fee_per_gas: types 2 to 4; None for the others, like ``max_priority_fee_per_gas``.
        access_list: None for type 0.
        max_fee_per_blob_gas: type 3 only, like ``blob_versioned_hashes``.
        authorizations: type 4 only.
        v: as signed: 27/28 or EIP-155 for type 0, the parity for the others.
    """

    kind: ClassVar[Kind] = Kind.EVM

    hash: Hash32
    sender: Address20
    raw: bytes
    type: int
    chain_id: int | None
    nonce: int
    to: Address20 | None
    value: Wei
    gas_limit: Gas
    gas_price: Wei | None
    max_fee_per_gas: Wei | None
    max_priority_fee_per_gas: Wei | None
    data: bytes
    access_list: tuple[AccessListEntry, ...] | None
    max_fee_per_blob_gas: Wei | None
    blob_versioned_hashes: tuple[Hash32, ...] | None
    authorizations: tuple[Authorization, ...] | None
    v: int
    r: int
    s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NativeTransaction:
    """A transaction of another family, carried in that family's own encoding.

    Attributes:
        kind: never ``Kind.EVM``.
        sender: the account that pays.
        raw: bytes in the encoding of the family; its codec lives in the dialect.
    """

    kind: Kind
    hash: Hash32
    sender: Address20
    raw: bytes


Transaction: TypeAlias = EvmTransaction | NativeTransaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """An EVM log; 0 to 4 topics."""

    address: Address20
    topics: tuple[Hash32, ...]
    data: bytes


NamedValue: TypeAlias = "int | str | bool | bytes | tuple[NamedValue, ...]"
"""The value of an argument; arrays and tuples of Solidity are tuples."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedParam:
    """One decoded argument; ``type`` in Solidity words, a tuple's as in signatures."""

    name: str
    type: str
    value: NamedValue


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedEvent:
    """An event with a name: a native one, or a log decoded by a registered ABI."""

    address: Address20
    name: str
    params: tuple[NamedParam, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a transaction did.

    Attributes:
        succeeded: False when it reverted or ran out of gas.
        cumulative_gas_used: gas of the block up to and including this transaction.
        effective_gas_price: what was paid per gas, wei.
        contract_address: where a creation put (or would have put) its code; None otherwise.
        bloom: 256 bytes.
        blob_gas_used: None except for blob transactions, like ``blob_gas_price``.
        events: named events beside the EVM logs.
        state_root: state after this transaction, which is what blocks before Byzantium say instead
            of whether it succeeded (``succeeded`` is True there); None since.
    """

    succeeded: bool
    gas_used: Gas
    cumulative_gas_used: Gas
    effective_gas_price: Wei
    contract_address: Address20 | None
    logs: tuple[Log, ...]
    bloom: bytes
    blob_gas_used: Gas | None
    blob_gas_price: Wei | None
    events: tuple[NamedEvent, ...]
    state_root: Hash32 | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """A validator withdrawal; ``amount_gwei`` in Gwei."""

    index: int
    validator_index: int
    address: Address20
    amount_gwei: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EthereumHeader:
    """The header of an Ethereum block; a field of a fork that is not active is None.

    Attributes:
        nonce: 8 bytes.
        bloom: 256 bytes.
        mix_hash: prevRandao since the Merge.
    """

    parent_hash: Hash32
    uncles_hash: Hash32
    coinbase: Address20
    state_root: Hash32
    transactions_root: Hash32
    receipts_root: Hash32
    bloom: bytes
    difficulty: int
    number: BlockNumber
    gas_limit: Gas
    gas_used: Gas
    timestamp: Timestamp
    extra_data: bytes
    mix_hash: Hash32
    nonce: bytes
    base_fee_per_gas: Wei | None
    withdrawals_root: Hash32 | None
    blob_gas_used: Gas | None
    excess_blob_gas: Gas | None
    parent_beacon_block_root: Hash32 | None
    requests_hash: Hash32 | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EthereumExtras:
    """What a block has only as an Ethereum block.

    Attributes:
        size: bytes of the RLP-encoded block.
        uncles: their headers; empty since the Merge.
        withdrawals: None before Shanghai.
    """

    header: EthereumHeader
    size: int
    uncles: tuple[EthereumHeader, ...]
    withdrawals: tuple[Withdrawal, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A block of the canonical chain or of a side branch.

    Attributes:
        hash: what the source calls it; for an EVM chain the keccak of the Ethereum header.
        transactions: EVM ones first, then native ones in order.
        receipts: one per transaction, same order.
    """

    number: BlockNumber
    hash: Hash32
    parent_hash: Hash32
    timestamp: Timestamp
    transactions: tuple[Transaction, ...]
    receipts: tuple[Receipt, ...]
    extras: EthereumExtras

    def logs(self) -> Iterator["LocatedLog"]:
        """Yield the EVM logs in order, ``log_index`` counting over the whole block."""
        log_index = 0
        for position, receipt in enumerate(self.receipts):
            for log in receipt.logs:
                yield LocatedLog(
                    block=self, transaction_index=position, log_index=log_index, log=log
                )
                log_index += 1


@dataclass(frozen=True, slots=True, kw_only=True)
class LocatedLog:
    """A log and where it stands."""

    block: Block
    transaction_index: int
    log_index: int
    log: Log
