"""What one block brings to connections, as one message for each thing that happened. Sans-I/O.

Imports only notice and the layers below. Theory of operation. A push names a topic, maybe keys,
maybe a transaction: who is interested gets it, and who expects the transaction, each connection
once. Its text is made when the block comes, for it may be gone from the ledger when the message
leaves; it is made once, for all, and not at all when nobody gets it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

from twisted_chainws.chain.confirmations import Confirmations
from twisted_chainws.chain.model import Block
from twisted_chainws.chain.ops import Advance
from twisted_chainws.chain.types import Hash32
from twisted_chainws.dialects.notice import Notice
from twisted_chainws.subscriptions.interests import Follower, Interests


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """A message of a block.

    Attributes:
        topic: who is not interested in it gets none.
        keys: of which one at least has to be among those that an interest is narrowed to; None for
            a topic that is not narrowed.
        transaction_hash: who expects this transaction gets the message, too, once; None for a
            message that is about none.
        encode: makes its text, called once and only when somebody gets it.
    """

    topic: str
    keys: frozenset[str] | None
    transaction_hash: Hash32 | None
    encode: Callable[[], bytes]


Pushes: TypeAlias = Callable[[Any, Block], Iterable[Push]]
"""(ledger, block) -> its messages in the order of the wire."""

Pushed: TypeAlias = tuple[Notice, Sequence[Follower]]
"""A message and who gets it."""


class Pusher:
    """Pushes to all followers of one dialect.

    Args:
        push: what a block brings.
        interests: to whom.
        ledger: the dialect's projection.
        confirmations: which blocks are told of, and when.
        render: (text, cursor or None) -> the message.
        broken: called while the exception is handled when a message cannot be written, or what a
            block brings cannot be told; the others are written.
    """

    def __init__(
        self,
        *,
        push: Pushes,
        interests: Interests,
        ledger: Any,
        confirmations: Confirmations,
        render: Callable[[bytes, str | None], Notice],
        broken: Callable[[], None],
    ) -> None:
        self._push = push
        self._interests = interests
        self._ledger = ledger
        self._confirmations = confirmations
        self._render = render
        self._broken = broken

    def take(self, advance: Advance, cursor_at: Callable[[int], str]) -> list[Pushed]:
        """Return the messages of a change of the chain that somebody gets, in order.

        Args:
            advance: the change.
            cursor_at: how many pushes of it came up to here, whoever got them -> the cursor that
                says so.
        """
        messages: list[Pushed] = []
        index = 0
        for block in self._confirmations.confirmed(advance):
            for push in self._of_block(block):
                index += 1
                followers = self._followers(push)
                if followers:
                    messages += self._written(push, followers, partial(cursor_at, index))
        return messages

    def _of_block(self, block: Block) -> Sequence[Push]:
        if not len(self._interests):
            return ()
        try:
            return tuple(self._push(self._ledger, block))
        except Exception:  # noqa: BLE001 - the chain must go on
            self._broken()
            return ()

    def _followers(self, push: Push) -> Sequence[Follower]:
        """Return who gets a push; expecting its transaction has an end with it."""
        interested = self._interests.interested(push.topic, push.keys)
        if push.transaction_hash is None:
            return interested
        expecting = self._interests.consume(push.transaction_hash)
        if expecting is None or expecting.wants(push.topic, push.keys):
            return interested
        return (*interested, expecting)

    def _written(
        self, push: Push, followers: Sequence[Follower], cursor: Callable[[], str]
    ) -> Iterator[Pushed]:
        """Write a push for those without and for those with a cursor, as far as there are any."""
        plain = [each for each in followers if not each.interest.cursor]
        placed = [each for each in followers if each.interest.cursor]
        try:
            text = push.encode()
            if plain:
                yield self._render(text, None), plain
            if placed:
                yield self._render(text, cursor()), placed
        except Exception:  # noqa: BLE001 - a message that breaks costs only itself
            self._broken()
