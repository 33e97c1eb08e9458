"""Questions about how transactions and calls run, as jobs of the node."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import rlp

from conformance.exchanges import read_exchange
from tests.assembler import assemble
from tests.dialects.ethereum.asking import make_view
from tests.dialects.ethereum.published import DATA, published_chain
from tests.sources.devchain.engine.driving import ADDRESSES, Driven, driven
from tests.sources.devchain.engine.ont_sending import STRANGER, ong_transfer, submit
from tests.sources.devchain.engine.ont_states import UNIT
from tests.sources.devchain.engine.traced import (
    NOBODY,
    OTHER,
    SENDER,
    TARGET,
    call_code,
    put_code,
    trace_call,
    trace_sent,
)
from twisted_chainws import errors
from twisted_chainws.dialects.ethereum.traces import TRACES
from twisted_chainws.sources.devchain.codec import RawJson, encode_hex
from twisted_chainws.sources.devchain.engine import traces
from twisted_chainws.sources.devchain.engine.jobs import Job
from twisted_chainws.sources.devchain.engine.limit import TimeUp
from twisted_chainws.sources.devchain.engine.traces import DEFAULT_TIMEOUT_S, LONGEST_TIMEOUT_S

COUNTS = "PUSH0 SLOAD 0x01 ADD PUSH0 SSTORE"
ENDLESS = ":a @a JUMP"


def mined(node: Driven, count: int) -> list[str]:
    """Mine so many transactions to a counter in one block."""
    put_code(node, {TARGET: COUNTS})
    sent = [node.send(account, to=TARGET, gas="0x186a0", value="0x0") for account in range(count)]
    node.ask("mine")
    return sent


def answer(node: Driven, word: str, **params: Any) -> Any:
    """Ask and parse."""
    return orjson.loads(node.ask(word, **params).text)


def written(trace: Any) -> list[int]:
    """Return what a trace of the counter wrote."""
    return [
        int(word, 16)
        for step in trace["structLogs"]
        if step["op"] == "SSTORE"
        for word in step["storage"].values()
    ]


def test_a_transaction_finds_what_the_ones_before_left(tmp_path: Path) -> None:
    """Each is run on the state of its place in the block."""
    with driven(tmp_path, mining=False) as node:
        sent = mined(node, 3)
        assert [written(trace_sent(node, item)) for item in sent] == [[1], [2], [3]]


def test_a_whole_block(tmp_path: Path) -> None:
    """One result per transaction, by hash, number, or as it comes along."""
    with driven(tmp_path, mining=False) as node:
        sent = mined(node, 3)
        found = answer(node, "trace_block", block=node.head)
        raw = encode_hex(node.hub.engine.raw_block(node.hub.engine.head_hash))
        assert answer(node, "trace_raw_block", raw=raw) == found
        flat = answer(node, "trace_block", block=node.head, tracer="flatCallTracer")
        node.ask("mine")
        assert answer(node, "trace_block", block=node.head) == []
    assert [item["txHash"] for item in found] == sent
    assert [written(item["result"]) for item in found] == [[1], [2], [3]]
    assert [item["result"][0]["transactionPosition"] for item in flat] == [0, 1, 2]
    assert [item["result"][0]["transactionHash"] for item in flat] == sent


def test_the_pending_block(tmp_path: Path) -> None:
    """It is traced as it would be made now."""
    with driven(tmp_path, mining=False) as node:
        sent = node.send(to=NOBODY, value="0x5")
        found = answer(node, "trace_block", block="pending", tracer="callTracer")
    assert [(item["txHash"], item["result"]["value"]) for item in found] == [(sent, "0x5")]


def test_genesis_and_strangers(tmp_path: Path) -> None:
    """Nothing led to genesis; a transaction of another block is not in this one."""
    with driven(tmp_path) as node:
        genesis = node.head
        first = node.send()
        node.send(1)
        with pytest.raises(errors.GenesisNotTraceable):
            node.ask("trace_block", block=genesis)
        with pytest.raises(errors.GenesisNotTraceable):
            node.ask("trace_transaction", block=genesis, transaction=first)
        with pytest.raises(errors.TransactionNotFound):
            node.ask("trace_transaction", block=node.head, transaction=first)
        with pytest.raises(errors.UnknownBlockHash):
            node.ask("trace_block", block="0x" + "77" * 32)
        with pytest.raises(errors.TracerNotFound):
            node.ask("trace_block", block=node.head, tracer="nonsense")


def test_a_call_between_two_transactions(tmp_path: Path) -> None:
    """The index names the transaction before which it runs; without it, all have run."""
    reads = {"to": TARGET, "from": SENDER}
    with driven(tmp_path, mining=False) as node:
        mined(node, 3)
        asked = {"call": reads, "at": node.head}
        counts = [
            written(answer(node, "trace_call", **asked, **more))
            for more in ({}, {"index": "0x0"}, {"index": "0x2"})
        ]
        assert counts == [[4], [1], [3]]
        with pytest.raises(errors.TraceIndexOutOfRange):
            node.ask("trace_call", **asked, index="0x3")
        genesis = "0x" + node.hub.engine.canonical_hash(0).hex()
        with pytest.raises(errors.TraceIndexOutOfRange):
            node.ask("trace_call", call=reads, at=genesis, index="0x0")
        assert node.ask("storage", address=TARGET, slot="0x0", at=node.head)[-1] == "3"


def test_a_call_obeys_overrides_and_the_cap(tmp_path: Path) -> None:
    """As ``eth_call`` does."""
    with driven(tmp_path, call_gas_cap=100_000) as node:
        found = trace_call(
            node,
            "0x4b60 POP",
            call={"gas": "0xffffff"},
            block_overrides={"number": "0x63"},
        )
        assert found["structLogs"][0]["gas"] == 79_000
        node.ask("set_code", address=OTHER, code="0x435f5260205ff3")
        seen = answer(
            node,
            "trace_call",
            call={"to": OTHER},
            at=node.head,
            block_overrides={"number": "0x63"},
        )
    assert seen["returnValue"] == f"0x{0x63:064x}"


def test_a_call_that_is_refused(tmp_path: Path) -> None:
    """The words are those of a trace."""
    call = {"from": NOBODY, "to": TARGET, "value": "0x1"}
    with driven(tmp_path) as node, pytest.raises(errors.TraceFailed) as caught:
        node.ask("trace_call", call=call, at=node.head)
    assert caught.value.reason.startswith("insufficient funds for gas * price + value: address 0x")


def test_precompiles_may_have_moved(tmp_path: Path) -> None:
    """A tracer knows where they are now."""
    source = call_code("CALL", OTHER, size="0x20")
    overrides = {
        TARGET: {"code": "0x" + assemble(source).hex()},
        "0x" + "0" * 39 + "4": {"movePrecompileToAddress": OTHER},
    }
    with driven(tmp_path) as node:
        asked = {"call": {"to": TARGET}, "at": node.head, "state_overrides": overrides}
        (child,) = answer(node, "trace_call", **asked, tracer="callTracer")["calls"]
        assert child["input"] == child["output"]
        assert answer(node, "trace_call", **asked, tracer="4byteTracer") == {}


def test_one_transaction_has_the_whole_limit(tmp_path: Path) -> None:
    """It is an error of its own; what comes before has a limit, too."""
    with driven(tmp_path, mining=False) as node:
        put_code(node, {TARGET: ENDLESS, OTHER: "STOP"})
        sent = [node.send(item, to=to, gas="0xe4e1c0") for item, to in ((0, TARGET), (1, OTHER))]
        node.ask("mine")
        for word, params in (
            ("trace_transaction", {"block": node.head, "transaction": sent[1]}),
            ("trace_block", {"block": node.head}),
            ("trace_call", {"call": {"to": TARGET}, "at": node.head}),
        ):
            for timeout_s in (0.02, 1e-9, 0.0, -1.0):
                with pytest.raises(errors.TraceTimeout):
                    node.ask(word, **params, tracer="callTracer", timeout_s=timeout_s)


def job_of(node: Driven, **params: Any) -> Job:
    """Return the job of a question about a call."""
    found = node.node.read("trace_call", {"call": {"to": TARGET}, "at": node.head, **params})
    assert isinstance(found, Job)
    return found


def test_jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are tried in place for a moment, write nothing, and tell what they run."""
    with driven(tmp_path) as node:
        job = job_of(node)
        assert (job.timeout_s, job.in_place, job.writes) == (DEFAULT_TIMEOUT_S, True, False)
        assert job_of(node, timeout_s=1e9).timeout_s == LONGEST_TIMEOUT_S
        assert isinstance(job.killed(b""), errors.TraceTimeout)
        # A busy machine may take longer than the moment it is given.
        monkeypatch.setattr(traces, "READ_IN_PLACE_S", 5.0)
        assert isinstance(job.run(None), RawJson)
        monkeypatch.undo()
        sent = node.send(to=NOBODY)
        told: list[bytes] = []
        node.node.read("trace_block", {"block": node.head}).run(told.append)
        assert [encode_hex(item) for item in told] == [sent]
        put_code(node, {TARGET: ENDLESS})
        with pytest.raises(TimeUp):
            job_of(node).run(None)
        assert trace_call(node, "STOP")["failed"] is False


def test_an_answer_has_its_bounds(tmp_path: Path) -> None:
    """A block is one answer: its transactions share what one may have."""
    with (
        driven(tmp_path, call_gas_cap=2**40) as node,
        pytest.raises(errors.TraceTooLarge) as caught,
    ):
        trace_call(node, ENDLESS, call={"gas": hex(2**40)}, timeout_s=60.0)
    assert caught.value.limit == 32 * 2**20


def test_blob_and_set_code_transactions(tmp_path: Path) -> None:
    """Their own members are there while they are traced."""
    source = "PUSH0 BLOBHASH PUSH0 MSTORE 0x20 PUSH0 RETURN"
    blob = "0x01" + "ab" * 31
    with driven(tmp_path) as node:
        call = {
            "from": ADDRESSES[1],
            "blobVersionedHashes": [blob],
            "maxFeePerBlobGas": "0x3b9aca00",
        }
        found = trace_call(node, source, call=call)
    assert found["returnValue"] == blob


def test_blocks_that_come_along_are_checked(tmp_path: Path) -> None:
    """A block whose transactions cannot run is no trace."""
    with driven(tmp_path) as node:
        node.send()
        engine = node.hub.engine
        header, transactions, *rest = rlp.decode(engine.raw_block(engine.head_hash))
        header[12] = b"twice"
        twice = encode_hex(rlp.encode([header, transactions * 2, *rest]))
        with pytest.raises(errors.TraceFailed):
            node.ask("trace_raw_block", raw=twice)
        with pytest.raises(errors.ExecutionFailed):
            node.ask("trace_raw_block", raw="0x")


PUBLISHED = [
    pytest.param(orjson.loads(trip.request), trip.response["result"], id=exchange.name)
    for path in sorted(DATA.glob("tests/debug_trace*/*.io"))
    for exchange in [read_exchange(path)]
    for trip in exchange.trips
    if "result" in trip.response
]


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driven]:
    """Share a node on the published chain, which goes through all forks."""
    folder = tmp_path_factory.mktemp("published")
    files = {"genesis_file": str(DATA / "genesis.json"), "import_file": str(DATA / "chain.rlp")}
    with driven(folder, mining=False, **files) as made:
        yield made


@pytest.mark.parametrize(("request_", "result"), PUBLISHED)
def test_published_traces(published: Driven, request_: Any, result: Any) -> None:
    """go-ethereum's own traces of the published chain, to the last number."""
    view = make_view(published_chain())
    outcome = TRACES[request_["method"]](view, request_["params"])
    assert answer(published, outcome.call.method, **outcome.call.params) == result


def test_every_published_transaction_adds_up(published: Driven) -> None:
    """On every fork the gas of the trace is that of the block, whatever watches."""
    engine = published.hub.engine
    for number in range(1, engine.height + 1):
        block_hash = encode_hex(engine.canonical_hash(number))
        tracers: dict[str, Any] = {
            name: {} for name in ("callTracer", "prestateTracer", "4byteTracer")
        }
        found = answer(
            published, "trace_block", block=block_hash, tracer="muxTracer", config=tracers
        )
        used = sum(int(item["result"]["callTracer"]["gasUsed"], 16) for item in found)
        assert used == engine.header(engine.canonical_hash(number)).gas_used


def test_traces_of_blocks_with_tokens_in_them(tmp_path: Path) -> None:
    """The EVM's transactions are traced as before, on a state that the tokens have changed."""
    with driven(tmp_path, mining=False) as node:
        to = encode_hex(STRANGER)
        first = node.send(0, to=to, value="0x1")
        submit(node, ong_transfer(7, gas_price=0))
        node.ask("mine")
        second = node.send(1, to=to, value="0x2")
        node.ask("mine")
        blocks = [encode_hex(node.hub.engine.canonical_hash(number)) for number in (1, 2)]
        for block, sent, before in zip(blocks, (first, second), (0, 1 + 7 * UNIT), strict=True):
            (whole,) = answer(node, "trace_block", block=block, tracer="prestateTracer")
            assert whole["txHash"] == sent
            assert whole["result"].get(to, {}).get("balance", "0x0") == hex(before)
            alone = answer(
                node, "trace_transaction", block=block, transaction=sent, tracer="prestateTracer"
            )
            assert alone == whole["result"]
            raw = encode_hex(node.hub.engine.raw_block(bytes.fromhex(block[2:])))
            again = answer(node, "trace_raw_block", raw=raw, tracer="prestateTracer")
            assert again == [whole]
