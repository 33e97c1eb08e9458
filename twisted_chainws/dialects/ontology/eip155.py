"""Ethereum transactions inside Ontology's: what type D3 carries. Sans-I/O.

The node reads legacy transactions only, whose nonce fits in 32 bits and whose gas price is a
multiple of a gwei. What a chain of ours holds besides (typed transactions) is written by
``transaction.encode_transaction`` in the same envelope, which is our own extension.

Source: ``ontology.md`` 6.5 and 9; the node's ``core/types/transaction.go``
(``TransactionFromEIP155``), 26b5ad4f; EIP-155; the Yellow Paper, appendix F.
"""

from typing import Any, Final

import rlp
from coincurve import PublicKey
from eth_hash.auto import keccak

from twisted_chainws.chain.model import EvmTransaction
from twisted_chainws.chain.types import Address20, Gas, Hash32, Wei
from twisted_chainws.dialects.ontology.address import ADDRESS_LENGTH
from twisted_chainws.errors import UndecodableTransaction

WEI_PER_GWEI: Final = 10**9

_FIELDS: Final = 9
_SIGNATURE_FIELDS: Final = 3
_UNPROTECTED: Final = 27
_PROTECTED: Final = 35
_HALF_ORDER: Final = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0
_BITS: Final = {"nonce": 32, "gas price": 64, "gas limit": 64, "value": 256, "v": 256}


def decode_eip155(raw: bytes, *, chain_id: int | None = None) -> EvmTransaction:
    """Read a legacy Ethereum transaction and recover who sent it.

    Args:
        raw: its RLP.
        chain_id: which it has to be signed for; None takes any, and none at all.

    Raises:
        UndecodableTransaction: it is no such transaction, or one that Ontology does not take.
    """
    try:
        transaction = _decode(raw)
    except (ValueError, rlp.DecodingError) as error:
        raise UndecodableTransaction(reason=f"EIP-155: {error}") from None
    if chain_id is not None and transaction.chain_id != chain_id:
        reason = f"EIP-155: chain id {transaction.chain_id}, expected {chain_id}"
        raise UndecodableTransaction(reason=reason)
    return transaction


def _decode(raw: bytes) -> EvmTransaction:
    fields = rlp.decode(raw)
    if not isinstance(fields, list) or len(fields) != _FIELDS:
        raise ValueError(f"no list of {_FIELDS} fields")
    if not all(isinstance(field, bytes) for field in fields):
        raise ValueError("a field is a list")
    to = fields[3]
    if len(to) not in {0, ADDRESS_LENGTH}:
        raise ValueError("a recipient that is no address")
    gas_price = _number("gas price", fields[1])
    if gas_price % WEI_PER_GWEI:
        raise ValueError(f"gas price {gas_price} is not a multiple of a gwei")
    v, r, s = (_number("v", field) for field in fields[-_SIGNATURE_FIELDS:])
    chain_id = None if v < _PROTECTED else (v - _PROTECTED) // 2
    return EvmTransaction(
        hash=Hash32(keccak(raw)),
        sender=_sender(fields[:-_SIGNATURE_FIELDS], chain_id, (v, r, s)),
        raw=raw,
        type=0,
        chain_id=chain_id,
        nonce=_number("nonce", fields[0]),
        to=Address20(to) if to else None,
        value=Wei(_number("value", fields[4])),
        gas_limit=Gas(_number("gas limit", fields[2])),
        gas_price=Wei(gas_price),
        max_fee_per_gas=None,
        max_priority_fee_per_gas=None,
        data=fields[5],
        access_list=None,
        max_fee_per_blob_gas=None,
        blob_versioned_hashes=None,
        authorizations=None,
        v=v,
        r=r,
        s=s,
    )


def _number(name: str, field: bytes) -> int:
    if field[:1] == b"\0":
        raise ValueError(f"{name} begins with a zero")
    value = int.from_bytes(field, "big")
    if value.bit_length() > _BITS[name]:
        raise ValueError(f"{name} does not fit in {_BITS[name]} bits")
    return value


def _sender(content: list[Any], chain_id: int | None, signature: tuple[int, int, int]) -> Address20:
    v, r, s = signature
    if chain_id is None:
        parity, signed = v - _UNPROTECTED, content
    else:
        parity, signed = (v - _PROTECTED) % 2, [*content, chain_id, b"", b""]
    if parity not in {0, 1} or s > _HALF_ORDER:
        raise ValueError("invalid signature")
    encoded = r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([parity])
    try:
        key = PublicKey.from_signature_and_message(encoded, keccak(rlp.encode(signed)), hasher=None)
    except ValueError:
        raise ValueError("invalid signature") from None
    return Address20(keccak(key.format(compressed=False)[1:])[-ADDRESS_LENGTH:])
