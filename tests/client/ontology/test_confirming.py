from collections.abc import Callable
from typing import Any

import pytest
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock

from tests.client.ontology.ledger import Ledger, did
from twisted_chainws.client.errors import (
    ClientClosed,
    ConnectionLost,
    RequestTimeout,
    RpcError,
)
from twisted_chainws.client.ontology.confirming import Confirmations
from twisted_chainws.client.ontology.values import decode_notify
from twisted_chainws.client.promise import promise
from twisted_chainws.dialects.ontology.errors import DUPLICATE_INPUT, DUPLICATED_TX, UNKNOWN

MINED = Ledger().mine(did(1))
NAME = MINED.mined[0].hash
EVENT = decode_notify(MINED.events[0])
RAW = b"\0\xd1"
LOST = ConnectionLost("m", maybe_sent=True)


class Stand:
    """Confirmations of a node that answers at once.

    Attributes:
        sends: what comes of sending, one after the other; then all is well.
        mined: whether the node tells what the transaction did.
    """

    def __init__(self) -> None:
        self.clock = Clock()
        self.connections = 0
        self.asked: list[str] = []
        self.sends: list[Any] = []
        self.questions: list[Any] = []
        self.mined = False
        self.ends: list[Any] = []
        self.confirmations = Confirmations(
            self.call, clock=self.clock, connections=lambda: self.connections
        )

    def call(self, action: str, **members: Any) -> Deferred[Any]:
        short = "send" if action == "sendrawtransaction" else "ask"
        assert members == ({"Data": RAW.hex()} if short == "send" else {"Hash": NAME})
        self.asked.append(short)
        answers = self.sends if short == "send" else self.questions
        answer = answers.pop(0) if answers else None
        if callable(answer):
            answer = answer()
        if isinstance(answer, Exception):
            return fail(answer)
        if isinstance(answer, Deferred):
            return answer
        return succeed(NAME if short == "send" else MINED.events[0] if self.mined else "")

    def wait(self, *, raw: bytes | None = RAW, wait_s: float = 60) -> Deferred[Any]:
        waiting = promise(self.confirmations.wait(NAME, raw, wait_s))
        waiting.addBoth(lambda end: self.ends.append(getattr(end, "value", end)))
        return waiting

    def reconnect(self) -> None:
        self.connections += 1
        self.confirmations.up()

    def finish(self) -> Any:
        """Return the end, of which nothing is left."""
        assert self.clock.getDelayedCalls() == []
        assert self.confirmations._waits == {}
        (end,) = self.ends
        return end


def test_the_push() -> None:
    """A push of the transaction ends the wait; pushes of others do not."""
    stand = Stand()
    stand.wait()
    stand.confirmations.heard(decode_notify(MINED.events[0] | {"TxHash": "11" * 32}))
    assert stand.ends == []
    stand.confirmations.heard(EVENT)
    assert stand.finish() == EVENT
    assert stand.asked == ["send", "ask"]


def test_a_push_before_the_reply() -> None:
    """Nodes may push before they answer."""
    stand = Stand()
    reply: Deferred[Any] = Deferred()
    stand.sends.append(reply)
    stand.wait()
    stand.confirmations.heard(EVENT)
    assert stand.ends == []
    reply.callback(NAME)
    assert stand.finish() == EVENT
    assert stand.asked == ["send"]


def test_asking() -> None:
    """Where nothing is pushed, asking helps; that is done now and then."""
    stand = Stand()
    stand.wait(raw=None)
    stand.clock.advance(5)
    stand.mined = True
    assert stand.asked == ["ask", "ask"]
    stand.clock.advance(5)
    assert stand.finish() == EVENT


def test_several_who_wait() -> None:
    """All of them hear of it; who gives up leaves the others waiting."""
    stand = Stand()
    waits = [stand.wait(raw=None) for _ in range(3)]
    waits[1].cancel()
    assert len(stand.ends) == 1
    stand.confirmations.heard(EVENT)
    assert stand.ends[1:] == [EVENT, EVENT]
    assert stand.clock.getDelayedCalls() == []


def test_too_late() -> None:
    """After the time that somebody is willing to wait it fails, and may have been sent."""
    stand = Stand()
    stand.wait(wait_s=12)
    stand.clock.pump([1.0] * 12)
    end = stand.finish()
    assert isinstance(end, RequestTimeout)
    assert end.maybe_sent


@pytest.mark.parametrize("error", [RpcError(UNKNOWN, "no"), ClientClosed("closed")])
def test_what_is_refused(error: Exception) -> None:
    """A transaction that the node does not take at first fails with that."""
    stand = Stand()
    stand.sends.append(error)
    stand.wait()
    assert stand.finish() is error
    assert stand.asked == ["send"]


@pytest.mark.parametrize("code", [DUPLICATED_TX, DUPLICATE_INPUT])
def test_sent_by_somebody_else(code: int) -> None:
    """A node that has it before it is sent, as from a program that was started anew, is asked."""
    stand = Stand()
    stand.sends.append(RpcError(code, "duplicated"))
    stand.wait()
    assert stand.ends == []
    stand.mined = True
    stand.clock.advance(5)
    assert stand.finish() == EVENT
    assert stand.asked == ["send", "ask", "ask"]


def test_never_sent() -> None:
    """Without a connection nothing was sent, and the error says so."""
    stand = Stand()
    stand.sends.append(RequestTimeout("m", 30, maybe_sent=False))
    stand.wait()
    end = stand.finish()
    assert isinstance(end, RequestTimeout)
    assert not end.maybe_sent
    assert stand.asked == ["send"]


def _mine(stand: Stand) -> None:
    stand.mined = True


@pytest.mark.parametrize("error", [LOST, RequestTimeout("m", 30, maybe_sent=True)])
@pytest.mark.parametrize("arrived", [True, False])
def test_lost_over_sending(error: Exception, arrived: bool) -> None:
    """When the connection ends before the reply, it is asked first, and then sent again."""
    stand = Stand()
    stand.sends.append(error)
    stand.wait()
    stand.mined = arrived
    stand.reconnect()
    if not arrived:
        assert stand.asked == ["send", "ask", "ask", "send"]
        stand.confirmations.heard(EVENT)
    assert stand.finish() == EVENT


def test_lost_over_waiting() -> None:
    """A node that is started anew may have forgotten it: it is sent again, each time once."""
    stand = Stand()
    stand.wait()
    for _ in range(3):
        stand.reconnect()
        stand.clock.advance(5)
    assert stand.asked.count("send") == 4
    stand.confirmations.heard(EVENT)
    assert stand.finish() == EVENT


def test_lost_again_and_again() -> None:
    """However often the connection ends over asking and sending, it goes on."""
    stand = Stand()
    stand.sends += [None, LOST, LOST]
    stand.questions += [LOST, LOST, None, None]
    stand.wait()
    for _ in range(4):
        stand.reconnect()
    stand.mined = True
    stand.clock.advance(5)
    assert stand.finish() == EVENT


@pytest.mark.parametrize("code", [DUPLICATED_TX, DUPLICATE_INPUT])
def test_sent_already(code: int) -> None:
    """A node that has it already is not an error; then nobody pushes, and it is asked."""
    stand = Stand()
    stand.sends += [LOST, RpcError(code, "duplicated")]
    stand.wait()
    stand.reconnect()
    assert stand.ends == []
    _mine(stand)
    stand.clock.advance(1)
    assert stand.finish() == EVENT


def _spent(stand: Stand) -> Callable[[], Exception]:
    def answer() -> Exception:
        stand.mined = True
        return RpcError(UNKNOWN, "balance insufficient")

    return answer


def test_taken_in_meanwhile() -> None:
    """What was taken in between asking and sending again fails to send, and is found."""
    stand = Stand()
    stand.sends += [LOST, _spent(stand)]
    stand.wait()
    stand.reconnect()
    assert stand.finish() == EVENT


def test_refused_the_second_time() -> None:
    """What the node does not want any more, and has not got, fails with its reason."""
    stand = Stand()
    error = RpcError(UNKNOWN, "balance insufficient")
    stand.sends += [LOST, error]
    stand.wait()
    stand.reconnect()
    assert stand.finish() is error


def test_what_is_not_ours_to_send() -> None:
    """Who only waits for a transaction never sends it."""
    stand = Stand()
    stand.wait(raw=None)
    stand.reconnect()
    stand.reconnect()
    assert set(stand.asked) == {"ask"}
    stand.confirmations.heard(EVENT)
    assert stand.finish() == EVENT
