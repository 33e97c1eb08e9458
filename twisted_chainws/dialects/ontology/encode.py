"""Model values to wire shapes and texts. Sans-I/O; pure functions of their arguments.

Texts are compact, their members in the order of the shapes, which is the node's, and what HTML or
JavaScript minds is escaped as the node does.

Source: ``ontology.md`` 1.4, 4 and 6.8; the node's ``http/base/common/common.go``, 26b5ad4f.
"""

from typing import Any, Final

import orjson

from twisted_chainws.chain.model import Block, EvmTransaction, Transaction
from twisted_chainws.chain.types import Address20
from twisted_chainws.dialects.ontology import shapes
from twisted_chainws.dialects.ontology.address import encode_base58, encode_reversed
from twisted_chainws.dialects.ontology.block import Header, encode_block
from twisted_chainws.dialects.ontology.events import notices
from twisted_chainws.dialects.ontology.keys import encode_public_key
from twisted_chainws.dialects.ontology.listing import (
    fee_of,
    gas_price_of,
    index_of,
    list_transactions,
    raw_transaction,
)
from twisted_chainws.dialects.ontology.program import (
    Witness,
    decode_condition,
    decode_signatures,
)
from twisted_chainws.dialects.ontology.projection import OntologyBlock, Proof
from twisted_chainws.dialects.ontology.transaction import (
    Deploy,
    Invoke,
    TransactionType,
    decode_transaction,
)
from twisted_chainws.dialects.ontology.transaction import Transaction as NativeTransaction

NO_CONTRACT: Final = Address20(bytes(20))
"""What stands for the contract that a transaction did not create."""

_ESCAPED: Final = {
    letter.encode(): b"\\u%04x" % ord(letter) for letter in ("<", ">", "&", "\u2028", "\u2029")
}
"""They stand in JSON only inside of strings."""

_SHOWN_VERSION: Final = 0
"""Of a transaction, whatever its own."""


def dump(value: Any) -> bytes:
    """Write a JSON value."""
    text = orjson.dumps(value)
    for plain, escaped in _ESCAPED.items():
        text = text.replace(plain, escaped)
    return text


def raw_block(block: OntologyBlock) -> bytes:
    """Write a block as nodes exchange it."""
    raws = [raw_transaction(item) for _, item, _ in list_transactions(block.source)]
    return encode_block(block.header, raws)


def encode_json_block(block: OntologyBlock) -> shapes.Block:
    """Encode a block."""
    positions = [position for position, _, _ in list_transactions(block.source)]
    return {
        "Hash": encode_reversed(block.hash),
        "Size": len(raw_block(block)),
        "Header": encode_header(block.header),
        "Transactions": [encode_transaction(block.source, position) for position in positions],
    }


def encode_header(header: Header) -> shapes.Header:
    """Encode the header of a block."""
    return {
        "Version": header.version,
        "PrevBlockHash": encode_reversed(header.previous_hash),
        "TransactionsRoot": encode_reversed(header.transactions_root),
        "BlockRoot": encode_reversed(header.block_root),
        "Timestamp": header.timestamp,
        "Height": header.height,
        "ConsensusData": header.consensus_data,
        "ConsensusPayload": header.consensus_payload.hex(),
        "NextBookkeeper": encode_base58(header.next_bookkeeper),
        "Bookkeepers": [encode_public_key(key).hex() for key in header.bookkeepers],
        "SigData": [signature.hex() for signature in header.signatures],
        "Hash": encode_reversed(header.hash),
    }


def encode_hashes(block: OntologyBlock) -> shapes.BlockHashes:
    """Encode the hashes of a block's transactions."""
    return {
        "Hash": encode_reversed(block.hash),
        "Height": block.header.height,
        "Transactions": [
            encode_reversed(item.hash) for _, item, _ in list_transactions(block.source)
        ],
    }


def json_block_text(block: OntologyBlock) -> bytes:
    """Write a block as ``getblockbyheight`` and ``sendjsonblock`` show it."""
    return dump(encode_json_block(block))


def raw_block_text(block: OntologyBlock) -> bytes:
    """Write a block as ``sendrawblock`` shows it: hex."""
    return dump(raw_block(block).hex())


def hashes_text(block: OntologyBlock) -> bytes:
    """Write the hashes of a block's transactions as ``sendblocktxhashs`` shows them."""
    return dump(encode_hashes(block))


def events_text(block: OntologyBlock) -> bytes:
    """Write what the transactions of a block did; an empty text when there are none."""
    listed = enumerate(list_transactions(block.source))
    events = [encode_event(block.source, position, index) for index, (position, _, _) in listed]
    return dump(events or "")


def encode_transaction(block: Block, position: int) -> shapes.Transaction:
    """Encode a mined transaction.

    Args:
        block: where it stands.
        position: of a transaction that ``listing.is_listed``.

    Raises:
        UndecodableTransaction: a native transaction is none.
    """
    transaction = block.transactions[position]
    if isinstance(transaction, EvmTransaction):
        gas_price = gas_price_of(block.receipts[position])
        own = _evm_transaction(transaction, gas_price)
    else:
        own = _native_transaction(decode_transaction(transaction.raw))
    shape: shapes.Transaction = own | {
        "Hash": encode_reversed(transaction.hash),
        "Height": block.number,
    }
    return shape


def encode_deploy(payload: Deploy) -> shapes.DeployPayload:
    """Encode a contract to deploy; what is no UTF-8 is replaced."""
    return {
        "Code": payload.code.hex(),
        "VmType": payload.vm_type,
        "Name": payload.name.decode(errors="replace"),
        "CodeVersion": payload.version.decode(errors="replace"),
        "Author": payload.author.decode(errors="replace"),
        "Email": payload.email.decode(errors="replace"),
        "Description": payload.description.decode(errors="replace"),
    }


def encode_event(block: Block, position: int, index: int | None = None) -> shapes.Event:
    """Encode what a mined transaction did.

    Args:
        block: where it stands.
        position: of a transaction that ``listing.is_listed``.
        index: ``listing.index_of`` it; None counts.
    """
    transaction, receipt = block.transactions[position], block.receipts[position]
    return {
        "TxHash": encode_reversed(transaction.hash),
        "State": int(receipt.succeeded),
        "GasConsumed": fee_of(receipt),
        "Notify": notices(transaction, receipt) or None,
        "GasStepUsed": receipt.gas_used if _counts_steps(block, position) else 0,
        "TxIndex": index_of(block, position) if index is None else index,
        "CreatedContract": encode_reversed(receipt.contract_address or NO_CONTRACT),
    }


def encode_proof(proof: Proof) -> shapes.MerkleProof:
    """Encode a proof that a block belongs to the chain."""
    return {
        "Type": "MerkleProof",
        "TransactionsRoot": encode_reversed(proof.transactions_root),
        "BlockHeight": proof.height,
        "CurBlockRoot": encode_reversed(proof.root),
        "CurBlockHeight": proof.last_height,
        "TargetHashes": [encode_reversed(item) for item in proof.hashes] or None,
    }


def _counts_steps(block: Block, position: int) -> bool:
    """Tell whether the steps are known: those of native transactions follow from the fee."""
    transaction: Transaction = block.transactions[position]
    return isinstance(transaction, EvmTransaction) or bool(gas_price_of(block.receipts[position]))


def _evm_transaction(transaction: EvmTransaction, gas_price: int) -> Any:
    return {
        "Version": _SHOWN_VERSION,
        "Nonce": transaction.nonce,
        "GasPrice": gas_price,
        "GasLimit": transaction.gas_limit,
        "Payer": encode_base58(transaction.sender),
        "TxType": int(TransactionType.EIP155),
        "Payload": transaction.raw.hex(),
        "Attributes": [],
        "Sigs": [],
    }


def _native_transaction(transaction: NativeTransaction) -> Any:
    return {
        "Version": _SHOWN_VERSION,
        "Nonce": transaction.nonce,
        "GasPrice": transaction.gas_price,
        "GasLimit": transaction.gas_limit,
        "Payer": encode_base58(transaction.payer),
        "TxType": int(transaction.type),
        "Payload": _payload(transaction.payload),
        "Attributes": [],
        "Sigs": [_sig(witness) for witness in transaction.witnesses],
    }


def _payload(payload: Deploy | Invoke) -> shapes.DeployPayload | shapes.InvokePayload:
    if isinstance(payload, Deploy):
        return encode_deploy(payload)
    return {"Code": payload.code.hex()}


def _sig(witness: Witness) -> shapes.Sig:
    try:
        condition = decode_condition(witness.verification)
        signatures = decode_signatures(witness.invocation)
    except ValueError:
        return {"PubKeys": None, "M": 0, "SigData": None}
    return {
        "PubKeys": [encode_public_key(key).hex() for key in condition.keys],
        "M": condition.needed,
        "SigData": [signature.hex() for signature in signatures] or None,
    }
