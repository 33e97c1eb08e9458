"""Ethereum's consensus encodings of what the model holds. Sans-I/O.

Source: the Yellow Paper, EIP-2718 (typed envelopes), EIP-4895 (withdrawals); header fields by fork
in ``ethereum.md`` 5.6.
"""

from typing import Any

import rlp
from eth_hash.auto import keccak

from twisted_chainws.chain.model import (
    Block,
    EthereumHeader,
    EvmTransaction,
    Log,
    Receipt,
    Withdrawal,
)
from twisted_chainws.chain.types import Hash32

_FORK_FIELDS = (
    "base_fee_per_gas",
    "withdrawals_root",
    "blob_gas_used",
    "excess_blob_gas",
    "parent_beacon_block_root",
    "requests_hash",
)


def encode_header(header: EthereumHeader) -> bytes:
    """Encode a header; fields of forks that are not active are left out."""
    return _encode(_header_fields(header))


def header_hash(header: EthereumHeader) -> Hash32:
    """Hash a header: what the block is called."""
    return Hash32(keccak(encode_header(header)))


def encode_block(block: Block) -> bytes:
    """Encode a whole block with its EVM transactions, as peers exchange it."""
    extras = block.extras
    body: list[Any] = [
        _header_fields(extras.header),
        [
            transaction.raw if transaction.type else rlp.decode(transaction.raw)
            for transaction in block.transactions
            if isinstance(transaction, EvmTransaction)
        ],
        [_header_fields(uncle) for uncle in extras.uncles],
    ]
    if extras.withdrawals is not None:
        body.append([_withdrawal_fields(item) for item in extras.withdrawals])
    return _encode(body)


def header_only_size(header: EthereumHeader) -> int:
    """Count the bytes of a block that is nothing but this header, which is how uncles are sized."""
    return len(_encode([_header_fields(header), [], []]))


def encode_receipts(block: Block) -> list[bytes]:
    """Encode the receipts of the EVM transactions in their order, typed ones with their type."""
    return [
        encode_receipt(transaction, receipt)
        for transaction, receipt in zip(block.transactions, block.receipts, strict=True)
        if isinstance(transaction, EvmTransaction)
    ]


def encode_receipt(transaction: EvmTransaction, receipt: Receipt) -> bytes:
    """Encode one receipt as it enters the receipts trie (a state root before Byzantium)."""
    succeeded = b"\x01" if receipt.succeeded else b""
    encoded = _encode(
        [
            succeeded if receipt.state_root is None else receipt.state_root,
            _integer(receipt.cumulative_gas_used),
            receipt.bloom,
            [_log_fields(log) for log in receipt.logs],
        ]
    )
    return bytes([transaction.type]) + encoded if transaction.type else encoded


def _header_fields(header: EthereumHeader) -> list[bytes]:
    fields: list[bytes] = [
        header.parent_hash,
        header.uncles_hash,
        header.coinbase,
        header.state_root,
        header.transactions_root,
        header.receipts_root,
        header.bloom,
        _integer(header.difficulty),
        _integer(header.number),
        _integer(header.gas_limit),
        _integer(header.gas_used),
        _integer(header.timestamp),
        header.extra_data,
        header.mix_hash,
        header.nonce,
    ]
    for name in _FORK_FIELDS:
        value: int | bytes | None = getattr(header, name)
        if value is None:
            break
        fields.append(_integer(value) if isinstance(value, int) else value)
    return fields


def _withdrawal_fields(withdrawal: Withdrawal) -> list[bytes]:
    return [
        _integer(withdrawal.index),
        _integer(withdrawal.validator_index),
        withdrawal.address,
        _integer(withdrawal.amount_gwei),
    ]


def _log_fields(log: Log) -> list[Any]:
    return [log.address, list(log.topics), log.data]


def _integer(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def _encode(item: Any) -> bytes:
    return bytes(rlp.encode(item))
