from typing import Any

import pytest

from tests.client.ontology.ledger import ONG, ONT, TOKEN, Ledger, Mined, did
from twisted_chainws.client.errors import QueueOverflow
from twisted_chainws.client.heads import Reset
from twisted_chainws.client.ontology.assembling import Contents
from twisted_chainws.client.ontology.subscription import Subscription, Wish
from twisted_chainws.client.ontology.values import (
    Gap,
    Log,
    decode_block,
    decode_hashes,
    decode_notify,
    decode_raw_block,
)
from twisted_chainws.websocket import Outcome
from twisted_chainws.websocket.awaiting import succeeded

NOTHING: dict[str, Any] = {
    "events": False,
    "contracts": (),
    "blocks": False,
    "raw_blocks": False,
    "hashes": False,
}
LOG = Log(tx_hash="11" * 32, contract=TOKEN, message="m")


def subscription(queue_size: int = 10, **wish: Any) -> tuple[Subscription, list[Any]]:
    """Return a subscription, and whom it has told of what."""
    calls: list[Any] = []

    def unsubscribe(one: Subscription) -> Outcome[bool]:
        calls.append(one)
        return succeeded(value=True)

    made = Subscription(
        wish=Wish(**(NOTHING | wish)),
        queue_size=queue_size,
        unsubscribe=unsubscribe,
        overflowed=calls.append,
    )
    return made, calls


def contents(*mined: Mined, raw: bool = True) -> Contents:
    """Return all there is to tell of a block with some transactions."""
    block = Ledger().mine(*mined)
    shape = decode_block(block.json)
    return Contents(
        block=shape,
        events=tuple(decode_notify(one, shape) for one in block.events),
        raw_block=decode_raw_block(block.raw) if raw else None,
        logs=(LOG,),
    )


def told(one: Subscription, what: Contents) -> list[Any]:
    """Tell something, and return the events that come of it."""
    one.tell(what)
    found: list[Any] = []
    while one.depth:
        one.next().addCallback(found.append)
    return found


def test_the_order() -> None:
    """Events come as nodes push them: what was done, bytes, block, hashes."""
    one, _ = subscription(events=True, blocks=True, raw_blocks=True, hashes=True)
    what = contents(did(1), did(2))
    hashes = decode_hashes(Ledger().mine(did(1), did(2)).hashes)
    assert told(one, what) == [*what.events, LOG, what.raw_block, what.block, hashes]


@pytest.mark.parametrize("topic", ["events", "blocks", "raw_blocks", "hashes"])
def test_each_topic(topic: str) -> None:
    """Nothing is told but what is wanted."""
    one, _ = subscription(**{topic: True})
    names = {type(event).__name__ for event in told(one, contents(did(1)))}
    assert (
        names
        == {
            "events": {"Notify", "Log"},
            "blocks": {"Block"},
            "raw_blocks": {"RawBlock"},
            "hashes": {"BlockHashes"},
        }[topic]
    )


@pytest.mark.parametrize(
    ("contracts", "indexes", "logs"),
    [((), [0, 1, 2], 1), ((ONG,), [1], 0), ((ONG, TOKEN), [1, 2], 1), (("99" * 20,), [], 0)],
)
def test_contracts(contracts: Any, indexes: list[int], logs: int) -> None:
    """An event is told whole if any of the contracts has told something."""
    one, _ = subscription(events=True, contracts=contracts)
    events = told(one, contents(did(1), did(2, ONT, ONG), did(3, TOKEN)))
    assert [event.index for event in events if event != LOG] == indexes
    assert events.count(LOG) == logs


def test_each_event_once() -> None:
    """What was fetched and pushed is told once; after a reset it may come back."""
    one, _ = subscription(events=True)
    what = contents(did(1))
    late = Contents(block=None, events=what.events)
    assert told(one, what) == [*what.events, LOG]
    assert told(one, late) == []
    assert what.block is not None
    one.deliver(Reset(first=6, removed=(what.block,)))
    assert told(one, late)[1:] == list(what.events)


def test_events_are_not_remembered_for_ever() -> None:
    """Of very many the oldest are forgotten."""
    one, _ = subscription(events=True, queue_size=10_000)
    what = contents(did(1))
    (event,) = what.events
    others = [decode_notify(event.raw | {"TxHash": f"{number:064x}"}) for number in range(2_000)]
    assert told(one, what)[0] == event
    assert len(told(one, Contents(block=None, events=tuple(others)))) == 2_000
    assert told(one, Contents(block=None, events=what.events)) == [event]


def test_missing_bytes() -> None:
    """A block whose bytes did not come is a gap for who wants bytes."""
    one, _ = subscription(raw_blocks=True)
    assert told(one, contents(raw=False)) == [Gap(6, 6)]


def test_too_many_events() -> None:
    """One event more than may wait ends the subscription, and its client hears of it."""
    one, calls = subscription(blocks=True, queue_size=1)
    what = contents()
    one.tell(what)
    one.tell(what)
    assert calls == [one]
    assert not one.active
    ends: list[Any] = []
    one.next()
    one.next().addErrback(lambda failure: ends.append(failure.type))
    assert ends == [QueueOverflow]


def test_unsubscribing() -> None:
    """It is the client that unsubscribes."""
    one, calls = subscription(blocks=True)
    ends: list[Any] = []
    one.unsubscribe().addCallback(ends.append)
    assert (calls, ends) == ([one], [True])
