"""Whatever is missed, and however the chain changes: what stands in the end is the chain."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock

from tests.client.ontology.ledger import ONG, ONT, Ledger, Mined, Mining, moved, payment
from twisted_chainws.client.errors import RpcError
from twisted_chainws.client.follower import Follower, FollowerHooks
from twisted_chainws.client.heads import Gap, Reset
from twisted_chainws.client.ontology.assembling import Assembler
from twisted_chainws.client.ontology.envelope import JSON_BLOCK, NOTIFY, RAW_BLOCK, Push
from twisted_chainws.client.ontology.reader import Reader
from twisted_chainws.client.ontology.subscription import Subscription, Wish
from twisted_chainws.client.ontology.values import Block, Notify, RawBlock, decode_block
from twisted_chainws.client.options import ClientOptions
from twisted_chainws.websocket.awaiting import succeeded

POOL = [payment(nonce) for nonce in range(4)]


class Stand:
    """A client without a connection: pushes go in, and fetching takes no time."""

    def __init__(self, contracts: tuple[str, ...]) -> None:
        self.ledger = Ledger(2)
        self.first = self.ledger.height + 1
        options = ClientOptions(queue_size=100_000)
        self.told: list[Any] = []
        wish = Wish(events=True, contracts=contracts, blocks=True, raw_blocks=True, hashes=False)
        self.subscription = Subscription(
            wish=wish,
            queue_size=100_000,
            unsubscribe=lambda _: succeeded(value=True),
            overflowed=self.told.append,
        )
        self.strays = 0
        self.assembler = Assembler(limit=1_000, stray=self.stray)
        hooks: FollowerHooks[Any, Any] = FollowerHooks(
            audience=lambda: [self.subscription],
            gap=lambda _, gap: self.told.append(gap),
            told=lambda _: None,
            overflow=lambda: self.told.append("overflow"),
        )
        self.follower: Any = Follower(
            reader=Reader(self.call, clock=Clock(), options=options), options=options, hooks=hooks
        )
        self.follower.begin(decode_block(self.ledger.chain[-1].json))

    def stray(self) -> None:
        self.strays += 1

    def call(self, action: str, **members: Any) -> Deferred[Any]:
        if action == "getblockheight":
            return succeed(self.ledger.height)
        chain = self.ledger.chain
        if action == "getblockbyhash":
            block = self.ledger.known.get(members["Hash"])
        else:
            block = chain[members["Height"]] if members["Height"] < len(chain) else None
        if block is None:
            return fail(RpcError(44003, "UNKNOWN BLOCK"))
        if action == "getsmartcodeeventbyheight":
            return succeed(block.events or "")
        return succeed(block.raw if members.get("Raw") == "1" else block.json)

    def mined(self, picks: list[int]) -> list[Mined]:
        """Return transactions of a block, none of which the chain has already."""
        fresh = [POOL[pick] for pick in dict.fromkeys(picks)]
        return [
            Mined(transaction=one, notices=(moved((ONT, ONG)[one.nonce % 2]),))
            for one in fresh
            if not any(one in (each.transaction for each in b.mined) for b in self.ledger.chain)
        ]

    def push(self, block: Mining, *, late: bool = False) -> None:
        """Push a block, its events before or behind it, not all of them on the right side."""
        half = len(block.events) // 2
        before, behind = (block.events[:half], block.events[half:]) if late else (block.events, [])
        pushes = [
            *(Push(NOTIFY, one) for one in before),
            Push(RAW_BLOCK, block.raw),
            Push(JSON_BLOCK, block.json),
            *(Push(NOTIFY, one) for one in behind),
        ]
        for one in pushes:
            notification = self.assembler.take(one)
            if notification is not None:
                self.follower.take(notification)

    def away(self) -> None:
        self.follower.interrupt()
        self.assembler.forget()
        self.follower.hold()

    def standing(self) -> list[Any]:
        """Fold what was told into blocks that stand, with what they told; order matters."""
        while self.subscription.depth:
            self.subscription.next().addCallback(self.told.append)
        stands: list[tuple[Block, bytes, set[str]]] = []
        waiting: list[Notify] = []
        raw: bytes | None = None
        for one in self.told:
            if isinstance(one, Reset):
                for block in one.removed:
                    assert stands.pop()[0] == block
            elif isinstance(one, Notify):
                at = [names for block, _, names in stands if block.hash == one.block_hash]
                waiting += [] if at else [one]
                for names in at:
                    assert one.tx_hash not in names
                    names.add(one.tx_hash)
            elif isinstance(one, RawBlock):
                raw = one.data
            else:
                assert isinstance(one, Block), one
                assert not stands or stands[-1][0].hash == one.parent_hash
                assert {event.block_hash for event in waiting} <= {one.hash}
                assert raw is not None
                stands.append((one, raw, {event.tx_hash for event in waiting}))
                waiting, raw = [], None
        return stands


picks = st.lists(st.integers(0, len(POOL) - 1), max_size=3)
steps = st.lists(
    st.tuples(st.sampled_from(["push", "late", "miss", "away"]), st.lists(picks, max_size=3))
    | st.tuples(st.just("reorganise"), st.lists(picks, min_size=1, max_size=4), st.integers(0, 4)),
    max_size=12,
)


@given(steps, st.sampled_from([(), (ONG,)]))
def test_what_stands_is_the_chain(steps: list[Any], contracts: tuple[str, ...]) -> None:
    """Every block stands on the one before, with its bytes and each of its events once."""
    stand = Stand(contracts)
    ledger = stand.ledger
    for kind, blocks, *depth in steps:
        if kind == "reorganise":
            deepest = max(0, ledger.height - stand.first)
            ledger.reorganise(min(depth[0], deepest))
            for picked in blocks:
                stand.push(ledger.mine(*stand.mined(picked)))
            continue
        if kind == "away":
            stand.away()
        for picked in blocks:
            block = ledger.mine(*stand.mined(picked))
            if kind in ("push", "late"):
                stand.push(block, late=kind == "late")
        if kind == "away":
            stand.follower.recover()
            # Nodes may still push what was fetched by then.
            for block in ledger.chain[-1:] if blocks else ():
                stand.push(block, late=True)
    stand.push(ledger.mine())
    expected = [
        (
            decode_block(block.json),
            bytes.fromhex(block.raw),
            {
                one.hash
                for one in block.mined
                if not contracts or one.notices[0]["ContractAddress"] in contracts
            },
        )
        for block in ledger.chain[stand.first :]
    ]
    assert stand.standing() == expected
    assert not any(isinstance(one, Gap) for one in stand.told)
    assert stand.strays == 0
