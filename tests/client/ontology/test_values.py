from typing import Any

import pytest

from tests.client.ontology.ledger import ALICE, BOB, ONG, ONT, Ledger, did, notice
from tests.dialects.ontology.vectors import vectors
from twisted_chainws.client.errors import BadAnswer
from twisted_chainws.client.ontology import Block, Notice, TokenTransfer
from twisted_chainws.client.ontology.values import (
    decode_block,
    decode_contract,
    decode_hash,
    decode_hashes,
    decode_log,
    decode_notices,
    decode_notify,
    decode_raw_block,
    hex_bytes,
)


def test_blocks() -> None:
    """A block is the same however it is written; its hash is that of its bytes."""
    mined = Ledger().mine(did(1), did(2))
    block = decode_block(mined.json)
    raw = decode_raw_block(mined.raw)
    hashes = decode_hashes(mined.hashes)
    assert (block.number, block.timestamp, block.hash) == (6, 1_700_000_006, mined.hash)
    assert block.transactions == hashes.transactions == tuple(one.hash for one in mined.mined)
    assert (raw.number, raw.hash, raw.parent_hash) == (6, block.hash, block.parent_hash)
    assert (hashes.number, hashes.hash) == (6, block.hash)
    assert raw.data.hex() == mined.raw
    assert raw.data.hex() not in repr(raw)


def test_the_published_block() -> None:
    """The block of the vectors is read, in both forms."""
    vector = vectors("synthetic_block")
    raw = decode_raw_block(vector["raw"])
    transactions = [{"Hash": one} for one in vector["tx_hashes"]]
    json = {"Hash": vector["Hash"], "Header": vector["Header"], "Transactions": transactions}
    block = decode_block(json)
    assert (raw.hash, raw.number, raw.parent_hash) == (block.hash, block.number, block.parent_hash)
    assert block.transactions_root == vector["Header"]["TransactionsRoot"]


def test_what_a_transaction_did() -> None:
    """Members have names of their own; contracts and transfers are found by them."""
    block = Ledger().mine(did(1, ONT, ONG, succeeded=False))
    event = decode_notify(block.events[0])
    assert (event.tx_hash, event.succeeded, event.index) == (block.mined[0].hash, False, 0)
    assert (event.fee, event.gas_used, event.created_contract) == (50_000_000, 20_000, None)
    assert event.contracts == {ONT, ONG}
    assert event.transfers == (
        TokenTransfer(asset="ONT", source=ALICE.address, target=BOB.address, amount=10**9),
        TokenTransfer(asset="ONG", source=ALICE.address, target=BOB.address, amount=10**9),
    )
    assert (event.block_number, event.block_hash) == (None, None)
    known = decode_notify(block.events[0], decode_block(block.json))
    assert (known.block_number, known.block_hash) == (6, block.hash)
    assert event != known


def test_exact_amounts() -> None:
    """Parts of a whole unit are a fifth state, and no digit gets lost."""
    shown = notice(ONG, "transfer", "A", "B", 10**18 - 1, 999_999_999)
    (found,) = decode_notices([shown])
    assert found.transfer is not None
    assert found.transfer.amount == 10**27 - 1


@pytest.mark.parametrize(
    "shown",
    [
        notice("77" * 20, "transfer", "A", "B", 1),
        notice(ONT, "approve", "A", "B", 1),
        notice(ONT, "transfer", "A", "B"),
        notice(ONT, "transfer", "A", "B", "ff"),
        notice(ONT, "transfer", "A", "B", 1, 2, 3),
        notice(ONT) | {"States": "0x00", "IsEvm": True},
        notice(ONT) | {"States": None},
    ],
)
def test_what_is_no_transfer(shown: Any) -> None:
    """All else that contracts tell is kept as it came."""
    (found,) = decode_notices([shown])
    assert found.transfer is None
    assert found == Notice(
        contract=shown["ContractAddress"], states=shown["States"], is_evm=shown["IsEvm"]
    )


def test_nothing_told() -> None:
    """Null is nothing."""
    assert decode_notices(None) == ()


def test_created_contracts() -> None:
    """A contract that was created is named; forty zeros name none."""
    event: dict[str, Any] = {"TxHash": "11" * 32, "State": 1, "Notify": None}
    assert decode_notify(event).created_contract is None
    assert decode_notify(event | {"CreatedContract": "77" * 20}).created_contract == "77" * 20


def test_logs() -> None:
    """A line of the log names its contract."""
    raw = {"TxHash": "AB" * 32, "ContractAddress": "77" * 20, "Message": "hello"}
    log = decode_log(raw)
    assert (log.tx_hash, log.contract, log.message) == ("ab" * 32, "77" * 20, "hello")


GOOD = Ledger(0).chain[0]


@pytest.mark.parametrize(
    ("decode", "raw"),
    [
        (decode_block, None),
        (decode_block, GOOD.json | {"Header": []}),
        (decode_block, GOOD.json | {"Transactions": "x"}),
        (decode_block, GOOD.json | {"Transactions": ["x"]}),
        (decode_block, GOOD.json | {"Hash": "00"}),
        (decode_block, {"Header": GOOD.json["Header"]}),
        (decode_raw_block, GOOD.raw[:50]),
        (decode_raw_block, "xy"),
        (decode_raw_block, None),
        (decode_hashes, {"Hash": GOOD.hash, "Height": True, "Transactions": []}),
        (decode_notify, ""),
        (decode_notify, {"TxHash": "11" * 32, "State": 1}),
        (decode_notify, {"TxHash": "11" * 32, "State": 1, "Notify": [1]}),
        (decode_notices, {}),
        (decode_log, {"TxHash": "11" * 32, "ContractAddress": "77" * 20, "Message": 1}),
        (decode_hash, "11" * 31),
        (decode_contract, "11" * 32),
        (hex_bytes, 1),
        (hex_bytes, "0x11"),
    ],
)
def test_what_cannot_be_read(decode: Any, raw: Any) -> None:
    """Whatever is not as it has to be is refused by the client's own error."""
    with pytest.raises(BadAnswer):
        decode(raw)


def test_equality() -> None:
    """What came along and means nothing makes no difference."""
    json = GOOD.json
    assert decode_block(json) == decode_block(json | {"Size": 7})
    assert isinstance(decode_block(json), Block)
    assert "Size" not in repr(decode_block(json))
