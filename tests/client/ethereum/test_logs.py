from collections.abc import Generator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.client.ethereum.following import standing
from tests.client.ethereum.ledger import Ledger
from tests.client.test_heads import Answer, answering
from twisted_chainws.client.ethereum.logs import LogMemory, LogPlan, net, plan_logs
from twisted_chainws.client.ethereum.values import Gap, Log, decode_log
from twisted_chainws.client.heads import Ask, Found, Unreachable


def logs(raw: list[dict[str, Any]]) -> list[Log]:
    """Read what a ledger gives."""
    return [decode_log(each) for each in raw]


def run(plan: Generator[Ask, Found, LogPlan], answer: Answer) -> LogPlan:
    """Give a plan what it asks for."""
    try:
        ask = next(plan)
        while True:
            ask = plan.send(answer(ask))
    except StopIteration as done:
        result: LogPlan = done.value
        return result


def plan(memory: LogMemory, ledger: Ledger, answer: Answer | None = None, **more: Any) -> LogPlan:
    """Plan with what a ledger answers."""
    usual = {"to": ledger.height, "after": 0, "covered": 0, "bound": 120}
    return run(plan_logs(memory.blocks(), **(usual | more)), answer or answering(ledger))


def told(memory: LogMemory, raw: list[dict[str, Any]]) -> list[Log]:
    """Return what is new about logs."""
    return [event for log in logs(raw) for event in memory.take(log)]


@given(
    rounds=st.lists(
        st.tuples(
            st.integers(0, 8),  # mined
            st.integers(0, 3),  # logs of each
            st.integers(0, 6),  # undone
            st.integers(1, 6),  # in their place
            st.sampled_from(["live", "silent", "away"]),
        ),
        max_size=8,
    )
)
def test_what_stands_is_the_chain(rounds: list[tuple[int, int, int, int, str]]) -> None:
    """Live, from a node that says nothing of removals, or after an outage: logs are the chain's.

    A silent node is asked for what stands, as after an outage, for it may have nothing to say.
    """
    ledger = Ledger(3)
    memory = LogMemory()
    events: list[Log] = []
    for mined, count, depth, blocks, manner in rounds:
        before = len(ledger.chain)
        for _ in range(mined):
            ledger.mine(count)
        live = ledger.logs_of(before, ledger.height)
        low = ledger.height - min(depth, ledger.height - 3)
        gone = ledger.reorganise(min(depth, ledger.height - 3), blocks, count)
        new = ledger.logs_of(low + 1, ledger.height)
        if manner != "away":
            events += told(memory, live)
            if manner == "live":
                removed = [
                    log | {"removed": True} for one in gone for log in ledger.logs[one["hash"]]
                ]
                events += told(memory, removed)
            events += told(memory, new)
        if manner != "live":
            found = plan(memory, ledger, after=3)
            events += memory.remove(found.gone)
            events += told(memory, ledger.logs_of(found.first, found.last))
    expected = ledger.logs_of(4, ledger.height)
    assert sorted(log.key for log in standing(events)) == sorted(log.key for log in logs(expected))
    assert len(memory) == len(expected)


def test_each_once_and_removals_once() -> None:
    """Logs that are known and removals of logs that are not are nothing new."""
    ledger = Ledger(1)
    memory = LogMemory()
    (log,) = logs(ledger.logs_of(1, 1))
    assert memory.take(log.as_removed()) == []
    assert memory.take(log) == [log]
    assert memory.take(log) == []
    assert memory.take(log.as_removed()) == [log.as_removed()]
    assert memory.take(log.as_removed()) == []
    assert memory.take(log) == [log]
    assert len(memory) == 1


def test_what_contradicts_is_removed_first() -> None:
    """A log of another block at a height says that those of there and above are gone."""
    ledger = Ledger(4)
    memory = LogMemory()
    old = ledger.logs_of(1, 4)
    told(memory, old)
    gone = ledger.reorganise(3, 3)
    new = ledger.logs_of(2, 4)
    events = told(memory, new)
    assert [(log.block_number, log.removed) for log in events] == [
        *((2, True), (3, True), (4, True), (2, False), (3, False), (4, False)),
    ]
    # And when the node says so, too, it is nothing new.
    assert told(memory, [log | {"removed": True} for log in old[1:]]) == []
    assert len(gone) == 3


def test_one_of_several_logs_of_a_block_is_removed() -> None:
    """Logs leave one by one."""
    ledger = Ledger(0)
    ledger.mine(3)
    memory = LogMemory()
    first, second, third = logs(ledger.logs_of(1, 1))
    for log in (first, second, third):
        memory.take(log)
    assert memory.take(second.as_removed()) == [second.as_removed()]
    assert len(memory) == 2
    assert memory.remove(memory.blocks()) == [first.as_removed(), third.as_removed()]
    assert memory.blocks() == []
    assert memory.remove([]) == []


def test_memory_is_bounded() -> None:
    """Old blocks are forgotten, by height and by the number of logs, the newest never."""
    ledger = Ledger(0)
    memory = LogMemory(blocks=5, logs=1_000)
    for _ in range(10):
        ledger.mine(1)
    told(memory, ledger.logs_of(1, 10))
    assert [number for number, _ in memory.blocks()] == [10, 9, 8, 7, 6, 5]
    memory = LogMemory(blocks=100, logs=4)
    ledger.mine(6)
    told(memory, ledger.logs_of(1, 11))
    assert [number for number, _ in memory.blocks()] == [11]
    assert len(memory) == 6


def test_plan_with_nothing_remembered() -> None:
    """Everything since the subscription, up to the bound; the gap is what it leaves out."""
    ledger = Ledger(100)
    memory = LogMemory()
    assert plan(memory, ledger, after=90) == LogPlan(gone=(), gap=None, first=91, last=100)
    assert plan(memory, ledger, after=50, bound=10) == LogPlan(
        gone=(), gap=Gap(51, 90), first=91, last=100
    )
    assert plan(memory, ledger, after=50, covered=80, bound=10).gap == Gap(81, 90)
    assert plan(memory, ledger, after=50, covered=95, bound=10).gap is None
    assert plan(memory, ledger, after=100).first == 101


def test_plan_from_what_stands() -> None:
    """The newest block that stands is asked for again: of it there may be more logs."""
    ledger = Ledger(40)
    memory = LogMemory()
    told(memory, ledger.logs_of(1, 40))
    ledger.reorganise(15, 20)
    found = plan(memory, ledger)
    assert [number for number, _ in found.gone] == list(range(40, 25, -1))
    assert (found.first, found.last, found.gap) == (25, 45, None)


def test_plan_where_nothing_stands() -> None:
    """If nothing stands, logs are asked for from where they were wanted on, up to the bound.

    The chain may have changed below the oldest log that is remembered.
    """
    ledger = Ledger(20)
    memory = LogMemory()
    told(memory, ledger.logs_of(10, 20))
    ledger.reorganise(15, 20)
    found = plan(memory, ledger, after=3, covered=20)
    assert len(found.gone) == 11
    assert (found.first, found.last, found.gap) == (4, 25, None)
    found = plan(memory, ledger, after=3, covered=20, bound=10)
    assert (found.first, found.last, found.gap) == (16, 25, None)


def test_plan_where_the_chain_has_changed_below_the_oldest() -> None:
    """Logs in the place of blocks that had none are found, in a shorter chain as well."""
    ledger = Ledger(3)
    ledger.mine(0)
    ledger.mine(0)
    ledger.mine(1)
    memory = LogMemory()
    told(memory, ledger.logs_of(4, 6))
    ledger.reorganise(2, 1, logs=1)
    found = plan(memory, ledger, after=3, covered=6)
    assert [number for number, _ in found.gone] == [6]
    assert (found.first, found.last) == (4, 5)


def test_plan_over_a_shorter_chain() -> None:
    """Blocks above the head are gone; one below it that the server has not got is an error."""
    ledger = Ledger(10)
    memory = LogMemory()
    told(memory, ledger.logs_of(8, 10))
    del ledger.chain[9:]
    found = plan(memory, ledger)
    assert [number for number, _ in found.gone] == [10, 9]
    with pytest.raises(Unreachable):
        plan(memory, ledger, lambda _: [None] * 3, to=10)


def test_net() -> None:
    """What came and went again only goes: it may be known from elsewhere."""
    ledger = Ledger(3)
    first, second, third = logs(ledger.logs_of(1, 3))
    assert net([first, second, first.as_removed(), third]) == [second, first.as_removed(), third]
    assert net([first.as_removed(), first]) == [first.as_removed(), first]
    assert net([first, first.as_removed(), first]) == [first.as_removed(), first]
    assert net([]) == []
