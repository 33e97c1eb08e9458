"""The worker alone, spoken to through its pipes: as a process, and turn by turn in this one."""

import gc
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.assembler import assemble
from twisted_chainws.sources.devchain import worker as program
from twisted_chainws.sources.devchain.codec import FrameParser, render_frame
from twisted_chainws.sources.devchain.settings import DevchainSettings, encode_settings
from twisted_chainws.sources.devchain.worker import Worker

_ADDRESS = "0x" + "c0" * 20


class _Spoken:
    """A worker and the test's ends of its pipes."""

    def __init__(self, process: "subprocess.Popen[bytes]", inbox: int, outbox: int) -> None:
        self.process = process
        self.inbox = inbox
        self._outbox = outbox
        self._parser = FrameParser()
        self._heard: list[Any] = []

    def say(self, *messages: list[Any]) -> None:
        os.write(self.inbox, b"".join(render_frame(message) for message in messages))

    def hear(self) -> Any:
        while not self._heard:
            data = os.read(self._outbox, 1 << 16)
            assert data, "the worker is gone"
            self._heard += self._parser.feed(data)
        return self._heard.pop(0)


@contextmanager
def _worker(path: Path, **settings: Any) -> Iterator[_Spoken]:
    theirs_in, inbox = os.pipe()
    outbox, theirs_out = os.pipe()
    program = (
        "import os, runpy;"
        f"a, b = os.dup({theirs_in}), os.dup({theirs_out});"
        "os.dup2(a, 3); os.dup2(b, 4); os.closerange(5, 64);"
        "runpy.run_module('twisted_chainws.sources.devchain.worker', run_name='__main__')"
    )
    process = subprocess.Popen([sys.executable, "-c", program], pass_fds=[theirs_in, theirs_out])
    os.close(theirs_in)
    os.close(theirs_out)
    spoken = _Spoken(process, inbox, outbox)
    shape = encode_settings(DevchainSettings(**settings))
    spoken.say([1, "attach", {"path": str(path), "settings": shape, "known": []}])
    try:
        yield spoken
    finally:
        process.kill()
        process.wait()
        os.close(outbox)
        if spoken.inbox >= 0:
            os.close(inbox)


def test_it_ends_with_its_parent(tmp_path: Path) -> None:
    """The end of the inbox is the end of the worker, whatever its children do."""
    with _worker(tmp_path / "chain") as worker:
        assert [block["number"] for block in worker.hear()[1]["blocks"]] == [0]
        code = "0x" + assemble(":loop @loop JUMP").hex()
        worker.say([2, "set_code", {"address": _ADDRESS, "code": code}])
        assert worker.hear() == [2, None]
        worker.say([3, "call", {"call": {"to": _ADDRESS}, "at": "pending"}], [4, "accounts", {}])
        assert worker.hear()[0] == 4
        os.close(worker.inbox)
        worker.inbox = -1
        assert worker.process.wait(timeout=10) == 0


def test_it_outlives_an_interrupt(tmp_path: Path) -> None:
    """Ctrl-C reaches the worker, too, but only the parent decides."""
    with _worker(tmp_path / "chain") as worker:
        worker.hear()
        worker.process.send_signal(signal.SIGINT)
        worker.say([2, "automine", {}])
        assert worker.hear() == [2, True]


def test_events_precede_the_answer(tmp_path: Path) -> None:
    """What a command caused is told before the command is answered."""
    with _worker(tmp_path / "chain") as worker:
        worker.hear()
        worker.say([2, "mine", {"count": 2}])
        heard = [worker.hear() for _ in range(3)]
        assert [message[:2] for message in heard[:2]] == [[0, "advance"], [0, "advance"]]
        assert heard[2][0] == 2
        assert len(heard[2][1]["hashes"]) == 2


def test_malformed_requests_take_nothing_along(tmp_path: Path) -> None:
    """A request with impossible params fails alone; unknown words fail, too."""
    with _worker(tmp_path / "chain") as worker:
        worker.hear()
        worker.say(
            [2, "balance", {}],
            [3, "set_balance", {"address": "nonsense"}],
            [4, "no_such_word", {}],
            [5, "automine", {}],
        )
        answers = {answer[0]: answer for answer in (worker.hear() for _ in range(4))}
        assert answers[5] == [5, True]
        for number in (2, 3, 4):
            assert answers[number] == [number, None, {"error": "", "facts": {}}]
        worker.say([6, "mine", {}])
        assert worker.hear()[1] == "advance"


class _Stepped:
    """A worker in this process, turned by hand between saying and hearing."""

    def __init__(self, path: Path, **settings: Any) -> None:
        self._theirs_in, self._inbox = os.pipe()
        self._outbox, self._theirs_out = os.pipe()
        for descriptor in (self._outbox, self._theirs_out):
            os.set_blocking(descriptor, False)
        self.worker = Worker(
            inbox=self._theirs_in,
            outbox=self._theirs_out,
            wall_clock=lambda: 1_800_000_000.0,
            monotonic=time.monotonic,
        )
        self._parser = FrameParser()
        self.heard: list[Any] = []
        shape = encode_settings(DevchainSettings(**settings))
        self.attach = {"path": str(path), "settings": shape, "known": []}

    def say(self, *messages: list[Any]) -> None:
        os.write(self._inbox, b"".join(render_frame(message) for message in messages))

    def listen(self) -> None:
        with suppress(BlockingIOError):
            while data := os.read(self._outbox, 1 << 16):
                self.heard += self._parser.feed(data)

    def hear(self, request_id: int) -> list[Any]:
        """Turn until a request is answered; return the answer without the id."""
        while True:
            for message in self.heard:
                if message[0] == request_id:
                    self.heard.remove(message)
                    return list(message[1:])
            assert self.worker._turn()
            self.listen()

    def ask(self, request_id: int, method: str, **params: Any) -> list[Any]:
        self.say([request_id, method, params])
        return self.hear(request_id)

    def hang_up(self) -> None:
        """Let the worker see the end of its parent, and run to its own."""
        if self._inbox >= 0:
            os.close(self._inbox)
            self._inbox = -1
            self.worker.run()

    def close(self) -> None:
        self.hang_up()
        lock = self.worker._lock
        for descriptor in (self._theirs_in, self._theirs_out, self._outbox, lock):
            if descriptor is not None:
                os.close(descriptor)
        gc.unfreeze()


@contextmanager
def _stepped(path: Path, **settings: Any) -> Iterator[_Stepped]:
    made = _Stepped(path, **settings)
    try:
        assert "blocks" in made.ask(1, "attach", **made.attach)[0]
        # Elsewhere nobody but the parent holds these.
        children: Any = made.worker._children
        children._close += (made._inbox, made._outbox)
        yield made
    finally:
        made.close()


_FAILED = [None, {"error": "", "facts": {}}]


def test_words_before_attach_are_refused(tmp_path: Path) -> None:
    """Without a chain there is nothing to read or write."""
    made = _Stepped(tmp_path / "chain")
    assert made.ask(2, "automine") == _FAILED
    assert made.ask(3, "mine") == _FAILED
    made.close()


def test_reads_do_not_wait_for_calls_that_take_long(tmp_path: Path) -> None:
    """A call that does not end in a moment goes on in a child, within its time limit."""
    code = "0x" + assemble(":loop @loop JUMP").hex()
    with _stepped(tmp_path / "chain", call_timeout_s=0.5, parallel_calls=1) as made:
        assert made.ask(2, "set_code", address=_ADDRESS, code=code) == [None]
        endless = {"call": {"to": _ADDRESS}, "at": "pending"}
        made.say([3, "call", endless], [4, "call", endless], [5, "automine", {}])
        assert made.hear(5) == [True]
        assert not any(message[0] in (3, 4) for message in made.heard)
        for request_id in (3, 4):
            (nothing, error) = made.hear(request_id)
            assert nothing is None
            assert error["error"] == "ExecutionTimeout"


def test_blocks_are_built_here_or_in_a_child(tmp_path: Path) -> None:
    """Cheap blocks are made at once, dear or slow ones by a child; all are told in order."""
    code = "0x" + assemble(":loop @loop JUMP").hex()
    with _stepped(tmp_path / "chain", mining=False) as made:
        made.ask(2, "set_code", address=_ADDRESS, code=code)
        (accounts,) = made.ask(3, "accounts")
        plain = {"from": accounts[0], "to": accounts[1], "value": "0x1"}
        transactions = [
            plain,
            plain | {"gas": hex(3_000_000)},
            plain | {"to": _ADDRESS, "value": "0x0", "gas": hex(900_000)},
        ]
        for number, transaction in enumerate(transactions, start=1):
            assert isinstance(made.ask(10 + number, "send", transaction=transaction)[0], str)
            (mined,) = made.ask(20 + number, "mine")
            assert len(mined["hashes"]) == 1
            assert made.ask(30 + number, "node_info")[0]["number"] == number
        told = [message[2]["applied"][0] for message in made.heard if message[1] == "advance"]
        assert [block["number"] for block in told] == [1, 2, 3]
        assert [len(block["transactions"]) for block in told] == [1, 1, 1]


def test_a_failing_write_is_undone_and_answered(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A model error is told as such; a fault of ours begins again from the file."""
    with _stepped(tmp_path / "chain", build_timeout_s=0.2) as made:
        made.ask(2, "mine", count=2)
        (nothing, error) = made.ask(3, "rollback", depth=9)
        assert (nothing, error["error"]) == (None, "RollbackTooDeep")
        assert capsys.readouterr().err == ""
        node = made.worker._node
        assert made.ask(4, "set_balance", address="nonsense", value="0x1") == _FAILED
        assert "Traceback" in capsys.readouterr().err
        assert made.worker._node is not node
        assert made.ask(5, "balance") == _FAILED
        assert made.ask(6, "node_info")[0]["number"] == 2
        code = "0x" + assemble(":loop @loop JUMP").hex()
        made.ask(7, "set_code", address=_ADDRESS, code=code)
        (accounts,) = made.ask(8, "accounts")
        slow = {"from": accounts[0], "to": _ADDRESS, "gas": hex(29_000_000)}
        (nothing, error) = made.ask(9, "send", transaction=slow)
        assert (nothing, error["error"]) == (None, "BuildTimeout")


def test_a_file_in_use_is_refused(tmp_path: Path) -> None:
    """A second worker does not touch the file of the first."""
    with _stepped(tmp_path / "chain"):
        second = _Stepped(tmp_path / "chain")
        (nothing, error) = second.ask(1, "attach", **second.attach)
        assert (nothing, error["error"]) == (None, "InvalidControl")
        assert "in use by another process" in error["facts"]["reason"]
        second.close()


def test_answers_wait_for_a_parent_that_does_not_read(tmp_path: Path) -> None:
    """A full pipe delays answers and loses none."""
    with _stepped(tmp_path / "chain") as made:
        made.say(*([number, "accounts", {}] for number in range(10, 400)))
        for _ in range(3):
            if not made.worker._unsent:
                assert made.worker._turn()
        assert made.worker._unsent
        made.listen()
        for number in range(10, 400):
            assert len(made.hear(number)[0]) == 10


def test_the_end_takes_the_children_along(tmp_path: Path) -> None:
    """What still runs when the parent is gone is killed and waited for."""
    code = "0x" + assemble(":loop @loop JUMP").hex()
    with _stepped(tmp_path / "chain", call_timeout_s=60) as made:
        made.ask(2, "set_code", address=_ADDRESS, code=code)
        made.say([3, "call", {"call": {"to": _ADDRESS}, "at": "pending"}], [4, "automine", {}])
        assert made.hear(4) == [True]
        children: Any = made.worker._children
        (child,) = children._children.values()
        made.hang_up()
        with pytest.raises(ChildProcessError):
            os.waitpid(child.pid, 0)


@pytest.mark.parametrize("reads", [True, False])
def test_main_serves_its_descriptors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reads: bool
) -> None:
    """It answers until its inbox ends; a parent that no longer reads ends it without a fuss."""
    made = _Stepped(tmp_path / "chain")
    monkeypatch.setattr(program, "_INBOX", made._theirs_in)
    monkeypatch.setattr(program, "_OUTBOX", made._theirs_out)
    made.say([1, "attach", {**made.attach, "path": str(tmp_path / "none" / "chain")}])
    os.close(made._inbox)
    made._inbox = -1
    interrupt = signal.getsignal(signal.SIGINT)
    try:
        if reads:
            program.main()
            made.listen()
            assert made.heard == [[1, *_FAILED]]
        else:
            os.close(made._outbox)
            made._outbox = os.open(os.devnull, os.O_RDONLY)
            with pytest.raises(SystemExit) as ended:
                program.main()
            assert ended.value.code == 0
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, interrupt)
        made.close()
