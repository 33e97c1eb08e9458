"""Model values to wire shapes and texts. Sans-I/O; pure functions of their arguments.

Texts are compact with their members sorted: the node's own, indented with tabs, is not imitated.

Source: ``zilliqa.md`` 3.3, 3.5, 5 and 6; the node's ``JSONConversion.cpp`` and ``Eth.cpp``,
f0bcbb01, for EVM transactions.
"""

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

import orjson

from twisted_chainws.chain.model import Block, EvmTransaction, Receipt
from twisted_chainws.dialects.zilliqa import shapes
from twisted_chainws.dialects.zilliqa.events import encode_receipt_event, named_events
from twisted_chainws.dialects.zilliqa.evm_keys import recover_public_key, signature_of
from twisted_chainws.dialects.zilliqa.listing import Transfer, transfer_of
from twisted_chainws.dialects.zilliqa.projection import Form
from twisted_chainws.dialects.zilliqa.transaction import (
    NATIVE_VERSION,
    WEI_PER_QA,
    SignedTransaction,
    decode_transaction,
    pack_version,
)
from twisted_chainws.dialects.zilliqa.tx_block import MicroBlockInfo, TxBlock

TRANSACTIONS_PER_PAGE: Final = 2_500

_NO_KEY: Final = bytes(33)
_EVM_CODE: Final = b"EVM"


class HashPlaces(StrEnum):
    """Where a NewBlock item has its ``TxHashes``: nodes write inside, the document says beside."""

    BOTH = "both"
    INSIDE = "inside"
    BESIDE = "beside"


def dump(value: Any) -> bytes:
    """Write a JSON value, members sorted, in ASCII."""
    text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    if text.isascii():
        return text
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def encode_upper(value: bytes) -> str:
    """Bytes as ``0x`` and upper-case hex: how keys and signatures are shown."""
    return "0x" + value.hex().upper()


def encode_tx_block(block: TxBlock) -> shapes.TxBlock:
    """Encode a block."""
    return {
        "body": {
            "BlockHash": block.hash.hex(),
            "HeaderSign": block.signature.hex().upper(),
            "MicroBlockInfos": [_micro_block(info) for info in block.micro_blocks],
        },
        "header": _header(block),
    }


def encode_hashes(block: TxBlock) -> shapes.TxHashes:
    """Encode the transaction ids, an array per shard; a block without any has no array at all."""
    if not block.header.transaction_count:
        return []
    return [[item.hex() for item in shard] for shard in block.transaction_ids]


def encode_new_block(block: TxBlock, places: HashPlaces) -> shapes.NewBlockItem:
    """Encode the NewBlock item of a notification."""
    hashes = encode_hashes(block)
    value: shapes.NewBlock = {"TxBlock": encode_tx_block(block)}
    item: shapes.NewBlockItem = {"query": "NewBlock", "value": value}
    if places is not HashPlaces.BESIDE:
        value["TxHashes"] = hashes
    if places is not HashPlaces.INSIDE:
        item["TxHashes"] = hashes
    return item


def tx_block_text(block: TxBlock) -> bytes:
    """Write a block as ``GetTxBlock`` answers."""
    return dump(encode_tx_block(block))


def hashes_text(block: TxBlock) -> bytes:
    """Write the transaction ids as ``GetTransactionsForTxBlock`` answers."""
    return dump(encode_hashes(block))


def _both(block: TxBlock) -> bytes:
    return dump(encode_new_block(block, HashPlaces.BOTH))


def _inside(block: TxBlock) -> bytes:
    return dump(encode_new_block(block, HashPlaces.INSIDE))


def _beside(block: TxBlock) -> bytes:
    return dump(encode_new_block(block, HashPlaces.BESIDE))


NEW_BLOCK_TEXTS: Final[Mapping[HashPlaces, Form]] = {
    HashPlaces.BOTH: _both,
    HashPlaces.INSIDE: _inside,
    HashPlaces.BESIDE: _beside,
}
"""Where the hashes stand -> what writes a NewBlock item; for ``ZilliqaLedger.text``."""


def encode_transfer(transfer: Transfer) -> shapes.TxnLogEntry:
    """Encode a transaction as a TxnLog item lists it."""
    return {
        "ID": transfer.id.hex(),
        "amount": str(transfer.amount_qa),
        "fromAddr": transfer.sender.hex(),
        "success": transfer.succeeded,
        "toAddr": transfer.to.hex(),
    }


def encode_receipt(block: Block, receipt: Receipt) -> shapes.Receipt:
    """Encode a receipt; what nodes call cumulative is the gas of this transaction alone."""
    shape: shapes.Receipt = {
        "cumulative_gas": str(receipt.gas_used),
        "epoch_num": str(block.number),
        "success": receipt.succeeded,
    }
    events = named_events(receipt)
    if events:
        shape["event_logs"] = [encode_receipt_event(event) for event in events]
    return shape


def encode_transaction(block: Block, position: int, *, chain_id: int) -> shapes.Transaction:
    """Encode a mined transaction with its receipt.

    Args:
        block: where it stands.
        position: of a transaction that ``listing.is_listed``.
        chain_id: Zilliqa's, for the version word of EVM transactions.

    Raises:
        UndecodableTransaction: a native transaction is none.
    """
    transaction, receipt = block.transactions[position], block.receipts[position]
    if isinstance(transaction, EvmTransaction):
        own = _evm_transaction(transaction, receipt, chain_id)
    else:
        own = _native_transaction(decode_transaction(transaction.raw))
    transfer = transfer_of(transaction, receipt)
    shape: shapes.Transaction = own | {
        "ID": transfer.id.hex(),
        "amount": str(transfer.amount_qa),
        "receipt": encode_receipt(block, receipt),
        "toAddr": transfer.to.hex(),
    }
    return shape


def _native_transaction(transaction: SignedTransaction) -> Any:
    core = transaction.core
    shape = {
        "gasLimit": str(core.gas_limit),
        "gasPrice": str(core.gas_price_qa),
        "nonce": str(core.nonce),
        "senderPubKey": encode_upper(core.public_key),
        "signature": encode_upper(transaction.signature),
        "version": str(core.version),
    }
    return shape | _present(
        code=core.code.decode(errors="replace"), data=core.data.decode(errors="replace")
    )


def _evm_transaction(transaction: EvmTransaction, receipt: Receipt, chain_id: int) -> Any:
    """Encode what an EVM transaction has of its own.

    The nonce counts from 1 as native ones do, the price is what was paid. A sender who did not
    sign has a key of zeros.
    """
    shape = {
        "gasLimit": str(transaction.gas_limit),
        "gasPrice": str(receipt.effective_gas_price // WEI_PER_QA),
        "nonce": str(transaction.nonce + 1),
        "senderPubKey": encode_upper(recover_public_key(transaction) or _NO_KEY),
        "signature": encode_upper(signature_of(transaction)),
        "version": str(pack_version(chain_id, transaction.type + NATIVE_VERSION + 1)),
    }
    if transaction.to is None:
        return shape | _present(code=_text(_EVM_CODE + transaction.data))
    return shape | _present(data=_text(transaction.data))


def _text(data: bytes) -> str:
    """Write what an EVM transaction carries: as it is when it is ASCII, else as hex."""
    return data.decode() if data.isascii() else data.hex().upper()


def _present(**members: str) -> dict[str, str]:
    return {name: text for name, text in members.items() if text}


def _micro_block(info: MicroBlockInfo) -> shapes.MicroBlockInfo:
    return {
        "MicroBlockHash": info.hash.hex(),
        "MicroBlockShardId": info.shard_id,
        "MicroBlockTxnRootHash": info.transactions_root.hex(),
    }


def _header(block: TxBlock) -> shapes.TxBlockHeader:
    header = block.header
    return {
        "BlockNum": str(header.number),
        "DSBlockNum": str(header.ds_block_number),
        "GasLimit": str(header.gas_limit),
        "GasUsed": str(header.gas_used),
        "MbInfoHash": header.micro_blocks_hash.hex(),
        "MinerPubKey": encode_upper(header.miner_public_key),
        "NumMicroBlocks": len(block.micro_blocks),
        "NumPages": -(-header.transaction_count // TRANSACTIONS_PER_PAGE),
        "NumTxns": header.transaction_count,
        "PrevBlockHash": header.previous_hash.hex(),
        "Rewards": "0",
        "StateDeltaHash": header.state_delta_hash.hex(),
        "StateRootHash": header.state_root.hex(),
        "Timestamp": str(block.timestamp_us),
        "TxnFees": str(header.fees_qa),
        "Version": header.version,
    }
