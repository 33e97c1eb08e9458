from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.dialects.ontology.strategies import headers, transactions
from tests.dialects.ontology.test_eip155 import RAW, legacy
from tests.dialects.ontology.vectors import named_transaction, vectors
from tests.strategies import relaxed
from twisted_chainws.dialects.ontology import block as codec
from twisted_chainws.dialects.ontology.address import (
    decode_base58,
    decode_hash,
    encode_reversed,
)
from twisted_chainws.dialects.ontology.binary_codec import Reader, encode_varbytes
from twisted_chainws.dialects.ontology.eip155 import decode_eip155
from twisted_chainws.dialects.ontology.keys import encode_public_key
from twisted_chainws.dialects.ontology.merkle import transactions_root
from twisted_chainws.dialects.ontology.transaction import (
    AnyTransaction,
    Transaction,
    decode_transaction,
    encode_transaction,
)

SAMPLE = vectors("synthetic_block")
EVM = [decode_eip155(legacy(nonce=nonce)) for nonce in range(2)]
SAMPLE_RAW = bytes.fromhex(SAMPLE["raw"])


def written(header: codec.Header, items: list[AnyTransaction]) -> bytes:
    """Write a block of transactions."""
    return codec.encode_block(header, [encode_transaction(item) for item in items])


def test_published_block() -> None:
    """The sample is read part by part, written again and called by its hash."""
    found = codec.decode_block(SAMPLE_RAW)
    header, shown = found.header, SAMPLE["Header"]
    assert len(SAMPLE_RAW) == SAMPLE["Size"]
    assert written(header, list(found.transactions)) == SAMPLE_RAW
    assert codec.encode_unsigned_header(header).hex() == SAMPLE["header_unsigned"]
    assert encode_reversed(header.hash) == SAMPLE["Hash"] == shown["Hash"]
    assert header.previous_hash == decode_hash(shown["PrevBlockHash"])
    assert header.transactions_root == decode_hash(shown["TransactionsRoot"])
    assert header.block_root == decode_hash(shown["BlockRoot"])
    assert (header.version, header.timestamp) == (shown["Version"], shown["Timestamp"])
    assert (header.height, header.consensus_data) == (shown["Height"], shown["ConsensusData"])
    assert header.consensus_payload.hex() == shown["ConsensusPayload"]
    assert header.next_bookkeeper == decode_base58(shown["NextBookkeeper"])
    keys = [encode_public_key(key).hex() for key in header.bookkeepers]
    assert keys == shown["Bookkeepers"]
    assert [item.hex() for item in header.signatures] == shown["SigData"]
    hashes = [encode_reversed(item.hash) for item in found.transactions]
    assert hashes == SAMPLE["tx_hashes"]


@relaxed
@given(st.lists(transactions(), max_size=3, unique_by=lambda it: it.hash), st.data())
def test_round_trip(items: list[Transaction], data: st.DataObject) -> None:
    """Whatever is written is read."""
    whole: list[AnyTransaction] = [*EVM[: data.draw(st.integers(0, 2))], *items]
    header = data.draw(headers(transactions_root([item.hash for item in whole])))
    found = codec.decode_block(written(header, whole))
    assert found == codec.RawBlock(header=header, transactions=tuple(whole))
    assert codec.read_header(Reader(codec.encode_header(header))) == header


HEADER = codec.decode_block(SAMPLE_RAW).header
TRANSFER = decode_transaction(bytes.fromhex(named_transaction("ont_transfer_1")["raw"]))
TWICE = replace(HEADER, transactions_root=transactions_root([TRANSFER.hash] * 2))
HEAD = len(codec.encode_unsigned_header(HEADER))

BAD = [
    (SAMPLE_RAW[:-1], "unexpected EOF"),
    (SAMPLE_RAW[:100], "unexpected EOF"),
    (SAMPLE_RAW + b"\0", "1 bytes too many"),
    (written(TWICE, [TRANSFER, TRANSFER]), "a transaction stands twice in the block"),
    (written(HEADER, [TRANSFER]), "another transactions root than the header says"),
    (SAMPLE_RAW[:HEAD] + b"\1\1\1", "too short for a public key"),
    (
        codec.encode_block(HEADER, [b"\0\xd3" + encode_varbytes(RAW[:-1])]),
        "EIP-155: .*",
    ),
]


@pytest.mark.parametrize(("raw", "reason"), BAD, ids=[reason for _, reason in BAD])
def test_bad_blocks(raw: bytes, reason: str) -> None:
    """What is no block is refused with the reason."""
    with pytest.raises(ValueError, match=f"^{reason}$"):
        codec.decode_block(raw)
