"""What a block brings to those who follow it, in a toy language."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from tests.strategies import hash32, make_block, make_chain
from twisted_chainws.chain.confirmations import Confirmations
from twisted_chainws.chain.model import Block
from twisted_chainws.chain.ops import Advance
from twisted_chainws.chain.types import Seq
from twisted_chainws.dialects.notice import Notice
from twisted_chainws.dialects.pushing import Push, Pusher
from twisted_chainws.subscriptions.interests import Interest, Interests

ONE, TWO = hash32(1), hash32(2)


class Stand:
    """Interests and a pusher whose blocks bring what the test says."""

    def __init__(self, *, depth: int = 0) -> None:
        self.blocks = make_chain(1)
        self.interests = Interests()
        self.brought: list[Push] = []
        self.written: list[str] = []
        self.failures = 0
        self.unreadable = False
        self.looked = 0
        self.pusher = Pusher(
            push=self.push,
            interests=self.interests,
            ledger="ledger",
            confirmations=Confirmations(self.blocks, depth=depth),
            render=self.render,
            broken=self.broken,
        )

    def push(self, ledger: Any, block: Block) -> Iterator[Push]:
        """Bring what the test put there, and the number of the block."""
        assert ledger == "ledger"
        self.looked += 1
        yield from self.brought
        if self.unreadable:
            raise ValueError("no such block")
        yield self.about("block", text=f"<{block.number}>")

    def about(
        self, topic: str, *keys: str, tx: Any = None, text: str = "text", keyed: bool = False
    ) -> Push:
        """Make a push that notes when it is written."""

        def encode() -> bytes:
            self.written.append(text)
            if text == "broken":
                raise ValueError("no text for this")
            return text.encode()

        return Push(
            topic=topic,
            keys=frozenset(keys) if keys or keyed else None,
            transaction_hash=tx,
            encode=encode,
        )

    def render(self, text: bytes, cursor: str | None) -> Notice:
        """Write a message."""
        return Notice(text + (cursor or "").encode(), b"")

    def broken(self) -> None:
        """Count."""
        self.failures += 1

    def follow(
        self, owner: str, *topics: str, keys: tuple[str, ...] = (), cursor: bool = False
    ) -> None:
        """Follow."""
        interest = Interest(topics=frozenset(topics), keys=keys, cursor=cursor)
        self.interests.set(owner, interest, max_keys=9)

    def expect(self, owner: str, wanted: Any) -> None:
        """Expect a transaction."""
        self.interests.expect(owner, wanted, 0.0, lifetime_s=60.0, most=9)

    def mine(self, *brought: Push) -> list[tuple[str, list[str]]]:
        """Put a block on top and return its messages: text and who got it."""
        self.brought = list(brought)
        self.blocks.append(make_block(self.blocks[-1]))
        return self.advance(applied=self.blocks[-1:])

    def advance(
        self, *, undone: Sequence[Block] = (), applied: Sequence[Block] = ()
    ) -> list[tuple[str, list[str]]]:
        """Change the chain and return the messages."""
        advance = Advance(seq=Seq(1), undone=tuple(undone), applied=tuple(applied))
        return [
            (notice.head.decode(), [each.owner for each in some])
            for notice, some in self.pusher.take(advance, lambda index: f"@{index}")
        ]


def test_nobody_hears_of_blocks_without_an_interest() -> None:
    """Without followers nothing is even looked at."""
    stand = Stand()
    assert stand.mine(stand.about("block")) == []
    assert stand.looked == 0


def test_a_push_is_written_once_and_only_when_somebody_gets_it() -> None:
    """However many follow; what nobody follows costs nothing of its text."""
    stand = Stand()
    for owner in ("me", "you"):
        stand.follow(owner, "a")
    stand.follow("they", "b")
    assert stand.mine(stand.about("a", text="A"), stand.about("c", text="C")) == [
        ("A", ["me", "you"])
    ]
    assert stand.written == ["A"]


def test_messages_keep_the_order_of_the_block() -> None:
    """Whatever their topics; a connection gets one that fits two of its keys once."""
    stand = Stand()
    stand.follow("me", "a", "block", keys=("k", "l"))
    got = stand.mine(
        stand.about("a", "k", "l", text="1"),
        stand.about("a", "x", text="2"),
        stand.about("a", "l", text="3"),
    )
    assert got == [("1", ["me"]), ("3", ["me"]), ("<1>", ["me"])]


def test_cursors_count_all_pushes_of_a_change_whoever_gets_them() -> None:
    """With a cursor is written from the same text, for those who want one."""
    stand = Stand()
    stand.follow("me", "a", cursor=True)
    stand.follow("you", "a")
    stand.follow("he", "block", cursor=True)
    a, b = stand.about("a", text="A"), stand.about("b", text="B")
    assert stand.mine(b, a) == [("A", ["you"]), ("A@2", ["me"]), ("<1>@3", ["he"])]
    assert stand.written == ["A", "<1>"]
    two = [make_block(stand.blocks[-1])]
    two.append(make_block(two[-1]))
    got = stand.advance(applied=two)
    assert [text for text, owners in got if owners == ["he"]] == ["<2>@3", "<3>@6"]


def test_who_expects_a_transaction_is_told_of_it_once() -> None:
    """It need not be interested; the second message about it is not for it any more."""
    stand = Stand()
    stand.expect("me", ONE)
    stand.follow("you", "a")
    push = stand.about("a", tx=ONE, keyed=True)
    assert stand.mine(push, push, stand.about("a", tx=TWO)) == [
        ("text", ["you", "me"]), ("text", ["you"]), ("text", ["you"]),
    ]  # fmt: skip
    assert stand.mine(push) == [("text", ["you"])]


@pytest.mark.parametrize("keys", [(), ("k",)])
def test_who_is_interested_and_expects_it_gets_it_once(keys: tuple[str, ...]) -> None:
    """The expectation ends all the same."""
    stand = Stand()
    stand.follow("me", "a", keys=keys)
    stand.expect("me", ONE)
    assert stand.mine(stand.about("a", "k", tx=ONE)) == [("text", ["me"])]
    stand.follow("me", "b")
    assert stand.mine(stand.about("a", "k", tx=ONE)) == []


def test_who_narrowed_its_interest_elsewhere_is_still_told_what_it_expects() -> None:
    """With the cursor that it wishes."""
    stand = Stand()
    stand.follow("me", "a", keys=("x",), cursor=True)
    stand.expect("me", ONE)
    assert stand.mine(stand.about("a", "k", tx=ONE)) == [("text@1", ["me"])]


def test_a_message_that_cannot_be_written_costs_only_itself() -> None:
    """The others go out with the cursors they would have; what was expected has come."""
    stand = Stand()
    stand.follow("me", "a", "block", cursor=True)
    stand.expect("you", ONE)
    assert stand.mine(stand.about("a", tx=ONE, text="broken")) == [("<1>@2", ["me"])]
    assert stand.failures == 1
    assert stand.mine(stand.about("c", tx=ONE)) == [("<2>@2", ["me"])]


def test_a_block_that_cannot_be_told_costs_only_its_messages() -> None:
    """The next one is told of."""
    stand = Stand()
    stand.follow("me", "a", "block")
    stand.unreadable = True
    assert stand.mine(stand.about("a")) == []
    assert stand.failures == 1
    stand.unreadable = False
    assert stand.mine() == [("<2>", ["me"])]


def test_a_reorganisation_tells_of_its_blocks_and_a_rollback_of_nothing() -> None:
    """Heights repeat."""
    stand = Stand()
    stand.follow("me", "block")
    stand.mine()
    stand.mine()
    undone = stand.blocks[:0:-1]
    branch = [make_block(stand.blocks[0], salt="other")]
    branch.append(make_block(branch[-1]))
    assert stand.advance(undone=undone, applied=branch) == [("<1>", ["me"]), ("<2>", ["me"])]
    assert stand.advance(undone=branch[1:]) == []


def test_blocks_wait_for_their_confirmations() -> None:
    """A block is told of when others stand on it, with what was followed then."""
    stand = Stand(depth=2)
    stand.mine()
    stand.mine()
    stand.follow("me", "block")
    assert stand.mine() == [("<1>", ["me"])]
    assert stand.advance(undone=stand.blocks[:-2:-1]) == []
