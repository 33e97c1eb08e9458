"""Transactions of other families: which are known, and how the pool writes them."""

import pytest

from tests.sources.devchain.engine.building import transaction
from tests.sources.devchain.engine.ont_sending import ont_transfer
from tests.sources.devchain.engine.paying import payment, raw_payment
from tests.strategies import make_native
from twisted_chainws import errors
from twisted_chainws.chain.model import Kind
from twisted_chainws.dialects.ontology.transaction import encode_transaction
from twisted_chainws.sources.devchain.engine.convert import convert_transaction
from twisted_chainws.sources.devchain.engine.natives import Natives, encode_pooled

NATIVES = Natives(ontology_network=3)


def test_a_pooled_transaction_reads_back() -> None:
    """What is written of any sort is read as what it was."""
    evm = transaction(nonce=0)
    assert NATIVES.decode_pooled(encode_pooled(convert_transaction(evm))).hash == evm.hash
    for kind, raw, called in (
        (Kind.ZILLIQA, raw_payment(), payment().id),
        (Kind.ONTOLOGY, encode_transaction(sent := ont_transfer()), sent.hash),
    ):
        native = NATIVES.decode(kind, raw)
        again = NATIVES.decode_pooled(encode_pooled(native.record))
        assert again == native
        assert again.hash == called


def test_bytes_with_zeros_read_back() -> None:
    """The mark of the family is not looked for inside the bytes."""
    native = NATIVES.decode(Kind.ZILLIQA, raw_payment(to=bytes(20)))
    assert b"\0\0" in native.record.raw
    assert NATIVES.decode_pooled(encode_pooled(native.record)) == native


def test_other_families_are_refused() -> None:
    """A family that the chain does not run so is named."""
    with pytest.raises(errors.Unsupported) as refused:
        NATIVES.decode(Kind.EVM, b"")
    assert Kind.EVM.value in refused.value.reason


@pytest.mark.parametrize("kind", [Kind.ZILLIQA, Kind.ONTOLOGY])
def test_noise_cannot_wait(kind: Kind) -> None:
    """What is stored of a family and is none of its transactions is refused, not misread."""
    with pytest.raises(errors.UndecodableTransaction):
        NATIVES.decode_pooled(encode_pooled(make_native(kind)))


def test_the_network_decides_until_when_ong_is_given() -> None:
    """A native of the public networks knows another deadline than one of any other."""
    raw = encode_transaction(ont_transfer())
    main, solo = (Natives(ontology_network=number).decode(Kind.ONTOLOGY, raw) for number in (1, 3))
    assert main.hash == solo.hash
    assert main != solo
