from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.dialects.ontology.keyring import KEYS, SECRETS, SM2_KEY
from tests.dialects.ontology.strategies import deploys, transactions
from tests.dialects.ontology.test_eip155 import CHAIN_ID, RAW
from tests.dialects.ontology.vectors import more_transactions, named_transaction, vectors
from tests.strategies import make_transaction, relaxed
from twisted_chainws.chain.model import EvmTransaction
from twisted_chainws.chain.types import Address20
from twisted_chainws.dialects.ontology import transaction as codec
from twisted_chainws.dialects.ontology.address import (
    decode_base58,
    encode_reversed,
    program_address,
)
from twisted_chainws.dialects.ontology.binary_codec import (
    Reader,
    encode_varbytes,
    encode_varuint,
)
from twisted_chainws.dialects.ontology.keys import decode_public_key
from twisted_chainws.dialects.ontology.program import (
    Condition,
    Witness,
    decode_condition,
    decode_signatures,
    make_witness,
    multi_program,
    single_program,
)
from twisted_chainws.dialects.ontology.signature import sign
from twisted_chainws.dialects.ontology.transaction import (
    Deploy,
    Invoke,
    Transaction,
    TransactionType,
    VmType,
)
from twisted_chainws.errors import InvalidSignature, UndecodableTransaction, Unsupported

SAMPLE = named_transaction("ont_transfer_1")
TRANSFER = codec.decode_transaction(bytes.fromhex(SAMPLE["raw"]))
UNSIGNED = bytes.fromhex(SAMPLE["unsigned"])
DEPLOY = Deploy(
    code=b"code", vm_flags=1, name=b"n", version=b"1", author=b"a", email=b"e", description=b"d"
)


@pytest.mark.parametrize("sample", vectors("transactions"), ids=lambda it: it["name"])
def test_published_transactions(sample: dict[str, Any]) -> None:
    """Every sample is read part by part, written again and called by its hash."""
    raw = bytes.fromhex(sample["raw"])
    found = codec.decode_transaction(raw)
    assert codec.encode_transaction(found) == raw
    assert codec.encode_unsigned(found).hex() == sample["unsigned"]
    assert found.hash.hex() == sample["signed_message"]
    assert encode_reversed(found.hash) == sample["tx_hash"]
    assert found.type == sample["tx_type"]
    assert (found.nonce, found.gas_price) == (sample["nonce"], sample["gas_price"])
    assert found.gas_limit == sample["gas_limit"]
    assert found.payer == decode_base58(sample["payer_base58"])
    assert found.payload == Invoke(code=bytes.fromhex(sample["invoke_code"]))
    assert codec.decode_sent(raw, chain_id=1) == found


SIGNED = [item for item in vectors("transactions") if bytes.fromhex(item["raw"])[-1] == 0xAC]


@pytest.mark.parametrize("sample", SIGNED, ids=lambda it: it["name"])
def test_published_signers(sample: dict[str, Any]) -> None:
    """Signed samples, whose signatures have 64 or 65 bytes, are signed by their payers."""
    found = codec.decode_transaction(bytes.fromhex(sample["raw"]))
    assert found.payer in codec.signers(found)
    assert codec.signers(found) == codec.claimed_signers(found)
    assert len(codec.signers(found)) == len(found.witnesses)
    for witness, entry in zip(found.witnesses, sample.get("sigs") or (), strict=False):
        [key] = decode_condition(witness.verification).keys
        assert key == decode_public_key(bytes.fromhex(entry["public_key"]))
        assert decode_signatures(witness.invocation) == (bytes.fromhex(entry["signature"]),)
    with pytest.raises(InvalidSignature):
        codec.signers(replace(found, nonce=found.nonce ^ 1))


def test_most_samples_are_signed() -> None:
    """Both forms of signatures are among the samples."""
    raws = [codec.decode_transaction(bytes.fromhex(item["raw"])) for item in SIGNED]
    lengths = [
        len(signature)
        for transaction in raws
        for witness in transaction.witnesses
        for signature in decode_signatures(witness.invocation)
    ]
    assert len(lengths) == 14
    assert set(lengths) == {64, 65}


@pytest.mark.parametrize("name", more_transactions())
def test_other_kinds_from_an_sdk(name: str) -> None:
    """Deployments, WASM calls and those of several keys are read, named and signed as by SDKs."""
    item = more_transactions()[name]
    raw = bytes.fromhex(item["raw"])
    found = codec.decode_transaction(raw)
    assert codec.encode_transaction(found) == raw
    assert (encode_reversed(found.hash), found.type) == (item["tx_hash"], item["type"])
    assert codec.signers(found) == {decode_base58(item["signer"])} == {found.payer}
    assert isinstance(found.payload, Deploy) is (name == "deploy")


def test_multi_signature_of_an_sdk() -> None:
    """The program of five keys is the SDK's, whatever the order in which they are given."""
    item = more_transactions()["multi"]
    keys = [decode_public_key(bytes.fromhex(key)) for key in item["public_keys"]]
    [witness] = codec.decode_transaction(bytes.fromhex(item["raw"])).witnesses
    assert multi_program(item["m"], keys) == witness.verification
    assert multi_program(item["m"], reversed(keys)) == witness.verification


def test_signing() -> None:
    """A transaction is signed with the secret of its payer."""
    unsigned = replace(TRANSFER, witnesses=())
    witness = codec.sign_transaction(unsigned, SECRETS[0])
    assert codec.signers(replace(unsigned, witnesses=(witness,))) == {unsigned.payer}
    for wrong in ((), (codec.sign_transaction(unsigned, SECRETS[1]),)):
        with pytest.raises(InvalidSignature):
            codec.signers(replace(unsigned, witnesses=wrong))


def test_multi_signature() -> None:
    """A payer of several keys needs as many signatures as its program says."""
    condition = Condition(needed=2, keys=KEYS)
    probe = make_witness(condition, [])
    payer = program_address(probe.verification)
    unsigned = replace(TRANSFER, payer=payer, witnesses=())
    signatures = [sign(secret, unsigned.hash) for secret in SECRETS]
    whole = replace(unsigned, witnesses=(make_witness(condition, signatures),))
    assert codec.signers(whole) == {payer}
    assert codec.claimed_signers(replace(unsigned, witnesses=(probe,))) == {payer}
    with pytest.raises(InvalidSignature):
        codec.signers(replace(unsigned, witnesses=(make_witness(condition, signatures[:1]),)))


def test_sm2_signer() -> None:
    """A signature of SM2 is neither right nor wrong here."""
    signature = b"\x09\0" + bytes(64)
    witness = make_witness(Condition(needed=1, keys=(SM2_KEY,)), [signature])
    with pytest.raises(Unsupported, match="SM2"):
        codec.signers(replace(TRANSFER, witnesses=(witness,)))


def test_unreadable_witness() -> None:
    """Programs that are none of an account sign nothing."""
    broken = Witness(invocation=b"", verification=single_program(KEYS[0])[:-1])
    with pytest.raises(InvalidSignature):
        codec.signers(replace(TRANSFER, witnesses=(*TRANSFER.witnesses, broken)))


@relaxed
@given(transactions(), st.binary(max_size=5))
def test_round_trip(transaction: Transaction, tail: bytes) -> None:
    """Whatever is written is read; what a client sends may go on."""
    raw = codec.encode_transaction(transaction)
    assert codec.decode_transaction(raw) == transaction
    assert codec.decode_sent(raw + tail, chain_id=1) == transaction


@relaxed
@given(transactions(), st.data())
def test_one_encoding_each(transaction: Transaction, data: st.DataObject) -> None:
    """Changed bytes are no transaction or another one; no transaction has two encodings."""
    raw = bytearray(codec.encode_transaction(transaction))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    with suppress(UndecodableTransaction):
        assert codec.encode_transaction(codec.decode_transaction(bytes(raw))) == raw


@given(st.binary(max_size=100))
def test_noise(raw: bytes) -> None:
    """Noise is refused with a reason and with nothing else."""
    with pytest.raises(UndecodableTransaction):
        codec.decode_transaction(raw)


@given(deploys)
def test_deploy_round_trip(payload: Deploy) -> None:
    """A contract is written alone as in its transaction."""
    assert codec.read_deploy(Reader(codec.encode_deploy(payload))) == payload


def test_contract() -> None:
    """A contract lies at the address of its code; two flags mean NeoVM."""
    assert DEPLOY.address == program_address(b"code")
    assert [replace(DEPLOY, vm_flags=flags).vm_type for flags in (0, 1, 3)] == [
        VmType.NEO,
        VmType.NEO,
        VmType.WASM,
    ]


LONG = [
    ({"vm_flags": 2}, "vm flags 2"),
    ({"code": bytes(1_048_577)}, "the code is too long"),
    ({"code": bytes(524_289), "vm_flags": 3}, "the code is too long"),
    ({"name": bytes(253)}, "the name is too long"),
    ({"version": bytes(253)}, "the version is too long"),
    ({"author": bytes(253)}, "the author is too long"),
    ({"email": bytes(253)}, "the email is too long"),
    ({"description": bytes(65_537)}, "the description is too long"),
]


@pytest.mark.parametrize(("change", "reason"), LONG)
def test_what_cannot_be_deployed(change: dict[str, Any], reason: str) -> None:
    """A part of a contract that is too long is refused when it is made."""
    with pytest.raises(ValueError, match=f"^{reason}$"):
        replace(DEPLOY, **change)


@pytest.mark.parametrize(
    "change",
    [
        {"type": TransactionType.DEPLOY},
        {"payload": DEPLOY},
        {"type": TransactionType.EIP155},
        {"witnesses": (Witness(invocation=b"", verification=b""),) * 17},
    ],
)
def test_what_is_no_transaction(change: dict[str, Any]) -> None:
    """Parts that do not go together are refused when they are put together."""
    with pytest.raises(ValueError, match=r"together|EVM|17 signature entries"):
        replace(TRANSFER, **change)


def headed(head: str) -> bytes:
    """Return the unsigned sample with other first bytes."""
    return bytes.fromhex(head) + UNSIGNED[2:]


def sized(size: int) -> bytes:
    """Write a transaction of so many bytes."""
    invoke = Invoke(code=bytes(size - 49))
    return codec.encode_transaction(replace(TRANSFER, payload=invoke, witnesses=()))


BAD = [
    (b"", "unexpected EOF"),
    (UNSIGNED, "unexpected EOF"),
    (headed("01d1") + b"\0", "version 1"),
    (headed("00d4") + b"\0", "type 0xd4"),
    (headed("00cf") + b"\0", "type 0xcf"),
    (UNSIGNED[:-1] + b"\1\0", "attributes"),
    (UNSIGNED[:-1] + b"\xfd\0\0\0", "irregular data"),
    (UNSIGNED + encode_varuint(17) + bytes(34), "17 signature entries"),
    (UNSIGNED + b"\0\0", "1 bytes too many"),
    (UNSIGNED[:42] + encode_varbytes(b"code") + b"\2" + bytes(7), "vm flags 2"),
    (b"\0\xd3" + encode_varbytes(RAW), "an EVM transaction"),
    (sized(1_048_577), "over 1048576 bytes"),
]


@pytest.mark.parametrize(("raw", "reason"), BAD, ids=[reason for _, reason in BAD])
def test_bad_transactions(raw: bytes, reason: str) -> None:
    """What is no transaction is refused with the reason."""
    if reason == "vm flags 2":
        raw = b"\0\xd0" + raw[2:]
    with pytest.raises(UndecodableTransaction, match=f"^reason='transaction: {reason}'$"):
        codec.decode_transaction(raw)


def test_the_largest() -> None:
    """A transaction may have 1 MiB."""
    raw = sized(1_048_576)
    assert len(raw) == 1_048_576
    assert codec.encode_transaction(codec.decode_transaction(raw)) == raw


def test_evm_transactions() -> None:
    """An EVM transaction is wrapped, and read as the model has it."""
    raw = b"\0\xd3" + encode_varbytes(RAW)
    found = codec.decode_sent(raw + b"tail", chain_id=CHAIN_ID)
    assert isinstance(found, EvmTransaction)
    assert codec.encode_transaction(found) == raw
    with pytest.raises(UndecodableTransaction, match="chain id"):
        codec.decode_sent(raw, chain_id=58)
    with pytest.raises(UndecodableTransaction, match="unexpected EOF"):
        codec.decode_sent(raw[:-1], chain_id=58)


def test_evm_transactions_of_other_types() -> None:
    """What a node could not have is written in the same envelope."""
    transaction = make_transaction(type_=2)
    assert codec.encode_transaction(transaction) == b"\0\xd3" + encode_varbytes(transaction.raw)


def test_payer_of_nobody() -> None:
    """Pre-execution goes by the programs alone, and there may be none."""
    sample = codec.decode_transaction(bytes.fromhex(named_transaction("ont_balance_of")["raw"]))
    assert sample.payer == Address20(bytes(20))
    assert codec.claimed_signers(sample) == frozenset()
