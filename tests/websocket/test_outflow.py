from types import SimpleNamespace
from typing import Any

from twisted.internet.defer import CancelledError
from twisted.internet.interfaces import IPushProducer
from zope.interface.verify import verifyObject

from twisted_chainws.websocket.codes import WebSocketError
from twisted_chainws.websocket.outflow import Outflow


def queue(size: int) -> Any:
    """Return a transport with the names that Twisted's TCP has for its queue."""
    return SimpleNamespace(dataBuffer=b"x" * (size + 1), offset=1, _tempDataLen=3)


def test_it_is_a_producer() -> None:
    """A transport can pause and resume it."""
    assert verifyObject(IPushProducer, Outflow(queue(0)))


def test_who_writes_first_does_not_wait() -> None:
    """The message that fills the queue does not wait; the next does, until the queue is empty."""
    outflow = Outflow(queue(0))
    assert outflow.wrote(10, congested_before=False) is None
    outflow.pauseProducing()
    assert outflow.wrote(100_000, congested_before=False) is None
    results: list[Any] = []
    for _ in range(2):
        waiting = outflow.wrote(5, congested_before=True)
        assert waiting is not None
        waiting.addCallback(results.append)
    assert (results, outflow.buffered) == ([], 100_010)
    outflow.resumeProducing()
    assert results == [True, True]
    assert (outflow.congested, outflow.buffered) == (False, 3)


def test_queue_of_tcp_and_below_tls() -> None:
    """What is queued is TCP's to tell, also from below another transport; a stranger hides it."""
    assert Outflow(queue(7)).queued == 10
    assert Outflow(SimpleNamespace(transport=queue(7))).queued == 10
    assert Outflow(SimpleNamespace()).queued == 0
    assert Outflow(None).queued == 0


def test_only_what_is_read_counts_as_read() -> None:
    """Adding to the queue reads nothing, and what was read stays read when TLS adds of its own."""
    transport = queue(0)
    outflow = Outflow(transport)
    outflow.written = 1_000
    transport.dataBuffer = b"x" * 598
    assert outflow.read == 400
    outflow.written += 5_000
    transport.dataBuffer += b"x" * 5_100
    assert outflow.read == 400
    transport.dataBuffer = b"x" * 498
    assert outflow.read == 5_500


def test_the_end_fails_those_who_wait() -> None:
    """Messages that may not have left fail with the connection; whoever gave up is left alone."""
    outflow = Outflow(queue(0))
    outflow.pauseProducing()
    ends: list[Any] = []
    waiting = [outflow.wrote(1, congested_before=True) for _ in range(2)]
    for one in waiting:
        assert one is not None
        one.addErrback(lambda failure: ends.append(failure.value))
    assert waiting[0] is not None
    waiting[0].cancel()
    error = WebSocketError(200)
    outflow.stopProducing()
    outflow.lost(error)
    assert [type(end) for end in ends] == [CancelledError, type(error)]
    assert not outflow.congested


def test_twisted_still_has_these_names() -> None:
    """Should the names of the queue disappear from Twisted, buffered amounts would be lost."""
    from twisted.internet.abstract import FileDescriptor

    descriptor = FileDescriptor(reactor=SimpleNamespace())  # type: ignore[arg-type]
    assert Outflow(descriptor).queued == 0
