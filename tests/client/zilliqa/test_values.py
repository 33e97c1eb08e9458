from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.client.zilliqa.ledger import ALICE, BOB, TOKEN, Ledger, digest
from tests.dialects.zilliqa.vectors import vectors
from twisted_chainws.client.errors import BadAnswer
from twisted_chainws.client.zilliqa.values import (
    decode_address,
    decode_block,
    decode_event,
    decode_hash,
    decode_transfer,
    decode_tx_hashes,
    number,
)

BLOCK = decode_block(Ledger().chain[-1])
PUBLISHED = [
    sample["values"][0]["value"]["TxBlock"]
    for name, sample in vectors("notifications").items()
    if isinstance(sample, dict)
    and sample.get("type") == "Notification"
    and sample["values"][0]["query"] == "NewBlock"
]
TRANSFER = {"ID": digest(1), "amount": "7", "fromAddr": ALICE[2:], "toAddr": BOB, "success": True}


@pytest.mark.parametrize("raw", PUBLISHED)
def test_published_blocks(raw: Any) -> None:
    """Blocks of the document and of nodes are read; members that lack do no harm."""
    block = decode_block(raw)
    assert str(block.number) == raw["header"]["BlockNum"]
    assert block.hash == raw["body"]["BlockHash"]
    assert block.parent_hash == raw["header"]["PrevBlockHash"]
    assert (block.tx_hashes, block.transactions) == (None, ())


def test_equal_blocks() -> None:
    """A block is known by number, hashes and transactions, not by what else servers write."""
    raw = Ledger().chain[-1]
    more = {"header": raw["header"] | {"TxnFees": "0"}, "body": raw["body"]}
    assert decode_block(raw) == decode_block(more)
    assert decode_block(raw, []) != decode_block(raw)


@given(st.binary(min_size=20, max_size=20), st.booleans(), st.booleans())
def test_addresses_of_every_form(address: bytes, prefixed: bool, upper: bool) -> None:
    """With or without prefix, in any case, they are the same address."""
    text = address.hex().upper() if upper else address.hex()
    assert decode_address(("0x" if prefixed else "") + text) == "0x" + address.hex()


@given(st.integers(min_value=0, max_value=2**128))
def test_numbers(value: int) -> None:
    """Digits and numbers count alike."""
    assert number(str(value)) == number(value) == value


@pytest.mark.parametrize("value", ["", "-1", "0x1", "1.0", "²", -1, True, None, 1.0, []])
def test_no_numbers(value: Any) -> None:
    """What is none is refused."""
    with pytest.raises(BadAnswer):
        number(value)


@pytest.mark.parametrize("value", ["", "ab", "0x", None, 7, "g" * 64, "ab" * 33])
def test_no_hashes(value: Any) -> None:
    """Other lengths and letters are refused."""
    with pytest.raises(BadAnswer):
        decode_hash(value)


def test_tx_hashes() -> None:
    """They come by shard, or in one flat list."""
    one, two = digest(1), digest(2)
    assert decode_tx_hashes([[one], [], [two.upper()]]) == ((one,), (), (two,))
    assert decode_tx_hashes([one, "0x" + two]) == ((one, two),)
    assert decode_tx_hashes([]) == ()
    broken: list[Any] = [None, {}, [[7]], [7], [one, []]]
    for raw in broken:
        with pytest.raises(BadAnswer):
            decode_tx_hashes(raw)


@pytest.mark.parametrize("raw", [None, [], {}, {"header": {}}, {"header": {}, "body": {}}])
def test_no_blocks(raw: Any) -> None:
    """What is none is refused."""
    with pytest.raises(BadAnswer):
        decode_block(raw)


def test_events() -> None:
    """Params are handed on as they are."""
    raw = {"_eventname": "x", "params": [{"value": {"constructor": "True"}}]}
    found = decode_event(TOKEN[2:], raw, BLOCK)
    assert (found.address, found.name, found.params) == (TOKEN, "x", tuple(raw["params"]))
    assert (found.block_number, found.block_hash) == (5, BLOCK.hash)
    assert decode_event(TOKEN, raw, None).block_number is None
    for bad in (None, {}, {"_eventname": 1, "params": []}, {"_eventname": "x", "params": None}):
        with pytest.raises(BadAnswer):
            decode_event(TOKEN, bad, BLOCK)


def test_transfers() -> None:
    """Addresses have one form, amounts are numbers."""
    found = decode_transfer(TRANSFER, BLOCK)
    assert (found.sender, found.to, found.amount_qa, found.success) == (ALICE, BOB, 7, True)
    assert decode_transfer(TRANSFER, None).block_hash is None
    for bad in (None, {}, TRANSFER | {"success": "true"}, TRANSFER | {"amount": None}):
        with pytest.raises(BadAnswer):
            decode_transfer(bad, BLOCK)
