from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock

from tests.client.zilliqa.ledger import Ledger, payment
from twisted_chainws.client.follower import Follower, FollowerHooks
from twisted_chainws.client.options import ClientOptions
from twisted_chainws.client.zilliqa.envelope import Contents, Notification
from twisted_chainws.client.zilliqa.reader import Reader
from twisted_chainws.client.zilliqa.values import Gap, Reset, decode_block

NO_BLOCK: Any = {"header": {"BlockNum": str(2**64 - 1)}}


class Listener:
    """Writes down what it is told."""

    def __init__(self, kind: str = "NewBlock") -> None:
        self.kind = kind
        self.events: list[Any] = []

    def deliver(self, event: Any) -> None:
        self.events.append(event)

    def tell(self, contents: Contents) -> None:
        self.events.append(contents.block)


class Stand:
    """A follower of a ledger that answers at once over HTTP, or of one that nobody can ask."""

    def __init__(self, *, http: bool = True, **more: Any) -> None:
        self.ledger = Ledger()
        self.listeners = [Listener()]
        self.gaps: list[Gap] = []
        self.told: list[Notification] = []
        self.overflows = 0
        options, rpc = ClientOptions(**more), self
        answering: Any = rpc if http else None
        self.held: Deferred[Any] | None = None
        reader: Any = Reader(answering, clock=Clock(), options=options)
        self.follower: Any = Follower(
            reader=reader,
            options=options,
            hooks=FollowerHooks(
                audience=lambda: list(self.listeners),
                gap=lambda _, gap: self.gaps.append(gap),
                told=self.told.append,
                overflow=self.overflow,
            ),
        )

    def overflow(self) -> None:
        self.overflows += 1

    def call(self, method: str, *params: Any) -> Deferred[Any]:
        chain = self.ledger.chain
        number = int(params[0]) if params else len(chain) - 1
        block = chain[number] if number < len(chain) else NO_BLOCK
        if method == "GetTransactionsForTxBlock":
            answer: Any = self.ledger.hashes(block)
        else:
            assert method in ("GetTxBlock", "GetLatestTxBlock")
            answer = block
        if self.held is not None:
            return self.held.addCallback(lambda _: answer)
        return succeed(answer)

    def notify(self, block: Any = None) -> Notification:
        """Tell of a block, the highest if none is given."""
        block = self.ledger.chain[-1] if block is None else block
        contents = Contents(block=decode_block(block, self.ledger.hashes(block)))
        notification = Notification(contents=contents, ended=frozenset(), strays=0)
        self.follower.take(notification)
        return notification

    @property
    def numbers(self) -> list[Any]:
        short: list[Any] = []
        for one in self.listeners[0].events:
            if isinstance(one, Gap):
                short.append((one.first, one.last))
            elif isinstance(one, Reset):
                short.append([block.number for block in one.removed])
            else:
                short.append(one.number)
        return short

    def standing(self) -> list[Any]:
        """Fold what was told into blocks that stand; a contradiction is an AssertionError."""
        stands: list[Any] = []
        for one in self.listeners[0].events:
            if isinstance(one, Reset):
                for block in one.removed:
                    assert stands.pop() == block
                assert one.first == one.removed[-1].number
            else:
                assert not isinstance(one, Gap)
                assert not stands or one.parent_hash == stands[-1].hash
                stands.append(one)
        return stands


def test_blocks_in_order() -> None:
    """Blocks that stand on each other are told at once, each once."""
    stand = Stand()
    for _ in range(3):
        stand.ledger.mine()
        stand.notify()
        stand.notify()
    assert stand.numbers == [6, 7, 8]
    assert len(stand.told) == 6
    assert stand.follower.reached == 8


def test_where_one_begins() -> None:
    """The block behind which one begins is told if it is notified, and else only stood on."""
    stand = Stand()
    stand.follower.begin(decode_block(stand.ledger.chain[-1]))
    stand.notify()
    stand.notify()
    assert stand.numbers == [5]
    other = Stand()
    other.follower.begin(decode_block(other.ledger.chain[-1]))
    other.follower.begin(decode_block(other.ledger.chain[-2]))
    other.ledger.mine()
    other.ledger.mine()
    other.notify()
    assert other.numbers == [6, 7]
    other.ledger.reorganise(3, [])
    other.notify()
    # Nobody was told of 5, which has left as well.
    assert other.numbers == [6, 7, [7, 6], 5]


def test_what_waits() -> None:
    """While blocks are fetched others wait, and too many are reported."""
    stand = Stand(queue_size=2)
    stand.ledger.mine()
    stand.notify()
    stand.ledger.mine()
    stand.ledger.mine()
    stand.held = Deferred()
    stand.notify()
    for _ in range(3):
        stand.ledger.mine()
        stand.notify()
    assert (stand.numbers, stand.follower.waiting, stand.overflows) == ([6], 2, 1)
    held, stand.held = stand.held, None
    held.callback(None)
    assert stand.numbers == [6, 7, 8, 9, 10]


def test_who_comes_while_blocks_are_fetched() -> None:
    """It hears of blocks from its coming on, not of those that were missed before."""
    stand = Stand()
    stand.ledger.mine()
    stand.notify()
    stand.ledger.mine(payment("a", "0x" + "11" * 20))
    stand.ledger.mine()
    stand.held = Deferred()
    stand.notify()
    late = Listener("TxnLog")
    stand.listeners.append(late)
    held, stand.held = stand.held, None
    held.callback(None)
    assert stand.numbers == [6, 7, 8]
    assert [one.number for one in late.events] == [8]


def test_notifications_without_a_block() -> None:
    """They are told as they are."""
    stand = Stand()
    notification = Notification(contents=Contents(block=None), ended=frozenset(), strays=0)
    stand.follower.take(notification)
    assert (stand.listeners[0].events, stand.told) == ([None], [notification])


def test_recovering() -> None:
    """What was missed is told when the connection is back, without another notification."""
    stand = Stand()
    stand.ledger.mine()
    stand.notify()
    stand.follower.hold()
    for _ in range(3):
        stand.ledger.mine()
    stand.notify()
    stand.follower.recover()
    assert stand.numbers == [6, 7, 8, 9]
    stand.follower.hold()
    stand.follower.recover()
    assert stand.numbers == [6, 7, 8, 9]


@pytest.mark.parametrize(("http", "gap"), [(True, (None, 5)), (False, (None, None))])
def test_recovering_before_the_first_block(http: bool, gap: Any) -> None:
    """It is not known where one had begun: something may be missing."""
    stand = Stand(http=http)
    stand.follower.hold()
    stand.follower.recover()
    stand.ledger.mine()
    stand.notify()
    assert stand.numbers == [gap, 6]
    assert [(one.first, one.last) for one in stand.gaps] == [gap]


def test_blocks_told_late() -> None:
    """Servers that wait for confirmations tell of what was the head before; it is nothing new."""
    stand = Stand()
    stand.follower.begin(decode_block(stand.ledger.chain[-1]))
    for number in (2, 3, 4, 5):
        stand.notify(stand.ledger.chain[number])
    stand.ledger.mine()
    stand.notify()
    assert stand.numbers == [5, 6]
    stand.ledger.reorganise(5, [], [])
    stand.notify(stand.ledger.chain[2])
    stand.notify(stand.ledger.chain[3])
    assert stand.numbers == [5, 6, [6, 5], 2, 3]


def test_forgetting() -> None:
    """What was before is no matter any more."""
    stand = Stand()
    stand.ledger.mine()
    stand.notify()
    for _ in range(3):
        stand.ledger.mine()
    stand.follower.forget()
    assert stand.follower.reached is None
    stand.notify()
    assert stand.numbers == [6, 9]


actions = st.lists(
    st.tuples(st.sampled_from(["mine", "miss", "away"]), st.integers(1, 4))
    | st.tuples(st.just("reorganise"), st.integers(1, 5), st.integers(1, 6), st.booleans())
)


@given(actions)
def test_random_chains(actions: list[Any]) -> None:
    """Whatever is missed, and however the chain changes: what stands in the end is the chain."""
    stand = Stand()
    first = stand.ledger.height + 1
    stand.follower.begin(decode_block(stand.ledger.chain[-1]))
    for kind, count, *more in actions:
        if kind == "reorganise":
            depth = min(count, stand.ledger.height - first)
            stand.ledger.reorganise(max(depth, 0), *([[]] * more[0]))
            if more[1]:
                stand.notify()
            continue
        if kind == "away":
            stand.follower.hold()
        for number in range(count):
            stand.ledger.mine(*([payment(f"{number}", "0x" + "11" * 20)] * (number % 2)))
            if kind == "mine":
                stand.notify()
        if kind == "away":
            stand.follower.recover()
    stand.ledger.mine()
    stand.notify()
    assert stand.standing() == [
        decode_block(one, stand.ledger.hashes(one)) for one in stand.ledger.chain[first:]
    ]
    assert stand.gaps == []
