"""The public key behind the signature of an EVM transaction. Sans-I/O.

Ethereum tells senders by their address only; Zilliqa shows the key, which the signature gives away.

Source: the Yellow Paper, appendix F; EIP-155 and EIP-2718 for what is signed.
"""

from typing import Final

import rlp
from coincurve import PublicKey
from eth_hash.auto import keccak

from twisted_chainws.chain.model import EvmTransaction
from twisted_chainws.dialects.zilliqa.address import evm_address

_LEGACY_PARITY: Final = 27
_PROTECTED_PARITY: Final = 35
_SIGNATURE_FIELDS: Final = 3


def signature_of(transaction: EvmTransaction) -> bytes:
    """Return the two numbers of the signature, 32 bytes each."""
    return transaction.r.to_bytes(32, "big") + transaction.s.to_bytes(32, "big")


def recover_public_key(transaction: EvmTransaction) -> bytes | None:
    """Return the compressed key of the sender, 33 bytes.

    None when the sender did not sign: a development chain lets one act for any account.
    """
    try:
        message = _signed_part(transaction)
        signature = signature_of(transaction) + bytes([_parity(transaction)])
        key = PublicKey.from_signature_and_message(signature, keccak(message), hasher=None)
    except (ValueError, OverflowError, rlp.DecodingError):
        return None
    public_key = bytes(key.format())
    return public_key if evm_address(public_key) == transaction.sender else None


def _signed_part(transaction: EvmTransaction) -> bytes:
    envelope = bytes([transaction.type]) if transaction.type else b""
    fields = rlp.decode(transaction.raw[len(envelope) :])[:-_SIGNATURE_FIELDS]
    if not transaction.type and transaction.chain_id is not None:
        fields = [*fields, transaction.chain_id, b"", b""]
    return envelope + bytes(rlp.encode(fields))


def _parity(transaction: EvmTransaction) -> int:
    if transaction.type:
        return transaction.v
    if transaction.chain_id is None:
        return transaction.v - _LEGACY_PARITY
    return transaction.v - _PROTECTED_PARITY - 2 * transaction.chain_id
