"""What must always hold, looked at from outside a real server process.

A limit on time is judged by the best of a few rounds: a busy machine only ever makes a round
slower, so one good round shows what the server can do.
"""

import resource
import select
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import pytest

from tests.contract import BYTECODE, ENDLESS, HASH_20M_GAS, SET_TOPIC, selector
from tests.running import Running
from tests.signing import ADDRESSES, signed, transfers
from tests.wire import RpcError, Wire, call_http, frames

pytestmark = [pytest.mark.integration, pytest.mark.slow]

ROUNDS: Final = 5
SUBSCRIBERS: Final = 1000
BLOCKS: Final = 200
BURNER: Final = "0x" + "b1" * 20
SPINNER: Final = "0x" + "b2" * 20


def best(measure: Callable[[], float], limit: float) -> float:
    """Return the first measurement within the limit, or the smallest of all rounds."""
    found: list[float] = []
    for _ in range(ROUNDS):
        found.append(measure())
        if found[-1] < limit:
            break
    return min(found)


def percentile(values: Sequence[float], hundredth: int) -> float:
    """Return a percentile of the values."""
    return statistics.quantiles(values, n=100)[hundredth - 1]


def test_first_answer_within_two_seconds() -> None:
    """A server started without options answers its first request within two seconds."""

    def start() -> float:
        with Running() as server:
            assert call_http(server.port, "eth_blockNumber") == "0x0"
            return time.monotonic() - server.started_at

    assert best(start, 2.0) < 2.0


@pytest.fixture
def busy() -> Iterator[Running]:
    """Give a server with one contract that burns gas and one that never ends."""
    with Running("--silent") as server:
        with Wire(server.port) as wire:
            wire.call("anvil_setCode", BURNER, "0x" + HASH_20M_GAS.hex())
            wire.call("anvil_setCode", SPINNER, "0x" + ENDLESS.hex())
        yield server


def test_answers_stay_fast_while_calls_run(busy: Running) -> None:
    """With a 20 Mgas call and an endless one elsewhere, reads and submissions hardly wait."""
    nonces = iter(range(1000))

    def measure() -> tuple[float, float]:
        with Wire(busy.port) as heavy, Wire(busy.port) as light:
            burning = heavy.start("eth_call", {"to": BURNER, "gas": "0x1312d00"}, "latest")
            spinning = heavy.start("eth_call", {"to": SPINNER, "gas": "0x2faf080"}, "latest")
            time.sleep(0.05)
            reads = [timed(light, "eth_blockNumber") for _ in range(1000)]
            sends = [
                timed(light, "eth_sendRawTransaction", signed(0, next(nonces))) for _ in range(10)
            ]
            reads += [timed(light, "eth_blockNumber") for _ in range(1000)]
            assert heavy.finish(burning) == "0x"
            with pytest.raises(RpcError, match="execution aborted"):
                heavy.finish(spinning)
            return percentile(reads, 99), max(sends)

    rounds = []
    for _ in range(ROUNDS):
        rounds.append(measure())
        if rounds[-1][0] < 0.005 and rounds[-1][1] < 0.5:
            return
    pytest.fail(f"p99 of reads and slowest submission, in seconds: {rounds}")


def timed(wire: Wire, method: str, *params: Any) -> float:
    """Return how long one request takes, in seconds."""
    start = time.perf_counter()
    wire.call(method, *params)
    return time.perf_counter() - start


def test_endless_call_ends_at_its_limit(busy: Running) -> None:
    """A call that never ends is answered with an error and leaves the connection in order."""
    with Wire(busy.port) as wire:
        with pytest.raises(RpcError, match="execution aborted"):
            wire.call("eth_call", {"to": SPINNER}, "latest")
        assert wire.call("eth_blockNumber") == "0x0"


def test_thousand_subscribers_see_every_head_in_order() -> None:
    """A thousand subscribers get 200 heads, once each and in order, in less than 120 MB."""
    raise_file_limit(SUBSCRIBERS + 200)
    with Running("--silent") as server, ExitStack() as open_wires:
        wires = [open_wires.enter_context(Wire(server.port)) for _ in range(SUBSCRIBERS)]
        for wire in wires:
            wire.call("eth_subscribe", "newHeads")
        crowd = Crowd(wires)
        with Wire(server.port) as miner:
            for _ in range(BLOCKS):
                asked = miner.start("evm_mine")
                crowd.read(0)
                miner.finish(asked)
            crowd.read_until(BLOCKS)
            numbers = [f"0x{number:x}" for number in range(1, BLOCKS + 1)]
            hashes = [
                miner.call("eth_getBlockByNumber", number, False)["hash"] for number in numbers
            ]
        expected = list(zip(numbers, hashes, strict=True))
        assert all(seen == expected for seen in crowd.seen.values())
        assert server.memory_mb("VmHWM") < 120


class Crowd:
    """Many subscribed connections, read together."""

    def __init__(self, wires: Sequence[Wire]) -> None:
        self._poll = select.epoll()
        self._sockets = {wire.socket.fileno(): wire.socket for wire in wires}
        self._buffers = {number: bytearray() for number in self._sockets}
        self.seen: dict[int, list[tuple[str, str]]] = {number: [] for number in self._sockets}
        for wire in wires:
            assert not wire.notices
            wire.socket.setblocking(False)
            self._poll.register(wire.socket, select.EPOLLIN)

    def read(self, timeout_s: float) -> bool:
        """Read what is there; False when nothing came in time."""
        ready = self._poll.poll(timeout_s)
        for number, _ in ready:
            data = self._sockets[number].recv(1 << 18)
            assert data, "a subscriber was disconnected"
            self._buffers[number] += data
            for _, payload in frames(self._buffers[number]):
                self.seen[number].append((field(payload, b"number"), field(payload, b"hash")))
        return bool(ready)

    def read_until(self, count: int) -> None:
        """Read until every subscriber has ``count`` heads; fails when they stop coming."""
        while any(len(seen) < count for seen in self.seen.values()):
            assert self.read(20), f"fewest heads: {min(map(len, self.seen.values()))}"


def field(payload: bytes, name: bytes) -> str:
    """Return a string member of a message without parsing all of it 200,000 times."""
    start = payload.index(b'"' + name + b'":"') + len(name) + 4
    return payload[start : payload.index(b'"', start)].decode()


def raise_file_limit(needed: int) -> None:
    """Allow this process that many open files, or skip."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < needed:
        if hard < needed:
            pytest.skip(f"only {hard} open files are allowed here")
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def test_block_of_500_transfers_within_a_second(server: Running) -> None:
    """Five hundred waiting transfers become one block, announced within a second."""
    with Wire(server.port) as wire:
        wire.call("evm_setAutomine", False)
        heads = wire.call("eth_subscribe", "newHeads")
        sent = 0

        def build() -> float:
            nonlocal sent
            per_account = [signed(index % 10, sent // 10 + index // 10) for index in range(500)]
            wire.batch([("eth_sendRawTransaction", raw) for raw in per_account])
            sent += 500
            start = time.perf_counter()
            asked = wire.start("evm_mine")
            head = wire.notice(heads)
            taken = time.perf_counter() - start
            wire.finish(asked)
            count = wire.call("eth_getBlockTransactionCountByHash", head["hash"])
            assert count == "0x1f4"
            return taken

        assert best(build, 1.0) < 1.0


@pytest.mark.parametrize("depth", [1, 3, 64])
def test_reorganisation_folds_to_the_canonical_chain(server: Running, depth: int) -> None:
    """Whatever the depth, what each subscriber saw folds to what the node then answers."""
    with Wire(server.port) as wire, Wire(server.port) as other:
        contract = deploy(wire)
        heads = [peer.call("eth_subscribe", "newHeads") for peer in (wire, other)]
        logs = [peer.call("eth_subscribe", "logs", {"address": contract}) for peer in (wire, other)]
        polled = wire.call("eth_newFilter", {"address": contract})
        for number in range(1, depth + 3):
            store(wire, contract, number)
        wire.call("anvil_reorg", depth, [])
        store(wire, contract, 1000)
        wire.call("anvil_reorg", 1, [])
        for peer, head, log in zip((wire, other), heads, logs, strict=True):
            seen = peer.settle()
            check_heads(peer, [result for owner, result in seen if owner == head])
            check_logs(peer, contract, [result for owner, result in seen if owner == log])
        check_logs(wire, contract, wire.call("eth_getFilterChanges", polled))


def deploy(wire: Wire) -> str:
    """Create the test contract and return its address."""
    count = int(wire.call("eth_getTransactionCount", ADDRESSES[0], "pending"), 16)
    raw = signed(0, count, to=None, value=0, gas=1_000_000, data=BYTECODE)
    receipt = mined(wire, wire.call("eth_sendRawTransaction", raw))
    address: str = receipt["contractAddress"]
    return address


def store(wire: Wire, contract: str, value: int) -> None:
    """Call ``set(value)`` from an unlocked account and wait until it is mined."""
    data = f"{selector('set(uint256)')}{value:064x}"
    request = {"from": ADDRESSES[1], "to": contract, "data": data, "gas": "0x30d40"}
    mined(wire, wire.call("eth_sendTransaction", request))


def mined(wire: Wire, transaction: str) -> Any:
    """Return the receipt of a transaction."""
    deadline = time.monotonic() + 10
    while (receipt := wire.call("eth_getTransactionReceipt", transaction)) is None:
        assert time.monotonic() < deadline, "not mined"
        time.sleep(0.005)
    return receipt


def check_heads(wire: Wire, heads: Sequence[dict[str, Any]]) -> None:
    """Fold heads as a client does: a repeated height replaces it and everything above."""
    chain: dict[int, dict[str, Any]] = {}
    for head in heads:
        number = int(head["number"], 16)
        chain = {height: kept for height, kept in chain.items() if height < number}
        assert number - 1 not in chain or chain[number - 1]["hash"] == head["parentHash"]
        chain[number] = head
    assert int(wire.call("eth_blockNumber"), 16) == max(chain)
    for number, head in chain.items():
        block = wire.call("eth_getBlockByNumber", hex(number), False)
        assert head == {name: block[name] for name in head}


def check_logs(wire: Wire, contract: str, logs: Sequence[dict[str, Any]]) -> None:
    """Fold logs by their place; a removal must remove something that was there."""
    kept: dict[tuple[str, str], dict[str, Any]] = {}
    for log in logs:
        place = (log["blockHash"], log["logIndex"])
        if log["removed"]:
            assert kept.pop(place) == log | {"removed": False}
        else:
            assert place not in kept
            kept[place] = log
    query = {"address": contract, "topics": [SET_TOPIC], "fromBlock": "0x0"}
    assert list(kept.values()) == wire.call("eth_getLogs", query)


def state(wire: Wire) -> dict[str, Any]:
    """Return what a killed engine must not lose, as a client sees it."""
    head = int(wire.call("eth_blockNumber"), 16)
    return {
        "blocks": [
            wire.call("eth_getBlockByNumber", hex(number), True) for number in range(head + 1)
        ],
        "balances": [wire.call("eth_getBalance", address, "latest") for address in ADDRESSES],
        "pool": wire.call("txpool_content"),
        "automine": wire.call("anvil_getAutomine"),
    }


def prepare(wire: Wire) -> str:
    """Make blocks, an edit, a snapshot, a clock setting and a waiting transaction."""
    wire.batch([("eth_sendRawTransaction", raw) for raw in transfers(3)])
    wire.call("anvil_setBalance", ADDRESSES[5], "0x1234")
    snapshot: str = wire.call("evm_snapshot")
    wire.call("evm_increaseTime", 100_000)
    wire.call("evm_mine")
    wire.call("evm_setAutomine", False)
    wire.call("eth_sendRawTransaction", signed(4, 0))
    return snapshot


def check_nothing_lost(wire: Wire, before: dict[str, Any], snapshot: str) -> None:
    """Compare the state after a kill with the one before, then use every part of it."""
    assert state(wire) == before
    last = int(before["blocks"][-1]["timestamp"], 16)
    wire.call("evm_mine")
    head = wire.call("eth_getBlockByNumber", "latest", False)
    assert last < int(head["timestamp"], 16) < last + 1000
    assert len(head["transactions"]) == 1
    assert wire.call("evm_revert", snapshot) is True
    assert wire.call("eth_getBalance", ADDRESSES[5], "latest") == "0x1234"


def outcome(wire: Wire, asked: int) -> str:
    """Return how a request ended that the engine may not have outlived: "", or the error."""
    try:
        wire.finish(asked)
    except RpcError as error:
        said = error.message
    else:
        said = ""
    assert said == "" or "restarted" in said
    return said


def test_engine_killed_while_idle_loses_nothing(server: Running) -> None:
    """Blocks, edits, snapshots, clock, mode and pool outlive a killed engine."""
    with Wire(server.port) as wire:
        snapshot = prepare(wire)
        before = state(wire)
        server.kill_engine()
        check_nothing_lost(wire, before, snapshot)


def test_engine_killed_while_reading_loses_nothing(busy: Running) -> None:
    """A read under way when the engine dies is answered, and nothing is lost."""
    with Wire(busy.port) as wire, Wire(busy.port) as reader:
        snapshot = prepare(wire)
        before = state(wire)
        asked = reader.start("eth_call", {"to": BURNER, "gas": "0x1312d00"}, "latest")
        time.sleep(0.1)
        busy.kill_engine()
        outcome(reader, asked)
        assert reader.call("eth_call", {"to": ADDRESSES[0]}, "latest") == "0x"
        check_nothing_lost(wire, before, snapshot)


def test_engine_killed_while_writing_loses_nothing(server: Running) -> None:
    """A block under way is there whole or not at all, and the caller is told which."""
    with Wire(server.port) as wire, Wire(server.port) as watcher:
        heads = watcher.call("eth_subscribe", "newHeads")
        wire.call("evm_setAutomine", False)
        wire.batch([("eth_sendRawTransaction", raw) for raw in transfers(300)])
        for pause_s in (0.0, 0.02, 0.1):
            before = int(wire.call("eth_blockNumber"), 16)
            asked = wire.start("evm_mine")
            time.sleep(pause_s)
            server.kill_engine()
            told = outcome(wire, asked)
            if told == "":
                # The block was first; then it is the next write that may meet the dying engine.
                outcome(wire, wire.start("evm_setAutomine", False))
            assert wire.call("anvil_getAutomine") is False
            made = int(wire.call("eth_blockNumber"), 16) - before
            assert made == 1 if told == "" else made in {0, 1}
        wire.call("evm_mine")
        head = int(wire.call("eth_blockNumber"), 16)
        blocks = [
            wire.call("eth_getBlockByNumber", hex(number), False) for number in range(head + 1)
        ]
        assert sum(len(block["transactions"]) for block in blocks) == 300
        check_heads(watcher, [result for owner, result in watcher.settle() if owner == heads])


def test_server_killed_with_a_data_directory_loses_nothing(tmp_path: Path) -> None:
    """A whole server that is killed starts again where it was, and its engine is gone with it."""
    options = ("--silent", "--data-dir", str(tmp_path))
    with Running(*options) as server, Wire(server.port) as wire:
        snapshot = prepare(wire)
        wire.call("anvil_setChainId", 77)
        before = state(wire)
        server.process.kill()
        server.process.wait()
    # The first engine must let go of the files for this one to start; how it mines is an option.
    with Running(*options) as server, Wire(server.port) as wire:
        assert wire.call("anvil_getAutomine") is True
        assert (wire.call("eth_chainId"), wire.call("net_version")) == ("0x4d", "77")
        wire.call("evm_setAutomine", False)
        check_nothing_lost(wire, before, snapshot)


def test_client_that_never_reads_does_not_grow_the_server(server: Running) -> None:
    """Requests whose answers nobody reads stop being read, instead of filling the memory."""
    with Wire(server.port) as wire, Wire(server.port) as deaf:
        wire.call("evm_setAutomine", False)
        wire.batch([("eth_sendRawTransaction", raw) for raw in transfers(200)])
        wire.call("evm_mine")
        wire.call("eth_getBlockByNumber", "0x1", True)
        before = server.memory_mb()
        deaf.socket.settimeout(2.0)
        sent = 0
        try:
            for _ in range(20_000):
                deaf.start("eth_getBlockByNumber", "0x1", True)
                sent += 1
        except (TimeoutError, ConnectionError):
            pass
        assert sent > 0
        assert wire.call("eth_blockNumber") == "0x1"
        assert server.memory_mb() - before < 32
