"""What contracts tell, in Ontology's forms. Sans-I/O.

Native contracts tell lists, EVM contracts packed logs. An EVM transaction also tells of the ONG
that it moves, as logs of an ERC-20 contract at ONG's address: first the value it carries, last the
fee. Of ONG that moves inside an execution nothing is known here, so those logs are missing.

Source: ``ontology.md`` 6.8, 7.4 and 9; the node's ``smartcontract/event``, 26b5ad4f.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from eth_hash.auto import keccak

from twisted_chainws.chain.model import EvmTransaction, Log, NamedEvent, Receipt, Transaction
from twisted_chainws.chain.types import Address20, Hash32
from twisted_chainws.dialects.ontology import shapes
from twisted_chainws.dialects.ontology.address import encode_base58, encode_reversed
from twisted_chainws.dialects.ontology.binary_codec import encode_varbytes
from twisted_chainws.dialects.ontology.tokens import (
    GOVERNANCE_CONTRACT,
    ONG_CONTRACT,
    TOKENS,
    TRANSFER,
    split_amount,
)

TRANSFER_TOPIC: Final = Hash32(keccak(b"Transfer(address,address,uint256)"))

_WORD: Final = 32
_COUNT_WIDTH: Final = 4


def notices(transaction: Transaction, receipt: Receipt) -> list[shapes.Notice]:
    """Return what a transaction told, in order."""
    if isinstance(transaction, EvmTransaction):
        return [encode_log(log) for log in _evm_logs(transaction, receipt)]
    return [encode_named(event) for event in receipt.events]


def contracts_of(transaction: Transaction, receipt: Receipt) -> frozenset[str]:
    """Return which contracts told something, as the notices name them."""
    told: Iterable[NamedEvent | Log] = receipt.events
    if isinstance(transaction, EvmTransaction):
        told = _evm_logs(transaction, receipt)
    return frozenset(encode_reversed(each.address) for each in told)


def encode_named(event: NamedEvent) -> shapes.Notice:
    """Encode what a native contract told.

    An amount of ONT or ONG, which is scaled, becomes whole units and, if any are left, a number of
    scaled ones.
    """
    values = [_value(param.type, param.value) for param in event.params]
    if event.name == TRANSFER and event.address in TOKENS:
        whole, rest = split_amount(values.pop())
        values += [whole, rest] if rest else [whole]
    return {
        "ContractAddress": encode_reversed(event.address),
        "States": [event.name, *values],
        "IsEvm": False,
    }


def encode_log(log: Log) -> shapes.Notice:
    """Encode what an EVM contract told."""
    topics = len(log.topics).to_bytes(_COUNT_WIDTH, "little") + b"".join(log.topics)
    packed = log.address + topics + encode_varbytes(log.data)
    return {
        "ContractAddress": encode_reversed(log.address),
        "States": "0x" + packed.hex(),
        "IsEvm": True,
    }


def transfer_log(source: Address20, target: Address20, amount: int) -> Log:
    """Return how an EVM transaction tells of ONG that moves; 10^-18 ONG."""
    parties = (Hash32(party.rjust(_WORD, b"\0")) for party in (source, target))
    return Log(
        address=ONG_CONTRACT,
        topics=(TRANSFER_TOPIC, *parties),
        data=amount.to_bytes(_WORD, "big"),
    )


def _evm_logs(transaction: EvmTransaction, receipt: Receipt) -> Iterator[Log]:
    target = receipt.contract_address if transaction.to is None else transaction.to
    if receipt.succeeded and transaction.value and target is not None:
        yield transfer_log(transaction.sender, target, transaction.value)
    yield from receipt.logs
    fee = receipt.gas_used * receipt.effective_gas_price
    if fee:
        yield transfer_log(transaction.sender, GOVERNANCE_CONTRACT, fee)


def _value(kind: str, value: Any) -> Any:
    if isinstance(value, bytes):
        return encode_base58(Address20(value)) if kind == "address" else value.hex()
    return value
