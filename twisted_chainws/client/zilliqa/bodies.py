"""From the transactions of a block to what notifications of it tell. Pure.

Source: ``zilliqa.md`` 4, 5 (transaction object and receipt), 6.2.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from twisted_chainws.client.errors import BadAnswer
from twisted_chainws.client.zilliqa.envelope import Contents
from twisted_chainws.client.zilliqa.values import (
    ContractEvent,
    Transfer,
    TxBlock,
    decode_address,
    decode_event,
    decode_hash,
    number,
)
from twisted_chainws.dialects.zilliqa.address import evm_address, native_address
from twisted_chainws.dialects.zilliqa.transaction import NATIVE_VERSION, unpack_version

__all__ = ["contents_of"]


def contents_of(block: TxBlock, transactions: list[Any]) -> Contents:
    """Return what a notification of a block tells those who watch all addresses.

    Args:
        block: the block.
        transactions: of the block, in order, as the node gives them.

    Raises:
        BadAnswer: one of them is none.
    """
    return Contents(
        block=block,
        events=tuple(one for raw in transactions for one in _events(raw, block)),
        transfers=tuple(_transfer(raw, block) for raw in transactions),
    )


def _transfer(raw: Any, block: TxBlock) -> Transfer:
    if not isinstance(raw, Mapping):
        raise BadAnswer("not a transaction")
    return Transfer(
        id=decode_hash(raw.get("ID")),
        sender=_sender(raw),
        to=decode_address(raw.get("toAddr")),
        amount_qa=number(raw.get("amount")),
        success=_receipt(raw).get("success") is True,
        block_number=block.number,
        block_hash=block.hash,
        raw=raw,
    )


def _events(raw: Any, block: TxBlock) -> Iterator[ContractEvent]:
    """Yield the events of a transaction that went well; logs of the EVM have no name.

    Nodes look at calls of contracts only. Nothing else has named events there, and where it has,
    notifications tell of them.
    """
    receipt = _receipt(raw)
    logs = receipt.get("event_logs") if receipt.get("success") is True else None
    for entry in logs if isinstance(logs, list) else []:
        try:
            event = decode_event(entry.get("address"), entry, block)
        except (AttributeError, BadAnswer):
            continue
        yield event


def _receipt(raw: Any) -> Mapping[str, Any]:
    receipt = raw.get("receipt") if isinstance(raw, Mapping) else None
    if not isinstance(receipt, Mapping):
        raise BadAnswer("a transaction without receipt")
    return receipt


def _sender(raw: Mapping[str, Any]) -> str:
    _, kind = unpack_version(number(raw.get("version")))
    key = raw.get("senderPubKey")
    try:
        public_key = bytes.fromhex(key.removeprefix("0x"))  # type: ignore[union-attr]
        address = native_address if kind == NATIVE_VERSION else evm_address
        return "0x" + address(public_key).hex()
    except (AttributeError, ValueError):
        raise BadAnswer("a transaction without public key") from None
