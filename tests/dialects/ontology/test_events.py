from dataclasses import replace
from typing import Any

import pytest

from tests.dialects.ontology.ledgers import EVM, native_receipt, sample
from tests.dialects.ontology.ledgers import as_native as as_model
from tests.dialects.ontology.vectors import vectors
from tests.strategies import make_log, make_receipt
from twisted_chainws.chain.model import Log, NamedEvent, NamedParam
from twisted_chainws.chain.types import Address20, Gas, Hash32, Wei
from twisted_chainws.dialects.ontology import tokens
from twisted_chainws.dialects.ontology.address import encode_base58, encode_reversed
from twisted_chainws.dialects.ontology.events import (
    TRANSFER_TOPIC,
    contracts_of,
    encode_log,
    encode_named,
    notices,
    transfer_log,
)

SAMPLE = vectors("evm_log")
ACCOUNTS = [Address20(bytes.fromhex(item["address_bytes"])) for item in vectors("accounts")]
NAMES = [encode_base58(account) for account in ACCOUNTS]
ONG_TEXT = encode_reversed(tokens.ONG_CONTRACT)
GOVERNANCE_TEXT = encode_base58(tokens.GOVERNANCE_CONTRACT)


def data_of(text: str) -> bytes:
    """Read hex with ``0x``."""
    return bytes.fromhex(text[2:])


def test_published_log() -> None:
    """The sample log is packed, and is what a transfer of ONG is told as."""
    log = Log(
        address=Address20(data_of(SAMPLE["address"])),
        topics=tuple(Hash32(data_of(topic)) for topic in SAMPLE["topics"]),
        data=data_of(SAMPLE["data"]),
    )
    members = {name: SAMPLE[name] for name in ("ContractAddress", "States", "IsEvm")}
    assert encode_log(log) == members
    source = Address20(log.topics[1][12:])
    amount = int.from_bytes(log.data, "big")
    assert transfer_log(source, tokens.GOVERNANCE_CONTRACT, amount) == log
    assert log.topics[0] == TRANSFER_TOPIC


AMOUNTS: list[tuple[Address20, int, list[int]]] = [
    (tokens.ONT_CONTRACT, 10**9, [1]),
    (tokens.ONT_CONTRACT, 1_500_000_001, [1, 500_000_001]),
    (tokens.ONG_CONTRACT, 5, [0, 5]),
    (tokens.ONG_CONTRACT, 0, [0]),
    (tokens.ONG_CONTRACT, 10**27, [10**18]),
]


@pytest.mark.parametrize(("contract", "amount", "shown"), AMOUNTS)
def test_transfers(contract: Address20, amount: int, shown: list[int]) -> None:
    """A transfer is told in whole units, and with what is left of them."""
    transfer = tokens.Transfer(source=ACCOUNTS[0], target=ACCOUNTS[1], amount=amount)
    assert encode_named(tokens.transfer_event(contract, transfer)) == {
        "ContractAddress": encode_reversed(contract),
        "States": ["transfer", *NAMES, *shown],
        "IsEvm": False,
    }


def test_other_events() -> None:
    """What other contracts tell is shown by the types of its values."""
    values: list[tuple[str, Any]] = [
        ("address", ACCOUNTS[0]),
        ("bytes", b"\xab"),
        ("uint256", 10**9),
        ("string", "text"),
        ("bool", True),
    ]
    params = tuple(NamedParam(name="x", type=kind, value=value) for kind, value in values)
    for contract, name in (
        (tokens.GOVERNANCE_CONTRACT, "transfer"),
        (tokens.ONT_CONTRACT, "Register"),
    ):
        event = NamedEvent(address=contract, name=name, params=params)
        states = [name, NAMES[0], "ab", 10**9, "text", True]
        assert encode_named(event)["States"] == states


def test_a_native_transaction() -> None:
    """A native transaction tells what its contracts told, the fee last."""
    transfer = sample("ont_transfer_1")
    found = notices(as_model(transfer), native_receipt(transfer))
    assert [item["States"] for item in found] == [
        ["transfer", *NAMES, 1],
        ["transfer", NAMES[0], GOVERNANCE_TEXT, 50_000_000],
    ]
    assert notices(as_model(transfer), native_receipt(transfer, events=())) == []


PAID = replace(make_receipt([make_log(data=b"\7")]), effective_gas_price=Wei(2_500 * 10**9))
VALUE = encode_log(transfer_log(EVM.sender, EVM.to or Address20(b""), EVM.value))
LOG = encode_log(make_log(data=b"\7"))
FEE = encode_log(transfer_log(EVM.sender, tokens.GOVERNANCE_CONTRACT, 21_000 * 2_500 * 10**9))
CREATED = Address20(b"\5" * 20)


def test_an_evm_transaction() -> None:
    """An EVM transaction tells of the value it moves, its logs and its fee."""
    assert notices(EVM, PAID) == [VALUE, LOG, FEE]
    assert VALUE["ContractAddress"] == FEE["ContractAddress"] == ONG_TEXT
    assert notices(replace(EVM, value=Wei(0)), PAID) == [LOG, FEE]
    assert notices(EVM, replace(PAID, gas_used=Gas(0))) == [VALUE, LOG]


def test_a_failed_evm_transaction() -> None:
    """One that failed moved nothing but its fee."""
    assert notices(EVM, replace(PAID, succeeded=False, logs=())) == [FEE]


def test_a_creation() -> None:
    """The value of a creation goes to what it creates."""
    creation = replace(EVM, to=None)
    found = notices(creation, replace(PAID, contract_address=CREATED))
    assert found[0] == encode_log(transfer_log(EVM.sender, CREATED, EVM.value))
    assert notices(creation, PAID) == [LOG, FEE]


def test_contracts() -> None:
    """The contracts of a transaction are those that its notices name."""
    transfer = sample("ont_transfer_1")
    receipt = native_receipt(transfer)
    assert contracts_of(as_model(transfer), receipt) == {
        encode_reversed(tokens.ONT_CONTRACT),
        ONG_TEXT,
    }
    assert contracts_of(as_model(transfer), native_receipt(transfer, events=())) == frozenset()
    evm = make_receipt([make_log(ACCOUNTS[0])])
    named = {notice["ContractAddress"] for notice in notices(EVM, evm)}
    assert contracts_of(EVM, evm) == named == {encode_reversed(ACCOUNTS[0]), ONG_TEXT}
