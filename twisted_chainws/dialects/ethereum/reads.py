"""Handlers that read blocks, transactions and receipts, and say who we are. Sans-I/O.

Source: ``ethereum.md`` 5.1, 5.3, 5.9 (go-ethereum ``internal/ethapi/api.go``).
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

import orjson
from eth_hash.auto import keccak

from twisted_chainws.chain.model import Block, EvmTransaction
from twisted_chainws.chain.types import Hash32
from twisted_chainws.dialects.ethereum import decode, encode, rlp_codec
from twisted_chainws.dialects.ethereum.arguments import takes
from twisted_chainws.dialects.ethereum.decode import BlockRef
from twisted_chainws.dialects.ethereum.encode import encode_data, encode_quantity
from twisted_chainws.dialects.ethereum.topics import receipts_text
from twisted_chainws.dialects.outcomes import Forward, Handler, Json, Query
from twisted_chainws.dialects.view import View
from twisted_chainws.errors import UnknownBlock, UnknownBlockHash

PENDING_BLOCK: Final = Query(method="pending_block", params={})
"""Answered by the source with a model block that is not sealed."""

Answer = Callable[[Block, bool], Json]
"""Makes a result of a block; the flag says that the block is pending."""


def with_block(view: View, ref: BlockRef | None, answer: Answer) -> Json:
    """Answer about the block that a selector means, null when there is none.

    Raises:
        UnknownBlock: ``safe`` or ``finalized`` while there is no such block.
        ChainError: the block is pruned, or must be canonical and is not.
    """
    try:
        found = decode.resolve(view, ref)
    except UnknownBlockHash:
        return None
    except UnknownBlock as error:
        if isinstance(error.block, str):
            raise
        return None
    if isinstance(found, Block):
        return answer(found, False)  # noqa: FBT003 - the flag of Answer
    return Forward(call=PENDING_BLOCK, then=lambda block: answer(block, True))  # noqa: FBT003


def block_text(block: Block) -> bytes:
    """Write a block with the hashes of its transactions."""
    return orjson.dumps(encode.encode_block(block, full=False))


def full_block_text(block: Block) -> bytes:
    """Write a block with its transactions."""
    return orjson.dumps(encode.encode_block(block, full=True))


# Who we are


@takes()
def chain_id(view: View) -> Json:
    """Answer ``eth_chainId``."""
    return encode_quantity(view.chain.chain_id)


@takes()
def block_number(view: View) -> Json:
    """Answer ``eth_blockNumber``."""
    return encode_quantity(view.chain.height)


@takes()
def syncing(_view: View) -> Json:
    """Answer ``eth_syncing``: the chain is always there."""
    return False


@takes()
def client_version(view: View) -> Json:
    """Answer ``web3_clientVersion``."""
    return view.settings.client_version


@takes(decode.data)
def sha3(_view: View, data: bytes) -> Json:
    """Answer ``web3_sha3``."""
    return encode_data(keccak(data))


@takes()
def net_version(view: View) -> Json:
    """Answer ``net_version``, in decimal; on a development chain it follows the chain id."""
    settings = view.settings
    return str(view.chain.chain_id if settings.development else settings.network_id)


@takes()
def net_listening(_view: View) -> Json:
    """Answer ``net_listening``."""
    return True


@takes()
def net_peer_count(_view: View) -> Json:
    """Answer ``net_peerCount``: a node of its own has no peers."""
    return "0x0"


def make_rpc_modules(names: Collection[str], hidden: Collection[str]) -> Handler:
    """Make ``rpc_modules``: the namespaces that are served.

    Args:
        names: all methods.
        hidden: those among them that only development chains have.
    """

    @takes()
    def rpc_modules(view: View) -> Json:
        served = names if view.settings.development else set(names) - set(hidden)
        return dict.fromkeys(sorted({name.partition("_")[0] for name in served}), "1.0")

    return rpc_modules


# Blocks


def _block(view: View, ref: BlockRef, full: bool | None) -> Json:  # noqa: FBT001 - positional on the wire

    def answer(block: Block, pending: bool) -> Json:  # noqa: FBT001 - the flag of Answer
        if pending:
            return encode.encode_pending_block(block, full=bool(full))
        return orjson.Fragment(view.ledger.text(block, full_block_text if full else block_text))

    return with_block(view, ref, answer)


def _by_hash(value: Any) -> BlockRef:
    return BlockRef(block_hash=decode.hash32(value))


get_block_by_number: Final = takes(decode.block_number, decode.boolean, required=1)(_block)
get_block_by_hash: Final = takes(_by_hash, decode.boolean, required=1)(_block)
strict_get_block_by_number: Final = takes(decode.block_number, decode.boolean)(_block)
strict_get_block_by_hash: Final = takes(_by_hash, decode.boolean)(_block)


def _header(view: View, ref: BlockRef) -> Json:

    def answer(block: Block, pending: bool) -> Json:  # noqa: FBT001 - the flag of Answer
        header = encode.encode_block_header(block)
        return header | {"hash": None, "miner": None, "nonce": None} if pending else header

    return with_block(view, ref, answer)


def _transaction_count(view: View, ref: BlockRef) -> Json:
    return with_block(
        view, ref, lambda block, _: encode_quantity(len(encode.evm_transactions(block)))
    )


def _uncle_count(view: View, ref: BlockRef) -> Json:
    return with_block(view, ref, lambda block, _: encode_quantity(len(block.extras.uncles)))


def _uncle(view: View, ref: BlockRef, index: int) -> Json:

    def answer(block: Block, _pending: bool) -> Json:  # noqa: FBT001 - the flag of Answer
        uncles = block.extras.uncles
        return encode.encode_uncle(uncles[index]) if index < len(uncles) else None

    return with_block(view, ref, answer)


@takes(decode.block)
def get_block_receipts(view: View, ref: BlockRef) -> Json:
    """Answer ``eth_getBlockReceipts``."""

    def answer(block: Block, pending: bool) -> Json:  # noqa: FBT001 - the flag of Answer
        if pending:
            return encode.encode_receipts(block)
        return orjson.Fragment(view.ledger.text(block, receipts_text))

    return with_block(view, ref, answer)


def _block_of_object(value: Any) -> BlockRef:
    """Read a selector that must be an object; a bare number or hash is another method's."""
    if not isinstance(value, dict):
        raise decode.not_a(value, "rpc.BlockNumberOrHash")
    return decode.block(value)


@takes(_block_of_object)
def get_receipts_of(view: View, ref: BlockRef) -> Json:
    """Answer ``alchemy_getTransactionReceipts``: those of a block, in an object.

    Source: Alchemy, ``alchemy_getTransactionReceipts``.
    """

    def answer(block: Block, pending: bool) -> Json:  # noqa: FBT001 - the flag of Answer
        if pending:
            return {"receipts": encode.encode_receipts(block)}
        return {"receipts": orjson.Fragment(view.ledger.text(block, receipts_text))}

    return with_block(view, ref, answer)


# Transactions


def _find(view: View, transaction_hash: Hash32) -> tuple[Block, int] | None:
    """Find an EVM transaction in the canonical chain; others are not ours to show."""
    found = view.chain.find(transaction_hash)
    if found is None or not isinstance(found[0].transactions[found[1]], EvmTransaction):
        return None
    return found


def _pooled(view: View, transaction_hash: Hash32) -> EvmTransaction | None:
    pooled = view.chain.pooled(transaction_hash)
    return pooled if isinstance(pooled, EvmTransaction) else None


@takes(decode.hash32)
def get_transaction_by_hash(view: View, transaction_hash: Hash32) -> Json:
    """Answer ``eth_getTransactionByHash``: mined ones first, then those of the pool."""
    found = _find(view, transaction_hash)
    if found is not None:
        return encode.encode_mined(*found)
    pooled = _pooled(view, transaction_hash)
    return None if pooled is None else encode.encode_transaction(pooled)


@takes(decode.hash32)
def get_transaction_receipt(view: View, transaction_hash: Hash32) -> Json:
    """Answer ``eth_getTransactionReceipt``; null until the transaction is mined."""
    found = _find(view, transaction_hash)
    return None if found is None else encode.encode_receipt(*found)


@takes(decode.hash32)
def get_raw_transaction(view: View, transaction_hash: Hash32) -> Json:
    """Answer ``eth_getRawTransactionByHash`` and ``debug_getRawTransaction``."""
    found = _find(view, transaction_hash)
    if found is not None:
        return encode_data(found[0].transactions[found[1]].raw)
    pooled = _pooled(view, transaction_hash)
    return None if pooled is None else encode_data(pooled.raw)


def _transaction_at(view: View, ref: BlockRef, index: int) -> Json:

    def answer(block: Block, pending: bool) -> Json:  # noqa: FBT001 - the flag of Answer
        if index >= len(encode.evm_transactions(block)):
            return None
        shape = encode.encode_mined(block, index)
        if pending:
            shape["blockHash"] = None
        return shape

    return with_block(view, ref, answer)


def _raw_transaction_at(view: View, ref: BlockRef, index: int) -> Json:

    def answer(block: Block, _pending: bool) -> Json:  # noqa: FBT001 - the flag of Answer
        listed = encode.evm_transactions(block)
        return encode_data(listed[index].raw) if index < len(listed) else None

    return with_block(view, ref, answer)


# Consensus encodings


def _raw(make: Callable[[Block], Json]) -> Handler:
    """Make a handler that encodes a block; an unknown one is an error here."""

    @takes(decode.block)
    def handler(view: View, ref: BlockRef) -> Json:
        found = decode.resolve(view, ref)
        if isinstance(found, Block):
            return make(found)
        return Forward(call=PENDING_BLOCK, then=make)

    return handler


get_raw_header: Final = _raw(
    lambda block: encode_data(rlp_codec.encode_header(block.extras.header))
)
get_raw_block: Final = _raw(lambda block: encode_data(rlp_codec.encode_block(block)))
get_raw_receipts: Final = _raw(
    lambda block: [encode_data(item) for item in rlp_codec.encode_receipts(block)]
)

_BY_NUMBER: Final = takes(decode.block_number)
_BY_HASH: Final = takes(_by_hash)
_BY_NUMBER_AND_INDEX: Final = takes(decode.block_number, decode.quantity)
_BY_HASH_AND_INDEX: Final = takes(_by_hash, decode.quantity)

READS: Final[Mapping[str, Handler]] = {
    "web3_clientVersion": client_version,
    "web3_sha3": sha3,
    "net_version": net_version,
    "net_listening": net_listening,
    "net_peerCount": net_peer_count,
    "eth_chainId": chain_id,
    "eth_blockNumber": block_number,
    "eth_syncing": syncing,
    "eth_getBlockByNumber": get_block_by_number,
    "eth_getBlockByHash": get_block_by_hash,
    "eth_getHeaderByNumber": _BY_NUMBER(_header),
    "eth_getHeaderByHash": _BY_HASH(_header),
    "eth_getBlockTransactionCountByNumber": _BY_NUMBER(_transaction_count),
    "eth_getBlockTransactionCountByHash": _BY_HASH(_transaction_count),
    "eth_getUncleCountByBlockNumber": _BY_NUMBER(_uncle_count),
    "eth_getUncleCountByBlockHash": _BY_HASH(_uncle_count),
    "eth_getUncleByBlockNumberAndIndex": _BY_NUMBER_AND_INDEX(_uncle),
    "eth_getUncleByBlockHashAndIndex": _BY_HASH_AND_INDEX(_uncle),
    "eth_getTransactionByHash": get_transaction_by_hash,
    "eth_getTransactionByBlockNumberAndIndex": _BY_NUMBER_AND_INDEX(_transaction_at),
    "eth_getTransactionByBlockHashAndIndex": _BY_HASH_AND_INDEX(_transaction_at),
    "eth_getRawTransactionByHash": get_raw_transaction,
    "eth_getRawTransactionByBlockNumberAndIndex": _BY_NUMBER_AND_INDEX(_raw_transaction_at),
    "eth_getRawTransactionByBlockHashAndIndex": _BY_HASH_AND_INDEX(_raw_transaction_at),
    "eth_getTransactionReceipt": get_transaction_receipt,
    "eth_getBlockReceipts": get_block_receipts,
    "debug_getRawHeader": get_raw_header,
    "debug_getRawBlock": get_raw_block,
    "debug_getRawReceipts": get_raw_receipts,
    "debug_getRawTransaction": get_raw_transaction,
}
