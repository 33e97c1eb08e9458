"""The worker process alone, spoken to through its pipes."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.assembler import assemble
from twisted_chainws.sources.devchain.codec import FrameParser, render_frame
from twisted_chainws.sources.devchain.settings import DevchainSettings, encode_settings

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
