import hashlib
from dataclasses import replace
from typing import Any

import pytest

from tests.dialects.zilliqa.vectors import derivation
from twisted_chainws.chain.types import Gas, Hash32
from twisted_chainws.dialects.zilliqa.tx_block import (
    MAX_AMOUNT,
    ZERO_HASH,
    MicroBlockInfo,
    TxBlockHeader,
    encode_header,
    hash_micro_blocks,
    header_hash,
)

HEADER = TxBlockHeader(
    version=1,
    committee_hash=ZERO_HASH,
    previous_hash=ZERO_HASH,
    gas_limit=Gas(0),
    gas_used=Gas(50),
    fees_qa=0,
    number=1,
    state_root=ZERO_HASH,
    state_delta_hash=ZERO_HASH,
    micro_blocks_hash=ZERO_HASH,
    transaction_count=1,
    miner_public_key=bytes.fromhex(derivation("keys")[1]["publicKey"]),
    ds_block_number=1,
)
"""Of the sample block."""


def micro_block(shape: dict[str, Any]) -> MicroBlockInfo:
    """Read a microblock of a sample."""
    return MicroBlockInfo(
        hash=Hash32(bytes.fromhex(shape["MicroBlockHash"])),
        transactions_root=Hash32(bytes.fromhex(shape["MicroBlockTxnRootHash"])),
        shard_id=shape["MicroBlockShardId"],
    )


def test_sample_header() -> None:
    """The sample header has its bytes and its hash."""
    sample = derivation("tx_block_hash")
    assert encode_header(HEADER).hex() == sample["header_protobuf_hex"]
    assert header_hash(HEADER).hex() == sample["BlockHash"]


@pytest.mark.parametrize("name", ["mb_info_hash", "mb_info_hash_mainnet"])
def test_published_micro_blocks(name: str) -> None:
    """Microblocks of published blocks have their published hash."""
    sample = derivation(name)
    infos = [micro_block(shape) for shape in sample["micro_block_infos"]]
    assert hash_micro_blocks(infos).hex() == sample["MbInfoHash"]
    assert hash_micro_blocks(reversed(infos)).hex() != sample["MbInfoHash"]


def test_no_micro_blocks() -> None:
    """Without microblocks there is nothing to hash."""
    assert hash_micro_blocks([]) == ZERO_HASH


def test_zeros_in_a_header() -> None:
    """Of numbers that are zero only the gas limit is left out; the first shard is written."""
    zeros = replace(HEADER, gas_used=Gas(0), number=0, transaction_count=0, ds_block_number=0)
    encoded = encode_header(zeros)
    assert [b"\x18\0" in encoded, b"\x30\0" in encoded, b"\x40\0" in encoded] == [True] * 3
    assert encoded.endswith(b"\x50\0")
    limited = encode_header(replace(zeros, gas_limit=Gas(1)))
    assert len(limited) == len(encoded) + 2
    info = MicroBlockInfo(hash=ZERO_HASH, transactions_root=ZERO_HASH, shard_id=0)
    written = b"\x0a\x20" + bytes(32) + b"\x12\x20" + bytes(32) + b"\x18\0"
    assert hash_micro_blocks([info]) == hashlib.sha256(written).digest()


FIELDS: list[dict[str, Any]] = [
    {"version": 2},
    {"committee_hash": b"\1" * 32},
    {"previous_hash": b"\1" * 32},
    {"gas_limit": 1},
    {"gas_used": 51},
    {"fees_qa": MAX_AMOUNT},
    {"number": 2},
    {"state_root": b"\1" * 32},
    {"state_delta_hash": b"\1" * 32},
    {"micro_blocks_hash": b"\1" * 32},
    {"transaction_count": 2},
    {"miner_public_key": b"\2" * 33},
    {"ds_block_number": 2},
]


@pytest.mark.parametrize("change", FIELDS, ids=lambda change: next(iter(change)))
def test_every_field_counts(change: dict[str, Any]) -> None:
    """A header with any field changed has another hash."""
    assert header_hash(replace(HEADER, **change)) != header_hash(HEADER)
