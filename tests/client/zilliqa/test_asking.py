from typing import Any

import pytest
from twisted.internet.defer import CancelledError
from twisted.internet.task import Clock

from tests.client.test_promise import ends
from twisted_chainws.client.errors import (
    ClientClosed,
    ConnectionLost,
    Misuse,
    RequestTimeout,
    RpcError,
)
from twisted_chainws.client.options import ClientOptions
from twisted_chainws.client.status import ClientEvent, Condition
from twisted_chainws.client.zilliqa.asking import Asker
from twisted_chainws.client.zilliqa.envelope import Echo, Refusal
from twisted_chainws.client.zilliqa.queries import Query, leave, subscribing
from twisted_chainws.websocket import ErrorCode, WebSocketError

BLOCKS = subscribing("NewBlock")[0]
EVENTS = subscribing("EventLog", ["0x" + "11" * 20])[0]
NO = Refusal(RpcError(None, "no"))


class Stand:
    """What asks, without a network."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.condition = Condition()
        self.sent: list[str] = []
        self.cuts: list[str] = []
        self.is_up = True
        self.asker = Asker(
            clock=self.clock,
            options=ClientOptions(request_timeout_s=5),
            condition=self.condition,
            is_up=lambda: self.is_up,
            send=self.sent.append,
            cut=self.cuts.append,
        )

    def ask(self, query: Query) -> list[Any]:
        return ends(self.asker.ask(query))


def test_replies_in_order() -> None:
    """Echoes and refusals go to the oldest query, one each."""
    stand = Stand()
    first, second, third = (stand.ask(one) for one in (BLOCKS, EVENTS, EVENTS))
    assert stand.sent == [BLOCKS.render(), EVENTS.render(), EVENTS.render()]
    stand.asker.echo(Echo("NewBlock", None))
    stand.asker.refusal(NO)
    assert (first, second, third) == ([None], [RpcError], [])
    stand.asker.echo(Echo("EventLog", None))
    assert third == [None]
    assert stand.clock.getDelayedCalls() == []


def test_an_echo_out_of_order() -> None:
    """An echo says what it answers: other queries still wait."""
    stand = Stand()
    first, second, third = (stand.ask(one) for one in (EVENTS, leave("TxnLog"), leave("EventLog")))
    stand.asker.echo(Echo("Unsubscribe", "EventLog"))
    stand.asker.echo(Echo("Unsubscribe", None))
    assert (first, second, third) == ([], [None], [None])
    stand.asker.echo(Echo("EventLog", None))
    assert first == [None]


def test_replies_to_nothing() -> None:
    """They are counted, and errors are told."""
    stand = Stand()
    strays: list[Any] = []
    stand.condition.on(ClientEvent.STRAY, strays.append)
    stand.asker.echo(Echo("NewBlock", None))
    stand.asker.refusal(NO)
    assert (strays, stand.condition.counters.strays) == ([NO.error], 2)


def test_silence_ends_the_connection() -> None:
    """What comes later might be the answer to anything."""
    stand = Stand()
    found = stand.ask(BLOCKS)
    stand.clock.advance(4.9)
    assert found == []
    stand.clock.advance(0.2)
    assert (found, len(stand.cuts)) == ([RequestTimeout], 1)
    assert stand.condition.counters.timeouts == 1


def test_who_is_cancelled_keeps_its_place() -> None:
    """The reply to it is not taken for that to the next; nor may it lack."""
    stand = Stand()
    cancelled = stand.asker.ask(BLOCKS)
    found = ends(cancelled)
    cancelled.cancel()
    other = stand.ask(EVENTS)
    assert found == [CancelledError]
    stand.asker.refusal(NO)
    assert other == []
    stand.asker.refusal(NO)
    assert other == [RpcError]
    again = stand.asker.ask(BLOCKS)
    ends(again)
    again.cancel()
    stand.clock.advance(6)
    assert len(stand.cuts) == 1


@pytest.mark.parametrize("end", [ConnectionLost, ClientClosed])
def test_the_end(end: type[Exception]) -> None:
    """With the connection, or the client, all queries have failed."""
    stand = Stand()
    found = stand.ask(BLOCKS)
    if end is ConnectionLost:
        stand.asker.down()
    else:
        stand.asker.end(ClientClosed("closed"))
    assert found == [end]
    stand.asker.refusal(NO)
    assert stand.condition.counters.strays == 1
    assert stand.clock.getDelayedCalls() == []


def test_what_cannot_be_sent() -> None:
    """Without a connection it fails at once; so does what is too long."""
    stand = Stand()
    stand.is_up = False
    assert stand.ask(BLOCKS) == [ConnectionLost]
    stand.is_up = True

    def refuse(_text: str) -> None:
        raise WebSocketError(ErrorCode.PARAMETER_ERROR)

    stand.asker._send = refuse
    assert stand.ask(BLOCKS) == [Misuse]
