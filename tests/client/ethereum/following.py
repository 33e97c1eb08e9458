"""What subscribers have seen, and what of it counts in the end."""

from collections.abc import Sequence
from typing import Any

from tests.websocket.scripted import limit, until
from twisted_chainws.client import EthereumClient, Gap, Head, HeadRemoved, Log, Subscription


class Follower:
    """Collects the events of a subscription."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.subscription: Subscription

    @classmethod
    async def of(cls, client: EthereumClient, kind: str, options: Any = None) -> "Follower":
        follower = cls()
        subscribing = client.subscribe(kind, options, follower.events.append)
        follower.subscription = await limit(subscribing)
        return follower

    async def sees(self, count: int) -> list[Any]:
        """Wait for so many events."""
        await until(lambda: len(self.events) >= count)
        return self.events

    async def reaches(self, block_hash: str) -> None:
        """Wait for an event of a block."""
        await until(lambda: any(hash_of(event) == block_hash for event in self.events))

    @property
    def numbers(self) -> list[Any]:
        """Heads and logs by number, removed ones as negative, gaps as they are."""
        return [short(event) for event in self.events]


def hash_of(event: Any) -> str | None:
    """Return the hash of the block of a head or log."""
    return getattr(event, "hash", None) or getattr(event, "block_hash", None)


def short(event: Any) -> Any:
    """Return what is worth comparing; see ``Follower.numbers``."""
    if isinstance(event, HeadRemoved):
        return -event.head.number
    if isinstance(event, Head):
        return event.number
    if isinstance(event, Log):
        return -event.block_number if event.removed else event.block_number
    return (event.first, event.last) if isinstance(event, Gap) else event


def standing(events: Sequence[Any]) -> list[Any]:
    """Fold events: what stands in the end, in order. A contradiction is an AssertionError."""
    stands: list[Any] = []
    for event in events:
        if isinstance(event, HeadRemoved):
            assert stands.pop() == event.head
        elif isinstance(event, Head):
            if stands:
                assert event.parent_hash == stands[-1].hash
            stands.append(event)
        elif isinstance(event, Log) and event.removed:
            (index,) = [at for at, log in enumerate(stands) if log.key == event.key]
            del stands[index]
        else:
            assert isinstance(event, Log), event
            assert event.key not in {log.key for log in stands}
            assert all(
                log.block_hash == event.block_hash
                for log in stands
                if log.block_number == event.block_number
            )
            stands.append(event)
    return stands
