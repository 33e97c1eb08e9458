"""A chain of Zilliqa blocks to tell of, with transactions whose keys and ids are real."""

import hashlib
from typing import Any, Final

from tests.dialects.zilliqa.vectors import derivation
from twisted_chainws.dialects.zilliqa.address import evm_address, native_address

PUBLIC_KEYS: Final = [bytes.fromhex(key["publicKey"]) for key in derivation("keys")]
ALICE, BOB = ("0x" + native_address(key).hex() for key in PUBLIC_KEYS)
ALICE_EVM: Final = "0x" + evm_address(PUBLIC_KEYS[0]).hex()
TOKEN: Final = "0x" + "77" * 20
OTHER_TOKEN: Final = "0x" + "78" * 20
NOBODY: Final = "0x" + "00" * 20


def digest(*parts: object) -> str:
    """Return 32 bytes of hex that stand for what is given."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def event(name: str, address: str = TOKEN) -> dict[str, Any]:
    """Return an event as a receipt has it."""
    return {
        "_eventname": name,
        "address": address,
        "params": [{"vname": "n", "type": "String", "value": name}],
    }


def call(name: str, *events: Any, success: bool = True, **more: Any) -> dict[str, Any]:
    """Return a transaction that calls a contract."""
    receipt = {"success": success, "cumulative_gas": "50", "event_logs": list(events)}
    called = payment(name, TOKEN) | {"data": '{"_tag":"f"}', "receipt": receipt}
    return called | more


def payment(
    name: str, to: str, *, amount: int = 5, success: bool = True, **more: Any
) -> dict[str, Any]:
    """Return a transaction of ALICE's."""
    return {
        "ID": digest("transaction", name),
        "version": "14548993",
        "nonce": "1",
        "amount": str(amount),
        "toAddr": to.removeprefix("0x"),
        "senderPubKey": "0x" + PUBLIC_KEYS[0].hex().upper(),
        "receipt": {"success": success, "cumulative_gas": "50"},
    } | more


class Ledger:
    """A chain.

    Attributes:
        chain: the blocks by height, as ``GetTxBlock`` shows them.
        transactions: block hash -> transactions of the block.
        branch: names what is mined.
    """

    def __init__(self, height: int = 5) -> None:
        self.chain: list[dict[str, Any]] = []
        self.transactions: dict[str, list[Any]] = {}
        self.branch = 0
        for _ in range(height + 1):
            self.mine()

    @property
    def height(self) -> int:
        return len(self.chain) - 1

    def mine(self, *transactions: Any) -> dict[str, Any]:
        """Add a block."""
        number = len(self.chain)
        block_hash = digest("block", number, self.branch)
        block = {
            "header": {
                "BlockNum": str(number),
                "PrevBlockHash": self.chain[-1]["body"]["BlockHash"] if self.chain else "00" * 32,
                "NumTxns": len(transactions),
                "NumPages": -(-len(transactions) // 2500),
            },
            "body": {"BlockHash": block_hash, "MicroBlockInfos": []},
        }
        self.chain.append(block)
        self.transactions[block_hash] = list(transactions)
        return block

    def reorganise(self, depth: int, *blocks: list[Any]) -> None:
        """Replace the highest blocks."""
        del self.chain[len(self.chain) - depth :]
        self.branch += 1
        for transactions in blocks:
            self.mine(*transactions)

    def of(self, block: dict[str, Any]) -> list[Any]:
        """Return the transactions of a block."""
        return self.transactions[block["body"]["BlockHash"]]

    def hashes(self, block: dict[str, Any]) -> list[list[str]]:
        """Return transaction ids by shard."""
        found = [one["ID"] for one in self.of(block)]
        return [found, []] if found else []
