"""Native payments of the Zilliqa family from the well-known accounts."""

from dataclasses import replace
from typing import Any, Final

from twisted_chainws.chain.types import Address20
from twisted_chainws.dialects.zilliqa.schnorr import public_key_of
from twisted_chainws.dialects.zilliqa.transaction import (
    CHAIN_ID,
    MINIMUM_GAS_PRICE_QA,
    PAYMENT_GAS,
    CoreInfo,
    SignedTransaction,
    encode_transaction,
    pack_version,
    sign_transaction,
)
from twisted_chainws.sources.devchain.accounts import WELL_KNOWN_ACCOUNTS

PAYEE: Final = Address20(b"\x77" * 20)
FEE_WEI: Final = PAYMENT_GAS * MINIMUM_GAS_PRICE_QA * 10**6


def zilliqa_address(index: int = 0) -> bytes:
    """Return the native address of a well-known key."""
    return WELL_KNOWN_ACCOUNTS[index].zilliqa_address


def payment(index: int = 0, nonce: int = 1, **changes: Any) -> SignedTransaction:
    """Sign a payment of 7 Qa by the key of an account; ``changes`` are made to its core."""
    key = WELL_KNOWN_ACCOUNTS[index].key
    core = CoreInfo(
        version=pack_version(CHAIN_ID),
        nonce=nonce,
        to=PAYEE,
        public_key=public_key_of(key),
        amount_qa=7,
        gas_price_qa=MINIMUM_GAS_PRICE_QA,
        gas_limit=PAYMENT_GAS,
        code=b"",
        data=b"",
    )
    return sign_transaction(replace(core, **changes), key)


def raw_payment(index: int = 0, nonce: int = 1, **changes: Any) -> bytes:
    """Return the bytes of such a payment."""
    return encode_transaction(payment(index, nonce, **changes))
