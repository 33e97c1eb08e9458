"""py-evm objects to values of the chain model, and the encoding of native transactions."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import orjson
import rlp
from eth._utils.address import generate_contract_address
from eth.abc import BlockHeaderAPI, ReceiptAPI, SignedTransactionAPI
from eth.vm.forks.london.headers import calculate_expected_base_fee_per_gas

from twisted_chainws.chain.forks import GAS_PER_BLOB
from twisted_chainws.chain.model import (
    AccessListEntry,
    Authorization,
    Block,
    EthereumExtras,
    EthereumHeader,
    EvmTransaction,
    Kind,
    Log,
    NamedEvent,
    NamedParam,
    NamedValue,
    NativeTransaction,
    Receipt,
    Transaction,
    Withdrawal,
)
from twisted_chainws.chain.types import Address20, BlockNumber, Gas, Hash32, Timestamp, Wei

_BLOB, _SET_CODE, _ACCESS_LIST = 3, 4, 1
_ROOT = 32
_NO_BLOOM = bytes(256)

Native = tuple[NativeTransaction, Receipt]


def next_base_fee(header: BlockHeaderAPI) -> int:
    """Return the base fee of a child of ``header``, wei (EIP-1559); 0 before London."""
    if not hasattr(header, "base_fee_per_gas"):
        return 0
    return int(calculate_expected_base_fee_per_gas(header))


_V = TypeVar("_V")


def _given(header: BlockHeaderAPI, name: str, make: Callable[[Any], _V]) -> _V | None:
    """Return a header field of a later fork, None where the header has no such field."""
    # py-evm's older headers raise AttributeError for them.
    value = getattr(header, name, None)
    return None if value is None else make(value)


def convert_header(header: BlockHeaderAPI) -> EthereumHeader:
    """Convert the header of any fork."""
    return EthereumHeader(
        parent_hash=Hash32(header.parent_hash),
        uncles_hash=Hash32(header.uncles_hash),
        coinbase=Address20(header.coinbase),
        state_root=Hash32(header.state_root),
        transactions_root=Hash32(header.transaction_root),
        receipts_root=Hash32(header.receipt_root),
        bloom=header.bloom.to_bytes(256, "big"),
        difficulty=header.difficulty,
        number=BlockNumber(header.block_number),
        gas_limit=Gas(header.gas_limit),
        gas_used=Gas(header.gas_used),
        timestamp=Timestamp(header.timestamp),
        extra_data=header.extra_data,
        mix_hash=Hash32(header.mix_hash),
        nonce=header.nonce,
        base_fee_per_gas=_given(header, "base_fee_per_gas", Wei),
        withdrawals_root=_given(header, "withdrawals_root", Hash32),
        blob_gas_used=_given(header, "blob_gas_used", Gas),
        excess_blob_gas=_given(header, "excess_blob_gas", Gas),
        parent_beacon_block_root=_given(header, "parent_beacon_block_root", Hash32),
        requests_hash=_given(header, "requests_hash", Hash32),
    )


def convert_transaction(transaction: SignedTransactionAPI) -> EvmTransaction:
    """Convert a transaction; recovers its sender unless that was done before."""
    kind = transaction.type_id or 0
    priced = kind <= _ACCESS_LIST
    return EvmTransaction(
        hash=Hash32(transaction.hash),
        sender=Address20(transaction.sender),
        raw=transaction.encode(),
        type=kind,
        chain_id=transaction.chain_id,
        nonce=transaction.nonce,
        to=Address20(transaction.to) if transaction.to else None,
        value=Wei(transaction.value),
        gas_limit=Gas(transaction.gas),
        gas_price=Wei(transaction.gas_price) if priced else None,
        max_fee_per_gas=None if priced else Wei(transaction.max_fee_per_gas),
        max_priority_fee_per_gas=None if priced else Wei(transaction.max_priority_fee_per_gas),
        data=transaction.data,
        access_list=_access_list(transaction) if kind else None,
        max_fee_per_blob_gas=Wei(transaction.max_fee_per_blob_gas) if kind == _BLOB else None,
        blob_versioned_hashes=(
            tuple(Hash32(item) for item in transaction.blob_versioned_hashes)
            if kind == _BLOB
            else None
        ),
        authorizations=_authorizations(transaction) if kind == _SET_CODE else None,
        v=transaction.y_parity if kind else transaction.v,
        r=transaction.r,
        s=transaction.s,
    )


def _access_list(transaction: SignedTransactionAPI) -> tuple[AccessListEntry, ...]:
    return tuple(
        AccessListEntry(
            address=Address20(address),
            storage_keys=tuple(Hash32(slot.to_bytes(32, "big")) for slot in slots),
        )
        for address, slots in transaction.access_list
    )


def _authorizations(transaction: SignedTransactionAPI) -> tuple[Authorization, ...]:
    return tuple(
        Authorization(
            chain_id=item.chain_id,
            address=Address20(item.address),
            nonce=item.nonce,
            y_parity=item.y_parity,
            r=item.r,
            s=item.s,
        )
        for item in transaction.authorization_list
    )


def convert_receipt(
    transaction: SignedTransactionAPI,
    receipt: ReceiptAPI,
    gas_before: int,
    header: BlockHeaderAPI,
    blob_fee: int,
) -> Receipt:
    """Convert a receipt.

    Args:
        transaction: whose receipt it is.
        receipt: as py-evm keeps it; its gas is cumulative.
        gas_before: gas of the block before this transaction.
        header: of the block; only its base fee is used.
        blob_fee: price of blob gas in the block, wei.
    """
    is_blob = transaction.type_id == _BLOB
    price = min(
        transaction.max_fee_per_gas,
        (getattr(header, "base_fee_per_gas", 0) + transaction.max_priority_fee_per_gas),
    )
    # Before Byzantium the field holds the state root after the transaction.
    has_root = len(receipt.state_root) == _ROOT
    created = (
        None
        if transaction.to
        else Address20(generate_contract_address(transaction.sender, transaction.nonce))
    )
    return Receipt(
        succeeded=receipt.state_root == b"\x01" or has_root,
        state_root=Hash32(receipt.state_root) if has_root else None,
        gas_used=Gas(receipt.gas_used - gas_before),
        cumulative_gas_used=Gas(receipt.gas_used),
        effective_gas_price=Wei(price),
        contract_address=created,
        logs=tuple(
            Log(
                address=Address20(log.address),
                topics=tuple(Hash32(topic.to_bytes(32, "big")) for topic in log.topics),
                data=log.data,
            )
            for log in receipt.logs
        ),
        bloom=receipt.bloom.to_bytes(256, "big"),
        blob_gas_used=(
            Gas(GAS_PER_BLOB * len(transaction.blob_versioned_hashes)) if is_blob else None
        ),
        blob_gas_price=Wei(blob_fee) if is_blob else None,
        events=(),
    )


def native_receipt(
    *,
    succeeded: bool = True,
    gas: int,
    price: int,
    contract: Address20 | None = None,
    logs: Sequence[Log] = (),
    events: Sequence[NamedEvent] = (),
) -> Receipt:
    """Make the receipt of a transaction that the EVM did not run, or not in a block.

    Args:
        succeeded: whether it did what it was for.
        gas: units that it pays for.
        price: of each, wei.
        contract: that came into being.
        logs: of contracts of the EVM.
        events: of others.
    """
    return Receipt(
        succeeded=succeeded,
        gas_used=Gas(gas),
        cumulative_gas_used=Gas(gas),
        effective_gas_price=Wei(price),
        contract_address=contract,
        logs=tuple(logs),
        bloom=_NO_BLOOM,
        blob_gas_used=None,
        blob_gas_price=None,
        events=tuple(events),
    )


def convert_block(
    block: Any,
    receipts: Sequence[ReceiptAPI],
    natives: Sequence[Native],
    blob_fee: int,
) -> Block:
    """Convert a sealed block with its receipts; native transactions follow the EVM ones.

    Args:
        block: of any fork.
        receipts: of its EVM transactions.
        natives: the other transactions.
        blob_fee: price of blob gas in the block, wei.
    """
    header = block.header
    befores = [0, *(receipt.gas_used for receipt in receipts)]
    transactions: list[Transaction] = [convert_transaction(item) for item in block.transactions]
    converted = [
        convert_receipt(transaction, receipt, before, header, blob_fee)
        for transaction, receipt, before in zip(block.transactions, receipts, befores, strict=False)
    ]
    return Block(
        number=BlockNumber(header.block_number),
        hash=Hash32(header.hash),
        parent_hash=Hash32(header.parent_hash),
        timestamp=Timestamp(header.timestamp),
        transactions=(*transactions, *(item for item, _ in natives)),
        receipts=(*converted, *(item for _, item in natives)),
        extras=EthereumExtras(
            header=convert_header(header),
            size=len(rlp.encode(block)),
            uncles=tuple(convert_header(uncle) for uncle in block.uncles),
            withdrawals=_withdrawals(block),
        ),
    )


def _withdrawals(block: Any) -> tuple[Withdrawal, ...] | None:
    if not hasattr(block, "withdrawals"):
        return None
    return tuple(
        Withdrawal(
            index=item.index,
            validator_index=item.validator_index,
            address=Address20(item.address),
            amount_gwei=item.amount,
        )
        for item in block.withdrawals
    )


def encode_natives(natives: Sequence[Native]) -> bytes:
    """Encode native transactions for the block record; empty bytes for none."""
    return orjson.dumps([_native_to_json(*item) for item in natives]) if natives else b""


def decode_natives(encoded: bytes) -> tuple[Native, ...]:
    """Undo `encode_natives`."""
    return tuple(_native_from_json(item) for item in orjson.loads(encoded)) if encoded else ()


def _native_to_json(transaction: NativeTransaction, receipt: Receipt) -> dict[str, Any]:
    return {
        "kind": transaction.kind.value,
        "hash": transaction.hash.hex(),
        "sender": transaction.sender.hex(),
        "raw": transaction.raw.hex(),
        "succeeded": receipt.succeeded,
        "gas": [hex(receipt.gas_used), hex(receipt.cumulative_gas_used)],
        "price": hex(receipt.effective_gas_price),
        "contract": receipt.contract_address.hex() if receipt.contract_address else None,
        "logs": [
            [log.address.hex(), [topic.hex() for topic in log.topics], log.data.hex()]
            for log in receipt.logs
        ],
        "bloom": receipt.bloom.hex(),
        "events": [
            [event.address.hex(), event.name, [_param_to_json(param) for param in event.params]]
            for event in receipt.events
        ],
    }


def _native_from_json(item: dict[str, Any]) -> Native:
    unhex = bytes.fromhex
    transaction = NativeTransaction(
        kind=Kind(item["kind"]),
        hash=Hash32(unhex(item["hash"])),
        sender=Address20(unhex(item["sender"])),
        raw=unhex(item["raw"]),
    )
    receipt = Receipt(
        succeeded=item["succeeded"],
        gas_used=Gas(int(item["gas"][0], 16)),
        cumulative_gas_used=Gas(int(item["gas"][1], 16)),
        effective_gas_price=Wei(int(item["price"], 16)),
        contract_address=Address20(unhex(item["contract"])) if item["contract"] else None,
        logs=tuple(
            Log(
                address=Address20(unhex(address)),
                topics=tuple(Hash32(unhex(topic)) for topic in topics),
                data=unhex(data),
            )
            for address, topics, data in item["logs"]
        ),
        bloom=unhex(item["bloom"]),
        blob_gas_used=None,
        blob_gas_price=None,
        events=tuple(
            NamedEvent(
                address=Address20(unhex(address)),
                name=name,
                params=tuple(_param_from_json(*param) for param in params),
            )
            for address, name, params in item["events"]
        ),
    )
    return transaction, receipt


def _param_to_json(param: NamedParam) -> list[Any]:
    return [param.name, param.type, *_value_to_json(param.value)]


def _value_to_json(value: NamedValue) -> list[Any]:
    if isinstance(value, tuple):
        return ["tuple", [_value_to_json(item) for item in value]]
    if isinstance(value, bool | str):
        return [type(value).__name__, value]
    return ["bytes", value.hex()] if isinstance(value, bytes) else ["int", hex(value)]


def _param_from_json(name: str, kind: str, form: str, value: Any) -> NamedParam:
    return NamedParam(name=name, type=kind, value=_value_from_json(form, value))


def _value_from_json(form: str, value: Any) -> NamedValue:
    if form == "tuple":
        return tuple(_value_from_json(*item) for item in value)
    if form == "bytes":
        return bytes.fromhex(value)
    plain: int | str | bool = int(value, 16) if form == "int" else value
    return plain
