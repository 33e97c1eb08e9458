"""Payments: made, signed, and written as nodes take them. Pure.

Source: ``zilliqa.md`` 5 (``CreateTransaction``), 6.1 and 6.3.
"""

from typing import Any, Final

from twisted_chainws.chain.types import Address20
from twisted_chainws.client.errors import Misuse
from twisted_chainws.client.zilliqa.queries import plain_address
from twisted_chainws.dialects.zilliqa import schnorr
from twisted_chainws.dialects.zilliqa.address import encode_checksum, native_address
from twisted_chainws.dialects.zilliqa.transaction import (
    CoreInfo,
    SignedTransaction,
    pack_version,
    sign_transaction,
)

__all__ = ["PAYMENT_GAS", "encode_request", "sender_of", "sign_payment"]

PAYMENT_GAS: Final = 50
"""Gas that a payment takes."""


def sender_of(secret: bytes) -> str:
    """Return whose payments a secret key signs: ``0x`` and lower-case hex.

    Raises:
        Misuse: it is no key.
    """
    return "0x" + native_address(_public_key(secret)).hex()


def sign_payment(
    secret: bytes,
    to: str | bytes,
    amount_qa: int,
    *,
    nonce: int,
    chain_id: int,
    gas_price_qa: int,
    gas_limit: int = PAYMENT_GAS,
) -> SignedTransaction:
    """Make a payment and sign it.

    Args:
        secret: key of the sender, 32 bytes.
        to: address in whatever form.
        amount_qa: in Qa, 10^-12 ZIL.
        nonce: that of the account plus 1.
        chain_id: of the chain.
        gas_price_qa: per unit of gas.
        gas_limit: units of gas.

    Raises:
        Misuse: a value does not fit.
    """
    address = Address20(bytes.fromhex(plain_address(to)[2:]))
    try:
        core = CoreInfo(
            version=pack_version(chain_id),
            nonce=nonce,
            to=address,
            public_key=_public_key(secret),
            amount_qa=amount_qa,
            gas_price_qa=gas_price_qa,
            gas_limit=gas_limit,
            code=b"",
            data=b"",
        )
    except ValueError as problem:
        raise Misuse(str(problem)) from None
    return sign_transaction(core, secret)


def encode_request(transaction: SignedTransaction) -> dict[str, Any]:
    """Write a transaction as the parameter of ``CreateTransaction``."""
    core = transaction.core
    return {
        "version": core.version,
        "nonce": core.nonce,
        "toAddr": encode_checksum(core.to),
        "amount": str(core.amount_qa),
        "pubKey": core.public_key.hex(),
        "gasPrice": str(core.gas_price_qa),
        "gasLimit": str(core.gas_limit),
        "code": core.code.decode(),
        "data": core.data.decode(),
        "signature": transaction.signature.hex(),
    }


def _public_key(secret: bytes) -> bytes:
    try:
        return schnorr.public_key_of(secret)
    except (TypeError, ValueError):
        raise Misuse("secret: not 32 bytes of a key") from None
