"""The parent's end of the engine: a worker process that is replaced when it dies.

Theory of operation: a request is *held* until the worker has answered ``attach``, then *sent*.
When the worker dies, sent reads are held again for the next worker (a read that has seen several
workers die is given up: it may be what kills them), sent writes fail, because they may or may not
have happened. A worker that dies before it answers ``attach`` three times in a row is given up.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorProcess, IReactorTime
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure

import twisted_chainws
from twisted_chainws.errors import SourceUnavailable
from twisted_chainws.sources.devchain.codec import FrameParser, decode_error, render_frame
from twisted_chainws.sources.devchain.methods import READS

__all__ = ["EngineProcess"]

INBOX: Final = 3
"""The worker's descriptor for requests; ``OUTBOX`` is the one for answers and events."""
OUTBOX: Final = 4
_STDERR: Final = 2
_EARLY_DEATHS: Final = 3
_READ_ATTEMPTS: Final = 3
_STOP_S: Final = 2.0
"""How long a worker may take to end before it is killed; sooner than a source may take to stop."""
_RESTARTED: Final = "the development chain's engine was restarted; nothing was lost"
_STOPPED: Final = "the development chain has been stopped"
_BROKEN: Final = "the development chain's engine does not start"

_log: Final = Logger()


@dataclass(slots=True, kw_only=True)
class _Request:
    method: str
    params: Mapping[str, Any]
    answer: "Deferred[Any]"
    attempts: int = 0


class _Worker(ProcessProtocol):
    """One worker process; tells its owner what it says and that it ended.

    Attributes:
        deaf: it takes no more requests: its pipe breaks before its end is known.
    """

    def __init__(self, owner: "EngineProcess") -> None:
        self._owner = owner
        self._parser = FrameParser()
        self.deaf = False

    def childDataReceived(self, childFD: int, data: bytes) -> None:  # noqa: N803 - Twisted's name
        if childFD == OUTBOX:
            for message in self._parser.feed(data):
                self._owner.received(self, message)
        else:
            for line in data.decode("utf-8", "replace").splitlines():
                _log.warn("engine: {line}", line=line)

    def childConnectionLost(self, childFD: int) -> None:  # noqa: N803
        self.deaf = self.deaf or childFD == INBOX

    def processEnded(self, reason: Failure) -> None:
        self._owner.ended(self, reason)


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Let what is spawned begin with Ctrl-C blocked.

    A terminal interrupts the whole group, and the worker loads for a second or two before it can
    say that it ignores that. A mask is inherited; an ignored signal is not, Twisted resets it.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class EngineProcess:
    """Requests in, Deferreds out, whatever happens to the worker."""

    def __init__(
        self,
        *,
        reactor: Any,
        attach: Callable[[], dict[str, Any]],
        on_attached: Callable[[dict[str, Any]], None],
        on_event: Callable[[str, Any], None],
        on_unhealthy: Callable[[str], None],
    ) -> None:
        """Make a process that is not running yet.

        Args:
            reactor: spawns processes and tells the time.
            attach: gives the parameters of the first request of each worker.
            on_attached: takes the answer, before any other answer or event.
            on_event: takes name and payload of each event.
            on_unhealthy: is told, in one line, that a worker died.
        """
        self._processes: IReactorProcess = reactor
        self._clock: IReactorTime = reactor
        self._attach = attach
        self._on_attached = on_attached
        self._on_event = on_event
        self._on_unhealthy = on_unhealthy
        self._requests: dict[int, _Request] = {}
        self._next_id = 1
        self._worker: _Worker | None = None
        self._attach_id = 0
        self._attached = False
        self._early_deaths = 0
        self._gone: str | None = _STOPPED
        self._started: Deferred[None] | None = None
        self._stopped: Deferred[None] | None = None
        self._kill: IDelayedCall | None = None

    @property
    def pid(self) -> int | None:
        """The process id of the running worker, None between two."""
        transport = self._worker.transport if self._worker is not None else None
        return transport.pid if transport is not None else None

    def start(self) -> "Deferred[None]":
        """Start the worker; fires when it has answered ``attach``.

        Raises:
            SourceUnavailable: it does not start.
        """
        self._gone = None
        self._started = Deferred()
        self._spawn()
        return self._started

    def request(self, method: str, params: Mapping[str, Any]) -> "Deferred[Any]":
        """Ask the worker.

        Raises:
            SourceUnavailable: the worker is gone, or died while it worked on a write.
            ChainwsError: what the worker answered.
        """
        answer: Deferred[Any] = Deferred()
        if self._gone is not None:
            answer.errback(SourceUnavailable(reason=self._gone))
            return answer
        request_id, self._next_id = self._next_id, self._next_id + 1
        self._requests[request_id] = _Request(method=method, params=params, answer=answer)
        if self._attached:
            self._send(request_id)
        return answer

    def stop(self) -> "Deferred[None]":
        """Let the worker end; fires when it has."""
        self._gone = _STOPPED
        self._fail_all(_STOPPED)
        self._stopped = Deferred()
        transport = self._worker.transport if self._worker is not None else None
        if transport is None:
            self._stopped.callback(None)
        else:
            transport.closeChildFD(INBOX)
            self._kill = self._clock.callLater(_STOP_S, transport.signalProcess, "KILL")
        return self._stopped

    def received(self, worker: _Worker, message: list[Any]) -> None:
        """Take one message of a worker: an event, or an answer."""
        if worker is not self._worker:
            return
        if message[0] == 0:
            if self._gone is None:
                self._on_event(message[1], message[2])
            return
        error = decode_error(message[2]) if len(message) > 2 else None  # noqa: PLR2004
        if message[0] == self._attach_id:
            self._answered_attach(message[1], error)
            return
        request = self._requests.pop(message[0], None)
        if request is None or request.answer.called:
            return
        if error is None:
            request.answer.callback(message[1])
        else:
            request.answer.errback(error)

    def ended(self, worker: _Worker, reason: Failure) -> None:
        """Replace a worker that died, or finish stopping."""
        if worker is not self._worker:
            return
        self._worker = None
        early, self._attached = not self._attached, False
        if self._stopped is not None:
            if self._kill is not None and self._kill.active():
                self._kill.cancel()
            self._stopped.callback(None)
            return
        if self._gone is not None:
            return
        self._early_deaths = self._early_deaths + 1 if early else 0
        self._on_unhealthy(f"the development chain's engine died: {reason.getErrorMessage()}")
        if self._early_deaths >= _EARLY_DEATHS:
            self._give_up(SourceUnavailable(reason=_BROKEN))
            return
        self._hold_again()
        self._spawn()

    def _spawn(self) -> None:
        self._worker = _Worker(self)
        root = str(Path(twisted_chainws.__file__).parent.parent)
        paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
        with Path(os.devnull).open("rb") as nothing, _interrupts_held():
            self._processes.spawnProcess(
                self._worker,
                sys.executable,
                [sys.executable, "-m", "twisted_chainws.sources.devchain.worker"],
                env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
                childFDs={0: nothing.fileno(), 1: "r", _STDERR: "r", INBOX: "w", OUTBOX: "r"},
            )
        self._attach_id, self._next_id = self._next_id, self._next_id + 1
        self._write([self._attach_id, "attach", self._attach()])

    def _write(self, message: list[Any]) -> bool:
        """Write to the worker; False when it cannot hear any more."""
        worker = self._worker
        if worker is None or worker.deaf or worker.transport is None:
            return False
        worker.transport.writeToChild(INBOX, render_frame(message))
        return True

    def _send(self, request_id: int) -> None:
        """Send a request; it stays held when the worker is about to be replaced."""
        request = self._requests[request_id]
        if self._write([request_id, request.method, request.params]):
            request.attempts += 1

    def _answered_attach(self, answer: dict[str, Any], error: Exception | None) -> None:
        if error is not None:
            # The worker is well but refuses its settings or its file: another would, too.
            self._give_up(error)
            return
        self._attached, self._early_deaths = True, 0
        self._on_attached(answer)
        if self._started is not None:
            started, self._started = self._started, None
            started.callback(None)
        for request_id in sorted(self._requests):
            if (
                not self._requests[request_id].attempts
                or self._requests[request_id].method in READS
            ):
                self._send(request_id)

    def _hold_again(self) -> None:
        for request_id, request in list(self._requests.items()):
            retry = request.method in READS and request.attempts < _READ_ATTEMPTS
            if request.attempts and not retry:
                del self._requests[request_id]
                if not request.answer.called:
                    request.answer.errback(SourceUnavailable(reason=_RESTARTED))

    def _give_up(self, error: Exception) -> None:
        self._gone = str(getattr(error, "reason", _BROKEN))
        self._on_unhealthy(self._gone)
        self._fail_all(self._gone)
        if self._started is not None:
            started, self._started = self._started, None
            started.errback(error)

    def _fail_all(self, reason: str) -> None:
        requests, self._requests = self._requests, {}
        for request in requests.values():
            if not request.answer.called:
                request.answer.errback(SourceUnavailable(reason=reason))
