from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.dialects.zilliqa.vectors import derivation
from tests.strategies import relaxed
from twisted_chainws.chain.types import Address20
from twisted_chainws.dialects.zilliqa import transaction as codec
from twisted_chainws.dialects.zilliqa.address import decode_checksum
from twisted_chainws.dialects.zilliqa.protobuf_codec import (
    encode_byte_array,
    encode_bytes,
    encode_number,
)
from twisted_chainws.dialects.zilliqa.transaction import CoreInfo, SignedTransaction
from twisted_chainws.errors import UndecodableTransaction

SECRET = bytes.fromhex(derivation("keys")[1]["privateKey"])


def core_of(params: dict[str, Any]) -> CoreInfo:
    """Read the parameters of a sample as an SDK would."""
    return CoreInfo(
        version=params["version"],
        nonce=params["nonce"],
        to=decode_checksum(params["toAddr"]),
        public_key=bytes.fromhex(params["pubKey"]),
        amount_qa=int(params["amount"]),
        gas_price_qa=int(params["gasPrice"]),
        gas_limit=int(params["gasLimit"]),
        code=params["code"].encode(),
        data=params["data"].encode(),
    )


PAYMENT = core_of(derivation("payment_tx")["params"])

cores = st.builds(
    CoreInfo,
    version=st.integers(0, 2**32 - 1),
    nonce=st.integers(0, 2**64 - 1),
    to=st.binary(min_size=20, max_size=20).map(Address20),
    public_key=st.binary(min_size=33, max_size=33),
    amount_qa=st.integers(0, 2**128 - 1),
    gas_price_qa=st.integers(0, 2**128 - 1),
    gas_limit=st.one_of(st.just(0), st.integers(0, 2**64 - 1)),
    code=st.binary(max_size=300),
    data=st.binary(max_size=300),
)
signed = st.builds(SignedTransaction, core=cores, signature=st.binary(min_size=64, max_size=64))


@pytest.mark.parametrize("name", ["payment_tx", "call_tx"])
def test_published_transactions(name: str) -> None:
    """A sample has its published bytes and id."""
    sample = derivation(name)
    core = core_of(sample["params"])
    encoded = codec.encode_core_info(core)
    assert encoded.hex() == sample["core_info_protobuf_hex"]
    assert codec.decode_core_info(encoded) == core
    assert codec.transaction_id(core).hex() == sample["ID"]


def test_published_signature() -> None:
    """The sample payment with its published signature is authentic, another nonce is not."""
    signature = bytes.fromhex(derivation("payment_tx")["signature_example"])
    sample = SignedTransaction(core=PAYMENT, signature=signature)
    assert codec.is_authentic(sample)
    assert sample.id.hex() == derivation("payment_tx")["ID"]
    assert not codec.is_authentic(replace(sample, core=replace(PAYMENT, nonce=3)))


def test_sender() -> None:
    """The sender is the native address of the key."""
    assert PAYMENT.sender.hex() == derivation("keys")[1]["address"]


def test_signing() -> None:
    """A transaction is signed with the secret of its own key and no other."""
    assert codec.is_authentic(codec.sign_transaction(PAYMENT, SECRET))
    with pytest.raises(ValueError, match="another key"):
        codec.sign_transaction(PAYMENT, bytes(31) + b"\1")


@pytest.mark.parametrize("sample", derivation("version_field"), ids=lambda it: it["chain_id"])
def test_versions(sample: dict[str, int]) -> None:
    """Chain id and message version share one word."""
    pair = sample["chain_id"], sample["msg_version"]
    assert codec.pack_version(*pair) == codec.pack_version(pair[0]) == sample["version"]
    assert codec.unpack_version(sample["version"]) == pair


@pytest.mark.parametrize("sample", derivation("eth_chain_id"), ids=lambda it: it["zil"])
def test_networks_have_two_ids(sample: dict[str, int]) -> None:
    """The public networks are known to Ethereum's tools by another id."""
    assert codec.ethereum_chain_id(sample["zil"]) == sample["eth"]


@given(cores)
def test_core_round_trip(core: CoreInfo) -> None:
    """Whatever is written is read."""
    assert codec.decode_core_info(codec.encode_core_info(core)) == core


@relaxed
@given(signed)
def test_transaction_round_trip(transaction: SignedTransaction) -> None:
    """Whatever is written is read, the signature being right or not."""
    assert codec.decode_transaction(codec.encode_transaction(transaction)) == transaction


@given(signed, st.data())
def test_one_encoding_each(transaction: SignedTransaction, data: st.DataObject) -> None:
    """Changed bytes are no transaction or another one; no transaction has two encodings."""
    raw = bytearray(codec.encode_transaction(transaction))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    with suppress(UndecodableTransaction):
        assert codec.encode_transaction(codec.decode_transaction(bytes(raw))) == raw


@given(st.binary(max_size=200))
def test_noise(raw: bytes) -> None:
    """Noise is refused with a reason and with nothing else."""
    with pytest.raises(UndecodableTransaction, match=r"(?:transaction|core info): "):
        codec.decode_transaction(raw)


OUT_OF_RANGE = [
    ({"version": 2**32}, "version does not fit in 32 bits"),
    ({"nonce": -1}, "nonce does not fit in 64 bits"),
    ({"amount_qa": 2**128}, "amount_qa does not fit in 128 bits"),
    ({"gas_price_qa": 2**128}, "gas_price_qa does not fit in 128 bits"),
    ({"gas_limit": 2**64}, "gas_limit does not fit in 64 bits"),
    ({"to": b""}, "to must have 20 bytes"),
    ({"public_key": bytes(65)}, "public_key must have 33 bytes"),
]


@pytest.mark.parametrize(("change", "reason"), OUT_OF_RANGE)
def test_what_does_not_fit(change: dict[str, Any], reason: str) -> None:
    """A value that cannot be written is refused when it is made."""
    with pytest.raises(ValueError, match=f"^{reason}$"):
        replace(PAYMENT, **change)


def test_length_of_a_signature() -> None:
    """A signature has 64 bytes."""
    with pytest.raises(ValueError, match="signature must have 64 bytes"):
        SignedTransaction(core=PAYMENT, signature=bytes(65))


ENCODED = codec.encode_core_info(PAYMENT)
CALL = codec.encode_core_info(core_of(derivation("call_tx")["params"]))

BAD_CORES = {
    "nothing": (b"", "field 2 is missing"),
    "cut off": (ENCODED[:-1], "cut off"),
    "a wide version": (b"\x08\xff\xff\xff\xff\xff\x01" + ENCODED[5:], "version does not fit"),
    "gas limit 0 written": (ENCODED[:-2] + b"\x38\x00", "a field that is zero or empty"),
    "empty code written": (ENCODED + encode_bytes(8, b""), "a field that is zero or empty"),
    "an access list": (ENCODED + encode_bytes(10, b""), "field 10 is unknown"),
    "a short recipient": (ENCODED.replace(b"\x1a\x14", b"\x1a\x13", 1), "field"),
    "a number for data": (ENCODED + encode_number(9, 1), "field 9 holds no bytes"),
}


@pytest.mark.parametrize("case", BAD_CORES)
def test_bad_core(case: str) -> None:
    """What is signed has one encoding, and all else is refused with the reason."""
    encoded, reason = BAD_CORES[case]
    with pytest.raises(UndecodableTransaction, match=f"core info: {reason}"):
        codec.decode_core_info(encoded)


def whole(core: bytes = ENCODED, named: bytes = codec.transaction_id(PAYMENT)) -> bytes:
    """Put a transaction together from its parts."""
    return encode_bytes(1, named) + encode_bytes(2, core) + encode_byte_array(3, bytes(64))


BAD_TRANSACTIONS = {
    "the id of another": (whole(core=CALL), "transaction: the id is that of another one"),
    "a short id": (whole(named=b"\1"), "transaction: field 1 has 1 bytes, expected 32"),
    "no core": (whole(core=b""), "core info: field 2 is missing"),
    "more": (whole() + encode_number(4, 1), "transaction: field 4 is unknown"),
    "no signature": (whole()[:-68], "transaction: field 3 is missing"),
}


@pytest.mark.parametrize("case", BAD_TRANSACTIONS)
def test_bad_transaction(case: str) -> None:
    """A transaction with a part wrong is refused with the reason."""
    raw, reason = BAD_TRANSACTIONS[case]
    assert codec.decode_transaction(whole()).core == PAYMENT
    with pytest.raises(UndecodableTransaction, match=reason):
        codec.decode_transaction(raw)
