"""Forked children of the worker: each runs one job and hands its result over a pipe.

A child inherits the whole engine for the price of a fork, so it starts at once; its memory dies
with it, and it dies with the worker where the system can arrange that. What it says: any number of
``.`` and 32 bytes (the transaction it runs now), then ``=`` and the pickled outcome, or ``!``,
eight bytes of length and the text of a ready answer. Only our own children write to these pipes.
"""

import ctypes
import gc
import os
import pickle
import signal
import sys
import traceback
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from twisted_chainws.errors import ChainwsError, Overloaded, SourceUnavailable
from twisted_chainws.sources.devchain.codec import RawJson, decode_error, encode_error
from twisted_chainws.sources.devchain.engine.core import Engine
from twisted_chainws.sources.devchain.engine.jobs import Job

_GRACE_S: Final = 1.0
"""A child limits itself; only one that hangs in a single long operation is killed, this later."""
_CHUNK: Final = 1 << 20
_PROGRESS: Final = b"."
_PROGRESS_BYTES: Final = 33
_PICKLED: Final = b"="
_READY: Final = b"!"
_LENGTH_BYTES: Final = 8
_FAILED: Final = "the development chain's engine failed on this request"
_POLITENESS: Final = 10
"""Niceness of a long read: what is answered at once goes first where cores are scarce."""
_STANDARD: Final = (0, 1, 2)
_SET_DEATH_SIGNAL: Final = 1
"""Source: Linux prctl(2), PR_SET_PDEATHSIG."""
_PRCTL: Final = getattr(ctypes.CDLL(None), "prctl", None)

Done: TypeAlias = Callable[[Callable[[], Any]], None]
"""Takes a function that returns the job's result or raises its error."""


@dataclass(slots=True, kw_only=True)
class _Child:
    pid: int
    job: Job
    done: Done
    deadline: float
    said: bytearray = field(default_factory=bytearray)
    current: bytes = b""


class Children:
    """The children that run now, and the jobs that wait for one."""

    def __init__(
        self,
        *,
        monotonic: Callable[[], float],
        parallel: int,
        waiting: int,
        close: Iterable[int],
    ) -> None:
        """Start none.

        Args:
            monotonic: seconds of any origin.
            parallel: how many run at a time; jobs that stand in no line begin in any case.
            waiting: how many jobs wait at most.
            close: descriptors that no child may hold.
        """
        self._monotonic = monotonic
        self._parallel = parallel
        self._waiting = waiting
        self._close = tuple(close)
        self._children: dict[int, _Child] = {}
        self._queue: deque[tuple[Job, Engine, Done]] = deque()

    def descriptors(self) -> list[int]:
        """Return the pipes to watch for reading."""
        return list(self._children)

    def next_deadline(self) -> float | None:
        """Return when the first child is to be killed, None without any."""
        return min((child.deadline for child in self._children.values()), default=None)

    def start(self, job: Job, engine: Engine, done: Done, *, at_once: bool = False) -> None:
        """Run a job in a child, now or when one is free.

        Args:
            job: to run.
            engine: that it works on.
            done: is given what comes of it.
            at_once: whether it stands in no line; it must then be one of few.

        Raises:
            Overloaded: too many wait already.
        """
        running = sum(not child.job.writes for child in self._children.values())
        if at_once or job.writes or running < self._parallel:
            self._fork(job, engine, done)
        elif len(self._queue) < self._waiting:
            self._queue.append((job, engine, done))
        else:
            raise Overloaded

    def readable(self, descriptor: int) -> None:
        """Read what a child says; when it has said all, deliver."""
        child = self._children.get(descriptor)
        if child is None:
            return
        data = os.read(descriptor, _CHUNK)
        child.said += data
        while child.said[:1] == _PROGRESS and len(child.said) >= _PROGRESS_BYTES:
            child.current = bytes(child.said[1:_PROGRESS_BYTES])
            del child.said[:_PROGRESS_BYTES]
            child.deadline = self._monotonic() + child.job.timeout_s + _GRACE_S
        if not data:
            self._end(descriptor, child, lambda: _outcome(child.said))

    def expire(self) -> None:
        """Kill the children that are past their time."""
        now = self._monotonic()
        for descriptor, child in list(self._children.items()):
            if child.deadline <= now:
                os.kill(child.pid, signal.SIGKILL)
                self._end(descriptor, child, lambda child=child: _raise(_killed(child)))  # type: ignore[misc]

    def kill_all(self) -> None:
        """Kill all children without delivering anything."""
        self._queue.clear()
        for descriptor, child in self._children.items():
            os.close(descriptor)
            os.kill(child.pid, signal.SIGKILL)
            os.waitpid(child.pid, 0)
        self._children.clear()

    def _fork(self, job: Job, engine: Engine, done: Done) -> None:
        reading, writing = os.pipe()
        worker = os.getpid()
        pid = os.fork()
        if pid == 0:
            try:
                for descriptor in (*self._close, reading, *self._children):
                    os.close(descriptor)
                _leave_the_family(worker)
                if not job.writes:
                    os.nice(_POLITENESS)
                # The collector leaves inherited objects alone: no scans, no copied pages.
                gc.freeze()
                engine.reopen_read_only()
                for piece in _run(job, engine, writing):
                    _say(writing, piece)
            finally:
                # No cleanup of what belongs to the worker: no exit handlers, no destructors.
                os._exit(0)
        os.close(writing)
        deadline = self._monotonic() + job.timeout_s + _GRACE_S
        self._children[reading] = _Child(pid=pid, job=job, done=done, deadline=deadline)

    def _end(self, descriptor: int, child: _Child, result: Callable[[], Any]) -> None:
        del self._children[descriptor]
        os.close(descriptor)
        os.waitpid(child.pid, 0)
        child.done(result)
        while self._queue:
            running = sum(not other.job.writes for other in self._children.values())
            if running >= self._parallel:
                break
            self._fork(*self._queue.popleft())


def die_with_parent() -> None:
    """Have the system kill this process when its parent ends, also while it hangs.

    Without ``prctl`` (that is, not on Linux) nothing happens.
    """
    if _PRCTL is not None:
        _PRCTL(_SET_DEATH_SIGNAL, signal.SIGKILL)


def _leave_the_family(worker: int) -> None:
    """Let go of the parent's pipes and make sure not to outlive the worker for long.

    A child that held standard output would hide the death of its worker from the parent. Where
    the system cannot end it with the worker, an orphan ends with the time limit of its job.
    """
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in _STANDARD:
        os.dup2(nothing, descriptor)
    die_with_parent()
    if os.getppid() != worker:
        os._exit(1)


def _run(job: Job, engine: Engine, descriptor: int) -> tuple[bytes | memoryview, ...]:
    """Run the job in this child; return its outcome in pieces."""
    try:
        value = job.run(lambda current: _say(descriptor, _PROGRESS + current))
        if isinstance(value, RawJson):
            return _READY, len(value.text).to_bytes(_LENGTH_BYTES, "big"), value.text
        outcome = (value, engine.export_fresh() if job.writes else None, None)
        return _PICKLED, pickle.dumps(outcome)
    except ChainwsError as error:
        return _PICKLED, pickle.dumps((None, None, encode_error(error)))
    except BaseException:  # noqa: BLE001 - whatever it is, the worker must hear of it
        return _PICKLED, pickle.dumps((None, None, traceback.format_exc()))


def _say(descriptor: int, data: bytes | memoryview) -> None:
    with suppress(BrokenPipeError):
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]


def _outcome(said: bytes | bytearray) -> Any:
    """Return value and writes of a child that ended, or raise its error."""
    if said.startswith(_READY):
        start = 1 + _LENGTH_BYTES
        text = memoryview(said)[start:]
        if len(said) != start + int.from_bytes(said[1:start], "big"):
            raise SourceUnavailable(reason=_FAILED)
        return RawJson(text), None
    if not said.startswith(_PICKLED):
        raise SourceUnavailable(reason=_FAILED)
    value, fresh, error = pickle.loads(memoryview(said)[1:])  # noqa: S301 - from our own child
    if isinstance(error, str):
        sys.stderr.write(error)
        raise SourceUnavailable(reason=_FAILED)
    if error is not None:
        raise decode_error(error)
    return value, fresh


def _killed(child: _Child) -> Exception:
    return child.job.killed(child.current.strip(b"\0") and child.current)


def _raise(error: Exception) -> Any:
    raise error
