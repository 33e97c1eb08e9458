"""Calls of the ONT and ONG contracts: made, priced, and signed. Pure.

Source: ``ontology.md`` 6.4, 6.5, 7.2, 7.3, 8.1, 8.4.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from twisted_chainws.client.errors import Misuse
from twisted_chainws.client.ontology.keys import Key, address_of, key_of, token_of
from twisted_chainws.dialects.ontology.address import decode_base58, encode_reversed
from twisted_chainws.dialects.ontology.binary_codec import Reader
from twisted_chainws.dialects.ontology.program import Witness
from twisted_chainws.dialects.ontology.script import build_call
from twisted_chainws.dialects.ontology.tokens import ONT_CONTRACT, TRANSFER
from twisted_chainws.dialects.ontology.transaction import (
    AnyTransaction,
    Invoke,
    Transaction,
    TransactionType,
    encode_transaction,
    read_transaction,
)
from twisted_chainws.dialects.ontology.values import Array, Struct, Value
from twisted_chainws.errors import UndecodableTransaction

__all__ = [
    "GAS_LIMIT", "Invocation", "approve", "claim_ong", "raw_of", "shown_hash", "sign", "transfer",
    "transfer_from",
]  # fmt: skip

GAS_LIMIT: Final = 20_000
"""Gas that a call of ONT or ONG takes, and the least that nodes accept."""

_MOST_WHOLE: Final = 2**64 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """A call that somebody has to sign.

    Attributes:
        code: what runs.
        signer: who has to agree.
    """

    code: bytes
    signer: Key


def transfer(
    asset: str, key: Key | bytes, to: str | bytes, amount: int, *, scaled: bool = False
) -> Invocation:
    """Move ONT or ONG.

    Args:
        asset: ``ont`` or ``ong``.
        key: of the owner.
        to: who gets it.
        amount: whole units, 1 ONT or 10^-9 ONG.
        scaled: the amount is in scaled ones, 10^-9 ONT or 10^-18 ONG.

    Raises:
        Misuse: a value does not fit; likewise below.
    """
    owner = key_of(key)
    entry = Struct([_own(owner), address_of(to), _amount(amount, scaled=scaled)])
    return _call(asset, TRANSFER, Array([entry]), signer=owner, scaled=scaled)


def approve(
    asset: str, key: Key | bytes, spender: str | bytes, amount: int, *, scaled: bool = False
) -> Invocation:
    """Let somebody move ONT or ONG of the key's owner, so much and no more from now on."""
    owner = key_of(key)
    arguments = Struct([_own(owner), address_of(spender), _amount(amount, scaled=scaled)])
    return _call(asset, "approve", arguments, signer=owner, scaled=scaled)


def transfer_from(
    asset: str,
    key: Key | bytes,
    owner: str | bytes,
    to: str | bytes,
    amount: int,
    *,
    scaled: bool = False,
) -> Invocation:
    """Move ONT or ONG of an owner who has approved it; the key is the spender's."""
    spender = key_of(key)
    arguments = Struct(
        [_own(spender), address_of(owner), address_of(to), _amount(amount, scaled=scaled)]
    )
    return _call(asset, "transferFrom", arguments, signer=spender, scaled=scaled)


def claim_ong(key: Key | bytes, amount: int, to: str | bytes | None = None) -> Invocation:
    """Take ONG that was released for holding ONT.

    Args:
        key: of the holder.
        amount: 10^-9 ONG.
        to: who gets it, None for the holder.
    """
    holder = key_of(key)
    return transfer_from("ong", holder, ONT_CONTRACT, holder.address if to is None else to, amount)


def sign(
    invocation: Invocation,
    *,
    nonce: int,
    gas_price: int,
    gas_limit: int = GAS_LIMIT,
    payer: Key | bytes | None = None,
) -> Transaction:
    """Make a transaction of a call and sign it.

    Args:
        invocation: the call.
        nonce: 32 bits; only makes the transaction another one.
        gas_price: 10^-9 ONG per unit.
        gas_limit: units.
        payer: who pays for gas, and signs as well; None for who signs the call.

    Raises:
        Misuse: a number does not fit.
    """
    pays = invocation.signer if payer is None else key_of(payer)
    for name, value, bits in (
        ("nonce", nonce, 32),
        ("gas_price", gas_price, 64),
        ("gas_limit", gas_limit, 64),
    ):
        if not isinstance(value, int) or not 0 <= value < 1 << bits:
            raise Misuse(f"{name}: does not fit in {bits} bits")
    unsigned = Transaction(
        type=TransactionType.INVOKE_NEO,
        nonce=nonce,
        gas_price=gas_price,
        gas_limit=gas_limit,
        payer=decode_base58(pays.address),
        payload=Invoke(code=invocation.code),
        witnesses=(),
    )
    return replace(unsigned, witnesses=tuple(_witnesses(unsigned, (invocation.signer, pays))))


def raw_of(transaction: AnyTransaction | bytes) -> bytes:
    """Return a transaction as it is sent.

    Raises:
        Misuse: it is neither a transaction nor its bytes; hex is not.
    """
    if isinstance(transaction, bytes):
        return transaction
    return encode_transaction(_known(transaction))


def shown_hash(transaction: AnyTransaction | bytes) -> str:
    """Return what nodes call a transaction.

    Raises:
        Misuse: the bytes are none, or it is something else.
    """
    if isinstance(transaction, bytes):
        try:
            transaction = read_transaction(Reader(transaction))
        except (ValueError, UndecodableTransaction) as problem:
            raise Misuse(f"not a transaction: {problem}") from None
    return encode_reversed(_known(transaction).hash)


def _known(transaction: AnyTransaction) -> AnyTransaction:
    if not isinstance(transaction, AnyTransaction):
        raise Misuse("transaction: neither a transaction nor its bytes")
    return transaction


def _call(asset: str, method: str, arguments: Value, *, signer: Key, scaled: bool) -> Invocation:
    name = f"{method}V2" if scaled else method
    return Invocation(code=build_call(token_of(asset).contract, name, arguments), signer=signer)


def _own(key: Key) -> bytes:
    return decode_base58(key.address)


def _amount(amount: int, *, scaled: bool) -> int:
    if isinstance(amount, bool) or not isinstance(amount, int) or amount < 0:
        raise Misuse("amount: not a number of units")
    if not scaled and amount > _MOST_WHOLE:
        raise Misuse("amount: does not fit in 64 bits")
    return amount


def _witnesses(transaction: Transaction, keys: Iterable[Key]) -> list[Witness]:
    signed = {key.address: key for key in keys}
    return [key.sign(transaction) for key in signed.values()]
