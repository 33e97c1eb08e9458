from dataclasses import replace
from typing import Any

import pytest

from tests.dialects.ethereum.published import published_chain
from tests.strategies import make_transaction
from twisted_chainws.chain.model import EvmTransaction
from twisted_chainws.chain.types import Address20
from twisted_chainws.dialects.zilliqa.address import evm_address
from twisted_chainws.dialects.zilliqa.evm_keys import recover_public_key, signature_of


def signed() -> dict[str, EvmTransaction]:
    """Return one published transaction of every type, legacy ones with and without chain id."""
    found = {}
    for block in published_chain():
        for item in block.transactions:
            assert isinstance(item, EvmTransaction)
            protected = "" if item.type or item.chain_id else " without chain id"
            found[f"type {item.type}{protected}"] = item
    return found


SIGNED = signed()


def test_every_type_is_there() -> None:
    """The published chain holds all kinds of signatures."""
    assert sorted(SIGNED) == [
        "type 0", "type 0 without chain id", "type 1", "type 2", "type 3", "type 4",
    ]  # fmt: skip


@pytest.mark.parametrize("kind", SIGNED)
def test_the_key_is_the_senders(kind: str) -> None:
    """The key behind a signature has the address of the sender."""
    transaction = SIGNED[kind]
    public_key = recover_public_key(transaction)
    assert public_key is not None
    assert len(public_key) == 33
    assert evm_address(public_key) == transaction.sender
    signature = signature_of(transaction)
    assert [int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")] == [
        transaction.r,
        transaction.s,
    ]


@pytest.mark.parametrize("kind", SIGNED)
def test_who_did_not_sign_has_no_key(kind: str) -> None:
    """A signature of somebody else gives no key."""
    stranger = replace(SIGNED[kind], sender=Address20(b"\1" * 20))
    assert recover_public_key(stranger) is None


@pytest.mark.parametrize("type_", [0, 2])
def test_no_transaction_has_no_key(type_: int) -> None:
    """Bytes that are no transaction give no key."""
    assert recover_public_key(make_transaction(type_=type_)) is None


@pytest.mark.parametrize("kind", SIGNED)
@pytest.mark.parametrize("wrong", [{"r": 0}, {"s": 2**256}, {"v": 1_000_000}, {"v": -1}])
def test_no_signature_has_no_key(kind: str, wrong: dict[str, Any]) -> None:
    """Numbers that are no signature give no key."""
    assert recover_public_key(replace(SIGNED[kind], **wrong)) is None
