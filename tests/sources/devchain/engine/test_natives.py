"""Transactions of other families: which are known, and how the pool writes them."""

import pytest

from tests.sources.devchain.engine.building import transaction
from tests.sources.devchain.engine.paying import payment, raw_payment
from tests.strategies import make_native
from twisted_chainws import errors
from twisted_chainws.chain.model import Kind
from twisted_chainws.sources.devchain.engine.convert import convert_transaction
from twisted_chainws.sources.devchain.engine.natives import (
    decode_native,
    decode_pooled,
    encode_pooled,
)


def test_a_pooled_transaction_reads_back() -> None:
    """What is written of either sort is read as what it was."""
    evm = transaction(nonce=0)
    assert decode_pooled(encode_pooled(convert_transaction(evm))).hash == evm.hash
    native = decode_native(Kind.ZILLIQA, raw_payment())
    again = decode_pooled(encode_pooled(native.record))
    assert again == native
    assert again.hash == payment().id


def test_bytes_with_zeros_read_back() -> None:
    """The mark of the family is not looked for inside the bytes."""
    native = decode_native(Kind.ZILLIQA, raw_payment(to=bytes(20)))
    assert b"\0\0" in native.record.raw
    assert decode_pooled(encode_pooled(native.record)) == native


@pytest.mark.parametrize("kind", [Kind.EVM, Kind.ONTOLOGY])
def test_other_families_are_refused(kind: Kind) -> None:
    """A family that the chain does not run is named."""
    with pytest.raises(errors.Unsupported) as refused:
        decode_native(kind, b"")
    assert kind.value in refused.value.reason


def test_a_family_without_rules_cannot_wait() -> None:
    """What was stored of an unknown family is refused, not misread."""
    with pytest.raises(errors.Unsupported):
        decode_pooled(encode_pooled(make_native(Kind.ONTOLOGY)))
