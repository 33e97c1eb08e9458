"""Model values to wire shapes. Sans-I/O; pure functions of their arguments.

Order of members is go-ethereum's: headers, transactions and logs are structs there, blocks and
receipts are maps and come out sorted.

Source: ``ethereum.md`` 2.2, 2.3, 5.5, 5.6; checked against the execution-apis tests.
"""

from collections.abc import Iterable
from typing import Any

from twisted_chainws.chain.model import (
    AccessListEntry,
    Authorization,
    Block,
    EthereumHeader,
    EvmTransaction,
    Log,
    Receipt,
    Transaction,
    Withdrawal,
)
from twisted_chainws.dialects.ethereum import shapes
from twisted_chainws.dialects.ethereum.rlp_codec import header_hash, header_only_size

encode_quantity = hex
"""A number as ``0x`` and hex without leading zeros; the built-in does exactly that."""


def encode_data(value: bytes) -> shapes.Data:
    """Bytes as ``0x`` and two digits each."""
    return "0x" + value.hex()


def evm_transactions(block: Block) -> list[EvmTransaction]:
    """The transactions that this dialect shows; they stand before all others."""
    return [item for item in block.transactions if isinstance(item, EvmTransaction)]


def encode_header(header: EthereumHeader, block_hash: bytes) -> shapes.Header:
    """Encode a header for ``newHeads``; fields of inactive forks are absent."""
    shape: shapes.Header = {
        "parentHash": encode_data(header.parent_hash),
        "sha3Uncles": encode_data(header.uncles_hash),
        "miner": encode_data(header.coinbase),
        "stateRoot": encode_data(header.state_root),
        "transactionsRoot": encode_data(header.transactions_root),
        "receiptsRoot": encode_data(header.receipts_root),
        "logsBloom": encode_data(header.bloom),
        "difficulty": encode_quantity(header.difficulty),
        "number": encode_quantity(header.number),
        "gasLimit": encode_quantity(header.gas_limit),
        "gasUsed": encode_quantity(header.gas_used),
        "timestamp": encode_quantity(header.timestamp),
        "extraData": encode_data(header.extra_data),
        "mixHash": encode_data(header.mix_hash),
        "nonce": encode_data(header.nonce),
    }
    if header.base_fee_per_gas is not None:
        shape["baseFeePerGas"] = encode_quantity(header.base_fee_per_gas)
    if header.withdrawals_root is not None:
        shape["withdrawalsRoot"] = encode_data(header.withdrawals_root)
    if header.blob_gas_used is not None:
        shape["blobGasUsed"] = encode_quantity(header.blob_gas_used)
    if header.excess_blob_gas is not None:
        shape["excessBlobGas"] = encode_quantity(header.excess_blob_gas)
    if header.parent_beacon_block_root is not None:
        shape["parentBeaconBlockRoot"] = encode_data(header.parent_beacon_block_root)
    if header.requests_hash is not None:
        shape["requestsHash"] = encode_data(header.requests_hash)
    shape["hash"] = encode_data(block_hash)
    return shape


def encode_block_header(block: Block) -> dict[str, Any]:
    """Encode the header of a block as the ``eth_getHeaderBy…`` methods give it: sorted."""
    return dict(sorted(encode_header(block.extras.header, block.hash).items()))


def encode_block(block: Block, *, full: bool) -> dict[str, Any]:
    """Encode a block with its transactions, ``full`` or as hashes."""
    return _block(block, _transactions(block, full=full))


def encode_pending_block(block: Block, *, full: bool) -> dict[str, Any]:
    """Encode a block that is not sealed: what is not final yet is null.

    Its transactions carry the number and the place they would have, but no block hash.
    """
    transactions = _transactions(block, full=full)
    for item in transactions if full else ():
        item["blockHash"] = None
    return _block(block, transactions) | {"hash": None, "miner": None, "nonce": None}


def encode_uncle(header: EthereumHeader) -> dict[str, Any]:
    """Encode an uncle: a block that has neither transactions nor uncles, only a size."""
    fields = {
        **encode_header(header, header_hash(header)),
        "size": encode_quantity(header_only_size(header)),
        "uncles": [],
    }
    return dict(sorted(fields.items()))


def _transactions(block: Block, *, full: bool) -> list[Any]:
    listed = evm_transactions(block)
    if full:
        return [encode_mined(block, position) for position in range(len(listed))]
    return [encode_data(item.hash) for item in listed]


def _block(block: Block, transactions: list[Any]) -> dict[str, Any]:
    extras = block.extras
    fields: dict[str, Any] = {
        **encode_header(extras.header, block.hash),
        "size": encode_quantity(extras.size),
        "transactions": transactions,
        "uncles": [encode_data(header_hash(uncle)) for uncle in extras.uncles],
    }
    if extras.withdrawals is not None:
        fields["withdrawals"] = [_withdrawal(item) for item in extras.withdrawals]
    return dict(sorted(fields.items()))


def _withdrawal(withdrawal: Withdrawal) -> shapes.Withdrawal:
    return {
        "index": encode_quantity(withdrawal.index),
        "validatorIndex": encode_quantity(withdrawal.validator_index),
        "address": encode_data(withdrawal.address),
        "amount": encode_quantity(withdrawal.amount_gwei),
    }


def encode_mined(block: Block, position: int) -> shapes.Transaction:
    """Encode the EVM transaction at ``position`` of ``block``."""
    transaction = evm_transaction(block.transactions[position])
    return encode_transaction(transaction, block, position)


def evm_transaction(transaction: Transaction) -> EvmTransaction:
    """Narrow to an EVM transaction.

    Raises:
        TypeError: it is of another family; a bug of the caller.
    """
    if not isinstance(transaction, EvmTransaction):
        raise TypeError(f"not an EVM transaction: {transaction.kind}")
    return transaction


def encode_transaction(
    transaction: EvmTransaction, block: Block | None = None, position: int = 0
) -> shapes.Transaction:
    """Encode a transaction, pending when ``block`` is None."""
    shape: shapes.Transaction = {
        "blockHash": None if block is None else encode_data(block.hash),
        "blockNumber": None if block is None else encode_quantity(block.number),
        "blockTimestamp": None if block is None else encode_quantity(block.timestamp),
    }
    shape["from"] = encode_data(transaction.sender)
    shape["gas"] = encode_quantity(transaction.gas_limit)
    shape["gasPrice"] = encode_quantity(_gas_price(transaction, block))
    if transaction.max_fee_per_gas is not None:
        shape["maxFeePerGas"] = encode_quantity(transaction.max_fee_per_gas)
    if transaction.max_priority_fee_per_gas is not None:
        shape["maxPriorityFeePerGas"] = encode_quantity(transaction.max_priority_fee_per_gas)
    if transaction.max_fee_per_blob_gas is not None:
        shape["maxFeePerBlobGas"] = encode_quantity(transaction.max_fee_per_blob_gas)
    shape["hash"] = encode_data(transaction.hash)
    shape["input"] = encode_data(transaction.data)
    shape["nonce"] = encode_quantity(transaction.nonce)
    shape["to"] = None if transaction.to is None else encode_data(transaction.to)
    shape["transactionIndex"] = None if block is None else encode_quantity(position)
    shape["value"] = encode_quantity(transaction.value)
    _add_typed_members(shape, transaction)
    return shape


def _add_typed_members(shape: shapes.Transaction, transaction: EvmTransaction) -> None:
    shape["type"] = encode_quantity(transaction.type)
    if transaction.type:
        shape["accessList"] = [_access_list_entry(item) for item in transaction.access_list or ()]
    if transaction.chain_id is not None:
        shape["chainId"] = encode_quantity(transaction.chain_id)
    if transaction.blob_versioned_hashes is not None:
        shape["blobVersionedHashes"] = _data_list(transaction.blob_versioned_hashes)
    if transaction.authorizations is not None:
        shape["authorizationList"] = [_authorization(item) for item in transaction.authorizations]
    shape["v"] = encode_quantity(transaction.v)
    shape["r"] = encode_quantity(transaction.r)
    shape["s"] = encode_quantity(transaction.s)
    if transaction.type:
        shape["yParity"] = encode_quantity(transaction.v)


def _gas_price(transaction: EvmTransaction, block: Block | None) -> int:
    """Say what is paid per gas: fixed by the older types, by the block for the newer ones."""
    if transaction.max_fee_per_gas is None:
        return transaction.gas_price or 0
    base_fee = None if block is None else block.extras.header.base_fee_per_gas
    if base_fee is None:
        return transaction.max_fee_per_gas
    tip = transaction.max_priority_fee_per_gas or 0
    return min(tip + base_fee, transaction.max_fee_per_gas)


def _access_list_entry(entry: AccessListEntry) -> shapes.AccessListEntry:
    return {"address": encode_data(entry.address), "storageKeys": _data_list(entry.storage_keys)}


def _authorization(authorization: Authorization) -> shapes.Authorization:
    return {
        "chainId": encode_quantity(authorization.chain_id),
        "address": encode_data(authorization.address),
        "nonce": encode_quantity(authorization.nonce),
        "yParity": encode_quantity(authorization.y_parity),
        "r": encode_quantity(authorization.r),
        "s": encode_quantity(authorization.s),
    }


def _data_list(values: Iterable[bytes]) -> list[shapes.Data]:
    return [encode_data(value) for value in values]


def encode_log(
    block: Block, position: int, log_index: int, log: Log, *, removed: bool = False
) -> shapes.Log:
    """Encode a log of the transaction at ``position``; ``log_index`` counts over the block."""
    return {
        "address": encode_data(log.address),
        "topics": _data_list(log.topics),
        "data": encode_data(log.data),
        "blockNumber": encode_quantity(block.number),
        "transactionHash": encode_data(block.transactions[position].hash),
        "transactionIndex": encode_quantity(position),
        "blockHash": encode_data(block.hash),
        "blockTimestamp": encode_quantity(block.timestamp),
        "logIndex": encode_quantity(log_index),
        "removed": removed,
    }


def encode_receipts(block: Block) -> list[dict[str, Any]]:
    """Encode the receipts of all EVM transactions of a block."""
    shapes_made: list[dict[str, Any]] = []
    first_log = 0
    for position in range(len(evm_transactions(block))):
        shapes_made.append(_receipt(block, position, first_log))
        first_log += len(block.receipts[position].logs)
    return shapes_made


def encode_receipt(block: Block, position: int) -> dict[str, Any]:
    """Encode the receipt at ``position``; members are sorted."""
    first_log = sum(len(receipt.logs) for receipt in block.receipts[:position])
    return _receipt(block, position, first_log)


def _receipt(block: Block, position: int, first_log: int) -> dict[str, Any]:
    receipt: Receipt = block.receipts[position]
    transaction = evm_transaction(block.transactions[position])
    shape: dict[str, Any] = {}
    if receipt.blob_gas_price is not None:
        shape["blobGasPrice"] = encode_quantity(receipt.blob_gas_price)
    if receipt.blob_gas_used is not None:
        shape["blobGasUsed"] = encode_quantity(receipt.blob_gas_used)
    contract = receipt.contract_address
    shape |= {
        "blockHash": encode_data(block.hash),
        "blockNumber": encode_quantity(block.number),
        "contractAddress": None if contract is None else encode_data(contract),
        "cumulativeGasUsed": encode_quantity(receipt.cumulative_gas_used),
        "effectiveGasPrice": encode_quantity(receipt.effective_gas_price),
        "from": encode_data(transaction.sender),
        "gasUsed": encode_quantity(receipt.gas_used),
        "logs": [
            encode_log(block, position, first_log + offset, log)
            for offset, log in enumerate(receipt.logs)
        ],
        "logsBloom": encode_data(receipt.bloom),
        **_outcome(receipt),
        "to": None if transaction.to is None else encode_data(transaction.to),
        "transactionHash": encode_data(transaction.hash),
        "transactionIndex": encode_quantity(position),
        "type": encode_quantity(transaction.type),
    }
    return shape


def _outcome(receipt: Receipt) -> dict[str, str]:
    if receipt.state_root is not None:
        return {"root": encode_data(receipt.state_root)}
    return {"status": "0x1" if receipt.succeeded else "0x0"}
