"""Raw bytes to transactions, and bytes that are none."""

import contextlib
from typing import Any

import pytest
import rlp
from hypothesis import given
from hypothesis import strategies as st

from tests.sources.devchain.engine.building import ALICE, transaction
from twisted_chainws.errors import (
    TransactionRejected,
    TransactionTooShort,
    UndecodableTransaction,
    UnsupportedTransactionType,
)
from twisted_chainws.sources.devchain.engine.convert import convert_transaction
from twisted_chainws.sources.devchain.engine.decode import decode_transaction

BLOB = b"\x01" + bytes(31)


def test_a_blob_transaction_comes_with_or_without_its_sidecar() -> None:
    """Both forms decode to the same transaction, hashed without the sidecar."""
    plain = transaction(type=3, max_fee_per_blob_gas=1, blob_versioned_hashes=[BLOB]).encode()
    network = b"\x03" + rlp.encode([rlp.decode(plain[1:]), [b"blob"], [b"commitment"], [b"proof"]])
    assert decode_transaction(network).hash == decode_transaction(plain).hash
    assert decode_transaction(network).encode() == plain


@pytest.mark.parametrize("kind", [0, 1, 2])
def test_what_is_encoded_decodes(kind: int) -> None:
    """Sender, hash and fields survive the trip through raw bytes."""
    sent = transaction(type=kind, nonce=300, value=2**200)
    model = convert_transaction(decode_transaction(sent.encode()))
    assert (model.sender, model.hash, model.nonce) == (ALICE, sent.hash, 300)
    assert (model.type, model.value, model.chain_id) == (kind, 2**200, 31337)
    assert (model.gas_price is None) == (kind == 2)


@pytest.mark.parametrize(
    ("raw", "error"),
    [
        (b"", TransactionTooShort),
        (b"\x02", TransactionTooShort),
        (b"\x05\xc0", UnsupportedTransactionType),
        (b"\x7f\xc0", UnsupportedTransactionType),
        (b"\x80", UnsupportedTransactionType),
        (b"\xc0", UndecodableTransaction),
        (b"\x02\xc0", UndecodableTransaction),
        (b"\x03\xc0", UndecodableTransaction),
        (b"\x03\x01", UndecodableTransaction),
        (b"\xff\xff", UndecodableTransaction),
        (b"\xf8", UndecodableTransaction),
    ],
)
def test_bytes_that_are_no_transaction(raw: bytes, error: type[Exception]) -> None:
    """Empty, short, unknown and malformed input each have their error."""
    with pytest.raises(error):
        decode_transaction(raw)


@given(st.binary(max_size=200))
def test_any_bytes_decode_or_are_rejected(raw: bytes) -> None:
    """No input raises anything but a rejection."""
    check_decodes_or_is_rejected(raw)


@given(st.data())
def test_a_damaged_transaction_decodes_or_is_rejected(data: st.DataObject) -> None:
    """Changing bytes of a real transaction never raises anything but a rejection."""
    kind = data.draw(st.sampled_from([0, 1, 2, 3]))
    extra: dict[str, Any] = {}
    if kind == 3:
        extra = {"max_fee_per_blob_gas": 1, "blob_versioned_hashes": [BLOB]}
    raw = bytearray(SAMPLES.setdefault(kind, transaction(type=kind, **extra).encode()))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    check_decodes_or_is_rejected(bytes(raw))


def check_decodes_or_is_rejected(raw: bytes) -> None:
    """Check that bytes are refused, or a transaction whose own bytes mean the same."""
    with contextlib.suppress(TransactionRejected):
        found = decode_transaction(raw)
        again = decode_transaction(found.encode())
        assert (again.hash, again.encode()) == (found.hash, found.encode())


SAMPLES: dict[int, bytes] = {}
