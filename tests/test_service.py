"""The shared service between a scripted source and a recording fan-out."""

from collections.abc import Generator, Iterator, Sequence
from typing import Any

import orjson
import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import capturedLogs
from twisted.python.failure import Failure

from tests.dialects import pushes
from twisted_chainws.chain.model import Block, Kind, Log
from twisted_chainws.chain.ops import Cursor
from twisted_chainws.chain.ports import Sink
from twisted_chainws.chain.types import Hash32, Seq
from twisted_chainws.dialects import ethereum
from twisted_chainws.dialects.base import Dialect
from twisted_chainws.dialects.notice import Notice, Recipient
from twisted_chainws.dialects.outcomes import AwaitMined, Call, Query, Scan, Submit
from twisted_chainws.dialects.view import Profile, Settings, View
from twisted_chainws.errors import (
    FilterNotFound,
    MinedWaitTimeout,
    SourceUnavailable,
    UnknownParent,
    Unsupported,
)
from twisted_chainws.service import ChainService
from twisted_chainws.subscriptions.filters import (
    HeadFilter,
    LogFilter,
    MinedFilter,
    PendingFilter,
)
from twisted_chainws.subscriptions.interests import Interest
from twisted_chainws.subscriptions.registry import Subscription
from twisted_chainws.testing import BOB, FakeSource, make_block, make_transaction

DIALECT = ethereum.DIALECT
LOG = Log(address=BOB, topics=(Hash32(b"\x01" * 32),), data=b"")
ANY_LOG = LogFilter(addresses=frozenset(), topics=(), first=None, last=None)


def encode(_view: View, item: Any) -> bytes:
    """Say what kind of event it is."""
    return orjson.dumps(type(item).__name__)


def encode_loudly(view: View, item: Any) -> bytes:
    """Say the same in another way."""
    return encode(view, item).upper()


def encode_broken(_view: View, _item: Any) -> bytes:
    """Break."""
    raise ValueError("no text for this")


class Stand:
    """A running service, its source, its clock, and what it delivered."""

    def __init__(
        self, source: FakeSource | None = None, *, dialect: Dialect = DIALECT, **options: Any
    ) -> None:
        """Start the service."""
        numbers = iter(range(7, 1_000_000))
        self.clock = Clock()
        self.source = source or FakeSource()
        self.delivered: list[tuple[str, tuple[str, ...]]] = []
        self.service = ChainService(
            source=self.source,
            dialects=(dialect,),
            settings=Settings(
                profile=Profile.SUPERSET,
                client_version="test",
                network_id=31_337,
                development=True,
            ),
            clock=self.clock,
            random=lambda size: next(numbers).to_bytes(size, "big"),
            **options,
        )
        self.service.deliver = self.deliver
        self.service.startService()

    def deliver(
        self, _dialect: Dialect, notice: Notice, subscriptions: Sequence[Recipient]
    ) -> None:
        """Record a delivery."""
        text = (notice.head + b"ID" + notice.tail).decode()
        self.delivered.append((text, tuple(entry.wire_id.decode() for entry in subscriptions)))

    def listen(
        self, wanted: Any, how: Any = encode, owner: object = "me", *, cursor: bool = False
    ) -> Subscription:
        """Open a subscription."""
        return self.service.registry(DIALECT).add(
            wanted, how, owner, cursor=cursor, max_subscriptions=100, max_alternatives=100
        )

    def perform(self, call: Call) -> list[Any]:
        """Perform a call; the list holds its answer or Failure once there is one."""
        seen: list[Any] = []
        self.service.perform(call).addBoth(seen.append)
        return seen


@pytest.fixture(name="stand")
def _stand() -> Iterator[Stand]:
    stand = Stand()
    yield stand
    stand.service.stopService()
    assert stand.clock.getDelayedCalls() == []


def results(stand: Stand) -> list[str]:
    """Return the results delivered so far."""
    return [orjson.loads(text)["params"]["result"] for text, _ in stand.delivered]


def test_ready_once_the_source_has_started() -> None:
    """``when_ready`` fires for those who asked before and after."""

    class Slow(FakeSource):
        def __init__(self) -> None:
            super().__init__()
            self.gate: Deferred[None] = Deferred()

        async def start(self, sink: Sink) -> tuple[Block, ...]:
            await self.gate
            return await super().start(sink)

    source = Slow()
    stand = Stand(source)
    fired: list[object] = []
    stand.service.when_ready().addCallback(fired.append)
    assert fired == []
    source.gate.callback(None)
    stand.service.when_ready().addCallback(fired.append)
    assert fired == [None, None]
    stand.service.stopService()


def test_source_that_cannot_start_fails_whoever_waits() -> None:
    """Both early and late askers hear why."""

    class Broken(FakeSource):
        async def start(self, sink: Sink) -> tuple[Block, ...]:
            del sink
            raise SourceUnavailable(reason="no engine")

    stand = Stand(Broken())
    for _ in range(2):
        seen: list[Failure] = []
        stand.service.when_ready().addErrback(seen.append)
        assert seen[0].check(SourceUnavailable)
    stand.service.stopService()


def test_stopping_before_ready_is_quiet() -> None:
    """A service that is stopped while its source starts leaves nothing behind."""

    class Never(FakeSource):
        async def start(self, sink: Sink) -> tuple[Block, ...]:
            del sink
            await Deferred()
            return ()

    stand = Stand(Never())
    stand.service.stopService()
    assert stand.clock.getDelayedCalls() == []


def test_block_reaches_view_and_subscribers(stand: Stand) -> None:
    """A published block is the head, and each kind hears of it in order."""
    stand.listen(HeadFilter())
    stand.listen(ANY_LOG)
    block = stand.source.mine((make_transaction(0), [LOG, LOG]))
    assert stand.service.view(DIALECT).chain.head is block
    assert results(stand) == ["HeadAdded", "LogEvent", "LogEvent"]


def test_event_is_rendered_once_for_each_way_it_is_wanted(stand: Stand) -> None:
    """Subscribers that share encoder and cursor wish share one text."""
    first, second = stand.listen(HeadFilter()), stand.listen(HeadFilter())
    loud = stand.listen(HeadFilter(), encode_loudly)
    placed = stand.listen(HeadFilter(), cursor=True)
    stand.source.mine()
    assert sorted(ids for _, ids in stand.delivered) == sorted(
        [(first.id, second.id), (loud.id,), (placed.id,)]
    )
    (cursor,) = [
        orjson.loads(text)["params"]["cursor"]
        for text, ids in stand.delivered
        if ids == (placed.id,)
    ]
    assert Cursor.parse(cursor) == Cursor(epoch=7, seq=Seq(1), index=1)


def test_encoder_that_breaks_costs_only_its_notice(stand: Stand) -> None:
    """The block pipeline goes on and the failure is logged."""
    stand.listen(HeadFilter(), encode_broken)
    stand.listen(HeadFilter())
    stand.source.mine()
    assert results(stand) == ["HeadAdded"]


@pytest.mark.parametrize("depth", [1, 3, 64])
def test_reorg_folds_to_the_canonical_chain(stand: Stand, depth: int) -> None:
    """What a log subscriber saw, folded, is what the chain holds."""
    seen: dict[tuple[str, int], bool] = {}

    def note(_view: View, item: Any) -> bytes:
        key = (item.block.hash.hex(), item.log_index)
        if item.removed:
            del seen[key]
        else:
            assert key not in seen
            seen[key] = True
        return b"0"

    stand.listen(ANY_LOG, note)
    for number in range(depth + 2):
        stand.source.mine((make_transaction(number), [LOG]))
    branch = [[(make_transaction(1_000 + number), [LOG, LOG])] for number in range(depth + 1)]
    stand.source.reorganise(depth, branch)
    canonical = {
        (block.hash.hex(), found.log_index): True
        for block in stand.source.blocks
        for found in block.logs()
    }
    assert seen == canonical
    view = stand.service.view(DIALECT).chain
    assert view.head is stand.source.blocks[-1]


def test_rollback_announces_removed_logs_only(stand: Stand) -> None:
    """A shorter chain is an operation like any other."""
    stand.listen(HeadFilter())
    stand.listen(ANY_LOG)
    stand.source.mine((make_transaction(0), [LOG]))
    stand.delivered.clear()
    stand.source.reorganise(1, [])
    assert results(stand) == ["LogEvent"]


def test_a_rollback_need_not_be_announced() -> None:
    """The model and the journal follow, subscribers and filters hear nothing; a reorg is told."""
    stand = Stand(announce_rollback=False)
    for wanted in (HeadFilter(), ANY_LOG, MinedFilter(include_removed=True)):
        stand.listen(wanted, cursor=True)
    polled = stand.service.polled(DIALECT)
    identifier = polled.install(ANY_LOG, encode, stand.service.now())
    stand.source.mine((make_transaction(0), [LOG]))
    polled.poll(identifier, stand.service.now())
    stand.delivered.clear()
    stand.source.reorganise(1, [])
    assert stand.delivered == []
    assert polled.poll(identifier, stand.service.now()) == []
    view = stand.service.view(DIALECT)
    assert view.chain.head is stand.source.blocks[0]
    assert view.chain.find(make_transaction(0).hash) is None
    stand.source.mine((make_transaction(1), [LOG]))
    cursors = [orjson.loads(text)["params"]["cursor"] for text, _ in stand.delivered]
    assert [Cursor.parse(text).seq for text in cursors] == [3, 3, 3]
    stand.delivered.clear()
    stand.source.reorganise(1, [[]])
    assert results(stand) == ["LogEvent", "TransactionMined", "HeadAdded"]
    stand.service.stopService()


def test_block_without_parent_changes_nothing(stand: Stand) -> None:
    """A block that does not fit is refused to the source."""
    stranger = make_block(make_block(salt=b"elsewhere"))
    with pytest.raises(UnknownParent):
        stand.service.publish(stranger)
    assert stand.service.view(DIALECT).chain.height == 0


def test_pending_transaction_is_announced_once(stand: Stand) -> None:
    """Pending events have no cursor; a queued transaction is silent until it is executable."""
    stand.listen(PendingFilter())
    stand.listen(PendingFilter(), cursor=True)
    transaction = make_transaction(0)
    stand.service.queued(transaction)
    assert stand.delivered == []
    stand.service.pending(transaction)
    stand.service.pending(transaction)
    assert results(stand) == ["TransactionPending"] * 2
    assert all("cursor" not in text for text, _ in stand.delivered)
    stand.service.dropped(transaction.hash)
    stand.service.pending(transaction)
    assert len(stand.delivered) == 4


def test_polled_filters_collect_and_expire(stand: Stand) -> None:
    """A filter collects between polls and is gone after five minutes without one."""
    polled = stand.service.polled(DIALECT)
    identifier = polled.install(HeadFilter(), encode, stand.service.now())
    stand.source.mine()
    assert len(polled.poll(identifier, stand.service.now())) == 1
    stand.clock.pump([30.0] * 11)
    with pytest.raises(FilterNotFound):
        polled.inspect(identifier)


def test_query_and_submit_go_to_the_source(stand: Stand) -> None:
    """Answers and model errors come back."""
    stand.source.answers["balance"] = lambda params: params["address"]
    assert stand.perform(Query(method="balance", params={"address": "0x1"})) == ["0x1"]
    (failure,) = stand.perform(Query(method="nothing", params={}))
    assert failure.check(Unsupported)
    stand.perform(Submit(kind=Kind.EVM, raw=b"\x02"))
    assert stand.source.submitted == [b"\x02"]


def test_scan_breathes_between_steps(stand: Stand) -> None:
    """Each step waits for the reactor, and the generator's value is the answer."""
    steps = []

    def work() -> Generator[None, None, str]:
        for number in range(3):
            steps.append(number)
            yield
        return "done"

    seen = stand.perform(Scan(steps=work()))
    assert (steps, seen) == ([0], [])
    stand.clock.advance(0)
    assert (steps, seen) == ([0, 1, 2], ["done"])


def test_scan_that_breaks_or_is_cancelled_ends(stand: Stand) -> None:
    """A failure reaches whoever waits; a cancelled scan takes no further step."""

    def breaks() -> Iterator[None]:
        yield
        raise ValueError("x")

    (seen,) = [stand.perform(Scan(steps=breaks()))]
    stand.clock.advance(0)
    assert seen[0].check(ValueError)

    steps: list[int] = []

    def endless() -> Iterator[None]:
        while True:
            steps.append(len(steps))
            yield

    deferred = stand.service.perform(Scan(steps=endless()))
    deferred.addErrback(lambda _: None)
    deferred.cancel()
    stand.clock.advance(1)
    assert steps == [0]


def test_waiting_for_a_transaction_to_be_mined(stand: Stand) -> None:
    """It answers at once, later, or with a time-out."""
    mined, later, never = make_transaction(0), make_transaction(1), make_transaction(2)
    block = stand.source.mine((mined, []))
    assert stand.perform(AwaitMined(transaction_hash=mined.hash, timeout_s=5)) == [(block, 0)]
    waiting = stand.perform(AwaitMined(transaction_hash=later.hash, timeout_s=5))
    lost = stand.perform(AwaitMined(transaction_hash=never.hash, timeout_s=5))
    assert waiting == []
    block = stand.source.mine((later, []))
    assert waiting == [(block, 0)]
    stand.clock.advance(5.1)
    assert lost[0].check(MinedWaitTimeout)


def test_stopping_ends_what_waits() -> None:
    """Nothing is left running, and a late question gets a clear error."""
    stand = Stand()
    waiting = stand.perform(AwaitMined(transaction_hash=make_transaction(0).hash, timeout_s=50))
    stand.service.unhealthy("the node is away")
    stand.service.stopService()
    assert isinstance(waiting[0], Failure)
    assert stand.clock.getDelayedCalls() == []
    (failure,) = stand.perform(Query(method="balance", params={}))
    assert failure.check(SourceUnavailable)


def follow(stand: Stand, owner: str, *topics: str, cursor: bool = False) -> None:
    """Follow topics of the toy dialect whose connections have one interest each."""
    interest = Interest(topics=frozenset(topics), cursor=cursor)
    stand.service.registry(pushes.DIALECT).interests.set(owner, interest, max_keys=9)


def pushed(stand: Stand) -> list[Any]:
    """Return the numbers of the blocks pushed since the last call."""
    delivered, stand.delivered = stand.delivered, []
    texts = [orjson.loads(text.replace("ID", "")) for text, _ in delivered]
    return [text["block"] for text in texts]


def test_each_thing_of_a_block_is_pushed_to_whom_it_concerns() -> None:
    """In the order of the block; the ledger holds it, and cursors count what it brings."""
    stand = Stand(dialect=pushes.DIALECT)
    follow(stand, "me", "block")
    follow(stand, "you", "transaction", cursor=True)
    sent = make_transaction(0)
    interests = stand.service.registry(pushes.DIALECT).interests
    interests.expect("me", sent.hash, 0.0, lifetime_s=60.0, most=9)
    stand.source.mine((make_transaction(1), [LOG]), (sent, []))
    texts = [(orjson.loads(text.replace("ID", "")), len(some)) for text, some in stand.delivered]
    other = {"transaction": make_transaction(1).hash.hex()}
    mine = {"transaction": sent.hash.hex()}
    (first, one), (second, two), (third, three), (fourth, four) = texts
    assert (first[0], second, third[0], fourth) == (other, mine, mine, {"block": 1})
    assert [one, two, three, four] == [1] * 4
    assert [Cursor.parse(each[1]).index for each in (first, third)] == [1, 2]
    stand.service.stopService()


def test_pushes_of_a_reorganisation_repeat_heights_and_a_rollback_has_none() -> None:
    """Blocks that are taken back are not spoken of."""
    stand = Stand(dialect=pushes.DIALECT)
    follow(stand, "me", "block")
    stand.source.mine()
    stand.source.mine()
    stand.source.reorganise(2, [[], []])
    assert pushed(stand) == [1, 2, 1, 2]
    stand.source.reorganise(1, [])
    assert pushed(stand) == []
    stand.service.stopService()


def test_pushes_wait_for_confirmations() -> None:
    """As those of gathered messages do."""
    stand = Stand(dialect=pushes.DIALECT, confirmations=2)
    follow(stand, "me", "block")
    for _ in range(3):
        stand.source.mine()
    assert pushed(stand) == [0, 1]
    stand.service.stopService()


def test_a_block_that_cannot_be_pushed_costs_only_itself() -> None:
    """The failure is logged, the chain goes on."""
    stand = Stand(dialect=pushes.DIALECT)
    follow(stand, "me", "block")
    ledger: pushes.Ledger = stand.service.view(pushes.DIALECT).ledger
    ledger.broken.add(1)
    with capturedLogs() as logs:
        stand.source.mine()
        stand.source.mine()
    assert pushed(stand) == [2]
    (event,) = [event for event in logs if "log_failure" in event]
    assert event["name"] == "pushes"
    stand.service.stopService()
