from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given

from tests.dialects.ethereum.views import ask, hex_of, make_view, mixed_block, read, refusal
from tests.strategies import (
    ADDRESSES,
    TOPICS,
    chains,
    hash32,
    log_filters,
    make_block,
    make_chain,
    make_log,
    make_transaction,
    relaxed,
)
from twisted_chainws.chain.canonical import CanonicalChain
from twisted_chainws.chain.model import Block, Kind
from twisted_chainws.chain.pool import PendingPool
from twisted_chainws.chain.view import ChainView
from twisted_chainws.dialects.ethereum import encode, logs
from twisted_chainws.dialects.outcomes import Forward, Inspect, Scan
from twisted_chainws.dialects.view import View
from twisted_chainws.errors import FilterNotFound
from twisted_chainws.subscriptions.filters import HeadFilter, LogFilter, log_matches

TOPIC = hex_of(TOPICS[0])


def block_on(parent: Block, nonce: int, topics: Sequence[Any] = (), salt: object = "") -> Block:
    """Make a block with one transaction and one log that carries the nonce."""
    log = make_log(topics=topics, data=bytes([nonce % 256]))
    return make_block(parent, [(make_transaction(nonce=nonce), [log])], salt=salt)


def chain_with_logs(length: int) -> list[Block]:
    """Make a chain whose blocks above genesis hold one log each."""
    blocks = [make_block()]
    while len(blocks) < length:
        blocks.append(block_on(blocks[-1], len(blocks), TOPICS[: len(blocks) % 2]))
    return blocks


BLOCKS = chain_with_logs(5)
VIEW = make_view(BLOCKS)


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ({}, [4]),
        ({"fromBlock": "0x0"}, [1, 2, 3, 4]),
        ({"fromBlock": "earliest", "toBlock": "0x2"}, [1, 2]),
        ({"fromBlock": "0x2", "toBlock": "latest"}, [2, 3, 4]),
        ({"fromBlock": "earliest", "toBlock": "safe"}, []),
        ({"fromBlock": "0x0", "topics": [TOPIC]}, [1, 3]),
        ({"fromBlock": "0x0", "topics": [None]}, [1, 3]),
        ({"fromBlock": "0x0", "topics": [[TOPIC, None]]}, [1, 3]),
        ({"fromBlock": "0x0", "topics": [TOPIC, None]}, []),
        ({"fromBlock": "0x0", "address": hex_of(ADDRESSES[0])}, [1, 2, 3, 4]),
        ({"fromBlock": "0x0", "address": [hex_of(ADDRESSES[1])]}, []),
        ({"blockHash": hex_of(BLOCKS[2].hash)}, [2]),
    ],
)
def test_search(query: dict[str, Any], numbers: list[int]) -> None:
    """A search finds the matching logs of its range in order; without a range, of the head."""
    found = ask(VIEW, "eth_getLogs", query)
    assert [int(log["blockNumber"], 16) for log in found] == numbers
    assert not any(log["removed"] for log in found)


@pytest.mark.parametrize(
    ("query", "code", "message"),
    [
        ({"fromBlock": "0x3", "toBlock": "0x2"}, -32602, "invalid block range params"),
        ({"fromBlock": "latest", "toBlock": "0x2"}, -32602, "invalid block range params"),
        ({"fromBlock": "0x5"}, -32602, "invalid block range params"),
        ({"toBlock": "0x5"}, -32602, "block range extends beyond current head block"),
        (
            {"fromBlock": "0x5", "toBlock": "0x6"},
            -32602,
            "block range extends beyond current head block",
        ),
        ({"fromBlock": "pending"}, -32602, "pending logs are not supported"),
        ({"blockHash": hex_of(hash32("?"))}, -32000, "unknown block"),
        (
            {"blockHash": hex_of(hash32("?")), "fromBlock": "0x1"},
            -32602,
            (
                "invalid argument 0: cannot specify both BlockHash and FromBlock/ToBlock, "
                "choose one or the other"
            ),
        ),
    ],
)
def test_refusals(query: dict[str, Any], code: int, message: str) -> None:
    """Ranges that make no sense are refused in go-ethereum's words."""
    assert refusal(VIEW, "eth_getLogs", query) == (code, message)


@pytest.mark.parametrize(
    "query", [{"fromBlock": "0x0"}, {"blockHash": hex_of(mixed_block(BLOCKS[-1]).hash)}]
)
def test_bound(query: dict[str, Any]) -> None:
    """A search that finds more than the operator allows is refused."""
    view = make_view([*BLOCKS, mixed_block(BLOCKS[-1])], max_logs=2)
    assert refusal(view, "eth_getLogs", query) == (-32005, "query returned more than 2 results")


def test_width() -> None:
    """A query with more alternatives than the operator allows is refused."""
    query = {"address": [hex_of(address) for address in ADDRESSES]}
    assert refusal(make_view(BLOCKS, query_alternatives=2), "eth_getLogs", query) == (
        -32000,
        "exceed max addresses or topics per search position",
    )


def test_logs_of_other_families_are_not_ours() -> None:
    """Logs of native transactions are not found."""
    view = make_view([*BLOCKS, mixed_block(BLOCKS[-1])])
    found = ask(view, "eth_getLogs", {})
    assert [log["logIndex"] for log in found] == ["0x0", "0x1", "0x2"]


def finish(outcome: Any) -> Any:
    """Run a scan to its end."""
    assert isinstance(outcome, Forward)
    assert isinstance(outcome.call, Scan)
    steps = outcome.call.steps
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return read(outcome.then(end.value))


def test_a_long_range_is_searched_in_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond one step the rest is handed to a scan; the answer is the same."""
    whole = ask(VIEW, "eth_getLogs", {"fromBlock": "0x0"})
    for name in ("BLOCKS_PER_STEP", "LOGS_PER_STEP", "FOUND_PER_STEP"):
        with monkeypatch.context() as patch:
            patch.setattr(logs, name, 1)
            assert finish(ask(VIEW, "eth_getLogs", {"fromBlock": "0x0"})) == whole


def moving_view() -> tuple[CanonicalChain, View]:
    """Make a view of a chain that can be moved."""
    chain, view = CanonicalChain(BLOCKS), make_view()
    view.chain = ChainView(chain=chain, pool=PendingPool(), chain_id=1)
    return chain, view


def test_a_reorganisation_restarts_the_search(monkeypatch: pytest.MonkeyPatch) -> None:
    """When what was searched leaves the chain, the answer is that of the new chain."""
    monkeypatch.setattr(logs, "BLOCKS_PER_STEP", 2)
    chain, view = moving_view()
    outcome = ask(view, "eth_getLogs", {"fromBlock": "0x0"})
    new = [block_on(BLOCKS[0], 101, salt="new")]
    for nonce in (102, 103, 104):
        new.append(block_on(new[-1], nonce, salt="new"))
    chain.reorganise(BLOCKS[0].hash, new)
    hashes = {log["blockHash"] for log in finish(outcome)}
    assert hashes == {hex_of(block.hash) for block in new}


def test_a_rollback_shortens_the_search(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the chain becomes shorter than the range, the search ends at its head."""
    monkeypatch.setattr(logs, "BLOCKS_PER_STEP", 2)
    chain, view = moving_view()
    outcome = ask(view, "eth_getLogs", {"fromBlock": "0x1"})
    chain.reorganise(BLOCKS[3].hash, [])
    found = [int(log["blockNumber"], 16) for log in finish(outcome)]
    assert found == [1, 2, 3]
    chain, view = moving_view()
    outcome = ask(view, "eth_getLogs", {"fromBlock": "0x1"})
    chain.reorganise(BLOCKS[0].hash, [])
    assert finish(outcome) == []


@pytest.mark.parametrize(
    ("installed", "numbers"),
    [
        (LogFilter(), [4]),
        (LogFilter(first=0), [1, 2, 3, 4]),  # type: ignore[arg-type]
        (LogFilter(first=2, last=3), [2, 3]),  # type: ignore[arg-type]
    ],
)
def test_filter_logs(installed: LogFilter, numbers: list[int]) -> None:
    """A log filter can be asked for everything that it matches in the chain as it is."""
    outcome = ask(VIEW, "eth_getFilterLogs", "0xab")
    assert isinstance(outcome, Inspect)
    assert outcome.filter_id == "0xab"
    found = read(outcome.then(installed))
    assert [int(log["blockNumber"], 16) for log in found] == numbers


def test_filter_logs_of_another_kind() -> None:
    """A filter that does not collect logs is as good as unknown here."""
    with pytest.raises(FilterNotFound):
        ask(VIEW, "eth_getFilterLogs", "0xab").then(HeadFilter())


@relaxed
@given(blocks=chains(), wanted=log_filters())
def test_search_agrees_with_the_oracle(blocks: list[Block], wanted: LogFilter) -> None:
    """A search finds exactly the EVM logs that the filter matches one by one."""
    view = make_view(blocks)
    query = {
        "fromBlock": "0x0",
        "address": [hex_of(address) for address in wanted.addresses],
        "topics": [None if slot is None else [hex_of(t) for t in slot] for slot in wanted.topics],
    }
    expected = [
        read(encode.encode_log(block, item.transaction_index, item.log_index, item.log))
        for block in blocks
        for item in block.logs()
        if log_matches(wanted, item.log)
        and block.transactions[item.transaction_index].kind is Kind.EVM
    ]
    assert ask(view, "eth_getLogs", query) == expected


def test_empty_blocks() -> None:
    """A chain without logs answers an empty array."""
    assert ask(make_view(make_chain(3)), "eth_getLogs", {"fromBlock": "0x0"}) == []
