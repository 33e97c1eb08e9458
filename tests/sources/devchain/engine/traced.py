"""Short ways to a trace: accounts with code, a call or a transaction, the parsed answer."""

from typing import Any, Final

import orjson

from tests.assembler import assemble
from tests.sources.devchain.engine.driving import ADDRESSES, Driven

TARGET: Final = "0x" + "c0" * 20
OTHER: Final = "0x" + "d0" * 20
THIRD: Final = "0x" + "e0" * 20
NOBODY: Final = "0x" + "ab" * 20
SENDER: Final = ADDRESSES[0]


def code(source: str) -> str:
    """Assemble to hex."""
    return "0x" + assemble(source).hex()


def call_code(kind: str, address: str, *, value: str = "PUSH0", size: str = "PUSH0") -> str:
    """Return words that call ``address`` with all gas; the verdict stays on the stack."""
    worth = f"{value} " if kind in ("CALL", "CALLCODE") else ""
    return f"PUSH0 PUSH0 {size} PUSH0 {worth}{address} GAS {kind} "


def create_code(init: bytes, kind: str = "CREATE") -> str:
    """Return words that create with at most 32 bytes of init code; the address stays."""
    salt = "0x07 " if kind == "CREATE2" else ""
    word = "0x" + init.ljust(32, b"\0").hex()
    return f"{word} PUSH0 MSTORE {salt}{hex(len(init))} PUSH0 PUSH0 {kind} "


def trace_call(
    node: Driven, source: str, *, accounts: dict[str, str] | None = None, **asked: Any
) -> Any:
    """Trace a call of ``source`` as the code of TARGET.

    Args:
        node: any.
        source: words.
        accounts: address -> words of more accounts.
        asked: more members of the question; ``call`` and ``balance`` differ from the usual.
    """
    overrides = {
        address: {"code": code(words)}
        for address, words in ({TARGET: source} | (accounts or {})).items()
    }
    for address, balance in asked.pop("balances", {}).items():
        overrides.setdefault(address, {})["balance"] = hex(balance)
    call = {"from": SENDER, "to": TARGET, "gas": "0xf4240", **asked.pop("call", {})}
    if call["to"] is None:
        del call["to"]
    answer = node.ask("trace_call", call=call, at=node.head, state_overrides=overrides, **asked)
    return orjson.loads(answer.text)


def put_code(node: Driven, accounts: dict[str, str]) -> None:
    """Give accounts their code for good."""
    for address, words in accounts.items():
        node.ask("set_code", address=address, code=code(words))


def trace_sent(node: Driven, transaction_hash: str, **asked: Any) -> Any:
    """Trace a transaction of the head."""
    answer = node.ask("trace_transaction", block=node.head, transaction=transaction_hash, **asked)
    return orjson.loads(answer.text)


def receipt_of(node: Driven, transaction_hash: str) -> Any:
    """Return the receipt of a transaction of the head."""
    block = node.hub.engine.block(node.hub.engine.head_hash)
    for transaction, receipt in zip(block.transactions, block.receipts, strict=True):
        if "0x" + transaction.hash.hex() == transaction_hash:
            return receipt
    raise AssertionError("not in this block")
