"""The engine's process: ``python -m twisted_chainws.sources.devchain.worker``.

Requests come in on descriptor 3, answers and events leave on 4; the end of 3 is the end of the
worker, so it never outlives its parent, and one that hangs is killed where the system can arrange
that. One ``select`` loop, no threads, no Twisted.

Theory of operation: reads of state are answered where they are read. A job is tried in place for
a moment and then left to a child. Writes wait in line; the first one is a command (a generator)
that is resumed with the results of its jobs, and between two steps the loop turns, so that reads
never wait behind a block. Events leave after the commit and before the answer.
"""

import fcntl
import gc
import os
import select
import signal
import sys
import time
import traceback
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from twisted_chainws.errors import ChainwsError, InvalidControl
from twisted_chainws.sources.devchain.children import Children, die_with_parent
from twisted_chainws.sources.devchain.codec import FrameParser, encode_error, frame_pieces
from twisted_chainws.sources.devchain.engine.jobs import Command, Job
from twisted_chainws.sources.devchain.engine.limit import TimeUp, forget_lost_alarms
from twisted_chainws.sources.devchain.engine.node import Node
from twisted_chainws.sources.devchain.methods import READS, WRITES
from twisted_chainws.sources.devchain.settings import DevchainSettings, decode_settings

_INBOX: Final = 3
_OUTBOX: Final = 4
_CHUNK: Final = 1 << 20
_FREEZE_BLOCKS: Final = 1000
_FAILED: Final[dict[str, Any]] = {"error": "", "facts": {}}

Params = Mapping[str, Any]


class Worker:
    """The loop between the pipes and the node."""

    def __init__(
        self,
        *,
        inbox: int,
        outbox: int,
        wall_clock: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        """Take the pipes; the first request must be ``attach``."""
        self._inbox = inbox
        self._outbox = outbox
        self._wall_clock = wall_clock
        self._monotonic = monotonic
        self._parser = FrameParser()
        self._unsent: deque[bytearray | memoryview] = deque()
        self._node: Node | None = None
        self._children: Children | None = None
        self._lock: int | None = None
        self._opening: Callable[[], Node] | None = None
        self._writes: deque[tuple[int, str, Params]] = deque()
        self._command: Command | None = None
        self._command_id = 0
        self._resume: Callable[[], Job] | None = None
        self._frozen = 0

    def run(self) -> None:
        """Serve until the parent closes the inbox."""
        os.set_blocking(self._outbox, False)
        while self._turn():
            pass
        if self._children is not None:
            self._children.kill_all()
        if self._node is not None:
            self._node.close()

    def _turn(self) -> bool:
        children = self._children
        pipes = children.descriptors() if children is not None else []
        writing = [self._outbox] if self._unsent else []
        readable, writable, _ = select.select([self._inbox, *pipes], writing, [], self._patience())
        if writable:
            self._flush()
        if self._inbox in readable:
            data = os.read(self._inbox, _CHUNK)
            if not data:
                return False
            for request_id, method, params in self._parser.feed(data):
                self._receive(request_id, method, params)
        if children is not None:
            for descriptor in readable:
                children.readable(descriptor)
            children.expire()
        self._work()
        self._flush()
        return True

    def _patience(self) -> float | None:
        """Return how long the loop may sleep, seconds; None for as long as it likes."""
        if self._resume is not None or (self._writes and self._command is None):
            return 0
        deadline = self._children.next_deadline() if self._children is not None else None
        return None if deadline is None else max(0.0, deadline - self._monotonic())

    # Requests

    def _receive(self, request_id: int, method: str, params: Params) -> None:
        if method == "attach":
            self._guard(request_id, partial(self._attach, params))
        elif method in READS and self._node is not None:
            self._read(request_id, self._node, method, params)
        elif method in WRITES and self._node is not None:
            self._writes.append((request_id, method, params))
        else:
            self._send([request_id, None, _FAILED])

    def _attach(self, params: Params) -> dict[str, Any]:
        settings = decode_settings(params["settings"])
        self._lock_file(params["path"])
        self._opening = partial(
            Node.open,
            params["path"],
            settings,
            wall_clock=self._wall_clock,
            report=self._report_import,
        )
        self._node = self._opening()
        self._children = self._make_children(settings)
        answer = self._node.attach(params["known"])
        self._node.hub.take_events()
        self._freeze(self._node)
        return answer

    def _report_import(self, number: int) -> None:
        """Tell how far an import is, as far as the parent takes it right now."""
        self._send([0, "imported", {"number": number}])
        self._flush()

    def _lock_file(self, path: str) -> None:
        """Keep other processes off the file; the lock ends with this process.

        Raises:
            InvalidControl: another process has the file.
        """
        self._lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            folder = Path(path).parent
            raise InvalidControl(reason=f"{folder} is in use by another process") from error

    def _make_children(self, settings: DevchainSettings) -> Children:
        return Children(
            monotonic=self._monotonic,
            parallel=settings.parallel_calls or os.cpu_count() or 1,
            waiting=settings.waiting_calls,
            close=[self._inbox, self._outbox, *([] if self._lock is None else [self._lock])],
        )

    def _read(self, request_id: int, node: Node, method: str, params: Params) -> None:
        def answer() -> Any:
            found = node.read(method, params)
            if not isinstance(found, Job):
                return found
            try:
                return found.run(None)
            except TimeUp:
                self._delegate(node, found, partial(self._guard, request_id))
                return _LATER

        self._guard(request_id, answer)

    def _delegate(
        self,
        node: Node,
        job: Job,
        done: Callable[[Callable[[], Any]], None],
        *,
        at_once: bool = False,
    ) -> None:
        if self._children is None:
            raise RuntimeError("not attached")

        def finish(outcome: Callable[[], Any]) -> None:
            def value() -> Any:
                result, fresh = outcome()
                if fresh is not None:
                    node.hub.engine.import_fresh(fresh)
                return result

            done(value)

        self._children.start(job, node.hub.engine, finish, at_once=at_once)

    def _guard(self, request_id: int, answer: Callable[[], Any]) -> None:
        """Send what ``answer`` returns, or the error it raises."""
        try:
            value = answer()
        except ChainwsError as error:
            self._send([request_id, None, encode_error(error)])
        except Exception:  # noqa: BLE001 - one failing request must not take the others along
            traceback.print_exc()
            self._send([request_id, None, _FAILED])
        else:
            if value is not _LATER:
                self._send([request_id, value])

    # Commands

    def _work(self) -> None:
        """Take one step of the command in progress, or begin the next one."""
        if self._node is None:
            return
        if self._resume is not None:
            resume, self._resume = self._resume, None
            self._step(self._node, resume)
        elif self._command is None and self._writes:
            self._command_id, method, params = self._writes.popleft()
            self._command = command = self._node.write(method, params)
            self._step(self._node, partial(next, command))

    def _step(self, node: Node, resume: Callable[[], Job]) -> None:
        try:
            job = resume()
        except StopIteration as stop:
            self._finish(node, [self._command_id, stop.value])
        except ChainwsError as error:
            node.hub.abandon()
            self._finish(node, [self._command_id, None, encode_error(error)])
        except Exception:  # noqa: BLE001 - what is in memory may be wrong now, the file is right
            traceback.print_exc()
            self._finish(node, [self._command_id, None, _FAILED])
            self._reopen(node)
        else:
            self._tell(node)
            self._do(node, job)

    def _do(self, node: Node, job: Job) -> None:
        command = self._command
        if command is None:
            raise RuntimeError("no command in progress")

        def done(outcome: Callable[[], Any]) -> None:
            try:
                value = outcome()
            except Exception as error:  # noqa: BLE001 - it belongs to the command
                self._resume = partial(command.throw, error)
            else:
                self._resume = partial(command.send, value)

        if job.in_place:
            try:
                done(partial(job.run, None))
            except TimeUp:
                node.hub.engine.rollback()
            else:
                return
        # There is one command at a time, and all others wait for it.
        self._delegate(node, job, done, at_once=True)

    def _finish(self, node: Node, message: list[Any]) -> None:
        self._command = None
        self._tell(node)
        self._send(message)
        self._freeze(node)

    def _tell(self, node: Node) -> None:
        for name, payload in node.hub.take_events():
            self._send([0, name, payload])

    def _reopen(self, node: Node) -> None:
        """Begin again from the file after a fault of ours."""
        if self._opening is not None:
            node.close()
            self._node = self._opening()

    def _freeze(self, node: Node) -> None:
        """Take what lives long out of the collector's sight, so that children copy less."""
        era = node.hub.engine.height // _FREEZE_BLOCKS + 1
        if era > self._frozen:
            self._frozen = era
            gc.collect()
            gc.freeze()

    # Outbox

    def _send(self, message: list[Any]) -> None:
        for piece in frame_pieces(message):
            if len(piece) > _CHUNK:
                self._unsent.append(memoryview(piece))
            elif self._unsent and isinstance(self._unsent[-1], bytearray):
                self._unsent[-1] += piece
            else:
                self._unsent.append(bytearray(piece))

    def _flush(self) -> None:
        try:
            while self._unsent:
                waiting = self._unsent[0]
                with memoryview(waiting) as view:
                    sent = os.write(self._outbox, view[:_CHUNK])
                if sent == len(waiting):
                    self._unsent.popleft()
                elif isinstance(waiting, bytearray):
                    del waiting[:sent]
                else:
                    self._unsent[0] = waiting[sent:]
        except BlockingIOError:
            pass


_LATER: Final = object()


def main() -> None:
    """Run the worker on descriptors 3 and 4."""
    # Ctrl-C reaches the whole group; the parent decides when the engine ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    forget_lost_alarms()
    worker = Worker(
        inbox=_INBOX,
        outbox=_OUTBOX,
        wall_clock=time.time,  # noqa: TID251 - the worker is the entry point that reads the clock
        monotonic=time.monotonic,
    )
    try:
        worker.run()
    except BrokenPipeError:
        sys.exit(0)


if __name__ == "__main__":
    die_with_parent()
    main()
