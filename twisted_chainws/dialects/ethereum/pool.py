"""Handlers that show the transaction pool. Sans-I/O.

Source: ``ethereum.md`` 5.1 (go-ethereum ``internal/ethapi/api.go`` ``TxPoolAPI``); EIP-55.
"""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from eth_hash.auto import keccak

from twisted_chainws.chain.model import EvmTransaction
from twisted_chainws.chain.types import Address20
from twisted_chainws.dialects.ethereum import decode
from twisted_chainws.dialects.ethereum.arguments import takes
from twisted_chainws.dialects.ethereum.encode import encode_quantity, encode_transaction
from twisted_chainws.dialects.outcomes import Handler, Json
from twisted_chainws.dialects.view import View

_RAISE_FROM: Final = 8

Slots: TypeAlias = Mapping[int, EvmTransaction]
"""Transactions of one sender by nonce, ascending."""


def encode_checksummed(address: bytes) -> str:
    """Write an address with the capitals that EIP-55 gives it."""
    digits = address.hex()
    marks = keccak(digits.encode("ascii")).hex()
    return "0x" + "".join(
        digit.upper() if int(mark, 16) >= _RAISE_FROM else digit
        for digit, mark in zip(digits, marks, strict=False)
    )


def _summary(transaction: EvmTransaction) -> str:
    price = transaction.max_fee_per_gas
    if price is None:
        price = transaction.gas_price
    target = transaction.to
    whom = "contract creation" if target is None else encode_checksummed(target)
    return f"{whom}: {transaction.value} wei + {transaction.gas_limit} gas × {price} wei"


def _by_nonce(slots: Slots, leaf: Callable[[EvmTransaction], Json]) -> Json:
    return {str(nonce): leaf(transaction) for nonce, transaction in slots.items()}


def _by_sender(senders: Mapping[Address20, Slots], leaf: Callable[[EvmTransaction], Json]) -> Json:
    return {encode_checksummed(sender): _by_nonce(slots, leaf) for sender, slots in senders.items()}


@takes()
def status(view: View) -> Json:
    """Answer ``txpool_status``: how many transactions are pending and queued."""
    counts = view.chain.counts
    return {"pending": encode_quantity(counts.pending), "queued": encode_quantity(counts.queued)}


@takes()
def content(view: View) -> Json:
    """Answer ``txpool_content``: every transaction by sender and nonce."""
    return {
        "pending": _by_sender(view.chain.pending_by_sender(), encode_transaction),
        "queued": _by_sender(view.chain.queued_by_sender(), encode_transaction),
    }


@takes(decode.address)
def content_from(view: View, sender: Address20) -> Json:
    """Answer ``txpool_contentFrom``: the transactions of one sender by nonce."""
    return {
        "pending": _by_nonce(view.chain.pending_by_sender().get(sender, {}), encode_transaction),
        "queued": _by_nonce(view.chain.queued_by_sender().get(sender, {}), encode_transaction),
    }


@takes()
def inspect(view: View) -> Json:
    """Answer ``txpool_inspect``: as ``content``, with one line for each transaction."""
    return {
        "pending": _by_sender(view.chain.pending_by_sender(), _summary),
        "queued": _by_sender(view.chain.queued_by_sender(), _summary),
    }


POOL: Final[Mapping[str, Handler]] = {
    "txpool_status": status,
    "txpool_content": content,
    "txpool_contentFrom": content_from,
    "txpool_inspect": inspect,
}
