from typing import Any

import pytest

from tests.client.ontology.ledger import ALICE, BOB, ONT, SECRETS
from tests.dialects.ontology.test_eip155 import legacy
from tests.dialects.ontology.vectors import named_transaction
from twisted_chainws.client.errors import Misuse
from twisted_chainws.client.ontology.invocations import (
    approve,
    claim_ong,
    raw_of,
    shown_hash,
    sign,
    transfer,
    transfer_from,
)
from twisted_chainws.dialects.ontology.address import decode_base58
from twisted_chainws.dialects.ontology.eip155 import decode_eip155
from twisted_chainws.dialects.ontology.transaction import decode_transaction, signers

A, B = ALICE.address, BOB.address
V2: dict[str, Any] = {"scaled": True}


@pytest.mark.parametrize(
    ("name", "invocation"),
    [
        ("ont_transfer_1", transfer("ont", ALICE, B, 1)),
        ("ong_transfer_1_5", transfer("ong", ALICE, B, 1_500_000_000)),
        ("ong_approve", approve("ong", ALICE, B, 10**9)),
        ("ong_transfer_from", transfer_from("ong", BOB, A, B, 10**9)),
        ("ts_ong_transfer_v2", transfer("ong", ALICE, B, 1_500_000_000_000_000_001, **V2)),
        ("ong_withdraw_unbound", claim_ong(ALICE, 1_000)),
    ],
)
def test_published_calls(name: str, invocation: Any) -> None:
    """What runs is what the SDKs write, byte by byte."""
    assert invocation.code.hex() == named_transaction(name)["invoke_code"]


def test_claiming() -> None:
    """Claimed ONG may go to somebody else."""
    assert claim_ong(ALICE, 1_000, A) == claim_ong(ALICE, 1_000)
    assert claim_ong(ALICE, 1_000, B).code == transfer_from("ong", ALICE, ONT, B, 1_000).code


@pytest.mark.parametrize("name", ["ont_transfer_1", "ong_transfer_1_5"])
def test_published_transactions(name: str) -> None:
    """The hash is the published one, the signature is right."""
    vector = named_transaction(name)
    amount = 1 if name.startswith("ont") else 1_500_000_000
    transaction = sign(
        transfer(name[:3], SECRETS[0], B, amount), nonce=vector["nonce"], gas_price=2_500
    )
    assert shown_hash(transaction) == shown_hash(raw_of(transaction)) == vector["tx_hash"]
    assert signers(transaction) == {decode_base58(A)}
    assert decode_transaction(raw_of(transaction)) == transaction


def test_another_payer() -> None:
    """Who pays signs as well, once."""
    invocation = transfer("ont", ALICE, B, 16)
    vector = named_transaction("ont_transfer_other_payer")
    transaction = sign(
        invocation, nonce=vector["nonce"], gas_price=vector["gas_price"], payer=SECRETS[1]
    )
    assert shown_hash(transaction) == vector["tx_hash"]
    assert signers(transaction) == {decode_base58(A), decode_base58(B)}
    assert len(sign(invocation, nonce=1, gas_price=0, payer=ALICE).witnesses) == 1


@pytest.mark.parametrize("amount", [-1, 1.5, "1", None, True, 2**64])
def test_what_is_no_amount(amount: Any) -> None:
    """Amounts are whole numbers that fit."""
    with pytest.raises(Misuse, match="amount"):
        transfer("ont", ALICE, B, amount)


def test_large_amounts() -> None:
    """Scaled amounts may have more than 64 bits, for there are 10^27 of ONG."""
    assert transfer("ong", ALICE, B, 10**27, scaled=True).code


@pytest.mark.parametrize(
    ("name", "value"),
    [("nonce", -1), ("nonce", 2**32), ("gas_price", 2**64), ("gas_limit", -1), ("nonce", "1")],
)
def test_what_does_not_fit(name: str, value: Any) -> None:
    """A number that does not fit is named."""
    members: dict[str, Any] = {"nonce": 1, "gas_price": 0} | {name: value}
    with pytest.raises(Misuse, match=name):
        sign(transfer("ont", ALICE, B, 1), **members)


def test_hashes_of_bytes() -> None:
    """What is no transaction has no hash; one of the EVM has the usual one, reversed."""
    with pytest.raises(Misuse, match="not a transaction"):
        shown_hash(b"\0\xd1")
    nothing: list[Any] = ["00d1", None, 5]
    for strange in nothing:
        for reads in (shown_hash, raw_of):
            with pytest.raises(Misuse, match="neither a transaction nor its bytes"):
                reads(strange)
    evm = decode_eip155(legacy())
    assert shown_hash(raw_of(evm)) == shown_hash(evm) == evm.hash[::-1].hex()


def test_secrets_are_not_shown() -> None:
    """A call names who signs it, not by what."""
    assert SECRETS[0].hex() not in repr(transfer("ont", SECRETS[0], B, 1))
    assert repr(SECRETS[0]) not in repr(transfer("ont", SECRETS[0], B, 1))
