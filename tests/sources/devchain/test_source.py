"""The development chain through its Source, with a real worker process."""

from pathlib import Path
from typing import Any

import orjson
import pytest_twisted
from eth_hash.auto import keccak
from twisted.internet.defer import gatherResults

from tests.assembler import assemble
from tests.sources.devchain.chains import (
    ADDRESSES,
    ECHO_STORAGE,
    ENDLESS,
    LOGGING,
    failure,
    pause,
    running,
)
from tests.sources.devchain.engine.paying import PAYEE, payment, raw_payment
from tests.sources.devchain.published import (
    CHAIN_FILE,
    GENESIS_FILE,
    HEAD,
    published_genesis,
)
from twisted_chainws import errors
from twisted_chainws.chain.model import Kind

_ETHER = 10**18
ensure = pytest_twisted.ensureDeferred


@ensure
async def test_start_returns_genesis_and_a_transfer_becomes_a_block() -> None:
    """A submitted transaction is pending, then in a block, and the balance follows."""
    async with running() as chain:
        assert [block.number for block in chain.sink.chain] == [0]
        before = await chain.balance(ADDRESSES[9])
        sent = await chain.send(value=hex(_ETHER))
        assert chain.sink.calls == [("pending", sent), ("publish", 1)]
        assert "0x" + chain.sink.chain[1].transactions[0].hash.hex() == sent
        assert await chain.balance(ADDRESSES[9]) == before + _ETHER
        assert await chain.nonce(ADDRESSES[0]) == 1


@ensure
async def test_an_existing_chain_is_imported() -> None:
    """The first blocks are those of the files, and the source knows chain id and forks."""
    files = {"genesis_file": str(GENESIS_FILE), "import_file": str(CHAIN_FILE)}
    async with running(**files) as chain:
        assert [block.number for block in chain.sink.chain] == list(range(HEAD + 1))
        assert chain.source.chain_id == 3503995874084926
        assert chain.source.forks == published_genesis().forks
        roots = {receipt.state_root is None for receipt in chain.sink.chain[1].receipts}
        assert roots == {False}
        assert len(chain.sink.chain[3].extras.uncles) == 1


@ensure
async def test_deploy_call_and_logs() -> None:
    """A deployed contract logs when it is sent to and answers when it is called."""
    async with running() as chain:
        address = await chain.deploy(LOGGING)
        await chain.send(to=address, value="0x0")
        (located,) = chain.sink.chain[-1].logs()
        assert located.log.topics[0][-1] == 0x77
        assert int.from_bytes(located.log.data, "big") == 42
        echo = await chain.place(ECHO_STORAGE)
        await chain.ask("set_storage", address=echo, slot="0x0", word="0x" + "07" * 32)
        answer = await chain.ask("call", call={"to": echo}, at=chain.head)
        assert answer == "0x" + "07" * 32


@ensure
async def test_a_call_that_never_ends_times_out_while_reads_go_on() -> None:
    """An endless call ends with its timeout; balances are answered in the meantime."""
    async with running(call_timeout_s=1.0) as chain:
        address = await chain.place(ENDLESS)
        call = {"to": address, "gas": hex(50_000_000)}
        answer = chain.ask("call", call=call, at=chain.head)
        for _ in range(20):
            assert await chain.balance(ADDRESSES[1]) == 10_000 * _ETHER
        assert not answer.called
        error = await failure(answer)
        assert isinstance(error, errors.ExecutionTimeout)
        assert error.timeout_s == 1.0


@ensure
async def test_too_many_endless_calls_are_refused() -> None:
    """With all children busy and the line full, a call is told so at once."""
    async with running(call_timeout_s=1.0, parallel_calls=1, waiting_calls=1) as chain:
        address = await chain.place(ENDLESS)
        call = {"to": address, "gas": hex(50_000_000)}
        answers = [failure(chain.ask("call", call=call, at=chain.head)) for _ in range(3)]
        kinds = [type(await answer) for answer in answers]
        assert sorted(kind.__name__ for kind in kinds) == [
            "ExecutionTimeout",
            "ExecutionTimeout",
            "Overloaded",
        ]


@ensure
async def test_a_command_does_not_stand_in_the_line_of_calls() -> None:
    """However many calls run and wait, what a command has to compute is computed at once."""
    async with running(call_timeout_s=1.0, parallel_calls=1, waiting_calls=0) as chain:
        address = await chain.place(ENDLESS)
        called = failure(chain.ask("call", call={"to": address}, at=chain.head))
        estimated = failure(chain.send(to=address, value="0x0"))
        assert [type(await each) for each in (called, estimated)] == [errors.ExecutionTimeout] * 2
        await chain.send()
        assert chain.height == 1


@ensure
async def test_a_transaction_that_runs_too_long_is_left_out() -> None:
    """A block is made without the transaction that runs past the build limit."""
    async with running(build_timeout_s=0.5, gas_limit=200_000_000) as chain:
        address = await chain.place(ENDLESS)
        sent = chain.send(to=address, value="0x0", gas=hex(100_000_000), gasPrice=hex(10**9))
        assert isinstance(await failure(sent), errors.BuildTimeout)
        assert chain.height == 0
        assert [call[0] for call in chain.sink.calls] == ["pending", "dropped"]
        await chain.send()
        assert chain.height == 1


@ensure
async def test_reads_go_on_while_a_heavy_block_is_built() -> None:
    """Balances are answered against the old head while a child builds a block."""
    async with running() as chain:
        loop = assemble("0x030000 :loop 0x01 SWAP1 SUB DUP1 @loop JUMPI STOP")
        address = await chain.place(loop)
        gas = hex(20_000_000)
        sent = chain.send(to=address, value="0x0", gas=gas, gasPrice=hex(2 * 10**9))
        await chain.balance(ADDRESSES[1])
        assert not sent.called
        await sent
        assert chain.sink.chain[-1].receipts[0].succeeded
        assert chain.sink.chain[-1].receipts[0].gas_used > 4_000_000


@ensure
async def test_five_hundred_transfers_in_one_block() -> None:
    """A manual block takes 500 transfers and tells each once as pending."""
    async with running(mining=False) as chain:
        for nonce in range(50):
            await gatherResults(
                [chain.send(sender, gas="0x5208", nonce=nonce) for sender in range(10)]
            )
        assert sum(call[0] == "pending" for call in chain.sink.calls) == 500
        await chain.ask("mine")
        assert len(chain.sink.chain[1].transactions) == 500
        assert chain.sink.chain[1].extras.header.gas_used == 500 * 21_000


@ensure
async def test_interval_mining_makes_blocks_by_itself() -> None:
    """With a block time blocks appear without transactions, and stop when it is switched off."""
    async with running(block_time=0.05) as chain:
        assert await chain.ask("interval") == 0.05
        assert await chain.ask("automine") is False
        while chain.height < 3:
            await pause(0.02)
        await chain.ask("set_interval", seconds=None)
        height = chain.height
        await pause(0.15)
        assert chain.height == height


@ensure
async def test_a_data_directory_is_continued(tmp_path: Path) -> None:
    """Blocks, pool and edits of a stopped chain are there when it is started again."""
    data = str(tmp_path / "data")
    async with running(data_dir=data, mining=False) as chain:
        await chain.ask("mine")
        sent = await chain.send()
        await chain.ask("set_balance", address="0x" + "11" * 20, value="0x5")
        head = chain.head
    async with running(data_dir=data, mining=False) as chain:
        assert chain.head == head
        assert await chain.balance("0x" + "11" * 20) == 5
        await pause(0.01)
        assert chain.sink.calls == [("pending", sent)]
        await chain.ask("mine")
        assert len(chain.sink.chain[-1].transactions) == 1


@ensure
async def test_a_data_directory_in_use_is_refused(tmp_path: Path) -> None:
    """A second chain on the same directory does not start, and says why."""
    async with running(data_dir=str(tmp_path)):

        async def second() -> None:
            async with running(data_dir=str(tmp_path)):
                raise AssertionError("started")

        error = await failure(second())  # type: ignore[arg-type]
        assert isinstance(error, errors.InvalidControl)
        assert "in use" in error.reason


@ensure
async def test_same_seed_same_chain() -> None:
    """With seed and timestamp the hashes are a function of the input."""
    heads = []
    for _ in range(2):
        async with running(seed=7, timestamp=1_700_000_000) as chain:
            await chain.send()
            await chain.ask("mine", count=3)
            heads.append([block.hash for block in chain.sink.chain])
            assert [block.timestamp - 1_700_000_000 for block in chain.sink.chain] == [
                0,
                1,
                2,
                3,
                4,
            ]
    assert heads[0] == heads[1]


@ensure
async def test_unknown_words_and_bytes_that_are_no_transaction() -> None:
    """What the engine has no word for is refused without asking it; noise is of no family."""
    async with running() as chain:
        assert isinstance(await failure(chain.ask("fly")), errors.Unsupported)
        for kind in Kind:
            submitted = chain.source.submit(kind, b"")
            assert isinstance(await failure(submitted), errors.TransactionRejected)


@ensure
async def test_events_are_named_by_registered_abis() -> None:
    """From its registration on, the logs of a contract are decoded in the blocks that come."""
    topic = keccak(b"Set(uint256)").hex()
    code = assemble(f"0x2a PUSH0 MSTORE 0x{topic} 0x20 PUSH0 LOG1 STOP")
    event = {"type": "event", "name": "Set", "inputs": [{"name": "to", "type": "uint256"}]}
    async with running() as chain:
        contract = await chain.place(code)
        call: dict[str, Any] = {"to": contract, "value": "0x0"}
        await chain.send(**call)
        await chain.ask("register_abi", address=contract, abi=[event])
        await chain.send(**call)
        broken = chain.ask("register_abi", address=contract, abi="[")
        assert isinstance(await failure(broken), errors.InvalidAbi)
        before, after = (block.receipts[0].events for block in chain.sink.chain[1:])
        assert before == ()
        assert [(item.name, item.params[0].value) for item in after] == [("Set", 42)]
        chain.kill()
        await chain.ask("automine")
        await chain.send(**call)
        assert chain.sink.chain[-1].receipts[0].events == after


@ensure
async def test_a_native_payment_becomes_a_block() -> None:
    """A submitted payment of the Zilliqa family is told of like any transaction."""
    async with running() as chain:
        sent = await chain.source.submit(Kind.ZILLIQA, raw_payment())
        assert sent == "0x" + payment().id.hex()
        assert chain.sink.calls == [("pending", sent), ("publish", 1)]
        assert [item.kind for item in chain.sink.chain[1].transactions] == [Kind.ZILLIQA]
        assert await chain.balance("0x" + PAYEE.hex()) == 7 * 10**6
        poor = chain.source.submit(Kind.ZILLIQA, raw_payment(nonce=2, amount_qa=10**20))
        assert isinstance(await failure(poor), errors.InsufficientFunds)


@ensure
async def test_payments_outlive_their_worker(tmp_path: Path) -> None:
    """Payments that wait, and those in blocks, are there when the worker was killed."""
    async with running(mining=False, data_dir=str(tmp_path)) as chain:
        await chain.source.submit(Kind.ZILLIQA, raw_payment())
        await chain.ask("mine")
        waiting = await chain.source.submit(Kind.ZILLIQA, raw_payment(nonce=2))
        chain.kill()
        await chain.ask("automine")
        assert ("dropped", waiting) not in chain.sink.calls
        await chain.ask("mine")
        assert ["0x" + item.hash.hex() for item in chain.sink.chain[-1].transactions] == [waiting]
        assert await chain.balance("0x" + PAYEE.hex()) == 14 * 10**6


@ensure
async def test_private_directory_is_removed() -> None:
    """Without a data directory nothing stays behind."""
    async with running() as chain:
        directory = chain.source._directory
        assert directory is not None
        assert _names(directory)
    assert not _names(directory)


def _names(directory: Path) -> list[str]:
    return [path.name for path in directory.iterdir()] if directory.exists() else []


@ensure
async def test_traces_come_ready_from_the_worker_or_its_children() -> None:
    """Short ones and long ones; a parent that gets many megabytes never parses them."""
    async with running() as chain:
        address = await chain.place(ECHO_STORAGE)
        sent = await chain.send(to=address, value="0x0")
        asked = {"block": chain.head, "transaction": sent}
        short = await chain.ask("trace_transaction", **asked, tracer="callTracer")
        assert isinstance(short, orjson.Fragment)
        assert orjson.loads(orjson.dumps(short))["to"] == address
        counts = await chain.place(assemble("PUSH0 :a 0x01 ADD DUP1 0x8000 GT @a JUMPI"))
        call = {"to": counts, "gas": hex(5_000_000)}
        answer = chain.ask("trace_call", call=call, at=chain.head)
        assert await chain.balance(ADDRESSES[1]) == 10_000 * _ETHER
        long = orjson.dumps(await answer)
        assert len(long) > 10_000_000
        assert orjson.loads(long)["failed"] is False


@ensure
async def test_traces_end_in_time() -> None:
    """A trace that is given a moment gets no more, wherever it runs."""
    async with running() as chain:
        address = await chain.place(ENDLESS)
        call = {"to": address, "gas": hex(50_000_000)}
        asked = {"call": call, "at": chain.head, "tracer": "callTracer", "timeout_s": 0.2}
        assert isinstance(await failure(chain.ask("trace_call", **asked)), errors.TraceTimeout)
        unlimited = {"call": call | {"gas": hex(2**40)}, "at": chain.head}
        assert await chain.balance(ADDRESSES[1]) == 10_000 * _ETHER
        large = await failure(chain.ask("trace_call", **unlimited, timeout_s=60.0))
        assert isinstance(large, errors.TraceTooLarge)
