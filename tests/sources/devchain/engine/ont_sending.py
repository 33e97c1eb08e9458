"""Ontology transactions that the well-known accounts sign, and nodes that take them."""

from dataclasses import replace
from typing import Any, Final

from tests.sources.devchain.engine.driving import Driven
from tests.sources.devchain.engine.ont_states import ONG, ONT, PRICE, transaction
from twisted_chainws.chain.types import Address20
from twisted_chainws.dialects.ontology.script import build_call
from twisted_chainws.dialects.ontology.tokens import GOVERNANCE_CONTRACT
from twisted_chainws.dialects.ontology.transaction import (
    Transaction,
    encode_transaction,
    sign_transaction,
)
from twisted_chainws.dialects.ontology.values import Array, Struct, Value
from twisted_chainws.sources.devchain.accounts import WELL_KNOWN_ACCOUNTS
from twisted_chainws.sources.devchain.codec import encode_hex

STRANGER: Final = Address20(b"\x77" * 20)
GENESIS_ONT: Final = 10**8
"""Whole ONT of each well-known account."""


def address(index: int = 0) -> Address20:
    """Return the Ontology address of a well-known account."""
    return WELL_KNOWN_ACCOUNTS[index].ontology_address


def transfer(contract: Address20, amount: int, source: Address20, target: Address20) -> bytes:
    """Return the script of a transfer of whole units."""
    fields: list[Value] = [source, target, amount]
    return build_call(contract, "transfer", Array([Struct(fields)]))


def signed(code: bytes, index: int = 0, *others: int, **changes: Any) -> Transaction:
    """Sign a script by the key of an account, which pays, and by those of others."""
    bare = transaction(code, **{"payer": address(index), "gas_price": PRICE, **changes})
    witnesses = (
        sign_transaction(bare, WELL_KNOWN_ACCOUNTS[signer].ontology_key)
        for signer in (index, *others)
    )
    return replace(bare, witnesses=tuple(witnesses))


def ont_transfer(amount: int = 5, index: int = 0, nonce: int = 1, **changes: Any) -> Transaction:
    """Sign a transfer of ONT to a stranger."""
    return signed(transfer(ONT, amount, address(index), STRANGER), index, nonce=nonce, **changes)


def ong_transfer(amount: int = 5, index: int = 0, nonce: int = 1, **changes: Any) -> Transaction:
    """Sign a transfer of ONG, 10^-9, to a stranger."""
    return signed(transfer(ONG, amount, address(index), STRANGER), index, nonce=nonce, **changes)


def submit(node: Driven, sent: Transaction) -> str:
    """Send a transaction as through the pipe."""
    raw = encode_hex(encode_transaction(sent))
    answer: str = node.ask("send_native", kind="ontology", raw=raw)
    return answer


def owned(node: Driven, *accounts: Address20) -> list[tuple[int, int]]:
    """Return the ONT and the ONG of accounts, scaled, as they are told."""
    told = [
        node.ask("ontology_balance", address=encode_hex(account), at=node.head)
        for account in accounts
    ]
    return [(int(item["ont"], 16), int(item["ong"], 16)) for item in told]


GOVERNANCE: Final = GOVERNANCE_CONTRACT
