from dataclasses import replace
from typing import Any

import orjson
import pytest

from tests.dialects.ethereum.published import published_chain
from tests.dialects.zilliqa.ledgers import ledger_of, mixed_block, payment
from tests.dialects.zilliqa.test_tx_block import micro_block
from tests.dialects.zilliqa.vectors import derivation, vectors
from tests.strategies import ADDRESSES, TOPICS, make_block, make_log, make_transaction
from twisted_chainws.chain.model import Block, Kind, NamedEvent
from twisted_chainws.chain.types import Address20, Gas, Hash32, Wei
from twisted_chainws.dialects.zilliqa import encode
from twisted_chainws.dialects.zilliqa.encode import HashPlaces
from twisted_chainws.dialects.zilliqa.listing import Transfer
from twisted_chainws.dialects.zilliqa.transaction import CHAIN_ID
from twisted_chainws.dialects.zilliqa.tx_block import ZERO_HASH, TxBlock, TxBlockHeader

GENESIS = make_block()
MIXED = mixed_block(GENESIS)


def hash_of(text: str) -> Hash32:
    """Read a hash of a sample."""
    return Hash32(bytes.fromhex(text))


def sample_block(item: dict[str, Any]) -> TxBlock:
    """Read the block of a NewBlock item; what is only counted is taken from the counts."""
    shape, hashes = item["value"]["TxBlock"], item["value"]["TxHashes"]
    header, body = shape["header"], shape["body"]
    return TxBlock(
        header=TxBlockHeader(
            version=header["Version"],
            committee_hash=ZERO_HASH,
            previous_hash=hash_of(header["PrevBlockHash"]),
            gas_limit=Gas(int(header["GasLimit"])),
            gas_used=Gas(int(header["GasUsed"])),
            fees_qa=int(header["TxnFees"]),
            number=int(header["BlockNum"]),
            state_root=hash_of(header["StateRootHash"]),
            state_delta_hash=hash_of(header["StateDeltaHash"]),
            micro_blocks_hash=hash_of(header["MbInfoHash"]),
            transaction_count=header["NumTxns"],
            miner_public_key=bytes.fromhex(header["MinerPubKey"][2:]),
            ds_block_number=int(header["DSBlockNum"]),
        ),
        hash=hash_of(body["BlockHash"]),
        timestamp_us=int(header["Timestamp"]),
        micro_blocks=tuple(micro_block(info) for info in body["MicroBlockInfos"]),
        transaction_ids=tuple(tuple(map(hash_of, shard)) for shard in hashes) or ((), (), ()),
        signature=bytes.fromhex(body["HeaderSign"]),
    )


@pytest.mark.parametrize(
    ("name", "places"),
    [
        ("node_shape", HashPlaces.INSIDE),
        ("empty_block", HashPlaces.INSIDE),
        ("serve_both", HashPlaces.BOTH),
    ],
)
def test_sample_items(name: str, places: HashPlaces) -> None:
    """The NewBlock items of the samples are written member by member and digit by digit."""
    item = vectors("notifications")[name]["values"][0]
    block = sample_block(item)
    assert encode.encode_new_block(block, places) == item
    text = encode.NEW_BLOCK_TEXTS[places](block)
    assert text == orjson.dumps(item, option=orjson.OPT_SORT_KEYS)
    assert encode.tx_block_text(block) == encode.dump(item["value"]["TxBlock"])
    assert encode.hashes_text(block) == encode.dump(item["value"]["TxHashes"])


def test_hashes_beside() -> None:
    """As the document has it, the hashes stand beside the value only."""
    inside = vectors("notifications")["node_shape"]["values"][0]
    found = orjson.loads(encode.NEW_BLOCK_TEXTS[HashPlaces.BESIDE](sample_block(inside)))
    document = vectors("notifications")["document_example"]["values"][0]
    assert found.keys() == document.keys()
    assert found["value"].keys() == document["value"].keys()
    assert found["TxHashes"] == document["TxHashes"]


def test_a_text_for_each_place() -> None:
    """Every place has a text of its own, made by a function of its own."""
    assert set(encode.NEW_BLOCK_TEXTS) == set(HashPlaces)
    assert len(set(encode.NEW_BLOCK_TEXTS.values())) == len(HashPlaces)


@pytest.mark.parametrize(("count", "pages"), [(0, 0), (1, 1), (2500, 1), (2501, 2), (5000, 2)])
def test_pages(count: int, pages: int) -> None:
    """Pages hold 2,500 transactions."""
    block = sample_block(vectors("notifications")["empty_block"]["values"][0])
    many = replace(block, header=replace(block.header, transaction_count=count))
    assert encode.encode_tx_block(many)["header"]["NumPages"] == pages


def test_block_of_a_ledger() -> None:
    """A block of our own chain has the members and forms of a node's."""
    ledger = ledger_of([GENESIS, MIXED])
    shape = orjson.loads(ledger.text(MIXED, encode.tx_block_text))
    sample = vectors("notifications")["node_shape"]["values"][0]["value"]["TxBlock"]
    assert {part: set(shape[part]) for part in shape} == {
        part: set(sample[part]) for part in sample
    }
    for part, members in sample.items():
        for name, value in members.items():
            assert type(shape[part][name]) is type(value)
            if isinstance(value, str) and not value.isdigit():
                assert len(shape[part][name]) == len(value)
                assert shape[part][name][2:].isupper() is value[2:].isupper()
    assert shape["header"]["MinerPubKey"].startswith("0x")
    hashes = orjson.loads(ledger.text(MIXED, encode.hashes_text))
    assert hashes == [[MIXED.transactions[0].hash.hex(), payment().hash.hex()]]
    assert orjson.loads(ledger.text(GENESIS, encode.hashes_text)) == []


def test_sample_transfer() -> None:
    """The sample entry of a TxnLog item is written digit by digit."""
    [entry] = vectors("notifications")["txnlog_document_example"]["values"][0]["value"]
    [log] = entry["log"]
    transfer = Transfer(
        id=hash_of(log["ID"]),
        sender=Address20(bytes.fromhex(log["fromAddr"])),
        to=Address20(bytes.fromhex(log["toAddr"])),
        amount_qa=int(log["amount"]),
        succeeded=True,
    )
    assert encode.encode_transfer(transfer) == log
    assert encode.encode_transfer(replace(transfer, succeeded=False))["success"] is False


def test_native_transaction() -> None:
    """A payment shows what was signed, key and signature in upper case, and its own gas."""
    shape: dict[str, Any] = dict(encode.encode_transaction(MIXED, 2, chain_id=CHAIN_ID))
    signature = shape.pop("signature")
    assert shape == {
        "ID": payment().hash.hex(),
        "amount": "1500000000000",
        "gasLimit": "50",
        "gasPrice": "2000000000",
        "nonce": "1",
        "receipt": {"cumulative_gas": "50", "epoch_num": "1", "success": True},
        "senderPubKey": "0x" + derivation("keys")[1]["publicKey"].upper(),
        "toAddr": "f39fd6e51aad88f6f4ce6ab8827279cfffb92266",
        "version": "14548993",
    }
    assert signature == "0x" + payment().raw[-64:].hex().upper()


def test_native_code_and_data() -> None:
    """Code and data are text and there only when they hold something."""
    transaction = payment(code="scilla_version 0 (* ü *)".encode(), data=b"[]\xff")
    shape = encode.encode_transaction(make_block(GENESIS, [(transaction, [])]), 0, chain_id=1)
    assert (shape["code"], shape["data"]) == ("scilla_version 0 (* ü *)", "[]\ufffd")


def one(**fields: Any) -> Block:
    """Make a block with one EVM transaction."""
    return make_block(GENESIS, [(replace(make_transaction(), **fields), [])])


def test_evm_transaction() -> None:
    """An EVM transaction shows its hash, amounts in Qa, a nonce from 1 and what was paid."""
    block = one(value=Wei(2 * 10**18 + 1), nonce=6)
    shape = encode.encode_transaction(block, 0, chain_id=CHAIN_ID)
    assert shape == {
        "ID": block.transactions[0].hash.hex(),
        "amount": "2000000000000",
        "gasLimit": "100000",
        "gasPrice": "1000",
        "nonce": "7",
        "receipt": {"cumulative_gas": "21000", "epoch_num": "1", "success": True},
        "senderPubKey": "0x" + "0" * 66,
        "signature": f"0x{1:064X}{1:064X}",
        "toAddr": ADDRESSES[0].hex(),
        "version": str(222 << 16 | 4),
    }


@pytest.mark.parametrize(("type_", "version"), [(0, 2), (1, 3), (2, 4), (4, 6)])
def test_versions_of_evm_transactions(type_: int, version: int) -> None:
    """The message version tells the Ethereum type."""
    block = make_block(GENESIS, [(make_transaction(type_=type_), [])])
    shape = encode.encode_transaction(block, 0, chain_id=1)
    assert shape["version"] == str(1 << 16 | version)


CARRIED: list[tuple[bool, bytes, dict[str, str]]] = [
    (False, b"", {}),
    (False, b"hello", {"data": "hello"}),
    (False, b"\xa9\x05", {"data": "A905"}),
    (True, b"\x60\x80\xfe", {"code": "45564D6080FE"}),
    (True, b"\x60", {"code": "EVM`"}),
]


@pytest.mark.parametrize(("creates", "data", "members"), CARRIED)
def test_what_evm_transactions_carry(creates: bool, data: bytes, members: dict[str, str]) -> None:
    """Calls carry data and creations code, as text when it is ASCII, else in upper-case hex."""
    block = one(to=None, data=data) if creates else one(data=data)
    shape: dict[str, Any] = dict(encode.encode_transaction(block, 0, chain_id=1))
    assert {name: shape[name] for name in ("code", "data") if name in shape} == members
    assert (shape["toAddr"] == "0" * 40) is creates


def test_published_evm_transactions() -> None:
    """Every published Ethereum transaction is shown with the key of its sender."""
    keys = set()
    for block in published_chain():
        for position in range(len(block.transactions)):
            shape = encode.encode_transaction(block, position, chain_id=CHAIN_ID)
            assert orjson.loads(encode.dump(shape)) == shape
            assert len(shape["senderPubKey"]) == 68
            keys.add(shape["senderPubKey"])
    assert "0x" + "0" * 66 not in keys


def test_receipt_with_events() -> None:
    """Logs are shown as events, named where they are, and a failure is told."""
    block = make_block(GENESIS, [(make_transaction(), [make_log(topics=TOPICS[:1])])])
    [receipt] = block.receipts
    address = "0x" + ADDRESSES[0].hex()
    data = {"type": "ByStr", "value": "0x", "vname": "data"}
    shape: Any = encode.encode_receipt(block, receipt)
    assert shape["event_logs"] == [
        {"_eventname": "0x" + TOPICS[0].hex(), "address": address, "params": [data]}
    ]
    named = NamedEvent(address=ADDRESSES[0], name="Transfer", params=())
    shape = encode.encode_receipt(block, replace(receipt, events=(named,)))
    assert shape["event_logs"] == [{"_eventname": "Transfer", "address": address, "params": []}]
    failed = encode.encode_receipt(block, replace(receipt, logs=(), succeeded=False))
    assert failed == {"cumulative_gas": "21000", "epoch_num": "1", "success": False}


def test_other_families() -> None:
    """The middle transaction of the mixed block is of a family that has no place here."""
    assert [item.kind for item in MIXED.transactions] == [Kind.EVM, Kind.ONTOLOGY, Kind.ZILLIQA]
    shown = [encode.encode_transaction(MIXED, at, chain_id=222)["ID"] for at in (0, 2)]
    [hashes] = encode.encode_hashes(ledger_of([GENESIS, MIXED]).tx_block(MIXED))
    assert hashes == shown
