"""One message per block and connection, in a toy language whose messages say what they hold."""

from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import ADDRESSES, make_block, make_chain, relaxed
from twisted_chainws.chain.confirmations import Confirmations
from twisted_chainws.chain.model import Block
from twisted_chainws.chain.ops import Advance
from twisted_chainws.chain.types import Address20, Seq
from twisted_chainws.dialects.gathering import Found, Gather, GatheredTopic, Gatherer
from twisted_chainws.subscriptions.watches import Watcher, Watches

A, B, C = ADDRESSES
NAMES = {A: b"A", B: b"B", C: b"C"}


class Stand:
    """Watches and a gatherer whose blocks hold what the test says."""

    def __init__(self, *, depth: int = 0) -> None:
        self.blocks = make_chain(1)
        self.watches = Watches()
        self.found: list[Found] = []
        self.failures = 0
        self.sent = 0
        self.written: list[bytes] = []
        self.gatherer = Gatherer(
            gather=Gather(
                topics={
                    "head": GatheredTopic(encode=self.head),
                    "events": GatheredTopic(encode=self.listed, encode_entry=self.entry),
                    "payments": GatheredTopic(encode=self.listed, encode_entry=self.entry),
                },
                find=self.find,
                compose=self.compose,
            ),
            watches=self.watches,
            ledger="ledger",
            confirmations=Confirmations(self.blocks, depth=depth),
            broken=self.broken,
        )

    def find(self, _block: Block) -> Iterable[Found]:
        """Return what the test put there, or break."""
        if any(found.item == "unreadable" for found in self.found):
            raise ValueError("no such block")
        return self.found

    def head(self, ledger: Any, block: Block, entries: Sequence[bytes]) -> bytes:
        """Write a head."""
        assert (ledger, list(entries)) == ("ledger", [])
        self.written.append(b"head")
        return b"<%d>" % block.number

    def compose(
        self, texts: Sequence[bytes], ending: Sequence[str], cursor: str | None
    ) -> list[bytes]:
        """Put a message together."""
        return [*texts, *(f"-{name}".encode() for name in ending), (cursor or "").encode()]

    def listed(self, _ledger: Any, _block: Block, entries: Sequence[bytes]) -> bytes:
        """Write a list."""
        return b"[" + b" ".join(entries) + b"]"

    def entry(self, address: Address20, items: Sequence[Any]) -> bytes:
        """Write what happened to an address."""
        if "broken" in items:
            raise ValueError("no text for this")
        text = NAMES[address] + b":" + b",".join(str(item).encode() for item in items)
        self.written.append(text)
        return text

    def broken(self) -> None:
        """Count."""
        self.failures += 1

    def watch(self, owner: str, topic: str, *addresses: Address20) -> None:
        """Watch."""
        self.watches.watch(owner, topic, addresses, max_topics=3, max_addresses=9)

    def mine(self, *found: tuple[str, tuple[Address20, ...], Any]) -> dict[bytes, list[str]]:
        """Put a block on top and return its messages: text -> who got it."""
        self.found = [Found(topic=t, addresses=a, item=i) for t, a, i in found]
        self.blocks.append(make_block(self.blocks[-1]))
        return self.advance(applied=self.blocks[-1:])

    def advance(
        self, *, undone: Sequence[Block] = (), applied: Sequence[Block] = ()
    ) -> dict[bytes, list[str]]:
        """Change the chain and return the messages."""
        advance = Advance(seq=Seq(1), undone=tuple(undone), applied=tuple(applied))
        messages = self.gatherer.take(advance, lambda index: f"@{index}")
        self.sent = len(messages)
        got: dict[bytes, list[str]] = {}
        for notice, some in messages:
            got.setdefault(notice.head, []).extend(each.owner for each in some)
        return got


def test_nobody_hears_of_blocks_without_a_topic() -> None:
    """Without watchers nothing is even looked at."""
    stand = Stand()
    assert stand.mine(("events", (A,), "unreadable")) == {}
    assert stand.failures == 0


def test_topics_stand_in_their_order() -> None:
    """Whatever the order of watching; a topic where nothing happened is there all the same."""
    stand = Stand()
    stand.watch("me", "payments", A)
    stand.watch("me", "events", A)
    stand.watch("me", "head")
    assert stand.mine() == {b"<1>[][]": ["me"]}


def test_equal_messages_are_one() -> None:
    """Owners to whom the same things happened share a message, however many addresses they watch."""
    stand = Stand()
    stand.watch("me", "events", A)
    stand.watch("you", "events", A, B)
    stand.watch("he", "events", B)
    stand.watch("she", "events", B, C)
    assert stand.mine(("events", (A,), 1), ("events", (A,), 2)) == {
        b"[A:1,2]": ["me", "you"],
        b"[]": ["he", "she"],
    }
    assert stand.sent == 2
    assert stand.written == [b"A:1,2"]


def test_the_shared_part_is_written_once() -> None:
    """However many different messages there are."""
    stand = Stand()
    for owner, address in (("me", A), ("you", B), ("he", C)):
        stand.watch(owner, "head")
        stand.watch(owner, "events", address)
    assert len(stand.mine(("events", (A,), 1), ("events", (B,), 2))) == 3
    assert stand.written.count(b"head") == 1


def test_addresses_stand_in_the_order_of_what_happened_first() -> None:
    """Items of one address stand together, in the order of the block."""
    stand = Stand()
    stand.watch("me", "events", A, B, C)
    found = [("events", (at,), item) for item, at in enumerate((C, A, C, B))]
    assert stand.mine(*found) == {b"[C:0,2 A:1 B:3]": ["me"]}


def test_each_is_told_once_under_the_first_address_it_watches() -> None:
    """Who watches several of the addresses of one item; decided for each by itself."""
    stand = Stand()
    stand.watch("both", "payments", A, B)
    stand.watch("first", "payments", A)
    stand.watch("second", "payments", B)
    assert stand.mine(("payments", (A, B), 1), ("payments", (B, A), 2)) == {
        b"[A:1 B:2]": ["both"],
        b"[A:1,2]": ["first"],
        b"[B:1,2]": ["second"],
    }
    assert stand.mine(("payments", (A, A), 3))[b"[A:3]"] == ["both", "first"]


def test_topics_do_not_mix() -> None:
    """An address is watched under a topic."""
    stand = Stand()
    stand.watch("me", "events", A)
    stand.watch("me", "payments", B)
    found = [("events", (B,), 1), ("payments", (A,), 2), ("payments", (B,), 3)]
    assert stand.mine(*found) == {b"[][B:3]": ["me"]}


def test_what_is_left_ends_with_the_message_that_says_so() -> None:
    """One last delivery, then nothing."""
    stand = Stand()
    stand.watch("me", "head")
    stand.watch("me", "events", A)
    stand.watches.leave("me", "events")
    assert stand.mine(("events", (A,), 1)) == {b"<1>[A:1]-events": ["me"]}
    stand.watches.leave("me", "head")
    assert stand.mine(("events", (A,), 2)) == {b"<2>-head": ["me"]}
    assert stand.mine() == {}


def test_each_block_of_a_transition_is_a_message() -> None:
    """In order; what was left ends with the first."""
    stand = Stand()
    stand.watch("me", "head")
    stand.watch("you", "head")
    stand.watches.leave("you", "head")
    one = make_block(stand.blocks[-1])
    two = make_block(one)
    assert stand.advance(applied=[one, two]) == {
        b"<1>": ["me"],
        b"<1>-head": ["you"],
        b"<2>": ["me"],
    }
    assert stand.advance(undone=[two]) == {}


def test_cursors_are_for_those_who_asked() -> None:
    """They count the blocks of a change of the chain."""
    stand = Stand()
    stand.watch("you", "head")
    stand.watches.watch("me", "head", (), cursor=True, max_topics=3, max_addresses=9)
    one = make_block(stand.blocks[-1])
    assert stand.advance(applied=[one, make_block(one)]) == {
        b"<1>": ["you"],
        b"<1>@1": ["me"],
        b"<2>": ["you"],
        b"<2>@2": ["me"],
    }


def test_unconfirmed_blocks_wait() -> None:
    """Nothing ends before the block that says so."""
    stand = Stand(depth=1)
    stand.watch("me", "head")
    assert stand.mine() == {b"<0>": ["me"]}
    stand.watches.leave("me", "head")
    assert stand.advance(undone=stand.blocks[-1:]) == {}
    assert stand.watches.of_owner("me").leaving == {"head"}


@pytest.mark.parametrize("quiet", [0, 200])
def test_quiet_addresses_are_not_looked_at(quiet: int) -> None:
    """What is looked up are the accounts of the block, however many are watched by however many."""
    stand = Stand()
    owners = [str(number) for number in range(10)]
    for owner in owners:
        others = [Address20(f"{owner}{at:019}".encode()) for at in range(quiet)]
        stand.watches.watch(owner, "events", [A, *others], max_topics=1, max_addresses=201)
    looked: list[Address20] = []
    of_address = stand.watches.of_address

    def spy(topic: str, address: Address20) -> Sequence[Watcher]:
        looked.append(address)
        return of_address(topic, address)

    stand.watches.of_address = spy  # type: ignore[method-assign]
    got = stand.mine(("events", (A,), 1), ("events", (B,), 2), ("events", (A,), 3))
    assert got == {b"[A:1,3]": owners}
    assert looked == [A, B]
    assert stand.written == [b"A:1,3"]


def test_a_message_that_cannot_be_written_costs_only_itself() -> None:
    """The others go out, and what was left ends."""
    stand = Stand()
    stand.watch("me", "events", A)
    stand.watch("you", "events", B)
    stand.watches.leave("me", "events")
    assert stand.mine(("events", (A,), "broken")) == {b"[]": ["you"]}
    assert stand.failures == 1
    assert len(stand.watches) == 1


def test_a_topic_without_entries_has_none() -> None:
    """What happened under a topic that is not watched by address is a mistake that is told."""
    stand = Stand()
    stand.watch("me", "head", A)
    stand.watch("me", "events", B)
    assert stand.mine(("head", (A,), 1)) == {}
    assert stand.failures == 1


def test_a_block_that_cannot_be_read_costs_only_its_messages() -> None:
    """The next one is told of."""
    stand = Stand()
    stand.watch("me", "events", A)
    assert stand.mine(("events", (A,), "unreadable")) == {}
    assert stand.failures == 1
    assert stand.mine() == {b"[]": ["me"]}


@relaxed
@given(
    st.dictionaries(
        st.sampled_from(["one", "two", "three"]),
        st.dictionaries(
            st.sampled_from(["events", "payments"]),
            st.sets(st.sampled_from(ADDRESSES), min_size=1),
            min_size=1,
        ),
        min_size=1,
    ),
    st.lists(
        st.tuples(
            st.sampled_from(["events", "payments"]),
            st.lists(st.sampled_from(ADDRESSES), min_size=1, max_size=2).map(tuple),
        ),
        max_size=6,
    ),
)
def test_everybody_hears_what_looking_at_everybody_finds(
    watched: dict[str, dict[str, set[Address20]]], happened: list[tuple[str, Any]]
) -> None:
    """The message of each owner is the one made for it alone."""
    stand = Stand()
    for owner, topics in watched.items():
        for topic, addresses in topics.items():
            stand.watch(owner, topic, *addresses)
    found = [(topic, addresses, item) for item, (topic, addresses) in enumerate(happened)]
    got = {owner: text for text, owners in stand.mine(*found).items() for owner in owners}
    for owner, topics in watched.items():
        expected = b""
        for topic in ("events", "payments"):
            if topic not in topics:
                continue
            told: dict[Address20, list[bytes]] = {}
            for name, addresses, item in found:
                under = next((each for each in addresses if each in topics[topic]), None)
                if name == topic and under is not None:
                    told.setdefault(under, []).append(b"%d" % item)
            entries = [NAMES[at] + b":" + b",".join(items) for at, items in told.items()]
            expected += b"[" + b" ".join(entries) + b"]"
        assert got[owner] == expected
