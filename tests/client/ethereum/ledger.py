"""A chain of plain JSON values, with side branches: what scripted nodes serve, and an oracle."""

import hashlib
from typing import Any


def _hash(*parts: object) -> str:
    return "0x" + hashlib.sha256(repr(parts).encode()).hexdigest()


class Ledger:
    """Blocks by number and by hash; each with some logs."""

    def __init__(self, height: int = 0) -> None:
        self._salt = 0
        self.known: dict[str, dict[str, Any]] = {}
        self.logs: dict[str, list[dict[str, Any]]] = {}
        self.chain: list[dict[str, Any]] = []
        self.mine(0)
        for _ in range(height):
            self.mine()

    @property
    def height(self) -> int:
        return len(self.chain) - 1

    def mine(self, logs: int = 1) -> dict[str, Any]:
        """Put a block with some logs on the head, and return its header."""
        self._salt += 1
        number = len(self.chain)
        parent = self.chain[-1]["hash"] if self.chain else "0x" + "00" * 32
        header = {
            "number": hex(number),
            "hash": _hash(number, parent, self._salt),
            "parentHash": parent,
            "timestamp": hex(1_700_000_000 + number),
        }
        self.chain.append(header)
        self.known[header["hash"]] = header
        self.logs[header["hash"]] = [self._log(header, index) for index in range(logs)]
        return header

    def reorganise(self, depth: int, blocks: int, logs: int = 1) -> list[dict[str, Any]]:
        """Replace the last blocks, and return those that left, oldest first."""
        depth = min(depth, self.height)
        gone = self.chain[len(self.chain) - depth :]
        del self.chain[len(self.chain) - depth :]
        for _ in range(blocks):
            self.mine(logs)
        return gone

    def block(self, number: int) -> dict[str, Any] | None:
        """Return a canonical block with the members that headers do not have."""
        return self._as_block(self.chain[number]) if number < len(self.chain) else None

    def by_hash(self, block_hash: str) -> dict[str, Any] | None:
        header = self.known.get(block_hash)
        return None if header is None else self._as_block(header)

    def logs_of(self, first: int, last: int) -> list[dict[str, Any]]:
        """Return the logs of a range, ends included."""
        headers = self.chain[first : last + 1]
        return [log for header in headers for log in self.logs[header["hash"]]]

    @staticmethod
    def _as_block(header: dict[str, Any]) -> dict[str, Any]:
        return header | {"transactions": [], "uncles": [], "size": "0x1", "withdrawals": []}

    @staticmethod
    def _log(header: dict[str, Any], index: int) -> dict[str, Any]:
        return {
            "address": "0x" + "22" * 20,
            "topics": [_hash("topic", index)],
            "data": "0x",
            "blockNumber": header["number"],
            "blockHash": header["hash"],
            "transactionHash": _hash(header["hash"], "transaction"),
            "transactionIndex": "0x0",
            "logIndex": hex(index),
            "removed": False,
        }
