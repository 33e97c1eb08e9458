"""Tx blocks: what their hashes are made over. Sans-I/O.

Source: ``zilliqa.md`` 6.4 and 6.5 (the node's ``Serialization.cpp`` and ``ZilliqaMessage.proto``).
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from twisted_chainws.chain.types import Gas, Hash32
from twisted_chainws.dialects.zilliqa.protobuf_codec import (
    encode_byte_array,
    encode_bytes,
    encode_number,
)

ZERO_HASH: Final = Hash32(bytes(32))

MAX_AMOUNT: Final = 2**128 - 1
"""The highest amount that Zilliqa can write, Qa."""

_AMOUNT_LENGTH: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class MicroBlockInfo:
    """What a Tx block says of one of its microblocks.

    Attributes:
        transactions_root: zero without transactions.
    """

    hash: Hash32
    transactions_root: Hash32
    shard_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TxBlockHeader:
    """The header of a Tx block.

    Attributes:
        committee_hash: zero where there is no committee.
        fees_qa: what the node keeps in one number and shows as ``TxnFees`` or, in the last block
            of a DS epoch, as ``Rewards``.
        state_delta_hash: zero where changes are not hashed.
        miner_public_key: compressed, 33 bytes.
    """

    version: int
    committee_hash: Hash32
    previous_hash: Hash32
    gas_limit: Gas
    gas_used: Gas
    fees_qa: int
    number: int
    state_root: Hash32
    state_delta_hash: Hash32
    micro_blocks_hash: Hash32
    transaction_count: int
    miner_public_key: bytes
    ds_block_number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TxBlock:
    """A block as Zilliqa sees it.

    Attributes:
        hash: of the header.
        timestamp_us: microseconds since the Unix epoch.
        micro_blocks: by shard.
        transaction_ids: of each microblock, in its order.
        signature: of the header's bytes by the miner's key, 64 bytes.
    """

    header: TxBlockHeader
    hash: Hash32
    timestamp_us: int
    micro_blocks: tuple[MicroBlockInfo, ...]
    transaction_ids: tuple[tuple[Hash32, ...], ...]
    signature: bytes


def encode_header(header: TxBlockHeader) -> bytes:
    """Write a header as it is hashed; gas limit 0 is left out, all other numbers are written."""
    base = (
        encode_number(1, header.version)
        + encode_bytes(2, header.committee_hash)
        + encode_bytes(3, header.previous_hash)
    )
    hashes = (
        encode_bytes(1, header.state_root)
        + encode_bytes(2, header.state_delta_hash)
        + encode_bytes(3, header.micro_blocks_hash)
    )
    parts = [
        encode_bytes(1, base),
        encode_number(2, header.gas_limit) if header.gas_limit else b"",
        encode_number(3, header.gas_used),
        encode_byte_array(4, header.fees_qa.to_bytes(_AMOUNT_LENGTH, "big")),
        encode_number(6, header.number),
        encode_bytes(7, hashes),
        encode_number(8, header.transaction_count),
        encode_byte_array(9, header.miner_public_key),
        encode_number(10, header.ds_block_number),
    ]
    return b"".join(parts)


def header_hash(header: TxBlockHeader) -> Hash32:
    """Hash a header: what the block is called."""
    return Hash32(hashlib.sha256(encode_header(header)).digest())


def hash_micro_blocks(infos: Iterable[MicroBlockInfo]) -> Hash32:
    """Hash what is said of the microblocks; zero when there are none."""
    encoded = b"".join(_encode_micro_block(info) for info in infos)
    return Hash32(hashlib.sha256(encoded).digest()) if encoded else ZERO_HASH


def _encode_micro_block(info: MicroBlockInfo) -> bytes:
    return (
        encode_bytes(1, info.hash)
        + encode_bytes(2, info.transactions_root)
        + encode_number(3, info.shard_id)
    )
