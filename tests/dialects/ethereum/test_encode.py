from dataclasses import replace

import pytest

from tests.dialects.ethereum.published import published_chain
from tests.dialects.ethereum.views import at_base_fee, hex_of, mixed_block, with_contract
from tests.strategies import (
    ADDRESSES,
    ZERO_HASH,
    hash32,
    make_block,
    make_log,
    make_native,
    make_transaction,
)
from twisted_chainws.chain.model import AccessListEntry, Authorization, Withdrawal
from twisted_chainws.chain.types import Gas, Wei
from twisted_chainws.dialects.ethereum import encode
from twisted_chainws.dialects.ethereum.rlp_codec import header_hash

GENESIS = make_block()
BLOCK = mixed_block(GENESIS)


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0x0"), (1, "0x1"), (255, "0xff"), (2**64, "0x10000000000000000")]
)
def test_quantity(number: int, text: str) -> None:
    """A quantity has no leading zeros and lower-case digits."""
    assert encode.encode_quantity(number) == text


@pytest.mark.parametrize(("value", "text"), [(b"", "0x"), (b"\x00\xab", "0x00ab")])
def test_data(value: bytes, text: str) -> None:
    """Data keeps every byte."""
    assert encode.encode_data(value) == text


def test_header_members_follow_the_fork() -> None:
    """Members of forks that are not active are absent, and the order is go-ethereum's."""
    header = replace(
        GENESIS.extras.header,
        base_fee_per_gas=None,
        withdrawals_root=None,
        blob_gas_used=None,
        excess_blob_gas=None,
        parent_beacon_block_root=None,
        requests_hash=None,
    )
    old = list(encode.encode_header(header, ZERO_HASH))
    new = list(encode.encode_header(GENESIS.extras.header, ZERO_HASH))
    assert old == [
        "parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot",
        "logsBloom", "difficulty", "number", "gasLimit", "gasUsed", "timestamp", "extraData",
        "mixHash", "nonce", "hash",
    ]  # fmt: skip
    assert new[15:] == [
        "baseFeePerGas", "withdrawalsRoot", "blobGasUsed", "excessBlobGas",
        "parentBeaconBlockRoot", "requestsHash", "hash",
    ]  # fmt: skip


def test_block_shows_only_evm_transactions() -> None:
    """Transactions of other families do not appear in an Ethereum block."""
    short, full = encode.encode_block(BLOCK, full=False), encode.encode_block(BLOCK, full=True)
    hashes = [hex_of(transaction.hash) for transaction in BLOCK.transactions[:2]]
    assert short["transactions"] == hashes
    assert [item["hash"] for item in full["transactions"]] == hashes
    assert list(short) == sorted(short)


def test_withdrawals() -> None:
    """Withdrawals are quantities in Gwei; before Shanghai the member is absent."""
    withdrawal = Withdrawal(index=1, validator_index=2, address=ADDRESSES[0], amount_gwei=16)
    block = replace(BLOCK, extras=replace(BLOCK.extras, withdrawals=(withdrawal,)))
    assert encode.encode_block(block, full=False)["withdrawals"] == [
        {
            "index": "0x1",
            "validatorIndex": "0x2",
            "address": hex_of(ADDRESSES[0]),
            "amount": "0x10",
        }
    ]
    old = replace(BLOCK, extras=replace(BLOCK.extras, withdrawals=None))
    assert "withdrawals" not in encode.encode_block(old, full=False)


@pytest.mark.parametrize("full", [True, False])
def test_pending_block(full: bool) -> None:
    """A block that is not sealed has no hash, nonce and miner, nor have its transactions a block."""
    shape = encode.encode_pending_block(BLOCK, full=full)
    assert shape["hash"] is shape["nonce"] is shape["miner"] is None
    if full:
        first = shape["transactions"][0]
        assert first["blockHash"] is None
        assert (first["blockNumber"], first["transactionIndex"]) == ("0x1", "0x0")


def test_uncles() -> None:
    """An uncle is shown as a block without transactions, under the hash of its own header."""
    block = next(block for block in published_chain() if block.extras.uncles)
    uncle = block.extras.uncles[0]
    shape = encode.encode_uncle(uncle)
    assert encode.encode_block(block, full=False)["uncles"] == [hex_of(header_hash(uncle))]
    assert shape["hash"] == hex_of(header_hash(uncle))
    assert "transactions" not in shape
    assert shape["uncles"] == []
    assert int(shape["size"], 16) > 500


@pytest.mark.parametrize(
    ("type_", "base_fee", "price"),
    [
        (0, 10, 2_000_000_000),
        (1, 10, 2_000_000_000),
        (2, 10, 1_000_000_010),
        (2, 1_900_000_000, 2_000_000_000),
        (2, None, 2_000_000_000),
    ],
)
def test_gas_price_of_a_mined_transaction(type_: int, base_fee: int | None, price: int) -> None:
    """A mined transaction shows what it paid: tip and base fee, at most its cap."""
    block = at_base_fee(make_block(GENESIS, [(make_transaction(type_=type_), [])]), base_fee)
    assert encode.encode_mined(block, 0)["gasPrice"] == hex(price)


def test_pending_transaction() -> None:
    """A pending transaction has no place in a block and shows its cap as the price."""
    shape = encode.encode_transaction(make_transaction())
    nothing = ("blockHash", "blockNumber", "blockTimestamp", "transactionIndex")
    assert [dict(shape)[name] for name in nothing] == [None] * 4
    assert shape["gasPrice"] == shape["maxFeePerGas"] == hex(2_000_000_000)


def test_legacy_transaction_without_chain_id() -> None:
    """An unprotected legacy transaction has no chain id, access list or parity."""
    shape = encode.encode_transaction(replace(make_transaction(type_=0), chain_id=None))
    assert not shape.keys() & {"chainId", "accessList", "yParity", "maxFeePerGas"}
    assert shape["v"] == "0x1b"


def test_typed_members() -> None:
    """Members of the newer types appear where the transaction has them."""
    entry = AccessListEntry(address=ADDRESSES[0], storage_keys=(hash32("key"),))
    authorization = Authorization(chain_id=0, address=ADDRESSES[1], nonce=1, y_parity=1, r=2, s=3)
    transaction = replace(
        with_contract(make_transaction()),
        access_list=(entry,),
        authorizations=(authorization,),
        max_fee_per_blob_gas=Wei(7),
        blob_versioned_hashes=(hash32("blob"),),
    )
    shape = encode.encode_transaction(transaction)
    assert shape["to"] is None
    assert shape["accessList"] == [
        {"address": hex_of(ADDRESSES[0]), "storageKeys": [hex_of(hash32("key"))]}
    ]
    assert shape["authorizationList"] == [
        {
            "chainId": "0x0",
            "address": hex_of(ADDRESSES[1]),
            "nonce": "0x1",
            "yParity": "0x1",
            "r": "0x2",
            "s": "0x3",
        }
    ]
    assert shape["maxFeePerBlobGas"] == "0x7"
    assert shape["blobVersionedHashes"] == [hex_of(hash32("blob"))]


def test_native_transaction_is_not_ours() -> None:
    """Asking for the Ethereum form of another family's transaction is a bug of the caller."""
    with pytest.raises(TypeError, match="ontology"):
        encode.evm_transaction(make_native())


def test_log() -> None:
    """A log carries its place in the whole block."""
    log = make_log(topics=[hash32("topic")], data=b"\x05")
    shape = encode.encode_log(BLOCK, 1, 2, log, removed=True)
    assert list(shape) == [
        "address", "topics", "data", "blockNumber", "transactionHash", "transactionIndex",
        "blockHash", "blockTimestamp", "logIndex", "removed",
    ]  # fmt: skip
    assert shape["topics"] == [hex_of(hash32("topic"))]
    assert (shape["logIndex"], shape["transactionIndex"], shape["removed"]) == ("0x2", "0x1", True)
    assert shape["transactionHash"] == hex_of(BLOCK.transactions[1].hash)


def test_receipts_number_logs_over_the_block() -> None:
    """Alone or together, receipts number their logs over the block; members are sorted."""
    together = encode.encode_receipts(BLOCK)
    alone = [encode.encode_receipt(BLOCK, position) for position in (0, 1)]
    assert together == alone
    assert [log["logIndex"] for shape in alone for log in shape["logs"]] == ["0x0", "0x1", "0x2"]
    assert all(list(shape) == sorted(shape) for shape in alone)


def test_receipt_of_a_failed_creation_with_blobs() -> None:
    """A failed receipt says 0x0; creations and blobs add their members."""
    block = make_block(GENESIS, [(with_contract(make_transaction()), [])])
    receipt = replace(
        block.receipts[0],
        succeeded=False,
        contract_address=ADDRESSES[1],
        blob_gas_used=Gas(131072),
        blob_gas_price=Wei(1),
    )
    shape = encode.encode_receipt(replace(block, receipts=(receipt,)), 0)
    assert (shape["status"], shape["to"]) == ("0x0", None)
    assert shape["contractAddress"] == hex_of(ADDRESSES[1])
    assert (shape["blobGasUsed"], shape["blobGasPrice"]) == ("0x20000", "0x1")
    assert list(shape) == sorted(shape)
