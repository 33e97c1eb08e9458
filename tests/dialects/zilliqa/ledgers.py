"""Blocks with transactions of every family, and ledgers that hold them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from tests.dialects.zilliqa.vectors import derivation
from tests.signing import ADDRESSES
from tests.strategies import make_block, make_log, make_native, make_receipt, make_transaction
from twisted_chainws.chain.model import Block, Kind, NativeTransaction
from twisted_chainws.chain.ops import Advance
from twisted_chainws.chain.types import Address20, Gas, Seq, Wei
from twisted_chainws.dialects.zilliqa.projection import ZilliqaLedger
from twisted_chainws.dialects.zilliqa.schnorr import public_key_of
from twisted_chainws.dialects.zilliqa.transaction import (
    CHAIN_ID,
    CoreInfo,
    encode_transaction,
    pack_version,
    sign_transaction,
)

SECRET: Final = bytes.fromhex(derivation("keys")[1]["privateKey"])
RECIPIENT: Final = Address20(bytes.fromhex(ADDRESSES[0][2:]))


def payment(nonce: int = 1, *, code: bytes = b"", data: bytes = b"") -> NativeTransaction:
    """Make a signed native transaction, as the model holds it."""
    core = CoreInfo(
        version=pack_version(CHAIN_ID),
        nonce=nonce,
        to=RECIPIENT,
        public_key=public_key_of(SECRET),
        amount_qa=1_500_000_000_000,
        gas_price_qa=2_000_000_000,
        gas_limit=50,
        code=code,
        data=data,
    )
    signed = sign_transaction(core, SECRET)
    return NativeTransaction(
        kind=Kind.ZILLIQA, hash=signed.id, sender=core.sender, raw=encode_transaction(signed)
    )


def mixed_block(parent: Block) -> Block:
    """Make a block with an EVM, an Ontology and a native transaction, in this order.

    The EVM one pays 21,000 gas at 1 gwei and moves 1 wei; the native one 50 gas at 2·10^15 wei.
    """
    block = make_block(
        parent,
        [
            (make_transaction(), [make_log(data=b"\7")]),
            (make_native(Kind.ONTOLOGY), []),
            (payment(), []),
        ],
    )
    native = replace(
        make_receipt(gas_used=50, cumulative=42_050),
        effective_gas_price=Wei(2 * 10**15),
        gas_used=Gas(50),
    )
    return replace(block, receipts=(*block.receipts[:2], native))


def ledger_of(blocks: Sequence[Block]) -> ZilliqaLedger:
    """Return a ledger that holds these blocks."""
    ledger = ZilliqaLedger()
    ledger.apply(Advance(seq=Seq(1), undone=(), applied=tuple(blocks)))
    return ledger
