from typing import Any

import pytest

from tests.client.ethereum.ledger import Ledger
from twisted_chainws.client.errors import BadAnswer
from twisted_chainws.client.ethereum.values import decode_head, decode_log, quantity
from twisted_chainws.dialects.ethereum import encode
from twisted_chainws.testing import make_block

RAW = Ledger(1).chain[1]
LOG = Ledger(1).logs_of(1, 1)[0]


@pytest.mark.parametrize(
    ("value", "number"),
    [("0x0", 0), ("0x01", 1), ("0XfF", 255), (7, 7), ("0x" + "f" * 64, 2**256 - 1)],
)
def test_quantities(value: Any, number: int) -> None:
    """Numbers are read however they are written."""
    assert quantity(value) == number


@pytest.mark.parametrize(
    "value", [None, True, -1, 1.0, "", "1", "0x", "0x-1", "0x_1", "0xg", [], "x0"]
)
def test_no_quantities(value: Any) -> None:
    """What is no number is refused."""
    with pytest.raises(BadAnswer):
        quantity(value)


def test_headers_and_blocks_are_the_same_head() -> None:
    """A block, a header and one with nulls make equal heads; what came is kept."""
    block = make_block(make_block())
    header: Any = encode.encode_header(block.extras.header, block.hash)
    whole: Any = dict(encode.encode_block(block, full=False))
    heads = [
        decode_head(raw)
        for raw in (header, whole, header | {"requestsHash": None, "totalDifficulty": "0x0"})
    ]
    assert heads[0] == heads[1] == heads[2]
    assert heads[0].header == header
    assert heads[1].raw is whole
    assert (heads[0].number, heads[0].parent_hash) == (1, header["parentHash"])


@pytest.mark.parametrize(
    ("more", "root"),
    [
        ({"receiptRoot": "0x01"}, "0x01"),
        ({"receiptRoot": "0x01", "receiptsRoot": "0x02"}, "0x02"),
        ({"receiptsRoot": "0x02"}, "0x02"),
    ],
)
def test_receipt_root(more: dict[str, str], root: str) -> None:
    """The misprint of a guide is read, and the right name wins."""
    head = decode_head(RAW | more)
    assert head.header["receiptsRoot"] == root
    assert "receiptRoot" not in head.header


def test_hashes_in_any_case() -> None:
    """Letter case makes no difference."""
    upper = {name: value.upper().replace("0X", "0x") for name, value in RAW.items()}
    assert decode_head(upper).hash == decode_head(RAW).hash


@pytest.mark.parametrize(
    "raw",
    [None, [], "0x", {}, RAW | {"hash": None}, RAW | {"parentHash": "0x1"}, RAW | {"number": "1"}],
)
def test_no_heads(raw: Any) -> None:
    """What is no header is refused."""
    with pytest.raises(BadAnswer):
        decode_head(raw)


def test_logs() -> None:
    """All members are read; a log without ``removed`` stands."""
    log = decode_log(LOG)
    assert (log.address, log.topics, log.data) == (LOG["address"], tuple(LOG["topics"]), "0x")
    assert (log.block_number, log.transaction_index, log.log_index) == (1, 0, 0)
    assert log.key == (LOG["blockHash"], 0)
    short = {name: value for name, value in LOG.items() if name != "removed"}
    assert decode_log(short) == log
    assert decode_log(LOG | {"removed": True}) == log.as_removed()
    assert log.as_removed().raw is log.raw


@pytest.mark.parametrize(
    "raw",
    [
        *(None, {}, []),
        *(LOG | {name: None} for name in LOG if name != "removed"),
        LOG | {"topics": [1]},
    ],
)
def test_no_logs(raw: Any) -> None:
    """What is no log, or one of a pending block, is refused."""
    with pytest.raises(BadAnswer):
        decode_log(raw)
