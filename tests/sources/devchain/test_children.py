"""Forked children: results, errors, deadlines, and the line before them."""

import os
import select
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sources.devchain.engine.building import build, genesis
from twisted_chainws.errors import ExecutionFailed, Overloaded, SourceUnavailable
from twisted_chainws.sources.devchain.children import Children, _outcome, _run, _say
from twisted_chainws.sources.devchain.codec import RawJson
from twisted_chainws.sources.devchain.engine.core import Engine
from twisted_chainws.sources.devchain.engine.jobs import Job, Progress, Stuck


class _Nursery:
    """Children, an engine and what has been delivered."""

    def __init__(self, engine: Engine) -> None:
        self.now = 0.0
        self.engine = engine
        self.outcomes: list[Callable[[], Any]] = []
        self.children = Children(monotonic=lambda: self.now, parallel=1, waiting=1, close=())

    def start(
        self,
        run: Callable[[Progress], Any],
        *,
        writes: bool = False,
        timeout_s: float = 60,
        at_once: bool = False,
    ) -> None:
        job = Job(
            run=lambda progress: run(progress or (lambda _: None)),
            killed=Stuck,
            timeout_s=timeout_s,
            in_place=False,
            writes=writes,
        )
        self.children.start(job, self.engine, self.outcomes.append, at_once=at_once)

    def wait(self) -> Any:
        while not self.outcomes:
            readable, _, _ = select.select(self.children.descriptors(), [], [], 10)
            for descriptor in readable:
                self.children.readable(descriptor)
        return self.outcomes.pop(0)()


@pytest.fixture
def nursery(tmp_path: Path) -> Iterator[_Nursery]:
    """Children that are killed at the end of the test."""
    engine = Engine.open(str(tmp_path / "chain"), genesis())
    made = _Nursery(engine)
    yield made
    made.children.kill_all()
    engine.close()


def test_a_value_comes_back(nursery: _Nursery) -> None:
    """The value of the job is delivered, without writes for a read."""
    nursery.start(lambda _: ("big", "x" * 200_000))
    assert nursery.wait() == (("big", "x" * 200_000), None)
    assert nursery.children.next_deadline() is None


def test_a_block_built_in_a_child_becomes_ours(nursery: _Nursery) -> None:
    """What the child wrote can be taken over and committed."""
    nursery.start(lambda _: build(nursery.engine).hash, writes=True)
    block_hash, fresh = nursery.wait()
    nursery.engine.import_fresh(fresh)
    nursery.engine.set_head(block_hash)
    nursery.engine.commit()
    assert nursery.engine.height == 1


def test_model_errors_come_back(nursery: _Nursery) -> None:
    """A model error of the job is raised where the result is taken."""

    def fail(_: Progress) -> None:
        raise ExecutionFailed(reason="out of gas")

    nursery.start(fail)
    with pytest.raises(ExecutionFailed, match="out of gas"):
        nursery.wait()


def test_faults_are_written_down(nursery: _Nursery, capsys: pytest.CaptureFixture[str]) -> None:
    """Any other error is unavailability to the asker and a traceback in the log."""
    nursery.start(lambda _: 1 // 0)
    with pytest.raises(SourceUnavailable):
        nursery.wait()
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_a_child_that_just_dies_is_noticed(nursery: _Nursery) -> None:
    """An outcome that is missing is an error, not silence."""
    nursery.start(lambda _: os._exit(1))
    with pytest.raises(SourceUnavailable):
        nursery.wait()


def test_a_stuck_child_is_killed_with_what_it_ran(nursery: _Nursery) -> None:
    """Past its deadline, which progress moves, the child dies and its transaction is named."""

    def hang(progress: Progress) -> None:
        progress(b"h" * 32)
        time.sleep(60)

    nursery.start(hang, timeout_s=5)
    nursery.now = 5.0
    (descriptor,) = nursery.children.descriptors()
    select.select([descriptor], [], [], 10)
    nursery.children.readable(descriptor)
    nursery.now = 10.0
    nursery.children.expire()
    assert nursery.outcomes == []
    nursery.now = 11.0
    nursery.children.expire()
    with pytest.raises(Stuck) as caught:
        nursery.wait()
    assert caught.value.transaction_hash == b"h" * 32


def test_reads_wait_in_line_and_writes_do_not(nursery: _Nursery) -> None:
    """One read runs, one waits, the next is refused; a write or what is urgent gets a child."""
    gate, key = os.pipe()
    nursery.start(lambda _: os.read(gate, 1) and "first")
    nursery.start(lambda _: "second")
    with pytest.raises(Overloaded):
        nursery.start(lambda _: "third")
    nursery.start(lambda _: "write", writes=True)
    assert nursery.wait()[0] == "write"
    nursery.start(lambda _: "urgent", at_once=True)
    assert nursery.wait()[0] == "urgent"
    os.write(key, b"x")
    assert [nursery.wait()[0] for _ in range(2)] == ["first", "second"]
    os.close(gate)
    os.close(key)


def test_all_children_can_be_ended_at_once(nursery: _Nursery) -> None:
    """Nothing of them is delivered, what waits in line is forgotten, and nobody is left."""
    nursery.start(lambda _: time.sleep(60))
    nursery.start(lambda _: "waiting")
    (pid,) = (child.pid for child in nursery.children._children.values())
    nursery.children.readable(-1)
    nursery.children.kill_all()
    assert nursery.children.descriptors() == []
    assert nursery.outcomes == []
    with pytest.raises(ChildProcessError):
        os.waitpid(pid, 0)


@pytest.mark.parametrize("size", [10, 300_000])
def test_what_a_child_says_is_what_is_understood(nursery: _Nursery, size: int) -> None:
    """Values, model errors and faults cross a pipe of any fill; progress goes ahead of them."""

    def working(progress: Progress) -> bytes:
        progress(b"t" * 32)
        return b"x" * size

    def failing(_: Progress) -> None:
        raise ExecutionFailed(reason="out of gas")

    def run(work: Callable[[Progress], Any], *, writes: bool) -> tuple[bytes, bytes]:
        """Return what the child says at the end and before it."""
        job = Job(
            run=lambda progress: work(progress or (lambda _: None)),
            killed=Stuck,
            timeout_s=1,
            in_place=False,
            writes=writes,
        )
        reading, writing = os.pipe()
        said = b"".join(_run(job, nursery.engine, writing))
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            return said, pipe.read()

    said, progress = run(working, writes=True)
    assert progress == b"." + b"t" * 32
    assert _outcome(said) == (b"x" * size, nursery.engine.export_fresh())
    with pytest.raises(ExecutionFailed, match="out of gas"):
        _outcome(run(failing, writes=False)[0])
    with pytest.raises(SourceUnavailable):
        _outcome(run(lambda _: 1 // 0, writes=False)[0])


def test_ready_answers_come_back_whole(nursery: _Nursery) -> None:
    """Their text is not packed; one that is cut short, by a death for example, is none."""
    nursery.start(lambda _: RawJson(b'{"a":1}' * 100_000))
    value, fresh = nursery.wait()
    assert (bytes(value.text), fresh) == (b'{"a":1}' * 100_000, None)
    for cut in (b"!", b"!" + bytes(7) + b"\x05" + b"12"):
        with pytest.raises(SourceUnavailable):
            _outcome(cut)


def test_nobody_listening_is_no_error() -> None:
    """A child whose worker is gone says what it has to say to nobody."""
    reading, writing = os.pipe()
    os.close(reading)
    with pytest.raises(BrokenPipeError):
        os.write(writing, b"anything")
    _say(writing, b"anything")
    os.close(writing)
