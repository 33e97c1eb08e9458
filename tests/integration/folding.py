"""What a client makes of what it hears: folds that complain as soon as something does not fit."""

from abc import ABC, abstractmethod
from typing import Any


class Fold(ABC):
    """What one subscription adds up to; each kind of event in its own way."""

    def __init__(self) -> None:
        self.kept: dict[Any, Any] = {}

    @abstractmethod
    def add(self, event: Any) -> None:
        """Take an event."""

    def toggle(self, key: Any, value: Any, *, removed: bool) -> None:
        """Add or remove; whatever is removed was there as it is said now, and nothing comes twice."""
        if removed:
            assert self.kept.pop(key, None) == value
        else:
            assert key not in self.kept
            self.kept[key] = value


class LogFold(Fold):
    """Logs, by block and place in it."""

    def add(self, event: Any) -> None:
        """Take a log."""
        key = (event["blockHash"], event["logIndex"])
        self.toggle(key, event | {"removed": False}, removed=event["removed"])

    def logs(self) -> list[Any]:
        """Return what is left in the order of the chain."""
        return sorted(self.kept.values(), key=_place_of_log)


class MinedFold(Fold):
    """Transactions in blocks, by block and hash; full objects or hashes only."""

    def add(self, event: Any) -> None:
        """Take a transaction."""
        transaction = event["transaction"]
        key = (transaction["blockHash"], transaction["hash"])
        self.toggle(key, transaction, removed=event["removed"])

    def transactions(self) -> list[Any]:
        """Return what is left in the order of the chain."""
        return sorted(self.kept.values(), key=_place)


class HeadFold(Fold):
    """Heads, by height; a repeated height replaces it and everything above."""

    def add(self, event: Any) -> None:
        """Take a head."""
        number = int(event["number"], 16)
        self.kept = {height: head for height, head in self.kept.items() if height < number}
        if number - 1 in self.kept:
            assert self.kept[number - 1]["hash"] == event["parentHash"]
        self.kept[number] = event


def phases(kinds: list[tuple[str, bool | None]]) -> None:
    """Check the order of one reorganisation on the wire.

    Args:
        kinds: subscription kind and ``removed`` of each event, in the order of arrival.
    """
    logs, mined, heads, pending = "logs", "alchemy_minedTransactions", "newHeads", "pending"
    ranks = {
        (logs, True): 0,
        (mined, True): 1,
        (heads, None): 2,
        (logs, False): 3,
        (mined, False): 4,
    }
    last = 0
    for kind, removed in kinds:
        rank = 5 if kind == pending else ranks[(kind, removed)]
        if rank == 2:
            assert last <= 4, kinds
        else:
            assert last <= rank, kinds
        last = rank


def _place(item: Any) -> tuple[int, int]:
    return int(item["blockNumber"], 16), int(item["transactionIndex"], 16)


def _place_of_log(log: Any) -> tuple[int, int]:
    return int(log["blockNumber"], 16), int(log["logIndex"], 16)
