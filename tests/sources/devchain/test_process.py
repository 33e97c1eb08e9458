"""The engine's process under fire: kill -9 at any moment loses nothing."""

import os
import random
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.defer import gatherResults
from twisted.internet.error import ProcessTerminated
from twisted.internet.task import Clock
from twisted.logger import capturedLogs
from twisted.python.failure import Failure

from tests.server.peer import until
from tests.signing import signed
from tests.sources.devchain.chains import ADDRESSES, ENDLESS, Chain, failure, pause, running
from tests.sources.devchain.engine.ont_sending import STRANGER, ont_transfer
from twisted_chainws import errors
from twisted_chainws.chain.model import Kind
from twisted_chainws.dialects.ontology.transaction import encode_transaction
from twisted_chainws.sources.devchain.codec import decode_hex, encode_hex
from twisted_chainws.sources.devchain.process import INBOX, EngineProcess

_STRANGER = "0x" + "ab" * 20
ensure = pytest_twisted.ensureDeferred


async def _settled(chain: Chain) -> dict[str, Any]:
    """Wait until the worker answers; what it knows must be what the sink was told."""
    info: dict[str, Any] = await chain.ask("node_info")
    assert info["hash"] == chain.head
    return info


@ensure
async def test_killed_between_requests_nothing_is_lost() -> None:
    """Blocks, edits, snapshots, clock, pool, switches and impersonation survive a killed worker."""
    async with running(mining=False) as chain:
        await chain.ask("mine", count=3)
        await chain.ask("set_balance", address=_STRANGER, value="0x5")
        snapshot = await chain.ask("snapshot")
        await chain.ask("increase_time", seconds=500)
        await chain.ask("impersonate", address=_STRANGER)
        await chain.ask("set_next_base_fee", value="0x7")
        pooled = [await chain.send(), await chain.ask("send_raw", raw=signed(0, 5))]
        told, head, pid = list(chain.sink.calls), chain.head, chain.source.pid
        chain.kill()
        info = await _settled(chain)
        assert chain.source.pid != pid
        assert chain.head == head
        assert (info["time_offset"], info["base_fee"], list(info["snapshots"])) == (
            500,
            "0x7",
            [snapshot],
        )
        assert await chain.balance(_STRANGER) == 5
        assert await chain.ask("drop", hash=pooled[1]) == pooled[1]
        assert await chain.ask("stop_impersonating", address=_STRANGER) is True
        assert await chain.ask("automine") is False
        assert chain.sink.calls == [*told, ("dropped", pooled[1])]
        assert len(chain.sink.reasons) == 1
        assert await chain.ask("revert", id=snapshot) is True


@ensure
async def test_killed_while_reading_the_read_is_asked_again() -> None:
    """Reads in flight are answered by the next worker, calls in a child as well."""
    async with running(call_timeout_s=0.5) as chain:
        address = await chain.place(ENDLESS)
        call = {"to": address, "gas": hex(50_000_000)}
        answers = [chain.balance(ADDRESSES[1]) for _ in range(5)]
        endless = failure(chain.ask("call", call=call, at=chain.head))
        chain.kill()
        assert [await answer for answer in answers] == [10_000 * 10**18] * 5
        assert isinstance(await endless, errors.ExecutionTimeout)


@ensure
async def test_killed_while_writing_the_writer_is_told() -> None:
    """A write in flight ends with SourceUnavailable; the chain goes on."""
    async with running(gas_limit=200_000_000) as chain:
        address = await chain.place(ENDLESS)
        gas: dict[str, Any] = {"gas": hex(100_000_000), "gasPrice": hex(2 * 10**9)}
        sent = chain.send(to=address, value="0x0", **gas)
        await pause(0.2)
        chain.kill()
        error = await failure(sent)
        assert isinstance(error, errors.SourceUnavailable)
        assert "nothing was lost" in error.reason
        await _settled(chain)
        await chain.ask("drop_all")
        await chain.send(1)
        assert chain.height == 1


@ensure
async def test_requests_between_the_broken_pipe_and_the_end() -> None:
    """The pipe of a dying worker breaks before its end is known; what is asked then waits."""
    async with running() as chain:
        await chain.ask("mine", count=2)
        pid = chain.source.pid
        assert pid is not None
        # A stopped worker cannot end, so the moment lasts.
        os.kill(pid, signal.SIGSTOP)
        worker: Any = chain.source._process._worker
        worker.transport.closeChildFD(INBOX)
        while INBOX in worker.transport.pipes:
            await pause(0.01)
        balance = chain.balance(ADDRESSES[1])
        mined = chain.ask("mine")
        chain.kill()
        assert await balance == 10_000 * 10**18
        await mined
        assert (chain.height, chain.source.pid != pid) == (3, True)


@pytest.mark.slow
@ensure
async def test_killed_at_random_moments_the_sink_follows() -> None:
    """Whatever was under way, the sink's chain is the worker's chain afterwards."""
    dice = random.Random(5)
    async with running() as chain:
        for round_number in range(6):
            commands = [
                chain.send(dice.randrange(10)),
                chain.ask("mine", count=dice.randrange(1, 4)),
                chain.send(dice.randrange(10)),
                chain.ask("reorg", depth=min(chain.height, 2), transactions=[]),
                chain.ask("set_balance", address=_STRANGER, value=hex(round_number)),
            ]
            outcomes = gatherResults([command.addErrback(_unavailable) for command in commands])
            await pause(dice.random() * 0.05)
            chain.kill()
            await outcomes
            await _settled(chain)
        before = chain.height
        await chain.ask("mine")
        assert chain.height == before + 1


async def _ont(chain: Chain) -> int:
    wanted = {"address": encode_hex(STRANGER), "at": chain.head}
    return int((await chain.ask("ontology_balance", **wanted))["ont"], 16)


def _done(problem: Failure) -> None:
    problem.trap(errors.AlreadyMined)


@pytest.mark.slow
@ensure
async def test_tokens_are_moved_exactly_once(tmp_path: Path) -> None:
    """Whatever kills fall between, what is sent until it is taken is mined once, and stays so."""
    dice = random.Random(7)
    raws = [encode_transaction(ont_transfer(nonce=nonce, gas_price=0)) for nonce in range(12)]
    async with running(data_dir=str(tmp_path)) as chain:
        for _ in range(4):
            sent = [chain.source.submit(Kind.ONTOLOGY, raw) for raw in raws]
            outcomes = [item.addErrback(_unless_mined) for item in sent]
            await pause(dice.random() * 0.1)
            chain.kill()
            await gatherResults(outcomes)
            await _settled(chain)
        for raw in raws:
            await chain.source.submit(Kind.ONTOLOGY, raw).addErrback(_done)
        assert await _ont(chain) == len(raws) * 5 * 10**9
        await chain.ask("set_automine", enabled=False)
        waiting = await chain.source.submit(Kind.ONTOLOGY, encode_transaction(ont_transfer()))
        chain.kill()
        await _settled(chain)
        head = chain.head
    async with running(data_dir=str(tmp_path)) as chain:
        assert (chain.head, await _ont(chain)) == (head, len(raws) * 5 * 10**9)
        assert ("pending", waiting) in chain.sink.calls
        for raw in raws:
            again = failure(chain.source.submit(Kind.ONTOLOGY, raw))
            assert isinstance(await again, errors.AlreadyMined)
        await chain.ask("mine")
        assert [item.hash for item in chain.sink.chain[-1].transactions] == [decode_hex(waiting)]


def _unless_mined(problem: Failure) -> None:
    problem.trap(errors.AlreadyMined, errors.SourceUnavailable)


def _unavailable(problem: Any) -> str:
    problem.trap(errors.SourceUnavailable)
    return "unavailable"


@ensure
async def test_interval_mining_goes_on_after_a_kill() -> None:
    """The timer survives the worker."""
    async with running(block_time=0.1) as chain:
        chain.kill()
        await _settled(chain)
        height = chain.height
        await until(lambda: chain.height >= height + 2)


@ensure
async def test_a_worker_that_never_starts_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three deaths right at the start end in SourceUnavailable, said once per death and once more."""
    program = tmp_path / "dies"
    program.write_text("#!/bin/sh\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    with pytest.raises(errors.SourceUnavailable):
        async with running():
            raise AssertionError("started")
    monkeypatch.undo()
    assert sys.executable != str(program)


@ensure
async def test_requests_after_the_end_fail() -> None:
    """A stopped chain answers nothing any more, and says so."""
    async with running() as chain:
        pending = chain.ask("mine", count=50)
    assert isinstance(await failure(pending), errors.SourceUnavailable)
    assert isinstance(await failure(chain.ask("accounts")), errors.SourceUnavailable)


@ensure
async def test_what_a_worker_writes_is_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lines on its standard error are warnings here, whatever their encoding."""
    program = tmp_path / "complains"
    program.write_text("#!/bin/sh\nprintf 'one\\ntwo \\377\\n' >&2\nsleep 0.2\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    with capturedLogs() as logged, pytest.raises(errors.SourceUnavailable):
        async with running():
            raise AssertionError("started")
    lines = [event["line"] for event in logged if "line" in event]
    assert lines == ["one", "two \ufffd"] * 3


class _Spawning(Clock):
    """A reactor whose processes never say anything by themselves."""

    def __init__(self) -> None:
        super().__init__()
        self.workers: list[Any] = []

    def spawnProcess(self, worker: Any, *_: Any, **__: Any) -> None:  # noqa: N802
        self.workers.append(worker)


def test_a_replaced_worker_is_not_listened_to() -> None:
    """Whatever still comes from a worker that was given up changes nothing."""
    reactor = _Spawning()
    told: list[Any] = []
    process = EngineProcess(
        reactor=reactor,
        attach=dict,
        on_attached=told.append,
        on_event=lambda name, _: told.append(name),
        on_unhealthy=told.append,
    )
    process.start()
    (old,) = reactor.workers
    process.received(old, [1, {"blocks": []}])
    old.processEnded(Failure(ProcessTerminated(exitCode=1)))
    assert len(reactor.workers) == 2
    before = list(told)
    process.received(old, [0, "advance", {}])
    process.received(old, [2, {"blocks": []}])
    old.processEnded(Failure(ProcessTerminated(exitCode=1)))
    process.received(reactor.workers[1], [2, {"blocks": []}])
    process.received(reactor.workers[1], [77, "for nobody"])
    assert told == [*before, {"blocks": []}]
    assert len(reactor.workers) == 2
